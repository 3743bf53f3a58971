#include "server/marketdata/candle.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"

enum { SERIES_FIRST_CAPACITY = 16 };

static const struct {
    const char *text;
    int64_t ns;
} intervals[CANDLE_INTERVALS] = {
    [CANDLE_1S] = {"1s", INT64_C(1000000000)},    [CANDLE_1M] = {"1m", INT64_C(60000000000)},
    [CANDLE_5M] = {"5m", INT64_C(300000000000)},  [CANDLE_15M] = {"15m", INT64_C(900000000000)},
    [CANDLE_1H] = {"1h", INT64_C(3600000000000)}, [CANDLE_1D] = {"1d", INT64_C(86400000000000)},
};

int64_t candle_interval_ns(enum candle_interval interval)
{
    CHECK((unsigned)interval < CANDLE_INTERVALS);
    return intervals[interval].ns;
}

const char *candle_interval_text(enum candle_interval interval)
{
    CHECK((unsigned)interval < CANDLE_INTERVALS);
    return intervals[interval].text;
}

bool candle_interval_parse(const char *text, enum candle_interval *interval)
{
    for (unsigned i = 0; i < CANDLE_INTERVALS; i++) {
        if (strcmp(text, intervals[i].text) != 0) continue;
        *interval = (enum candle_interval)i;
        return true;
    }
    return false;
}

/* The start of the period that holds this time, also for times before the epoch. */
static int64_t period_start(int64_t time_ns, int64_t interval_ns)
{
    int64_t into = time_ns % interval_ns;
    return time_ns - (into < 0 ? into + interval_ns : into);
}

static struct candle *candle_at(const struct candle_series *self, uint32_t index)
{
    CHECK(index < self->count);
    uint32_t place = self->first + index;
    return &self->candles[place < self->capacity ? place : place - self->capacity];
}

void candle_series_free(struct candle_series *self)
{
    free(self->candles);
    memset(self, 0, sizeof *self);
}

/* Room for one more candle: grows while it may, then lets the oldest go. */
static struct candle *series_append(struct candle_series *self)
{
    if (self->count == self->capacity && self->capacity < MARKET_CANDLES_KEPT && self->first == 0) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : SERIES_FIRST_CAPACITY;
        if (capacity > MARKET_CANDLES_KEPT) capacity = MARKET_CANDLES_KEPT;
        struct candle *grown = realloc(self->candles, capacity * sizeof *grown);
        if (grown) {
            self->candles = grown;
            self->capacity = capacity;
        }
    }
    if (self->capacity == 0) return NULL;
    if (self->count == self->capacity) {
        self->first = self->first + 1 < self->capacity ? self->first + 1 : 0;
        self->count--;
    }
    self->count++;
    return candle_at(self, self->count - 1);
}

bool candle_series_trade(struct candle_series *self, int64_t interval_ns, const struct trade *trade)
{
    int64_t start_ns = period_start(trade->time_ns, interval_ns);
    struct candle *open = self->count ? candle_at(self, self->count - 1) : NULL;
    CHECK(!open || start_ns >= open->start_ns);

    if (!open || start_ns > open->start_ns) {
        open = series_append(self);
        if (!open) return false;
        *open = (struct candle){
            .start_ns = start_ns,
            .open_px = trade->px,
            .high_px = trade->px,
            .low_px = trade->px,
            .first_trade_id = trade->trade_id,
        };
    }
    if (trade->px > open->high_px) open->high_px = trade->px;
    if (trade->px < open->low_px) open->low_px = trade->px;
    open->close_px = trade->px;
    open->volume += trade->qty;
    open->trade_count++;
    open->last_trade_id = trade->trade_id;
    return true;
}

/* How many stored candles start before this time. */
static uint32_t count_before(const struct candle_series *self, int64_t time_ns)
{
    uint32_t low = 0, high = self->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (candle_at(self, middle)->start_ns < time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

unsigned candle_series_range(const struct candle_series *self, int64_t interval_ns,
                             int64_t start_ns, int64_t end_ns, int64_t now_ns,
                             struct candle *candles, unsigned max)
{
    if (self->count == 0 || start_ns >= end_ns || max == 0) return 0;

    int64_t first_ns = candle_at(self, 0)->start_ns;
    int64_t last_ns = candle_at(self, self->count - 1)->start_ns;
    int64_t open_ns = period_start(now_ns, interval_ns);
    if (open_ns > last_ns) last_ns = open_ns;
    if (end_ns <= last_ns) last_ns = period_start(end_ns - 1, interval_ns);
    if (start_ns > last_ns) return 0;
    if (start_ns > first_ns) {
        first_ns = period_start(start_ns, interval_ns);
        if (first_ns < start_ns) first_ns += interval_ns;
    }
    if (last_ns < first_ns) return 0;

    int64_t periods = (last_ns - first_ns) / interval_ns + 1;
    if (periods > (int64_t)max) {
        first_ns = last_ns - ((int64_t)max - 1) * interval_ns;
        periods = max;
    }

    /* `next` is the first stored candle not given yet; the one before it gives flat periods their
     * price, and there is one, since no period before the first stored candle is given. */
    uint32_t next = count_before(self, first_ns);
    for (unsigned i = 0; i < (unsigned)periods; i++) {
        int64_t at_ns = first_ns + (int64_t)i * interval_ns;
        if (next < self->count && candle_at(self, next)->start_ns == at_ns) {
            candles[i] = *candle_at(self, next++);
            continue;
        }
        px_t close_px = candle_at(self, next - 1)->close_px;
        candles[i] = (struct candle){at_ns, close_px, close_px, close_px, close_px, 0, 0, 0, 0};
    }
    return (unsigned)periods;
}
