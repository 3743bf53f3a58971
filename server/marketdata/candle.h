/* candle.h - one series of candles of one instrument and interval, in bounded memory.
 *
 * Only periods with trades are stored; those without are made when asked for, flat at the close
 * before them. Owned by the market's thread.
 *
 *   stored:   |c0|    |c2|c3|         |c6|
 *   given:    |c0|flat|c2|c3|flat|flat|c6|flat ... up to now
 */
#ifndef HOGA_MARKETDATA_CANDLE_H
#define HOGA_MARKETDATA_CANDLE_H

#include "server/marketdata/market.h"

/* Zeroed: empty, nothing allocated. */
struct candle_series {
    struct candle *candles; /* a ring of `capacity`, the oldest at `first` */
    uint32_t capacity;
    uint32_t first;
    uint32_t count;
};

void candle_series_free(struct candle_series *self);

/* Folds a trade in; trades come in ascending time. May allocate until the series has
 * MARKET_CANDLES_KEPT; afterwards the oldest gives its place. Returns false when the series could
 * not take even one candle for want of memory. */
bool candle_series_trade(struct candle_series *self, int64_t interval_ns,
                         const struct trade *trade);

/* market_candles() of one series. */
unsigned candle_series_range(const struct candle_series *self, int64_t interval_ns,
                             int64_t start_ns, int64_t end_ns, int64_t now_ns,
                             struct candle *candles, unsigned max);

#endif
