#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/engine_bounds.h"

/* ---- instruments ---- */

static struct instrument trading(void)
{
    return (struct instrument){.session = SESSION_CONTINUOUS, .tick_px = 1, .max_px = 1000000};
}

static void no_limits_leave_all_that_is_plain(void **state)
{
    (void)state;
    struct instrument i = trading();
    bounds_follow_limits(&i);
    bounds_follow_px(&i);
    assert_int_equal(i.bounds.order_qty, PLAIN_QTY_MAX);
    assert_int_equal(i.bounds.notional, PLAIN_NOTIONAL_MAX);
    assert_int_equal(i.bounds.long_qty, RISK_POSITION_MAX);
    assert_int_equal(i.bounds.daily_qty, RISK_DAILY_QTY);
    assert_int_equal(i.bounds.worst_px[0], INT64_MAX);
    assert_int_equal(i.bounds.worst_px[1], 0);
    assert_int_equal(i.bounds.low_px, 0);
    assert_int_equal(i.bounds.high_px, INT64_MAX);
}

static void limits_bound_where_they_are_smaller(void **state)
{
    (void)state;
    struct instrument i = trading();
    i.max_order_qty = 10;
    i.max_order_notional = INT64_MAX;
    i.max_long_qty = 30;
    i.max_daily_qty = 40;
    bounds_follow_limits(&i);
    assert_int_equal(i.bounds.order_qty, 10);
    assert_int_equal(i.bounds.notional, PLAIN_NOTIONAL_MAX);
    assert_int_equal(i.bounds.long_qty, 30);
    assert_int_equal(i.bounds.daily_qty, 40);
    i.max_daily_qty = -1;
    bounds_follow_limits(&i);
    assert_int_equal(i.bounds.daily_qty, INT64_MAX);
}

static void nothing_is_ordinary_in_another_session(void **state)
{
    (void)state;
    for (uint8_t session = 0; session <= SESSION_CLOSING_AUCTION; session++) {
        struct instrument i = trading();
        i.session = session;
        bounds_follow_limits(&i);
        assert_int_equal(i.bounds.order_qty, session == SESSION_CONTINUOUS ? PLAIN_QTY_MAX : 0);
    }
}

static void expect_px(const struct instrument *i, px_t buy, px_t sell, px_t low, px_t high)
{
    struct instrument bounded = *i;
    bounds_follow_px(&bounded);
    assert_int_equal(bounded.bounds.worst_px[0], buy);
    assert_int_equal(bounded.bounds.worst_px[1], -sell);
    assert_int_equal(bounded.bounds.low_px, low);
    assert_int_equal(bounded.bounds.high_px, high);
}

static void bands_and_collar_bound_prices(void **state)
{
    (void)state;
    struct instrument i = trading();
    i.static_ppm = 100000;
    i.collar_ppm = 50000;
    i.dynamic_ppm = 20000;
    expect_px(&i, INT64_MAX, 0, 0, INT64_MAX); /* around nothing */
    i.reference_px = 10000;
    expect_px(&i, 10500, 9500, 9000, 11000); /* the market is the reference */
    i.last_px = 10800;
    expect_px(&i, 11000, 10260, 10584, 11000); /* 10,800 + 5 % lies outside the static band */
    i.last_px = 333;
    expect_px(&i, 349, 9000, 9000, 339); /* widths are rounded down; nothing may trade */
    i.collar_ppm = i.dynamic_ppm = 0;
    expect_px(&i, 11000, 9000, 9000, 11000);
}

/* ---- accounts and users ---- */

/* Account 1 has users 1 and 3; account 2 has user 2. */
struct tables {
    struct account accounts[3];
    struct user users[4];
    struct risk_limits account_limits[3], user_limits[4];
    user_id_t first_users[3];
    struct accounts all;
};

static void open_tables(struct tables *t)
{
    *t = (struct tables){.users = {{0},
                                   {.exists = 1, .account = 1},
                                   {.exists = 1, .account = 2},
                                   {.exists = 1, .account = 1, .next_user = 1}},
                         .first_users = {0, 3, 2}};
    t->all = (struct accounts){.accounts = t->accounts,
                               .users = t->users,
                               .account_limits = t->account_limits,
                               .user_limits = t->user_limits,
                               .first_users = t->first_users,
                               .account_max = 3,
                               .user_max = 4};
    bounds_follow_account(&t->all, 1);
    bounds_follow_account(&t->all, 2);
}

static void no_limits_are_the_largest_numbers(void **state)
{
    (void)state;
    struct tables t;
    open_tables(&t);
    const struct user *u = &t.users[1];
    assert_int_equal(t.accounts[1].max_messages, UINT32_MAX);
    assert_int_equal(t.accounts[1].max_exposure, INT64_MAX);
    assert_int_equal(u->max_messages, UINT32_MAX);
    assert_int_equal(u->max_open_orders, UINT32_MAX);
    assert_int_equal(u->collar_ppm, 0);
    assert_int_equal(u->max_order_qty, INT64_MAX);
    assert_int_equal(u->max_order_notional, INT64_MAX);
    assert_int_equal(u->max_long_qty, INT64_MAX);
    assert_int_equal(u->max_daily_qty, 0); /* the instrument's */
}

static void an_account_bounds_its_users_and_no_others(void **state)
{
    (void)state;
    struct tables t;
    open_tables(&t);
    t.account_limits[1] = (struct risk_limits){.max_order_qty = 10,
                                               .max_order_notional = 20,
                                               .max_open_orders = 3,
                                               .max_messages = 4,
                                               .collar_ppm = 50,
                                               .max_long_qty = 60,
                                               .max_exposure = 70};
    bounds_follow_account(&t.all, 1);
    assert_int_equal(t.accounts[1].max_messages, 4);
    assert_int_equal(t.accounts[1].max_exposure, 70);
    for (user_id_t user = 1; user <= 3; user += 2) {
        assert_int_equal(t.users[user].max_order_qty, 10);
        assert_int_equal(t.users[user].max_order_notional, 20);
        assert_int_equal(t.users[user].max_open_orders, 3);
        assert_int_equal(t.users[user].max_messages, UINT32_MAX); /* its own alone */
        assert_int_equal(t.users[user].collar_ppm, 50);
        assert_int_equal(t.users[user].max_long_qty, 60);
    }
    assert_int_equal(t.users[2].max_order_qty, INT64_MAX);
    assert_int_equal(t.users[2].collar_ppm, 0);
}

static void the_stricter_of_two_rows_bounds(void **state)
{
    (void)state;
    struct tables t;
    open_tables(&t);
    t.account_limits[1] =
        (struct risk_limits){.max_order_qty = 10, .max_order_notional = 20, .collar_ppm = 50};
    t.user_limits[1] = (struct risk_limits){.max_order_qty = 9,
                                            .max_order_notional = 21,
                                            .max_messages = 5,
                                            .collar_ppm = 51,
                                            .max_daily_qty = 7};
    t.user_limits[3] = (struct risk_limits){.collar_ppm = 49, .max_daily_qty = -1};
    bounds_follow_account(&t.all, 1);
    assert_int_equal(t.users[1].max_order_qty, 9);
    assert_int_equal(t.users[1].max_order_notional, 20);
    assert_int_equal(t.users[1].max_messages, 5);
    assert_int_equal(t.users[1].collar_ppm, 50);
    assert_int_equal(t.users[1].max_daily_qty, 7);
    assert_int_equal(t.users[3].collar_ppm, 49);
    assert_int_equal(t.users[3].max_daily_qty, INT64_MAX);
}

static void a_blocked_account_sends_nothing_ordinary(void **state)
{
    (void)state;
    struct tables t;
    open_tables(&t);
    t.accounts[1].blocked = 1;
    bounds_follow_account(&t.all, 1);
    assert_int_equal(t.accounts[1].max_messages, 0);
    t.accounts[1].blocked = 0;
    bounds_follow_account(&t.all, 1);
    assert_int_equal(t.accounts[1].max_messages, UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_limits_leave_all_that_is_plain),
        cmocka_unit_test(limits_bound_where_they_are_smaller),
        cmocka_unit_test(nothing_is_ordinary_in_another_session),
        cmocka_unit_test(bands_and_collar_bound_prices),
        cmocka_unit_test(no_limits_are_the_largest_numbers),
        cmocka_unit_test(an_account_bounds_its_users_and_no_others),
        cmocka_unit_test(the_stricter_of_two_rows_bounds),
        cmocka_unit_test(a_blocked_account_sends_nothing_ordinary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
