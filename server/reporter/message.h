/* message.h - messages of either version out of journal records.
 *
 * A message of version 1 lacks what version 2 appended: those fields read as zeros. Each function
 * stores the message and returns true; false when the record holds another, or one too short for
 * any version. Pure.
 */
#ifndef HOGA_REPORTER_MESSAGE_H
#define HOGA_REPORTER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/bus/journal.h"
#include "engine/message/event.h"

/* Any message that has not grown: into `bytes` at `to`. */
bool message_of(const struct journal_record *record, uint16_t template_id, void *to, size_t bytes);

bool message_new_order(const struct journal_record *record, struct command_new_order *to);
bool message_replace_order(const struct journal_record *record, struct command_replace_order *to);
bool message_list_instrument(const struct journal_record *record,
                             struct command_list_instrument *to);
bool message_execution(const struct journal_record *record, struct event_execution *to);

#endif
