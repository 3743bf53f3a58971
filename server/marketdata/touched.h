/* touched.h - the price levels of one book that changed since somebody last looked, each once.
 *
 * An open-addressed index over a short list; emptying it costs what was in it. Owned by the
 * market's thread.
 */
#ifndef HOGA_MARKETDATA_TOUCHED_H
#define HOGA_MARKETDATA_TOUCHED_H

#include "server/marketdata/market.h"

enum { TOUCHED_SLOTS = 2 * MARKET_TOUCHED_MAX }; /* a power of two, at most half full */

/* Zeroed: empty. */
struct touched {
    struct touched_level levels[MARKET_TOUCHED_MAX];
    unsigned count;
    bool overflow;
    uint16_t slots[TOUCHED_SLOTS]; /* index into levels + 1; 0: free */
};

/* Notes a level. When there is no room it is lost and `overflow` set until the next clear. */
void touched_mark(struct touched *self, uint8_t side, px_t px);

void touched_clear(struct touched *self);

#endif
