/* setting_test.c - each SET_ command as JSON, to the letter; nothing else is a setting. */
#include "server/reporter/setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/message/command.h"

static bool json_of(const void *message, size_t length, char json[SETTING_JSON_BYTES])
{
    _Alignas(8) uint8_t bytes[JOURNAL_RECORD_MAX_BYTES] = {0};
    struct journal_record *record = (struct journal_record *)bytes;
    memcpy(&record->header, message, length);
    return setting_json(record, json);
}

#define EXPECT(command, text)                                                                      \
    do {                                                                                           \
        char json[SETTING_JSON_BYTES];                                                             \
        assert_true(json_of(&(command), sizeof(command), json));                                   \
        assert_string_equal(json, text);                                                           \
    } while (0)

static void market_settings(void **state)
{
    (void)state;
    const struct command_set_session session = {
        .header = COMMAND_HEADER(COMMAND_SET_SESSION, struct command_set_session),
        .instrument = 7,
        .session = SESSION_HALT};
    EXPECT(session, "{\"instrument\":7,\"session\":5}");

    const struct command_set_schedule schedule = {
        .header = COMMAND_HEADER(COMMAND_SET_SCHEDULE, struct command_set_schedule),
        .schedule = 15,
        .second_of_day = {0, 86399},
        .session = {SESSION_CONTINUOUS, SESSION_CLOSED},
        .weekdays = {127, 31}};
    EXPECT(schedule, "{\"schedule\":15,\"rows\":["
                     "{\"second_of_day\":0,\"session\":4,\"weekdays\":127},"
                     "{\"second_of_day\":86399,\"session\":1,\"weekdays\":31}]}");

    const struct command_set_bands bands = {
        .header = COMMAND_HEADER(COMMAND_SET_BANDS, struct command_set_bands),
        .instrument = 1,
        .static_ppm = 2,
        .dynamic_ppm = 3,
        .collar_ppm = 4,
        .limit_state_ms = 5,
        .halt_ms = 6,
        .auction_ms = UINT32_MAX,
        .reference_px = PX_MAX};
    EXPECT(bands, "{\"instrument\":1,\"static_ppm\":2,\"dynamic_ppm\":3,\"collar_ppm\":4,"
                  "\"limit_state_ms\":5,\"halt_ms\":6,\"auction_ms\":4294967295,"
                  "\"reference_px\":1000000000000000}");

    const struct command_set_breakers breakers = {
        .header = COMMAND_HEADER(COMMAND_SET_BREAKERS, struct command_set_breakers),
        .decline_ppm = {1, 2, 3},
        .halt_ms = {4, 5, 6},
        .auction_ms = 7};
    EXPECT(breakers, "{\"levels\":[{\"decline_ppm\":1,\"halt_ms\":4},"
                     "{\"decline_ppm\":2,\"halt_ms\":5},{\"decline_ppm\":3,\"halt_ms\":6}],"
                     "\"auction_ms\":7}");
}

static void settings_of_instruments_and_accounts(void **state)
{
    (void)state;
    const struct command_set_tick_table ticks = {
        .header = COMMAND_HEADER(COMMAND_SET_TICK_TABLE, struct command_set_tick_table),
        .table = 2,
        .from_px = {0, 1000000},
        .tick_px = {100, 500}};
    EXPECT(ticks, "{\"table\":2,\"rows\":[{\"from_px\":0,\"tick_px\":100},"
                  "{\"from_px\":1000000,\"tick_px\":500}]}");

    const struct command_set_limits limits = {
        .header = COMMAND_HEADER(COMMAND_SET_LIMITS, struct command_set_limits),
        .scope = LIMIT_SCOPE_USER,
        .id = 9,
        .max_order_qty = 1,
        .max_order_notional = 2,
        .max_open_orders = 3,
        .max_messages = 4,
        .collar_ppm = 5,
        .max_long_qty = 6,
        .max_short_qty = 7,
        .max_exposure = INT64_MAX,
        .max_daily_qty = -1};
    EXPECT(limits, "{\"max_order_qty\":1,\"max_order_notional\":2,\"max_open_orders\":3,"
                   "\"max_messages\":4,\"collar_ppm\":5,\"max_long_qty\":6,\"max_short_qty\":7,"
                   "\"max_exposure\":9223372036854775807,\"max_daily_qty\":-1}");

    const struct command_set_fees fees = {
        .header = COMMAND_HEADER(COMMAND_SET_FEES, struct command_set_fees),
        .instrument = 1,
        .fee_tier = 3,
        .maker_ppm = -20,
        .taker_ppm = 300};
    EXPECT(fees, "{\"instrument\":1,\"fee_tier\":3,\"maker_ppm\":-20,\"taker_ppm\":300}");

    const struct command_set_account account = {
        .header = COMMAND_HEADER(COMMAND_SET_ACCOUNT, struct command_set_account),
        .account = 7,
        .stp = STP_DECREMENT,
        .fee_tier = 1,
        .may_short = 1};
    EXPECT(account, "{\"account\":7,\"stp\":4,\"fee_tier\":1,\"may_short\":true}");
}

static void the_longest_fit(void **state)
{
    (void)state;
    char json[SETTING_JSON_BYTES];
    struct command_set_schedule schedule;
    struct command_set_tick_table ticks;
    memset(&schedule, 0xff, sizeof schedule);
    schedule.header = COMMAND_HEADER(COMMAND_SET_SCHEDULE, struct command_set_schedule);
    assert_true(json_of(&schedule, sizeof schedule, json));
    memset(&ticks, 0x80, sizeof ticks); /* the most digits, and a sign */
    ticks.header = COMMAND_HEADER(COMMAND_SET_TICK_TABLE, struct command_set_tick_table);
    assert_true(json_of(&ticks, sizeof ticks, json));
}

static void nothing_else_is_a_setting(void **state)
{
    (void)state;
    char json[SETTING_JSON_BYTES];
    const struct command_kill_switch kill = {
        .header = COMMAND_HEADER(COMMAND_KILL_SWITCH, struct command_kill_switch)};
    assert_false(json_of(&kill, sizeof kill, json));
    struct command_set_fees cut = {.header =
                                       COMMAND_HEADER(COMMAND_SET_FEES, struct command_set_fees)};
    cut.header.block_length = 8;
    assert_false(json_of(&cut, sizeof cut, json));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(market_settings),
        cmocka_unit_test(settings_of_instruments_and_accounts),
        cmocka_unit_test(the_longest_fit),
        cmocka_unit_test(nothing_else_is_a_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
