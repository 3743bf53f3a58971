/* stream_client.h - one connection to Hoga's WebSocket: sign in, send requests, get the answers and
 * what is pushed (web/API.md).
 *
 *   stream_client_open -> opened (signed in) -> calls and answers, pushes ... -> closed
 *
 * Any number of requests may be in flight; they leave in the order they were made. Owned by the
 * thread of its loop; hooks and answers are called from the loop.
 */
#ifndef HOGA_WEB_STREAM_CLIENT_STREAM_CLIENT_H
#define HOGA_WEB_STREAM_CLIENT_STREAM_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "web/stream_client/stream_dialer.h"

enum { STREAM_CREDENTIAL_BYTES = 80 };

struct stream_credentials {
    char key[STREAM_CREDENTIAL_BYTES];
    char secret[STREAM_CREDENTIAL_BYTES];
};

struct stream_client;

struct stream_client_hooks {
    void *context;
    /* Connected, and signed in if there are credentials; `rate_limit` is the key's requests a
     * second, 0 without credentials. */
    void (*opened)(void *context, uint32_t rate_limit);
    /* A message that answers nothing; borrowed. */
    void (*pushed)(void *context, const json_t *message);
    /* NULL, or: whether a message whose text this is can be of interest at all. One that cannot,
     * and answers nothing, is not even parsed. */
    bool (*may_matter)(const char *text, size_t length);
    /* The connection is gone, or never came to be; `why` is valid during the call. Calls that were
     * in flight have been answered with NULLs. It may be opened again. */
    void (*closed)(void *context, const char *why);
};

/* `result` and `error` are borrowed; both NULL when the connection ended first. */
typedef void (*stream_answered)(void *context, const json_t *result, const json_t *error);

/* `credentials` NULL: public data only. Hooks and credentials are copied. NULL without memory. */
struct stream_client *stream_client_create(struct stream_dialer *dialer,
                                           const struct stream_credentials *credentials,
                                           const struct stream_client_hooks *hooks);

/* Ends the connection without a word to the hooks. */
void stream_client_destroy(struct stream_client *self);

/* Begins to connect to "ws://host:port/path". False when the address makes no sense. Comes to
 * `opened` or to `closed`, possibly before it returns. */
bool stream_client_open(struct stream_client *self, const char *url);

/* Sends a request; `params` is JSON text. `answered` (may be NULL) is called exactly once, unless
 * false is returned: then the connection is not open, the request longer than the server takes
 * (16 KiB), or there is no memory. */
bool stream_client_call(struct stream_client *self, const char *method, const char *params,
                        stream_answered answered, void *context);

/* Requests without an answer so far. */
size_t stream_client_in_flight(const struct stream_client *self);

#endif
