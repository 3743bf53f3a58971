/* replica.h - a front's own copy of the exchange: the engine, stepped over released commands.
 *
 *   `in` journal, released part --> engine_step --> events --> listener
 *
 * The answer to every question about state comes from here, and so do the events that are told to
 * clients: nothing unreleased can be seen, since nothing unreleased is stepped. The core computed
 * the same events from the same commands; a front need not read `out` at all.
 * Owned by the front's one thread.
 */
#ifndef HOGA_WEB_REPLICA_H
#define HOGA_WEB_REPLICA_H

#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal.h"
#include "engine/engine.h"

/* Called in this order for each command: command, event (once or more), stepped. Any may be NULL.
 * `command` finds the engine laid out also at the journal's first record. */
struct replica_listener {
    void *context;
    void (*command)(void *context, const struct journal_record *command);
    /* `out_seq` is the event's number in the `out` journal: the exec_id of an execution */
    void (*event)(void *context, const struct journal_record *command, seq_t out_seq,
                  const void *message, size_t length);
    void (*stepped)(void *context, const struct journal_record *command);
};

struct replica {
    struct engine *engine; /* NULL until the journal's first record is read */
    size_t engine_bytes;
    seq_t in_seq;    /* last command stepped; 0 at first */
    seq_t out_seq;   /* last event numbered */
    int64_t time_ns; /* of the last command */
    struct journal_reader reader;
    struct replica_listener listener;
    const struct journal_record *stepping;
};

/* Starts at the beginning of the journal, since listeners want its history. Where the rule of
 * retention has removed that, it starts at the oldest snapshot that is good and released: then the
 * engine is there already, and in_seq and out_seq say where it stands. The listener is copied.
 * STATUS_NOT_FOUND: the beginning is gone, and there is no such snapshot (yet). */
MUST_CHECK enum status replica_open(struct replica *self, const struct instance *instance,
                                    const struct control *control,
                                    const struct replica_listener *listener);

/* Steps at most `max` released commands; stores how many. STATUS_OK also when there were none;
 * STATUS_CORRUPT when a record is bad (self->reader.where names it). */
MUST_CHECK enum status replica_poll(struct replica *self, unsigned max, unsigned *stepped);

void replica_close(struct replica *self);

#endif
