/* master_key.h - the key that seals API secrets: DIR/secrets/master.key, 32 random bytes, 0600. */
#ifndef HOGA_OPS_MASTER_KEY_H
#define HOGA_OPS_MASTER_KEY_H

#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/instance.h"

enum { MASTER_KEY_BYTES = 32 };

/* Reads it, making it at first start. STATUS_INVALID when the file is not 32 bytes or others may
 * read it; STATUS_IO and errno. */
MUST_CHECK enum status master_key_load(const struct instance *instance,
                                       uint8_t key[MASTER_KEY_BYTES]);

#endif
