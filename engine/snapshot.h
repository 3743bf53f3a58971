/* snapshot.h - the engine's state in a file, so that a start need not replay from the beginning.
 *
 *   DATA/snapshots/00000000000001234567.snap     named by the last command in it
 *   | header, 4096 bytes | run | run | ... | run of 0 bytes |
 *   run: | offset u64 | bytes u32 | CRC-32C u32 | that part of the state |     zeros are left out
 *
 * A file appears whole or not at all, and the newest SNAPSHOTS_KEPT stay. What the state's tables
 * look like belongs to the program: a snapshot of another one is passed over, as is a damaged one,
 * and replay begins earlier. Nothing depends on snapshots but the time that a start takes, and what
 * the rule of retention may remove.
 */
#ifndef HOGA_SNAPSHOT_H
#define HOGA_SNAPSHOT_H

#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/bus/pace.h"
#include "engine/engine.h"

enum { SNAPSHOTS_KEPT = 3 };

/* Where a snapshot stands in the journals. */
struct snapshot_mark {
    seq_t in_seq;          /* last command in it */
    seq_t out_seq;         /* last event of that */
    uint64_t in_position;  /* segment << 32 | offset of its record */
    uint64_t out_position; /* of what comes behind that event */
    int64_t time_ns;       /* of the command */
    uint32_t in_crc;       /* of its record: another history may have the same numbers */
    uint32_t pad;
    uint64_t ring_position[CONTROL_RING_MAX + 1]; /* by source; 0: nothing of it was sequenced */
};

/* Writes one under a name that nobody looks for yet, all of it on disk. Before that it makes room
 * for it: what killed writers left goes, and all but the newest SNAPSHOTS_KEPT - 1. With a pace the
 * disk is given both in small pieces (some free it as slowly as they fill it). Allocates nothing,
 * prints nothing, and may run in a forked child. STATUS_IO, errno. */
MUST_CHECK enum status snapshot_write(const struct instance *instance, const struct engine *engine,
                                      const struct snapshot_mark *mark, const struct pace *pace);

/* Gives it its name. Only once its command and its event are safe on disk: a start trusts that both
 * journals reach as far. STATUS_IO. */
MUST_CHECK enum status snapshot_publish(const struct instance *instance, seq_t in_seq);

/* The newest whose last command is before `below`; 0: none. */
seq_t snapshot_newest(const struct instance *instance, seq_t below);

/* The one that has been kept for longest; 0: none. */
seq_t snapshot_oldest(const struct instance *instance);

/* When its file was written, CLOCK_REALTIME; 0: it is gone. */
int64_t snapshot_made_ns(const struct instance *instance, seq_t in_seq);

/* Reads the mark alone. STATUS_CORRUPT, STATUS_INVALID (another program's), STATUS_IO. */
MUST_CHECK enum status snapshot_read_mark(const struct instance *instance, seq_t in_seq,
                                          struct snapshot_mark *mark);

/* Makes an engine of it, in memory of its own (arena_map(); `prefault` as there), whose size is
 * stored. STATUS_CORRUPT and STATUS_INVALID as above, STATUS_IO; then there is none. */
MUST_CHECK enum status snapshot_load(const struct instance *instance, seq_t in_seq, int prefault,
                                     struct engine **engine, size_t *engine_bytes_made,
                                     struct snapshot_mark *mark);

#endif
