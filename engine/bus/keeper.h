/* keeper.h - the segments' housekeeping, away from the thread that writes and from the one that
 * commits.
 *
 *   ahead    the next segment of each journal is made before it is needed, in memory and on disk
 *   behind   full segments that are safe are sealed into the chain of hashes (chain.h); the oldest
 *            are removed from the archive when the rule of retention says so
 *
 * Two threads: the writer waits for memory, which must not wait for a disk that is slow or hangs.
 * What takes long is done in pieces with rests between them (pace.h), which shorten once the writer
 * has used half of a segment, and end at three quarters.
 *
 * The archive's file is made one segment ahead and filled, so a disk that is full is noticed while
 * there is a whole segment of each journal left: the keeper says DISK_RESERVE, fronts refuse new
 * orders and take cancels, and it tries again until there is space.
 */
#ifndef HOGA_BUS_KEEPER_H
#define HOGA_BUS_KEEPER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/chain.h"
#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal_writer.h"

struct keeper {
    const struct instance *instance;
    struct control *control;
    struct journal_writer *writers[2]; /* by enum journal_kind; not owned */
    struct chain chains[2];
    uint32_t segments_kept; /* full ones of each journal in the archive; 0: all */
    uint32_t out_full;      /* full segments of `out` when in_then was noted */
    seq_t in_then;          /* what `in` held then: they are final when it is safe */
    bool lacks_memory;      /* the memory thread's; all else is the disk thread's */
    bool lacks_disk;
    bool has_chains; /* they are open, or failed */
    bool chain_failed[2];
    int64_t seal_retry_ns; /* steady clock: not before, after a failure; 0: none yet */
    _Atomic uint32_t bell; /* futex: a segment has been taken */
    struct pace pace;
    bool has_threads; /* without them nothing rests */
    _Atomic uint32_t stop_bell;
    pthread_t memory_thread;
    pthread_t disk_thread;
    _Atomic int stopping;
    _Atomic uint64_t *sealed_segments;
    _Atomic uint64_t *dropped_segments;
};

/* The writers need not be open yet; hand &self->bell to them. `station` is the core's: counters. */
void keeper_init(struct keeper *self, const struct instance *instance, struct control *control,
                 struct station *station, struct journal_writer *in, struct journal_writer *out,
                 uint32_t segments_kept);

/* One turn of each thread, or of whoever runs them without: what the writer takes next; and what
 * belongs to the disk, ahead and behind. Return whether they should have another soon: there was no
 * memory, or there is more to seal. */
bool keeper_poll_memory(struct keeper *self);
bool keeper_poll_disk(struct keeper *self);

/* Starts the threads, behind the writers, which must be open. STATUS_IO. */
MUST_CHECK enum status keeper_start(struct keeper *self);
void keeper_stop(struct keeper *self);

#endif
