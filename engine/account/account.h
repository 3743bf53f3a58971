/* account.h - who there is: accounts, users and their API keys. Names and rights; money and shares
 * are the wallet's.
 *
 * Tables are indexed by the ids that the administrator chose; keys are found by their text through
 * a hash of slots. Owned by the engine's thread; nothing here allocates.
 */
#ifndef HOGA_ACCOUNT_H
#define HOGA_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/units.h"
#include "engine/message/command.h"
#include "engine/message/reject.h"

struct account {
    char name[NAME_BYTES]; /* empty: not opened */
};

struct user {
    char name[NAME_BYTES]; /* empty: no such user */
    account_id_t account;  /* 0: staff */
    uint32_t pad;
};

struct api_key {
    char key_id[KEY_ID_BYTES]; /* empty: free slot */
    user_id_t user;
    uint32_t scopes; /* enum scope */
    uint8_t sealed_secret[SEALED_SECRET_BYTES];
    uint32_t pad;
};

/* What is counted, in the arena with the rest of the state. */
struct account_counts {
    uint32_t keys;
    account_id_t account_end; /* one past the highest opened */
};

/* Where the tables lie in this process. */
struct accounts {
    struct account *accounts;
    struct user *users;
    struct api_key *keys; /* open addressing, key_slots long, a power of two */
    struct account_counts *counts;
    uint32_t account_max;
    uint32_t user_max;
    uint32_t key_max;
    uint32_t key_slots;
};

void accounts_init(struct accounts *self, struct arena *arena, const struct limits *limits);

bool account_is_open(const struct accounts *self, account_id_t account);

/* Whether the user may act for the account. */
bool account_has_user(const struct accounts *self, account_id_t account, user_id_t user);

enum reject account_open(struct accounts *self, const struct command_open_account *command);
enum reject account_add_user(struct accounts *self, const struct command_add_user *command);
enum reject account_add_key(struct accounts *self, const struct command_add_key *command);

/* NULL when there is no such key. `key_id` ends with a NUL or at KEY_ID_BYTES. */
const struct api_key *account_find_key(const struct accounts *self, const char *key_id);

#endif
