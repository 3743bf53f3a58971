/* settings_test.c - what was set last is what is told, for any number of accounts and users; what
 * was refused, or not set, is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web/replica/settings.h"

struct record {
    struct journal_record record;
    uint8_t space[256];
};

/* A command and the event that says that it was carried out. */
static void carry_out(struct settings *settings, const void *command, size_t bytes)
{
    struct record record = {0};
    memcpy((char *)&record + offsetof(struct journal_record, header), command, bytes);
    const struct event_setting_changed event = {
        .header = EVENT_HEADER(EVENT_SETTING_CHANGED, struct event_setting_changed),
        .command = record.record.header.template_id};
    assert_true(settings_changed(settings, &record.record, &event));
}

static struct command_set_limits limits_of(uint32_t scope, uint32_t id, qty_t max_order_qty)
{
    return (struct command_set_limits){
        .header = COMMAND_HEADER(COMMAND_SET_LIMITS, struct command_set_limits),
        .scope = scope,
        .id = id,
        .max_order_qty = max_order_qty};
}

static void limits_are_replaced_as_a_whole(void **state)
{
    struct settings *settings = settings_create();
    (void)state;
    struct command_set_limits set = limits_of(LIMIT_SCOPE_ACCOUNT, 7, 10);
    set.max_order_notional = 11, set.max_open_orders = 12, set.max_messages = 13;
    set.collar_ppm = 14, set.max_long_qty = 15, set.max_short_qty = 16, set.max_exposure = 17;
    set.max_daily_qty = -1;
    carry_out(settings, &set, sizeof set);
    struct pre_trade_limits limits = settings_limits(settings, LIMIT_SCOPE_ACCOUNT, 7);
    assert_int_equal(limits.max_order_qty, 10);
    assert_int_equal(limits.max_order_notional, 11);
    assert_int_equal(limits.max_open_orders, 12);
    assert_int_equal(limits.max_messages, 13);
    assert_int_equal(limits.collar_ppm, 14);
    assert_int_equal(limits.max_long_qty, 15);
    assert_int_equal(limits.max_short_qty, 16);
    assert_int_equal(limits.max_exposure, 17);
    assert_int_equal(limits.max_daily_qty, -1);
    assert_int_equal(settings_limits(settings, LIMIT_SCOPE_USER, 7).max_order_qty, 0);
    set = limits_of(LIMIT_SCOPE_ACCOUNT, 7, 20);
    carry_out(settings, &set, sizeof set);
    limits = settings_limits(settings, LIMIT_SCOPE_ACCOUNT, 7);
    assert_int_equal(limits.max_order_qty, 20);
    assert_int_equal(limits.max_exposure, 0);
    settings_destroy(settings);
}

static void many_scopes_keep_apart(void **state)
{
    enum { IDS = 5000 };
    struct settings *settings = settings_create();
    (void)state;
    for (uint32_t id = 1; id <= IDS; id++) {
        for (uint32_t scope = LIMIT_SCOPE_ACCOUNT; scope <= LIMIT_SCOPE_INSTRUMENT; scope++) {
            const struct command_set_limits set = limits_of(scope, id, scope * 100000 + id);
            carry_out(settings, &set, sizeof set);
        }
    }
    for (uint32_t id = 1; id <= IDS; id++) {
        for (uint32_t scope = LIMIT_SCOPE_ACCOUNT; scope <= LIMIT_SCOPE_INSTRUMENT; scope++)
            assert_int_equal(settings_limits(settings, (enum limit_scope)scope, id).max_order_qty,
                             scope * 100000 + id);
    }
    assert_int_equal(settings_limits(settings, LIMIT_SCOPE_USER, IDS + 1).max_order_qty, 0);
    settings_destroy(settings);
}

static void tick_tables_end_with_their_last_row(void **state)
{
    struct settings *settings = settings_create();
    struct tick_row rows[TICK_TABLE_ROWS];
    (void)state;
    assert_int_equal(settings_ticks(settings, 3, rows), 0);
    assert_int_equal(settings_ticks(settings, TICK_TABLE_COUNT, rows), 0);
    struct command_set_tick_table set = {
        .header = COMMAND_HEADER(COMMAND_SET_TICK_TABLE, struct command_set_tick_table),
        .table = 3,
        .from_px = {0, 10000},
        .tick_px = {1, 100}};
    carry_out(settings, &set, sizeof set);
    assert_int_equal(settings_ticks(settings, 3, rows), 2);
    assert_int_equal(rows[1].from_px, 10000);
    assert_int_equal(rows[1].tick_px, 100);
    assert_int_equal(settings_ticks(settings, 4, rows), 0);
    for (int i = 0; i < TICK_TABLE_ROWS; i++) set.from_px[i] = i * 100, set.tick_px[i] = 1;
    carry_out(settings, &set, sizeof set);
    assert_int_equal(settings_ticks(settings, 3, rows), TICK_TABLE_ROWS);
    settings_destroy(settings);
}

/* The event of another command (a timer's, say) is about nothing that the record holds. */
static void other_settings_are_left_alone(void **state)
{
    struct settings *settings = settings_create();
    struct record record = {0};
    const struct command_set_limits set = limits_of(LIMIT_SCOPE_USER, 1, 5);
    const struct event_setting_changed event = {
        .header = EVENT_HEADER(EVENT_SETTING_CHANGED, struct event_setting_changed),
        .command = COMMAND_SET_FEES};
    (void)state;
    memcpy((char *)&record + offsetof(struct journal_record, header), &set, sizeof set);
    assert_true(settings_changed(settings, &record.record, &event));
    assert_int_equal(settings_limits(settings, LIMIT_SCOPE_USER, 1).max_order_qty, 0);
    settings_destroy(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_replaced_as_a_whole),
        cmocka_unit_test(many_scopes_keep_apart),
        cmocka_unit_test(tick_tables_end_with_their_last_row),
        cmocka_unit_test(other_settings_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
