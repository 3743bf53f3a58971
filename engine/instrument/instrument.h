/* instrument.h - what is traded: symbols, ticks, lots and the limits of one order.
 *
 * Indexed by the ids that the administrator chose. Owned by the engine's thread.
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

struct instrument {
    char symbol[SYMBOL_BYTES]; /* empty: not listed */
    char name[NAME_BYTES];
    uint32_t pad;
    px_t tick_px;
    px_t max_px;
    qty_t lot_qty;
    qty_t max_order_qty;
    cash_t max_order_notional;
    px_t last_px;            /* of the last trade; 0 before */
    uint64_t book_update_id; /* counts the events that changed the book */
};

struct instruments {
    struct instrument *table;
    instrument_id_t *end; /* one past the highest listed; in the arena */
    uint32_t max;
};

void instruments_init(struct instruments *self, struct arena *arena, const struct limits *limits);

enum reject instrument_list(struct instruments *self,
                            const struct command_list_instrument *command);

/* NULL when it is not listed. */
struct instrument *instrument_find(const struct instruments *self, instrument_id_t instrument);

/* 0 when no instrument has this symbol. */
instrument_id_t instrument_find_symbol(const struct instruments *self, const char *symbol);

#endif
