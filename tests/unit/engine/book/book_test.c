#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/book/book.h"
#include "tests/unit/engine/dies.h"

enum { AAPL = 1, MSFT = 2, NOT_NEAR = 0 };

static const struct limits limits = {.instruments = 4, .orders = 8, .price_blocks = 8};

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

static struct book_order *make_order(struct books *books, instrument_id_t instrument, uint8_t side,
                                     qty_t qty)
{
    order_id_t order_id = book_next_id(books, true);
    struct book_order *order = &books->orders[slot_of(order_id)];
    order->order_id = order_id;
    order->order_qty = order->leaves_qty = qty;
    order->account = 1;
    order->instrument = (uint16_t)instrument;
    order->side = side;
    order->ord_type = ORD_TYPE_LIMIT;
    return order;
}

/* An order of AAPL in the book; prices are in ticks. */
static struct book_order *rest(struct books *books, uint8_t side, uint32_t ticks, qty_t qty)
{
    struct book_order *order = make_order(books, AAPL, side, qty);
    order->limit_px = ticks;
    book_rest(books, order, side == SIDE_BUY ? LADDER_BIDS : LADDER_ASKS, ticks, NOT_NEAR);
    return order;
}

static struct book_order *rest_iceberg(struct books *books, uint32_t ticks, qty_t qty,
                                       qty_t display_qty)
{
    struct book_order *order = make_order(books, AAPL, SIDE_SELL, qty);
    order->limit_px = ticks;
    order->iceberg = 1;
    book_more(books, order)->display_qty = display_qty;
    book_rest(books, order, LADDER_ASKS, ticks, NOT_NEAR);
    return order;
}

static void leave(struct books *books, struct book_order *order)
{
    book_remove(books, order);
    book_free(books, order);
}

static struct book_order *best(const struct books *books, uint8_t side)
{
    return book_first(books, book_own(books, AAPL, side));
}

/* The best level of a side. */
static const struct price_level *best_level(const struct books *books, uint8_t side)
{
    return &books->pool.levels[book_own(books, AAPL, side)->best_at];
}

static void better_prices_first_then_older_orders(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    struct book_order *low = rest(b, SIDE_BUY, 90, 5);
    struct book_order *first = rest(b, SIDE_BUY, 100, 5);
    struct book_order *second = rest(b, SIDE_BUY, 100, 7);
    struct book_order *ask = rest(b, SIDE_SELL, 120, 3);
    struct book_order *better_ask = rest(b, SIDE_SELL, 110, 3);
    assert_ptr_equal(best(b, SIDE_BUY), first);
    assert_ptr_equal(best(b, SIDE_SELL), better_ask);
    assert_null(book_first(b, book_own(b, MSFT, SIDE_BUY)));
    assert_ptr_equal(book_next(b, book_own(b, AAPL, SIDE_BUY), first), second);
    assert_ptr_equal(book_next(b, book_own(b, AAPL, SIDE_BUY), second), low);
    assert_null(book_next(b, book_own(b, AAPL, SIDE_BUY), low));
    assert_int_equal(book_fill(b, first, 5, false), 0);
    book_free(b, first);
    assert_ptr_equal(best(b, SIDE_BUY), second);
    leave(b, second);
    assert_ptr_equal(best(b, SIDE_BUY), low);
    leave(b, better_ask);
    assert_ptr_equal(best(b, SIDE_SELL), ask);
    assert_int_equal(book_validate(b, AAPL), 2);
    books_validate_slots(b, 2);
}

static void a_part_that_trades_or_goes_keeps_the_place(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    struct book_order *first = rest(b, SIDE_SELL, 100, 9);
    rest(b, SIDE_SELL, 100, 7);
    assert_int_equal(book_fill(b, first, 4, false), 5);
    book_reduce(b, first, 2);
    assert_ptr_equal(best(b, SIDE_SELL), first);
    assert_int_equal(first->leaves_qty, 3);
    assert_int_equal(best_level(b, SIDE_SELL)->leaves_qty, 10);
    assert_int_equal(best_level(b, SIDE_SELL)->count, 2);
}

static void an_order_can_leave_from_head_middle_and_tail(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    struct book_order *orders[5];
    for (unsigned i = 0; i < 5; i++) orders[i] = rest(b, SIDE_BUY, 100, 1 + (qty_t)i);
    const unsigned leaving[] = {2, 4, 0, 3, 1};
    for (unsigned i = 0; i < 5; i++) {
        order_id_t order_id = orders[leaving[i]]->order_id;
        leave(b, orders[leaving[i]]);
        assert_null(book_find(b, order_id));
        assert_int_equal(book_validate(b, AAPL), 4 - i);
        books_validate_slots(b, 4 - i);
    }
    assert_null(best(b, SIDE_BUY));
}

/* ---- icebergs ---- */

static void an_iceberg_shows_a_part_and_comes_again_at_the_tail(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    struct book_order *iceberg = rest_iceberg(b, 100, 10, 4);
    struct book_order *plain = rest(b, SIDE_SELL, 100, 5);
    assert_int_equal(book_shown(b, iceberg), 4);
    assert_int_equal(best_level(b, SIDE_SELL)->leaves_qty, 15);
    assert_int_equal(best_level(b, SIDE_SELL)->hidden_qty, 6);
    assert_int_equal(book_fill(b, iceberg, 3, false), 7);
    assert_ptr_equal(best(b, SIDE_SELL), iceberg); /* one is shown yet */
    assert_int_equal(book_fill(b, iceberg, 1, false), 6);
    assert_ptr_equal(best(b, SIDE_SELL), plain);
    assert_int_equal(book_shown(b, iceberg), 4);
    assert_int_equal(best_level(b, SIDE_SELL)->hidden_qty, 2);
    (void)book_validate(b, AAPL);
    leave(b, plain);
    assert_int_equal(book_fill(b, iceberg, 4, false), 2);
    assert_int_equal(book_shown(b, iceberg), 2); /* what is left */
    assert_int_equal(best_level(b, SIDE_SELL)->hidden_qty, 0);
    assert_int_equal(book_fill(b, iceberg, 2, false), 0);
    assert_null(best(b, SIDE_SELL));
}

static void in_an_auction_an_iceberg_keeps_its_place(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    struct book_order *iceberg = rest_iceberg(b, 100, 10, 4);
    rest(b, SIDE_SELL, 100, 5);
    assert_int_equal(book_fill(b, iceberg, 7, true), 3);
    assert_ptr_equal(best(b, SIDE_SELL), iceberg);
    assert_int_equal(book_shown(b, iceberg), 3);
    (void)book_validate(b, AAPL);
}

static void an_iceberg_that_is_reduced_shows_what_it_may(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    struct book_order *iceberg = rest_iceberg(b, 100, 10, 4);
    book_reduce(b, iceberg, 5);
    assert_int_equal(book_shown(b, iceberg), 4);
    book_reduce(b, iceberg, 2);
    assert_int_equal(book_shown(b, iceberg), 3);
    assert_int_equal(best_level(b, SIDE_SELL)->hidden_qty, 0);
    (void)book_validate(b, AAPL);
}

/* ---- stops and orders that wait ---- */

static void stops_wait_in_ladders_of_their_own(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    struct book_order *high = make_order(b, AAPL, SIDE_BUY, 1);
    struct book_order *low = make_order(b, AAPL, SIDE_BUY, 1);
    struct book_order *sell = make_order(b, AAPL, SIDE_SELL, 1);
    book_rest(b, high, LADDER_BUY_STOPS, 120, NOT_NEAR);
    book_rest(b, low, LADDER_BUY_STOPS, 110, NOT_NEAR);
    book_rest(b, sell, LADDER_SELL_STOPS, 90, NOT_NEAR);
    assert_ptr_equal(book_first(b, book_ladder(b, AAPL, LADDER_BUY_STOPS)), low);
    assert_ptr_equal(book_first(b, book_ladder(b, AAPL, LADDER_SELL_STOPS)), sell);
    assert_null(best(b, SIDE_BUY));
    assert_int_equal(low->place, PLACE_STOP);
    leave(b, low);
    assert_ptr_equal(book_first(b, book_ladder(b, AAPL, LADDER_BUY_STOPS)), high);
    leave(b, high);
    leave(b, sell);
    books_validate_slots(b, 0);
}

static void parked_orders_wait_in_the_order_they_came(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    struct book_order *orders[3];
    for (unsigned i = 0; i < 3; i++) {
        orders[i] = make_order(b, AAPL, SIDE_BUY, 1);
        book_park(b, orders[i]);
        assert_int_equal(orders[i]->place, PLACE_PARKED);
    }
    assert_int_equal(b->parked[AAPL].head, slot_of(orders[0]->order_id));
    leave(b, orders[1]);
    assert_int_equal(book_validate(b, AAPL), 2);
    leave(b, orders[0]);
    assert_int_equal(b->parked[AAPL].head, slot_of(orders[2]->order_id));
    assert_int_equal(b->parked[AAPL].tail, slot_of(orders[2]->order_id));
    leave(b, orders[2]);
    assert_int_equal(b->parked[AAPL].head, 0);
    books_validate_slots(b, 0);
}

/* ---- ids and room ---- */

static void an_id_names_one_order_for_ever(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    struct book_order *order = rest(b, SIDE_BUY, 100, 1);
    order_id_t gone = order->order_id;
    leave(b, order);
    order_id_t reuses_slot = rest(b, SIDE_BUY, 100, 1)->order_id;
    assert_int_equal(slot_of(gone), slot_of(reuses_slot));
    assert_true(reuses_slot > gone);
    assert_null(book_find(b, gone));
    assert_non_null(book_find(b, reuses_slot));
    assert_null(book_find(b, 0));
    assert_null(book_find(b, UINT64_MAX));
    assert_null(book_find(b, reuses_slot + 1));
    order_id_t without = book_next_id(b, false);
    assert_int_equal(slot_of(without), 0);
    assert_null(book_find(b, without));
}

static void a_slot_freed_last_is_used_first(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    struct book_order *orders[7];
    for (unsigned i = 0; i < 7; i++) {
        assert_true(book_has_order_room(b));
        orders[i] = rest(b, SIDE_BUY, 100, 1);
        assert_int_equal(slot_of(orders[i]->order_id), i + 1);
    }
    assert_false(book_has_order_room(b));
    leave(b, orders[2]);
    leave(b, orders[5]);
    assert_int_equal(slot_of(rest(b, SIDE_BUY, 100, 1)->order_id), 6);
    assert_int_equal(slot_of(rest(b, SIDE_BUY, 100, 1)->order_id), 3);
    assert_false(book_has_order_room(b));
}

static void keys_turn_bids_and_sell_stops_round(void **state)
{
    (void)state;
    assert_int_equal(book_key(LADDER_ASKS, 7), 7);
    assert_int_equal(book_key(LADDER_BUY_STOPS, 7), 7);
    assert_int_equal(book_key(LADDER_BIDS, 7), LADDER_KEY_MAX - 7);
    assert_int_equal(book_key(LADDER_SELL_STOPS, 7), LADDER_KEY_MAX - 7);
    assert_int_equal(book_limit_key(SIDE_BUY, 7), book_key(LADDER_ASKS, 7));
    assert_int_equal(book_limit_key(SIDE_SELL, 7), book_key(LADDER_BIDS, 7));
}

static void spoil_and_validate(void *argument)
{
    struct books *b = argument;
    rest(b, SIDE_BUY, 100, 5);
    b->pool.levels[book_own(b, AAPL, SIDE_BUY)->best_at].leaves_qty++;
    (void)book_validate(b, AAPL);
}

static void lose_and_validate(void *argument)
{
    struct books *b = argument;
    (void)make_order(b, AAPL, SIDE_BUY, 5);
    books_validate_slots(b, 0);
}

static void wrong_books_stop_the_process(void **state)
{
    struct books *b = &((struct fixture *)*state)->books;
    assert_true(dies(spoil_and_validate, b));
    assert_true(dies(lose_and_validate, b));
}

#define BOOK_TEST(name) cmocka_unit_test_setup_teardown(name, open_books, close_books)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOK_TEST(better_prices_first_then_older_orders),
        BOOK_TEST(a_part_that_trades_or_goes_keeps_the_place),
        BOOK_TEST(an_order_can_leave_from_head_middle_and_tail),
        BOOK_TEST(an_iceberg_shows_a_part_and_comes_again_at_the_tail),
        BOOK_TEST(in_an_auction_an_iceberg_keeps_its_place),
        BOOK_TEST(an_iceberg_that_is_reduced_shows_what_it_may),
        BOOK_TEST(stops_wait_in_ladders_of_their_own),
        BOOK_TEST(parked_orders_wait_in_the_order_they_came),
        BOOK_TEST(an_id_names_one_order_for_ever),
        BOOK_TEST(a_slot_freed_last_is_used_first),
        BOOK_TEST(keys_turn_bids_and_sell_stops_round),
        BOOK_TEST(wrong_books_stop_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
