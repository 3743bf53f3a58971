/* market.h - public market data, derived from events: trades, candles, changed levels, what was
 * last announced of sessions and auctions.
 *
 * Bounded memory: the newest trades and candles of each instrument; older ones are in PostgreSQL.
 * Books themselves are read from the replica's engine; what is kept here is which levels a
 * command touched, for the streams. Owned by one thread; derived from events alone, so that a
 * restart rebuilds the same.
 */
#ifndef HOGA_MARKETDATA_MARKET_H
#define HOGA_MARKETDATA_MARKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/units.h"
#include "engine/message/event.h"

enum candle_interval {
    CANDLE_1S,
    CANDLE_1M,
    CANDLE_5M,
    CANDLE_15M,
    CANDLE_1H,
    CANDLE_1D,
    CANDLE_INTERVALS
};

enum { MARKET_TRADES_KEPT = 4096, MARKET_CANDLES_KEPT = 1500, MARKET_TOUCHED_MAX = 512 };

struct trade {
    trade_id_t trade_id;
    int64_t time_ns;
    px_t px;
    qty_t qty;
    uint8_t taker_side; /* enum side of the order that removed liquidity; 0: of an auction */
    bool busted;        /* taken back since; the candles are of what was printed */
};

/* An instrument's session, as announced. */
struct session_print {
    uint8_t session;  /* enum session; 0: nothing was announced, it is as it was listed */
    uint8_t cause;    /* enum session_cause */
    bool limit_state; /* one side is stopped by a price band */
    int64_t since_ns;
};

/* The newest announcement of an auction: what it would give, or has given. */
struct auction_print {
    int64_t time_ns; /* 0: there was none in this session */
    px_t px;         /* 0: nothing would trade */
    qty_t paired_qty;
    qty_t imbalance_qty;
    uint8_t imbalance_side; /* enum side; 0: neither */
    bool final;
};

struct candle {
    int64_t start_ns;
    px_t open_px, high_px, low_px, close_px;
    qty_t volume;
    uint32_t trade_count;
    trade_id_t first_trade_id, last_trade_id; /* 0 in a candle without trades, which is flat */
};

struct touched_level {
    uint8_t side;
    px_t px;
};

struct market;

/* `instruments` bounds instrument ids. NULL without memory. */
struct market *market_create(uint32_t instruments);
void market_destroy(struct market *self);

/* How many events could not be kept for want of memory: 0 on a healthy machine. */
uint64_t market_lost(const struct market *self);

/* Replica's hook, for each event of whatever kind, in order: `message` is header and block, of
 * `length` bytes. May allocate, until the instrument's memory has its full size. */
void market_event(struct market *self, int64_t time_ns, const void *message, size_t length);

/* The part of it that executions have. Takes nothing from what version 2 appends to them. */
void market_execution(struct market *self, int64_t time_ns, const struct event_execution *event);

/* What was announced last. False while nothing has ever happened in the instrument. */
bool market_session(const struct market *self, instrument_id_t instrument,
                    struct session_print *print);
bool market_auction(const struct market *self, instrument_id_t instrument,
                    struct auction_print *print);

/* The trades of an instrument with trade_id >= from_id (0: the newest), at most `max`, ascending.
 * Returns how many. */
unsigned market_trades(const struct market *self, instrument_id_t instrument, trade_id_t from_id,
                       struct trade *trades, unsigned max);

/* Candles that start in [start_ns, end_ns), ascending, the newest `max` of them; the last one may
 * still be open. Periods without trades after the first trade are given too, flat at the close
 * before, up to now_ns. Returns how many. */
unsigned market_candles(const struct market *self, instrument_id_t instrument,
                        enum candle_interval interval, int64_t start_ns, int64_t end_ns,
                        int64_t now_ns, struct candle *candles, unsigned max);

int64_t candle_interval_ns(enum candle_interval interval);
bool candle_interval_parse(const char *text, enum candle_interval *interval); /* "1s" ... "1d" */
const char *candle_interval_text(enum candle_interval interval);

/* The levels that events touched since the last market_clear_touched(), each once.
 * `overflow`: more than MARKET_TOUCHED_MAX, or levels that no event names; send snapshots. */
const struct touched_level *market_touched(const struct market *self, instrument_id_t instrument,
                                           unsigned *count, bool *overflow);
void market_clear_touched(struct market *self, instrument_id_t instrument);

#endif
