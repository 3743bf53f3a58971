/* journal.h - the event store: `in` (every command) and `out` (every event), as records in
 * segment files that are mapped into memory and archived to disk.
 *
 *   segment: | header, 4096 bytes | record | record | ... | END mark | zeros |
 *   record:  | frame crc | seq | time | ref | origin | SBE header, block | pad to 8 |
 *
 * One writer (the core's thread). Readers are other processes; they see a record once it is
 * *released* (control.h): in memory if the segment is still there, in the archive if not, without
 * knowing which. Segment files in memory and in the archive are the same bytes.
 */
#ifndef HOGA_BUS_JOURNAL_H
#define HOGA_BUS_JOURNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/base/units.h"
#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/message/sbe.h"

enum journal_kind { JOURNAL_IN = 0, JOURNAL_OUT = 1 };

enum {
    JOURNAL_SEGMENT_HEADER_BYTES = 4096,
    JOURNAL_SEGMENT_MIN_BYTES = 64 * 1024,
    /* A second's worth of orders on a busy day: each segment is filled ahead, hashed behind, and may
     * have to be copied again after a takeover. */
    JOURNAL_SEGMENT_DEFAULT_BYTES = 8 * 1024 * 1024,
    JOURNAL_RECORD_MAX_BYTES = 40 + SBE_MESSAGE_MAX_BYTES,
};

/* A frame of this value ends a segment: the next record is in the next one. */
#define JOURNAL_END_OF_SEGMENT UINT32_C(0xffffffff)

struct journal_record {
    _Atomic uint32_t frame; /* length in bytes, a multiple of 8 | lag << 16; written last, with
                               release: 0 means "nothing yet" */
    uint32_t crc;           /* CRC-32C, seeded with the lag, of everything behind it */
    seq_t seq;
    int64_t time_ns; /* since the epoch, never less than the record before */
    uint64_t ref;    /* `in`: the ring's position after the message (0: the core's own command);
                        `out`: seq of the command that caused it */
    uint64_t origin; /* source << 48 | request id: whom to answer */
    struct sbe_header header; /* the message begins here */
};

/* Lag: how many records before this one were not yet safe on disk when it was written (65535: or
 * more). After a loss of power a record may be bad because it was never synced; a later record that
 * says it was safe by then proves instead that it has been damaged since. */
enum { JOURNAL_LAG_MAX = 0xffff };

static inline uint32_t record_length(uint32_t frame)
{
    return frame & 0xffff;
}
static inline uint32_t record_lag(uint32_t frame)
{
    return frame >> 16;
}

_Static_assert(sizeof(struct journal_record) == 48, "record header and SBE header");
_Static_assert(offsetof(struct journal_record, seq) == 8, "CRC begins here");
_Static_assert(offsetof(struct journal_record, header) == 40, "message begins here");

static inline uint64_t origin_of(uint16_t source, uint64_t request_id)
{
    return (uint64_t)source << 48 | (request_id & UINT64_C(0xffffffffffff));
}
static inline uint16_t origin_source(uint64_t origin)
{
    return (uint16_t)(origin >> 48);
}
static inline uint64_t origin_request(uint64_t origin)
{
    return origin & UINT64_C(0xffffffffffff);
}

static inline const void *record_message(const struct journal_record *r)
{
    return &r->header;
}
static inline size_t record_message_length(const struct journal_record *r)
{
    return sizeof r->header + r->header.block_length;
}

/* ---- reading (any process) ---- */

/* By what a reader looks for its first record: never less than in the record before. */
enum journal_key {
    JOURNAL_BY_SEQ,
    JOURNAL_BY_TIME,  /* time_ns */
    JOURNAL_BY_CAUSE, /* `out`: sequence number of the command that caused it */
};

/* Reads one journal from a place on. Not shared between threads. */
struct journal_reader {
    const struct instance *instance;
    const struct control *control; /* NULL: the archive alone, with nobody writing */
    enum journal_kind kind;
    bool recovering;      /* the core's own, before it writes: sees all whole records there are */
    bool following;       /* the standby's: sees what is written, released or not */
    bool in_memory;       /* the mapped segment is the one in /dev/shm */
    bool holds;           /* what it has given must stay valid: STATUS_EMPTY where it could not */
    bool is_short;        /* found at the end: the file has less than had been safe in it */
    enum journal_key key; /* JOURNAL_BY_SEQ once the first record is found */
    uint64_t from;        /* the first record's key is not less */
    seq_t next_seq;
    uint64_t released_cache; /* `released` as last looked at, in `in` sequence numbers */
    uint32_t segment;        /* number of the mapped one; 0: none */
    uint64_t offset;
    uint8_t *map;
    size_t map_bytes;
    char where[INSTANCE_PATH_BYTES + 256]; /* after STATUS_CORRUPT: file, offset, seq, and what */
};

/* Goes to the record `from_seq` (1: the beginning). With `control` NULL it reads the archive of an
 * exchange that is not running, to its last whole record. `instance` must outlive it. */
MUST_CHECK enum status journal_reader_open(struct journal_reader *self,
                                           const struct instance *instance,
                                           const struct control *control, enum journal_kind kind,
                                           seq_t from_seq);

/* Goes to the first record that is not before `from_ns` (since the epoch), or to the oldest that is
 * still in the archive, if that is later. */
MUST_CHECK enum status journal_reader_open_time(struct journal_reader *self,
                                                const struct instance *instance,
                                                const struct control *control,
                                                enum journal_kind kind, int64_t from_ns);

/* `out`: goes to the first event that the command `cause_seq` or a later one has caused, or to the
 * oldest that is still in the archive. */
MUST_CHECK enum status journal_reader_open_cause(struct journal_reader *self,
                                                 const struct instance *instance,
                                                 const struct control *control, seq_t cause_seq);

/* The core's, at start: every record there is, in memory and in the archive, released or not. At
 * STATUS_EMPTY its segment, offset and next_seq are where the writer goes on. */
MUST_CHECK enum status journal_reader_open_recovery(struct journal_reader *self,
                                                    const struct instance *instance,
                                                    const struct control *control,
                                                    enum journal_kind kind);

/* The standby's: what the primary has written, from the record `seq` on, which lies at `position`
 * (segment << 32 | offset; 0: to be looked for). Once the primary is gone, set `recovering`. */
MUST_CHECK enum status journal_reader_open_following(struct journal_reader *self,
                                                     const struct instance *instance,
                                                     const struct control *control,
                                                     enum journal_kind kind, seq_t seq,
                                                     uint64_t position);

/* Where the next record is, or will be: segment << 32 | offset; 0 before the first is read. */
static inline uint64_t journal_reader_position(const struct journal_reader *self)
{
    return (uint64_t)self->segment << 32 | (self->segment ? self->offset : 0);
}

/* Where a record that it has just given lies. */
static inline uint64_t journal_reader_position_of(const struct journal_reader *self,
                                                  const struct journal_record *record)
{
    return (uint64_t)self->segment << 32 | (uint64_t)((const uint8_t *)record - self->map);
}

/* The next released record, valid until the next call. STATUS_EMPTY when there is none yet,
 * STATUS_CORRUPT when its checksum or its sequence is wrong, or the rule of retention has removed
 * it (self->where names it). */
MUST_CHECK enum status journal_next(struct journal_reader *self,
                                    const struct journal_record **record);

void journal_reader_close(struct journal_reader *self);

/* ---- waiting for releases (one reader process, for its event loop) ---- */

/* A descriptor that becomes readable when the bell of this station is rung. -1 and errno when it
 * cannot be made. Close it with close(). */
int bell_open(const struct instance *instance, const struct control *control,
              const struct station *station);

/* Empties the descriptor and asks to be rung at the next release after `seen_seq` (of `in`).
 * Returns false when more is released already: then read on, no ring will come. */
bool bell_arm(int fd, const struct control *control, struct station *station, seq_t seen_seq);

#endif
