#define _GNU_SOURCE
#include "engine/base/arena.h"

#include <sys/mman.h>

#include "engine/base/check.h"

#define PAGE_BYTES      ((size_t)4096)
#define HUGE_PAGE_BYTES ((size_t)2 * 1024 * 1024)

#if !defined(MADV_POPULATE_WRITE)
#define MADV_POPULATE_WRITE 23 /* since Linux 5.14 */
#endif

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

#if !defined(MADV_COLLAPSE)
#define MADV_COLLAPSE 25 /* since Linux 6.1 */
#endif

static void *map(size_t bytes, int flags)
{
    void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
    return block == MAP_FAILED ? NULL : block;
}

/* On huge pages, as far as the system gives them: tables that are read here and there would
 * otherwise wait for translations as often as for memory. NULL when there is no such memory. */
static void *map_huge(size_t bytes)
{
    uint8_t *reserved = map(bytes + HUGE_PAGE_BYTES, 0);
    if (!reserved) return NULL;
    uint8_t *block =
        (uint8_t *)(((uintptr_t)reserved + HUGE_PAGE_BYTES - 1) & ~(HUGE_PAGE_BYTES - 1));
    size_t before = (size_t)(block - reserved);
    uint8_t *end = (uint8_t *)(((uintptr_t)block + bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1));
    if (before) munmap(reserved, before);
    munmap(end, (size_t)(reserved + bytes + HUGE_PAGE_BYTES - end));
    (void)madvise(block, bytes, MADV_HUGEPAGE); /* refused: small pages then */
    return block;
}

void *arena_map(size_t bytes, int prefault)
{
    if (!prefault) return map(bytes, 0);
    if (bytes > SIZE_MAX / 2) return NULL;
    uint8_t *block = map_huge(bytes);
    if (!block) return NULL;
    if (madvise(block, bytes, MADV_POPULATE_WRITE) == 0) return block;
    /* a kernel that does not know it yet, or no memory: the first touch will tell */
    for (size_t at = 0; at < bytes; at += PAGE_BYTES) ((volatile uint8_t *)block)[at] = 0;
    return block;
}

size_t arena_collapse(void *block, size_t bytes, size_t from)
{
    size_t length = bytes - from < HUGE_PAGE_BYTES ? bytes - from : HUGE_PAGE_BYTES;
    (void)madvise((uint8_t *)block + from, length, MADV_COLLAPSE);
    return from + length;
}

void arena_unmap(void *block, size_t bytes)
{
    if (block) munmap(block, bytes);
}
