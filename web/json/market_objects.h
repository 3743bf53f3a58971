/* market_objects.h - public market data as JSON: the objects T, C, S and A of web/API.md, for
 * answers and for streams, which add the times as integers of nanoseconds (`with_ns`).
 */
#ifndef HOGA_WEB_JSON_MARKET_OBJECTS_H
#define HOGA_WEB_JSON_MARKET_OBJECTS_H

#include <stdbool.h>

#include "server/marketdata/market.h"
#include "web/json/encode.h"

void json_trade(struct json_buffer *self, const struct trade *trade, bool with_ns);

/* `closed`: its interval is over, it will not change any more. */
void json_candle(struct json_buffer *self, const struct candle *candle, bool closed, bool with_ns);

/* The members of S and of A behind the symbol, without braces. */
void json_session_state(struct json_buffer *self, const struct instrument_view *instrument);
void json_auction(struct json_buffer *self, uint8_t session, const struct auction_view *auction);

/* One level of a book: ["189.3500",200]. */
void json_level(struct json_buffer *self, px_t px, qty_t qty);

#endif
