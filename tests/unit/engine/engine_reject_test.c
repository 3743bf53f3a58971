/* engine_reject_test - each reason that the engine can refuse for, and that a refusal changes
 * nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/engine/small_engine.h"

/* ---- new orders ---- */

static struct command_new_order good_order(void)
{
    return order_by(ANN, SIDE_BUY, 10, 1000);
}

static void refuse(struct small_engine *e, const struct command_new_order *command,
                   enum reject reason)
{
    send_order(e, command);
    expect_order_rejected(e, reason);
    expect_cash(e, ANN, CASH_EACH, 0);
    expect_shares(e, ANN, SHARES_EACH, 0);
}

static void who_sends_it(void **state)
{
    struct small_engine *e = *state;
    const account_id_t unknown[] = {0, CY, 6, UINT32_MAX};
    for (unsigned i = 0; i < 4; i++) {
        struct command_new_order order = good_order();
        order.account = unknown[i];
        refuse(e, &order, REJECT_UNKNOWN_ACCOUNT);
    }
    const user_id_t strangers[] = {0, BOB, CY, 6, UINT32_MAX};
    for (unsigned i = 0; i < 5; i++) {
        struct command_new_order order = good_order();
        order.user = strangers[i];
        refuse(e, &order, REJECT_UNKNOWN_USER);
    }
}

static void what_is_ordered(void **state)
{
    struct small_engine *e = *state;
    const instrument_id_t unknown[] = {0, MSFT, 4, UINT32_MAX};
    for (unsigned i = 0; i < 4; i++) {
        struct command_new_order order = good_order();
        order.instrument = unknown[i];
        send_order(e, &order);
        assert_int_equal(e->events[0].instrument, unknown[i]);
        expect_order_rejected(e, REJECT_UNKNOWN_INSTRUMENT);
    }
    struct command_new_order order = good_order();
    order.side = '5'; /* sell short */
    refuse(e, &order, REJECT_INVALID_SIDE);
    order = good_order(), order.side = 0;
    refuse(e, &order, REJECT_INVALID_SIDE);
    order = good_order(), order.ord_type = '5'; /* market on close */
    refuse(e, &order, REJECT_INVALID_ORD_TYPE);
    order = good_order(), order.time_in_force = '5'; /* good till crossing */
    refuse(e, &order, REJECT_INVALID_TIME_IN_FORCE);
}

static void which_quantity(void **state)
{
    struct small_engine *e = *state;
    const qty_t invalid[] = {0, -1, INT64_MIN, QTY_MAX + 1, INT64_MAX};
    for (unsigned i = 0; i < 5; i++) {
        struct command_new_order order = good_order();
        order.order_qty = invalid[i];
        refuse(e, &order, REJECT_INVALID_QTY);
    }
    struct command_new_order order = good_order();
    order.order_qty = 10001;
    refuse(e, &order, REJECT_MAX_ORDER_QTY);
    order.order_qty = QTY_MAX;
    refuse(e, &order, REJECT_MAX_ORDER_QTY);
    order.order_qty = 10000, order.limit_px = 10100;
    refuse(e, &order, REJECT_MAX_ORDER_NOTIONAL);

    struct command_list_instrument lots = listing(MSFT, "MSFT");
    lots.lot_qty = 10;
    step(e, &lots, sizeof lots), forget_events(e);
    order = good_order(), order.instrument = MSFT, order.order_qty = 15;
    refuse(e, &order, REJECT_INVALID_LOT);
}

static void which_price(void **state)
{
    struct small_engine *e = *state;
    const struct {
        px_t px;
        enum reject reason;
    } cases[] = {{0, REJECT_INVALID_PX},
                 {-100, REJECT_INVALID_PX},
                 {INT64_MIN, REJECT_INVALID_PX},
                 {1, REJECT_INVALID_TICK},
                 {1050, REJECT_INVALID_TICK},
                 {16777216 * INT64_C(100), REJECT_PX_OUT_OF_RANGE},
                 {INT64_MAX, REJECT_PX_OUT_OF_RANGE}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct command_new_order order = good_order();
        order.limit_px = cases[i].px;
        refuse(e, &order, cases[i].reason);
    }
}

static void which_funds(void **state)
{
    struct small_engine *e = *state;
    struct command_new_order order = order_by(ANN, SIDE_BUY, 1001, 1000);
    refuse(e, &order, REJECT_INSUFFICIENT_CASH);
    order = order_by(ANN, SIDE_SELL, SHARES_EACH + 1, 1000);
    refuse(e, &order, REJECT_INSUFFICIENT_SHARES);
    expect_new(e, buy(e, ANN, 1000, 1000), 1000); /* all of it is not too much */
    order = order_by(ANN, SIDE_BUY, 1, 100);
    send_order(e, &order);
    expect_order_rejected(e, REJECT_INSUFFICIENT_CASH);
}

static void which_client_order_id(void **state)
{
    struct small_engine *e = *state;
    struct command_new_order order = good_order();
    memcpy(order.cl_ord_id, "a b", 3);
    refuse(e, &order, REJECT_INVALID_CL_ORD_ID);
    memcpy(order.cl_ord_id, "a\0b", 3);
    refuse(e, &order, REJECT_INVALID_CL_ORD_ID);
    memcpy(order.cl_ord_id, "\x80zz", 3);
    refuse(e, &order, REJECT_INVALID_CL_ORD_ID);
}

/* So that a retry learns what became of the first try, even of one that was refused. */
static void a_refused_order_uses_its_client_order_id(void **state)
{
    struct small_engine *e = *state;
    struct command_new_order order = good_order();
    memcpy(order.cl_ord_id, "once", 4);
    order.limit_px = 1;
    order_id_t first = send_order(e, &order);
    expect_order_rejected(e, REJECT_INVALID_TICK);
    order.limit_px = 1000;
    send_order(e, &order);
    expect_request_rejected(e, first, COMMAND_NEW_ORDER, REJECT_DUPLICATE_CL_ORD_ID);
    order.account = order.user = BOB; /* another account's ids are its own */
    expect_new(e, send_order(e, &order), 10);
    cancel(e, ANN, 0, "once"); /* it is not open */
    expect_request_rejected(e, 0, COMMAND_CANCEL_ORDER, REJECT_UNKNOWN_ORDER);
}

/* ---- cancel and replace ---- */

static void only_ones_own_open_order(void **state)
{
    struct small_engine *e = *state;
    order_id_t id = buy(e, ANN, 10, 1000);
    forget_events(e);
    const order_id_t unknown[] = {0, 1, id + 1, id - 1, id + (1 << 24), UINT64_MAX};
    for (unsigned i = 0; i < 6; i++) {
        cancel(e, ANN, unknown[i], "");
        expect_request_rejected(e, unknown[i], COMMAND_CANCEL_ORDER, REJECT_UNKNOWN_ORDER);
        replace(e, ANN, unknown[i], 5);
        expect_request_rejected(e, unknown[i], COMMAND_REPLACE_ORDER, REJECT_UNKNOWN_ORDER);
    }
    cancel(e, BOB, id, "");
    expect_request_rejected(e, id, COMMAND_CANCEL_ORDER, REJECT_UNKNOWN_ORDER);
    replace(e, BOB, id, 5);
    expect_request_rejected(e, id, COMMAND_REPLACE_ORDER, REJECT_UNKNOWN_ORDER);
    const struct command_cancel_order strangers = {
        .header = COMMAND_HEADER(COMMAND_CANCEL_ORDER, struct command_cancel_order),
        .account = ANN,
        .user = BOB,
        .order_id = id};
    step(e, &strangers, sizeof strangers);
    expect_request_rejected(e, id, COMMAND_CANCEL_ORDER, REJECT_UNKNOWN_ORDER);
    cancel(e, ANN, id, ""), forget_events(e);
    cancel(e, ANN, id, "");
    expect_request_rejected(e, id, COMMAND_CANCEL_ORDER, REJECT_UNKNOWN_ORDER);
}

static void what_a_replace_may_say(void **state)
{
    struct small_engine *e = *state;
    order_id_t id = buy(e, ANN, 10, 1000);
    forget_events(e);
    const struct {
        qty_t qty;
        px_t px;
        enum reject reason;
    } cases[] = {{-1, 0, REJECT_INVALID_QTY},
                 {QTY_MAX + 1, 0, REJECT_INVALID_QTY},
                 {QTY_MAX, 0, REJECT_MAX_ORDER_QTY},
                 {0, -1, REJECT_INVALID_PX},
                 {0, INT64_MAX, REJECT_PX_OUT_OF_RANGE},
                 {0, 1050, REJECT_INVALID_TICK},
                 {1001, 0, REJECT_INSUFFICIENT_CASH},
                 {0, 100100, REJECT_INSUFFICIENT_CASH}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        replace_to(e, ANN, id, cases[i].qty, cases[i].px);
        expect_request_rejected(e, id, COMMAND_REPLACE_ORDER, cases[i].reason);
        expect_cash(e, ANN, CASH_EACH - 10000, 10000);
    }
    struct command_list_instrument lots = listing(MSFT, "MSFT");
    lots.lot_qty = 10;
    step(e, &lots, sizeof lots), forget_events(e);
    struct command_new_order order = order_by(ANN, SIDE_BUY, 30, 1000);
    order.instrument = MSFT;
    id = send_order(e, &order);
    forget_events(e);
    replace(e, ANN, id, 15);
    expect_request_rejected(e, id, COMMAND_REPLACE_ORDER, REJECT_INVALID_LOT);
}

/* ---- administration ---- */

static void administration(void **state)
{
    struct small_engine *e = *state;
    configure(e, &roomy_limits);
    expect_command_rejected(e, COMMAND_CONFIGURE, REJECT_ALREADY_CONFIGURED);
    open_account(e, ANN, "Ann again");
    expect_command_rejected(e, COMMAND_OPEN_ACCOUNT, REJECT_ACCOUNT_EXISTS);
    open_account(e, 6, "beyond");
    expect_command_rejected(e, COMMAND_OPEN_ACCOUNT, REJECT_OUT_OF_LIMITS);
    open_account(e, CY, "");
    expect_command_rejected(e, COMMAND_OPEN_ACCOUNT, REJECT_INVALID_NAME);
    add_user(e, ANN, ANN, "again");
    expect_command_rejected(e, COMMAND_ADD_USER, REJECT_USER_EXISTS);
    add_user(e, 5, CY, "of nobody");
    expect_command_rejected(e, COMMAND_ADD_USER, REJECT_UNKNOWN_ACCOUNT);
    add_key(e, 5, SCOPE_READ, "KEY");
    expect_command_rejected(e, COMMAND_ADD_KEY, REJECT_UNKNOWN_USER);
    add_key(e, ANN, 16, "KEY");
    expect_command_rejected(e, COMMAND_ADD_KEY, REJECT_INVALID_MESSAGE);
    list_instrument(e, AAPL, "OTHER");
    expect_command_rejected(e, COMMAND_LIST_INSTRUMENT, REJECT_INSTRUMENT_EXISTS);
    list_instrument(e, MSFT, "AAPL");
    expect_command_rejected(e, COMMAND_LIST_INSTRUMENT, REJECT_INSTRUMENT_EXISTS);
    list_instrument(e, MSFT, "lower");
    expect_command_rejected(e, COMMAND_LIST_INSTRUMENT, REJECT_INVALID_NAME);
}

static void deposits(void **state)
{
    struct small_engine *e = *state;
    deposit(e, CY, 0, 1);
    expect_command_rejected(e, COMMAND_DEPOSIT, REJECT_UNKNOWN_ACCOUNT);
    deposit(e, ANN, MSFT, 1);
    expect_command_rejected(e, COMMAND_DEPOSIT, REJECT_UNKNOWN_INSTRUMENT);
    deposit(e, ANN, 0, 0);
    expect_command_rejected(e, COMMAND_DEPOSIT, REJECT_INVALID_QTY);
    deposit(e, ANN, 0, -1);
    expect_command_rejected(e, COMMAND_DEPOSIT, REJECT_INVALID_QTY);
    const cash_t all = INT64_C(1) << 62; /* of an asset, over all accounts */
    deposit(e, ANN, 0, all - 2 * CASH_EACH + 1);
    expect_command_rejected(e, COMMAND_DEPOSIT, REJECT_OVERFLOW);
    expect_cash(e, ANN, CASH_EACH, 0);
    deposit(e, ANN, 0, all - 2 * CASH_EACH);
    const struct event_deposited *event = (const void *)next_event(e, EVENT_DEPOSITED);
    assert_true(event->balance == all - CASH_EACH);
    deposit(e, ANN, ASSET_CASH | CURRENCY_COUNT, 1);
    expect_command_rejected(e, COMMAND_DEPOSIT, REJECT_UNKNOWN_INSTRUMENT);
}

static void a_key_is_added_once(void **state)
{
    struct small_engine *e = *state;
    add_key(e, ANN, SCOPE_READ | SCOPE_TRADE, "KEY");
    const struct event_key_added *event = (const void *)next_event(e, EVENT_KEY_ADDED);
    assert_int_equal(event->user, ANN);
    assert_int_equal(event->scopes, SCOPE_READ | SCOPE_TRADE);
    assert_string_equal(event->key_id, "KEY");
    add_key(e, BOB, SCOPE_READ, "KEY");
    expect_command_rejected(e, COMMAND_ADD_KEY, REJECT_KEY_EXISTS);
    struct key_view view;
    assert_true(engine_key(e->engine, "KEY", &view));
    assert_int_equal(view.account, ANN);
}

/* ---- full tables ---- */

static void orders_full(void **state)
{
    (void)state;
    struct small_engine e;
    struct limits limits = roomy_limits;
    limits.orders = 3; /* two slots: the first is nobody's */
    small_engine_open_market(&e, &limits);
    order_id_t first = sell(&e, ANN, 1, 1000);
    forget_events(&e);
    sell(&e, ANN, 1, 1000), forget_events(&e);
    sell(&e, ANN, 1, 1000);
    expect_order_rejected(&e, REJECT_ORDERS_FULL);
    cancel(&e, ANN, first, ""), forget_events(&e);
    order_id_t third = sell(&e, ANN, 1, 1000);
    expect_new(&e, third, 1);
    small_engine_close(&e);
}

static void book_full(void **state)
{
    (void)state;
    struct small_engine e;
    struct limits limits = roomy_limits;
    limits.price_blocks = 3; /* of 64 ticks; two can be in use */
    small_engine_open_market(&e, &limits);
    sell(&e, ANN, 1, 64 * 100), forget_events(&e);
    order_id_t second = sell(&e, ANN, 1, 128 * 100);
    forget_events(&e);
    sell(&e, ANN, 1, 192 * 100);
    expect_order_rejected(&e, REJECT_BOOK_FULL);
    cancel(&e, ANN, second, ""), forget_events(&e);
    order_id_t third = sell(&e, ANN, 1, 192 * 100);
    expect_new(&e, third, 1);
    small_engine_close(&e);
}

/* A buyer must be able to receive; and an order refused for another reason takes no room. */
static void positions_full(void **state)
{
    (void)state;
    struct small_engine e;
    struct limits limits = roomy_limits;
    limits.positions = 3; /* Ann's and Bob's AAPL, and one more */
    small_engine_open_market(&e, &limits);
    list_instrument(&e, MSFT, "MSFT"), forget_events(&e);
    struct command_new_order order = order_by(ANN, SIDE_BUY, 1, 1000);
    order.instrument = MSFT;
    order.order_qty = 2000; /* not affordable */
    send_order(&e, &order);
    expect_order_rejected(&e, REJECT_INSUFFICIENT_CASH);
    struct position_view view;
    assert_false(engine_position(e.engine, ANN, MSFT, &view));
    order.account = order.user = BOB;
    order.order_qty = 1;
    expect_new(&e, send_order(&e, &order), 1);
    order.account = order.user = ANN;
    send_order(&e, &order);
    expect_order_rejected(&e, REJECT_POSITIONS_FULL);
    expect_cash(&e, ANN, CASH_EACH, 0);
    deposit(&e, ANN, MSFT, 5);
    expect_command_rejected(&e, COMMAND_DEPOSIT, REJECT_POSITIONS_FULL);
    small_engine_close(&e);
}

static void client_order_ids_full(void **state)
{
    (void)state;
    struct small_engine e;
    struct limits limits = roomy_limits;
    limits.cl_ord_ids = 2;
    small_engine_open_market(&e, &limits);
    buy_as(&e, ANN, "a"), forget_events(&e);
    buy_as(&e, ANN, "b"), forget_events(&e);
    buy_as(&e, ANN, "c");
    expect_order_rejected(&e, REJECT_CL_ORD_IDS_FULL);
    order_id_t without = buy(&e, ANN, 1, 1000);
    expect_new(&e, without, 1);
    order_id_t first = buy_as(&e, ANN, "a");
    expect_request_rejected(&e, first, COMMAND_NEW_ORDER, REJECT_DUPLICATE_CL_ORD_ID);
    small_engine_close(&e);
}

static void keys_full(void **state)
{
    struct small_engine *e = *state;
    const char *const key_ids[] = {"A", "B", "C", "D"};
    for (unsigned i = 0; i < 4; i++) add_key(e, ANN, SCOPE_READ, key_ids[i]), forget_events(e);
    add_key(e, ANN, SCOPE_READ, "E");
    expect_command_rejected(e, COMMAND_ADD_KEY, REJECT_KEYS_FULL);
}

/* ---- bytes that are no command ---- */

static void refuse_bytes(struct small_engine *e, const void *bytes, size_t length)
{
    step(e, bytes, length);
    expect_command_rejected(e, 0, REJECT_INVALID_MESSAGE);
}

static void headers_that_make_no_sense(void **state)
{
    struct small_engine *e = *state;
    const struct command_end_day good = {COMMAND_HEADER(COMMAND_END_DAY, struct command_end_day),
                                         20000};
    struct command_end_day bad = good;
    for (size_t length = 0; length < sizeof good; length++) refuse_bytes(e, &good, length);
    bad.header.template_id = 0;
    refuse_bytes(e, &bad, sizeof bad);
    bad.header.template_id = EVENT_EXECUTION;
    refuse_bytes(e, &bad, sizeof bad);
    bad = good, bad.header.schema_id = 1;
    refuse_bytes(e, &bad, sizeof bad);
    bad = good, bad.header.version = 0;
    refuse_bytes(e, &bad, sizeof bad);
    bad = good, bad.header.block_length = 7;
    refuse_bytes(e, &bad, sizeof bad);
    bad = good, bad.header.block_length = 9; /* more than there is */
    refuse_bytes(e, &bad, sizeof bad);
    assert_int_equal(engine_day(e->engine), 0);
}

static void a_later_version_with_a_longer_block_is_understood(void **state)
{
    struct small_engine *e = *state;
    struct {
        struct command_end_day known;
        uint64_t appended;
    } later = {{COMMAND_HEADER(COMMAND_END_DAY, struct command_end_day), 20000}, 5};
    later.known.header.block_length += 8;
    later.known.header.version = SBE_SCHEMA_VERSION + 1;
    step(e, &later, sizeof later);
    next_event(e, EVENT_DAY_ENDED);
    assert_int_equal(engine_day(e->engine), 20000);
}

static void nothing_comes_before_the_limits(void **state)
{
    (void)state;
    struct small_engine e;
    struct limits others = roomy_limits;
    others.orders++;
    small_engine_open(&e, &roomy_limits);
    open_account(&e, ANN, "Ann");
    expect_command_rejected(&e, 0, REJECT_INVALID_MESSAGE);
    configure(&e, &others);
    expect_command_rejected(&e, COMMAND_CONFIGURE, REJECT_ALREADY_CONFIGURED);
    configure(&e, &roomy_limits);
    const struct event_configured *event = (const void *)next_event(&e, EVENT_CONFIGURED);
    assert_memory_equal(&event->limits, &roomy_limits, sizeof roomy_limits);
    open_account(&e, ANN, "Ann");
    next_event(&e, EVENT_ACCOUNT_OPENED);
    small_engine_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MARKET_TEST(who_sends_it),
        MARKET_TEST(what_is_ordered),
        MARKET_TEST(which_quantity),
        MARKET_TEST(which_price),
        MARKET_TEST(which_funds),
        MARKET_TEST(which_client_order_id),
        MARKET_TEST(a_refused_order_uses_its_client_order_id),
        MARKET_TEST(only_ones_own_open_order),
        MARKET_TEST(what_a_replace_may_say),
        MARKET_TEST(administration),
        MARKET_TEST(deposits),
        MARKET_TEST(a_key_is_added_once),
        cmocka_unit_test(orders_full),
        cmocka_unit_test(book_full),
        cmocka_unit_test(positions_full),
        cmocka_unit_test(client_order_ids_full),
        MARKET_TEST(keys_full),
        MARKET_TEST(headers_that_make_no_sense),
        MARKET_TEST(a_later_version_with_a_longer_block_is_understood),
        MARKET_TEST(nothing_comes_before_the_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
