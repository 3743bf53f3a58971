/* push.h - what clients are told unasked: snapshots, updates, executions, heartbeats. */
#ifndef HOGA_WEB_STREAM_PUSH_H
#define HOGA_WEB_STREAM_PUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "web/stream/client.h"
#include "web/stream/topic.h"

/* The core stamps a command, then writes it: the longest we reckon with between the two. */
enum { PUSH_STAMP_TO_WRITE_NS = 100 * 1000 * 1000 };

/* Queues what this client's subscriptions that are behind are to get first, as far as there is
 * room. False when there was nothing. */
bool push_behind(struct client *client);

/* An execution: to readers of its account's orders, and into the trades of the batch. */
void push_execution(struct stream *stream, const struct blotter_execution *execution);

/* A trade was taken back: to the readers of its instrument's trades. */
void push_trade_busted(struct stream *stream, const struct event_trade_busted *event);

/* The instrument's book or auction may have changed. */
void push_touch(struct stream *stream, instrument_id_t instrument);

/* An update of what may be conflated, to all of the topic's readers who are not behind. */
void push_conflatable(struct topic *topic, const struct json_buffer *body);

/* All of the topic's readers are to get a snapshot before anything else. */
void push_conflate_topic(struct topic *topic);

/* The end of a batch: trades, books, auctions and candles of all that was touched. */
void push_batch(struct stream *stream);

/* Closes candles whose time is over; sends heartbeats. */
void push_tick(struct stream *stream);

/* What time it is on the market: nothing earlier will come any more, except after a stall. */
int64_t push_market_ns(const struct stream *stream);

#endif
