#include <stdlib.h>
#include <string.h>

#include "tests/model/model_parts.h"

/* ---- questions ---- */

struct model_order *model_order(const struct model *self, order_id_t order_id)
{
    for (uint32_t i = 0; i < self->order_count; i++)
        if (self->orders[i]->order_id == order_id) return self->orders[i];
    return NULL;
}

qty_t model_shown(const struct model_order *order)
{
    return order->display_qty ? order->shown_qty : model_leaves(order);
}

bool model_is_stop(const struct model_order *order)
{
    return order->ord_type == ORD_TYPE_STOP || order->ord_type == ORD_TYPE_STOP_LIMIT;
}

/* Whether it has a limit price of its own that is checked against the market. */
static bool is_priced(const struct model_order *order)
{
    return order->ord_type == ORD_TYPE_LIMIT ||
           (order->ord_type == ORD_TYPE_STOP_LIMIT && order->triggered);
}

static bool can_stay(uint8_t time_in_force)
{
    return time_in_force == TIF_DAY || time_in_force == TIF_GTC || time_in_force == TIF_GTD;
}

/* ---- whether the words make an order ---- */

static bool is_offered(uint8_t ord_type, uint8_t time_in_force)
{
    static const char *const offered[] = {[ORD_TYPE_MARKET - '0'] = "03427",
                                          [ORD_TYPE_LIMIT - '0'] = "0163427",
                                          [ORD_TYPE_STOP - '0'] = "016",
                                          [ORD_TYPE_STOP_LIMIT - '0'] = "016"};
    return time_in_force != 0 && strchr(offered[ord_type - '0'], time_in_force) != NULL;
}

static enum reject check_limit_px(const struct model_instrument *i,
                                  const struct command_new_order *c)
{
    if (c->ord_type == ORD_TYPE_MARKET || c->ord_type == ORD_TYPE_STOP)
        return c->limit_px == 0 ? REJECT_NONE : REJECT_INVALID_PX;
    if (c->limit_px < 1) return REJECT_INVALID_PX;
    if (c->limit_px > i->max_px) return REJECT_PX_OUT_OF_RANGE;
    return model_is_price(i, c->limit_px) ? REJECT_NONE : REJECT_INVALID_TICK;
}

static enum reject check_stop_px(const struct model_instrument *i,
                                 const struct command_new_order *c)
{
    bool is_stop = c->ord_type == ORD_TYPE_STOP || c->ord_type == ORD_TYPE_STOP_LIMIT;
    bool good = is_stop ? model_is_price(i, c->stop_px) : c->stop_px == 0;
    return good ? REJECT_NONE : REJECT_INVALID_STOP_PX;
}

/* A part of the order in whole lots. */
static bool is_part(const struct model_instrument *i, const struct command_new_order *c, qty_t qty)
{
    return qty > 0 && qty <= c->order_qty && qty % i->lot_qty == 0;
}

static bool display_fits(const struct model_instrument *i, const struct command_new_order *c)
{
    if (c->display_qty == 0) return true;
    return (c->ord_type == ORD_TYPE_LIMIT || c->ord_type == ORD_TYPE_STOP_LIMIT) &&
           can_stay(c->time_in_force) && is_part(i, c, c->display_qty) &&
           (c->order_qty + c->display_qty - 1) / c->display_qty <= MODEL_ICEBERG_PARTS;
}

static bool min_qty_fits(const struct model_instrument *i, const struct command_new_order *c)
{
    if (c->min_qty == 0) return true;
    return (c->ord_type == ORD_TYPE_LIMIT || c->ord_type == ORD_TYPE_MARKET) &&
           (can_stay(c->time_in_force) || c->time_in_force == TIF_IOC) &&
           !(c->exec_inst & EXEC_INST_POST_ONLY) && is_part(i, c, c->min_qty);
}

static enum reject check_instructions(const struct model *self, const struct model_instrument *i,
                                      const struct command_new_order *c)
{
    if (!display_fits(i, c)) return REJECT_INVALID_DISPLAY_QTY;
    if (!min_qty_fits(i, c)) return REJECT_INVALID_MIN_QTY;
    bool expires_well =
        c->time_in_force == TIF_GTD ? c->expire_ns > self->now_ns : c->expire_ns == 0;
    if (!expires_well) return REJECT_INVALID_EXPIRY;
    if (c->exec_inst > (EXEC_INST_POST_ONLY | EXEC_INST_CANCEL_ON_DISCONNECT))
        return REJECT_INVALID_EXEC_INST;
    if ((c->exec_inst & EXEC_INST_POST_ONLY) &&
        (c->ord_type != ORD_TYPE_LIMIT || !can_stay(c->time_in_force)))
        return REJECT_INVALID_EXEC_INST;
    return c->stp > STP_ALLOW ? REJECT_INVALID_STP : REJECT_NONE;
}

static enum reject check_terms(const struct model *self, const struct command_new_order *c)
{
    if (!model_is_listed(self, c->instrument)) return REJECT_UNKNOWN_INSTRUMENT;
    const struct model_instrument *i = &self->instruments[c->instrument];
    if (c->side != SIDE_BUY && c->side != SIDE_SELL) return REJECT_INVALID_SIDE;
    if (c->ord_type < ORD_TYPE_MARKET || c->ord_type > ORD_TYPE_STOP_LIMIT)
        return REJECT_INVALID_ORD_TYPE;
    if (!is_offered(c->ord_type, c->time_in_force)) return REJECT_INVALID_TIME_IN_FORCE;
    if (c->order_qty < 1 || c->order_qty > QTY_MAX) return REJECT_INVALID_QTY;
    if (c->order_qty % i->lot_qty != 0) return REJECT_INVALID_LOT;
    enum reject reason = check_limit_px(i, c);
    if (reason == REJECT_NONE) reason = check_stop_px(i, c);
    if (reason == REJECT_NONE) reason = check_instructions(self, i, c);
    return reason;
}

/* ---- whether it is taken now ---- */

enum reject model_check_doors(const struct model *self, const struct model_order *order)
{
    if (self->blocked) return REJECT_MARKET_BLOCKED;
    if (self->accounts[order->account].blocked) return REJECT_ACCOUNT_BLOCKED;
    if (self->instruments[order->instrument].session == SESSION_CLOSED) return REJECT_MARKET_CLOSED;
    if (self->instruments[order->instrument].session == SESSION_HALT) return REJECT_HALTED;
    return REJECT_NONE;
}

/* The table of MATCHING.md, section 2; not of CLOSED and HALT. */
static bool is_taken(const struct command_new_order *c, uint8_t session)
{
    if ((c->exec_inst & EXEC_INST_POST_ONLY) || c->min_qty != 0)
        if (session != SESSION_CONTINUOUS) return false;
    switch (c->time_in_force) {
    case TIF_AT_OPEN: return session == SESSION_PRE_OPEN || session == SESSION_OPENING_AUCTION;
    case TIF_AT_CLOSE: return true;
    case TIF_IOC:
    case TIF_FOK: return session == SESSION_CONTINUOUS;
    default: return c->ord_type != ORD_TYPE_MARKET || session == SESSION_CONTINUOUS;
    }
}

/* What a market order is collared by; 0: nothing. */
static px_t market_reference(const struct model *self, const struct model_order *order)
{
    const struct model_instrument *i = &self->instruments[order->instrument];
    if (i->last_px > 0) return i->last_px;
    if (i->reference_px > 0) return i->reference_px;
    const struct model_order *best = model_first(self, order->instrument, PLACE_BOOK,
                                                 order->side == SIDE_BUY ? SIDE_SELL : SIDE_BUY);
    return best ? best->limit_px : 0;
}

/* Limits market and stop orders at their collar price. */
static enum reject set_collar(const struct model *self, struct model_order *order)
{
    const struct model_instrument *i = &self->instruments[order->instrument];
    px_t reference = 0;
    if (order->ord_type == ORD_TYPE_STOP) reference = order->stop_px;
    if (order->ord_type == ORD_TYPE_MARKET) {
        reference = market_reference(self, order);
        if (reference == 0) return REJECT_NO_REFERENCE_PX;
    }
    if (reference != 0)
        order->limit_px =
            model_collared(i, order->side, reference,
                           model_collar_ppm(self, order->instrument, order->account, order->user));
    return REJECT_NONE;
}

enum reject model_check_market(const struct model *self, const struct model_order *order,
                               user_id_t user)
{
    const struct model_instrument *i = &self->instruments[order->instrument];
    bool buys = order->side == SIDE_BUY;
    if (is_priced(order)) {
        struct model_prices band = model_static_band(i);
        if (buys ? order->limit_px > band.high : order->limit_px < band.low) return REJECT_PX_BAND;
        px_t reference = i->last_px > 0 ? i->last_px : i->reference_px;
        uint32_t ppm = model_collar_ppm(self, order->instrument, order->account, user);
        if (reference > 0 && ppm != 0) {
            px_t worst = model_collared(i, order->side, reference, ppm);
            if (buys ? order->limit_px > worst : order->limit_px < worst) return REJECT_PX_COLLAR;
        }
    }
    if ((order->exec_inst & EXEC_INST_POST_ONLY) && i->session == SESSION_CONTINUOUS) {
        const struct model_order *best =
            model_first(self, order->instrument, PLACE_BOOK, buys ? SIDE_SELL : SIDE_BUY);
        if (best && model_crosses(order, best->limit_px)) return REJECT_WOULD_TAKE;
    }
    return REJECT_NONE;
}

static enum reject check_open_orders(const struct model *self, const struct model_order *order)
{
    uint32_t max = self->accounts[order->account].limits.max_open_orders;
    return max != 0 && model_open_orders(self, order->account) >= max ? REJECT_MAX_OPEN_ORDERS
                                                                      : REJECT_NONE;
}

static bool needs_position(const struct model *self, const struct model_order *order)
{
    return order->side == SIDE_BUY || model_shorts_allowed(self, order);
}

static enum reject check_tables(const struct model *self, const struct model_order *order)
{
    if (model_names_full(self, order->cl_ord_id)) return REJECT_CL_ORD_IDS_FULL;
    if (model_orders_full(self)) return REJECT_ORDERS_FULL;
    if (!model_book_has_room(self)) return REJECT_BOOK_FULL;
    if (needs_position(self, order) && !model_position(self, order->account, order->instrument) &&
        self->position_count == self->limits.positions)
        return REJECT_POSITIONS_FULL;
    if (!model_volume(self, order->user, order->instrument) &&
        self->volume_count == self->limits.volumes)
        return REJECT_VOLUMES_FULL;
    return REJECT_NONE;
}

/* Everything behind the sender, in the order of MATCHING.md, section 3. */
static enum reject check_order(struct model *self, const struct command_new_order *command,
                               struct model_order *order)
{
    if (!model_rate_allows(self, command->account, command->user)) return REJECT_MESSAGE_RATE;
    enum reject reason = check_terms(self, command);
    if (reason == REJECT_NONE) reason = model_check_doors(self, order);
    if (reason != REJECT_NONE) return reason;
    const struct model_instrument *i = &self->instruments[order->instrument];
    if (!is_taken(command, i->session)) return REJECT_NOT_IN_SESSION;
    reason = set_collar(self, order);
    if (reason == REJECT_NONE) reason = model_check_market(self, order, order->user);
    if (reason == REJECT_NONE) reason = model_check_order_size(self, order, order->user);
    if (reason == REJECT_NONE) reason = check_open_orders(self, order);
    __int128 notional = (__int128)order->limit_px * order->order_qty;
    if (reason == REJECT_NONE) reason = model_check_growth(self, order, order->order_qty, notional);
    if (reason == REJECT_NONE) reason = check_tables(self, order);
    if (reason == REJECT_NONE)
        reason = model_check_funds(self, order, order->order_qty, model_buy_hold(i, notional));
    return reason;
}

/* ---- new orders ---- */

static struct model_order order_of(const struct command_new_order *command)
{
    struct model_order order = {.account = command->account,
                                .user = command->user,
                                .instrument = command->instrument,
                                .side = command->side,
                                .ord_type = command->ord_type,
                                .time_in_force = command->time_in_force,
                                .exec_inst = command->exec_inst,
                                .stp = command->stp,
                                .limit_px = command->limit_px,
                                .stop_px = command->stop_px,
                                .order_qty = command->order_qty,
                                .display_qty = command->display_qty,
                                .expire_ns = command->expire_ns};
    memcpy(order.cl_ord_id, command->cl_ord_id, CL_ORD_ID_BYTES);
    return order;
}

static void accept_order(struct model *self, const struct model_order *accepted, qty_t required_qty)
{
    struct model_order *order = malloc(sizeof *order);
    if (!order) abort();
    *order = *accepted;
    order->order_id = ++self->orders_made << ORDER_SLOT_BITS | model_take_slot(self);
    self->orders[self->order_count++] = order;
    model_use_name(self, order->account, order->cl_ord_id, order->order_id);
    if (needs_position(self, order)) model_open_position(self, order->account, order->instrument);
    if (!model_volume(self, order->user, order->instrument))
        self->volumes[self->volume_count++] =
            (struct model_volume){.user = order->user, .instrument = order->instrument};
    model_emit_execution(self, order, EXEC_NEW);
    model_arrive(self, order, required_qty);
}

static void refuse_order(struct model *self, const struct command_new_order *command,
                         enum reject reason, bool has_owner)
{
    struct model_order order = order_of(command);
    order.order_id = ++self->orders_made << ORDER_SLOT_BITS;
    if (has_owner) model_use_name(self, order.account, order.cl_ord_id, order.order_id);
    model_emit_refused_order(self, &order, reason);
}

static enum reject check_sender(const struct model *self, const struct command_new_order *command)
{
    if (!model_account_is_open(self, command->account)) return REJECT_UNKNOWN_ACCOUNT;
    if (!model_acts_for(self, command->account, command->user)) return REJECT_UNKNOWN_USER;
    if (!model_is_cl_ord_id(command->cl_ord_id)) return REJECT_INVALID_CL_ORD_ID;
    return REJECT_NONE;
}

void model_new_order(struct model *self, const struct command_new_order *command)
{
    enum reject reason = check_sender(self, command);
    if (reason != REJECT_NONE) {
        refuse_order(self, command, reason, false);
        return;
    }
    order_id_t first = model_named(self, command->account, command->cl_ord_id);
    if (first) {
        model_reject_request(self, command->account, first, COMMAND_NEW_ORDER,
                             REJECT_DUPLICATE_CL_ORD_ID);
        return;
    }
    struct model_order order = order_of(command);
    reason = check_order(self, command, &order);
    if (reason != REJECT_NONE) {
        refuse_order(self, command, reason, true);
        return;
    }
    accept_order(self, &order,
                 command->time_in_force == TIF_FOK ? command->order_qty : command->min_qty);
    model_trip_breakers(self);
}

/* ---- an open order is no more ---- */

void model_drop_order(struct model *self, struct model_order *order)
{
    uint32_t at = 0;
    while (self->orders[at] != order) at++;
    model_free_slot(self, order->order_id);
    for (uint32_t i = at + 1; i < self->order_count; i++) self->orders[i - 1] = self->orders[i];
    self->order_count--;
    free(order);
}

struct model_order *model_own_order(const struct model *self, account_id_t account, user_id_t user,
                                    order_id_t order_id, const char *orig_cl_ord_id)
{
    if (!model_acts_for(self, account, user)) return NULL;
    if (order_id == 0) order_id = model_named(self, account, orig_cl_ord_id);
    struct model_order *order = model_order(self, order_id);
    return order && order->account == account ? order : NULL;
}
