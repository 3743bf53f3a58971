#define _GNU_SOURCE
#include "engine/bus/journal_writer.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/base/crc32c_wide.h"
#include "engine/base/paths.h"
#include "engine/bus/futex.h"
#include "engine/bus/segment.h"
#include "engine/bus/shared_file.h"
#include "engine/message/event.h"

enum {
    /* room that journal_writer_ready() asks for in the segment: thousands of events of a command */
    READY_BYTES_DIVISOR = 4,
    /* how many records ahead a record's memory is fetched where they come one by one */
    FETCH_AHEAD = 8,
    PAGE_BYTES = 4096,
    /* of a segment that is opened: some ten thousand records, until the keeper has its turn */
    TOUCH_BYTES = 1024 * 1024,
    TOUCH_PIECE_BYTES = 256 * 1024, /* a tenth of a millisecond or two */
};

#if !defined(MADV_POPULATE_WRITE)
#define MADV_POPULATE_WRITE 23 /* since Linux 5.14 */
#endif

/* A segment in memory, mapped. STATUS_INVALID when one of another size is there. */
static enum status map_memory_segment(const struct journal_writer *self, uint32_t number,
                                      uint8_t **map, bool *is_new)
{
    char path[SEGMENT_PATH_BYTES];
    struct shared_file file;
    segment_memory_path(path, self->instance, self->kind, number);
    enum status status = shared_file_create_untouched(&file, path, self->segment_bytes);
    if (status != STATUS_OK) return status;
    (void)close(file.fd);
    *map = file.map;
    *is_new = file.is_new;
    return STATUS_OK;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

/* A segment that was made ahead of use and not used: the writer begins with the header, so the rest
 * is as it was made. */
static bool is_unused(const uint8_t *map)
{
    return is_zero(map, JOURNAL_SEGMENT_HEADER_BYTES);
}

/* Half a record of a writer that died must not look like one later, nor may what lies behind an end
 * that was cut. Both were written without gaps: where a window longer than any record is zero, all
 * behind it is, too, and need not be touched while clients wait. */
static void clear_rest(uint8_t *map, uint64_t offset, uint64_t bytes)
{
    enum { WINDOW_BYTES = 4096 };
    _Static_assert(WINDOW_BYTES > (int)JOURNAL_RECORD_MAX_BYTES, "no record bridges it");
    for (uint64_t at = offset; at < bytes; at += WINDOW_BYTES) {
        uint64_t length = bytes - at < WINDOW_BYTES ? bytes - at : WINDOW_BYTES;
        if (is_zero(map + at, length)) return;
        memset(map + at, 0, length);
    }
}

/* Whether the one in memory behind the last may be taken as the next: its former writer's keeper
 * had made it, and zeroing such memory anew would hold clients up. */
static bool may_keep(const struct journal_writer *self, const char *path)
{
    struct shared_file file;
    if (shared_file_open(&file, path, false) != STATUS_OK) return false;
    bool good = file.bytes == self->segment_bytes && is_unused(file.map);
    shared_file_close(&file);
    return good;
}

/* A segment of a former writer, at once: the keeper touches it later. */
static enum status map_left_segment(struct journal_writer *self, unsigned which, uint32_t number,
                                    uint8_t **map)
{
    char path[SEGMENT_PATH_BYTES];
    struct shared_file file;
    segment_memory_path(path, self->instance, self->kind, number);
    enum status status = shared_file_open_untouched(&file, path);
    if (status != STATUS_OK) return status;
    (void)close(file.fd);
    if (file.bytes != self->segment_bytes) {
        munmap(file.map, file.bytes);
        return STATUS_INVALID;
    }
    *map = self->untouched[which] = file.map;
    return STATUS_OK;
}

/* Refused by kernels before 5.14: then the writer touches it. */
static void touch(uint8_t *map, uint64_t bytes)
{
    (void)madvise(map, bytes, MADV_POPULATE_WRITE);
}

static void touch_all(const struct journal_writer *self, uint8_t *map, const struct pace *pace)
{
    for (uint64_t at = 0; at < self->segment_bytes; at += TOUCH_PIECE_BYTES) {
        uint64_t left = self->segment_bytes - at;
        touch(map + at, left < TOUCH_PIECE_BYTES ? left : TOUCH_PIECE_BYTES);
        pace_rest(pace);
    }
}

/* The segment to go on in: left in memory, or made. */
static enum status open_segment(struct journal_writer *self, bool *is_new)
{
    *is_new = false;
    enum status status = map_left_segment(self, 0, self->segment, &self->map);
    if (status == STATUS_NOT_FOUND) {
        status = map_memory_segment(self, self->segment, &self->map, is_new);
        self->untouched[0] = self->map;
    }
    if (status != STATUS_OK) return status;
    uint64_t from = self->offset & ~(uint64_t)(PAGE_BYTES - 1);
    uint64_t left = self->segment_bytes - from;
    touch(self->map + from, left < TOUCH_BYTES ? left : TOUCH_BYTES);
    return STATUS_OK;
}

/* And the one ahead of it. */
static enum status open_ahead(struct journal_writer *self)
{
    uint8_t *map;
    if (map_left_segment(self, 1, self->segment + 1, &map) != STATUS_OK) {
        bool is_new;
        enum status status = map_memory_segment(self, self->segment + 1, &map, &is_new);
        if (status != STATUS_OK) return status;
        self->untouched[1] = map;
    }
    self->ahead_number = self->segment + 1;
    atomic_store_explicit(&self->ahead, map, memory_order_release);
    return STATUS_OK;
}

/* Removes the files behind the last segment: a torn or overtaken end. */
static enum status remove_later(const struct journal_writer *self, uint32_t number)
{
    const char *directories[] = {self->instance->shm_dir, self->instance->journal_dir};
    for (unsigned i = 0; i < 2; i++) {
        uint32_t first, last, missing;
        enum status status = segment_range(directories[i], self->kind, &first, &last, &missing);
        if (status == STATUS_IO) return status;
        for (; last > number; last--) {
            char path[SEGMENT_PATH_BYTES];
            if (i == 0)
                segment_memory_path(path, self->instance, self->kind, last);
            else
                segment_archive_path(path, self->instance, self->kind, last);
            if (i == 0 && last == number + 1 && may_keep(self, path)) continue;
            (void)unlink(path);
        }
    }
    return STATUS_OK;
}

enum status journal_writer_open(struct journal_writer *self, const struct instance *instance,
                                struct control *control, const struct journal_reader *tail,
                                _Atomic uint32_t *keeper_bell)
{
    memset(self, 0, sizeof *self);
    self->instance = instance;
    self->control = control;
    self->kind = tail->kind;
    self->cursors = tail->kind == JOURNAL_IN ? &control->in : &control->out;
    /* a journal keeps the segment size it was made with */
    self->segment_bytes =
        tail->map ? ((const struct segment_header *)tail->map)->bytes : control->segment_bytes;
    self->next_seq = tail->next_seq;
    self->segment = tail->segment ? tail->segment : 1;
    self->offset = tail->segment ? tail->offset : JOURNAL_SEGMENT_HEADER_BYTES;
    self->keeper_bell = keeper_bell;

    const struct journal_record *record;
    if (tail->map &&
        segment_look(tail->map, tail->map_bytes, tail->offset, &record) == SEGMENT_END) {
        self->segment++;
        self->offset = JOURNAL_SEGMENT_HEADER_BYTES;
    }
    self->ahead_number = self->segment;
    enum status status = remove_later(self, self->segment);
    bool is_new;
    if (status == STATUS_OK) status = open_segment(self, &is_new);
    if (status != STATUS_OK) return status;
    if (tail->in_memory)
        clear_rest(self->map, self->offset, self->segment_bytes);
    else if (!is_new) /* by a start that died, filled in no order that is known */
        memset(self->map + self->offset, 0, self->segment_bytes - self->offset);
    if (self->offset == JOURNAL_SEGMENT_HEADER_BYTES)
        segment_write_header(self->map, instance, self->kind, self->segment, self->segment_bytes,
                             self->next_seq);
    else if (is_new || !tail->in_memory) /* or made by a start that died before it was filled */
        segment_copy(self->map, tail->map, self->offset);

    journal_publish(self);
    return open_ahead(self);
}

bool journal_writer_ready(const struct journal_writer *self)
{
    return journal_writer_has_ahead(self) ||
           self->segment_bytes - self->offset > self->segment_bytes / READY_BYTES_DIVISOR;
}

SIDE_PATH static void next_segment(struct journal_writer *self)
{
    uint8_t *fresh;
    while (!(fresh = atomic_exchange_explicit(&self->ahead, NULL, memory_order_acquire)))
        futex_ring(self->keeper_bell); /* one command with a segment's worth of events */
    segment_write_header(fresh, self->instance, self->kind, self->segment + 1, self->segment_bytes,
                         self->next_seq);
    /* after the header: whoever reads the mark finds a good segment */
    struct journal_record *end = (struct journal_record *)(self->map + self->offset);
    atomic_store_explicit(&end->frame, JOURNAL_END_OF_SEGMENT, memory_order_release);
    uint8_t *full = self->map;
    self->map = fresh;
    self->segment++;
    self->offset = JOURNAL_SEGMENT_HEADER_BYTES;
    while (atomic_load_explicit(&self->retired, memory_order_relaxed))
        futex_ring(self->keeper_bell);
    atomic_store_explicit(&self->retired, full, memory_order_release);
    futex_ring(self->keeper_bell);
}

static uint32_t lag_of(const struct journal_writer *self)
{
    seq_t behind = self->next_seq - 1 - self->durable_seq;
    return behind < JOURNAL_LAG_MAX ? (uint32_t)behind : JOURNAL_LAG_MAX;
}

static size_t whole_of(size_t message_length)
{
    return (offsetof(struct journal_record, header) + message_length + 7) & ~(size_t)7;
}

/* Where a record of `whole` bytes goes. */
static inline struct journal_record *record_place(struct journal_writer *self, size_t whole)
{
    if (__builtin_expect(self->offset + whole + sizeof(uint64_t) > self->segment_bytes, 0))
        next_segment(self);
    return (struct journal_record *)(self->map + self->offset);
}

/* What stands between checksum and message. Returns the CRC of it. */
static inline uint32_t put_head(struct journal_writer *self, struct journal_record *r, uint32_t lag,
                                uint64_t ref, uint64_t origin, int64_t time_ns)
{
    if (time_ns < self->last_time_ns) time_ns = self->last_time_ns;
    self->last_time_ns = time_ns;
    const uint64_t head[4] = {self->next_seq, (uint64_t)time_ns, ref, origin};
    return crc32c_put_four(lag, &r->seq, head);
}

static inline void finish_record(struct journal_writer *self, struct journal_record *r,
                                 size_t whole, uint32_t lag)
{
    /* pairs with the acquire in segment_look(): whoever sees the frame sees the record */
    atomic_store_explicit(&r->frame, (uint32_t)whole | lag << 16, memory_order_release);
    self->offset += whole;
    self->next_seq++;
}

/* Nearly all events are executions: of a known length, a copy has no loop. */
static inline uint32_t put_message(struct journal_record *r, uint32_t crc, const void *message,
                                   size_t length)
{
    switch (length) {
    case EXECUTION_V1_BYTES: return crc32c_copy(crc, &r->header, message, EXECUTION_V1_BYTES);
    case sizeof(struct event_execution):
        return crc32c_copy(crc, &r->header, message, sizeof(struct event_execution));
    default: return crc32c_copy(crc, &r->header, message, length);
    }
}

HOT_PATH const struct journal_record *journal_put(struct journal_writer *self, uint64_t ref,
                                                  uint64_t origin, int64_t time_ns,
                                                  const void *message, size_t length)
{
    size_t whole = whole_of(length);
    CHECK(length >= sizeof(struct sbe_header) && whole <= JOURNAL_RECORD_MAX_BYTES);
    struct journal_record *r = record_place(self, whole);
    journal_fetch(self, FETCH_AHEAD);
    uint32_t lag = lag_of(self);
    uint32_t crc = put_head(self, r, lag, ref, origin, time_ns);
    r->crc = put_message(r, crc, message, length);
    CHECK(sizeof r->header + r->header.block_length == length);
    finish_record(self, r, whole, lag);
    return r;
}

HOT_PATH const struct journal_record *journal_put_received(struct journal_writer *self,
                                                           uint64_t ref, uint64_t origin,
                                                           int64_t time_ns, const void *message,
                                                           size_t length)
{
    size_t whole = whole_of(length);
    CHECK(length >= sizeof(struct sbe_header) && whole <= JOURNAL_RECORD_MAX_BYTES);
    struct journal_record *r = record_place(self, whole);
    uint32_t lag = lag_of(self);
    uint32_t crc = put_head(self, r, lag, ref, origin, time_ns);
    bool is_wide = length <= CRC32C_WIDE_BYTES && length % sizeof(uint64_t) == 0 &&
                   self->offset + JOURNAL_RECORD_MAX_BYTES <= self->segment_bytes;
    r->crc = __builtin_expect(is_wide, 1) ? crc32c_copy_wide(crc, &r->header, message, length)
                                          : crc32c_copy(crc, &r->header, message, length);
    if (__builtin_expect(sizeof r->header + r->header.block_length != length, 0)) {
        memset(r, 0, whole); /* nothing may look like a record's frame later */
        return NULL;
    }
    finish_record(self, r, whole, lag);
    return r;
}

void journal_publish(struct journal_writer *self)
{
    /* position first: whoever has read the sequence number finds a position at least as far */
    atomic_store_explicit(&self->cursors->written_position,
                          (uint64_t)self->segment << 32 | self->offset, memory_order_release);
    atomic_store_explicit(&self->cursors->written_seq, self->next_seq - 1, memory_order_release);
    self->durable_seq = atomic_load_explicit(&self->cursors->durable_seq, memory_order_relaxed);
}

const struct journal_record *journal_append(struct journal_writer *self, uint64_t ref,
                                            uint64_t origin, int64_t time_ns, const void *message,
                                            size_t length)
{
    const struct journal_record *r = journal_put(self, ref, origin, time_ns, message, length);
    journal_publish(self);
    return r;
}

enum status journal_writer_keep(struct journal_writer *self, const struct pace *pace)
{
    for (unsigned i = 0; i < 2; i++) {
        if (self->untouched[i]) touch_all(self, self->untouched[i], pace);
        self->untouched[i] = NULL;
    }
    uint8_t *full = atomic_exchange_explicit(&self->retired, NULL, memory_order_acquire);
    if (full) munmap(full, self->segment_bytes);
    if (atomic_load_explicit(&self->ahead, memory_order_relaxed)) return STATUS_OK;
    uint8_t *fresh;
    bool is_new;
    enum status status = map_memory_segment(self, self->ahead_number + 1, &fresh, &is_new);
    if (status != STATUS_OK) return status;
    self->ahead_number++;
    touch_all(self, fresh, pace);
    if (!is_new && !is_unused(fresh)) memset(fresh, 0, self->segment_bytes);
    atomic_store_explicit(&self->ahead, fresh, memory_order_release);
    return STATUS_OK;
}

void journal_writer_close(struct journal_writer *self)
{
    uint8_t *ahead = atomic_exchange_explicit(&self->ahead, NULL, memory_order_acquire);
    uint8_t *full = atomic_exchange_explicit(&self->retired, NULL, memory_order_acquire);
    if (ahead) munmap(ahead, self->segment_bytes);
    if (full) munmap(full, self->segment_bytes);
    if (self->map) munmap(self->map, self->segment_bytes);
    self->map = NULL;
}
