#include "engine/bus/clock.h"
#include "web/json/market_objects.h"
#include "web/json/parse.h"
#include "web/rest/resources.h"
#include "web/rest/respond.h"

enum {
    DEPTH_DEFAULT = 20,
    DEPTH_MAX = 1000,
    TRADES_DEFAULT = 100,
    TRADES_MAX = 1000,
    CANDLES_DEFAULT = 300,
};

static void begin(struct json_buffer *text, const struct instrument_view *instrument)
{
    json_text(text, "{\"symbol\":");
    json_quoted(text, instrument->symbol, sizeof instrument->symbol);
}

static void put_levels(struct json_buffer *text, const struct engine *engine,
                       instrument_id_t instrument, uint8_t side, unsigned max)
{
    struct level_view levels[DEPTH_MAX];
    unsigned count = engine_depth(engine, instrument, side, levels, max);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0) json_text(text, ",");
        json_level(text, levels[i].px, levels[i].qty);
    }
}

void market_data_depth(struct request *request)
{
    const struct engine *engine = request->front->replica.engine;
    struct instrument_view view;
    uint64_t limit;
    struct json_buffer text = {0};
    if (!reference_find_symbol(request, &view) ||
        !request_uint(request, "limit", 1, DEPTH_MAX, DEPTH_DEFAULT, &limit))
        return;
    begin(&text, &view);
    json_text(&text, ",\"update_id\":");
    json_uint(&text, view.book_update_id);
    json_text(&text, ",\"bids\":[");
    put_levels(&text, engine, view.instrument, SIDE_BUY, (unsigned)limit);
    json_text(&text, "],\"asks\":[");
    put_levels(&text, engine, view.instrument, SIDE_SELL, (unsigned)limit);
    json_text(&text, "]}");
    respond_json(request, MHD_HTTP_OK, &text);
}

void market_data_trades(struct request *request)
{
    struct instrument_view view;
    uint64_t from_id, limit;
    struct trade trades[TRADES_MAX];
    struct json_buffer text = {0};
    if (!reference_find_symbol(request, &view) ||
        !request_uint(request, "from_id", 0, UINT64_MAX, 0, &from_id) ||
        !request_uint(request, "limit", 1, TRADES_MAX, TRADES_DEFAULT, &limit))
        return;
    unsigned count =
        market_trades(request->front->market, view.instrument, from_id, trades, (unsigned)limit);
    begin(&text, &view);
    json_text(&text, ",\"trades\":[");
    for (unsigned i = 0; i < count; i++) {
        if (i > 0) json_text(&text, ",");
        json_trade(&text, &trades[i], false);
    }
    json_text(&text, "]}");
    respond_json(request, MHD_HTTP_OK, &text);
}

/* A time parameter; `fallback` when it is absent. */
static bool take_time(struct request *request, const char *name, int64_t fallback, int64_t *ns)
{
    const char *value = request_parameter(request, name);
    *ns = fallback;
    if (!value || json_parse_time(value, ns)) return true;
    respond_problem(request, REJECT_INVALID_FIELD, name);
    return false;
}

void market_data_candles(struct request *request)
{
    struct instrument_view view;
    uint64_t limit;
    int64_t start_ns, end_ns, now_ns = clock_wall_ns();
    enum candle_interval interval = CANDLE_1M;
    struct candle candles[MARKET_CANDLES_KEPT];
    struct json_buffer text = {0};
    if (!reference_find_symbol(request, &view)) return;
    const char *name = request_parameter(request, "interval");
    if (name && !candle_interval_parse(name, &interval)) {
        respond_problem(request, REJECT_INVALID_FIELD, "interval");
        return;
    }
    if (!take_time(request, "start", 0, &start_ns) ||
        !take_time(request, "end", INT64_MAX, &end_ns) ||
        !request_uint(request, "limit", 1, MARKET_CANDLES_KEPT, CANDLES_DEFAULT, &limit))
        return;
    unsigned count = market_candles(request->front->market, view.instrument, interval, start_ns,
                                    end_ns, now_ns, candles, (unsigned)limit);
    begin(&text, &view);
    json_text(&text, ",\"interval\":\"");
    json_text(&text, candle_interval_text(interval));
    json_text(&text, "\",\"candles\":[");
    for (unsigned i = 0; i < count; i++) {
        bool closed = candles[i].start_ns + candle_interval_ns(interval) <= now_ns;
        if (i > 0) json_text(&text, ",");
        json_candle(&text, &candles[i], closed, false);
    }
    json_text(&text, "]}");
    respond_json(request, MHD_HTTP_OK, &text);
}
