#include "engine/engine.h"

#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/arith.h"
#include "engine/base/check.h"
#include "engine/base/crc32c.h"
#include "engine/engine_layout.h"
#include "engine/message/reject.h"
#include "engine/risk/risk.h"

const struct limits engine_default_limits = {.instruments = 1024,
                                             .accounts = 65536,
                                             .users = 65536,
                                             .keys = 16384,
                                             .orders = 1000000,
                                             .levels = 131072,
                                             .positions = 262144,
                                             .cl_ord_ids = 2000000};

/* ---- layout ---- */

static bool limit_ok(uint32_t value, uint32_t max)
{
    return value >= 2 && value <= max;
}

static bool limits_ok(const struct limits *l)
{
    return limit_ok(l->instruments, 65536) && limit_ok(l->accounts, 16777216) &&
           limit_ok(l->users, 16777216) && limit_ok(l->keys, 1048576) &&
           limit_ok(l->orders, 16777215) && limit_ok(l->levels, 16777215) &&
           limit_ok(l->positions, 134217728) && limit_ok(l->cl_ord_ids, 134217728);
}

static void lay_out(struct engine *self, struct arena *arena, const struct limits *limits)
{
    self->state = arena_cut(arena, 1, sizeof *self->state);
    accounts_init(&self->accounts, arena, limits);
    instruments_init(&self->instruments, arena, limits);
    wallet_init(&self->wallet, arena, limits);
    books_init(&self->books, arena, limits);
    cl_ord_ids_init(&self->cl_ord_ids, arena, limits);
}

size_t engine_bytes(const struct limits *limits)
{
    if (!limits_ok(limits)) return 0;
    struct engine measured;
    struct arena arena = {0};
    (void)arena_cut(&arena, 1, sizeof measured);
    lay_out(&measured, &arena, limits);
    return arena.used;
}

struct engine *engine_init(void *memory, const struct limits *limits)
{
    size_t bytes = engine_bytes(limits);
    CHECK(bytes && memory && (uintptr_t)memory % ARENA_ALIGN == 0);
    struct arena arena = {.base = memory, .capacity = bytes};
    struct engine *self = arena_cut(&arena, 1, sizeof *self);
    size_t handle_bytes = arena.used;
    lay_out(self, &arena, limits);
    self->state_bytes = arena.used - handle_bytes;
    self->state->limits = *limits;
    return self;
}

/* ---- events ---- */

static void emit(const struct engine *self, const void *message, size_t length)
{
    self->sink.emit(self->sink.context, message, length);
}

static void emit_command_rejected(const struct engine *self, uint16_t command, enum reject reason)
{
    struct event_command_rejected event = {
        .header = EVENT_HEADER(EVENT_COMMAND_REJECTED, struct event_command_rejected),
        .command = command,
        .reject_reason = (uint16_t)reason};
    emit(self, &event, sizeof event);
}

static void emit_request_rejected(const struct engine *self, account_id_t account,
                                  order_id_t order_id, uint16_t command, enum reject reason)
{
    struct event_request_rejected event = {
        .header = EVENT_HEADER(EVENT_REQUEST_REJECTED, struct event_request_rejected),
        .order_id = order_id,
        .account = account,
        .command = command,
        .reject_reason = (uint16_t)reason};
    emit(self, &event, sizeof event);
}

/* A report about an order as it stands; the callers add what is particular. */
static struct event_execution execution_of(const struct book_order *order, enum exec_type type,
                                           enum ord_status status)
{
    return (struct event_execution){.header = EVENT_HEADER(EVENT_EXECUTION, struct event_execution),
                                    .order_id = order->order_id,
                                    .account = order->account,
                                    .instrument = order->instrument,
                                    .side = (uint8_t)order->side,
                                    .ord_type = order->ord_type,
                                    .time_in_force = order->time_in_force,
                                    .exec_type = (uint8_t)type,
                                    .ord_status = (uint8_t)status,
                                    .limit_px = order->limit_px,
                                    .order_qty = order->order_qty,
                                    .cum_qty = order->order_qty - order->leaves_qty,
                                    .leaves_qty = order->leaves_qty};
}

static enum ord_status open_status(const struct book_order *order)
{
    if (order->leaves_qty == 0) return ORD_FILLED;
    return order->leaves_qty < order->order_qty ? ORD_PARTIALLY_FILLED : ORD_NEW;
}

static void emit_fill(const struct engine *self, const struct book_order *order,
                      trade_id_t trade_id, qty_t qty, px_t px, enum last_liquidity liquidity)
{
    struct event_execution event = execution_of(order, EXEC_TRADE, open_status(order));
    event.trade_id = trade_id;
    event.last_qty = qty;
    event.last_px = px;
    event.last_liquidity = (uint8_t)liquidity;
    emit(self, &event, sizeof event);
}

/* The order is over with a rest unfilled: nothing is left of it. */
static void emit_ended(const struct engine *self, const struct book_order *order,
                       enum exec_type type, enum ord_status status)
{
    struct event_execution event = execution_of(order, type, status);
    event.leaves_qty = 0;
    emit(self, &event, sizeof event);
}

/* ---- administration ---- */

static void step_configure(struct engine *self, const struct command_configure *command)
{
    struct engine_state *s = self->state;
    if (s->configured || memcmp(&command->limits, &s->limits, sizeof s->limits) != 0) {
        emit_command_rejected(self, COMMAND_CONFIGURE, REJECT_ALREADY_CONFIGURED);
        return;
    }
    s->configured = 1;
    struct event_configured event = {
        .header = EVENT_HEADER(EVENT_CONFIGURED, struct event_configured), .limits = s->limits};
    emit(self, &event, sizeof event);
}

static void step_open_account(struct engine *self, const struct command_open_account *command)
{
    enum reject reason = account_open(&self->accounts, command);
    if (reason != REJECT_NONE) {
        emit_command_rejected(self, COMMAND_OPEN_ACCOUNT, reason);
        return;
    }
    struct event_account_opened event = {
        .header = EVENT_HEADER(EVENT_ACCOUNT_OPENED, struct event_account_opened),
        .account = command->account};
    emit(self, &event, sizeof event);
}

static void step_deposit(struct engine *self, const struct command_deposit *command)
{
    enum reject reason = REJECT_NONE;
    int64_t balance = 0;
    if (!account_is_open(&self->accounts, command->account))
        reason = REJECT_UNKNOWN_ACCOUNT;
    else if (command->instrument && !instrument_find(&self->instruments, command->instrument))
        reason = REJECT_UNKNOWN_INSTRUMENT;
    else
        reason = wallet_deposit(&self->wallet, command->account, command->instrument, command->qty,
                                &balance);
    if (reason != REJECT_NONE) {
        emit_command_rejected(self, COMMAND_DEPOSIT, reason);
        return;
    }
    struct event_deposited event = {.header = EVENT_HEADER(EVENT_DEPOSITED, struct event_deposited),
                                    .account = command->account,
                                    .instrument = command->instrument,
                                    .qty = command->qty,
                                    .balance = balance};
    emit(self, &event, sizeof event);
}

static void step_list_instrument(struct engine *self, const struct command_list_instrument *command)
{
    enum reject reason = instrument_list(&self->instruments, command);
    if (reason != REJECT_NONE) {
        emit_command_rejected(self, COMMAND_LIST_INSTRUMENT, reason);
        return;
    }
    struct event_instrument_listed event = {
        .header = EVENT_HEADER(EVENT_INSTRUMENT_LISTED, struct event_instrument_listed),
        .instrument = command->instrument};
    emit(self, &event, sizeof event);
}

static void step_add_user(struct engine *self, const struct command_add_user *command)
{
    enum reject reason = account_add_user(&self->accounts, command);
    if (reason != REJECT_NONE) {
        emit_command_rejected(self, COMMAND_ADD_USER, reason);
        return;
    }
    struct event_user_added event = {.header =
                                         EVENT_HEADER(EVENT_USER_ADDED, struct event_user_added),
                                     .user = command->user,
                                     .account = command->account};
    emit(self, &event, sizeof event);
}

static void step_add_key(struct engine *self, const struct command_add_key *command)
{
    enum reject reason = account_add_key(&self->accounts, command);
    if (reason != REJECT_NONE) {
        emit_command_rejected(self, COMMAND_ADD_KEY, reason);
        return;
    }
    struct event_key_added event = {.header = EVENT_HEADER(EVENT_KEY_ADDED, struct event_key_added),
                                    .user = command->user,
                                    .scopes = command->scopes};
    memcpy(event.key_id, command->key_id, KEY_ID_BYTES);
    emit(self, &event, sizeof event);
}

/* ---- new orders ---- */

/* Who sends it, and is the client order id usable: until this is known the order has no owner to
 * answer to under that id. */
static enum reject check_sender(const struct engine *self, const struct command_new_order *command)
{
    if (!account_is_open(&self->accounts, command->account)) return REJECT_UNKNOWN_ACCOUNT;
    if (!account_has_user(&self->accounts, command->account, command->user))
        return REJECT_UNKNOWN_USER;
    if (!cl_ord_id_is_valid(command->cl_ord_id)) return REJECT_INVALID_CL_ORD_ID;
    return REJECT_NONE;
}

static enum reject check_terms(const struct engine *self, const struct command_new_order *command)
{
    const struct instrument *i = instrument_find(&self->instruments, command->instrument);
    if (!i) return REJECT_UNKNOWN_INSTRUMENT;
    if (command->side != SIDE_BUY && command->side != SIDE_SELL) return REJECT_INVALID_SIDE;
    if (command->ord_type != ORD_TYPE_LIMIT) return REJECT_INVALID_ORD_TYPE;
    if (command->time_in_force != TIF_DAY && command->time_in_force != TIF_GTC &&
        command->time_in_force != TIF_IOC)
        return REJECT_INVALID_TIME_IN_FORCE;
    if (command->order_qty <= 0 || command->order_qty > QTY_MAX) return REJECT_INVALID_QTY;
    if (command->order_qty % i->lot_qty) return REJECT_INVALID_LOT;
    if (command->limit_px <= 0) return REJECT_INVALID_PX;
    if (command->limit_px > i->max_px) return REJECT_PX_OUT_OF_RANGE;
    if (command->limit_px % i->tick_px) return REJECT_INVALID_TICK;
    return REJECT_NONE;
}

/* Room for all that the order may need, so that nothing can fail half-way. */
static enum reject check_room(const struct engine *self, const struct command_new_order *command)
{
    if (command->cl_ord_id[0] && cl_ord_ids_full(&self->cl_ord_ids)) return REJECT_CL_ORD_IDS_FULL;
    if (!book_has_order_room(&self->books)) return REJECT_ORDERS_FULL;
    if (!book_has_level_room(&self->books)) return REJECT_BOOK_FULL;
    if (command->side == SIDE_BUY &&
        !wallet_has_position_room(&self->wallet, command->account, command->instrument))
        return REJECT_POSITIONS_FULL;
    return REJECT_NONE;
}

static enum reject check_risk_and_hold(struct engine *self, const struct command_new_order *command)
{
    const struct instrument *i = instrument_find(&self->instruments, command->instrument);
    struct risk_limits limits = {i->max_order_qty, i->max_order_notional};
    cash_t notional;
    enum reject reason =
        risk_check_order(&limits, command->limit_px, command->order_qty, &notional);
    if (reason == REJECT_NONE) reason = check_room(self, command);
    if (reason != REJECT_NONE) return reason;
    if (command->side == SIDE_BUY) {
        if (!wallet_hold_cash(&self->wallet, command->account, notional))
            return REJECT_INSUFFICIENT_CASH;
        /* only now: an order that is refused must not use up the table */
        CHECK(wallet_open_position(&self->wallet, command->account, command->instrument));
        return REJECT_NONE;
    }
    return wallet_hold_shares(&self->wallet, command->account, command->instrument,
                              command->order_qty)
               ? REJECT_NONE
               : REJECT_INSUFFICIENT_SHARES;
}

/* Gives back what is held for `qty` of an order. */
static void release_hold(struct engine *self, const struct book_order *order, qty_t qty)
{
    cash_t cash;
    if (order->side == SIDE_SELL) {
        wallet_release_shares(&self->wallet, order->account, order->instrument, qty);
        return;
    }
    CHECK(arith_notional(order->limit_px, qty, &cash)); /* a part of what was held */
    wallet_release_cash(&self->wallet, order->account, cash);
}

/* One trade between the order that came and the one that rested, at the resting price. */
static void trade(struct engine *self, struct instrument *instrument, struct book_order *taker,
                  struct book_order *maker)
{
    qty_t qty = maker->leaves_qty < taker->leaves_qty ? maker->leaves_qty : taker->leaves_qty;
    px_t px = maker->limit_px;
    const struct book_order *buyer = taker->side == SIDE_BUY ? taker : maker;
    const struct book_order *seller = taker->side == SIDE_BUY ? maker : taker;
    struct wallet_trade settlement = {.buyer = buyer->account,
                                      .seller = seller->account,
                                      .instrument = taker->instrument,
                                      .qty = qty,
                                      .px = px,
                                      .buyer_limit_px = buyer->limit_px};
    wallet_settle(&self->wallet, &settlement);
    instrument->last_px = px;
    instrument->book_update_id++;
    trade_id_t id = ++self->state->trade_id;

    struct book_order made = *maker; /* its slot may be free after the next line */
    made.leaves_qty -= qty;
    book_take(&self->books, maker, qty);
    taker->leaves_qty -= qty;
    emit_fill(self, &made, id, qty, px, LIQUIDITY_ADDED);
    emit_fill(self, taker, id, qty, px, LIQUIDITY_REMOVED);
}

static void match(struct engine *self, struct instrument *instrument, struct book_order *taker)
{
    uint8_t other = taker->side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
    while (taker->leaves_qty) {
        struct book_order *maker = book_best(&self->books, taker->instrument, other);
        if (!maker || !book_crosses((uint8_t)taker->side, taker->limit_px, maker->limit_px)) return;
        trade(self, instrument, taker, maker);
    }
}

static struct book_order order_of(const struct command_new_order *command, order_id_t order_id)
{
    return (struct book_order){.order_id = order_id,
                               .limit_px = command->limit_px,
                               .order_qty = command->order_qty,
                               .leaves_qty = command->order_qty,
                               .cl_ord_id_hash = cl_ord_id_hash(command->cl_ord_id),
                               .account = command->account,
                               .instrument = command->instrument & 0xffffff,
                               .side = command->side,
                               .ord_type = command->ord_type,
                               .time_in_force = command->time_in_force};
}

static void accept_order(struct engine *self, const struct command_new_order *command)
{
    struct instrument *instrument = instrument_find(&self->instruments, command->instrument);
    struct book_order order = order_of(command, book_next_id(&self->books, true));
    if (order.cl_ord_id_hash)
        CHECK(
            cl_ord_id_add(&self->cl_ord_ids, order.account, order.cl_ord_id_hash, order.order_id));
    struct event_execution accepted = execution_of(&order, EXEC_NEW, ORD_NEW);
    emit(self, &accepted, sizeof accepted);
    match(self, instrument, &order);
    if (order.leaves_qty && order.time_in_force != TIF_IOC) {
        book_rest(&self->books, &order, instrument->tick_px);
        instrument->book_update_id++;
        return;
    }
    book_forget(&self->books, order.order_id);
    if (!order.leaves_qty) return;
    release_hold(self, &order, order.leaves_qty);
    emit_ended(self, &order, EXEC_CANCELED, ORD_CANCELED);
}

static void reject_order(struct engine *self, const struct command_new_order *command,
                         enum reject reason, bool has_owner)
{
    struct book_order order = order_of(command, book_next_id(&self->books, false));
    if (has_owner && order.cl_ord_id_hash && !cl_ord_ids_full(&self->cl_ord_ids))
        CHECK(
            cl_ord_id_add(&self->cl_ord_ids, order.account, order.cl_ord_id_hash, order.order_id));
    struct event_execution event = execution_of(&order, EXEC_REJECTED, ORD_REJECTED);
    event.instrument = command->instrument;
    event.leaves_qty = 0;
    event.cum_qty = 0;
    event.reject_reason = (uint16_t)reason;
    emit(self, &event, sizeof event);
}

static void step_new_order(struct engine *self, const struct command_new_order *command)
{
    enum reject reason = check_sender(self, command);
    if (reason != REJECT_NONE) {
        reject_order(self, command, reason, false);
        return;
    }
    order_id_t first =
        cl_ord_id_find(&self->cl_ord_ids, command->account, cl_ord_id_hash(command->cl_ord_id));
    if (first) {
        emit_request_rejected(self, command->account, first, COMMAND_NEW_ORDER,
                              REJECT_DUPLICATE_CL_ORD_ID);
        return;
    }
    reason = check_terms(self, command);
    if (reason == REJECT_NONE) reason = check_risk_and_hold(self, command);
    if (reason == REJECT_NONE)
        accept_order(self, command);
    else
        reject_order(self, command, reason, true);
}

/* ---- cancel, replace, end of day ---- */

/* The open order of this account that a request names; NULL when there is none. */
static struct book_order *find_own(const struct engine *self, account_id_t account, user_id_t user,
                                   order_id_t order_id, const char *orig_cl_ord_id)
{
    if (!account_has_user(&self->accounts, account, user)) return NULL;
    if (!order_id)
        order_id = cl_ord_id_find(&self->cl_ord_ids, account, cl_ord_id_hash(orig_cl_ord_id));
    struct book_order *order = book_find(&self->books, order_id);
    return order && order->account == account ? order : NULL;
}

static void end_order(struct engine *self, struct book_order *order, enum exec_type type,
                      enum ord_status status)
{
    struct book_order ended = *order;
    instrument_find(&self->instruments, order->instrument)->book_update_id++;
    release_hold(self, order, order->leaves_qty);
    book_take(&self->books, order, order->leaves_qty);
    emit_ended(self, &ended, type, status);
}

static void step_cancel_order(struct engine *self, const struct command_cancel_order *command)
{
    struct book_order *order =
        find_own(self, command->account, command->user, command->order_id, command->orig_cl_ord_id);
    if (order)
        end_order(self, order, EXEC_CANCELED, ORD_CANCELED);
    else
        emit_request_rejected(self, command->account, command->order_id, COMMAND_CANCEL_ORDER,
                              REJECT_UNKNOWN_ORDER);
}

static enum reject check_reduction(const struct engine *self, const struct book_order *order,
                                   qty_t order_qty)
{
    if (!order) return REJECT_UNKNOWN_ORDER;
    if (order_qty <= 0 || order_qty > QTY_MAX) return REJECT_INVALID_QTY;
    if (order_qty % instrument_find(&self->instruments, order->instrument)->lot_qty)
        return REJECT_INVALID_LOT;
    return order_qty < order->order_qty ? REJECT_NONE : REJECT_QTY_NOT_REDUCED;
}

static void step_replace_order(struct engine *self, const struct command_replace_order *command)
{
    struct book_order *order =
        find_own(self, command->account, command->user, command->order_id, command->orig_cl_ord_id);
    enum reject reason = check_reduction(self, order, command->order_qty);
    if (reason != REJECT_NONE) {
        emit_request_rejected(self, command->account, order ? order->order_id : command->order_id,
                              COMMAND_REPLACE_ORDER, reason);
        return;
    }
    if (command->order_qty <= order->order_qty - order->leaves_qty) {
        end_order(self, order, EXEC_CANCELED, ORD_CANCELED);
        return;
    }
    qty_t less = order->order_qty - command->order_qty;
    instrument_find(&self->instruments, order->instrument)->book_update_id++;
    release_hold(self, order, less);
    order->order_qty -= less;
    book_take(&self->books, order, less);
    struct event_execution event = execution_of(order, EXEC_REPLACED, open_status(order));
    emit(self, &event, sizeof event);
}

/* In the order of slots: any order will do, as long as it is the same everywhere. */
static void step_end_day(struct engine *self, const struct command_end_day *command)
{
    struct books *books = &self->books;
    uint64_t expired = 0;
    cl_ord_ids_clear(&self->cl_ord_ids);
    for (uint32_t slot = 1; slot < books->counts->order_fresh; slot++) {
        struct book_order *order = &books->orders[slot];
        if (!order->order_id) continue;
        if (order->time_in_force == TIF_DAY) {
            end_order(self, order, EXEC_EXPIRED, ORD_EXPIRED);
            expired++;
        } else if (order->cl_ord_id_hash) {
            CHECK(cl_ord_id_add(&self->cl_ord_ids, order->account, order->cl_ord_id_hash,
                                order->order_id));
        }
    }
    self->state->day = command->day;
    struct event_day_ended event = {.header = EVENT_HEADER(EVENT_DAY_ENDED, struct event_day_ended),
                                    .day = command->day,
                                    .expired_count = expired};
    emit(self, &event, sizeof event);
}

/* ---- the step ---- */

static uint16_t checked_template(const void *message, size_t length)
{
    struct sbe_header header;
    if (length < sizeof header) return 0;
    memcpy(&header, message, sizeof header);
    uint16_t block = command_block_length(header.template_id);
    bool good = block && header.schema_id == SBE_SCHEMA_ID && header.version >= 1 &&
                header.block_length >= block && length >= sizeof header + header.block_length;
    return good ? header.template_id : 0;
}

void engine_step(struct engine *self, seq_t seq, int64_t time_ns, const void *message,
                 size_t length, const struct event_sink *sink)
{
    check_seq = seq;
    self->sink = *sink;
    self->state->seq = seq;
    self->state->time_ns = time_ns;
    uint16_t template_id = checked_template(message, length);
    if (template_id && template_id != COMMAND_CONFIGURE && !self->state->configured)
        template_id = 0;
    switch (template_id) {
    case COMMAND_CONFIGURE: step_configure(self, message); break;
    case COMMAND_OPEN_ACCOUNT: step_open_account(self, message); break;
    case COMMAND_DEPOSIT: step_deposit(self, message); break;
    case COMMAND_LIST_INSTRUMENT: step_list_instrument(self, message); break;
    case COMMAND_ADD_USER: step_add_user(self, message); break;
    case COMMAND_ADD_KEY: step_add_key(self, message); break;
    case COMMAND_NEW_ORDER: step_new_order(self, message); break;
    case COMMAND_CANCEL_ORDER: step_cancel_order(self, message); break;
    case COMMAND_REPLACE_ORDER: step_replace_order(self, message); break;
    case COMMAND_END_DAY: step_end_day(self, message); break;
    default: emit_command_rejected(self, 0, REJECT_INVALID_MESSAGE); break;
    }
    self->sink = (struct event_sink){0};
    check_seq = 0;
}

uint32_t engine_state_hash(const struct engine *self)
{
    return crc32c(0, self->state, self->state_bytes);
}

/* Holds equal open orders: what the wallet holds is exactly what the books' orders need. */
static void validate_holds(const struct engine *self)
{
    cash_t needed = 0, held = 0;
    qty_t shares_needed = 0, shares_held = 0;
    for (uint32_t slot = 1; slot < self->books.counts->order_fresh; slot++) {
        const struct book_order *order = &self->books.orders[slot];
        cash_t cash;
        if (!order->order_id) continue;
        CHECK(arith_notional(order->limit_px, order->leaves_qty, &cash));
        if (order->side == SIDE_BUY)
            needed += cash;
        else
            shares_needed += order->leaves_qty;
    }
    for (uint32_t i = 0; i < self->wallet.account_max; i++) held += self->wallet.cash[i].held;
    for (uint32_t i = 0; i < self->wallet.position_slots; i++)
        shares_held += self->wallet.positions[i].held;
    CHECK(needed == held && shares_needed == shares_held);
}

void engine_validate(const struct engine *self)
{
    uint32_t orders = 0;
    for (instrument_id_t id = 1; id < *self->instruments.end; id++) {
        const struct instrument *i = instrument_find(&self->instruments, id);
        if (i) orders += book_validate(&self->books, id, i->tick_px);
    }
    books_validate_slots(&self->books, orders);
    wallet_validate(&self->wallet);
    validate_holds(self);
}
