/* arena.h - one block of memory that holds all of a state, cut up once at start.
 *
 * Tables refer to each other by index, never by pointer, so that the block can be written to a
 * file, mapped elsewhere and compared byte for byte. Owned by the thread that owns the state.
 *
 *   base                                              base + capacity
 *   | table | table | table | ......... unused ......... |
 *                           ^ used
 */
#ifndef HOGA_BASE_ARENA_H
#define HOGA_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

enum { ARENA_ALIGN = 64 }; /* a cache line: no table shares one with another */

struct arena {
    uint8_t *base; /* NULL: only measure */
    size_t used;
    size_t capacity;
};

/* Cuts `bytes` off, aligned to a cache line, zeroed by whoever provided the block. With a NULL
 * base it only counts and returns NULL; otherwise it never fails: running over is a CHECK, since
 * sizes are computed by the same calls beforehand. */
void *arena_cut(struct arena *a, size_t count, size_t each_bytes);

/* Maps `bytes` of zeroed memory, aligned to a page at least; `prefault` touches every page now
 * rather than in the middle of trading, and asks for huge ones. NULL when the system has no such
 * memory. */
void *arena_map(size_t bytes, int prefault);

/* Puts a part of a prefaulted block back on huge pages, after a child that was forked has made
 * small ones of them. Nothing else changes; a system that cannot leaves it as it is. Takes about
 * half a millisecond for 2 MiB. Returns where the next part begins, `bytes` at the end. */
size_t arena_collapse(void *block, size_t bytes, size_t from);

/* Gives a block of arena_map() back. */
void arena_unmap(void *block, size_t bytes);

#endif
