/* rate_test.c - the token bucket: its size, its filling, clocks that jump, and a long random run
 * against the definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/admission/rate.h"

static uint32_t take_all(struct token_bucket *bucket, uint32_t limit, int64_t now_ms)
{
    struct rate_state state;
    uint32_t taken = 0;
    while (token_bucket_take(bucket, limit, now_ms, &state)) taken++;
    return taken;
}

static void a_new_bucket_is_full(void **state)
{
    struct token_bucket bucket = {0};
    struct rate_state rate;
    (void)state;
    assert_true(token_bucket_take(&bucket, 10, 1000, &rate));
    assert_int_equal(rate.limit, 10);
    assert_int_equal(rate.remaining, 9);
    assert_int_equal(rate.reset_s, 1);
    assert_int_equal(rate.retry_after_s, 0);
    assert_int_equal(take_all(&bucket, 10, 1000), 9);
    assert_false(token_bucket_take(&bucket, 10, 1000, &rate));
    assert_int_equal(rate.remaining, 0);
    assert_int_equal(rate.retry_after_s, 1);
}

static void it_fills_by_the_limit_a_second(void **state)
{
    struct token_bucket bucket = {0};
    (void)state;
    assert_int_equal(take_all(&bucket, 10, 1000), 10);
    assert_int_equal(take_all(&bucket, 10, 1099), 0);
    assert_int_equal(take_all(&bucket, 10, 1100), 1);
    assert_int_equal(take_all(&bucket, 10, 1350), 2);
    assert_int_equal(take_all(&bucket, 10, 1400), 1); /* the half token of before counts */
    assert_int_equal(take_all(&bucket, 10, 2400), 10);
    assert_int_equal(take_all(&bucket, 10, 999999999), 10);
}

static void it_never_holds_more_than_its_size(void **state)
{
    struct token_bucket bucket = {0};
    struct rate_state rate;
    (void)state;
    assert_true(token_bucket_take(&bucket, 10, 1000, &rate));
    assert_int_equal(take_all(&bucket, 10, 1900), 10);
}

static void many_milliseconds_do_not_lose_fractions(void **state)
{
    struct token_bucket bucket = {0};
    uint32_t taken = 0;
    (void)state;
    taken += take_all(&bucket, 7, 1);
    for (int64_t now_ms = 2; now_ms <= 10001; now_ms++) taken += take_all(&bucket, 7, now_ms);
    assert_int_equal(taken, 7 + 70);
}

static void a_clock_set_back_gives_nothing_and_then_goes_on(void **state)
{
    struct token_bucket bucket = {0};
    (void)state;
    assert_int_equal(take_all(&bucket, 10, 5000000), 10);
    assert_int_equal(take_all(&bucket, 10, 1000), 0);
    assert_int_equal(take_all(&bucket, 10, 1500), 5);
    assert_int_equal(take_all(&bucket, 10, 5000000), 10);
}

/* Whatever the arrivals: never more than the bucket and what has flowed in since. */
static void no_window_has_more_than_burst_and_flow(void **state)
{
    struct token_bucket bucket = {0};
    struct rate_state rate;
    uint64_t random = 7, taken = 0;
    int64_t now_ms = 1;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        now_ms += (int64_t)(random >> 60) / 3;
        taken += token_bucket_take(&bucket, 300, now_ms, &rate);
        assert_true(taken <= 300 + (uint64_t)(now_ms - 1) * 300 / 1000);
    }
    assert_true(taken * 10 >= (uint64_t)now_ms * 300 / 1000 * 9); /* and not much less */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_bucket_is_full),
        cmocka_unit_test(it_fills_by_the_limit_a_second),
        cmocka_unit_test(it_never_holds_more_than_its_size),
        cmocka_unit_test(many_milliseconds_do_not_lose_fractions),
        cmocka_unit_test(a_clock_set_back_gives_nothing_and_then_goes_on),
        cmocka_unit_test(no_window_has_more_than_burst_and_flow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
