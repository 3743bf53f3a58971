/* wallet.h - cash and shares of every account: what is available and what is held behind orders.
 *
 *              hold                     settle
 *   available ------> held (open order) ------> the other side's available
 *        ^------------- release -------'              |
 *                                              fee -> the house (account 0)
 *
 * Double entry: every movement takes from one place what it gives to another; only deposits bring
 * anything in and only withdrawals take it out, and both are counted. Beside each asset's total
 * stands the sum over all accounts, kept by the movements themselves, so that the engine can
 * compare the two after every command at the cost of a subtraction.
 *
 * No sum can overflow: deposits of an asset are at most WALLET_MAX, the house may owe at most
 * WALLET_HOUSE_FLOOR, positions are bounded when orders are accepted, and a movement by command
 * that would leave an account more than a number can say is refused. Owned by the engine's
 * thread.
 */
#ifndef HOGA_WALLET_H
#define HOGA_WALLET_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/message/command.h"
#include "engine/message/reject.h"

#define WALLET_MAX         (INT64_C(1) << 62)
#define WALLET_HOUSE_FLOOR (-(INT64_C(1) << 61))

struct wallet_cash {
    cash_t available;
    cash_t held;
};

/* Shares of one instrument in one account. */
struct wallet_position {
    account_id_t account; /* 0: free slot */
    instrument_id_t instrument;
    qty_t available;    /* below zero when short */
    qty_t held;         /* behind open sell orders */
    qty_t open_buy_qty; /* leaves of open buy orders */
};

_Static_assert(sizeof(struct wallet_position) == 32, "two to a cache line");

/* One asset over all accounts, the house included. */
struct wallet_total {
    int64_t deposited; /* less withdrawals */
    int64_t sum;       /* of all balances, kept by the movements */
};

struct wallet {
    struct wallet_cash *cash;          /* CURRENCY_COUNT by account; 0 is the house */
    struct wallet_position *positions; /* open addressing, a power of two; slot 0 is never used */
    qty_t *house_shares;               /* by instrument */
    struct wallet_total *cash_totals;  /* by currency */
    struct wallet_total *share_totals; /* by instrument */
    uint64_t *position_count;          /* in the arena */
    uint32_t *short_counts;            /* by account: how many positions are below zero */
    uint32_t account_max;
    uint32_t instrument_max;
    uint32_t position_max;
    uint32_t position_slots;
};

void wallet_init(struct wallet *self, struct arena *arena, const struct limits *limits);

static inline struct wallet_cash *wallet_cash_of(const struct wallet *self, account_id_t account,
                                                 uint32_t currency)
{
    return &self->cash[(uint64_t)account * CURRENCY_COUNT + currency];
}

/* For prefetching: where the pair is most probably found. */
static inline const struct wallet_position *
wallet_position_home(const struct wallet *self, account_id_t account, instrument_id_t instrument)
{
    uint32_t slot = (uint32_t)hash_pair(account, instrument) & (self->position_slots - 1);
    return &self->positions[slot];
}

/* The slow way of the next function. */
uint32_t wallet_search_position(const struct wallet *self, account_id_t account,
                                instrument_id_t instrument);

/* The pair's slot; 0 when the account never had any, as the house never has. */
static inline uint32_t wallet_find_position(const struct wallet *self, account_id_t account,
                                            instrument_id_t instrument)
{
    const struct wallet_position *home = wallet_position_home(self, account, instrument);
    if (__builtin_expect(account && home->account == account && home->instrument == instrument, 1))
        return (uint32_t)(home - self->positions);
    return wallet_search_position(self, account, instrument);
}

/* The same, made if it was not there; 0 when the table is full. */
uint32_t wallet_open_position(struct wallet *self, account_id_t account,
                              instrument_id_t instrument);

static inline bool wallet_has_position_room(const struct wallet *self)
{
    return *self->position_count < self->position_max;
}

/* ---- holds; the engine has checked what must be there ---- */

static inline void wallet_hold_cash(struct wallet_cash *c, cash_t cash)
{
    c->available -= cash;
    c->held += cash;
}

static inline void wallet_release_cash(struct wallet_cash *c, cash_t cash)
{
    CHECK(c->held >= cash);
    c->held -= cash;
    c->available += cash;
}

static inline void wallet_hold_shares(struct wallet_position *p, qty_t qty)
{
    p->available -= qty;
    p->held += qty;
}

static inline void wallet_release_shares(struct wallet_position *p, qty_t qty)
{
    CHECK(p->held >= qty);
    p->held -= qty;
    p->available += qty;
}

/* Cash into or out of an account (or the house) by a movement that has another side. */
static inline void wallet_move_cash(struct wallet *self, account_id_t account, uint32_t currency,
                                    cash_t cash)
{
    wallet_cash_of(self, account, currency)->available += cash;
    self->cash_totals[currency].sum += cash;
}

/* An account's position has gone below zero, or come back. */
void wallet_count_short(struct wallet *self, account_id_t account, bool is_short);

/* Shares into or (qty below zero) out of what is available, by a movement that has another side. */
static inline void wallet_move_shares(struct wallet *self, struct wallet_position *p, qty_t qty)
{
    qty_t before = p->available + p->held;
    p->available += qty;
    if (__builtin_expect((before < 0) != (before + qty < 0), 0))
        wallet_count_short(self, p->account, before + qty < 0);
    self->share_totals[p->instrument].sum += qty;
}

/* Whether so many shares more, and all of its open buys, leave the position a number. */
static inline bool wallet_shares_fit(const struct wallet_position *p, qty_t qty)
{
    qty_t after;
    return !__builtin_add_overflow(p->available + p->held, qty, &after) &&
           !__builtin_add_overflow(after, p->open_buy_qty, &after);
}

/* Whether the asset's balances add up to what was deposited. */
static inline bool wallet_cash_adds_up(const struct wallet *self, uint32_t currency)
{
    return self->cash_totals[currency].sum == self->cash_totals[currency].deposited;
}

static inline bool wallet_shares_add_up(const struct wallet *self, instrument_id_t instrument)
{
    return self->share_totals[instrument].sum == self->share_totals[instrument].deposited;
}

/* ---- movements by command. `asset` names an instrument that is listed, or a currency ---- */

/* Each stores the account's new total (available and held). qty is positive. */
enum reject wallet_deposit(struct wallet *self, account_id_t account, asset_t asset, int64_t qty,
                           int64_t *balance);
enum reject wallet_withdraw(struct wallet *self, account_id_t account, asset_t asset, int64_t qty,
                            int64_t *balance);
/* Either account may be 0, the house, not both. */
enum reject wallet_transfer(struct wallet *self, account_id_t from, account_id_t to, asset_t asset,
                            int64_t qty, int64_t *from_balance, int64_t *to_balance);

/* CHECKs every asset's sums by adding up all accounts, and that nothing but short positions and the
 * house is negative. Slow, for tests. */
void wallet_validate(const struct wallet *self);

#endif
