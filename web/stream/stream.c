#include "web/stream/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "engine/bus/clock.h"
#include "web/stream/method.h"
#include "web/stream/origin.h"
#include "web/stream/push.h"

enum { TICK_MS = 1000, STOP_POLL_MS = 10, HEADER_MAX_BYTES = 512 };

static struct stream *stream_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

/* ---- who may connect ---- */

/* Descriptors are numbered from the lowest free one: high numbers mean that the process has few
 * left, and libwebsockets spins when it has none. */
static bool accepts(const struct stream *self, intptr_t fd)
{
    return !self->stopping && (uint32_t)fd < self->client_max;
}

/* Answers with a plain status instead of the upgrade. */
static int refuse_upgrade(struct lws *wsi, unsigned http_status)
{
    (void)lws_return_http_status(wsi, http_status, NULL);
    return 1;
}

static int confirm_upgrade(struct lws *wsi, const char *protocol)
{
    char path[HEADER_MAX_BYTES] = "", origin[HEADER_MAX_BYTES], host[HEADER_MAX_BYTES] = "";
    if (!protocol || strcmp(protocol, "websocket") != 0)
        return refuse_upgrade(wsi, HTTP_STATUS_NOT_FOUND);
    if (lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) < 0 || strcmp(path, "/v1/ws") != 0)
        return refuse_upgrade(wsi, HTTP_STATUS_NOT_FOUND);
    if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) == 0) return 0;
    if (lws_hdr_copy(wsi, origin, sizeof origin, WSI_TOKEN_ORIGIN) < 0 ||
        lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST) < 0 || !origin_allowed(origin, host))
        return refuse_upgrade(wsi, HTTP_STATUS_FORBIDDEN);
    return 0;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t length)
{
    struct client *client = user;
    switch (reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION: return !accepts(stream_of(wsi), (intptr_t)in);
    case LWS_CALLBACK_HTTP: return refuse_upgrade(wsi, HTTP_STATUS_NOT_FOUND);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: return confirm_upgrade(wsi, in);
    case LWS_CALLBACK_ESTABLISHED:
        client_open(client, stream_of(wsi), wsi);
        counter_add(client->stream->counters.clients, 1);
        return 0;
    case LWS_CALLBACK_RECEIVE: client_receive(client, in, length); return 0;
    case LWS_CALLBACK_RECEIVE_PONG: client->heard_ms = clock_steady_ns() / 1000000; return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE: return client_writable(client) ? 0 : -1;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return client->close_code ? -1 : 0; /* the answer to ours: it is over */
    case LWS_CALLBACK_CLOSED:
        if (!client || !client->stream) return 0; /* it never became a WebSocket */
        counter_add(client->stream->counters.clients, UINT64_MAX);
        client_closed(client);
        return 0;
    default: return 0;
    }
}

static const struct lws_protocols protocols[] = {
    {.name = "hoga",
     .callback = callback,
     .per_session_data_size = sizeof(struct client),
     .rx_buffer_size = STREAM_MESSAGE_MAX_BYTES,
     .tx_packet_size = CLIENT_WRITE_BYTES},
    {.name = NULL},
};

/* ---- the loop ---- */

static void on_tick(uv_timer_t *timer);

/* Ticks follow the second as closely as a candle may be called closed, and do not drift. */
static void arm_tick(struct stream *self)
{
    int64_t into_ms = (clock_wall_ns() - PUSH_STAMP_TO_WRITE_NS) / 1000000 % TICK_MS;
    uv_timer_start(&self->tick, on_tick, (uint64_t)(TICK_MS - into_ms + 1), 0);
}

static void on_tick(uv_timer_t *timer)
{
    struct stream *self = timer->data;
    arm_tick(self);
    int64_t now_ms = clock_steady_ns() / 1000000;
    if (!self->front->starting && self->front->replica.engine) push_tick(self);
    for (struct client *client = self->clients; client; client = client->next)
        client_tick(client, now_ms);
}

/* Runs before the loop waits: all that gathered in this turn goes out. */
static void on_turn_end(uv_prepare_t *prepare)
{
    struct stream *self = prepare->data;
    disconnect_send(self);
    while (self->unflushed) {
        struct client *client = self->unflushed;
        self->unflushed = client->unflushed_next;
        client->unflushed = false;
        client_flush(client);
    }
}

void stream_execution(struct stream *self, const struct blotter_execution *execution)
{
    push_execution(self, execution);
}

void stream_trade_busted(struct stream *self, const struct event_trade_busted *event)
{
    push_trade_busted(self, event);
}

void stream_market_event(struct stream *self, const void *message, size_t length)
{
    push_market_event(self, message, length);
}

void stream_stepped(struct stream *self, int64_t time_ns)
{
    push_market_stepped(self, time_ns);
}

void stream_batch_end(struct stream *self)
{
    push_batch(self);
}

uint16_t stream_port(const struct stream *self)
{
    return (uint16_t)lws_get_vhost_listen_port(self->vhost);
}

/* ---- start ---- */

static void open_counters(struct stream *self)
{
    struct station *station = self->front->station;
    self->counters = (struct stream_counters){
        .clients = control_counter(station, "ws_clients"),
        .requests = control_counter(station, "ws_requests"),
        .slow_closed = control_counter(station, "ws_slow_closed"),
        .silent_closed = control_counter(station, "ws_silent_closed"),
        .conflated = control_counter(station, "ws_conflated"),
        .rate_limited = control_counter(station, "ws_rate_limited"),
        .no_memory = control_counter(station, "ws_no_memory"),
        .disconnects = control_counter(station, "ws_cancel_on_disconnect"),
    };
    /* A gauge: those of an earlier process are gone. */
    if (self->counters.clients)
        atomic_store_explicit(self->counters.clients, 0, memory_order_relaxed);
}

static bool allocate(struct stream *self)
{
    self->touched.instruments = calloc(STREAM_INSTRUMENT_MAX, sizeof self->touched.instruments[0]);
    self->touched.is_touched = calloc(STREAM_INSTRUMENT_MAX, sizeof self->touched.is_touched[0]);
    self->touched.traded_ns = calloc(STREAM_INSTRUMENT_MAX, sizeof self->touched.traded_ns[0]);
    return topics_open(&self->topics, STREAM_INSTRUMENT_MAX) && self->touched.instruments &&
           self->touched.is_touched && self->touched.traded_ns;
}

static void release(struct stream *self)
{
    topics_close(&self->topics);
    free(self->touched.instruments);
    free(self->touched.is_touched);
    free(self->market_events.events);
    disconnect_free_all(self->disconnects);
    free(self->touched.traded_ns);
    json_buffer_free(&self->scratch);
    free(self);
}

/* As many descriptors as the system gives, up to STREAM_FD_MAX; a quarter of them is left to the
 * rest of the process. */
static void claim_descriptors(struct stream *self)
{
    struct rlimit limit = {1024, 1024};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        rlim_t wanted = limit.rlim_max < STREAM_FD_MAX ? limit.rlim_max : STREAM_FD_MAX;
        if (limit.rlim_cur < wanted) {
            limit.rlim_cur = wanted;
            if (setrlimit(RLIMIT_NOFILE, &limit) != 0) (void)getrlimit(RLIMIT_NOFILE, &limit);
        }
    }
    rlim_t usable = limit.rlim_cur < STREAM_FD_MAX ? limit.rlim_cur : STREAM_FD_MAX;
    self->client_max = (uint32_t)(usable - usable / 4);
}

static bool listen_on(struct stream *self)
{
    const struct front_options *options = self->front->options;
    void *loops[] = {self->front->loop};
    bool ipv6 = strchr(options->address, ':') != NULL;
    struct lws_context_creation_info info = {
        .port = options->ws_port,
        .iface = options->address,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   (ipv6 ? 0 : LWS_SERVER_OPTION_DISABLE_IPV6),
        .foreign_loops = loops,
        .pcontext = &self->context,
        .pt_serv_buf_size = CLIENT_WRITE_BYTES,
        .user = self,
        .gid = -1,
        .uid = -1,
    };
    lws_set_log_level(LLL_ERR, NULL);
    self->context = lws_create_context(&info);
    if (self->context) self->vhost = lws_create_vhost(self->context, &info);
    /* From here on its errors are about what clients send. */
    lws_set_log_level(0, NULL);
    return self->vhost && lws_get_vhost_listen_port(self->vhost) > 0;
}

static void open_handles(struct stream *self)
{
    uv_loop_t *loop = self->front->loop;
    uv_timer_init(loop, &self->tick);
    uv_timer_init(loop, &self->stop_timer);
    uv_prepare_init(loop, &self->turn_end);
    self->tick.data = self->stop_timer.data = self->turn_end.data = self;
    self->open_handles = 3;
    arm_tick(self);
    uv_prepare_start(&self->turn_end, on_turn_end);
}

struct stream *stream_start(struct front *front)
{
    struct stream *self = calloc(1, sizeof *self);
    if (!self) {
        fprintf(stderr, "hoga-front: no memory for the WebSocket server\n");
        return NULL;
    }
    self->front = front;
    if (!allocate(self)) {
        fprintf(stderr, "hoga-front: no memory for the WebSocket server\n");
        release(self);
        return NULL;
    }
    open_counters(self);
    claim_descriptors(self);
    if (!listen_on(self)) {
        fprintf(stderr, "hoga-front: cannot listen for WebSockets on %s:%u\n",
                front->options->address, (unsigned)front->options->ws_port);
        if (self->context) lws_context_destroy(self->context);
        release(self);
        return NULL;
    }
    open_handles(self);
    return self;
}

/* ---- stop ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct stream *self = handle->data;
    self->open_handles--;
}

/* Begins the destruction of libwebsockets' context, whose handles leave the loop over some turns;
 * stream_free() ends it. */
static void on_stop_timer(uv_timer_t *timer)
{
    struct stream *self = timer->data;
    bool late = clock_steady_ns() / 1000000 >= self->stop_by_ms;
    if (self->clients && !late) return;
    lws_context_destroy(self->context);
    uv_close((uv_handle_t *)&self->tick, on_handle_closed);
    uv_close((uv_handle_t *)&self->turn_end, on_handle_closed);
    uv_close((uv_handle_t *)&self->stop_timer, on_handle_closed);
}

void stream_stop(struct stream *self)
{
    static const char farewell[] = "{\"channel\":\"status\",\"event\":\"server_shutdown\"}";
    if (self->stopping) return;
    self->stopping = true;
    self->stop_by_ms = clock_steady_ns() / 1000000 + STREAM_STOP_MS;
    for (struct client *client = self->clients; client; client = client->next) {
        (void)client_push(client, farewell, sizeof farewell - 1, NULL, 0);
        client_close(client, CLOSE_GOING_AWAY, "server_shutdown", false);
    }
    uv_timer_start(&self->stop_timer, on_stop_timer, 0, STOP_POLL_MS);
}

/* The second call of lws_context_destroy() unloads the library's libuv part, so none of its
 * callbacks may be left in the loop. */
void stream_free(struct stream *self)
{
    if (!self || self->open_handles > 0 || uv_loop_alive(self->front->loop)) return;
    if (self->context) lws_context_destroy(self->context);
    if (!self->context) release(self);
}
