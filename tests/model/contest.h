/* contest.h - engine and model side by side through one stream of commands, event by event.
 *
 * An engine that stops itself by CHECK in contest_step() has lost, too: whoever calls it catches
 * SIGABRT.
 */
#ifndef HOGA_TESTS_CONTEST_H
#define HOGA_TESTS_CONTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "tests/model/command_stream.h"
#include "tests/model/coverage.h"
#include "tests/model/model.h"

/* One engine, one model, and what the engine said last. */
struct contest {
    const struct stream *stream;
    struct engine *engine;
    struct model *model;
    void *memory;
    struct stream_answers answers;
    struct event_list told;
};

/* What differs, for people. */
struct difference {
    char text[480];
};

void contest_open(struct contest *self, const struct stream *stream);
void contest_close(struct contest *self);

/* Whether both say the same to the stream's next command, byte for byte. */
bool contest_step(struct contest *self, uint32_t index, struct difference *difference);

/* Whether both show the same when asked everything, and the engine's books are in order. */
bool contest_look(struct contest *self, struct difference *difference);

/* Counts what the model said to the last command. */
void contest_cover(const struct contest *self, struct coverage *coverage);

#endif
