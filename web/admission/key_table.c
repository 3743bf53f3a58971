#include "web/admission/key_table.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "engine/base/arena.h"
#include "web/replica/hash.h"

enum { CHAINS = 1 << 20 }; /* untouched ones cost no memory */

struct key_table {
    uint64_t seed;
    struct key_entry **chains;
};

struct key_table *key_table_create(void)
{
    struct key_table *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->chains = arena_map(CHAINS * sizeof *self->chains, 0);
    if (!self->chains || getrandom(&self->seed, sizeof self->seed, 0) != sizeof self->seed) {
        arena_unmap(self->chains, CHAINS * sizeof *self->chains);
        free(self);
        return NULL;
    }
    return self;
}

void key_table_destroy(struct key_table *self)
{
    if (!self) return;
    for (uint32_t i = 0; i < CHAINS; i++) {
        struct key_entry *next;
        for (struct key_entry *entry = self->chains[i]; entry; entry = next) {
            next = entry->next;
            OPENSSL_cleanse(entry, sizeof *entry);
            free(entry);
        }
    }
    arena_unmap(self->chains, CHAINS * sizeof *self->chains);
    free(self);
}

struct key_entry *key_table_entry(struct key_table *self, const char key_id[KEY_ID_BYTES])
{
    struct key_entry **chain =
        &self->chains[hash_bytes(self->seed, key_id, KEY_ID_BYTES) & (CHAINS - 1)];
    for (struct key_entry *entry = *chain; entry; entry = entry->next)
        if (memcmp(entry->key_id, key_id, KEY_ID_BYTES) == 0) return entry;
    struct key_entry *entry = calloc(1, sizeof *entry);
    if (!entry) return NULL;
    memcpy(entry->key_id, key_id, KEY_ID_BYTES);
    entry->next = *chain;
    *chain = entry;
    return entry;
}
