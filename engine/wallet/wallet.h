/* wallet.h - cash and shares of every account: what is available and what is held behind orders.
 *
 *              hold                     settle
 *   available ------> held (open order) ------> the other side's available
 *        ^------------- release -------'
 *
 * Double entry: every movement takes from one place what it gives to another; only deposits bring
 * anything in, and they are counted. The sum over all accounts of an asset equals what was
 * deposited of it, after every command. Since a deposit that would make that sum overflow is
 * refused, no other movement can overflow. Owned by the engine's thread.
 */
#ifndef HOGA_WALLET_H
#define HOGA_WALLET_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/units.h"
#include "engine/message/command.h"
#include "engine/message/reject.h"

struct wallet_cash {
    cash_t available;
    cash_t held;
};

/* Shares of one instrument in one account. */
struct wallet_position {
    account_id_t account; /* 0: free slot */
    instrument_id_t instrument;
    qty_t available;
    qty_t held;
};

struct wallet_counts {
    cash_t cash_deposited;
    uint64_t positions;
};

struct wallet {
    struct wallet_cash *cash;          /* by account */
    struct wallet_position *positions; /* open addressing, position_slots long, a power of two */
    qty_t *shares_deposited;           /* by instrument */
    struct wallet_counts *counts;
    uint32_t account_max;
    uint32_t instrument_max;
    uint32_t position_max;
    uint32_t position_slots;
};

void wallet_init(struct wallet *self, struct arena *arena, const struct limits *limits);

/* Cash when instrument is 0. Stores the new total (available and held) in `balance`. */
enum reject wallet_deposit(struct wallet *self, account_id_t account, instrument_id_t instrument,
                           int64_t qty, int64_t *balance);

/* NULL when the account never had any. */
const struct wallet_position *wallet_find_position(const struct wallet *self, account_id_t account,
                                                   instrument_id_t instrument);

/* Whether wallet_open_position() would succeed. */
bool wallet_has_position_room(const struct wallet *self, account_id_t account,
                              instrument_id_t instrument);

/* Makes sure that shares can be received: false when the table is full. */
bool wallet_open_position(struct wallet *self, account_id_t account, instrument_id_t instrument);

/* False, and nothing moved, when less is available. */
bool wallet_hold_cash(struct wallet *self, account_id_t account, cash_t cash);
bool wallet_hold_shares(struct wallet *self, account_id_t account, instrument_id_t instrument,
                        qty_t qty);

/* What was held for an order or a part of it becomes available again. */
void wallet_release_cash(struct wallet *self, account_id_t account, cash_t cash);
void wallet_release_shares(struct wallet *self, account_id_t account, instrument_id_t instrument,
                           qty_t qty);

/* A trade: the buyer pays `px` a share out of what was held at `buyer_limit_px` (the difference
 * becomes available), the seller gives held shares. The buyer's position is open. */
struct wallet_trade {
    account_id_t buyer;
    account_id_t seller;
    instrument_id_t instrument;
    qty_t qty;
    px_t px;
    px_t buyer_limit_px;
};
void wallet_settle(struct wallet *self, const struct wallet_trade *trade);

/* CHECKs that every asset's sum over all accounts equals its deposits and nothing is negative. */
void wallet_validate(const struct wallet *self);

#endif
