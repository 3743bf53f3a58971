/* admin_rows_test.c - lists as an operator types them: what comes of good ones, and that no other
 * text is taken for one. */
#include "server/ops/admin_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_trading_day(void **state)
{
    (void)state;
    struct command_set_schedule s = {.schedule = 1};
    assert_true(admin_take_schedule_rows("08:30=pre_open@mon-fri,09:00:15=opening_auction@mon-fri,"
                                         "09:05=continuous@mon-thu+sat+sun,23:59:59=closed",
                                         &s));
    assert_int_equal(s.second_of_day[0], 8 * 3600 + 30 * 60);
    assert_int_equal(s.second_of_day[1], 9 * 3600 + 15);
    assert_int_equal(s.second_of_day[2], 9 * 3600 + 5 * 60);
    assert_int_equal(s.second_of_day[3], 86399);
    assert_int_equal(s.session[0], SESSION_PRE_OPEN);
    assert_int_equal(s.session[1], SESSION_OPENING_AUCTION);
    assert_int_equal(s.session[2], SESSION_CONTINUOUS);
    assert_int_equal(s.session[3], SESSION_CLOSED);
    assert_int_equal(s.weekdays[0], 0x1f);
    assert_int_equal(s.weekdays[2], 0x6f);
    assert_int_equal(s.weekdays[3], 0x7f);
    assert_int_equal(s.weekdays[4], 0);
}

static void no_schedule(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        ",",
        "=",
        "09:00",
        "09:00=",
        "=closed",
        "09:00=open",
        "09:00=closed,",
        ",09:00=closed",
        "24:00=closed",
        "09:60=closed",
        "09:00:60=closed",
        "9=closed",
        "09:00x=closed",
        "-9:00=closed",
        " 9:00=closed",
        "09:00=closed@",
        "09:00=closed@monday",
        "09:00=closed@fri-mon",
        "09:00=closed@mon+",
        "09:00=closed@mon-",
        "09:00=closed@mon-fri-sun",
        "09:00=closed09:00=closed09:00=closed09:00=closed09:00=closed09:00=closed09:00=closed",
        "1:0=halt,1:1=halt,1:2=halt,1:3=halt,1:4=halt,1:5=halt,1:6=halt,1:7=halt,1:8=halt",
    };
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct command_set_schedule s = {.schedule = 1};
        assert_false(admin_take_schedule_rows(wrong[i], &s));
    }
    struct command_set_schedule s = {.schedule = 1};
    assert_false(admin_take_schedule_rows(NULL, &s));
}

static void ticks(void **state)
{
    (void)state;
    struct command_set_tick_table t = {.table = 1};
    assert_true(admin_take_tick_rows("0=0.01,100=0.05,500.5=0.1", &t));
    assert_int_equal(t.from_px[0], 0);
    assert_int_equal(t.tick_px[0], 100);
    assert_int_equal(t.from_px[2], 5005000);
    assert_int_equal(t.tick_px[2], 1000);
    assert_int_equal(t.tick_px[3], 0);
    static const char *const wrong[] = {"",     "0",         "0=",       "0=x",
                                        "0=-1", "0=0.00001", "0=1,,1=2", "0=1;1=2"};
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(admin_take_tick_rows(wrong[i], &t));
}

static void breakers(void **state)
{
    (void)state;
    struct command_set_breakers b = {.auction_ms = 0};
    assert_true(admin_take_breaker_levels("70000=900000,200000=0", &b));
    assert_int_equal(b.decline_ppm[0], 70000);
    assert_int_equal(b.halt_ms[0], 900000);
    assert_int_equal(b.decline_ppm[1], 200000);
    assert_int_equal(b.halt_ms[1], 0);
    assert_int_equal(b.decline_ppm[2], 0);
    struct command_set_breakers none = {.auction_ms = 0};
    assert_true(admin_take_breaker_levels("none", &none));
    assert_int_equal(none.decline_ppm[0], 0);
    static const char *const wrong[] = {"",     "7",           "7=", "=7", "7=x", "1=1,2=2,3=3,4=4",
                                        "7%=1", "4294967296=1"};
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(admin_take_breaker_levels(wrong[i], &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trading_day),
        cmocka_unit_test(no_schedule),
        cmocka_unit_test(ticks),
        cmocka_unit_test(breakers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
