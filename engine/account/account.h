/* account.h - who there is: accounts, users and their API keys; what an account's orders add up to
 * and what it may do. Money and shares are the wallet's.
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
#include "engine/risk/risk.h"

/* What every order meets of its account: one cache line. */
struct account {
    uint8_t open;    /* 1: it exists */
    uint8_t blocked; /* by its kill switch */
    uint8_t may_short;
    uint8_t stp; /* enum stp, never STP_ACCOUNT */
    uint8_t fee_tier;
    uint8_t has_limits; /* 1: its row of limits is not all zeros */
    uint8_t pad[2];
    uint32_t rate_second; /* the second of the clock that rate_count counts in */
    uint32_t rate_count;
    uint32_t open_orders;
    uint32_t first_order; /* slots of its open orders, in the order of acceptance */
    uint32_t last_order;
    uint32_t pad3;
    cash_t open_notional;
    cash_t
        traded_notional; /* on traded_day, both sides; stays at INT64_MAX when it would pass it */
    uint64_t traded_day;
    uint64_t pad2;
};

_Static_assert(sizeof(struct account) == 64, "an account is one cache line");

struct user {
    account_id_t account; /* 0: staff */
    uint32_t rate_second;
    uint32_t rate_count;
    uint8_t exists;
    uint8_t has_limits;
    uint8_t pad[2];
};

struct api_key {
    char key_id[KEY_ID_BYTES]; /* empty: free slot */
    user_id_t user;
    uint32_t scopes; /* enum scope */
    uint8_t sealed_secret[SEALED_SECRET_BYTES];
    uint32_t pad;
};

struct name {
    char text[NAME_BYTES];
};

/* What is counted, in the arena with the rest of the state. */
struct account_counts {
    uint32_t keys;
    account_id_t account_end; /* one past the highest opened */
};

/* Where the tables lie in this process. */
struct accounts {
    struct account *accounts; /* by id; 0 is the house */
    struct user *users;       /* by id */
    struct risk_limits *account_limits;
    struct risk_limits *user_limits;
    struct name *account_names;
    struct name *user_names;
    struct api_key *keys; /* open addressing, key_slots long, a power of two */
    struct account_counts *counts;
    uint32_t account_max;
    uint32_t user_max;
    uint32_t key_max;
    uint32_t key_slots;
};

void accounts_init(struct accounts *self, struct arena *arena, const struct limits *limits);

/* False for the house, too. */
static inline bool account_is_open(const struct accounts *self, account_id_t account)
{
    return account > 0 && account < self->account_max && self->accounts[account].open;
}

static inline bool user_exists(const struct accounts *self, user_id_t user)
{
    return user > 0 && user < self->user_max && self->users[user].exists;
}

/* Whether the user may act for the account. */
static inline bool account_has_user(const struct accounts *self, account_id_t account,
                                    user_id_t user)
{
    return user_exists(self, user) && self->users[user].account == account;
}

enum reject account_open(struct accounts *self, const struct command_open_account *command);
enum reject account_add_user(struct accounts *self, const struct command_add_user *command);
enum reject account_add_key(struct accounts *self, const struct command_add_key *command);

/* NULL when there is no such key. `key_id` ends with a NUL or at KEY_ID_BYTES. */
const struct api_key *account_find_key(const struct accounts *self, const char *key_id);

#endif
