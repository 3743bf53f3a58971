/* flow_command.h - a flow's records as the messages that clients send. */
#ifndef HOGA_BENCH_FLOW_COMMAND_H
#define HOGA_BENCH_FLOW_COMMAND_H

#include <stddef.h>

#include "engine/message/command.h"
#include "flow.h"

union flow_command {
    struct command_new_order new_order;
    struct command_cancel_order cancel;
    struct command_replace_order replace;
};

/* Writes the message of one record. `ids` are the exchange's order ids by the flow's. Owners are
 * accounts and users of the same number. Returns the message's length. */
size_t flow_command(const struct flow_record *record, const order_id_t *ids,
                    instrument_id_t instrument, union flow_command *command);

#endif
