#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "engine/message/reject.h"

/* What clients, journals and the database rely on. */
static void the_table_is_in_order_and_without_doubles(void **state)
{
    (void)state;
    unsigned count;
    const struct reject_row *rows = reject_rows(&count);
    assert_int_equal(rows[0].number, REJECT_NONE);
    for (unsigned i = 1; i < count; i++) {
        assert_true(rows[i].number > rows[i - 1].number);
        for (unsigned j = 0; j < i; j++) assert_string_not_equal(rows[i].code, rows[j].code);
    }
}

/* Why an order was canceled that had been taken: no answer fails with it. */
static bool is_only_told(unsigned number)
{
    return number == REJECT_NONE ||
           (number >= REJECT_CANCELED_BY_KILL_SWITCH && number <= REJECT_CANCELED_AT_COLLAR);
}

static void every_row_can_be_answered_with(void **state)
{
    (void)state;
    unsigned count;
    const struct reject_row *rows = reject_rows(&count);
    for (unsigned i = 0; i < count; i++) {
        assert_ptr_equal(reject_row(rows[i].number), &rows[i]);
        if (is_only_told(rows[i].number))
            assert_int_equal(rows[i].http, 200);
        else
            assert_in_range(rows[i].http, 400, 504);
        assert_true(rows[i].code[strspn(rows[i].code, "abcdefghijklmnopqrstuvwxyz_")] == '\0');
        assert_true(strlen(rows[i].text) > 8);
    }
}

static void a_number_without_a_row_is_internal(void **state)
{
    (void)state;
    assert_int_equal(reject_row(99)->number, REJECT_INTERNAL);
    assert_int_equal(reject_row(65535)->number, REJECT_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_in_order_and_without_doubles),
        cmocka_unit_test(every_row_can_be_answered_with),
        cmocka_unit_test(a_number_without_a_row_is_internal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
