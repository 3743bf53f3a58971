/* credentials.h - the keys that `hoga up` made, with their secrets: DIR/secrets/keys.json (0600).
 *
 * They are written here before the exchange is told of them, so that a start that was interrupted
 * goes on with the same ones. demo.json and flow.json are made from them.
 */
#ifndef HOGA_OPS_CREDENTIALS_H
#define HOGA_OPS_CREDENTIALS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/base/units.h"
#include "engine/bus/instance.h"

enum {
    CREDENTIAL_KEY_BYTES = 21,    /* 20 characters of A-Z 0-9 */
    CREDENTIAL_SECRET_BYTES = 65, /* 64 of 0-9 a-f: 32 random bytes */
    CREDENTIAL_MAX = 64,
};

struct credential {
    char name[NAME_BYTES];
    char key[CREDENTIAL_KEY_BYTES];
    char secret[CREDENTIAL_SECRET_BYTES];
};

struct credentials {
    struct credential list[CREDENTIAL_MAX];
    unsigned count;
};

/* A new random key id and secret. False when the system has no randomness. */
bool credential_make(struct credential *self, const char *name);

/* The 32 bytes that a secret's text stands for; false for other text. */
bool credential_secret(const struct credential *self, uint8_t secret[32]);

/* Reads DIR/secrets/keys.json; none when there is no such file. STATUS_INVALID when it makes no
 * sense (explained on stderr). */
MUST_CHECK enum status credentials_load(struct credentials *self, const struct instance *instance);
MUST_CHECK enum status credentials_save(const struct credentials *self,
                                        const struct instance *instance);

const struct credential *credentials_find(const struct credentials *self, const char *name);

/* Writes a JSON value as DIR/name, readable for the owner alone. Takes the reference. */
MUST_CHECK enum status credentials_write_json(const struct instance *instance, const char *name,
                                              json_t *value);

#endif
