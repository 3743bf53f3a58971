/* rest.h - what the resources need of the daemon: to wait for the core, and to go on.
 *
 *   resource --rest_send--> gateway, connection suspended ... answer -> resumed -> queued
 */
#ifndef HOGA_WEB_REST_REST_H
#define HOGA_WEB_REST_REST_H

#include "web/admission/gateway.h"
#include "web/rest/request.h"

/* Sends a command to the core; `done` is called with the request as its context and must answer
 * it. When the command cannot be sent the request is answered at once. */
void rest_send(struct request *request, const struct sbe_header *command, gateway_done done);

/* The first thing a `done` does: the request waits no longer. */
void rest_answered(struct request *request);

#endif
