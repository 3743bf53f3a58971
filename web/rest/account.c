#include "web/rest/resources.h"
#include "web/rest/respond.h"

static void put_cash(struct json_buffer *text, cash_t available, cash_t held)
{
    json_text(text, "\"cash\":");
    json_px(text, available + held);
    json_text(text, ",\"available_cash\":");
    json_px(text, available);
    json_text(text, ",\"held_cash\":");
    json_px(text, held);
}

/* Each currency that the account has any of. */
static void put_currencies(struct json_buffer *text, const struct engine *engine,
                           account_id_t account)
{
    bool first = true;
    json_text(text, ",\"balances\":[");
    for (uint32_t currency = 0; currency < CURRENCY_COUNT; currency++) {
        struct cash_view cash;
        if (!engine_cash(engine, account, currency, &cash)) continue;
        if (cash.available == 0 && cash.held == 0) continue;
        json_text(text, first ? "{\"currency\":" : ",{\"currency\":");
        first = false;
        json_word(text, json_currency(currency));
        json_text(text, ",");
        put_cash(text, cash.available, cash.held);
        json_text(text, "}");
    }
    json_text(text, "]");
}

/* null where there is no limit. */
static void put_limits(struct json_buffer *text, const struct pre_trade_limits *limits)
{
    json_text(text, "{\"max_order_qty\":");
    json_qty_or_null(text, limits->max_order_qty);
    json_text(text, ",\"max_order_notional\":");
    json_px_or_null(text, limits->max_order_notional);
    json_text(text, ",\"max_messages_per_s\":");
    json_qty_or_null(text, limits->max_messages);
    json_text(text, ",\"collar_ppm\":");
    json_qty_or_null(text, limits->collar_ppm);
}

static void put_account_limits(struct json_buffer *text, const struct pre_trade_limits *limits)
{
    json_text(text, ",\"limits\":");
    put_limits(text, limits);
    json_text(text, ",\"max_open_orders\":");
    json_qty_or_null(text, limits->max_open_orders);
    json_text(text, ",\"max_long_qty\":");
    json_qty_or_null(text, limits->max_long_qty);
    json_text(text, ",\"max_short_qty\":");
    json_qty_or_null(text, limits->max_short_qty);
    json_text(text, ",\"max_exposure\":");
    json_px_or_null(text, limits->max_exposure);
    json_text(text, "}");
}

/* The daily quantity is the user's own, or else the instrument's: null for that. */
static void put_user_limits(struct json_buffer *text, const struct pre_trade_limits *limits)
{
    json_text(text, ",\"user_limits\":");
    put_limits(text, limits);
    json_text(text, ",\"max_daily_qty\":");
    json_qty_or_null(text, limits->max_daily_qty);
    json_text(text, "}");
}

static void put_settings(struct json_buffer *text, const struct engine *engine,
                         const struct account_view *view)
{
    json_text(text, ",\"stp\":");
    json_word(text, json_stp(view->stp == STP_ACCOUNT ? STP_ALLOW : view->stp));
    json_text(text, ",\"fee_tier\":");
    json_uint(text, view->fee_tier);
    json_text(text, ",\"may_short\":");
    json_bool(text, view->may_short);
    json_text(text, ",\"blocked\":");
    json_bool(text, view->blocked);
    json_text(text, ",\"market_blocked\":");
    json_bool(text, engine_market_blocked(engine));
    json_text(text, ",\"cancel_at\":");
    json_time_or_null(text, view->cancel_after_ns);
    json_text(text, ",\"open_order_count\":");
    json_uint(text, view->open_order_count);
    json_text(text, ",\"open_notional\":");
    json_px(text, view->open_notional);
    json_text(text, ",\"traded_notional\":");
    json_px(text, view->traded_notional);
}

void account_get(struct request *request)
{
    const struct front *front = request->front;
    const struct engine *engine = front->replica.engine;
    struct account_view view;
    struct json_buffer text = {0};
    if (!engine_account(engine, request->who.account, &view)) {
        respond_problem(request, REJECT_UNKNOWN_ACCOUNT, "");
        return;
    }
    const struct pre_trade_limits of_account =
        settings_limits(front->settings, LIMIT_SCOPE_ACCOUNT, view.account);
    const struct pre_trade_limits of_user =
        settings_limits(front->settings, LIMIT_SCOPE_USER, request->who.user);
    json_text(&text, "{\"account\":");
    json_uint(&text, view.account);
    json_text(&text, ",\"name\":");
    json_quoted(&text, view.name, sizeof view.name);
    json_text(&text, ",\"currency\":");
    json_word(&text, json_currency(0));
    json_text(&text, ",");
    put_cash(&text, view.available_cash, view.held_cash);
    put_currencies(&text, engine, view.account);
    put_settings(&text, engine, &view);
    put_account_limits(&text, &of_account);
    put_user_limits(&text, &of_user);
    json_text(&text, "}");
    respond_json(request, MHD_HTTP_OK, &text);
}

/* Whatever the account has or, below zero, owes. */
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
        qty_t qty = position.available_qty + position.held_qty;
        if (qty == 0 && position.held_qty == 0) continue;
        json_text(&text, first ? "{\"symbol\":" : ",{\"symbol\":");
        first = false;
        json_quoted(&text, instrument.symbol, sizeof instrument.symbol);
        json_text(&text, ",\"qty\":");
        json_int(&text, qty);
        json_text(&text, ",\"available_qty\":");
        json_int(&text, position.available_qty);
        json_text(&text, ",\"held_qty\":");
        json_int(&text, position.held_qty);
        json_text(&text, ",\"open_buy_qty\":");
        json_int(&text, position.open_buy_qty);
        json_text(&text, ",\"traded_today_qty\":");
        json_int(&text, engine_traded_today(engine, request->who.user, id));
        json_text(&text, "}");
    }
    json_text(&text, "]}");
    respond_json(request, MHD_HTTP_OK, &text);
}
