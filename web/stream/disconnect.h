/* disconnect.h - cancels what was sent with cancel_on_disconnect over a connection that is gone.
 *
 *   first such order --arm--> client's list ... connection ends --> stream's list --> core
 *
 * Everything it needs is there before the order is sent, so that its end cannot fail; a full ring
 * is tried again until it takes the command. Owned by the front's one thread.
 */
#ifndef HOGA_WEB_STREAM_DISCONNECT_H
#define HOGA_WEB_STREAM_DISCONNECT_H

#include <stdbool.h>

struct client;
struct stream;
struct disconnect; /* an account whose orders are to be canceled */

/* The client sends such an order; false without memory. */
bool disconnect_arm(struct client *client);

/* The client is gone: its accounts wait to be told to the core. */
void disconnect_client_gone(struct client *client);

/* Tells the core of those that wait, as far as the ring takes them. */
void disconnect_send(struct stream *stream);

void disconnect_free_all(struct disconnect *list);

#endif
