#define _GNU_SOURCE
#include "engine/base/arena.h"

#include <sys/mman.h>

#include "engine/base/check.h"

void *arena_cut(struct arena *a, size_t count, size_t each_bytes)
{
    size_t bytes;
    CHECK(!__builtin_mul_overflow(count, each_bytes, &bytes));
    CHECK(bytes <= SIZE_MAX / 2);
    bytes = (bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    size_t at = a->used;
    a->used += bytes;
    if (!a->base) return NULL;
    CHECK(a->used <= a->capacity);
    return a->base + at;
}

void *arena_map(size_t bytes, int prefault)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    if (prefault) flags |= MAP_POPULATE;
    void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    return block == MAP_FAILED ? NULL : block;
}

void arena_unmap(void *block, size_t bytes)
{
    if (block) munmap(block, bytes);
}
