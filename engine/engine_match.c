#include "engine/base/arith.h"
#include "engine/base/check.h"
#include "engine/base/paths.h"
#include "engine/book/book_match.h"
#include "engine/engine_layout.h"
#include "engine/wallet/fee.h"

/* ---- one trade ---- */

static void emit_fill(const struct engine *self, const struct book_order *order,
                      trade_id_t trade_id, qty_t qty, px_t px, enum last_liquidity liquidity,
                      struct fee fee)
{
    uint64_t words[FILL_WORDS];
    struct report report = {.type = EXEC_TRADE,
                            .status = order_status(order),
                            .liquidity = liquidity,
                            .trade_id = trade_id,
                            .last_qty = qty,
                            .last_px = px,
                            .leaves_qty = order->leaves_qty};
    engine_write_execution(words, EVENT_HEADER(EVENT_EXECUTION, struct event_execution), order,
                           &report);
    words[11] = (uint64_t)fee.cash;
    words[12] = (uint32_t)fee.remainder;
    engine_emit(self, words, sizeof words);
}

/* The fee of one side. A rebate that the house cannot owe any more is not paid. */
static struct fee charge(struct engine *self, const struct instrument *i, const struct account *a,
                         enum last_liquidity liquidity, cash_t notional)
{
    const struct fee_rates *rates = &i->fees[a->fee_tier];
    struct fee fee =
        fee_of(notional, liquidity == LIQUIDITY_REMOVED ? rates->taker_ppm : rates->maker_ppm);
    struct wallet_cash *house = wallet_cash_of(&self->wallet, 0, i->currency);
    if (__builtin_expect(fee.cash < 0, 0) && house->available + fee.cash < WALLET_HOUSE_FLOOR)
        fee = (struct fee){0};
    house->available += fee.cash;
    return fee;
}

/* What an account's open order and day add up to, after a fill of one of its orders. */
static void count_fill(struct engine *self, struct account *a, const struct book_order *order,
                       cash_t open_notional, cash_t traded, qty_t qty)
{
    a->open_notional -= open_notional;
    if (a->traded_day != self->state->day) {
        a->traded_day = self->state->day;
        a->traded_notional = 0;
    }
    if (!arith_add(a->traded_notional, traded, &a->traded_notional)) a->traded_notional = INT64_MAX;
    struct volume *v = &self->volumes.slots[order->volume];
    volume_trade(v, self->state->day, qty);
    v->open_qty -= qty;
}

struct settlement {
    struct fee buyer_fee;
    struct fee seller_fee;
};

/* Moves cash, shares and fees. `buy` and `sell` still have their leaves from before the trade. */
static struct settlement settle(struct engine *self, const struct instrument *i,
                                const struct book_order *buy, const struct book_order *sell,
                                qty_t qty, px_t px, enum last_liquidity buy_liquidity,
                                enum last_liquidity sell_liquidity, bool buyer_first)
{
    struct wallet *w = &self->wallet;
    struct account *buyer = &self->accounts.accounts[buy->account];
    struct account *seller = &self->accounts.accounts[sell->account];
    cash_t paid = px * qty; /* products of prices and quantities that were held cannot overflow */
    cash_t whole = buy->limit_px * buy->leaves_qty, part = buy->limit_px * qty, before, after;
    CHECK(fee_hold(whole, i->max_fee_ppm, &before) &&
          fee_hold(whole - part, i->max_fee_ppm, &after));
    struct settlement s;
    if (buyer_first) s.buyer_fee = charge(self, i, buyer, buy_liquidity, paid);
    s.seller_fee = charge(self, i, seller, sell_liquidity, paid);
    if (!buyer_first) s.buyer_fee = charge(self, i, buyer, buy_liquidity, paid);

    cash_t released = before - after, cost = paid + s.buyer_fee.cash,
           proceeds = paid - s.seller_fee.cash;
    struct wallet_cash *from = wallet_cash_of(w, buy->account, i->currency);
    struct wallet_cash *to = wallet_cash_of(w, sell->account, i->currency);
    CHECK(from->held >= released && released >= cost);
    from->held -= released;
    from->available += released - cost;
    to->available += proceeds;
    w->cash_totals[i->currency].sum += s.buyer_fee.cash + s.seller_fee.cash + proceeds - cost;

    struct wallet_position *sold = &w->positions[sell->position];
    struct wallet_position *bought = &w->positions[buy->position];
    CHECK(sold->held >= qty && bought->open_buy_qty >= qty);
    wallet_release_shares(sold, qty);
    wallet_move_shares(w, sold, -qty);
    wallet_move_shares(w, bought, qty);
    bought->open_buy_qty -= qty;
    CHECK(wallet_cash_adds_up(w, i->currency) && wallet_shares_add_up(w, buy->instrument));

    count_fill(self, buyer, buy, part, paid, qty);
    count_fill(self, seller, sell, sell->limit_px * qty, paid, qty);
    return s;
}

static void log_trade(struct engine *self, trade_id_t id, const struct book_order *buy,
                      const struct book_order *sell, qty_t qty, px_t px, const struct settlement *s)
{
    *trade_log_at(&self->trade_log, id) = (struct trade_record){.trade_id = id,
                                                                .buy_order_id = buy->order_id,
                                                                .sell_order_id = sell->order_id,
                                                                .buyer = buy->account,
                                                                .seller = sell->account,
                                                                .instrument = buy->instrument,
                                                                .qty = qty,
                                                                .px = px,
                                                                .buyer_fee = s->buyer_fee.cash,
                                                                .seller_fee = s->seller_fee.cash};
}

/* The order's leaves fall; one in the book that has none left is out of it and free. */
static void fill(struct engine *self, struct book_order *order, qty_t qty, px_t px,
                 trade_id_t trade_id, enum last_liquidity liquidity, struct fee fee)
{
    bool resting = order->place == PLACE_BOOK;
    if (resting)
        (void)book_fill(&self->books, order, qty, liquidity == LIQUIDITY_AUCTION);
    else
        order->leaves_qty -= qty;
    emit_fill(self, order, trade_id, qty, px, liquidity, fee);
    if (resting && order->leaves_qty == 0) engine_forget_order(self, order);
}

void engine_trade(struct engine *self, struct instrument *instrument, struct book_order *first,
                  struct book_order *second, qty_t qty, px_t px,
                  enum last_liquidity first_liquidity, enum last_liquidity second_liquidity)
{
    bool first_buys = first->side == SIDE_BUY;
    struct book_order *buy = first_buys ? first : second, *sell = first_buys ? second : first;
    struct settlement s = settle(self, instrument, buy, sell, qty, px,
                                 first_buys ? first_liquidity : second_liquidity,
                                 first_buys ? second_liquidity : first_liquidity, first_buys);
    trade_id_t id = ++self->state->trade_id;
    log_trade(self, id, buy, sell, qty, px, &s);
    engine_set_last_px(self, instrument, px);
    instrument->book_update_id++;
    fill(self, first, qty, px, id, first_liquidity, first_buys ? s.buyer_fee : s.seller_fee);
    fill(self, second, qty, px, id, second_liquidity, first_buys ? s.seller_fee : s.buyer_fee);
}

/* ---- what an incoming order may meet ---- */

/* Prices at which it may trade, both included. */
struct band {
    px_t low, high;
};

static struct band trading_band(const struct instrument *i)
{
    return (struct band){i->bounds.low_px, i->bounds.high_px};
}

/* The tick nearest to the edge, inside the band, that a price lies beyond. */
SIDE_PATH static px_t band_edge(const struct engine *self, const struct instrument *i,
                                struct band band, px_t px)
{
    if (px > band.high)
        return instrument_px(&self->instruments, i,
                             instrument_ticks(&self->instruments, i, band.high));
    uint32_t ticks = instrument_ticks(&self->instruments, i, band.low);
    px_t edge = instrument_px(&self->instruments, i, ticks);
    return edge < band.low ? instrument_px(&self->instruments, i, ticks + 1) : edge;
}

static enum stp stp_of(const struct engine *self, const struct book_order *order)
{
    uint8_t own = book_more(&self->books, order)->stp;
    return own == STP_ACCOUNT ? (enum stp)self->accounts.accounts[order->account].stp
                              : (enum stp)own;
}

/* Whether the levels that an order reaches have as much, whoever's it is. A request that finds too
 * little changes nothing and may be repeated for ever, so it must not cost a walk over orders. */
static bool levels_suffice(const struct engine *self, const struct ladder *opposite,
                           struct band band, uint32_t limit_key, qty_t needed)
{
    const struct ladder_pool *pool = &self->books.pool;
    for (uint32_t at = opposite->best_at; at; at = ladder_next(pool, opposite, at)) {
        px_t px = self->books.orders[pool->levels[at].head].limit_px;
        if (ladder_key(pool, at) > limit_key || px < band.low || px > band.high) return false;
        if ((needed -= pool->levels[at].leaves_qty) <= 0) return true;
    }
    return false;
}

/* Whether as much as it must trade at once can be traded; MATCHING.md section 2. */
SIDE_PATH static bool can_trade(const struct engine *self, const struct instrument *i,
                                const struct book_order *order, uint32_t limit_key, qty_t needed)
{
    const struct ladder *opposite = book_opposite(&self->books, order->instrument, order->side);
    if (opposite->best_key > limit_key) return false;
    struct band band = trading_band(i);
    enum stp stp = stp_of(self, order);
    if (!levels_suffice(self, opposite, band, limit_key, needed)) return false;
    const struct book_order *maker = book_first(&self->books, opposite);
    while (maker) {
        if (ladder_key(&self->books.pool, maker->at) > limit_key) return false;
        if (maker->limit_px < band.low || maker->limit_px > band.high) return false;
        bool own = maker->account == order->account && stp != STP_ALLOW;
        if (own && stp != STP_CANCEL_OLDEST) return false;
        if (!own && (needed -= maker->leaves_qty) <= 0) return true;
        maker = book_next(&self->books, opposite, maker);
    }
    return false;
}

/* An order, resting or incoming, loses a part of its quantity to self-trade prevention. */
static void decrement(struct engine *self, struct book_order *order, qty_t qty)
{
    if (qty == order->leaves_qty) {
        engine_end_order(self, order, EXEC_CANCELED, REJECT_SELF_TRADE);
        return;
    }
    engine_reduce_order(self, order, qty);
    engine_emit_execution(self, order, EXEC_RESTATED, order_status(order), REJECT_NONE,
                          order->leaves_qty);
}

/* The next to trade with is of the same account. Returns whether matching goes on; the incoming
 * order may be over (its slot free) when it does not. */
SIDE_PATH static bool prevent_self_trade(struct engine *self, struct book_order *order,
                                         struct book_order *maker, enum stp stp)
{
    qty_t both = maker->leaves_qty < order->leaves_qty ? maker->leaves_qty : order->leaves_qty;
    bool goes_on = true;
    switch (stp) {
    case STP_CANCEL_OLDEST: engine_end_order(self, maker, EXEC_CANCELED, REJECT_SELF_TRADE); break;
    case STP_CANCEL_BOTH:
        engine_end_order(self, maker, EXEC_CANCELED, REJECT_SELF_TRADE);
        engine_end_order(self, order, EXEC_CANCELED, REJECT_SELF_TRADE);
        return false;
    case STP_DECREMENT:
        goes_on = order->leaves_qty > both;
        decrement(self, maker, both);
        decrement(self, order, both);
        break;
    case STP_CANCEL_NEWEST:
    default: engine_end_order(self, order, EXEC_CANCELED, REJECT_SELF_TRADE); return false;
    }
    return goes_on;
}

/* ---- an incoming order ---- */

enum outcome { OUTCOME_DONE, OUTCOME_BAND, OUTCOME_OVER };

/* One order's way through the other side of the book. */
struct taking {
    struct engine *engine;
    struct instrument *instrument;
    struct band band; /* as it was when the order came */
    enum outcome outcome;
};

static inline __attribute__((always_inline)) enum meeting
meet(void *context, struct book_order *order, struct book_order *maker, qty_t qty)
{
    struct taking *t = context;
    struct engine *self = t->engine;
    if (__builtin_expect(maker->limit_px < t->band.low || maker->limit_px > t->band.high, 0)) {
        engine_band_reached(self, order->instrument, order->side,
                            band_edge(self, t->instrument, t->band, maker->limit_px));
        t->outcome = OUTCOME_BAND;
        return MEETING_STOP;
    }
    if (__builtin_expect(maker->account == order->account, 0)) {
        enum stp stp = stp_of(self, order);
        if (stp != STP_ALLOW) {
            if (prevent_self_trade(self, order, maker, stp)) return MEETING_GO_ON;
            t->outcome = OUTCOME_OVER;
            return MEETING_STOP;
        }
    }
    engine_trade(self, t->instrument, maker, order, qty, maker->limit_px, LIQUIDITY_ADDED,
                 LIQUIDITY_REMOVED);
    if (__builtin_expect(t->instrument->limit_state, 0))
        engine_end_limit_state(self, order->instrument);
    return MEETING_GO_ON;
}

static enum outcome take(struct engine *self, struct instrument *i, struct book_order *order,
                         uint32_t limit_key)
{
    struct taking t = {self, i, trading_band(i), OUTCOME_DONE};
    (void)book_match(&self->books, order, limit_key, meet, &t);
    return t.outcome;
}

/* Whether an order that is no limit order may rest; it has ended otherwise. What is priced by a
 * collar never rests; a stop was accepted when it needed no room in the book. */
SIDE_PATH static bool may_rest(struct engine *self, struct book_order *order)
{
    if (order->ord_type == ORD_TYPE_MARKET || order->ord_type == ORD_TYPE_STOP) {
        bool more = book_opposite(&self->books, order->instrument, order->side)->best_at != 0;
        engine_end_order(self, order, EXEC_CANCELED,
                         more ? REJECT_CANCELED_AT_COLLAR : REJECT_NONE);
        return false;
    }
    if (!order->triggered || ladder_has_room(&self->books.pool)) return true;
    engine_end_order(self, order, EXEC_CANCELED, REJECT_BOOK_FULL);
    return false;
}

/* What is left of an order that has traded as far as it can. */
static void come_to_rest(struct engine *self, struct instrument *i, struct book_order *order,
                         uint32_t ticks, uint32_t near_at)
{
    if (__builtin_expect(order->ord_type != ORD_TYPE_LIMIT, 0) && !may_rest(self, order)) return;
    if (order->time_in_force == TIF_IOC || order->time_in_force == TIF_FOK) {
        engine_end_order(self, order, EXEC_CANCELED, REJECT_NONE);
    } else {
        book_rest(&self->books, order, book_ladder_for(order->side), ticks, near_at);
        i->book_update_id++;
    }
}

void engine_match(struct engine *self, struct instrument *instrument, struct book_order *order,
                  uint32_t ticks, qty_t min_qty, uint32_t near_at)
{
    uint32_t limit_key = book_limit_key(order->side, ticks);
    if (__builtin_expect(min_qty > 0, 0) &&
        !can_trade(self, instrument, order, limit_key, min_qty)) {
        engine_end_order(self, order, EXEC_CANCELED, REJECT_MIN_QTY_UNMET);
        return;
    }
    enum outcome outcome = take(self, instrument, order, limit_key);
    if (outcome == OUTCOME_OVER) return;
    if (order->leaves_qty == 0)
        engine_forget_order(self, order);
    else if (outcome == OUTCOME_BAND)
        engine_end_order(self, order, EXEC_CANCELED, REJECT_PX_BAND);
    else
        come_to_rest(self, instrument, order, ticks, near_at);
}

/* ---- stops ---- */

/* The next stop that the last price has reached; NULL when there is none. */
static struct book_order *reached_stop(const struct engine *self, const struct instrument *i,
                                       instrument_id_t instrument)
{
    const struct ladder *buys = book_ladder(&self->books, instrument, LADDER_BUY_STOPS);
    const struct ladder *sells = book_ladder(&self->books, instrument, LADDER_SELL_STOPS);
    if (i->last_px == 0 || !(buys->best_at | sells->best_at)) return NULL;
    uint32_t last = instrument_ticks(&self->instruments, i, i->last_px);
    if (buys->best_key <= book_key(LADDER_BUY_STOPS, last)) return book_first(&self->books, buys);
    if (sells->best_key <= book_key(LADDER_SELL_STOPS, last))
        return book_first(&self->books, sells);
    return NULL;
}

SIDE_PATH void engine_trigger_stops(struct engine *self, instrument_id_t instrument)
{
    struct instrument *i = &self->instruments.table[instrument];
    for (unsigned count = 0; i->session == SESSION_CONTINUOUS; count++) {
        struct book_order *stop = reached_stop(self, i, instrument);
        if (!stop) return;
        if (count == STOPS_A_COMMAND) {
            timer_set(&self->timers, TIMER_WORK, instrument, self->state->time_ns);
            return;
        }
        book_remove(&self->books, stop);
        stop->triggered = 1;
        engine_emit_execution(self, stop, EXEC_TRIGGERED, order_status(stop), REJECT_NONE,
                              stop->leaves_qty);
        engine_match(self, i, stop, instrument_ticks(&self->instruments, i, stop->limit_px), 0, 0);
    }
}
