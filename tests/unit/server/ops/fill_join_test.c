/* fill_join_test.c - both halves of each fill find each other, in whatever order they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/ops/fill_join.h"

static uint64_t random_state;

static int64_t random_below(int64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int64_t)(random_state % (uint64_t)limit);
}

static void test_fills_are_joined_in_any_order(void **state)
{
    (void)state;
    struct fill_join join = {0};
    struct half_fill other;
    bool ok;
    random_state = 3;
    /* halves of 500 trades in random order, the maker's number twice the taker's */
    static struct half_fill halves[1000];
    for (uint32_t i = 0; i < 500; i++) {
        halves[2 * i] = (struct half_fill){i + 1, i, 10, false};
        halves[2 * i + 1] = (struct half_fill){i + 1, 2 * i, 10, true};
    }
    for (uint32_t i = 999; i > 0; i--) {
        uint32_t j = (uint32_t)random_below(i + 1);
        struct half_fill swap = halves[i];
        halves[i] = halves[j];
        halves[j] = swap;
    }
    unsigned joined = 0;
    for (unsigned i = 0; i < 1000; i++) {
        const struct half_fill *h = &halves[i];
        if (!fill_join_add(&join, h, &other, &ok)) {
            assert_true(ok);
            assert_int_equal(fill_join_lacks_maker(&join, h->trade_id), !h->is_maker);
            continue;
        }
        joined++;
        assert_int_equal(other.trade_id, h->trade_id);
        assert_int_not_equal(other.is_maker, h->is_maker);
        assert_int_equal(other.owner, h->is_maker ? h->owner / 2 : h->owner * 2);
        assert_false(fill_join_lacks_maker(&join, h->trade_id));
    }
    assert_int_equal(joined, 500);
    assert_int_equal(join.count, 0);
    assert_int_equal(fill_join_without_maker(&join), 0);
    fill_join_add(&join, &(struct half_fill){7, 1, 1, true}, &other, &ok);
    assert_int_equal(fill_join_without_maker(&join), 0); /* its taker is what is missing */
    assert_false(fill_join_add(&join, &(struct half_fill){7, 2, 1, true}, &other, &ok));
    fill_join_add(&join, &(struct half_fill){8, 1, 1, false}, &other, &ok);
    assert_int_equal(fill_join_without_maker(&join), 8);
    fill_join_free(&join);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fills_are_joined_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
