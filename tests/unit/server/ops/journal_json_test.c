/* journal_json_test.c - records as lines of JSON, and which of them somebody wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/message/command.h"
#include "engine/message/event.h"
#include "engine/message/field.h"
#include "engine/message/reject.h"
#include "server/ops/journal_filter.h"
#include "server/ops/journal_json.h"

static struct {
    _Alignas(8) struct journal_record record;
    uint8_t block[SBE_MESSAGE_MAX_BYTES];
} place;

/* A record of this message, as number 17 of its journal. */
static struct journal_record *record_of(const void *message, size_t length)
{
    memset(&place, 0, sizeof place);
    memcpy(&place.record.header, message, length);
    place.record.seq = 17;
    place.record.time_ns = INT64_C(1795340000000000001);
    place.record.ref = UINT64_C(1795374844384653568);
    place.record.origin = origin_of(2, 5);
    return &place.record;
}

static void expect_line(enum journal_kind kind, const struct journal_record *record,
                        const char *fields)
{
    struct json_buffer out = {0};
    char line[2048];
    journal_json(&out, kind, record);
    json_bytes(&out, "", 1);
    (void)snprintf(line, sizeof line,
                   "{\"seq\":17,\"time\":\"2026-11-22T09:33:20.000000001Z\",%s,\"source\":2,"
                   "\"request_id\":5,%s}\n",
                   kind == JOURNAL_IN ? "\"ring_position\":\"1795374844384653568\""
                                      : "\"cause_seq\":1795374844384653568",
                   fields);
    assert_string_equal(out.text, line);
    json_buffer_free(&out);
}

#define EXPECT_LINE(kind, message, fields)                                                         \
    expect_line(kind, record_of(&(message), sizeof(message)), fields)

static struct command_new_order new_order(void)
{
    struct command_new_order m = {.header =
                                      COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order),
                                  .account = 1001,
                                  .user = 7,
                                  .instrument = 3,
                                  .side = SIDE_SELL,
                                  .ord_type = ORD_TYPE_STOP_LIMIT,
                                  .time_in_force = TIF_GTD,
                                  .exec_inst = EXEC_INST_POST_ONLY | EXEC_INST_CANCEL_ON_DISCONNECT,
                                  .order_qty = 500,
                                  .limit_px = 1893500,
                                  .cl_ord_id = "say \"a\"\\b",
                                  .stp = STP_DECREMENT,
                                  .stop_px = 1900000,
                                  .display_qty = 100,
                                  .expire_ns = INT64_C(1795340001000000000)};
    return m;
}

static void an_order_has_words_and_decimals(void **state)
{
    (void)state;
    struct command_new_order m = new_order();
    EXPECT_LINE(JOURNAL_IN, m,
                "\"type\":\"new_order\",\"account\":1001,\"user\":7,\"instrument\":3,"
                "\"side\":\"sell\",\"ord_type\":\"stop_limit\",\"time_in_force\":\"gtd\","
                "\"exec_inst\":[\"post_only\",\"cancel_on_disconnect\"],\"order_qty\":500,"
                "\"limit_px\":\"189.3500\",\"cl_ord_id\":\"say \\\"a\\\"\\\\b\","
                "\"stp\":\"decrement\",\"stop_px\":\"190.0000\",\"display_qty\":100,\"min_qty\":0,"
                "\"expire_ns\":\"2026-11-22T09:33:21.000000000Z\"");
}

static void what_an_earlier_version_did_not_have_is_left_out(void **state)
{
    (void)state;
    struct command_new_order m = new_order();
    m.header = sbe_header_v1(COMMAND_NEW_ORDER, NEW_ORDER_V1_BYTES);
    m.exec_inst = 0;
    m.stp = STP_ACCOUNT;
    m.cl_ord_id[0] = 0;
    expect_line(JOURNAL_IN, record_of(&m, NEW_ORDER_V1_BYTES),
                "\"type\":\"new_order\",\"account\":1001,\"user\":7,\"instrument\":3,"
                "\"side\":\"sell\",\"ord_type\":\"stop_limit\",\"time_in_force\":\"gtd\","
                "\"exec_inst\":[],\"order_qty\":500,\"limit_px\":\"189.3500\",\"cl_ord_id\":null,"
                "\"stp\":null");
}

/* A rejected order's terms stand in the journals as they were sent. */
static void what_has_no_word_is_a_number(void **state)
{
    (void)state;
    struct event_execution m = {.header = EVENT_HEADER(EVENT_EXECUTION, struct event_execution),
                                .order_id = UINT64_C(18446744073709551615),
                                .account = 1001,
                                .instrument = 9,
                                .side = 'x',
                                .ord_type = 200,
                                .time_in_force = '5',
                                .exec_type = EXEC_REJECTED,
                                .ord_status = ORD_REJECTED,
                                .reject_reason = REJECT_UNKNOWN_INSTRUMENT,
                                .limit_px = -1,
                                .order_qty = -7,
                                .fee = -20001,
                                .fee_remainder = -3};
    EXPECT_LINE(JOURNAL_OUT, m,
                "\"type\":\"execution\",\"order_id\":\"18446744073709551615\",\"trade_id\":null,"
                "\"account\":1001,\"instrument\":9,\"side\":120,\"ord_type\":200,"
                "\"time_in_force\":53,\"exec_type\":\"rejected\",\"ord_status\":\"rejected\","
                "\"last_liquidity\":null,\"reject_reason\":\"unknown_symbol\","
                "\"limit_px\":\"-0.0001\",\"order_qty\":-7,\"last_qty\":0,\"last_px\":\"0.0000\","
                "\"cum_qty\":0,\"leaves_qty\":0,\"fee\":\"-2.0001\",\"fee_remainder\":-3");
}

static void a_secret_is_hidden(void **state)
{
    (void)state;
    struct command_add_key m = {.header = COMMAND_HEADER(COMMAND_ADD_KEY, struct command_add_key),
                                .user = 7,
                                .scopes = SCOPE_READ | SCOPE_ADMIN | 64,
                                .key_id = "KEY"};
    memset(m.sealed_secret, 'S', sizeof m.sealed_secret);
    EXPECT_LINE(JOURNAL_IN, m,
                "\"type\":\"add_key\",\"user\":7,\"scopes\":[\"read\",\"admin\",64],"
                "\"key_id\":\"KEY\",\"sealed_secret\":\"hidden\"");
}

static void cash_is_decimal_and_shares_are_whole(void **state)
{
    (void)state;
    struct event_transferred m = {.header =
                                      EVENT_HEADER(EVENT_TRANSFERRED, struct event_transferred),
                                  .from_account = 1,
                                  .to_account = 2,
                                  .asset = ASSET_CASH | 1,
                                  .reason = TRANSFER_CORPORATE_ACTION,
                                  .qty = 12345,
                                  .from_balance = -5,
                                  .to_balance = 0};
    EXPECT_LINE(JOURNAL_OUT, m,
                "\"type\":\"transferred\",\"from_account\":1,\"to_account\":2,\"asset\":\"EUR\","
                "\"reason\":\"corporate_action\",\"qty\":\"1.2345\",\"from_balance\":\"-0.0005\","
                "\"to_balance\":\"0.0000\"");
    m.asset = 3;
    m.reason = TRANSFER_PLAIN;
    EXPECT_LINE(JOURNAL_OUT, m,
                "\"type\":\"transferred\",\"from_account\":1,\"to_account\":2,\"asset\":3,"
                "\"reason\":\"plain\",\"qty\":12345,\"from_balance\":-5,\"to_balance\":0");
}

static void arrays_and_limits_are_whole(void **state)
{
    (void)state;
    struct command_set_schedule schedule = {
        .header = COMMAND_HEADER(COMMAND_SET_SCHEDULE, struct command_set_schedule),
        .schedule = 2,
        .second_of_day = {32400, 86399},
        .session = {SESSION_CONTINUOUS, SESSION_CLOSED},
        .weekdays = {31, 127}};
    EXPECT_LINE(JOURNAL_IN, schedule,
                "\"type\":\"set_schedule\",\"schedule\":2,"
                "\"second_of_day\":[32400,86399,0,0,0,0,0,0],"
                "\"session\":[\"continuous\",\"closed\",null,null,null,null,null,null],"
                "\"weekdays\":[31,127,0,0,0,0,0,0]");
    struct event_configured configured = {
        .header = EVENT_HEADER(EVENT_CONFIGURED, struct event_configured),
        .limits = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}};
    EXPECT_LINE(JOURNAL_OUT, configured,
                "\"type\":\"configured\",\"limits\":{\"instruments\":1,\"accounts\":2,\"users\":3,"
                "\"keys\":4,\"orders\":5,\"price_blocks\":6,\"positions\":7,\"cl_ord_ids\":8,"
                "\"volumes\":9,\"trades\":10}");
}

/* Nothing is known of it, not even what is secret. */
static void a_template_of_the_future_shows_its_size_alone(void **state)
{
    (void)state;
    struct command_add_key m = {.header = COMMAND_HEADER(99, struct command_add_key)};
    EXPECT_LINE(JOURNAL_IN, m, "\"type\":null,\"template_id\":99,\"block_bytes\":96");
}

/* ---- filters ---- */

static bool fits(struct journal_filter filter, const void *message, size_t length)
{
    if (!filter.to_seq) filter.to_seq = UINT64_MAX;
    if (!filter.until_ns) filter.until_ns = INT64_MAX;
    return journal_filter_fits(&filter, record_of(message, length));
}

static struct journal_filter of_account(account_id_t account)
{
    return (struct journal_filter){.has_account = true, .account = account};
}

static struct journal_filter of_instrument(instrument_id_t instrument)
{
    return (struct journal_filter){.instrument = instrument};
}

static void an_account_is_found_wherever_it_is_named(void **state)
{
    (void)state;
    struct event_trade_busted busted = {
        .header = EVENT_HEADER(EVENT_TRADE_BUSTED, struct event_trade_busted),
        .buy_order_id = 11,
        .sell_order_id = 12,
        .buyer = 1,
        .seller = 2,
        .instrument = 3};
    assert_true(fits(of_account(1), &busted, sizeof busted));
    assert_true(fits(of_account(2), &busted, sizeof busted));
    assert_false(fits(of_account(3), &busted, sizeof busted));
    assert_true(fits((struct journal_filter){.order_id = 12}, &busted, sizeof busted));
    assert_false(fits((struct journal_filter){.order_id = 13}, &busted, sizeof busted));
    assert_true(fits(of_instrument(3), &busted, sizeof busted));
    assert_false(fits(of_instrument(1), &busted, sizeof busted));
    struct journal_filter both = of_account(2);
    both.order_id = 13;
    assert_false(fits(both, &busted, sizeof busted));
}

static void what_limits_are_about_is_by_their_scope(void **state)
{
    (void)state;
    struct command_set_limits limits = {
        .header = COMMAND_HEADER(COMMAND_SET_LIMITS, struct command_set_limits),
        .scope = LIMIT_SCOPE_ACCOUNT,
        .id = 5};
    assert_true(fits(of_account(5), &limits, sizeof limits));
    assert_false(fits(of_instrument(5), &limits, sizeof limits));
    limits.scope = LIMIT_SCOPE_INSTRUMENT;
    assert_false(fits(of_account(5), &limits, sizeof limits));
    assert_true(fits(of_instrument(5), &limits, sizeof limits));
    limits.scope = LIMIT_SCOPE_USER;
    assert_false(fits(of_account(5), &limits, sizeof limits));
    assert_false(fits(of_instrument(5), &limits, sizeof limits));
    struct event_setting_changed changed = {
        .header = EVENT_HEADER(EVENT_SETTING_CHANGED, struct event_setting_changed),
        .command = COMMAND_SET_FEES,
        .id = 5};
    assert_true(fits(of_instrument(5), &changed, sizeof changed));
    assert_false(fits(of_account(5), &changed, sizeof changed));
    changed.command = COMMAND_SET_ACCOUNT;
    assert_true(fits(of_account(5), &changed, sizeof changed));
}

static void shares_are_of_their_instrument(void **state)
{
    (void)state;
    struct command_deposit deposit = {.header =
                                          COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
                                      .account = 9,
                                      .asset = 3};
    assert_true(fits(of_instrument(3), &deposit, sizeof deposit));
    deposit.asset = ASSET_CASH | 3;
    assert_false(fits(of_instrument(3), &deposit, sizeof deposit));
}

static void number_time_and_type_have_both_ends(void **state)
{
    (void)state;
    struct command_new_order m = new_order();
    const int64_t ns = record_of(&m, sizeof m)->time_ns;
    const struct {
        struct journal_filter filter;
        bool fits;
    } cases[] = {
        {{.from_seq = 17, .to_seq = 17}, true},
        {{.from_seq = 18}, false},
        {{.to_seq = 16}, false},
        {{.since_ns = ns, .until_ns = ns}, true},
        {{.since_ns = ns + 1}, false},
        {{.until_ns = ns - 1}, false},
        {{.template_id = COMMAND_NEW_ORDER}, true},
        {{.template_id = COMMAND_CANCEL_ORDER}, false},
        {{.has_account = true, .account = 0}, false}, /* the house is an account, too */
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(fits(cases[i].filter, &m, sizeof m), cases[i].fits);
    struct journal_filter filter = {.to_seq = 17, .until_ns = ns};
    assert_false(journal_filter_is_over(&filter, record_of(&m, sizeof m)));
    filter.to_seq = 16;
    assert_true(journal_filter_is_over(&filter, record_of(&m, sizeof m)));
    filter = (struct journal_filter){.to_seq = 99, .until_ns = ns - 1};
    assert_true(journal_filter_is_over(&filter, record_of(&m, sizeof m)));
}

static void types_go_by_both_names(void **state)
{
    (void)state;
    unsigned count;
    const struct message_fields *all = message_fields_all(&count);
    assert_true(count >= 45);
    for (unsigned i = 0; i < count; i++) {
        assert_ptr_equal(message_fields(all[i].template_id), &all[i]);
        assert_ptr_equal(message_fields_of_name(all[i].schema_name), &all[i]);
        assert_ptr_equal(message_fields_of_name(message_fields_name(&all[i])), &all[i]);
        assert_true(i == 0 || all[i - 1].template_id < all[i].template_id);
    }
    assert_null(message_fields(99));
    assert_null(message_fields_of_name("command_"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_has_words_and_decimals),
        cmocka_unit_test(what_an_earlier_version_did_not_have_is_left_out),
        cmocka_unit_test(what_has_no_word_is_a_number),
        cmocka_unit_test(a_secret_is_hidden),
        cmocka_unit_test(cash_is_decimal_and_shares_are_whole),
        cmocka_unit_test(arrays_and_limits_are_whole),
        cmocka_unit_test(a_template_of_the_future_shows_its_size_alone),
        cmocka_unit_test(an_account_is_found_wherever_it_is_named),
        cmocka_unit_test(what_limits_are_about_is_by_their_scope),
        cmocka_unit_test(shares_are_of_their_instrument),
        cmocka_unit_test(number_time_and_type_have_both_ends),
        cmocka_unit_test(types_go_by_both_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
