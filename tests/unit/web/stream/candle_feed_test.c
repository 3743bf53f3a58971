/* candle_feed_test.c - a client that only knows the feed's messages must always have the market's
 * candles, and hear of each one's closing once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "web/stream/candle_feed.h"

enum { CLIENT_CANDLES = 4096 };

#define START_NS INT64_C(1790000000000000000)

static uint64_t random_state;

static int64_t random_below(int64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int64_t)(random_state % (uint64_t)limit);
}

struct client_candle {
    int64_t start_ns, volume;
    char close[32];
    int64_t trades;
    bool closed;
    unsigned closings;
};

struct client_series {
    struct client_candle candles[CLIENT_CANDLES];
    unsigned count;
};

static struct client_candle *find(struct client_series *series, int64_t start_ns)
{
    for (unsigned i = series->count; i-- > 0;)
        if (series->candles[i].start_ns == start_ns) return &series->candles[i];
    assert_true(series->count < CLIENT_CANDLES);
    struct client_candle *candle = &series->candles[series->count++];
    *candle = (struct client_candle){.start_ns = start_ns};
    return candle;
}

static void apply(struct client_series *series, const struct json_buffer *body)
{
    char *text = malloc(body->length + 2);
    text[0] = '{';
    memcpy(text + 1, body->text, body->length);
    text[body->length + 1] = '\0';
    json_t *message = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    assert_non_null(message);
    if (strcmp(json_string_value(json_object_get(message, "type")), "snapshot") == 0)
        series->count = 0;
    size_t i;
    const json_t *candle;
    json_array_foreach(json_object_get(message, "candles"), i, candle)
    {
        struct client_candle *c =
            find(series, json_integer_value(json_object_get(candle, "start_ns")));
        c->volume = json_integer_value(json_object_get(candle, "volume"));
        c->trades = json_integer_value(json_object_get(candle, "trades"));
        strcpy(c->close, json_string_value(json_object_get(candle, "close")));
        c->closed = json_is_true(json_object_get(candle, "closed"));
        c->closings += c->closed;
    }
    json_decref(message);
}

/* Every candle the market has up to now must be the client's, and closed if its time is over. */
static void assert_markets_candles(struct client_series *series, const struct candle_feed *feed,
                                   const struct market *market)
{
    static struct candle candles[MARKET_CANDLES_KEPT];
    unsigned count = market_candles(market, 1, feed->interval, 0, INT64_MAX, feed->now_ns, candles,
                                    MARKET_CANDLES_KEPT);
    for (unsigned i = count > 50 ? count - 50 : 0; i < count; i++) {
        struct client_candle *c = find(series, candles[i].start_ns);
        assert_int_equal(c->volume, candles[i].volume);
        assert_int_equal(c->trades, candles[i].trade_count);
        int64_t end_ns = candles[i].start_ns + candle_interval_ns(feed->interval);
        assert_int_equal(c->closed, end_ns <= feed->now_ns);
    }
}

static void trade(struct market *market, trade_id_t trade_id, int64_t time_ns)
{
    px_t px = 1000000 + 100 * random_below(20);
    struct event_execution event = {.header = EVENT_HEADER(EVENT_EXECUTION, struct event_execution),
                                    .trade_id = trade_id,
                                    .instrument = 1,
                                    .side = SIDE_BUY,
                                    .exec_type = EXEC_TRADE,
                                    .last_liquidity = LIQUIDITY_REMOVED,
                                    .limit_px = px,
                                    .last_px = px,
                                    .last_qty = 1 + random_below(100)};
    market_execution(market, time_ns, &event);
}

static void test_a_client_has_the_markets_candles_and_each_closes_once(void **state)
{
    (void)state;
    static struct client_series series;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        random_state = seed * UINT64_C(0x9e3779b97f4a7c15);
        struct market *market = market_create(2);
        struct candle_feed feed;
        struct json_buffer body = {0};
        int64_t now_ns = START_NS + random_below(1000000000);
        series.count = 0;
        candle_feed_open(&feed, market, 1, seed % 2 ? CANDLE_1S : CANDLE_1M, now_ns);
        trade_id_t trade_id = 0;
        for (unsigned n = 0; n < 600; n++) {
            now_ns += random_below(seed % 2 ? 2500000000 : 100000000000);
            int64_t traded_ns = INT64_MAX;
            for (int64_t trades = random_below(4); trades > 0; trades--) {
                now_ns += random_below(300000000);
                if (traded_ns == INT64_MAX) traded_ns = now_ns;
                trade(market, ++trade_id, now_ns);
            }
            json_buffer_clear(&body);
            enum candle_change change = candle_feed_update(&feed, market, now_ns, traded_ns, &body);
            assert_int_not_equal(change, CANDLES_MANY);
            if (change == CANDLES_UPDATE) apply(&series, &body);
            assert_markets_candles(&series, &feed, market);
        }
        for (unsigned i = 0; i + 1 < series.count; i++)
            assert_int_equal(series.candles[i].closings, 1);
        json_buffer_free(&body);
        market_destroy(market);
    }
}

static void test_a_trade_of_a_closed_candle_has_it_sent_again(void **state)
{
    (void)state;
    static struct client_series series;
    struct market *market = market_create(2);
    struct candle_feed feed;
    struct json_buffer body = {0};
    random_state = 5;
    series.count = 0;
    candle_feed_open(&feed, market, 1, CANDLE_1S, START_NS);
    trade(market, 1, START_NS + 100);
    assert_int_equal(candle_feed_update(&feed, market, START_NS + 100, START_NS + 100, &body),
                     CANDLES_UPDATE);
    apply(&series, &body);
    json_buffer_clear(&body);
    /* the clock says that the second is just over; then a trade of that second comes late */
    assert_int_equal(candle_feed_update(&feed, market, START_NS + 1000000000, INT64_MAX, &body),
                     CANDLES_UPDATE);
    apply(&series, &body);
    assert_int_equal(series.count, 2);
    assert_true(series.candles[0].closed);
    json_buffer_clear(&body);
    trade(market, 2, START_NS + 900000000);
    assert_int_equal(
        candle_feed_update(&feed, market, START_NS + 900000000, START_NS + 900000000, &body),
        CANDLES_UPDATE);
    apply(&series, &body);
    assert_int_equal(series.count, 2);
    assert_int_equal(series.candles[0].trades, 2);
    assert_true(series.candles[0].closed);
    assert_markets_candles(&series, &feed, market);
    json_buffer_free(&body);
    market_destroy(market);
}

static void test_a_snapshot_has_the_newest_candles_as_of_the_last_update(void **state)
{
    (void)state;
    static struct client_series series;
    struct market *market = market_create(2);
    struct candle_feed feed;
    struct json_buffer body = {0};
    random_state = 6;
    for (unsigned i = 0; i < 400; i++) trade(market, i + 1, START_NS + (int64_t)i * 1000000000);
    candle_feed_open(&feed, market, 1, CANDLE_1S, START_NS + INT64_C(399500000000));
    candle_feed_snapshot(&feed, market, &body);
    series.count = 0;
    apply(&series, &body);
    assert_int_equal(series.count, CANDLE_FEED_SNAPSHOT);
    assert_int_equal(series.candles[0].start_ns, START_NS + INT64_C(100000000000));
    assert_false(series.candles[CANDLE_FEED_SNAPSHOT - 1].closed);
    assert_true(series.candles[CANDLE_FEED_SNAPSHOT - 2].closed);
    /* after a long stall an update cannot say it all */
    json_buffer_clear(&body);
    assert_int_equal(
        candle_feed_update(&feed, market, START_NS + INT64_C(5000000000000), INT64_MAX, &body),
        CANDLES_MANY);
    json_buffer_free(&body);
    market_destroy(market);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_client_has_the_markets_candles_and_each_closes_once),
        cmocka_unit_test(test_a_trade_of_a_closed_candle_has_it_sent_again),
        cmocka_unit_test(test_a_snapshot_has_the_newest_candles_as_of_the_last_update),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
