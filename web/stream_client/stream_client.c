#include "web/stream_client/stream_client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "web/frames/frame_queue.h"
#include "web/stream_client/signature.h"

enum {
    URL_BYTES = 256,
    REASON_BYTES = 160,
    FIRST_WINDOW = 64,                    /* a power of two */
    MESSAGE_MAX_BYTES = 64 * 1024 * 1024, /* of what the server sends */
    REQUEST_MAX_BYTES = 16384,            /* of what it takes */
    WRITE_BYTES = 64 * 1024,
};

/* A request that waits for its answer; its place is its id's in the window. */
struct waiting {
    bool waits;
    stream_answered answered;
    void *context;
};

struct stream_client {
    struct stream_dialer *dialer;
    struct stream_client_hooks hooks;
    struct stream_credentials credentials;
    bool signs_in;
    bool open; /* signed in, as far as that is asked for */
    struct lws *wsi;
    char path[URL_BYTES];
    char reason[REASON_BYTES];

    uint64_t first_id, next_id; /* ids in [first_id, next_id) may be waiting */
    struct waiting *window;     /* of id & (window_size - 1) */
    size_t window_size;
    size_t in_flight;

    struct frame_queue out;
    struct stream_client *unflushed_next; /* the dialer's */
    char *message;                        /* pieces so far */
    size_t message_bytes, message_capacity;
};

struct stream_client *stream_client_create(struct stream_dialer *dialer,
                                           const struct stream_credentials *credentials,
                                           const struct stream_client_hooks *hooks)
{
    struct stream_client *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->window = calloc(FIRST_WINDOW, sizeof self->window[0]);
    if (!self->window) {
        free(self);
        return NULL;
    }
    self->window_size = FIRST_WINDOW;
    self->first_id = self->next_id = 1;
    self->dialer = dialer;
    self->hooks = *hooks;
    self->signs_in = credentials != NULL;
    if (credentials) self->credentials = *credentials;
    return self;
}

void stream_client_destroy(struct stream_client *self)
{
    if (!self) return;
    if (self->wsi) {
        lws_set_opaque_user_data(self->wsi, NULL);
        lws_set_timeout(self->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
    }
    stream_dialer_forget(self->dialer, self);
    frame_queue_free(&self->out);
    free(self->window);
    free(self->message);
    free(self);
}

size_t stream_client_in_flight(const struct stream_client *self)
{
    return self->in_flight;
}

/* ---- requests ---- */

/* Room in the window for one more id. */
static bool widen(struct stream_client *self)
{
    if (self->next_id - self->first_id < self->window_size) return true;
    size_t size = self->window_size * 2;
    struct waiting *wider = calloc(size, sizeof *wider);
    if (!wider) return false;
    for (uint64_t id = self->first_id; id < self->next_id; id++)
        wider[id & (size - 1)] = self->window[id & (self->window_size - 1)];
    free(self->window);
    self->window = wider;
    self->window_size = size;
    return true;
}

struct stream_client **stream_client_link(struct stream_client *self)
{
    return &self->unflushed_next;
}

/* Writes what waits, as far as the socket takes it. False when it has failed. */
static bool write_queue(struct stream_client *self)
{
    uint8_t *frames;
    size_t bytes;
    while (!lws_partial_buffered(self->wsi) &&
           (bytes = frame_queue_next(&self->out, WRITE_BYTES, &frames)) > 0) {
        if (lws_write(self->wsi, frames, bytes, LWS_WRITE_HTTP) < (int)bytes) return false;
        frame_queue_sent(&self->out, bytes);
    }
    if (frame_queue_bytes(&self->out) > 0) lws_callback_on_writable(self->wsi);
    return true;
}

void stream_client_flush(struct stream_client *self)
{
    /* A socket that fails is told by libwebsockets' own callback. */
    if (self->wsi && !write_queue(self))
        lws_set_timeout(self->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

static bool put_request(struct stream_client *self, const char *method, const char *params)
{
    uint8_t mask[4];
    char text[REQUEST_MAX_BYTES];
    int length = snprintf(text, sizeof text, "{\"id\":%" PRIu64 ",\"method\":\"%s\",\"params\":%s}",
                          self->next_id, method, params);
    if (length < 0 || (size_t)length >= sizeof text) return false;
    return stream_dialer_mask(self->dialer, mask) &&
           frame_queue_put_masked(&self->out, text, (size_t)length, mask);
}

static bool call(struct stream_client *self, const char *method, const char *params,
                 stream_answered answered, void *context)
{
    if (!self->wsi || !widen(self) || !put_request(self, method, params)) return false;
    self->window[self->next_id & (self->window_size - 1)] =
        (struct waiting){true, answered, context};
    self->next_id++;
    self->in_flight++;
    stream_dialer_wake(self->dialer, self);
    return true;
}

bool stream_client_call(struct stream_client *self, const char *method, const char *params,
                        stream_answered answered, void *context)
{
    return self->open && call(self, method, params, answered, context);
}

/* Takes the request of this id out of the window; false when none waits under it. */
static bool take_waiting(struct stream_client *self, uint64_t id, struct waiting *waiting)
{
    if (id < self->first_id || id >= self->next_id) return false;
    struct waiting *place = &self->window[id & (self->window_size - 1)];
    if (!place->waits) return false;
    *waiting = *place;
    place->waits = false;
    self->in_flight--;
    while (self->first_id < self->next_id &&
           !self->window[self->first_id & (self->window_size - 1)].waits)
        self->first_id++;
    return true;
}

/* ---- signing in ---- */

static void opened(struct stream_client *self, uint32_t rate_limit)
{
    self->open = true;
    if (self->hooks.opened) self->hooks.opened(self->hooks.context, rate_limit);
}

static void fail(struct stream_client *self, const char *why)
{
    snprintf(self->reason, sizeof self->reason, "%s", why);
    lws_set_timeout(self->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

static void signed_in(void *context, const json_t *result, const json_t *error)
{
    struct stream_client *self = context;
    if (result) {
        opened(self, (uint32_t)json_integer_value(json_object_get(result, "rate_limit")));
    } else if (error) {
        const char *code = json_string_value(json_object_get(error, "code"));
        char why[REASON_BYTES];
        snprintf(why, sizeof why, "signing in was refused: %s", code ? code : "unknown");
        fail(self, why);
    }
}

static void sign_in(struct stream_client *self)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    char sign[SIGNATURE_TEXT_BYTES], params[512];
    if (!signature_make(&self->credentials, now_ms, "GET", self->path, sign)) {
        fail(self, "cannot compute a signature");
        return;
    }
    snprintf(params, sizeof params, "{\"key\":\"%s\",\"timestamp\":%" PRId64 ",\"sign\":\"%s\"}",
             self->credentials.key, now_ms, sign);
    if (!call(self, "auth", params, signed_in, self)) fail(self, "out of memory");
}

/* ---- what comes in ---- */

/* The server's answers begin with their id, its pushes with their channel. */
static bool is_push(const char *text, size_t length)
{
    static const char begin[] = "{\"channel\":";
    return length >= sizeof begin - 1 && memcmp(text, begin, sizeof begin - 1) == 0;
}

static void receive_message(struct stream_client *self, const char *text, size_t length)
{
    if (self->hooks.may_matter && is_push(text, length) && !self->hooks.may_matter(text, length))
        return;
    json_t *message = json_loadb(text, length, 0, NULL);
    if (!json_is_object(message)) {
        fail(self, "the server sent something that is not a JSON object");
        json_decref(message);
        return;
    }
    const json_t *id = json_object_get(message, "id");
    struct waiting waiting;
    if (json_is_integer(id)) {
        if (take_waiting(self, (uint64_t)json_integer_value(id), &waiting) && waiting.answered)
            waiting.answered(waiting.context, json_object_get(message, "result"),
                             json_object_get(message, "error"));
    } else if (self->hooks.pushed) {
        self->hooks.pushed(self->hooks.context, message);
    }
    json_decref(message);
}

/* Adds a piece of a message; false when it is too long or there is no memory. */
static bool collect(struct stream_client *self, const char *bytes, size_t length)
{
    if (length > MESSAGE_MAX_BYTES - self->message_bytes) return false;
    size_t needed = self->message_bytes + length;
    if (needed > self->message_capacity) {
        size_t capacity = self->message_capacity ? self->message_capacity : 4096;
        while (capacity < needed) capacity *= 2;
        char *grown = realloc(self->message, capacity);
        if (!grown) return false;
        self->message = grown;
        self->message_capacity = capacity;
    }
    memcpy(self->message + self->message_bytes, bytes, length);
    self->message_bytes = needed;
    return true;
}

static void receive(struct stream_client *self, const char *bytes, size_t length)
{
    bool whole = lws_is_final_fragment(self->wsi) && !lws_remaining_packet_payload(self->wsi);
    if (whole && self->message_bytes == 0) {
        receive_message(self, bytes, length);
    } else if (!collect(self, bytes, length)) {
        fail(self, "the server sent more than there is memory for");
    } else if (whole) {
        length = self->message_bytes;
        self->message_bytes = 0;
        receive_message(self, self->message, length);
    }
}

/* ---- the connection ---- */

static void closed(struct stream_client *self, const char *why)
{
    char reason[REASON_BYTES];
    snprintf(reason, sizeof reason, "%s", self->reason[0] ? self->reason : why);
    self->reason[0] = '\0';
    self->wsi = NULL;
    self->open = false;
    self->message_bytes = 0;
    frame_queue_free(&self->out);
    struct waiting waiting;
    while (self->in_flight > 0)
        if (take_waiting(self, self->first_id, &waiting) && waiting.answered)
            waiting.answered(waiting.context, NULL, NULL);
    if (self->hooks.closed) self->hooks.closed(self->hooks.context, reason);
}

/* The close frame: two bytes of code, then why. */
static void note_close(struct stream_client *self, const unsigned char *bytes, size_t length)
{
    if (length < 2 || self->reason[0]) return;
    snprintf(self->reason, sizeof self->reason, "closed by the server: %d %.*s",
             bytes[0] << 8 | bytes[1], (int)(length - 2), (const char *)bytes + 2);
}

int stream_client_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                           size_t length)
{
    (void)user;
    struct stream_client *self = lws_get_opaque_user_data(wsi);
    if (!self) return 0;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        self->wsi = wsi;
        if (self->signs_in)
            sign_in(self);
        else
            opened(self, 0);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE: receive(self, in, length); return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE: return write_queue(self) ? 0 : -1;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: note_close(self, in, length); return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        closed(self, in ? (const char *)in : "cannot connect");
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED: closed(self, "the connection was lost"); return 0;
    default: return 0;
    }
}

/* "ws://host:port/path" into its parts; `text` is cut up. */
static bool split_url(char *text, const char **host, int *port, const char **path)
{
    if (strncmp(text, "ws://", 5) != 0) return false;
    char *at = text + 5;
    char *slash = strchr(at, '/');
    if (!slash) return false;
    *path = slash + 1;
    *slash = '\0';
    char *colon = strrchr(at, ':');
    if (!colon || colon == at) return false;
    *colon = '\0';
    *host = at;
    char *end;
    long number = strtol(colon + 1, &end, 10);
    *port = (int)number;
    return end != colon + 1 && *end == '\0' && number > 0 && number <= 65535;
}

bool stream_client_open(struct stream_client *self, const char *url)
{
    char text[URL_BYTES];
    const char *host, *path;
    int port;
    if (self->wsi || strlen(url) >= sizeof text) return false;
    strcpy(text, url);
    if (!split_url(text, &host, &port, &path)) return false;
    snprintf(self->path, sizeof self->path, "/%s", path);
    struct lws_client_connect_info info = {
        .context = stream_dialer_context(self->dialer),
        .address = host,
        .port = port,
        .path = self->path,
        .host = host,
        .local_protocol_name = STREAM_DIALER_PROTOCOL,
        .opaque_user_data = self,
        .pwsi = &self->wsi,
    };
    /* A connection that fails at once has told so by its callback already. */
    (void)lws_client_connect_via_info(&info);
    return true;
}
