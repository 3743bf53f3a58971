#include <string.h>

#include "tests/model/model_parts.h"

/* ---- questions ---- */

bool model_account_is_open(const struct model *self, account_id_t account)
{
    return account < self->limits.accounts && self->accounts[account].open;
}

bool model_user_is_there(const struct model *self, user_id_t user)
{
    return user < self->limits.users && self->users[user].there;
}

bool model_acts_for(const struct model *self, account_id_t account, user_id_t user)
{
    return model_user_is_there(self, user) && self->users[user].account == account;
}

static const struct model_key *key_named(const struct model *self, const char *key_id)
{
    for (uint32_t i = 0; i < self->key_count; i++)
        if (strcmp(self->keys[i].key_id, key_id) == 0) return &self->keys[i];
    return NULL;
}

/* Something, and a NUL before the field ends. */
bool model_is_text(const char *text, size_t field_bytes)
{
    if (text[0] == '\0') return false;
    for (size_t i = 0; i < field_bytes; i++)
        if (text[i] == '\0') return true;
    return false;
}

/* ---- commands ---- */

void model_open_account(struct model *self, const struct command_open_account *command)
{
    account_id_t account = command->account;
    enum reject reason = REJECT_NONE;
    if (account < 1 || account >= self->limits.accounts)
        reason = REJECT_OUT_OF_LIMITS;
    else if (!model_is_text(command->name, NAME_BYTES))
        reason = REJECT_INVALID_NAME;
    else if (self->accounts[account].open)
        reason = REJECT_ACCOUNT_EXISTS;
    if (reason != REJECT_NONE) {
        model_reject_command(self, COMMAND_OPEN_ACCOUNT, reason);
        return;
    }
    self->accounts[account].open = true;
    memcpy(self->accounts[account].name, command->name, NAME_BYTES);
    struct event_account_opened event = {
        .header = EVENT_HEADER(EVENT_ACCOUNT_OPENED, struct event_account_opened),
        .account = account};
    model_emit(self, &event, sizeof event);
}

void model_add_user(struct model *self, const struct command_add_user *command)
{
    user_id_t user = command->user;
    enum reject reason = REJECT_NONE;
    if (user < 1 || user >= self->limits.users)
        reason = REJECT_OUT_OF_LIMITS;
    else if (!model_is_text(command->name, NAME_BYTES))
        reason = REJECT_INVALID_NAME;
    else if (self->users[user].there)
        reason = REJECT_USER_EXISTS;
    else if (command->account != 0 && !model_account_is_open(self, command->account))
        reason = REJECT_UNKNOWN_ACCOUNT;
    if (reason != REJECT_NONE) {
        model_reject_command(self, COMMAND_ADD_USER, reason);
        return;
    }
    self->users[user] = (struct model_user){.there = true, .account = command->account};
    struct event_user_added event = {.header =
                                         EVENT_HEADER(EVENT_USER_ADDED, struct event_user_added),
                                     .user = user,
                                     .account = command->account};
    model_emit(self, &event, sizeof event);
}

static enum reject check_key(const struct model *self, const struct command_add_key *command)
{
    if (!model_is_text(command->key_id, KEY_ID_BYTES)) return REJECT_INVALID_NAME;
    if (!model_user_is_there(self, command->user)) return REJECT_UNKNOWN_USER;
    if (command->scopes > SCOPE_READ + SCOPE_TRADE + SCOPE_ADMIN + SCOPE_REPORT)
        return REJECT_INVALID_MESSAGE;
    if (key_named(self, command->key_id)) return REJECT_KEY_EXISTS;
    if (self->key_count == self->limits.keys) return REJECT_KEYS_FULL;
    return REJECT_NONE;
}

void model_add_key(struct model *self, const struct command_add_key *command)
{
    enum reject reason = check_key(self, command);
    if (reason != REJECT_NONE) {
        model_reject_command(self, COMMAND_ADD_KEY, reason);
        return;
    }
    struct model_key *key = &self->keys[self->key_count++];
    memcpy(key->key_id, command->key_id, KEY_ID_BYTES);
    memcpy(key->sealed_secret, command->sealed_secret, SEALED_SECRET_BYTES);
    key->user = command->user;
    key->scopes = command->scopes;
    struct event_key_added event = {.header = EVENT_HEADER(EVENT_KEY_ADDED, struct event_key_added),
                                    .user = command->user,
                                    .scopes = command->scopes};
    memcpy(event.key_id, command->key_id, KEY_ID_BYTES);
    model_emit(self, &event, sizeof event);
}

void model_set_account(struct model *self, const struct command_set_account *command)
{
    enum reject reason = REJECT_NONE;
    if (!model_account_is_open(self, command->account))
        reason = REJECT_UNKNOWN_ACCOUNT;
    else if (command->stp > STP_ALLOW || command->fee_tier >= FEE_TIER_COUNT ||
             command->may_short > 1)
        reason = REJECT_INVALID_SETTING;
    if (reason != REJECT_NONE) {
        model_reject_command(self, COMMAND_SET_ACCOUNT, reason);
        return;
    }
    struct model_account *account = &self->accounts[command->account];
    account->stp = command->stp;
    account->fee_tier = command->fee_tier;
    account->may_short = command->may_short;
    model_emit_setting(self, COMMAND_SET_ACCOUNT, 0, command->account);
}
