/* encode_test.c - numbers, prices, times, words and strings as text, at the ends of their ranges;
 * whole objects, read back with another implementation (jansson). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/web/small_exchange.h"
#include "web/json/encode.h"
#include "web/json/market_objects.h"

static void expect(struct json_buffer *buffer, const char *text)
{
    json_bytes(buffer, "", 1);
    assert_false(buffer->failed);
    assert_string_equal(buffer->text, text);
    json_buffer_clear(buffer);
}

static void numbers_keep_every_digit(void **state)
{
    struct json_buffer b = {0};
    (void)state;
    json_int(&b, 0), expect(&b, "0");
    json_int(&b, -1), expect(&b, "-1");
    json_int(&b, INT64_MAX), expect(&b, "9223372036854775807");
    json_int(&b, INT64_MIN), expect(&b, "-9223372036854775808");
    json_uint(&b, UINT64_MAX), expect(&b, "18446744073709551615");
    json_id(&b, UINT64_MAX), expect(&b, "\"18446744073709551615\"");
    json_buffer_free(&b);
}

static void prices_have_four_decimals(void **state)
{
    struct json_buffer b = {0};
    (void)state;
    json_px(&b, 1893500), expect(&b, "\"189.3500\"");
    json_px(&b, 0), expect(&b, "\"0.0000\"");
    json_px(&b, 1), expect(&b, "\"0.0001\"");
    json_px(&b, 9999), expect(&b, "\"0.9999\"");
    json_px(&b, 10000), expect(&b, "\"1.0000\"");
    json_px(&b, -1), expect(&b, "\"-0.0001\"");
    json_px(&b, -12345678), expect(&b, "\"-1234.5678\"");
    json_px(&b, INT64_MAX), expect(&b, "\"922337203685477.5807\"");
    json_px(&b, INT64_MIN), expect(&b, "\"-922337203685477.5808\"");
    json_buffer_free(&b);
}

static void times_are_rfc_3339(void **state)
{
    struct json_buffer b = {0};
    (void)state;
    json_time(&b, 0), expect(&b, "\"1970-01-01T00:00:00.000000000Z\"");
    json_time(&b, 1), expect(&b, "\"1970-01-01T00:00:00.000000001Z\"");
    json_time(&b, -1), expect(&b, "\"1969-12-31T23:59:59.999999999Z\"");
    json_time(&b, INT64_MAX), expect(&b, "\"2262-04-11T23:47:16.854775807Z\"");
    json_time(&b, INT64_MIN), expect(&b, "\"1677-09-21T00:12:43.145224192Z\"");
    json_time(&b, INT64_C(951782399) * 1000000000);
    expect(&b, "\"2000-02-28T23:59:59.000000000Z\"");
    json_time(&b, INT64_C(951782400) * 1000000000);
    expect(&b, "\"2000-02-29T00:00:00.000000000Z\"");
    json_buffer_free(&b);
}

/* Every day that int64 nanoseconds can name, against the C library's calendar. */
static void every_day_has_the_date_of_the_c_library(void **state)
{
    struct json_buffer b = {0};
    (void)state;
    for (int64_t day = -106750; day <= 106750; day++) {
        time_t seconds = day * 86400 + (day * 7919 % 86400 + 86400) % 86400;
        struct tm date;
        char text[64];
        gmtime_r(&seconds, &date);
        strftime(text, sizeof text, "\"%Y-%m-%dT%H:%M:%S.000000000Z\"", &date);
        json_time(&b, (int64_t)seconds * 1000000000);
        expect(&b, text);
    }
    json_buffer_free(&b);
}

static void strings_are_escaped_and_stay_utf_8(void **state)
{
    struct json_buffer b = {0};
    (void)state;
    json_quoted(&b, "plain", 32), expect(&b, "\"plain\"");
    json_quoted(&b, "cut here", 3), expect(&b, "\"cut\"");
    json_quoted(&b, "", 8), expect(&b, "\"\"");
    json_quoted(&b, "a\"b\\c\n\r\t\x01\x7f", 32),
        expect(&b, "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f\"");
    json_quoted(&b, "호가 \xf0\x9f\x98\x80", 32), expect(&b, "\"호가 \xf0\x9f\x98\x80\"");
    json_quoted(&b, "\xff", 8), expect(&b, "\"\xef\xbf\xbd\"");
    json_quoted(&b, "\xc0\xaf", 8), expect(&b, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    json_quoted(&b, "\xed\xa0\x80", 8), expect(&b, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    json_quoted(&b, "호", 2), expect(&b, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    json_buffer_free(&b);
}

/* Any bytes whatsoever give a string that a JSON parser takes. */
static void any_bytes_give_valid_json(void **state)
{
    struct json_buffer b = {0};
    uint64_t random = 42;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char bytes[12];
        for (size_t i = 0; i < sizeof bytes; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            bytes[i] = (char)(random >> 56 | (round % 3 == 0 ? 0x80 : 0));
        }
        json_buffer_clear(&b);
        json_quoted(&b, bytes, sizeof bytes);
        json_error_t error;
        json_t *value = json_loadb(b.text, b.length, JSON_DECODE_ANY, &error);
        assert_non_null(value);
        json_decref(value);
    }
    json_buffer_free(&b);
}

static void words_are_the_contract_s(void **state)
{
    (void)state;
    assert_string_equal(json_side(SIDE_BUY), "buy");
    assert_string_equal(json_side(SIDE_SELL), "sell");
    assert_string_equal(json_ord_type(ORD_TYPE_MARKET), "market");
    assert_string_equal(json_ord_type(ORD_TYPE_LIMIT), "limit");
    assert_string_equal(json_ord_type(ORD_TYPE_STOP), "stop");
    assert_string_equal(json_ord_type(ORD_TYPE_STOP_LIMIT), "stop_limit");
    assert_string_equal(json_time_in_force(TIF_DAY), "day");
    assert_string_equal(json_time_in_force(TIF_GTC), "gtc");
    assert_string_equal(json_time_in_force(TIF_GTD), "gtd");
    assert_string_equal(json_time_in_force(TIF_IOC), "ioc");
    assert_string_equal(json_time_in_force(TIF_FOK), "fok");
    assert_string_equal(json_time_in_force(TIF_AT_OPEN), "opg");
    assert_string_equal(json_time_in_force(TIF_AT_CLOSE), "cls");
    assert_string_equal(json_ord_status(ORD_NEW), "new");
    assert_string_equal(json_ord_status(ORD_PARTIALLY_FILLED), "partially_filled");
    assert_string_equal(json_ord_status(ORD_FILLED), "filled");
    assert_string_equal(json_ord_status(ORD_CANCELED), "canceled");
    assert_string_equal(json_ord_status(ORD_REJECTED), "rejected");
    assert_string_equal(json_ord_status(ORD_EXPIRED), "expired");
    assert_string_equal(json_exec_type(EXEC_NEW), "new");
    assert_string_equal(json_exec_type(EXEC_CANCELED), "canceled");
    assert_string_equal(json_exec_type(EXEC_REJECTED), "rejected");
    assert_string_equal(json_exec_type(EXEC_EXPIRED), "expired");
    assert_string_equal(json_exec_type(EXEC_TRADE), "trade");
    assert_string_equal(json_exec_type(EXEC_REPLACED), "replaced");
    assert_string_equal(json_exec_type(EXEC_RESTATED), "restated");
    assert_string_equal(json_exec_type(EXEC_TRIGGERED), "triggered");
    assert_string_equal(json_exec_type(BLOTTER_EXEC_BUSTED), "trade_busted");
    assert_string_equal(json_side(0), "unknown");
    assert_string_equal(json_exec_type('z'), "unknown");
}

static void words_of_sessions_and_settings(void **state)
{
    static const char *const sessions[] = {"unknown",           "closed",         "pre_open",
                                           "opening_auction",   "continuous",     "halt",
                                           "reopening_auction", "closing_auction"};
    static const char *const causes[] = {"unknown", "command", "schedule",
                                         "band",    "breaker", "timer"};
    static const char *const stps[] = {"cancel_newest", "cancel_oldest", "cancel_both", "decrement",
                                       "allow"};
    (void)state;
    for (uint8_t i = 0; i <= SESSION_CLOSING_AUCTION; i++)
        assert_string_equal(json_session(i), sessions[i]);
    for (uint8_t i = 0; i <= SESSION_BY_TIMER; i++)
        assert_string_equal(json_session_cause(i), causes[i]);
    for (uint8_t i = STP_CANCEL_NEWEST; i <= STP_ALLOW; i++)
        assert_string_equal(json_stp(i), stps[i - 1]);
    assert_null(json_stp(STP_ACCOUNT));
    assert_string_equal(json_liquidity(LIQUIDITY_ADDED), "maker");
    assert_string_equal(json_liquidity(LIQUIDITY_REMOVED), "taker");
    assert_string_equal(json_liquidity(LIQUIDITY_AUCTION), "auction");
    assert_null(json_liquidity(LIQUIDITY_NONE));
    assert_string_equal(json_side_or_null(SIDE_SELL), "sell");
    assert_null(json_side_or_null(0));
    assert_string_equal(json_currency(0), "USD");
    assert_string_equal(json_currency(CURRENCY_COUNT), "unknown");
    for (uint32_t i = 0; i < CURRENCY_COUNT; i++)
        for (uint32_t k = 0; k < i; k++) /* each its own */
            assert_string_not_equal(json_currency(i), json_currency(k));
}

static void what_is_not_set_is_null(void **state)
{
    struct json_buffer b = {0};
    (void)state;
    json_px_or_null(&b, 0), expect(&b, "null");
    json_px_or_null(&b, 1), expect(&b, "\"0.0001\"");
    json_qty_or_null(&b, 0), expect(&b, "null");
    json_qty_or_null(&b, -1), expect(&b, "-1");
    json_time_or_null(&b, 0), expect(&b, "null");
    json_time_or_null(&b, 1), expect(&b, "\"1970-01-01T00:00:00.000000001Z\"");
    json_word(&b, NULL), expect(&b, "null");
    json_word(&b, "word"), expect(&b, "\"word\"");
    json_bool(&b, true), expect(&b, "true");
    json_bool(&b, false), expect(&b, "false");
    json_buffer_free(&b);
}

static struct journal_record *new_order_record(struct command_new_order *sent)
{
    static union {
        struct journal_record record;
        uint8_t bytes[sizeof(struct journal_record) + sizeof *sent];
    } space;
    memset(&space, 0, sizeof space);
    space.record.seq = 5;
    space.record.time_ns = INT64_C(1700000000000000001);
    memcpy(&space.record.header, sent, sizeof *sent);
    return &space.record;
}

#define TERMS                                                                                      \
    "\"stop_price\":\"99.0000\",\"display_qty\":5,\"min_qty\":2,"                                  \
    "\"expire_at\":\"1970-01-01T00:00:00.000000001Z\",\"post_only\":true,"                         \
    "\"cancel_on_disconnect\":false,\"stp\":\"decrement\","

static void an_order_and_its_execution_read_back(void **state)
{
    struct small_exchange exchange;
    struct json_buffer b = {0};
    (void)state;
    small_exchange_open(&exchange);
    struct blotter *blotter = blotter_create(64, 64, 64);
    struct command_new_order sent = {
        .header = COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order),
        .order_qty = 10,
        .cl_ord_id = "my \"id\"",
        .exec_inst = EXEC_INST_POST_ONLY,
        .stp = STP_DECREMENT,
        .stop_px = 990000,
        .display_qty = 5,
        .min_qty = 2,
        .expire_ns = 1,
    };
    struct event_execution event = {
        .order_id = 77,
        .account = ALPHA,
        .instrument = MSFT,
        .side = SIDE_SELL,
        .ord_type = ORD_TYPE_LIMIT,
        .time_in_force = TIF_GTC,
        .exec_type = EXEC_NEW,
        .ord_status = ORD_NEW,
        .limit_px = 1000100,
        .order_qty = 10,
        .leaves_qty = 10,
    };
    const struct journal_record *record = new_order_record(&sent);
    blotter_execution(blotter, record, 8, &event);
    event.exec_type = EXEC_TRADE, event.ord_status = ORD_PARTIALLY_FILLED;
    event.last_qty = 4, event.last_px = 1000200, event.cum_qty = 4, event.leaves_qty = 6;
    event.trade_id = 3, event.last_liquidity = LIQUIDITY_REMOVED, event.fee = 123;
    const struct blotter_execution *execution = blotter_execution(blotter, record, 9, &event);

    json_order(&b, exchange.engine, blotter, blotter_find(blotter, 77));
    expect(
        &b,
        "{\"order_id\":\"77\",\"client_order_id\":\"my \\\"id\\\"\",\"symbol\":\"MSFT\","
        "\"side\":\"sell\",\"type\":\"limit\",\"time_in_force\":\"gtc\","
        "\"status\":\"partially_filled\",\"reject_reason\":null,\"cancel_reason\":null,\"qty\":10,"
        "\"limit_price\":\"100.0100\"," TERMS "\"cum_qty\":4,\"leaves_qty\":6,"
        "\"avg_price\":\"100.0200\",\"fees\":\"0.0123\",\"triggered_at\":null,"
        "\"created_at\":\"2023-11-14T22:13:20.000000001Z\","
        "\"updated_at\":\"2023-11-14T22:13:20.000000001Z\",\"fills\":[{\"exec_id\":\"9\","
        "\"trade_id\":\"3\",\"qty\":4,\"price\":\"100.0200\",\"liquidity\":\"taker\","
        "\"fee\":\"0.0123\",\"busted\":false,\"time\":\"2023-11-14T22:13:20.000000001Z\"}]}");
    json_execution(&b, exchange.engine, blotter, execution);
    expect(&b,
           "{\"exec_id\":\"9\",\"seq\":2,\"order_id\":\"77\","
           "\"client_order_id\":\"my \\\"id\\\"\",\"symbol\":\"MSFT\",\"side\":\"sell\","
           "\"type\":\"limit\",\"time_in_force\":\"gtc\",\"exec_type\":\"trade\","
           "\"status\":\"partially_filled\",\"reject_reason\":null,\"cancel_reason\":null,"
           "\"qty\":10,\"limit_price\":\"100.0100\"," TERMS "\"last_qty\":4,"
           "\"last_price\":\"100.0200\",\"cum_qty\":4,\"leaves_qty\":6,\"trade_id\":\"3\","
           "\"liquidity\":\"taker\",\"fee\":\"0.0123\",\"time\":\"2023-11-14T22:13:20.000000001Z\","
           "\"time_ns\":1700000000000000001}");
    blotter_destroy(blotter);
    small_exchange_close(&exchange);
    json_buffer_free(&b);
}

/* A text has each of these members. */
static void expect_members(struct json_buffer *b, const char *const *members)
{
    json_bytes(b, "", 1);
    assert_false(b->failed);
    for (; *members; members++)
        if (!strstr(b->text, *members)) fail_msg("%s is not in %s", *members, b->text);
    json_buffer_clear(b);
}

/* A reason is why an order was rejected or why it was canceled, never both; an open order that was
 * restated has none. */
static void reasons_say_why(void **state)
{
    struct small_exchange exchange;
    struct json_buffer b = {0};
    (void)state;
    small_exchange_open(&exchange);
    struct blotter *blotter = blotter_create(64, 64, 64);
    struct command_new_order sent = {
        .header = COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order)};
    struct event_execution event = {.order_id = 1,
                                    .account = ALPHA,
                                    .exec_type = EXEC_REJECTED,
                                    .ord_status = ORD_REJECTED,
                                    .reject_reason = REJECT_HALTED};
    const struct blotter_execution *x;
    x = blotter_execution(blotter, new_order_record(&sent), 1, &event);
    const char *const rejected[] = {"\"reject_reason\":\"halted\",\"cancel_reason\":null",
                                    "\"limit_price\":null", "\"stp\":null", NULL};
    json_order(&b, exchange.engine, blotter, blotter_find(blotter, 1));
    expect_members(&b, rejected);
    json_execution(&b, exchange.engine, blotter, x);
    expect_members(&b, rejected);

    event.order_id = 2, event.exec_type = EXEC_RESTATED, event.ord_status = ORD_NEW;
    event.reject_reason = REJECT_SELF_TRADE;
    x = blotter_execution(blotter, new_order_record(&sent), 2, &event);
    const char *const restated[] = {"\"exec_type\":\"restated\"",
                                    "\"reject_reason\":null,\"cancel_reason\":\"self_trade\"",
                                    NULL};
    json_execution(&b, exchange.engine, blotter, x);
    expect_members(&b, restated);
    const char *const open[] = {"\"reject_reason\":null,\"cancel_reason\":null", NULL};
    json_order(&b, exchange.engine, blotter, blotter_find(blotter, 2));
    expect_members(&b, open);

    event.exec_type = EXEC_CANCELED, event.ord_status = ORD_CANCELED;
    event.reject_reason = REJECT_CANCELED_ON_DISCONNECT;
    blotter_execution(blotter, new_order_record(&sent), 3, &event);
    const char *const canceled[] = {"\"reject_reason\":null,\"cancel_reason\":\"disconnected\"",
                                    NULL};
    json_order(&b, exchange.engine, blotter, blotter_find(blotter, 2));
    expect_members(&b, canceled);
    blotter_destroy(blotter);
    small_exchange_close(&exchange);
    json_buffer_free(&b);
}

/* An execution whose order is forgotten still says what itself knows. */
static void an_execution_outlives_its_order(void **state)
{
    struct small_exchange exchange;
    struct json_buffer b = {0};
    (void)state;
    small_exchange_open(&exchange);
    struct blotter *blotter = blotter_create(64, 64, 64);
    const struct blotter_execution x = {.exec_id = 4,
                                        .event = {.order_id = 9,
                                                  .account = ALPHA,
                                                  .instrument = AAPL,
                                                  .exec_type = BLOTTER_EXEC_BUSTED,
                                                  .trade_id = 3}};
    const char *const members[] = {"\"exec_type\":\"trade_busted\"",
                                   "\"trade_id\":\"3\"",
                                   "\"last_qty\":0",
                                   "\"fee\":null",
                                   "\"stop_price\":null",
                                   "\"symbol\":\"AAPL\"",
                                   NULL};
    json_execution(&b, exchange.engine, blotter, &x);
    expect_members(&b, members);
    blotter_destroy(blotter);
    small_exchange_close(&exchange);
    json_buffer_free(&b);
}

static void sessions_and_auctions_read_back(void **state)
{
    struct json_buffer b = {0};
    (void)state;
    const struct instrument_view halted = {
        .session = SESSION_HALT, .limit_state = 1, .session_ends_ns = 1, .next_session_ns = 0};
    json_session_state(&b, &halted);
    expect(&b, "\"session\":\"halt\",\"limit_state\":true,"
               "\"ends_at\":\"1970-01-01T00:00:00.000000001Z\",\"next_change_at\":null");
    const struct auction_view auction = {
        .px = 20000, .paired_qty = 4, .imbalance_qty = 3, .imbalance_side = SIDE_SELL};
    json_auction(&b, SESSION_OPENING_AUCTION, &auction);
    expect(&b, "\"session\":\"opening_auction\",\"price\":\"2.0000\",\"paired_qty\":4,"
               "\"imbalance_qty\":3,\"imbalance_side\":\"sell\"");
    json_auction(&b, SESSION_CLOSED, &(struct auction_view){0});
    expect(&b, "\"session\":\"closed\",\"price\":null,\"paired_qty\":0,\"imbalance_qty\":0,"
               "\"imbalance_side\":null");
    json_buffer_free(&b);
}

static void market_objects_have_nulls_where_nothing_traded(void **state)
{
    struct json_buffer b = {0};
    (void)state;
    const struct candle flat = {
        .start_ns = 0, .open_px = 1, .high_px = 1, .low_px = 1, .close_px = 1};
    const struct trade trade = {
        .trade_id = 3, .time_ns = 1, .px = 20000, .qty = 4, .taker_side = '2'};
    json_candle(&b, &flat, true, false);
    expect(&b, "{\"start\":\"1970-01-01T00:00:00.000000000Z\",\"open\":\"0.0001\","
               "\"high\":\"0.0001\",\"low\":\"0.0001\",\"close\":\"0.0001\",\"volume\":0,"
               "\"trades\":0,\"first_trade_id\":null,\"last_trade_id\":null,\"closed\":true}");
    json_trade(&b, &trade, true);
    expect(&b, "{\"trade_id\":\"3\",\"price\":\"2.0000\",\"qty\":4,\"taker_side\":\"sell\","
               "\"busted\":false,"
               "\"time\":\"1970-01-01T00:00:00.000000001Z\",\"time_ns\":1}");
    const struct trade uncrossed = {.trade_id = 3, .time_ns = 1, .px = 20000, .qty = 4};
    json_trade(&b, &uncrossed, false);
    expect(&b, "{\"trade_id\":\"3\",\"price\":\"2.0000\",\"qty\":4,\"taker_side\":null,"
               "\"busted\":false,\"time\":\"1970-01-01T00:00:00.000000001Z\"}");
    json_level(&b, 1893500, 200), expect(&b, "[\"189.3500\",200]");
    json_buffer_free(&b);
}

static void a_long_text_grows_the_buffer(void **state)
{
    struct json_buffer b = {0};
    (void)state;
    for (int i = 0; i < 100000; i++) json_text(&b, "0123456789");
    assert_false(b.failed);
    assert_int_equal(b.length, 1000000);
    assert_memory_equal(b.text + 999990, "0123456789", 10);
    json_buffer_free(&b);
    assert_null(b.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_keep_every_digit),
        cmocka_unit_test(prices_have_four_decimals),
        cmocka_unit_test(times_are_rfc_3339),
        cmocka_unit_test(every_day_has_the_date_of_the_c_library),
        cmocka_unit_test(strings_are_escaped_and_stay_utf_8),
        cmocka_unit_test(any_bytes_give_valid_json),
        cmocka_unit_test(words_are_the_contract_s),
        cmocka_unit_test(words_of_sessions_and_settings),
        cmocka_unit_test(what_is_not_set_is_null),
        cmocka_unit_test(an_order_and_its_execution_read_back),
        cmocka_unit_test(reasons_say_why),
        cmocka_unit_test(an_execution_outlives_its_order),
        cmocka_unit_test(sessions_and_auctions_read_back),
        cmocka_unit_test(market_objects_have_nulls_where_nothing_traded),
        cmocka_unit_test(a_long_text_grows_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
