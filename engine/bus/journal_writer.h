/* journal_writer.h - appending to a journal: the core's thread, and nobody else.
 *
 * Appending is a copy into memory that is there already. A keeper thread makes the next segment
 * ahead of use and takes the full one away, so that the writer neither faults, extends nor waits.
 *
 * Two steps, since records come in runs:
 *
 *   put      the record is in memory, its frame last. From here on it survives the writer's death:
 *            recovery goes by frames and asks no cursor.
 *   publish  the written cursors move over all that was put. Readers and the archiver go by the
 *            cursors and never look at a frame behind them, so until then nobody but recovery
 *            knows of the record, and nothing can release it.
 *
 * Whoever publishes both journals publishes `in` before it steps the engine, so that the disk
 * works meanwhile, and `out` afterwards: readers wait for an event that is not written yet.
 */
#ifndef HOGA_BUS_JOURNAL_WRITER_H
#define HOGA_BUS_JOURNAL_WRITER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal.h"
#include "engine/bus/pace.h"

struct journal_writer {
    const struct instance *instance;
    struct control *control;
    struct journal_cursors *cursors;
    enum journal_kind kind;
    uint8_t *map;
    uint64_t offset;
    uint32_t segment;
    uint32_t segment_bytes;
    seq_t next_seq;
    int64_t last_time_ns;
    seq_t durable_seq;             /* as last looked at; too low only makes the lag look longer */
    _Atomic(uint8_t *) ahead;      /* keeper stores (release) a fresh segment, writer takes it */
    uint32_t ahead_number;         /* keeper: number of the newest segment it has made */
    uint8_t *untouched[2];         /* keeper: what was opened, but for its first pages */
    _Atomic(uint8_t *) retired;    /* writer stores (release) the full one, keeper unmaps it */
    _Atomic uint32_t *keeper_bell; /* futex: a segment has been taken */
};

/* Opens quickly, since clients may be waiting: what a former writer left behind the end is cleared
 * no further than it reaches, and the keeper touches the pages later.
 *
 * Goes on where a recovery reader stands after STATUS_EMPTY (segment 0: a new journal). What lies
 * behind that place, in memory and in the archive, is cut off. Sets the written cursors. */
MUST_CHECK enum status journal_writer_open(struct journal_writer *self,
                                           const struct instance *instance, struct control *control,
                                           const struct journal_reader *tail,
                                           _Atomic uint32_t *keeper_bell);

/* Where the next record goes: segment << 32 | offset. */
static inline uint64_t journal_writer_position(const struct journal_writer *self)
{
    return (uint64_t)self->segment << 32 | self->offset;
}

/* Whether a step's worth of records fits without waiting for the keeper. */
bool journal_writer_ready(const struct journal_writer *self);

/* Whether the next segment is there: then nothing that fits into a whole one has to wait. */
static inline bool journal_writer_has_ahead(const struct journal_writer *self)
{
    return atomic_load_explicit(&self->ahead, memory_order_relaxed) != NULL;
}

/* How many records of any size fit into the segment: so many may be put and all of them stay valid
 * until the put after them. */
static inline uint32_t journal_writer_fits(const struct journal_writer *self)
{
    return (self->segment_bytes - (uint32_t)sizeof(uint64_t) - (uint32_t)self->offset) /
           JOURNAL_RECORD_MAX_BYTES;
}

/* Fetches the memory of the n-th record from here on, for a writer that will put a run of them
 * soon. A run is put faster than memory answers; fetched one by one, in time, it is there. */
static inline void journal_fetch(const struct journal_writer *self, unsigned n)
{
    enum { USUAL_BYTES = 128, LINE_BYTES = 64 };
    const uint8_t *at = self->map + self->offset + (uint64_t)n * USUAL_BYTES;
    __builtin_prefetch(at, 1);
    __builtin_prefetch(at + LINE_BYTES, 1);
}

/* Puts one record behind the last. `time_ns` is raised to the last record's if it is less;
 * `message` is aligned to 8 and framed: its header says `length`, or the process stops. Returns the
 * record, in place: valid until the segment is retired (not before the next put). Waits for the
 * keeper only if journal_writer_ready() was not asked for too long. */
const struct journal_record *journal_put(struct journal_writer *self, uint64_t ref, uint64_t origin,
                                         int64_t time_ns, const void *message, size_t length);

/* The same for a message that another process may own and change at any moment: it is read once,
 * and NULL is returned, with nothing put, when what was read is not framed as `length` says. Made
 * for messages that have lain in memory for a while, where journal_put() is for those that this
 * thread has just written (crc32c_wide.h), and for runs, whose memory journal_fetch() has fetched.
 */
const struct journal_record *journal_put_received(struct journal_writer *self, uint64_t ref,
                                                  uint64_t origin, int64_t time_ns,
                                                  const void *message, size_t length);

/* Moves the written cursors over all that was put. */
void journal_publish(struct journal_writer *self);

/* Both, for a single record. */
const struct journal_record *journal_append(struct journal_writer *self, uint64_t ref,
                                            uint64_t origin, int64_t time_ns, const void *message,
                                            size_t length);

/* Keeper: touches what was opened, makes the segment ahead and unmaps the retired one. While pages
 * are touched no thread of the process can map anything, so that is done in pieces. STATUS_IO when
 * /dev/shm is full. */
MUST_CHECK enum status journal_writer_keep(struct journal_writer *self, const struct pace *pace);

void journal_writer_close(struct journal_writer *self);

#endif
