#include <stdio.h>
#include <stdlib.h>

#include "tests/model/model_parts.h"

static void must(bool holds, const char *what, uint64_t id)
{
    if (holds) return;
    fprintf(stderr, "the model contradicts itself: %s (%llu)\n", what, (unsigned long long)id);
    abort();
}

static void check_orders(const struct model *self)
{
    for (uint32_t i = 0; i < self->order_count; i++) {
        const struct model_order *order = self->orders[i];
        must(order->place != PLACE_NONE, "an open order is nowhere", order->order_id);
        must(order->cum_qty >= 0 && model_leaves(order) > 0, "an order's leaves", order->order_id);
        must(i == 0 || self->orders[i - 1]->order_id < order->order_id, "the order of acceptance",
             order->order_id);
        must(model_shown(order) > 0 || order->place != PLACE_BOOK, "an order shows nothing",
             order->order_id);
        must(model_shown(order) <= model_leaves(order), "an order shows too much", order->order_id);
    }
}

static void check_books(const struct model *self)
{
    for (instrument_id_t id = 0; id < self->limits.instruments; id++) {
        if (self->instruments[id].session != SESSION_CONTINUOUS) continue;
        const struct model_order *bid = model_first(self, id, PLACE_BOOK, SIDE_BUY);
        const struct model_order *ask = model_first(self, id, PLACE_BOOK, SIDE_SELL);
        must(!bid || !ask || bid->limit_px < ask->limit_px, "a crossed book", id);
    }
}

/* What is held is there, and what is nobody's goes nowhere. */
static void check_money(const struct model *self)
{
    for (account_id_t id = 1; id < self->limits.accounts; id++)
        for (uint32_t currency = 0; currency < CURRENCY_COUNT; currency++)
            must(model_available_cash(self, id, currency) >= 0, "cash below zero", id);
    for (uint32_t currency = 0; currency < CURRENCY_COUNT; currency++) {
        __int128 sum = 0;
        for (account_id_t id = 0; id < self->limits.accounts; id++)
            sum += self->accounts[id].cash[currency];
        must(sum == self->paid_in_cash[currency], "the sum of a currency", currency);
    }
    for (instrument_id_t id = 0; id < self->limits.instruments; id++) {
        __int128 sum = self->instruments[id].house_qty;
        for (uint32_t i = 0; i < self->position_count; i++)
            if (self->positions[i].instrument == id) sum += self->positions[i].qty;
        must(sum == self->instruments[id].paid_in_qty, "the sum of an instrument's shares", id);
    }
}

void model_validate(const struct model *self)
{
    check_orders(self);
    check_books(self);
    check_money(self);
    must(self->slots_used == self->order_count + self->free_slot_count, "slots", self->slots_used);
}
