/* book.h - the open orders of all instruments, by price and then by time.
 *
 *   instrument --> side --> ladder --> level --> order <-> order <-> order
 *                                     (price)   (oldest ...... newest)
 *
 * An order id carries the slot of its order, so finding one takes no search. Knows nothing of
 * money or of who listens: the engine asks for the best order, fills it, and settles.
 * Owned by the engine's thread.
 */
#ifndef HOGA_BOOK_H
#define HOGA_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/units.h"
#include "engine/book/ladder.h"
#include "engine/message/command.h"

/* One cache line. */
struct book_order {
    order_id_t order_id; /* 0: free slot */
    px_t limit_px;
    qty_t order_qty;
    qty_t leaves_qty; /* > 0 while it is open */
    uint64_t cl_ord_id_hash;
    uint32_t level;
    uint32_t next; /* younger at the same price; in a free slot the next free one */
    uint32_t prev; /* older at the same price */
    account_id_t account;
    uint32_t instrument : 24;
    uint32_t side : 8;
    uint8_t ord_type;
    uint8_t time_in_force;
    uint16_t pad;
};
_Static_assert(sizeof(struct book_order) == 64, "an order is one cache line");

struct book_level {
    px_t px;
    qty_t qty;      /* sum of its orders' leaves_qty */
    uint32_t head;  /* oldest order; in a free level the next free one */
    uint32_t tail;  /* youngest */
    uint32_t count; /* orders */
    uint32_t key;   /* in its ladder */
};
_Static_assert(sizeof(struct book_level) == 32, "two levels a cache line");

struct book_side {
    uint32_t root;
    uint32_t best; /* level; 0 when the side is empty */
};

struct book_counts {
    uint64_t orders_made; /* the counter in order ids */
    uint32_t order_free, order_fresh, orders;
    uint32_t level_free, level_fresh, levels;
};

struct books {
    struct book_order *orders;    /* 0 is nobody */
    struct book_level *levels;    /* 0 is nobody */
    struct book_side (*sides)[2]; /* by instrument; buy, sell */
    struct book_counts *counts;
    struct ladder_pool pool;
    uint32_t order_max;
    uint32_t level_max;
};

void books_init(struct books *self, struct arena *arena, const struct limits *limits);

/* The next order id, with a slot of its own (an open order) or without (a rejected one). */
order_id_t book_next_id(struct books *self, bool with_slot);

bool book_has_order_room(const struct books *self);
bool book_has_level_room(const struct books *self);

/* The open order with this id; NULL when there is none. */
struct book_order *book_find(const struct books *self, order_id_t order_id);

/* The oldest order at the best price of a side; NULL when the side is empty. */
struct book_order *book_best(const struct books *self, instrument_id_t instrument, uint8_t side);

/* Puts an order, whose slot came from book_next_id(), last at its price. `tick_px` divides its
 * limit_px. There is room. */
void book_rest(struct books *self, const struct book_order *order, px_t tick_px);

/* Takes `qty` off a resting order (a fill or a reduction), keeping its place; an order with nothing
 * left leaves the book and its slot is free. */
void book_take(struct books *self, struct book_order *order, qty_t qty);

/* Gives back the slot of an order that never rested. */
void book_forget(struct books *self, order_id_t order_id);

/* The best level of a side, and the one behind a level; NULL at the end. */
const struct book_level *book_level_best(const struct books *self, instrument_id_t instrument,
                                         uint8_t side);
const struct book_level *book_level_after(const struct books *self, instrument_id_t instrument,
                                          uint8_t side, const struct book_level *level);

/* The level at exactly this price; NULL when nothing rests there. */
const struct book_level *book_level_at(const struct books *self, instrument_id_t instrument,
                                       uint8_t side, px_t px, px_t tick_px);

/* Whether an order of `side` at `px` may trade with one resting at `other_px`. */
static inline bool book_crosses(uint8_t side, px_t px, px_t other_px)
{
    return side == SIDE_BUY ? px >= other_px : px <= other_px;
}

/* CHECKs every link, sum and bitmap of one instrument's book, and that it is not crossed. Returns
 * the orders met. */
uint32_t book_validate(const struct books *self, instrument_id_t instrument, px_t tick_px);

/* CHECKs that slots and levels are either in a book or free: `orders` met in all books. */
void books_validate_slots(const struct books *self, uint32_t orders);

#endif
