/* parse.h - reads what clients send: JSON objects, identifiers, times. Everything here expects
 * hostile bytes and changes nothing. Pure, any thread.
 */
#ifndef HOGA_WEB_JSON_PARSE_H
#define HOGA_WEB_JSON_PARSE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A JSON object without duplicate keys, or NULL: anything else, bytes that are not UTF-8, or
 * something behind it. A whole number beyond 64 bits comes as a real, so that whoever wants a
 * whole number refuses that field and not the text. The caller owns it (json_decref). */
json_t *json_parse_object(const char *text, size_t length);

/* Decimal digits only, without sign; false beyond `max`, for "" and NULL. */
bool json_parse_uint(const char *text, uint64_t max, uint64_t *value);

/* RFC 3339 ("2026-11-22T09:30:00.5Z", any offset) or milliseconds since the epoch, to nanoseconds;
 * digits of the second beyond the ninth are cut. False also outside 1970-01-01 to 2261-12-31. */
bool json_parse_time(const char *text, int64_t *ns);

#endif
