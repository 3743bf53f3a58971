#define _GNU_SOURCE
#include "engine/bus/segment.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/crc32c.h"

#define SEGMENT_MAGIC UINT64_C(0x3147455341474f48) /* "HOGASEG1" */

static const char *kind_name(enum journal_kind kind)
{
    return kind == JOURNAL_IN ? "in" : "out";
}

void segment_memory_path(char path[SEGMENT_PATH_BYTES], const struct instance *instance,
                         enum journal_kind kind, uint32_t number)
{
    (void)snprintf(path, SEGMENT_PATH_BYTES, "%s/%s-%010" PRIu32 ".seg", instance->shm_dir,
                   kind_name(kind), number);
}

void segment_archive_path(char path[SEGMENT_PATH_BYTES], const struct instance *instance,
                          enum journal_kind kind, uint32_t number)
{
    (void)snprintf(path, SEGMENT_PATH_BYTES, "%s/%s-%010" PRIu32 ".seg", instance->journal_dir,
                   kind_name(kind), number);
}

void segment_ahead_path(char path[SEGMENT_AHEAD_PATH_BYTES], const struct instance *instance,
                        enum journal_kind kind, uint32_t number, bool is_in_making)
{
    char segment[SEGMENT_PATH_BYTES];
    segment_archive_path(segment, instance, kind, number);
    (void)snprintf(path, SEGMENT_AHEAD_PATH_BYTES, "%s.ahead%s", segment,
                   is_in_making ? ".new" : "");
}

/* "in-0000000001.seg" -> 1; 0 for any other name. */
static uint32_t number_of(const char *file_name, enum journal_kind kind)
{
    const char *name = kind_name(kind);
    size_t length = strlen(name);
    if (strncmp(file_name, name, length) != 0 || file_name[length] != '-') return 0;
    const char *digits = file_name + length + 1;
    if (strspn(digits, "0123456789") != 10 || strcmp(digits + 10, ".seg") != 0) return 0;
    unsigned long number = strtoul(digits, NULL, 10);
    return number > UINT32_MAX ? 0 : (uint32_t)number;
}

/* Whether a segment's file is there. */
static bool is_there(const char *directory, enum journal_kind kind, uint32_t number)
{
    char path[SEGMENT_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s-%010" PRIu32 ".seg", directory, kind_name(kind),
                   number);
    return access(path, F_OK) == 0;
}

enum status segment_range(const char *directory, enum journal_kind kind, uint32_t *first,
                          uint32_t *last, uint32_t *missing)
{
    uint32_t count = 0;
    *first = *last = *missing = 0;
    DIR *dir = opendir(directory);
    if (!dir) return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        uint32_t number = number_of(entry->d_name, kind);
        if (!number) continue;
        count++;
        if (!*first || number < *first) *first = number;
        if (number > *last) *last = number;
    }
    (void)closedir(dir);
    if (!count || *last - *first + 1 == count) return STATUS_OK;
    /* one is missing, or files came or went while the directory was read: the oldest may be
     * removed at any time, and a new one may have been overlooked */
    while (*first < *last && !is_there(directory, kind, *first)) ++*first;
    for (uint32_t number = *first; number < *last && !*missing; number++)
        if (!is_there(directory, kind, number)) *missing = number;
    return *missing ? STATUS_CORRUPT : STATUS_OK;
}

static uint64_t instance_number(const struct instance *instance)
{
    return strtoull(instance->id, NULL, 16);
}

void segment_write_header(uint8_t *map, const struct instance *instance, enum journal_kind kind,
                          uint32_t number, uint32_t bytes, seq_t first_seq)
{
    struct segment_header header = {.magic = SEGMENT_MAGIC,
                                    .version = SEGMENT_VERSION,
                                    .kind = (uint32_t)kind,
                                    .number = number,
                                    .bytes = bytes,
                                    .first_seq = first_seq,
                                    .instance_id = instance_number(instance)};
    header.crc = crc32c(0, &header, offsetof(struct segment_header, crc));
    segment_copy(map, (const uint8_t *)&header, sizeof header);
}

void segment_copy(uint8_t *map, const uint8_t *from, uint64_t length)
{
    struct segment_header *header = (struct segment_header *)map;
    uint64_t magic;
    memcpy(&magic, from, sizeof magic);
    memcpy(map + sizeof magic, from + sizeof magic, length - sizeof magic);
    /* without it the segment is not there: whoever dies before leaves nothing that looks whole */
    __atomic_store_n(&header->magic, magic, __ATOMIC_RELEASE);
}

bool segment_header_good(const uint8_t *map, size_t map_bytes, const struct instance *instance,
                         enum journal_kind kind, uint32_t number)
{
    const struct segment_header *header = (const struct segment_header *)map;
    return map_bytes >= JOURNAL_SEGMENT_HEADER_BYTES && header->magic == SEGMENT_MAGIC &&
           header->version == SEGMENT_VERSION && header->kind == (uint32_t)kind &&
           header->number == number && header->instance_id == instance_number(instance) &&
           header->crc == crc32c(0, header, offsetof(struct segment_header, crc));
}

uint32_t segment_record_crc(const struct journal_record *record, uint32_t frame)
{
    return crc32c(record_lag(frame), &record->seq,
                  record_length(frame) - offsetof(struct journal_record, seq));
}

/* Records are read one behind the other, and processors do not look beyond a page: asks for what
 * lies some records ahead. An address behind the map is no error. */
static void look_ahead(const uint8_t *record)
{
    enum { AHEAD_BYTES = 2048, LINE_BYTES = 64 };
    __builtin_prefetch(record + AHEAD_BYTES);
    __builtin_prefetch(record + AHEAD_BYTES + LINE_BYTES); /* most records have two lines */
}

static bool frame_fits(uint32_t frame, uint64_t room)
{
    uint32_t length = record_length(frame);
    return length >= sizeof(struct journal_record) && length <= JOURNAL_RECORD_MAX_BYTES &&
           (length & 7) == 0 && length <= room;
}

enum segment_finding segment_look(const uint8_t *map, size_t map_bytes, uint64_t offset,
                                  const struct journal_record **record)
{
    if (offset + sizeof(uint32_t) > map_bytes) return SEGMENT_NOTHING;
    const struct journal_record *r = (const struct journal_record *)(map + offset);
    uint32_t frame = atomic_load_explicit(&r->frame, memory_order_acquire);
    if (frame == 0) return SEGMENT_NOTHING;
    if (frame == JOURNAL_END_OF_SEGMENT) return SEGMENT_END;
    if (!frame_fits(frame, map_bytes - offset)) return SEGMENT_BAD;
    look_ahead(map + offset);
    if (r->crc != segment_record_crc(r, frame)) return SEGMENT_BAD;
    if (sizeof(struct journal_record) + r->header.block_length > record_length(frame))
        return SEGMENT_BAD;
    *record = r;
    return SEGMENT_RECORD;
}

struct segment_watermark segment_watermark_of(uint64_t offset)
{
    return (struct segment_watermark){.offset = offset, .crc = crc32c(1, &offset, sizeof offset)};
}

uint64_t segment_watermark(const uint8_t *map, size_t map_bytes)
{
    struct segment_watermark mark;
    if (map_bytes < SEGMENT_WATERMARK_AT + sizeof mark) return 0;
    memcpy(&mark, map + SEGMENT_WATERMARK_AT, sizeof mark);
    return mark.crc == segment_watermark_of(mark.offset).crc ? mark.offset : 0;
}

bool segment_proves_damage(const uint8_t *map, size_t map_bytes, uint64_t offset, seq_t seq)
{
    uint64_t safe = segment_watermark(map, map_bytes);
    if (offset < safe && safe <= map_bytes) return true;
    for (uint64_t at = offset + 8; at + sizeof(struct journal_record) <= map_bytes; at += 8) {
        const struct journal_record *later;
        if (segment_look(map, map_bytes, at, &later) != SEGMENT_RECORD || later->seq <= seq)
            continue;
        if (offset < safe) return true;
        uint32_t lag = record_lag(atomic_load_explicit(&later->frame, memory_order_relaxed));
        if (lag < JOURNAL_LAG_MAX && later->seq > (seq_t)lag && later->seq - 1 - lag >= seq)
            return true;
    }
    return false;
}
