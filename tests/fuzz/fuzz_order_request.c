/* fuzz_order_request.c - a client's JSON on its way to a command: whatever comes, either a command
 * that keeps every promise of its fields, or a complaint. */
#include <string.h>

#include "engine/base/check.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/web/small_exchange.h"
#include "web/json/encode.h"
#include "web/json/parse.h"

static const struct identity alpha = {.key_id = "KEYALPHA", .user = ALPHA, .account = ALPHA};

static void check_cl_ord_id(const char cl_ord_id[CL_ORD_ID_BYTES])
{
    size_t length = strnlen(cl_ord_id, CL_ORD_ID_BYTES);
    for (size_t i = 0; i < CL_ORD_ID_BYTES; i++)
        CHECK(i < length ? cl_ord_id[i] > ' ' && cl_ord_id[i] <= '~' : cl_ord_id[i] == '\0');
}

static void check_complaint(const struct complaint *complaint)
{
    CHECK(complaint->reason != REJECT_NONE);
    CHECK(memchr(complaint->field, '\0', sizeof complaint->field));
    CHECK(reject_row(complaint->reason)->number == complaint->reason);
}

static void check_new_order(const json_t *object, const struct engine *engine)
{
    struct command_new_order command;
    struct complaint complaint;
    if (!admission_new_order(object, engine, &alpha, &command, &complaint)) {
        check_complaint(&complaint);
        return;
    }
    CHECK(command.account == ALPHA && command.user == ALPHA);
    CHECK(command.instrument == AAPL || command.instrument == MSFT);
    CHECK(command.side == SIDE_BUY || command.side == SIDE_SELL);
    CHECK(command.ord_type == ORD_TYPE_LIMIT);
    CHECK(command.order_qty > 0 && command.order_qty <= QTY_MAX);
    CHECK(command.limit_px > 0 && command.limit_px <= PX_MAX);
    check_cl_ord_id(command.cl_ord_id);
}

static void check_changes(const json_t *object)
{
    struct command_cancel_order cancel;
    struct command_replace_order replace;
    struct complaint complaint;
    if (admission_cancel(object, &alpha, &cancel, &complaint)) {
        CHECK((cancel.order_id == 0) != (cancel.orig_cl_ord_id[0] == '\0'));
        CHECK(cancel.order_id <= INT64_MAX);
        check_cl_ord_id(cancel.orig_cl_ord_id);
    } else {
        check_complaint(&complaint);
    }
    if (admission_replace(object, &alpha, &replace, &complaint)) {
        CHECK((replace.order_id == 0) != (replace.orig_cl_ord_id[0] == '\0'));
        CHECK(replace.order_qty > 0 && replace.order_qty <= QTY_MAX);
    } else {
        check_complaint(&complaint);
    }
}

/* Prices and times that are taken mean the same when they are written and read again. */
static void check_round_trips(const char *text)
{
    struct json_buffer written = {0};
    px_t px, px_again;
    int64_t ns, ns_again;
    if (admission_parse_px(text, &px)) {
        json_px(&written, px);
        written.text[written.length - 1] = '\0'; /* the closing quote */
        CHECK(admission_parse_px(written.text + 1, &px_again) && px == px_again);
        json_buffer_clear(&written);
    }
    if (json_parse_time(text, &ns)) {
        json_time(&written, ns);
        written.text[written.length - 1] = '\0';
        CHECK(json_parse_time(written.text + 1, &ns_again) && ns == ns_again);
        json_buffer_clear(&written);
    }
    json_quoted(&written, text, strlen(text));
    json_error_t error;
    json_t *read = json_loadb(written.text, written.length, JSON_DECODE_ANY, &error);
    CHECK(read != NULL);
    json_decref(read);
    json_buffer_free(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct small_exchange exchange;
    if (!exchange.engine) small_exchange_open(&exchange);
    json_t *object = json_parse_object((const char *)bytes, length);
    if (object) {
        const char *name;
        json_t *value;
        check_new_order(object, exchange.engine);
        check_changes(object);
        json_object_foreach(object, name, value) if (json_is_string(value))
            check_round_trips(json_string_value(value));
    }
    json_decref(object);

    char text[256];
    size_t kept = length < sizeof text - 1 ? length : sizeof text - 1;
    memcpy(text, bytes, kept);
    text[kept] = '\0';
    check_round_trips(text);
    return 0;
}
