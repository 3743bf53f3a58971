#include "web/stream/method.h"

#include <string.h>

#include "engine/bus/clock.h"
#include "web/stream/answer.h"
#include "web/stream/order_call.h"
#include "web/stream/push.h"
#include "web/stream/stream.h"

static int64_t wall_ms(void)
{
    return clock_wall_ns() / 1000000;
}

static bool refuse(struct complaint *complaint, enum reject reason, const char *field)
{
    complaint->reason = reason;
    strcpy(complaint->field, field);
    return false;
}

/* Whether the client's key may do this. */
static bool permitted(const struct client *client, uint32_t scope, struct complaint *complaint)
{
    if (!client->authenticated) return refuse(complaint, REJECT_UNAUTHENTICATED, "");
    if (!(client->who.scopes & scope) || client->who.account == 0)
        return refuse(complaint, REJECT_FORBIDDEN, "");
    return true;
}

/* ---- auth ---- */

static void answer_signed_in(struct client *client, const char *id)
{
    static const struct {
        uint32_t scope;
        const char *text;
    } scopes[] = {{SCOPE_READ, "\"read\""},
                  {SCOPE_TRADE, "\"trade\""},
                  {SCOPE_ADMIN, "\"admin\""},
                  {SCOPE_REPORT, "\"report\""}};
    struct json_buffer *text = &client->stream->scratch;
    answer_result(text, id);
    json_text(text, "{\"account\":");
    json_uint(text, client->who.account);
    json_text(text, ",\"scopes\":[");
    const char *comma = "";
    for (unsigned i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        if (!(client->who.scopes & scopes[i].scope)) continue;
        json_text(text, comma);
        json_text(text, scopes[i].text);
        comma = ",";
    }
    json_text(text, "],\"rate_limit\":");
    json_uint(text, client->stream->front->options->rate_per_s);
    json_text(text, "}}");
    client_answer(client, text);
}

static void unsubscribe(struct client *client, enum channel channel, uint32_t of)
{
    struct subscription *s = client->subscriptions;
    while (s && (s->topic->key.channel != channel || s->topic->key.of != of)) s = s->client_next;
    if (s) topic_unsubscribe(&client->stream->topics, s);
}

static bool sign_in(struct client *client, const struct stream_request *request,
                    struct auth_request *auth, struct complaint *complaint)
{
    struct front *front = client->stream->front;
    if (!request_auth(request->params, auth, complaint)) return false;
    struct signed_request asked = {
        .key = auth->key,
        .timestamp = auth->timestamp,
        .sign = auth->sign,
        .recv_window = auth->recv_window[0] ? auth->recv_window : NULL,
        .method = "GET",
        .target = "/v1/ws",
        .body = "",
    };
    struct identity who;
    enum reject reason =
        admission_authenticate(front->admission, front->replica.engine, &asked, wall_ms(), &who);
    if (reason != REJECT_NONE)
        return refuse(complaint, reason, reason == REJECT_INVALID_FIELD ? "recv_window" : "");
    if (client->authenticated && client->who.account != who.account)
        unsubscribe(client, CHANNEL_ORDERS, client->who.account);
    client->who = who;
    client->authenticated = true;
    return true;
}

/* A clock error says how far off the client is. */
static void append_clock(struct json_buffer *text, const char *timestamp)
{
    int64_t now_ns = clock_wall_ns(), timestamp_ms;
    json_text(text, ",\"server_time\":");
    json_time(text, now_ns);
    if (!admission_parse_timestamp(timestamp, &timestamp_ms)) return;
    json_text(text, ",\"skew_ms\":");
    json_int(text, timestamp_ms - now_ns / 1000000);
}

static void auth(struct client *client, const struct stream_request *request)
{
    struct complaint complaint = {0};
    struct auth_request asked;
    if (sign_in(client, request, &asked, &complaint)) {
        answer_signed_in(client, request->id);
        return;
    }
    struct json_buffer *text = &client->stream->scratch;
    answer_error(text, request->id, &complaint);
    if (complaint.reason == REJECT_BAD_TIMESTAMP) append_clock(text, asked.timestamp);
    answer_error_end(text);
    client_answer(client, text);
}

/* ---- subscribe, unsubscribe ---- */

static void answer_channel(struct client *client, const char *id,
                           const struct channel_request *asked)
{
    struct json_buffer *text = &client->stream->scratch;
    answer_result(text, id);
    json_text(text, "{\"channel\":\"");
    json_text(text, channel_text(asked->channel));
    json_text(text, "\",\"symbols\":[");
    for (unsigned i = 0; i < asked->symbol_count; i++) {
        struct instrument_view view;
        engine_instrument(client->stream->front->replica.engine, asked->instruments[i], &view);
        if (i) json_text(text, ",");
        json_quoted(text, view.symbol, sizeof view.symbol);
    }
    json_text(text, "]");
    if (asked->channel == CHANNEL_ORDERS) { /* where what is resumed from the past will end */
        json_text(text, ",\"last_seq\":");
        json_uint(text, blotter_account_seq(client->stream->front->blotter, client->who.account));
    }
    json_text(text, "}}");
    client_answer(client, text);
}

static bool is_subscribed(const struct client *client, enum channel channel, uint32_t of)
{
    const struct subscription *s = client->subscriptions;
    while (s && (s->topic->key.channel != channel || s->topic->key.of != of)) s = s->client_next;
    return s != NULL;
}

/* What the n-th subscription of a request is to: an instrument, the own account, or nothing. */
static uint32_t subject(const struct client *client, const struct channel_request *asked,
                        unsigned n)
{
    if (asked->symbol_count) return asked->instruments[n];
    return asked->channel == CHANNEL_ORDERS ? client->who.account : 0;
}

static unsigned subject_count(const struct channel_request *asked)
{
    return asked->symbol_count ? asked->symbol_count : 1;
}

/* Whether the executions from resume_from on are still there. */
static bool can_resume(const struct client *client, uint64_t resume_from,
                       struct complaint *complaint)
{
    const struct blotter *blotter = client->stream->front->blotter;
    uint64_t last = blotter_account_seq(blotter, client->who.account);
    if (resume_from > last + 1) return refuse(complaint, REJECT_INVALID_FIELD, "resume_from");
    if (resume_from && resume_from <= last &&
        !blotter_account_execution(blotter, client->who.account, resume_from))
        return refuse(complaint, REJECT_RESUME_TOO_OLD, "resume_from");
    return true;
}

static bool may_subscribe(const struct client *client, const struct channel_request *asked,
                          struct complaint *complaint)
{
    if (asked->channel == CHANNEL_ORDERS && (!permitted(client, SCOPE_READ, complaint) ||
                                             !can_resume(client, asked->resume_from, complaint)))
        return false;
    unsigned more = 0;
    for (unsigned i = 0; i < subject_count(asked); i++)
        more += !is_subscribed(client, asked->channel, subject(client, asked, i));
    if (client->subscription_count + more > STREAM_SUBSCRIPTION_MAX)
        return refuse(complaint, REJECT_TOO_MANY_SUBSCRIPTIONS, "");
    return true;
}

/* One subscription; one that was there already is replaced. */
static bool subscribe_one(struct client *client, const struct channel_request *asked, uint32_t of)
{
    struct stream *stream = client->stream;
    struct topic_key key = {.channel = asked->channel, .of = of};
    if (asked->channel == CHANNEL_BOOK) key.option = asked->depth;
    if (asked->channel == CHANNEL_CANDLES) key.option = (uint32_t)asked->interval;
    unsubscribe(client, asked->channel, of);
    struct subscription *s =
        topic_subscribe(&stream->topics, stream->front, &key, client, push_market_ns(stream));
    if (!s) return false;
    if (asked->channel == CHANNEL_ORDERS) {
        uint64_t last = blotter_account_seq(stream->front->blotter, of);
        s->seq = asked->resume_from ? asked->resume_from - 1 : last;
        s->behind = s->seq < last;
    }
    if (asked->channel == CHANNEL_HEARTBEAT) s->behind = false;
    return true;
}

static bool subscribe(struct client *client, const struct stream_request *request,
                      struct complaint *complaint)
{
    struct channel_request asked;
    if (!request_channel(request->params, client->stream->front->replica.engine, false, &asked,
                         complaint) ||
        !may_subscribe(client, &asked, complaint))
        return false;
    /* Each goes to the front of the client's list: snapshots come in the order asked for. */
    for (unsigned i = subject_count(&asked); i-- > 0;)
        if (!subscribe_one(client, &asked, subject(client, &asked, i)))
            return refuse(complaint, REJECT_INTERNAL, "");
    answer_channel(client, request->id, &asked);
    return true;
}

static bool unsubscribe_all(struct client *client, const struct stream_request *request,
                            struct complaint *complaint)
{
    struct channel_request asked;
    if (!request_channel(request->params, client->stream->front->replica.engine, true, &asked,
                         complaint))
        return false;
    for (unsigned i = 0; i < subject_count(&asked); i++)
        unsubscribe(client, asked.channel, subject(client, &asked, i));
    answer_channel(client, request->id, &asked);
    return true;
}

/* ---- the rest ---- */

static void ping(struct client *client, const char *id)
{
    struct json_buffer *text = &client->stream->scratch;
    answer_result(text, id);
    json_text(text, "{\"time_ms\":");
    json_int(text, wall_ms());
    json_text(text, "}}");
    client_answer(client, text);
}

/* Before signing in a connection has a small allowance of its own, afterwards its key's. */
static bool within_rate(struct client *client, struct rate_state *state)
{
    if (client->authenticated)
        return admission_take_token(client->stream->front->admission, &client->who, wall_ms(),
                                    state);
    state->retry_after_s = 1;
    return client->anonymous_requests++ < CLIENT_ANONYMOUS_PER_S;
}

static void answer_complaint(struct client *client, const char *id,
                             const struct complaint *complaint)
{
    struct json_buffer *text = &client->stream->scratch;
    answer_error(text, id, complaint);
    answer_error_end(text);
    client_answer(client, text);
}

static void answer_rate_limited(struct client *client, const char *id,
                                const struct rate_state *state)
{
    struct json_buffer *text = &client->stream->scratch;
    counter_add(client->stream->counters.rate_limited, 1);
    answer_error(text, id, &(struct complaint){.reason = REJECT_RATE_LIMITED});
    json_text(text, ",\"retry_after\":");
    json_uint(text, state->retry_after_s);
    answer_error_end(text);
    client_answer(client, text);
}

/* False with the complaint when the request failed; it has answered for itself otherwise. */
static bool dispatch(struct client *client, const struct stream_request *request,
                     struct complaint *complaint)
{
    const struct front *front = client->stream->front;
    if (request->method == METHOD_PING) {
        ping(client, request->id);
        return true;
    }
    if (front->starting || !front->replica.engine) return refuse(complaint, REJECT_STARTING, "");
    switch (request->method) {
    case METHOD_AUTH: auth(client, request); return true;
    case METHOD_SUBSCRIBE: return subscribe(client, request, complaint);
    case METHOD_UNSUBSCRIBE: return unsubscribe_all(client, request, complaint);
    default:
        return permitted(client, SCOPE_TRADE, complaint) &&
               order_call_start(client, request, wall_ms(), complaint);
    }
}

void method_call(struct client *client, const char *text, size_t length)
{
    struct stream_request request;
    struct complaint complaint = {0};
    struct rate_state rate = {0};
    counter_add(client->stream->counters.requests, 1);

    bool parsed = request_parse(text, length, &request, &complaint);
    if (!within_rate(client, &rate))
        answer_rate_limited(client, request.id, &rate);
    else if (!parsed || !dispatch(client, &request, &complaint))
        answer_complaint(client, request.id, &complaint);
    json_decref(request.params);
}
