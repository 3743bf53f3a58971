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
    assert_string_equal(json_ord_type(ORD_TYPE_LIMIT), "limit");
    assert_string_equal(json_time_in_force(TIF_DAY), "day");
    assert_string_equal(json_time_in_force(TIF_GTC), "gtc");
    assert_string_equal(json_time_in_force(TIF_IOC), "ioc");
    assert_string_equal(json_ord_status(ORD_NEW), "new");
    assert_string_equal(json_ord_status(ORD_PARTIALLY_FILLED), "partially_filled");
    assert_string_equal(json_ord_status(ORD_FILLED), "filled");
    assert_string_equal(json_ord_status(ORD_CANCELED), "canceled");
    assert_string_equal(json_ord_status(ORD_REJECTED), "rejected");
    assert_string_equal(json_ord_status(ORD_EXPIRED), "expired");
    assert_string_equal(json_exec_type(EXEC_TRADE), "trade");
    assert_string_equal(json_exec_type(EXEC_REPLACED), "replaced");
    assert_string_equal(json_side(0), "unknown");
    assert_string_equal(json_exec_type('z'), "unknown");
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
    event.trade_id = 3, event.last_liquidity = LIQUIDITY_REMOVED;
    const struct blotter_execution *execution = blotter_execution(blotter, record, 9, &event);

    json_order(&b, exchange.engine, blotter, blotter_find(blotter, 77));
    expect(&b, "{\"order_id\":\"77\",\"client_order_id\":\"my \\\"id\\\"\",\"symbol\":\"MSFT\","
               "\"side\":\"sell\",\"type\":\"limit\",\"time_in_force\":\"gtc\","
               "\"status\":\"partially_filled\",\"reject_reason\":null,\"qty\":10,"
               "\"limit_price\":\"100.0100\",\"cum_qty\":4,\"leaves_qty\":6,"
               "\"avg_price\":\"100.0200\",\"created_at\":\"2023-11-14T22:13:20.000000001Z\","
               "\"updated_at\":\"2023-11-14T22:13:20.000000001Z\",\"fills\":[{\"exec_id\":\"9\","
               "\"trade_id\":\"3\",\"qty\":4,\"price\":\"100.0200\",\"liquidity\":\"taker\","
               "\"time\":\"2023-11-14T22:13:20.000000001Z\"}]}");
    json_execution(&b, exchange.engine, blotter, execution);
    expect(&b, "{\"exec_id\":\"9\",\"seq\":2,\"order_id\":\"77\","
               "\"client_order_id\":\"my \\\"id\\\"\",\"symbol\":\"MSFT\",\"side\":\"sell\","
               "\"type\":\"limit\",\"time_in_force\":\"gtc\",\"exec_type\":\"trade\","
               "\"status\":\"partially_filled\",\"reject_reason\":null,"
               "\"qty\":10,\"limit_price\":\"100.0100\",\"last_qty\":4,"
               "\"last_price\":\"100.0200\",\"cum_qty\":4,\"leaves_qty\":6,\"trade_id\":\"3\","
               "\"liquidity\":\"taker\",\"time\":\"2023-11-14T22:13:20.000000001Z\","
               "\"time_ns\":1700000000000000001}");
    blotter_destroy(blotter);
    small_exchange_close(&exchange);
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
               "\"time\":\"1970-01-01T00:00:00.000000001Z\",\"time_ns\":1}");
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
        cmocka_unit_test(an_order_and_its_execution_read_back),
        cmocka_unit_test(market_objects_have_nulls_where_nothing_traded),
        cmocka_unit_test(a_long_text_grows_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
