#include "tests/model/coverage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/message/event.h"
#include "engine/message/reject.h"

/* ---- taking down ---- */

enum { STOPS_A_COMMAND = 256 }; /* as MATCHING.md says */

void coverage_begin_command(struct coverage *self)
{
    self->triggered = 0;
}

static void note_execution(struct coverage *self, const struct event_execution *event)
{
    self->reasons[event->reject_reason % COVERED_REASONS]++;
    self->exec_types[event->exec_type % COVERED_LETTERS]++;
    self->liquidity[event->last_liquidity % COVERED_MODES]++;
    if (event->exec_type == EXEC_TRIGGERED && ++self->triggered == STOPS_A_COMMAND)
        self->full_cascades++;
    if (event->exec_type == EXEC_NEW)
        self->orders[(event->ord_type - '0') % COVERED_MODES]
                    [(event->time_in_force - '0') % COVERED_MODES]++;
}

void coverage_note(struct coverage *self, const void *event)
{
    struct sbe_header header;
    memcpy(&header, event, sizeof header);
    self->events++;
    self->templates[header.template_id % COVERED_TEMPLATES]++;
    switch (header.template_id) {
    case EVENT_EXECUTION: note_execution(self, event); break;
    case EVENT_REQUEST_REJECTED: {
        const struct event_request_rejected *rejected = event;
        self->reasons[rejected->reject_reason % COVERED_REASONS]++;
        break;
    }
    case EVENT_COMMAND_REJECTED: {
        const struct event_command_rejected *rejected = event;
        self->reasons[rejected->reject_reason % COVERED_REASONS]++;
        break;
    }
    case EVENT_SESSION_CHANGED: {
        const struct event_session_changed *changed = event;
        self->sessions[changed->before % COVERED_SESSIONS][changed->session % COVERED_SESSIONS]++;
        self->causes[changed->cause % COVERED_CAUSES]++;
        break;
    }
    case EVENT_TIME_PASSED: {
        const struct event_time_passed *passed = event;
        self->full_times += passed->fired_count == TIMERS_A_COMMAND;
        break;
    }
    case EVENT_BREAKER_TRIPPED: {
        const struct event_breaker_tripped *tripped = event;
        self->breaker_levels[tripped->level % COVERED_MODES]++;
        break;
    }
    default: break;
    }
}

/* ---- is it all? ---- */

static const uint8_t exec_types[] = {EXEC_NEW,     EXEC_CANCELED, EXEC_REPLACED, EXEC_REJECTED,
                                     EXEC_EXPIRED, EXEC_RESTATED, EXEC_TRADE,    EXEC_TRIGGERED};

/* Which order types are taken with which times in force. */
static const struct {
    uint8_t ord_type;
    const char *times_in_force;
} taken[] = {{ORD_TYPE_MARKET, "02347"},
             {ORD_TYPE_LIMIT, "0123467"},
             {ORD_TYPE_STOP, "016"},
             {ORD_TYPE_STOP_LIMIT, "016"}};

/* False, with a word, if nothing was counted. */
static bool seen(uint64_t count, const char *what, uint32_t a, uint32_t b)
{
    if (count) return true;
    fprintf(stderr, "not reached: %s %" PRIu32 " %" PRIu32 "\n", what, a, b);
    return false;
}

static bool all_reasons(const struct coverage *self)
{
    unsigned count;
    const struct reject_row *rows = reject_rows(&count);
    bool all = true;
    for (unsigned i = 0; i < count; i++) {
        if (rows[i].number == REJECT_NONE || rows[i].number >= COVERED_REASONS) continue;
        /* version 1's alone: its journals are played by tests/golden */
        if (rows[i].number == REJECT_QTY_NOT_REDUCED) continue;
        all &= seen(self->reasons[rows[i].number], rows[i].code, rows[i].number, 0);
    }
    return all;
}

static bool all_orders(const struct coverage *self)
{
    bool all = true;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        for (const char *tif = taken[i].times_in_force; *tif; tif++)
            all &= seen(self->orders[taken[i].ord_type - '0'][*tif - '0'],
                        "an order of type and time in force", taken[i].ord_type - '0',
                        (uint32_t)(*tif - '0'));
    return all;
}

static bool all_sessions(const struct coverage *self)
{
    bool all = true;
    for (uint32_t from = SESSION_CLOSED; from <= SESSION_CLOSING_AUCTION; from++)
        for (uint32_t to = SESSION_CLOSED; to <= SESSION_CLOSING_AUCTION; to++)
            if (from != to) all &= seen(self->sessions[from][to], "session change", from, to);
    for (uint32_t cause = SESSION_BY_COMMAND; cause <= SESSION_BY_TIMER; cause++)
        all &= seen(self->causes[cause], "cause of a session change", cause, 0);
    return all;
}

bool coverage_is_complete(const struct coverage *self)
{
    bool all = all_reasons(self);
    all &= all_orders(self);
    all &= all_sessions(self);
    for (uint32_t id = EVENT_CONFIGURED; id <= EVENT_KILL_SWITCHED; id++)
        if (id <= EVENT_CANCEL_AFTER_SET || id >= EVENT_DAY_ENDED)
            all &= seen(self->templates[id], "event", id, 0);
    for (size_t i = 0; i < sizeof exec_types; i++)
        all &= seen(self->exec_types[exec_types[i]], "executions of type", exec_types[i], 0);
    all &= seen(self->liquidity[LIQUIDITY_ADDED], "liquidity", LIQUIDITY_ADDED, 0);
    all &= seen(self->liquidity[LIQUIDITY_REMOVED], "liquidity", LIQUIDITY_REMOVED, 0);
    all &= seen(self->liquidity[LIQUIDITY_AUCTION], "liquidity", LIQUIDITY_AUCTION, 0);
    all &= seen(self->full_cascades, "stops triggered by one command", STOPS_A_COMMAND, 0);
    all &= seen(self->full_times, "timers fired by one command", TIMERS_A_COMMAND, 0);
    for (uint32_t level = 1; level <= BREAKER_LEVELS; level++)
        all &= seen(self->breaker_levels[level], "breaker level", level, 0);
    return all;
}

/* ---- for people ---- */

void coverage_print(const struct coverage *self)
{
    unsigned count;
    const struct reject_row *rows = reject_rows(&count);
    for (unsigned i = 0; i < count && rows[i].number < COVERED_REASONS; i++)
        if (rows[i].number != REJECT_NONE)
            printf("%-28s %" PRIu64 "\n", rows[i].code, self->reasons[rows[i].number]);
    for (uint32_t i = 0; i < COVERED_TEMPLATES; i++)
        if (self->templates[i]) printf("event %-22" PRIu32 " %" PRIu64 "\n", i, self->templates[i]);
    for (int i = 0; i < COVERED_LETTERS; i++)
        if (self->exec_types[i])
            printf("executions of type %c         %" PRIu64 "\n", i, self->exec_types[i]);
    for (uint32_t from = 1; from < COVERED_SESSIONS; from++)
        for (uint32_t to = 1; to < COVERED_SESSIONS; to++)
            if (from != to)
                printf("session %" PRIu32 " to %" PRIu32 "               %" PRIu64 "\n", from, to,
                       self->sessions[from][to]);
    for (uint32_t cause = 1; cause < COVERED_CAUSES; cause++)
        printf("session by cause %" PRIu32 "           %" PRIu64 "\n", cause, self->causes[cause]);
    for (uint32_t type = 1; type < COVERED_MODES; type++)
        for (uint32_t tif = 0; tif < COVERED_MODES; tif++)
            if (self->orders[type][tif])
                printf("orders of type %" PRIu32 ", in force %" PRIu32 "  %" PRIu64 "\n", type, tif,
                       self->orders[type][tif]);
    printf("full cascades of stops       %" PRIu64 "\n", self->full_cascades);
    printf("full bursts of timers        %" PRIu64 "\n", self->full_times);
    for (uint32_t level = 1; level <= BREAKER_LEVELS; level++)
        printf("breaker level %" PRIu32 "              %" PRIu64 "\n", level,
               self->breaker_levels[level]);
}
