/* http_get.h - the one HTTP request the command line needs: a GET over a plain socket, of a server
 * that is ours. Blocks. */
#ifndef HOGA_OPS_HTTP_GET_H
#define HOGA_OPS_HTTP_GET_H

#include <jansson.h>
#include <stdbool.h>

enum { HTTP_HEADERS_BYTES = 512 };

/* GETs `target` from "http://host:port". `headers` are lines that end in CRLF, may be "". No step
 * takes longer than `timeout_ms`. Stores whether the answer was 200. Returns its JSON, to be
 * json_decref()'ed; NULL with errno when there was none (EPROTO: it was not JSON). */
json_t *http_get(const char *url, const char *target, const char *headers, int timeout_ms,
                 bool *is_good);

#endif
