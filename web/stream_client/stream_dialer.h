/* stream_dialer.h - libwebsockets as a client on a libuv loop: what all connections of a process
 * share. Owned by the loop's thread.
 */
#ifndef HOGA_WEB_STREAM_CLIENT_STREAM_DIALER_H
#define HOGA_WEB_STREAM_CLIENT_STREAM_DIALER_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct stream_dialer;
struct stream_client;

/* NULL after a message on stderr. */
struct stream_dialer *stream_dialer_create(uv_loop_t *loop);

/* Ends all connections (each says so by its `closed`); over the loop's next turns nothing of it
 * keeps the loop alive any more. */
void stream_dialer_stop(struct stream_dialer *self);

/* After that, when the loop has ended. */
void stream_dialer_free(struct stream_dialer *self);

/* ---- for stream_client.c ---- */

/* libwebsockets' context, whose only protocol has this name. */
struct lws_context *stream_dialer_context(struct stream_dialer *self);
#define STREAM_DIALER_PROTOCOL "hoga-client"

/* Has stream_client_flush() called at the end of this turn of the loop; or not any more. */
void stream_dialer_wake(struct stream_dialer *self, struct stream_client *client);
void stream_dialer_forget(struct stream_dialer *self, struct stream_client *client);

/* Four bytes that nobody can foresee. False when the system has no randomness. */
bool stream_dialer_mask(struct stream_dialer *self, uint8_t mask[4]);

/* In stream_client.c. The link of a client in the dialer's list of those to flush. */
struct stream_client **stream_client_link(struct stream_client *self);
void stream_client_flush(struct stream_client *self);
int stream_client_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                           size_t length);

#endif
