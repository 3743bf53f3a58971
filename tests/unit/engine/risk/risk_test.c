#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/risk/risk.h"

static void a_second_has_room_for_so_many_messages(void **state)
{
    (void)state;
    uint32_t second = 0, count = 0;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(risk_rate_ok(second, count, 10, 3));
        risk_rate_count(&second, &count, 10);
    }
    assert_false(risk_rate_ok(second, count, 10, 3));
    assert_true(risk_rate_ok(second, count, 10, 4));
    assert_true(risk_rate_ok(second, count, 10, 0)); /* no limit */
    assert_true(risk_rate_ok(second, count, 11, 3));
    risk_rate_count(&second, &count, 11);
    assert_int_equal(count, 1);
    assert_int_equal(second, 11);
}

/* What was sent while there was no limit counts as soon as there is one. */
static void messages_are_counted_without_a_limit(void **state)
{
    (void)state;
    uint32_t second = 0, count = 0;
    for (unsigned i = 0; i < 5; i++) risk_rate_count(&second, &count, 0);
    assert_int_equal(count, 5);
    assert_false(risk_rate_ok(second, count, 0, 5));
    assert_true(risk_rate_ok(second, count, 0, 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_has_room_for_so_many_messages),
        cmocka_unit_test(messages_are_counted_without_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
