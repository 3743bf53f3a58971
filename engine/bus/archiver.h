/* archiver.h - copies both journals from memory to disk, says what is safe, and releases.
 *
 *   thread "commits"  in segment (memory) --pwrite, fdatasync--> in.durable --> released --> bells
 *   thread "events"   out segment (memory) --pwrite--> out archive, synced now and then
 *
 * Answers wait for commits of `in` alone, so that thread does nothing else: one commit in flight,
 * and while fdatasync works the next batch gathers, so an idle exchange answers at once and a busy
 * one commits thousands together. Replay makes `out` again: what it needs of the disk, and what
 * full segments of either leave behind, is the other thread's, in its own time.
 *
 * At durability `memory` the core releases by itself and the archiver follows behind; at
 * `replicated` it releases what is safe here and, by control->replicated_seq, with the cluster.
 *
 * A disk that fails or is full stops nothing but releases: the archiver says so in the control page
 * (DISK_STOPPED), tries again, and goes on when it can.
 */
#ifndef HOGA_BUS_ARCHIVER_H
#define HOGA_BUS_ARCHIVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/archive.h"
#include "engine/bus/bell.h"
#include "engine/bus/control.h"
#include "engine/bus/instance.h"

struct archiver {
    struct control *control;
    struct archive in;
    struct archive out;
    struct bell_ringer bells;
    seq_t in_seq;     /* safe on this disk */
    seq_t events_seq; /* `out` is copied up to here, at least */
    uint64_t events_position;
    int64_t retry_ns[2]; /* by enum journal_kind, each its thread's; steady clock: not before, after
                            a failure; 0: nothing is wrong */
    pthread_mutex_t trouble; /* of what follows, and of control->archiver_disk */
    bool fails[2];
    pthread_t commits_thread;
    pthread_t events_thread;
    _Atomic int stopping;
    _Atomic uint32_t stop_bell;
    _Atomic uint64_t *commits; /* counters of the commits thread, but for disk_errors */
    _Atomic uint64_t *committed_bytes;
    _Atomic uint64_t *disk_errors;
    _Atomic uint64_t *slow_syncs;  /* longer than 100 ms */
    _Atomic uint64_t *sync_max_us; /* the longest so far */
};

/* Behind the writers, which must be open. `station` is the core's: counters. */
void archiver_init(struct archiver *self, const struct instance *instance, struct control *control,
                   struct station *station);

/* One turn of each thread, for whoever runs it without: commits what `in` holds and releases it,
 * copies what `out` holds. Returns whether `in` had anything. */
bool archiver_poll(struct archiver *self);

/* Nothing has come for a while: syncs what nobody waits for, and notes in the files what is safe.
 */
void archiver_idle(struct archiver *self);

/* Starts the threads. STATUS_IO. */
MUST_CHECK enum status archiver_start(struct archiver *self);

/* Archives all that is written, shortens the last segments to what they hold and ends the threads.
 * The writers must have stopped. When the disk does not let it, the memory keeps the rest for the
 * next start, and STATUS_IO is returned after a message. */
MUST_CHECK enum status archiver_stop(struct archiver *self);

/* Core, after it has published records, and whoever moves control->replicated_seq: wakes the helper
 * threads if they sleep. */
void archiver_wake(struct control *control);

#endif
