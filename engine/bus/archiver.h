/* archiver.h - copies both journals from memory to disk and says what is safe.
 *
 *   in  segment (memory) --pwrite--> in  archive --fdatasync--> in.durable --> released --> bells
 *   out segment (memory) --pwrite--> out archive, synced now and then: replay makes it again
 *
 * One thread, one commit in flight: while fdatasync works the next batch gathers, so an idle
 * exchange answers at once and a busy one commits thousands together. At durability `memory`
 * the core releases by itself and the archiver follows behind.
 *
 * An error of the disk ends the process: what fdatasync has failed to do once is not known to be
 * done later, and recovery starts from what the shared memory still holds.
 */
#ifndef HOGA_BUS_ARCHIVER_H
#define HOGA_BUS_ARCHIVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/bell.h"
#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal.h"

enum { ARCHIVER_MEMORY_SEGMENTS_KEPT = 3 }; /* full ones, for readers that are a little behind */

/* One journal's way to disk. */
struct archive {
    enum journal_kind kind;
    struct journal_cursors *cursors;
    uint8_t *map; /* the segment in memory */
    size_t map_bytes;
    int fd; /* the same in the archive; -1 before the first */
    uint32_t segment;
    uint64_t offset; /* copied up to here */
    uint64_t synced_position;
    uint64_t unsynced_bytes;
    uint64_t watermark; /* offset in the segment that the file itself says is safe */
};

struct archiver {
    const struct instance *instance;
    struct control *control;
    struct station *station; /* the core's: counters */
    struct archive in;
    struct archive out;
    struct bell_ringer bells;
    pthread_t thread;
    _Atomic int stopping;
    _Atomic uint32_t stop_bell;
    _Atomic uint64_t *commits;
    _Atomic uint64_t *committed_bytes;
};

/* Starts the thread behind the writers, which must be open. STATUS_IO. */
MUST_CHECK enum status archiver_start(struct archiver *self, const struct instance *instance,
                                      struct control *control, struct station *station);

/* Archives all that is written, syncs, shortens the last segments to what they hold and ends the
 * thread. The writers must have stopped. */
void archiver_stop(struct archiver *self);

/* Keeper: makes the archive file of a coming segment, zeroed and on disk, if it is not there: a
 * commit then changes data alone, which costs fdatasync about a third less than bytes that were
 * only reserved. STATUS_IO: the
 * archiver makes do without. */
MUST_CHECK enum status archiver_prepare(const struct instance *instance, enum journal_kind kind,
                                        uint32_t number, uint32_t bytes);

/* Core, after it has published records: wakes the helper threads if they sleep. */
void archiver_wake(struct control *control);

#endif
