/* engine_test - what happens to orders: matching, cancelling, reducing, the end of the day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/engine/small_engine.h"

/* ---- matching ---- */

static void an_order_that_meets_nobody_rests(void **state)
{
    struct small_engine *e = *state;
    order_id_t id = buy(e, ANN, 10, 1000);
    const struct event_execution *event = expect_execution(e, id, EXEC_NEW, ORD_NEW, 10, 0, 10);
    assert_int_equal(event->account, ANN);
    assert_int_equal(event->instrument, AAPL);
    assert_int_equal(event->side, SIDE_BUY);
    assert_int_equal(event->ord_type, ORD_TYPE_LIMIT);
    assert_int_equal(event->time_in_force, TIF_GTC);
    assert_int_equal(event->limit_px, 1000);
    assert_int_equal(event->reject_reason, REJECT_NONE);
    expect_nothing_more(e);
    expect_cash(e, ANN, CASH_EACH - 10000, 10000);

    struct order_view view;
    assert_true(engine_order(e->engine, id, &view));
    assert_int_equal(view.leaves_qty, 10);
    struct level_view level;
    assert_int_equal(engine_depth(e->engine, AAPL, SIDE_BUY, &level, 1), 1);
    assert_int_equal(level.px, 1000);
    assert_int_equal(level.qty, 10);
    assert_int_equal(level.order_count, 1);
    assert_int_equal(engine_depth(e->engine, AAPL, SIDE_SELL, &level, 1), 0);
}

static void the_best_price_trades_first_then_the_oldest(void **state)
{
    struct small_engine *e = *state;
    order_id_t dear = sell(e, BOB, 5, 1200);
    expect_new(e, dear, 5);
    order_id_t cheap = sell(e, BOB, 5, 1000);
    expect_new(e, cheap, 5);
    order_id_t cheap_later = sell(e, BOB, 5, 1000);
    expect_new(e, cheap_later, 5);
    order_id_t taker = buy(e, ANN, 12, 1200);
    expect_new(e, taker, 12);
    expect_trade(e, cheap, taker, 5, 1000);
    expect_trade(e, cheap_later, taker, 5, 1000);
    expect_trade(e, dear, taker, 2, 1200);
    expect_nothing_more(e);
    struct order_view view;
    assert_false(engine_order(e->engine, taker, &view));
    assert_false(engine_order(e->engine, cheap, &view));
    assert_true(engine_order(e->engine, dear, &view));
    assert_int_equal(view.cum_qty, 2);
    assert_int_equal(view.leaves_qty, 3);
}

static void the_highest_bid_trades_first_too(void **state)
{
    struct small_engine *e = *state;
    order_id_t low = buy(e, ANN, 5, 900);
    expect_new(e, low, 5);
    order_id_t high = buy(e, ANN, 5, 1100);
    expect_new(e, high, 5);
    order_id_t taker = sell(e, BOB, 7, 900);
    expect_new(e, taker, 7);
    expect_trade(e, high, taker, 5, 1100);
    expect_trade(e, low, taker, 2, 900);
    expect_nothing_more(e);
}

static void prices_that_do_not_meet_do_not_trade(void **state)
{
    struct small_engine *e = *state;
    expect_new(e, sell(e, BOB, 5, 1100), 5);
    expect_new(e, buy(e, ANN, 5, 1000), 5);
    expect_nothing_more(e);
}

static void what_is_not_filled_rests_with_what_is_left(void **state)
{
    struct small_engine *e = *state;
    order_id_t maker = sell(e, BOB, 4, 1000);
    expect_new(e, maker, 4);
    order_id_t taker = buy(e, ANN, 10, 1000);
    expect_new(e, taker, 10);
    expect_trade(e, maker, taker, 4, 1000);
    expect_nothing_more(e);
    struct level_view level = engine_level(e->engine, AAPL, SIDE_BUY, 1000);
    assert_int_equal(level.qty, 6);
    order_id_t next = sell(e, BOB, 6, 1000);
    expect_new(e, next, 6);
    expect_trade(e, taker, next, 6, 1000);
    expect_nothing_more(e);
}

static void each_trade_has_two_executions_and_an_id_of_its_own(void **state)
{
    struct small_engine *e = *state;
    forget_events(e);
    sell(e, BOB, 1, 1000), forget_events(e);
    sell(e, BOB, 1, 1000), forget_events(e);
    buy(e, ANN, 2, 1000);
    assert_int_equal(e->count, 5);
    assert_int_equal(e->events[1].trade_id, 1);
    assert_int_equal(e->events[2].trade_id, 1);
    assert_int_equal(e->events[3].trade_id, 2);
    assert_int_equal(e->events[4].trade_id, 2);
    assert_int_equal(e->events[2].ord_status, ORD_PARTIALLY_FILLED);
    assert_int_equal(e->events[4].ord_status, ORD_FILLED);
    forget_events(e);
}

static void a_better_price_gives_the_difference_back(void **state)
{
    struct small_engine *e = *state;
    sell(e, BOB, 10, 1000), forget_events(e);
    buy(e, ANN, 10, 1500), forget_events(e);
    expect_cash(e, ANN, CASH_EACH - 10 * 1000, 0);
    expect_shares(e, ANN, SHARES_EACH + 10, 0);
    expect_cash(e, BOB, CASH_EACH + 10 * 1000, 0);
    expect_shares(e, BOB, SHARES_EACH - 10, 0);
}

static void a_seller_gets_the_resting_bid(void **state)
{
    struct small_engine *e = *state;
    buy(e, ANN, 10, 1500), forget_events(e);
    sell(e, BOB, 4, 1000), forget_events(e);
    expect_cash(e, BOB, CASH_EACH + 4 * 1500, 0);
    expect_cash(e, ANN, CASH_EACH - 10 * 1500, 6 * 1500);
}

static void one_may_meet_ones_own_order(void **state)
{
    struct small_engine *e = *state;
    order_id_t maker = sell(e, ANN, 5, 1000);
    expect_new(e, maker, 5);
    order_id_t taker = buy(e, ANN, 5, 1000);
    expect_new(e, taker, 5);
    expect_trade(e, maker, taker, 5, 1000);
    expect_nothing_more(e);
    expect_cash(e, ANN, CASH_EACH, 0);
    expect_shares(e, ANN, SHARES_EACH, 0);
}

static void ioc_never_rests(void **state)
{
    struct small_engine *e = *state;
    order_id_t maker = sell(e, BOB, 4, 1000);
    expect_new(e, maker, 4);
    struct command_new_order ioc = order_by(ANN, SIDE_BUY, 10, 1000);
    ioc.time_in_force = TIF_IOC;
    order_id_t taker = send_order(e, &ioc);
    expect_new(e, taker, 10);
    expect_trade(e, maker, taker, 4, 1000);
    expect_execution(e, taker, EXEC_CANCELED, ORD_CANCELED, 10, 4, 0);
    expect_nothing_more(e);
    expect_cash(e, ANN, CASH_EACH - 4 * 1000, 0);
    assert_int_equal(engine_level(e->engine, AAPL, SIDE_BUY, 1000).qty, 0);

    taker = send_order(e, &ioc); /* nobody is there at all */
    expect_new(e, taker, 10);
    expect_execution(e, taker, EXEC_CANCELED, ORD_CANCELED, 10, 0, 0);
    expect_nothing_more(e);
    expect_cash(e, ANN, CASH_EACH - 4 * 1000, 0);
}

static void ioc_that_is_filled_ends_with_the_fill(void **state)
{
    struct small_engine *e = *state;
    order_id_t maker = buy(e, BOB, 10, 1000);
    expect_new(e, maker, 10);
    struct command_new_order ioc = order_by(ANN, SIDE_SELL, 10, 1000);
    ioc.time_in_force = TIF_IOC;
    order_id_t taker = send_order(e, &ioc);
    expect_new(e, taker, 10);
    expect_trade(e, maker, taker, 10, 1000);
    expect_nothing_more(e);
    expect_shares(e, ANN, SHARES_EACH - 10, 0);
}

/* Seen by those who follow a book: every change counts, nothing else does. */
static void the_book_counts_its_changes(void **state)
{
    struct small_engine *e = *state;
    struct instrument_view view;
    order_id_t maker = sell(e, BOB, 4, 1000);
    forget_events(e);
    buy(e, ANN, 1, 1000), forget_events(e);
    assert_true(engine_instrument(e->engine, AAPL, &view));
    assert_int_equal(view.book_update_id, 2);
    assert_int_equal(view.last_px, 1000);
    replace(e, BOB, maker, 3), forget_events(e);
    cancel(e, BOB, maker, ""), forget_events(e);
    cancel(e, BOB, maker, ""), forget_events(e); /* refused */
    assert_true(engine_instrument(e->engine, AAPL, &view));
    assert_int_equal(view.book_update_id, 4);
}

/* ---- cancel ---- */

static void a_canceled_order_gives_its_hold_back(void **state)
{
    struct small_engine *e = *state;
    order_id_t bid = buy(e, ANN, 10, 1000);
    expect_new(e, bid, 10);
    order_id_t ask = sell(e, ANN, 20, 2000);
    expect_new(e, ask, 20);
    expect_shares(e, ANN, SHARES_EACH - 20, 20);
    cancel(e, ANN, bid, "");
    expect_execution(e, bid, EXEC_CANCELED, ORD_CANCELED, 10, 0, 0);
    cancel(e, ANN, ask, "");
    expect_execution(e, ask, EXEC_CANCELED, ORD_CANCELED, 20, 0, 0);
    expect_nothing_more(e);
    expect_cash(e, ANN, CASH_EACH, 0);
    expect_shares(e, ANN, SHARES_EACH, 0);
}

static void a_partly_filled_order_keeps_its_fills_when_canceled(void **state)
{
    struct small_engine *e = *state;
    order_id_t bid = buy(e, ANN, 10, 1000);
    forget_events(e);
    sell(e, BOB, 3, 1000), forget_events(e);
    cancel(e, ANN, bid, "");
    expect_execution(e, bid, EXEC_CANCELED, ORD_CANCELED, 10, 3, 0);
    expect_nothing_more(e);
    expect_cash(e, ANN, CASH_EACH - 3000, 0);
}

static void an_order_answers_to_its_client_order_id(void **state)
{
    struct small_engine *e = *state;
    order_id_t id = buy_as(e, ANN, "mine");
    forget_events(e);
    cancel(e, BOB, 0, "mine"); /* Bob has none of that name */
    expect_request_rejected(e, 0, COMMAND_CANCEL_ORDER, REJECT_UNKNOWN_ORDER);
    cancel(e, ANN, 0, "mine");
    expect_execution(e, id, EXEC_CANCELED, ORD_CANCELED, 1, 0, 0);
    expect_nothing_more(e);
}

/* ---- reduce ---- */

static void a_reduced_order_keeps_its_place(void **state)
{
    struct small_engine *e = *state;
    order_id_t first = sell(e, BOB, 10, 1000);
    expect_new(e, first, 10);
    order_id_t second = sell(e, BOB, 10, 1000);
    expect_new(e, second, 10);
    replace(e, BOB, first, 4);
    expect_execution(e, first, EXEC_REPLACED, ORD_NEW, 4, 0, 4);
    expect_nothing_more(e);
    expect_shares(e, BOB, SHARES_EACH - 14, 14);
    order_id_t taker = buy(e, ANN, 5, 1000);
    expect_new(e, taker, 5);
    expect_trade(e, first, taker, 4, 1000);
    expect_trade(e, second, taker, 1, 1000);
    expect_nothing_more(e);
}

static void a_partly_filled_order_is_reduced_by_its_total(void **state)
{
    struct small_engine *e = *state;
    order_id_t bid = buy(e, ANN, 10, 1000);
    forget_events(e);
    sell(e, BOB, 3, 1000), forget_events(e);
    replace(e, ANN, bid, 5);
    expect_execution(e, bid, EXEC_REPLACED, ORD_PARTIALLY_FILLED, 5, 3, 2);
    expect_nothing_more(e);
    expect_cash(e, ANN, CASH_EACH - 5000, 2000);
}

static void reducing_to_what_is_filled_or_less_cancels(void **state)
{
    struct small_engine *e = *state;
    for (qty_t total = 3; total >= 2; total--) {
        order_id_t bid = buy(e, ANN, 10, 1000);
        forget_events(e);
        sell(e, BOB, 3, 1000), forget_events(e);
        replace(e, ANN, bid, total);
        expect_execution(e, bid, EXEC_CANCELED, ORD_CANCELED, 10, 3, 0);
        expect_nothing_more(e);
    }
    expect_cash(e, ANN, CASH_EACH - 6000, 0);
}

/* ---- the end of the day ---- */

static void day_orders_expire_and_others_stay(void **state)
{
    struct small_engine *e = *state;
    struct command_new_order day = order_by(ANN, SIDE_BUY, 10, 1000);
    day.time_in_force = TIF_DAY;
    order_id_t first = send_order(e, &day);
    forget_events(e);
    order_id_t stays = buy(e, ANN, 5, 1000);
    forget_events(e);
    order_id_t second = send_order(e, &day);
    forget_events(e);
    sell(e, BOB, 4, 1000), forget_events(e);
    end_day(e, 20000);
    expect_execution(e, first, EXEC_EXPIRED, ORD_EXPIRED, 10, 4, 0);
    expect_execution(e, second, EXEC_EXPIRED, ORD_EXPIRED, 10, 0, 0);
    const struct event_day_ended *ended = (const void *)next_event(e, EVENT_DAY_ENDED);
    assert_int_equal(ended->day, 20000);
    assert_int_equal(ended->expired_count, 2);
    expect_nothing_more(e);
    assert_int_equal(engine_day(e->engine), 20000);
    struct order_view view;
    assert_true(engine_order(e->engine, stays, &view));
    expect_cash(e, ANN, CASH_EACH - 4000 - 5000, 5000);
}

static void client_order_ids_are_for_a_day_unless_their_order_stays(void **state)
{
    struct small_engine *e = *state;
    order_id_t stays = buy_as(e, ANN, "stays");
    forget_events(e);
    order_id_t gone = buy_as(e, ANN, "gone");
    forget_events(e);
    cancel(e, ANN, gone, ""), forget_events(e);
    buy_as(e, ANN, "gone");
    expect_request_rejected(e, gone, COMMAND_NEW_ORDER, REJECT_DUPLICATE_CL_ORD_ID);
    end_day(e, 20000), forget_events(e);
    buy_as(e, ANN, "stays");
    expect_request_rejected(e, stays, COMMAND_NEW_ORDER, REJECT_DUPLICATE_CL_ORD_ID);
    order_id_t again = buy_as(e, ANN, "gone");
    expect_new(e, again, 1);
    cancel(e, ANN, 0, "stays");
    expect_execution(e, stays, EXEC_CANCELED, ORD_CANCELED, 1, 0, 0);
    expect_nothing_more(e);
}

/* ---- limits of the state ---- */

static void limits_have_ranges(void **state)
{
    (void)state;
    const struct limits least = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
    const struct limits most = {65536,   16777216,  16777216,  1048576,   16777215,
                                4194303, 134217728, 134217728, 134217728, 134217728};
    assert_true(engine_bytes(&least) > 0);
    assert_true(engine_bytes(&most) > 0);
    assert_true(engine_bytes(&engine_default_limits) > 0);
    for (unsigned i = 0; i < sizeof least / sizeof(uint32_t); i++) {
        struct limits low = least, high = most;
        ((uint32_t *)&low)[i]--;
        ((uint32_t *)&high)[i]++;
        assert_int_equal(engine_bytes(&low), 0);
        assert_int_equal(engine_bytes(&high), 0);
    }
    struct limits odd = least;
    odd.trades = 3; /* a power of two */
    assert_int_equal(engine_bytes(&odd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MARKET_TEST(an_order_that_meets_nobody_rests),
        MARKET_TEST(the_best_price_trades_first_then_the_oldest),
        MARKET_TEST(the_highest_bid_trades_first_too),
        MARKET_TEST(prices_that_do_not_meet_do_not_trade),
        MARKET_TEST(what_is_not_filled_rests_with_what_is_left),
        MARKET_TEST(each_trade_has_two_executions_and_an_id_of_its_own),
        MARKET_TEST(a_better_price_gives_the_difference_back),
        MARKET_TEST(a_seller_gets_the_resting_bid),
        MARKET_TEST(one_may_meet_ones_own_order),
        MARKET_TEST(ioc_never_rests),
        MARKET_TEST(ioc_that_is_filled_ends_with_the_fill),
        MARKET_TEST(the_book_counts_its_changes),
        MARKET_TEST(a_canceled_order_gives_its_hold_back),
        MARKET_TEST(a_partly_filled_order_keeps_its_fills_when_canceled),
        MARKET_TEST(an_order_answers_to_its_client_order_id),
        MARKET_TEST(a_reduced_order_keeps_its_place),
        MARKET_TEST(a_partly_filled_order_is_reduced_by_its_total),
        MARKET_TEST(reducing_to_what_is_filled_or_less_cancels),
        MARKET_TEST(day_orders_expire_and_others_stay),
        MARKET_TEST(client_order_ids_are_for_a_day_unless_their_order_stays),
        cmocka_unit_test(limits_have_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
