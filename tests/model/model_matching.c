#include "tests/model/model_parts.h"

enum { STOPS_A_COMMAND = 256 };

/* ---- priority ---- */

bool model_goes_before(const struct model_order *a, const struct model_order *b)
{
    if (a->place == PLACE_BOOK && a->limit_px != b->limit_px)
        return a->side == SIDE_BUY ? a->limit_px > b->limit_px : a->limit_px < b->limit_px;
    if (a->place == PLACE_STOPS && a->stop_px != b->stop_px)
        return a->side == SIDE_BUY ? a->stop_px < b->stop_px : a->stop_px > b->stop_px;
    return a->arrived < b->arrived;
}

/* The one that stands next behind `last`; NULL: the first. */
static struct model_order *next_behind(const struct model *self, instrument_id_t instrument,
                                       enum model_place place, uint8_t side,
                                       const struct model_order *last)
{
    struct model_order *next = NULL;
    for (uint32_t i = 0; i < self->order_count; i++) {
        struct model_order *order = self->orders[i];
        if (order->instrument != instrument || order->place != place || order->side != side)
            continue;
        if (last && !model_goes_before(last, order)) continue;
        if (!next || model_goes_before(order, next)) next = order;
    }
    return next;
}

struct model_order *model_first(const struct model *self, instrument_id_t instrument,
                                enum model_place place, uint8_t side)
{
    return next_behind(self, instrument, place, side, NULL);
}

bool model_crosses(const struct model_order *order, px_t px)
{
    return order->side == SIDE_BUY ? px <= order->limit_px : px >= order->limit_px;
}

static uint8_t other_side(const struct model_order *order)
{
    return order->side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
}

static qty_t smaller(qty_t a, qty_t b)
{
    return a < b ? a : b;
}

/* ---- self-trades ---- */

static enum stp stp_of(const struct model *self, const struct model_order *order)
{
    uint8_t stp = order->stp;
    if (stp == STP_ACCOUNT) stp = self->accounts[order->account].stp;
    return stp == STP_ACCOUNT ? STP_ALLOW : (enum stp)stp;
}

/* Takes from an order what it would have traded with itself; false when that ended it. */
static bool decrement(struct model *self, struct model_order *order, qty_t qty)
{
    if (model_leaves(order) == qty) {
        model_end_order(self, order, EXEC_CANCELED, REJECT_SELF_TRADE);
        return false;
    }
    order->order_qty -= qty;
    if (order->shown_qty > model_leaves(order)) order->shown_qty = model_leaves(order);
    if (order->place == PLACE_BOOK) self->instruments[order->instrument].book_update_id++;
    model_emit_execution(self, order, EXEC_RESTATED);
    return true;
}

/* The incoming order met one of its own account and they may not trade; false when the incoming
 * one is gone. */
static bool prevent_self_trade(struct model *self, struct model_order *order,
                               struct model_order *resting)
{
    enum stp stp = stp_of(self, order);
    qty_t qty = smaller(model_leaves(order), model_leaves(resting));
    if (stp == STP_DECREMENT) {
        decrement(self, resting, qty);
        return decrement(self, order, qty);
    }
    if (stp == STP_CANCEL_OLDEST || stp == STP_CANCEL_BOTH)
        model_end_order(self, resting, EXEC_CANCELED, REJECT_SELF_TRADE);
    if (stp == STP_CANCEL_OLDEST) return true;
    model_end_order(self, order, EXEC_CANCELED, REJECT_SELF_TRADE);
    return false;
}

/* ---- one order against the book ---- */

static bool is_inside(const struct model_prices *bands, px_t px)
{
    return px >= bands->low && px <= bands->high;
}

/* What could trade at once. */
static __int128 tradable(const struct model *self, const struct model_order *order,
                         const struct model_prices *bands)
{
    __int128 qty = 0;
    const struct model_order *resting = NULL;
    while (
        (resting = next_behind(self, order->instrument, PLACE_BOOK, other_side(order), resting))) {
        if (!model_crosses(order, resting->limit_px) || !is_inside(bands, resting->limit_px)) break;
        enum stp stp = resting->account == order->account ? stp_of(self, order) : STP_ALLOW;
        if (stp != STP_ALLOW && stp != STP_CANCEL_OLDEST) break;
        if (stp == STP_ALLOW) qty += model_leaves(resting);
    }
    return qty;
}

static void trade(struct model *self, struct model_order *order, struct model_order *resting)
{
    qty_t qty = smaller(model_leaves(order), model_shown(resting));
    model_trade(self, resting, order, qty, resting->limit_px, LIQUIDITY_ADDED, LIQUIDITY_REMOVED);
    model_end_limit_state(self, order->instrument);
    if (model_leaves(resting) == 0) {
        model_drop_order(self, resting);
        return;
    }
    if (resting->display_qty == 0) return;
    resting->shown_qty -= qty;
    if (resting->shown_qty > 0) return;
    resting->shown_qty = smaller(resting->display_qty, model_leaves(resting));
    resting->arrived = ++self->arrivals;
}

static void stop_at_band(struct model *self, struct model_order *order,
                         const struct model_prices *bands, px_t px)
{
    const struct model_instrument *i = &self->instruments[order->instrument];
    if (i->bands.limit_state_ms != 0 && !i->limit_state)
        model_begin_limit_state(self, order->instrument, order->side,
                                px > bands->high ? model_round_down(i, (px_t)bands->high)
                                                 : model_round_up(i, (px_t)bands->low));
    model_end_order(self, order, EXEC_CANCELED, REJECT_PX_BAND);
}

/* Trades what it can; false when the order is gone. */
static bool take(struct model *self, struct model_order *order, const struct model_prices *bands)
{
    while (model_leaves(order) > 0) {
        struct model_order *resting =
            model_first(self, order->instrument, PLACE_BOOK, other_side(order));
        if (!resting || !model_crosses(order, resting->limit_px)) break;
        if (!is_inside(bands, resting->limit_px)) {
            stop_at_band(self, order, bands, resting->limit_px);
            return false;
        }
        if (resting->account != order->account || stp_of(self, order) == STP_ALLOW)
            trade(self, order, resting);
        else if (!prevent_self_trade(self, order, resting))
            return false;
    }
    return true;
}

static bool may_rest(const struct model_order *order)
{
    return (order->ord_type == ORD_TYPE_LIMIT || order->ord_type == ORD_TYPE_STOP_LIMIT) &&
           order->time_in_force != TIF_IOC && order->time_in_force != TIF_FOK;
}

static void match(struct model *self, struct model_order *order, qty_t required_qty)
{
    struct model_prices bands = model_bands(&self->instruments[order->instrument]);
    if (required_qty > 0 && tradable(self, order, &bands) < required_qty) {
        model_end_order(self, order, EXEC_CANCELED, REJECT_MIN_QTY_UNMET);
        return;
    }
    if (!take(self, order, &bands)) return;
    if (model_leaves(order) == 0) {
        model_drop_order(self, order);
    } else if (may_rest(order)) {
        model_rest(self, order);
    } else {
        bool at_collar = order->ord_type != ORD_TYPE_LIMIT &&
                         model_first(self, order->instrument, PLACE_BOOK, other_side(order));
        model_end_order(self, order, EXEC_CANCELED,
                        at_collar ? REJECT_CANCELED_AT_COLLAR : REJECT_NONE);
    }
}

void model_rest(struct model *self, struct model_order *order)
{
    if (model_book_has_room(self))
        model_enter_place(self, order, PLACE_BOOK);
    else
        model_end_order(self, order, EXEC_CANCELED, REJECT_BOOK_FULL);
}

void model_arrive(struct model *self, struct model_order *order, qty_t required_qty)
{
    instrument_id_t instrument = order->instrument;
    uint8_t session = self->instruments[instrument].session;
    if (model_is_stop(order) && !order->triggered)
        model_enter_place(self, order, PLACE_STOPS);
    else if (order->time_in_force == TIF_AT_CLOSE && session != SESSION_CLOSING_AUCTION)
        model_enter_place(self, order, PLACE_CLOSE);
    else if (session == SESSION_CONTINUOUS)
        match(self, order, required_qty);
    else
        model_rest(self, order);
    model_trigger_stops(self, instrument);
}

/* ---- stops ---- */

/* The stop that the last trade triggers, if there is one. */
static struct model_order *due_stop(const struct model *self, instrument_id_t instrument)
{
    px_t last_px = self->instruments[instrument].last_px;
    struct model_order *buy = model_first(self, instrument, PLACE_STOPS, SIDE_BUY);
    struct model_order *sell = model_first(self, instrument, PLACE_STOPS, SIDE_SELL);
    if (last_px == 0) return NULL;
    if (buy && buy->stop_px <= last_px) return buy;
    return sell && sell->stop_px >= last_px ? sell : NULL;
}

void model_trigger_stops(struct model *self, instrument_id_t instrument)
{
    struct model_order *stop;
    if (self->instruments[instrument].session != SESSION_CONTINUOUS) return;
    for (unsigned n = 0; n < STOPS_A_COMMAND && (stop = due_stop(self, instrument)); n++) {
        model_leave_place(self, stop);
        stop->triggered = true;
        model_emit_execution(self, stop, EXEC_TRIGGERED);
        match(self, stop, 0);
    }
    if (due_stop(self, instrument)) self->instruments[instrument].auction_ns = self->now_ns;
}
