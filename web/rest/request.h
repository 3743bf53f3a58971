/* request.h - one HTTP request, from its first line to its answer.
 *
 *   target read -> headers -> body in pieces -> route -> answer
 *                                                 \-> waiting for the core (suspended) -> answer
 *
 * Everything in it is the client's and hostile until looked at. The target is cut and
 * percent-decoded here rather than by the library, since the signature is over its raw bytes and
 * a client order id may hold any printable character. Owned by the front's one thread.
 */
#ifndef HOGA_WEB_REST_REQUEST_H
#define HOGA_WEB_REST_REQUEST_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "web/admission/admission.h"
#include "web/front.h"

enum {
    REQUEST_BODY_MAX_BYTES = 16 * 1024,
    REQUEST_DRAIN_MAX_BYTES = 8 * 1024 * 1024, /* beyond this it is not even read to its end */
    REQUEST_SEGMENTS_MAX = 8,
    REQUEST_PARAMETERS_MAX = 16,
    REQUEST_ID_BYTES = 40,
};

enum method { METHOD_GET = 1, METHOD_POST = 2, METHOD_PATCH = 4, METHOD_DELETE = 8 };

struct parameter {
    const char *name, *value; /* decoded; a parameter without "=" has value NULL */
};

struct request {
    struct front *front;
    struct rest *rest;
    struct MHD_Connection *connection;
    char id[REQUEST_ID_BYTES]; /* Request-Id */

    const char *method_text; /* as sent */
    enum method method;      /* HEAD is GET; 0 when it is none of ours */
    char *target;            /* path?query as sent */
    char *decoded;           /* what segments and parameters point into */
    bool malformed_path;     /* it cannot name anything */
    bool malformed_query;
    unsigned segment_count;
    const char *segments[REQUEST_SEGMENTS_MAX]; /* "/v1/time" has "v1" and "time" */
    unsigned parameter_count;
    struct parameter parameters[REQUEST_PARAMETERS_MAX];

    bool headers_seen;
    char *body;
    size_t body_bytes; /* also counts what was too much to keep */

    bool rated; /* `rate` is for the answer's headers */
    struct rate_state rate;
    struct identity who;

    /* while the core has its command */
    bool waiting;
    uint64_t handle;
    struct request *waiting_prev, *waiting_next;
    struct command_new_order sent; /* to know the same request again */

    unsigned http;                 /* the answer's status */
    struct MHD_Response *response; /* NULL until there is an answer */
    struct MHD_Response *queued;   /* given to the library */
};

/* `target` is copied. NULL without memory. */
struct request *request_create(struct rest *rest, struct front *front,
                               struct MHD_Connection *connection, const char *target);
void request_destroy(struct request *self);

/* Adds a piece of the body; false when it cannot be taken (the connection must be closed). */
bool request_add_body(struct request *self, const char *piece, size_t bytes);

/* A header's value, NULL when it is absent. */
const char *request_header(const struct request *self, const char *name);

/* A query parameter's value; NULL when it is absent. */
const char *request_parameter(const struct request *self, const char *name);

/* A parameter that is a whole number in [min, max]: stores it, or `fallback` when it is absent;
 * answers the request and returns false when it is anything else. */
bool request_uint(struct request *self, const char *name, uint64_t min, uint64_t max,
                  uint64_t fallback, uint64_t *value);

#endif
