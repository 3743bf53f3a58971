/* secret.h - API secrets at rest: AES-256-GCM under the exchange's master key, and the HMAC key
 * that a client has of them.
 *
 *   sealed: | nonce 12 | ciphertext 32 | tag 16 |     no associated data
 *
 * Pure but for the random nonce; any thread.
 */
#ifndef HOGA_WEB_ADMISSION_SECRET_H
#define HOGA_WEB_ADMISSION_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/units.h"

enum { SECRET_BYTES = 32, SECRET_TEXT_BYTES = 64 };

/* False when it was sealed under another key, or altered. */
bool secret_open(const uint8_t master_key[32], const uint8_t sealed[SEALED_SECRET_BYTES],
                 uint8_t secret[SECRET_BYTES]);

/* Lower-case hexadecimal, as clients are given it; not terminated. */
void secret_text(const uint8_t secret[SECRET_BYTES], char text[SECRET_TEXT_BYTES]);

#endif
