#include <string.h>

#include "engine/engine_layout.h"

const struct limits *engine_limits(const struct engine *self)
{
    return &self->state->limits;
}

uint64_t engine_day(const struct engine *self)
{
    return self->state->day;
}

bool engine_account(const struct engine *self, account_id_t account, struct account_view *view)
{
    if (!account_is_open(&self->accounts, account)) return false;
    const struct wallet_cash *cash = &self->wallet.cash[account];
    *view = (struct account_view){
        .account = account, .available_cash = cash->available, .held_cash = cash->held};
    memcpy(view->name, self->accounts.accounts[account].name, NAME_BYTES);
    return true;
}

bool engine_position(const struct engine *self, account_id_t account, instrument_id_t instrument,
                     struct position_view *view)
{
    const struct wallet_position *p = wallet_find_position(&self->wallet, account, instrument);
    if (!p) return false;
    *view = (struct position_view){
        .instrument = instrument, .available_qty = p->available, .held_qty = p->held};
    return true;
}

bool engine_instrument(const struct engine *self, instrument_id_t instrument,
                       struct instrument_view *view)
{
    const struct instrument *i = instrument_find(&self->instruments, instrument);
    if (!i) return false;
    *view = (struct instrument_view){.instrument = instrument,
                                     .tick_px = i->tick_px,
                                     .max_px = i->max_px,
                                     .lot_qty = i->lot_qty,
                                     .max_order_qty = i->max_order_qty,
                                     .max_order_notional = i->max_order_notional,
                                     .book_update_id = i->book_update_id,
                                     .last_px = i->last_px};
    memcpy(view->symbol, i->symbol, SYMBOL_BYTES);
    memcpy(view->name, i->name, NAME_BYTES);
    return true;
}

bool engine_find_symbol(const struct engine *self, const char *symbol, instrument_id_t *instrument)
{
    *instrument = instrument_find_symbol(&self->instruments, symbol);
    return *instrument != 0;
}

bool engine_order(const struct engine *self, order_id_t order_id, struct order_view *view)
{
    const struct book_order *order = book_find(&self->books, order_id);
    if (!order) return false;
    *view = (struct order_view){.order_id = order->order_id,
                                .account = order->account,
                                .instrument = order->instrument,
                                .side = (uint8_t)order->side,
                                .ord_type = order->ord_type,
                                .time_in_force = order->time_in_force,
                                .limit_px = order->limit_px,
                                .order_qty = order->order_qty,
                                .cum_qty = order->order_qty - order->leaves_qty,
                                .leaves_qty = order->leaves_qty};
    return true;
}

bool engine_key(const struct engine *self, const char *key_id, struct key_view *view)
{
    const struct api_key *key = account_find_key(&self->accounts, key_id);
    if (!key) return false;
    *view = (struct key_view){.user = key->user,
                              .account = self->accounts.users[key->user].account,
                              .scopes = key->scopes};
    memcpy(view->key_id, key->key_id, KEY_ID_BYTES);
    memcpy(view->sealed_secret, key->sealed_secret, SEALED_SECRET_BYTES);
    return true;
}

instrument_id_t engine_instrument_end(const struct engine *self)
{
    return *self->instruments.end ? *self->instruments.end : 1;
}

account_id_t engine_account_end(const struct engine *self)
{
    account_id_t end = self->accounts.counts->account_end;
    return end ? end : 1;
}

unsigned engine_depth(const struct engine *self, instrument_id_t instrument, uint8_t side,
                      struct level_view *levels, unsigned max)
{
    if (!instrument_find(&self->instruments, instrument) || (side != SIDE_BUY && side != SIDE_SELL))
        return 0;
    unsigned count = 0;
    const struct book_level *level = book_level_best(&self->books, instrument, side);
    while (level && count < max) {
        levels[count++] = (struct level_view){level->px, level->qty, level->count};
        level = book_level_after(&self->books, instrument, side, level);
    }
    return count;
}

struct level_view engine_level(const struct engine *self, instrument_id_t instrument, uint8_t side,
                               px_t px)
{
    struct level_view view = {.px = px};
    const struct instrument *i = instrument_find(&self->instruments, instrument);
    if (!i || (side != SIDE_BUY && side != SIDE_SELL)) return view;
    const struct book_level *level = book_level_at(&self->books, instrument, side, px, i->tick_px);
    if (level) {
        view.qty = level->qty;
        view.order_count = level->count;
    }
    return view;
}
