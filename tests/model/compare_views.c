#include "tests/model/compare_views.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where a difference is written, and what is being looked at. */
struct difference {
    char *why;
    size_t bytes;
    char whose[48];
};

__attribute__((format(printf, 2, 3))) static bool differ(struct difference *d, const char *format,
                                                         ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(d->why, d->bytes, format, arguments);
    va_end(arguments);
    return false;
}

__attribute__((format(printf, 2, 3))) static void about(struct difference *d, const char *format,
                                                        ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(d->whose, sizeof d->whose, format, arguments);
    va_end(arguments);
}

static bool same(struct difference *d, const char *what, __int128 told, __int128 expected)
{
    return told == expected || differ(d, "%s of %s: expected %lld, told %lld", what, d->whose,
                                      (long long)expected, (long long)told);
}

#define SAME(d, told, expected) same((d), #told, (__int128)(told), (__int128)(expected))

/* ---- accounts ---- */

static int64_t or_zero(int64_t timer_ns)
{
    return timer_ns == MODEL_NO_TIMER ? 0 : timer_ns;
}

/* What a 64-bit field shows of a sum. */
static int64_t shown_sum(__int128 sum)
{
    return sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
}

static bool compare_cash(const struct model *m, const struct engine *e, account_id_t id,
                         struct difference *d)
{
    struct cash_view view;
    about(d, "account %" PRIu32, id);
    for (uint32_t currency = 0; currency < CURRENCY_COUNT; currency++) {
        __int128 held = model_held_cash(m, id, currency);
        if (!engine_cash(e, id, currency, &view))
            return differ(d, "cash of account %" PRIu32 " is gone", id);
        if (!SAME(d, view.held, held) ||
            !SAME(d, view.available, m->accounts[id].cash[currency] - held))
            return false;
    }
    return !engine_cash(e, id, CURRENCY_COUNT, &view) || differ(d, "cash of no currency");
}

static bool compare_account(const struct model *m, const struct engine *e, account_id_t id,
                            struct difference *d)
{
    struct account_view view;
    const struct model_account *a = &m->accounts[id];
    if (!engine_account(e, id, &view)) return differ(d, "account %" PRIu32 " is gone", id);
    __int128 held = model_held_cash(m, id, 0);
    about(d, "account %" PRIu32, id);
    return SAME(d, view.account, id) && SAME(d, view.held_cash, held) &&
           SAME(d, view.available_cash, a->cash[0] - held) && SAME(d, view.fee_tier, a->fee_tier) &&
           SAME(d, view.may_short, a->may_short) && SAME(d, view.blocked, a->blocked) &&
           SAME(d, view.stp == STP_ACCOUNT ? STP_ALLOW : view.stp,
                a->stp == STP_ACCOUNT ? STP_ALLOW : a->stp) &&
           SAME(d, view.open_order_count, model_open_orders(m, id)) &&
           SAME(d, view.open_notional, shown_sum(model_open_notional(m, id))) &&
           SAME(d, view.traded_notional, shown_sum(a->traded_notional)) &&
           SAME(d, view.cancel_after_ns, or_zero(a->cancel_after_ns)) &&
           SAME(d, memcmp(view.name, a->name, NAME_BYTES), 0) && compare_cash(m, e, id, d);
}

static bool compare_accounts(const struct model *m, const struct engine *e, struct difference *d)
{
    account_id_t end = 1;
    for (account_id_t id = 1; id <= m->limits.accounts + 1; id++) {
        struct account_view view;
        if (model_account_is_open(m, id)) {
            if (!compare_account(m, e, id, d)) return false;
            end = id + 1;
        } else if (engine_account(e, id, &view)) {
            return differ(d, "account %" PRIu32 " is not open", id);
        }
    }
    struct account_view house;
    if (!engine_account(e, 0, &house) || house.available_cash != m->accounts[0].cash[0])
        return differ(d, "the house");
    about(d, "all");
    return SAME(d, engine_account_end(e), end) && compare_cash(m, e, 0, d);
}

static bool compare_position(const struct model *m, const struct engine *e, account_id_t account,
                             instrument_id_t instrument, struct difference *d)
{
    struct position_view view;
    const struct model_position *p = model_position(m, account, instrument);
    if (engine_position(e, account, instrument, &view) != (p != NULL))
        return differ(d, "whether account %" PRIu32 " has a position in %" PRIu32, account,
                      instrument);
    if (!p) return true;
    __int128 sells = model_open_qty(m, account, instrument, SIDE_SELL);
    __int128 buys = model_open_qty(m, account, instrument, SIDE_BUY);
    about(d, "account %" PRIu32 " in instrument %" PRIu32, account, instrument);
    return SAME(d, view.instrument, instrument) && SAME(d, view.held_qty, sells) &&
           SAME(d, view.available_qty, p->qty - sells) && SAME(d, view.open_buy_qty, buys);
}

static bool compare_positions(const struct model *m, const struct engine *e, struct difference *d)
{
    for (account_id_t account = 1; account <= m->limits.accounts; account++)
        for (instrument_id_t i = 0; i <= m->limits.instruments; i++)
            if (!compare_position(m, e, account, i, d)) return false;
    for (instrument_id_t i = 1; i < m->limits.instruments; i++) {
        struct position_view house;
        bool there = engine_position(e, 0, i, &house);
        about(d, "the house's instrument %" PRIu32, i);
        if (!SAME(d, there, model_is_listed(m, i))) return false;
        if (there && !SAME(d, house.available_qty, m->instruments[i].house_qty)) return false;
    }
    return true;
}

static bool compare_volumes(const struct model *m, const struct engine *e, struct difference *d)
{
    for (user_id_t user = 0; user <= m->limits.users; user++)
        for (instrument_id_t i = 0; i <= m->limits.instruments; i++) {
            const struct model_volume *v = model_volume(m, user, i);
            about(d, "user %" PRIu32 " in instrument %" PRIu32, user, i);
            if (!SAME(d, engine_traded_today(e, user, i), v ? v->qty : 0)) return false;
        }
    return true;
}

/* ---- instruments ---- */

static px_t lowest_tick(const struct model_instrument *i)
{
    px_t lowest = i->ticks[0].tick_px;
    for (unsigned row = 1; row < TICK_TABLE_ROWS && i->ticks[row].tick_px != 0; row++)
        if (i->ticks[row].tick_px < lowest) lowest = i->ticks[row].tick_px;
    return lowest;
}

static bool compare_terms(const struct model_instrument *i, const struct instrument_view *view,
                          instrument_id_t id, struct difference *d)
{
    return SAME(d, view->instrument, id) && SAME(d, view->tick_px, lowest_tick(i)) &&
           SAME(d, view->max_px, i->max_px) && SAME(d, view->lot_qty, i->lot_qty) &&
           SAME(d, view->max_order_qty, i->limits.max_order_qty) &&
           SAME(d, view->max_order_notional, i->limits.max_order_notional) &&
           SAME(d, view->currency, i->currency) && SAME(d, view->tick_table, i->tick_table) &&
           SAME(d, view->schedule, i->schedule) && SAME(d, view->shortable, i->shortable) &&
           SAME(d, view->max_fee_ppm, i->max_fee_ppm) &&
           SAME(d, view->index_weight, i->index_weight) &&
           SAME(d, view->static_ppm, i->bands.static_ppm) &&
           SAME(d, view->dynamic_ppm, i->bands.dynamic_ppm) &&
           SAME(d, view->collar_ppm, i->bands.collar_ppm) &&
           SAME(d, memcmp(view->maker_ppm, i->maker_ppm, sizeof i->maker_ppm), 0) &&
           SAME(d, memcmp(view->taker_ppm, i->taker_ppm, sizeof i->taker_ppm), 0) &&
           SAME(d, memcmp(view->symbol, i->symbol, SYMBOL_BYTES), 0) &&
           SAME(d, memcmp(view->name, i->name, NAME_BYTES), 0);
}

static bool compare_market(const struct model_instrument *i, const struct instrument_view *view,
                           struct difference *d)
{
    return SAME(d, view->book_update_id, i->book_update_id) && SAME(d, view->last_px, i->last_px) &&
           SAME(d, view->reference_px, i->reference_px) && SAME(d, view->session, i->session) &&
           SAME(d, view->limit_state, i->limit_state) &&
           SAME(d, view->session_ends_ns, or_zero(i->session_ns)) &&
           SAME(d, view->next_session_ns, or_zero(i->schedule_ns));
}

static bool compare_auction(const struct model *m, const struct engine *e, instrument_id_t id,
                            struct difference *d)
{
    struct auction_view view;
    if (!engine_auction(e, id, &view)) return differ(d, "auction of %" PRIu32 " is gone", id);
    struct event_auction now = model_auction_now(m, id);
    return SAME(d, view.px, now.px) && SAME(d, view.paired_qty, now.paired_qty) &&
           SAME(d, view.imbalance_qty, now.imbalance_qty) &&
           SAME(d, view.imbalance_side, now.imbalance_side);
}

static bool compare_instrument(const struct model *m, const struct engine *e, instrument_id_t id,
                               struct difference *d)
{
    struct instrument_view view;
    instrument_id_t found = 0;
    const struct model_instrument *i = &m->instruments[id];
    about(d, "instrument %" PRIu32, id);
    if (!engine_instrument(e, id, &view)) return differ(d, "instrument %" PRIu32 " is gone", id);
    if (!compare_terms(i, &view, id, d) || !compare_market(i, &view, d)) return false;
    if (!engine_find_symbol(e, i->symbol, &found) || found != id)
        return differ(d, "symbol %s is found as %" PRIu32, i->symbol, found);
    return compare_auction(m, e, id, d);
}

static bool compare_instruments(const struct model *m, const struct engine *e, struct difference *d)
{
    struct instrument_view view;
    struct auction_view auction;
    instrument_id_t end = 1, found;
    for (instrument_id_t id = 0; id <= m->limits.instruments + 1; id++) {
        if (model_is_listed(m, id)) {
            if (!compare_instrument(m, e, id, d)) return false;
            end = id + 1;
        } else if (engine_instrument(e, id, &view) || engine_auction(e, id, &auction)) {
            return differ(d, "instrument %" PRIu32 " is not listed", id);
        }
    }
    if (engine_find_symbol(e, "", &found) || engine_find_symbol(e, "NOSUCH", &found))
        return differ(d, "a symbol that nobody listed");
    about(d, "all");
    return SAME(d, engine_instrument_end(e), end);
}

/* ---- orders ---- */

static uint8_t view_place(const struct model_order *order)
{
    switch (order->place) {
    case PLACE_STOPS: return ORDER_AWAITS_TRIGGER;
    case PLACE_CLOSE: return ORDER_AWAITS_CLOSE;
    default: return ORDER_IN_BOOK;
    }
}

static bool compare_open_order(const struct engine *e, const struct model_order *order,
                               struct difference *d)
{
    struct order_view view;
    order_id_t id = order->order_id;
    if (!engine_order(e, id, &view)) return differ(d, "order %" PRIu64 " is gone", id);
    about(d, "order %" PRIu64, id);
    return SAME(d, view.order_id, id) && SAME(d, view.account, order->account) &&
           SAME(d, view.user, order->user) && SAME(d, view.instrument, order->instrument) &&
           SAME(d, view.side, order->side) && SAME(d, view.ord_type, order->ord_type) &&
           SAME(d, view.time_in_force, order->time_in_force) &&
           SAME(d, view.exec_inst, order->exec_inst) && SAME(d, view.stp, order->stp) &&
           SAME(d, view.place, view_place(order)) && SAME(d, view.limit_px, order->limit_px) &&
           SAME(d, view.stop_px, order->stop_px) && SAME(d, view.order_qty, order->order_qty) &&
           SAME(d, view.cum_qty, order->cum_qty) && SAME(d, view.leaves_qty, model_leaves(order)) &&
           SAME(d, view.display_qty, order->display_qty) &&
           (order->place != PLACE_BOOK || SAME(d, view.shown_qty, model_shown(order))) &&
           SAME(d, view.expire_ns, order->expire_ns);
}

/* Every account's open orders come in the order of acceptance, and no others do. */
static bool compare_order_list(const struct model *m, const struct engine *e, account_id_t account,
                               struct difference *d)
{
    order_id_t last = 0;
    about(d, "account %" PRIu32, account);
    for (uint32_t i = 0; i < m->order_count; i++) {
        if (m->orders[i]->account != account) continue;
        last = engine_next_order(e, account, last);
        if (!SAME(d, last, m->orders[i]->order_id)) return false;
    }
    return SAME(d, engine_next_order(e, account, last), 0);
}

/* All open orders, and that ids made lately are open only if the model says so. */
static bool compare_orders(const struct model *m, const struct engine *e, struct difference *d)
{
    struct order_view view;
    for (uint32_t i = 0; i < m->order_count; i++)
        if (!compare_open_order(e, m->orders[i], d)) return false;
    for (account_id_t account = 0; account < m->limits.accounts; account++)
        if (!compare_order_list(m, e, account, d)) return false;
    uint64_t from = m->orders_made > 4 ? m->orders_made - 4 : 0;
    for (uint64_t made = from; made <= m->orders_made + 1; made++)
        for (uint32_t slot = 0; slot <= m->slots_used + 1; slot++)
            if (engine_order(e, made << ORDER_SLOT_BITS | slot, &view) !=
                (model_order(m, made << ORDER_SLOT_BITS | slot) != NULL))
                return differ(d, "order id %" PRIu64, made << ORDER_SLOT_BITS | slot);
    return true;
}

/* ---- books ---- */

/* The level that comes after `px` from the best on (0: the best); qty 0 at the end. */
static struct level_view next_level(const struct model *m, instrument_id_t instrument, uint8_t side,
                                    px_t px)
{
    struct level_view level = {0};
    for (uint32_t i = 0; i < m->order_count; i++) {
        const struct model_order *order = m->orders[i];
        if (order->instrument != instrument || order->side != side || order->place != PLACE_BOOK)
            continue;
        bool behind = px == 0 || (side == SIDE_BUY ? order->limit_px < px : order->limit_px > px);
        if (!behind) continue;
        bool better = level.qty == 0 ||
                      (side == SIDE_BUY ? order->limit_px > level.px : order->limit_px < level.px);
        if (better) level = (struct level_view){.px = order->limit_px};
        if (order->limit_px != level.px) continue;
        level.qty += model_shown(order);
        level.order_count++;
    }
    return level;
}

static bool same_level(const struct level_view *a, const struct level_view *b)
{
    return a->px == b->px && a->qty == b->qty && a->order_count == b->order_count;
}

static bool compare_side(const struct model *m, const struct engine *e, instrument_id_t instrument,
                         uint8_t side, struct difference *d)
{
    struct level_view shown[64];
    unsigned count = engine_depth(e, instrument, side, shown, 64);
    px_t px = 0;
    for (unsigned i = 0;; i++) {
        struct level_view expected = next_level(m, instrument, side, px);
        if (expected.qty == 0 || i == 64)
            return i == count || differ(d, "depth of instrument %" PRIu32, instrument);
        struct level_view at = engine_level(e, instrument, side, expected.px);
        if (i >= count || !same_level(&shown[i], &expected) || !same_level(&at, &expected))
            return differ(d, "level %u of side %c of instrument %" PRIu32, i, side, instrument);
        px = expected.px;
        struct level_view beside = engine_level(e, instrument, side, px + 1);
        struct level_view known = next_level(m, instrument, side, side == SIDE_BUY ? px + 2 : px);
        if (beside.qty != (known.px == px + 1 ? known.qty : 0))
            return differ(d, "price beside level %u of instrument %" PRIu32, i, instrument);
    }
}

static bool compare_depth(const struct model *m, const struct engine *e, struct difference *d)
{
    struct level_view level;
    for (instrument_id_t id = 0; id < m->limits.instruments; id++)
        if (!compare_side(m, e, id, SIDE_BUY, d) || !compare_side(m, e, id, SIDE_SELL, d))
            return false;
    if (engine_depth(e, 1, 0, &level, 1) || engine_depth(e, m->limits.instruments, '1', &level, 1))
        return differ(d, "depth of nothing");
    return engine_level(e, 1, SIDE_BUY, INT64_MAX).qty == 0 || differ(d, "level at the end");
}

/* ---- the rest ---- */

static bool compare_keys(const struct model *m, const struct engine *e, struct difference *d)
{
    struct key_view view;
    for (uint32_t i = 0; i < m->key_count; i++) {
        const struct model_key *key = &m->keys[i];
        if (!engine_key(e, key->key_id, &view) || view.user != key->user ||
            view.account != m->users[key->user].account || view.scopes != key->scopes ||
            memcmp(view.key_id, key->key_id, KEY_ID_BYTES) != 0 ||
            memcmp(view.sealed_secret, key->sealed_secret, SEALED_SECRET_BYTES) != 0)
            return differ(d, "key %s", key->key_id);
    }
    return !(engine_key(e, "", &view) || engine_key(e, "NOSUCHKEY", &view)) ||
           differ(d, "a key that nobody added");
}

bool compare_views(const struct model *model, const struct engine *engine, char *why,
                   size_t why_bytes)
{
    struct difference d = {why, why_bytes, "the exchange"};
    model_validate(model);
    if (memcmp(engine_limits(engine), &model->limits, sizeof model->limits) != 0)
        return differ(&d, "limits");
    return SAME(&d, engine_day(engine), model->day) &&
           SAME(&d, engine_market_blocked(engine), model->blocked) &&
           SAME(&d, engine_deadline_ns(engine), model_deadline_ns(model)) &&
           compare_accounts(model, engine, &d) && compare_positions(model, engine, &d) &&
           compare_volumes(model, engine, &d) && compare_instruments(model, engine, &d) &&
           compare_orders(model, engine, &d) && compare_depth(model, engine, &d) &&
           compare_keys(model, engine, &d);
}
