#include <string.h>

#include "engine/bus/clock.h"
#include "web/json/market_objects.h"
#include "web/rest/resources.h"
#include "web/rest/respond.h"

void reference_time(struct request *request)
{
    struct json_buffer text = {0};
    int64_t now_ns = clock_wall_ns();
    json_text(&text, "{\"time\":");
    json_time(&text, now_ns);
    json_text(&text, ",\"time_ms\":");
    json_int(&text, now_ns / 1000000);
    json_text(&text, "}");
    respond_json(request, MHD_HTTP_OK, &text);
}

static void put_fees(struct json_buffer *text, const struct instrument_view *view)
{
    json_text(text, ",\"max_fee_ppm\":");
    json_uint(text, view->max_fee_ppm);
    json_text(text, ",\"fees\":[");
    for (unsigned tier = 0; tier < FEE_TIER_COUNT; tier++) {
        json_text(text, tier > 0 ? ",{\"tier\":" : "{\"tier\":");
        json_uint(text, tier);
        json_text(text, ",\"maker_ppm\":");
        json_int(text, view->maker_ppm[tier]);
        json_text(text, ",\"taker_ppm\":");
        json_int(text, view->taker_ppm[tier]);
        json_text(text, "}");
    }
    json_text(text, "]");
}

static void put_bands(struct json_buffer *text, const struct instrument_view *view)
{
    json_text(text, ",\"bands\":{\"static_ppm\":");
    json_qty_or_null(text, view->static_ppm);
    json_text(text, ",\"dynamic_ppm\":");
    json_qty_or_null(text, view->dynamic_ppm);
    json_text(text, ",\"collar_ppm\":");
    json_qty_or_null(text, view->collar_ppm);
    json_text(text, "}");
}

/* One tick for all prices is a table of one row. */
static void put_ticks(struct json_buffer *text, const struct settings *settings,
                      const struct instrument_view *view)
{
    struct tick_row rows[TICK_TABLE_ROWS] = {{0, view->tick_px}};
    unsigned count = view->tick_table ? settings_ticks(settings, view->tick_table, rows) : 1;
    json_text(text, ",\"tick_table\":[");
    for (unsigned i = 0; i < count; i++) {
        json_text(text, i > 0 ? ",{\"from_price\":" : "{\"from_price\":");
        json_px(text, rows[i].from_px);
        json_text(text, ",\"tick_size\":");
        json_px(text, rows[i].tick_px);
        json_text(text, "}");
    }
    json_text(text, "]");
}

static void put_instrument(struct json_buffer *text, const struct settings *settings,
                           const struct instrument_view *view)
{
    json_text(text, "{\"symbol\":");
    json_quoted(text, view->symbol, sizeof view->symbol);
    json_text(text, ",\"name\":");
    json_quoted(text, view->name, sizeof view->name);
    json_text(text, ",\"tick_size\":");
    json_px(text, view->tick_px);
    put_ticks(text, settings, view);
    json_text(text, ",\"lot_size\":");
    json_int(text, view->lot_qty);
    json_text(text, ",\"max_price\":");
    json_px(text, view->max_px);
    json_text(text, ",\"max_order_qty\":");
    json_qty_or_null(text, view->max_order_qty);
    json_text(text, ",\"max_order_notional\":");
    json_px_or_null(text, view->max_order_notional);
    json_text(text, ",\"currency\":");
    json_word(text, json_currency(view->currency));
    json_text(text, ",\"shortable\":");
    json_bool(text, view->shortable);
    json_text(text, ",\"index_weight\":");
    json_uint(text, view->index_weight);
    json_text(text, ",\"last_price\":");
    json_px_or_null(text, view->last_px);
    json_text(text, ",\"reference_price\":");
    json_px_or_null(text, view->reference_px);
    put_bands(text, view);
    put_fees(text, view);
    json_text(text, ",");
    json_session_state(text, view);
    json_text(text, "}");
}

void reference_instruments(struct request *request)
{
    const struct engine *engine = request->front->replica.engine;
    struct json_buffer text = {0};
    bool first = true;
    json_text(&text, "{\"instruments\":[");
    for (instrument_id_t id = 1; id < engine_instrument_end(engine); id++) {
        struct instrument_view view;
        if (!engine_instrument(engine, id, &view)) continue;
        if (!first) json_text(&text, ",");
        first = false;
        put_instrument(&text, request->front->settings, &view);
    }
    json_text(&text, "]}");
    respond_json(request, MHD_HTTP_OK, &text);
}

bool reference_find_symbol(struct request *request, struct instrument_view *view)
{
    const struct engine *engine = request->front->replica.engine;
    const char *symbol = request->segments[request->segment_count - 1];
    instrument_id_t instrument;
    if (engine_find_symbol(engine, symbol, &instrument) &&
        engine_instrument(engine, instrument, view))
        return true;
    respond_problem(request, REJECT_UNKNOWN_INSTRUMENT, "symbol");
    return false;
}

void reference_instrument(struct request *request)
{
    struct instrument_view view;
    struct json_buffer text = {0};
    if (!reference_find_symbol(request, &view)) return;
    put_instrument(&text, request->front->settings, &view);
    respond_json(request, MHD_HTTP_OK, &text);
}

void reference_reject_reasons(struct request *request)
{
    unsigned count;
    const struct reject_row *rows = reject_rows(&count);
    struct json_buffer text = {0};
    json_text(&text, "{\"reject_reasons\":[");
    for (unsigned i = 0; i < count; i++) {
        if (i > 0) json_text(&text, ",");
        json_text(&text, "{\"number\":");
        json_uint(&text, rows[i].number);
        json_text(&text, ",\"code\":");
        json_quoted(&text, rows[i].code, strlen(rows[i].code));
        json_text(&text, ",\"status\":");
        json_uint(&text, rows[i].http);
        json_text(&text, ",\"detail\":");
        json_quoted(&text, rows[i].text, strlen(rows[i].text));
        json_text(&text, "}");
    }
    json_text(&text, "]}");
    respond_json(request, MHD_HTTP_OK, &text);
}
