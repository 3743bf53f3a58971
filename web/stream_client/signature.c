#include "web/stream_client/signature.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum { SIGNED_BYTES = 1024 };

bool signature_make(const struct stream_credentials *credentials, int64_t timestamp_ms,
                    const char *method, const char *target, char text[SIGNATURE_TEXT_BYTES])
{
    char covered[SIGNED_BYTES];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_bytes = 0;
    int length = snprintf(covered, sizeof covered, "%" PRId64 "%s%s", timestamp_ms, method, target);
    if (length < 0 || (size_t)length >= sizeof covered) return false;
    if (!HMAC(EVP_sha256(), credentials->secret, (int)strlen(credentials->secret),
              (const unsigned char *)covered, (size_t)length, digest, &digest_bytes))
        return false;
    for (unsigned i = 0; i < digest_bytes; i++) snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return true;
}
