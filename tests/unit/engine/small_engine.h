/* small_engine.h - an engine for scenarios that read like a specification: one line a command, one
 * line an event.
 *
 * Two brokers, ANN and BOB (their users have the same numbers), each with cash and shares of AAPL,
 * tick 0.01, lot 1. Events of the last command are kept and taken one after the other by
 * expect_...(); expect_nothing_more() ends a command.
 */
#ifndef HOGA_TESTS_UNIT_ENGINE_SMALL_ENGINE_H
#define HOGA_TESTS_UNIT_ENGINE_SMALL_ENGINE_H

#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/engine.h"
#include "engine/message/reject.h"
#include "tests/unit/engine/put_text.h"

enum { ANN = 1, BOB = 2, CY = 3, NOBODY = 7 };
enum { AAPL = 1, MSFT = 2 };
enum { EVENTS_MAX = 64 };
enum { CASH_EACH = 1000000, SHARES_EACH = 1000 };

static const struct limits roomy_limits = {.instruments = 4,
                                           .accounts = 6,
                                           .users = 6,
                                           .keys = 4,
                                           .orders = 32,
                                           .price_blocks = 32,
                                           .positions = 32,
                                           .cl_ord_ids = 64,
                                           .volumes = 32,
                                           .trades = 16};

struct small_engine {
    struct engine *engine;
    void *memory;
    size_t bytes;
    seq_t seq;
    struct event_execution events[EVENTS_MAX]; /* any event: an execution is the longest */
    size_t lengths[EVENTS_MAX];
    unsigned count;
    unsigned taken;
};

static inline void small_engine_keep(void *context, const void *message, size_t length)
{
    struct small_engine *self = context;
    assert_true(self->count < EVENTS_MAX && length <= sizeof self->events[0]);
    memcpy(&self->events[self->count], message, length);
    self->lengths[self->count++] = length;
}

static inline void step(struct small_engine *self, const void *message, size_t length)
{
    const struct event_sink sink = {small_engine_keep, self};
    assert_int_equal(self->taken, self->count); /* all that was said before has been looked at */
    self->count = self->taken = 0;
    self->seq++;
    engine_step(self->engine, self->seq, (int64_t)self->seq * 1000, message, length, &sink);
    assert_true(self->count > 0);
    engine_validate(self->engine);
}

static inline void forget_events(struct small_engine *self)
{
    self->taken = self->count;
}

/* ---- commands ---- */

static inline void configure(struct small_engine *self, const struct limits *limits)
{
    const struct command_configure command = {
        COMMAND_HEADER(COMMAND_CONFIGURE, struct command_configure), *limits};
    step(self, &command, sizeof command);
}

static inline void open_account(struct small_engine *self, account_id_t account, const char *name)
{
    struct command_open_account command = {
        .header = COMMAND_HEADER(COMMAND_OPEN_ACCOUNT, struct command_open_account),
        .account = account};
    put_text(command.name, NAME_BYTES, name);
    step(self, &command, sizeof command);
}

static inline void add_user(struct small_engine *self, user_id_t user, account_id_t account,
                            const char *name)
{
    struct command_add_user command = {
        .header = COMMAND_HEADER(COMMAND_ADD_USER, struct command_add_user),
        .user = user,
        .account = account};
    put_text(command.name, NAME_BYTES, name);
    step(self, &command, sizeof command);
}

static inline void add_key(struct small_engine *self, user_id_t user, uint32_t scopes,
                           const char *key_id)
{
    struct command_add_key command = {.header =
                                          COMMAND_HEADER(COMMAND_ADD_KEY, struct command_add_key),
                                      .user = user,
                                      .scopes = scopes};
    put_text(command.key_id, KEY_ID_BYTES, key_id);
    step(self, &command, sizeof command);
}

static inline struct command_list_instrument listing(instrument_id_t instrument, const char *symbol)
{
    struct command_list_instrument command = {
        .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
        .instrument = instrument,
        .name = "A company",
        .tick_px = 100,
        .lot_qty = 1,
        .max_order_qty = 10000,
        .max_order_notional = 100 * (cash_t)CASH_EACH};
    put_text(command.symbol, SYMBOL_BYTES, symbol);
    return command;
}

static inline void list_instrument(struct small_engine *self, instrument_id_t instrument,
                                   const char *symbol)
{
    const struct command_list_instrument command = listing(instrument, symbol);
    step(self, &command, sizeof command);
}

static inline void deposit(struct small_engine *self, account_id_t account, asset_t asset,
                           int64_t qty)
{
    const struct command_deposit command = {COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
                                            account, asset, qty};
    step(self, &command, sizeof command);
}

static inline struct command_new_order order_by(account_id_t account, uint8_t side, qty_t qty,
                                                px_t px)
{
    return (struct command_new_order){
        .header = COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order),
        .account = account,
        .user = account,
        .instrument = AAPL,
        .side = side,
        .ord_type = ORD_TYPE_LIMIT,
        .time_in_force = TIF_GTC,
        .order_qty = qty,
        .limit_px = px};
}

/* Sends the order; returns the id that its first event names. */
static inline order_id_t send_order(struct small_engine *self,
                                    const struct command_new_order *command)
{
    step(self, command, sizeof *command);
    return self->events[0].order_id;
}

static inline order_id_t buy(struct small_engine *self, account_id_t account, qty_t qty, px_t px)
{
    const struct command_new_order command = order_by(account, SIDE_BUY, qty, px);
    return send_order(self, &command);
}

static inline order_id_t sell(struct small_engine *self, account_id_t account, qty_t qty, px_t px)
{
    const struct command_new_order command = order_by(account, SIDE_SELL, qty, px);
    return send_order(self, &command);
}

/* A buy at 1.00 under a client order id. */
static inline order_id_t buy_as(struct small_engine *self, account_id_t account,
                                const char *cl_ord_id)
{
    struct command_new_order command = order_by(account, SIDE_BUY, 1, 10000);
    put_text(command.cl_ord_id, CL_ORD_ID_BYTES, cl_ord_id);
    return send_order(self, &command);
}

/* A stop of AAPL; a stop-limit when it has a limit price. */
static inline order_id_t send_stop(struct small_engine *self, account_id_t account, uint8_t side,
                                   qty_t qty, px_t stop_px, px_t limit_px)
{
    struct command_new_order command = order_by(account, side, qty, limit_px);
    command.ord_type = limit_px ? ORD_TYPE_STOP_LIMIT : ORD_TYPE_STOP;
    command.stop_px = stop_px;
    return send_order(self, &command);
}

/* By id when it is not 0, else by client order id. */
static inline void cancel(struct small_engine *self, account_id_t account, order_id_t order_id,
                          const char *orig_cl_ord_id)
{
    struct command_cancel_order command = {
        .header = COMMAND_HEADER(COMMAND_CANCEL_ORDER, struct command_cancel_order),
        .account = account,
        .user = account,
        .order_id = order_id};
    put_text(command.orig_cl_ord_id, CL_ORD_ID_BYTES, orig_cl_ord_id);
    step(self, &command, sizeof command);
}

/* To another quantity or price; 0 leaves it as it is. */
static inline void replace_to(struct small_engine *self, account_id_t account, order_id_t order_id,
                              qty_t order_qty, px_t limit_px)
{
    const struct command_replace_order command = {
        .header = COMMAND_HEADER(COMMAND_REPLACE_ORDER, struct command_replace_order),
        .account = account,
        .user = account,
        .order_id = order_id,
        .order_qty = order_qty,
        .limit_px = limit_px};
    step(self, &command, sizeof command);
}

static inline void replace(struct small_engine *self, account_id_t account, order_id_t order_id,
                           qty_t order_qty)
{
    replace_to(self, account, order_id, order_qty, 0);
}

static inline void set_fees(struct small_engine *self, int32_t maker_ppm, int32_t taker_ppm)
{
    const struct command_set_fees command = {
        COMMAND_HEADER(COMMAND_SET_FEES, struct command_set_fees), AAPL, 0, maker_ppm, taker_ppm};
    step(self, &command, sizeof command);
    forget_events(self);
}

static inline void end_day(struct small_engine *self, uint64_t day)
{
    const struct command_end_day command = {COMMAND_HEADER(COMMAND_END_DAY, struct command_end_day),
                                            day};
    step(self, &command, sizeof command);
}

/* ---- events ---- */

static inline const struct event_execution *next_event(struct small_engine *self,
                                                       uint16_t template_id)
{
    assert_true(self->taken < self->count);
    const struct event_execution *event = &self->events[self->taken];
    assert_int_equal(event->header.template_id, template_id);
    assert_int_equal(event->header.schema_id, SBE_SCHEMA_ID);
    bool plain = template_id == EVENT_EXECUTION && event->exec_type != EXEC_TRADE;
    assert_int_equal(event->header.version, plain ? 1 : SBE_SCHEMA_VERSION);
    assert_int_equal(sizeof event->header + event->header.block_length, self->lengths[self->taken]);
    self->taken++;
    return event;
}

static inline void expect_nothing_more(const struct small_engine *self)
{
    assert_int_equal(self->taken, self->count);
}

/* A report about an open order: what it is, and the three quantities after it. */
static inline const struct event_execution *
expect_execution(struct small_engine *self, order_id_t order_id, enum exec_type exec_type,
                 enum ord_status ord_status, qty_t order_qty, qty_t cum_qty, qty_t leaves_qty)
{
    const struct event_execution *event = next_event(self, EVENT_EXECUTION);
    assert_int_equal(event->order_id, order_id);
    assert_int_equal(event->exec_type, exec_type);
    assert_int_equal(event->ord_status, ord_status);
    assert_int_equal(event->order_qty, order_qty);
    assert_int_equal(event->cum_qty, cum_qty);
    assert_int_equal(event->leaves_qty, leaves_qty);
    if (exec_type != EXEC_TRADE) {
        assert_int_equal(event->trade_id, 0);
        assert_int_equal(event->last_qty, 0);
        assert_int_equal(event->last_px, 0);
        assert_int_equal(event->last_liquidity, LIQUIDITY_NONE);
    }
    return event;
}

static inline void expect_new(struct small_engine *self, order_id_t order_id, qty_t order_qty)
{
    expect_execution(self, order_id, EXEC_NEW, ORD_NEW, order_qty, 0, order_qty);
}

/* Both executions of one trade: the resting order's first, then the one that came. */
static inline void expect_trade(struct small_engine *self, order_id_t maker, order_id_t taker,
                                qty_t qty, px_t px)
{
    const struct event_execution *made = next_event(self, EVENT_EXECUTION);
    const struct event_execution *taken = next_event(self, EVENT_EXECUTION);
    const struct event_execution *both[] = {made, taken};
    assert_int_equal(made->order_id, maker);
    assert_int_equal(taken->order_id, taker);
    assert_int_equal(made->last_liquidity, LIQUIDITY_ADDED);
    assert_int_equal(taken->last_liquidity, LIQUIDITY_REMOVED);
    assert_int_equal(made->trade_id, taken->trade_id);
    assert_int_not_equal(made->trade_id, 0);
    assert_int_not_equal(made->side, taken->side);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(both[i]->exec_type, EXEC_TRADE);
        assert_int_equal(both[i]->last_qty, qty);
        assert_int_equal(both[i]->last_px, px);
        assert_int_equal(both[i]->order_qty, both[i]->cum_qty + both[i]->leaves_qty);
        assert_int_equal(both[i]->ord_status,
                         both[i]->leaves_qty ? ORD_PARTIALLY_FILLED : ORD_FILLED);
    }
}

/* An order that was refused: it exists, with an id, and is over. */
static inline void expect_order_rejected(struct small_engine *self, enum reject reason)
{
    const struct event_execution *event = next_event(self, EVENT_EXECUTION);
    assert_int_equal(event->exec_type, EXEC_REJECTED);
    assert_int_equal(event->ord_status, ORD_REJECTED);
    assert_int_equal(event->reject_reason, reason);
    assert_int_equal(event->leaves_qty, 0);
    assert_int_equal(event->cum_qty, 0);
    assert_int_not_equal(event->order_id, 0);
    expect_nothing_more(self);
}

static inline void expect_request_rejected(struct small_engine *self, order_id_t order_id,
                                           enum command_template command, enum reject reason)
{
    const struct event_request_rejected *event =
        (const void *)next_event(self, EVENT_REQUEST_REJECTED);
    assert_int_equal(event->order_id, order_id);
    assert_int_equal(event->command, command);
    assert_int_equal(event->reject_reason, reason);
    expect_nothing_more(self);
}

static inline void expect_command_rejected(struct small_engine *self, unsigned command,
                                           enum reject reason)
{
    const struct event_command_rejected *event =
        (const void *)next_event(self, EVENT_COMMAND_REJECTED);
    assert_int_equal(event->command, command);
    assert_int_equal(event->reject_reason, reason);
    expect_nothing_more(self);
}

/* ---- state ---- */

static inline void expect_cash(const struct small_engine *self, account_id_t account,
                               cash_t available, cash_t held)
{
    struct account_view view;
    assert_true(engine_account(self->engine, account, &view));
    assert_int_equal(view.available_cash, available);
    assert_int_equal(view.held_cash, held);
}

static inline void expect_shares(const struct small_engine *self, account_id_t account,
                                 qty_t available, qty_t held)
{
    struct position_view view;
    assert_true(engine_position(self->engine, account, AAPL, &view));
    assert_int_equal(view.available_qty, available);
    assert_int_equal(view.held_qty, held);
}

/* ---- life ---- */

static inline void small_engine_open(struct small_engine *self, const struct limits *limits)
{
    *self = (struct small_engine){.bytes = engine_bytes(limits)};
    self->memory = arena_map(self->bytes, 0);
    assert_non_null(self->memory);
    self->engine = engine_init(self->memory, limits);
}

/* The engine described above. */
static inline void small_engine_open_market(struct small_engine *self, const struct limits *limits)
{
    small_engine_open(self, limits);
    configure(self, limits), forget_events(self);
    list_instrument(self, AAPL, "AAPL"), forget_events(self);
    for (account_id_t account = ANN; account <= BOB; account++) {
        open_account(self, account, account == ANN ? "Ann" : "Bob"), forget_events(self);
        add_user(self, account, account, "user"), forget_events(self);
        deposit(self, account, 0, CASH_EACH), forget_events(self);
        deposit(self, account, AAPL, SHARES_EACH), forget_events(self);
    }
}

static inline void small_engine_close(struct small_engine *self)
{
    arena_unmap(self->memory, self->bytes);
}

static inline int setup_market(void **state)
{
    struct small_engine *self = malloc(sizeof *self);
    if (!self) return -1;
    small_engine_open_market(self, &roomy_limits);
    *state = self;
    return 0;
}

static inline int teardown_market(void **state)
{
    small_engine_close(*state);
    free(*state);
    return 0;
}

#define MARKET_TEST(name) cmocka_unit_test_setup_teardown(name, setup_market, teardown_market)

#endif
