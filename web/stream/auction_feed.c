#include "web/stream/auction_feed.h"

#include "engine/base/check.h"
#include "web/json/market_objects.h"

static bool is_auction(uint8_t session)
{
    return session == SESSION_OPENING_AUCTION || session == SESSION_REOPENING_AUCTION ||
           session == SESSION_CLOSING_AUCTION;
}

static uint8_t current_session(const struct engine *engine, instrument_id_t instrument)
{
    struct instrument_view view;
    CHECK(engine_instrument(engine, instrument, &view));
    return view.session;
}

static struct auction_view current_auction(const struct engine *engine, instrument_id_t instrument,
                                           uint8_t session)
{
    struct auction_view auction = {0};
    if (is_auction(session)) CHECK(engine_auction(engine, instrument, &auction));
    return auction;
}

void auction_feed_open(struct auction_feed *self, const struct engine *engine,
                       instrument_id_t instrument)
{
    self->instrument = instrument;
    self->session = current_session(engine, instrument);
    self->auction = current_auction(engine, instrument, self->session);
}

static void append(const struct auction_feed *self, const struct auction_view *auction,
                   const char *type, struct json_buffer *body)
{
    json_text(body, type);
    json_auction(body, self->session, auction);
    json_text(body, "}");
}

void auction_feed_snapshot(const struct auction_feed *self, struct json_buffer *body)
{
    append(self, &self->auction, "\"type\":\"snapshot\",", body);
}

static bool same_auction(const struct auction_view *a, const struct auction_view *b)
{
    return a->px == b->px && a->paired_qty == b->paired_qty &&
           a->imbalance_qty == b->imbalance_qty && a->imbalance_side == b->imbalance_side;
}

bool auction_feed_update(struct auction_feed *self, const struct engine *engine,
                         struct json_buffer *body)
{
    uint8_t session = current_session(engine, self->instrument);
    struct auction_view auction = current_auction(engine, self->instrument, session);
    if (session == self->session && same_auction(&auction, &self->auction)) return false;
    self->session = session;
    self->auction = auction;
    append(self, &auction, "\"type\":\"update\",\"final\":false,", body);
    return true;
}

void auction_feed_final(struct auction_feed *self, const struct engine *engine,
                        const struct event_auction *event, struct json_buffer *body)
{
    const struct auction_view given = {.px = event->px,
                                       .paired_qty = event->paired_qty,
                                       .imbalance_qty = event->imbalance_qty,
                                       .imbalance_side = event->imbalance_side};
    auction_feed_open(self, engine, event->instrument);
    append(self, &given, "\"type\":\"update\",\"final\":true,", body);
}
