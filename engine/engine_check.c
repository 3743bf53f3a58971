#include "engine/engine_check.h"

#include <string.h>

#include "engine/base/arith.h"
#include "engine/base/paths.h"
#include "engine/wallet/fee.h"

enum { ICEBERG_PARTS_MAX = 1000 };

/* ---- who ---- */

enum reject check_sender(const struct engine *self, const struct command_new_order *c)
{
    if (!account_has_user(&self->accounts, c->account, c->user)) /* open, if it has any */
        return account_is_open(&self->accounts, c->account) ? REJECT_UNKNOWN_USER
                                                            : REJECT_UNKNOWN_ACCOUNT;
    if (!cl_ord_id_is_valid(c->cl_ord_id)) return REJECT_INVALID_CL_ORD_ID;
    return REJECT_NONE;
}

/* Whether anything is out of the ordinary that an order might fail for: a session other than
 * CONTINUOUS, a block, a band, a row of limits. Asked once, so that the ordinary order is spared
 * the questions one by one. */
static bool is_special(const struct engine *self, const struct instrument *i,
                       const struct account *a, const struct user *u)
{
    return (i->session ^ SESSION_CONTINUOUS) | i->has_bands | i->has_more_limits | a->blocked |
           a->has_limits | u->has_limits | (self->state->market_blocked != 0);
}

static void count_message(struct engine *self, account_id_t account, user_id_t user)
{
    struct account *a = &self->accounts.accounts[account];
    struct user *u = &self->accounts.users[user];
    uint32_t second = (uint32_t)self->state->second;
    risk_rate_count(&a->rate_second, &a->rate_count, second);
    risk_rate_count(&u->rate_second, &u->rate_count, second);
}

/* Counts a new order or replace, unless account or user have sent their fill this second. */
static enum reject check_rate(struct engine *self, account_id_t account, user_id_t user)
{
    struct accounts *all = &self->accounts;
    struct account *a = &all->accounts[account];
    struct user *u = &all->users[user];
    uint32_t second = (uint32_t)self->state->second;
    if (__builtin_expect(a->has_limits | u->has_limits, 0)) {
        uint32_t account_max = all->account_limits[account].max_messages;
        uint32_t user_max = all->user_limits[user].max_messages;
        if (!risk_rate_ok(a->rate_second, a->rate_count, second, account_max) ||
            !risk_rate_ok(u->rate_second, u->rate_count, second, user_max))
            return REJECT_MESSAGE_RATE;
    }
    count_message(self, account, user);
    return REJECT_NONE;
}

/* ---- terms: what the order itself says ---- */

static bool is_stop(uint8_t ord_type)
{
    return ord_type == ORD_TYPE_STOP || ord_type == ORD_TYPE_STOP_LIMIT;
}

static bool is_priced(uint8_t ord_type)
{
    return ord_type == ORD_TYPE_LIMIT || ord_type == ORD_TYPE_STOP_LIMIT;
}

/* DAY, GTC and GTD: what is not traded rests. */
static bool is_lasting(uint8_t time_in_force)
{
    return time_in_force == TIF_DAY || time_in_force == TIF_GTC || time_in_force == TIF_GTD;
}

static bool has_time_in_force(uint8_t ord_type, uint8_t time_in_force)
{
    switch (time_in_force) {
    case TIF_DAY: return true;
    case TIF_GTC:
    case TIF_GTD: return ord_type != ORD_TYPE_MARKET;
    case TIF_IOC:
    case TIF_FOK:
    case TIF_AT_OPEN:
    case TIF_AT_CLOSE: return !is_stop(ord_type);
    default: return false;
    }
}

static enum reject check_qty(const struct instrument *i, qty_t qty)
{
    if (qty <= 0 || qty > QTY_MAX) return REJECT_INVALID_QTY;
    return i->lot_qty == 1 || qty % i->lot_qty == 0 ? REJECT_NONE : REJECT_INVALID_LOT;
}

static enum reject check_stop_px(const struct engine *self, const struct instrument *i,
                                 uint8_t ord_type, px_t stop_px, uint32_t *ticks)
{
    *ticks = 0;
    if (!is_stop(ord_type)) return stop_px == 0 ? REJECT_NONE : REJECT_INVALID_STOP_PX;
    return instrument_check_px(&self->instruments, i, stop_px, ticks) == REJECT_NONE
               ? REJECT_NONE
               : REJECT_INVALID_STOP_PX;
}

/* A part of the quantity that an order names: none, or whole lots. */
static bool is_part(const struct instrument *i, qty_t part, qty_t order_qty)
{
    return part == 0 || (part > 0 && part <= order_qty && part % i->lot_qty == 0);
}

/* An iceberg shows at least a thousandth: each part that it shows is a trade, and one command must
 * not make any number of them. */
static bool shows_enough(qty_t order_qty, qty_t display_qty)
{
    return display_qty == 0 || (order_qty - 1) / ICEBERG_PARTS_MAX < display_qty;
}

/* The fields that a plain order leaves empty. */
static enum reject check_extras(const struct engine *self, const struct command_new_order *c,
                                const struct order_terms *t)
{
    uint8_t tif = c->time_in_force;
    bool lasting = is_lasting(tif), post_only = c->exec_inst & EXEC_INST_POST_ONLY;
    if (!is_part(t->instrument, t->display_qty, c->order_qty) ||
        !shows_enough(c->order_qty, t->display_qty) ||
        (t->display_qty && !(lasting && is_priced(c->ord_type))))
        return REJECT_INVALID_DISPLAY_QTY;
    if (!is_part(t->instrument, t->min_qty, c->order_qty) ||
        (t->min_qty && (!(lasting || tif == TIF_IOC) || is_stop(c->ord_type) || post_only)))
        return REJECT_INVALID_MIN_QTY;
    if (tif == TIF_GTD ? t->expire_ns <= self->state->time_ns : t->expire_ns != 0)
        return REJECT_INVALID_EXPIRY;
    if (c->exec_inst & ~(EXEC_INST_POST_ONLY | EXEC_INST_CANCEL_ON_DISCONNECT) ||
        (post_only && !(lasting && c->ord_type == ORD_TYPE_LIMIT)))
        return REJECT_INVALID_EXEC_INST;
    return c->stp <= STP_ALLOW ? REJECT_NONE : REJECT_INVALID_STP;
}

static enum reject check_terms(const struct engine *self, const struct command_new_order *c,
                               struct order_terms *t)
{
    const struct instrument *i = t->instrument;
    if (c->side != SIDE_BUY && c->side != SIDE_SELL) return REJECT_INVALID_SIDE;
    if (c->ord_type < ORD_TYPE_MARKET || c->ord_type > ORD_TYPE_STOP_LIMIT)
        return REJECT_INVALID_ORD_TYPE;
    if (!has_time_in_force(c->ord_type, c->time_in_force)) return REJECT_INVALID_TIME_IN_FORCE;
    enum reject reason = check_qty(i, c->order_qty);
    if (reason != REJECT_NONE) return reason;
    t->limit_px = c->limit_px;
    if (is_priced(c->ord_type))
        reason = instrument_check_px(&self->instruments, i, c->limit_px, &t->ticks);
    else if (c->limit_px != 0)
        reason = REJECT_INVALID_PX;
    if (reason == REJECT_NONE)
        reason = check_stop_px(self, i, c->ord_type, t->stop_px, &t->stop_ticks);
    if (reason != REJECT_NONE) return reason;
    bool plain = !(t->display_qty | t->min_qty | t->expire_ns | c->exec_inst) &&
                 c->time_in_force != TIF_GTD && c->stp == 0;
    return __builtin_expect(plain, 1) ? REJECT_NONE : check_extras(self, c, t);
}

/* ---- when: blocks and sessions ---- */

static bool fits_session(const struct order_terms *t, uint8_t session)
{
    const struct command_new_order *c = t->command;
    if (session == SESSION_CONTINUOUS) return c->time_in_force != TIF_AT_OPEN;
    if (t->min_qty || c->exec_inst & EXEC_INST_POST_ONLY) return false;
    switch (c->time_in_force) {
    case TIF_IOC:
    case TIF_FOK: return false;
    case TIF_AT_OPEN: return session == SESSION_PRE_OPEN || session == SESSION_OPENING_AUCTION;
    case TIF_AT_CLOSE: return true;
    default: return c->ord_type != ORD_TYPE_MARKET;
    }
}

static enum reject check_open(const struct engine *self, const struct instrument *i,
                              account_id_t account)
{
    if (self->state->market_blocked) return REJECT_MARKET_BLOCKED;
    if (self->accounts.accounts[account].blocked) return REJECT_ACCOUNT_BLOCKED;
    if (i->session == SESSION_CLOSED) return REJECT_MARKET_CLOSED;
    if (i->session == SESSION_HALT) return REJECT_HALTED;
    return REJECT_NONE;
}

/* ---- prices against the market ---- */

static uint32_t smaller(uint32_t a, uint32_t b)
{
    if (a == 0) return b;
    return b == 0 || a < b ? a : b;
}

/* The smallest collar that is set for instrument, account and user; 0: none. */
static uint32_t collar_ppm(const struct engine *self, const struct instrument *i,
                           account_id_t account, user_id_t user)
{
    uint32_t ppm = i->collar_ppm;
    ppm = smaller(ppm, self->accounts.account_limits[account].collar_ppm);
    return smaller(ppm, self->accounts.user_limits[user].collar_ppm);
}

/* The worst price, on a tick, that a collar around a reference leaves to an order of this side. */
static uint32_t collar_ticks(const struct engine *self, const struct instrument *i, uint8_t side,
                             px_t reference, uint32_t ppm)
{
    px_t width = px_width(reference, ppm);
    if (side == SIDE_BUY) {
        px_t px = reference + width < i->max_px ? reference + width : i->max_px;
        return instrument_ticks(&self->instruments, i, px);
    }
    px_t px = reference - width;
    uint32_t ticks = instrument_ticks(&self->instruments, i, px);
    if (instrument_px(&self->instruments, i, ticks) < px) ticks++;
    return ticks ? ticks : 1;
}

/* What a market order is collared by: the last trade, the reference, the other side's best. */
static px_t market_reference(const struct engine *self, const struct instrument *i,
                             instrument_id_t instrument, uint8_t side)
{
    if (instrument_mark(i)) return instrument_mark(i);
    const struct ladder *opposite = book_opposite(&self->books, instrument, side);
    return opposite->best_at ? book_first(&self->books, opposite)->limit_px : 0;
}

/* Prices a market order, or a stop by its stop price. */
static enum reject price_by_collar(const struct engine *self, const struct instrument *i,
                                   instrument_id_t instrument, account_id_t account, user_id_t user,
                                   uint8_t side, px_t stop_px, px_t *limit_px, uint32_t *ticks)
{
    px_t reference = stop_px ? stop_px : market_reference(self, i, instrument, side);
    if (reference == 0) return REJECT_NO_REFERENCE_PX;
    uint32_t ppm = collar_ppm(self, i, account, user);
    *ticks = collar_ticks(self, i, side, reference, ppm ? ppm : RISK_COLLAR_PPM);
    *limit_px = instrument_px(&self->instruments, i, *ticks);
    return REJECT_NONE;
}

/* A limit price against static band and collar; only the side that is too eager is looked at. */
static enum reject check_limit_px(const struct engine *self, const struct instrument *i,
                                  account_id_t account, user_id_t user, uint8_t side, px_t px)
{
    px_t band = i->reference_px && i->static_ppm ? px_width(i->reference_px, i->static_ppm) : -1;
    if (band >= 0 && (side == SIDE_BUY ? px > i->reference_px + band : px < i->reference_px - band))
        return REJECT_PX_BAND;
    uint32_t ppm = collar_ppm(self, i, account, user);
    px_t reference = instrument_mark(i);
    if (ppm == 0 || reference == 0) return REJECT_NONE;
    px_t width = px_width(reference, ppm); /* px is on a tick: the collar need not be */
    return (side == SIDE_BUY ? px > reference + width : px < reference - width) ? REJECT_PX_COLLAR
                                                                                : REJECT_NONE;
}

static bool reaches_other_side(const struct engine *self, instrument_id_t instrument, uint8_t side,
                               uint32_t ticks)
{
    return book_opposite(&self->books, instrument, side)->best_key <= book_limit_key(side, ticks);
}

static bool would_take(const struct engine *self, const struct instrument *i,
                       instrument_id_t instrument, uint8_t side, uint32_t ticks)
{
    return i->session == SESSION_CONTINUOUS && reaches_other_side(self, instrument, side, ticks);
}

static enum reject check_price(const struct engine *self, const struct command_new_order *c,
                               struct order_terms *t)
{
    const struct instrument *i = t->instrument;
    if (__builtin_expect(!is_priced(c->ord_type), 0))
        return price_by_collar(self, i, c->instrument, c->account, c->user, c->side, t->stop_px,
                               &t->limit_px, &t->ticks);
    if (__builtin_expect(t->special, 0) && c->ord_type == ORD_TYPE_LIMIT) {
        enum reject reason = check_limit_px(self, i, c->account, c->user, c->side, c->limit_px);
        if (reason != REJECT_NONE) return reason;
    }
    if (__builtin_expect(c->exec_inst & EXEC_INST_POST_ONLY, 0) &&
        would_take(self, i, c->instrument, c->side, t->ticks))
        return REJECT_WOULD_TAKE;
    return REJECT_NONE;
}

/* ---- how much ---- */

/* What one request adds, and to whom. */
struct addition {
    const struct instrument *instrument;
    instrument_id_t instrument_id;
    account_id_t account;
    user_id_t user;
    uint8_t side;
    qty_t order_qty;      /* the whole order's */
    cash_t notional;      /* the whole order's */
    qty_t more_qty;       /* leaves that it adds; 0: none */
    cash_t more_notional; /* of leaves that it adds, or below 0 */
    bool is_new;
    bool special; /* is_special(): rows of limits may have something to say */
};

static bool exceeds(int64_t value, int64_t max)
{
    return max > 0 && value > max;
}

static enum reject check_one_order_rows(const struct engine *self, const struct addition *d)
{
    const struct risk_limits *account = &self->accounts.account_limits[d->account];
    const struct risk_limits *user = &self->accounts.user_limits[d->user];
    if (exceeds(d->order_qty, account->max_order_qty) || exceeds(d->order_qty, user->max_order_qty))
        return REJECT_MAX_ORDER_QTY;
    if (exceeds(d->notional, account->max_order_notional) ||
        exceeds(d->notional, user->max_order_notional))
        return REJECT_MAX_ORDER_NOTIONAL;
    return REJECT_NONE;
}

static enum reject check_one_order(const struct engine *self, const struct addition *d)
{
    const struct instrument *i = d->instrument;
    /* one row after the other would say the same: quantities come before notionals */
    enum reject rows = REJECT_NONE;
    if (__builtin_expect(d->special, 0)) rows = check_one_order_rows(self, d);
    if (exceeds(d->order_qty, i->max_order_qty) || rows == REJECT_MAX_ORDER_QTY)
        return REJECT_MAX_ORDER_QTY;
    return exceeds(d->notional, i->max_order_notional) ? REJECT_MAX_ORDER_NOTIONAL : rows;
}

/* Of the user whose order it is: another of the account's may replace it. */
static qty_t max_daily_qty(const struct engine *self, const struct addition *d,
                           const struct volume *v)
{
    user_id_t user = v->user ? v->user : d->user;
    if (__builtin_expect(self->accounts.users[user].has_limits, 0) &&
        self->accounts.user_limits[user].max_daily_qty)
        return self->accounts.user_limits[user].max_daily_qty;
    if (self->state->configured == 1) return -1; /* version 1 counted none */
    return d->instrument->max_daily_qty ? d->instrument->max_daily_qty : RISK_DAILY_QTY;
}

static enum reject check_daily_qty(const struct engine *self, const struct addition *d,
                                   uint32_t volume)
{
    const struct volume *v = &self->volumes.slots[volume];
    qty_t max = max_daily_qty(self, d, v), open, all;
    if (!arith_add(v->open_qty, d->more_qty, &open)) return REJECT_DAILY_VOLUME;
    if (max < 0) return REJECT_NONE;
    bool fits = arith_add(open, volume_traded(v, self->state->day), &all) && all <= max;
    return fits ? REJECT_NONE : REJECT_DAILY_VOLUME;
}

static bool may_short(const struct engine *self, const struct addition *d)
{
    return d->instrument->shortable && self->accounts.accounts[d->account].may_short;
}

/* The smaller of two limits that are set; RISK_POSITION_MAX when neither is. */
static qty_t position_limit(qty_t a, qty_t b)
{
    qty_t limit = RISK_POSITION_MAX;
    if (a > 0 && a < limit) limit = a;
    if (b > 0 && b < limit) limit = b;
    return limit;
}

static enum reject check_position(const struct engine *self, const struct addition *d,
                                  uint32_t position)
{
    const struct wallet_position *p = &self->wallet.positions[position];
    const struct risk_limits *account = &self->accounts.account_limits[d->account];
    bool sells = d->side == SIDE_SELL;
    if (sells && !may_short(self, d)) return REJECT_NONE; /* the shares have to be there */
    qty_t own = 0, instrument = 0;
    if (__builtin_expect(d->special, 0))
        own = sells ? account->max_short_qty : account->max_long_qty;
    if (__builtin_expect(d->special, 0))
        instrument = sells ? d->instrument->max_short_qty : d->instrument->max_long_qty;
    qty_t after, limit = position_limit(own, instrument);
    bool fits;
    if (sells)
        fits = arith_sub(p->available, d->more_qty, &after) && after >= -limit;
    else
        fits = arith_add(p->available + p->held, p->open_buy_qty, &after) &&
               arith_add(after, d->more_qty, &after) && after <= limit;
    return fits ? REJECT_NONE : REJECT_MAX_POSITION;
}

static enum reject check_exposure(const struct engine *self, const struct addition *d)
{
    const struct account *a = &self->accounts.accounts[d->account];
    cash_t open, all, max = 0;
    if (!arith_add(a->open_notional, d->more_notional, &open)) return REJECT_MAX_EXPOSURE;
    if (__builtin_expect(d->special, 0))
        max = self->accounts.account_limits[d->account].max_exposure;
    if (max == 0) return REJECT_NONE;
    cash_t traded = a->traded_day == self->state->day ? a->traded_notional : 0;
    return arith_add(open, traded, &all) && all <= max ? REJECT_NONE : REJECT_MAX_EXPOSURE;
}

static enum reject check_sums(const struct engine *self, const struct addition *d, uint32_t volume,
                              uint32_t position)
{
    enum reject reason = REJECT_NONE;
    if (__builtin_expect(d->special, 0) && d->is_new) {
        uint32_t max = self->accounts.account_limits[d->account].max_open_orders;
        if (max && self->accounts.accounts[d->account].open_orders >= max)
            return REJECT_MAX_OPEN_ORDERS;
    }
    if (d->more_qty > 0) reason = check_daily_qty(self, d, volume);
    if (reason == REJECT_NONE && d->more_qty > 0) reason = check_position(self, d, position);
    if (reason == REJECT_NONE && d->more_notional > 0) reason = check_exposure(self, d);
    return reason;
}

/* Room for all that the order may need, so that nothing can fail half-way. */
static enum reject check_room(const struct engine *self, const struct addition *d,
                              const struct order_terms *t)
{
    if (t->cl_ord_id_hash && cl_ord_ids_full(&self->cl_ord_ids)) return REJECT_CL_ORD_IDS_FULL;
    if (!book_has_order_room(&self->books)) return REJECT_ORDERS_FULL;
    if (!ladder_has_room(&self->books.pool)) return REJECT_BOOK_FULL;
    bool needs_position = d->side == SIDE_BUY || may_short(self, d);
    if (!t->position && needs_position && !wallet_has_position_room(&self->wallet))
        return REJECT_POSITIONS_FULL;
    if (!t->volume && !volume_has_room(&self->volumes)) return REJECT_VOLUMES_FULL;
    return REJECT_NONE;
}

/* Whether what has to be held is there. */
static enum reject check_means(const struct engine *self, const struct addition *d, cash_t hold,
                               uint32_t position)
{
    const struct wallet_cash *c =
        wallet_cash_of(&self->wallet, d->account, d->instrument->currency);
    bool buys = d->side == SIDE_BUY; /* comes at random: selected by, not branched on */
    int64_t available = buys ? c->available : self->wallet.positions[position].available;
    int64_t needed = buys ? hold : d->more_qty;
    if (__builtin_expect(needed <= 0 || available >= needed, 1)) return REJECT_NONE;
    if (buys) return REJECT_INSUFFICIENT_CASH;
    return may_short(self, d) ? REJECT_NONE : REJECT_INSUFFICIENT_SHARES;
}

static enum reject check_amounts(const struct engine *self, const struct command_new_order *c,
                                 struct order_terms *t)
{
    cash_t notional, hold = 0;
    struct addition d = {.instrument = t->instrument,
                         .instrument_id = c->instrument,
                         .account = c->account,
                         .user = c->user,
                         .side = c->side,
                         .order_qty = c->order_qty,
                         .more_qty = c->order_qty,
                         .is_new = true,
                         .special = t->special};
    bool has_value =
        arith_notional(t->limit_px, c->order_qty, &notional) &&
        (c->side == SIDE_SELL || fee_hold(notional, t->instrument->max_fee_ppm, &hold));
    d.notional = d.more_notional = has_value ? notional : INT64_MAX;
    t->notional = d.notional;
    t->hold = hold;
    enum reject reason = check_one_order(self, &d);
    if (reason == REJECT_NONE && !has_value) reason = REJECT_MAX_ORDER_NOTIONAL;
    if (reason != REJECT_NONE) return reason;
    t->volume = volume_find(&self->volumes, c->user, c->instrument);
    t->position = wallet_find_position(&self->wallet, c->account, c->instrument);
    reason = check_sums(self, &d, t->volume, t->position);
    if (reason == REJECT_NONE) reason = check_room(self, &d, t);
    if (reason == REJECT_NONE) reason = check_means(self, &d, hold, t->position);
    return reason;
}

/* ---- a new order ---- */

SIDE_PATH enum reject check_new_order(struct engine *self, const struct command_new_order *c,
                                      struct order_terms *t)
{
    t->command = c;
    t->stop_px = t->display_qty = t->min_qty = t->expire_ns = 0;
    t->ticks = 0;
    if (__builtin_expect(c->header.block_length >= sizeof *c - sizeof(struct sbe_header), 0)) {
        t->stop_px = c->stop_px;
        t->display_qty = c->display_qty;
        t->min_qty = c->min_qty;
        t->expire_ns = c->expire_ns;
    }
    enum reject reason = check_rate(self, c->account, c->user);
    if (reason != REJECT_NONE) return reason;
    t->instrument = instrument_find(&self->instruments, c->instrument);
    if (!t->instrument) return REJECT_UNKNOWN_INSTRUMENT;
    reason = check_terms(self, c, t);
    if (reason != REJECT_NONE) return reason;
    t->special = is_special(self, t->instrument, &self->accounts.accounts[c->account],
                            &self->accounts.users[c->user]);
    if (__builtin_expect(t->special, 0)) reason = check_open(self, t->instrument, c->account);
    if (reason != REJECT_NONE) return reason;
    if (!fits_session(t, t->instrument->session)) return REJECT_NOT_IN_SESSION;
    reason = check_price(self, c, t);
    if (reason != REJECT_NONE) return reason;
    reason = check_amounts(self, c, t);
    if (c->time_in_force == TIF_FOK) t->min_qty = c->order_qty;
    return reason;
}

/* ---- a replace ---- */

static enum reject check_new_cl_ord_id(const struct engine *self,
                                       const struct command_replace_order *c,
                                       struct replace_terms *t)
{
    if (!cl_ord_id_is_valid(c->cl_ord_id)) return REJECT_INVALID_CL_ORD_ID;
    t->cl_ord_id_hash = cl_ord_id_hash(c->cl_ord_id);
    if (!t->cl_ord_id_hash) return REJECT_NONE;
    if (cl_ord_id_find(&self->cl_ord_ids, c->account, t->cl_ord_id_hash))
        return REJECT_DUPLICATE_CL_ORD_ID;
    return cl_ord_ids_full(&self->cl_ord_ids) ? REJECT_CL_ORD_IDS_FULL : REJECT_NONE;
}

/* The new prices, if any, and whether the order keeps its place with them. */
static enum reject check_new_prices(const struct engine *self, const struct book_order *order,
                                    px_t limit_px, px_t stop_px, user_id_t user,
                                    struct replace_terms *t)
{
    const struct instrument *i = t->instrument;
    bool waits = order->place == PLACE_STOP;
    if (limit_px && !is_priced(order->ord_type)) return REJECT_INVALID_PX;
    t->limit_px = limit_px ? limit_px : order->limit_px;
    enum reject reason = instrument_check_px(&self->instruments, i, t->limit_px, &t->ticks);
    if (reason != REJECT_NONE) return reason;
    if (!waits) return stop_px ? REJECT_INVALID_STOP_PX : REJECT_NONE;
    px_t stop_now = book_more(&self->books, order)->stop_px;
    t->stop_px = stop_px ? stop_px : stop_now;
    if (instrument_check_px(&self->instruments, i, t->stop_px, &t->stop_ticks) != REJECT_NONE)
        return REJECT_INVALID_STOP_PX;
    if (order->ord_type == ORD_TYPE_STOP && t->stop_px != stop_now)
        return price_by_collar(self, i, order->instrument, order->account, user, order->side,
                               t->stop_px, &t->limit_px, &t->ticks);
    return REJECT_NONE;
}

/* Prices against the market, of an order that will match or rest. */
static enum reject check_new_price(const struct engine *self, const struct book_order *order,
                                   user_id_t user, const struct replace_terms *t)
{
    if (order->place == PLACE_STOP) return REJECT_NONE;
    if (__builtin_expect(t->special, 0) && is_priced(order->ord_type)) {
        enum reject reason =
            check_limit_px(self, t->instrument, order->account, user, order->side, t->limit_px);
        if (reason != REJECT_NONE) return reason;
    }
    if (__builtin_expect(book_more(&self->books, order)->exec_inst & EXEC_INST_POST_ONLY, 0) &&
        would_take(self, t->instrument, order->instrument, order->side, t->ticks))
        return REJECT_WOULD_TAKE;
    return REJECT_NONE;
}

static enum reject check_new_amounts(const struct engine *self, const struct book_order *order,
                                     user_id_t user, struct replace_terms *t)
{
    const struct instrument *i = t->instrument;
    qty_t leaves = order->leaves_qty + (t->order_qty - order->order_qty);
    cash_t notional, left = 0, hold = 0, hold_now = 0, now = order->limit_px * order->leaves_qty;
    bool has_value = arith_notional(t->limit_px, t->order_qty, &notional) &&
                     arith_notional(t->limit_px, leaves, &left);
    has_value =
        has_value && (fee_hold(notional, i->max_fee_ppm, &hold) || order->side == SIDE_SELL);
    (void)fee_hold(left, i->max_fee_ppm, &hold); /* a part of the above */
    (void)fee_hold(now, i->max_fee_ppm, &hold_now);
    struct addition d = {.instrument = i,
                         .instrument_id = order->instrument,
                         .account = order->account,
                         .user = user,
                         .side = order->side,
                         .order_qty = t->order_qty,
                         .notional = has_value ? notional : INT64_MAX,
                         .more_qty = leaves - order->leaves_qty,
                         .more_notional = has_value ? left - now : 0,
                         .special = t->special};
    enum reject reason = check_one_order(self, &d);
    if (reason == REJECT_NONE && !has_value) reason = REJECT_MAX_ORDER_NOTIONAL;
    if (reason == REJECT_NONE) reason = check_sums(self, &d, order->volume, order->position);
    if (reason != REJECT_NONE) return reason;
    t->more_qty = d.more_qty;
    t->more_notional = d.more_notional;
    t->more_hold = hold - hold_now;
    if (!ladder_has_room(&self->books.pool)) return REJECT_BOOK_FULL;
    return check_means(self, &d, hold - hold_now, order->position);
}

SIDE_PATH enum reject check_replace(struct engine *self, const struct command_replace_order *c,
                                    const struct book_order *order, struct replace_terms *t)
{
    px_t limit_px = 0, stop_px = 0;
    *t = (struct replace_terms){.instrument = &self->instruments.table[order->instrument]};
    enum reject reason = check_rate(self, c->account, c->user);
    t->special = is_special(self, t->instrument, &self->accounts.accounts[c->account],
                            &self->accounts.users[c->user]);
    if (__builtin_expect(t->special, 0) && reason == REJECT_NONE)
        reason = check_open(self, t->instrument, c->account);
    if (reason != REJECT_NONE) return reason;
    if (c->header.block_length >= sizeof *c - sizeof(struct sbe_header)) {
        limit_px = c->limit_px;
        stop_px = c->stop_px;
        reason = check_new_cl_ord_id(self, c, t);
        if (reason != REJECT_NONE) return reason;
    }
    t->order_qty = c->order_qty ? c->order_qty : order->order_qty;
    if (c->order_qty) reason = check_qty(t->instrument, c->order_qty);
    if (reason == REJECT_NONE &&
        !shows_enough(t->order_qty, book_more(&self->books, order)->display_qty))
        reason = REJECT_INVALID_DISPLAY_QTY;
    if (reason == REJECT_NONE)
        reason = check_new_prices(self, order, limit_px, stop_px, c->user, t);
    if (reason != REJECT_NONE) return reason;
    if (t->order_qty <= order->order_qty - order->leaves_qty) return REJECT_NONE;
    px_t stop_now = order->place == PLACE_STOP ? book_more(&self->books, order)->stop_px : 0;
    t->keeps_priority = t->limit_px == order->limit_px && t->stop_px == stop_now &&
                        t->order_qty <= order->order_qty;
    if (t->keeps_priority) return REJECT_NONE;
    reason = check_new_price(self, order, c->user, t);
    return reason == REJECT_NONE ? check_new_amounts(self, order, c->user, t) : reason;
}

/* ---- the ordinary order ---- */

/* Nearly all orders are plain ones that pass, and whether one of those passes can be seen without
 * asking in turn what it would be rejected for: by comparisons with what engine_bounds.h has worked
 * out beforehand. "No" says only that somebody has to look. */

/* Above zero the more eager the order is: how far above a price it would buy, or below it sell. */
static px_t eager_px(uint8_t side, px_t px)
{
    px_t sells = side - SIDE_BUY;
    return (px ^ -sells) + sells;
}

/* Whether a plain price is at most ppm worse than the market, in products: nothing is divided. With
 * the market's price bounded here both sides have at most 62 bits. Whole numbers lie above a width
 * that was rounded down exactly when they lie above the width. */
static bool is_within_collar(const struct instrument *i, uint8_t side, px_t px, uint32_t ppm)
{
    px_t mark = instrument_mark(i);
    return mark >> 42 == 0 && eager_px(side, px - mark) * 1000000 <= mark * ppm;
}

/* What an order or a new price has to keep by itself, whatever else there is. */
static bool is_ordinary_alone(const struct instrument *i, const struct user *u, uint8_t side,
                              px_t px, qty_t qty, uint32_t *ticks, cash_t *notional)
{
    const struct order_bounds *b = &i->bounds;
    *ticks = instrument_plain_ticks(i, px);
    if (*ticks == 0 || qty > b->order_qty || qty > u->max_order_qty) return false;
    *notional = px * qty;
    return *notional <= b->notional && *notional <= u->max_order_notional &&
           eager_px(side, px) <= b->worst_px[side - SIDE_BUY] &&
           (u->collar_ppm == 0 || is_within_collar(i, side, px, u->collar_ppm));
}

/* Open and traded notional of an account with so much more. */
static bool is_within_exposure(const struct engine *self, const struct account *a, cash_t more)
{
    cash_t traded = a->traded_day == self->state->day ? a->traded_notional : 0;
    return (uint64_t)(a->open_notional | traded) >> 61 == 0 &&
           a->open_notional + traded + more <= a->max_exposure;
}

/* Counts the message, unless account or user have sent their fill this second. */
static bool count_if_within_rate(const struct engine *self, struct account *a, struct user *u)
{
    uint32_t second = (uint32_t)self->state->second;
    uint32_t of_account = a->rate_second == second ? a->rate_count : 0;
    uint32_t of_user = u->rate_second == second ? u->rate_count : 0;
    if (of_account >= a->max_messages || of_user >= u->max_messages) return false;
    a->rate_second = u->rate_second = second;
    a->rate_count = of_account + 1;
    u->rate_count = of_user + 1;
    return true;
}

/* Limit, without instructions; DAY, GTC or IOC. */
static bool has_ordinary_terms(const struct command_new_order *c)
{
    uint32_t tifs = 1u << (TIF_DAY - '0') | 1u << (TIF_GTC - '0') | 1u << (TIF_IOC - '0');
    return c->header.block_length < sizeof *c - sizeof(struct sbe_header) &&
           c->ord_type == ORD_TYPE_LIMIT && (c->exec_inst | c->stp) == 0 &&
           (uint8_t)(c->side - SIDE_BUY) <= 1 && (uint8_t)(c->time_in_force - '0') < 32 &&
           tifs >> (c->time_in_force - '0') & 1;
}

static bool has_room(const struct engine *self, const struct order_terms *t)
{
    return (!t->cl_ord_id_hash || !cl_ord_ids_full(&self->cl_ord_ids)) &&
           book_has_order_room(&self->books) && ladder_has_room(&self->books.pool);
}

/* The sums that a new order adds to: what its user trades in a day, what its account owns. */
static bool is_within_sums(const struct engine *self, const struct instrument *i,
                           const struct user *u, uint8_t side, qty_t qty, const struct volume *v,
                           const struct wallet_position *p)
{
    uint64_t daily = (uint64_t)v->open_qty + (uint64_t)volume_traded(v, self->state->day);
    qty_t max_daily = u->max_daily_qty ? u->max_daily_qty : i->bounds.daily_qty;
    qty_t owned = p->available + p->held + p->open_buy_qty; /* wallet_shares_fit() */
    uint64_t bought = (uint64_t)by_side(side, owned, -qty) + (uint64_t)qty;
    return daily + (uint64_t)qty <= (uint64_t)max_daily && bought <= (uint64_t)i->bounds.long_qty &&
           bought <= (uint64_t)u->max_long_qty;
}

bool check_ordinary_order(struct engine *self, const struct command_new_order *c,
                          struct order_terms *t)
{
    if (!has_ordinary_terms(c) || c->instrument >= self->instruments.max) return false;
    struct instrument *i = &self->instruments.table[c->instrument];
    struct account *a = &self->accounts.accounts[c->account];
    struct user *u = &self->accounts.users[c->user];
    qty_t qty = c->order_qty;
    if (self->state->market_blocked || i->shortable || qty <= 0 ||
        !is_ordinary_alone(i, u, c->side, c->limit_px, qty, &t->ticks, &t->notional) ||
        (i->lot_qty != 1 && qty % i->lot_qty))
        return false;
    t->hold = fee_hold_plain(t->notional, i->max_fee_ppm);
    t->volume = volume_find(&self->volumes, c->user, c->instrument);
    t->position = wallet_find_position(&self->wallet, c->account, c->instrument);
    const struct volume *v = &self->volumes.slots[t->volume];
    const struct wallet_position *p = &self->wallet.positions[t->position];
    const struct wallet_cash *cash = wallet_cash_of(&self->wallet, c->account, i->currency);
    if (!t->volume || !t->position || !is_within_sums(self, i, u, c->side, qty, v, p) ||
        a->open_orders >= u->max_open_orders || !is_within_exposure(self, a, t->notional) ||
        by_side(c->side, cash->available, p->available) < by_side(c->side, t->hold, qty) ||
        !has_room(self, t) || !count_if_within_rate(self, a, u))
        return false;
    t->command = c;
    t->instrument = i;
    t->limit_px = c->limit_px;
    return true;
}

bool check_ordinary_move(struct engine *self, const struct command_replace_order *c,
                         const struct book_order *order, struct price_move *m)
{
    struct instrument *i = &self->instruments.table[order->instrument];
    struct account *a = &self->accounts.accounts[order->account];
    struct user *u = &self->accounts.users[c->user];
    if (c->header.block_length < sizeof *c - sizeof(struct sbe_header)) return false;
    px_t px = c->limit_px;
    cash_t notional, now = order->limit_px * order->leaves_qty;
    if ((c->order_qty | c->stop_px) || order->place != PLACE_BOOK ||
        order->ord_type != ORD_TYPE_LIMIT || order->time_in_force == TIF_AT_CLOSE ||
        order->iceberg || px == order->limit_px || now > PLAIN_NOTIONAL_MAX ||
        self->state->market_blocked ||
        !is_ordinary_alone(i, u, order->side, px, order->order_qty, &m->ticks, &notional) ||
        !cl_ord_id_is_none(c->cl_ord_id))
        return false;
    m->takes = reaches_other_side(self, order->instrument, order->side, m->ticks);
    if (m->takes && order->post_only) return false;
    cash_t then = px * order->leaves_qty;
    m->more_notional = then - now;
    cash_t more = fee_hold_plain(then, i->max_fee_ppm) - fee_hold_plain(now, i->max_fee_ppm);
    m->more_hold = by_side(order->side, more, 0);
    m->cash = wallet_cash_of(&self->wallet, order->account, i->currency);
    if ((!is_within_exposure(self, a, m->more_notional) && m->more_notional > 0) ||
        m->cash->available < m->more_hold || !ladder_has_room(&self->books.pool) ||
        !count_if_within_rate(self, a, u))
        return false;
    m->account = a;
    m->instrument = i;
    m->limit_px = px;
    return true;
}
