/* push_market.h - what readers of `status` and `auction` are told: sessions, limit states, circuit
 * breakers, the market's kill switch, auctions.
 *
 * Events come in the middle of a command, when the engine must not be asked anything; they wait for
 * its end, so that what is told of an instrument is what the command has made of it.
 */
#ifndef HOGA_WEB_STREAM_PUSH_MARKET_H
#define HOGA_WEB_STREAM_PUSH_MARKET_H

#include "web/stream/topic.h"

struct stream;

enum { MARKET_EVENT_MAX_BYTES = 40 };

struct market_event {
    _Alignas(8) uint8_t message[MARKET_EVENT_MAX_BYTES];
};

/* Those of the command in work. */
struct market_events {
    struct market_event *events;
    uint32_t count, capacity;
    bool lost; /* no memory for one: readers get a snapshot */
};

/* An event of the command in work; any other than the above is ignored. */
void push_market_event(struct stream *stream, const void *message, size_t length);

/* The command is done: tells the readers. */
void push_market_stepped(struct stream *stream, int64_t time_ns);

/* Appends `"type":"snapshot",...}` for a reader of `status`. */
void push_status_snapshot(const struct stream *stream, const struct topic *topic,
                          struct json_buffer *body);

#endif
