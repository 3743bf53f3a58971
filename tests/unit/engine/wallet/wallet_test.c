#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/wallet/wallet.h"
#include "tests/unit/engine/dies.h"

enum { HOUSE = 0, ANN = 1, BOB = 2, AAPL = 1, MSFT = 2 };
static const asset_t USD = 0, EUR = ASSET_CASH | 1;

static const struct limits limits = {.instruments = 4, .accounts = 6, .positions = 3};

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

static void deposit(struct wallet *w, account_id_t account, asset_t asset, int64_t qty)
{
    int64_t balance;
    assert_int_equal(wallet_deposit(w, account, asset, qty, &balance), REJECT_NONE);
}

static enum reject withdraw(struct wallet *w, account_id_t account, asset_t asset, int64_t qty)
{
    int64_t balance;
    return wallet_withdraw(w, account, asset, qty, &balance);
}

static enum reject transfer(struct wallet *w, account_id_t from, account_id_t to, asset_t asset,
                            int64_t qty)
{
    int64_t from_balance, to_balance;
    return wallet_transfer(w, from, to, asset, qty, &from_balance, &to_balance);
}

static struct wallet_position *position(const struct wallet *w, account_id_t account,
                                        instrument_id_t instrument)
{
    uint32_t slot = wallet_find_position(w, account, instrument);
    assert_int_not_equal(slot, 0);
    return &w->positions[slot];
}

static void expect_cash(const struct wallet *w, account_id_t account, uint32_t currency,
                        cash_t available, cash_t held)
{
    assert_int_equal(wallet_cash_of(w, account, currency)->available, available);
    assert_int_equal(wallet_cash_of(w, account, currency)->held, held);
}

static void expect_shares(const struct wallet *w, account_id_t account, instrument_id_t instrument,
                          qty_t available, qty_t held)
{
    const struct wallet_position *p = position(w, account, instrument);
    assert_int_equal(p->available, available);
    assert_int_equal(p->held, held);
}

static void sell_short(struct wallet *w, account_id_t seller, account_id_t buyer,
                       instrument_id_t instrument, qty_t qty)
{
    assert_int_not_equal(wallet_open_position(w, seller, instrument), 0);
    assert_int_not_equal(wallet_open_position(w, buyer, instrument), 0);
    wallet_move_shares(w, position(w, seller, instrument), -qty);
    wallet_move_shares(w, position(w, buyer, instrument), qty);
}

static void deposits_add_up_and_tell_the_balance(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    int64_t balance;
    deposit(w, ANN, USD, 1000);
    wallet_hold_cash(wallet_cash_of(w, ANN, 0), 300);
    assert_int_equal(wallet_deposit(w, ANN, USD, 50, &balance), REJECT_NONE);
    assert_int_equal(balance, 1050); /* held cash is theirs too */
    assert_int_equal(wallet_deposit(w, ANN, ASSET_CASH, 1, &balance), REJECT_NONE);
    assert_int_equal(balance, 1051); /* the other name of the first currency */
    assert_int_equal(wallet_deposit(w, ANN, EUR, 7, &balance), REJECT_NONE);
    assert_int_equal(balance, 7);
    expect_cash(w, ANN, 0, 751, 300);
    expect_cash(w, ANN, 1, 7, 0);
    deposit(w, ANN, AAPL, 7);
    wallet_hold_shares(position(w, ANN, AAPL), 2);
    assert_int_equal(wallet_deposit(w, ANN, AAPL, 3, &balance), REJECT_NONE);
    assert_int_equal(balance, 10);
    expect_shares(w, ANN, AAPL, 8, 2);
    wallet_validate(w);
}

/* All of an asset has to stay a number, whoever gets the last of it. */
static void a_deposit_beyond_the_ledger_is_refused(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    int64_t balance;
    deposit(w, ANN, USD, WALLET_MAX - 10);
    assert_int_equal(wallet_deposit(w, BOB, USD, 11, &balance), REJECT_OVERFLOW);
    assert_int_equal(wallet_deposit(w, BOB, USD, INT64_MAX, &balance), REJECT_OVERFLOW);
    assert_int_equal(wallet_deposit(w, BOB, USD, 10, &balance), REJECT_NONE);
    assert_int_equal(wallet_deposit(w, BOB, USD, 1, &balance), REJECT_OVERFLOW);
    expect_cash(w, BOB, 0, 10, 0);
    assert_int_equal(withdraw(w, BOB, USD, 1), REJECT_NONE);
    assert_int_equal(wallet_deposit(w, ANN, USD, 1, &balance), REJECT_NONE);
    deposit(w, ANN, EUR, WALLET_MAX); /* another asset has its own sum */
    deposit(w, ANN, AAPL, WALLET_MAX);
    assert_int_equal(wallet_deposit(w, BOB, AAPL, 1, &balance), REJECT_OVERFLOW);
    assert_int_equal(wallet_find_position(w, BOB, AAPL), 0);
    deposit(w, BOB, MSFT, 1);
    wallet_validate(w);
}

static void only_what_is_available_can_be_withdrawn(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    int64_t balance;
    deposit(w, ANN, EUR, 100);
    wallet_hold_cash(wallet_cash_of(w, ANN, 1), 40);
    assert_int_equal(withdraw(w, ANN, EUR, 61), REJECT_INSUFFICIENT_CASH);
    assert_int_equal(withdraw(w, ANN, USD, 1), REJECT_INSUFFICIENT_CASH);
    assert_int_equal(wallet_withdraw(w, ANN, EUR, 60, &balance), REJECT_NONE);
    assert_int_equal(balance, 40);
    expect_cash(w, ANN, 1, 0, 40);
    assert_int_equal(withdraw(w, ANN, AAPL, 1), REJECT_INSUFFICIENT_SHARES);
    deposit(w, ANN, AAPL, 10);
    wallet_hold_shares(position(w, ANN, AAPL), 4);
    assert_int_equal(withdraw(w, ANN, AAPL, 7), REJECT_INSUFFICIENT_SHARES);
    assert_int_equal(wallet_withdraw(w, ANN, AAPL, 6, &balance), REJECT_NONE);
    assert_int_equal(balance, 4);
    assert_int_equal(withdraw(w, ANN, AAPL, INT64_MAX), REJECT_INSUFFICIENT_SHARES);
    wallet_validate(w);
}

/* What somebody short has in cash is owed to whoever lent the shares. */
static void cash_stays_while_the_account_is_short(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    deposit(w, ANN, USD, 100);
    deposit(w, ANN, MSFT, 5);
    sell_short(w, ANN, BOB, AAPL, 10);
    assert_int_equal(w->short_counts[ANN], 1);
    assert_int_equal(w->short_counts[BOB], 0);
    wallet_validate(w);
    assert_int_equal(withdraw(w, ANN, USD, 1), REJECT_SHORT_POSITION);
    assert_int_equal(withdraw(w, ANN, EUR, 1), REJECT_SHORT_POSITION);
    assert_int_equal(transfer(w, ANN, BOB, USD, 1), REJECT_SHORT_POSITION);
    assert_int_equal(withdraw(w, ANN, AAPL, 1), REJECT_INSUFFICIENT_SHARES);
    assert_int_equal(withdraw(w, ANN, MSFT, 1), REJECT_NONE);  /* shares are not what it owes */
    assert_int_equal(withdraw(w, BOB, AAPL, 10), REJECT_NONE); /* bought from one who had none */
    assert_int_equal(w->share_totals[AAPL].deposited, -10);
    wallet_validate(w);
    deposit(w, ANN, AAPL, 9);
    assert_int_equal(w->short_counts[ANN], 1);
    deposit(w, ANN, AAPL, 1);
    assert_int_equal(w->short_counts[ANN], 0);
    assert_int_equal(withdraw(w, ANN, USD, 1), REJECT_NONE);
    wallet_validate(w);
}

/* An open sell order alone makes nobody short: the shares have not gone yet. */
static void shares_held_are_still_there(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    deposit(w, ANN, AAPL, 10);
    struct wallet_position *p = position(w, ANN, AAPL);
    wallet_hold_shares(p, 25);
    expect_shares(w, ANN, AAPL, -15, 25);
    assert_int_equal(w->short_counts[ANN], 0);
    wallet_validate(w);
    deposit(w, ANN, AAPL, 20); /* what is available comes back above zero */
    assert_int_equal(withdraw(w, ANN, AAPL, 5), REJECT_NONE);
    assert_int_equal(w->short_counts[ANN], 0);
    expect_shares(w, ANN, AAPL, 0, 25);
    wallet_release_shares(p, 20);
    wallet_move_shares(w, p, -30); /* settled to nobody: only the count is looked at */
    assert_int_equal(w->short_counts[ANN], 1);
}

static void transfers_go_where_they_are_sent(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    int64_t from, to;
    deposit(w, ANN, EUR, 100);
    wallet_hold_cash(wallet_cash_of(w, ANN, 1), 10);
    assert_int_equal(transfer(w, ANN, BOB, EUR, 91), REJECT_INSUFFICIENT_CASH);
    assert_int_equal(wallet_transfer(w, ANN, BOB, EUR, 30, &from, &to), REJECT_NONE);
    assert_int_equal(from, 70);
    assert_int_equal(to, 30);
    expect_cash(w, ANN, 1, 60, 10);
    deposit(w, ANN, AAPL, 8);
    assert_int_equal(transfer(w, ANN, BOB, AAPL, 9), REJECT_INSUFFICIENT_SHARES);
    assert_int_equal(wallet_find_position(w, BOB, AAPL), 0);
    assert_int_equal(wallet_transfer(w, ANN, BOB, AAPL, 8, &from, &to), REJECT_NONE);
    assert_int_equal(from, 0);
    assert_int_equal(to, 8);
    wallet_validate(w);
}

static void the_house_alone_may_owe(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    const int64_t floor = WALLET_HOUSE_FLOOR;
    int64_t from, to;
    deposit(w, ANN, USD, 100);
    assert_int_equal(wallet_transfer(w, HOUSE, ANN, USD, 40, &from, &to), REJECT_NONE);
    assert_int_equal(from, -40);
    assert_int_equal(to, 140);
    assert_int_equal(wallet_transfer(w, ANN, HOUSE, USD, 140, &from, &to), REJECT_NONE);
    assert_int_equal(to, 100);
    expect_cash(w, HOUSE, 0, 100, 0);
    assert_int_equal(transfer(w, HOUSE, BOB, USD, 101 - floor), REJECT_OVERFLOW);
    assert_int_equal(transfer(w, HOUSE, BOB, USD, 100 - floor), REJECT_NONE);
    assert_int_equal(transfer(w, HOUSE, BOB, USD, 1), REJECT_OVERFLOW);
    assert_int_equal(wallet_transfer(w, HOUSE, BOB, AAPL, -floor, &from, &to), REJECT_NONE);
    assert_int_equal(w->house_shares[AAPL], floor);
    assert_int_equal(transfer(w, HOUSE, BOB, AAPL, INT64_MAX), REJECT_OVERFLOW);
    assert_int_equal(wallet_transfer(w, BOB, HOUSE, AAPL, -floor, &from, &to), REJECT_NONE);
    assert_int_equal(to, 0);
    wallet_validate(w);
}

/* More than all deposits and all debts of the house only short sales can bring together. */
static void a_balance_without_a_number_is_refused(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    int64_t balance;
    sell_short(w, ANN, BOB, AAPL, WALLET_MAX);
    assert_int_equal(wallet_deposit(w, BOB, AAPL, WALLET_MAX, &balance), REJECT_OVERFLOW);
    deposit(w, BOB, AAPL, WALLET_MAX - 1);
    assert_int_equal(transfer(w, HOUSE, BOB, AAPL, 1), REJECT_OVERFLOW);
    expect_shares(w, BOB, AAPL, INT64_MAX, 0);
    wallet_validate(w);
    assert_int_equal(withdraw(w, BOB, AAPL, 10), REJECT_NONE);
    position(w, BOB, AAPL)->open_buy_qty = 10; /* these may be filled at any time */
    assert_int_equal(wallet_deposit(w, BOB, AAPL, 1, &balance), REJECT_OVERFLOW);
}

static void positions_end_where_the_limit_says(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    int64_t balance;
    for (account_id_t account = 1; account <= 3; account++) {
        assert_true(wallet_has_position_room(w));
        assert_int_not_equal(wallet_open_position(w, account, AAPL), 0);
    }
    assert_int_equal(wallet_open_position(w, 1, AAPL), wallet_find_position(w, 1, AAPL));
    assert_false(wallet_has_position_room(w));
    assert_int_equal(wallet_open_position(w, 4, AAPL), 0);
    assert_int_equal(wallet_open_position(w, 1, MSFT), 0);
    assert_int_equal(wallet_deposit(w, 1, MSFT, 5, &balance), REJECT_POSITIONS_FULL);
    assert_int_equal(transfer(w, HOUSE, 1, MSFT, 5), REJECT_POSITIONS_FULL);
    assert_int_equal(w->share_totals[MSFT].deposited, 0);
    assert_int_equal(w->house_shares[MSFT], 0);
    assert_int_equal(wallet_find_position(w, 1, MSFT), 0);
    assert_int_equal(wallet_find_position(w, 0, AAPL), 0);
    wallet_validate(w);
}

/* Every pair of a full table, and none that is not there. */
static void positions_are_found_in_a_full_table(void **state)
{
    (void)state;
    enum { ACCOUNTS = 60, INSTRUMENTS = 40, MAX = ACCOUNTS * INSTRUMENTS };
    const struct limits many = {
        .instruments = INSTRUMENTS + 1, .accounts = ACCOUNTS + 1, .positions = MAX};
    struct wallet w;
    struct arena measured = {0};
    wallet_init(&w, &measured, &many);
    void *block = arena_map(measured.used, 0);
    assert_non_null(block);
    struct arena arena = {.base = block, .capacity = measured.used};
    wallet_init(&w, &arena, &many);
    for (account_id_t account = 1; account <= ACCOUNTS; account++)
        for (instrument_id_t i = 1; i <= INSTRUMENTS; i++)
            deposit(&w, account, i, account * 1000 + i);
    uint64_t distance = 0;
    for (account_id_t account = 1; account <= ACCOUNTS; account++) {
        assert_int_equal(wallet_find_position(&w, account, INSTRUMENTS + 1), 0);
        for (instrument_id_t i = 1; i <= INSTRUMENTS; i++) {
            const struct wallet_position *p = position(&w, account, i);
            assert_int_equal(p->available, account * 1000 + i);
            distance +=
                (uint32_t)(p - wallet_position_home(&w, account, i)) & (w.position_slots - 1);
        }
    }
    assert_true(distance < MAX); /* half full, a good hash is half a slot off on average */
    wallet_validate(&w);
    arena_unmap(block, measured.used);
}

static void release_too_much_cash(void *argument)
{
    wallet_release_cash(wallet_cash_of(argument, ANN, 0), 1);
}

static void release_too_many_shares(void *argument)
{
    wallet_release_shares(position(argument, ANN, AAPL), 1);
}

static void make_cash_and_validate(void *argument)
{
    wallet_cash_of(argument, ANN, 0)->available++;
    wallet_validate(argument);
}

static void make_shares_and_validate(void *argument)
{
    position(argument, BOB, AAPL)->held++;
    wallet_validate(argument);
}

static void lose_house_shares_and_validate(void *argument)
{
    ((struct wallet *)argument)->house_shares[MSFT]--;
    wallet_validate(argument);
}

static void hide_a_short_and_validate(void *argument)
{
    struct wallet *w = argument;
    wallet_move_shares(w, position(w, ANN, AAPL), -2);
    wallet_move_shares(w, position(w, BOB, AAPL), 2);
    w->short_counts[ANN] = 0;
    wallet_validate(w);
}

static void count_another_short_and_validate(void *argument)
{
    ((struct wallet *)argument)->short_counts[BOB]++;
    wallet_validate(argument);
}

static void count_the_wrong_one_short_and_validate(void *argument)
{
    struct wallet *w = argument;
    wallet_move_shares(w, position(w, ANN, AAPL), -2);
    wallet_move_shares(w, position(w, BOB, AAPL), 2);
    w->short_counts[ANN]--;
    w->short_counts[BOB]++;
    wallet_validate(w);
}

static void owe_cash_and_validate(void *argument)
{
    wallet_move_cash(argument, ANN, 0, -1);
    wallet_move_cash(argument, BOB, 0, 1);
    wallet_validate(argument);
}

static void wrong_books_stop_the_process(void **state)
{
    struct wallet *w = &((struct fixture *)*state)->wallet;
    deposit(w, ANN, AAPL, 1);
    deposit(w, BOB, AAPL, 1);
    wallet_validate(w);
    assert_true(dies(release_too_much_cash, w));
    assert_true(dies(release_too_many_shares, w));
    assert_true(dies(make_cash_and_validate, w));
    assert_true(dies(make_shares_and_validate, w));
    assert_true(dies(lose_house_shares_and_validate, w));
    assert_true(dies(hide_a_short_and_validate, w));
    assert_true(dies(count_another_short_and_validate, w));
    assert_true(dies(count_the_wrong_one_short_and_validate, w));
    assert_true(dies(owe_cash_and_validate, w));
}

#define WALLET_TEST(name) cmocka_unit_test_setup_teardown(name, open_wallet, close_wallet)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WALLET_TEST(deposits_add_up_and_tell_the_balance),
        WALLET_TEST(a_deposit_beyond_the_ledger_is_refused),
        WALLET_TEST(only_what_is_available_can_be_withdrawn),
        WALLET_TEST(cash_stays_while_the_account_is_short),
        WALLET_TEST(shares_held_are_still_there),
        WALLET_TEST(transfers_go_where_they_are_sent),
        WALLET_TEST(the_house_alone_may_owe),
        WALLET_TEST(a_balance_without_a_number_is_refused),
        WALLET_TEST(positions_end_where_the_limit_says),
        cmocka_unit_test(positions_are_found_in_a_full_table),
        WALLET_TEST(wrong_books_stop_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
