/* encode.h - writes JSON by appending: the hot answers, books and executions.
 *
 * Text is appended to a growing buffer; a failed allocation is remembered and makes the rest
 * no-ops, so that only the end needs a check. Prices come out as decimal strings with four
 * decimals, times as RFC 3339 in UTC with nanoseconds.
 */
#ifndef HOGA_WEB_JSON_ENCODE_H
#define HOGA_WEB_JSON_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/units.h"
#include "engine/engine.h"
#include "web/replica/blotter.h"

struct json_buffer {
    char *text;
    size_t length;
    size_t capacity;
    bool failed;
};

void json_buffer_free(struct json_buffer *self);
static inline void json_buffer_clear(struct json_buffer *self)
{
    self->length = 0;
    self->failed = false;
}

/* Appends. json_text() appends as it is (punctuation, keys); json_quoted() quotes and escapes at
 * most `max` bytes, stopping at a NUL. */
void json_bytes(struct json_buffer *self, const char *bytes, size_t length);
void json_text(struct json_buffer *self, const char *text);
void json_quoted(struct json_buffer *self, const char *text, size_t max);
void json_int(struct json_buffer *self, int64_t value);
void json_uint(struct json_buffer *self, uint64_t value);
void json_bool(struct json_buffer *self, bool value);
void json_px(struct json_buffer *self, px_t px);      /* "189.3500", quotes included */
void json_id(struct json_buffer *self, uint64_t id);  /* "123", quotes included */
void json_time(struct json_buffer *self, int64_t ns); /* "2026-11-22T09:30:00.000000001Z" */

/* The same, or null for 0: what is not set. */
void json_px_or_null(struct json_buffer *self, px_t px);
void json_qty_or_null(struct json_buffer *self, qty_t qty);
void json_time_or_null(struct json_buffer *self, int64_t ns);

/* A quoted word of those below; null for NULL. */
void json_word(struct json_buffer *self, const char *word);

/* The field's words for FIX characters: "buy", "limit", "day", "partially_filled", "trade".
 * Static storage; "unknown" for anything else. */
const char *json_side(uint8_t side);
const char *json_ord_type(uint8_t ord_type);
const char *json_time_in_force(uint8_t time_in_force);
const char *json_ord_status(uint8_t ord_status);
const char *json_exec_type(uint8_t exec_type);
const char *json_session(uint8_t session);
const char *json_session_cause(uint8_t cause);

/* The same; NULL for none. */
const char *json_side_or_null(uint8_t side);
const char *json_liquidity(uint8_t last_liquidity);
const char *json_stp(uint8_t stp);

/* ISO 4217 code of a currency's number. Static storage. */
const char *json_currency(uint32_t currency);

/* The objects of web/API.md: an order with its fills, and an execution. */
void json_order(struct json_buffer *self, const struct engine *engine,
                const struct blotter *blotter, const struct blotter_order *order);
void json_execution(struct json_buffer *self, const struct engine *engine,
                    const struct blotter *blotter, const struct blotter_execution *execution);

#endif
