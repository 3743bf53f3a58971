/* replay_book_test.c - the replay's view of its book against a list that is searched naively. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/message/command.h"
#include "server/ops/replay_book.h"

enum { ORDERS = 3000 };

static uint64_t random_state;

static int64_t random_below(int64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int64_t)(random_state % (uint64_t)limit);
}

struct naive_order {
    uint8_t side;
    px_t px;
    qty_t leaves;
};

static struct naive_order naive[ORDERS];

/* The best level opposite to an order, by looking at everything. */
static bool naive_meets(unsigned count, uint8_t side, px_t px, px_t *best, qty_t *qty,
                        uint32_t *first)
{
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct naive_order *o = &naive[i];
        if (o->leaves == 0 || o->side == side) continue;
        if (side == SIDE_BUY ? o->px > px : o->px < px) continue;
        bool better = found && (side == SIDE_BUY ? o->px < *best : o->px > *best);
        if (!found || better) {
            *best = o->px;
            *qty = 0;
            *first = i;
            found = true;
        }
        if (o->px == *best) *qty += o->leaves;
    }
    return found;
}

static void test_what_an_order_meets(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        random_state = seed * UINT64_C(0x9e3779b97f4a7c15);
        struct replay_book book;
        assert_true(replay_book_open(&book, ORDERS));
        uint32_t count = 0, resting = 0;
        while (count < ORDERS) {
            uint8_t side = random_below(2) ? SIDE_BUY : SIDE_SELL;
            px_t px = 100 * (1000 + random_below(60)), best = 0;
            qty_t qty = 0;
            uint32_t first = 0;
            const struct replay_level *level = replay_book_meets(&book, side, px);
            assert_int_equal(level != NULL, naive_meets(count, side, px, &best, &qty, &first));
            if (level) {
                assert_int_equal(level->px, best);
                assert_int_equal(level->qty, qty);
                assert_int_equal(level->first, first); /* the oldest */
                uint32_t chosen = random_below(2) ? first : (uint32_t)random_below(count);
                struct naive_order *o = &naive[chosen];
                if (o->leaves == 0) continue;
                qty_t taken = 1 + random_below(o->leaves);
                replay_book_take(&book, chosen, o->side, o->px, taken);
                o->leaves -= taken;
                resting -= o->leaves == 0;
                assert_int_equal(book.orders[chosen].leaves_qty, o->leaves);
            } else {
                naive[count] = (struct naive_order){side, px, 1 + random_below(100)};
                assert_true(replay_book_add(&book, count, side, px, naive[count].leaves));
                count++;
                resting++;
            }
            assert_int_equal(book.resting, resting);
        }
        replay_book_close(&book);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_an_order_meets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
