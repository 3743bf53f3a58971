#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/arith.h"

static const int64_t edges[] = {
    INT64_MIN, INT64_MIN + 1, -3037000500,   -2,       -1, 0, 1, 2, 3037000499, 3037000500,
    PX_MAX,    QTY_MAX,       INT64_MAX - 1, INT64_MAX};
enum { EDGES = sizeof edges / sizeof edges[0] };

static void expect(bool fits, int64_t result, __int128 exact)
{
    bool representable = exact >= INT64_MIN && exact <= INT64_MAX;
    assert_int_equal(fits, representable);
    if (fits) assert_true(result == exact);
}

static void results_are_exact_or_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EDGES; i++) {
        for (unsigned j = 0; j < EDGES; j++) {
            int64_t a = edges[i], b = edges[j], result = 0;
            bool fits = arith_add(a, b, &result);
            expect(fits, result, (__int128)a + b);
            fits = arith_sub(a, b, &result);
            expect(fits, result, (__int128)a - b);
            fits = arith_notional(a, b, &result);
            expect(fits, result, (__int128)a * b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(results_are_exact_or_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
