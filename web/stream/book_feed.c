#include "web/stream/book_feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "engine/base/check.h"
#include "web/json/market_objects.h"

enum { CHECKSUM_LEVELS = 10 };

static uint64_t current_update_id(const struct engine *engine, instrument_id_t instrument)
{
    struct instrument_view view;
    CHECK(engine_instrument(engine, instrument, &view));
    return view.book_update_id;
}

struct book_feed *book_feed_open(const struct engine *engine, instrument_id_t instrument,
                                 uint32_t depth)
{
    struct book_feed *self = calloc(1, sizeof *self + 3 * depth * sizeof(struct level_view));
    if (!self) return NULL;
    struct level_view *levels = (struct level_view *)(self + 1);
    self->instrument = instrument;
    self->depth = depth;
    self->bids.levels = levels;
    self->asks.levels = levels + depth;
    self->now.levels = levels + 2 * depth;
    self->update_id = current_update_id(engine, instrument);
    self->bids.count = engine_depth(engine, instrument, SIDE_BUY, self->bids.levels, depth);
    self->asks.count = engine_depth(engine, instrument, SIDE_SELL, self->asks.levels, depth);
    return self;
}

void book_feed_close(struct book_feed *self)
{
    free(self);
}

/* Whether price a comes before price b on this side. */
static bool better(uint8_t side, px_t a, px_t b)
{
    return side == SIDE_BUY ? a > b : a < b;
}

bool book_feed_sees(const struct book_feed *self, const struct touched_level *touched,
                    unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct book_levels *sent = touched[i].side == SIDE_BUY ? &self->bids : &self->asks;
        if (sent->count < self->depth) return true;
        if (!better(touched[i].side, sent->levels[sent->count - 1].px, touched[i].px)) return true;
    }
    return false;
}

static void append_levels(struct json_buffer *body, const struct book_levels *side)
{
    for (unsigned i = 0; i < side->count; i++) {
        if (i) json_text(body, ",");
        json_level(body, side->levels[i].px, side->levels[i].qty);
    }
}

static void append_checksum(const struct book_feed *self, struct json_buffer *body)
{
    json_text(body, "],\"checksum\":");
    json_uint(body, book_feed_checksum(self));
    json_text(body, "}");
}

void book_feed_snapshot(const struct book_feed *self, struct json_buffer *body)
{
    json_text(body, "\"type\":\"snapshot\",\"u\":");
    json_uint(body, self->update_id);
    json_text(body, ",\"bids\":[");
    append_levels(body, &self->bids);
    json_text(body, "],\"asks\":[");
    append_levels(body, &self->asks);
    append_checksum(self, body);
}

/* Appends where `now` differs from `sent`; returns how many levels do. Both are best first. */
static unsigned append_difference(uint8_t side, const struct book_levels *sent,
                                  const struct book_levels *now, struct json_buffer *body)
{
    unsigned changes = 0;
    for (unsigned s = 0, n = 0; s < sent->count || n < now->count;) {
        const struct level_view *old = s < sent->count ? &sent->levels[s] : NULL;
        const struct level_view *new = n < now->count ? &now->levels[n] : NULL;
        struct level_view change;
        if (!new || (old && better(side, old->px, new->px))) {
            change = (struct level_view){.px = old->px};
            s++;
        } else if (!old || better(side, new->px, old->px)) {
            change = *new;
            n++;
        } else {
            s++;
            n++;
            if (old->qty == new->qty) continue;
            change = *new;
        }
        if (changes++) json_text(body, ",");
        json_level(body, change.px, change.qty);
    }
    return changes;
}

/* The scratch becomes what was sent, and what was sent the scratch. */
static unsigned update_side(struct book_feed *self, const struct engine *engine, uint8_t side,
                            struct json_buffer *body)
{
    struct book_levels *sent = side == SIDE_BUY ? &self->bids : &self->asks;
    self->now.count = engine_depth(engine, self->instrument, side, self->now.levels, self->depth);
    unsigned changes = append_difference(side, sent, &self->now, body);
    struct book_levels before = *sent;
    *sent = self->now;
    self->now = before;
    return changes;
}

bool book_feed_update(struct book_feed *self, const struct engine *engine, struct json_buffer *body)
{
    size_t mark = body->length;
    uint64_t update_id = current_update_id(engine, self->instrument);
    json_text(body, "\"type\":\"update\",\"U\":");
    json_uint(body, self->update_id + 1);
    json_text(body, ",\"u\":");
    json_uint(body, update_id);
    json_text(body, ",\"bids\":[");
    unsigned changes = update_side(self, engine, SIDE_BUY, body);
    json_text(body, "],\"asks\":[");
    changes += update_side(self, engine, SIDE_SELL, body);
    if (changes == 0) {
        body->length = mark;
        return false;
    }
    append_checksum(self, body);
    self->update_id = update_id;
    return true;
}

static uLong checksum_side(uLong crc, const struct book_levels *side)
{
    char text[48];
    for (unsigned i = 0; i < side->count && i < CHECKSUM_LEVELS; i++) {
        /* a price's units are its digits without the point and without leading zeros */
        int length = snprintf(text, sizeof text, "%" PRId64 "%" PRId64, side->levels[i].px,
                              side->levels[i].qty);
        crc = crc32(crc, (const Bytef *)text, (uInt)length);
    }
    return crc;
}

uint32_t book_feed_checksum(const struct book_feed *self)
{
    uLong crc = crc32(0, Z_NULL, 0);
    crc = checksum_side(crc, &self->asks);
    return (uint32_t)checksum_side(crc, &self->bids);
}
