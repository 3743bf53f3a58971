/* engine_layout.h - what an engine consists of, and what its files do for each other.
 *
 *   engine.c          layout, the step, which command goes where
 *   engine_order.c    new orders, cancels, replaces: checks, holds, and what becomes of an order
 *   engine_bounds.c   what ordinary orders are compared with, worked out beforehand
 *   engine_match.c    trades, self-trade prevention, bands, stops
 *   engine_session.c  sessions, auctions, schedules, timers
 *   engine_protection.c  price bands, circuit breakers
 *   engine_admin.c    accounts, instruments, limits, fees, money, kill switches, mass cancels
 *   engine_view.c     questions; engine_validate.c: every invariant
 */
#ifndef HOGA_ENGINE_LAYOUT_H
#define HOGA_ENGINE_LAYOUT_H

#include <string.h>

#include "engine/account/account.h"
#include "engine/book/book.h"
#include "engine/engine.h"
#include "engine/engine_bounds.h"
#include "engine/instrument/instrument.h"
#include "engine/message/reject.h"
#include "engine/order/cl_ord_id.h"
#include "engine/risk/volume.h"
#include "engine/session/schedule.h"
#include "engine/timer/timer.h"
#include "engine/wallet/trade_log.h"
#include "engine/wallet/wallet.h"

enum {
    STOPS_A_COMMAND = 256, /* triggered by one command; the rest goes on by timer */
    AUCTION_EVERY_NS = 1000000000,
};

/* What belongs to no module; in the arena with the rest of the state. */
struct engine_state {
    /* one cache line that every step meets */
    seq_t seq;           /* last command stepped */
    int64_t time_ns;     /* its time; never less than before, never below 0 */
    uint64_t second;     /* time_ns in seconds */
    uint64_t day;        /* days since the epoch; 0 before the first END_DAY */
    trade_id_t trade_id; /* last one given */
    uint32_t configured; /* version of the messages of the last CONFIGURE; 0 before the first */
    uint32_t market_blocked;
    uint32_t tripped_level; /* today; 0: none */
    uint32_t index_changed; /* 1: the breakers are to be looked at */
    struct limits limits;
    struct schedule schedules[SCHEDULE_COUNT];
    struct command_set_breakers breakers; /* as last set */
    __int128 index;                       /* sum of index_weight * last (or reference) price */
    __int128 index_reference;
};

/* The handle: where this process has the tables. Only what lies behind it is state. */
struct engine {
    struct engine_state *state;
    size_t state_bytes;
    struct accounts accounts;
    struct instruments instruments;
    struct wallet wallet;
    struct trade_log trade_log;
    struct books books;
    struct volumes volumes;
    struct cl_ord_ids cl_ord_ids;
    struct timers timers;
    struct event_sink sink; /* of the step in work */
};

/* ---- sides ---- */

/* Sides come at random, and a branch on one is mispredicted every other time: so what depends on a
 * side is calculated. */
static inline int64_t by_side(uint8_t side, int64_t of_buy, int64_t of_sell)
{
    return of_buy ^ ((of_buy ^ of_sell) & -(int64_t)(side - SIDE_BUY));
}

/* ---- events ---- */

static inline void engine_emit(const struct engine *self, const void *message, size_t length)
{
    self->sink.emit(self->sink.context, message, length);
}

void engine_emit_command_rejected(const struct engine *self, uint16_t command, enum reject reason);
void engine_emit_request_rejected(const struct engine *self, account_id_t account,
                                  order_id_t order_id, uint16_t command, enum reject reason);
void engine_emit_setting_changed(const struct engine *self, uint16_t command, uint16_t scope,
                                 uint32_t id);

/* What is particular about one report. */
struct report {
    enum exec_type type;
    enum ord_status status;
    enum last_liquidity liquidity;
    enum reject reason;
    trade_id_t trade_id;
    qty_t last_qty;
    px_t last_px;
    qty_t leaves_qty; /* 0 once the order is over */
};

enum {
    EXECUTION_WORDS = EXECUTION_V1_BYTES / 8,
    FILL_WORDS = sizeof(struct event_execution) / 8,
};

/* An EXECUTION about an order as it stands, without the fee, in whole words. Reading back in words
 * what was written in bytes makes a processor wait until all of it has reached the cache, and the
 * journal reads it back at once. event.h pins where everything lies. */
static inline void engine_write_execution(uint64_t w[EXECUTION_WORDS], struct sbe_header header,
                                          const struct book_order *order, const struct report *r)
{
    uint32_t terms; /* side, ord_type, time_in_force, and a byte that is not wanted */
    memcpy(&terms, &order->side, sizeof terms);
    memcpy(&w[0], &header, sizeof header);
    w[1] = order->order_id;
    w[2] = r->trade_id;
    w[3] = order->account | (uint64_t)order->instrument << 32;
    w[4] = (terms & 0xffffff) | (uint64_t)r->type << 24 | (uint64_t)r->status << 32 |
           (uint64_t)r->liquidity << 40 | (uint64_t)r->reason << 48;
    w[5] = (uint64_t)order->limit_px;
    w[6] = (uint64_t)order->order_qty;
    w[7] = (uint64_t)r->last_qty;
    w[8] = (uint64_t)r->last_px;
    w[9] = (uint64_t)(order->order_qty - order->leaves_qty);
    w[10] = (uint64_t)r->leaves_qty;
}

_Static_assert(offsetof(struct book_order, time_in_force) == offsetof(struct book_order, side) + 2,
               "as in an execution");

/* A report about an order as it stands: all of an EXECUTION but the fill. */
void engine_emit_execution(const struct engine *self, const struct book_order *order,
                           enum exec_type type, enum ord_status status, enum reject reason,
                           qty_t leaves_qty);

static inline enum ord_status order_status(const struct book_order *order)
{
    if (order->leaves_qty == 0) return ORD_FILLED;
    return order->leaves_qty < order->order_qty ? ORD_PARTIALLY_FILLED : ORD_NEW;
}

/* ---- engine_order.c ---- */

void engine_new_order(struct engine *self, const void *message);
void engine_cancel_order(struct engine *self, const struct command_cancel_order *command);
void engine_replace_order(struct engine *self, const void *message);
void engine_end_day(struct engine *self, const struct command_end_day *command);

/* An open order, wherever it is (in book, stops, parked list, or nowhere while it is matched), is
 * over: what it held is released, the event told, the slot freed. `type` is EXEC_CANCELED or
 * EXEC_EXPIRED. */
void engine_end_order(struct engine *self, struct book_order *order, enum exec_type type,
                      enum reject reason);

/* An order that is nowhere and holds nothing any more: filled. Its slot is freed, untold. */
void engine_forget_order(struct engine *self, struct book_order *order);

/* An open order loses a part of its leaves and its order_qty, not all, and keeps its place; what it
 * held for that part is released. Untold. */
void engine_reduce_order(struct engine *self, struct book_order *order, qty_t qty);

/* An order that waits for the closing auction goes into the book; ends if there is no room. It does
 * not match. */
void engine_enter_book(struct engine *self, struct book_order *order);

/* ---- engine_match.c ---- */

/* An incoming order that is nowhere trades as far as it can and comes to rest or ends. `ticks` is
 * its limit price; `min_qty` must be there to be traded at once (0: nothing must); `near_at` is a
 * level near where it may come to rest, as for ladder_make(). */
void engine_match(struct engine *self, struct instrument *instrument, struct book_order *order,
                  uint32_t ticks, qty_t min_qty, uint32_t near_at);

/* One trade between two open orders, told as two executions, the first order's first. Settles,
 * reduces both and their levels; an order in the book that is filled is taken out and its slot
 * freed, one that is nowhere is left to the caller. */
void engine_trade(struct engine *self, struct instrument *instrument, struct book_order *first,
                  struct book_order *second, qty_t qty, px_t px,
                  enum last_liquidity first_liquidity, enum last_liquidity second_liquidity);

/* Triggers stops that the last price has reached, at most STOPS_A_COMMAND; sets TIMER_WORK to now
 * if more are left. Does nothing unless the instrument is CONTINUOUS. */
void engine_trigger_stops(struct engine *self, instrument_id_t instrument);

/* ---- engine_session.c ---- */

void engine_time(struct engine *self, const struct command_time *command);
void engine_set_session(struct engine *self, const struct command_set_session *command);
void engine_set_schedule(struct engine *self, const struct command_set_schedule *command);

/* A newly listed instrument's session and timers. `session` 0: CLOSED with a schedule, CONTINUOUS
 * without. */
void engine_begin_session(struct engine *self, instrument_id_t instrument, uint8_t session);

/* All that comes with a change of session, auction and expiry included; nothing when it is on. */
void engine_enter_session(struct engine *self, instrument_id_t instrument, uint8_t session,
                          enum session_cause cause);

/* Starts an instrument's timer of a kind, `after_ms` from now. 0: none is started. */
void engine_start_timer(struct engine *self, enum timer_kind kind, instrument_id_t instrument,
                        uint32_t after_ms);

/* ---- engine_protection.c ---- */

void engine_set_bands(struct engine *self, const struct command_set_bands *command);
void engine_set_breakers(struct engine *self, const struct command_set_breakers *command);

/* An order of `side` was stopped by the band at `px`: a limit state begins, if the instrument has
 * them and none is on. */
void engine_band_reached(struct engine *self, instrument_id_t instrument, uint8_t side, px_t px);

/* A trade happened in continuous matching while the limit state was on: it ends. */
void engine_end_limit_state(struct engine *self, instrument_id_t instrument);

/* Once in a step in which the index may have changed, behind all that changed it; before the event
 * that says that the command is done, if it has one. */
void engine_watch_breakers(struct engine *self);

/* A new day: the references of bands and breakers. */
void engine_session_end_day(struct engine *self);

static inline px_t instrument_mark(const struct instrument *i)
{
    return i->last_px ? i->last_px : i->reference_px;
}

/* All changes of last and reference price go through these two, so that the index and what the
 * bands leave stay right. */
static inline void engine_set_last_px(struct engine *self, struct instrument *i, px_t px)
{
    if (__builtin_expect(i->index_weight, 0)) {
        self->state->index += (__int128)i->index_weight * (px - instrument_mark(i));
        self->state->index_changed = 1;
    }
    if (i->last_px == px) return;
    i->last_px = px;
    if (i->has_bands) bounds_follow_px(i);
}

static inline void engine_set_reference_px(struct engine *self, struct instrument *i, px_t px)
{
    px_t before = instrument_mark(i);
    i->reference_px = px;
    bounds_follow_px(i);
    if (i->index_weight) {
        self->state->index += (__int128)i->index_weight * (instrument_mark(i) - before);
        self->state->index_changed = 1;
    }
}

/* ---- engine_admin.c ---- */

void engine_configure(struct engine *self, const struct sbe_header *command);
void engine_open_account(struct engine *self, const struct command_open_account *command);
void engine_add_user(struct engine *self, const struct command_add_user *command);
void engine_add_key(struct engine *self, const struct command_add_key *command);
void engine_list_instrument(struct engine *self, const void *message);
void engine_set_tick_table(struct engine *self, const struct command_set_tick_table *command);
void engine_set_limits(struct engine *self, const struct command_set_limits *command);
void engine_set_fees(struct engine *self, const struct command_set_fees *command);
void engine_set_account(struct engine *self, const struct command_set_account *command);
void engine_deposit(struct engine *self, const struct command_deposit *command);
void engine_withdraw(struct engine *self, const struct command_withdraw *command);
void engine_transfer(struct engine *self, const struct command_transfer *command);
void engine_bust_trade(struct engine *self, const struct command_bust_trade *command);
void engine_kill_switch(struct engine *self, const struct command_kill_switch *command);
void engine_mass_cancel(struct engine *self, const struct command_mass_cancel *command);
void engine_cancel_after(struct engine *self, const struct command_cancel_after *command);

/* The dead man's switch of an account is due. */
void engine_cancel_after_due(struct engine *self, account_id_t account);

#endif
