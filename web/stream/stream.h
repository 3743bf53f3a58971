/* stream.h - the WebSocket server: its clients, its topics, its place in the front's loop.
 *
 *   libwebsockets callbacks --> client --> method --> gateway, topics
 *   replica's hooks ----------> push ----> topics --> clients' queues
 *   end of the loop's turn ---> clients written to
 *
 * Owned by the front's one thread. The functions that the front calls are in web/front.h.
 */
#ifndef HOGA_WEB_STREAM_STREAM_H
#define HOGA_WEB_STREAM_STREAM_H

#include "web/front.h"
#include "web/stream/client.h"
#include "web/stream/disconnect.h"
#include "web/stream/push_market.h"
#include "web/stream/topic.h"

enum {
    STREAM_INSTRUMENT_MAX = 65536, /* as limits.instruments may be at most */
    STREAM_FD_MAX = 16384,
    STREAM_STOP_MS = 2000, /* clients get this long to read the farewell */
};

struct stream_counters {
    _Atomic uint64_t *clients; /* connected now */
    _Atomic uint64_t *requests;
    _Atomic uint64_t *slow_closed;
    _Atomic uint64_t *silent_closed;
    _Atomic uint64_t *conflated; /* subscriptions that were cut off until a new snapshot */
    _Atomic uint64_t *rate_limited;
    _Atomic uint64_t *no_memory;
    _Atomic uint64_t *disconnects; /* mass cancels for connections that were lost */
};

/* Instruments that events touched in the batch in work, each once. */
struct stream_touched {
    instrument_id_t *instruments;
    uint8_t *is_touched;
    int64_t *traded_ns; /* of the first trade in the batch; valid while touched */
    uint32_t count;
};

struct stream {
    struct front *front;
    struct lws_context *context; /* set to NULL by libwebsockets at the end of its destruction */
    struct lws_vhost *vhost;
    uv_timer_t tick;
    uv_prepare_t turn_end;
    uv_timer_t stop_timer;
    unsigned open_handles;
    bool stopping;
    int64_t stop_by_ms;
    struct client *clients;
    uint32_t client_count;
    uint32_t client_max;
    struct client *unflushed;
    struct topics topics;
    struct stream_touched touched;
    struct market_events market_events;
    struct disconnect *disconnects; /* lost connections that the core is to be told of */
    struct stream_counters counters;
    struct json_buffer scratch; /* for one message; used by one function at a time */
};

#endif
