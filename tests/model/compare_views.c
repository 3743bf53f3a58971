#include "tests/model/compare_views.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct difference {
    char *why;
    size_t bytes;
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

static bool compare_accounts(const struct model *m, const struct engine *e, struct difference *d)
{
    account_id_t end = 1;
    for (account_id_t id = 0; id <= m->limits.accounts + 1; id++) {
        struct account_view view;
        bool open = model_account_is_open(m, id);
        if (engine_account(e, id, &view) != open) return differ(d, "account %" PRIu32 " open", id);
        if (!open) continue;
        end = id + 1;
        __int128 held = model_held_cash(m, id);
        if (view.account != id || view.held_cash != held ||
            view.available_cash != m->accounts[id].cash - held)
            return differ(d, "cash of account %" PRIu32, id);
        if (memcmp(view.name, m->accounts[id].name, NAME_BYTES) != 0)
            return differ(d, "name of account %" PRIu32, id);
    }
    return engine_account_end(e) == end || differ(d, "account end");
}

static bool compare_position(const struct model *m, const struct engine *e, account_id_t account,
                             instrument_id_t instrument, struct difference *d)
{
    struct position_view view;
    const struct model_position *p = model_position(m, account, instrument);
    bool same = engine_position(e, account, instrument, &view) == (p != NULL);
    if (same && p) {
        __int128 held = model_held_qty(m, account, instrument);
        same = view.instrument == instrument && view.held_qty == held &&
               view.available_qty == p->qty - held;
    }
    return same ||
           differ(d, "position of account %" PRIu32 " in instrument %" PRIu32, account, instrument);
}

static bool compare_positions(const struct model *m, const struct engine *e, struct difference *d)
{
    for (account_id_t account = 0; account <= m->limits.accounts; account++)
        for (instrument_id_t i = 0; i <= m->limits.instruments; i++)
            if (!compare_position(m, e, account, i, d)) return false;
    return true;
}

static bool compare_instrument(const struct model *m, const struct engine *e, instrument_id_t id,
                               struct difference *d)
{
    struct instrument_view view;
    instrument_id_t found = 0;
    const struct model_instrument *i = &m->instruments[id];
    if (!engine_instrument(e, id, &view)) return differ(d, "instrument %" PRIu32 " is gone", id);
    if (view.instrument != id || view.tick_px != i->tick_px || view.max_px != i->max_px ||
        view.lot_qty != i->lot_qty || view.max_order_qty != i->max_order_qty ||
        view.max_order_notional != i->max_order_notional ||
        memcmp(view.symbol, i->symbol, SYMBOL_BYTES) != 0 ||
        memcmp(view.name, i->name, NAME_BYTES) != 0)
        return differ(d, "terms of instrument %" PRIu32, id);
    if (view.book_update_id != i->book_update_id || view.last_px != i->last_px)
        return differ(d, "book_update_id or last_px of instrument %" PRIu32, id);
    if (!engine_find_symbol(e, i->symbol, &found) || found != id)
        return differ(d, "symbol %s is found as %" PRIu32, i->symbol, found);
    return true;
}

static bool compare_instruments(const struct model *m, const struct engine *e, struct difference *d)
{
    struct instrument_view view;
    instrument_id_t end = 1, found;
    for (instrument_id_t id = 0; id <= m->limits.instruments + 1; id++) {
        if (model_is_listed(m, id)) {
            if (!compare_instrument(m, e, id, d)) return false;
            end = id + 1;
        } else if (engine_instrument(e, id, &view)) {
            return differ(d, "instrument %" PRIu32 " is not listed", id);
        }
    }
    if (engine_find_symbol(e, "", &found) || engine_find_symbol(e, "NOSUCH", &found))
        return differ(d, "a symbol that nobody listed");
    return engine_instrument_end(e) == end || differ(d, "instrument end");
}

static bool compare_open_order(const struct engine *e, const struct model_order *order)
{
    struct order_view view;
    return engine_order(e, order->order_id, &view) && view.order_id == order->order_id &&
           view.account == order->account && view.instrument == order->instrument &&
           view.side == order->side && view.ord_type == order->ord_type &&
           view.time_in_force == order->time_in_force && view.limit_px == order->limit_px &&
           view.order_qty == order->order_qty && view.cum_qty == order->cum_qty &&
           view.leaves_qty == model_leaves(order);
}

/* All open orders, and that ids made lately are open only if the model says so. */
static bool compare_orders(const struct model *m, const struct engine *e, struct difference *d)
{
    struct order_view view;
    for (uint32_t i = 0; i < m->order_count; i++)
        if (!compare_open_order(e, &m->orders[i]))
            return differ(d, "order %" PRIu64, m->orders[i].order_id);
    uint64_t from = m->orders_made > 4 ? m->orders_made - 4 : 0;
    for (uint64_t made = from; made <= m->orders_made + 1; made++)
        for (uint32_t slot = 0; slot <= m->slots_used + 1; slot++)
            if (engine_order(e, made << 24 | slot, &view) !=
                (model_order(m, made << 24 | slot) != NULL))
                return differ(d, "order id %" PRIu64, made << 24 | slot);
    return true;
}

/* The level that comes after `px` from the best on (0: the best); qty 0 at the end. */
static struct level_view next_level(const struct model *m, instrument_id_t instrument, uint8_t side,
                                    px_t px)
{
    struct level_view level = {0};
    for (uint32_t i = 0; i < m->order_count; i++) {
        const struct model_order *order = &m->orders[i];
        if (order->instrument != instrument || order->side != side) continue;
        bool behind = px == 0 || (side == SIDE_BUY ? order->limit_px < px : order->limit_px > px);
        if (!behind) continue;
        bool better = level.qty == 0 ||
                      (side == SIDE_BUY ? order->limit_px > level.px : order->limit_px < level.px);
        if (better) level = (struct level_view){.px = order->limit_px};
        if (order->limit_px != level.px) continue;
        level.qty += model_leaves(order);
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
        if (expected.qty == 0)
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
    struct difference d = {why, why_bytes};
    if (engine_day(engine) != model->day) return differ(&d, "day");
    if (memcmp(engine_limits(engine), &model->limits, sizeof model->limits) != 0)
        return differ(&d, "limits");
    return compare_accounts(model, engine, &d) && compare_positions(model, engine, &d) &&
           compare_instruments(model, engine, &d) && compare_orders(model, engine, &d) &&
           compare_depth(model, engine, &d) && compare_keys(model, engine, &d);
}
