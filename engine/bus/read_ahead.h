/* read_ahead.h - has the disk read the archive before it is replayed.
 *
 * Whoever replays two journals that are on disk alone would wait for every piece of each: the
 * system reads ahead within one file, and only as far as it has seen it read. A thread of its own
 * asks for what lies ahead of both readers, for the journal whose reader will come to its end
 * first, and never further than AHEAD_MAX bytes: what has been read in vain would displace what is
 * needed. It changes nothing that can be seen but time; a disk that fails is met by the readers.
 *
 *   reader   position ------> AHEAD_MAX
 *   asked    .................|
 */
#ifndef HOGA_BUS_READ_AHEAD_H
#define HOGA_BUS_READ_AHEAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/bus/instance.h"
#include "engine/bus/journal.h"

struct read_ahead {
    const struct instance *instance;
    _Atomic uint64_t position[2]; /* of the readers, as journal_reader_position() says, by kind */
    _Atomic uint32_t stopping;
    bool runs;
    pthread_t thread;
};

/* Starts the thread, if it can be had. A position of 0 is the journal's beginning. */
void read_ahead_start(struct read_ahead *self, const struct instance *instance,
                      const uint64_t position[2]);

/* How far the readers are. */
static inline void read_ahead_at(struct read_ahead *self, uint64_t in_position,
                                 uint64_t out_position)
{
    atomic_store_explicit(&self->position[JOURNAL_IN], in_position, memory_order_relaxed);
    atomic_store_explicit(&self->position[JOURNAL_OUT], out_position, memory_order_relaxed);
}

/* Ends the thread. Harmless when it was not started: `self` is zeroed then. */
void read_ahead_stop(struct read_ahead *self);

#endif
