#include <stdlib.h>

#include "tests/model/model_parts.h"

/* Every tick is tried while the range of prices is as small. */
enum { TICKS_TRIED_MAX = 3000 };

/* A price, and what would buy and sell at it. */
struct candidate {
    px_t px;
    __int128 buy, sell;
};

struct candidates {
    struct candidate *list;
    uint32_t count;
};

/* ---- which prices ---- */

static bool is_booked(const struct model_order *order, instrument_id_t instrument)
{
    return order->instrument == instrument && order->place == PLACE_BOOK;
}

static void add_candidate(const struct model *self, instrument_id_t instrument,
                          struct candidates *all, px_t px)
{
    struct candidate c = {.px = px};
    if (!model_is_price(&self->instruments[instrument], px)) return;
    for (uint32_t i = 0; i < self->order_count; i++) {
        const struct model_order *order = self->orders[i];
        if (!is_booked(order, instrument)) continue;
        if (order->side == SIDE_BUY && order->limit_px >= px) c.buy += model_leaves(order);
        if (order->side == SIDE_SELL && order->limit_px <= px) c.sell += model_leaves(order);
    }
    all->list[all->count++] = c;
}

/* The tick itself and those beside it. */
static void add_around(const struct model *self, instrument_id_t instrument, struct candidates *all,
                       px_t px)
{
    const struct model_instrument *i = &self->instruments[instrument];
    px_t at = model_round_down(i, px);
    if (at > 0) add_candidate(self, instrument, all, model_round_down(i, at - 1));
    add_candidate(self, instrument, all, at);
    add_candidate(self, instrument, all, at + model_tick_at(i, at));
}

/* Where the auction's price should be near; 0: nowhere. */
static px_t reference_of(const struct model_instrument *instrument)
{
    return instrument->last_px > 0 ? instrument->last_px : instrument->reference_px;
}

/* Between two orders' prices nothing changes from tick to tick, so that the best price is beside
 * an order's price or the reference, when there are too many to try all. */
static void add_near(const struct model *self, instrument_id_t instrument, struct candidates *all,
                     px_t low_px, px_t high_px)
{
    px_t near = reference_of(&self->instruments[instrument]);
    if (near < low_px) near = low_px;
    if (near > high_px) near = high_px;
    add_around(self, instrument, all, near);
    for (uint32_t i = 0; i < self->order_count; i++)
        if (is_booked(self->orders[i], instrument))
            add_around(self, instrument, all, self->orders[i]->limit_px);
}

/* All prices at which something would trade, or at least all that can be the best. */
static struct candidates find_candidates(const struct model *self, instrument_id_t instrument)
{
    const struct model_instrument *i = &self->instruments[instrument];
    const struct model_order *bid = model_first(self, instrument, PLACE_BOOK, SIDE_BUY);
    const struct model_order *ask = model_first(self, instrument, PLACE_BOOK, SIDE_SELL);
    struct candidates all = {
        .list = calloc(TICKS_TRIED_MAX + 3 * (self->order_count + 1), sizeof *all.list)};
    if (!all.list) abort();
    if (!bid || !ask || bid->limit_px < ask->limit_px) return all;
    px_t low_px = ask->limit_px, high_px = bid->limit_px;
    if (model_tick_number(i, high_px) - model_tick_number(i, low_px) >= TICKS_TRIED_MAX)
        add_near(self, instrument, &all, low_px, high_px);
    else
        for (px_t px = low_px; px <= high_px; px += model_tick_at(i, px))
            add_candidate(self, instrument, &all, px);
    return all;
}

/* ---- which of them ---- */

static __int128 traded(const struct candidate *c)
{
    return c->buy < c->sell ? c->buy : c->sell;
}

static __int128 surplus(const struct candidate *c)
{
    return c->buy > c->sell ? c->buy - c->sell : c->sell - c->buy;
}

static __int128 shortfall(const struct candidate *c)
{
    return -traded(c);
}

/* Keeps those of which a figure is the lowest. */
static void keep_lowest(struct candidates *all, __int128 (*figure)(const struct candidate *))
{
    __int128 lowest = 0;
    for (uint32_t i = 0; i < all->count; i++)
        if (i == 0 || figure(&all->list[i]) < lowest) lowest = figure(&all->list[i]);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < all->count; i++)
        if (figure(&all->list[i]) == lowest) all->list[kept++] = all->list[i];
    all->count = kept;
}

/* The one nearest to a price, of two equally near the lower. */
static struct candidate nearest(const struct candidates *all, px_t px)
{
    struct candidate best = all->list[0];
    for (uint32_t i = 1; i < all->count; i++) {
        struct candidate c = all->list[i];
        px_t far = llabs(c.px - px), least = llabs(best.px - px);
        if (far < least || (far == least && c.px < best.px)) best = c;
    }
    return best;
}

static struct candidate choose(struct candidates *all, px_t reference_px)
{
    keep_lowest(all, shortfall);
    keep_lowest(all, surplus);
    bool all_buy = true, all_sell = true;
    for (uint32_t i = 0; i < all->count; i++) {
        all_buy = all_buy && all->list[i].buy > all->list[i].sell;
        all_sell = all_sell && all->list[i].sell > all->list[i].buy;
    }
    if (all_buy) return nearest(all, INT64_MAX);
    if (all_sell || reference_px == 0) return nearest(all, 0);
    return nearest(all, reference_px);
}

struct event_auction model_auction_now(const struct model *self, instrument_id_t instrument)
{
    struct event_auction now = {.px = 0};
    struct candidates all = find_candidates(self, instrument);
    if (all.count > 0) {
        struct candidate best = choose(&all, reference_of(&self->instruments[instrument]));
        now.px = best.px;
        now.paired_qty = (qty_t)traded(&best);
        now.imbalance_qty = (qty_t)surplus(&best);
        if (best.buy != best.sell) now.imbalance_side = best.buy > best.sell ? SIDE_BUY : SIDE_SELL;
    }
    free(all.list);
    return now;
}

/* ---- what is told and traded ---- */

static void emit_auction(struct model *self, instrument_id_t instrument,
                         const struct event_auction *now, bool final)
{
    struct event_auction event = *now;
    event.header = EVENT_HEADER(EVENT_AUCTION, struct event_auction);
    event.instrument = instrument;
    event.final = final;
    model_emit(self, &event, sizeof event);
}

void model_show_auction(struct model *self, instrument_id_t instrument)
{
    struct event_auction now = model_auction_now(self, instrument);
    struct event_auction *told = &self->instruments[instrument].told;
    if (now.px == told->px && now.paired_qty == told->paired_qty &&
        now.imbalance_qty == told->imbalance_qty && now.imbalance_side == told->imbalance_side)
        return;
    *told = now;
    emit_auction(self, instrument, &now, false);
}

/* As much as fits is shown behind an auction. */
static void settle_side(struct model *self, struct model_order *order)
{
    if (model_leaves(order) == 0)
        model_drop_order(self, order);
    else if (order->display_qty != 0)
        order->shown_qty =
            order->display_qty < model_leaves(order) ? order->display_qty : model_leaves(order);
}

void model_hold_auction(struct model *self, instrument_id_t instrument)
{
    struct event_auction now = model_auction_now(self, instrument);
    if (now.px == 0) return;
    emit_auction(self, instrument, &now, true);
    for (qty_t left = now.paired_qty; left > 0;) {
        struct model_order *bid = model_first(self, instrument, PLACE_BOOK, SIDE_BUY);
        struct model_order *ask = model_first(self, instrument, PLACE_BOOK, SIDE_SELL);
        qty_t qty = left;
        if (model_leaves(bid) < qty) qty = model_leaves(bid);
        if (model_leaves(ask) < qty) qty = model_leaves(ask);
        model_trade(self, bid, ask, qty, now.px, LIQUIDITY_AUCTION, LIQUIDITY_AUCTION);
        settle_side(self, bid);
        settle_side(self, ask);
        left -= qty;
    }
    self->instruments[instrument].reference_px = now.px;
}
