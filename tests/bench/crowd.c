#include "crowd.h"

#include <stdlib.h>
#include <string.h>

#include "engine/message/reject.h"

enum {
    MIDDLE_TICKS = 30000,
    FAR_TICKS = 1000000, /* between levels of CROWD_FAR_APART */
    FAR_LEVELS = 8,      /* a side */
};

/* xorshift64*: the same stream in every run. */
static uint32_t next_random(struct crowd *self, uint32_t below)
{
    self->random ^= self->random >> 12;
    self->random ^= self->random << 25;
    self->random ^= self->random >> 27;
    uint64_t high = (self->random * UINT64_C(0x2545f4914f6cdd1d)) >> 32;
    return (uint32_t)(high * below >> 32);
}

static instrument_id_t instrument_of(const struct crowd *self, account_id_t account)
{
    return 1 + account / 2 % self->instruments;
}

static uint32_t middle_of(const struct crowd *self)
{
    return self->shape == CROWD_FAR_APART ? FAR_LEVELS * FAR_TICKS + FAR_TICKS / 2 : MIDDLE_TICKS;
}

static uint32_t distance(struct crowd *self)
{
    switch (self->shape) {
    case CROWD_FAR_APART: return FAR_TICKS / 2 + FAR_TICKS * next_random(self, FAR_LEVELS);
    case CROWD_ONE_LEVEL: return 1;
    default: {
        uint32_t r = next_random(self, 1000);
        return 1 + r * r / (1000000 / CROWD_TICKS);
    }
    }
}

static px_t resting_px(struct crowd *self, bool is_sell)
{
    uint32_t away = distance(self), middle = middle_of(self);
    return (is_sell ? middle + away : middle - away) * EXCHANGE_TICK_PX;
}

/* Reaches some of what rests on the other side, and not so far that a collar forbids it. */
static px_t taking_px(struct crowd *self, bool is_sell)
{
    if (self->shape != CROWD_FAR_APART) return resting_px(self, !is_sell);
    uint32_t away = FAR_TICKS / 2 + FAR_TICKS * next_random(self, 2), middle = middle_of(self);
    return (is_sell ? middle - away : middle + away) * EXCHANGE_TICK_PX;
}

/* ---- events ---- */

static void note_open(struct crowd *self, const struct event_execution *e)
{
    uint32_t slot = (uint32_t)(e->order_id & ((UINT64_C(1) << ORDER_SLOT_BITS) - 1));
    self->orders[slot] = (struct crowd_order){e->order_id, e->account, e->side == SIDE_SELL};
    if (slot >= self->slots_seen) self->slots_seen = slot + 1;
    self->open_count++;
}

static void note_gone(struct crowd *self, const struct event_execution *e)
{
    uint32_t slot = (uint32_t)(e->order_id & ((UINT64_C(1) << ORDER_SLOT_BITS) - 1));
    if (self->orders[slot].order_id != e->order_id) return;
    self->orders[slot].order_id = 0;
    self->open_count--;
}

static void on_event(void *context, const struct journal_record *event)
{
    struct crowd *self = context;
    const void *message = record_message(event);
    const struct event_request_rejected *refused = message;
    const struct event_execution *e = message;
    switch (event->header.template_id) {
    case EVENT_REQUEST_REJECTED:
        if (refused->reject_reason == REJECT_UNKNOWN_ORDER)
            self->already_gone++;
        else
            self->rejects++;
        break;
    case EVENT_COMMAND_REJECTED: self->rejects++; break;
    case EVENT_EXECUTION:
        if (e->exec_type == EXEC_NEW) note_open(self, e);
        if (e->exec_type == EXEC_REJECTED) self->rejects++;
        if (e->exec_type == EXEC_TRADE) self->trades += e->last_liquidity == LIQUIDITY_REMOVED;
        if ((e->exec_type == EXEC_TRADE || e->exec_type == EXEC_CANCELED) && e->leaves_qty == 0)
            note_gone(self, e);
        break;
    default: break;
    }
}

/* ---- commands ---- */

union crowd_command {
    struct sbe_header header;
    struct command_new_order new_order;
    struct command_cancel_order cancel;
    struct command_replace_order replace;
};

static void new_order(struct crowd *self, union crowd_command *command, bool takes)
{
    account_id_t account = 1 + next_random(self, self->accounts);
    bool is_sell = account % 2 == 0;
    command->new_order = (struct command_new_order){
        .header = sbe_header_v1(COMMAND_NEW_ORDER, NEW_ORDER_V1_BYTES),
        .account = account,
        .user = account,
        .instrument = instrument_of(self, account),
        .side = is_sell ? SIDE_SELL : SIDE_BUY,
        .ord_type = ORD_TYPE_LIMIT,
        .time_in_force = takes ? TIF_IOC : TIF_GTC,
        .order_qty = takes ? 1 + next_random(self, 20) : 1 + next_random(self, 100)};
    command->new_order.limit_px = takes ? taking_px(self, is_sell) : resting_px(self, is_sell);
}

/* An order that was open when last heard of; NULL when luck does not find one. */
static const struct crowd_order *any_order(struct crowd *self)
{
    for (unsigned tries = 0; tries < 64 && self->slots_seen > 1; tries++) {
        const struct crowd_order *order =
            &self->orders[1 + next_random(self, self->slots_seen - 1)];
        if (order->order_id) return order;
    }
    return NULL;
}

static void cancel(union crowd_command *command, const struct crowd_order *order)
{
    command->cancel = (struct command_cancel_order){
        .header = COMMAND_HEADER(COMMAND_CANCEL_ORDER, struct command_cancel_order),
        .account = order->account,
        .user = order->account,
        .order_id = order->order_id};
}

static void move(struct crowd *self, union crowd_command *command, const struct crowd_order *order)
{
    command->replace = (struct command_replace_order){
        .header = COMMAND_HEADER(COMMAND_REPLACE_ORDER, struct command_replace_order),
        .account = order->account,
        .user = order->account,
        .order_id = order->order_id,
        .limit_px = resting_px(self, order->is_sell)};
}

/* Keeps to the target: new orders instead of cancels while there are fewer, and the other way. */
static void next_command(struct crowd *self, union crowd_command *command)
{
    const struct crowd_mix *mix = &self->mix;
    uint32_t draw = next_random(self, 1000);
    const struct crowd_order *order = any_order(self);
    if (draw < mix->takers || !order) {
        new_order(self, command, order != NULL);
    } else if (draw < mix->takers + mix->new_orders + mix->cancels) {
        bool is_new = draw < mix->takers + mix->new_orders;
        if (self->open_count + 1000 < self->target) is_new = true;
        if (self->open_count > self->target + 1000) is_new = false;
        if (is_new)
            new_order(self, command, false);
        else
            cancel(command, order);
    } else {
        move(self, command, order);
    }
}

static size_t length_of(const union crowd_command *command)
{
    return sizeof command->header + command->header.block_length;
}

static bool fill_ring(void *context)
{
    struct crowd *self = context;
    union crowd_command command;
    uint64_t before = self->left;
    for (; self->left; self->left--) {
        next_command(self, &command);
        if (!exchange_send(&self->exchange, 1, &command, length_of(&command))) break;
    }
    return self->left != before;
}

double crowd_run(struct crowd *self, uint64_t count)
{
    self->left = count;
    int64_t ns = exchange_run(&self->exchange, self->helper_cpu, fill_ring, self);
    return (double)count * 1e3 / (double)ns;
}

/* ---- open and close ---- */

static void open_accounts(struct crowd *self)
{
    struct exchange *exchange = &self->exchange;
    cash_t cash = INT64_C(1000000000000000000) / self->accounts;
    qty_t shares = INT64_C(100000000000) / self->accounts;
    for (instrument_id_t i = 1; i <= self->instruments; i++)
        exchange_list(exchange, i, middle_of(self));
    for (account_id_t account = 1; account <= self->accounts; account++) {
        exchange_open_account(exchange, account, cash);
        if (account % 2 == 0)
            exchange_deposit(exchange, account, instrument_of(self, account), shares);
    }
    exchange_settle(exchange);
}

void crowd_open(struct crowd *self, const struct limits *limits, uint32_t target,
                enum crowd_shape shape, struct crowd_mix mix, int helper_cpu)
{
    *self = (struct crowd){.instruments = limits->instruments - 1,
                           .accounts = limits->accounts - 1,
                           .target = target,
                           .shape = shape,
                           .mix = mix,
                           .random = 42,
                           .helper_cpu = helper_cpu};
    self->orders = calloc(limits->orders, sizeof *self->orders);
    bench_must(self->orders != NULL, "memory");
    exchange_open(&self->exchange, limits, helper_cpu);
    self->exchange.on_event = on_event;
    self->exchange.context = self;
    open_accounts(self);
    union crowd_command command;
    for (uint32_t i = 0; i < target; i++) {
        new_order(self, &command, false);
        exchange_put(&self->exchange, 1, &command, length_of(&command));
    }
    exchange_settle(&self->exchange);
}

void crowd_close(struct crowd *self)
{
    exchange_close(&self->exchange);
    free(self->orders);
}

bool crowd_is_right(const struct crowd *self)
{
    uint64_t open = 0;
    struct account_view view;
    for (account_id_t account = 1; account <= self->accounts; account++)
        if (engine_account(self->exchange.sequencer.engine, account, &view))
            open += view.open_order_count;
    return open == self->open_count && self->rejects == 0 && self->trades > 0;
}
