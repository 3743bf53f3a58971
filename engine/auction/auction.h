/* auction.h - at which price a book with crossed orders trades the most.
 *
 * Walks the levels of both sides from the best on as far as they cross, once each, and so finds the
 * price over all ticks without visiting them: between two levels nothing changes. MATCHING.md has
 * the rules and an example. Looks only; trading is the engine's. Owned by the engine's thread.
 */
#ifndef HOGA_AUCTION_H
#define HOGA_AUCTION_H

#include <stdint.h>

#include "engine/base/units.h"
#include "engine/book/book.h"

struct auction {
    uint32_t ticks; /* the price; 0: nothing would trade */
    qty_t paired_qty;
    qty_t imbalance_qty;    /* left over at the price */
    uint8_t imbalance_side; /* enum side; 0: neither */
};

/* `reference_ticks`: the reference price in ticks; 0: none. Trade prices and reference prices are
 * whole ticks. */
struct auction auction_find(const struct books *books, uint32_t instrument,
                            uint32_t reference_ticks);

#endif
