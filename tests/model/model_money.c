#include <stdlib.h>

#include "tests/model/model_parts.h"

/* ---- what there is ---- */

struct model_position *model_position(const struct model *self, account_id_t account,
                                      instrument_id_t instrument)
{
    for (uint32_t i = 0; i < self->position_count; i++) {
        struct model_position *p = &self->positions[i];
        if (p->account == account && p->instrument == instrument) return p;
    }
    return NULL;
}

struct model_volume *model_volume(const struct model *self, user_id_t user,
                                  instrument_id_t instrument)
{
    for (uint32_t i = 0; i < self->volume_count; i++) {
        struct model_volume *v = &self->volumes[i];
        if (v->user == user && v->instrument == instrument) return v;
    }
    return NULL;
}

bool model_open_position(struct model *self, account_id_t account, instrument_id_t instrument)
{
    if (model_position(self, account, instrument)) return true;
    if (self->position_count == self->limits.positions) return false;
    self->positions[self->position_count++] =
        (struct model_position){.account = account, .instrument = instrument};
    return true;
}

__int128 model_buy_hold(const struct model_instrument *instrument, __int128 notional)
{
    __int128 millionths = notional * instrument->max_fee_ppm;
    return notional + (millionths + MODEL_MILLION - 1) / MODEL_MILLION;
}

__int128 model_held_cash(const struct model *self, account_id_t account, uint32_t currency)
{
    __int128 held = 0;
    for (uint32_t i = 0; i < self->order_count; i++) {
        const struct model_order *order = self->orders[i];
        const struct model_instrument *instrument = &self->instruments[order->instrument];
        if (order->account == account && order->side == SIDE_BUY &&
            instrument->currency == currency)
            held += model_buy_hold(instrument, (__int128)order->limit_px * model_leaves(order));
    }
    return held;
}

__int128 model_open_qty(const struct model *self, account_id_t account, instrument_id_t instrument,
                        uint8_t side)
{
    __int128 qty = 0;
    for (uint32_t i = 0; i < self->order_count; i++) {
        const struct model_order *order = self->orders[i];
        if (order->account == account && order->instrument == instrument && order->side == side)
            qty += model_leaves(order);
    }
    return qty;
}

__int128 model_available_cash(const struct model *self, account_id_t account, uint32_t currency)
{
    return self->accounts[account].cash[currency] - model_held_cash(self, account, currency);
}

__int128 model_available_qty(const struct model *self, account_id_t account,
                             instrument_id_t instrument)
{
    if (account == 0) return self->instruments[instrument].house_qty;
    const struct model_position *p = model_position(self, account, instrument);
    return p ? p->qty - model_open_qty(self, account, instrument, SIDE_SELL) : 0;
}

/* ---- assets ---- */

/* Cash of a currency or shares of an instrument. */
struct asset {
    bool is_cash;
    uint32_t id;
};

static bool find_asset(const struct model *self, asset_t number, struct asset *asset)
{
    if (number == 0) {
        *asset = (struct asset){true, 0};
        return true;
    }
    if (number >= ASSET_CASH) {
        *asset = (struct asset){true, number - ASSET_CASH};
        return asset->id < CURRENCY_COUNT;
    }
    *asset = (struct asset){false, number};
    return model_is_listed(self, number);
}

/* An account's, or the house's. */
static __int128 *balance_of(struct model *self, account_id_t account, struct asset asset)
{
    if (asset.is_cash) return &self->accounts[account].cash[asset.id];
    if (account == 0) return &self->instruments[asset.id].house_qty;
    return &model_position(self, account, asset.id)->qty;
}

static __int128 available(const struct model *self, account_id_t account, struct asset asset)
{
    return asset.is_cash ? model_available_cash(self, account, asset.id)
                         : model_available_qty(self, account, asset.id);
}

/* What was paid in of it and not paid out. */
static __int128 *paid_in(struct model *self, struct asset asset)
{
    return asset.is_cash ? &self->paid_in_cash[asset.id] : &self->instruments[asset.id].paid_in_qty;
}

/* Everything there is of it, over all accounts and the house. */
static __int128 total_of(const struct model *self, struct asset asset)
{
    __int128 total = 0;
    if (asset.is_cash) {
        for (uint32_t i = 0; i < self->limits.accounts; i++)
            total += self->accounts[i].cash[asset.id];
        return total;
    }
    for (uint32_t i = 0; i < self->position_count; i++)
        if (self->positions[i].instrument == asset.id) total += self->positions[i].qty;
    return total + self->instruments[asset.id].house_qty;
}

static bool is_short(const struct model *self, account_id_t account)
{
    for (uint32_t i = 0; i < self->position_count; i++)
        if (self->positions[i].account == account && self->positions[i].qty < 0) return true;
    return false;
}

/* Whether an account may give so much away. */
static enum reject check_gift(const struct model *self, account_id_t account, struct asset asset,
                              int64_t qty)
{
    if (asset.is_cash && is_short(self, account)) return REJECT_SHORT_POSITION;
    if (available(self, account, asset) < qty)
        return asset.is_cash ? REJECT_INSUFFICIENT_CASH : REJECT_INSUFFICIENT_SHARES;
    return REJECT_NONE;
}

/* ---- paid in, paid out, moved ---- */

void model_deposit(struct model *self, const struct command_deposit *command)
{
    struct asset asset;
    enum reject reason = REJECT_NONE;
    if (!model_account_is_open(self, command->account))
        reason = REJECT_UNKNOWN_ACCOUNT;
    else if (!find_asset(self, command->asset, &asset))
        reason = REJECT_UNKNOWN_INSTRUMENT;
    else if (command->qty < 1)
        reason = REJECT_INVALID_QTY;
    else if (total_of(self, asset) + command->qty > MODEL_LEDGER_MAX)
        reason = REJECT_OVERFLOW;
    else if (!asset.is_cash && !model_open_position(self, command->account, asset.id))
        reason = REJECT_POSITIONS_FULL;
    if (reason != REJECT_NONE) {
        model_reject_command(self, COMMAND_DEPOSIT, reason);
        return;
    }
    __int128 *balance = balance_of(self, command->account, asset);
    *balance += command->qty;
    *paid_in(self, asset) += command->qty;
    struct event_deposited event = {.header = EVENT_HEADER(EVENT_DEPOSITED, struct event_deposited),
                                    .account = command->account,
                                    .asset = command->asset,
                                    .qty = command->qty,
                                    .balance = (int64_t)*balance};
    model_emit(self, &event, sizeof event);
}

void model_withdraw(struct model *self, const struct command_withdraw *command)
{
    struct asset asset;
    enum reject reason;
    if (!model_account_is_open(self, command->account))
        reason = REJECT_UNKNOWN_ACCOUNT;
    else if (!find_asset(self, command->asset, &asset))
        reason = REJECT_UNKNOWN_INSTRUMENT;
    else if (command->qty < 1)
        reason = REJECT_INVALID_QTY;
    else
        reason = check_gift(self, command->account, asset, command->qty);
    if (reason != REJECT_NONE) {
        model_reject_command(self, COMMAND_WITHDRAW, reason);
        return;
    }
    __int128 *balance = balance_of(self, command->account, asset);
    *balance -= command->qty;
    *paid_in(self, asset) -= command->qty;
    struct event_withdrawn event = {.header = EVENT_HEADER(EVENT_WITHDRAWN, struct event_withdrawn),
                                    .account = command->account,
                                    .asset = command->asset,
                                    .qty = command->qty,
                                    .balance = (int64_t)*balance};
    model_emit(self, &event, sizeof event);
}

static enum reject check_transfer(struct model *self, const struct command_transfer *command,
                                  struct asset *asset)
{
    account_id_t from = command->from_account, to = command->to_account;
    if (from == to || command->reason > TRANSFER_CORRECTION) return REJECT_INVALID_SETTING;
    if (from != 0 && !model_account_is_open(self, from)) return REJECT_UNKNOWN_ACCOUNT;
    if (to != 0 && !model_account_is_open(self, to)) return REJECT_UNKNOWN_ACCOUNT;
    if (!find_asset(self, command->asset, asset)) return REJECT_UNKNOWN_INSTRUMENT;
    if (command->qty < 1) return REJECT_INVALID_QTY;
    if (from != 0) {
        enum reject reason = check_gift(self, from, *asset, command->qty);
        if (reason != REJECT_NONE) return reason;
    } else if (*balance_of(self, 0, *asset) - command->qty < MODEL_HOUSE_MIN) {
        return REJECT_OVERFLOW;
    }
    if (to != 0 && !asset->is_cash && !model_open_position(self, to, asset->id))
        return REJECT_POSITIONS_FULL;
    return REJECT_NONE;
}

void model_transfer(struct model *self, const struct command_transfer *command)
{
    struct asset asset;
    enum reject reason = check_transfer(self, command, &asset);
    if (reason != REJECT_NONE) {
        model_reject_command(self, COMMAND_TRANSFER, reason);
        return;
    }
    __int128 *from = balance_of(self, command->from_account, asset);
    __int128 *to = balance_of(self, command->to_account, asset);
    *from -= command->qty;
    *to += command->qty;
    struct event_transferred event = {.header =
                                          EVENT_HEADER(EVENT_TRANSFERRED, struct event_transferred),
                                      .from_account = command->from_account,
                                      .to_account = command->to_account,
                                      .asset = command->asset,
                                      .reason = command->reason,
                                      .qty = command->qty,
                                      .from_balance = (int64_t)*from,
                                      .to_balance = (int64_t)*to};
    model_emit(self, &event, sizeof event);
}

/* ---- trades ---- */

/* Takes a side's fee to the house. */
static struct fee charge(struct model *self, const struct model_order *order, __int128 notional,
                         uint8_t liquidity)
{
    const struct model_instrument *i = &self->instruments[order->instrument];
    struct model_account *account = &self->accounts[order->account];
    __int128 *house = &self->accounts[0].cash[i->currency];
    int32_t ppm = liquidity == LIQUIDITY_REMOVED ? i->taker_ppm[account->fee_tier]
                                                 : i->maker_ppm[account->fee_tier];
    __int128 millionths = notional * ppm;
    struct fee fee = {.fee = (cash_t)(millionths / MODEL_MILLION),
                      .remainder = (int32_t)(millionths % MODEL_MILLION)};
    if (fee.fee < 0 && *house + fee.fee < MODEL_HOUSE_MIN) return (struct fee){0, 0};
    account->cash[i->currency] -= fee.fee;
    *house += fee.fee;
    return fee;
}

static void keep_trade(struct model *self, const struct model_trade *trade)
{
    if (self->trade_count == self->trade_room) {
        self->trade_room = self->trade_room ? self->trade_room * 2 : 64;
        self->trades = realloc(self->trades, self->trade_room * sizeof *self->trades);
        if (!self->trades) abort();
    }
    self->trades[self->trade_count++] = *trade;
}

/* What a day counts of one side of a trade. */
static void count_side(struct model *self, const struct model_order *order, qty_t qty,
                       __int128 notional)
{
    self->accounts[order->account].traded_notional += notional;
    model_volume(self, order->user, order->instrument)->qty += qty;
}

void model_trade(struct model *self, struct model_order *first, struct model_order *second,
                 qty_t qty, px_t px, uint8_t first_liquidity, uint8_t second_liquidity)
{
    struct model_instrument *i = &self->instruments[first->instrument];
    struct model_order *buy = first->side == SIDE_BUY ? first : second;
    struct model_order *sell = first->side == SIDE_BUY ? second : first;
    __int128 notional = (__int128)px * qty;
    self->accounts[buy->account].cash[i->currency] -= notional;
    self->accounts[sell->account].cash[i->currency] += notional;
    model_position(self, buy->account, buy->instrument)->qty += qty;
    model_position(self, sell->account, sell->instrument)->qty -= qty;
    struct fee first_fee = charge(self, first, notional, first_liquidity);
    struct fee second_fee = charge(self, second, notional, second_liquidity);
    count_side(self, first, qty, notional);
    count_side(self, second, qty, notional);
    first->cum_qty += qty;
    second->cum_qty += qty;
    i->last_px = px;
    i->book_update_id++;
    keep_trade(self,
               &(struct model_trade){.buy_order_id = buy->order_id,
                                     .sell_order_id = sell->order_id,
                                     .buyer = buy->account,
                                     .seller = sell->account,
                                     .instrument = buy->instrument,
                                     .qty = qty,
                                     .px = px,
                                     .buyer_fee = buy == first ? first_fee.fee : second_fee.fee,
                                     .seller_fee = buy == first ? second_fee.fee : first_fee.fee});
    model_emit_fill(self, first, qty, px, first_liquidity, first_fee);
    model_emit_fill(self, second, qty, px, second_liquidity, second_fee);
}

static enum reject check_bust(const struct model *self, trade_id_t trade_id)
{
    if (trade_id < 1 || trade_id > self->trade_count) return REJECT_UNKNOWN_TRADE;
    if (self->trade_count - trade_id >= self->limits.trades) return REJECT_UNKNOWN_TRADE;
    const struct model_trade *trade = &self->trades[trade_id - 1];
    if (trade->busted) return REJECT_TRADE_BUSTED;
    if (model_available_qty(self, trade->buyer, trade->instrument) < trade->qty)
        return REJECT_INSUFFICIENT_SHARES;
    uint32_t currency = self->instruments[trade->instrument].currency;
    if (model_available_cash(self, trade->seller, currency) <
        (__int128)trade->px * trade->qty - trade->seller_fee)
        return REJECT_INSUFFICIENT_CASH;
    __int128 fees = (__int128)trade->buyer_fee + trade->seller_fee;
    if (fees > 0 && self->accounts[0].cash[currency] - fees < MODEL_HOUSE_MIN)
        return REJECT_OVERFLOW;
    return REJECT_NONE;
}

void model_bust_trade(struct model *self, const struct command_bust_trade *command)
{
    enum reject reason = check_bust(self, command->trade_id);
    if (reason != REJECT_NONE) {
        model_reject_command(self, COMMAND_BUST_TRADE, reason);
        return;
    }
    struct model_trade *trade = &self->trades[command->trade_id - 1];
    uint32_t currency = self->instruments[trade->instrument].currency;
    __int128 notional = (__int128)trade->px * trade->qty;
    trade->busted = true;
    self->accounts[trade->buyer].cash[currency] += notional + trade->buyer_fee;
    self->accounts[trade->seller].cash[currency] -= notional - trade->seller_fee;
    self->accounts[0].cash[currency] -= (__int128)trade->buyer_fee + trade->seller_fee;
    model_position(self, trade->buyer, trade->instrument)->qty -= trade->qty;
    model_position(self, trade->seller, trade->instrument)->qty += trade->qty;
    struct event_trade_busted event = {
        .header = EVENT_HEADER(EVENT_TRADE_BUSTED, struct event_trade_busted),
        .trade_id = command->trade_id,
        .buy_order_id = trade->buy_order_id,
        .sell_order_id = trade->sell_order_id,
        .buyer = trade->buyer,
        .seller = trade->seller,
        .instrument = trade->instrument,
        .qty = trade->qty,
        .px = trade->px,
        .buyer_fee = trade->buyer_fee,
        .seller_fee = trade->seller_fee};
    model_emit(self, &event, sizeof event);
}
