/* rate.h - a token bucket: `limit` requests a second, and as many at once.
 *
 * Integers only: a token is 1000 parts, and each millisecond adds `limit` parts. Owned by the
 * thread that owns what it limits.
 */
#ifndef HOGA_WEB_ADMISSION_RATE_H
#define HOGA_WEB_ADMISSION_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "web/admission/admission.h"

struct token_bucket {
    uint64_t parts;
    int64_t filled_ms; /* when `parts` was right; 0: never used, full */
};

/* Takes a token; false when there is none. Stores where the bucket stands. A clock that was set
 * back gives nothing and takes nothing. */
bool token_bucket_take(struct token_bucket *self, uint32_t limit, int64_t now_ms,
                       struct rate_state *state);

#endif
