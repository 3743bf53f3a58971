/* journal_json.h - a record of a journal as a line of JSON: nothing is left out but secrets.
 *
 *   {"seq":17,"time":"2026-11-22T09:30:00.000000001Z","source":1,"request_id":5,"type":"new_order",
 *    "account":1001,"side":"buy","limit_px":"189.3500",...}
 *
 * Behind "type" come the message's fields under the names of engine/message/schema.xml, those that
 * the record has: one of an earlier version has fewer. Words, prices, cash, ids and times are as in
 * web/API.md; a value that has no word is shown as the number it is. `in` has "ring_position",
 * `out` "cause_seq", the command that caused the event.
 */
#ifndef HOGA_OPS_JOURNAL_JSON_H
#define HOGA_OPS_JOURNAL_JSON_H

#include "engine/bus/journal.h"
#include "web/json/encode.h"

/* Appends the line, its end included. */
void journal_json(struct json_buffer *out, enum journal_kind kind,
                  const struct journal_record *record);

#endif
