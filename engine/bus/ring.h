/* ring.h - single-producer single-consumer ring of messages between two processes, in /dev/shm.
 *
 * One a producer thread; the core is the consumer of all. No lock and no compare-and-swap: a
 * producer that dies can spoil only its own ring, and not even that, since a message exists only
 * once `tail` has moved over it.
 *
 *   head (core writes)        tail (producer writes)
 *    |                         |
 *  --+====+======+====+========+------------------+
 *    |len |msg   |len |msg     | free             |   bytes, positions never wrap (64 bits)
 *  --+====+======+====+========+------------------+
 *
 * A message is contiguous: one that does not fit before the end of the buffer is preceded by a
 * filler. A position names a message for ever: `in` records keep the position after their message,
 * so a core that starts again knows where to go on and sequences nothing twice.
 *
 * A ring belongs to whoever holds the kernel's lock on its file, which death releases.
 */
#ifndef HOGA_BUS_RING_H
#define HOGA_BUS_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/message/sbe.h"

/* Messages begin on cache lines of their own, so that the producer does not write into the line
 * that the consumer reads. */
enum { RING_ALIGN = 64 };

struct ring_shared; /* the file's layout, in ring.c */

/* A message in the buffer; the next one begins behind it, aligned. */
struct ring_entry {
    uint32_t length; /* with this header; RING_FILLER: the next message is at the buffer's begin */
    uint32_t pad;
    uint64_t request_id;
};
#define RING_FILLER UINT32_C(0xffffffff)

_Static_assert(sizeof(struct ring_entry) == 16, "messages behind it stay 8-aligned");

static inline uint64_t ring_aligned(uint64_t n)
{
    return (n + RING_ALIGN - 1) & ~(uint64_t)(RING_ALIGN - 1);
}

/* One side's handle. A producer's and a consumer's handle keep different halves of the cache. */
struct ring {
    struct ring_shared *shared;
    uint8_t *buffer;
    uint64_t capacity;   /* bytes, a power of two */
    uint64_t head_cache; /* producer: head as last seen; consumer: own head */
    uint64_t tail_cache; /* consumer: tail as last seen; producer: own tail */
    uint64_t piece_end;  /* consumer: what lies in one piece before it ends here; as last seen */
    uint64_t epoch;      /* how often this ring has been claimed; producer only */
    struct control *control;
    int fd;
    uint16_t source; /* 1 .. CONTROL_RING_MAX: the ring's number in records */
};

/* What a consumer sees of one message, valid until ring_release(). */
struct ring_message {
    uint64_t request_id; /* the producer's own number */
    const void *message; /* SBE header and block, 8-byte aligned */
    size_t length;       /* bytes of it */
    uint64_t position;   /* the ring's position after it */
};

/* Core: makes (or opens after a restart) the ring of this number. */
MUST_CHECK enum status ring_create(struct ring *self, const struct instance *instance,
                                   struct control *control, uint16_t source);

/* Producer: claims any ring that nobody holds. STATUS_BUSY when all are held; STATUS_NOT_FOUND
 * while the core has not made them. */
MUST_CHECK enum status ring_claim(struct ring *self, const struct instance *instance,
                                  struct control *control);

/* Maps a ring file of its own, for tests and benchmarks that have no exchange around them. A new
 * one has its head and tail at `start`, a multiple of RING_ALIGN. */
MUST_CHECK enum status ring_open_file(struct ring *self, const char *path, uint64_t capacity,
                                      uint64_t start);

void ring_close(struct ring *self);

/* Producer: copies one message in and makes it visible; wakes the core if it sleeps.
 * `length` is at most SBE_MESSAGE_MAX_BYTES. STATUS_FULL when there is no room: never waits. */
MUST_CHECK enum status ring_send(struct ring *self, uint64_t request_id, const void *message,
                                 size_t length);

/* Consumer: reads the producer's tail anew. Returns whether it has moved. */
bool ring_look_at_tail(struct ring *self);

/* Consumer: whether there is something to look at. */
static inline bool ring_has_message(struct ring *self)
{
    return self->head_cache != self->tail_cache || ring_look_at_tail(self);
}

/* Reads the entry at the head, once: its producer may change it at any moment. False, with its
 * length as it stands there, when that cannot be one or it does not end in this piece. */
static inline bool ring_read_entry(const struct ring *self, struct ring_message *message)
{
    enum {
        LENGTH_MIN = sizeof(struct ring_entry) + sizeof(struct sbe_header),
        LENGTH_MAX = sizeof(struct ring_entry) + SBE_MESSAGE_MAX_BYTES
    };
    uint64_t at = self->head_cache;
    const uint8_t *entry = self->buffer + (at & (self->capacity - 1));
    uint32_t length = ((const volatile struct ring_entry *)entry)->length;
    uint64_t whole = ring_aligned(length);
    message->length = length;
    if (length < LENGTH_MIN || length > LENGTH_MAX || whole > self->piece_end - at) return false;
    message->request_id = ((const volatile struct ring_entry *)entry)->request_id;
    message->message = entry + sizeof(struct ring_entry);
    message->length = length - sizeof(struct ring_entry);
    message->position = at + whole;
    return true;
}

/* ring_peek() where the piece ends, or bytes are no entry: looks at the tail, passes a filler. */
MUST_CHECK enum status ring_peek_further(struct ring *self, struct ring_message *message);

/* Consumer: the next message that was not taken. STATUS_EMPTY when there is none; STATUS_CORRUPT
 * when the bytes cannot be a message (then the ring is spoilt). */
MUST_CHECK static inline enum status ring_peek(struct ring *self, struct ring_message *message)
{
    if (self->piece_end > self->head_cache && ring_read_entry(self, message)) return STATUS_OK;
    return ring_peek_further(self, message);
}

/* Consumer: fetches the n-th message before the head, if they are all of the usual lengths and the
 * producer has written so far: what is taken soon comes from its processor by then. */
static inline void ring_fetch(const struct ring *self, unsigned n)
{
    enum { USUAL_BYTES = 3 * RING_ALIGN };
    uint64_t at = self->head_cache + (uint64_t)n * USUAL_BYTES;
    if (at + USUAL_BYTES > self->piece_end) return; /* behind the tail the producer is writing */
    const uint8_t *entry = self->buffer + (at & (self->capacity - 1));
    for (unsigned byte = 0; byte < USUAL_BYTES; byte += RING_ALIGN)
        __builtin_prefetch(entry + byte);
}

/* Consumer: the message that ring_peek() showed is taken, and the next peek shows the one behind
 * it. Its bytes stay until the release. */
static inline void ring_take(struct ring *self, const struct ring_message *message)
{
    self->head_cache = message->position;
}

/* Consumer: done with all that was taken; the producer may write over it. */
void ring_release_taken(struct ring *self);

/* Consumer: takes and releases the message that ring_peek() showed. */
void ring_release(struct ring *self, const struct ring_message *message);

/* Consumer, at recovery: goes on at `position`, if it lies between head and tail. STATUS_OK also
 * when it lies before; STATUS_NOT_FOUND when this ring has never come so far: it is one made anew,
 * after the clock was set back, and goes on at its own head. STATUS_INVALID when it is no position.
 */
MUST_CHECK enum status ring_seek(struct ring *self, uint64_t position);

#endif
