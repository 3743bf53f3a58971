/* frame_queue.h - what a connection is still to send: whole WebSocket frames, back to back.
 *
 * Frames are made here rather than one by one by libwebsockets, so that all that gathered since the
 * last write leaves in one system call. A server's frames are not masked, so that a frame is a
 * short header and the text as it is; a client's are (RFC 6455 §5.1, §5.3).
 *
 *   bytes:  | sent ...... | frame | frame | frame |  free  |
 *                          ^ head                  ^ tail    capacity
 *
 * Owned by the thread of its connection.
 */
#ifndef HOGA_WEB_FRAMES_FRAME_QUEUE_H
#define HOGA_WEB_FRAMES_FRAME_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: empty, nothing allocated. */
struct frame_queue {
    uint8_t *bytes;
    size_t head;
    size_t tail;
    size_t capacity;
};

static inline size_t frame_queue_bytes(const struct frame_queue *self)
{
    return self->tail - self->head;
}

void frame_queue_free(struct frame_queue *self);

/* Appends one text frame whose payload is `head` followed by `body`. False, with the queue as it
 * was, without memory. */
bool frame_queue_put(struct frame_queue *self, const char *head, size_t head_bytes,
                     const char *body, size_t body_bytes);

/* The same for a client: `mask` must be new and unpredictable for each frame. */
bool frame_queue_put_masked(struct frame_queue *self, const char *text, size_t length,
                            const uint8_t mask[4]);

/* Appends a server's close frame: a code (RFC 6455 §7.4) and a reason of at most 123 bytes. False
 * without memory. */
bool frame_queue_put_close(struct frame_queue *self, uint16_t code, const char *reason);

/* The frames to send next: at least one, and further whole ones up to `max_bytes` in all. Returns
 * their bytes, 0 when the queue is empty. Valid until the queue changes. */
size_t frame_queue_next(const struct frame_queue *self, size_t max_bytes, uint8_t **frames);

/* They are sent. Gives memory back when the queue has become empty. */
void frame_queue_sent(struct frame_queue *self, size_t bytes);

#endif
