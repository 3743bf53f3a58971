/* coverage.h - what the events of a run have shown: a stream's maker that no longer reaches
 * something proves nothing about it.
 */
#ifndef HOGA_TESTS_COVERAGE_H
#define HOGA_TESTS_COVERAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    COVERED_REASONS = 100, /* those of the engine */
    COVERED_TEMPLATES = 128,
    COVERED_LETTERS = 128,
    COVERED_SESSIONS = 8,
    COVERED_CAUSES = 6,
    COVERED_MODES = 8,
};

struct coverage {
    uint64_t events;
    uint64_t reasons[COVERED_REASONS];
    uint64_t templates[COVERED_TEMPLATES];
    uint64_t exec_types[COVERED_LETTERS];
    uint64_t sessions[COVERED_SESSIONS][COVERED_SESSIONS]; /* from, to */
    uint64_t causes[COVERED_CAUSES];
    uint64_t liquidity[COVERED_MODES];
    uint64_t orders[COVERED_MODES]
                   [COVERED_MODES]; /* accepted: ord_type - '0', time_in_force - '0' */
    uint64_t breaker_levels[COVERED_MODES];
    uint32_t triggered;     /* stops, by the command in work */
    uint64_t full_cascades; /* commands that triggered as many stops as one may */
    uint64_t full_times;    /* that fired as many timers as one may */
};

/* A new command: its events follow. */
void coverage_begin_command(struct coverage *self);

/* Takes down one event, a whole message. */
void coverage_note(struct coverage *self, const void *event);

/* Whether all that can happen has happened; says on standard error what has not. */
bool coverage_is_complete(const struct coverage *self);

/* On standard output, for people. */
void coverage_print(const struct coverage *self);

#endif
