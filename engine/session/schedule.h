/* schedule.h - when sessions change: rows of UTC times and weekdays. Pure calendar arithmetic.
 * Owned by the engine's thread.
 */
#ifndef HOGA_SESSION_SCHEDULE_H
#define HOGA_SESSION_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/units.h"
#include "engine/message/command.h"

struct schedule {
    uint32_t second_of_day[SCHEDULE_ROWS];
    uint8_t session[SCHEDULE_ROWS];
    uint8_t
        weekdays[SCHEDULE_ROWS]; /* bit 0 is Monday; 0: this row and those behind it are empty */
};

/* Whether the rows of a command are ones that can be followed. */
bool schedule_is_valid(const struct command_set_schedule *command);

/* The first row that comes after `after_ns` (since the epoch, not negative), strictly: when, and
 * into which session. 0 when the schedule has no rows. */
int64_t schedule_next_ns(const struct schedule *self, int64_t after_ns, uint8_t *session);

#endif
