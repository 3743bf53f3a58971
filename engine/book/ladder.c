#include "engine/book/ladder.h"

#include "engine/base/check.h"

void ladder_pool_init(struct ladder_pool *self, struct arena *arena, uint32_t max)
{
    uint32_t *counts = arena_cut(arena, 3, sizeof *counts);
    self->max = max;
    self->nodes = arena_cut(arena, max, sizeof *self->nodes);
    if (!counts) return;
    self->free = &counts[0];
    self->fresh = &counts[1];
    self->free_count = &counts[2];
    *self->fresh = 1;
}

bool ladder_pool_has_room(const struct ladder_pool *self)
{
    return *self->free_count + (self->max - *self->fresh) >= LADDER_NODES_A_LEVEL + 1;
}

static uint32_t take_node(struct ladder_pool *self)
{
    uint32_t node = *self->free;
    if (node) {
        *self->free = self->nodes[node].child[0];
        --*self->free_count;
        self->nodes[node].child[0] = 0;
        return node;
    }
    CHECK(*self->fresh < self->max);
    return (*self->fresh)++;
}

static void give_node(struct ladder_pool *self, uint32_t node)
{
    self->nodes[node].child[0] = *self->free;
    *self->free = node;
    ++*self->free_count;
}

static unsigned digit(uint32_t key, int depth)
{
    return key >> (LADDER_BITS * (LADDER_DEPTH - 1 - depth)) & (LADDER_FAN - 1);
}

static bool has(const struct ladder_node *node, unsigned d)
{
    return node->bitmap >> d & 1;
}

uint32_t ladder_find(const struct ladder_pool *self, uint32_t root, uint32_t key)
{
    uint32_t at = root;
    for (int depth = 0; at && depth < LADDER_DEPTH; depth++) {
        const struct ladder_node *node = &self->nodes[at];
        unsigned d = digit(key, depth);
        at = has(node, d) ? node->child[d] : 0;
    }
    return at;
}

void ladder_insert(struct ladder_pool *self, uint32_t *root, uint32_t key, uint32_t level)
{
    if (!*root) *root = take_node(self);
    uint32_t at = *root;
    for (int depth = 0; depth < LADDER_DEPTH - 1; depth++) {
        struct ladder_node *node = &self->nodes[at];
        unsigned d = digit(key, depth);
        if (!has(node, d)) {
            node->child[d] = take_node(self);
            node->bitmap |= UINT64_C(1) << d;
        }
        at = node->child[d];
    }
    struct ladder_node *leaf = &self->nodes[at];
    unsigned d = digit(key, LADDER_DEPTH - 1);
    CHECK(!has(leaf, d));
    leaf->bitmap |= UINT64_C(1) << d;
    leaf->child[d] = level;
}

void ladder_erase(struct ladder_pool *self, uint32_t root, uint32_t key)
{
    uint32_t path[LADDER_DEPTH] = {root};
    for (int depth = 0; depth < LADDER_DEPTH - 1; depth++) {
        CHECK(has(&self->nodes[path[depth]], digit(key, depth)));
        path[depth + 1] = self->nodes[path[depth]].child[digit(key, depth)];
    }
    CHECK(has(&self->nodes[path[LADDER_DEPTH - 1]], digit(key, LADDER_DEPTH - 1)));
    for (int depth = LADDER_DEPTH - 1; depth >= 0; depth--) {
        struct ladder_node *node = &self->nodes[path[depth]];
        unsigned d = digit(key, depth);
        node->bitmap &= ~(UINT64_C(1) << d);
        node->child[d] = 0; /* equal contents give equal state hashes */
        if (node->bitmap || depth == 0) return;
        give_node(self, path[depth]);
    }
}

static uint32_t lowest_below(const struct ladder_pool *self, uint32_t at, int depth)
{
    for (; depth < LADDER_DEPTH; depth++) {
        const struct ladder_node *node = &self->nodes[at];
        at = node->child[__builtin_ctzll(node->bitmap)];
    }
    return at;
}

uint32_t ladder_first(const struct ladder_pool *self, uint32_t root, uint32_t from)
{
    uint32_t path[LADDER_DEPTH];
    if (!root || !self->nodes[root].bitmap || from >> LADDER_KEY_BITS) return 0;
    if (from == 0) return lowest_below(self, root, 0);
    int depth = 0;
    for (uint32_t at = root;; depth++) { /* down the way of `from`, as far as it goes */
        path[depth] = at;
        if (!has(&self->nodes[at], digit(from, depth))) break;
        at = self->nodes[at].child[digit(from, depth)];
        if (depth == LADDER_DEPTH - 1) return at;
    }
    for (; depth >= 0; depth--) { /* up again, to the first place where a higher way branches off */
        const struct ladder_node *node = &self->nodes[path[depth]];
        unsigned d = digit(from, depth);
        uint64_t higher = d == LADDER_FAN - 1 ? 0 : node->bitmap >> (d + 1) << (d + 1);
        if (higher) return lowest_below(self, node->child[__builtin_ctzll(higher)], depth + 1);
    }
    return 0;
}
