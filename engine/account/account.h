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
    uint32_t max_messages; /* of its row; UINT32_MAX: none */
    cash_t open_notional;
    cash_t
        traded_notional; /* on traded_day, both sides; stays at INT64_MAX when it would pass it */
    uint64_t traded_day;
    cash_t max_exposure; /* of its row; INT64_MAX: none */
};

_Static_assert(sizeof(struct account) == 64, "an account is one cache line");

/* What every order meets of its user, the limits on one order among it: those of the user's row and
 * of its account's, whichever is stricter, so that there is one comparison to be made of each. They
 * are worked out when a row is set; engine_bounds.h. */
struct user {
    account_id_t account; /* 0: staff */
    uint32_t rate_second;
    uint32_t rate_count;
    uint8_t exists;
    uint8_t has_limits;
    uint8_t pad[2];
    user_id_t next_user;       /* of the same account; 0: the last */
    uint32_t max_messages;     /* of its own row; UINT32_MAX: none */
    uint32_t max_open_orders;  /* of its account; UINT32_MAX: none */
    uint32_t collar_ppm;       /* 0: none */
    qty_t max_order_qty;       /* INT64_MAX: none */
    cash_t max_order_notional; /* INT64_MAX: none */
    qty_t max_long_qty;        /* of its account; INT64_MAX: none */
    qty_t max_daily_qty;       /* of its own row; INT64_MAX: none, 0: the instrument's */
};

_Static_assert(sizeof(struct user) == 64, "a user is another");

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
    struct account *accounts;           /* by id; 0 is the house */
    struct user *users;                 /* by id */
    struct risk_limits *account_limits; /* as they were set */
    struct risk_limits *user_limits;
    user_id_t *first_users; /* by account: the user added last, who leads to the others */
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

/* Whether the user may act for the account; nobody may for account 0. */
static inline bool account_has_user(const struct accounts *self, account_id_t account,
                                    user_id_t user)
{
    return account && user < self->user_max && self->users[user].account == account;
}

enum reject account_open(struct accounts *self, const struct command_open_account *command);
enum reject account_add_user(struct accounts *self, const struct command_add_user *command);
enum reject account_add_key(struct accounts *self, const struct command_add_key *command);

/* NULL when there is no such key. `key_id` ends with a NUL or at KEY_ID_BYTES. */
const struct api_key *account_find_key(const struct accounts *self, const char *key_id);

#endif
