/* book.h - all order books: which orders are open, at which price, in which order of time.
 *
 * A book has four ladders: what buys and sells, and the stops that wait, by stop price. Knows
 * prices in ticks, quantities and who comes first; who may trade, what it costs and what is told
 * about it are the engine's. Owned by the engine's thread; nothing allocates, indices lie in the
 * arena with the rest of the state.
 *
 *   ladder --> level --> order <-> order <-> order        oldest first
 *                        slot: the lowest 24 bits of its id
 */
#ifndef HOGA_BOOK_H
#define HOGA_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/check.h"
#include "engine/base/units.h"
#include "engine/book/ladder.h"
#include "engine/message/command.h"

enum book_ladder { LADDER_BIDS, LADDER_ASKS, LADDER_BUY_STOPS, LADDER_SELL_STOPS, LADDER_COUNT };

/* Where an open order is; engine.h's enum order_place from 1 on. */
enum book_place { PLACE_NOWHERE = 0, PLACE_BOOK = 1, PLACE_STOP = 2, PLACE_PARKED = 3 };

/* What matching needs of an order: one cache line. */
struct book_order {
    order_id_t order_id; /* 0: free slot */
    px_t limit_px;       /* market and stop: the collar price */
    qty_t order_qty;
    qty_t leaves_qty;
    account_id_t account;
    uint32_t position; /* index in the wallet */
    uint32_t volume;   /* index among the day's volumes */
    uint32_t prev;     /* slots of its level, or of the parked list; free: next is the next free */
    uint32_t next;
    uint32_t at;           /* its level, in book and stops */
    uint16_t instrument;   /* instrument_id_t; limits keep it below 65,536 */
    uint8_t place;         /* enum book_place */
    uint8_t triggered : 1; /* a stop that has been */
    uint8_t post_only : 1; /* as order_more.exec_inst has it: a move need not look there */
    uint8_t pad : 6;
    /* these four never change, and lie as an execution has the first three */
    uint8_t side; /* enum side */
    uint8_t ord_type;
    uint8_t time_in_force;
    uint8_t iceberg; /* 1: order_more.shown_qty counts, not leaves_qty */
};

/* The rest: on another line, since a fill does not need it. */
struct order_more {
    uint64_t cl_ord_id_hash; /* 0: none */
    px_t stop_px;
    qty_t display_qty;
    qty_t shown_qty; /* of an iceberg */
    int64_t expire_ns;
    uint32_t account_prev; /* slots of the account's open orders, in the order of acceptance */
    uint32_t account_next;
    uint8_t exec_inst;
    uint8_t stp;
    uint8_t pad[14];
};

_Static_assert(sizeof(struct book_order) == 64, "an order is one cache line");
_Static_assert(sizeof(struct order_more) == 64, "and another");

struct book_counts {
    uint64_t orders_made; /* ids given */
    uint32_t order_free;
    uint32_t order_fresh; /* first slot never used */
    uint32_t orders;      /* slots in use */
    uint32_t pad;
};

/* At-close orders that wait, oldest first; in the arena, by instrument. */
struct parked_list {
    uint32_t head, tail;
};

struct books {
    struct book_order *orders;  /* by slot; 0 is nobody */
    struct order_more *more;    /* by slot */
    struct ladder *ladders;     /* LADDER_COUNT by instrument */
    struct parked_list *parked; /* by instrument */
    struct ladder_pool pool;
    struct book_counts *counts;
    uint32_t order_max;
};

void books_init(struct books *self, struct arena *arena, const struct limits *limits);

static inline uint32_t slot_of(order_id_t order_id)
{
    return (uint32_t)(order_id & ((UINT64_C(1) << ORDER_SLOT_BITS) - 1));
}

static inline struct ladder *book_ladder(const struct books *self, uint32_t instrument,
                                         enum book_ladder which)
{
    return &self->ladders[instrument * LADDER_COUNT + which];
}

/* Sides come at random, and a branch on one is mispredicted every other time: so what follows is
 * arithmetic. SIDE_BUY is '1', SIDE_SELL is '2'. */

/* The ladder that holds orders of a side, and the one they trade with. */
static inline enum book_ladder book_ladder_for(uint8_t side)
{
    return (enum book_ladder)(side - SIDE_BUY);
}

static inline struct ladder *book_own(const struct books *self, uint32_t instrument, uint8_t side)
{
    return &self->ladders[instrument * LADDER_COUNT + (uint32_t)(side - SIDE_BUY)];
}

static inline struct ladder *book_opposite(const struct books *self, uint32_t instrument,
                                           uint8_t side)
{
    return &self->ladders[instrument * LADDER_COUNT + (uint32_t)(SIDE_SELL - side)];
}

/* A price in ticks as a key of bids and sell stops (turned: LADDER_KEY_MAX - ticks), or of asks and
 * buy stops. */
static inline uint32_t book_key(enum book_ladder which, uint32_t ticks)
{
    uint32_t straight = ((uint32_t)which ^ (uint32_t)which >> 1) & 1; /* by the enum's order */
    return ticks ^ ((straight - 1) & LADDER_KEY_MAX);
}

/* The worst key of the opposite ladder that an order of this side and limit may trade with. */
static inline uint32_t book_limit_key(uint8_t side, uint32_t ticks)
{
    return ticks ^ (-(uint32_t)(side - SIDE_BUY) & LADDER_KEY_MAX);
}

/* ---- slots ---- */

static inline bool book_has_order_room(const struct books *self)
{
    return self->counts->order_free || self->counts->order_fresh < self->order_max;
}

/* The next order id: with a slot of its own (there is room), or for an order that is rejected. */
order_id_t book_next_id(struct books *self, bool with_slot);

/* Frees the slot of an order that is nowhere. */
void book_free(struct books *self, struct book_order *order);

/* NULL when the id names no open order. */
static inline struct book_order *book_find(const struct books *self, order_id_t order_id)
{
    uint32_t slot = slot_of(order_id);
    if (slot - 1 >= self->order_max - 1) return NULL; /* 0, too */
    struct book_order *order = &self->orders[slot];
    return order->order_id == order_id ? order : NULL;
}

static inline struct order_more *book_more(const struct books *self, const struct book_order *order)
{
    return &self->more[order - self->orders];
}

/* What of it can trade before it goes to the tail. */
static inline qty_t book_shown(const struct books *self, const struct book_order *order)
{
    return __builtin_expect(order->iceberg, 0) ? book_more(self, order)->shown_qty
                                               : order->leaves_qty;
}

/* ---- orders in their places ---- */

/* Puts an order that is nowhere behind all others of its price, in the book or among the stops.
 * `ticks` is its limit price, or its stop price. There is room for a level. An iceberg shows as
 * much as it may. `near_at`: see ladder_make(). */
void book_rest(struct books *self, struct book_order *order, enum book_ladder which, uint32_t ticks,
               uint32_t near_at);

/* Takes an order out of book, stops or parked list; it is nowhere then. */
void book_remove(struct books *self, struct book_order *order);

/* An order in the book or among the stops loses a part of its leaves, not all, and keeps its place;
 * an iceberg shows what it may still. */
void book_reduce(struct books *self, struct book_order *order, qty_t qty);

/* A part of an order in the book has traded. One that is filled is taken out and is nowhere then;
 * an iceberg whose shown part is filled shows the next at the tail of its level, unless it
 * `keeps_place` (in auctions, where all of it counts). Returns what it has left. */
qty_t book_fill(struct books *self, struct book_order *order, qty_t qty, bool keeps_place);

/* Behind all others that wait for the closing auction. */
void book_park(struct books *self, struct book_order *order);

/* The first order of the best level; NULL when the ladder is empty. */
static inline struct book_order *book_first(const struct books *self, const struct ladder *ladder)
{
    return ladder->best_at ? &self->orders[self->pool.levels[ladder->best_at].head] : NULL;
}

/* The order behind this one in its ladder, down the level and then on to the next; NULL at the
 * end. */
struct book_order *book_next(const struct books *self, const struct ladder *ladder,
                             const struct book_order *order);

/* ---- the checker ---- */

/* Walks all ladders of one instrument; CHECKs links, levels, bitmaps, totals and that the order of
 * time holds. Returns how many orders it has in all places. */
uint32_t book_validate(const struct books *self, uint32_t instrument);

/* CHECKs that no slot, block or node has leaked; `orders` is the sum of book_validate()'s. */
void books_validate_slots(const struct books *self, uint32_t orders);

#endif
