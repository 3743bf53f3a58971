#define _GNU_SOURCE
#include "engine/bus/journal_writer.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/bus/futex.h"
#include "engine/bus/segment.h"
#include "engine/bus/shared_file.h"

/* Room that journal_writer_ready() asks for in the segment: thousands of events of one command. */
enum { READY_BYTES_DIVISOR = 4 };

/* A segment in memory, mapped and touched. STATUS_INVALID when one of another size is there. */
static enum status map_memory_segment(const struct journal_writer *self, uint32_t number,
                                      uint8_t **map, bool *is_new)
{
    char path[SEGMENT_PATH_BYTES];
    struct shared_file file;
    segment_memory_path(path, self->instance, self->kind, number);
    enum status status = shared_file_create(&file, path, self->segment_bytes);
    if (status != STATUS_OK) return status;
    (void)close(file.fd);
    *map = file.map;
    *is_new = file.is_new;
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
    if (status == STATUS_OK) status = map_memory_segment(self, self->segment, &self->map, &is_new);
    if (status != STATUS_OK) return status;
    if (self->offset == JOURNAL_SEGMENT_HEADER_BYTES)
        segment_write_header(self->map, instance, self->kind, self->segment, self->segment_bytes,
                             self->next_seq);
    else if (is_new)
        memcpy(self->map, tail->map, self->offset);
    /* half a record of a writer that died must not look like one later */
    memset(self->map + self->offset, 0, self->segment_bytes - self->offset);

    atomic_store_explicit(&self->cursors->written_position,
                          (uint64_t)self->segment << 32 | self->offset, memory_order_relaxed);
    atomic_store_explicit(&self->cursors->written_seq, self->next_seq - 1, memory_order_release);
    return journal_writer_keep(self);
}

bool journal_writer_ready(const struct journal_writer *self)
{
    return atomic_load_explicit(&self->ahead, memory_order_relaxed) ||
           self->segment_bytes - self->offset > self->segment_bytes / READY_BYTES_DIVISOR;
}

static void next_segment(struct journal_writer *self)
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
    seq_t durable = atomic_load_explicit(&self->cursors->durable_seq, memory_order_relaxed);
    seq_t behind = self->next_seq - 1 - durable;
    return behind < JOURNAL_LAG_MAX ? (uint32_t)behind : JOURNAL_LAG_MAX;
}

const struct journal_record *journal_append(struct journal_writer *self, uint64_t ref,
                                            uint64_t origin, int64_t time_ns, const void *message,
                                            size_t length)
{
    size_t plain = offsetof(struct journal_record, header) + length;
    size_t whole = (plain + 7) & ~(size_t)7;
    CHECK(length >= sizeof(struct sbe_header) && whole <= JOURNAL_RECORD_MAX_BYTES);
    if (self->offset + whole + sizeof(uint64_t) > self->segment_bytes) next_segment(self);

    if (time_ns < self->last_time_ns) time_ns = self->last_time_ns;
    self->last_time_ns = time_ns;
    struct journal_record *r = (struct journal_record *)(self->map + self->offset);
    uint32_t frame = (uint32_t)whole | lag_of(self) << 16;
    r->seq = self->next_seq;
    r->time_ns = time_ns;
    r->ref = ref;
    r->origin = origin;
    memcpy(&r->header, message, length);
    r->crc = segment_record_crc(r, frame);
    /* pairs with the acquire in segment_look(): whoever sees the frame sees the record */
    atomic_store_explicit(&r->frame, frame, memory_order_release);
    self->offset += whole;
    self->next_seq++;
    /* position first: whoever has read the sequence number finds a position at least as far */
    atomic_store_explicit(&self->cursors->written_position,
                          (uint64_t)self->segment << 32 | self->offset, memory_order_release);
    atomic_store_explicit(&self->cursors->written_seq, r->seq, memory_order_release);
    return r;
}

enum status journal_writer_keep(struct journal_writer *self)
{
    uint8_t *full = atomic_exchange_explicit(&self->retired, NULL, memory_order_acquire);
    if (full) munmap(full, self->segment_bytes);
    if (atomic_load_explicit(&self->ahead, memory_order_relaxed)) return STATUS_OK;
    uint8_t *fresh;
    bool is_new;
    enum status status = map_memory_segment(self, self->ahead_number + 1, &fresh, &is_new);
    if (status != STATUS_OK) return status;
    self->ahead_number++;
    if (!is_new) memset(fresh, 0, self->segment_bytes);
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
