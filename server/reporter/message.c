#include "server/reporter/message.h"

#include <string.h>

/* The first `v1_bytes` are there in any version, the rest in whole or not at all. */
static bool take(const struct journal_record *record, uint16_t template_id, void *to,
                 size_t v1_bytes, size_t bytes)
{
    size_t length = record_message_length(record);
    if (record->header.template_id != template_id || length < v1_bytes) return false;
    memset(to, 0, bytes);
    memcpy(to, record_message(record), length < bytes ? v1_bytes : bytes);
    return true;
}

bool message_of(const struct journal_record *record, uint16_t template_id, void *to, size_t bytes)
{
    return take(record, template_id, to, bytes, bytes);
}

bool message_new_order(const struct journal_record *record, struct command_new_order *to)
{
    return take(record, COMMAND_NEW_ORDER, to, NEW_ORDER_V1_BYTES, sizeof *to);
}

bool message_replace_order(const struct journal_record *record, struct command_replace_order *to)
{
    return take(record, COMMAND_REPLACE_ORDER, to, REPLACE_ORDER_V1_BYTES, sizeof *to);
}

bool message_list_instrument(const struct journal_record *record,
                             struct command_list_instrument *to)
{
    return take(record, COMMAND_LIST_INSTRUMENT, to, LIST_INSTRUMENT_V1_BYTES, sizeof *to);
}

bool message_execution(const struct journal_record *record, struct event_execution *to)
{
    return take(record, EVENT_EXECUTION, to, EXECUTION_V1_BYTES, sizeof *to);
}
