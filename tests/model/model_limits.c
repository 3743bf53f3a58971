#include "tests/model/model_parts.h"

enum { DEFAULT_DAILY_QTY = 1000000 };

/* ---- SET_LIMITS ---- */

/* Limits that its scope does not have are 0. */
static bool fits_scope(const struct command_set_limits *c)
{
    switch (c->scope) {
    case LIMIT_SCOPE_INSTRUMENT:
        return c->max_open_orders == 0 && c->max_messages == 0 && c->collar_ppm == 0 &&
               c->max_exposure == 0;
    case LIMIT_SCOPE_ACCOUNT: return c->max_daily_qty == 0;
    default:
        return c->max_open_orders == 0 && c->max_long_qty == 0 && c->max_short_qty == 0 &&
               c->max_exposure == 0;
    }
}

static enum reject check_setting(const struct model *self, const struct command_set_limits *c)
{
    switch (c->scope) {
    case LIMIT_SCOPE_ACCOUNT:
        if (!model_account_is_open(self, c->id)) return REJECT_UNKNOWN_ACCOUNT;
        break;
    case LIMIT_SCOPE_USER:
        if (!model_user_is_there(self, c->id)) return REJECT_UNKNOWN_USER;
        break;
    case LIMIT_SCOPE_INSTRUMENT:
        if (!model_is_listed(self, c->id)) return REJECT_UNKNOWN_INSTRUMENT;
        break;
    default: return REJECT_INVALID_SETTING;
    }
    if (c->max_order_qty < 0 || c->max_order_notional < 0 || c->max_long_qty < 0 ||
        c->max_short_qty < 0 || c->max_exposure < 0 || c->max_daily_qty < -1)
        return REJECT_INVALID_SETTING;
    if (c->collar_ppm > MODEL_MILLION || !fits_scope(c)) return REJECT_INVALID_SETTING;
    return REJECT_NONE;
}

void model_set_limits(struct model *self, const struct command_set_limits *command)
{
    enum reject reason = check_setting(self, command);
    if (reason != REJECT_NONE) {
        model_reject_command(self, COMMAND_SET_LIMITS, reason);
        return;
    }
    struct model_limits limits = {.max_order_qty = command->max_order_qty,
                                  .max_order_notional = command->max_order_notional,
                                  .max_open_orders = command->max_open_orders,
                                  .max_messages = command->max_messages,
                                  .collar_ppm = command->collar_ppm,
                                  .max_long_qty = command->max_long_qty,
                                  .max_short_qty = command->max_short_qty,
                                  .max_exposure = command->max_exposure,
                                  .max_daily_qty = command->max_daily_qty};
    switch (command->scope) {
    case LIMIT_SCOPE_ACCOUNT: self->accounts[command->id].limits = limits; break;
    case LIMIT_SCOPE_USER: self->users[command->id].limits = limits; break;
    default: self->instruments[command->id].limits = limits; break;
    }
    model_emit_setting(self, COMMAND_SET_LIMITS, (uint16_t)command->scope, command->id);
}

/* ---- messages a second ---- */

static bool rate_is_full(const struct model_rate *rate, int64_t second, uint32_t max_messages)
{
    return max_messages != 0 && rate->second == second && rate->messages >= max_messages;
}

static void count_message(struct model_rate *rate, int64_t second)
{
    if (rate->second != second) *rate = (struct model_rate){.second = second};
    rate->messages++;
}

bool model_rate_allows(struct model *self, account_id_t account, user_id_t user)
{
    struct model_account *a = &self->accounts[account];
    struct model_user *u = &self->users[user];
    int64_t second = self->now_ns / MODEL_SECOND_NS;
    if (rate_is_full(&a->rate, second, a->limits.max_messages)) return false;
    if (rate_is_full(&u->rate, second, u->limits.max_messages)) return false;
    count_message(&a->rate, second);
    count_message(&u->rate, second);
    return true;
}

/* ---- an order's size ---- */

enum reject model_check_order_size(const struct model *self, const struct model_order *order,
                                   user_id_t user)
{
    const struct model_instrument *i = &self->instruments[order->instrument];
    const struct model_limits *each[] = {&i->limits, &self->accounts[order->account].limits,
                                         &self->users[user].limits};
    __int128 notional = (__int128)order->limit_px * order->order_qty;
    for (unsigned n = 0; n < 3; n++)
        if (each[n]->max_order_qty != 0 && order->order_qty > each[n]->max_order_qty)
            return REJECT_MAX_ORDER_QTY;
    for (unsigned n = 0; n < 3; n++)
        if (each[n]->max_order_notional != 0 && notional > each[n]->max_order_notional)
            return REJECT_MAX_ORDER_NOTIONAL;
    __int128 most = order->side == SIDE_BUY ? model_buy_hold(i, notional) : notional;
    return most > INT64_MAX ? REJECT_MAX_ORDER_NOTIONAL : REJECT_NONE;
}

/* ---- what the account has besides ---- */

uint32_t model_open_orders(const struct model *self, account_id_t account)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->order_count; i++) count += self->orders[i]->account == account;
    return count;
}

__int128 model_open_notional(const struct model *self, account_id_t account)
{
    __int128 notional = 0;
    for (uint32_t i = 0; i < self->order_count; i++)
        if (self->orders[i]->account == account)
            notional += (__int128)self->orders[i]->limit_px * model_leaves(self->orders[i]);
    return notional;
}

static enum reject check_daily_volume(const struct model *self, const struct model_order *order,
                                      __int128 growth)
{
    const struct model_volume *volume = model_volume(self, order->user, order->instrument);
    qty_t max_qty = self->users[order->user].limits.max_daily_qty;
    if (max_qty == 0) max_qty = self->instruments[order->instrument].limits.max_daily_qty;
    if (max_qty == 0) max_qty = DEFAULT_DAILY_QTY;
    __int128 qty = growth + (volume ? volume->qty : 0);
    for (uint32_t i = 0; i < self->order_count; i++)
        if (self->orders[i]->user == order->user &&
            self->orders[i]->instrument == order->instrument)
            qty += model_leaves(self->orders[i]);
    return max_qty != -1 && growth > 0 && qty > max_qty ? REJECT_DAILY_VOLUME : REJECT_NONE;
}

/* The lower of two limits that may be none. */
static __int128 lower_limit(qty_t a, qty_t b)
{
    if (a == 0) return b == 0 ? MODEL_LEDGER_MAX : b;
    return b == 0 || a < b ? a : b;
}

static enum reject check_position(const struct model *self, const struct model_order *order,
                                  __int128 growth)
{
    const struct model_limits *a = &self->instruments[order->instrument].limits;
    const struct model_limits *b = &self->accounts[order->account].limits;
    const struct model_position *p = model_position(self, order->account, order->instrument);
    __int128 qty = p ? p->qty : 0;
    __int128 open = model_open_qty(self, order->account, order->instrument, order->side) + growth;
    if (growth <= 0) return REJECT_NONE;
    if (order->side == SIDE_BUY) {
        __int128 most = lower_limit(a->max_long_qty, b->max_long_qty);
        return qty + open > most || qty + open > MODEL_LEDGER_MAX ? REJECT_MAX_POSITION
                                                                  : REJECT_NONE;
    }
    if (!model_shorts_allowed(self, order)) return REJECT_NONE; /* the shares must be there */
    __int128 most = lower_limit(a->max_short_qty, b->max_short_qty);
    return open - qty > most || open - qty > MODEL_LEDGER_MAX ? REJECT_MAX_POSITION : REJECT_NONE;
}

enum reject model_check_growth(const struct model *self, const struct model_order *order,
                               __int128 qty, __int128 notional)
{
    const struct model_account *account = &self->accounts[order->account];
    enum reject reason = check_daily_volume(self, order, qty);
    if (reason == REJECT_NONE) reason = check_position(self, order, qty);
    if (reason != REJECT_NONE) return reason;
    __int128 open = model_open_notional(self, order->account) + notional;
    __int128 most = account->limits.max_exposure;
    if (notional <= 0) return REJECT_NONE;
    if (open > INT64_MAX) return REJECT_MAX_EXPOSURE;
    return most != 0 && open + account->traded_notional > most ? REJECT_MAX_EXPOSURE : REJECT_NONE;
}

bool model_shorts_allowed(const struct model *self, const struct model_order *order)
{
    return self->instruments[order->instrument].shortable &&
           self->accounts[order->account].may_short;
}

enum reject model_check_funds(const struct model *self, const struct model_order *order,
                              __int128 qty, __int128 hold)
{
    if (order->side == SIDE_BUY) {
        uint32_t currency = self->instruments[order->instrument].currency;
        return hold > 0 && hold > model_available_cash(self, order->account, currency)
                   ? REJECT_INSUFFICIENT_CASH
                   : REJECT_NONE;
    }
    if (qty <= 0 || model_shorts_allowed(self, order)) return REJECT_NONE;
    return qty > model_available_qty(self, order->account, order->instrument)
               ? REJECT_INSUFFICIENT_SHARES
               : REJECT_NONE;
}
