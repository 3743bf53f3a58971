#include "web/frames/frame_queue.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"

enum {
    QUEUE_FIRST_CAPACITY = 4096,
    QUEUE_KEPT_CAPACITY = 16384, /* an idle connection keeps no more than this */
    FRAME_HEADER_MAX_BYTES = 10,
    FRAME_MASK_BYTES = 4,
    FRAME_MASKED = 0x80, /* in the second byte */
    FRAME_TEXT_FINAL = 0x81,
    FRAME_CLOSE_FINAL = 0x88,
    CONTROL_MAX_BYTES = 125, /* of a control frame's payload */
};

void frame_queue_free(struct frame_queue *self)
{
    free(self->bytes);
    memset(self, 0, sizeof *self);
}

static bool reserve(struct frame_queue *self, size_t more)
{
    if (self->capacity - self->tail >= more) return true;
    size_t used = frame_queue_bytes(self);
    if (self->head >= used && self->capacity - used >= more) {
        memcpy(self->bytes, self->bytes + self->head, used);
        self->head = 0;
        self->tail = used;
        return true;
    }
    size_t capacity = self->capacity ? self->capacity : QUEUE_FIRST_CAPACITY;
    while (capacity - used < more) {
        if (capacity > SIZE_MAX / 2) return false;
        capacity *= 2;
    }
    uint8_t *bytes = malloc(capacity);
    if (!bytes) return false;
    if (used) memcpy(bytes, self->bytes + self->head, used);
    free(self->bytes);
    *self = (struct frame_queue){bytes, 0, used, capacity};
    return true;
}

/* RFC 6455 §5.2: lengths to 125 in the second byte, to 65,535 in two more, else in eight more. */
static size_t write_header(uint8_t *at, size_t length)
{
    at[0] = FRAME_TEXT_FINAL;
    if (length <= 125) {
        at[1] = (uint8_t)length;
        return 2;
    }
    unsigned bytes = length <= UINT16_MAX ? 2 : 8;
    at[1] = bytes == 2 ? 126 : 127;
    for (unsigned i = 0; i < bytes; i++)
        at[2 + i] = (uint8_t)((uint64_t)length >> (8 * (bytes - 1 - i)));
    return 2 + bytes;
}

/* Bytes of the frame that begins here, its header included. */
static size_t frame_bytes(const uint8_t *at)
{
    size_t header = 2 + (at[1] & FRAME_MASKED ? FRAME_MASK_BYTES : 0);
    uint8_t form = at[1] & (FRAME_MASKED - 1);
    if (form <= 125) return header + form;
    unsigned bytes = form == 126 ? 2 : 8;
    uint64_t length = 0;
    for (unsigned i = 0; i < bytes; i++) length = length << 8 | at[2 + i];
    return header + bytes + (size_t)length;
}

bool frame_queue_put(struct frame_queue *self, const char *head, size_t head_bytes,
                     const char *body, size_t body_bytes)
{
    if (!reserve(self, FRAME_HEADER_MAX_BYTES + head_bytes + body_bytes)) return false;
    self->tail += write_header(self->bytes + self->tail, head_bytes + body_bytes);
    if (head_bytes) memcpy(self->bytes + self->tail, head, head_bytes);
    self->tail += head_bytes;
    if (body_bytes) memcpy(self->bytes + self->tail, body, body_bytes);
    self->tail += body_bytes;
    return true;
}

bool frame_queue_put_masked(struct frame_queue *self, const char *text, size_t length,
                            const uint8_t mask[4])
{
    if (!reserve(self, FRAME_HEADER_MAX_BYTES + FRAME_MASK_BYTES + length)) return false;
    uint8_t *at = self->bytes + self->tail;
    size_t header = write_header(at, length);
    at[1] |= FRAME_MASKED;
    memcpy(at + header, mask, FRAME_MASK_BYTES);
    at += header + FRAME_MASK_BYTES;
    for (size_t i = 0; i < length; i++) at[i] = (uint8_t)((uint8_t)text[i] ^ mask[i % 4]);
    self->tail += header + FRAME_MASK_BYTES + length;
    return true;
}

bool frame_queue_put_close(struct frame_queue *self, uint16_t code, const char *reason)
{
    size_t reason_bytes = strlen(reason);
    CHECK(2 + reason_bytes <= CONTROL_MAX_BYTES);
    if (!reserve(self, FRAME_HEADER_MAX_BYTES + 2 + reason_bytes)) return false;
    uint8_t *at = self->bytes + self->tail;
    at[0] = FRAME_CLOSE_FINAL;
    at[1] = (uint8_t)(2 + reason_bytes);
    at[2] = (uint8_t)(code >> 8);
    at[3] = (uint8_t)code;
    memcpy(at + 4, reason, reason_bytes);
    self->tail += 4 + reason_bytes;
    return true;
}

size_t frame_queue_next(const struct frame_queue *self, size_t max_bytes, uint8_t **frames)
{
    size_t end = self->head;
    *frames = NULL;
    if (end == self->tail) return 0;
    while (end < self->tail) {
        size_t next = end + frame_bytes(self->bytes + end);
        CHECK(next <= self->tail);
        if (end > self->head && next - self->head > max_bytes) break;
        end = next;
    }
    *frames = self->bytes + self->head;
    return end - self->head;
}

void frame_queue_sent(struct frame_queue *self, size_t bytes)
{
    CHECK(bytes <= frame_queue_bytes(self));
    self->head += bytes;
    if (self->head < self->tail) return;
    self->head = self->tail = 0;
    if (self->capacity > QUEUE_KEPT_CAPACITY) frame_queue_free(self);
}
