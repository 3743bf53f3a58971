#include <stdlib.h>
#include <string.h>

#include "tests/model/model.h"

/* ---- events ---- */

static struct event_execution execution_of(const struct model_order *order, uint8_t exec_type,
                                           uint8_t ord_status)
{
    return (struct event_execution){.header = EVENT_HEADER(EVENT_EXECUTION, struct event_execution),
                                    .order_id = order->order_id,
                                    .account = order->account,
                                    .instrument = order->instrument,
                                    .side = order->side,
                                    .ord_type = order->ord_type,
                                    .time_in_force = order->time_in_force,
                                    .exec_type = exec_type,
                                    .ord_status = ord_status,
                                    .limit_px = order->limit_px,
                                    .order_qty = order->order_qty,
                                    .cum_qty = order->cum_qty,
                                    .leaves_qty = model_leaves(order)};
}

static void emit_fill(struct model *self, const struct model_order *order, qty_t qty, px_t px,
                      uint8_t liquidity)
{
    struct event_execution event =
        execution_of(order, EXEC_TRADE, model_leaves(order) ? ORD_PARTIALLY_FILLED : ORD_FILLED);
    event.trade_id = self->trade_id;
    event.last_qty = qty;
    event.last_px = px;
    event.last_liquidity = liquidity;
    model_emit(self, &event, sizeof event);
}

static void emit_ended(struct model *self, const struct model_order *order, uint8_t exec_type,
                       uint8_t ord_status)
{
    struct event_execution event = execution_of(order, exec_type, ord_status);
    event.leaves_qty = 0;
    model_emit(self, &event, sizeof event);
}

static void emit_request_rejected(struct model *self, account_id_t account, order_id_t order_id,
                                  uint16_t command, enum reject reason)
{
    struct event_request_rejected event = {
        .header = EVENT_HEADER(EVENT_REQUEST_REJECTED, struct event_request_rejected),
        .order_id = order_id,
        .account = account,
        .command = command,
        .reject_reason = (uint16_t)reason};
    model_emit(self, &event, sizeof event);
}

/* ---- client order ids ---- */

static bool is_cl_ord_id(const char *text)
{
    size_t i = 0;
    while (i < CL_ORD_ID_BYTES && text[i] > 0x20 && text[i] < 0x7f) i++;
    while (i < CL_ORD_ID_BYTES && text[i] == '\0') i++;
    return i == CL_ORD_ID_BYTES;
}

static order_id_t order_id_of(const struct model *self, account_id_t account, const char *cl_ord_id)
{
    if (cl_ord_id[0] == '\0') return 0;
    for (uint32_t i = 0; i < self->cl_ord_id_count; i++) {
        const struct model_cl_ord_id *used = &self->cl_ord_ids[i];
        if (used->account == account && memcmp(used->text, cl_ord_id, CL_ORD_ID_BYTES) == 0)
            return used->order_id;
    }
    return 0;
}

static void use_cl_ord_id(struct model *self, account_id_t account, const char *cl_ord_id,
                          order_id_t order_id)
{
    if (cl_ord_id[0] == '\0' || self->cl_ord_id_count == self->limits.cl_ord_ids) return;
    struct model_cl_ord_id *used = &self->cl_ord_ids[self->cl_ord_id_count++];
    used->account = account;
    used->order_id = order_id;
    memcpy(used->text, cl_ord_id, CL_ORD_ID_BYTES);
}

/* ---- room ---- */

enum { KEY_BITS = 24, NODE_BITS = 6, NODES_A_PRICE = KEY_BITS / NODE_BITS - 1 };

static int compare_uint64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* How many different values the open orders have: of their place in the books without its last
 * `cut` bits. Cut by nothing that counts price levels, by 6, 12 and 18 the nodes above them. */
static uint32_t count_places(const struct model *self, unsigned cut)
{
    if (self->order_count == 0) return 0;
    uint64_t *places = calloc(self->order_count, sizeof *places);
    if (!places) abort();
    for (uint32_t i = 0; i < self->order_count; i++) {
        const struct model_order *order = &self->orders[i];
        uint64_t ticks = (uint64_t)(order->limit_px / self->instruments[order->instrument].tick_px);
        uint64_t key = order->side == SIDE_BUY ? 0xffffff - ticks : ticks;
        uint64_t book = (uint64_t)order->instrument * 2 + (order->side == SIDE_SELL);
        places[i] = book << KEY_BITS | key >> cut;
    }
    qsort(places, self->order_count, sizeof *places, compare_uint64);
    uint32_t count = 1;
    for (uint32_t i = 1; i < self->order_count; i++) count += places[i] != places[i - 1];
    free(places);
    return count;
}

static uint32_t nodes_left(const struct model *self)
{
    uint32_t all =
        self->limits.levels + 2 * self->limits.instruments + NODES_A_PRICE + 1; /* node 0 apart */
    uint32_t used = 0;
    for (uint32_t i = 0; i < self->limits.instruments; i++)
        used += (uint32_t)self->instruments[i].ever_rested[0] +
                (uint32_t)self->instruments[i].ever_rested[1];
    for (unsigned cut = NODE_BITS; cut < KEY_BITS; cut += NODE_BITS)
        used += count_places(self, cut);
    return all - used;
}

static enum reject check_room(const struct model *self, const struct command_new_order *command)
{
    if (command->cl_ord_id[0] != '\0' && self->cl_ord_id_count == self->limits.cl_ord_ids)
        return REJECT_CL_ORD_IDS_FULL;
    if (self->order_count == self->limits.orders) return REJECT_ORDERS_FULL;
    if (count_places(self, 0) == self->limits.levels || nodes_left(self) < NODES_A_PRICE + 1)
        return REJECT_BOOK_FULL;
    if (command->side == SIDE_BUY && !model_position(self, command->account, command->instrument) &&
        self->position_count == self->limits.positions)
        return REJECT_POSITIONS_FULL;
    return REJECT_NONE;
}

/* ---- new orders ---- */

static enum reject check_sender(const struct model *self, const struct command_new_order *command)
{
    if (!model_account_is_open(self, command->account)) return REJECT_UNKNOWN_ACCOUNT;
    if (!model_acts_for(self, command->account, command->user)) return REJECT_UNKNOWN_USER;
    if (!is_cl_ord_id(command->cl_ord_id)) return REJECT_INVALID_CL_ORD_ID;
    return REJECT_NONE;
}

static enum reject check_terms(const struct model *self, const struct command_new_order *command)
{
    if (!model_is_listed(self, command->instrument)) return REJECT_UNKNOWN_INSTRUMENT;
    const struct model_instrument *i = &self->instruments[command->instrument];
    if (command->side != '1' && command->side != '2') return REJECT_INVALID_SIDE;
    if (command->ord_type != '2') return REJECT_INVALID_ORD_TYPE;
    if (command->time_in_force != '0' && command->time_in_force != '1' &&
        command->time_in_force != '3')
        return REJECT_INVALID_TIME_IN_FORCE;
    if (command->order_qty < 1 || command->order_qty > QTY_MAX) return REJECT_INVALID_QTY;
    if (command->order_qty % i->lot_qty != 0) return REJECT_INVALID_LOT;
    if (command->limit_px < 1) return REJECT_INVALID_PX;
    if (command->limit_px > i->max_px) return REJECT_PX_OUT_OF_RANGE;
    if (command->limit_px % i->tick_px != 0) return REJECT_INVALID_TICK;
    if (command->order_qty > i->max_order_qty) return REJECT_MAX_ORDER_QTY;
    if ((__int128)command->limit_px * command->order_qty > i->max_order_notional)
        return REJECT_MAX_ORDER_NOTIONAL;
    return REJECT_NONE;
}

static enum reject check_funds(const struct model *self, const struct command_new_order *command)
{
    if (command->side == SIDE_BUY) {
        __int128 available =
            self->accounts[command->account].cash - model_held_cash(self, command->account);
        __int128 needed = (__int128)command->limit_px * command->order_qty;
        return needed > available ? REJECT_INSUFFICIENT_CASH : REJECT_NONE;
    }
    const struct model_position *p = model_position(self, command->account, command->instrument);
    __int128 available =
        p ? p->qty - model_held_qty(self, command->account, command->instrument) : 0;
    return command->order_qty > available ? REJECT_INSUFFICIENT_SHARES : REJECT_NONE;
}

static uint32_t take_slot(struct model *self)
{
    if (self->free_slot_count) return self->free_slots[--self->free_slot_count];
    return ++self->slots_used;
}

static void free_slot(struct model *self, order_id_t order_id)
{
    self->free_slots[self->free_slot_count++] = (uint32_t)(order_id & 0xffffff);
}

static void drop_order(struct model *self, struct model_order *order)
{
    uint32_t at = (uint32_t)(order - self->orders);
    free_slot(self, order->order_id);
    for (uint32_t i = at + 1; i < self->order_count; i++) self->orders[i - 1] = self->orders[i];
    self->order_count--;
}

/* The order that a new one meets first: best price, then oldest. */
static struct model_order *best_against(struct model *self, const struct model_order *taker)
{
    struct model_order *best = NULL;
    for (uint32_t i = 0; i < self->order_count; i++) { /* oldest first: a tie keeps the older */
        struct model_order *order = &self->orders[i];
        if (order->instrument != taker->instrument || order->side == taker->side) continue;
        if (taker->side == SIDE_BUY ? order->limit_px > taker->limit_px
                                    : order->limit_px < taker->limit_px)
            continue;
        if (!best || (taker->side == SIDE_BUY ? order->limit_px < best->limit_px
                                              : order->limit_px > best->limit_px))
            best = order;
    }
    return best;
}

static void trade(struct model *self, struct model_order *taker, struct model_order *maker)
{
    qty_t qty =
        model_leaves(taker) < model_leaves(maker) ? model_leaves(taker) : model_leaves(maker);
    px_t px = maker->limit_px;
    account_id_t buyer = taker->side == SIDE_BUY ? taker->account : maker->account;
    account_id_t seller = taker->side == SIDE_BUY ? maker->account : taker->account;
    self->accounts[buyer].cash -= (__int128)px * qty;
    self->accounts[seller].cash += (__int128)px * qty;
    model_position(self, seller, taker->instrument)->qty -= qty;
    model_position(self, buyer, taker->instrument)->qty += qty;
    self->instruments[taker->instrument].last_px = px;
    self->instruments[taker->instrument].book_update_id++;
    self->trade_id++;
    maker->cum_qty += qty;
    taker->cum_qty += qty;
    emit_fill(self, maker, qty, px, LIQUIDITY_ADDED);
    emit_fill(self, taker, qty, px, LIQUIDITY_REMOVED);
    if (model_leaves(maker) == 0) drop_order(self, maker);
}

static struct model_order order_of(struct model *self, const struct command_new_order *command,
                                   uint32_t slot)
{
    struct model_order order = {.order_id = ++self->orders_made << 24 | slot,
                                .account = command->account,
                                .instrument = command->instrument,
                                .side = command->side,
                                .ord_type = command->ord_type,
                                .time_in_force = command->time_in_force,
                                .limit_px = command->limit_px,
                                .order_qty = command->order_qty};
    memcpy(order.cl_ord_id, command->cl_ord_id, CL_ORD_ID_BYTES);
    return order;
}

static void accept_order(struct model *self, const struct command_new_order *command)
{
    struct model_instrument *instrument = &self->instruments[command->instrument];
    struct model_order order = order_of(self, command, take_slot(self));
    if (order.side == SIDE_BUY) model_open_position(self, order.account, order.instrument);
    use_cl_ord_id(self, order.account, order.cl_ord_id, order.order_id);
    struct event_execution accepted = execution_of(&order, EXEC_NEW, ORD_NEW);
    model_emit(self, &accepted, sizeof accepted);
    for (struct model_order *maker; model_leaves(&order) && (maker = best_against(self, &order));)
        trade(self, &order, maker);
    if (model_leaves(&order) == 0) {
        free_slot(self, order.order_id);
    } else if (order.time_in_force == TIF_IOC) {
        free_slot(self, order.order_id);
        emit_ended(self, &order, EXEC_CANCELED, ORD_CANCELED);
    } else {
        self->orders[self->order_count++] = order;
        instrument->ever_rested[order.side == SIDE_SELL] = true;
        instrument->book_update_id++;
    }
}

static void reject_order(struct model *self, const struct command_new_order *command,
                         enum reject reason, bool has_owner)
{
    struct model_order order = order_of(self, command, 0);
    if (has_owner) use_cl_ord_id(self, order.account, order.cl_ord_id, order.order_id);
    struct event_execution event = execution_of(&order, EXEC_REJECTED, ORD_REJECTED);
    event.leaves_qty = 0;
    event.reject_reason = (uint16_t)reason;
    model_emit(self, &event, sizeof event);
}

void model_new_order(struct model *self, const struct command_new_order *command)
{
    enum reject reason = check_sender(self, command);
    if (reason != REJECT_NONE) {
        reject_order(self, command, reason, false);
        return;
    }
    order_id_t first = order_id_of(self, command->account, command->cl_ord_id);
    if (first) {
        emit_request_rejected(self, command->account, first, COMMAND_NEW_ORDER,
                              REJECT_DUPLICATE_CL_ORD_ID);
        return;
    }
    reason = check_terms(self, command);
    if (reason == REJECT_NONE) reason = check_room(self, command);
    if (reason == REJECT_NONE) reason = check_funds(self, command);
    if (reason == REJECT_NONE)
        accept_order(self, command);
    else
        reject_order(self, command, reason, true);
}

/* ---- cancel, replace, end of day ---- */

static struct model_order *find_own(struct model *self, account_id_t account, user_id_t user,
                                    order_id_t order_id, const char *orig_cl_ord_id)
{
    if (!model_acts_for(self, account, user)) return NULL;
    if (order_id == 0) order_id = order_id_of(self, account, orig_cl_ord_id);
    struct model_order *order = model_order(self, order_id);
    return order && order->account == account ? order : NULL;
}

static void end_order(struct model *self, struct model_order *order, uint8_t exec_type,
                      uint8_t ord_status)
{
    self->instruments[order->instrument].book_update_id++;
    emit_ended(self, order, exec_type, ord_status);
    drop_order(self, order);
}

void model_cancel_order(struct model *self, const struct command_cancel_order *command)
{
    struct model_order *order =
        find_own(self, command->account, command->user, command->order_id, command->orig_cl_ord_id);
    if (order)
        end_order(self, order, EXEC_CANCELED, ORD_CANCELED);
    else
        emit_request_rejected(self, command->account, command->order_id, COMMAND_CANCEL_ORDER,
                              REJECT_UNKNOWN_ORDER);
}

void model_replace_order(struct model *self, const struct command_replace_order *command)
{
    struct model_order *order =
        find_own(self, command->account, command->user, command->order_id, command->orig_cl_ord_id);
    enum reject reason = REJECT_NONE;
    if (!order)
        reason = REJECT_UNKNOWN_ORDER;
    else if (command->order_qty < 1 || command->order_qty > QTY_MAX)
        reason = REJECT_INVALID_QTY;
    else if (command->order_qty % self->instruments[order->instrument].lot_qty != 0)
        reason = REJECT_INVALID_LOT;
    else if (command->order_qty >= order->order_qty)
        reason = REJECT_QTY_NOT_REDUCED;
    if (reason != REJECT_NONE) {
        emit_request_rejected(self, command->account, order ? order->order_id : command->order_id,
                              COMMAND_REPLACE_ORDER, reason);
        return;
    }
    if (command->order_qty <= order->cum_qty) {
        end_order(self, order, EXEC_CANCELED, ORD_CANCELED);
        return;
    }
    order->order_qty = command->order_qty;
    self->instruments[order->instrument].book_update_id++;
    struct event_execution event =
        execution_of(order, EXEC_REPLACED, order->cum_qty ? ORD_PARTIALLY_FILLED : ORD_NEW);
    model_emit(self, &event, sizeof event);
}

/* The open order with the lowest slot at or above one; NULL when there is none. */
static struct model_order *order_from_slot(struct model *self, uint32_t slot)
{
    struct model_order *lowest = NULL;
    for (uint32_t i = 0; i < self->order_count; i++) {
        struct model_order *order = &self->orders[i];
        if ((order->order_id & 0xffffff) < slot) continue;
        if (!lowest || (order->order_id & 0xffffff) < (lowest->order_id & 0xffffff)) lowest = order;
    }
    return lowest;
}

void model_end_day(struct model *self, const struct command_end_day *command)
{
    uint64_t expired = 0;
    struct model_order *order;
    for (uint32_t slot = 1; (order = order_from_slot(self, slot)); slot++) {
        slot = (uint32_t)(order->order_id & 0xffffff);
        if (order->time_in_force != TIF_DAY) continue;
        end_order(self, order, EXEC_EXPIRED, ORD_EXPIRED);
        expired++;
    }
    self->cl_ord_id_count = 0;
    for (uint32_t i = 0; i < self->order_count; i++)
        use_cl_ord_id(self, self->orders[i].account, self->orders[i].cl_ord_id,
                      self->orders[i].order_id);
    self->day = command->day;
    struct event_day_ended event = {.header = EVENT_HEADER(EVENT_DAY_ENDED, struct event_day_ended),
                                    .day = command->day,
                                    .expired_count = expired};
    model_emit(self, &event, sizeof event);
}
