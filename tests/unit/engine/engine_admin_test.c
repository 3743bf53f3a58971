#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/engine/small_engine.h"

#define COMMAND(template, type, ...)                                                               \
    {                                                                                              \
        .header = COMMAND_HEADER(template, type), __VA_ARGS__                                      \
    }

enum { HOUSE = 0 };

/* ---- commands ---- */

static void bust(struct small_engine *s, trade_id_t trade_id)
{
    const struct command_bust_trade c =
        COMMAND(COMMAND_BUST_TRADE, struct command_bust_trade, .trade_id = trade_id);
    step(s, &c, sizeof c);
}

static void withdraw(struct small_engine *s, account_id_t account, asset_t asset, int64_t qty)
{
    const struct command_withdraw c = COMMAND(COMMAND_WITHDRAW, struct command_withdraw,
                                              .account = account, .asset = asset, .qty = qty);
    step(s, &c, sizeof c);
}

static void transfer(struct small_engine *s, account_id_t from, account_id_t to, asset_t asset,
                     int64_t qty)
{
    const struct command_transfer c =
        COMMAND(COMMAND_TRANSFER, struct command_transfer, .from_account = from, .to_account = to,
                .asset = asset, .reason = TRANSFER_CORRECTION, .qty = qty);
    step(s, &c, sizeof c);
}

static void mass_cancel(struct small_engine *s, account_id_t account, user_id_t user,
                        instrument_id_t instrument, uint8_t side, uint8_t on_disconnect)
{
    const struct command_mass_cancel c =
        COMMAND(COMMAND_MASS_CANCEL, struct command_mass_cancel, .account = account, .user = user,
                .instrument = instrument, .side = side, .on_disconnect = on_disconnect);
    step(s, &c, sizeof c);
}

static void kill_switch(struct small_engine *s, account_id_t account, uint8_t engaged)
{
    const struct command_kill_switch c = COMMAND(COMMAND_KILL_SWITCH, struct command_kill_switch,
                                                 .account = account, .engaged = engaged);
    step(s, &c, sizeof c);
}

static void cancel_after(struct small_engine *s, account_id_t account, user_id_t user,
                         int64_t timeout_ns)
{
    const struct command_cancel_after c =
        COMMAND(COMMAND_CANCEL_AFTER, struct command_cancel_after, .account = account, .user = user,
                .timeout_ns = timeout_ns);
    step(s, &c, sizeof c);
}

static void pass_time(struct small_engine *s)
{
    const struct command_time c = COMMAND(COMMAND_TIME, struct command_time, .deadline_ns = 0);
    step(s, &c, sizeof c);
}

static void set_limits(struct small_engine *s, struct command_set_limits c)
{
    c.header = COMMAND_HEADER(COMMAND_SET_LIMITS, struct command_set_limits);
    step(s, &c, sizeof c);
}

static void set_account(struct small_engine *s, account_id_t account, uint8_t stp, uint8_t fee_tier,
                        uint8_t may_short)
{
    const struct command_set_account c =
        COMMAND(COMMAND_SET_ACCOUNT, struct command_set_account, .account = account, .stp = stp,
                .fee_tier = fee_tier, .may_short = may_short);
    step(s, &c, sizeof c);
}

/* MSFT, in the second currency, shortable, with fees of up to 1 %. */
static void list_msft(struct small_engine *s)
{
    struct command_list_instrument c = listing(MSFT, "MSFT");
    c.currency = 1;
    c.max_fee_ppm = 10000;
    c.shortable = 1;
    step(s, &c, sizeof c);
    forget_events(s);
}

static order_id_t order_msft(struct small_engine *s, account_id_t account, uint8_t side, qty_t qty,
                             px_t px)
{
    struct command_new_order c = order_by(account, side, qty, px);
    c.instrument = MSFT;
    order_id_t id = send_order(s, &c);
    forget_events(s);
    return id;
}

/* ---- events ---- */

static void expect_canceled(struct small_engine *s, order_id_t order_id, enum reject reason)
{
    const struct event_execution *e = next_event(s, EVENT_EXECUTION);
    assert_int_equal(e->order_id, order_id);
    assert_int_equal(e->exec_type, EXEC_CANCELED);
    assert_int_equal(e->ord_status, ORD_CANCELED);
    assert_int_equal(e->reject_reason, reason);
    assert_int_equal(e->leaves_qty, 0);
}

static void expect_mass_canceled(struct small_engine *s, account_id_t account, uint32_t count)
{
    const struct event_mass_canceled *e = (const void *)next_event(s, EVENT_MASS_CANCELED);
    assert_int_equal(e->account, account);
    assert_int_equal(e->canceled_count, count);
    expect_nothing_more(s);
}

static void expect_killed(struct small_engine *s, account_id_t account, uint32_t engaged,
                          uint64_t count)
{
    const struct event_kill_switched *e = (const void *)next_event(s, EVENT_KILL_SWITCHED);
    assert_int_equal(e->account, account);
    assert_int_equal(e->engaged, engaged);
    assert_int_equal(e->canceled_count, count);
    expect_nothing_more(s);
}

static void expect_setting(struct small_engine *s, uint16_t command, uint16_t scope, uint32_t id)
{
    const struct event_setting_changed *e = (const void *)next_event(s, EVENT_SETTING_CHANGED);
    assert_int_equal(e->command, command);
    assert_int_equal(e->scope, scope);
    assert_int_equal(e->id, id);
    expect_nothing_more(s);
}

static cash_t cash_of(const struct small_engine *s, account_id_t account, uint32_t currency)
{
    struct cash_view view;
    assert_true(engine_cash(s->engine, account, currency, &view));
    return view.available;
}

static qty_t shares_of(const struct small_engine *s, account_id_t account, instrument_id_t i)
{
    struct position_view view;
    return engine_position(s->engine, account, i, &view) ? view.available_qty : -1;
}

/* ---- money ---- */

static void money_moves_between_accounts_and_the_house(void **state)
{
    struct small_engine *s = *state;
    transfer(s, ANN, BOB, 0, 300);
    const struct event_transferred *t = (const void *)next_event(s, EVENT_TRANSFERRED);
    assert_int_equal(t->from_account, ANN);
    assert_int_equal(t->to_account, BOB);
    assert_int_equal(t->reason, TRANSFER_CORRECTION);
    assert_int_equal(t->from_balance, CASH_EACH - 300);
    assert_int_equal(t->to_balance, CASH_EACH + 300);
    transfer(s, HOUSE, ANN, AAPL, 7); /* a stock dividend */
    t = (const void *)next_event(s, EVENT_TRANSFERRED);
    assert_int_equal(t->from_balance, -7);
    assert_int_equal(t->to_balance, SHARES_EACH + 7);
    assert_int_equal(shares_of(s, HOUSE, AAPL), -7);
    withdraw(s, ANN, ASSET_CASH, 700);
    const struct event_withdrawn *w = (const void *)next_event(s, EVENT_WITHDRAWN);
    assert_int_equal(w->asset, ASSET_CASH);
    assert_int_equal(w->balance, CASH_EACH - 1000);
    transfer(s, ANN, BOB, ASSET_CASH | 7, 1);
    expect_command_rejected(s, COMMAND_TRANSFER, REJECT_INSUFFICIENT_CASH);
}

static void money_moves_only_where_there_is_a_place(void **state)
{
    struct small_engine *s = *state;
    const asset_t no_assets[] = {MSFT, UINT32_MAX, ASSET_CASH | CURRENCY_COUNT, 65536};
    for (unsigned i = 0; i < 4; i++) {
        withdraw(s, ANN, no_assets[i], 1);
        expect_command_rejected(s, COMMAND_WITHDRAW, REJECT_UNKNOWN_INSTRUMENT);
        transfer(s, ANN, BOB, no_assets[i], 1);
        expect_command_rejected(s, COMMAND_TRANSFER, REJECT_UNKNOWN_INSTRUMENT);
    }
    withdraw(s, HOUSE, 0, 1);
    expect_command_rejected(s, COMMAND_WITHDRAW, REJECT_UNKNOWN_ACCOUNT);
    withdraw(s, ANN, 0, 0);
    expect_command_rejected(s, COMMAND_WITHDRAW, REJECT_INVALID_QTY);
    withdraw(s, ANN, 0, INT64_MIN);
    expect_command_rejected(s, COMMAND_WITHDRAW, REJECT_INVALID_QTY);
    transfer(s, ANN, ANN, 0, 1);
    expect_command_rejected(s, COMMAND_TRANSFER, REJECT_INVALID_SETTING);
    transfer(s, HOUSE, HOUSE, 0, 1);
    expect_command_rejected(s, COMMAND_TRANSFER, REJECT_INVALID_SETTING);
    transfer(s, CY, ANN, 0, 1);
    expect_command_rejected(s, COMMAND_TRANSFER, REJECT_UNKNOWN_ACCOUNT);
    transfer(s, ANN, UINT32_MAX, 0, 1);
    expect_command_rejected(s, COMMAND_TRANSFER, REJECT_UNKNOWN_ACCOUNT);
    transfer(s, ANN, BOB, 0, 0);
    expect_command_rejected(s, COMMAND_TRANSFER, REJECT_INVALID_QTY);
    transfer(s, ANN, BOB, 0, -1);
    expect_command_rejected(s, COMMAND_TRANSFER, REJECT_INVALID_QTY);
}

static void cash_of_a_short_seller_stays(void **state)
{
    struct small_engine *s = *state;
    list_msft(s);
    set_account(s, ANN, STP_ALLOW, 0, 1);
    expect_setting(s, COMMAND_SET_ACCOUNT, 0, ANN);
    deposit(s, BOB, ASSET_CASH | 1, 1000000), forget_events(s);
    order_msft(s, BOB, SIDE_BUY, 10, 10000);
    order_msft(s, ANN, SIDE_SELL, 10, 10000);
    assert_int_equal(shares_of(s, ANN, MSFT), -10);
    assert_int_equal(cash_of(s, ANN, 1), 100000);
    withdraw(s, ANN, ASSET_CASH | 1, 1);
    expect_command_rejected(s, COMMAND_WITHDRAW, REJECT_SHORT_POSITION);
    withdraw(s, ANN, 0, CASH_EACH + 1);
    expect_command_rejected(s, COMMAND_WITHDRAW, REJECT_SHORT_POSITION);
    transfer(s, BOB, ANN, MSFT, 10);
    forget_events(s);
    withdraw(s, ANN, ASSET_CASH | 1, 100000);
    forget_events(s);
    assert_int_equal(cash_of(s, ANN, 1), 0);
}

/* ---- busts ---- */

static void a_busted_trade_never_happened(void **state)
{
    struct small_engine *s = *state;
    list_msft(s);
    const struct command_set_fees fees =
        COMMAND(COMMAND_SET_FEES, struct command_set_fees, .instrument = MSFT, .fee_tier = 0,
                .maker_ppm = -1000, .taker_ppm = 10000);
    step(s, &fees, sizeof fees);
    expect_setting(s, COMMAND_SET_FEES, 0, MSFT);
    deposit(s, ANN, ASSET_CASH | 1, 1000000), forget_events(s);
    deposit(s, BOB, MSFT, 10), forget_events(s);
    order_id_t bid = order_msft(s, ANN, SIDE_BUY, 10, 10000);
    order_id_t ask = order_msft(s, BOB, SIDE_SELL, 4, 9000);
    assert_int_equal(cash_of(s, BOB, 1), 40000 - 400);
    assert_int_equal(cash_of(s, HOUSE, 1), 400 - 40);
    struct cash_view before;
    assert_true(engine_cash(s->engine, ANN, 1, &before));

    bust(s, 1);
    const struct event_trade_busted *b = (const void *)next_event(s, EVENT_TRADE_BUSTED);
    assert_int_equal(b->trade_id, 1);
    assert_int_equal(b->buy_order_id, bid);
    assert_int_equal(b->sell_order_id, ask);
    assert_int_equal(b->buyer, ANN);
    assert_int_equal(b->seller, BOB);
    assert_int_equal(b->instrument, MSFT);
    assert_int_equal(b->qty, 4);
    assert_int_equal(b->px, 10000);
    assert_int_equal(b->buyer_fee, -40);
    assert_int_equal(b->seller_fee, 400);
    expect_nothing_more(s);
    assert_int_equal(cash_of(s, ANN, 1), before.available + 40000 - 40);
    assert_int_equal(cash_of(s, BOB, 1), 0);
    assert_int_equal(cash_of(s, HOUSE, 1), 0);
    assert_int_equal(shares_of(s, ANN, MSFT), 0);
    assert_int_equal(shares_of(s, BOB, MSFT), 10);
    struct order_view order; /* stays as it is */
    assert_true(engine_order(s->engine, bid, &order));
    assert_int_equal(order.cum_qty, 4);
    assert_int_equal(order.leaves_qty, 6);

    bust(s, 1);
    expect_command_rejected(s, COMMAND_BUST_TRADE, REJECT_TRADE_BUSTED);
    bust(s, 2);
    expect_command_rejected(s, COMMAND_BUST_TRADE, REJECT_UNKNOWN_TRADE);
    bust(s, 0);
    expect_command_rejected(s, COMMAND_BUST_TRADE, REJECT_UNKNOWN_TRADE);
}

static void what_is_gone_cannot_be_taken_back(void **state)
{
    struct small_engine *s = *state;
    sell(s, ANN, 10, 10000), forget_events(s);
    buy(s, BOB, 10, 10000), forget_events(s);
    withdraw(s, BOB, AAPL, SHARES_EACH + 1), forget_events(s);
    bust(s, 1);
    expect_command_rejected(s, COMMAND_BUST_TRADE, REJECT_INSUFFICIENT_SHARES);
    deposit(s, BOB, AAPL, 1), forget_events(s);
    withdraw(s, ANN, 0, CASH_EACH + 1), forget_events(s);
    bust(s, 1);
    expect_command_rejected(s, COMMAND_BUST_TRADE, REJECT_INSUFFICIENT_CASH);
    deposit(s, ANN, 0, 1), forget_events(s);
    bust(s, 1);
    (void)next_event(s, EVENT_TRADE_BUSTED);
    assert_int_equal(cash_of(s, ANN, 0), 0);
    assert_int_equal(cash_of(s, BOB, 0), CASH_EACH);
    assert_int_equal(shares_of(s, BOB, AAPL), 0);
}

static void a_trade_with_oneself_can_be_busted(void **state)
{
    struct small_engine *s = *state;
    sell(s, ANN, 10, 10000), forget_events(s);
    buy(s, ANN, 10, 10000), forget_events(s);
    bust(s, 1);
    (void)next_event(s, EVENT_TRADE_BUSTED);
    assert_int_equal(cash_of(s, ANN, 0), CASH_EACH);
    assert_int_equal(shares_of(s, ANN, AAPL), SHARES_EACH);
}

static void only_the_latest_trades_can_be_busted(void **state)
{
    struct small_engine *s = *state;
    for (uint32_t i = 0; i <= roomy_limits.trades; i++) {
        sell(s, ANN, 1, 10000), forget_events(s);
        buy(s, BOB, 1, 10000), forget_events(s);
    }
    bust(s, 1);
    expect_command_rejected(s, COMMAND_BUST_TRADE, REJECT_UNKNOWN_TRADE);
    bust(s, 2);
    (void)next_event(s, EVENT_TRADE_BUSTED);
}

/* The fees were paid out in the meantime, to the last cash unit that the house may owe. */
static void the_house_must_be_able_to_return_fees(void **state)
{
    struct small_engine *s = *state;
    const int64_t floor = -(INT64_C(1) << 61);
    list_msft(s);
    const struct command_set_fees fees =
        COMMAND(COMMAND_SET_FEES, struct command_set_fees, .instrument = MSFT, .fee_tier = 0,
                .maker_ppm = 1000, .taker_ppm = 10000);
    step(s, &fees, sizeof fees), forget_events(s);
    deposit(s, ANN, ASSET_CASH | 1, 1000000), forget_events(s);
    deposit(s, BOB, MSFT, 1), forget_events(s);
    order_msft(s, ANN, SIDE_BUY, 1, 10000);
    order_msft(s, BOB, SIDE_SELL, 1, 10000);
    transfer(s, HOUSE, BOB, ASSET_CASH | 1, 110 - floor), forget_events(s);
    bust(s, 1);
    expect_command_rejected(s, COMMAND_BUST_TRADE, REJECT_OVERFLOW);
    transfer(s, BOB, HOUSE, ASSET_CASH | 1, 109), forget_events(s);
    bust(s, 1);
    expect_command_rejected(s, COMMAND_BUST_TRADE, REJECT_OVERFLOW);
    transfer(s, BOB, HOUSE, ASSET_CASH | 1, 1), forget_events(s);
    bust(s, 1);
    (void)next_event(s, EVENT_TRADE_BUSTED);
    assert_int_equal(cash_of(s, HOUSE, 1), floor);
}

/* ---- many orders at once ---- */

struct six_orders {
    order_id_t ann_buy, ann_stop, ann_sell, ann_msft, bob_buy, bob_sell;
};

/* Ann's in AAPL, of which one waits for its trigger and one lives with its connection; her one in
 * MSFT; two of Bob's. */
static struct six_orders send_six_orders(struct small_engine *s)
{
    struct six_orders o;
    list_msft(s);
    deposit(s, ANN, ASSET_CASH | 1, 1000000), forget_events(s);
    o.ann_buy = buy(s, ANN, 1, 9000), forget_events(s);
    o.bob_sell = sell(s, BOB, 1, 12000), forget_events(s);
    o.ann_stop = send_stop(s, ANN, SIDE_SELL, 1, 8000, 0), forget_events(s);
    struct command_new_order c = order_by(ANN, SIDE_SELL, 1, 11000);
    c.exec_inst = EXEC_INST_CANCEL_ON_DISCONNECT;
    o.ann_sell = send_order(s, &c), forget_events(s);
    o.bob_buy = buy(s, BOB, 1, 9500), forget_events(s);
    o.ann_msft = order_msft(s, ANN, SIDE_BUY, 1, 10000);
    return o;
}

static void a_mass_cancel_takes_what_is_named(void **state)
{
    struct small_engine *s = *state;
    struct six_orders o = send_six_orders(s);
    mass_cancel(s, ANN, ANN, 0, 0, 1);
    expect_canceled(s, o.ann_sell, REJECT_CANCELED_ON_DISCONNECT);
    expect_mass_canceled(s, ANN, 1);
    mass_cancel(s, ANN, ANN, AAPL, SIDE_BUY, 0);
    expect_canceled(s, o.ann_buy, REJECT_CANCELED_BY_MASS_CANCEL);
    expect_mass_canceled(s, ANN, 1);
    mass_cancel(s, ANN, ANN, 0, 0, 0);
    expect_canceled(s, o.ann_stop, REJECT_CANCELED_BY_MASS_CANCEL);
    expect_canceled(s, o.ann_msft, REJECT_CANCELED_BY_MASS_CANCEL);
    expect_mass_canceled(s, ANN, 2);
    mass_cancel(s, ANN, ANN, 0, 0, 0);
    expect_mass_canceled(s, ANN, 0);
    struct account_view ann;
    assert_true(engine_account(s->engine, ANN, &ann));
    assert_int_equal(ann.open_order_count, 0);
    assert_int_equal(ann.open_notional, 0);
}

/* Everybody's go in the order of slots: the one freed last is used first. */
static void a_mass_cancel_of_the_market(void **state)
{
    struct small_engine *s = *state;
    struct six_orders o = send_six_orders(s);
    mass_cancel(s, 0, 0, AAPL, SIDE_SELL, 0);
    expect_canceled(s, o.bob_sell, REJECT_CANCELED_BY_MASS_CANCEL);
    expect_canceled(s, o.ann_stop, REJECT_CANCELED_BY_MASS_CANCEL);
    expect_canceled(s, o.ann_sell, REJECT_CANCELED_BY_MASS_CANCEL);
    expect_mass_canceled(s, 0, 3);
    order_id_t again = sell(s, BOB, 1, 12000); /* into ann_sell's slot, before bob_buy's */
    forget_events(s);
    mass_cancel(s, 0, 0, 0, 0, 0);
    expect_canceled(s, o.ann_buy, REJECT_CANCELED_BY_MASS_CANCEL);
    expect_canceled(s, again, REJECT_CANCELED_BY_MASS_CANCEL);
    expect_canceled(s, o.bob_buy, REJECT_CANCELED_BY_MASS_CANCEL);
    expect_canceled(s, o.ann_msft, REJECT_CANCELED_BY_MASS_CANCEL);
    expect_mass_canceled(s, 0, 4);
}

static void who_may_cancel_what(void **state)
{
    struct small_engine *s = *state;
    send_six_orders(s);
    mass_cancel(s, CY, ANN, 0, 0, 0);
    expect_request_rejected(s, 0, COMMAND_MASS_CANCEL, REJECT_UNKNOWN_ACCOUNT);
    mass_cancel(s, ANN, BOB, 0, 0, 0);
    expect_request_rejected(s, 0, COMMAND_MASS_CANCEL, REJECT_UNKNOWN_USER);
    mass_cancel(s, 0, ANN, 0, 0, 0); /* an account's user may not cancel everybody's */
    expect_request_rejected(s, 0, COMMAND_MASS_CANCEL, REJECT_UNKNOWN_USER);
    mass_cancel(s, ANN, ANN, 3, 0, 0);
    expect_request_rejected(s, 0, COMMAND_MASS_CANCEL, REJECT_UNKNOWN_INSTRUMENT);
    mass_cancel(s, ANN, ANN, 0, '3', 0);
    expect_request_rejected(s, 0, COMMAND_MASS_CANCEL, REJECT_INVALID_SIDE);
    mass_cancel(s, ANN, ANN, 0, 0, 2);
    expect_request_rejected(s, 0, COMMAND_MASS_CANCEL, REJECT_INVALID_SETTING);
    mass_cancel(s, 0, 0, 0, 0, 0);
    assert_int_equal(s->count, 7);
    forget_events(s);
}

static void a_kill_switch_cancels_and_blocks(void **state)
{
    struct small_engine *s = *state;
    struct six_orders o = send_six_orders(s);
    kill_switch(s, ANN, 1);
    expect_canceled(s, o.ann_buy, REJECT_CANCELED_BY_KILL_SWITCH);
    expect_canceled(s, o.ann_stop, REJECT_CANCELED_BY_KILL_SWITCH);
    expect_canceled(s, o.ann_sell, REJECT_CANCELED_BY_KILL_SWITCH);
    expect_canceled(s, o.ann_msft, REJECT_CANCELED_BY_KILL_SWITCH);
    expect_killed(s, ANN, 1, 4);
    struct account_view ann;
    assert_true(engine_account(s->engine, ANN, &ann) && ann.blocked);
    buy(s, ANN, 1, 9000);
    expect_order_rejected(s, REJECT_ACCOUNT_BLOCKED);
    kill_switch(s, 0, 1);
    expect_canceled(s, o.bob_sell, REJECT_CANCELED_BY_KILL_SWITCH);
    expect_canceled(s, o.bob_buy, REJECT_CANCELED_BY_KILL_SWITCH);
    expect_killed(s, 0, 1, 2);
    assert_true(engine_market_blocked(s->engine));
    buy(s, BOB, 1, 9000);
    expect_order_rejected(s, REJECT_MARKET_BLOCKED);
    kill_switch(s, ANN, 0);
    expect_killed(s, ANN, 0, 0);
    kill_switch(s, 0, 0);
    expect_killed(s, 0, 0, 0);
    assert_false(engine_market_blocked(s->engine));
    order_id_t id = buy(s, ANN, 1, 9000);
    expect_new(s, id, 1);
    kill_switch(s, CY, 1);
    expect_command_rejected(s, COMMAND_KILL_SWITCH, REJECT_UNKNOWN_ACCOUNT);
    kill_switch(s, ANN, 2);
    expect_command_rejected(s, COMMAND_KILL_SWITCH, REJECT_INVALID_SETTING);
}

/* A step is a microsecond in small_engine.h. */
static void a_dead_mans_orders_are_canceled(void **state)
{
    struct small_engine *s = *state;
    struct six_orders o = send_six_orders(s);
    cancel_after(s, ANN, ANN, 2500);
    const struct event_cancel_after_set *set = (const void *)next_event(s, EVENT_CANCEL_AFTER_SET);
    int64_t deadline_ns = (int64_t)s->seq * 1000 + 2500;
    assert_int_equal(set->deadline_ns, deadline_ns);
    struct account_view ann;
    assert_true(engine_account(s->engine, ANN, &ann));
    assert_int_equal(ann.cancel_after_ns, deadline_ns);
    assert_int_equal(engine_deadline_ns(s->engine), deadline_ns);
    pass_time(s);
    (void)next_event(s, EVENT_TIME_PASSED); /* not yet */
    cancel_after(s, ANN, ANN, 1500);        /* alive: moved to a microsecond and a half from now */
    forget_events(s);
    pass_time(s);
    (void)next_event(s, EVENT_TIME_PASSED);
    pass_time(s);
    expect_canceled(s, o.ann_buy, REJECT_CANCELED_AFTER_TIMEOUT);
    expect_canceled(s, o.ann_stop, REJECT_CANCELED_AFTER_TIMEOUT);
    expect_canceled(s, o.ann_sell, REJECT_CANCELED_AFTER_TIMEOUT);
    expect_canceled(s, o.ann_msft, REJECT_CANCELED_AFTER_TIMEOUT);
    assert_int_equal(
        ((const struct event_time_passed *)(const void *)next_event(s, EVENT_TIME_PASSED))
            ->fired_count,
        1);
    expect_nothing_more(s);
    assert_true(engine_account(s->engine, ANN, &ann));
    assert_int_equal(ann.cancel_after_ns, 0);
    assert_int_equal(engine_deadline_ns(s->engine), INT64_MAX);
}

static void a_dead_mans_switch_can_be_stopped(void **state)
{
    struct small_engine *s = *state;
    cancel_after(s, ANN, ANN, INT64_C(86400000000000));
    forget_events(s);
    assert_true(engine_deadline_ns(s->engine) < INT64_MAX);
    cancel_after(s, ANN, ANN, 0);
    assert_int_equal(
        ((const struct event_cancel_after_set *)(const void *)next_event(s, EVENT_CANCEL_AFTER_SET))
            ->deadline_ns,
        0);
    assert_int_equal(engine_deadline_ns(s->engine), INT64_MAX);
    cancel_after(s, ANN, ANN, INT64_C(86400000000001));
    expect_request_rejected(s, 0, COMMAND_CANCEL_AFTER, REJECT_INVALID_SETTING);
    cancel_after(s, ANN, ANN, -1);
    expect_request_rejected(s, 0, COMMAND_CANCEL_AFTER, REJECT_INVALID_SETTING);
    cancel_after(s, ANN, BOB, 1);
    expect_request_rejected(s, 0, COMMAND_CANCEL_AFTER, REJECT_UNKNOWN_USER);
    cancel_after(s, 0, ANN, 1);
    expect_request_rejected(s, 0, COMMAND_CANCEL_AFTER, REJECT_UNKNOWN_ACCOUNT);
}

/* ---- settings ---- */

/* Each limit, at each scope: set where the scope has it, refused where it has not. */
static void a_scope_takes_the_limits_that_it_has(void **state)
{
    struct small_engine *s = *state;
    const struct {
        struct command_set_limits limits;
        const char *scopes; /* that have it: a, u, i */
    } cases[] = {
        {{.max_order_qty = 1}, "aui"},
        {{.max_order_notional = 1}, "aui"},
        {{.collar_ppm = 1}, "au"},
        {{.max_open_orders = 1}, "a"},
        {{.max_messages = 1}, "au"},
        {{.max_long_qty = 1}, "ai"},
        {{.max_short_qty = 1}, "ai"},
        {{.max_exposure = 1}, "a"},
        {{.max_daily_qty = 1}, "ui"},
        {{.max_daily_qty = -1}, "ui"},
        {{.max_daily_qty = -2}, ""},
        {{.max_order_qty = -1}, ""},
        {{.max_order_notional = -1}, ""},
        {{.max_long_qty = -1}, ""},
        {{.max_short_qty = -1}, ""},
        {{.max_exposure = -1}, ""},
        {{.collar_ppm = 1000000}, "au"},
        {{.collar_ppm = 1000001}, ""},
        {{.max_daily_qty = INT64_MAX}, "ui"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (uint32_t scope = LIMIT_SCOPE_ACCOUNT; scope <= LIMIT_SCOPE_INSTRUMENT; scope++) {
            struct command_set_limits limits = cases[i].limits;
            limits.scope = scope;
            limits.id = 1;
            set_limits(s, limits);
            if (strchr(cases[i].scopes, " aui"[scope]))
                expect_setting(s, COMMAND_SET_LIMITS, (uint16_t)scope, 1);
            else
                expect_command_rejected(s, COMMAND_SET_LIMITS, REJECT_INVALID_SETTING);
        }
    }
    set_limits(s, (struct command_set_limits){.scope = LIMIT_SCOPE_ACCOUNT, .id = CY});
    expect_command_rejected(s, COMMAND_SET_LIMITS, REJECT_UNKNOWN_ACCOUNT);
    set_limits(s, (struct command_set_limits){.scope = LIMIT_SCOPE_USER, .id = CY});
    expect_command_rejected(s, COMMAND_SET_LIMITS, REJECT_UNKNOWN_USER);
    set_limits(s, (struct command_set_limits){.scope = LIMIT_SCOPE_INSTRUMENT, .id = MSFT});
    expect_command_rejected(s, COMMAND_SET_LIMITS, REJECT_UNKNOWN_INSTRUMENT);
    set_limits(s, (struct command_set_limits){.scope = 0, .id = 1});
    expect_command_rejected(s, COMMAND_SET_LIMITS, REJECT_INVALID_SETTING);
    set_limits(s, (struct command_set_limits){.scope = 4, .id = 1});
    expect_command_rejected(s, COMMAND_SET_LIMITS, REJECT_INVALID_SETTING);
}

static void send_six_shares(struct small_engine *s, account_id_t account, user_id_t user,
                            enum reject expected)
{
    struct command_new_order c = order_by(account, SIDE_BUY, 6, 100);
    c.user = user;
    order_id_t id = send_order(s, &c);
    if (expected == REJECT_NONE)
        expect_new(s, id, 6);
    else
        expect_order_rejected(s, expected);
}

/* They count from the next order on, for whom they are set, and are gone when they are set to 0. */
static void limits_hold_for_their_scope_until_they_are_lifted(void **state)
{
    struct small_engine *s = *state;
    add_user(s, CY, ANN, "Ann's clerk"), forget_events(s);
    const enum reject no = REJECT_MAX_ORDER_QTY, yes = REJECT_NONE;
    const struct {
        uint32_t scope;
        enum reject ann, clerk, bob;
    } cases[] = {{LIMIT_SCOPE_ACCOUNT, no, no, yes},
                 {LIMIT_SCOPE_USER, no, yes, yes},
                 {LIMIT_SCOPE_INSTRUMENT, no, no, no}};
    for (unsigned i = 0; i < 3; i++) {
        struct command_set_limits limits = {.scope = cases[i].scope, .id = 1, .max_order_qty = 5};
        set_limits(s, limits), forget_events(s);
        send_six_shares(s, ANN, ANN, cases[i].ann);
        send_six_shares(s, ANN, CY, cases[i].clerk);
        send_six_shares(s, BOB, BOB, cases[i].bob);
        limits.max_order_qty = 6;
        set_limits(s, limits), forget_events(s);
        send_six_shares(s, ANN, ANN, yes);
        limits.max_order_qty = 0;
        set_limits(s, limits), forget_events(s);
        send_six_shares(s, ANN, ANN, yes);
    }
}

static void fees_stay_within_the_instruments_highest(void **state)
{
    struct small_engine *s = *state;
    list_msft(s);
    const struct {
        struct command_set_fees fees;
        enum reject reason;
    } cases[] = {
        {{.instrument = MSFT, .maker_ppm = -10000, .taker_ppm = 10000}, REJECT_NONE},
        {{.instrument = MSFT, .fee_tier = 3, .maker_ppm = 1}, REJECT_NONE},
        {{.instrument = MSFT, .fee_tier = 4}, REJECT_INVALID_SETTING},
        {{.instrument = MSFT, .maker_ppm = 10001}, REJECT_INVALID_SETTING},
        {{.instrument = MSFT, .maker_ppm = -10001}, REJECT_INVALID_SETTING},
        {{.instrument = MSFT, .taker_ppm = INT32_MIN}, REJECT_INVALID_SETTING},
        {{.instrument = AAPL, .taker_ppm = 1}, REJECT_INVALID_SETTING},
        {{.instrument = 3}, REJECT_UNKNOWN_INSTRUMENT},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct command_set_fees fees = cases[i].fees;
        fees.header = COMMAND_HEADER(COMMAND_SET_FEES, struct command_set_fees);
        step(s, &fees, sizeof fees);
        if (cases[i].reason == REJECT_NONE)
            expect_setting(s, COMMAND_SET_FEES, 0, fees.instrument);
        else
            expect_command_rejected(s, COMMAND_SET_FEES, cases[i].reason);
    }
    struct instrument_view view;
    assert_true(engine_instrument(s->engine, MSFT, &view));
    assert_int_equal(view.maker_ppm[0], -10000);
    assert_int_equal(view.taker_ppm[0], 10000);
    assert_int_equal(view.maker_ppm[3], 1);
}

static void an_accounts_settings(void **state)
{
    struct small_engine *s = *state;
    struct account_view view;
    assert_true(engine_account(s->engine, ANN, &view));
    assert_int_equal(view.stp, STP_ALLOW);
    set_account(s, ANN, STP_DECREMENT, 3, 1);
    expect_setting(s, COMMAND_SET_ACCOUNT, 0, ANN);
    assert_true(engine_account(s->engine, ANN, &view));
    assert_int_equal(view.stp, STP_DECREMENT);
    assert_int_equal(view.fee_tier, 3);
    assert_true(view.may_short);
    set_account(s, ANN, STP_ACCOUNT, 0, 0);
    expect_setting(s, COMMAND_SET_ACCOUNT, 0, ANN);
    assert_true(engine_account(s->engine, ANN, &view));
    assert_int_equal(view.stp, STP_ALLOW);
    set_account(s, ANN, STP_ALLOW + 1, 0, 0);
    expect_command_rejected(s, COMMAND_SET_ACCOUNT, REJECT_INVALID_SETTING);
    set_account(s, ANN, 0, FEE_TIER_COUNT, 0);
    expect_command_rejected(s, COMMAND_SET_ACCOUNT, REJECT_INVALID_SETTING);
    set_account(s, ANN, 0, 0, 2);
    expect_command_rejected(s, COMMAND_SET_ACCOUNT, REJECT_INVALID_SETTING);
    set_account(s, 0, 0, 0, 0);
    expect_command_rejected(s, COMMAND_SET_ACCOUNT, REJECT_UNKNOWN_ACCOUNT);
}

/* Version 1 of the message ends where those fields begin: what follows it is somebody else's. */
static void an_instrument_of_version_1_has_no_tail(void **state)
{
    struct small_engine *s = *state;
    struct command_list_instrument c = listing(MSFT, "MSFT");
    c.header = sbe_header_v1(COMMAND_LIST_INSTRUMENT, LIST_INSTRUMENT_V1_BYTES);
    memset(&c.currency, 0xff, sizeof c - LIST_INSTRUMENT_V1_BYTES);
    step(s, &c, sizeof c);
    (void)next_event(s, EVENT_INSTRUMENT_LISTED);
    struct instrument_view view;
    assert_true(engine_instrument(s->engine, MSFT, &view));
    assert_int_equal(view.currency, 0);
    assert_int_equal(view.max_fee_ppm, 0);
    assert_int_equal(view.session, SESSION_CONTINUOUS);
    assert_false(view.shortable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MARKET_TEST(money_moves_between_accounts_and_the_house),
        MARKET_TEST(money_moves_only_where_there_is_a_place),
        MARKET_TEST(cash_of_a_short_seller_stays),
        MARKET_TEST(a_busted_trade_never_happened),
        MARKET_TEST(what_is_gone_cannot_be_taken_back),
        MARKET_TEST(a_trade_with_oneself_can_be_busted),
        MARKET_TEST(only_the_latest_trades_can_be_busted),
        MARKET_TEST(the_house_must_be_able_to_return_fees),
        MARKET_TEST(a_mass_cancel_takes_what_is_named),
        MARKET_TEST(a_mass_cancel_of_the_market),
        MARKET_TEST(who_may_cancel_what),
        MARKET_TEST(a_kill_switch_cancels_and_blocks),
        MARKET_TEST(a_dead_mans_orders_are_canceled),
        MARKET_TEST(a_dead_mans_switch_can_be_stopped),
        MARKET_TEST(a_scope_takes_the_limits_that_it_has),
        MARKET_TEST(limits_hold_for_their_scope_until_they_are_lifted),
        MARKET_TEST(fees_stay_within_the_instruments_highest),
        MARKET_TEST(an_accounts_settings),
        MARKET_TEST(an_instrument_of_version_1_has_no_tail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
