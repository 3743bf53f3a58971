#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "engine/auction/auction.h"
#include "tests/model/random.h"

enum { AAPL = 1, MSFT = 2, ORDERS_MAX = 40 };

static const struct limits limits = {.instruments = 3, .orders = 64, .price_blocks = 64};

struct fixture {
    struct books books;
    void *block;
    size_t bytes;
};

static int open_books(void **state)
{
    static struct fixture f;
    struct arena measured = {0};
    books_init(&f.books, &measured, &limits);
    f.bytes = measured.used;
    f.block = arena_map(f.bytes, 0);
    if (!f.block) return -1;
    struct arena arena = {.base = f.block, .capacity = f.bytes};
    books_init(&f.books, &arena, &limits);
    *state = &f;
    return 0;
}

static int close_books(void **state)
{
    struct fixture *f = *state;
    arena_unmap(f->block, f->bytes);
    return 0;
}

/* What the price finder is asked about, and is not told: single orders and their prices. */
struct collected {
    uint8_t side;
    uint32_t ticks;
    qty_t qty;
    struct book_order *order;
};

struct collection {
    struct collected orders[ORDERS_MAX];
    unsigned count;
};

static void collect(struct fixture *f, struct collection *all, uint8_t side, uint32_t ticks,
                    qty_t qty, qty_t display_qty)
{
    order_id_t order_id = book_next_id(&f->books, true);
    struct book_order *order = &f->books.orders[slot_of(order_id)];
    *order = (struct book_order){.order_id = order_id,
                                 .limit_px = ticks,
                                 .order_qty = qty,
                                 .leaves_qty = qty,
                                 .account = 1,
                                 .instrument = AAPL,
                                 .side = side,
                                 .iceberg = display_qty != 0};
    *book_more(&f->books, order) = (struct order_more){.display_qty = display_qty};
    book_rest(&f->books, order, side == SIDE_BUY ? LADDER_BIDS : LADDER_ASKS, ticks, 0);
    all->orders[all->count++] = (struct collected){side, ticks, qty, order};
}

static void clear(struct fixture *f, struct collection *all)
{
    while (all->count) {
        struct book_order *order = all->orders[--all->count].order;
        book_remove(&f->books, order);
        book_free(&f->books, order);
    }
}

/* ---- MATCHING.md section 6, tick by tick ---- */

struct curve {
    qty_t buy, sell, trades, surplus; /* surplus above zero: to buy */
};

static struct curve at_ticks(const struct collection *all, uint32_t ticks)
{
    struct curve c = {0};
    for (unsigned i = 0; i < all->count; i++) {
        const struct collected *o = &all->orders[i];
        if (o->side == SIDE_BUY && o->ticks >= ticks) c.buy += o->qty;
        if (o->side == SIDE_SELL && o->ticks <= ticks) c.sell += o->qty;
    }
    c.trades = c.buy < c.sell ? c.buy : c.sell;
    c.surplus = c.buy - c.sell;
    return c;
}

static struct auction find_tick_by_tick(const struct collection *all, uint32_t end,
                                        uint32_t reference)
{
    qty_t most = 0, least = INT64_MAX;
    for (uint32_t t = 1; t < end; t++)
        if (at_ticks(all, t).trades > most) most = at_ticks(all, t).trades;
    if (most == 0) return (struct auction){0};
    for (uint32_t t = 1; t < end; t++)
        if (at_ticks(all, t).trades == most && llabs(at_ticks(all, t).surplus) < least)
            least = llabs(at_ticks(all, t).surplus);

    uint32_t lowest = 0, highest = 0, nearest = 0;
    bool all_buy = true, all_sell = true;
    for (uint32_t t = 1; t < end; t++) {
        struct curve c = at_ticks(all, t);
        if (c.trades != most || llabs(c.surplus) != least) continue;
        if (c.surplus <= 0) all_buy = false;
        if (c.surplus >= 0) all_sell = false;
        highest = t;
        if (!lowest) lowest = nearest = t;
        if (labs((long)t - (long)reference) < labs((long)nearest - (long)reference)) nearest = t;
    }
    uint32_t best = all_buy ? highest : all_sell || !reference ? lowest : nearest;
    qty_t surplus = at_ticks(all, best).surplus;
    uint8_t side = surplus > 0 ? SIDE_BUY : surplus < 0 ? SIDE_SELL : 0;
    return (struct auction){best, most, llabs(surplus), side};
}

static void assert_auction(const struct fixture *f, uint32_t reference, struct auction expected)
{
    struct auction found = auction_find(&f->books, AAPL, reference);
    assert_int_equal(found.ticks, expected.ticks);
    assert_int_equal(found.paired_qty, expected.paired_qty);
    assert_int_equal(found.imbalance_qty, expected.imbalance_qty);
    assert_int_equal(found.imbalance_side, expected.imbalance_side);
}

/* Which of the rules decided how often: the books must be such that all of them do. */
struct coverage {
    unsigned nothing, buy, sell, balanced;
};

static void one_random_book(struct fixture *f, uint64_t seed, struct coverage *coverage)
{
    static const uint32_t ranges[] = {3, 8, 8, 20, 150};
    struct random r = {seed};
    struct collection all = {0};
    uint32_t range = ranges[random_below(&r, 5)], base = 1 + random_below(&r, 100);
    uint32_t qty_max = random_chance(&r, 50) ? 2 : 9; /* small ones make ties */
    unsigned count = random_below(&r, random_chance(&r, 50) ? 9 : ORDERS_MAX);
    for (unsigned i = 0; i < count; i++) {
        uint8_t side = random_chance(&r, 50) ? SIDE_BUY : SIDE_SELL;
        qty_t qty = random_between(&r, 1, qty_max);
        qty_t display_qty = random_chance(&r, 20) ? random_between(&r, 1, (uint32_t)qty) : 0;
        collect(f, &all, side, base + random_below(&r, range), qty, display_qty);
    }
    uint32_t reference = random_chance(&r, 20) ? 0 : 1 + random_below(&r, base + range + 20);
    struct auction expected = find_tick_by_tick(&all, base + range + 1, reference);
    assert_auction(f, reference, expected);
    if (expected.paired_qty == 0)
        coverage->nothing++;
    else if (expected.imbalance_side == SIDE_BUY)
        coverage->buy++;
    else if (expected.imbalance_side == SIDE_SELL)
        coverage->sell++;
    else
        coverage->balanced++;
    clear(f, &all);
}

static void it_finds_what_looking_at_every_tick_finds(void **state)
{
    struct coverage coverage = {0};
    for (uint64_t seed = 1; seed <= 40000; seed++) one_random_book(*state, seed, &coverage);
    assert_true(coverage.nothing > 1000 && coverage.buy > 1000);
    assert_true(coverage.sell > 1000 && coverage.balanced > 1000);
}

static void the_example_of_the_rules(void **state)
{
    struct fixture *f = *state;
    struct collection all = {0};
    collect(f, &all, SIDE_BUY, 1004, 300, 0);
    collect(f, &all, SIDE_BUY, 1002, 200, 0);
    collect(f, &all, SIDE_BUY, 1000, 400, 0);
    collect(f, &all, SIDE_SELL, 998, 100, 0);
    collect(f, &all, SIDE_SELL, 1001, 300, 0);
    collect(f, &all, SIDE_SELL, 1003, 500, 0);
    assert_auction(f, 1005, (struct auction){1002, 400, 100, SIDE_BUY});
    assert_auction(f, 0, (struct auction){1002, 400, 100, SIDE_BUY});
    clear(f, &all);
}

/* One bid and one ask far apart: any price between them will do, most of them off all levels. */
static void the_price_may_lie_between_levels(void **state)
{
    struct fixture *f = *state;
    struct collection all = {0};
    collect(f, &all, SIDE_BUY, LADDER_KEY_MAX, 7, 0);
    collect(f, &all, SIDE_SELL, 1, 7, 0);
    assert_auction(f, 5000000, (struct auction){5000000, 7, 0, 0});
    assert_auction(f, LADDER_KEY_MAX, (struct auction){LADDER_KEY_MAX, 7, 0, 0});
    assert_auction(f, 0, (struct auction){1, 7, 0, 0});
    clear(f, &all);
}

static void a_book_that_does_not_cross_has_no_price(void **state)
{
    struct fixture *f = *state;
    struct collection all = {0};
    assert_auction(f, 10, (struct auction){0});
    collect(f, &all, SIDE_BUY, 10, 7, 0);
    assert_auction(f, 10, (struct auction){0});
    collect(f, &all, SIDE_SELL, 11, 7, 0);
    assert_auction(f, 10, (struct auction){0});
    collect(f, &all, SIDE_SELL, 10, 2, 0);
    assert_auction(f, 10, (struct auction){10, 2, 5, SIDE_BUY});
    assert_int_equal(auction_find(&f->books, MSFT, 10).ticks, 0);
    clear(f, &all);
}

static void sums_beyond_64_bits_stop_at_the_highest(void **state)
{
    struct fixture *f = *state;
    struct collection all = {0};
    for (uint32_t i = 0; i < 4; i++) collect(f, &all, SIDE_BUY, 20 + i, INT64_MAX, 0);
    for (uint32_t i = 0; i < 3; i++) collect(f, &all, SIDE_SELL, 10 + i, INT64_MAX, 0);
    assert_auction(f, 0, (struct auction){21, INT64_MAX, 0, 0});
    clear(f, &all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_finds_what_looking_at_every_tick_finds, open_books,
                                        close_books),
        cmocka_unit_test_setup_teardown(the_example_of_the_rules, open_books, close_books),
        cmocka_unit_test_setup_teardown(the_price_may_lie_between_levels, open_books, close_books),
        cmocka_unit_test_setup_teardown(a_book_that_does_not_cross_has_no_price, open_books,
                                        close_books),
        cmocka_unit_test_setup_teardown(sums_beyond_64_bits_stop_at_the_highest, open_books,
                                        close_books),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
