/* front.h - hoga-front: one thread, one libuv loop, everything a client's request touches.
 *
 *                 +------------------ uv loop -------------------+
 *   clients ----> | libmicrohttpd's epoll fd      rest/          |
 *   clients ----> | libwebsockets on the loop     stream/        | --ring--> core
 *   core's bell > | bell fd: replica_poll -> blotter, market,    |
 *                 |          gateway (answers), stream (pushes)  |
 *                 +----------------------------------------------+
 *
 * No locks: every part below is owned by this thread.
 */
#ifndef HOGA_WEB_FRONT_H
#define HOGA_WEB_FRONT_H

#include <stdint.h>
#include <uv.h>

#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "server/marketdata/market.h"
#include "web/admission/admission.h"
#include "web/admission/gateway.h"
#include "web/replica/blotter.h"
#include "web/replica/replica.h"
#include "web/replica/settings.h"

struct front_options {
    const char *data_dir;
    const char *static_dir; /* the pages */
    const char *address;    /* to listen on, 127.0.0.1 by default */
    uint16_t rest_port;
    uint16_t ws_port;
    uint32_t rate_per_s; /* each key's limit */
    bool demo;           /* the page may trade for a demonstration broker; loopback only */
};

/* What rest/ and stream/ share. */
struct front {
    const struct front_options *options;
    uv_loop_t *loop;
    struct instance instance;
    struct control *control;
    struct station *station;
    struct ring ring;
    struct replica replica;
    struct blotter *blotter;
    struct settings *settings;
    struct market *market;
    struct admission *admission;
    struct gateway *gateway;
    uint16_t rest_port, ws_port; /* as got, once rest and stream have started */
    bool starting;               /* the replica has not caught up yet: answer REJECT_STARTING */
};

/* rest/rest.c */
struct rest;
struct rest *rest_start(struct front *front); /* NULL after a message on stderr */
uint16_t rest_port(const struct rest *self);
/* Sends what the last batch of steps has answered. */
void rest_batch_end(struct rest *self);
/* Answers those who still wait that their answer is unknown, and closes. */
void rest_stop(struct rest *self);

/* stream/stream.h */
struct stream;
struct stream *stream_start(struct front *front); /* NULL after a message on stderr */
uint16_t stream_port(const struct stream *self);
/* Replica's hooks: an execution just recorded in the blotter and the market; and the end of a batch
 * of steps, when books and candles that changed are sent. */
void stream_execution(struct stream *self, const struct blotter_execution *execution);
/* A trade was taken back; its accounts are told by executions. */
void stream_trade_busted(struct stream *self, const struct event_trade_busted *event);
/* Any other event; and the end of the command that made it. */
void stream_market_event(struct stream *self, const void *message, size_t length);
void stream_stepped(struct stream *self, int64_t time_ns);
void stream_batch_end(struct stream *self);
/* Tells every client `server_shutdown` and closes; the loop must run until it has. */
void stream_stop(struct stream *self);
/* After the loop has ended; does nothing when it was stopped before all was closed. */
void stream_free(struct stream *self);

#endif
