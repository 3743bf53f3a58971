#include "web/json/market_objects.h"
#include "web/rest/resources.h"
#include "web/rest/respond.h"

static void put_session(struct json_buffer *text, const struct instrument_view *view, bool first)
{
    json_text(text, first ? "{\"symbol\":" : ",{\"symbol\":");
    json_quoted(text, view->symbol, sizeof view->symbol);
    json_text(text, ",");
    json_session_state(text, view);
    json_text(text, "}");
}

/* One instrument's, or everyone's. */
void session_list(struct request *request)
{
    const struct engine *engine = request->front->replica.engine;
    const char *symbol = request_parameter(request, "symbol");
    struct instrument_view view;
    struct json_buffer text = {0};
    instrument_id_t id = 1, end = engine_instrument_end(engine);
    if (symbol) {
        if (!engine_find_symbol(engine, symbol, &id)) {
            respond_problem(request, REJECT_UNKNOWN_INSTRUMENT, "symbol");
            return;
        }
        end = id + 1;
    }
    json_text(&text, "{\"market_blocked\":");
    json_bool(&text, engine_market_blocked(engine));
    json_text(&text, ",\"sessions\":[");
    for (bool first = true; id < end; id++) {
        if (!engine_instrument(engine, id, &view)) continue;
        put_session(&text, &view, first);
        first = false;
    }
    json_text(&text, "]}");
    respond_json(request, MHD_HTTP_OK, &text);
}

void session_auction(struct request *request)
{
    const struct engine *engine = request->front->replica.engine;
    struct instrument_view view;
    struct auction_view auction = {0};
    struct json_buffer text = {0};
    if (!reference_find_symbol(request, &view)) return;
    if (!engine_auction(engine, view.instrument, &auction)) auction = (struct auction_view){0};
    json_text(&text, "{\"symbol\":");
    json_quoted(&text, view.symbol, sizeof view.symbol);
    json_text(&text, ",");
    json_auction(&text, view.session, &auction);
    json_text(&text, ",\"ends_at\":");
    json_time_or_null(&text, view.session_ends_ns);
    json_text(&text, ",\"next_change_at\":");
    json_time_or_null(&text, view.next_session_ns);
    json_text(&text, "}");
    respond_json(request, MHD_HTTP_OK, &text);
}
