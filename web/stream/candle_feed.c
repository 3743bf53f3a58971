#include "web/stream/candle_feed.h"

#include "web/json/market_objects.h"

static struct candle scratch[CANDLE_FEED_SNAPSHOT + 1];

static bool same_candle(const struct candle *a, const struct candle *b)
{
    return a->start_ns == b->start_ns && a->trade_count == b->trade_count &&
           a->last_trade_id == b->last_trade_id && a->close_px == b->close_px;
}

void candle_feed_open(struct candle_feed *self, const struct market *market,
                      instrument_id_t instrument, enum candle_interval interval, int64_t now_ns)
{
    *self = (struct candle_feed){.instrument = instrument, .interval = interval, .now_ns = now_ns};
    if (market_candles(market, instrument, interval, INT64_MIN, INT64_MAX, now_ns, scratch, 1))
        self->open = scratch[0];
}

static void append_candles(const struct candle_feed *self, const char *type, unsigned count,
                           struct json_buffer *body)
{
    int64_t interval_ns = candle_interval_ns(self->interval);
    json_text(body, "\"interval\":\"");
    json_text(body, candle_interval_text(self->interval));
    json_text(body, "\",\"type\":\"");
    json_text(body, type);
    json_text(body, "\",\"candles\":[");
    for (unsigned i = 0; i < count; i++) {
        if (i) json_text(body, ",");
        json_candle(body, &scratch[i], scratch[i].start_ns + interval_ns <= self->now_ns, true);
    }
    json_text(body, "]}");
}

void candle_feed_snapshot(const struct candle_feed *self, const struct market *market,
                          struct json_buffer *body)
{
    unsigned count = market_candles(market, self->instrument, self->interval, INT64_MIN, INT64_MAX,
                                    self->now_ns, scratch, CANDLE_FEED_SNAPSHOT);
    append_candles(self, "snapshot", count, body);
}

enum candle_change candle_feed_update(struct candle_feed *self, const struct market *market,
                                      int64_t now_ns, int64_t traded_ns, struct json_buffer *body)
{
    int64_t interval_ns = candle_interval_ns(self->interval);
    if (now_ns < self->now_ns) now_ns = self->now_ns; /* readers never go back */
    int64_t from_ns = self->open.start_ns;
    if (traded_ns < from_ns) from_ns = traded_ns - traded_ns % interval_ns;
    if (traded_ns == INT64_MAX && now_ns < from_ns + interval_ns) return CANDLES_SAME;

    unsigned count = market_candles(market, self->instrument, self->interval, from_ns, INT64_MAX,
                                    now_ns, scratch, CANDLE_FEED_SNAPSHOT + 1);
    self->now_ns = now_ns;
    if (count == 0) return CANDLES_SAME;

    const struct candle *newest = &scratch[count - 1];
    if (count == 1 && same_candle(newest, &self->open)) return CANDLES_SAME;
    self->open = *newest;
    if (count > CANDLE_FEED_SNAPSHOT) return CANDLES_MANY;
    append_candles(self, "update", count, body);
    return CANDLES_UPDATE;
}
