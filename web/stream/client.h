/* client.h - one connection: what it has sent so far, what it is still to be sent, who it is.
 *
 *   frame pieces -> message -> method.c -> answers \
 *                                        push.c ----> frame_queue -> lws_write
 *
 * Nothing is written in the middle of the loop's work: whatever gathers in a turn of the loop goes
 * out at the end of it, in as few writes as there are clients. A client whose socket is full is
 * `choked` until libwebsockets says that it can be written to.
 * Owned by the front's one thread.
 */
#ifndef HOGA_WEB_STREAM_CLIENT_H
#define HOGA_WEB_STREAM_CLIENT_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "web/admission/admission.h"
#include "web/frames/frame_queue.h"
#include "web/json/encode.h"

enum {
    CLIENT_QUEUE_MAX_BYTES = 1024 * 1024, /* beyond: closed with CLOSE_TOO_SLOW */
    CLIENT_CONFLATE_BYTES = 64 * 1024,    /* beyond: books and candles wait, then come anew */
    CLIENT_WRITE_BYTES = 64 * 1024,       /* one write */
    CLIENT_SOCKET_BYTES = 128 * 1024,     /* the kernel's buffer */
    CLIENT_PING_MS = 20 * 1000,
    CLIENT_TICK_SLACK_MS = 500, /* ticks are a second apart, more or less */
    CLIENT_SILENCE_MS = 60 * 1000,
    CLIENT_CLOSE_MS = 30 * 1000,  /* to read what is left and answer the close */
    CLIENT_ANONYMOUS_PER_S = 100, /* requests before signing in */
};

/* RFC 6455 §7.4; 4000 and above are our own. */
enum close_code {
    CLOSE_GOING_AWAY = 1001,
    CLOSE_UNSUPPORTED = 1003,
    CLOSE_TOO_BIG = 1009,
    CLOSE_INTERNAL = 1011,
    CLOSE_SILENT = 4000,
    CLOSE_TOO_SLOW = 4008,
};

struct stream;
struct subscription;
struct order_call;
struct disconnect;

struct client {
    struct stream *stream;
    struct lws *wsi;
    struct client *next, *prev;
    struct client *unflushed_next;
    bool unflushed; /* in the stream's list of those to be written to */
    bool choked;
    bool dead; /* its socket failed; the callback that says so is under way */

    char *message; /* pieces of a message not yet whole; NULL: none */
    size_t message_bytes;
    struct frame_queue out;

    bool authenticated;
    struct identity who;
    uint32_t anonymous_requests; /* in this second */
    struct subscription *subscriptions;
    unsigned subscription_count;
    struct order_call *calls;       /* orders under way */
    struct disconnect *disconnects; /* whose orders are to be canceled when it ends */

    int64_t heard_ms; /* steady clock */
    int64_t pinged_ms;
    int64_t closing_ms;
    uint16_t close_code; /* 0: open; else our close frame is queued or sent */
};

/* Called by the server's callback. client_writable() returns false when the connection must end
 * now. */
void client_open(struct client *self, struct stream *stream, struct lws *wsi);
void client_closed(struct client *self);
void client_receive(struct client *self, const char *bytes, size_t length);
bool client_writable(struct client *self);

/* Queues an answer or a push; head and body follow each other in one frame. client_push() returns
 * false when there is no room (or no memory): the caller decides what that means. client_answer()
 * closes the client then. Nothing is queued for a client that is closing. */
bool client_push(struct client *self, const char *head, size_t head_bytes, const char *body,
                 size_t body_bytes);
void client_answer(struct client *self, const struct json_buffer *text);

/* Room for pushes that may wait. */
static inline bool client_has_room(const struct client *self)
{
    return frame_queue_bytes(&self->out) <= CLIENT_CONFLATE_BYTES;
}

/* Asks to be written to at the end of this turn of the loop. */
void client_wake(struct client *self);

/* Writes what the socket takes, snapshots that are due included. */
void client_flush(struct client *self);

/* Says why and ends the connection, after what is queued has been sent, or without it. */
void client_close(struct client *self, enum close_code code, const char *reason, bool drop_queue);

/* Closes with CLOSE_TOO_SLOW; `what` (static) says what the client did not read fast enough. */
void client_too_slow(struct client *self, const char *what);

/* Once a second: pings, silence, closes that take too long. */
void client_tick(struct client *self, int64_t steady_ms);

#endif
