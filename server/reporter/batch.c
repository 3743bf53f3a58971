#include "server/reporter/batch.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/message/command.h"
#include "engine/message/event.h"
#include "engine/message/reject.h"
#include "server/reporter/administration.h"
#include "server/reporter/market_events.h"
#include "server/reporter/message.h"

/* What a batch knows of one order. */
struct order_merge {
    order_id_t order_id;
    bool created; /* in this batch: a new row; else a change of an old one */
    struct command_new_order command;
    seq_t in_seq;
    int64_t created_ns;
    int64_t updated_ns;
    uint8_t ord_status;
    uint16_t reject_reason;
    qty_t order_qty;
    qty_t cum_qty;
    qty_t leaves_qty;
    px_t limit_px;
    px_t stop_px;    /* 0 in a change: as it was */
    bool is_renamed; /* by a replace */
    char new_cl_ord_id[CL_ORD_ID_BYTES];
    __int128 notional; /* of this batch's fills */
    cash_t fee;        /* likewise */
};

const char *batch_columns(enum batch_table table)
{
    static const char *const columns[BATCH_TABLE_COUNT] = {
        [BATCH_ACCOUNT] = "hoga.account_row (account, name, in_seq, opened)",
        [BATCH_USER] = "hoga.user_row (user_id, account, name, in_seq, added)",
        [BATCH_KEY] = "hoga.api_key_row (key_id, user_id, scopes, in_seq, added)",
        [BATCH_INSTRUMENT] = "hoga.instrument_row (instrument, symbol, name, tick_px, lot_qty, "
                             "max_order_qty, max_order_notional, currency, tick_table, schedule, "
                             "session, max_fee_ppm, index_weight, shortable, in_seq, listed)",
        [BATCH_LEDGER] = "hoga.ledger_row (out_seq, in_seq, kind, reason, from_account, "
                         "to_account, asset, qty, from_balance, to_balance, booked, booked_ns)",
        [BATCH_ORDER] = "hoga.order_row (order_id, cl_ord_id, account, user_id, instrument, side, "
                        "ord_type, time_in_force, ord_status, reject_reason, sent_qty, order_qty, "
                        "limit_px, cum_qty, leaves_qty, cum_notional, in_seq, created, created_ns, "
                        "updated, updated_ns, first_cl_ord_id, exec_inst, stp, stop_px, "
                        "display_qty, min_qty, expire_ns, cum_fee)",
        [BATCH_ORDER_CHANGE] = "order_change (order_id, ord_status, reject_reason, order_qty, "
                               "cum_qty, leaves_qty, notional, updated, updated_ns, limit_px, "
                               "stop_px, cl_ord_id, fee)",
        [BATCH_EXECUTION] = "hoga.execution_row (exec_id, in_seq, order_id, trade_id, account, "
                            "instrument, side, exec_type, ord_status, last_liquidity, "
                            "reject_reason, limit_px, order_qty, last_qty, last_px, cum_qty, "
                            "leaves_qty, transact_time, transact_time_ns, fee, fee_remainder, "
                            "cl_ord_id)",
        [BATCH_TRADE] = "hoga.trade_row (trade_id, in_seq, instrument, last_qty, last_px, "
                        "taker_side, buy_order_id, sell_order_id, buy_account, sell_account, "
                        "buy_exec_id, sell_exec_id, trade_time, trade_time_ns, buy_fee, sell_fee)",
        [BATCH_BUST] = "hoga.bust_row (trade_id, out_seq, in_seq, busted, busted_ns)",
        [BATCH_REFUSAL] = "hoga.refusal_row (out_seq, in_seq, command, account, order_id, "
                          "reject_reason, refused, refused_ns)",
        [BATCH_SESSION] = "hoga.session_row (out_seq, in_seq, instrument, session, before, cause, "
                          "changed, changed_ns)",
        [BATCH_AUCTION] = "hoga.auction_row (out_seq, in_seq, instrument, final, px, paired_qty, "
                          "imbalance_qty, imbalance_side, published, published_ns)",
        [BATCH_LIMIT_STATE] = "hoga.limit_state_row (out_seq, in_seq, instrument, begins, side, "
                              "px, changed, changed_ns)",
        [BATCH_BREAKER] = "hoga.breaker_row (out_seq, in_seq, level, decline_ppm, tripped, "
                          "tripped_ns)",
        [BATCH_SETTING] = "hoga.setting_row (out_seq, in_seq, command, scope, id, setting, "
                          "changed, changed_ns)",
        [BATCH_KILL_SWITCH] = "hoga.kill_switch_row (out_seq, in_seq, account, engaged, "
                              "canceled_count, switched, switched_ns)",
        [BATCH_MASS_CANCEL] = "hoga.mass_cancel_row (out_seq, in_seq, account, user_id, "
                              "instrument, side, on_disconnect, canceled_count, canceled, "
                              "canceled_ns)",
    };
    return columns[table];
}

void batch_begin(struct batch *self, seq_t in_seq, seq_t out_seq)
{
    self->in_seq = in_seq;
    self->out_seq = out_seq;
    self->event_count = 0;
    self->fill_count = 0;
    for (int t = 0; t < BATCH_TABLE_COUNT; t++) copy_clear(&self->rows[t]);
    self->order_count = 0;
    if (self->slots) memset(self->slots, 0, self->slot_count * sizeof *self->slots);
    self->half_trade.waits = false;
}

void batch_free(struct batch *self)
{
    for (int t = 0; t < BATCH_TABLE_COUNT; t++) copy_free(&self->rows[t]);
    free(self->orders);
    free(self->slots);
    *self = (struct batch){0};
}

/* Fibonacci hashing; slot_count is a power of two. */
static uint32_t slot_of(const struct batch *self, order_id_t order_id)
{
    return (uint32_t)((order_id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (self->slot_count - 1);
}

/* The slot that holds the order, or the free one where it belongs. */
static uint32_t *find_slot(struct batch *self, order_id_t order_id)
{
    uint32_t at = slot_of(self, order_id);
    while (self->slots[at] && self->orders[self->slots[at] - 1].order_id != order_id)
        at = (at + 1) & (self->slot_count - 1);
    return &self->slots[at];
}

/* Room for one more order: the slots stay at most half full. */
static bool grow(struct batch *self)
{
    if (self->order_count < self->order_capacity) return true;
    uint32_t capacity = self->order_capacity ? self->order_capacity * 2 : 4096;
    struct order_merge *orders = realloc(self->orders, capacity * sizeof *orders);
    if (!orders) return false;
    self->orders = orders;
    uint32_t *slots = calloc(2 * (size_t)capacity, sizeof *slots);
    if (!slots) return false;
    free(self->slots);
    self->slots = slots;
    self->slot_count = 2 * capacity;
    self->order_capacity = capacity;
    for (uint32_t i = 0; i < self->order_count; i++)
        *find_slot(self, self->orders[i].order_id) = i + 1;
    return true;
}

static struct order_merge *merge_of(struct batch *self, order_id_t order_id)
{
    if (!grow(self)) return NULL;
    uint32_t *slot = find_slot(self, order_id);
    if (!*slot) {
        self->orders[self->order_count] = (struct order_merge){.order_id = order_id};
        *slot = ++self->order_count;
    }
    return &self->orders[*slot - 1];
}

/* What a replace asked for and its execution does not say. */
static bool merge_replace(struct order_merge *order, const struct command_replace_order *replace)
{
    if (replace->stop_px) order->stop_px = replace->stop_px;
    if (!replace->cl_ord_id[0]) return false;
    order->is_renamed = true;
    memcpy(order->new_cl_ord_id, replace->cl_ord_id, sizeof order->new_cl_ord_id);
    return true;
}

/* Stores the name that the order has from this execution on, all NUL unless it is a new one. */
static enum status merge_execution(struct batch *self, const struct journal_record *command,
                                   const struct journal_record *record,
                                   const struct event_execution *event,
                                   char new_cl_ord_id[CL_ORD_ID_BYTES])
{
    struct order_merge *order = merge_of(self, event->order_id);
    if (!order) return STATUS_FULL;
    if (event->exec_type == EXEC_NEW || event->exec_type == EXEC_REJECTED) {
        if (order->in_seq || !message_new_order(command, &order->command)) return STATUS_CORRUPT;
        order->created = true;
        order->in_seq = command->seq;
        order->created_ns = record->time_ns;
        order->stop_px = order->command.stop_px;
    }
    if (event->exec_type == EXEC_REPLACED) {
        struct command_replace_order replace;
        if (!message_replace_order(command, &replace)) return STATUS_CORRUPT;
        if (merge_replace(order, &replace))
            memcpy(new_cl_ord_id, replace.cl_ord_id, CL_ORD_ID_BYTES);
    }
    order->updated_ns = record->time_ns;
    order->ord_status = event->ord_status;
    /* of one that goes on, it is the execution's alone */
    order->reject_reason = event->leaves_qty > 0 ? REJECT_NONE : event->reject_reason;
    order->order_qty = event->order_qty;
    order->cum_qty = event->cum_qty;
    order->leaves_qty = event->leaves_qty;
    order->limit_px = event->limit_px;
    order->notional += (__int128)event->last_qty * event->last_px;
    if (__builtin_add_overflow(order->fee, event->fee, &order->fee)) return STATUS_CORRUPT;
    return STATUS_OK;
}

/* A name, or null where there is none. */
static void copy_cl_ord_id(struct copy_rows *rows, const char cl_ord_id[CL_ORD_ID_BYTES])
{
    if (cl_ord_id[0])
        copy_text(rows, cl_ord_id, CL_ORD_ID_BYTES, false);
    else
        copy_null(rows);
}

static void write_execution(struct batch *self, const struct journal_record *record,
                            const struct event_execution *event,
                            const char new_cl_ord_id[CL_ORD_ID_BYTES])
{
    struct copy_rows *rows = &self->rows[BATCH_EXECUTION];
    copy_row(rows, 22);
    copy_id(rows, record->seq);
    copy_id(rows, record->ref);
    copy_id(rows, event->order_id);
    if (event->trade_id)
        copy_id(rows, event->trade_id);
    else
        copy_null(rows);
    copy_int8(rows, event->account);
    copy_int8(rows, event->instrument);
    copy_char(rows, event->side);
    copy_char(rows, event->exec_type);
    copy_char(rows, event->ord_status);
    copy_int2(rows, event->last_liquidity);
    copy_int4(rows, event->reject_reason);
    copy_int8(rows, event->limit_px);
    copy_int8(rows, event->order_qty);
    copy_int8(rows, event->last_qty);
    copy_int8(rows, event->last_px);
    copy_int8(rows, event->cum_qty);
    copy_int8(rows, event->leaves_qty);
    copy_time(rows, record->time_ns);
    copy_int8(rows, record->time_ns);
    copy_int8(rows, event->fee);
    copy_int4(rows, event->fee_remainder);
    copy_cl_ord_id(rows, new_cl_ord_id);
}

/* The two sides of a trade follow each other among a command's events. */
static enum status pair_trade(struct batch *self, const struct journal_record *record,
                              const struct event_execution *event)
{
    if (!self->half_trade.waits) {
        self->half_trade.waits = true;
        self->half_trade.exec_id = record->seq;
        self->half_trade.event = *event;
        return STATUS_OK;
    }
    const struct event_execution *first = &self->half_trade.event;
    if (first->trade_id != event->trade_id || first->side == event->side ||
        first->last_qty != event->last_qty || first->last_px != event->last_px)
        return STATUS_CORRUPT;
    self->half_trade.waits = false;
    bool first_buys = first->side == SIDE_BUY;
    const struct event_execution *buy = first_buys ? first : event;
    const struct event_execution *sell = first_buys ? event : first;
    bool first_takes = first->last_liquidity == LIQUIDITY_REMOVED;

    struct copy_rows *rows = &self->rows[BATCH_TRADE];
    copy_row(rows, 16);
    copy_id(rows, event->trade_id);
    copy_id(rows, record->ref);
    copy_int8(rows, event->instrument);
    copy_int8(rows, event->last_qty);
    copy_int8(rows, event->last_px);
    if (event->last_liquidity == LIQUIDITY_AUCTION)
        copy_null(rows); /* nobody takes there */
    else
        copy_char(rows, first_takes ? first->side : event->side);
    copy_id(rows, buy->order_id);
    copy_id(rows, sell->order_id);
    copy_int8(rows, buy->account);
    copy_int8(rows, sell->account);
    copy_id(rows, first_buys ? self->half_trade.exec_id : record->seq);
    copy_id(rows, first_buys ? record->seq : self->half_trade.exec_id);
    copy_time(rows, record->time_ns);
    copy_int8(rows, record->time_ns);
    copy_int8(rows, buy->fee);
    copy_int8(rows, sell->fee);
    return STATUS_OK;
}

static enum status take_execution(struct batch *self, const struct journal_record *command,
                                  const struct journal_record *record)
{
    struct event_execution event;
    char new_cl_ord_id[CL_ORD_ID_BYTES] = {0};
    if (!message_execution(record, &event)) return STATUS_CORRUPT;
    if (self->half_trade.waits && event.exec_type != EXEC_TRADE) return STATUS_CORRUPT;
    enum status status = merge_execution(self, command, record, &event, new_cl_ord_id);
    if (status != STATUS_OK) return status;
    write_execution(self, record, &event, new_cl_ord_id);
    if (event.exec_type != EXEC_TRADE) return STATUS_OK;
    self->fill_count++;
    return pair_trade(self, record, &event);
}

enum status batch_event(struct batch *self, const struct journal_record *command,
                        const struct journal_record *event)
{
    if (event->seq != self->out_seq + 1 || event->ref != command->seq) return STATUS_CORRUPT;
    enum status status;
    if (event->header.template_id == EVENT_EXECUTION) {
        status = take_execution(self, command, event);
    } else {
        /* what neither knows (configured, time passed, day ended) needs no report */
        status = self->half_trade.waits ? STATUS_CORRUPT : market_event_rows(self, event);
        if (status == STATUS_OK) status = administration_rows(self, command, event);
    }
    if (status != STATUS_OK) return status;
    self->out_seq = event->seq;
    self->event_count++;
    return STATUS_OK;
}

enum status batch_command_end(struct batch *self, const struct journal_record *command)
{
    if (command->seq != self->in_seq + 1 || self->half_trade.waits) return STATUS_CORRUPT;
    self->in_seq = command->seq;
    return STATUS_OK;
}

bool batch_may_end(const struct batch *self)
{
    return !self->half_trade.waits;
}

static void write_order(struct batch *self, const struct order_merge *order)
{
    struct copy_rows *rows = &self->rows[BATCH_ORDER];
    const struct command_new_order *command = &order->command;
    copy_row(rows, 29);
    copy_id(rows, order->order_id);
    copy_cl_ord_id(rows, order->is_renamed ? order->new_cl_ord_id : command->cl_ord_id);
    copy_int8(rows, command->account);
    copy_int8(rows, command->user);
    copy_int8(rows, command->instrument);
    copy_char(rows, command->side);
    copy_char(rows, command->ord_type);
    copy_char(rows, command->time_in_force);
    copy_char(rows, order->ord_status);
    copy_int4(rows, order->reject_reason);
    copy_int8(rows, command->order_qty);
    copy_int8(rows, order->order_qty);
    copy_int8(rows, order->limit_px);
    copy_int8(rows, order->cum_qty);
    copy_int8(rows, order->leaves_qty);
    copy_numeric(rows, order->notional);
    copy_id(rows, order->in_seq);
    copy_time(rows, order->created_ns);
    copy_int8(rows, order->created_ns);
    copy_time(rows, order->updated_ns);
    copy_int8(rows, order->updated_ns);
    if (order->is_renamed) /* '' where it had no name before */
        copy_text(rows, command->cl_ord_id, sizeof command->cl_ord_id, false);
    else
        copy_null(rows);
    copy_int2(rows, command->exec_inst);
    copy_int2(rows, command->stp);
    copy_int8(rows, order->stop_px);
    copy_int8(rows, command->display_qty);
    copy_int8(rows, command->min_qty);
    copy_int8(rows, command->expire_ns);
    copy_int8(rows, order->fee);
}

static void write_order_change(struct batch *self, const struct order_merge *order)
{
    struct copy_rows *rows = &self->rows[BATCH_ORDER_CHANGE];
    copy_row(rows, 13);
    copy_id(rows, order->order_id);
    copy_char(rows, order->ord_status);
    copy_int4(rows, order->reject_reason);
    copy_int8(rows, order->order_qty);
    copy_int8(rows, order->cum_qty);
    copy_int8(rows, order->leaves_qty);
    copy_numeric(rows, order->notional);
    copy_time(rows, order->updated_ns);
    copy_int8(rows, order->updated_ns);
    copy_int8(rows, order->limit_px);
    if (order->stop_px)
        copy_int8(rows, order->stop_px);
    else
        copy_null(rows);
    copy_cl_ord_id(rows, order->new_cl_ord_id); /* null: as it was */
    copy_int8(rows, order->fee);
}

enum status batch_end(struct batch *self)
{
    CHECK(batch_may_end(self));
    for (uint32_t i = 0; i < self->order_count; i++) {
        if (self->orders[i].created)
            write_order(self, &self->orders[i]);
        else
            write_order_change(self, &self->orders[i]);
    }
    for (int t = 0; t < BATCH_TABLE_COUNT; t++)
        if (self->rows[t].failed) return STATUS_FULL;
    return STATUS_OK;
}
