/* auction_feed.h - what an auction of one instrument would give, as its readers have it: what the
 * `auction` channel sends.
 *
 * While an auction session is on, the replica's own book says what would trade; outside of one
 * nothing would. Owned by the front's one thread.
 */
#ifndef HOGA_WEB_STREAM_AUCTION_FEED_H
#define HOGA_WEB_STREAM_AUCTION_FEED_H

#include <stdbool.h>

#include "engine/engine.h"
#include "web/json/encode.h"

struct auction_feed {
    instrument_id_t instrument;
    uint8_t session; /* as last sent, like the next */
    struct auction_view auction;
};

/* As things stand now. */
void auction_feed_open(struct auction_feed *self, const struct engine *engine,
                       instrument_id_t instrument);

/* Appends `"type":"snapshot",...}`: what was last sent. */
void auction_feed_snapshot(const struct auction_feed *self, struct json_buffer *body);

/* Takes over how things stand and appends `"type":"update","final":false,...}`; false, appending
 * nothing, when nothing has changed. */
bool auction_feed_update(struct auction_feed *self, const struct engine *engine,
                         struct json_buffer *body);

/* An auction has traded: appends `"type":"update","final":true,...}` with what it gave. */
void auction_feed_final(struct auction_feed *self, const struct engine *engine,
                        const struct event_auction *event, struct json_buffer *body);

#endif
