#include "server/marketdata/market.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "server/marketdata/candle.h"
#include "server/marketdata/touched.h"

enum { TRADES_FIRST_CAPACITY = 64 };

/* What one instrument has; made at its first execution. */
struct instrument_market {
    struct trade *trades; /* a ring of `trade_capacity`, the oldest at `trade_first` */
    uint32_t trade_capacity;
    uint32_t trade_first;
    uint32_t trade_count;
    struct candle_series series[CANDLE_INTERVALS];
    struct touched touched;
};

struct market {
    uint32_t instruments;
    uint64_t lost; /* for want of memory */
    struct instrument_market *of[];
};

struct market *market_create(uint32_t instruments)
{
    struct market *self = calloc(1, sizeof *self + instruments * sizeof self->of[0]);
    if (self) self->instruments = instruments;
    return self;
}

void market_destroy(struct market *self)
{
    if (!self) return;
    for (uint32_t i = 0; i < self->instruments; i++) {
        struct instrument_market *m = self->of[i];
        if (!m) continue;
        for (unsigned k = 0; k < CANDLE_INTERVALS; k++) candle_series_free(&m->series[k]);
        free(m->trades);
        free(m);
    }
    free(self);
}

uint64_t market_lost(const struct market *self)
{
    return self->lost;
}

static const struct instrument_market *find(const struct market *self, instrument_id_t instrument)
{
    return instrument < self->instruments ? self->of[instrument] : NULL;
}

static struct trade *trade_at(const struct instrument_market *m, uint32_t index)
{
    CHECK(index < m->trade_count);
    uint32_t place = m->trade_first + index;
    return &m->trades[place < m->trade_capacity ? place : place - m->trade_capacity];
}

/* Keeps a trade; the ring grows while it may, then the oldest gives its place. */
static bool keep_trade(struct instrument_market *m, const struct trade *trade)
{
    if (m->trade_count == m->trade_capacity && m->trade_capacity < MARKET_TRADES_KEPT &&
        m->trade_first == 0) {
        uint32_t capacity = m->trade_capacity ? m->trade_capacity * 2 : TRADES_FIRST_CAPACITY;
        if (capacity > MARKET_TRADES_KEPT) capacity = MARKET_TRADES_KEPT;
        struct trade *grown = realloc(m->trades, capacity * sizeof *grown);
        if (grown) {
            m->trades = grown;
            m->trade_capacity = capacity;
        }
    }
    if (m->trade_capacity == 0) return false;
    if (m->trade_count == m->trade_capacity) {
        m->trade_first = m->trade_first + 1 < m->trade_capacity ? m->trade_first + 1 : 0;
        m->trade_count--;
    }
    m->trade_count++;
    *trade_at(m, m->trade_count - 1) = *trade;
    return true;
}

void market_execution(struct market *self, int64_t time_ns, const struct event_execution *event)
{
    /* A rejected order may name anything, also an instrument that does not exist. */
    if (event->exec_type == EXEC_REJECTED) return;
    CHECK(event->instrument < self->instruments);

    struct instrument_market *m = self->of[event->instrument];
    if (!m) m = self->of[event->instrument] = calloc(1, sizeof *m);
    if (!m) {
        self->lost++;
        return;
    }
    touched_mark(&m->touched, event->side, event->limit_px);

    /* Each trade has two executions; the taker's makes the print. */
    if (event->exec_type != EXEC_TRADE || event->last_liquidity != LIQUIDITY_REMOVED) return;
    struct trade trade = {
        .trade_id = event->trade_id,
        .time_ns = time_ns,
        .px = event->last_px,
        .qty = event->last_qty,
        .taker_side = event->side,
    };
    bool kept = keep_trade(m, &trade);
    for (unsigned k = 0; k < CANDLE_INTERVALS; k++)
        kept &=
            candle_series_trade(&m->series[k], candle_interval_ns((enum candle_interval)k), &trade);
    if (!kept) self->lost++;
}

/* How many kept trades have a smaller id. */
static uint32_t count_before(const struct instrument_market *m, trade_id_t trade_id)
{
    uint32_t low = 0, high = m->trade_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (trade_at(m, middle)->trade_id < trade_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

unsigned market_trades(const struct market *self, instrument_id_t instrument, trade_id_t from_id,
                       struct trade *trades, unsigned max)
{
    const struct instrument_market *m = find(self, instrument);
    if (!m) return 0;

    uint32_t from = count_before(m, from_id);
    if (from_id == 0 && m->trade_count > max) from = m->trade_count - max;
    unsigned count = 0;
    for (; count < max && from + count < m->trade_count; count++)
        trades[count] = *trade_at(m, from + count);
    return count;
}

unsigned market_candles(const struct market *self, instrument_id_t instrument,
                        enum candle_interval interval, int64_t start_ns, int64_t end_ns,
                        int64_t now_ns, struct candle *candles, unsigned max)
{
    const struct instrument_market *m = find(self, instrument);
    if (!m) return 0;
    return candle_series_range(&m->series[interval], candle_interval_ns(interval), start_ns, end_ns,
                               now_ns, candles, max);
}

const struct touched_level *market_touched(const struct market *self, instrument_id_t instrument,
                                           unsigned *count, bool *overflow)
{
    const struct instrument_market *m = find(self, instrument);
    *count = m ? m->touched.count : 0;
    *overflow = m ? m->touched.overflow : false;
    return m ? m->touched.levels : NULL;
}

void market_clear_touched(struct market *self, instrument_id_t instrument)
{
    if (instrument < self->instruments && self->of[instrument])
        touched_clear(&self->of[instrument]->touched);
}
