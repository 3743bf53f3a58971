#include <string.h>

#include "engine/base/arith.h"
#include "engine/base/check.h"
#include "engine/base/paths.h"
#include "engine/engine_check.h"
#include "engine/engine_layout.h"
#include "engine/wallet/fee.h"

/* ---- what open orders add up to ---- */

static void link_to_account(struct engine *self, const struct book_order *order)
{
    struct account *a = &self->accounts.accounts[order->account];
    uint32_t slot = slot_of(order->order_id);
    struct order_more *more = &self->books.more[slot];
    more->account_prev = a->last_order;
    more->account_next = 0;
    if (a->last_order)
        self->books.more[a->last_order].account_next = slot;
    else
        a->first_order = slot;
    a->last_order = slot;
    a->open_orders++;
}

static void unlink_from_account(struct engine *self, const struct book_order *order)
{
    struct account *a = &self->accounts.accounts[order->account];
    const struct order_more *more = book_more(&self->books, order);
    if (more->account_prev)
        self->books.more[more->account_prev].account_next = more->account_next;
    else
        a->first_order = more->account_next;
    if (more->account_next)
        self->books.more[more->account_next].account_prev = more->account_prev;
    else
        a->last_order = more->account_prev;
    a->open_orders--;
}

/* What a buy order holds for so many leaves; a sell order's notional. */
static cash_t hold_of(const struct instrument *i, const struct book_order *order, qty_t leaves_qty)
{
    cash_t hold;
    uint32_t ppm = fee_hold_ppm(order->side == SIDE_BUY, i->max_fee_ppm);
    CHECK(fee_hold(order->limit_px * leaves_qty, ppm, &hold)); /* checked when accepted */
    return hold;
}

/* Holds more for an order, or less, and counts it in: a new order's all, a replaced one's change.
 */
static void hold_more(struct engine *self, const struct book_order *order,
                      const struct instrument *i, qty_t qty, cash_t notional, cash_t hold)
{
    self->accounts.accounts[order->account].open_notional += notional;
    struct wallet_cash *c = wallet_cash_of(&self->wallet, order->account, i->currency);
    struct wallet_position *p = &self->wallet.positions[order->position];
    qty_t shares = by_side(order->side, 0, qty);
    wallet_hold_cash(c, by_side(order->side, hold, 0));
    wallet_hold_shares(p, shares);
    CHECK(c->held >= 0 && p->held >= 0);
    p->open_buy_qty += qty - shares;
    self->volumes.slots[order->volume].open_qty += qty;
}

/* Gives back what is held for a part of an order's leaves, and counts it out. */
static void release(struct engine *self, const struct book_order *order, qty_t qty)
{
    const struct instrument *i = &self->instruments.table[order->instrument];
    cash_t hold = hold_of(i, order, order->leaves_qty) - hold_of(i, order, order->leaves_qty - qty);
    hold_more(self, order, i, -qty, -(order->limit_px * qty), -hold);
}

/* ---- the end of an order ---- */

void engine_forget_order(struct engine *self, struct book_order *order)
{
    unlink_from_account(self, order);
    if (__builtin_expect(order->time_in_force == TIF_GTD, 0))
        timer_clear(&self->timers, TIMER_ORDER, slot_of(order->order_id));
    if (__builtin_expect(order->time_in_force == TIF_AT_OPEN, 0))
        self->instruments.table[order->instrument].at_open_count--;
    book_free(&self->books, order);
}

/* Out of wherever it is. */
static void withdraw(struct engine *self, struct book_order *order)
{
    struct instrument *i = &self->instruments.table[order->instrument];
    if (order->place == PLACE_NOWHERE) return;
    if (__builtin_expect(order->place == PLACE_BOOK, 1))
        i->book_update_id++;
    else if (order->place == PLACE_PARKED)
        i->parked_count--;
    book_remove(&self->books, order);
}

void engine_end_order(struct engine *self, struct book_order *order, enum exec_type type,
                      enum reject reason)
{
    withdraw(self, order);
    release(self, order, order->leaves_qty);
    engine_emit_execution(self, order, type, type == EXEC_EXPIRED ? ORD_EXPIRED : ORD_CANCELED,
                          reason, 0);
    engine_forget_order(self, order);
}

void engine_reduce_order(struct engine *self, struct book_order *order, qty_t qty)
{
    release(self, order, qty);
    order->order_qty -= qty;
    if (order->place == PLACE_BOOK) self->instruments.table[order->instrument].book_update_id++;
    if (order->place == PLACE_BOOK || order->place == PLACE_STOP)
        book_reduce(&self->books, order, qty);
    else
        order->leaves_qty -= qty;
}

/* ---- an order finds its place ---- */

SIDE_PATH void engine_enter_book(struct engine *self, struct book_order *order)
{
    struct instrument *i = &self->instruments.table[order->instrument];
    if (!ladder_has_room(&self->books.pool)) {
        engine_end_order(self, order, EXEC_CANCELED, REJECT_BOOK_FULL);
        return;
    }
    withdraw(self, order);
    book_rest(&self->books, order, book_ladder_for(order->side),
              instrument_ticks(&self->instruments, i, order->limit_px), 0);
    i->book_update_id++;
}

/* Those that the last price has reached, if any wait. */
static void trigger_stops(struct engine *self, instrument_id_t instrument)
{
    if (__builtin_expect(book_ladder(&self->books, instrument, LADDER_BUY_STOPS)->best_at |
                             book_ladder(&self->books, instrument, LADDER_SELL_STOPS)->best_at,
                         0))
        engine_trigger_stops(self, instrument);
}

/* An open order that is nowhere, new or replaced: matches, rests or waits, as MATCHING.md's table
 * of section 2 says. `min_qty` must trade at once. */
static void place(struct engine *self, struct instrument *i, struct book_order *order,
                  uint32_t ticks, uint32_t stop_ticks, qty_t min_qty, uint32_t near_at)
{
    uint32_t instrument = order->instrument;
    bool waits = !order->triggered &&
                 (order->ord_type == ORD_TYPE_STOP || order->ord_type == ORD_TYPE_STOP_LIMIT);
    if (__builtin_expect(waits, 0)) {
        book_rest(&self->books, order,
                  order->side == SIDE_BUY ? LADDER_BUY_STOPS : LADDER_SELL_STOPS, stop_ticks, 0);
    } else if (order->time_in_force == TIF_AT_CLOSE && i->session != SESSION_CLOSING_AUCTION) {
        book_park(&self->books, order);
        i->parked_count++;
    } else if (__builtin_expect(i->session != SESSION_CONTINUOUS, 0)) {
        book_rest(&self->books, order, book_ladder_for(order->side), ticks, near_at);
        i->book_update_id++;
        return;
    } else {
        engine_match(self, i, order, ticks, min_qty, near_at);
    }
    trigger_stops(self, instrument);
}

/* ---- new orders ---- */

SIDE_PATH static void reject_order(struct engine *self, const struct command_new_order *c,
                                   enum reject reason, bool has_owner)
{
    order_id_t order_id = book_next_id(&self->books, false);
    uint64_t hash = cl_ord_id_hash(c->cl_ord_id);
    if (has_owner && hash && !cl_ord_ids_full(&self->cl_ord_ids))
        CHECK(cl_ord_id_add(&self->cl_ord_ids, c->account, hash, order_id));
    struct event_execution event = {.header = sbe_header_v1(EVENT_EXECUTION, EXECUTION_V1_BYTES),
                                    .order_id = order_id,
                                    .account = c->account,
                                    .instrument = c->instrument,
                                    .side = c->side,
                                    .ord_type = c->ord_type,
                                    .time_in_force = c->time_in_force,
                                    .exec_type = EXEC_REJECTED,
                                    .ord_status = ORD_REJECTED,
                                    .reject_reason = (uint16_t)reason,
                                    .limit_px = c->limit_px,
                                    .order_qty = c->order_qty};
    engine_emit(self, &event, EXECUTION_V1_BYTES);
}

/* Fills the slot of an order that has passed all checks; counts and holds. */
static struct book_order *open_order(struct engine *self, const struct order_terms *t)
{
    const struct command_new_order *c = t->command;
    order_id_t order_id = book_next_id(&self->books, true);
    struct book_order *order = &self->books.orders[slot_of(order_id)];
    *order = (struct book_order){
        .order_id = order_id,
        .limit_px = t->limit_px,
        .order_qty = c->order_qty,
        .leaves_qty = c->order_qty,
        .account = c->account,
        .position = t->position ? t->position
                                : wallet_open_position(&self->wallet, c->account, c->instrument),
        .volume = t->volume ? t->volume : volume_open(&self->volumes, c->user, c->instrument),
        .instrument = (uint16_t)c->instrument,
        .post_only = (c->exec_inst & EXEC_INST_POST_ONLY) != 0,
        .side = c->side,
        .ord_type = c->ord_type,
        .time_in_force = c->time_in_force,
        .iceberg = t->display_qty != 0};
    struct order_more *more = book_more(&self->books, order);
    *more = (struct order_more){.cl_ord_id_hash = t->cl_ord_id_hash,
                                .stop_px = t->stop_px,
                                .display_qty = t->display_qty,
                                .expire_ns = t->expire_ns,
                                .exec_inst = c->exec_inst,
                                .stp = c->stp};
    link_to_account(self, order);
    hold_more(self, order, t->instrument, c->order_qty, t->notional, t->hold);
    if (t->cl_ord_id_hash)
        CHECK(cl_ord_id_add(&self->cl_ord_ids, c->account, t->cl_ord_id_hash, order_id));
    return order;
}

SIDE_PATH static void new_special_order(struct engine *self, const struct command_new_order *c,
                                        uint64_t hash)
{
    struct order_terms t;
    t.cl_ord_id_hash = hash;
    enum reject reason = check_new_order(self, c, &t);
    if (reason != REJECT_NONE) {
        reject_order(self, c, reason, true);
        return;
    }
    struct book_order *order = open_order(self, &t);
    if (c->time_in_force == TIF_GTD)
        timer_set(&self->timers, TIMER_ORDER, slot_of(order->order_id), t.expire_ns);
    if (c->time_in_force == TIF_AT_OPEN) t.instrument->at_open_count++;
    engine_emit_execution(self, order, EXEC_NEW, ORD_NEW, REJECT_NONE, order->leaves_qty);
    place(self, t.instrument, order, t.ticks, t.stop_ticks, t.min_qty, 0);
}

HOT_PATH void engine_new_order(struct engine *self, const void *message)
{
    const struct command_new_order *c = message;
    enum reject reason = check_sender(self, c);
    if (reason != REJECT_NONE) {
        reject_order(self, c, reason, false);
        return;
    }
    uint64_t hash = cl_ord_id_hash(c->cl_ord_id);
    order_id_t first = hash ? cl_ord_id_find(&self->cl_ord_ids, c->account, hash) : 0;
    if (first) {
        engine_emit_request_rejected(self, c->account, first, COMMAND_NEW_ORDER,
                                     REJECT_DUPLICATE_CL_ORD_ID);
        return;
    }
    struct order_terms t = {.cl_ord_id_hash = hash};
    if (__builtin_expect(!check_ordinary_order(self, c, &t), 0)) {
        new_special_order(self, c, hash);
        return;
    }
    struct book_order *order = open_order(self, &t);
    engine_emit_execution(self, order, EXEC_NEW, ORD_NEW, REJECT_NONE, t.command->order_qty);
    engine_match(self, t.instrument, order, t.ticks, 0, 0);
    trigger_stops(self, c->instrument);
}

/* ---- cancels ---- */

SIDE_PATH static order_id_t find_by_cl_ord_id(const struct engine *self, account_id_t account,
                                              const char *cl_ord_id)
{
    return cl_ord_id_find(&self->cl_ord_ids, account, cl_ord_id_hash(cl_ord_id));
}

/* The open order of this account that a request names; NULL when there is none. */
static struct book_order *find_own(const struct engine *self, account_id_t account, user_id_t user,
                                   order_id_t order_id, const char *orig_cl_ord_id)
{
    if (!account_has_user(&self->accounts, account, user)) return NULL;
    if (!order_id) order_id = find_by_cl_ord_id(self, account, orig_cl_ord_id);
    struct book_order *order = book_find(&self->books, order_id);
    return order && order->account == account ? order : NULL;
}

HOT_PATH void engine_cancel_order(struct engine *self, const struct command_cancel_order *c)
{
    struct book_order *order = find_own(self, c->account, c->user, c->order_id, c->orig_cl_ord_id);
    if (order)
        engine_end_order(self, order, EXEC_CANCELED, REJECT_NONE);
    else
        engine_emit_request_rejected(self, c->account, c->order_id, COMMAND_CANCEL_ORDER,
                                     REJECT_UNKNOWN_ORDER);
}

/* ---- replaces ---- */

SIDE_PATH static void rename_order(struct engine *self, const struct book_order *order,
                                   uint64_t hash)
{
    if (!hash) return;
    CHECK(cl_ord_id_add(&self->cl_ord_ids, order->account, hash, order->order_id));
    book_more(&self->books, order)->cl_ord_id_hash = hash;
}

SIDE_PATH static void reduce_in_place(struct engine *self, struct book_order *order,
                                      const struct replace_terms *t)
{
    qty_t less = order->order_qty - t->order_qty;
    if (less) engine_reduce_order(self, order, less);
    rename_order(self, order, t->cl_ord_id_hash);
    engine_emit_execution(self, order, EXEC_REPLACED, order_status(order), REJECT_NONE,
                          order->leaves_qty);
}

SIDE_PATH static void replace_anew(struct engine *self, struct book_order *order,
                                   const struct replace_terms *t)
{
    uint32_t near_at = order->place == PLACE_BOOK ? order->at : 0;
    withdraw(self, order);
    hold_more(self, order, t->instrument, t->more_qty, t->more_notional, t->more_hold);
    order->limit_px = t->limit_px;
    order->leaves_qty += t->more_qty;
    order->order_qty = t->order_qty;
    if (__builtin_expect(t->stop_px != 0, 0)) book_more(&self->books, order)->stop_px = t->stop_px;
    rename_order(self, order, t->cl_ord_id_hash);
    engine_emit_execution(self, order, EXEC_REPLACED, order_status(order), REJECT_NONE,
                          order->leaves_qty);
    place(self, t->instrument, order, t->ticks, t->stop_ticks, 0, near_at);
}

/* Whether version 1 took it: then a replace could only reduce. */
static enum reject check_reduction(const struct engine *self, const struct book_order *order,
                                   qty_t order_qty)
{
    if (order_qty <= 0 || order_qty > QTY_MAX) return REJECT_INVALID_QTY;
    if (order_qty % instrument_find(&self->instruments, order->instrument)->lot_qty)
        return REJECT_INVALID_LOT;
    return order_qty < order->order_qty ? REJECT_NONE : REJECT_QTY_NOT_REDUCED;
}

SIDE_PATH static void replace_specially(struct engine *self, const struct command_replace_order *c,
                                        struct book_order *order)
{
    struct replace_terms t;
    if (self->state->configured == 1 && order) {
        enum reject refused = check_reduction(self, order, c->order_qty);
        if (refused != REJECT_NONE) {
            engine_emit_request_rejected(self, c->account, order->order_id, COMMAND_REPLACE_ORDER,
                                         refused);
            return;
        }
    }
    enum reject reason = order ? check_replace(self, c, order, &t) : REJECT_UNKNOWN_ORDER;
    if (__builtin_expect(reason != REJECT_NONE, 0))
        engine_emit_request_rejected(self, c->account, order ? order->order_id : c->order_id,
                                     COMMAND_REPLACE_ORDER, reason);
    else if (t.order_qty <= order->order_qty - order->leaves_qty)
        engine_end_order(self, order, EXEC_CANCELED, REJECT_NONE);
    else if (t.keeps_priority)
        reduce_in_place(self, order, &t);
    else
        replace_anew(self, order, &t);
}

HOT_PATH void engine_replace_order(struct engine *self, const void *message)
{
    const struct command_replace_order *c = message;
    struct price_move m;
    struct book_order *order = find_own(self, c->account, c->user, c->order_id, c->orig_cl_ord_id);
    if (__builtin_expect(!order || !check_ordinary_move(self, c, order, &m), 0)) {
        replace_specially(self, c, order);
        return;
    }
    uint32_t near_at = order->at, instrument = order->instrument;
    book_remove(&self->books, order);
    m.instrument->book_update_id++;
    m.account->open_notional += m.more_notional;
    wallet_hold_cash(m.cash, m.more_hold);
    order->limit_px = m.limit_px;
    engine_emit_execution(self, order, EXEC_REPLACED, order_status(order), REJECT_NONE,
                          order->leaves_qty);
    if (m.takes) {
        engine_match(self, m.instrument, order, m.ticks, 0, near_at);
    } else {
        book_rest(&self->books, order, book_ladder_for(order->side), m.ticks, near_at);
        m.instrument->book_update_id++;
    }
    trigger_stops(self, instrument);
}

/* ---- the end of a day ---- */

/* In the order of slots: any order will do, as long as it is the same everywhere. */
void engine_end_day(struct engine *self, const struct command_end_day *c)
{
    if (c->day <= self->state->day) {
        engine_emit_command_rejected(self, COMMAND_END_DAY, REJECT_INVALID_SETTING);
        return;
    }
    struct books *books = &self->books;
    uint64_t expired = 0;
    for (uint32_t slot = 1; slot < books->counts->order_fresh; slot++) {
        struct book_order *order = &books->orders[slot];
        if (!order->order_id) continue;
        if (order->time_in_force != TIF_DAY && order->time_in_force != TIF_AT_OPEN &&
            order->time_in_force != TIF_AT_CLOSE)
            continue;
        engine_end_order(self, order, EXEC_EXPIRED, REJECT_NONE);
        expired++;
    }
    cl_ord_ids_clear(&self->cl_ord_ids);
    for (uint32_t slot = 1; slot < books->counts->order_fresh; slot++) {
        const struct book_order *order = &books->orders[slot];
        uint64_t hash = books->more[slot].cl_ord_id_hash;
        if (order->order_id && hash)
            CHECK(cl_ord_id_add(&self->cl_ord_ids, order->account, hash, order->order_id));
    }
    self->state->day = c->day;
    engine_session_end_day(self);
    struct event_day_ended event = {.header = EVENT_HEADER(EVENT_DAY_ENDED, struct event_day_ended),
                                    .day = c->day,
                                    .expired_count = expired};
    engine_emit(self, &event, sizeof event);
}
