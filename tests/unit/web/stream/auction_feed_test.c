/* auction_feed_test.c - readers of an auction have what the engine says, hear of every change once,
 * and of what the auction gave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/web/small_exchange.h"
#include "web/stream/auction_feed.h"

static struct small_exchange exchange;
static struct json_buffer body;

static int open_exchange(void **state)
{
    (void)state;
    small_exchange_open(&exchange);
    for (asset_t asset = 0; asset <= AAPL; asset++) {
        const struct command_deposit deposit = {
            .header = COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
            .account = ALPHA,
            .asset = asset,
            .qty = INT64_C(100000000000)};
        small_exchange_step(&exchange, &deposit, sizeof deposit);
    }
    return 0;
}

static int close_exchange(void **state)
{
    (void)state;
    small_exchange_close(&exchange);
    json_buffer_free(&body);
    return 0;
}

static void enter(enum session session)
{
    const struct command_set_session set = {
        .header = COMMAND_HEADER(COMMAND_SET_SESSION, struct command_set_session),
        .instrument = AAPL,
        .session = (uint8_t)session};
    small_exchange_step(&exchange, &set, sizeof set);
}

static void place(enum side side, qty_t qty, px_t px)
{
    const struct command_new_order order = {
        .header = COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order),
        .account = ALPHA,
        .user = ALPHA,
        .instrument = AAPL,
        .side = (uint8_t)side,
        .ord_type = ORD_TYPE_LIMIT,
        .time_in_force = TIF_DAY,
        .order_qty = qty,
        .limit_px = px};
    small_exchange_step(&exchange, &order, sizeof order);
}

static void expect(const char *text)
{
    json_bytes(&body, "", 1);
    assert_false(body.failed);
    assert_string_equal(body.text, text);
    json_buffer_clear(&body);
}

#define STANDS(session, price, paired, imbalance, side)                                            \
    "\"session\":\"" session "\",\"price\":" price ",\"paired_qty\":" paired                       \
    ",\"imbalance_qty\":" imbalance ",\"imbalance_side\":" side "}"

static void changes_are_told_once(void **state)
{
    struct auction_feed feed;
    (void)state;
    auction_feed_open(&feed, exchange.engine, AAPL);
    auction_feed_snapshot(&feed, &body);
    expect("\"type\":\"snapshot\"," STANDS("continuous", "null", "0", "0", "null"));
    place(SIDE_BUY, 5, 10000); /* no auction: nothing to tell */
    assert_false(auction_feed_update(&feed, exchange.engine, &body));
    assert_int_equal(body.length, 0);

    enter(SESSION_OPENING_AUCTION);
    assert_true(auction_feed_update(&feed, exchange.engine, &body));
    expect(
        "\"type\":\"update\",\"final\":false," STANDS("opening_auction", "null", "0", "0", "null"));
    assert_false(auction_feed_update(&feed, exchange.engine, &body));
    place(SIDE_SELL, 3, 10000);
    assert_true(auction_feed_update(&feed, exchange.engine, &body));
    expect("\"type\":\"update\",\"final\":false," STANDS("opening_auction", "\"1.0000\"", "3", "2",
                                                         "\"buy\""));
    auction_feed_snapshot(&feed, &body);
    expect("\"type\":\"snapshot\"," STANDS("opening_auction", "\"1.0000\"", "3", "2", "\"buy\""));
    place(SIDE_BUY, 1, 5000); /* far from it */
    assert_false(auction_feed_update(&feed, exchange.engine, &body));
}

static void what_an_auction_gave_is_final(void **state)
{
    struct auction_feed feed;
    (void)state;
    enter(SESSION_OPENING_AUCTION);
    place(SIDE_BUY, 5, 10000);
    place(SIDE_SELL, 3, 10000);
    auction_feed_open(&feed, exchange.engine, AAPL);
    enter(SESSION_CONTINUOUS);
    const struct event_auction event = {.instrument = AAPL,
                                        .final = 1,
                                        .px = 10000,
                                        .paired_qty = 3,
                                        .imbalance_qty = 2,
                                        .imbalance_side = SIDE_BUY};
    auction_feed_final(&feed, exchange.engine, &event, &body);
    expect("\"type\":\"update\",\"final\":true," STANDS("continuous", "\"1.0000\"", "3", "2",
                                                        "\"buy\""));
    assert_false(auction_feed_update(&feed, exchange.engine, &body)); /* all of it is told */
    auction_feed_snapshot(&feed, &body);
    expect("\"type\":\"snapshot\"," STANDS("continuous", "null", "0", "0", "null"));
}

/* One that ends without a trade has no result; readers hear that it is over. */
static void an_auction_without_a_trade_ends_too(void **state)
{
    struct auction_feed feed;
    (void)state;
    enter(SESSION_OPENING_AUCTION);
    auction_feed_open(&feed, exchange.engine, AAPL);
    enter(SESSION_CONTINUOUS);
    assert_true(auction_feed_update(&feed, exchange.engine, &body));
    expect("\"type\":\"update\",\"final\":false," STANDS("continuous", "null", "0", "0", "null"));
}

int main(void)
{
#define EXCHANGE_TEST(test) cmocka_unit_test_setup_teardown(test, open_exchange, close_exchange)
    const struct CMUnitTest tests[] = {
        EXCHANGE_TEST(changes_are_told_once),
        EXCHANGE_TEST(what_an_auction_gave_is_final),
        EXCHANGE_TEST(an_auction_without_a_trade_ends_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
