/* instrument.h - what is traded: symbols, ticks, lots, sessions, bands, fees and limits.
 *
 * Indexed by the ids that the administrator chose. The first cache line is what a change of price
 * meets, the second what a new order meets besides, the third what a trade meets; the rest is
 * looked at less often. Owned by the engine's thread.
 */
#ifndef HOGA_INSTRUMENT_H
#define HOGA_INSTRUMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/units.h"
#include "engine/message/command.h"
#include "engine/message/reject.h"

enum { INSTRUMENT_TICKS_MAX = (1 << 24) - 1 }; /* highest price in ticks: what a ladder spans */
#define PLAIN_PX_MAX  INT64_C(0x7fffffff)
#define PLAIN_QTY_MAX INT64_C(0x7fffffff)

struct fee_rates {
    int32_t maker_ppm;
    int32_t taker_ppm;
};

/* What an ordinary order is compared with: worked out by engine_bounds.h whenever a setting or a
 * price has changed that it comes from, so that no order need do it. */
struct order_bounds {
    qty_t order_qty;  /* of one order, at most */
    cash_t notional;  /* of one order, at most */
    px_t worst_px[2]; /* of static band and collar: a buy's price is at most the first; a sell's,
                         taken below zero, is at most the second */
    qty_t long_qty;   /* position and open buys, at most */
    qty_t daily_qty;  /* of a user without a limit of its own, at most */
    px_t low_px;      /* of the bands: what may trade, both included */
    px_t high_px;
};

struct instrument {
    /* two cache lines that every order meets */
    struct order_bounds bounds;

    uint64_t tick_inverse; /* these three: see instrument_plain_ticks() */
    uint32_t plain_ticks_max;
    uint8_t tick_shift;
    uint8_t session;     /* enum session */
    uint8_t limit_state; /* 1: on */
    uint8_t currency;
    uint64_t book_update_id; /* counts the events that changed the book */
    px_t last_px;            /* of the last trade; 0 before */
    px_t reference_px;       /* 0: none */
    qty_t lot_qty;
    uint32_t max_fee_ppm;
    uint32_t index_weight;
    uint8_t tick_table; /* 0: none */
    uint8_t shortable;
    uint8_t has_bands;       /* 1: static_ppm, dynamic_ppm or collar_ppm is set */
    uint8_t has_more_limits; /* 1: one of max_long_qty, max_short_qty, max_daily_qty is set */
    uint8_t schedule;
    uint8_t pad[3];

    /* a third, for trades */
    struct fee_rates fees[FEE_TIER_COUNT];
    px_t tick_px; /* with a table: of its first row */
    px_t max_px;
    qty_t max_order_qty;       /* 0: none */
    cash_t max_order_notional; /* 0: none */

    uint32_t static_ppm;
    uint32_t dynamic_ppm;
    uint32_t collar_ppm;
    uint32_t parked_count; /* at-close orders that wait */
    uint32_t limit_state_ms;
    uint32_t halt_ms;
    uint32_t auction_ms;
    uint32_t halted_by_breaker; /* 1: the present halt is a circuit breaker's */
    uint32_t at_open_count;     /* AT_OPEN orders in the book */
    uint32_t pad2;
    qty_t max_long_qty;
    qty_t max_short_qty;
    qty_t max_daily_qty;
    /* what EVENT_AUCTION said last */
    px_t auction_px;
    qty_t auction_paired_qty;
    qty_t auction_imbalance_qty;
    uint8_t auction_side;
    uint8_t pad3[7];
    char symbol[SYMBOL_BYTES]; /* empty: not listed */
    char name[NAME_BYTES];
    uint32_t pad4[13];
};

_Static_assert(sizeof(struct order_bounds) == 64 && sizeof(struct instrument) % 64 == 0,
               "whole cache lines");

/* Rows of prices with one tick each. */
struct tick_table {
    px_t from_px[TICK_TABLE_ROWS];
    px_t tick_px[TICK_TABLE_ROWS];
    uint32_t from_ticks[TICK_TABLE_ROWS]; /* ticks below from_px */
    uint32_t rows;                        /* 0: not set */
    uint32_t used;                        /* 1: an instrument follows it: it is fixed */
};

struct instruments {
    struct instrument *table;
    struct tick_table *tick_tables; /* TICK_TABLE_COUNT */
    instrument_id_t *end;           /* one past the highest listed; in the arena */
    instrument_id_t *symbols;       /* by symbol: open addressing; 0: free slot */
    uint32_t symbol_slots;          /* a power of two */
    uint32_t max;
};

void instruments_init(struct instruments *self, struct arena *arena, const struct limits *limits);

/* `command` with the tail of version 2, zeros if it had none. The session is the caller's to begin.
 */
enum reject instrument_list(struct instruments *self,
                            const struct command_list_instrument *command);

enum reject instrument_set_tick_table(struct instruments *self,
                                      const struct command_set_tick_table *command);

/* NULL when it is not listed. */
static inline struct instrument *instrument_find(const struct instruments *self,
                                                 instrument_id_t instrument)
{
    if (instrument >= self->max) return NULL;
    struct instrument *i = &self->table[instrument];
    return i->symbol[0] ? i : NULL;
}

/* 0 when no instrument has this symbol. */
instrument_id_t instrument_find_symbol(const struct instruments *self, const char *symbol);

/* The slow ways of the functions below: through a table's rows. A price above that of the last tick
 * has the last tick; of a tick whose price would pass PX_MAX the price is not defined. */
uint32_t tick_table_ticks(const struct tick_table *table, px_t px);
px_t tick_table_px(const struct tick_table *table, uint32_t ticks);

/* A plain price in ticks: one that is small enough for products to be far from overflow, a multiple
 * of the tick and not above max_px. 0: it is not, or there is a table of ticks.
 *
 * Dividing is slow. A number that is a multiple of an odd one is divided by multiplying with the
 * inverse of that modulo 2^64, a power of two by shifting; what is no multiple ends up above all
 * quotients, where the bits that were lost come out at the top. (Granlund and Montgomery, Division
 * by Invariant Integers using Multiplication, section 9.) */
static inline uint32_t instrument_plain_ticks(const struct instrument *i, px_t px)
{
    uint64_t odd = (uint64_t)px * i->tick_inverse;
    uint64_t ticks = odd >> i->tick_shift | odd << (-i->tick_shift & 63);
    return ticks <= i->plain_ticks_max ? (uint32_t)ticks : 0;
}

/* A price in whole ticks, rounded down; `px` is 0 .. max_px. */
static inline uint32_t instrument_ticks(const struct instruments *self, const struct instrument *i,
                                        px_t px)
{
    if (__builtin_expect(i->tick_table, 0))
        return tick_table_ticks(&self->tick_tables[i->tick_table], px);
    /* 32 bits divide faster, and most prices and ticks have no more */
    if (__builtin_expect(((uint64_t)px | (uint64_t)i->tick_px) >> 32 == 0, 1))
        return (uint32_t)px / (uint32_t)i->tick_px;
    return (uint32_t)(px / i->tick_px);
}

/* And back: 0 .. INSTRUMENT_TICKS_MAX, as long as the price does not pass max_px. */
static inline px_t instrument_px(const struct instruments *self, const struct instrument *i,
                                 uint32_t ticks)
{
    if (__builtin_expect(i->tick_table, 0))
        return tick_table_px(&self->tick_tables[i->tick_table], ticks);
    return (px_t)ticks * i->tick_px;
}

/* Whether a price is one that orders may have; stores its ticks. */
static inline enum reject instrument_check_px(const struct instruments *self,
                                              const struct instrument *i, px_t px, uint32_t *ticks)
{
    if (px <= 0) return REJECT_INVALID_PX;
    if (px > i->max_px) return REJECT_PX_OUT_OF_RANGE;
    *ticks = instrument_ticks(self, i, px);
    return instrument_px(self, i, *ticks) == px ? REJECT_NONE : REJECT_INVALID_TICK;
}

/* px * ppm / 1,000,000, rounded down; px is not negative, ppm at most 1,000,000. */
static inline px_t px_width(px_t px, uint32_t ppm)
{
    if (__builtin_expect((uint64_t)px >> 43 == 0, 1)) /* ppm has at most 20 bits */
        return (px_t)((uint64_t)px * ppm / 1000000);
    return (px_t)((unsigned __int128)(uint64_t)px * ppm / 1000000);
}

#endif
