/* admin_rows.h - lists that an operator types in one option, into the rows of a command.
 *
 *   schedule    08:30=pre_open@mon-fri,09:00=opening_auction@mon-fri,...   HH:MM[:SS], UTC; without
 *               @ on all days; days are joined by +, as in mon-thu+sat
 *   tick table  0=0.01,100=0.05                  from this price on: this tick
 *   breakers    70000=900000,130000=900000,...   millionths of decline: milliseconds of halt
 *
 * Each complains on stderr and returns false when the text is no such list or has too many rows;
 * whether the rows make sense is the engine's to say.
 */
#ifndef HOGA_OPS_ADMIN_ROWS_H
#define HOGA_OPS_ADMIN_ROWS_H

#include <stdbool.h>

#include "engine/message/command.h"

bool admin_take_schedule_rows(const char *text, struct command_set_schedule *to);
bool admin_take_tick_rows(const char *text, struct command_set_tick_table *to);

/* An empty text or "none": no level. */
bool admin_take_breaker_levels(const char *text, struct command_set_breakers *to);

#endif
