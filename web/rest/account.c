#include "web/rest/resources.h"
#include "web/rest/respond.h"

void account_get(struct request *request)
{
    struct account_view view;
    struct json_buffer text = {0};
    if (!engine_account(request->front->replica.engine, request->who.account, &view)) {
        respond_problem(request, REJECT_UNKNOWN_ACCOUNT, "");
        return;
    }
    json_text(&text, "{\"account\":");
    json_uint(&text, view.account);
    json_text(&text, ",\"name\":");
    json_quoted(&text, view.name, sizeof view.name);
    json_text(&text, ",\"currency\":\"USD\",\"cash\":");
    json_px(&text, view.available_cash + view.held_cash);
    json_text(&text, ",\"available_cash\":");
    json_px(&text, view.available_cash);
    json_text(&text, ",\"held_cash\":");
    json_px(&text, view.held_cash);
    json_text(&text, "}");
    respond_json(request, MHD_HTTP_OK, &text);
}

void account_positions(struct request *request)
{
    const struct engine *engine = request->front->replica.engine;
    struct json_buffer text = {0};
    bool first = true;
    json_text(&text, "{\"positions\":[");
    for (instrument_id_t id = 1; id < engine_instrument_end(engine); id++) {
        struct instrument_view instrument;
        struct position_view position;
        if (!engine_position(engine, request->who.account, id, &position) ||
            !engine_instrument(engine, id, &instrument))
            continue;
        if (position.available_qty + position.held_qty == 0) continue;
        json_text(&text, first ? "{\"symbol\":" : ",{\"symbol\":");
        first = false;
        json_quoted(&text, instrument.symbol, sizeof instrument.symbol);
        json_text(&text, ",\"qty\":");
        json_int(&text, position.available_qty + position.held_qty);
        json_text(&text, ",\"available_qty\":");
        json_int(&text, position.available_qty);
        json_text(&text, ",\"held_qty\":");
        json_int(&text, position.held_qty);
        json_text(&text, "}");
    }
    json_text(&text, "]}");
    respond_json(request, MHD_HTTP_OK, &text);
}
