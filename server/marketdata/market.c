#include "server/marketdata/market.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "server/marketdata/candle.h"
#include "server/marketdata/touched.h"

enum { TRADES_FIRST_CAPACITY = 64, ORDERS_FIRST_CAPACITY = 4096 };

#define SLOT_OF(order_id) ((uint32_t)((order_id) & ((UINT32_C(1) << ORDER_SLOT_BITS) - 1)))

/* What one instrument has; made at its first event. */
struct instrument_market {
    struct trade *trades; /* a ring of `trade_capacity`, the oldest at `trade_first` */
    uint32_t trade_capacity;
    uint32_t trade_first;
    uint32_t trade_count;
    struct candle_series series[CANDLE_INTERVALS];
    struct touched touched;
    struct session_print session;
    struct auction_print auction;
};

struct market {
    uint32_t instruments;
    uint64_t lost; /* for want of memory */
    /* by an order's slot: where it rests, or did before the slot was free. A replaced order's
     * execution says where it is from now on; this is where it was. */
    px_t *order_px;
    uint32_t order_capacity;
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
    free(self->order_px);
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

/* The instrument's own, made when it is not there yet; NULL without memory. */
static struct instrument_market *market_of(struct market *self, instrument_id_t instrument)
{
    CHECK(instrument < self->instruments);
    struct instrument_market *m = self->of[instrument];
    if (!m) m = self->of[instrument] = calloc(1, sizeof *m);
    if (!m) self->lost++;
    return m;
}

/* Where the order's price is remembered; NULL without memory. */
static px_t *px_of_order(struct market *self, order_id_t order_id)
{
    uint32_t slot = SLOT_OF(order_id);
    if (slot >= self->order_capacity) {
        uint32_t capacity = self->order_capacity ? self->order_capacity : ORDERS_FIRST_CAPACITY;
        while (capacity <= slot) capacity *= 2;
        px_t *grown = realloc(self->order_px, capacity * sizeof *grown);
        if (!grown) return NULL;
        memset(grown + self->order_capacity, 0, (capacity - self->order_capacity) * sizeof *grown);
        self->order_px = grown;
        self->order_capacity = capacity;
    }
    return &self->order_px[slot];
}

/* Notes the levels of an execution: its price, and the one that a replaced order has left. */
static void touch(struct market *self, struct instrument_market *m,
                  const struct event_execution *event)
{
    touched_mark(&m->touched, event->side, event->limit_px);
    if (event->exec_type != EXEC_NEW && event->exec_type != EXEC_REPLACED) return;
    px_t *px = px_of_order(self, event->order_id);
    if (!px) {
        self->lost++;
        m->touched.overflow = true;
        return;
    }
    if (event->exec_type == EXEC_REPLACED && *px != event->limit_px)
        touched_mark(&m->touched, event->side, *px);
    *px = event->limit_px;
}

void market_execution(struct market *self, int64_t time_ns, const struct event_execution *event)
{
    /* A rejected order may name anything, also an instrument that does not exist. */
    if (event->exec_type == EXEC_REJECTED) return;
    struct instrument_market *m = market_of(self, event->instrument);
    if (!m) return;
    touch(self, m, event);

    /* Each trade has two executions; the taker's makes the print, in an auction the seller's. */
    if (event->exec_type != EXEC_TRADE) return;
    bool of_auction = event->last_liquidity == LIQUIDITY_AUCTION;
    if (of_auction ? event->side != SIDE_SELL : event->last_liquidity != LIQUIDITY_REMOVED) return;
    struct trade trade = {
        .trade_id = event->trade_id,
        .time_ns = time_ns,
        .px = event->last_px,
        .qty = event->last_qty,
        .taker_side = of_auction ? 0 : event->side,
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

static void take_bust(struct market *self, const struct event_trade_busted *event)
{
    struct instrument_market *m = market_of(self, event->instrument);
    if (!m) return;
    uint32_t at = count_before(m, event->trade_id);
    if (at == m->trade_count || trade_at(m, at)->trade_id != event->trade_id) return; /* too old */
    trade_at(m, at)->busted = true;
}

static void take_session(struct market *self, int64_t time_ns,
                         const struct event_session_changed *event)
{
    struct instrument_market *m = market_of(self, event->instrument);
    if (!m) return;
    m->session = (struct session_print){.session = event->session,
                                        .cause = event->cause,
                                        .limit_state = m->session.limit_state,
                                        .since_ns = time_ns};
    m->auction = (struct auction_print){0};
    /* at-close orders come into the book, and no event says so of each */
    if (event->session == SESSION_CLOSING_AUCTION) m->touched.overflow = true;
}

static void take_auction(struct market *self, int64_t time_ns, const struct event_auction *event)
{
    struct instrument_market *m = market_of(self, event->instrument);
    if (!m) return;
    m->auction = (struct auction_print){.time_ns = time_ns,
                                        .px = event->px,
                                        .paired_qty = event->paired_qty,
                                        .imbalance_qty = event->imbalance_qty,
                                        .imbalance_side = event->imbalance_side,
                                        .final = event->final != 0};
}

static void take_limit_state(struct market *self, const struct event_limit_state *event)
{
    struct instrument_market *m = market_of(self, event->instrument);
    if (m) m->session.limit_state = event->on != 0;
}

void market_event(struct market *self, int64_t time_ns, const void *message, size_t length)
{
    union {
        struct sbe_header header;
        struct event_execution execution;
        struct event_trade_busted busted;
        struct event_session_changed session;
        struct event_auction auction;
        struct event_limit_state limit_state;
    } m = {.header = {0}};
    CHECK(length >= sizeof m.header);
    memcpy(&m, message, length < sizeof m ? length : sizeof m);
    switch (m.header.template_id) {
    case EVENT_EXECUTION: market_execution(self, time_ns, &m.execution); break;
    case EVENT_TRADE_BUSTED: take_bust(self, &m.busted); break;
    case EVENT_SESSION_CHANGED: take_session(self, time_ns, &m.session); break;
    case EVENT_AUCTION: take_auction(self, time_ns, &m.auction); break;
    case EVENT_LIMIT_STATE: take_limit_state(self, &m.limit_state); break;
    default: break;
    }
}

bool market_session(const struct market *self, instrument_id_t instrument,
                    struct session_print *print)
{
    const struct instrument_market *m = find(self, instrument);
    if (m) *print = m->session;
    return m != NULL;
}

bool market_auction(const struct market *self, instrument_id_t instrument,
                    struct auction_print *print)
{
    const struct instrument_market *m = find(self, instrument);
    if (m) *print = m->auction;
    return m != NULL;
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
