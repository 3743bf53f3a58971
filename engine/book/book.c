#include "engine/book/book.h"

#include "engine/base/paths.h"

static uint32_t slot_at(const struct books *self, const struct book_order *order)
{
    return (uint32_t)(order - self->orders);
}

void books_init(struct books *self, struct arena *arena, const struct limits *limits)
{
    self->order_max = limits->orders;
    self->counts = arena_cut(arena, 1, sizeof *self->counts);
    self->orders = arena_cut(arena, limits->orders, sizeof *self->orders);
    self->more = arena_cut(arena, limits->orders, sizeof *self->more);
    self->ladders =
        arena_cut(arena, (size_t)limits->instruments * LADDER_COUNT, sizeof *self->ladders);
    self->parked = arena_cut(arena, limits->instruments, sizeof *self->parked);
    ladder_pool_init(&self->pool, arena, limits->price_blocks, limits->instruments);
    if (!self->counts) return;
    self->counts->order_fresh = 1;
    for (uint32_t i = 0; i < limits->instruments * LADDER_COUNT; i++)
        self->ladders[i].best_key = LADDER_NO_KEY;
}

/* ---- slots ---- */

order_id_t book_next_id(struct books *self, bool with_slot)
{
    struct book_counts *c = self->counts;
    uint32_t slot = 0;
    if (with_slot) {
        slot = c->order_free;
        if (slot) {
            c->order_free = self->orders[slot].next;
        } else {
            slot = c->order_fresh++;
            CHECK(slot < self->order_max);
        }
        c->orders++;
    }
    return ++c->orders_made << ORDER_SLOT_BITS | slot;
}

void book_free(struct books *self, struct book_order *order)
{
    CHECK(order->place == PLACE_NOWHERE && order->order_id);
    order->order_id = 0;
    order->next = self->counts->order_free;
    self->counts->order_free = slot_at(self, order);
    self->counts->orders--;
}

/* ---- ladders ---- */

static enum book_ladder ladder_of(const struct book_order *order)
{
    enum book_ladder own = book_ladder_for(order->side);
    return order->place == PLACE_STOP ? (enum book_ladder)(own + LADDER_BUY_STOPS) : own;
}

static qty_t show(const struct books *self, const struct book_order *order)
{
    struct order_more *more = book_more(self, order);
    more->shown_qty = more->display_qty < order->leaves_qty ? more->display_qty : order->leaves_qty;
    return more->shown_qty;
}

/* Whether an order is the first or the last of its level is as good as random, and a branch on it
 * is mispredicted half the time: so the place of a link is computed, and then written to. */
static uint32_t *choose(uint32_t slot, uint32_t *of_order, uint32_t *of_level)
{
    __asm__("" : "+r"(of_order)); /* known before the choice: then no compiler makes it a branch */
    return slot ? of_order : of_level;
}

/* What says who stands behind a slot; slot 0: who is first. */
static uint32_t *next_of(const struct books *self, struct price_level *level, uint32_t slot)
{
    return choose(slot, &self->orders[slot].next, &level->head);
}

/* What says who stands before a slot; slot 0: who is last. */
static uint32_t *prev_of(const struct books *self, struct price_level *level, uint32_t slot)
{
    return choose(slot, &self->orders[slot].prev, &level->tail);
}

static void append(struct books *self, struct book_order *order, uint32_t at)
{
    struct price_level *level = &self->pool.levels[at];
    uint32_t slot = slot_at(self, order);
    order->at = at;
    order->prev = level->tail;
    order->next = 0;
    *next_of(self, level, level->tail) = slot;
    level->tail = slot;
    level->count++;
    level->leaves_qty += order->leaves_qty;
    if (__builtin_expect(order->iceberg, 0))
        level->hidden_qty += order->leaves_qty - show(self, order);
}

void book_rest(struct books *self, struct book_order *order, enum book_ladder which, uint32_t ticks,
               uint32_t near_at)
{
    CHECK(order->place == PLACE_NOWHERE && order->leaves_qty > 0);
    struct ladder *ladder = book_ladder(self, order->instrument, which);
    order->place = (uint8_t)(PLACE_BOOK + (which >= LADDER_BUY_STOPS));
    append(self, order, ladder_make(&self->pool, ladder, book_key(which, ticks), near_at));
}

/* Out of its level's list; the level may be empty then. */
static void unlink_order(struct books *self, struct book_order *order, struct price_level *level)
{
    *next_of(self, level, order->prev) = order->next;
    *prev_of(self, level, order->next) = order->prev;
    level->count--;
    level->leaves_qty -= order->leaves_qty;
    if (__builtin_expect(order->iceberg, 0))
        level->hidden_qty -= order->leaves_qty - book_more(self, order)->shown_qty;
}

static void unpark(struct books *self, struct book_order *order)
{
    struct parked_list *list = &self->parked[order->instrument];
    if (order->prev)
        self->orders[order->prev].next = order->next;
    else
        list->head = order->next;
    if (order->next)
        self->orders[order->next].prev = order->prev;
    else
        list->tail = order->prev;
}

static void leave(struct books *self, struct book_order *order, struct ladder *ladder)
{
    struct price_level *level = &self->pool.levels[order->at];
    unlink_order(self, order, level);
    ladder_leave(&self->pool, ladder, order->at, level->count == 0);
}

SIDE_PATH static void remove_waiting(struct books *self, struct book_order *order)
{
    CHECK(order->place == PLACE_STOP || order->place == PLACE_PARKED);
    if (order->place == PLACE_STOP)
        leave(self, order, book_ladder(self, order->instrument, ladder_of(order)));
    else
        unpark(self, order);
    order->place = PLACE_NOWHERE;
}

void book_remove(struct books *self, struct book_order *order)
{
    if (__builtin_expect(order->place != PLACE_BOOK, 0)) {
        remove_waiting(self, order);
        return;
    }
    leave(self, order, book_own(self, order->instrument, order->side));
    order->place = PLACE_NOWHERE;
}

void book_reduce(struct books *self, struct book_order *order, qty_t qty)
{
    CHECK(order->place == PLACE_BOOK || order->place == PLACE_STOP);
    CHECK(qty > 0 && qty < order->leaves_qty);
    struct price_level *level = &self->pool.levels[order->at];
    level->leaves_qty -= qty;
    order->leaves_qty -= qty;
    if (__builtin_expect(!order->iceberg, 1)) return;
    struct order_more *more = book_more(self, order);
    qty_t shown = more->shown_qty < order->leaves_qty ? more->shown_qty : order->leaves_qty;
    level->hidden_qty += (more->shown_qty - shown) - qty;
    more->shown_qty = shown;
}

qty_t book_fill(struct books *self, struct book_order *order, qty_t qty, bool keeps_place)
{
    CHECK(order->place == PLACE_BOOK && qty > 0 && qty <= order->leaves_qty);
    struct price_level *level = &self->pool.levels[order->at];
    if (__builtin_expect(order->iceberg, 0)) {
        struct order_more *more = book_more(self, order);
        qty_t hidden = order->leaves_qty - more->shown_qty;
        level->leaves_qty -= qty;
        order->leaves_qty -= qty;
        level->hidden_qty -= hidden;
        if (keeps_place) {
            level->hidden_qty += order->leaves_qty - show(self, order);
        } else {
            more->shown_qty -= qty;
            level->hidden_qty += hidden;
        }
        if (order->leaves_qty && more->shown_qty == 0) {
            unlink_order(self, order, level);
            append(self, order, order->at);
        }
    } else {
        level->leaves_qty -= qty;
        order->leaves_qty -= qty;
    }
    if (order->leaves_qty == 0) book_remove(self, order);
    return order->leaves_qty;
}

void book_park(struct books *self, struct book_order *order)
{
    CHECK(order->place == PLACE_NOWHERE);
    struct parked_list *list = &self->parked[order->instrument];
    uint32_t slot = slot_at(self, order);
    order->place = PLACE_PARKED;
    order->prev = list->tail;
    order->next = 0;
    if (list->tail)
        self->orders[list->tail].next = slot;
    else
        list->head = slot;
    list->tail = slot;
}

struct book_order *book_next(const struct books *self, const struct ladder *ladder,
                             const struct book_order *order)
{
    if (order->next) return &self->orders[order->next];
    uint32_t at = ladder_next(&self->pool, ladder, order->at);
    return at ? &self->orders[self->pool.levels[at].head] : NULL;
}

/* ---- the checker ---- */

static bool has_bit(const struct ladder_node *node, uint32_t i)
{
    return node->bitmap[i / 64] >> (i % 64) & 1;
}

static uint32_t validate_level(const struct books *self, uint32_t at, uint32_t instrument,
                               enum book_ladder which)
{
    const struct price_level *level = &self->pool.levels[at];
    qty_t leaves = 0, hidden = 0;
    uint32_t count = 0, prev = 0;
    for (uint32_t slot = level->head; slot; slot = self->orders[slot].next) {
        const struct book_order *order = &self->orders[slot];
        CHECK(slot_of(order->order_id) == slot && order->prev == prev && order->at == at);
        CHECK(order->instrument == instrument && ladder_of(order) == which);
        CHECK(order->place == (which <= LADDER_ASKS ? PLACE_BOOK : PLACE_STOP));
        CHECK(order->leaves_qty > 0 && order->leaves_qty <= order->order_qty);
        leaves += order->leaves_qty;
        if (order->iceberg) {
            qty_t shown = self->more[slot].shown_qty;
            CHECK(shown > 0 && shown <= order->leaves_qty);
            CHECK(shown <= self->more[slot].display_qty);
            hidden += order->leaves_qty - shown;
        }
        CHECK(!prev || order->limit_px == self->orders[prev].limit_px ||
              order->place == PLACE_STOP);
        count++;
        prev = slot;
    }
    CHECK(level->tail == prev && level->leaves_qty == leaves && level->hidden_qty == hidden);
    CHECK(level->count == count && count > 0);
    return count;
}

static void validate_no_level(const struct price_level *level)
{
    CHECK(level->count == 0 && level->head == 0 && level->tail == 0);
    CHECK(level->leaves_qty == 0 && level->hidden_qty == 0);
}

/* Every block under a node, so that no bit is set without a level and none is missing. */
static uint32_t validate_node(const struct books *self, uint32_t node, uint32_t nine,
                              uint32_t instrument, enum book_ladder which)
{
    const struct ladder_pool *pool = &self->pool;
    const struct ladder_node *n = &pool->nodes[node];
    uint32_t orders = 0, children = 0;
    for (uint32_t i = 0; i < LADDER_NODE_FAN; i++) {
        CHECK(has_bit(n, i) == (n->child[i] != 0));
        if (!n->child[i]) continue;
        children++;
        const struct price_block *b = &pool->blocks[n->child[i]];
        CHECK(b->bitmap && b->parent == node && b->high == (nine << LADDER_NODE_BITS | i));
        for (uint32_t bit = 0; bit < 64; bit++) {
            uint32_t at = n->child[i] << LADDER_BLOCK_BITS | bit;
            if (b->bitmap >> bit & 1)
                orders += validate_level(self, at, instrument, which);
            else
                validate_no_level(&pool->levels[at]);
        }
    }
    CHECK(children == n->count && children > 0);
    return orders;
}

static uint32_t validate_ladder(const struct books *self, uint32_t instrument,
                                enum book_ladder which)
{
    const struct ladder *l = book_ladder(self, instrument, which);
    const struct ladder_pool *pool = &self->pool;
    if (!l->root) {
        CHECK(l->best_at == 0 && l->best_key == LADDER_NO_KEY && l->near == 0);
        return 0;
    }
    uint32_t orders = 0, walked = 0, levels = 0, first = l->best_at;
    for (uint32_t nine = 0; nine < LADDER_NODE_FAN; nine++) {
        uint32_t node = pool->nodes[l->root].child[nine];
        CHECK(has_bit(&pool->nodes[l->root], nine) == (node != 0));
        if (node) orders += validate_node(self, node, nine, instrument, which);
    }
    CHECK(l->best_key == (first ? ladder_key(pool, first) : LADDER_NO_KEY));
    uint32_t key = 0;
    for (uint32_t at = first; at; at = ladder_next(pool, l, at)) {
        CHECK(levels == 0 || ladder_key(pool, at) > key); /* ascending: the best is first */
        key = ladder_key(pool, at);
        CHECK(ladder_find(pool, l, key) == at);
        walked += pool->levels[at].count;
        levels++;
    }
    CHECK(walked == orders); /* nothing lies before the best, nothing is left out */
    return orders;
}

uint32_t book_validate(const struct books *self, uint32_t instrument)
{
    uint32_t orders = 0, prev = 0;
    for (int which = 0; which < LADDER_COUNT; which++)
        orders += validate_ladder(self, instrument, (enum book_ladder)which);
    const struct parked_list *list = &self->parked[instrument];
    for (uint32_t slot = list->head; slot; slot = self->orders[slot].next) {
        const struct book_order *order = &self->orders[slot];
        CHECK(slot_of(order->order_id) == slot && order->prev == prev);
        CHECK(order->place == PLACE_PARKED && order->instrument == instrument);
        prev = slot;
        orders++;
    }
    CHECK(list->tail == prev);
    return orders;
}

static void validate_pool(const struct ladder_pool *pool)
{
    const struct ladder_counts *c = pool->counts;
    uint32_t free_blocks = 0, free_nodes = 0;
    CHECK(pool->blocks[0].bitmap == 0 && pool->blocks[0].high == LADDER_NO_KEY);
    CHECK(pool->nodes[0].count == 0);
    for (uint32_t b = c->block_free; b; b = pool->blocks[b].parent) {
        CHECK(pool->blocks[b].bitmap == 0 && pool->blocks[b].high == LADDER_NO_KEY);
        CHECK(++free_blocks < pool->block_max);
    }
    for (uint32_t n = c->node_free; n; n = pool->nodes[n].child[0]) {
        CHECK(pool->nodes[n].count == 0 && ++free_nodes < pool->node_max);
    }
    CHECK(c->blocks + free_blocks == c->block_fresh - 1);
    CHECK(c->nodes + free_nodes == c->node_fresh - 1);
}

void books_validate_slots(const struct books *self, uint32_t orders)
{
    const struct book_counts *c = self->counts;
    uint32_t free_orders = 0;
    for (uint32_t slot = c->order_free; slot; slot = self->orders[slot].next) {
        CHECK(self->orders[slot].order_id == 0);
        CHECK(++free_orders < self->order_max);
    }
    CHECK(c->orders == orders && orders + free_orders == c->order_fresh - 1);
    validate_pool(&self->pool);
}
