/* ladder.h - the price levels of one side of one book, in order of price.
 *
 * A tree of bitmaps, 64 wide and four deep, over 24-bit keys: the best level is four "lowest set
 * bit"s away however sparse the prices are, and a level a million ticks off costs no more than its
 * neighbour. A key is a price in ticks, turned round for bids, so that the best is always the
 * lowest.
 *
 *   key   6 bits | 6 bits | 6 bits | 6 bits
 *         root --> node --> node --> leaf --> level
 *
 * Nodes of all ladders come from one pool; an empty node goes back at once, roots stay.
 * Owned by the engine's thread.
 */
#ifndef HOGA_BOOK_LADDER_H
#define HOGA_BOOK_LADDER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/arena.h"

enum {
    LADDER_BITS = 6,
    LADDER_DEPTH = 4,
    LADDER_KEY_BITS = LADDER_BITS * LADDER_DEPTH,
    LADDER_FAN = 1 << LADDER_BITS,
    LADDER_NODES_A_LEVEL = LADDER_DEPTH - 1, /* at most made by one insertion, root apart */
};

struct ladder_node {
    uint64_t bitmap;            /* bit i: child[i] is there */
    uint32_t child[LADDER_FAN]; /* node, or in a leaf the level; free nodes link by child[0] */
};

struct ladder_pool {
    struct ladder_node *nodes; /* 0 is nobody */
    uint32_t *free;            /* first free node that was used before; in the arena */
    uint32_t *fresh;           /* first node never used */
    uint32_t *free_count;
    uint32_t max;
};

void ladder_pool_init(struct ladder_pool *self, struct arena *arena, uint32_t max);

/* Whether any insertion would find its nodes, a new root included. */
bool ladder_pool_has_room(const struct ladder_pool *self);

/* `root` is the ladder: 0 while it never had a level. Keys are below 1 << LADDER_KEY_BITS. */

/* The level at a key; 0 when there is none. */
uint32_t ladder_find(const struct ladder_pool *self, uint32_t root, uint32_t key);

/* Puts a level (not 0) where there is none. The pool has room. */
void ladder_insert(struct ladder_pool *self, uint32_t *root, uint32_t key, uint32_t level);

/* Takes the level at a key away; it is there. */
void ladder_erase(struct ladder_pool *self, uint32_t root, uint32_t key);

/* The level with the lowest key at or above `from`; 0 when there is none. */
uint32_t ladder_first(const struct ladder_pool *self, uint32_t root, uint32_t from);

#endif
