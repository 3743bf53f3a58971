#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "engine/session/schedule.h"
#include "tests/model/random.h"

#define SECOND INT64_C(1000000000)
#define DAY    (86400 * SECOND)
#define MONDAY (18 * DAY) /* 1970-01-19 */

enum { WORKDAYS = 0x1f, SATURDAY = 1 << 5, EVERY_DAY = 0x7f };

static const struct schedule office_hours = {
    .second_of_day = {9 * 3600, 17 * 3600},
    .session = {SESSION_CONTINUOUS, SESSION_CLOSED},
    .weekdays = {WORKDAYS, WORKDAYS},
};

static void assert_next(const struct schedule *schedule, int64_t after_ns, int64_t at_ns,
                        uint8_t session)
{
    uint8_t found = 0;
    assert_int_equal(schedule_next_ns(schedule, after_ns, &found), at_ns);
    assert_int_equal(found, session);
}

static void rows_come_one_after_the_other(void **state)
{
    (void)state;
    int64_t opens = MONDAY + 9 * 3600 * SECOND, closes = MONDAY + 17 * 3600 * SECOND;
    assert_next(&office_hours, MONDAY, opens, SESSION_CONTINUOUS);
    assert_next(&office_hours, opens - 1, opens, SESSION_CONTINUOUS);
    assert_next(&office_hours, opens, closes, SESSION_CLOSED);
    assert_next(&office_hours, closes, opens + DAY, SESSION_CONTINUOUS);
}

static void weekends_are_left_out(void **state)
{
    (void)state;
    int64_t friday_closes = MONDAY + 4 * DAY + 17 * 3600 * SECOND;
    int64_t monday_opens = MONDAY + 7 * DAY + 9 * 3600 * SECOND;
    assert_next(&office_hours, friday_closes - 1, friday_closes, SESSION_CLOSED);
    assert_next(&office_hours, friday_closes, monday_opens, SESSION_CONTINUOUS);
    assert_next(&office_hours, MONDAY + 6 * DAY, monday_opens, SESSION_CONTINUOUS);
}

static void a_weekly_row_comes_again_after_a_week(void **state)
{
    (void)state;
    const struct schedule weekly = {
        .second_of_day = {43200}, .session = {SESSION_PRE_OPEN}, .weekdays = {SATURDAY}};
    int64_t saturday_noon = MONDAY + 5 * DAY + 43200 * SECOND;
    assert_next(&weekly, MONDAY, saturday_noon, SESSION_PRE_OPEN);
    assert_next(&weekly, saturday_noon - 1, saturday_noon, SESSION_PRE_OPEN);
    assert_next(&weekly, saturday_noon, saturday_noon + 7 * DAY, SESSION_PRE_OPEN);
}

static void the_last_second_of_a_day_and_the_first_of_the_next(void **state)
{
    (void)state;
    const struct schedule midnight = {.second_of_day = {0, 86399},
                                      .session = {SESSION_CONTINUOUS, SESSION_CLOSED},
                                      .weekdays = {EVERY_DAY, EVERY_DAY}};
    assert_next(&midnight, MONDAY, MONDAY + DAY - SECOND, SESSION_CLOSED);
    assert_next(&midnight, MONDAY + DAY - SECOND - 1, MONDAY + DAY - SECOND, SESSION_CLOSED);
    assert_next(&midnight, MONDAY + DAY - SECOND, MONDAY + DAY, SESSION_CONTINUOUS);
    assert_next(&midnight, MONDAY + DAY - 1, MONDAY + DAY, SESSION_CONTINUOUS);
    assert_next(&midnight, 0, DAY - SECOND, SESSION_CLOSED);
}

static void the_epoch_was_a_thursday(void **state)
{
    (void)state;
    for (int weekday = 0; weekday < 7; weekday++) {
        const struct schedule one = {.second_of_day = {1},
                                     .session = {SESSION_CLOSED},
                                     .weekdays = {(uint8_t)(1 << weekday)}};
        int64_t days_off = (weekday + 7 - 3) % 7;
        assert_next(&one, 0, days_off * DAY + SECOND, SESSION_CLOSED);
    }
}

static void nothing_comes_without_rows_or_after_the_end_of_time(void **state)
{
    (void)state;
    const struct schedule none = {0};
    uint8_t session;
    assert_int_equal(schedule_next_ns(&none, 0, &session), 0);
    assert_int_equal(schedule_next_ns(&office_hours, INT64_MAX, &session), 0);
    assert_int_equal(schedule_next_ns(&office_hours, INT64_MAX - SECOND, &session), 0);
    assert_true(schedule_next_ns(&office_hours, INT64_MAX - 14 * DAY, &session) > 0);
}

/* Goes through the seconds one by one. */
static int64_t next_by_search(const struct schedule *schedule, int64_t after_ns, uint8_t *session)
{
    for (int64_t second = after_ns / SECOND; second <= after_ns / SECOND + 8 * 86400; second++) {
        int64_t weekday = (second / 86400 + 3) % 7;
        if (second * SECOND <= after_ns) continue;
        for (int row = 0; row < SCHEDULE_ROWS; row++)
            if (schedule->second_of_day[row] == second % 86400 &&
                schedule->weekdays[row] >> weekday & 1) {
                *session = schedule->session[row];
                return second * SECOND;
            }
    }
    return 0;
}

static void it_is_a_search_through_all_seconds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct random r = {seed};
        struct schedule schedule = {0};
        uint32_t second = random_below(&r, 2);
        for (unsigned row = 0; row < random_below(&r, SCHEDULE_ROWS + 1); row++) {
            schedule.second_of_day[row] = second;
            schedule.session[row] = (uint8_t)random_between(&r, 1, 7);
            schedule.weekdays[row] = (uint8_t)random_between(&r, 1, 127);
            second += random_between(&r, 1, 10000);
        }
        int64_t after_ns = MONDAY + (int64_t)random_below(&r, 14 * 86400) * SECOND;
        if (seed % 3 == 0 && schedule.weekdays[0]) /* at a row, or next to it */
            after_ns = MONDAY + schedule.second_of_day[0] * SECOND - random_below(&r, 2);
        uint8_t searched = 0, found = 0;
        int64_t at_ns = next_by_search(&schedule, after_ns, &searched);
        assert_int_equal(schedule_next_ns(&schedule, after_ns, &found), at_ns);
        assert_int_equal(found, searched);
    }
}

static struct command_set_schedule command_of_office_hours(void)
{
    struct command_set_schedule command = {.schedule = 1};
    memcpy(command.second_of_day, office_hours.second_of_day, sizeof command.second_of_day);
    memcpy(command.session, office_hours.session, sizeof command.session);
    memcpy(command.weekdays, office_hours.weekdays, sizeof command.weekdays);
    return command;
}

static void rows_that_make_sense_are_taken(void **state)
{
    (void)state;
    struct command_set_schedule command = command_of_office_hours();
    assert_true(schedule_is_valid(&command));
    command.schedule = SCHEDULE_COUNT - 1;
    assert_true(schedule_is_valid(&command));
    for (int row = 0; row < SCHEDULE_ROWS; row++) {
        command.second_of_day[row] = row == SCHEDULE_ROWS - 1 ? 86399 : (uint32_t)row;
        command.session[row] = row % 2 ? SESSION_CLOSED : SESSION_CLOSING_AUCTION;
        command.weekdays[row] = EVERY_DAY;
    }
    assert_true(schedule_is_valid(&command));
    command = (struct command_set_schedule){.schedule = 1};
    assert_true(schedule_is_valid(&command));
}

#define ASSERT_REFUSED(field, value)                                                               \
    do {                                                                                           \
        struct command_set_schedule command = command_of_office_hours();                           \
        command.field = (value);                                                                   \
        assert_false(schedule_is_valid(&command));                                                 \
    } while (0)

static void others_are_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED(schedule, 0);
    ASSERT_REFUSED(schedule, SCHEDULE_COUNT);
    ASSERT_REFUSED(second_of_day[1], 9 * 3600);
    ASSERT_REFUSED(second_of_day[1], 9 * 3600 - 1);
    ASSERT_REFUSED(second_of_day[1], 86400);
    ASSERT_REFUSED(session[0], 0);
    ASSERT_REFUSED(session[1], 8);
    ASSERT_REFUSED(weekdays[1], 128);
    ASSERT_REFUSED(weekdays[1], 0); /* not used, but not empty */
    ASSERT_REFUSED(weekdays[2], 1); /* used, but without a session */
    ASSERT_REFUSED(second_of_day[7], 1);
    ASSERT_REFUSED(session[7], SESSION_CLOSED);
    struct command_set_schedule command = command_of_office_hours();
    command.second_of_day[0] = 0;
    command.session[0] = command.weekdays[0] = 0;
    assert_false(schedule_is_valid(&command)); /* a row behind one that is not used */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_one_after_the_other),
        cmocka_unit_test(weekends_are_left_out),
        cmocka_unit_test(a_weekly_row_comes_again_after_a_week),
        cmocka_unit_test(the_last_second_of_a_day_and_the_first_of_the_next),
        cmocka_unit_test(the_epoch_was_a_thursday),
        cmocka_unit_test(nothing_comes_without_rows_or_after_the_end_of_time),
        cmocka_unit_test(it_is_a_search_through_all_seconds),
        cmocka_unit_test(rows_that_make_sense_are_taken),
        cmocka_unit_test(others_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
