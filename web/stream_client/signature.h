/* signature.h - how a client signs: HMAC-SHA256 of timestamp + METHOD + path?query (web/API.md).
 * Pure, any thread.
 */
#ifndef HOGA_WEB_STREAM_CLIENT_SIGNATURE_H
#define HOGA_WEB_STREAM_CLIENT_SIGNATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "web/stream_client/stream_client.h"

enum { SIGNATURE_TEXT_BYTES = 65 };

/* For a request without a body. False when OpenSSL cannot. */
bool signature_make(const struct stream_credentials *credentials, int64_t timestamp_ms,
                    const char *method, const char *target, char text[SIGNATURE_TEXT_BYTES]);

#endif
