#include "web/json/market_objects.h"

void json_session_state(struct json_buffer *self, const struct instrument_view *instrument)
{
    json_text(self, "\"session\":");
    json_word(self, json_session(instrument->session));
    json_text(self, ",\"limit_state\":");
    json_bool(self, instrument->limit_state);
    json_text(self, ",\"ends_at\":");
    json_time_or_null(self, instrument->session_ends_ns);
    json_text(self, ",\"next_change_at\":");
    json_time_or_null(self, instrument->next_session_ns);
}

void json_auction(struct json_buffer *self, uint8_t session, const struct auction_view *auction)
{
    json_text(self, "\"session\":");
    json_word(self, json_session(session));
    json_text(self, ",\"price\":");
    json_px_or_null(self, auction->px);
    json_text(self, ",\"paired_qty\":");
    json_int(self, auction->paired_qty);
    json_text(self, ",\"imbalance_qty\":");
    json_int(self, auction->imbalance_qty);
    json_text(self, ",\"imbalance_side\":");
    json_word(self, json_side_or_null(auction->imbalance_side));
}
