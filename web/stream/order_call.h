/* order_call.h - orders, cancels and replaces of stream clients on their way to the core and back.
 *
 * Owned by the front's one thread. A call that is under way belongs to its client; when the client
 * goes, the command stands and only its answer is dropped.
 */
#ifndef HOGA_WEB_STREAM_ORDER_CALL_H
#define HOGA_WEB_STREAM_ORDER_CALL_H

#include "web/stream/client.h"
#include "web/stream/request.h"

/* Sends what the request asks for; the client is answered when it has been released. False with
 * the complaint when nothing was sent. */
bool order_call_start(struct client *client, const struct stream_request *request, int64_t now_ms,
                      struct complaint *complaint);

/* The client is gone. */
void order_call_forget_all(struct client *client);

#endif
