/* recovery.h - from the journals to an engine that is where its primary was: at a start, and all
 * the time in a standby.
 *
 *   newest good snapshot --> `in` behind it --> engine_step --> events == `out`?  --> writers
 *
 * Every start proves determinism: each event that replay makes is compared with the one in `out`.
 * Events that the last life did not get to write are appended; an `out` that reaches further than
 * `in` (its disk was faster) is cut to what `in` says.
 *
 * Messages of older versions replay: their events are compared as far as their version had words
 * for them, and the engine keeps to the rules of the version that decided (version 1: a replace
 * only reduces, no default of daily volume) until a core of this version has said, by a CONFIGURE
 * in the journal, that its rules hold. Where version 1 could decide what this engine cannot (more
 * price levels in a book than there are now blocks for), replay refuses, and names the command.
 *
 *   a start     begin, finish: nobody else is writing
 *   a standby   begin, then follow again and again while the primary writes; finish when it is gone
 *
 * Used by one thread. What follows never writes; finish opens the writers.
 */
#ifndef HOGA_RECOVERY_H
#define HOGA_RECOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal_writer.h"
#include "engine/bus/read_ahead.h"
#include "engine/engine.h"
#include "engine/snapshot.h"

struct recovery {
    const struct instance *instance;
    struct control *control;
    struct engine *engine; /* NULL until the journal's first record is there */
    size_t engine_bytes;
    struct journal_reader in;
    struct journal_reader out;
    struct read_ahead ahead;              /* while finishing what is on disk alone */
    struct snapshot_mark mark;            /* where it is; the command's position and CRC included */
    uint64_t snapshot_seq;                /* where it began; 0: at the beginning */
    unsigned foreign_snapshots;           /* passed over: another program's */
    uint64_t commands;                    /* replayed */
    uint64_t events;                      /* compared or made again */
    int64_t begun_ns;                     /* steady clock; following: when last looked */
    const struct journal_record *command; /* in work */
    struct journal_writer *out_writer;    /* once `out` has ended: events are appended */
    _Atomic uint32_t *keeper_bell;
    bool may_append;                         /* finishing */
    enum status status;                      /* first failure met inside a step */
    char problem[INSTANCE_PATH_BYTES + 512]; /* after a failure: what is wrong and where */
};

/* Loads the newest snapshot that is good and that the journal goes on from; says which ones it
 * passes over, and why, on stderr. Otherwise begins at the beginning, with an engine laid out if
 * the journal has a first record. */
MUST_CHECK enum status recovery_begin(struct recovery *self, const struct instance *instance,
                                      struct control *control);

/* Steps what a living primary has written, at most up to the command `up_to` whose events are
 * published, and at most `max`; stores how many. On failure self->problem says why. */
MUST_CHECK enum status recovery_follow(struct recovery *self, seq_t up_to, unsigned max,
                                       unsigned *stepped);

/* Nobody writes any more: steps all there is, makes the missing events, and opens both writers.
 * `limits` are those of a new exchange; an existing one keeps its own. `keeper_bell` is handed to
 * the writers. On failure self->problem says why, and nothing is lost on disk but, maybe, ends that
 * are torn or that `in` does not reach. */
MUST_CHECK enum status recovery_finish(struct recovery *self, const struct limits *limits,
                                       struct journal_writer *in, struct journal_writer *out,
                                       _Atomic uint32_t *keeper_bell);

/* Closes the readers. The engine stays: its memory is the caller's from now on. */
void recovery_close(struct recovery *self);

#endif
