/* used_signatures.h - the signatures that are not good any more but still inside their window.
 *
 * A set with expiry and a bound: buckets of a few places each, a signature's bucket given by its
 * own first bytes, which an outsider cannot choose without the key. A place is free again once
 * its signature has expired. A bucket that is full makes the table grow, up to its bound; then it
 * is an answer to the client, since a signature that is not remembered could be used twice.
 * Owned by the front's one thread.
 */
#ifndef HOGA_WEB_ADMISSION_USED_SIGNATURES_H
#define HOGA_WEB_ADMISSION_USED_SIGNATURES_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

enum { SIGNATURE_BYTES = 32, USED_SIGNATURES_BUCKETS_MAX = 1 << 19 };

struct used_signatures;

/* `buckets_max`: a power of two, 16 signatures each. NULL without memory. */
struct used_signatures *used_signatures_create(uint32_t buckets_max);
void used_signatures_destroy(struct used_signatures *self);

/* Remembers a signature until `expires_ms` (milliseconds since the epoch, after now_ms).
 * STATUS_BUSY when it is there already, STATUS_FULL when there is no place for it. */
MUST_CHECK enum status used_signatures_add(struct used_signatures *self,
                                           const uint8_t signature[SIGNATURE_BYTES],
                                           int64_t expires_ms, int64_t now_ms);

#endif
