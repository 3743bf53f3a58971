#include "engine/base/check.h"
#include "engine/engine_layout.h"
#include "engine/wallet/fee.h"

/* Sums are 128 bits wide, so that they are right even where a running figure might be wrong. */
typedef __int128 sum_t;

/* ---- orders, one by one ---- */

static void validate_price(const struct engine *self, const struct book_order *order)
{
    const struct instrument *i = &self->instruments.table[order->instrument];
    const struct order_more *more = book_more(&self->books, order);
    uint32_t ticks, stop_ticks = 0;
    CHECK(instrument_check_px(&self->instruments, i, order->limit_px, &ticks) == REJECT_NONE);
    bool is_stop = order->ord_type == ORD_TYPE_STOP || order->ord_type == ORD_TYPE_STOP_LIMIT;
    if (is_stop)
        CHECK(instrument_check_px(&self->instruments, i, more->stop_px, &stop_ticks) ==
              REJECT_NONE);
    CHECK(!order->triggered || is_stop);
    bool buys = order->side == SIDE_BUY;
    if (order->place == PLACE_BOOK)
        CHECK(ladder_key(&self->books.pool, order->at) ==
              book_key(buys ? LADDER_BIDS : LADDER_ASKS, ticks));
    if (order->place == PLACE_STOP)
        CHECK(is_stop && !order->triggered &&
              ladder_key(&self->books.pool, order->at) ==
                  book_key(buys ? LADDER_BUY_STOPS : LADDER_SELL_STOPS, stop_ticks));
}

static void validate_order(const struct engine *self, uint32_t slot)
{
    const struct book_order *order = &self->books.orders[slot];
    const struct order_more *more = &self->books.more[slot];
    CHECK(slot_of(order->order_id) == slot && order->place != PLACE_NOWHERE);
    CHECK(order->order_id >> ORDER_SLOT_BITS <= self->books.counts->orders_made);
    CHECK(order->side == SIDE_BUY || order->side == SIDE_SELL);
    CHECK(order->leaves_qty > 0 && order->leaves_qty <= order->order_qty);
    CHECK(account_is_open(&self->accounts, order->account));
    CHECK(instrument_find(&self->instruments, order->instrument));
    validate_price(self, order);

    const struct wallet_position *p = &self->wallet.positions[order->position];
    CHECK(p->account == order->account && p->instrument == order->instrument);
    const struct volume *v = &self->volumes.slots[order->volume];
    CHECK(v->instrument == order->instrument);
    CHECK(account_has_user(&self->accounts, order->account, v->user));

    bool is_gtd = order->time_in_force == TIF_GTD;
    CHECK(is_gtd == (more->expire_ns != 0));
    CHECK(order->post_only == ((more->exec_inst & EXEC_INST_POST_ONLY) != 0));
    CHECK(timer_deadline_ns(&self->timers, TIMER_ORDER, slot) == more->expire_ns);
    CHECK(order->place != PLACE_PARKED || order->time_in_force == TIF_AT_CLOSE);
    if (more->cl_ord_id_hash)
        CHECK(cl_ord_id_find(&self->cl_ord_ids, order->account, more->cl_ord_id_hash) ==
              order->order_id);
}

static void validate_slots(const struct engine *self)
{
    const struct books *books = &self->books;
    for (uint32_t slot = 1; slot < books->counts->order_fresh; slot++) {
        if (books->orders[slot].order_id)
            validate_order(self, slot);
        else
            CHECK(timer_deadline_ns(&self->timers, TIMER_ORDER, slot) == 0);
    }
}

/* ---- what orders add up to ---- */

/* The account's list is complete, in the order of acceptance, and its figures and the cash held are
 * the sums over it. Returns how many orders it has. */
static uint32_t validate_account(const struct engine *self, account_id_t account)
{
    const struct account *a = &self->accounts.accounts[account];
    sum_t open_notional = 0, held[CURRENCY_COUNT] = {0};
    uint32_t count = 0, prev = 0;
    for (uint32_t slot = a->first_order; slot; slot = self->books.more[slot].account_next) {
        const struct book_order *order = &self->books.orders[slot];
        CHECK(order->order_id && order->account == account && count < self->books.order_max);
        CHECK(self->books.more[slot].account_prev == prev);
        CHECK(!prev || self->books.orders[prev].order_id < order->order_id);
        const struct instrument *i = &self->instruments.table[order->instrument];
        sum_t notional = (sum_t)order->limit_px * order->leaves_qty;
        cash_t hold;
        CHECK(notional <= INT64_MAX);
        open_notional += notional;
        if (order->side == SIDE_BUY) {
            CHECK(fee_hold((cash_t)notional, i->max_fee_ppm, &hold));
            held[i->currency] += hold;
        }
        prev = slot;
        count++;
    }
    CHECK(a->last_order == prev && a->open_orders == count && a->open_notional == open_notional);
    for (uint32_t currency = 0; currency < CURRENCY_COUNT; currency++)
        CHECK(wallet_cash_of(&self->wallet, account, currency)->held == held[currency]);
    return count;
}

static void validate_accounts(const struct engine *self)
{
    uint64_t orders = 0;
    for (account_id_t account = 0; account < self->accounts.account_max; account++) {
        const struct account *a = &self->accounts.accounts[account];
        if (!account_is_open(&self->accounts, account)) {
            CHECK(a->first_order == 0 && a->open_orders == 0 && a->open_notional == 0);
            continue;
        }
        CHECK(a->stp != STP_ACCOUNT && a->stp <= STP_ALLOW && a->fee_tier < FEE_TIER_COUNT);
        orders += validate_account(self, account);
        bounds_validate_account(&self->accounts, account);
    }
    CHECK(orders == self->books.counts->orders);
}

/* Its holds and open buys are those of its account's orders. */
static void validate_position(const struct engine *self, uint32_t position)
{
    const struct wallet_position *p = &self->wallet.positions[position];
    sum_t held = 0, open_buy_qty = 0;
    uint32_t slot = self->accounts.accounts[p->account].first_order;
    for (; slot; slot = self->books.more[slot].account_next) {
        const struct book_order *order = &self->books.orders[slot];
        if (order->position != position) continue;
        *(order->side == SIDE_SELL ? &held : &open_buy_qty) += order->leaves_qty;
    }
    CHECK(p->held == held && p->open_buy_qty == open_buy_qty);
}

/* A user's open quantity is that of the orders that it sent, all for its one account. */
static void validate_volume(const struct engine *self, uint32_t volume)
{
    const struct volume *v = &self->volumes.slots[volume];
    sum_t open_qty = 0;
    CHECK(user_exists(&self->accounts, v->user) && v->traded_qty >= 0);
    CHECK(volume_find(&self->volumes, v->user, v->instrument) == volume);
    account_id_t account = self->accounts.users[v->user].account;
    uint32_t slot = self->accounts.accounts[account].first_order;
    for (; slot; slot = self->books.more[slot].account_next)
        if (self->books.orders[slot].volume == volume)
            open_qty += self->books.orders[slot].leaves_qty;
    CHECK(v->open_qty == open_qty);
}

static void validate_sums(const struct engine *self)
{
    uint64_t volumes = 0;
    for (uint32_t slot = 1; slot < self->wallet.position_slots; slot++)
        if (self->wallet.positions[slot].account) validate_position(self, slot);
    CHECK(self->volumes.slots[0].user == 0);
    for (uint32_t slot = 1; slot < self->volumes.slot_count; slot++) {
        if (!self->volumes.slots[slot].user) continue;
        validate_volume(self, slot);
        volumes++;
    }
    CHECK(volumes == *self->volumes.used);
}

/* ---- instruments ---- */

static uint32_t count_at_open(const struct engine *self, instrument_id_t instrument,
                              enum book_ladder which)
{
    const struct ladder *ladder = book_ladder(&self->books, instrument, which);
    const struct book_order *order = book_first(&self->books, ladder);
    uint32_t count = 0;
    for (; order; order = book_next(&self->books, ladder, order))
        count += order->time_in_force == TIF_AT_OPEN;
    return count;
}

static uint32_t count_parked(const struct engine *self, instrument_id_t instrument)
{
    uint32_t count = 0;
    uint32_t slot = self->books.parked[instrument].head;
    for (; slot; slot = self->books.orders[slot].next) count++;
    return count;
}

/* Whether the best bid reaches the best ask. */
static bool is_crossed(const struct engine *self, instrument_id_t instrument)
{
    const struct ladder *bids = book_ladder(&self->books, instrument, LADDER_BIDS);
    const struct ladder *asks = book_ladder(&self->books, instrument, LADDER_ASKS);
    return bids->best_at && asks->best_at && LADDER_KEY_MAX - bids->best_key >= asks->best_key;
}

static void validate_instrument(const struct engine *self, instrument_id_t instrument)
{
    const struct instrument *i = &self->instruments.table[instrument];
    const struct instruments *all = &self->instruments;
    uint32_t ticks;
    CHECK(instrument_find_symbol(all, i->symbol) == instrument);
    CHECK(i->session >= SESSION_CLOSED && i->session <= SESSION_CLOSING_AUCTION);
    CHECK(!i->last_px || instrument_check_px(all, i, i->last_px, &ticks) == REJECT_NONE);
    CHECK(!i->reference_px || instrument_check_px(all, i, i->reference_px, &ticks) == REJECT_NONE);
    CHECK(i->has_bands == (i->static_ppm || i->dynamic_ppm || i->collar_ppm));
    CHECK(i->has_more_limits == (i->max_long_qty || i->max_short_qty || i->max_daily_qty));
    CHECK(i->session != SESSION_CONTINUOUS || !is_crossed(self, instrument));
    CHECK(i->session == SESSION_CONTINUOUS || !i->limit_state);
    CHECK(count_at_open(self, instrument, LADDER_BIDS) +
              count_at_open(self, instrument, LADDER_ASKS) ==
          i->at_open_count);
    CHECK(count_parked(self, instrument) == i->parked_count);
    bounds_validate_instrument(i);
}

static void validate_instruments(const struct engine *self)
{
    uint32_t orders = 0;
    sum_t index = 0;
    for (instrument_id_t id = 0; id < self->instruments.max; id++) {
        orders += book_validate(&self->books, id);
        const struct instrument *i = instrument_find(&self->instruments, id);
        if (!i) continue;
        validate_instrument(self, id);
        index += (sum_t)i->index_weight * instrument_mark(i);
    }
    books_validate_slots(&self->books, orders);
    CHECK(orders == self->books.counts->orders);
    CHECK(index == self->state->index);
}

void engine_validate(const struct engine *self)
{
    validate_instruments(self); /* first: the others follow the links that it has checked */
    validate_slots(self);
    validate_accounts(self);
    wallet_validate(&self->wallet);
    validate_sums(self);
    timers_validate(&self->timers);
}
