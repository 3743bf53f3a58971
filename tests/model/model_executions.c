#include "tests/model/model_parts.h"

static struct event_execution execution_of(const struct model_order *order, uint8_t exec_type)
{
    return (struct event_execution){.header = sbe_header_v1(EVENT_EXECUTION, EXECUTION_V1_BYTES),
                                    .order_id = order->order_id,
                                    .account = order->account,
                                    .instrument = order->instrument,
                                    .side = order->side,
                                    .ord_type = order->ord_type,
                                    .time_in_force = order->time_in_force,
                                    .exec_type = exec_type,
                                    .ord_status = order->cum_qty ? ORD_PARTIALLY_FILLED : ORD_NEW,
                                    .limit_px = order->limit_px,
                                    .order_qty = order->order_qty,
                                    .cum_qty = order->cum_qty,
                                    .leaves_qty = model_leaves(order)};
}

void model_emit_execution(struct model *self, const struct model_order *order, uint8_t exec_type)
{
    struct event_execution event = execution_of(order, exec_type);
    model_emit(self, &event, EXECUTION_V1_BYTES);
}

void model_emit_fill(struct model *self, const struct model_order *order, qty_t qty, px_t px,
                     uint8_t liquidity, struct fee fee)
{
    struct event_execution event = execution_of(order, EXEC_TRADE);
    event.header = EVENT_HEADER(EVENT_EXECUTION, struct event_execution);
    if (model_leaves(order) == 0) event.ord_status = ORD_FILLED;
    event.trade_id = self->trade_count;
    event.last_liquidity = liquidity;
    event.last_qty = qty;
    event.last_px = px;
    event.fee = fee.fee;
    event.fee_remainder = fee.remainder;
    model_emit(self, &event, sizeof event);
}

void model_emit_refused_order(struct model *self, const struct model_order *order,
                              enum reject reason)
{
    struct event_execution event = execution_of(order, EXEC_REJECTED);
    event.ord_status = ORD_REJECTED;
    event.reject_reason = (uint16_t)reason;
    event.leaves_qty = 0;
    model_emit(self, &event, EXECUTION_V1_BYTES);
}

void model_end_order(struct model *self, struct model_order *order, uint8_t exec_type,
                     enum reject reason)
{
    struct event_execution event = execution_of(order, exec_type);
    event.ord_status = exec_type == EXEC_EXPIRED ? ORD_EXPIRED : ORD_CANCELED;
    event.reject_reason = (uint16_t)reason;
    event.leaves_qty = 0;
    model_emit(self, &event, EXECUTION_V1_BYTES);
    model_leave_place(self, order);
    model_drop_order(self, order);
}

void model_reject_request(struct model *self, account_id_t account, order_id_t order_id,
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
