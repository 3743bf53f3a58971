/* method.h - what each method of the WebSocket protocol does (web/API.md). */
#ifndef HOGA_WEB_STREAM_METHOD_H
#define HOGA_WEB_STREAM_METHOD_H

#include <stddef.h>

#include "web/stream/client.h"

/* Answers one message, or sends it on its way to be answered. */
void method_call(struct client *client, const char *text, size_t length);

#endif
