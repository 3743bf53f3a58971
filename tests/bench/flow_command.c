#include "flow_command.h"

#include "exchange.h"

size_t flow_command(const struct flow_record *record, const order_id_t *ids,
                    instrument_id_t instrument, union flow_command *command)
{
    switch (record->type) {
    case FLOW_CANCEL:
        command->cancel = (struct command_cancel_order){
            .header = COMMAND_HEADER(COMMAND_CANCEL_ORDER, struct command_cancel_order),
            .account = record->owner,
            .user = record->owner,
            .order_id = ids[record->id]};
        return sizeof command->cancel;
    case FLOW_MOVE:
        command->replace = (struct command_replace_order){
            .header = COMMAND_HEADER(COMMAND_REPLACE_ORDER, struct command_replace_order),
            .account = record->owner,
            .user = record->owner,
            .order_id = ids[record->id],
            .limit_px = record->price * EXCHANGE_TICK_PX};
        return sizeof command->replace;
    default:
        command->new_order = (struct command_new_order){
            .header = sbe_header_v1(COMMAND_NEW_ORDER, NEW_ORDER_V1_BYTES),
            .account = record->owner,
            .user = record->owner,
            .instrument = instrument,
            .side = record->side ? SIDE_SELL : SIDE_BUY,
            .ord_type = ORD_TYPE_LIMIT,
            .time_in_force = record->type == FLOW_IOC ? TIF_IOC : TIF_GTC,
            .order_qty = record->qty,
            .limit_px = record->price * EXCHANGE_TICK_PX};
        return NEW_ORDER_V1_BYTES;
    }
}
