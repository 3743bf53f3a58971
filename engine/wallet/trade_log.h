/* trade_log.h - the latest trades, so that they can be taken back.
 *
 * A ring in the arena: trade n lies at n modulo its length, and is gone when that many more have
 * happened. Owned by the engine's thread.
 */
#ifndef HOGA_WALLET_TRADE_LOG_H
#define HOGA_WALLET_TRADE_LOG_H

#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/units.h"
#include "engine/message/command.h"

struct trade_record {
    trade_id_t trade_id; /* 0: none */
    order_id_t buy_order_id;
    order_id_t sell_order_id;
    account_id_t buyer;
    account_id_t seller;
    instrument_id_t instrument;
    uint32_t busted;
    qty_t qty;
    px_t px;
    cash_t buyer_fee;
    cash_t seller_fee;
};

struct trade_log {
    struct trade_record *trades;
    uint32_t mask; /* limits.trades is a power of two */
};

void trade_log_init(struct trade_log *self, struct arena *arena, const struct limits *limits);

/* Where a trade goes; the caller fills it. */
static inline struct trade_record *trade_log_at(const struct trade_log *self, trade_id_t trade_id)
{
    return &self->trades[trade_id & self->mask];
}

/* NULL when there is no such trade, or it is too old. */
static inline struct trade_record *trade_log_find(const struct trade_log *self, trade_id_t trade_id)
{
    struct trade_record *t = trade_log_at(self, trade_id);
    return trade_id && t->trade_id == trade_id ? t : NULL;
}

#endif
