/* setting.h - what a SET_ command sets, as a JSON object: members are named as the message's fields
 * are, numbers are as they stand in it. */
#ifndef HOGA_REPORTER_SETTING_H
#define HOGA_REPORTER_SETTING_H

#include <stdbool.h>

#include "engine/bus/journal.h"

enum { SETTING_JSON_BYTES = 2048 };

/* False when the command is no SET_ command, or too short. */
bool setting_json(const struct journal_record *command, char json[SETTING_JSON_BYTES]);

#endif
