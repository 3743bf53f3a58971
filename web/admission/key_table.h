/* key_table.h - what a front keeps of each API key in use: its opened secret and its token bucket.
 *
 * Only keys that the engine knows get in, so the engine's limit bounds it. Secrets are wiped when
 * the table goes. Owned by the front's one thread.
 */
#ifndef HOGA_WEB_ADMISSION_KEY_TABLE_H
#define HOGA_WEB_ADMISSION_KEY_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/units.h"
#include "web/admission/rate.h"
#include "web/admission/secret.h"

struct key_entry {
    struct key_entry *next;
    char key_id[KEY_ID_BYTES];
    uint8_t sealed[SEALED_SECRET_BYTES]; /* what `secret` was opened from */
    bool opened;                         /* false: `sealed` could not be opened */
    char secret[SECRET_TEXT_BYTES];
    struct token_bucket bucket;
};

struct key_table;

struct key_table *key_table_create(void); /* NULL without memory */
void key_table_destroy(struct key_table *self);

/* The entry of this key, zeroed but for the id when it is new; NULL without memory. */
struct key_entry *key_table_entry(struct key_table *self, const char key_id[KEY_ID_BYTES]);

#endif
