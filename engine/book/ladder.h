/* ladder.h - the price levels of one side of one book, in order of price.
 *
 * Levels of 64 neighbouring ticks lie side by side in a block; two nodes, 512 wide, lead to it. So
 * a level is three loads away however many there are, the next best is a set bit in the same block,
 * and a level a million ticks off costs no more than its neighbour. A key is a price in ticks,
 * turned round for bids, so that the best is always the lowest.
 *
 *   key   9 bits | 9 bits | 6 bits            at = block << 6 | lowest 6 bits of the key
 *         root --> node --> block: 64 levels
 *
 * Blocks and nodes of all ladders come from two pools; an empty block goes back at once, and so
 * does a node, roots apart. Owned by the engine's thread.
 */
#ifndef HOGA_BOOK_LADDER_H
#define HOGA_BOOK_LADDER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/units.h"

enum {
    LADDER_KEY_BITS = 24,
    LADDER_BLOCK_BITS = 6,
    LADDER_NODE_BITS = 9,
    LADDER_NODE_FAN = 1 << LADDER_NODE_BITS,
    LADDER_NODE_WORDS = LADDER_NODE_FAN / 64,
    LADDER_NEAR_SHIFT = 23,
    LADDER_NEAR_MASK = (1 << LADDER_NEAR_SHIFT) - 1,
};
#define LADDER_KEY_MAX ((UINT32_C(1) << LADDER_KEY_BITS) - 1)
#define LADDER_NO_KEY  UINT32_MAX /* of the best level where there is none: behind every key */

/* Orders of one price, oldest first. */
struct price_level {
    uint32_t head; /* slots */
    uint32_t tail;
    uint32_t count;
    uint32_t pad;
    qty_t leaves_qty; /* of all its orders */
    qty_t hidden_qty; /* of these, what icebergs do not show */
};

struct price_block {
    uint64_t bitmap; /* bit i: level i has orders */
    uint32_t high;   /* its keys without the lowest 6 bits; LADDER_NO_KEY: free, or nobody */
    uint32_t parent; /* node; of a free block the next free one */
};

struct ladder_node {
    uint64_t bitmap[LADDER_NODE_WORDS];
    uint32_t
        child[LADDER_NODE_FAN]; /* of the root nodes, of nodes blocks; [0] of a free one: next */
    uint32_t count;             /* children */
    uint32_t pad[15];
};

/* One side of a book; a quarter of a cache line, so that a book's four share one. */
struct ladder {
    uint32_t root;     /* node; 0 while it never had a level */
    uint32_t best_at;  /* level with the lowest key; 0: none */
    uint32_t best_key; /* LADDER_NO_KEY: none */
    uint32_t near; /* node used last | its 9 bits of the key << 23: the next is probably there */
};

struct ladder_counts {
    uint32_t block_free; /* first free block that was used before */
    uint32_t block_fresh;
    uint32_t blocks; /* in use */
    uint32_t node_free;
    uint32_t node_fresh;
    uint32_t nodes; /* in use, roots included */
};

struct ladder_pool {
    struct price_level *levels;   /* by at; block 0 is nobody */
    struct price_block *blocks;   /* 0 is nobody */
    struct ladder_node *nodes;    /* 0 is nobody */
    struct ladder_counts *counts; /* in the arena */
    uint32_t block_max;
    uint32_t node_max;
};

/* Nodes that a pool of so many blocks for so many instruments has, node 0 apart. */
static inline uint32_t ladder_node_count(uint32_t blocks, uint32_t instruments)
{
    return 8 * instruments + blocks / 8 + 8;
}

void ladder_pool_init(struct ladder_pool *self, struct arena *arena, uint32_t blocks,
                      uint32_t instruments);

/* Whether any one level could be made, the ladder's first included. */
static inline bool ladder_has_room(const struct ladder_pool *self)
{
    const struct ladder_counts *c = self->counts;
    return c->blocks + 1 < self->block_max && c->nodes + 2 < self->node_max;
}

/* Where the level of a key is; 0 when it has no orders. */
uint32_t ladder_find(const struct ladder_pool *self, const struct ladder *ladder, uint32_t key);

/* For prefetching: what ladder_place() will read of the nodes. */
const void *ladder_node_of(const struct ladder_pool *self, const struct ladder *ladder,
                           uint32_t key);

/* For prefetching: where the level of a key is, or will be; 0 when its block is not there. */
uint32_t ladder_place(const struct ladder_pool *self, const struct ladder *ladder, uint32_t key);

static inline uint32_t ladder_key(const struct ladder_pool *self, uint32_t at)
{
    return self->blocks[at >> LADDER_BLOCK_BITS].high << LADDER_BLOCK_BITS |
           (at & ((1u << LADDER_BLOCK_BITS) - 1));
}

/* The level with the lowest key above that of `at`; 0 when there is none. */
uint32_t ladder_next(const struct ladder_pool *self, const struct ladder *ladder, uint32_t at);

/* Between ladder.h and ladder.c: the block of a key, made if it was not there. */
uint32_t ladder_make_block(struct ladder_pool *self, struct ladder *ladder, uint32_t high);

/* Between ladder.h and ladder.c: gives a block without levels back, from which the best may have
 * been taken. */
void ladder_give_block(struct ladder_pool *self, struct ladder *ladder, uint32_t block,
                       bool was_best);

/* The block of a key, made if it was not there. Node 0 leads nowhere, so that a ladder without a
 * near node needs no look of its own. */
static inline uint32_t ladder_block(struct ladder_pool *self, struct ladder *ladder, uint32_t high)
{
    if (ladder->near >> LADDER_NEAR_SHIFT == high >> LADDER_NODE_BITS) {
        const struct ladder_node *node = &self->nodes[ladder->near & LADDER_NEAR_MASK];
        uint32_t block = node->child[high & (LADDER_NODE_FAN - 1)];
        if (__builtin_expect(block != 0, 1)) return block;
    }
    return ladder_make_block(self, ladder, high);
}

/* Where the level of a key is, made if it was not there. There is room. `near_at` is any level of
 * this ladder, perhaps one just left, where the key may be; 0: none. Its counts are the caller's.
 */
static inline uint32_t ladder_make(struct ladder_pool *self, struct ladder *ladder, uint32_t key,
                                   uint32_t near_at)
{
    uint32_t high = key >> LADDER_BLOCK_BITS;
    uint32_t block = near_at >> LADDER_BLOCK_BITS;
    if (near_at == 0 || self->blocks[block].high != high) block = ladder_block(self, ladder, high);
    uint32_t bit = key & ((1u << LADDER_BLOCK_BITS) - 1);
    uint32_t at = block << LADDER_BLOCK_BITS | bit;
    self->blocks[block].bitmap |= UINT64_C(1) << bit;
    if (key < ladder->best_key) {
        ladder->best_key = key;
        ladder->best_at = at;
    }
    return at;
}

/* An order has left a level, and with the last one the level goes, too. */
static inline void ladder_leave(struct ladder_pool *self, struct ladder *ladder, uint32_t at,
                                bool is_empty)
{
    uint32_t block = at >> LADDER_BLOCK_BITS;
    struct price_block *b = &self->blocks[block];
    b->bitmap &= ~((uint64_t)is_empty << (at & ((1u << LADDER_BLOCK_BITS) - 1)));
    bool was_best = ladder->best_at == at;
    if (__builtin_expect(b->bitmap == 0, 0)) {
        ladder_give_block(self, ladder, block, was_best);
    } else if (was_best) { /* the block's next: whatever is lower has no levels */
        uint32_t bit = (uint32_t)__builtin_ctzll(b->bitmap);
        ladder->best_at = block << LADDER_BLOCK_BITS | bit;
        ladder->best_key = b->high << LADDER_BLOCK_BITS | bit;
    }
}

#endif
