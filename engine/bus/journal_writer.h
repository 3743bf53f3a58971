/* journal_writer.h - appending to a journal: the core's thread, and nobody else.
 *
 * Appending is a copy into memory that is there already. A keeper thread makes the next segment
 * ahead of use and takes the full one away, so that the writer neither faults, extends nor waits.
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
    _Atomic(uint8_t *) ahead;      /* keeper stores (release) a fresh segment, writer takes it */
    uint32_t ahead_number;         /* keeper: number of the newest segment it has made */
    _Atomic(uint8_t *) retired;    /* writer stores (release) the full one, keeper unmaps it */
    _Atomic uint32_t *keeper_bell; /* futex: a segment has been taken */
};

/* Goes on where a recovery reader stands after STATUS_EMPTY (segment 0: a new journal). What lies
 * behind that place, in memory and in the archive, is cut off. Sets the written cursors. */
MUST_CHECK enum status journal_writer_open(struct journal_writer *self,
                                           const struct instance *instance, struct control *control,
                                           const struct journal_reader *tail,
                                           _Atomic uint32_t *keeper_bell);

/* Whether a step's worth of records fits without waiting for the keeper. */
bool journal_writer_ready(const struct journal_writer *self);

/* Appends one record and publishes it. `time_ns` is raised to the last record's if it is less.
 * Returns the record, in place: valid until the segment is retired (not before the next append).
 * Waits for the keeper only if journal_writer_ready() was not asked for too long. */
const struct journal_record *journal_append(struct journal_writer *self, uint64_t ref,
                                            uint64_t origin, int64_t time_ns, const void *message,
                                            size_t length);

/* Keeper: makes the segment ahead and unmaps the retired one. STATUS_IO when /dev/shm is full. */
MUST_CHECK enum status journal_writer_keep(struct journal_writer *self);

void journal_writer_close(struct journal_writer *self);

#endif
