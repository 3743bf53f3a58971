#include "web/stream/request.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/check.h"
#include "web/json/encode.h"
#include "web/json/parse.h"

static const char *const method_texts[METHODS] = {
    [METHOD_AUTH] = "auth",
    [METHOD_SUBSCRIBE] = "subscribe",
    [METHOD_UNSUBSCRIBE] = "unsubscribe",
    [METHOD_ORDER_PLACE] = "order.place",
    [METHOD_ORDER_CANCEL] = "order.cancel",
    [METHOD_ORDER_REPLACE] = "order.replace",
    [METHOD_ORDER_CANCEL_ALL] = "order.cancel_all",
    [METHOD_ORDER_CANCEL_AFTER] = "order.cancel_after",
    [METHOD_PING] = "ping",
};

static const char *const channel_texts[CHANNELS] = {
    [CHANNEL_BOOK] = "book",           [CHANNEL_TRADES] = "trades",   [CHANNEL_CANDLES] = "candles",
    [CHANNEL_STATUS] = "status",       [CHANNEL_AUCTION] = "auction", [CHANNEL_ORDERS] = "orders",
    [CHANNEL_HEARTBEAT] = "heartbeat",
};

const char *channel_text(enum channel channel)
{
    CHECK((unsigned)channel < CHANNELS);
    return channel_texts[channel];
}

static bool complain(struct complaint *complaint, enum reject reason, const char *field)
{
    complaint->reason = reason;
    snprintf(complaint->field, sizeof complaint->field, "%s", field);
    return false;
}

/* The id as the JSON text that answers carry. */
static bool id_text(const json_t *id, char text[REQUEST_ID_TEXT_BYTES])
{
    if (json_is_integer(id)) {
        snprintf(text, REQUEST_ID_TEXT_BYTES, "%lld", (long long)json_integer_value(id));
        return true;
    }
    if (!json_is_string(id) || json_string_length(id) > REQUEST_ID_MAX_BYTES) return false;
    struct json_buffer buffer = {0};
    json_quoted(&buffer, json_string_value(id), json_string_length(id));
    bool fits = !buffer.failed && buffer.length < REQUEST_ID_TEXT_BYTES;
    if (fits) {
        memcpy(text, buffer.text, buffer.length);
        text[buffer.length] = '\0';
    }
    json_buffer_free(&buffer);
    return fits;
}

static bool find_method(const char *text, enum method *method)
{
    for (unsigned i = 0; i < METHODS; i++) {
        if (strcmp(text, method_texts[i]) != 0) continue;
        *method = (enum method)i;
        return true;
    }
    return false;
}

/* Refuses fields outside `allowed`, a list that NULL ends. */
static bool only_fields(const json_t *object, const char *const *allowed,
                        struct complaint *complaint)
{
    for (void *at = json_object_iter((json_t *)object); at;
         at = json_object_iter_next((json_t *)object, at)) {
        const char *name = json_object_iter_key(at);
        const char *const *field = allowed;
        while (*field && strcmp(*field, name) != 0) field++;
        if (!*field) return complain(complaint, REJECT_UNKNOWN_FIELD, name);
    }
    return true;
}

static bool parse_envelope(const json_t *root, struct stream_request *request,
                           struct complaint *complaint)
{
    static const char *const fields[] = {"id", "method", "params", NULL};
    const json_t *id = json_object_get(root, "id");
    if (!id) return complain(complaint, REJECT_MISSING_FIELD, "id");
    if (!id_text(id, request->id)) {
        strcpy(request->id, "null");
        return complain(complaint, REJECT_INVALID_FIELD, "id");
    }
    if (!only_fields(root, fields, complaint)) return false;

    const json_t *method = json_object_get(root, "method");
    if (!method) return complain(complaint, REJECT_MISSING_FIELD, "method");
    if (!json_is_string(method)) return complain(complaint, REJECT_INVALID_FIELD, "method");
    if (!find_method(json_string_value(method), &request->method))
        return complain(complaint, REJECT_UNKNOWN_METHOD, "method");

    json_t *params = json_object_get(root, "params");
    if (params && !json_is_object(params))
        return complain(complaint, REJECT_INVALID_FIELD, "params");
    request->params = params ? json_incref(params) : json_object();
    if (!request->params) return complain(complaint, REJECT_INTERNAL, "");
    return true;
}

bool request_parse(const char *text, size_t length, struct stream_request *request,
                   struct complaint *complaint)
{
    *request = (struct stream_request){.id = "null"};
    json_t *root = json_parse_object(text, length);
    if (!root) return complain(complaint, REJECT_MALFORMED_JSON, "");
    bool ok = parse_envelope(root, request, complaint);
    json_decref(root);
    return ok;
}

static bool has_symbols(enum channel channel)
{
    return channel != CHANNEL_ORDERS && channel != CHANNEL_HEARTBEAT;
}

static bool parse_channel(const json_t *params, enum channel *channel, struct complaint *complaint)
{
    const json_t *name = json_object_get(params, "channel");
    if (!name) return complain(complaint, REJECT_MISSING_FIELD, "channel");
    for (unsigned i = 0; json_is_string(name) && i < CHANNELS; i++) {
        if (strcmp(json_string_value(name), channel_texts[i]) != 0) continue;
        *channel = (enum channel)i;
        return true;
    }
    return complain(complaint, REJECT_INVALID_FIELD, "channel");
}

static bool parse_symbols(const json_t *params, const struct engine *engine,
                          struct channel_request *request, struct complaint *complaint)
{
    const json_t *symbols = json_object_get(params, "symbols");
    if (!symbols) return complain(complaint, REJECT_MISSING_FIELD, "symbols");
    size_t count = json_array_size(symbols); /* 0 also for what is no array */
    if (count == 0) return complain(complaint, REJECT_INVALID_FIELD, "symbols");
    if (count > STREAM_SUBSCRIPTION_MAX)
        return complain(complaint, REJECT_TOO_MANY_SUBSCRIPTIONS, "symbols");

    for (size_t i = 0; i < count; i++) {
        const json_t *symbol = json_array_get(symbols, i);
        instrument_id_t instrument;
        if (!json_is_string(symbol)) return complain(complaint, REJECT_INVALID_FIELD, "symbols");
        if (!engine_find_symbol(engine, json_string_value(symbol), &instrument))
            return complain(complaint, REJECT_UNKNOWN_INSTRUMENT, "symbols");
        unsigned known = 0;
        while (known < request->symbol_count && request->instruments[known] != instrument) known++;
        if (known == request->symbol_count)
            request->instruments[request->symbol_count++] = instrument;
    }
    return true;
}

/* What only subscriptions to one channel have. */
static bool parse_options(const json_t *params, struct channel_request *request,
                          struct complaint *complaint)
{
    const json_t *depth = json_object_get(params, "depth");
    if (depth) {
        json_int_t levels = json_integer_value(depth); /* 0 for what is no integer */
        if (levels < 1 || levels > STREAM_DEPTH_MAX)
            return complain(complaint, REJECT_INVALID_FIELD, "depth");
        request->depth = (uint32_t)levels;
    }
    const json_t *interval = json_object_get(params, "interval");
    if (interval && (!json_is_string(interval) ||
                     !candle_interval_parse(json_string_value(interval), &request->interval)))
        return complain(complaint, REJECT_INVALID_FIELD, "interval");
    const json_t *resume_from = json_object_get(params, "resume_from");
    if (resume_from) {
        json_int_t seq = json_integer_value(resume_from);
        if (seq < 1) return complain(complaint, REJECT_INVALID_FIELD, "resume_from");
        request->resume_from = (uint64_t)seq;
    }
    return true;
}

static const char *const *channel_fields(enum channel channel, bool unsubscribe)
{
    static const char *const channel_only[] = {"channel", NULL};
    static const char *const with_symbols[] = {"channel", "symbols", NULL};
    static const char *const of_book[] = {"channel", "symbols", "depth", NULL};
    static const char *const of_candles[] = {"channel", "symbols", "interval", NULL};
    static const char *const of_orders[] = {"channel", "resume_from", NULL};

    if (unsubscribe) return has_symbols(channel) ? with_symbols : channel_only;
    switch (channel) {
    case CHANNEL_BOOK: return of_book;
    case CHANNEL_CANDLES: return of_candles;
    case CHANNEL_ORDERS: return of_orders;
    case CHANNEL_TRADES:
    case CHANNEL_STATUS:
    case CHANNEL_AUCTION: return with_symbols;
    default: return channel_only;
    }
}

bool request_channel(const json_t *params, const struct engine *engine, bool unsubscribe,
                     struct channel_request *request, struct complaint *complaint)
{
    request->symbol_count = 0;
    request->depth = STREAM_DEPTH_DEFAULT;
    request->interval = CANDLE_1M;
    request->resume_from = 0;
    if (!parse_channel(params, &request->channel, complaint)) return false;

    const char *const *allowed = channel_fields(request->channel, unsubscribe);
    if (!only_fields(params, allowed, complaint)) return false;
    if (has_symbols(request->channel) && !parse_symbols(params, engine, request, complaint))
        return false;
    return parse_options(params, request, complaint);
}

static bool number_text(const json_t *number, const char *field, char text[24],
                        struct complaint *complaint)
{
    if (!json_is_integer(number) || json_integer_value(number) < 0)
        return complain(complaint, REJECT_INVALID_FIELD, field);
    snprintf(text, 24, "%lld", (long long)json_integer_value(number));
    return true;
}

bool request_auth(const json_t *params, struct auth_request *request, struct complaint *complaint)
{
    static const char *const fields[] = {"key", "timestamp", "sign", "recv_window", NULL};
    if (!only_fields(params, fields, complaint)) return false;
    for (unsigned i = 0; i < 3; i++)
        if (!json_object_get(params, fields[i]))
            return complain(complaint, REJECT_MISSING_FIELD, fields[i]);

    const json_t *key = json_object_get(params, "key");
    if (!json_is_string(key)) return complain(complaint, REJECT_INVALID_FIELD, "key");
    const json_t *sign = json_object_get(params, "sign");
    if (!json_is_string(sign)) return complain(complaint, REJECT_INVALID_FIELD, "sign");
    request->key = json_string_value(key);
    request->sign = json_string_value(sign);

    request->recv_window[0] = '\0';
    const json_t *window = json_object_get(params, "recv_window");
    return number_text(json_object_get(params, "timestamp"), "timestamp", request->timestamp,
                       complaint) &&
           (!window || number_text(window, "recv_window", request->recv_window, complaint));
}
