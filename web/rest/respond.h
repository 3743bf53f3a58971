/* respond.h - answers: JSON, and problems as RFC 9457 describes them.
 *
 * Each makes the request's response, which the daemon queues. Without memory even for the answer
 * the request has none, and its connection is closed.
 */
#ifndef HOGA_WEB_REST_RESPOND_H
#define HOGA_WEB_REST_RESPOND_H

#include "web/json/encode.h"
#include "web/rest/request.h"

/* Takes the text over; it is empty afterwards. */
void respond_json(struct request *request, unsigned http, struct json_buffer *text);

/* `field` may be "". */
void respond_problem(struct request *request, enum reject reason, const char *field);

/* The same with the order that it happened to, if there is one. */
void respond_order_problem(struct request *request, enum reject reason, const char *field,
                           const struct blotter_order *order);

/* Any bytes, which stay the library's; for files see static_file.c. */
void respond_with(struct request *request, unsigned http, struct MHD_Response *response);

/* Adds a header to the answer made before. */
void respond_header(struct request *request, const char *name, const char *value);

#endif
