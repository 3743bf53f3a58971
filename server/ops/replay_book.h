/* replay_book.h - the replay's own orders as they must rest in the exchange's book: what was sent,
 * less what was cancelled, reduced and filled.
 *
 * Levels are few and sorted, best first; each is a list of orders in the order they came. Owned by
 * the replay's one thread.
 */
#ifndef HOGA_OPS_REPLAY_BOOK_H
#define HOGA_OPS_REPLAY_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/units.h"

struct replay_order {
    qty_t order_qty;  /* as it stands after reductions */
    qty_t leaves_qty; /* 0: not resting */
    uint32_t next;    /* of its level; REPLAY_NONE at the end */
    uint32_t prev;
};

#define REPLAY_NONE UINT32_MAX

struct replay_level {
    px_t px;
    qty_t qty;
    uint32_t first, last;
};

struct replay_side {
    uint8_t side; /* enum side */
    struct replay_level *levels;
    uint32_t count, capacity;
};

struct replay_book {
    struct replay_order *orders; /* by the caller's own numbers */
    struct replay_side bids, asks;
    uint32_t resting; /* orders */
};

/* For order numbers below `orders`. False without memory. */
bool replay_book_open(struct replay_book *self, uint32_t orders);
void replay_book_close(struct replay_book *self);

/* An order comes to rest, behind those of its price. False without memory. */
bool replay_book_add(struct replay_book *self, uint32_t order, uint8_t side, px_t px, qty_t qty);

/* Takes `qty` (at most what is left) off an order that rests. `side` and `px` are the order's. */
void replay_book_take(struct replay_book *self, uint32_t order, uint8_t side, px_t px, qty_t qty);

/* The level that an order of this side and price would trade with first; NULL when it would
 * rest. Valid until the book changes. */
const struct replay_level *replay_book_meets(const struct replay_book *self, uint8_t side, px_t px);

#endif
