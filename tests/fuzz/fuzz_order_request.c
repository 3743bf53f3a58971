/* fuzz_order_request.c - a client's JSON on its way to a command: whatever comes, either a command
 * that keeps every promise of its fields, or a complaint. */
#include <string.h>

#include "engine/base/check.h"
#include "engine/engine_dry_run.h"
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

/* What is left out of a message says nothing. */
static void check_length(const struct sbe_header *header, size_t v1_bytes, const void *command,
                         size_t bytes)
{
    const char *at = command;
    size_t sent = admission_bytes(header);
    CHECK(header->version == 1 ? sent == v1_bytes : sent == bytes);
    for (size_t i = sent; i < bytes; i++) CHECK(at[i] == '\0');
}

static void check_new_order(const json_t *object, struct engine *engine)
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
    CHECK(command.ord_type >= ORD_TYPE_MARKET && command.ord_type <= ORD_TYPE_STOP_LIMIT);
    bool limit = command.ord_type == ORD_TYPE_LIMIT || command.ord_type == ORD_TYPE_STOP_LIMIT;
    bool stop = command.ord_type == ORD_TYPE_STOP || command.ord_type == ORD_TYPE_STOP_LIMIT;
    CHECK(limit == (command.limit_px > 0) && command.limit_px <= PX_MAX);
    CHECK(stop == (command.stop_px > 0) && command.stop_px <= PX_MAX);
    CHECK(strchr("0123467", command.time_in_force) && command.time_in_force);
    CHECK((command.time_in_force == TIF_GTD) == (command.expire_ns > 0));
    CHECK(command.order_qty > 0 && command.order_qty <= QTY_MAX);
    CHECK(command.display_qty >= 0 && command.display_qty <= QTY_MAX);
    CHECK(command.min_qty >= 0 && command.min_qty <= QTY_MAX);
    CHECK(command.exec_inst <= (EXEC_INST_POST_ONLY | EXEC_INST_CANCEL_ON_DISCONNECT));
    CHECK(command.stp <= STP_ALLOW);
    check_cl_ord_id(command.cl_ord_id);
    check_length(&command.header, NEW_ORDER_V1_BYTES, &command, sizeof command);
    (void)engine_dry_run(engine, &command); /* whatever admission takes the engine can look at */
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
        CHECK(replace.order_qty >= 0 && replace.order_qty <= QTY_MAX);
        CHECK(replace.limit_px >= 0 && replace.limit_px <= PX_MAX);
        CHECK(replace.stop_px >= 0 && replace.stop_px <= PX_MAX);
        CHECK(replace.order_qty || replace.limit_px || replace.stop_px || replace.cl_ord_id[0]);
        check_cl_ord_id(replace.cl_ord_id);
        check_length(&replace.header, REPLACE_ORDER_V1_BYTES, &replace, sizeof replace);
    } else {
        check_complaint(&complaint);
    }
}

static void check_many(const json_t *object, const struct engine *engine)
{
    struct command_mass_cancel cancel;
    struct command_cancel_after after;
    struct complaint complaint;
    if (admission_mass_cancel(object, engine, &alpha, &cancel, &complaint)) {
        CHECK(cancel.account == ALPHA && cancel.user == ALPHA && cancel.on_disconnect == 0);
        CHECK(cancel.instrument <= MSFT);
        CHECK(cancel.side == 0 || cancel.side == SIDE_BUY || cancel.side == SIDE_SELL);
    } else {
        check_complaint(&complaint);
    }
    if (admission_cancel_after(object, &alpha, &after, &complaint))
        CHECK(after.timeout_ns >= 0 && after.timeout_ns <= CANCEL_AFTER_MAX_S * 1000000000LL);
    else
        check_complaint(&complaint);
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
        check_many(object, exchange.engine);
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
