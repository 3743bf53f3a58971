/* order_request_test.c - objects to commands: what each field may be, and the one complaint that
 * each mistake gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/web/small_exchange.h"
#include "web/admission/admission.h"
#include "web/json/parse.h"

static struct small_exchange exchange;
static const struct identity alpha = {.key_id = "KEYALPHA", .user = ALPHA, .account = ALPHA};

static int open_exchange(void **state)
{
    (void)state;
    small_exchange_open(&exchange);
    return 0;
}

static int close_exchange(void **state)
{
    (void)state;
    small_exchange_close(&exchange);
    return 0;
}

static json_t *object_of(const char *text)
{
    json_t *object = json_parse_object(text, strlen(text));
    if (!object) fail_msg("no object: %s", text);
    return object;
}

static bool new_order(const char *text, struct command_new_order *command,
                      struct complaint *complaint)
{
    json_t *object = object_of(text);
    bool good = admission_new_order(object, exchange.engine, &alpha, command, complaint);
    json_decref(object);
    return good;
}

#define GOOD_BUT(change)                                                                           \
    "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"type\":\"limit\",\"qty\":10,"                         \
    "\"limit_price\":\"189.35\"" change "}"

static void a_new_order_becomes_its_command(void **state)
{
    struct command_new_order command;
    struct complaint complaint;
    (void)state;
    assert_true(new_order(GOOD_BUT(""), &command, &complaint));
    struct command_new_order wanted = {
        .header = sbe_header_v1(COMMAND_NEW_ORDER, NEW_ORDER_V1_BYTES),
        .account = ALPHA,
        .user = ALPHA,
        .instrument = AAPL,
        .side = SIDE_BUY,
        .ord_type = ORD_TYPE_LIMIT,
        .time_in_force = TIF_DAY,
        .order_qty = 10,
        .limit_px = 1893500,
    };
    assert_memory_equal(&command, &wanted, sizeof wanted);

    assert_true(new_order("{\"client_order_id\":\"123456789012345678901234567890123456\","
                          "\"time_in_force\":\"ioc\",\"limit_price\":\"0.0001\",\"qty\":"
                          "1000000000000,\"type\":\"limit\",\"side\":\"sell\",\"symbol\":\"MSFT\"}",
                          &command, &complaint));
    wanted.instrument = MSFT, wanted.side = SIDE_SELL, wanted.time_in_force = TIF_IOC;
    wanted.order_qty = QTY_MAX, wanted.limit_px = 1;
    memcpy(wanted.cl_ord_id, "123456789012345678901234567890123456", CL_ORD_ID_BYTES);
    assert_memory_equal(&command, &wanted, sizeof wanted);
    assert_int_equal(admission_bytes(&command.header), NEW_ORDER_V1_BYTES);
}

#define OF_TYPE(type, more)                                                                        \
    "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"type\":\"" type "\",\"qty\":10" more "}"

/* Whatever version 1 has no field for is sent as version 2, with nothing else changed. */
static void each_term_becomes_its_field(void **state)
{
    static const struct {
        const char *text;
        struct command_new_order wanted;
    } orders[] = {
        {OF_TYPE("market", ""), {.ord_type = ORD_TYPE_MARKET}},
        {OF_TYPE("market", ",\"time_in_force\":\"fok\""),
         {.ord_type = ORD_TYPE_MARKET, .time_in_force = TIF_FOK}},
        {OF_TYPE("market", ",\"time_in_force\":\"opg\""),
         {.ord_type = ORD_TYPE_MARKET, .time_in_force = TIF_AT_OPEN}},
        {OF_TYPE("limit", ",\"limit_price\":\"1\",\"time_in_force\":\"cls\""),
         {.ord_type = ORD_TYPE_LIMIT, .limit_px = 10000, .time_in_force = TIF_AT_CLOSE}},
        {OF_TYPE("stop", ",\"stop_price\":\"2.5\""), {.ord_type = ORD_TYPE_STOP, .stop_px = 25000}},
        {OF_TYPE("stop_limit", ",\"stop_price\":\"2.5\",\"limit_price\":\"3\""),
         {.ord_type = ORD_TYPE_STOP_LIMIT, .stop_px = 25000, .limit_px = 30000}},
        {OF_TYPE("limit", ",\"limit_price\":\"1\",\"time_in_force\":\"gtd\","
                          "\"expire_at\":\"2026-11-22T09:30:00.000000001Z\""),
         {.ord_type = ORD_TYPE_LIMIT,
          .limit_px = 10000,
          .time_in_force = TIF_GTD,
          .expire_ns = INT64_C(1795339800000000001)}},
        {OF_TYPE("limit", ",\"limit_price\":\"1\",\"display_qty\":3"),
         {.ord_type = ORD_TYPE_LIMIT, .limit_px = 10000, .display_qty = 3}},
        {OF_TYPE("limit", ",\"limit_price\":\"1\",\"min_qty\":4"),
         {.ord_type = ORD_TYPE_LIMIT, .limit_px = 10000, .min_qty = 4}},
        {OF_TYPE("limit", ",\"limit_price\":\"1\",\"post_only\":true"),
         {.ord_type = ORD_TYPE_LIMIT, .limit_px = 10000, .exec_inst = EXEC_INST_POST_ONLY}},
        {OF_TYPE("limit", ",\"limit_price\":\"1\",\"cancel_on_disconnect\":true,"
                          "\"post_only\":false"),
         {.ord_type = ORD_TYPE_LIMIT,
          .limit_px = 10000,
          .exec_inst = EXEC_INST_CANCEL_ON_DISCONNECT}},
        {OF_TYPE("limit", ",\"limit_price\":\"1\",\"stp\":\"decrement\""),
         {.ord_type = ORD_TYPE_LIMIT, .limit_px = 10000, .stp = STP_DECREMENT}},
        {OF_TYPE("limit", ",\"limit_price\":\"1\",\"stp\":\"allow\""),
         {.ord_type = ORD_TYPE_LIMIT, .limit_px = 10000, .stp = STP_ALLOW}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        struct command_new_order command, wanted = orders[i].wanted;
        struct complaint complaint;
        if (!new_order(orders[i].text, &command, &complaint))
            fail_msg("%s: %s", orders[i].text, reject_row(complaint.reason)->code);
        bool plain = !wanted.stop_px && !wanted.expire_ns && !wanted.display_qty &&
                     !wanted.min_qty && !wanted.exec_inst && !wanted.stp;
        wanted.header = plain ? sbe_header_v1(COMMAND_NEW_ORDER, NEW_ORDER_V1_BYTES)
                              : COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order);
        wanted.account = wanted.user = ALPHA;
        wanted.instrument = AAPL;
        wanted.side = SIDE_BUY;
        wanted.order_qty = 10;
        if (!wanted.time_in_force) wanted.time_in_force = TIF_DAY;
        assert_memory_equal(&command, &wanted, sizeof wanted);
    }
}

/* What may be wrong with an order, and what is said about it. */
#define ORDER(symbol, side, type, qty, price)                                                      \
    "{\"symbol\":" symbol ",\"side\":" side ",\"type\":" type ",\"qty\":" qty                      \
    ",\"limit_price\":" price "}"
#define SYMBOL(x) ORDER(x, "\"buy\"", "\"limit\"", "1", "\"1\"")
#define SIDE(x)   ORDER("\"AAPL\"", x, "\"limit\"", "1", "\"1\"")
#define TYPE(x)   ORDER("\"AAPL\"", "\"buy\"", x, "1", "\"1\"")
#define QTY(x)    ORDER("\"AAPL\"", "\"buy\"", "\"limit\"", x, "\"1\"")
#define PRICE(x)  ORDER("\"AAPL\"", "\"buy\"", "\"limit\"", "1", x)
static const struct {
    const char *text;
    enum reject reason;
    const char *field;
} order_mistakes[] = {
    {"{}", REJECT_MISSING_FIELD, "symbol"},
    {"{\"symbol\":\"AAPL\"}", REJECT_MISSING_FIELD, "side"},
    {"{\"symbol\":\"AAPL\",\"side\":\"buy\"}", REJECT_MISSING_FIELD, "type"},
    {"{\"symbol\":\"AAPL\",\"side\":\"buy\",\"type\":\"limit\"}", REJECT_MISSING_FIELD, "qty"},
    {"{\"symbol\":\"AAPL\",\"side\":\"buy\",\"type\":\"limit\",\"qty\":1}", REJECT_MISSING_FIELD,
     "limit_price"},
    {SYMBOL("1"), REJECT_INVALID_FIELD, "symbol"},
    {SYMBOL("null"), REJECT_INVALID_FIELD, "symbol"},
    {SYMBOL("\"\""), REJECT_UNKNOWN_INSTRUMENT, "symbol"},
    {SYMBOL("\"ZZZZ\""), REJECT_UNKNOWN_INSTRUMENT, "symbol"},
    {SYMBOL("\"aapl\""), REJECT_UNKNOWN_INSTRUMENT, "symbol"},
    {SYMBOL("\"AAPL AAPL AAPL AAPL\""), REJECT_UNKNOWN_INSTRUMENT, "symbol"},
    {SIDE("true"), REJECT_INVALID_FIELD, "side"},
    {SIDE("\"BUY\""), REJECT_INVALID_SIDE, "side"},
    {SIDE("\"\""), REJECT_INVALID_SIDE, "side"},
    {TYPE("\"trailing\""), REJECT_INVALID_ORD_TYPE, "type"},
    {TYPE("\"market\""), REJECT_INVALID_PX, "limit_price"},
    {TYPE("\"stop\""), REJECT_MISSING_FIELD, "stop_price"},
    {TYPE("\"stop_limit\""), REJECT_MISSING_FIELD, "stop_price"},
    {OF_TYPE("stop", ",\"stop_price\":\"1\",\"limit_price\":\"1\""), REJECT_INVALID_PX,
     "limit_price"},
    {OF_TYPE("stop", ",\"stop_price\":\"0\""), REJECT_INVALID_STOP_PX, "stop_price"},
    {OF_TYPE("stop", ",\"stop_price\":1"), REJECT_INVALID_FIELD, "stop_price"},
    {OF_TYPE("stop_limit", ",\"stop_price\":\"1\""), REJECT_MISSING_FIELD, "limit_price"},
    {OF_TYPE("market", ",\"stop_price\":\"1\""), REJECT_INVALID_STOP_PX, "stop_price"},
    {TYPE("[]"), REJECT_INVALID_FIELD, "type"},
    {QTY("\"1\""), REJECT_INVALID_FIELD, "qty"},
    {QTY("null"), REJECT_INVALID_FIELD, "qty"},
    {QTY("0"), REJECT_INVALID_QTY, "qty"},
    {QTY("-1"), REJECT_INVALID_QTY, "qty"},
    {QTY("1.5"), REJECT_INVALID_QTY, "qty"},
    {QTY("1e3"), REJECT_INVALID_QTY, "qty"},
    {QTY("1000000000001"), REJECT_INVALID_QTY, "qty"},
    {QTY("9223372036854775807"), REJECT_INVALID_QTY, "qty"},
    {QTY("9223372036854775808"), REJECT_INVALID_QTY, "qty"},
    {QTY("-99999999999999999999"), REJECT_INVALID_QTY, "qty"},
    {PRICE("189.35"), REJECT_INVALID_FIELD, "limit_price"},
    {PRICE("\"0\""), REJECT_INVALID_PX, "limit_price"},
    {PRICE("\"0.0000\""), REJECT_INVALID_PX, "limit_price"},
    {PRICE("\"-1\""), REJECT_INVALID_PX, "limit_price"},
    {PRICE("\"1.23456\""), REJECT_INVALID_PX, "limit_price"},
    {GOOD_BUT(",\"time_in_force\":\"gfd\""), REJECT_INVALID_TIME_IN_FORCE, "time_in_force"},
    {GOOD_BUT(",\"time_in_force\":\"gtd\""), REJECT_MISSING_FIELD, "expire_at"},
    {GOOD_BUT(",\"time_in_force\":\"gtd\",\"expire_at\":\"tomorrow\""), REJECT_INVALID_EXPIRY,
     "expire_at"},
    {GOOD_BUT(",\"time_in_force\":\"gtd\",\"expire_at\":\"1970-01-01T00:00:00Z\""),
     REJECT_INVALID_EXPIRY, "expire_at"},
    {GOOD_BUT(",\"time_in_force\":\"gtd\",\"expire_at\":1795339800000"), REJECT_INVALID_FIELD,
     "expire_at"},
    {GOOD_BUT(",\"expire_at\":\"2026-11-22T09:30:00Z\""), REJECT_INVALID_EXPIRY, "expire_at"},
    {GOOD_BUT(",\"display_qty\":0"), REJECT_INVALID_DISPLAY_QTY, "display_qty"},
    {GOOD_BUT(",\"display_qty\":\"5\""), REJECT_INVALID_FIELD, "display_qty"},
    {GOOD_BUT(",\"display_qty\":1.5"), REJECT_INVALID_DISPLAY_QTY, "display_qty"},
    {GOOD_BUT(",\"min_qty\":-1"), REJECT_INVALID_MIN_QTY, "min_qty"},
    {GOOD_BUT(",\"min_qty\":1000000000001"), REJECT_INVALID_MIN_QTY, "min_qty"},
    {GOOD_BUT(",\"post_only\":1"), REJECT_INVALID_FIELD, "post_only"},
    {GOOD_BUT(",\"post_only\":null"), REJECT_INVALID_FIELD, "post_only"},
    {GOOD_BUT(",\"cancel_on_disconnect\":\"true\""), REJECT_INVALID_FIELD, "cancel_on_disconnect"},
    {GOOD_BUT(",\"stp\":\"none\""), REJECT_INVALID_STP, "stp"},
    {GOOD_BUT(",\"stp\":null"), REJECT_INVALID_FIELD, "stp"},
    {GOOD_BUT(",\"time_in_force\":0"), REJECT_INVALID_FIELD, "time_in_force"},
    {GOOD_BUT(",\"client_order_id\":7"), REJECT_INVALID_FIELD, "client_order_id"},
    {GOOD_BUT(",\"client_order_id\":\"\""), REJECT_INVALID_CL_ORD_ID, "client_order_id"},
    {GOOD_BUT(",\"client_order_id\":\"a b\""), REJECT_INVALID_CL_ORD_ID, "client_order_id"},
    {GOOD_BUT(",\"client_order_id\":\"호가\""), REJECT_INVALID_CL_ORD_ID, "client_order_id"},
    {GOOD_BUT(",\"client_order_id\":\"1234567890123456789012345678901234567\""),
     REJECT_INVALID_CL_ORD_ID, "client_order_id"},
    {GOOD_BUT(",\"stop_price\":\"1\""), REJECT_INVALID_STOP_PX, "stop_price"},
    {GOOD_BUT(",\"stop_px\":\"1\""), REJECT_UNKNOWN_FIELD, "stop_px"},
    {GOOD_BUT(",\"\":1"), REJECT_UNKNOWN_FIELD, ""},
    {GOOD_BUT(",\"a name far longer than any field of ours has\":1"), REJECT_UNKNOWN_FIELD,
     "a name far longer than any fiel"},
};

static void each_mistake_has_its_complaint(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof order_mistakes / sizeof order_mistakes[0]; i++) {
        struct command_new_order command;
        struct complaint complaint;
        if (new_order(order_mistakes[i].text, &command, &complaint))
            fail_msg("taken: %s", order_mistakes[i].text);
        if (complaint.reason != order_mistakes[i].reason)
            fail_msg("%s: %s", order_mistakes[i].text, reject_row(complaint.reason)->code);
        assert_string_equal(complaint.field, order_mistakes[i].field);
    }
}

static void staff_without_an_account_cannot_trade(void **state)
{
    const struct identity staff = {.user = STAFF};
    struct complaint complaint;
    struct command_new_order new_command;
    struct command_cancel_order cancel_command;
    struct command_replace_order replace_command;
    struct command_mass_cancel mass_cancel_command;
    struct command_cancel_after cancel_after_command;
    json_t *object = object_of(GOOD_BUT(""));
    (void)state;
    assert_false(admission_new_order(object, exchange.engine, &staff, &new_command, &complaint));
    assert_int_equal(complaint.reason, REJECT_FORBIDDEN);
    assert_false(admission_cancel(object, &staff, &cancel_command, &complaint));
    assert_int_equal(complaint.reason, REJECT_FORBIDDEN);
    assert_false(admission_replace(object, &staff, &replace_command, &complaint));
    assert_int_equal(complaint.reason, REJECT_FORBIDDEN);
    assert_false(
        admission_mass_cancel(object, exchange.engine, &staff, &mass_cancel_command, &complaint));
    assert_int_equal(complaint.reason, REJECT_FORBIDDEN);
    assert_false(admission_cancel_after(object, &staff, &cancel_after_command, &complaint));
    assert_int_equal(complaint.reason, REJECT_FORBIDDEN);
    json_decref(object);
}

static void prices_are_read_exactly(void **state)
{
    static const struct {
        const char *text;
        px_t px;
    } good[] = {
        {"189.35", 1893500},
        {"189.3500", 1893500},
        {"189", 1890000},
        {"0.0001", 1},
        {"0", 0},
        {"000000000000000000000001.5", 15000},
        {"100000000000", PX_MAX},
        {"100000000000.0000", PX_MAX},
        {"99999999999.9999", PX_MAX - 1},
    };
    static const char *const bad[] = {
        "",
        ".",
        "1.",
        ".5",
        "1.23456",
        "-1",
        "+1",
        "1e3",
        "1,5",
        " 1",
        "1 ",
        "0x10",
        "1.2.3",
        "1..2",
        "100000000000.0001",
        "1000000000000000",
        "184467440737096",
        "922337203685478",
        "100000000001",
        "9223372036854775807",
        "99999999999999999999999999999999",
        "1.00000",
        "NaN",
        "inf",
        "１",
    };
    px_t px;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!admission_parse_px(good[i].text, &px)) fail_msg("refused: %s", good[i].text);
        assert_int_equal(px, good[i].px);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (admission_parse_px(bad[i], &px)) fail_msg("taken: %s", bad[i]);
}

static enum reject cancel_complaint(const char *text, const char **field)
{
    static struct complaint complaint;
    struct command_cancel_order command;
    json_t *object = object_of(text);
    bool good = admission_cancel(object, &alpha, &command, &complaint);
    json_decref(object);
    *field = complaint.field;
    return good ? REJECT_NONE : complaint.reason;
}

static void an_order_is_named_in_one_of_two_ways(void **state)
{
    static const struct {
        const char *text;
        enum reject reason;
        const char *field;
    } cases[] = {
        {"{\"order_id\":\"16777217\"}", REJECT_NONE, ""},
        {"{\"order_id\":\"9223372036854775807\"}", REJECT_NONE, ""},
        {"{\"order_id\":\"9223372036854775808\"}", REJECT_UNKNOWN_ORDER, ""},
        {"{\"order_id\":\"18446744073709551615\"}", REJECT_UNKNOWN_ORDER, ""},
        {"{\"client_order_id\":\"a1\"}", REJECT_NONE, ""},
        {"{}", REJECT_MISSING_FIELD, "order_id"},
        {"{\"order_id\":16777217}", REJECT_INVALID_FIELD, "order_id"},
        {"{\"order_id\":\"0\"}", REJECT_INVALID_FIELD, "order_id"},
        {"{\"order_id\":\"-1\"}", REJECT_INVALID_FIELD, "order_id"},
        {"{\"order_id\":\"18446744073709551616\"}", REJECT_INVALID_FIELD, "order_id"},
        {"{\"order_id\":\"\"}", REJECT_INVALID_FIELD, "order_id"},
        {"{\"order_id\":\"1\",\"client_order_id\":\"a\"}", REJECT_INVALID_FIELD, "client_order_id"},
        {"{\"client_order_id\":null}", REJECT_INVALID_FIELD, "client_order_id"},
        {"{\"client_order_id\":\"\"}", REJECT_INVALID_CL_ORD_ID, "client_order_id"},
        {"{\"order_id\":\"1\",\"qty\":3}", REJECT_UNKNOWN_FIELD, "qty"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *field;
        enum reject reason = cancel_complaint(cases[i].text, &field);
        if (reason != cases[i].reason) fail_msg("%s: %s", cases[i].text, reject_row(reason)->code);
        assert_string_equal(field, cases[i].field);
    }
}

static bool replace(const char *text, struct command_replace_order *command,
                    struct complaint *complaint)
{
    json_t *object = object_of(text);
    bool good = admission_replace(object, &alpha, command, complaint);
    json_decref(object);
    return good;
}

static void a_replace_changes_what_it_names(void **state)
{
    struct command_replace_order command;
    struct complaint complaint;
    (void)state;
    struct command_replace_order wanted = {
        .header = sbe_header_v1(COMMAND_REPLACE_ORDER, REPLACE_ORDER_V1_BYTES),
        .account = ALPHA,
        .user = ALPHA,
        .order_qty = 7,
        .orig_cl_ord_id = "a1",
    };
    assert_true(replace("{\"client_order_id\":\"a1\",\"qty\":7}", &command, &complaint));
    assert_memory_equal(&command, &wanted, sizeof wanted);

    wanted.header = COMMAND_HEADER(COMMAND_REPLACE_ORDER, struct command_replace_order);
    wanted.order_qty = 0;
    wanted.limit_px = 15000;
    assert_true(
        replace("{\"client_order_id\":\"a1\",\"limit_price\":\"1.5\"}", &command, &complaint));
    assert_memory_equal(&command, &wanted, sizeof wanted);

    wanted.stop_px = 20000;
    memcpy(wanted.cl_ord_id, "a2", 2);
    assert_true(replace("{\"client_order_id\":\"a1\",\"limit_price\":\"1.5\","
                        "\"stop_price\":\"2\",\"new_client_order_id\":\"a2\"}",
                        &command, &complaint));
    assert_memory_equal(&command, &wanted, sizeof wanted);
}

static void a_replace_s_mistakes_have_their_complaints(void **state)
{
    static const struct {
        const char *text;
        enum reject reason;
        const char *field;
    } mistakes[] = {
        {"{\"order_id\":\"5\"}", REJECT_MISSING_FIELD, "qty"},
        {"{\"order_id\":\"5\",\"qty\":0}", REJECT_INVALID_QTY, "qty"},
        {"{\"order_id\":\"5\",\"qty\":null}", REJECT_INVALID_FIELD, "qty"},
        {"{\"order_id\":\"5\",\"limit_price\":\"0\"}", REJECT_INVALID_PX, "limit_price"},
        {"{\"order_id\":\"5\",\"limit_price\":1}", REJECT_INVALID_FIELD, "limit_price"},
        {"{\"order_id\":\"5\",\"stop_price\":\"-1\"}", REJECT_INVALID_STOP_PX, "stop_price"},
        {"{\"order_id\":\"5\",\"new_client_order_id\":\"a b\"}", REJECT_INVALID_CL_ORD_ID,
         "new_client_order_id"},
        {"{\"order_id\":\"5\",\"side\":\"buy\"}", REJECT_UNKNOWN_FIELD, "side"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct command_replace_order command;
        struct complaint complaint;
        if (replace(mistakes[i].text, &command, &complaint))
            fail_msg("taken: %s", mistakes[i].text);
        assert_int_equal(complaint.reason, mistakes[i].reason);
        assert_string_equal(complaint.field, mistakes[i].field);
    }
}

static void many_orders_are_canceled_by_symbol_and_side(void **state)
{
    static const struct {
        const char *text;
        enum reject reason;
        const char *field;
        instrument_id_t instrument;
        uint8_t side;
    } cases[] = {
        {"{}", REJECT_NONE, "", 0, 0},
        {"{\"symbol\":\"MSFT\"}", REJECT_NONE, "", MSFT, 0},
        {"{\"symbol\":\"AAPL\",\"side\":\"sell\"}", REJECT_NONE, "", AAPL, SIDE_SELL},
        {"{\"symbol\":\"ZZZZ\"}", REJECT_UNKNOWN_INSTRUMENT, "symbol", 0, 0},
        {"{\"symbol\":null}", REJECT_INVALID_FIELD, "symbol", 0, 0},
        {"{\"side\":\"both\"}", REJECT_INVALID_SIDE, "side", 0, 0},
        {"{\"side\":null}", REJECT_INVALID_FIELD, "side", 0, 0},
        {"{\"account\":12}", REJECT_UNKNOWN_FIELD, "account", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct command_mass_cancel command;
        struct complaint complaint;
        json_t *object = object_of(cases[i].text);
        bool good = admission_mass_cancel(object, exchange.engine, &alpha, &command, &complaint);
        json_decref(object);
        assert_int_equal(complaint.reason, cases[i].reason);
        assert_string_equal(complaint.field, cases[i].field);
        assert_int_equal(good, cases[i].reason == REJECT_NONE);
        if (!good) continue;
        const struct command_mass_cancel wanted = {
            .header = COMMAND_HEADER(COMMAND_MASS_CANCEL, struct command_mass_cancel),
            .account = ALPHA,
            .user = ALPHA,
            .instrument = cases[i].instrument,
            .side = cases[i].side,
        };
        assert_memory_equal(&command, &wanted, sizeof wanted);
    }
}

static void the_dead_man_s_switch_has_seconds(void **state)
{
    static const struct {
        const char *text;
        enum reject reason;
        int64_t timeout_ns;
    } cases[] = {
        {"{\"seconds\":0}", REJECT_NONE, 0},
        {"{\"seconds\":60}", REJECT_NONE, INT64_C(60000000000)},
        {"{\"seconds\":86400}", REJECT_NONE, INT64_C(86400000000000)},
        {"{\"seconds\":86401}", REJECT_INVALID_FIELD, 0},
        {"{\"seconds\":-1}", REJECT_INVALID_FIELD, 0},
        {"{\"seconds\":1.5}", REJECT_INVALID_FIELD, 0},
        {"{\"seconds\":\"60\"}", REJECT_INVALID_FIELD, 0},
        {"{}", REJECT_MISSING_FIELD, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct command_cancel_after command;
        struct complaint complaint;
        json_t *object = object_of(cases[i].text);
        bool good = admission_cancel_after(object, &alpha, &command, &complaint);
        json_decref(object);
        assert_int_equal(good, cases[i].reason == REJECT_NONE);
        assert_int_equal(complaint.reason, cases[i].reason);
        if (good) assert_int_equal(command.timeout_ns, cases[i].timeout_ns);
        if (!good) assert_string_equal(complaint.field, "seconds");
    }
}

/* Whatever the engine may reject an order for has the field that the client sent, or none. */
static void fields_to_blame_are_fields_of_an_order(void **state)
{
    static const char *const fields[] = {
        "",           "symbol",         "side",        "type",    "qty",           "limit_price",
        "stop_price", "expire_at",      "display_qty", "min_qty", "time_in_force", "post_only",
        "stp",        "client_order_id"};
    unsigned count;
    const struct reject_row *rows = reject_rows(&count);
    (void)state;
    for (unsigned i = 0; i < count; i++) {
        const char *field = admission_field_of((enum reject)rows[i].number);
        size_t known = 0;
        while (known < sizeof fields / sizeof fields[0] && strcmp(fields[known], field) != 0)
            known++;
        assert_true(known < sizeof fields / sizeof fields[0]);
    }
    assert_string_equal(admission_field_of(REJECT_INVALID_STOP_PX), "stop_price");
    assert_string_equal(admission_field_of(REJECT_PX_BAND), "limit_price");
    assert_string_equal(admission_field_of(REJECT_DAILY_VOLUME), "qty");
    assert_string_equal(admission_field_of(REJECT_INVALID_EXPIRY), "expire_at");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_order_becomes_its_command),
        cmocka_unit_test(each_term_becomes_its_field),
        cmocka_unit_test(each_mistake_has_its_complaint),
        cmocka_unit_test(staff_without_an_account_cannot_trade),
        cmocka_unit_test(prices_are_read_exactly),
        cmocka_unit_test(an_order_is_named_in_one_of_two_ways),
        cmocka_unit_test(a_replace_changes_what_it_names),
        cmocka_unit_test(a_replace_s_mistakes_have_their_complaints),
        cmocka_unit_test(many_orders_are_canceled_by_symbol_and_side),
        cmocka_unit_test(the_dead_man_s_switch_has_seconds),
        cmocka_unit_test(fields_to_blame_are_fields_of_an_order),
    };
    return cmocka_run_group_tests(tests, open_exchange, close_exchange);
}
