#include "engine/account/account.h"

#include <string.h>

void accounts_init(struct accounts *self, struct arena *arena, const struct limits *limits)
{
    self->account_max = limits->accounts;
    self->user_max = limits->users;
    self->key_max = limits->keys;
    for (self->key_slots = 4; self->key_slots < limits->keys * 2; self->key_slots *= 2) continue;
    self->counts = arena_cut(arena, 1, sizeof *self->counts);
    self->accounts = arena_cut(arena, limits->accounts, sizeof *self->accounts);
    self->users = arena_cut(arena, limits->users, sizeof *self->users);
    self->account_limits = arena_cut(arena, limits->accounts, sizeof *self->account_limits);
    self->user_limits = arena_cut(arena, limits->users, sizeof *self->user_limits);
    self->first_users = arena_cut(arena, limits->accounts, sizeof *self->first_users);
    self->account_names = arena_cut(arena, limits->accounts, sizeof *self->account_names);
    self->user_names = arena_cut(arena, limits->users, sizeof *self->user_names);
    self->keys = arena_cut(arena, self->key_slots, sizeof *self->keys);
}

/* A name is there and ends inside its field. */
static bool is_name(const char *name)
{
    return name[0] != '\0' && memchr(name, '\0', NAME_BYTES);
}

enum reject account_open(struct accounts *self, const struct command_open_account *command)
{
    account_id_t account = command->account;
    if (account == 0 || account >= self->account_max) return REJECT_OUT_OF_LIMITS;
    if (!is_name(command->name)) return REJECT_INVALID_NAME;
    if (account_is_open(self, account)) return REJECT_ACCOUNT_EXISTS;
    memcpy(self->account_names[account].text, command->name, NAME_BYTES);
    self->accounts[account].open = 1;
    self->accounts[account].stp = STP_ALLOW;
    if (account >= self->counts->account_end) self->counts->account_end = account + 1;
    return REJECT_NONE;
}

enum reject account_add_user(struct accounts *self, const struct command_add_user *command)
{
    user_id_t user = command->user;
    if (user == 0 || user >= self->user_max) return REJECT_OUT_OF_LIMITS;
    if (!is_name(command->name)) return REJECT_INVALID_NAME;
    if (user_exists(self, user)) return REJECT_USER_EXISTS;
    if (command->account != 0 && !account_is_open(self, command->account))
        return REJECT_UNKNOWN_ACCOUNT;
    memcpy(self->user_names[user].text, command->name, NAME_BYTES);
    self->users[user].account = command->account;
    self->users[user].exists = 1;
    self->users[user].next_user = self->first_users[command->account];
    self->first_users[command->account] = user;
    return REJECT_NONE;
}

/* Key ids are random text made by the exchange; FNV-1a spreads them well enough. */
static uint32_t slot_of(const struct accounts *self, const char *key_id)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (unsigned i = 0; i < KEY_ID_BYTES && key_id[i]; i++)
        hash = (hash ^ (uint8_t)key_id[i]) * UINT64_C(1099511628211);
    return (uint32_t)(hash ^ hash >> 32) & (self->key_slots - 1);
}

/* The key's slot, or the free one where it would go: there always is one, since at most half of
 * the slots are used. */
static struct api_key *find_slot(const struct accounts *self, const char *key_id)
{
    for (uint32_t slot = slot_of(self, key_id);; slot = (slot + 1) & (self->key_slots - 1)) {
        struct api_key *key = &self->keys[slot];
        if (key->key_id[0] == '\0' || strncmp(key->key_id, key_id, KEY_ID_BYTES) == 0) return key;
    }
}

enum reject account_add_key(struct accounts *self, const struct command_add_key *command)
{
    user_id_t user = command->user;
    if (command->key_id[0] == '\0' || !memchr(command->key_id, '\0', KEY_ID_BYTES))
        return REJECT_INVALID_NAME;
    if (!user_exists(self, user)) return REJECT_UNKNOWN_USER;
    if (command->scopes & ~(uint32_t)SCOPE_ALL) return REJECT_INVALID_MESSAGE;
    struct api_key *key = find_slot(self, command->key_id);
    if (key->key_id[0] != '\0') return REJECT_KEY_EXISTS;
    if (self->counts->keys >= self->key_max) return REJECT_KEYS_FULL;
    memcpy(key->key_id, command->key_id, KEY_ID_BYTES);
    key->user = user;
    key->scopes = command->scopes;
    memcpy(key->sealed_secret, command->sealed_secret, SEALED_SECRET_BYTES);
    self->counts->keys++;
    return REJECT_NONE;
}

const struct api_key *account_find_key(const struct accounts *self, const char *key_id)
{
    if (key_id[0] == '\0') return NULL;
    const struct api_key *key = find_slot(self, key_id);
    return key->key_id[0] ? key : NULL;
}
