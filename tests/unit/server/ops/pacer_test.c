/* pacer_test.c - a paced sender is never refused by the bucket it keeps below. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/ops/pacer.h"

static uint64_t random_state;

static int64_t random_below(int64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int64_t)(random_state % (uint64_t)limit);
}

/* Whatever the calls' times, a bucket of `limit` that fills with `limit` a second never runs dry.
 */
static void test_the_pacer_keeps_below_the_limit(void **state)
{
    (void)state;
    static const uint32_t limits[] = {1, 7, 100, 20000};
    for (unsigned l = 0; l < sizeof limits / sizeof limits[0]; l++) {
        struct pacer pacer;
        int64_t now_ns = INT64_C(5000000000);
        double tokens = limits[l]; /* the exchange's bucket */
        random_state = 11;
        pacer_start(&pacer, limits[l], now_ns);
        for (unsigned i = 0; i < 200000; i++) {
            int64_t gap_ns = random_below(1000) ? random_below(100000) : random_below(3000000000);
            now_ns += gap_ns;
            tokens += (double)gap_ns * limits[l] / 1e9;
            if (tokens > limits[l]) tokens = limits[l];
            if (!pacer_take(&pacer, now_ns)) continue;
            tokens -= 1;
            assert_true(tokens > -1e-6);
        }
        /* and it does use what it may: somebody who always wants to send, for four seconds */
        unsigned taken = 0;
        for (unsigned i = 0; i < 400000; i++) taken += pacer_take(&pacer, now_ns += 10000);
        assert_true(taken >= 4 * limits[l] * 9 / 10);
    }
    struct pacer unlimited;
    pacer_start(&unlimited, 0, 1);
    for (unsigned i = 0; i < 1000; i++) assert_true(pacer_take(&unlimited, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_pacer_keeps_below_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
