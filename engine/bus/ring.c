#define _GNU_SOURCE
#include "engine/bus/ring.h"

#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/bus/clock.h"
#include "engine/bus/futex.h"
#include "engine/bus/shared_file.h"

#define RING_MAGIC UINT64_C(0x32474e5241474f48) /* "HOGARNG2": changes with the layout */

enum { PATH_BYTES = 128 };

struct ring_shared {
    uint64_t magic;
    uint64_t capacity;
    _Atomic uint64_t epoch;             /* claims so far; its writer holds the file's lock */
    _Alignas(64) _Atomic uint64_t head; /* consumer: release, pairs with the producer's acquire */
    _Alignas(64) _Atomic uint64_t tail; /* producer: release, pairs with the consumer's acquire */
    _Alignas(64) uint8_t buffer[];
};

_Static_assert(offsetof(struct ring_shared, buffer) == 192, "ring header");

static enum status attach(struct ring *self, struct shared_file *file, uint64_t capacity)
{
    struct ring_shared *shared = file->map;
    if (shared->magic != RING_MAGIC || shared->capacity != capacity) {
        shared_file_close(file);
        return STATUS_INVALID;
    }
    self->shared = shared;
    self->buffer = shared->buffer;
    self->capacity = capacity;
    self->fd = file->fd;
    self->head_cache = atomic_load_explicit(&shared->head, memory_order_acquire);
    self->piece_end = self->head_cache;
    self->tail_cache = atomic_load_explicit(&shared->tail, memory_order_acquire);
    return STATUS_OK;
}

enum status ring_open_file(struct ring *self, const char *path, uint64_t capacity, uint64_t start)
{
    struct shared_file file;
    CHECK(capacity >= 4096 && (capacity & (capacity - 1)) == 0 && start % RING_ALIGN == 0);
    memset(self, 0, sizeof *self);
    self->fd = -1;
    /* the consumer reads, which maps sixteen pages a fault: less than a takeover would wait for all
     * pages of all rings */
    enum status status =
        shared_file_create_untouched(&file, path, sizeof(struct ring_shared) + capacity);
    if (status != STATUS_OK) return status;
    struct ring_shared *shared = file.map;
    if (shared->magic == 0) {
        shared->capacity = capacity;
        atomic_store_explicit(&shared->head, start, memory_order_relaxed);
        atomic_store_explicit(&shared->tail, start, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
        shared->magic = RING_MAGIC;
    }
    return attach(self, &file, capacity);
}

static void ring_path(char path[PATH_BYTES], const struct instance *instance, uint16_t source)
{
    (void)snprintf(path, PATH_BYTES, "%s/ring-%u", instance->shm_dir, source);
}

enum status ring_create(struct ring *self, const struct instance *instance, struct control *control,
                        uint16_t source)
{
    char path[PATH_BYTES];
    CHECK(source >= 1 && source <= CONTROL_RING_MAX);
    ring_path(path, instance, source);
    /* A ring made anew begins at the clock, beyond every position of its predecessor (which moved
     * less than a byte a nanosecond): records about the old ring say nothing about this one. */
    uint64_t start = (uint64_t)clock_wall_ns() / RING_ALIGN * RING_ALIGN;
    enum status status = ring_open_file(self, path, control->ring_bytes, start);
    if (status != STATUS_OK) return status;
    self->source = source;
    self->control = control;
    return STATUS_OK;
}

/* A producer's: the core alone makes rings, so that of two nobody makes the same one. */
static enum status open_made(struct ring *self, const struct instance *instance,
                             struct control *control, uint16_t source)
{
    char path[PATH_BYTES];
    struct shared_file file;
    memset(self, 0, sizeof *self);
    self->fd = -1;
    ring_path(path, instance, source);
    enum status status = shared_file_open(&file, path, true);
    if (status != STATUS_OK) return status;
    if (((const struct ring_shared *)file.map)->magic == 0) { /* just being made */
        shared_file_close(&file);
        return STATUS_NOT_FOUND;
    }
    status = attach(self, &file, control->ring_bytes);
    self->source = source;
    self->control = control;
    return status;
}

enum status ring_claim(struct ring *self, const struct instance *instance, struct control *control)
{
    for (uint16_t source = 1; source <= control->ring_count; source++) {
        enum status status = open_made(self, instance, control, source);
        if (status != STATUS_OK) return status;
        if (flock(self->fd, LOCK_EX | LOCK_NB) == 0) {
            /* read again: the former owner may have sent until it lost the lock */
            self->head_cache = atomic_load_explicit(&self->shared->head, memory_order_acquire);
            self->tail_cache = atomic_load_explicit(&self->shared->tail, memory_order_acquire);
            self->epoch =
                1 + atomic_fetch_add_explicit(&self->shared->epoch, 1, memory_order_relaxed);
            return STATUS_OK;
        }
        ring_close(self);
    }
    return STATUS_BUSY;
}

void ring_close(struct ring *self)
{
    if (self->shared) munmap(self->shared, sizeof(struct ring_shared) + self->capacity);
    if (self->fd >= 0) (void)close(self->fd);
    memset(self, 0, sizeof *self);
    self->fd = -1;
}

static bool has_room(struct ring *self, uint64_t end)
{
    if (end - self->head_cache <= self->capacity) return true;
    self->head_cache = atomic_load_explicit(&self->shared->head, memory_order_acquire);
    return end - self->head_cache <= self->capacity;
}

/* The store of tail and the load of core_sleeping must not change places, or a core that falls
 * asleep just now would miss the message: the fence pairs with the one in the core's loop. */
static void wake_core(struct control *control)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&control->core_sleeping, memory_order_relaxed))
        futex_ring(&control->doorbell);
}

enum status ring_send(struct ring *self, uint64_t request_id, const void *message, size_t length)
{
    CHECK(length >= sizeof(struct sbe_header) && length <= SBE_MESSAGE_MAX_BYTES);
    uint64_t mask = self->capacity - 1, at = self->tail_cache;
    uint64_t need = ring_aligned(sizeof(struct ring_entry) + length);
    uint64_t to_end = self->capacity - (at & mask);
    if (to_end < need) {
        if (!has_room(self, at + to_end + need)) return STATUS_FULL;
        uint32_t filler = RING_FILLER; /* to_end is a multiple of the alignment, so it fits */
        memcpy(self->buffer + (at & mask), &filler, sizeof filler);
        at += to_end;
    } else if (!has_room(self, at + need)) {
        return STATUS_FULL;
    }
    struct ring_entry entry = {(uint32_t)(sizeof entry + length), 0, request_id};
    memcpy(self->buffer + (at & mask), &entry, sizeof entry);
    memcpy(self->buffer + (at & mask) + sizeof entry, message, length);
    self->tail_cache = at + need;
    atomic_store_explicit(&self->shared->tail, at + need, memory_order_release);
    if (self->control) wake_core(self->control);
    return STATUS_OK;
}

bool ring_look_at_tail(struct ring *self)
{
    self->tail_cache = atomic_load_explicit(&self->shared->tail, memory_order_acquire);
    return self->tail_cache != self->head_cache;
}

/* Everything read here was written by another process: believe nothing. What is left between head
 * and tail, and that both are aligned, stays right while whole entries are taken. */
static bool is_tail_possible(const struct ring *self)
{
    uint64_t available = self->tail_cache - self->head_cache;
    return available <= self->capacity && available % RING_ALIGN == 0 &&
           self->head_cache % RING_ALIGN == 0;
}

/* Where what lies in one piece before the consumer ends: at the tail or at the buffer's end. */
static uint64_t piece_end(const struct ring *self)
{
    uint64_t to_end = self->capacity - (self->head_cache & (self->capacity - 1));
    uint64_t available = self->tail_cache - self->head_cache;
    return self->head_cache + (available < to_end ? available : to_end);
}

enum status ring_peek_further(struct ring *self, struct ring_message *message)
{
    for (int fillers = 0; fillers < 2; fillers++) {
        if (!ring_has_message(self)) return STATUS_EMPTY;
        if (!is_tail_possible(self)) return STATUS_CORRUPT;
        self->piece_end = piece_end(self);
        if (ring_read_entry(self, message)) return STATUS_OK;
        uint64_t to_end = self->capacity - (self->head_cache & (self->capacity - 1));
        if (message->length != RING_FILLER || to_end > self->tail_cache - self->head_cache)
            return STATUS_CORRUPT;
        self->head_cache += to_end;
    }
    return STATUS_CORRUPT;
}

void ring_release_taken(struct ring *self)
{
    atomic_store_explicit(&self->shared->head, self->head_cache, memory_order_release);
}

void ring_release(struct ring *self, const struct ring_message *message)
{
    ring_take(self, message);
    ring_release_taken(self);
}

enum status ring_seek(struct ring *self, uint64_t position)
{
    uint64_t head = atomic_load_explicit(&self->shared->head, memory_order_acquire);
    uint64_t tail = atomic_load_explicit(&self->shared->tail, memory_order_acquire);
    if (position < head) return STATUS_OK; /* taken already: the record was written after */
    if (position % RING_ALIGN) return STATUS_INVALID;
    if (position > tail) return STATUS_NOT_FOUND; /* another ring's: the clock was set back since */
    self->head_cache = self->piece_end = position;
    self->tail_cache = tail;
    atomic_store_explicit(&self->shared->head, position, memory_order_release);
    return STATUS_OK;
}
