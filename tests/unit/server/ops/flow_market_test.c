/* flow_market_test.c - the simulated market keeps its bounds over long random runs: open orders,
 * prices on ticks, inventories, and everything cancelled when it is to leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/message/command.h"
#include "server/ops/flow_market.h"

enum { STEPS = 200000, BROKERS = 4 };

static struct flow_market market_of(px_t tick_px, px_t px)
{
    struct flow_market market = {.tick_px = tick_px, .lot_qty = 1, .state = FLOW_QUOTING};
    strcpy(market.symbol, "AAPL");
    flow_market_center(&market, px);
    return market;
}

static unsigned count_open(const struct flow_market *market)
{
    unsigned count = 0;
    for (unsigned i = 0; i < FLOW_ORDERS_MAX; i++) count += market->orders[i].open;
    return count;
}

static void test_a_long_run_keeps_its_bounds(void **state)
{
    (void)state;
    static const px_t ticks[] = {100, 1000000};
    for (unsigned t = 0; t < 2; t++) {
        uint64_t random = 77 + t;
        px_t start_px = ticks[t] * 2000;
        struct flow_market market = market_of(ticks[t], start_px);
        unsigned kinds[4] = {0}, sides[2] = {0};
        for (unsigned n = 0; n < STEPS; n++) {
            struct flow_action a = flow_market_next(&market, BROKERS, &random);
            kinds[a.kind]++;
            assert_true(market.open_count <= FLOW_ORDERS_MAX);
            assert_true(market.fair_px > start_px / 4 && market.fair_px < start_px * 4);
            if (a.kind == FLOW_NOTHING) continue;
            assert_true(a.broker < BROKERS);
            if (a.kind != FLOW_CANCEL) {
                sides[a.side == SIDE_BUY]++;
                assert_true(a.px > 0 && a.px % ticks[t] == 0);
                assert_true(a.qty > 0 && a.qty <= 1000);
                market.net_qty[a.broker] += a.side == SIDE_BUY ? a.qty : -a.qty;
            } else {
                assert_true(market.orders[a.place].canceling);
                flow_market_gone(&market, a.place, market.orders[a.place].serial);
            }
            if (n % 1000 == 0) assert_int_equal(count_open(&market), market.open_count);
        }
        assert_true(kinds[FLOW_PLACE] > STEPS / 4);
        assert_true(kinds[FLOW_TAKE] > STEPS / 20);
        assert_true(kinds[FLOW_CANCEL] > STEPS / 20);
        assert_true(sides[0] > sides[1] / 2 && sides[1] > sides[0] / 2);
        /* the sum wanders, but nobody runs away from the others */
        qty_t least = market.net_qty[0], most = market.net_qty[0];
        for (unsigned b = 1; b < BROKERS; b++) {
            if (market.net_qty[b] < least) least = market.net_qty[b];
            if (market.net_qty[b] > most) most = market.net_qty[b];
        }
        assert_true(most - least < 20000);
    }
}

static void test_leaving_cancels_each_order_once(void **state)
{
    (void)state;
    uint64_t random = 5;
    struct flow_market market = market_of(100, 1000000);
    struct flow_action action;
    while (market.open_count < 50) (void)flow_market_next(&market, BROKERS, &random);
    unsigned pending = 0, canceled = 0, of_two = 0;
    for (unsigned i = 0; i < FLOW_ORDERS_MAX; i++) {
        pending += market.orders[i].canceling;
        of_two +=
            market.orders[i].open && !market.orders[i].canceling && market.orders[i].broker == 2;
    }
    for (; flow_market_cancel_any(&market, 2, &action); of_two--) {
        assert_int_equal(action.broker, 2);
        canceled++;
    }
    assert_int_equal(of_two, 0);
    while (flow_market_cancel_any(&market, FLOW_BROKERS_MAX, &action)) canceled++;
    assert_int_equal(canceled + pending, market.open_count);
    for (unsigned i = 0; i < FLOW_ORDERS_MAX; i++)
        flow_market_gone(&market, i, market.orders[i].serial);
    assert_int_equal(market.open_count, 0);
}

static void test_late_news_of_a_place_used_again_changes_nothing(void **state)
{
    (void)state;
    uint64_t random = 9;
    struct flow_market market = market_of(100, 1000000);
    struct flow_action action;
    do action = flow_market_next(&market, BROKERS, &random);
    while (action.kind != FLOW_PLACE);
    uint32_t place = action.place, serial = market.orders[place].serial;
    flow_market_gone(&market, place, serial);
    assert_false(market.orders[place].open);
    do action = flow_market_next(&market, BROKERS, &random);
    while (action.kind != FLOW_PLACE || action.place != place);
    flow_market_gone(&market, place, serial);
    assert_true(market.orders[place].open);
    flow_market_gone(&market, FLOW_ORDERS_MAX + 7, 1);
    flow_market_lost(&market, market.orders[place].broker);
    assert_false(market.orders[place].open);
    assert_int_equal(count_open(&market), market.open_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_long_run_keeps_its_bounds),
        cmocka_unit_test(test_leaving_cancels_each_order_once),
        cmocka_unit_test(test_late_news_of_a_place_used_again_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
