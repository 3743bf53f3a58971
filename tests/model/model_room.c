#include <stdlib.h>

#include "tests/model/model_parts.h"

/* ---- order slots ---- */

/* Slot 0 is of no order. */
bool model_orders_full(const struct model *self)
{
    return self->order_count == self->limits.orders - 1;
}

uint32_t model_take_slot(struct model *self)
{
    if (self->free_slot_count) return self->free_slots[--self->free_slot_count];
    return ++self->slots_used;
}

void model_free_slot(struct model *self, order_id_t order_id)
{
    self->free_slots[self->free_slot_count++] = (uint32_t)(order_id & 0xffffff);
}

/* ---- price ladders ----
 *
 * A ladder keys its prices by their ticks, turned round where the highest comes first. A block has
 * 64 neighbouring keys; a node has 512 neighbouring blocks, and each ladder has one more on top. */

enum { KEY_MAX = (1 << 24) - 1, BLOCK_SHIFT = 6, NODE_SHIFT = 15 };

static bool is_on_ladder(const struct model_order *order)
{
    return order->place == PLACE_BOOK || order->place == PLACE_STOPS;
}

static enum model_ladder ladder_of(const struct model_order *order)
{
    if (order->place == PLACE_STOPS) return order->side == SIDE_BUY ? BUY_STOPS : SELL_STOPS;
    return order->side == SIDE_BUY ? BUY_BOOK : SELL_BOOK;
}

static uint32_t key_of(const struct model *self, const struct model_order *order)
{
    enum model_ladder ladder = ladder_of(order);
    px_t px = order->place == PLACE_STOPS ? order->stop_px : order->limit_px;
    uint32_t ticks = model_tick_number(&self->instruments[order->instrument], px);
    return ladder == BUY_BOOK || ladder == SELL_STOPS ? KEY_MAX - ticks : ticks;
}

static bool share(const struct model *self, const struct model_order *a,
                  const struct model_order *b, unsigned shift)
{
    return a->instrument == b->instrument && ladder_of(a) == ladder_of(b) &&
           key_of(self, a) >> shift == key_of(self, b) >> shift;
}

/* How many different pieces of ladders the orders stand on. */
static uint32_t count_pieces(const struct model *self, unsigned shift)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->order_count; i++) {
        if (!is_on_ladder(self->orders[i])) continue;
        bool counted = false;
        for (uint32_t j = 0; j < i && !counted; j++)
            counted = is_on_ladder(self->orders[j]) &&
                      share(self, self->orders[i], self->orders[j], shift);
        count += !counted;
    }
    return count;
}

static uint32_t ladders_used(const struct model *self)
{
    uint32_t count = 0;
    for (instrument_id_t id = 0; id < self->limits.instruments; id++)
        for (unsigned ladder = 0; ladder < LADDERS; ladder++)
            count += self->instruments[id].ladder_used[ladder];
    return count;
}

bool model_book_has_room(const struct model *self)
{
    uint32_t blocks = self->limits.price_blocks - 1;
    uint32_t nodes = 8 * self->limits.instruments + self->limits.price_blocks / 8 + 8;
    return count_pieces(self, BLOCK_SHIFT) + 1 <= blocks &&
           ladders_used(self) + count_pieces(self, NODE_SHIFT) + 2 <= nodes;
}

void model_enter_place(struct model *self, struct model_order *order, enum model_place place)
{
    order->place = place;
    order->arrived = ++self->arrivals;
    struct model_instrument *i = &self->instruments[order->instrument];
    if (is_on_ladder(order)) i->ladder_used[ladder_of(order)] = true;
    if (place != PLACE_BOOK) return;
    i->book_update_id++;
    order->shown_qty =
        order->display_qty < model_leaves(order) ? order->display_qty : model_leaves(order);
}

void model_leave_place(struct model *self, struct model_order *order)
{
    if (order->place == PLACE_BOOK) self->instruments[order->instrument].book_update_id++;
    order->place = PLACE_NONE;
}
