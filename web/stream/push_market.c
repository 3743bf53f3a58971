#include "web/stream/push_market.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "web/json/market_objects.h"
#include "web/stream/push.h"
#include "web/stream/stream.h"

enum { EVENTS_FIRST = 64 };

_Static_assert(sizeof(struct event_auction) <= MARKET_EVENT_MAX_BYTES, "the longest of them");
_Static_assert(sizeof(struct event_limit_state) <= MARKET_EVENT_MAX_BYTES, "");
_Static_assert(sizeof(struct event_kill_switched) <= MARKET_EVENT_MAX_BYTES, "");

/* ---- in the middle of a command ---- */

static void keep(struct market_events *self, const void *message, size_t length)
{
    if (self->count == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : EVENTS_FIRST;
        struct market_event *events = realloc(self->events, capacity * sizeof *events);
        if (!events) {
            self->lost = true;
            return;
        }
        self->events = events;
        self->capacity = capacity;
    }
    struct market_event *event = &self->events[self->count++];
    memset(event, 0, sizeof *event);
    memcpy(event->message, message, length < sizeof *event ? length : sizeof *event);
}

void push_market_event(struct stream *stream, const void *message, size_t length)
{
    const struct sbe_header *header = message;
    switch (header->template_id) {
    case EVENT_SESSION_CHANGED: {
        const struct event_session_changed *changed = message;
        push_touch(stream, changed->instrument);
        keep(&stream->market_events, message, length);
        break;
    }
    case EVENT_AUCTION: {
        const struct event_auction *auction = message;
        push_touch(stream, auction->instrument);
        if (auction->final) keep(&stream->market_events, message, length);
        break;
    }
    case EVENT_LIMIT_STATE:
    case EVENT_BREAKER_TRIPPED: keep(&stream->market_events, message, length); break;
    case EVENT_KILL_SWITCHED: {
        const struct event_kill_switched *switched = message;
        if (switched->account == 0) keep(&stream->market_events, message, length);
        break;
    }
    default: break;
    }
}

/* ---- at its end ---- */

static void append_state(const struct stream *stream, const struct instrument_view *view,
                         int64_t time_ns, struct json_buffer *body)
{
    json_session_state(body, view);
    json_text(body, ",\"market_blocked\":");
    json_bool(body, engine_market_blocked(stream->front->replica.engine));
    json_text(body, ",\"time\":");
    json_time(body, time_ns);
    json_text(body, ",\"time_ns\":");
    json_int(body, time_ns);
    json_text(body, "}");
}

void push_status_snapshot(const struct stream *stream, const struct topic *topic,
                          struct json_buffer *body)
{
    struct instrument_view view;
    CHECK(engine_instrument(stream->front->replica.engine, topic->key.of, &view));
    json_text(body, "\"type\":\"snapshot\",");
    append_state(stream, &view, stream->front->replica.time_ns, body);
}

/* What happened; and into `view`, since it may not have been the last to happen in this command. */
static void append_event(const void *message, struct instrument_view *view,
                         struct json_buffer *body)
{
    const struct sbe_header *header = message;
    json_text(body, "\"type\":\"update\",\"event\":\"");
    if (header->template_id == EVENT_SESSION_CHANGED) {
        const struct event_session_changed *changed = message;
        json_text(body, "session_changed\",\"before\":");
        json_word(body, json_session(changed->before));
        json_text(body, ",\"cause\":");
        json_word(body, json_session_cause(changed->cause));
        view->session = changed->session;
    } else if (header->template_id == EVENT_LIMIT_STATE) {
        const struct event_limit_state *state = message;
        json_text(body, "limit_state\",\"side\":");
        json_word(body, json_side_or_null(state->side));
        json_text(body, ",\"price\":");
        json_px_or_null(body, state->px);
        view->limit_state = state->on;
    } else if (header->template_id == EVENT_BREAKER_TRIPPED) {
        const struct event_breaker_tripped *tripped = message;
        json_text(body, "breaker_tripped\",\"level\":");
        json_uint(body, tripped->level);
        json_text(body, ",\"decline_ppm\":");
        json_uint(body, tripped->decline_ppm);
    } else {
        const struct event_kill_switched *switched = message;
        json_text(body, "kill_switch\",\"engaged\":");
        json_bool(body, switched->engaged);
    }
    json_text(body, ",");
}

static void tell_status(struct stream *stream, struct topic *topic, const void *message,
                        int64_t time_ns)
{
    struct json_buffer *body = &stream->scratch;
    struct instrument_view view;
    if (topic->key.channel != CHANNEL_STATUS) return;
    CHECK(engine_instrument(stream->front->replica.engine, topic->key.of, &view));
    json_buffer_clear(body);
    append_event(message, &view, body);
    append_state(stream, &view, time_ns, body);
    push_conflatable(topic, body);
}

static void tell_auction(struct stream *stream, const struct event_auction *event)
{
    struct json_buffer *body = &stream->scratch;
    for (struct topic *topic = topics_of_instrument(&stream->topics, event->instrument); topic;
         topic = topic->next) {
        if (topic->key.channel != CHANNEL_AUCTION) continue;
        json_buffer_clear(body);
        auction_feed_final(&topic->auction, stream->front->replica.engine, event, body);
        push_conflatable(topic, body);
    }
}

/* To the readers of one instrument, or of all. */
static void tell(struct stream *stream, const void *message, int64_t time_ns)
{
    const struct sbe_header *header = message;
    const struct event_session_changed *changed = message;
    const struct event_limit_state *state = message;
    struct topic *topic;
    switch (header->template_id) {
    case EVENT_AUCTION: tell_auction(stream, message); return;
    case EVENT_SESSION_CHANGED:
        topic = topics_of_instrument(&stream->topics, changed->instrument);
        break;
    case EVENT_LIMIT_STATE: topic = topics_of_instrument(&stream->topics, state->instrument); break;
    default:
        for (topic = stream->topics.all; topic; topic = topic->all_next)
            tell_status(stream, topic, message, time_ns);
        return;
    }
    for (; topic; topic = topic->next) tell_status(stream, topic, message, time_ns);
}

static void conflate_all(struct stream *stream)
{
    for (struct topic *topic = stream->topics.all; topic; topic = topic->all_next)
        if (topic->key.channel == CHANNEL_STATUS || topic->key.channel == CHANNEL_AUCTION)
            push_conflate_topic(topic);
}

void push_market_stepped(struct stream *stream, int64_t time_ns)
{
    struct market_events *events = &stream->market_events;
    for (uint32_t i = 0; i < events->count; i++) tell(stream, events->events[i].message, time_ns);
    events->count = 0;
    if (!events->lost) return;
    events->lost = false;
    counter_add(stream->counters.no_memory, 1);
    conflate_all(stream);
}
