/* stream_dialer.h - libwebsockets as a client on a libuv loop: what all connections of a process
 * share. Owned by the loop's thread.
 */
#ifndef HOGA_WEB_STREAM_CLIENT_STREAM_DIALER_H
#define HOGA_WEB_STREAM_CLIENT_STREAM_DIALER_H

#include <libwebsockets.h>
#include <uv.h>

struct stream_dialer;

/* NULL after a message on stderr. */
struct stream_dialer *stream_dialer_create(uv_loop_t *loop);

/* Ends all connections (each says so by its `closed`); over the loop's next turns nothing of it
 * keeps the loop alive any more. */
void stream_dialer_stop(struct stream_dialer *self);

/* After that, when the loop has ended. */
void stream_dialer_free(struct stream_dialer *self);

/* For stream_client.c: libwebsockets' context, whose only protocol has this name. */
struct lws_context *stream_dialer_context(struct stream_dialer *self);
#define STREAM_DIALER_PROTOCOL "hoga-client"

/* In stream_client.c. */
int stream_client_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                           size_t length);

#endif
