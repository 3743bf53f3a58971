#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/bus/journal.h"
#include "engine/bus/segment.h"
#include "engine/bus/shared_file.h"

static void unmap(struct journal_reader *self)
{
    if (self->map) munmap(self->map, self->map_bytes);
    self->map = NULL;
    self->segment = 0;
}

static enum status map_path(struct journal_reader *self, const char *path, uint32_t number)
{
    struct shared_file file;
    enum status status = shared_file_open(&file, path, false);
    if (status == STATUS_INVALID) return STATUS_NOT_FOUND; /* empty: just made, or never more */
    if (status != STATUS_OK) return status;
    (void)close(file.fd);
    if (*(const uint64_t *)file.map == 0) { /* made ahead of use, or a file that never got there */
        munmap(file.map, file.bytes);
        return STATUS_NOT_FOUND;
    }
    if (!segment_header_good(file.map, file.bytes, self->instance, self->kind, number)) {
        munmap(file.map, file.bytes);
        (void)snprintf(self->where, sizeof self->where, "%s: bad segment header", path);
        return STATUS_CORRUPT;
    }
    unmap(self);
    self->map = file.map;
    self->map_bytes = file.bytes;
    self->segment = number;
    self->offset = JOURNAL_SEGMENT_HEADER_BYTES;
    return STATUS_OK;
}

/* From memory if it is still there, else from the archive: memory is removed once that has it.
 * Where nobody runs, a loss of power may have left a file under the name that it was made by. */
static enum status map_segment(struct journal_reader *self, uint32_t number)
{
    char memory[SEGMENT_PATH_BYTES], archive[SEGMENT_PATH_BYTES], ahead[SEGMENT_AHEAD_PATH_BYTES];
    segment_memory_path(memory, self->instance, self->kind, number);
    segment_archive_path(archive, self->instance, self->kind, number);
    enum status status = STATUS_NOT_FOUND;
    if (self->control) status = map_path(self, memory, number);
    bool in_memory = status == STATUS_OK;
    if (status == STATUS_NOT_FOUND) status = map_path(self, archive, number);
    for (int i = 0; i < 2 && status == STATUS_NOT_FOUND && !self->control; i++) {
        segment_ahead_path(ahead, self->instance, self->kind, number, i == 1);
        status = map_path(self, ahead, number);
    }
    if (status == STATUS_OK) self->in_memory = in_memory;
    return status;
}

static uint64_t key_of(enum journal_key key, const struct journal_record *record)
{
    switch (key) {
    case JOURNAL_BY_SEQ: break;
    case JOURNAL_BY_TIME: return (uint64_t)record->time_ns;
    case JOURNAL_BY_CAUSE: return record->ref;
    }
    return record->seq;
}

/* Whether what is looked for cannot lie before the mapped segment. Records of the same time or
 * cause may lie on both sides of its begin. */
static bool begins_before(const struct journal_reader *self)
{
    const struct journal_record *first;
    if (self->key == JOURNAL_BY_SEQ) {
        seq_t begins = segment_first_seq(self->map);
        return begins && begins <= self->from;
    }
    return segment_look(self->map, self->map_bytes, JOURNAL_SEGMENT_HEADER_BYTES, &first) ==
               SEGMENT_RECORD &&
           key_of(self->key, first) < self->from;
}

/* Numbers of the oldest and the newest segment, in memory or in the archive. */
static enum status range(struct journal_reader *self, uint32_t *first, uint32_t *last)
{
    uint32_t memory_first, memory_last, missing;
    enum status status =
        segment_range(self->instance->journal_dir, self->kind, first, last, &missing);
    if (status == STATUS_CORRUPT)
        (void)snprintf(self->where, sizeof self->where, "%s: segment %" PRIu32 " is missing",
                       self->instance->journal_dir, missing);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) return status;
    if (self->control && segment_range(self->instance->shm_dir, self->kind, &memory_first,
                                       &memory_last, &missing) == STATUS_OK) {
        if (memory_last > *last) *last = memory_last;
        if (!*first) *first = memory_first;
    }
    return *first ? STATUS_OK : STATUS_NOT_FOUND;
}

/* Maps the newest segment that begins before what is looked for; the oldest if none does. */
static enum status find_segment(struct journal_reader *self)
{
    uint32_t first, last, found = 0;
    enum status status = range(self, &first, &last);
    if (status != STATUS_OK) return status;
    for (uint32_t low = first, high = last; low <= high;) {
        uint32_t middle = low + (high - low) / 2;
        status = map_segment(self, middle);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND) return status;
        /* not found: it is made ahead of use, so too new */
        if (status == STATUS_OK && begins_before(self)) {
            found = middle;
            low = middle + 1;
        } else {
            high = middle - 1;
        }
    }
    status = found ? map_segment(self, found) : STATUS_NOT_FOUND;
    for (; status == STATUS_NOT_FOUND && first <= last; first++) status = map_segment(self, first);
    if (status == STATUS_OK && self->key != JOURNAL_BY_SEQ)
        self->next_seq = segment_first_seq(self->map);
    return status;
}

static enum status corrupt(struct journal_reader *self, const char *what)
{
    char path[SEGMENT_PATH_BYTES];
    segment_archive_path(path, self->instance, self->kind, self->segment);
    (void)snprintf(self->where, sizeof self->where,
                   "%s: offset %" PRIu64 ", sequence %" PRIu64 ": %s", path, self->offset,
                   self->next_seq, what);
    return STATUS_CORRUPT;
}

static bool is_released(struct journal_reader *self, const struct journal_record *record)
{
    if (!self->control || self->recovering || self->following) return true;
    uint64_t needs = self->kind == JOURNAL_IN ? record->seq : record->ref;
    if (needs <= self->released_cache) return true;
    self->released_cache = atomic_load_explicit(&self->control->released_seq, memory_order_acquire);
    return needs <= self->released_cache;
}

/* In a live exchange the bytes behind `released` are still being written: a reader may look only
 * where `written` says that a record is complete. */
static bool is_written(const struct journal_reader *self)
{
    if (!self->control || self->recovering) return true;
    const struct journal_cursors *cursors =
        self->kind == JOURNAL_IN ? &self->control->in : &self->control->out;
    return self->next_seq <= atomic_load_explicit(&cursors->written_seq, memory_order_acquire);
}

/* Nothing, or nothing whole, where the next record would be. While somebody writes that cannot be;
 * otherwise it is the journal's end (torn, if need be), unless something later proves that a record
 * was safe here once. */
static enum status at_the_end(struct journal_reader *self, enum segment_finding finding)
{
    bool bad = finding == SEGMENT_BAD;
    if (self->control && !self->recovering)
        return corrupt(self,
                       bad ? "the record's checksum is wrong" : "no record where one was written");
    if (bad && self->in_memory) return corrupt(self, "the record's checksum is wrong");
    char next[SEGMENT_PATH_BYTES];
    segment_archive_path(next, self->instance, self->kind, self->segment + 1);
    if (!self->in_memory && access(next, F_OK) == 0)
        return corrupt(self, bad ? "the record's checksum is wrong, and a later segment follows"
                                 : "records are missing, and a later segment follows");
    if (!self->in_memory &&
        segment_proves_damage(self->map, self->map_bytes, self->offset, self->next_seq))
        return corrupt(self, bad ? "the record's checksum is wrong, and later ones are good"
                                 : "records are missing, and later ones are good");
    self->is_short = segment_watermark(self->map, self->map_bytes) > self->map_bytes;
    if (bad || self->is_short)
        (void)snprintf(self->where, sizeof self->where,
                       "%s journal: torn end cut behind sequence %" PRIu64 "%s",
                       self->kind == JOURNAL_IN ? "in" : "out", self->next_seq - 1,
                       self->is_short
                           ? "; THE FILE IS SHORTER THAN WHAT HAD BEEN SAFE: acknowledged "
                             "commands are missing"
                           : "");
    return STATUS_EMPTY;
}

/* The segment ends with its mark, and the next one is not there: the journal's end, unless the one
 * after that is. */
static enum status at_the_mark(struct journal_reader *self)
{
    char path[SEGMENT_PATH_BYTES];
    segment_archive_path(path, self->instance, self->kind, self->segment + 2);
    if (access(path, F_OK) != 0) return STATUS_EMPTY;
    return corrupt(self, "the next segment is missing or has no header, and a later one follows");
}

/* A segment that was found in the archive may be in memory since, where a core goes on writing it,
 * and the archive's file may have grown: the same place, mapped anew. */
static enum status map_again(struct journal_reader *self)
{
    uint64_t offset = self->offset;
    enum status status = map_segment(self, self->segment);
    if (status == STATUS_OK) self->offset = offset;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The record at the offset, going on into the next segment where this one ends. */
static enum status look(struct journal_reader *self, const struct journal_record **record)
{
    bool is_fresh = !self->control || self->in_memory;
    for (;;) {
        enum segment_finding finding =
            segment_look(self->map, self->map_bytes, self->offset, record);
        if (finding == SEGMENT_RECORD) return STATUS_OK;
        if (self->holds) return STATUS_EMPTY;
        if (finding != SEGMENT_END && !is_fresh) {
            enum status status = map_again(self);
            if (status != STATUS_OK) return status;
            is_fresh = true;
            continue;
        }
        if (finding != SEGMENT_END) return at_the_end(self, finding);
        enum status status = map_segment(self, self->segment + 1);
        if (status == STATUS_NOT_FOUND) return at_the_mark(self);
        if (status != STATUS_OK) return status;
    }
}

/* The reader's first record is not there: it begins later. */
static enum status begins_later(struct journal_reader *self, seq_t oldest)
{
    (void)snprintf(self->where, sizeof self->where,
                   "the %s journal in %s begins at sequence %" PRIu64
                   ": what was before was removed, sequence %" PRIu64 " with it",
                   self->kind == JOURNAL_IN ? "in" : "out", self->instance->journal_dir, oldest,
                   self->next_seq);
    return STATUS_CORRUPT;
}

static enum status next_released(struct journal_reader *self, const struct journal_record **record)
{
    if (!is_written(self)) return STATUS_EMPTY;
    if (!self->map) {
        enum status status = find_segment(self);
        if (status != STATUS_OK) return status == STATUS_NOT_FOUND ? STATUS_EMPTY : status;
        seq_t oldest = segment_first_seq(self->map);
        if (oldest > self->next_seq) return begins_later(self, oldest);
        if (!is_written(self)) return STATUS_EMPTY;
    }
    for (;;) {
        const struct journal_record *r = NULL;
        enum status status = look(self, &r);
        if (status != STATUS_OK) return status;
        if (r->seq > self->next_seq) return corrupt(self, "sequence numbers are missing");
        if (r->seq == self->next_seq && !is_released(self, r)) return STATUS_EMPTY;
        self->offset += record_length(atomic_load_explicit(&r->frame, memory_order_relaxed));
        if (r->seq < self->next_seq) continue; /* seeking inside the segment */
        self->next_seq++;
        *record = r;
        return STATUS_OK;
    }
}

enum status journal_next(struct journal_reader *self, const struct journal_record **record)
{
    for (;;) {
        enum status status = next_released(self, record);
        if (status != STATUS_OK || self->key == JOURNAL_BY_SEQ) return status;
        if (key_of(self->key, *record) < self->from) continue;
        self->key = JOURNAL_BY_SEQ;
        return STATUS_OK;
    }
}

static enum status open_by(struct journal_reader *self, const struct instance *instance,
                           const struct control *control, enum journal_kind kind,
                           enum journal_key key, uint64_t from)
{
    memset(self, 0, sizeof *self);
    self->instance = instance;
    self->control = control;
    self->kind = kind;
    self->key = key;
    self->from = from;
    self->next_seq = key == JOURNAL_BY_SEQ ? from : 1;
    return STATUS_OK; /* files are looked for when something is read: there may be none yet */
}

enum status journal_reader_open(struct journal_reader *self, const struct instance *instance,
                                const struct control *control, enum journal_kind kind,
                                seq_t from_seq)
{
    CHECK(from_seq >= 1);
    return open_by(self, instance, control, kind, JOURNAL_BY_SEQ, from_seq);
}

enum status journal_reader_open_time(struct journal_reader *self, const struct instance *instance,
                                     const struct control *control, enum journal_kind kind,
                                     int64_t from_ns)
{
    return open_by(self, instance, control, kind, JOURNAL_BY_TIME,
                   from_ns > 0 ? (uint64_t)from_ns : 0);
}

enum status journal_reader_open_cause(struct journal_reader *self, const struct instance *instance,
                                      const struct control *control, seq_t cause_seq)
{
    return open_by(self, instance, control, JOURNAL_OUT, JOURNAL_BY_CAUSE, cause_seq);
}

enum status journal_reader_open_recovery(struct journal_reader *self,
                                         const struct instance *instance,
                                         const struct control *control, enum journal_kind kind)
{
    enum status status = journal_reader_open(self, instance, control, kind, 1);
    self->recovering = true;
    return status;
}

enum status journal_reader_open_following(struct journal_reader *self,
                                          const struct instance *instance,
                                          const struct control *control, enum journal_kind kind,
                                          seq_t seq, uint64_t position)
{
    enum status status = journal_reader_open(self, instance, control, kind, seq);
    self->following = true;
    uint64_t offset = position & UINT32_MAX;
    if (status == STATUS_OK && position) status = map_segment(self, (uint32_t)(position >> 32));
    if (status != STATUS_OK || !position) return status;
    if (offset < JOURNAL_SEGMENT_HEADER_BYTES || offset > self->map_bytes || offset % 8)
        return corrupt(self, "there can be no record here");
    self->offset = offset;
    return STATUS_OK;
}

void journal_reader_close(struct journal_reader *self)
{
    unmap(self);
}
