#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/wallet/fee.h"

static void expect_fee(cash_t notional, int32_t ppm, cash_t cash, int32_t remainder)
{
    struct fee fee = fee_of(notional, ppm);
    assert_int_equal(fee.cash, cash);
    assert_int_equal(fee.remainder, remainder);
    /* nothing is lost: what was rounded off is told */
    assert_true((__int128)fee.cash * 1000000 + fee.remainder == (__int128)notional * ppm);
}

static void fees_and_rebates_are_rounded_towards_zero(void **state)
{
    (void)state;
    expect_fee(1000000, 25, 25, 0);
    expect_fee(999999, 25, 24, 999975);
    expect_fee(999999, -25, -24, -999975);
    expect_fee(39999, 25, 0, 999975); /* a fee too small to be one cash unit */
    expect_fee(39999, -25, 0, -999975);
    expect_fee(123456789, 0, 0, 0);
    expect_fee(0, 100000, 0, 0);
}

/* Around the notional from which on the product needs more than 64 bits. */
static void large_notionals_cost_the_same(void **state)
{
    (void)state;
    const cash_t border = INT64_MAX / 1000000;
    for (cash_t notional = border - 2; notional <= border + 2; notional++) {
        expect_fee(notional, 100000, notional / 10, (int32_t)(notional % 10) * 100000);
        expect_fee(notional, -100000, -(notional / 10), -(int32_t)(notional % 10) * 100000);
    }
    expect_fee(INT64_MAX, 100000, INT64_MAX / 10, 700000);
    expect_fee(INT64_MAX, -100000, -(INT64_MAX / 10), -700000);
}

static cash_t hold_of(cash_t notional, uint32_t max_fee_ppm)
{
    cash_t hold;
    assert_true(fee_hold(notional, max_fee_ppm, &hold));
    return hold;
}

static void a_hold_has_the_highest_fee_rounded_up(void **state)
{
    (void)state;
    cash_t hold;
    assert_int_equal(hold_of(1000000, 25), 1000025);
    assert_int_equal(hold_of(1000001, 25), 1000027);
    assert_int_equal(hold_of(1, 1), 2);
    assert_int_equal(hold_of(12345, 0), 12345);
    assert_int_equal(hold_of(INT64_MAX, 0), INT64_MAX);
    assert_false(fee_hold(INT64_MAX, 1, &hold));
    const cash_t border = INT64_MAX / 1000000;
    for (cash_t notional = border - 2; notional <= border + 2; notional++)
        assert_int_equal(hold_of(notional, 100000), notional + (notional + 9) / 10);
    assert_false(fee_hold(INT64_MAX / 11 * 10 + 10, 100000, &hold));
}

static void a_plain_hold_is_the_same(void **state)
{
    (void)state;
    const cash_t end = INT64_C(1) << 43;
    for (uint32_t ppm = 0; ppm <= 100000; ppm += 12500) {
        for (cash_t notional = 0; notional < 50; notional++)
            assert_int_equal(fee_hold_plain(notional, ppm), hold_of(notional, ppm));
        for (cash_t notional = end - 50; notional < end; notional++)
            assert_int_equal(fee_hold_plain(notional, ppm), hold_of(notional, ppm));
    }
}

/* An order that fills in parts is never short of a fee: what a part releases covers it. */
static void parts_of_a_hold_cover_the_fees_of_parts(void **state)
{
    (void)state;
    for (uint32_t ppm = 1; ppm <= 100000; ppm += 7777) {
        for (cash_t whole = 1; whole < 400; whole += 13) {
            for (cash_t part = 1; part <= whole; part++) {
                cash_t released = hold_of(whole, ppm) - hold_of(whole - part, ppm);
                assert_true(released >= part + fee_of(part, (int32_t)ppm).cash);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fees_and_rebates_are_rounded_towards_zero),
        cmocka_unit_test(large_notionals_cost_the_same),
        cmocka_unit_test(a_hold_has_the_highest_fee_rounded_up),
        cmocka_unit_test(a_plain_hold_is_the_same),
        cmocka_unit_test(parts_of_a_hold_cover_the_fees_of_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
