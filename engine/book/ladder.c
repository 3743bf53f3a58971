#include "engine/book/ladder.h"

#include "engine/base/check.h"

enum { NODE_MASK = LADDER_NODE_FAN - 1 };

void ladder_pool_init(struct ladder_pool *self, struct arena *arena, uint32_t blocks,
                      uint32_t instruments)
{
    self->block_max = blocks;
    self->node_max = ladder_node_count(blocks, instruments) + 1;
    self->counts = arena_cut(arena, 1, sizeof *self->counts);
    self->levels = arena_cut(arena, (size_t)blocks << LADDER_BLOCK_BITS, sizeof *self->levels);
    self->blocks = arena_cut(arena, blocks, sizeof *self->blocks);
    self->nodes = arena_cut(arena, self->node_max, sizeof *self->nodes);
    if (!self->counts) return;
    self->counts->block_fresh = 1;
    self->counts->node_fresh = 1;
    self->blocks[0].high = LADDER_NO_KEY;
}

/* ---- nodes ---- */

static uint32_t take_node(struct ladder_pool *self)
{
    struct ladder_counts *c = self->counts;
    uint32_t node = c->node_free;
    if (node) {
        c->node_free = self->nodes[node].child[0];
        self->nodes[node].child[0] = 0;
    } else {
        node = c->node_fresh++;
        CHECK(node < self->node_max);
    }
    c->nodes++;
    return node;
}

static void give_node(struct ladder_pool *self, uint32_t node)
{
    self->nodes[node].child[0] = self->counts->node_free;
    self->counts->node_free = node;
    self->counts->nodes--;
}

static void add_child(struct ladder_node *node, uint32_t i, uint32_t child)
{
    node->bitmap[i / 64] |= UINT64_C(1) << (i % 64);
    node->child[i] = child;
    node->count++;
}

static void remove_child(struct ladder_node *node, uint32_t i)
{
    node->bitmap[i / 64] &= ~(UINT64_C(1) << (i % 64));
    node->child[i] = 0; /* equal contents give equal state hashes */
    node->count--;
}

/* The first child at or behind `from`; LADDER_NODE_FAN when there is none. */
static uint32_t child_from(const struct ladder_node *node, uint32_t from)
{
    if (from >= LADDER_NODE_FAN) return LADDER_NODE_FAN;
    uint32_t word = from / 64;
    uint64_t bits = node->bitmap[word] >> (from % 64) << (from % 64);
    while (!bits) {
        if (++word == LADDER_NODE_WORDS) return LADDER_NODE_FAN;
        bits = node->bitmap[word];
    }
    return word * 64 + (uint32_t)__builtin_ctzll(bits);
}

/* ---- the way down ---- */

/* The node that leads to a key's block; 0 when there is none. */
static uint32_t find_node(const struct ladder_pool *self, const struct ladder *ladder,
                          uint32_t high)
{
    uint32_t nine = high >> LADDER_NODE_BITS;
    uint32_t node = ladder->near & LADDER_NEAR_MASK;
    if (node && ladder->near >> LADDER_NEAR_SHIFT == nine) return node;
    if (!ladder->root) return 0;
    return self->nodes[ladder->root].child[nine];
}

const void *ladder_node_of(const struct ladder_pool *self, const struct ladder *ladder,
                           uint32_t key)
{
    uint32_t high = key >> LADDER_BLOCK_BITS;
    uint32_t nine = high >> LADDER_NODE_BITS;
    uint32_t node = ladder->near & LADDER_NEAR_MASK;
    bool is_near = node && ladder->near >> LADDER_NEAR_SHIFT == nine;
    return is_near ? &self->nodes[node].child[high & NODE_MASK]
                   : &self->nodes[ladder->root].child[nine];
}

uint32_t ladder_place(const struct ladder_pool *self, const struct ladder *ladder, uint32_t key)
{
    uint32_t high = key >> LADDER_BLOCK_BITS;
    uint32_t node = find_node(self, ladder, high);
    uint32_t block = node ? self->nodes[node].child[high & NODE_MASK] : 0;
    uint32_t bit = key & ((1u << LADDER_BLOCK_BITS) - 1);
    return block ? block << LADDER_BLOCK_BITS | bit : 0;
}

uint32_t ladder_find(const struct ladder_pool *self, const struct ladder *ladder, uint32_t key)
{
    uint32_t at = ladder_place(self, ladder, key);
    uint64_t bitmap = self->blocks[at >> LADDER_BLOCK_BITS].bitmap; /* block 0 has no levels */
    return bitmap >> (at & ((1u << LADDER_BLOCK_BITS) - 1)) & 1 ? at : 0;
}

static uint32_t make_node(struct ladder_pool *self, struct ladder *ladder, uint32_t nine)
{
    if (!ladder->root) ladder->root = take_node(self);
    uint32_t node = self->nodes[ladder->root].child[nine];
    if (!node) {
        node = take_node(self);
        add_child(&self->nodes[ladder->root], nine, node);
    }
    ladder->near = node | nine << LADDER_NEAR_SHIFT;
    return node;
}

static uint32_t take_block(struct ladder_pool *self)
{
    struct ladder_counts *c = self->counts;
    uint32_t block = c->block_free;
    if (block) {
        c->block_free = self->blocks[block].parent;
    } else {
        block = c->block_fresh++;
        CHECK(block < self->block_max);
    }
    c->blocks++;
    return block;
}

uint32_t ladder_make_block(struct ladder_pool *self, struct ladder *ladder, uint32_t high)
{
    uint32_t node = make_node(self, ladder, high >> LADDER_NODE_BITS);
    uint32_t block = self->nodes[node].child[high & NODE_MASK];
    if (block) return block;
    block = take_block(self);
    self->blocks[block].high = high;
    self->blocks[block].parent = node;
    add_child(&self->nodes[node], high & NODE_MASK, block);
    return block;
}

/* ---- the way along ---- */

/* The first level of the blocks behind one that `node` leads or led to. */
static uint32_t level_behind(const struct ladder_pool *self, const struct ladder *ladder,
                             uint32_t node, uint32_t high)
{
    uint32_t i = child_from(&self->nodes[node], (high & NODE_MASK) + 1);
    if (i == LADDER_NODE_FAN) {
        const struct ladder_node *root = &self->nodes[ladder->root];
        uint32_t nine = child_from(root, (high >> LADDER_NODE_BITS) + 1);
        if (nine == LADDER_NODE_FAN) return 0;
        node = root->child[nine];
        i = child_from(&self->nodes[node], 0);
    }
    uint32_t block = self->nodes[node].child[i];
    return block << LADDER_BLOCK_BITS | (uint32_t)__builtin_ctzll(self->blocks[block].bitmap);
}

uint32_t ladder_next(const struct ladder_pool *self, const struct ladder *ladder, uint32_t at)
{
    uint32_t block = at >> LADDER_BLOCK_BITS;
    const struct price_block *b = &self->blocks[block];
    uint32_t bit = at & ((1u << LADDER_BLOCK_BITS) - 1);
    uint64_t higher = bit == 63 ? 0 : b->bitmap >> (bit + 1) << (bit + 1);
    if (higher) return block << LADDER_BLOCK_BITS | (uint32_t)__builtin_ctzll(higher);
    return level_behind(self, ladder, b->parent, b->high);
}

void ladder_give_block(struct ladder_pool *self, struct ladder *ladder, uint32_t block,
                       bool was_best)
{
    struct price_block *b = &self->blocks[block];
    uint32_t node = b->parent, high = b->high;
    if (was_best) {
        ladder->best_at = level_behind(self, ladder, node, high);
        ladder->best_key = ladder->best_at ? ladder_key(self, ladder->best_at) : LADDER_NO_KEY;
    }
    remove_child(&self->nodes[node], high & NODE_MASK);
    b->high = LADDER_NO_KEY;
    b->parent = self->counts->block_free;
    self->counts->block_free = block;
    self->counts->blocks--;
    if (self->nodes[node].count) return;
    uint32_t nine = high >> LADDER_NODE_BITS;
    remove_child(&self->nodes[ladder->root], nine);
    if ((ladder->near & LADDER_NEAR_MASK) == node) ladder->near = 0;
    give_node(self, node);
}
