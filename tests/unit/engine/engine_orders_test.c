/* engine_orders_test - the kinds of orders and what they are told: market, stop, post-only,
 * iceberg, minimum quantity, fill or kill, replaces that lose their place, self-trades.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/engine/small_engine.h"

static void trade_at(struct small_engine *e, px_t px)
{
    sell(e, BOB, 1, px), forget_events(e);
    buy(e, ANN, 1, px), forget_events(e);
}

/* ---- market orders ---- */

static struct command_new_order market_by(account_id_t account, uint8_t side, qty_t qty)
{
    struct command_new_order command = order_by(account, side, qty, 0);
    command.ord_type = ORD_TYPE_MARKET;
    command.time_in_force = TIF_DAY;
    return command;
}

static void a_market_order_needs_a_price_to_hold_on_to(void **state)
{
    struct small_engine *e = *state;
    struct command_new_order market = market_by(ANN, SIDE_BUY, 5);
    send_order(e, &market);
    expect_order_rejected(e, REJECT_NO_REFERENCE_PX);
    order_id_t maker = sell(e, BOB, 5, 1000); /* the other side's best will do */
    expect_new(e, maker, 5);
    order_id_t taker = send_order(e, &market);
    const struct event_execution *event = expect_execution(e, taker, EXEC_NEW, ORD_NEW, 5, 0, 5);
    assert_int_equal(event->limit_px, 1000); /* 1050 is no tick: rounded down */
    expect_trade(e, maker, taker, 5, 1000);
    expect_nothing_more(e);
}

static void a_market_order_ends_at_its_collar(void **state)
{
    struct small_engine *e = *state;
    trade_at(e, 10000);
    order_id_t near = sell(e, BOB, 5, 10500);
    forget_events(e);
    sell(e, BOB, 5, 10600), forget_events(e);
    struct command_new_order market = market_by(ANN, SIDE_BUY, 8);
    order_id_t taker = send_order(e, &market);
    expect_new(e, taker, 8);
    expect_trade(e, near, taker, 5, 10500);
    const struct event_execution *event =
        expect_execution(e, taker, EXEC_CANCELED, ORD_CANCELED, 8, 5, 0);
    assert_int_equal(event->reject_reason, REJECT_CANCELED_AT_COLLAR);
    assert_int_equal(event->limit_px, 10500);
    expect_nothing_more(e);
}

static void what_a_market_order_does_not_find_is_canceled(void **state)
{
    struct small_engine *e = *state;
    trade_at(e, 10000);
    struct command_new_order market = market_by(BOB, SIDE_SELL, 3);
    order_id_t id = send_order(e, &market);
    expect_new(e, id, 3);
    const struct event_execution *event =
        expect_execution(e, id, EXEC_CANCELED, ORD_CANCELED, 3, 0, 0);
    assert_int_equal(event->reject_reason, REJECT_NONE); /* there was nobody */
    assert_int_equal(event->limit_px, 9500);
    expect_nothing_more(e);
}

/* ---- stops ---- */

static void a_stop_waits_for_its_price_and_goes_on_as_a_market_order(void **state)
{
    struct small_engine *e = *state;
    trade_at(e, 10000);
    order_id_t stop = send_stop(e, ANN, SIDE_BUY, 4, 10200, 0);
    const struct event_execution *event = expect_execution(e, stop, EXEC_NEW, ORD_NEW, 4, 0, 4);
    assert_int_equal(event->limit_px, 10700); /* 10200 + 5 %, on a tick */
    struct order_view view;
    assert_true(engine_order(e->engine, stop, &view));
    assert_int_equal(view.place, ORDER_AWAITS_TRIGGER);
    order_id_t offer = sell(e, BOB, 10, 10200);
    expect_new(e, offer, 10);
    order_id_t taker = buy(e, ANN, 1, 10200);
    expect_new(e, taker, 1);
    expect_trade(e, offer, taker, 1, 10200);
    expect_execution(e, stop, EXEC_TRIGGERED, ORD_NEW, 4, 0, 4);
    expect_trade(e, offer, stop, 4, 10200);
    expect_nothing_more(e);
}

static void a_stop_limit_rests_at_its_limit(void **state)
{
    struct small_engine *e = *state;
    trade_at(e, 10000);
    order_id_t stop = send_stop(e, ANN, SIDE_SELL, 4, 9900, 9800);
    expect_new(e, stop, 4);
    assert_int_equal(engine_level(e->engine, AAPL, SIDE_SELL, 9800).qty, 0);
    trade_at(e, 9900);
    assert_int_equal(engine_level(e->engine, AAPL, SIDE_SELL, 9800).qty, 4);
}

/* Each trade may trigger the next: the lowest buy stop first, at one price the oldest. */
static void stops_trigger_one_another_in_order(void **state)
{
    struct small_engine *e = *state;
    trade_at(e, 10000);
    order_id_t high = send_stop(e, ANN, SIDE_BUY, 1, 10300, 0);
    order_id_t first = (forget_events(e), send_stop(e, ANN, SIDE_BUY, 1, 10100, 0));
    order_id_t second = (forget_events(e), send_stop(e, ANN, SIDE_BUY, 1, 10100, 0));
    forget_events(e);
    order_id_t offers[4];
    const px_t pxs[] = {10100, 10200, 10300, 10400};
    for (unsigned i = 0; i < 4; i++) offers[i] = sell(e, BOB, 1, pxs[i]), forget_events(e);
    order_id_t taker = buy(e, ANN, 1, 10100);
    expect_new(e, taker, 1);
    expect_trade(e, offers[0], taker, 1, 10100);
    expect_execution(e, first, EXEC_TRIGGERED, ORD_NEW, 1, 0, 1);
    expect_trade(e, offers[1], first, 1, 10200);
    expect_execution(e, second, EXEC_TRIGGERED, ORD_NEW, 1, 0, 1);
    expect_trade(e, offers[2], second, 1, 10300);
    expect_execution(e, high, EXEC_TRIGGERED, ORD_NEW, 1, 0, 1);
    expect_trade(e, offers[3], high, 1, 10400);
    expect_nothing_more(e);
}

/* ---- instructions ---- */

static void post_only_never_takes(void **state)
{
    struct small_engine *e = *state;
    order_id_t maker = sell(e, BOB, 4, 1000);
    expect_new(e, maker, 4);
    struct command_new_order order = order_by(ANN, SIDE_BUY, 4, 1000);
    order.exec_inst = EXEC_INST_POST_ONLY;
    send_order(e, &order);
    expect_order_rejected(e, REJECT_WOULD_TAKE);
    order.limit_px = 900;
    expect_new(e, send_order(e, &order), 4);
}

static void an_iceberg_shows_a_part_and_queues_again_for_the_next(void **state)
{
    struct small_engine *e = *state;
    struct command_new_order order = order_by(BOB, SIDE_SELL, 10, 1000);
    order.display_qty = 4;
    order_id_t iceberg = send_order(e, &order);
    expect_new(e, iceberg, 10);
    order_id_t plain = sell(e, BOB, 5, 1000);
    expect_new(e, plain, 5);
    assert_int_equal(engine_level(e->engine, AAPL, SIDE_SELL, 1000).qty, 9);
    order_id_t taker = buy(e, ANN, 10, 1000);
    expect_new(e, taker, 10);
    expect_trade(e, iceberg, taker, 4, 1000);
    expect_trade(e, plain, taker, 5, 1000);
    expect_trade(e, iceberg, taker, 1, 1000);
    expect_nothing_more(e);
    assert_int_equal(engine_level(e->engine, AAPL, SIDE_SELL, 1000).qty, 3);
}

static void a_minimum_that_is_not_there_cancels_all(void **state)
{
    struct small_engine *e = *state;
    order_id_t maker = sell(e, BOB, 4, 1000);
    expect_new(e, maker, 4);
    struct command_new_order order = order_by(ANN, SIDE_BUY, 10, 1000);
    order.min_qty = 5;
    order_id_t id = send_order(e, &order);
    expect_new(e, id, 10);
    const struct event_execution *event =
        expect_execution(e, id, EXEC_CANCELED, ORD_CANCELED, 10, 0, 0);
    assert_int_equal(event->reject_reason, REJECT_MIN_QTY_UNMET);
    expect_nothing_more(e);
    order.min_qty = 4;
    id = send_order(e, &order);
    expect_new(e, id, 10);
    expect_trade(e, maker, id, 4, 1000);
    expect_nothing_more(e); /* the rest rests */
    assert_int_equal(engine_level(e->engine, AAPL, SIDE_BUY, 1000).qty, 6);
}

static void fill_or_kill_counts_hidden_quantity(void **state)
{
    struct small_engine *e = *state;
    struct command_new_order order = order_by(BOB, SIDE_SELL, 10, 1000);
    order.display_qty = 2;
    send_order(e, &order), forget_events(e);
    struct command_new_order fok = order_by(ANN, SIDE_BUY, 11, 1000);
    fok.time_in_force = TIF_FOK;
    order_id_t id = send_order(e, &fok);
    expect_new(e, id, 11);
    expect_execution(e, id, EXEC_CANCELED, ORD_CANCELED, 11, 0, 0);
    expect_nothing_more(e);
    fok.order_qty = 10;
    id = send_order(e, &fok);
    struct order_view view;
    assert_false(engine_order(e->engine, id, &view));
    assert_int_equal(e->events[e->count - 1].ord_status, ORD_FILLED);
    forget_events(e);
    expect_shares(e, ANN, SHARES_EACH + 10, 0);
}

/* ---- replaces ---- */

static void a_higher_price_goes_behind_and_may_trade(void **state)
{
    struct small_engine *e = *state;
    order_id_t ask = sell(e, BOB, 3, 1000);
    expect_new(e, ask, 3);
    order_id_t bid = buy(e, ANN, 5, 900);
    expect_new(e, bid, 5);
    replace_to(e, ANN, bid, 0, 1000);
    const struct event_execution *event = expect_execution(e, bid, EXEC_REPLACED, ORD_NEW, 5, 0, 5);
    assert_int_equal(event->limit_px, 1000);
    expect_trade(e, ask, bid, 3, 1000);
    expect_nothing_more(e);
    expect_cash(e, ANN, CASH_EACH - 5 * 1000, 2 * 1000);
}

static void more_quantity_loses_the_place(void **state)
{
    struct small_engine *e = *state;
    order_id_t first = sell(e, BOB, 2, 1000);
    expect_new(e, first, 2);
    order_id_t second = sell(e, BOB, 2, 1000);
    expect_new(e, second, 2);
    replace(e, BOB, first, 3);
    expect_execution(e, first, EXEC_REPLACED, ORD_NEW, 3, 0, 3);
    order_id_t taker = buy(e, ANN, 3, 1000);
    expect_new(e, taker, 3);
    expect_trade(e, second, taker, 2, 1000);
    expect_trade(e, first, taker, 1, 1000);
    expect_nothing_more(e);
}

/* ---- self-trades ---- */

/* Ann offers 4 and Bob 4 behind her; Ann bids for 6 of them. Returns her bid. */
static order_id_t meet_oneself(struct small_engine *e, enum stp stp, order_id_t *own,
                               order_id_t *other)
{
    *own = sell(e, ANN, 4, 1000);
    forget_events(e);
    *other = sell(e, BOB, 4, 1000);
    forget_events(e);
    struct command_new_order order = order_by(ANN, SIDE_BUY, 6, 1000);
    order.stp = (uint8_t)stp;
    order_id_t taker = send_order(e, &order);
    expect_new(e, taker, 6);
    return taker;
}

static void expect_self_trade(struct small_engine *e, order_id_t order_id, qty_t order_qty,
                              qty_t cum_qty)
{
    const struct event_execution *event =
        expect_execution(e, order_id, EXEC_CANCELED, ORD_CANCELED, order_qty, cum_qty, 0);
    assert_int_equal(event->reject_reason, REJECT_SELF_TRADE);
}

static void the_newest_goes(void **state)
{
    struct small_engine *e = *state;
    order_id_t own, other, taker = meet_oneself(e, STP_CANCEL_NEWEST, &own, &other);
    expect_self_trade(e, taker, 6, 0);
    expect_nothing_more(e);
}

static void the_oldest_goes(void **state)
{
    struct small_engine *e = *state;
    order_id_t own, other, taker = meet_oneself(e, STP_CANCEL_OLDEST, &own, &other);
    expect_self_trade(e, own, 4, 0);
    expect_trade(e, other, taker, 4, 1000);
    expect_nothing_more(e);
    assert_int_equal(engine_level(e->engine, AAPL, SIDE_BUY, 1000).qty, 2);
}

static void both_go(void **state)
{
    struct small_engine *e = *state;
    order_id_t own, other, taker = meet_oneself(e, STP_CANCEL_BOTH, &own, &other);
    expect_self_trade(e, own, 4, 0);
    expect_self_trade(e, taker, 6, 0);
    expect_nothing_more(e);
}

static void both_lose_the_smaller(void **state)
{
    struct small_engine *e = *state;
    order_id_t own, other, taker = meet_oneself(e, STP_DECREMENT, &own, &other);
    expect_self_trade(e, own, 4, 0);
    expect_execution(e, taker, EXEC_RESTATED, ORD_NEW, 2, 0, 2);
    expect_trade(e, other, taker, 2, 1000);
    expect_nothing_more(e);
    expect_shares(e, ANN, SHARES_EACH + 2, 0);
    expect_cash(e, ANN, CASH_EACH - 2 * 1000, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MARKET_TEST(a_market_order_needs_a_price_to_hold_on_to),
        MARKET_TEST(a_market_order_ends_at_its_collar),
        MARKET_TEST(what_a_market_order_does_not_find_is_canceled),
        MARKET_TEST(a_stop_waits_for_its_price_and_goes_on_as_a_market_order),
        MARKET_TEST(a_stop_limit_rests_at_its_limit),
        MARKET_TEST(stops_trigger_one_another_in_order),
        MARKET_TEST(post_only_never_takes),
        MARKET_TEST(an_iceberg_shows_a_part_and_queues_again_for_the_next),
        MARKET_TEST(a_minimum_that_is_not_there_cancels_all),
        MARKET_TEST(fill_or_kill_counts_hidden_quantity),
        MARKET_TEST(a_higher_price_goes_behind_and_may_trade),
        MARKET_TEST(more_quantity_loses_the_place),
        MARKET_TEST(the_newest_goes),
        MARKET_TEST(the_oldest_goes),
        MARKET_TEST(both_go),
        MARKET_TEST(both_lose_the_smaller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
