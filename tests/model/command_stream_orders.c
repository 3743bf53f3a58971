#include <string.h>

#include "tests/model/command_stream_generator.h"

/* ---- new orders ---- */

static uint8_t some_ord_type(struct generator *g)
{
    const struct profile *p = g->profile;
    uint32_t kind = random_below(&g->random, 100);
    if (kind < p->market) return ORD_TYPE_MARKET;
    kind -= p->market;
    if (kind < p->stop) return ORD_TYPE_STOP;
    kind -= p->stop;
    return kind < p->stop_limit ? ORD_TYPE_STOP_LIMIT : ORD_TYPE_LIMIT;
}

/* One that the type has and the session, as far as it is known, takes. */
static uint8_t some_time_in_force(struct generator *g, uint8_t ord_type, instrument_id_t instrument)
{
    static const uint8_t any[] = {TIF_DAY, TIF_GTC, TIF_AT_OPEN, TIF_IOC,
                                  TIF_FOK, TIF_GTD, TIF_AT_CLOSE};
    static const uint8_t resting[] = {TIF_DAY, TIF_DAY, TIF_GTC, TIF_GTC, TIF_GTC};
    static const uint8_t at_once[] = {TIF_IOC, TIF_IOC, TIF_FOK};
    static const uint8_t auction[] = {TIF_AT_OPEN, TIF_AT_CLOSE};
    struct random *r = &g->random;
    uint8_t session = instrument < PLACES ? g->instruments[instrument].session : 0;
    bool collects = session == SESSION_PRE_OPEN || session == SESSION_OPENING_AUCTION;
    if (random_chance(r, 6)) return PICK(r, any);
    if (ord_type == ORD_TYPE_STOP || ord_type == ORD_TYPE_STOP_LIMIT)
        return random_chance(r, g->profile->gtd) ? TIF_GTD : PICK(r, resting);
    if (random_chance(r, g->profile->auction_only))
        return collects ? PICK(r, auction) : TIF_AT_CLOSE;
    if (ord_type == ORD_TYPE_MARKET) return random_chance(r, 40) ? TIF_DAY : PICK(r, at_once);
    if (random_chance(r, g->profile->gtd)) return TIF_GTD;
    return session && session != SESSION_CONTINUOUS
               ? PICK(r, resting)
               : (random_chance(r, 20) ? PICK(r, at_once) : PICK(r, resting));
}

static int64_t some_expiry(struct generator *g)
{
    static const int64_t ahead[] = {1, 1000, MILLI_NS, SECOND_NS, 60 * SECOND_NS, DAY_NS};
    struct random *r = &g->random;
    if (random_chance(r, g->profile->edges)) return some_edge(r);
    if (random_chance(r, 50) && g->shared_expiry_ns > g->time_ns) return g->shared_expiry_ns;
    int64_t step_ns = PICK(r, ahead);
    int64_t expire_ns = g->time_ns + step_ns * random_between(r, 1, 3);
    if (random_chance(r, 3)) expire_ns = g->time_ns + random_below(r, 3) - 1;
    g->shared_expiry_ns = expire_ns;
    note_deadline(g, expire_ns);
    return expire_ns;
}

/* As much as an iceberg may hide behind what it shows, or a part more; 0 where there is none. */
static qty_t largest_iceberg(struct generator *g, qty_t display_qty)
{
    if (display_qty <= 0 || display_qty > QTY_MAX / 2000) return 0;
    return display_qty * 1000 + random_below(&g->random, 2) * display_qty;
}

static bool rests(uint8_t time_in_force)
{
    return time_in_force == TIF_DAY || time_in_force == TIF_GTC || time_in_force == TIF_GTD;
}

/* The fields that only some orders have; now and then also where they do not belong. */
static void add_terms(struct generator *g, struct command_new_order *c)
{
    struct random *r = &g->random;
    const struct profile *p = g->profile;
    bool limited = c->ord_type == ORD_TYPE_LIMIT || c->ord_type == ORD_TYPE_STOP_LIMIT;
    bool stops = c->ord_type == ORD_TYPE_STOP || c->ord_type == ORD_TYPE_STOP_LIMIT;
    bool odd = random_chance(r, 2);
    if (limited || odd) c->limit_px = some_px(g, c->instrument, c->side);
    if (stops || (odd && random_chance(r, 20)))
        c->stop_px = some_stop_px(g, c->instrument, c->side);
    if (c->time_in_force == TIF_GTD || (odd && random_chance(r, 20))) c->expire_ns = some_expiry(g);
    if (((limited && rests(c->time_in_force)) || odd) && random_chance(r, p->iceberg)) {
        c->display_qty = or_edge(g, some_lots(g, c->instrument, 3));
        if (random_chance(r, 80)) c->order_qty = some_lots(g, c->instrument, 20);
        if (random_chance(r, 4)) c->order_qty = largest_iceberg(g, c->display_qty);
    }
    if (((!stops && c->time_in_force != TIF_FOK) || odd) && random_chance(r, p->min_qty))
        c->min_qty = or_edge(g, some_lots(g, c->instrument, 6));
    if (((c->ord_type == ORD_TYPE_LIMIT && rests(c->time_in_force) && !c->min_qty) || odd) &&
        random_chance(r, p->post_only))
        c->exec_inst |= EXEC_INST_POST_ONLY;
    if (random_chance(r, 15)) c->exec_inst |= EXEC_INST_CANCEL_ON_DISCONNECT;
    if (random_chance(r, 40)) c->stp = (uint8_t)random_below(r, STP_ALLOW + 1);
}

void make_new_order(struct generator *g)
{
    struct random *r = &g->random;
    struct command_new_order *c = BEGIN(g, command_new_order, COMMAND_NEW_ORDER);
    uint32_t index = g->at - 1;
    c->account = some_account(g);
    c->user = random_chance(r, 98) ? user_of(g, c->account) : some_id(r, g->stream->limits.users);
    c->instrument = some_instrument(g);
    c->side = random_chance(r, 50) ? SIDE_BUY : SIDE_SELL;
    c->ord_type = some_ord_type(g);
    c->time_in_force = some_time_in_force(g, c->ord_type, c->instrument);
    c->order_qty = or_edge(g, some_lots(g, c->instrument, random_chance(r, 92) ? 8 : 300));
    fill_cl_ord_id(r, c->cl_ord_id);
    add_terms(g, c);
    uint8_t *const odd[] = {&c->side, &c->ord_type, &c->time_in_force, &c->exec_inst, &c->stp};
    uint8_t *spoiled = PICK(r, odd);
    if (random_chance(r, 2)) *spoiled = (uint8_t)random_next(r);
    bool plain = !c->stop_px && !c->display_qty && !c->min_qty && !c->expire_ns;
    if (random_chance(r, plain ? 70 : 1)) say_as_version_1(g, NEW_ORDER_V1_BYTES);
    bool may_rest = c->instrument < PLACES && g->instruments[c->instrument].there &&
                    rests(c->time_in_force) && c->ord_type != ORD_TYPE_MARKET;
    if (index < g->stream->count && (may_rest || random_chance(r, 20)))
        g->recent[g->new_order_count++ % RECENT] = index;
}

void make_stop_burst(struct generator *g)
{
    struct random *r = &g->random;
    instrument_id_t instrument = random_between(r, 1, g->stream->limits.instruments - 1);
    uint8_t side = random_chance(r, 50) ? SIDE_BUY : SIDE_SELL;
    int64_t away = side == SIDE_BUY ? -2 * (int64_t)g->spread_ticks : 2 * (int64_t)g->spread_ticks;
    make_set_session(g, instrument, SESSION_PRE_OPEN);
    for (unsigned i = 0; i < STOP_BURST; i++) {
        struct command_new_order *c = BEGIN(g, command_new_order, COMMAND_NEW_ORDER);
        c->account = random_between(r, 1, g->stream->limits.accounts - 1);
        c->user = c->account;
        c->instrument = instrument;
        c->side = side;
        c->ord_type = ORD_TYPE_STOP;
        c->time_in_force = TIF_GTC;
        c->order_qty = some_lots(g, instrument, 2);
        c->stop_px = px_at(g, instrument, g->middle_ticks + away + random_below(r, 3));
    }
    make_set_session(g, instrument, SESSION_CONTINUOUS);
}

/* ---- orders that are there ---- */

/* A new order made lately, more often a young one; NULL when there is none. */
static const struct command_new_order *recent_order(struct generator *g, uint32_t *index)
{
    struct random *r = &g->random;
    if (!g->new_order_count) return NULL;
    uint32_t window = random_chance(r, 50) ? RECENT : RECENT / 8;
    uint32_t there = g->new_order_count < window ? g->new_order_count : window;
    uint32_t back = 1 + random_below(r, there);
    *index = g->recent[(g->new_order_count - back) % RECENT];
    return (const void *)g->stream->commands[*index].bytes;
}

/* Who sends a cancel or replace, and about which order: returns that, NULL when it is made up. */
static const struct command_new_order *choose_order(struct generator *g, account_id_t *account,
                                                    user_id_t *user, order_id_t *order_id,
                                                    char *orig_cl_ord_id)
{
    struct random *r = &g->random;
    const struct command_new_order *meant = NULL;
    uint32_t index;
    *account = some_account(g);
    if (random_chance(r, 94) && (meant = recent_order(g, &index))) {
        if (random_chance(r, 95)) *account = meant->account;
        if (meant->cl_ord_id[0] && random_chance(r, 40))
            memcpy(orig_cl_ord_id, meant->cl_ord_id, CL_ORD_ID_BYTES);
        else
            g->current->target = (int32_t)index;
    } else if (random_chance(r, 50)) {
        *order_id = random_chance(r, 50) ? random_next(r) : (order_id_t)some_edge(r);
    } else {
        fill_cl_ord_id(r, orig_cl_ord_id);
    }
    *user = random_chance(r, 97) ? user_of(g, *account) : some_id(r, g->stream->limits.users);
    return meant;
}

void make_cancel_order(struct generator *g)
{
    struct command_cancel_order *c = BEGIN(g, command_cancel_order, COMMAND_CANCEL_ORDER);
    choose_order(g, &c->account, &c->user, &c->order_id, c->orig_cl_ord_id);
}

void make_replace_order(struct generator *g)
{
    struct random *r = &g->random;
    struct command_replace_order *c = BEGIN(g, command_replace_order, COMMAND_REPLACE_ORDER);
    const struct command_new_order *meant =
        choose_order(g, &c->account, &c->user, &c->order_id, c->orig_cl_ord_id);
    instrument_id_t instrument = meant ? meant->instrument : 1;
    uint8_t side = meant ? meant->side : SIDE_BUY;
    bool limited = !meant || meant->limit_px, stops = meant && meant->stop_px;
    if (random_chance(r, 50)) c->order_qty = or_edge(g, some_lots(g, instrument, 10));
    if (meant && random_chance(r, 20))
        c->order_qty = meant->order_qty > 1 ? meant->order_qty - some_lots(g, instrument, 1) : 1;
    if (meant && meant->display_qty && random_chance(r, 5))
        c->order_qty = largest_iceberg(g, meant->display_qty);
    if (random_chance(r, limited ? 50 : 2))
        c->limit_px =
            meant && random_chance(r, 10) ? meant->limit_px : some_px(g, instrument, side);
    if (random_chance(r, stops ? 40 : 2)) c->stop_px = some_stop_px(g, instrument, side);
    if (random_chance(r, 20)) fill_cl_ord_id(r, c->cl_ord_id);
    if (!c->limit_px && !c->stop_px && !c->cl_ord_id[0] && random_chance(r, 70))
        say_as_version_1(g, REPLACE_ORDER_V1_BYTES);
}

void make_mass_cancel(struct generator *g)
{
    struct random *r = &g->random;
    struct command_mass_cancel *c = BEGIN(g, command_mass_cancel, COMMAND_MASS_CANCEL);
    if (random_chance(r, 90)) {
        c->account = some_account(g);
        c->user = user_of(g, c->account);
    }
    if (random_chance(r, 4)) c->user = some_id(r, g->stream->limits.users);
    if (random_chance(r, 50)) c->instrument = some_instrument(g);
    if (random_chance(r, 50)) c->side = random_chance(r, 50) ? SIDE_BUY : SIDE_SELL;
    if (random_chance(r, 2)) c->side = (uint8_t)random_next(r);
    c->on_disconnect = random_chance(r, 50);
    if (random_chance(r, 2)) c->on_disconnect = (uint8_t)random_next(r);
}

void make_cancel_after(struct generator *g)
{
    static const int64_t after[] = {1,          1000,   MILLI_NS,   SECOND_NS, 5 * SECOND_NS,
                                    DAY_NS - 1, DAY_NS, DAY_NS + 1, 0,         -1};
    struct random *r = &g->random;
    struct command_cancel_after *c = BEGIN(g, command_cancel_after, COMMAND_CANCEL_AFTER);
    c->account = some_account(g);
    c->user = random_chance(r, 97) ? user_of(g, c->account) : some_id(r, g->stream->limits.users);
    c->timeout_ns = random_chance(r, g->profile->edges) ? some_edge(r) : PICK(r, after);
    if (c->timeout_ns > 0 && c->timeout_ns <= DAY_NS) note_deadline(g, g->time_ns + c->timeout_ns);
}

void make_bust_trade(struct generator *g)
{
    struct random *r = &g->random;
    struct command_bust_trade *c = BEGIN(g, command_bust_trade, COMMAND_BUST_TRADE);
    uint32_t index;
    if (g->last_bust != STREAM_NO_TARGET && random_chance(r, 10))
        g->current->target = g->last_bust;
    else if (random_chance(r, 80) && recent_order(g, &index))
        g->current->target = g->last_bust = (int32_t)index;
    else if (random_chance(r, 70))
        c->trade_id = random_below(r, g->new_order_count + 1);
    else
        c->trade_id = (trade_id_t)some_edge(r);
}
