#include <string.h>

#include "engine/auction/auction.h"
#include "engine/engine_layout.h"

const struct limits *engine_limits(const struct engine *self)
{
    return &self->state->limits;
}

uint64_t engine_day(const struct engine *self)
{
    return self->state->day;
}

bool engine_market_blocked(const struct engine *self)
{
    return self->state->market_blocked;
}

/* ---- accounts, money, keys ---- */

bool engine_account(const struct engine *self, account_id_t account, struct account_view *view)
{
    bool is_house = account == 0;
    if (!is_house && !account_is_open(&self->accounts, account)) return false;
    const struct account *a = &self->accounts.accounts[account]; /* the house's is all zeros */
    const struct wallet_cash *cash = wallet_cash_of(&self->wallet, account, 0);
    *view = (struct account_view){
        .account = account,
        .available_cash = cash->available,
        .held_cash = cash->held,
        .stp = a->stp,
        .fee_tier = a->fee_tier,
        .may_short = a->may_short,
        .blocked = a->blocked,
        .open_order_count = a->open_orders,
        .open_notional = a->open_notional,
        .traded_notional = a->traded_day == self->state->day ? a->traded_notional : 0,
        .cancel_after_ns = is_house ? 0 : timer_deadline_ns(&self->timers, TIMER_ACCOUNT, account)};
    memcpy(view->name, self->accounts.account_names[account].text, NAME_BYTES);
    return true;
}

bool engine_cash(const struct engine *self, account_id_t account, uint32_t currency,
                 struct cash_view *view)
{
    if (account != 0 && !account_is_open(&self->accounts, account)) return false;
    if (currency >= CURRENCY_COUNT) return false;
    const struct wallet_cash *cash = wallet_cash_of(&self->wallet, account, currency);
    *view = (struct cash_view){cash->available, cash->held};
    return true;
}

bool engine_position(const struct engine *self, account_id_t account, instrument_id_t instrument,
                     struct position_view *view)
{
    if (!instrument_find(&self->instruments, instrument)) return false;
    *view = (struct position_view){.instrument = instrument};
    if (account == 0) {
        view->available_qty = self->wallet.house_shares[instrument];
        return true;
    }
    uint32_t slot = wallet_find_position(&self->wallet, account, instrument);
    if (!slot) return false;
    const struct wallet_position *p = &self->wallet.positions[slot];
    view->available_qty = p->available;
    view->held_qty = p->held;
    view->open_buy_qty = p->open_buy_qty;
    return true;
}

qty_t engine_traded_today(const struct engine *self, user_id_t user, instrument_id_t instrument)
{
    uint32_t slot = volume_find(&self->volumes, user, instrument);
    return slot ? volume_traded(&self->volumes.slots[slot], self->state->day) : 0;
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

account_id_t engine_account_end(const struct engine *self)
{
    account_id_t end = self->accounts.counts->account_end;
    return end ? end : 1;
}

/* ---- instruments ---- */

static px_t lowest_tick_px(const struct instruments *instruments, const struct instrument *i)
{
    px_t lowest = i->tick_px;
    if (!i->tick_table) return lowest;
    const struct tick_table *table = &instruments->tick_tables[i->tick_table];
    for (uint32_t row = 1; row < table->rows; row++)
        if (table->tick_px[row] < lowest) lowest = table->tick_px[row];
    return lowest;
}

bool engine_instrument(const struct engine *self, instrument_id_t instrument,
                       struct instrument_view *view)
{
    const struct instrument *i = instrument_find(&self->instruments, instrument);
    if (!i) return false;
    *view = (struct instrument_view){
        .instrument = instrument,
        .tick_px = lowest_tick_px(&self->instruments, i),
        .max_px = i->max_px,
        .lot_qty = i->lot_qty,
        .max_order_qty = i->max_order_qty,
        .max_order_notional = i->max_order_notional,
        .book_update_id = i->book_update_id,
        .last_px = i->last_px,
        .reference_px = i->reference_px,
        .session = i->session,
        .limit_state = i->limit_state,
        .currency = i->currency,
        .tick_table = i->tick_table,
        .schedule = i->schedule,
        .shortable = i->shortable,
        .max_fee_ppm = i->max_fee_ppm,
        .index_weight = i->index_weight,
        .static_ppm = i->static_ppm,
        .dynamic_ppm = i->dynamic_ppm,
        .collar_ppm = i->collar_ppm,
        .session_ends_ns = timer_deadline_ns(&self->timers, TIMER_PHASE, instrument),
        .next_session_ns = timer_deadline_ns(&self->timers, TIMER_SCHEDULE, instrument)};
    memcpy(view->symbol, i->symbol, SYMBOL_BYTES);
    memcpy(view->name, i->name, NAME_BYTES);
    for (unsigned tier = 0; tier < FEE_TIER_COUNT; tier++) {
        view->maker_ppm[tier] = i->fees[tier].maker_ppm;
        view->taker_ppm[tier] = i->fees[tier].taker_ppm;
    }
    return true;
}

bool engine_find_symbol(const struct engine *self, const char *symbol, instrument_id_t *instrument)
{
    *instrument = instrument_find_symbol(&self->instruments, symbol);
    return *instrument != 0;
}

instrument_id_t engine_instrument_end(const struct engine *self)
{
    return *self->instruments.end ? *self->instruments.end : 1;
}

bool engine_auction(const struct engine *self, instrument_id_t instrument,
                    struct auction_view *view)
{
    const struct instrument *i = instrument_find(&self->instruments, instrument);
    if (!i) return false;
    uint32_t reference_ticks = instrument_ticks(&self->instruments, i, instrument_mark(i));
    struct auction auction = auction_find(&self->books, instrument, reference_ticks);
    *view = (struct auction_view){.paired_qty = auction.paired_qty,
                                  .imbalance_qty = auction.imbalance_qty,
                                  .imbalance_side = auction.imbalance_side};
    if (auction.ticks) view->px = instrument_px(&self->instruments, i, auction.ticks);
    return true;
}

/* ---- orders ---- */

bool engine_order(const struct engine *self, order_id_t order_id, struct order_view *view)
{
    const struct book_order *order = book_find(&self->books, order_id);
    if (!order) return false;
    const struct order_more *more = book_more(&self->books, order);
    *view = (struct order_view){
        .order_id = order->order_id,
        .account = order->account,
        .user = self->volumes.slots[order->volume].user,
        .instrument = order->instrument,
        .side = order->side,
        .ord_type = order->ord_type,
        .time_in_force = order->time_in_force,
        .exec_inst = more->exec_inst,
        .stp = more->stp,
        .place = order->place,
        .limit_px = order->limit_px,
        .stop_px = more->stop_px,
        .order_qty = order->order_qty,
        .cum_qty = order->order_qty - order->leaves_qty,
        .leaves_qty = order->leaves_qty,
        .display_qty = more->display_qty,
        .shown_qty = order->place == PLACE_BOOK ? book_shown(&self->books, order) : 0,
        .expire_ns = more->expire_ns};
    return true;
}

order_id_t engine_next_order(const struct engine *self, account_id_t account, order_id_t after)
{
    if (!account_is_open(&self->accounts, account)) return 0;
    uint32_t slot = self->accounts.accounts[account].first_order;
    if (after) {
        const struct book_order *order = book_find(&self->books, after);
        if (!order || order->account != account) return 0;
        slot = book_more(&self->books, order)->account_next;
    }
    return slot ? self->books.orders[slot].order_id : 0;
}

/* ---- books ---- */

static bool has_book(const struct engine *self, instrument_id_t instrument, uint8_t side)
{
    return instrument_find(&self->instruments, instrument) &&
           (side == SIDE_BUY || side == SIDE_SELL);
}

static enum book_ladder ladder_of(uint8_t side)
{
    return side == SIDE_BUY ? LADDER_BIDS : LADDER_ASKS;
}

static struct level_view level_view_of(const struct price_level *level, px_t px)
{
    return (struct level_view){px, level->leaves_qty - level->hidden_qty, level->count};
}

unsigned engine_depth(const struct engine *self, instrument_id_t instrument, uint8_t side,
                      struct level_view *levels, unsigned max)
{
    if (!has_book(self, instrument, side)) return 0;
    const struct instrument *i = &self->instruments.table[instrument];
    const struct ladder_pool *pool = &self->books.pool;
    const struct ladder *ladder = book_own(&self->books, instrument, side);
    unsigned count = 0;
    for (uint32_t at = ladder->best_at; at && count < max; at = ladder_next(pool, ladder, at)) {
        /* book_key() is its own inverse */
        uint32_t ticks = book_key(ladder_of(side), ladder_key(pool, at));
        levels[count++] =
            level_view_of(&pool->levels[at], instrument_px(&self->instruments, i, ticks));
    }
    return count;
}

struct level_view engine_level(const struct engine *self, instrument_id_t instrument, uint8_t side,
                               px_t px)
{
    uint32_t ticks;
    struct level_view none = {.px = px};
    if (!has_book(self, instrument, side)) return none;
    const struct instrument *i = &self->instruments.table[instrument];
    if (instrument_check_px(&self->instruments, i, px, &ticks) != REJECT_NONE) return none;
    const struct ladder_pool *pool = &self->books.pool;
    uint32_t at = ladder_find(pool, book_own(&self->books, instrument, side),
                              book_key(ladder_of(side), ticks));
    return at ? level_view_of(&pool->levels[at], px) : none;
}
