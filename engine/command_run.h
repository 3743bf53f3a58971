/* command_run.h - commands that are known before it is their turn, so that what they need of memory
 * can be fetched meanwhile: the sequencer's and recovery's.
 *
 *   begin, add ... add, then for each: look, step
 *
 * A command is looked at when it is added and some commands later again, each time a step further
 * (engine_look()); where everything lies in the caches, once (engine_prefetch()). Owned by the
 * engine's thread.
 */
#ifndef HOGA_COMMAND_RUN_H
#define HOGA_COMMAND_RUN_H

#include <stdbool.h>

#include "engine/bus/journal.h"
#include "engine/engine.h"

enum {
    COMMAND_RUN_MAX = 32,
    /* How many commands each look is after the one before. In a full run the last is a dozen
     * commands before the step. */
    COMMAND_RUN_LOOK_AFTER = 4,
};

_Static_assert((ENGINE_LOOKS - 1) * COMMAND_RUN_LOOK_AFTER < COMMAND_RUN_MAX,
               "the last look is in time");

struct command_run {
    const struct journal_record *records[COMMAND_RUN_MAX];
    unsigned count;
    bool looks_far; /* ahead counts */
    struct engine_ahead ahead[COMMAND_RUN_MAX];
};

static inline void command_run_begin(struct command_run *self, const struct engine *engine)
{
    self->count = 0;
    self->looks_far = engine_looks_far(engine);
}

/* Looks at all commands of a run whose time it is. `now` counts: 1 .. count as they are added, and
 * on as they are about to be stepped. */
static inline void command_run_look_at_all(struct command_run *self, const struct engine *engine,
                                           unsigned now)
{
    if (!self->looks_far) return;
    for (unsigned look = 0; look < ENGINE_LOOKS; look++) {
        /* wraps round before the first is due */
        unsigned i = now - 1 - look * COMMAND_RUN_LOOK_AFTER;
        if (i < self->count) engine_look(engine, look, &self->ahead[i]);
    }
}

/* The record stays where it is until it is stepped. There is room. */
static inline void command_run_add(struct command_run *self, const struct engine *engine,
                                   const struct journal_record *record)
{
    const void *message = record_message(record);
    size_t length = record_message_length(record);
    self->records[self->count] = record;
    if (self->looks_far) {
        self->ahead[self->count].message = message;
        self->ahead[self->count].length = length;
    } else {
        engine_prefetch(engine, message, length);
    }
    self->count++;
    command_run_look_at_all(self, engine, self->count);
}

/* Before the i-th is stepped. */
static inline void command_run_look(struct command_run *self, const struct engine *engine,
                                    unsigned i)
{
    command_run_look_at_all(self, engine, self->count + i + 1);
}

#endif
