/* request_test.c - what a frame may ask for, and the complaint about everything else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "web/stream/request.h"

static struct engine *engine;

static void emit(void *context, const void *message, size_t length)
{
    (void)context, (void)message, (void)length;
}

static int list_symbols(void **state)
{
    (void)state;
    const struct limits limits = {300, 2, 2, 2, 16, 512, 16, 16, 16, 16};
    const struct event_sink sink = {emit, NULL};
    engine = engine_init(arena_map(engine_bytes(&limits), 0), &limits);
    struct command_configure configure = {
        .header = COMMAND_HEADER(COMMAND_CONFIGURE, struct command_configure), .limits = limits};
    engine_step(engine, 1, 1, &configure, sizeof configure, &sink);
    for (uint32_t i = 1; i < 300; i++) {
        struct command_list_instrument list = {
            .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
            .instrument = i,
            .name = "a name",
            .tick_px = 100,
            .lot_qty = 1,
            .max_order_qty = 1000,
            .max_order_notional = 1000000000};
        snprintf(list.symbol, sizeof list.symbol, "S%u", i);
        engine_step(engine, i + 1, 1, &list, sizeof list, &sink);
    }
    return 0;
}

/* ---- the envelope ---- */

static void test_envelopes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum reject reason;
        const char *field, *id;
    } cases[] = {
        {"{\"id\":1,\"method\":\"ping\"}", REJECT_NONE, "", "1"},
        {"{\"id\":-7,\"method\":\"ping\",\"params\":{}}", REJECT_NONE, "", "-7"},
        {"{\"id\":\"a \\\"b\\\"\",\"method\":\"ping\"}", REJECT_NONE, "", "\"a \\\"b\\\"\""},
        {"{\"id\":\"\",\"method\":\"ping\"}", REJECT_NONE, "", "\"\""},
        {"", REJECT_MALFORMED_JSON, "", "null"},
        {"[]", REJECT_MALFORMED_JSON, "", "null"},
        {"{\"id\":1,\"method\":\"ping\"", REJECT_MALFORMED_JSON, "", "null"},
        {"{\"id\":1,\"id\":2,\"method\":\"ping\"}", REJECT_MALFORMED_JSON, "", "null"},
        {"{\"id\":1,\"method\":\"ping\"} x", REJECT_MALFORMED_JSON, "", "null"},
        {"{\"id\":\"\xff\",\"method\":\"ping\"}", REJECT_MALFORMED_JSON, "", "null"},
        {"{\"method\":\"ping\"}", REJECT_MISSING_FIELD, "id", "null"},
        {"{\"id\":1.5,\"method\":\"ping\"}", REJECT_INVALID_FIELD, "id", "null"},
        {"{\"id\":null,\"method\":\"ping\"}", REJECT_INVALID_FIELD, "id", "null"},
        {"{\"id\":[1],\"method\":\"ping\"}", REJECT_INVALID_FIELD, "id", "null"},
        {"{\"id\":99999999999999999999,\"method\":\"ping\"}", REJECT_INVALID_FIELD, "id", "null"},
        {"{\"id\":1}", REJECT_MISSING_FIELD, "method", "1"},
        {"{\"id\":1,\"method\":7}", REJECT_INVALID_FIELD, "method", "1"},
        {"{\"id\":1,\"method\":\"order.drop\"}", REJECT_UNKNOWN_METHOD, "method", "1"},
        {"{\"id\":1,\"method\":\"order.cancel_all\"}", REJECT_NONE, "", "1"},
        {"{\"id\":1,\"method\":\"order.cancel_after\"}", REJECT_NONE, "", "1"},
        {"{\"id\":1,\"method\":\"ping\",\"params\":[]}", REJECT_INVALID_FIELD, "params", "1"},
        {"{\"id\":1,\"method\":\"ping\",\"params\":null}", REJECT_INVALID_FIELD, "params", "1"},
        {"{\"id\":1,\"method\":\"ping\",\"extra\":0}", REJECT_UNKNOWN_FIELD, "extra", "1"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stream_request request;
        struct complaint complaint = {0};
        bool ok = request_parse(cases[i].text, strlen(cases[i].text), &request, &complaint);
        if (ok != (cases[i].reason == REJECT_NONE) || complaint.reason != cases[i].reason ||
            strcmp(complaint.field, cases[i].field) != 0 || strcmp(request.id, cases[i].id) != 0)
            fail_msg("%s: %d %s under %s", cases[i].text, (int)complaint.reason, complaint.field,
                     request.id);
        assert_int_equal(ok, request.params != NULL);
        json_decref(request.params);
    }
}

static void test_ids_are_at_most_64_bytes(void **state)
{
    (void)state;
    for (size_t length = 63; length <= 65; length++) {
        struct stream_request request;
        struct complaint complaint;
        /* every second byte escaped, so that the echo is longer than the id */
        char id[6 * 65 + 1] = "";
        for (size_t i = 0; i < length; i++) strcat(id, i % 2 ? "\\u0001" : "x");
        char whole[sizeof id + 64];
        snprintf(whole, sizeof whole, "{\"id\":\"%s\",\"method\":\"ping\"}", id);
        assert_int_equal(request_parse(whole, strlen(whole), &request, &complaint), length <= 64);
        if (length <= 64) {
            json_t *echo = json_loads(request.id, JSON_DECODE_ANY, NULL);
            assert_int_equal(json_string_length(echo), length);
            json_decref(echo);
        }
        json_decref(request.params);
    }
}

/* ---- channels ---- */

static bool channel(const char *text, bool unsubscribe, struct channel_request *request,
                    struct complaint *complaint)
{
    json_t *params = json_loads(text, 0, NULL);
    assert_non_null(params);
    *complaint = (struct complaint){0};
    bool ok = request_channel(params, engine, unsubscribe, request, complaint);
    json_decref(params);
    return ok;
}

static void test_subscriptions(void **state)
{
    (void)state;
    struct channel_request r;
    struct complaint complaint;
    assert_true(channel("{\"channel\":\"book\",\"symbols\":[\"S1\",\"S7\",\"S1\"],\"depth\":1000}",
                        false, &r, &complaint));
    assert_int_equal(r.channel, CHANNEL_BOOK);
    assert_int_equal(r.symbol_count, 2); /* each once */
    assert_int_equal(r.instruments[0], 1);
    assert_int_equal(r.instruments[1], 7);
    assert_int_equal(r.depth, 1000);
    assert_true(channel("{\"channel\":\"book\",\"symbols\":[\"S1\"]}", false, &r, &complaint));
    assert_int_equal(r.depth, 20);
    assert_true(channel("{\"channel\":\"candles\",\"symbols\":[\"S1\"],\"interval\":\"15m\"}",
                        false, &r, &complaint));
    assert_int_equal(r.interval, CANDLE_15M);
    assert_true(channel("{\"channel\":\"candles\",\"symbols\":[\"S1\"]}", false, &r, &complaint));
    assert_int_equal(r.interval, CANDLE_1M);
    assert_true(channel("{\"channel\":\"orders\",\"resume_from\":5}", false, &r, &complaint));
    assert_int_equal(r.resume_from, 5);
    assert_int_equal(r.symbol_count, 0);
    assert_true(channel("{\"channel\":\"orders\"}", true, &r, &complaint));
    assert_true(channel("{\"channel\":\"heartbeat\"}", false, &r, &complaint));
    assert_true(channel("{\"channel\":\"status\",\"symbols\":[\"S2\"]}", false, &r, &complaint));
    assert_int_equal(r.channel, CHANNEL_STATUS);
    assert_int_equal(r.instruments[0], 2);
    assert_true(channel("{\"channel\":\"auction\",\"symbols\":[\"S3\"]}", false, &r, &complaint));
    assert_int_equal(r.channel, CHANNEL_AUCTION);
    assert_true(channel("{\"channel\":\"trades\",\"symbols\":[\"S299\"]}", true, &r, &complaint));
}

static void test_bad_subscriptions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum reject reason;
        const char *field;
    } cases[] = {
        {"{}", REJECT_MISSING_FIELD, "channel"},
        {"{\"channel\":7}", REJECT_INVALID_FIELD, "channel"},
        {"{\"channel\":\"tape\"}", REJECT_INVALID_FIELD, "channel"},
        {"{\"channel\":\"book\"}", REJECT_MISSING_FIELD, "symbols"},
        {"{\"channel\":\"book\",\"symbols\":\"S1\"}", REJECT_INVALID_FIELD, "symbols"},
        {"{\"channel\":\"book\",\"symbols\":[]}", REJECT_INVALID_FIELD, "symbols"},
        {"{\"channel\":\"book\",\"symbols\":[1]}", REJECT_INVALID_FIELD, "symbols"},
        {"{\"channel\":\"book\",\"symbols\":[\"\"]}", REJECT_UNKNOWN_INSTRUMENT, "symbols"},
        {"{\"channel\":\"book\",\"symbols\":[\"S1\",\"S0\"]}", REJECT_UNKNOWN_INSTRUMENT,
         "symbols"},
        {"{\"channel\":\"book\",\"symbols\":[\"S1S1S1S1S1S1S1S1S1S1\"]}", REJECT_UNKNOWN_INSTRUMENT,
         "symbols"},
        {"{\"channel\":\"book\",\"symbols\":[\"S1\"],\"depth\":0}", REJECT_INVALID_FIELD, "depth"},
        {"{\"channel\":\"book\",\"symbols\":[\"S1\"],\"depth\":1001}", REJECT_INVALID_FIELD,
         "depth"},
        {"{\"channel\":\"book\",\"symbols\":[\"S1\"],\"depth\":\"5\"}", REJECT_INVALID_FIELD,
         "depth"},
        {"{\"channel\":\"book\",\"symbols\":[\"S1\"],\"depth\":5.0}", REJECT_INVALID_FIELD,
         "depth"},
        {"{\"channel\":\"book\",\"symbols\":[\"S1\"],\"interval\":\"1m\"}", REJECT_UNKNOWN_FIELD,
         "interval"},
        {"{\"channel\":\"trades\",\"symbols\":[\"S1\"],\"depth\":5}", REJECT_UNKNOWN_FIELD,
         "depth"},
        {"{\"channel\":\"candles\",\"symbols\":[\"S1\"],\"interval\":\"2m\"}", REJECT_INVALID_FIELD,
         "interval"},
        {"{\"channel\":\"candles\",\"symbols\":[\"S1\"],\"interval\":60}", REJECT_INVALID_FIELD,
         "interval"},
        {"{\"channel\":\"orders\",\"symbols\":[\"S1\"]}", REJECT_UNKNOWN_FIELD, "symbols"},
        {"{\"channel\":\"orders\",\"resume_from\":0}", REJECT_INVALID_FIELD, "resume_from"},
        {"{\"channel\":\"orders\",\"resume_from\":-1}", REJECT_INVALID_FIELD, "resume_from"},
        {"{\"channel\":\"orders\",\"resume_from\":\"1\"}", REJECT_INVALID_FIELD, "resume_from"},
        {"{\"channel\":\"heartbeat\",\"resume_from\":1}", REJECT_UNKNOWN_FIELD, "resume_from"},
        {"{\"channel\":\"status\"}", REJECT_MISSING_FIELD, "symbols"},
        {"{\"channel\":\"status\",\"symbols\":[\"S1\"],\"depth\":1}", REJECT_UNKNOWN_FIELD,
         "depth"},
        {"{\"channel\":\"auction\",\"symbols\":[]}", REJECT_INVALID_FIELD, "symbols"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct channel_request request;
        struct complaint complaint;
        bool ok = channel(cases[i].text, false, &request, &complaint);
        if (ok || complaint.reason != cases[i].reason ||
            strcmp(complaint.field, cases[i].field) != 0)
            fail_msg("%s: %d %s", cases[i].text, (int)complaint.reason, complaint.field);
    }
    struct channel_request request;
    struct complaint complaint;
    assert_false(channel("{\"channel\":\"orders\",\"resume_from\":5}", true, &request, &complaint));
    assert_int_equal(complaint.reason, REJECT_UNKNOWN_FIELD);
    assert_false(channel("{\"channel\":\"book\",\"symbols\":[\"S1\"],\"depth\":5}", true, &request,
                         &complaint));
    assert_int_equal(complaint.reason, REJECT_UNKNOWN_FIELD);
}

static void test_at_most_200_symbols(void **state)
{
    (void)state;
    for (unsigned count = 200; count <= 201; count++) {
        char text[4096] = "{\"channel\":\"trades\",\"symbols\":[";
        for (unsigned i = 1; i <= count; i++)
            sprintf(text + strlen(text), "%s\"S%u\"", i > 1 ? "," : "", i);
        strcat(text, "]}");
        struct channel_request request;
        struct complaint complaint;
        assert_int_equal(channel(text, false, &request, &complaint), count <= 200);
        if (count > 200) assert_int_equal(complaint.reason, REJECT_TOO_MANY_SUBSCRIPTIONS);
    }
}

/* ---- auth ---- */

static void test_auth(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum reject reason;
        const char *field;
    } cases[] = {
        {"{\"key\":\"K\",\"timestamp\":1790000000000,\"sign\":\"ab\"}", REJECT_NONE, ""},
        {"{\"key\":\"K\",\"timestamp\":1,\"sign\":\"ab\",\"recv_window\":60000}", REJECT_NONE, ""},
        {"{\"timestamp\":1,\"sign\":\"ab\"}", REJECT_MISSING_FIELD, "key"},
        {"{\"key\":\"K\",\"sign\":\"ab\"}", REJECT_MISSING_FIELD, "timestamp"},
        {"{\"key\":\"K\",\"timestamp\":1}", REJECT_MISSING_FIELD, "sign"},
        {"{\"key\":1,\"timestamp\":1,\"sign\":\"ab\"}", REJECT_INVALID_FIELD, "key"},
        {"{\"key\":\"K\",\"timestamp\":\"1\",\"sign\":\"ab\"}", REJECT_INVALID_FIELD, "timestamp"},
        {"{\"key\":\"K\",\"timestamp\":-1,\"sign\":\"ab\"}", REJECT_INVALID_FIELD, "timestamp"},
        {"{\"key\":\"K\",\"timestamp\":1,\"sign\":null}", REJECT_INVALID_FIELD, "sign"},
        {"{\"key\":\"K\",\"timestamp\":1,\"sign\":\"ab\",\"recv_window\":\"5\"}",
         REJECT_INVALID_FIELD, "recv_window"},
        {"{\"key\":\"K\",\"timestamp\":1,\"sign\":\"ab\",\"secret\":\"s\"}", REJECT_UNKNOWN_FIELD,
         "secret"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *params = json_loads(cases[i].text, 0, NULL);
        struct auth_request request;
        struct complaint complaint = {0};
        bool ok = request_auth(params, &request, &complaint);
        if (ok != (cases[i].reason == REJECT_NONE) || complaint.reason != cases[i].reason ||
            strcmp(complaint.field, cases[i].field) != 0)
            fail_msg("%s: %d %s", cases[i].text, (int)complaint.reason, complaint.field);
        if (i == 0) {
            assert_string_equal(request.timestamp, "1790000000000");
            assert_string_equal(request.recv_window, "");
        }
        if (i == 1) assert_string_equal(request.recv_window, "60000");
        json_decref(params);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_envelopes),           cmocka_unit_test(test_ids_are_at_most_64_bytes),
        cmocka_unit_test(test_subscriptions),       cmocka_unit_test(test_bad_subscriptions),
        cmocka_unit_test(test_at_most_200_symbols), cmocka_unit_test(test_auth),
    };
    return cmocka_run_group_tests(tests, list_symbols, NULL);
}
