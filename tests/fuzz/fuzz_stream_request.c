/* fuzz_stream_request.c - a WebSocket client's frame: whatever comes, either a request that keeps
 * every promise of its fields, or a complaint under an id that is JSON. */
#include <string.h>

#include "engine/base/check.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/web/small_exchange.h"
#include "web/stream/origin.h"
#include "web/stream/request.h"

static void check_complaint(const struct complaint *complaint)
{
    CHECK(complaint->reason != REJECT_NONE);
    CHECK(memchr(complaint->field, '\0', sizeof complaint->field));
    CHECK(reject_row(complaint->reason)->number == complaint->reason);
}

static void check_id(const char id[REQUEST_ID_TEXT_BYTES])
{
    CHECK(memchr(id, '\0', REQUEST_ID_TEXT_BYTES));
    json_t *read = json_loads(id, JSON_DECODE_ANY, NULL);
    CHECK(json_is_integer(read) || json_is_null(read) ||
          (json_is_string(read) && json_string_length(read) <= REQUEST_ID_MAX_BYTES));
    json_decref(read);
}

static void check_channel(const json_t *params, const struct engine *engine, bool unsubscribe)
{
    struct channel_request request;
    struct complaint complaint = {0};
    if (!request_channel(params, engine, unsubscribe, &request, &complaint)) {
        check_complaint(&complaint);
        return;
    }
    CHECK((unsigned)request.channel < CHANNELS);
    CHECK(request.symbol_count <= 2); /* there are two, and each comes once */
    bool has_symbols = request.channel != CHANNEL_ORDERS && request.channel != CHANNEL_HEARTBEAT;
    CHECK(has_symbols == (request.symbol_count > 0));
    for (unsigned i = 0; i < request.symbol_count; i++)
        CHECK(request.instruments[i] == AAPL || request.instruments[i] == MSFT);
    CHECK(request.depth >= 1 && request.depth <= STREAM_DEPTH_MAX);
    CHECK((unsigned)request.interval < CANDLE_INTERVALS);
    CHECK(request.resume_from <= INT64_MAX);
}

static void check_auth(const json_t *params)
{
    struct auth_request request;
    struct complaint complaint = {0};
    if (!request_auth(params, &request, &complaint)) {
        check_complaint(&complaint);
        return;
    }
    CHECK(request.key && request.sign);
    CHECK(strspn(request.timestamp, "0123456789") == strlen(request.timestamp));
    CHECK(strspn(request.recv_window, "0123456789") == strlen(request.recv_window));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct small_exchange exchange;
    if (!exchange.engine) small_exchange_open(&exchange);
    struct stream_request request;
    struct complaint complaint = {0};
    bool ok = request_parse((const char *)bytes, length, &request, &complaint);
    check_id(request.id);
    CHECK(ok == (request.params != NULL));
    if (ok) {
        check_channel(request.params, exchange.engine, false);
        check_channel(request.params, exchange.engine, true);
        check_auth(request.params);
    } else {
        check_complaint(&complaint);
    }
    json_decref(request.params);

    char origin[128];
    size_t kept = length < sizeof origin - 1 ? length : sizeof origin - 1;
    memcpy(origin, bytes, kept);
    origin[kept] = '\0';
    CHECK(!origin_allowed(origin, "an.unlikely.host.example:8081"));
    return 0;
}
