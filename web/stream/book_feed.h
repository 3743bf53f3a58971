/* book_feed.h - one book cut to one depth, as its readers have it: what the `book` channel sends.
 *
 * The levels last sent are kept and held against the engine's: whatever moved, entered or left the
 * depth comes out as an absolute quantity, and everyone who reads the same depth gets the same
 * text. Owned by the front's one thread.
 *
 *   engine_depth now:   585.91x100  585.92x40  585.95x7
 *   last sent:          585.91x100  585.93x5   585.95x7      (asks, depth 3)
 *   update:             585.92x40   585.93x0
 */
#ifndef HOGA_WEB_STREAM_BOOK_FEED_H
#define HOGA_WEB_STREAM_BOOK_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "server/marketdata/market.h"
#include "web/json/encode.h"

struct book_levels {
    struct level_view *levels; /* best first, room for `depth` */
    unsigned count;
};

struct book_feed {
    instrument_id_t instrument;
    uint32_t depth;
    uint64_t update_id; /* the `u` last sent */
    struct book_levels bids, asks;
    struct book_levels now; /* scratch for the engine's levels */
};

/* As the book stands now. NULL without memory. */
struct book_feed *book_feed_open(const struct engine *engine, instrument_id_t instrument,
                                 uint32_t depth);
void book_feed_close(struct book_feed *self);

/* Whether any of these levels can be seen at this depth, or comes to be by leaving. */
bool book_feed_sees(const struct book_feed *self, const struct touched_level *touched,
                    unsigned count);

/* Appends `"type":"snapshot",...}`: the levels last sent. */
void book_feed_snapshot(const struct book_feed *self, struct json_buffer *body);

/* Takes the engine's levels over and appends `"type":"update",...}`; false, appending nothing,
 * when nothing changed at this depth. */
bool book_feed_update(struct book_feed *self, const struct engine *engine,
                      struct json_buffer *body);

/* CRC-32 over the top ten asks, then bids, as web/API.md defines it. */
uint32_t book_feed_checksum(const struct book_feed *self);

#endif
