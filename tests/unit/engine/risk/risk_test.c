#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/risk/risk.h"

static void limits_are_what_is_still_allowed(void **state)
{
    (void)state;
    const struct risk_limits limits = {.max_order_qty = 100, .max_order_notional = 5000};
    cash_t notional = 0;
    assert_int_equal(risk_check_order(&limits, 50, 100, &notional), REJECT_NONE);
    assert_int_equal(notional, 5000);
    assert_int_equal(risk_check_order(&limits, 1, 101, &notional), REJECT_MAX_ORDER_QTY);
    assert_int_equal(risk_check_order(&limits, 51, 99, &notional), REJECT_MAX_ORDER_NOTIONAL);
    assert_int_equal(risk_check_order(&limits, 5001, 1, &notional), REJECT_MAX_ORDER_NOTIONAL);
}

static void a_notional_without_a_number_is_above_any_limit(void **state)
{
    (void)state;
    const struct risk_limits limits = {.max_order_qty = QTY_MAX, .max_order_notional = INT64_MAX};
    cash_t notional = 0;
    assert_int_equal(risk_check_order(&limits, PX_MAX, QTY_MAX, &notional),
                     REJECT_MAX_ORDER_NOTIONAL);
    assert_int_equal(risk_check_order(&limits, PX_MAX, 9223, &notional), REJECT_NONE);
    assert_int_equal(risk_check_order(&limits, PX_MAX, 9224, &notional), REJECT_MAX_ORDER_NOTIONAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_what_is_still_allowed),
        cmocka_unit_test(a_notional_without_a_number_is_above_any_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
