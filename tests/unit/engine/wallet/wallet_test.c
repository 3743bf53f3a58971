#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/wallet/wallet.h"
#include "tests/unit/engine/dies.h"

enum { ANN = 1, BOB = 2, AAPL = 1, MSFT = 2 };

static const struct limits limits = {4, 6, 4, 4, 8, 8, 3, 8};

struct fixture {
    struct wallet wallet;
    void *block;
    size_t bytes;
};

static int open_wallet(void **state)
{
    static struct fixture f;
    struct arena measured = {0};
    wallet_init(&f.wallet, &measured, &limits);
    f.bytes = measured.used;
    f.block = arena_map(f.bytes, 0);
    struct arena arena = {.base = f.block, .capacity = f.bytes};
    wallet_init(&f.wallet, &arena, &limits);
    *state = &f;
    return f.block ? 0 : -1;
}

static int close_wallet(void **state)
{
    struct fixture *f = *state;
    arena_unmap(f->block, f->bytes);
    return 0;
}

static void deposit(struct wallet *w, account_id_t account, instrument_id_t instrument, int64_t qty)
{
    int64_t balance;
    assert_int_equal(wallet_deposit(w, account, instrument, qty, &balance), REJECT_NONE);
}

static void expect_cash(const struct wallet *w, account_id_t account, cash_t available, cash_t held)
{
    assert_int_equal(w->cash[account].available, available);
    assert_int_equal(w->cash[account].held, held);
}

static void expect_shares(const struct wallet *w, account_id_t account, instrument_id_t instrument,
                          qty_t available, qty_t held)
{
    const struct wallet_position *p = wallet_find_position(w, account, instrument);
    assert_non_null(p);
    assert_int_equal(p->available, available);
    assert_int_equal(p->held, held);
}

static void deposits_add_up_and_tell_the_balance(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    int64_t balance;
    deposit(w, ANN, 0, 1000);
    assert_true(wallet_hold_cash(w, ANN, 300));
    assert_int_equal(wallet_deposit(w, ANN, 0, 50, &balance), REJECT_NONE);
    assert_int_equal(balance, 1050); /* held cash is theirs too */
    deposit(w, ANN, AAPL, 7);
    assert_true(wallet_hold_shares(w, ANN, AAPL, 2));
    assert_int_equal(wallet_deposit(w, ANN, AAPL, 3, &balance), REJECT_NONE);
    assert_int_equal(balance, 10);
    assert_int_equal(wallet_deposit(w, ANN, 0, 0, &balance), REJECT_INVALID_QTY);
    assert_int_equal(wallet_deposit(w, ANN, 0, -1, &balance), REJECT_INVALID_QTY);
    assert_int_equal(wallet_deposit(w, ANN, AAPL, INT64_MIN, &balance), REJECT_INVALID_QTY);
    wallet_validate(w);
}

/* The sum over all accounts has to stay a number, whoever gets the last of it. */
static void a_deposit_beyond_the_ledger_is_refused(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    int64_t balance;
    deposit(w, ANN, 0, INT64_MAX - 10);
    assert_int_equal(wallet_deposit(w, BOB, 0, 11, &balance), REJECT_OVERFLOW);
    assert_int_equal(wallet_deposit(w, BOB, 0, 10, &balance), REJECT_NONE);
    assert_int_equal(wallet_deposit(w, BOB, 0, 1, &balance), REJECT_OVERFLOW);
    expect_cash(w, BOB, 10, 0);
    deposit(w, ANN, AAPL, INT64_MAX);
    assert_int_equal(wallet_deposit(w, BOB, AAPL, 1, &balance), REJECT_OVERFLOW);
    assert_null(wallet_find_position(w, BOB, AAPL));
    deposit(w, BOB, MSFT, 1); /* another asset has its own sum */
    wallet_validate(w);
}

static void only_what_is_available_can_be_held(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    deposit(w, ANN, 0, 100);
    assert_false(wallet_hold_cash(w, ANN, 101));
    expect_cash(w, ANN, 100, 0);
    assert_true(wallet_hold_cash(w, ANN, 100));
    assert_false(wallet_hold_cash(w, ANN, 1));
    wallet_release_cash(w, ANN, 40);
    expect_cash(w, ANN, 40, 60);
    assert_false(wallet_hold_shares(w, ANN, AAPL, 1));
    deposit(w, ANN, AAPL, 5);
    assert_false(wallet_hold_shares(w, ANN, AAPL, 6));
    assert_true(wallet_hold_shares(w, ANN, AAPL, 5));
    wallet_release_shares(w, ANN, AAPL, 2);
    expect_shares(w, ANN, AAPL, 2, 3);
    wallet_validate(w);
}

static void a_trade_moves_held_to_the_other_side(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    deposit(w, ANN, 0, 1000);
    deposit(w, BOB, AAPL, 10);
    assert_true(wallet_open_position(w, ANN, AAPL));
    assert_true(wallet_hold_cash(w, ANN, 50 * 10));
    assert_true(wallet_hold_shares(w, BOB, AAPL, 10));
    const struct wallet_trade trade = {
        .buyer = ANN, .seller = BOB, .instrument = AAPL, .qty = 4, .px = 45, .buyer_limit_px = 50};
    wallet_settle(w, &trade);
    expect_cash(w, ANN, 500 + 4 * 5, 6 * 50); /* the better price comes back */
    expect_cash(w, BOB, 4 * 45, 0);
    expect_shares(w, ANN, AAPL, 4, 0);
    expect_shares(w, BOB, AAPL, 0, 6);
    wallet_validate(w);
}

static void one_may_trade_with_oneself(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    deposit(w, ANN, 0, 100);
    deposit(w, ANN, AAPL, 10);
    assert_true(wallet_hold_cash(w, ANN, 100));
    assert_true(wallet_hold_shares(w, ANN, AAPL, 10));
    const struct wallet_trade trade = {ANN, ANN, AAPL, 10, 10, 10};
    wallet_settle(w, &trade);
    expect_cash(w, ANN, 100, 0);
    expect_shares(w, ANN, AAPL, 10, 0);
    wallet_validate(w);
}

static void positions_end_where_the_limit_says(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    int64_t balance;
    for (account_id_t account = 1; account <= 3; account++) {
        assert_true(wallet_has_position_room(w, account, AAPL));
        assert_true(wallet_open_position(w, account, AAPL));
    }
    assert_true(wallet_open_position(w, 1, AAPL)); /* it is there */
    assert_false(wallet_has_position_room(w, 4, AAPL));
    assert_false(wallet_open_position(w, 4, AAPL));
    assert_false(wallet_open_position(w, 1, MSFT));
    assert_int_equal(wallet_deposit(w, 1, MSFT, 5, &balance), REJECT_POSITIONS_FULL);
    assert_null(wallet_find_position(w, 1, MSFT));
    assert_null(wallet_find_position(w, 0, AAPL));
    wallet_validate(w);
}

static void release_too_much_cash(void *argument)
{
    wallet_release_cash(argument, ANN, 1);
}

static void release_shares_of_nobody(void *argument)
{
    wallet_release_shares(argument, BOB, MSFT, 1);
}

static void settle_what_is_not_held(void *argument)
{
    const struct wallet_trade trade = {ANN, BOB, AAPL, 1, 10, 10};
    wallet_settle(argument, &trade);
}

static void make_money_and_validate(void *argument)
{
    ((struct wallet *)argument)->cash[ANN].available++;
    wallet_validate(argument);
}

static void wrong_books_stop_the_process(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    deposit(w, ANN, AAPL, 1);
    deposit(w, BOB, AAPL, 1);
    assert_true(dies(release_too_much_cash, w));
    assert_true(dies(release_shares_of_nobody, w));
    assert_true(dies(settle_what_is_not_held, w));
    assert_true(dies(make_money_and_validate, w));
}

#define WALLET_TEST(name) cmocka_unit_test_setup_teardown(name, open_wallet, close_wallet)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WALLET_TEST(deposits_add_up_and_tell_the_balance),
        WALLET_TEST(a_deposit_beyond_the_ledger_is_refused),
        WALLET_TEST(only_what_is_available_can_be_held),
        WALLET_TEST(a_trade_moves_held_to_the_other_side),
        WALLET_TEST(one_may_trade_with_oneself),
        WALLET_TEST(positions_end_where_the_limit_says),
        WALLET_TEST(wrong_books_stop_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
