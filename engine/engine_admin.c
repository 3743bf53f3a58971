#include <string.h>

#include "engine/base/arith.h"
#include "engine/base/check.h"
#include "engine/engine_layout.h"

enum { PPM_MAX = 1000000 };
#define DAY_NS INT64_C(86400000000000)

/* ---- accounts, users, keys, instruments ---- */

void engine_configure(struct engine *self, const struct sbe_header *command)
{
    struct engine_state *s = self->state;
    struct limits limits;
    bool is_first = !s->configured;
    bool fits = engine_read_limits(command, sizeof *command + command->block_length, &limits) &&
                memcmp(&limits, &s->limits, sizeof limits) == 0;
    if (fits) {
        bool is_v1 = command->block_length < sizeof(struct command_configure) - sizeof *command;
        if (!is_v1) s->configured = SBE_SCHEMA_VERSION;
        if (is_v1 && is_first) s->configured = 1;
    }
    if (!is_first || !fits) {
        engine_emit_command_rejected(self, COMMAND_CONFIGURE, REJECT_ALREADY_CONFIGURED);
        return;
    }
    struct event_configured event = {
        .header = EVENT_HEADER(EVENT_CONFIGURED, struct event_configured), .limits = s->limits};
    engine_emit(self, &event, sizeof event);
}

void engine_open_account(struct engine *self, const struct command_open_account *command)
{
    enum reject reason = account_open(&self->accounts, command);
    if (reason != REJECT_NONE) {
        engine_emit_command_rejected(self, COMMAND_OPEN_ACCOUNT, reason);
        return;
    }
    bounds_follow_account(&self->accounts, command->account);
    struct event_account_opened event = {
        .header = EVENT_HEADER(EVENT_ACCOUNT_OPENED, struct event_account_opened),
        .account = command->account};
    engine_emit(self, &event, sizeof event);
}

void engine_add_user(struct engine *self, const struct command_add_user *command)
{
    enum reject reason = account_add_user(&self->accounts, command);
    if (reason != REJECT_NONE) {
        engine_emit_command_rejected(self, COMMAND_ADD_USER, reason);
        return;
    }
    bounds_follow_user(&self->accounts, command->user);
    struct event_user_added event = {.header =
                                         EVENT_HEADER(EVENT_USER_ADDED, struct event_user_added),
                                     .user = command->user,
                                     .account = command->account};
    engine_emit(self, &event, sizeof event);
}

void engine_add_key(struct engine *self, const struct command_add_key *command)
{
    enum reject reason = account_add_key(&self->accounts, command);
    if (reason != REJECT_NONE) {
        engine_emit_command_rejected(self, COMMAND_ADD_KEY, reason);
        return;
    }
    struct event_key_added event = {.header = EVENT_HEADER(EVENT_KEY_ADDED, struct event_key_added),
                                    .user = command->user,
                                    .scopes = command->scopes};
    memcpy(event.key_id, command->key_id, KEY_ID_BYTES);
    engine_emit(self, &event, sizeof event);
}

void engine_list_instrument(struct engine *self, const void *message)
{
    struct command_list_instrument command = {0};
    const struct sbe_header *header = message;
    bool has_tail = header->block_length >= sizeof command - sizeof *header;
    memcpy(&command, message, has_tail ? sizeof command : LIST_INSTRUMENT_V1_BYTES);

    enum reject reason = instrument_list(&self->instruments, &command);
    if (reason != REJECT_NONE) {
        engine_emit_command_rejected(self, COMMAND_LIST_INSTRUMENT, reason);
        return;
    }
    engine_begin_session(self, command.instrument, command.session);
    bounds_follow_px(&self->instruments.table[command.instrument]);
    struct event_instrument_listed event = {
        .header = EVENT_HEADER(EVENT_INSTRUMENT_LISTED, struct event_instrument_listed),
        .instrument = command.instrument};
    engine_emit(self, &event, sizeof event);
}

/* ---- settings ---- */

/* The answer to a SET_ command. */
static void answer_setting(const struct engine *self, uint16_t command, uint16_t scope, uint32_t id,
                           enum reject reason)
{
    if (reason == REJECT_NONE)
        engine_emit_setting_changed(self, command, scope, id);
    else
        engine_emit_command_rejected(self, command, reason);
}

void engine_set_tick_table(struct engine *self, const struct command_set_tick_table *command)
{
    answer_setting(self, COMMAND_SET_TICK_TABLE, 0, command->table,
                   instrument_set_tick_table(&self->instruments, command));
}

static enum reject check_limits_scope(const struct engine *self,
                                      const struct command_set_limits *command)
{
    switch (command->scope) {
    case LIMIT_SCOPE_ACCOUNT:
        return account_is_open(&self->accounts, command->id) ? REJECT_NONE : REJECT_UNKNOWN_ACCOUNT;
    case LIMIT_SCOPE_USER:
        return user_exists(&self->accounts, command->id) ? REJECT_NONE : REJECT_UNKNOWN_USER;
    case LIMIT_SCOPE_INSTRUMENT:
        return instrument_find(&self->instruments, command->id) ? REJECT_NONE
                                                                : REJECT_UNKNOWN_INSTRUMENT;
    default: return REJECT_INVALID_SETTING;
    }
}

/* Whether the limits are in range and all such as their scope has; MATCHING.md section 9. */
static bool limits_fit(const struct command_set_limits *c)
{
    if (c->max_order_qty < 0 || c->max_order_notional < 0 || c->max_long_qty < 0 ||
        c->max_short_qty < 0 || c->max_exposure < 0 || c->max_daily_qty < -1 ||
        c->collar_ppm > PPM_MAX)
        return false;
    bool has_position = c->max_long_qty || c->max_short_qty;
    bool is_of_account_alone = c->max_open_orders || c->max_exposure;
    bool is_of_sender = c->max_messages || c->collar_ppm;
    switch (c->scope) {
    case LIMIT_SCOPE_ACCOUNT: return c->max_daily_qty == 0;
    case LIMIT_SCOPE_USER: return !has_position && !is_of_account_alone;
    default: return !is_of_account_alone && !is_of_sender;
    }
}

static struct risk_limits risk_limits_of(const struct command_set_limits *c)
{
    return (struct risk_limits){.max_order_qty = c->max_order_qty,
                                .max_order_notional = c->max_order_notional,
                                .max_open_orders = c->max_open_orders,
                                .max_messages = c->max_messages,
                                .collar_ppm = c->collar_ppm,
                                .max_long_qty = c->max_long_qty,
                                .max_short_qty = c->max_short_qty,
                                .max_exposure = c->max_exposure,
                                .max_daily_qty = c->max_daily_qty};
}

static uint8_t is_any_set(const struct risk_limits *limits)
{
    static const struct risk_limits none = {0};
    return memcmp(limits, &none, sizeof none) != 0;
}

static void set_instrument_limits(struct instrument *i, const struct command_set_limits *c)
{
    i->max_order_qty = c->max_order_qty;
    i->max_order_notional = c->max_order_notional;
    i->max_long_qty = c->max_long_qty;
    i->max_short_qty = c->max_short_qty;
    i->max_daily_qty = c->max_daily_qty;
    i->has_more_limits = c->max_long_qty || c->max_short_qty || c->max_daily_qty;
    bounds_follow_limits(i);
}

void engine_set_limits(struct engine *self, const struct command_set_limits *command)
{
    struct accounts *a = &self->accounts;
    enum reject reason = check_limits_scope(self, command);
    if (reason == REJECT_NONE && !limits_fit(command)) reason = REJECT_INVALID_SETTING;
    if (reason == REJECT_NONE) {
        struct risk_limits limits = risk_limits_of(command);
        if (command->scope == LIMIT_SCOPE_ACCOUNT) {
            a->account_limits[command->id] = limits;
            a->accounts[command->id].has_limits = is_any_set(&limits);
            bounds_follow_account(a, command->id);
        } else if (command->scope == LIMIT_SCOPE_USER) {
            a->user_limits[command->id] = limits;
            a->users[command->id].has_limits = is_any_set(&limits);
            bounds_follow_user(a, command->id);
        } else {
            set_instrument_limits(&self->instruments.table[command->id], command);
        }
    }
    answer_setting(self, COMMAND_SET_LIMITS, (uint16_t)command->scope, command->id, reason);
}

static bool is_rate(int32_t ppm, uint32_t max_ppm)
{
    int64_t rate = ppm;
    return rate <= (int64_t)max_ppm && -rate <= (int64_t)max_ppm;
}

void engine_set_fees(struct engine *self, const struct command_set_fees *command)
{
    struct instrument *i = instrument_find(&self->instruments, command->instrument);
    enum reject reason = REJECT_NONE;
    if (!i)
        reason = REJECT_UNKNOWN_INSTRUMENT;
    else if (command->fee_tier >= FEE_TIER_COUNT || !is_rate(command->maker_ppm, i->max_fee_ppm) ||
             !is_rate(command->taker_ppm, i->max_fee_ppm))
        reason = REJECT_INVALID_SETTING;
    else
        i->fees[command->fee_tier] = (struct fee_rates){command->maker_ppm, command->taker_ppm};
    answer_setting(self, COMMAND_SET_FEES, 0, command->instrument, reason);
}

void engine_set_account(struct engine *self, const struct command_set_account *command)
{
    enum reject reason = REJECT_NONE;
    if (!account_is_open(&self->accounts, command->account)) {
        reason = REJECT_UNKNOWN_ACCOUNT;
    } else if (command->stp > STP_ALLOW || command->fee_tier >= FEE_TIER_COUNT ||
               command->may_short > 1) {
        reason = REJECT_INVALID_SETTING;
    } else {
        struct account *a = &self->accounts.accounts[command->account];
        a->stp = command->stp == STP_ACCOUNT ? (uint8_t)STP_ALLOW : command->stp;
        a->fee_tier = command->fee_tier;
        a->may_short = command->may_short;
    }
    answer_setting(self, COMMAND_SET_ACCOUNT, 0, command->account, reason);
}

/* ---- money ---- */

static bool asset_exists(const struct engine *self, asset_t asset)
{
    if (asset == 0) return true;
    if (asset & ASSET_CASH) return (asset & ~ASSET_CASH) < CURRENCY_COUNT;
    return instrument_find(&self->instruments, asset) != NULL;
}

static enum reject check_movement(const struct engine *self, account_id_t account, asset_t asset,
                                  int64_t qty)
{
    if (!account_is_open(&self->accounts, account)) return REJECT_UNKNOWN_ACCOUNT;
    if (!asset_exists(self, asset)) return REJECT_UNKNOWN_INSTRUMENT;
    return qty > 0 ? REJECT_NONE : REJECT_INVALID_QTY;
}

void engine_deposit(struct engine *self, const struct command_deposit *c)
{
    int64_t balance = 0;
    enum reject reason = check_movement(self, c->account, c->asset, c->qty);
    if (reason == REJECT_NONE)
        reason = wallet_deposit(&self->wallet, c->account, c->asset, c->qty, &balance);
    if (reason != REJECT_NONE) {
        engine_emit_command_rejected(self, COMMAND_DEPOSIT, reason);
        return;
    }
    struct event_deposited event = {.header = EVENT_HEADER(EVENT_DEPOSITED, struct event_deposited),
                                    .account = c->account,
                                    .asset = c->asset,
                                    .qty = c->qty,
                                    .balance = balance};
    engine_emit(self, &event, sizeof event);
}

void engine_withdraw(struct engine *self, const struct command_withdraw *c)
{
    int64_t balance = 0;
    enum reject reason = check_movement(self, c->account, c->asset, c->qty);
    if (reason == REJECT_NONE)
        reason = wallet_withdraw(&self->wallet, c->account, c->asset, c->qty, &balance);
    if (reason != REJECT_NONE) {
        engine_emit_command_rejected(self, COMMAND_WITHDRAW, reason);
        return;
    }
    struct event_withdrawn event = {.header = EVENT_HEADER(EVENT_WITHDRAWN, struct event_withdrawn),
                                    .account = c->account,
                                    .asset = c->asset,
                                    .qty = c->qty,
                                    .balance = balance};
    engine_emit(self, &event, sizeof event);
}

static bool is_house_or_open(const struct engine *self, account_id_t account)
{
    return account == 0 || account_is_open(&self->accounts, account);
}

static enum reject check_transfer(const struct engine *self, const struct command_transfer *c)
{
    if (c->from_account == c->to_account || c->reason > TRANSFER_CORRECTION)
        return REJECT_INVALID_SETTING;
    if (!is_house_or_open(self, c->from_account) || !is_house_or_open(self, c->to_account))
        return REJECT_UNKNOWN_ACCOUNT;
    if (!asset_exists(self, c->asset)) return REJECT_UNKNOWN_INSTRUMENT;
    return c->qty > 0 ? REJECT_NONE : REJECT_INVALID_QTY;
}

void engine_transfer(struct engine *self, const struct command_transfer *c)
{
    int64_t from_balance = 0, to_balance = 0;
    enum reject reason = check_transfer(self, c);
    if (reason == REJECT_NONE)
        reason = wallet_transfer(&self->wallet, c->from_account, c->to_account, c->asset, c->qty,
                                 &from_balance, &to_balance);
    if (reason != REJECT_NONE) {
        engine_emit_command_rejected(self, COMMAND_TRANSFER, reason);
        return;
    }
    struct event_transferred event = {.header =
                                          EVENT_HEADER(EVENT_TRANSFERRED, struct event_transferred),
                                      .from_account = c->from_account,
                                      .to_account = c->to_account,
                                      .asset = c->asset,
                                      .reason = c->reason,
                                      .qty = c->qty,
                                      .from_balance = from_balance,
                                      .to_balance = to_balance};
    engine_emit(self, &event, sizeof event);
}

/* ---- a trade is taken back ---- */

static struct wallet_position *position_of_trade(struct engine *self, account_id_t account,
                                                 instrument_id_t instrument)
{
    uint32_t slot = wallet_find_position(&self->wallet, account, instrument);
    CHECK(slot); /* the trade's order opened it */
    return &self->wallet.positions[slot];
}

/* Whether both sides still have what they got, and nobody leaves the range of the ledger by what
 * comes back: the house returns its fees. */
static enum reject check_bust(struct engine *self, const struct trade_record *t, uint32_t currency)
{
    const struct wallet *w = &self->wallet;
    if (position_of_trade(self, t->buyer, t->instrument)->available < t->qty)
        return REJECT_INSUFFICIENT_SHARES;
    cash_t proceeds = t->px * t->qty - t->seller_fee;
    if (wallet_cash_of(w, t->seller, currency)->available < proceeds)
        return REJECT_INSUFFICIENT_CASH;
    cash_t house = wallet_cash_of(w, 0, currency)->available - t->buyer_fee - t->seller_fee;
    bool fits = wallet_shares_fit(position_of_trade(self, t->seller, t->instrument), t->qty);
    return fits && house >= WALLET_HOUSE_FLOOR ? REJECT_NONE : REJECT_OVERFLOW;
}

static void take_back(struct engine *self, struct trade_record *t, uint32_t currency)
{
    struct wallet *w = &self->wallet;
    cash_t notional = t->px * t->qty; /* it was paid */
    wallet_move_shares(w, position_of_trade(self, t->buyer, t->instrument), -t->qty);
    wallet_move_shares(w, position_of_trade(self, t->seller, t->instrument), t->qty);
    wallet_move_cash(w, t->seller, currency, t->seller_fee - notional);
    wallet_move_cash(w, t->buyer, currency, notional + t->buyer_fee);
    wallet_move_cash(w, 0, currency, -t->seller_fee - t->buyer_fee);
    CHECK(wallet_cash_adds_up(w, currency) && wallet_shares_add_up(w, t->instrument));
    t->busted = 1;
}

void engine_bust_trade(struct engine *self, const struct command_bust_trade *command)
{
    struct trade_record *t = trade_log_find(&self->trade_log, command->trade_id);
    enum reject reason = REJECT_NONE;
    uint32_t currency = 0;
    if (!t) {
        reason = REJECT_UNKNOWN_TRADE;
    } else if (t->busted) {
        reason = REJECT_TRADE_BUSTED;
    } else {
        currency = self->instruments.table[t->instrument].currency;
        reason = check_bust(self, t, currency);
    }
    if (reason != REJECT_NONE) {
        engine_emit_command_rejected(self, COMMAND_BUST_TRADE, reason);
        return;
    }
    take_back(self, t, currency);
    struct event_trade_busted event = {
        .header = EVENT_HEADER(EVENT_TRADE_BUSTED, struct event_trade_busted),
        .trade_id = t->trade_id,
        .buy_order_id = t->buy_order_id,
        .sell_order_id = t->sell_order_id,
        .buyer = t->buyer,
        .seller = t->seller,
        .instrument = t->instrument,
        .qty = t->qty,
        .px = t->px,
        .buyer_fee = t->buyer_fee,
        .seller_fee = t->seller_fee};
    engine_emit(self, &event, sizeof event);
}

/* ---- many orders at once ---- */

/* Which orders are meant. */
struct selection {
    instrument_id_t instrument; /* 0: any */
    uint8_t side;               /* 0: both */
    bool on_disconnect;         /* only those with EXEC_INST_CANCEL_ON_DISCONNECT */
    enum reject reason;         /* what they are told */
};

static bool is_selected(const struct engine *self, const struct book_order *order,
                        const struct selection *s)
{
    return (s->instrument == 0 || order->instrument == s->instrument) &&
           (s->side == 0 || order->side == s->side) &&
           (!s->on_disconnect ||
            (book_more(&self->books, order)->exec_inst & EXEC_INST_CANCEL_ON_DISCONNECT));
}

static bool cancel_if_selected(struct engine *self, uint32_t slot, const struct selection *s)
{
    struct book_order *order = &self->books.orders[slot];
    if (!is_selected(self, order, s)) return false;
    engine_end_order(self, order, EXEC_CANCELED, s->reason);
    return true;
}

/* An account's orders in the order of acceptance, or everybody's (account 0) in that of slots.
 * Returns how many were canceled. */
static uint32_t cancel_all(struct engine *self, account_id_t account, const struct selection *s)
{
    const struct books *books = &self->books;
    uint32_t canceled = 0;
    if (account == 0) {
        for (uint32_t slot = 1; slot < books->counts->order_fresh; slot++)
            if (books->orders[slot].order_id) canceled += cancel_if_selected(self, slot, s);
        return canceled;
    }
    uint32_t slot = self->accounts.accounts[account].first_order;
    while (slot) {
        uint32_t next = books->more[slot].account_next; /* before the slot is freed */
        canceled += cancel_if_selected(self, slot, s);
        slot = next;
    }
    return canceled;
}

static void set_blocked(struct accounts *all, account_id_t account, uint8_t blocked)
{
    all->accounts[account].blocked = blocked;
    bounds_follow_account(all, account);
}

void engine_kill_switch(struct engine *self, const struct command_kill_switch *c)
{
    enum reject reason = REJECT_NONE;
    if (!is_house_or_open(self, c->account))
        reason = REJECT_UNKNOWN_ACCOUNT;
    else if (c->engaged > 1)
        reason = REJECT_INVALID_SETTING;
    if (reason != REJECT_NONE) {
        engine_emit_command_rejected(self, COMMAND_KILL_SWITCH, reason);
        return;
    }
    if (c->account)
        set_blocked(&self->accounts, c->account, c->engaged);
    else
        self->state->market_blocked = c->engaged;
    const struct selection all = {.reason = REJECT_CANCELED_BY_KILL_SWITCH};
    uint32_t canceled = c->engaged ? cancel_all(self, c->account, &all) : 0;
    struct event_kill_switched event = {
        .header = EVENT_HEADER(EVENT_KILL_SWITCHED, struct event_kill_switched),
        .account = c->account,
        .engaged = c->engaged,
        .canceled_count = canceled};
    engine_emit(self, &event, sizeof event);
}

/* Whether the user may act for the account; account 0 is everybody's, and nobody's user. */
static enum reject check_requester(const struct engine *self, account_id_t account, user_id_t user)
{
    if (!account_is_open(&self->accounts, account)) return REJECT_UNKNOWN_ACCOUNT;
    return account_has_user(&self->accounts, account, user) ? REJECT_NONE : REJECT_UNKNOWN_USER;
}

static enum reject check_mass_cancel(const struct engine *self, const struct command_mass_cancel *c)
{
    enum reject reason = REJECT_NONE;
    if (c->account)
        reason = check_requester(self, c->account, c->user);
    else if (c->user)
        reason = REJECT_UNKNOWN_USER;
    if (reason != REJECT_NONE) return reason;
    if (c->instrument && !instrument_find(&self->instruments, c->instrument))
        return REJECT_UNKNOWN_INSTRUMENT;
    if (c->side && c->side != SIDE_BUY && c->side != SIDE_SELL) return REJECT_INVALID_SIDE;
    return c->on_disconnect <= 1 ? REJECT_NONE : REJECT_INVALID_SETTING;
}

void engine_mass_cancel(struct engine *self, const struct command_mass_cancel *c)
{
    enum reject reason = check_mass_cancel(self, c);
    if (reason != REJECT_NONE) {
        engine_emit_request_rejected(self, c->account, 0, COMMAND_MASS_CANCEL, reason);
        return;
    }
    const struct selection meant = {.instrument = c->instrument,
                                    .side = c->side,
                                    .on_disconnect = c->on_disconnect,
                                    .reason = c->on_disconnect ? REJECT_CANCELED_ON_DISCONNECT
                                                               : REJECT_CANCELED_BY_MASS_CANCEL};
    uint32_t canceled = cancel_all(self, c->account, &meant);
    struct event_mass_canceled event = {
        .header = EVENT_HEADER(EVENT_MASS_CANCELED, struct event_mass_canceled),
        .account = c->account,
        .instrument = c->instrument,
        .canceled_count = canceled,
        .side = c->side,
        .on_disconnect = c->on_disconnect};
    engine_emit(self, &event, sizeof event);
}

/* ---- the dead man's switch ---- */

void engine_cancel_after(struct engine *self, const struct command_cancel_after *c)
{
    enum reject reason = check_requester(self, c->account, c->user);
    if (reason == REJECT_NONE && (c->timeout_ns < 0 || c->timeout_ns > DAY_NS))
        reason = REJECT_INVALID_SETTING;
    if (reason != REJECT_NONE) {
        engine_emit_request_rejected(self, c->account, 0, COMMAND_CANCEL_AFTER, reason);
        return;
    }
    struct event_cancel_after_set event = {
        .header = EVENT_HEADER(EVENT_CANCEL_AFTER_SET, struct event_cancel_after_set),
        .account = c->account};
    if (c->timeout_ns == 0) {
        timer_clear(&self->timers, TIMER_ACCOUNT, c->account);
    } else {
        /* beyond the end of time there is nothing to be due */
        if (!arith_add(self->state->time_ns, c->timeout_ns, &event.deadline_ns))
            event.deadline_ns = INT64_MAX;
        timer_set(&self->timers, TIMER_ACCOUNT, c->account, event.deadline_ns);
    }
    engine_emit(self, &event, sizeof event);
}

void engine_cancel_after_due(struct engine *self, account_id_t account)
{
    const struct selection all = {.reason = REJECT_CANCELED_AFTER_TIMEOUT};
    (void)cancel_all(self, account, &all);
}
