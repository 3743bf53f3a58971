#include "web/stream/client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/base/check.h"
#include "engine/bus/clock.h"
#include "web/stream/disconnect.h"
#include "web/stream/method.h"
#include "web/stream/order_call.h"
#include "web/stream/push.h"
#include "web/stream/stream.h"

static int64_t steady_ms(void)
{
    return clock_steady_ns() / 1000000;
}

void client_open(struct client *self, struct stream *stream, struct lws *wsi)
{
    memset(self, 0, sizeof *self);
    self->stream = stream;
    self->wsi = wsi;
    self->heard_ms = self->pinged_ms = steady_ms();
    self->next = stream->clients;
    if (stream->clients) stream->clients->prev = self;
    stream->clients = self;
    stream->client_count++;
    /* Only bounds what a reader that stalls can hold; without it all works as well. */
    int bytes = CLIENT_SOCKET_BYTES;
    (void)setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

static void leave_unflushed(struct client *self)
{
    if (!self->unflushed) return;
    struct client **link = &self->stream->unflushed;
    while (*link != self) link = &(*link)->unflushed_next;
    *link = self->unflushed_next;
    self->unflushed = false;
}

void client_closed(struct client *self)
{
    struct stream *stream = self->stream;
    leave_unflushed(self);
    order_call_forget_all(self);
    disconnect_client_gone(self);
    while (self->subscriptions) topic_unsubscribe(&stream->topics, self->subscriptions);
    frame_queue_free(&self->out);
    free(self->message);
    if (self->next) self->next->prev = self->prev;
    if (self->prev)
        self->prev->next = self->next;
    else
        stream->clients = self->next;
    stream->client_count--;
    self->stream = NULL;
}

/* ---- what comes in ---- */

static void drop_message(struct client *self)
{
    free(self->message);
    self->message = NULL;
    self->message_bytes = 0;
}

/* Collects a message that comes in pieces; false without memory. */
static bool collect(struct client *self, const char *bytes, size_t length)
{
    if (!self->message) self->message = malloc(STREAM_MESSAGE_MAX_BYTES);
    if (!self->message) return false;
    memcpy(self->message + self->message_bytes, bytes, length);
    self->message_bytes += length;
    return true;
}

void client_receive(struct client *self, const char *bytes, size_t length)
{
    self->heard_ms = steady_ms();
    if (self->close_code) return;
    if (lws_frame_is_binary(self->wsi)) {
        client_close(self, CLOSE_UNSUPPORTED, "send text frames", true);
        return;
    }
    if (length > STREAM_MESSAGE_MAX_BYTES - self->message_bytes) {
        client_close(self, CLOSE_TOO_BIG, "a message may be 16 KiB", true);
        return;
    }
    bool whole = lws_is_final_fragment(self->wsi) && !lws_remaining_packet_payload(self->wsi);
    if (whole && !self->message) {
        method_call(self, bytes, length);
        return;
    }
    if (!collect(self, bytes, length)) {
        counter_add(self->stream->counters.no_memory, 1);
        client_close(self, CLOSE_INTERNAL, "out of memory", true);
        return;
    }
    if (!whole) return;
    method_call(self, self->message, self->message_bytes);
    drop_message(self);
}

/* ---- what goes out ---- */

void client_wake(struct client *self)
{
    if (self->unflushed) return;
    self->unflushed = true;
    self->unflushed_next = self->stream->unflushed;
    self->stream->unflushed = self;
}

/* The socket failed: the connection can only end, from libwebsockets' own service. */
static void die(struct client *self)
{
    self->dead = true;
    frame_queue_free(&self->out);
    lws_set_timeout(self->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

/* Writes until the queue is empty or the socket full. What libwebsockets could not write it keeps
 * itself, and says so by lws_partial_buffered(). */
static void write_queue(struct client *self)
{
    uint8_t *frames;
    size_t bytes;
    while (!self->dead && !lws_partial_buffered(self->wsi) &&
           (bytes = frame_queue_next(&self->out, CLIENT_WRITE_BYTES, &frames)) > 0) {
        if (lws_write(self->wsi, frames, bytes, LWS_WRITE_HTTP) < (int)bytes) {
            die(self);
            return;
        }
        frame_queue_sent(&self->out, bytes);
    }
    self->choked = !self->dead && lws_partial_buffered(self->wsi);
}

void client_flush(struct client *self)
{
    write_queue(self);
    while (!self->dead && !self->choked && !self->close_code && push_behind(self))
        write_queue(self);
    if (self->choked) lws_callback_on_writable(self->wsi);
}

bool client_writable(struct client *self)
{
    if (!self->dead) client_flush(self);
    return !self->dead;
}

bool client_push(struct client *self, const char *head, size_t head_bytes, const char *body,
                 size_t body_bytes)
{
    if (self->dead || self->close_code) return true;
    size_t more = head_bytes + body_bytes;
    if (frame_queue_bytes(&self->out) + more > CLIENT_QUEUE_MAX_BYTES) write_queue(self);
    size_t queued = frame_queue_bytes(&self->out);
    if (queued && queued + more > CLIENT_QUEUE_MAX_BYTES) return false;
    if (!frame_queue_put(&self->out, head, head_bytes, body, body_bytes)) {
        counter_add(self->stream->counters.no_memory, 1);
        return false;
    }
    client_wake(self);
    return true;
}

void client_answer(struct client *self, const struct json_buffer *text)
{
    if (text->failed) {
        counter_add(self->stream->counters.no_memory, 1);
        client_close(self, CLOSE_INTERNAL, "out of memory", true);
        return;
    }
    if (!client_push(self, text->text, text->length, NULL, 0)) client_too_slow(self, "answers");
}

/* ---- the end ---- */

/* The close frame is our own: libwebsockets 4.1.6 on libuv kills the connection before it sends
 * the one that lws_close_reason() prepares. The peer answers with its own, which ends it. */
void client_close(struct client *self, enum close_code code, const char *reason, bool drop_queue)
{
    if (self->close_code || self->dead) return;
    self->close_code = (uint16_t)code;
    self->closing_ms = steady_ms();
    if (drop_queue) frame_queue_free(&self->out);
    drop_message(self);
    if (!frame_queue_put_close(&self->out, (uint16_t)code, reason))
        die(self);
    else
        client_wake(self);
}

void client_too_slow(struct client *self, const char *what)
{
    if (self->close_code) return;
    counter_add(self->stream->counters.slow_closed, 1);
    client_close(self, CLOSE_TOO_SLOW, what, true);
}

void client_tick(struct client *self, int64_t now_ms)
{
    self->anonymous_requests = 0;
    if (self->dead) return;
    if (self->close_code) {
        if (now_ms - self->closing_ms >= CLIENT_CLOSE_MS) die(self);
        return;
    }
    if (now_ms - self->heard_ms >= CLIENT_SILENCE_MS) {
        counter_add(self->stream->counters.silent_closed, 1);
        client_close(self, CLOSE_SILENT, "nothing heard for 60 s", true);
        return;
    }
    if (now_ms - self->pinged_ms < CLIENT_PING_MS - CLIENT_TICK_SLACK_MS) return;
    self->pinged_ms = now_ms;
    /* With a payload: libwebsockets does not report an empty pong. */
    unsigned char ping[LWS_PRE + 4];
    memcpy(ping + LWS_PRE, "ping", 4);
    if (lws_write(self->wsi, ping + LWS_PRE, 4, LWS_WRITE_PING) < 0) die(self);
}
