/* segment.h - the files a journal is made of, and which bytes in them are a record.
 *
 * Knows the layout, not who reads or writes: writer, reader, archiver and recovery all go through
 * here. A segment begins with a page of header; `first_seq` lets a reader find a sequence number
 * without reading what lies before.
 */
#ifndef HOGA_BUS_SEGMENT_H
#define HOGA_BUS_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal.h"

enum {
    SEGMENT_VERSION = 1,
    SEGMENT_PATH_BYTES = INSTANCE_PATH_BYTES + 32,
    SEGMENT_AHEAD_PATH_BYTES = SEGMENT_PATH_BYTES + 16,
};

struct segment_header {
    uint64_t magic;
    uint32_t version;
    uint32_t kind;   /* enum journal_kind */
    uint32_t number; /* from 1 */
    uint32_t bytes;  /* of the whole segment when full */
    seq_t first_seq; /* of the record that begins it, once it is there */
    uint64_t instance_id;
    uint32_t crc; /* of everything before it */
    uint32_t pad;
};

_Static_assert(sizeof(struct segment_header) == 48, "segment header");

/* In an archived segment, behind the header: everything before `offset` has been safe on disk.
 * Written when the archiver is idle or stops; 0 in memory. A full segment needs none: the next
 * one's file says that all of it was safe. */
struct segment_watermark {
    uint64_t offset;
    uint32_t crc; /* of offset */
    uint32_t pad;
};
enum { SEGMENT_WATERMARK_AT = 64 };

struct segment_watermark segment_watermark_of(uint64_t offset);

/* The watermark's offset; 0 when there is none that is whole. */
uint64_t segment_watermark(const uint8_t *map, size_t map_bytes);

/* Paths of a segment in memory and in the archive. */
void segment_memory_path(char path[SEGMENT_PATH_BYTES], const struct instance *instance,
                         enum journal_kind kind, uint32_t number);
void segment_archive_path(char path[SEGMENT_PATH_BYTES], const struct instance *instance,
                          enum journal_kind kind, uint32_t number);

/* Of the file that is made ahead of the segment's use: while it is made, and ready. It may have
 * been written to, and a loss of power may have taken its later names from it; then it has a
 * header. */
void segment_ahead_path(char path[SEGMENT_AHEAD_PATH_BYTES], const struct instance *instance,
                        enum journal_kind kind, uint32_t number, bool is_in_making);

/* Numbers of the first and the last segment file in a directory; 0 and 0 when there is none.
 * STATUS_CORRUPT when one in between is missing: `missing` is its number. */
MUST_CHECK enum status segment_range(const char *directory, enum journal_kind kind, uint32_t *first,
                                     uint32_t *last, uint32_t *missing);

void segment_write_header(uint8_t *map, const struct instance *instance, enum journal_kind kind,
                          uint32_t number, uint32_t bytes, seq_t first_seq);

/* Copies a segment's first `length` bytes, the header included, over one that has no header yet:
 * who finds a header finds all of it. */
void segment_copy(uint8_t *map, const uint8_t *from, uint64_t length);

/* Whether the mapped bytes begin with the right header for this journal. */
bool segment_header_good(const uint8_t *map, size_t map_bytes, const struct instance *instance,
                         enum journal_kind kind, uint32_t number);

static inline seq_t segment_first_seq(const uint8_t *map)
{
    return ((const struct segment_header *)map)->first_seq;
}

/* What stands at an offset. */
enum segment_finding {
    SEGMENT_RECORD,  /* a whole record with the right checksum */
    SEGMENT_NOTHING, /* zeros, or the end of the file: nothing was written here */
    SEGMENT_END,     /* the mark: go on in the next segment */
    SEGMENT_BAD,     /* bytes, but no record */
};

/* Looks at an offset (a multiple of 8) and, for a record, gives it. */
enum segment_finding segment_look(const uint8_t *map, size_t map_bytes, uint64_t offset,
                                  const struct journal_record **record);

/* Where `seq` should be at `offset` and is not, in an archived segment: whether it has been damaged
 * since it was safe on disk, and was not just caught by a loss of power. Proof is a later record
 * that says it was safe by then, or the watermark. A file that simply ends too early is no damage:
 * its end is torn. */
bool segment_proves_damage(const uint8_t *map, size_t map_bytes, uint64_t offset, seq_t seq);

/* CRC of a record as it should be. */
uint32_t segment_record_crc(const struct journal_record *record, uint32_t frame);

#endif
