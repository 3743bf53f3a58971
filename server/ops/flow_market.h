/* flow_market.h - one symbol of the simulated market: a fair price that wanders, quotes around it,
 * orders that take, and what to do next. Integers only; the caller provides the randomness. Pure:
 * sends nothing. Owned by the flow's one thread.
 */
#ifndef HOGA_OPS_FLOW_MARKET_H
#define HOGA_OPS_FLOW_MARKET_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/units.h"

enum { FLOW_ORDERS_MAX = 200, FLOW_BROKERS_MAX = 8 };
#define FLOW_ASK_AGAIN_NS INT64_C(1000000000) /* a market that is not trading */

struct flow_order {
    bool open;      /* sent, and not known to be gone */
    bool canceling; /* its cancel is under way */
    uint8_t side;
    uint8_t broker;
    uint32_t serial; /* tells one use of this place from the next */
    px_t px;
};

enum flow_state {
    FLOW_ASKING, /* finding out where the market is */
    FLOW_QUOTING,
    FLOW_ASIDE, /* somebody has the book to himself: cancel, then wait */
};

struct flow_market {
    char symbol[SYMBOL_BYTES];
    px_t tick_px;
    qty_t lot_qty;
    enum flow_state state;
    int64_t ask_ns; /* FLOW_ASKING: not before; it takes no orders at the moment */
    px_t fair_px;
    px_t reference_px; /* the fair price is drawn back to it, weakly */
    struct flow_order orders[FLOW_ORDERS_MAX];
    uint32_t open_count;
    uint32_t serial;
    qty_t net_qty[FLOW_BROKERS_MAX]; /* bought less sold since the start */
};

enum flow_action_kind { FLOW_NOTHING, FLOW_PLACE, FLOW_TAKE, FLOW_CANCEL };

struct flow_action {
    enum flow_action_kind kind;
    uint8_t side;
    uint8_t broker;
    px_t px;
    qty_t qty;
    uint32_t place; /* in orders; of FLOW_PLACE and FLOW_CANCEL */
};

/* 64 random bits, never the same state twice; `state` starts as anything but 0. */
uint64_t flow_random(uint64_t *state);

/* Where quoting begins when nothing has traded: around a known symbol's price, or any. */
px_t flow_market_start_px(const char *symbol, px_t tick_px);

/* Puts the fair price somewhere; rounded to a tick, and at least some ticks. */
void flow_market_center(struct flow_market *self, px_t px);

/* The next thing to do for a market that is quoting. Orders are spread over `brokers`, so that
 * nobody's inventory runs away. FLOW_PLACE and FLOW_CANCEL are noted as done. */
struct flow_action flow_market_next(struct flow_market *self, unsigned brokers, uint64_t *random);

/* Any order that is still to be cancelled; noted as being so. False when there is none. `broker`
 * narrows it, or FLOW_BROKERS_MAX for all. */
bool flow_market_cancel_any(struct flow_market *self, unsigned broker, struct flow_action *action);

/* An order is gone. */
void flow_market_gone(struct flow_market *self, uint32_t place, uint32_t serial);

/* All orders of a broker are out of our hands: his connection is. */
void flow_market_lost(struct flow_market *self, unsigned broker);

#endif
