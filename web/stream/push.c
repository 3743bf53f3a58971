#include "web/stream/push.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/bus/clock.h"
#include "web/json/market_objects.h"
#include "web/stream/push_market.h"
#include "web/stream/stream.h"

enum {
    HEAD_BYTES = 192,
    TRADES_SNAPSHOT = 50,
};

int64_t push_market_ns(const struct stream *stream)
{
    const struct front *front = stream->front;
    int64_t now_ns = clock_wall_ns() - PUSH_STAMP_TO_WRITE_NS;
    /* Pairs with the core's release: a command written before `now` is known here, or counted. */
    seq_t written = atomic_load_explicit(&front->control->in.written_seq, memory_order_acquire);
    bool all_stepped = front->replica.in_seq >= written;
    return all_stepped && now_ns > front->replica.time_ns ? now_ns : front->replica.time_ns;
}

/* ---- one message to one reader ---- */

/* Sends `body` under the next seq; false when there is no room for it. */
static bool send_next(struct subscription *s, const struct json_buffer *body)
{
    const struct topic *topic = s->topic;
    char head[HEAD_BYTES];
    int bytes =
        topic->symbol[0]
            ? snprintf(head, sizeof head, "{\"channel\":\"%s\",\"symbol\":%s,\"seq\":%" PRIu64 ",",
                       channel_text(topic->key.channel), topic->symbol, s->seq + 1)
            : snprintf(head, sizeof head, "{\"channel\":\"%s\",\"seq\":%" PRIu64 ",",
                       channel_text(topic->key.channel), s->seq + 1);
    if (body->failed || !client_push(s->client, head, (size_t)bytes, body->text, body->length))
        return false;
    s->seq++;
    return true;
}

/* The reader is cut off until it has read what it has, and then gets a snapshot. */
static void conflate(struct subscription *s)
{
    if (s->behind) return;
    s->behind = true;
    counter_add(s->client->stream->counters.conflated, 1);
    client_wake(s->client);
}

void push_conflate_topic(struct topic *topic)
{
    for (struct subscription *s = topic->subscriptions; s; s = s->topic_next) conflate(s);
}

void push_conflatable(struct topic *topic, const struct json_buffer *body)
{
    for (struct subscription *s = topic->subscriptions; s; s = s->topic_next) {
        if (s->behind) continue;
        if (!client_has_room(s->client) || !send_next(s, body)) conflate(s);
    }
}

/* An update of what must not have gaps. */
static void send_or_close(struct topic *topic, const struct json_buffer *body, const char *what)
{
    for (struct subscription *s = topic->subscriptions; s; s = s->topic_next)
        if (!s->behind && !send_next(s, body)) client_too_slow(s->client, what);
}

/* ---- books, trades, candles ---- */

static void update_book(struct stream *stream, struct topic *topic,
                        const struct touched_level *touched, unsigned count, bool overflow)
{
    if (!overflow && !book_feed_sees(topic->book, touched, count)) return;
    json_buffer_clear(&stream->scratch);
    if (book_feed_update(topic->book, stream->front->replica.engine, &stream->scratch))
        push_conflatable(topic, &stream->scratch);
}

static void update_candles(struct stream *stream, struct topic *topic, int64_t now_ns,
                           int64_t traded_ns)
{
    json_buffer_clear(&stream->scratch);
    switch (candle_feed_update(&topic->candles, stream->front->market, now_ns, traded_ns,
                               &stream->scratch)) {
    case CANDLES_SAME: break;
    case CANDLES_UPDATE: push_conflatable(topic, &stream->scratch); break;
    case CANDLES_MANY: push_conflate_topic(topic); break;
    }
}

static void append_trade(struct topic *topic, const struct trade *trade)
{
    if (topic->trades.length) json_text(&topic->trades, ",");
    json_trade(&topic->trades, trade, true);
}

static void update_trades(struct stream *stream, struct topic *topic)
{
    struct json_buffer *body = &stream->scratch;
    if (!topic->trades.length) return;
    json_buffer_clear(body);
    json_text(body, "\"type\":\"update\",\"trades\":[");
    json_bytes(body, topic->trades.text, topic->trades.length);
    json_text(body, "]}");
    body->failed |= topic->trades.failed;
    json_buffer_clear(&topic->trades);
    send_or_close(topic, body, "trades: read too slowly");
}

void push_touch(struct stream *stream, instrument_id_t instrument)
{
    struct stream_touched *touched = &stream->touched;
    if (instrument >= stream->topics.instruments || touched->is_touched[instrument]) return;
    touched->is_touched[instrument] = 1;
    touched->traded_ns[instrument] = INT64_MAX;
    touched->instruments[touched->count++] = instrument;
}

static void touch_candles(struct stream *stream, instrument_id_t instrument, int64_t traded_ns)
{
    int64_t *first_ns = &stream->touched.traded_ns[instrument];
    if (traded_ns < *first_ns) *first_ns = traded_ns;
}

/* The account's readers, each of whom must be where this execution comes next. */
static void push_to_account(struct stream *stream, const struct blotter_execution *execution)
{
    struct topic *topic = topics_of_account(&stream->topics, execution->event.account);
    if (!topic) return;
    json_buffer_clear(&stream->scratch);
    json_text(&stream->scratch, "\"execution\":");
    json_execution(&stream->scratch, stream->front->replica.engine, stream->front->blotter,
                   execution);
    json_text(&stream->scratch, "}");
    for (struct subscription *s = topic->subscriptions; s; s = s->topic_next)
        CHECK(s->behind || s->client->close_code || s->seq + 1 == execution->account_seq);
    send_or_close(topic, &stream->scratch, "orders: read too slowly");
}

/* One of a trade's two executions makes the print: the taker's, in an auction the seller's, which
 * comes second. */
static bool is_print(const struct event_execution *event)
{
    if (event->exec_type != EXEC_TRADE) return false;
    return event->last_liquidity == LIQUIDITY_REMOVED ||
           (event->last_liquidity == LIQUIDITY_AUCTION && event->side == SIDE_SELL);
}

static void update_auction(struct stream *stream, struct topic *topic)
{
    json_buffer_clear(&stream->scratch);
    if (auction_feed_update(&topic->auction, stream->front->replica.engine, &stream->scratch))
        push_conflatable(topic, &stream->scratch);
}

void push_execution(struct stream *stream, const struct blotter_execution *execution)
{
    const struct event_execution *event = &execution->event;
    push_to_account(stream, execution);
    if (event->exec_type == EXEC_REJECTED || event->exec_type == BLOTTER_EXEC_BUSTED ||
        event->instrument >= stream->topics.instruments)
        return;
    push_touch(stream, event->instrument);
    if (!is_print(event)) return;
    touch_candles(stream, event->instrument, execution->time_ns);
    struct trade trade = {.trade_id = event->trade_id,
                          .time_ns = execution->time_ns,
                          .px = event->last_px,
                          .qty = event->last_qty,
                          .taker_side =
                              event->last_liquidity == LIQUIDITY_REMOVED ? event->side : 0};
    for (struct topic *topic = topics_of_instrument(&stream->topics, event->instrument); topic;
         topic = topic->next)
        if (topic->key.channel == CHANNEL_TRADES) append_trade(topic, &trade);
}

void push_trade_busted(struct stream *stream, const struct event_trade_busted *event)
{
    struct json_buffer *body = &stream->scratch;
    for (struct topic *topic = topics_of_instrument(&stream->topics, event->instrument); topic;
         topic = topic->next) {
        if (topic->key.channel != CHANNEL_TRADES) continue;
        update_trades(stream, topic); /* it may be one of this batch's */
        json_buffer_clear(body);
        json_text(body, "\"type\":\"bust\",\"trade_id\":");
        json_id(body, event->trade_id);
        json_text(body, "}");
        send_or_close(topic, body, "trades: read too slowly");
    }
}

void push_batch(struct stream *stream)
{
    struct stream_touched *all = &stream->touched;
    int64_t now_ns = stream->front->replica.time_ns;
    for (uint32_t i = 0; i < all->count; i++) {
        instrument_id_t instrument = all->instruments[i];
        int64_t traded_ns = all->traded_ns[instrument];
        unsigned count;
        bool overflow;
        const struct touched_level *levels =
            market_touched(stream->front->market, instrument, &count, &overflow);
        for (struct topic *topic = topics_of_instrument(&stream->topics, instrument); topic;
             topic = topic->next) {
            if (topic->key.channel == CHANNEL_BOOK)
                update_book(stream, topic, levels, count, overflow);
            else if (topic->key.channel == CHANNEL_TRADES)
                update_trades(stream, topic);
            else if (topic->key.channel == CHANNEL_AUCTION)
                update_auction(stream, topic);
            else if (topic->key.channel == CHANNEL_CANDLES && traded_ns != INT64_MAX)
                update_candles(stream, topic, now_ns, traded_ns);
        }
        market_clear_touched(stream->front->market, instrument);
        all->is_touched[instrument] = 0;
    }
    all->count = 0;
}

/* ---- those who are behind ---- */

static void trades_snapshot(const struct stream *stream, const struct topic *topic,
                            struct json_buffer *body)
{
    struct trade trades[TRADES_SNAPSHOT];
    unsigned count =
        market_trades(stream->front->market, topic->key.of, 0, trades, TRADES_SNAPSHOT);
    json_text(body, "\"type\":\"snapshot\",\"trades\":[");
    for (unsigned i = 0; i < count; i++) {
        if (i) json_text(body, ",");
        json_trade(body, &trades[i], true);
    }
    json_text(body, "]}");
}

static bool send_snapshot(struct stream *stream, struct subscription *s)
{
    struct topic *topic = s->topic;
    struct json_buffer *body = &stream->scratch;
    /* The other readers get to where this one begins. */
    if (topic->key.channel == CHANNEL_CANDLES)
        update_candles(stream, topic, push_market_ns(stream), INT64_MAX);
    json_buffer_clear(body);
    if (topic->key.channel == CHANNEL_BOOK)
        book_feed_snapshot(topic->book, body);
    else if (topic->key.channel == CHANNEL_CANDLES)
        candle_feed_snapshot(&topic->candles, stream->front->market, body);
    else if (topic->key.channel == CHANNEL_STATUS)
        push_status_snapshot(stream, topic, body);
    else if (topic->key.channel == CHANNEL_AUCTION)
        auction_feed_snapshot(&topic->auction, body);
    else
        trades_snapshot(stream, topic, body);
    if (!send_next(s, body)) return false;
    s->behind = false;
    return true;
}

/* Older executions, from the first one wanted on, as far as there is room. */
static bool resume(struct stream *stream, struct subscription *s)
{
    const struct blotter *blotter = stream->front->blotter;
    account_id_t account = s->topic->key.of;
    uint64_t last = blotter_account_seq(blotter, account);
    bool sent = false;
    while (s->seq < last && client_has_room(s->client)) {
        const struct blotter_execution *x = blotter_account_execution(blotter, account, s->seq + 1);
        if (!x) {
            client_too_slow(s->client, "orders: what was to be resumed is no longer kept");
            return sent;
        }
        json_buffer_clear(&stream->scratch);
        json_text(&stream->scratch, "\"execution\":");
        json_execution(&stream->scratch, stream->front->replica.engine, blotter, x);
        json_text(&stream->scratch, "}");
        if (!send_next(s, &stream->scratch)) return sent;
        sent = true;
    }
    s->behind = s->seq < last;
    return sent;
}

bool push_behind(struct client *client)
{
    bool sent = false;
    for (struct subscription *s = client->subscriptions; s; s = s->client_next) {
        if (!s->behind) continue;
        if (!client_has_room(client)) break;
        sent |= s->topic->key.channel == CHANNEL_ORDERS ? resume(client->stream, s)
                                                        : send_snapshot(client->stream, s);
    }
    return sent;
}

/* ---- each second ---- */

static void append_last_seqs(const struct client *client, struct json_buffer *body)
{
    const char *comma = "";
    for (const struct subscription *s = client->subscriptions; s; s = s->client_next) {
        const struct topic *topic = s->topic;
        if (topic->key.channel == CHANNEL_HEARTBEAT) continue;
        json_text(body, comma);
        comma = ",";
        json_text(body, "\"");
        json_text(body, channel_text(topic->key.channel));
        if (topic->symbol[0]) {
            json_text(body, ":");
            json_text(body, topic->symbol + 1); /* its closing quote is the key's */
        } else {
            json_text(body, "\"");
        }
        json_text(body, ":");
        json_uint(body, s->seq);
    }
}

static void heartbeat(struct stream *stream, struct subscription *s)
{
    struct json_buffer *body = &stream->scratch;
    if (!client_has_room(s->client)) return;
    json_buffer_clear(body);
    json_text(body, "\"time_ms\":");
    json_int(body, clock_wall_ns() / 1000000);
    json_text(body, ",\"last_seq\":{");
    append_last_seqs(s->client, body);
    json_text(body, "}}");
    (void)send_next(s, body); /* one that finds no room is left out */
}

void push_tick(struct stream *stream)
{
    int64_t now_ns = push_market_ns(stream);
    for (struct topic *topic = stream->topics.all; topic; topic = topic->all_next) {
        if (topic->key.channel == CHANNEL_CANDLES) update_candles(stream, topic, now_ns, INT64_MAX);
        if (topic->key.channel != CHANNEL_HEARTBEAT) continue;
        for (struct subscription *s = topic->subscriptions; s; s = s->topic_next)
            heartbeat(stream, s);
    }
}
