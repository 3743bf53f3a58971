/* market_test.c - trades, candles and touched levels against a naive recomputation from the list
 * of all executions, over random markets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/marketdata/market.h"

enum { INSTRUMENTS = 4, EXECUTIONS = 9000 };

static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static int64_t random_below(int64_t limit)
{
    return (int64_t)(random_next() % (uint64_t)limit);
}

/* Everything that ever happened, in order. */
struct naive {
    struct trade trades[EXECUTIONS];
    instrument_id_t instruments[EXECUTIONS];
    unsigned count;
};

static struct event_execution execution(instrument_id_t instrument, uint8_t exec_type, uint8_t side,
                                        px_t px, qty_t qty)
{
    return (struct event_execution){
        .header = EVENT_HEADER(EVENT_EXECUTION, struct event_execution),
        .order_id = 1,
        .account = 1,
        .instrument = instrument,
        .side = side,
        .exec_type = exec_type,
        .limit_px = px,
        .order_qty = qty,
    };
}

/* One trade: the maker's execution and the taker's, or in an auction the buyer's and the seller's,
 * as the engine emits them. */
static void trade_both(struct market *market, struct naive *naive, instrument_id_t instrument,
                       int64_t time_ns)
{
    struct event_execution maker = execution(
        instrument, EXEC_TRADE, SIDE_SELL, 1000000 + random_below(50) * 100, 1 + random_below(500));
    maker.trade_id = naive->count + 1;
    maker.last_px = maker.limit_px;
    maker.last_qty = maker.order_qty;
    maker.last_liquidity = LIQUIDITY_ADDED;
    struct event_execution taker = maker;
    taker.side = SIDE_BUY;
    taker.limit_px += 100;
    taker.last_liquidity = LIQUIDITY_REMOVED;

    bool of_auction = random_below(5) == 0;
    if (of_auction) {
        maker.side = SIDE_BUY;
        taker.side = SIDE_SELL;
        maker.last_liquidity = taker.last_liquidity = LIQUIDITY_AUCTION;
    }
    market_event(market, time_ns, &maker, sizeof maker);
    market_event(market, time_ns, &taker, sizeof taker);
    naive->instruments[naive->count] = instrument;
    naive->trades[naive->count++] = (struct trade){.trade_id = taker.trade_id,
                                                   .time_ns = time_ns,
                                                   .px = taker.last_px,
                                                   .qty = taker.last_qty,
                                                   .taker_side = of_auction ? 0 : SIDE_BUY};
}

/* The candle of the period that begins at start_ns; false before the instrument's first trade. */
static bool naive_candle(const struct naive *naive, instrument_id_t instrument, int64_t start_ns,
                         int64_t interval_ns, struct candle *candle)
{
    bool before = false;
    *candle = (struct candle){.start_ns = start_ns};
    for (unsigned i = 0; i < naive->count; i++) {
        const struct trade *t = &naive->trades[i];
        if (naive->instruments[i] != instrument || t->time_ns >= start_ns + interval_ns) continue;
        if (t->time_ns < start_ns) {
            before = true;
            candle->open_px = candle->high_px = candle->low_px = candle->close_px = t->px;
            continue;
        }
        if (candle->trade_count++ == 0) {
            candle->open_px = candle->high_px = candle->low_px = t->px;
            candle->first_trade_id = t->trade_id;
        }
        if (t->px > candle->high_px) candle->high_px = t->px;
        if (t->px < candle->low_px) candle->low_px = t->px;
        candle->close_px = t->px;
        candle->volume += t->qty;
        candle->last_trade_id = t->trade_id;
    }
    return before || candle->trade_count > 0;
}

static void assert_candle(const struct candle *got, const struct candle *want)
{
    assert_int_equal(got->start_ns, want->start_ns);
    assert_int_equal(got->open_px, want->open_px);
    assert_int_equal(got->high_px, want->high_px);
    assert_int_equal(got->low_px, want->low_px);
    assert_int_equal(got->close_px, want->close_px);
    assert_int_equal(got->volume, want->volume);
    assert_int_equal(got->trade_count, want->trade_count);
    assert_int_equal(got->first_trade_id, want->first_trade_id);
    assert_int_equal(got->last_trade_id, want->last_trade_id);
}

/* Asks for a random range and compares every candle of it, and that none is missing. */
static void check_candles(const struct market *market, const struct naive *naive,
                          instrument_id_t instrument, enum candle_interval interval, int64_t now_ns)
{
    static struct candle got[MARKET_CANDLES_KEPT];
    int64_t each_ns = candle_interval_ns(interval);
    unsigned max = 1 + (unsigned)random_below(40);
    int64_t end_ns = random_below(3) ? now_ns + 1 : now_ns - random_below(50 * each_ns);
    if (random_below(4) == 0) end_ns -= end_ns % each_ns; /* just where a period begins */
    int64_t start_ns = random_below(3) ? 0 : end_ns - random_below(30 * each_ns) - 1;

    unsigned count =
        market_candles(market, instrument, interval, start_ns, end_ns, now_ns, got, max);
    struct candle want[40];
    unsigned want_count = 0;
    for (int64_t at = end_ns - 1 - (end_ns - 1) % each_ns; at >= start_ns && want_count < max;
         at -= each_ns) {
        if (!naive_candle(naive, instrument, at, each_ns, &want[want_count])) break;
        want_count++;
    }
    assert_int_equal(count, want_count);
    for (unsigned i = 0; i < count; i++) assert_candle(&got[i], &want[count - 1 - i]);
}

static void check_trades(const struct market *market, const struct naive *naive,
                         instrument_id_t instrument)
{
    struct trade got[100], want[EXECUTIONS];
    unsigned max = 1 + (unsigned)random_below(100);
    trade_id_t from_id = random_below(4) ? (trade_id_t)random_below(naive->count + 2) : 0;

    unsigned all = 0;
    for (unsigned i = 0; i < naive->count; i++)
        if (naive->instruments[i] == instrument && naive->trades[i].trade_id >= from_id)
            want[all++] = naive->trades[i];
    unsigned skip = from_id == 0 && all > max ? all - max : 0;
    unsigned expected = all - skip < max ? all - skip : max;

    unsigned count = market_trades(market, instrument, from_id, got, max);
    assert_int_equal(count, expected);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(got[i].trade_id, want[skip + i].trade_id);
        assert_int_equal(got[i].time_ns, want[skip + i].time_ns);
        assert_int_equal(got[i].px, want[skip + i].px);
        assert_int_equal(got[i].qty, want[skip + i].qty);
        assert_int_equal(got[i].taker_side, want[skip + i].taker_side);
        assert_int_equal(got[i].busted, want[skip + i].busted);
    }
}

/* Takes one of all trades back, also one that is not kept any more or of another instrument. */
static void bust_any(struct market *market, struct naive *naive)
{
    unsigned at = (unsigned)random_below(naive->count);
    const struct event_trade_busted event = {
        .header = EVENT_HEADER(EVENT_TRADE_BUSTED, struct event_trade_busted),
        .trade_id = naive->trades[at].trade_id,
        .instrument = naive->instruments[at]};
    market_event(market, 1, &event, sizeof event);
    naive->trades[at].busted = true;
}

static void test_random_markets_equal_the_naive_recomputation(void **state)
{
    (void)state;
    static struct naive naive;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        random_state = seed * UINT64_C(0x9e3779b97f4a7c15);
        struct market *market = market_create(INSTRUMENTS);
        assert_non_null(market);
        naive.count = 0;
        int64_t now_ns = INT64_C(1790000000000000000) + random_below(1000000000);
        unsigned trades = 20 + (unsigned)random_below(180);
        for (unsigned i = 0; i < trades; i++) {
            /* mostly close together, at times seconds, at times days apart */
            int64_t gap_ns = random_below(8)    ? random_below(300000000)
                             : random_below(10) ? random_below(INT64_C(90000000000))
                                                : random_below(INT64_C(200000000000000));
            now_ns += gap_ns;
            trade_both(market, &naive, (instrument_id_t)(1 + random_below(2)), now_ns);
            if (random_below(10) == 0) bust_any(market, &naive);
            int64_t asked_ns = now_ns + random_below(INT64_C(5000000000));
            for (unsigned k = 0; k < CANDLE_INTERVALS; k++)
                check_candles(market, &naive, (instrument_id_t)(1 + random_below(3)),
                              (enum candle_interval)k, asked_ns);
            check_trades(market, &naive, (instrument_id_t)(1 + random_below(3)));
        }
        assert_int_equal(market_lost(market), 0);
        market_destroy(market);
    }
}

static void test_old_trades_and_candles_give_their_place(void **state)
{
    (void)state;
    static struct naive naive;
    static struct trade trades[MARKET_TRADES_KEPT + 10];
    static struct candle candles[MARKET_CANDLES_KEPT + 10];
    random_state = 7;
    struct market *market = market_create(INSTRUMENTS);
    naive.count = 0;
    int64_t start_ns = INT64_C(1790000000000000000);
    for (unsigned i = 0; i < EXECUTIONS; i++)
        trade_both(market, &naive, 1, start_ns + (int64_t)i * 1000000000);

    unsigned count = market_trades(market, 1, 1, trades, MARKET_TRADES_KEPT + 10);
    assert_int_equal(count, MARKET_TRADES_KEPT);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(trades[i].trade_id, EXECUTIONS - MARKET_TRADES_KEPT + 1 + i);

    int64_t now_ns = start_ns + (int64_t)EXECUTIONS * 1000000000;
    count = market_candles(market, 1, CANDLE_1S, 0, INT64_MAX, now_ns, candles,
                           MARKET_CANDLES_KEPT + 10);
    assert_int_equal(count, MARKET_CANDLES_KEPT + 1); /* those kept and the flat one of now */
    struct candle want;
    for (unsigned i = 0; i < count; i += 97) {
        assert_true(naive_candle(&naive, 1, candles[i].start_ns, 1000000000, &want));
        assert_candle(&candles[i], &want);
    }
    assert_int_equal(candles[count - 1].trade_count, 0);
    assert_int_equal(candles[count - 1].start_ns, now_ns);
    market_destroy(market);
}

static void test_only_the_takers_execution_is_a_trade(void **state)
{
    (void)state;
    struct market *market = market_create(INSTRUMENTS);
    struct trade trades[4];
    const uint8_t others[] = {EXEC_NEW, EXEC_CANCELED, EXEC_REPLACED, EXEC_EXPIRED, EXEC_REJECTED};
    for (unsigned i = 0; i < sizeof others; i++) {
        struct event_execution e = execution(1, others[i], SIDE_BUY, 100, 5);
        market_execution(market, 1000, &e);
    }
    struct event_execution maker = execution(1, EXEC_TRADE, SIDE_BUY, 100, 5);
    maker.last_qty = 5;
    maker.last_px = 100;
    maker.trade_id = 9;
    maker.last_liquidity = LIQUIDITY_ADDED;
    market_execution(market, 1000, &maker);
    assert_int_equal(market_trades(market, 1, 0, trades, 4), 0);
    maker.last_liquidity = LIQUIDITY_REMOVED;
    market_execution(market, 1000, &maker);
    assert_int_equal(market_trades(market, 1, 0, trades, 4), 1);
    assert_int_equal(market_trades(market, 2, 0, trades, 4), 0);
    assert_int_equal(market_trades(market, INSTRUMENTS + 7, 0, trades, 4), 0);
    market_destroy(market);
}

static void test_a_rejected_order_may_name_any_instrument(void **state)
{
    (void)state;
    struct market *market = market_create(INSTRUMENTS);
    struct event_execution e = execution(4000000000u, EXEC_REJECTED, SIDE_BUY, 100, 5);
    market_execution(market, 1000, &e);
    market_clear_touched(market, 4000000000u);
    unsigned count;
    bool overflow;
    assert_null(market_touched(market, 4000000000u, &count, &overflow));
    assert_int_equal(count, 0);
    market_destroy(market);
}

static void test_touched_levels_come_once_and_overflow_is_said(void **state)
{
    (void)state;
    struct market *market = market_create(INSTRUMENTS);
    unsigned count;
    bool overflow;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 3 * MARKET_TOUCHED_MAX / 2; i++) {
            /* every level twice, and each price on both sides */
            struct event_execution e =
                execution(2, EXEC_NEW, i % 2 ? SIDE_BUY : SIDE_SELL, 100 * (1 + i / 4), 1);
            market_execution(market, 1000, &e);
        }
        const struct touched_level *levels = market_touched(market, 2, &count, &overflow);
        assert_false(overflow);
        for (unsigned i = 0; i < count; i++)
            for (unsigned j = i + 1; j < count; j++)
                assert_false(levels[i].px == levels[j].px && levels[i].side == levels[j].side);
        assert_int_equal(count, 3 * MARKET_TOUCHED_MAX / 4);

        for (unsigned i = 0; i < MARKET_TOUCHED_MAX; i++) {
            struct event_execution e = execution(2, EXEC_CANCELED, SIDE_BUY, 1000000 + i, 1);
            market_execution(market, 1000, &e);
        }
        market_touched(market, 2, &count, &overflow);
        assert_true(overflow);
        assert_int_equal(count, MARKET_TOUCHED_MAX);

        market_clear_touched(market, 2);
        market_touched(market, 2, &count, &overflow);
        assert_false(overflow);
        assert_int_equal(count, 0);
    }
    market_destroy(market);
}

/* The one touched level of a side; 0 when there is none. */
static px_t touched_px(const struct market *market, uint8_t side, unsigned at)
{
    unsigned count;
    bool overflow;
    const struct touched_level *levels = market_touched(market, 1, &count, &overflow);
    assert_false(overflow);
    for (unsigned i = 0; i < count; i++)
        if (levels[i].side == side && at-- == 0) return levels[i].px;
    return 0;
}

static void test_a_replaced_price_touches_both_levels(void **state)
{
    (void)state;
    struct market *market = market_create(INSTRUMENTS);
    struct event_execution buy = execution(1, EXEC_NEW, SIDE_BUY, 700, 5);
    struct event_execution sell = execution(1, EXEC_NEW, SIDE_SELL, 900, 5);
    buy.order_id = UINT64_C(77) << ORDER_SLOT_BITS | 3;
    sell.order_id = UINT64_C(78) << ORDER_SLOT_BITS | 100000;
    market_event(market, 1, &buy, EXECUTION_V1_BYTES);
    market_event(market, 1, &sell, EXECUTION_V1_BYTES);
    market_clear_touched(market, 1);

    buy.exec_type = EXEC_REPLACED;
    buy.limit_px = 600;
    market_event(market, 1, &buy, EXECUTION_V1_BYTES);
    assert_int_equal(touched_px(market, SIDE_BUY, 0), 600);
    assert_int_equal(touched_px(market, SIDE_BUY, 1), 700);
    assert_int_equal(touched_px(market, SIDE_SELL, 0), 0);
    market_clear_touched(market, 1);

    buy.order_id += UINT64_C(1) << ORDER_SLOT_BITS; /* the slot's next order */
    buy.exec_type = EXEC_NEW;
    buy.limit_px = 500;
    market_event(market, 1, &buy, EXECUTION_V1_BYTES);
    assert_int_equal(touched_px(market, SIDE_BUY, 1), 0);
    buy.exec_type = sell.exec_type = EXEC_REPLACED; /* of the quantity alone */
    market_event(market, 1, &buy, EXECUTION_V1_BYTES);
    market_event(market, 1, &sell, EXECUTION_V1_BYTES);
    assert_int_equal(touched_px(market, SIDE_BUY, 1), 0);
    assert_int_equal(touched_px(market, SIDE_SELL, 0), 900);
    assert_int_equal(touched_px(market, SIDE_SELL, 1), 0);
    market_destroy(market);
}

static void announce(struct market *market, int64_t time_ns, uint8_t session)
{
    const struct event_session_changed event = {
        .header = EVENT_HEADER(EVENT_SESSION_CHANGED, struct event_session_changed),
        .instrument = 1,
        .session = session,
        .cause = SESSION_BY_SCHEDULE};
    market_event(market, time_ns, &event, sizeof event);
}

static void test_sessions_and_auctions_are_what_was_announced(void **state)
{
    (void)state;
    struct market *market = market_create(INSTRUMENTS);
    struct session_print session;
    struct auction_print auction;
    assert_false(market_session(market, 1, &session));
    assert_false(market_auction(market, INSTRUMENTS + 1, &auction));

    const struct event_limit_state limit = {
        .header = EVENT_HEADER(EVENT_LIMIT_STATE, struct event_limit_state),
        .instrument = 1,
        .on = 1,
        .side = SIDE_BUY};
    market_event(market, 5, &limit, sizeof limit);
    assert_true(market_session(market, 1, &session));
    assert_true(session.limit_state);
    assert_int_equal(session.session, 0);

    unsigned count;
    bool overflow;
    announce(market, 10, SESSION_CLOSING_AUCTION);
    market_touched(market, 1, &count, &overflow);
    assert_true(overflow); /* at-close orders come in unnamed */
    struct event_auction indicative = {
        .header = EVENT_HEADER(EVENT_AUCTION, struct event_auction),
        .instrument = 1,
        .imbalance_side = SIDE_SELL,
        .px = 1000,
        .paired_qty = 50,
        .imbalance_qty = 7,
    };
    market_event(market, 11, &indicative, sizeof indicative);
    assert_true(market_auction(market, 1, &auction));
    assert_int_equal(auction.time_ns, 11);
    assert_int_equal(auction.px, 1000);
    assert_int_equal(auction.paired_qty, 50);
    assert_int_equal(auction.imbalance_qty, 7);
    assert_int_equal(auction.imbalance_side, SIDE_SELL);
    assert_false(auction.final);

    announce(market, 12, SESSION_CLOSED);
    assert_true(market_session(market, 1, &session));
    assert_int_equal(session.session, SESSION_CLOSED);
    assert_int_equal(session.cause, SESSION_BY_SCHEDULE);
    assert_int_equal(session.since_ns, 12);
    assert_true(market_auction(market, 1, &auction));
    assert_int_equal(auction.time_ns, 0);
    market_destroy(market);
}

static void test_intervals_have_names(void **state)
{
    (void)state;
    const int64_t seconds[CANDLE_INTERVALS] = {1, 60, 300, 900, 3600, 86400};
    for (unsigned i = 0; i < CANDLE_INTERVALS; i++) {
        enum candle_interval interval;
        assert_true(
            candle_interval_parse(candle_interval_text((enum candle_interval)i), &interval));
        assert_int_equal(interval, i);
        assert_int_equal(candle_interval_ns(interval), seconds[i] * 1000000000);
    }
    enum candle_interval interval;
    assert_false(candle_interval_parse("2m", &interval));
    assert_false(candle_interval_parse("", &interval));
    assert_false(candle_interval_parse("1M", &interval));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_markets_equal_the_naive_recomputation),
        cmocka_unit_test(test_old_trades_and_candles_give_their_place),
        cmocka_unit_test(test_only_the_takers_execution_is_a_trade),
        cmocka_unit_test(test_a_rejected_order_may_name_any_instrument),
        cmocka_unit_test(test_touched_levels_come_once_and_overflow_is_said),
        cmocka_unit_test(test_a_replaced_price_touches_both_levels),
        cmocka_unit_test(test_sessions_and_auctions_are_what_was_announced),
        cmocka_unit_test(test_intervals_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
