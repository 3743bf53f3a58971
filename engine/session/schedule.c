#include "engine/session/schedule.h"

#define SECOND_NS INT64_C(1000000000)
#define DAY_NS    (86400 * SECOND_NS)

enum { WEEK_DAYS = 7, WEEKDAY_OF_EPOCH = 3 /* 1970-01-01 was a Thursday; Monday is 0 */ };

bool schedule_is_valid(const struct command_set_schedule *command)
{
    if (command->schedule == 0 || command->schedule >= SCHEDULE_COUNT) return false;
    bool ended = false;
    for (int row = 0; row < SCHEDULE_ROWS; row++) {
        uint32_t second = command->second_of_day[row];
        uint8_t session = command->session[row], weekdays = command->weekdays[row];
        if (weekdays == 0) {
            ended = true;
            if (second != 0 || session != 0) return false;
            continue;
        }
        if (ended || weekdays >= 1 << WEEK_DAYS || second >= 86400) return false;
        if (session < SESSION_CLOSED || session > SESSION_CLOSING_AUCTION) return false;
        if (row > 0 && second <= command->second_of_day[row - 1]) return false;
    }
    return true;
}

int64_t schedule_next_ns(const struct schedule *self, int64_t after_ns, uint8_t *session)
{
    int64_t today = after_ns / DAY_NS;
    /* a weekly row that was today comes again on this weekday: eight days are looked at */
    for (int64_t day = today; day <= today + WEEK_DAYS; day++) {
        int64_t weekday = (day + WEEKDAY_OF_EPOCH) % WEEK_DAYS;
        for (int row = 0; row < SCHEDULE_ROWS && self->weekdays[row]; row++) {
            int64_t at_ns;
            if (!(self->weekdays[row] >> weekday & 1)) continue;
            if (__builtin_mul_overflow(day, DAY_NS, &at_ns) ||
                __builtin_add_overflow(at_ns, self->second_of_day[row] * SECOND_NS, &at_ns))
                return 0; /* no row before time itself ends */
            if (at_ns <= after_ns) continue;
            *session = self->session[row];
            return at_ns;
        }
    }
    return 0;
}
