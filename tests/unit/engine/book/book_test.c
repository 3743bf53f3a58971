#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/book/book.h"
#include "tests/unit/engine/dies.h"

enum { TICK = 100, AAPL = 1, MSFT = 2 };

static const struct limits limits = {4, 4, 4, 4, 8, 6, 8, 8};

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
    struct arena arena = {.base = f.block, .capacity = f.bytes};
    books_init(&f.books, &arena, &limits);
    *state = &f;
    return f.block ? 0 : -1;
}

static int close_books(void **state)
{
    struct fixture *f = *state;
    arena_unmap(f->block, f->bytes);
    return 0;
}

static order_id_t rest(struct books *books, instrument_id_t instrument, uint8_t side, px_t px,
                       qty_t qty)
{
    struct book_order order = {.order_id = book_next_id(books, true),
                               .limit_px = px,
                               .order_qty = qty,
                               .leaves_qty = qty,
                               .account = 1,
                               .instrument = instrument & 0xffffff,
                               .side = side};
    book_rest(books, &order, TICK);
    return order.order_id;
}

static void take_all(struct books *books, order_id_t order_id)
{
    struct book_order *order = book_find(books, order_id);
    book_take(books, order, order->leaves_qty);
}

static void better_prices_first_then_older_orders(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    rest(b, AAPL, SIDE_BUY, 900, 5);
    order_id_t first = rest(b, AAPL, SIDE_BUY, 1000, 5);
    order_id_t second = rest(b, AAPL, SIDE_BUY, 1000, 7);
    order_id_t ask = rest(b, AAPL, SIDE_SELL, 1200, 3);
    order_id_t better_ask = rest(b, AAPL, SIDE_SELL, 1100, 3);
    assert_int_equal(book_best(b, AAPL, SIDE_BUY)->order_id, first);
    assert_int_equal(book_best(b, AAPL, SIDE_SELL)->order_id, better_ask);
    assert_null(book_best(b, MSFT, SIDE_BUY));
    take_all(b, first);
    assert_int_equal(book_best(b, AAPL, SIDE_BUY)->order_id, second);
    take_all(b, second);
    assert_int_equal(book_best(b, AAPL, SIDE_BUY)->limit_px, 900);
    take_all(b, better_ask);
    assert_int_equal(book_best(b, AAPL, SIDE_SELL)->order_id, ask);
    assert_int_equal(book_validate(b, AAPL, TICK), 2);
    books_validate_slots(b, 2);
}

static void taking_a_part_keeps_the_place(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    order_id_t first = rest(b, AAPL, SIDE_SELL, 1000, 5);
    rest(b, AAPL, SIDE_SELL, 1000, 7);
    book_take(b, book_find(b, first), 4);
    assert_int_equal(book_best(b, AAPL, SIDE_SELL)->order_id, first);
    const struct book_level *level = book_level_at(b, AAPL, SIDE_SELL, 1000, TICK);
    assert_int_equal(level->qty, 8);
    assert_int_equal(level->count, 2);
}

static void an_order_can_leave_from_head_middle_and_tail(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    order_id_t ids[5];
    for (unsigned i = 0; i < 5; i++) ids[i] = rest(b, AAPL, SIDE_BUY, 1000, 1 + (qty_t)i);
    const unsigned leaving[] = {2, 4, 0, 3, 1};
    for (unsigned i = 0; i < 5; i++) {
        take_all(b, ids[leaving[i]]);
        assert_null(book_find(b, ids[leaving[i]]));
        assert_int_equal(book_validate(b, AAPL, TICK), 4 - i);
        books_validate_slots(b, 4 - i);
    }
    assert_null(book_level_best(b, AAPL, SIDE_BUY));
}

static void levels_are_walked_best_first(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    const px_t bids[] = {300, 1677721500, 100, 200};
    for (unsigned i = 0; i < 4; i++) rest(b, AAPL, SIDE_BUY, bids[i], 1);
    const px_t order[] = {1677721500, 300, 200, 100};
    const struct book_level *level = book_level_best(b, AAPL, SIDE_BUY);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(level->px, order[i]);
        level = book_level_after(b, AAPL, SIDE_BUY, level);
    }
    assert_null(level);
    assert_null(book_level_at(b, AAPL, SIDE_BUY, 400, TICK));
    assert_null(book_level_at(b, AAPL, SIDE_BUY, 250, TICK));
    assert_null(book_level_at(b, AAPL, SIDE_BUY, 0, TICK));
    assert_null(book_level_at(b, AAPL, SIDE_BUY, -100, TICK));
    assert_null(book_level_at(b, AAPL, SIDE_BUY, INT64_MAX / TICK * TICK, TICK));
    assert_null(book_level_at(b, AAPL, SIDE_SELL, 300, TICK));
}

static void an_id_names_one_order_for_ever(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    order_id_t gone = rest(b, AAPL, SIDE_BUY, 1000, 1);
    take_all(b, gone);
    order_id_t reuses_slot = rest(b, AAPL, SIDE_BUY, 1000, 1);
    assert_int_equal(gone & 0xffffff, reuses_slot & 0xffffff);
    assert_true(reuses_slot > gone);
    assert_null(book_find(b, gone));
    assert_non_null(book_find(b, reuses_slot));
    assert_null(book_find(b, 0));
    assert_null(book_find(b, UINT64_MAX));
    assert_null(book_find(b, reuses_slot + 1));
    order_id_t without = book_next_id(b, false);
    assert_int_equal(without & 0xffffff, 0);
    assert_null(book_find(b, without));
}

static void room_ends_where_the_limits_say(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    order_id_t last = 0;
    for (px_t i = 1; i <= 6; i++) {
        assert_true(book_has_level_room(b));
        last = rest(b, AAPL, SIDE_BUY, i * TICK, 1);
    }
    assert_false(book_has_level_room(b));
    rest(b, AAPL, SIDE_BUY, TICK, 1);
    assert_true(book_has_order_room(b));
    order_id_t unused = book_next_id(b, true);
    assert_false(book_has_order_room(b));
    book_forget(b, unused);
    assert_true(book_has_order_room(b));
    take_all(b, last);
    assert_true(book_has_level_room(b));
    assert_int_equal(book_validate(b, AAPL, TICK), 6);
    books_validate_slots(b, 6);
}

static void which_prices_cross(void **state)
{
    (void)state;
    assert_true(book_crosses(SIDE_BUY, 1000, 1000));
    assert_true(book_crosses(SIDE_BUY, 1001, 1000));
    assert_false(book_crosses(SIDE_BUY, 999, 1000));
    assert_true(book_crosses(SIDE_SELL, 1000, 1000));
    assert_true(book_crosses(SIDE_SELL, 999, 1000));
    assert_false(book_crosses(SIDE_SELL, 1001, 1000));
}

static void take_too_much(void *argument)
{
    struct books *b = argument;
    order_id_t id = rest(b, AAPL, SIDE_BUY, 1000, 5);
    book_take(b, book_find(b, id), 6);
}

static void spoil_and_validate(void *argument)
{
    struct books *b = argument;
    rest(b, AAPL, SIDE_BUY, 1000, 5);
    b->levels[book_best(b, AAPL, SIDE_BUY)->level].qty++;
    (void)book_validate(b, AAPL, TICK);
}

static void cross_and_validate(void *argument)
{
    struct books *b = argument;
    rest(b, AAPL, SIDE_BUY, 1000, 5);
    rest(b, AAPL, SIDE_SELL, 1000, 5);
    (void)book_validate(b, AAPL, TICK);
}

static void wrong_books_stop_the_process(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    assert_true(dies(take_too_much, b));
    assert_true(dies(spoil_and_validate, b));
    assert_true(dies(cross_and_validate, b));
}

#define BOOK_TEST(name) cmocka_unit_test_setup_teardown(name, open_books, close_books)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOK_TEST(better_prices_first_then_older_orders),
        BOOK_TEST(taking_a_part_keeps_the_place),
        BOOK_TEST(an_order_can_leave_from_head_middle_and_tail),
        BOOK_TEST(levels_are_walked_best_first),
        BOOK_TEST(an_id_names_one_order_for_ever),
        BOOK_TEST(room_ends_where_the_limits_say),
        BOOK_TEST(which_prices_cross),
        BOOK_TEST(wrong_books_stop_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
