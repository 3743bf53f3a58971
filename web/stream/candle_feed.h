/* candle_feed.h - the candles of one instrument and interval, as their readers have them: what the
 * `candles` channel sends.
 *
 * A candle is sent whenever it changes, and once more with `closed` when its interval is over,
 * flat when nothing traded in it. Owned by the front's one thread.
 */
#ifndef HOGA_WEB_STREAM_CANDLE_FEED_H
#define HOGA_WEB_STREAM_CANDLE_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "server/marketdata/market.h"
#include "web/json/encode.h"

enum { CANDLE_FEED_SNAPSHOT = 300 };

struct candle_feed {
    instrument_id_t instrument;
    enum candle_interval interval;
    int64_t now_ns;     /* readers have all that was known at this time */
    struct candle open; /* as last sent; start_ns 0 before the first trade */
};

void candle_feed_open(struct candle_feed *self, const struct market *market,
                      instrument_id_t instrument, enum candle_interval interval, int64_t now_ns);

/* Appends `"interval":...,"type":"snapshot",...}`: the newest candles as of the last update. */
void candle_feed_snapshot(const struct candle_feed *self, const struct market *market,
                          struct json_buffer *body);

enum candle_change {
    CANDLES_SAME,   /* nothing was appended */
    CANDLES_UPDATE, /* an update was appended */
    CANDLES_MANY,   /* too many for an update: readers need a snapshot */
};

/* Takes over what happened until now_ns, and appends `"interval":...,"type":"update",...}`.
 * A trade that comes with a time before now_ns, in a candle that was sent as closed, has that
 * candle sent again. `traded_ns` is the time of the first trade since the last update, or
 * INT64_MAX. */
enum candle_change candle_feed_update(struct candle_feed *self, const struct market *market,
                                      int64_t now_ns, int64_t traded_ns, struct json_buffer *body);

#endif
