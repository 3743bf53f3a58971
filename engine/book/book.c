#include "engine/book/book.h"

#include <string.h>

#include "engine/base/check.h"

enum { KEY_MAX = (1 << LADDER_KEY_BITS) - 1 };

#define SLOT_OF(order_id) ((uint32_t)((order_id) & ((UINT64_C(1) << ORDER_SLOT_BITS) - 1)))

void books_init(struct books *self, struct arena *arena, const struct limits *limits)
{
    self->order_max = limits->orders + 1; /* slot 0 is nobody */
    self->level_max = limits->levels + 1;
    self->counts = arena_cut(arena, 1, sizeof *self->counts);
    self->sides = arena_cut(arena, limits->instruments, sizeof *self->sides);
    self->orders = arena_cut(arena, self->order_max, sizeof *self->orders);
    self->levels = arena_cut(arena, self->level_max, sizeof *self->levels);
    /* a node a level serves all but prices scattered over millions of ticks; those who run out
     * are told BOOK_FULL */
    ladder_pool_init(&self->pool, arena,
                     limits->levels + 2 * limits->instruments + LADDER_NODES_A_LEVEL + 2);
    if (self->counts) self->counts->order_fresh = self->counts->level_fresh = 1;
}

static struct book_side *side_of(const struct books *self, instrument_id_t instrument, uint8_t side)
{
    return &self->sides[instrument][side - SIDE_BUY];
}

static uint32_t key_of(uint8_t side, px_t px, px_t tick_px)
{
    uint32_t ticks = (uint32_t)(px / tick_px);
    return side == SIDE_BUY ? KEY_MAX - ticks : ticks;
}

/* ---- slots ---- */

bool book_has_order_room(const struct books *self)
{
    return self->counts->order_free || self->counts->order_fresh < self->order_max;
}

bool book_has_level_room(const struct books *self)
{
    return (self->counts->level_free || self->counts->level_fresh < self->level_max) &&
           ladder_pool_has_room(&self->pool);
}

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
    }
    return ++c->orders_made << ORDER_SLOT_BITS | slot;
}

static void free_slot(struct books *self, uint32_t slot)
{
    struct book_order *order = &self->orders[slot];
    memset(order, 0, sizeof *order);
    order->next = self->counts->order_free;
    self->counts->order_free = slot;
}

void book_forget(struct books *self, order_id_t order_id)
{
    free_slot(self, SLOT_OF(order_id));
}

struct book_order *book_find(const struct books *self, order_id_t order_id)
{
    uint32_t slot = SLOT_OF(order_id);
    if (slot == 0 || slot >= self->order_max) return NULL;
    struct book_order *order = &self->orders[slot];
    return order->order_id == order_id ? order : NULL;
}

static uint32_t take_level(struct books *self)
{
    struct book_counts *c = self->counts;
    uint32_t level = c->level_free;
    if (level) {
        c->level_free = self->levels[level].head;
    } else {
        level = c->level_fresh++;
        CHECK(level < self->level_max);
    }
    c->levels++;
    return level;
}

static void give_level(struct books *self, uint32_t level)
{
    memset(&self->levels[level], 0, sizeof self->levels[level]);
    self->levels[level].head = self->counts->level_free;
    self->counts->level_free = level;
    self->counts->levels--;
}

/* ---- orders in their places ---- */

struct book_order *book_best(const struct books *self, instrument_id_t instrument, uint8_t side)
{
    uint32_t best = side_of(self, instrument, side)->best;
    return best ? &self->orders[self->levels[best].head] : NULL;
}

static uint32_t make_level(struct books *self, struct book_side *side, px_t px, uint32_t key)
{
    uint32_t level = take_level(self);
    self->levels[level] = (struct book_level){.px = px, .key = key};
    ladder_insert(&self->pool, &side->root, key, level);
    if (!side->best || key < self->levels[side->best].key) side->best = level;
    return level;
}

void book_rest(struct books *self, const struct book_order *order, px_t tick_px)
{
    struct book_side *side = side_of(self, order->instrument, (uint8_t)order->side);
    uint32_t slot = SLOT_OF(order->order_id);
    uint32_t key = key_of((uint8_t)order->side, order->limit_px, tick_px);
    uint32_t at = ladder_find(&self->pool, side->root, key);
    if (!at) at = make_level(self, side, order->limit_px, key);

    struct book_level *level = &self->levels[at];
    struct book_order *placed = &self->orders[slot];
    *placed = *order;
    placed->level = at;
    placed->prev = level->tail;
    placed->next = 0;
    if (level->tail)
        self->orders[level->tail].next = slot;
    else
        level->head = slot;
    level->tail = slot;
    level->qty += order->leaves_qty;
    level->count++;
    self->counts->orders++;
}

static void unlink_order(struct books *self, struct book_order *order)
{
    struct book_level *level = &self->levels[order->level];
    if (order->prev)
        self->orders[order->prev].next = order->next;
    else
        level->head = order->next;
    if (order->next)
        self->orders[order->next].prev = order->prev;
    else
        level->tail = order->prev;
    self->counts->orders--;
    if (--level->count) return;

    CHECK(level->qty == 0);
    struct book_side *side = side_of(self, order->instrument, (uint8_t)order->side);
    ladder_erase(&self->pool, side->root, level->key);
    if (side->best == order->level) side->best = ladder_first(&self->pool, side->root, level->key);
    give_level(self, order->level);
}

void book_take(struct books *self, struct book_order *order, qty_t qty)
{
    CHECK(qty > 0 && qty <= order->leaves_qty);
    order->leaves_qty -= qty;
    self->levels[order->level].qty -= qty;
    if (order->leaves_qty) return;
    unlink_order(self, order);
    free_slot(self, SLOT_OF(order->order_id));
}

/* ---- questions ---- */

const struct book_level *book_level_best(const struct books *self, instrument_id_t instrument,
                                         uint8_t side)
{
    uint32_t level = side_of(self, instrument, side)->best;
    return level ? &self->levels[level] : NULL;
}

const struct book_level *book_level_after(const struct books *self, instrument_id_t instrument,
                                          uint8_t side, const struct book_level *level)
{
    const struct book_side *s = side_of(self, instrument, side);
    uint32_t next = ladder_first(&self->pool, s->root, level->key + 1);
    return next ? &self->levels[next] : NULL;
}

const struct book_level *book_level_at(const struct books *self, instrument_id_t instrument,
                                       uint8_t side, px_t px, px_t tick_px)
{
    if (px <= 0 || px % tick_px || px / tick_px > KEY_MAX) return NULL;
    uint32_t level =
        ladder_find(&self->pool, side_of(self, instrument, side)->root, key_of(side, px, tick_px));
    return level ? &self->levels[level] : NULL;
}

/* ---- the checker ---- */

static uint32_t validate_level(const struct books *self, uint32_t at, instrument_id_t instrument,
                               uint8_t side)
{
    const struct book_level *level = &self->levels[at];
    qty_t qty = 0;
    uint32_t count = 0, prev = 0;
    for (uint32_t slot = level->head; slot; slot = self->orders[slot].next) {
        const struct book_order *order = &self->orders[slot];
        CHECK(SLOT_OF(order->order_id) == slot && order->prev == prev && order->level == at);
        CHECK(order->instrument == instrument && order->side == side);
        CHECK(order->limit_px == level->px && order->leaves_qty > 0);
        CHECK(order->leaves_qty <= order->order_qty);
        CHECK(!prev || order->order_id > self->orders[prev].order_id); /* oldest first */
        qty += order->leaves_qty;
        count++;
        prev = slot;
    }
    CHECK(level->tail == prev && level->qty == qty && level->count == count && count > 0);
    return count;
}

uint32_t book_validate(const struct books *self, instrument_id_t instrument, px_t tick_px)
{
    uint32_t orders = 0;
    for (uint8_t side = SIDE_BUY; side <= SIDE_SELL; side++) {
        const struct book_side *s = side_of(self, instrument, side);
        uint32_t at = ladder_first(&self->pool, s->root, 0);
        CHECK(at == s->best);
        while (at) {
            const struct book_level *level = &self->levels[at];
            CHECK(level->key == key_of(side, level->px, tick_px));
            CHECK(ladder_find(&self->pool, s->root, level->key) == at);
            orders += validate_level(self, at, instrument, side);
            at = ladder_first(&self->pool, s->root, level->key + 1);
        }
    }
    const struct book_order *bid = book_best(self, instrument, SIDE_BUY);
    const struct book_order *ask = book_best(self, instrument, SIDE_SELL);
    CHECK(!bid || !ask || bid->limit_px < ask->limit_px);
    return orders;
}

void books_validate_slots(const struct books *self, uint32_t orders)
{
    const struct book_counts *c = self->counts;
    uint32_t free_orders = 0, free_levels = 0;
    for (uint32_t slot = c->order_free; slot; slot = self->orders[slot].next) {
        CHECK(self->orders[slot].order_id == 0);
        CHECK(++free_orders < self->order_max);
    }
    for (uint32_t level = c->level_free; level; level = self->levels[level].head)
        CHECK(++free_levels < self->level_max);
    CHECK(c->orders == orders && orders + free_orders == c->order_fresh - 1);
    CHECK(c->levels + free_levels == c->level_fresh - 1);
}
