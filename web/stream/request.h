/* request.h - what a client's frame asks for: the envelope {"id","method","params"} and the
 * parameters of subscriptions. Bytes are hostile until they come out of here. Pure.
 */
#ifndef HOGA_WEB_STREAM_REQUEST_H
#define HOGA_WEB_STREAM_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/marketdata/market.h"
#include "web/admission/admission.h"

enum {
    STREAM_MESSAGE_MAX_BYTES = 16384,
    STREAM_SUBSCRIPTION_MAX = 200,
    STREAM_DEPTH_DEFAULT = 20,
    STREAM_DEPTH_MAX = 1000,
    REQUEST_ID_MAX_BYTES = 64,                            /* of a string */
    REQUEST_ID_TEXT_BYTES = 6 * REQUEST_ID_MAX_BYTES + 3, /* as JSON, every byte escaped */
};

enum method {
    METHOD_AUTH,
    METHOD_SUBSCRIBE,
    METHOD_UNSUBSCRIBE,
    METHOD_ORDER_PLACE,
    METHOD_ORDER_CANCEL,
    METHOD_ORDER_REPLACE,
    METHOD_ORDER_CANCEL_ALL,
    METHOD_ORDER_CANCEL_AFTER,
    METHOD_PING,
    METHODS
};

enum channel {
    CHANNEL_BOOK,
    CHANNEL_TRADES,
    CHANNEL_CANDLES,
    CHANNEL_STATUS,
    CHANNEL_AUCTION,
    CHANNEL_ORDERS,
    CHANNEL_HEARTBEAT,
    CHANNELS
};

/* "book", "trades", ...; static storage. */
const char *channel_text(enum channel channel);

struct stream_request {
    char id[REQUEST_ID_TEXT_BYTES]; /* as JSON text, to be echoed; "null" when there was none */
    enum method method;
    json_t *params; /* an object, the caller's to json_decref() */
};

/* False with the complaint; `id` is then still what to answer under, and `params` NULL. */
bool request_parse(const char *text, size_t length, struct stream_request *request,
                   struct complaint *complaint);

/* Parameters of subscribe and of unsubscribe, which has channel and symbols alone. */
struct channel_request {
    enum channel channel;
    unsigned symbol_count;                                /* 0 for channels without symbols */
    instrument_id_t instruments[STREAM_SUBSCRIPTION_MAX]; /* each once */
    uint32_t depth;
    enum candle_interval interval;
    uint64_t resume_from; /* 0: from now on */
};

bool request_channel(const json_t *params, const struct engine *engine, bool unsubscribe,
                     struct channel_request *request, struct complaint *complaint);

/* Parameters of auth. The strings are the params' own, `timestamp` and `recv_window` are written
 * into the buffers. */
struct auth_request {
    const char *key;
    const char *sign;
    char timestamp[24];
    char recv_window[24]; /* "": none */
};

bool request_auth(const json_t *params, struct auth_request *request, struct complaint *complaint);

#endif
