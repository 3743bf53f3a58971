#include <string.h>

#include "tests/model/model_parts.h"

static enum reject check_name(const struct model *self, const struct command_replace_order *c)
{
    if (c->cl_ord_id[0] == '\0')
        return model_is_cl_ord_id(c->cl_ord_id) ? REJECT_NONE : REJECT_INVALID_CL_ORD_ID;
    if (!model_is_cl_ord_id(c->cl_ord_id)) return REJECT_INVALID_CL_ORD_ID;
    if (model_named(self, c->account, c->cl_ord_id)) return REJECT_DUPLICATE_CL_ORD_ID;
    if (model_names_full(self, c->cl_ord_id)) return REJECT_CL_ORD_IDS_FULL;
    return REJECT_NONE;
}

static enum reject check_values(const struct model *self, const struct model_order *order,
                                const struct command_replace_order *c)
{
    const struct model_instrument *i = &self->instruments[order->instrument];
    bool own_px = order->ord_type == ORD_TYPE_LIMIT || order->ord_type == ORD_TYPE_STOP_LIMIT;
    if (c->order_qty < 0 || c->order_qty > QTY_MAX) return REJECT_INVALID_QTY;
    if (c->order_qty % i->lot_qty != 0) return REJECT_INVALID_LOT;
    if (order->display_qty != 0 &&
        c->order_qty > MODEL_ICEBERG_PARTS * (__int128)order->display_qty)
        return REJECT_INVALID_DISPLAY_QTY;
    if (c->limit_px < 0 || (c->limit_px != 0 && !own_px)) return REJECT_INVALID_PX;
    if (c->limit_px > i->max_px) return REJECT_PX_OUT_OF_RANGE;
    if (c->limit_px != 0 && !model_is_price(i, c->limit_px)) return REJECT_INVALID_TICK;
    if (c->stop_px != 0 && (order->place != PLACE_STOPS || !model_is_price(i, c->stop_px)))
        return REJECT_INVALID_STOP_PX;
    return REJECT_NONE;
}

/* Whether the request makes sense for the order; what it asks for is looked at behind. */
static enum reject check_request(struct model *self, const struct model_order *order,
                                 const struct command_replace_order *command)
{
    if (!order) return REJECT_UNKNOWN_ORDER;
    if (!model_rate_allows(self, command->account, command->user)) return REJECT_MESSAGE_RATE;
    enum reject reason = model_check_doors(self, order);
    if (reason == REJECT_NONE) reason = check_name(self, command);
    if (reason == REJECT_NONE) reason = check_values(self, order, command);
    return reason;
}

/* The order as it would be. */
static struct model_order replaced(const struct model *self, const struct model_order *order,
                                   const struct command_replace_order *command)
{
    struct model_order after = *order;
    if (command->order_qty != 0) after.order_qty = command->order_qty;
    if (command->limit_px != 0) after.limit_px = command->limit_px;
    if (command->stop_px != 0) after.stop_px = command->stop_px;
    if (order->ord_type == ORD_TYPE_STOP && after.stop_px != order->stop_px)
        after.limit_px = model_collared(
            &self->instruments[order->instrument], order->side, after.stop_px,
            model_collar_ppm(self, order->instrument, order->account, command->user));
    return after;
}

/* Of an order that loses its priority: whoever asks keeps to his own limits; what is traded counts
 * for the user whose order it is. */
static enum reject check_growth(const struct model *self, const struct model_order *before,
                                const struct model_order *after, user_id_t user)
{
    const struct model_instrument *i = &self->instruments[after->instrument];
    __int128 old_notional = (__int128)before->limit_px * model_leaves(before);
    __int128 new_notional = (__int128)after->limit_px * model_leaves(after);
    __int128 growth = (__int128)model_leaves(after) - model_leaves(before);
    enum reject reason = model_check_market(self, after, user);
    if (reason == REJECT_NONE) reason = model_check_order_size(self, after, user);
    if (reason == REJECT_NONE)
        reason = model_check_growth(self, after, growth, new_notional - old_notional);
    if (reason == REJECT_NONE && !model_book_has_room(self)) reason = REJECT_BOOK_FULL;
    if (reason == REJECT_NONE)
        reason = model_check_funds(
            self, after, growth, model_buy_hold(i, new_notional) - model_buy_hold(i, old_notional));
    return reason;
}

static void take_name(struct model *self, struct model_order *order, const char *cl_ord_id)
{
    if (cl_ord_id[0] == '\0') return;
    model_use_name(self, order->account, cl_ord_id, order->order_id);
    memcpy(order->cl_ord_id, cl_ord_id, CL_ORD_ID_BYTES);
}

static void keep_priority(struct model *self, struct model_order *order, qty_t order_qty)
{
    bool shrinks = order_qty < order->order_qty;
    order->order_qty = order_qty;
    if (order->shown_qty > model_leaves(order)) order->shown_qty = model_leaves(order);
    if (order->place == PLACE_BOOK && shrinks)
        self->instruments[order->instrument].book_update_id++;
    model_emit_execution(self, order, EXEC_REPLACED);
}

static void lose_priority(struct model *self, struct model_order *order,
                          const struct model_order *after)
{
    order->order_qty = after->order_qty;
    order->limit_px = after->limit_px;
    order->stop_px = after->stop_px;
    model_emit_execution(self, order, EXEC_REPLACED);
    model_leave_place(self, order);
    model_arrive(self, order, 0);
    model_trip_breakers(self);
}

void model_replace_order(struct model *self, const struct command_replace_order *command)
{
    struct model_order *order = model_own_order(self, command->account, command->user,
                                                command->order_id, command->orig_cl_ord_id);
    struct model_order after;
    bool keeps = false;
    enum reject reason = check_request(self, order, command);
    if (reason == REJECT_NONE && command->order_qty != 0 && command->order_qty <= order->cum_qty) {
        model_end_order(self, order, EXEC_CANCELED, REJECT_NONE);
        return;
    }
    if (reason == REJECT_NONE) {
        after = replaced(self, order, command);
        keeps = after.limit_px == order->limit_px && after.stop_px == order->stop_px &&
                after.order_qty <= order->order_qty;
        if (!keeps) reason = check_growth(self, order, &after, command->user);
    }
    if (reason != REJECT_NONE) {
        model_reject_request(self, command->account, order ? order->order_id : command->order_id,
                             COMMAND_REPLACE_ORDER, reason);
        return;
    }
    take_name(self, order, command->cl_ord_id);
    if (keeps)
        keep_priority(self, order, after.order_qty);
    else
        lose_priority(self, order, &after);
}
