#include "engine/message/reject.h"
#include "web/json/encode.h"
#include "web/json/market_objects.h"

#define TEXT(self, literal) json_bytes((self), (literal), sizeof(literal) - 1)

static void put_symbol(struct json_buffer *self, const struct engine *engine,
                       instrument_id_t instrument)
{
    struct instrument_view view;
    if (engine_instrument(engine, instrument, &view))
        json_quoted(self, view.symbol, sizeof view.symbol);
    else
        TEXT(self, "null");
}

static void put_cl_ord_id(struct json_buffer *self, const char *cl_ord_id)
{
    if (cl_ord_id[0])
        json_quoted(self, cl_ord_id, CL_ORD_ID_BYTES);
    else
        TEXT(self, "null");
}

/* Why it was rejected, or why it was canceled or changed unasked: two members, one of them null. */
static void put_reasons(struct json_buffer *self, bool rejected, uint16_t reason)
{
    const char *code = reason == REJECT_NONE ? NULL : reject_row(reason)->code;
    TEXT(self, ",\"reject_reason\":");
    json_word(self, rejected ? code : NULL);
    TEXT(self, ",\"cancel_reason\":");
    json_word(self, rejected ? NULL : code);
}

/* What an order was sent with, beside type and price; nulls for one that is forgotten. */
static void put_terms(struct json_buffer *self, const struct blotter_order *order)
{
    static const struct blotter_order forgotten;
    if (!order) order = &forgotten;
    TEXT(self, ",\"stop_price\":");
    json_px_or_null(self, order->stop_px);
    TEXT(self, ",\"display_qty\":");
    json_qty_or_null(self, order->display_qty);
    TEXT(self, ",\"min_qty\":");
    json_qty_or_null(self, order->min_qty);
    TEXT(self, ",\"expire_at\":");
    json_time_or_null(self, order->expire_ns);
    TEXT(self, ",\"post_only\":");
    json_bool(self, order->exec_inst & EXEC_INST_POST_ONLY);
    TEXT(self, ",\"cancel_on_disconnect\":");
    json_bool(self, order->exec_inst & EXEC_INST_CANCEL_ON_DISCONNECT);
    TEXT(self, ",\"stp\":");
    json_word(self, json_stp(order->stp));
}

static void put_fills(struct json_buffer *self, const struct blotter *blotter,
                      const struct blotter_order *order)
{
    TEXT(self, ",\"fills\":[");
    const struct blotter_execution *fill = blotter_next_fill(blotter, order, NULL);
    for (bool first = true; fill; fill = blotter_next_fill(blotter, order, fill)) {
        if (!first) TEXT(self, ",");
        first = false;
        TEXT(self, "{\"exec_id\":");
        json_id(self, fill->exec_id);
        TEXT(self, ",\"trade_id\":");
        json_id(self, fill->event.trade_id);
        TEXT(self, ",\"qty\":");
        json_int(self, fill->event.last_qty);
        TEXT(self, ",\"price\":");
        json_px(self, fill->event.last_px);
        TEXT(self, ",\"liquidity\":");
        json_word(self, json_liquidity(fill->event.last_liquidity));
        TEXT(self, ",\"fee\":");
        json_px(self, fill->event.fee);
        TEXT(self, ",\"busted\":");
        json_bool(self, fill->busted);
        TEXT(self, ",\"time\":");
        json_time(self, fill->time_ns);
        TEXT(self, "}");
    }
    TEXT(self, "]");
}

void json_order(struct json_buffer *self, const struct engine *engine,
                const struct blotter *blotter, const struct blotter_order *order)
{
    TEXT(self, "{\"order_id\":");
    json_id(self, order->order_id);
    TEXT(self, ",\"client_order_id\":");
    put_cl_ord_id(self, order->cl_ord_id);
    TEXT(self, ",\"symbol\":");
    put_symbol(self, engine, order->instrument);
    TEXT(self, ",\"side\":");
    json_word(self, json_side(order->side));
    TEXT(self, ",\"type\":");
    json_word(self, json_ord_type(order->ord_type));
    TEXT(self, ",\"time_in_force\":");
    json_word(self, json_time_in_force(order->time_in_force));
    TEXT(self, ",\"status\":");
    json_word(self, json_ord_status(order->ord_status));
    put_reasons(self, order->ord_status == ORD_REJECTED,
                blotter_is_open(order) ? REJECT_NONE : order->reject_reason);
    TEXT(self, ",\"qty\":");
    json_int(self, order->order_qty);
    TEXT(self, ",\"limit_price\":");
    json_px_or_null(self, order->limit_px);
    put_terms(self, order);
    TEXT(self, ",\"cum_qty\":");
    json_int(self, order->cum_qty);
    TEXT(self, ",\"leaves_qty\":");
    json_int(self, order->leaves_qty);
    TEXT(self, ",\"avg_price\":");
    if (order->cum_qty > 0)
        json_px(self, order->avg_px);
    else
        TEXT(self, "null");
    TEXT(self, ",\"fees\":");
    json_px(self, order->fees);
    TEXT(self, ",\"triggered_at\":");
    json_time_or_null(self, order->triggered_ns);
    TEXT(self, ",\"created_at\":");
    json_time(self, order->created_ns);
    TEXT(self, ",\"updated_at\":");
    json_time(self, order->updated_ns);
    put_fills(self, blotter, order);
    TEXT(self, "}");
}

/* What an execution says of the fill it may be. */
static void put_last(struct json_buffer *self, const struct event_execution *event)
{
    TEXT(self, ",\"last_qty\":");
    json_int(self, event->last_qty);
    TEXT(self, ",\"last_price\":");
    if (event->last_qty > 0)
        json_px(self, event->last_px);
    else
        TEXT(self, "null");
    TEXT(self, ",\"cum_qty\":");
    json_int(self, event->cum_qty);
    TEXT(self, ",\"leaves_qty\":");
    json_int(self, event->leaves_qty);
    TEXT(self, ",\"trade_id\":");
    if (event->trade_id)
        json_id(self, event->trade_id);
    else
        TEXT(self, "null");
    TEXT(self, ",\"liquidity\":");
    json_word(self, json_liquidity(event->last_liquidity));
    TEXT(self, ",\"fee\":");
    if (event->last_qty > 0)
        json_px(self, event->fee);
    else
        TEXT(self, "null");
}

void json_execution(struct json_buffer *self, const struct engine *engine,
                    const struct blotter *blotter, const struct blotter_execution *execution)
{
    const struct event_execution *event = &execution->event;
    TEXT(self, "{\"exec_id\":");
    json_id(self, execution->exec_id);
    TEXT(self, ",\"seq\":");
    json_uint(self, execution->account_seq);
    TEXT(self, ",\"order_id\":");
    json_id(self, event->order_id);
    TEXT(self, ",\"client_order_id\":");
    put_cl_ord_id(self, execution->cl_ord_id);
    TEXT(self, ",\"symbol\":");
    put_symbol(self, engine, event->instrument);
    TEXT(self, ",\"side\":");
    json_word(self, json_side(event->side));
    TEXT(self, ",\"type\":");
    json_word(self, json_ord_type(event->ord_type));
    TEXT(self, ",\"time_in_force\":");
    json_word(self, json_time_in_force(event->time_in_force));
    TEXT(self, ",\"exec_type\":");
    json_word(self, json_exec_type(event->exec_type));
    TEXT(self, ",\"status\":");
    json_word(self, json_ord_status(event->ord_status));
    put_reasons(self, event->exec_type == EXEC_REJECTED, event->reject_reason);
    TEXT(self, ",\"qty\":");
    json_int(self, event->order_qty);
    TEXT(self, ",\"limit_price\":");
    json_px_or_null(self, event->limit_px);
    put_terms(self, blotter_find(blotter, event->order_id));
    put_last(self, event);
    TEXT(self, ",\"time\":");
    json_time(self, execution->time_ns);
    TEXT(self, ",\"time_ns\":");
    json_int(self, execution->time_ns);
    TEXT(self, "}");
}

void json_trade(struct json_buffer *self, const struct trade *trade, bool with_ns)
{
    TEXT(self, "{\"trade_id\":");
    json_id(self, trade->trade_id);
    TEXT(self, ",\"price\":");
    json_px(self, trade->px);
    TEXT(self, ",\"qty\":");
    json_int(self, trade->qty);
    TEXT(self, ",\"taker_side\":");
    json_word(self, json_side_or_null(trade->taker_side));
    TEXT(self, ",\"busted\":");
    json_bool(self, trade->busted);
    TEXT(self, ",\"time\":");
    json_time(self, trade->time_ns);
    if (with_ns) {
        TEXT(self, ",\"time_ns\":");
        json_int(self, trade->time_ns);
    }
    TEXT(self, "}");
}

static void put_trade_id(struct json_buffer *self, trade_id_t trade_id)
{
    if (trade_id)
        json_id(self, trade_id);
    else
        TEXT(self, "null");
}

void json_candle(struct json_buffer *self, const struct candle *candle, bool closed, bool with_ns)
{
    TEXT(self, "{\"start\":");
    json_time(self, candle->start_ns);
    if (with_ns) {
        TEXT(self, ",\"start_ns\":");
        json_int(self, candle->start_ns);
    }
    TEXT(self, ",\"open\":");
    json_px(self, candle->open_px);
    TEXT(self, ",\"high\":");
    json_px(self, candle->high_px);
    TEXT(self, ",\"low\":");
    json_px(self, candle->low_px);
    TEXT(self, ",\"close\":");
    json_px(self, candle->close_px);
    TEXT(self, ",\"volume\":");
    json_int(self, candle->volume);
    TEXT(self, ",\"trades\":");
    json_uint(self, candle->trade_count);
    TEXT(self, ",\"first_trade_id\":");
    put_trade_id(self, candle->first_trade_id);
    TEXT(self, ",\"last_trade_id\":");
    put_trade_id(self, candle->last_trade_id);
    TEXT(self, ",\"closed\":");
    json_bool(self, closed);
    TEXT(self, "}");
}

void json_level(struct json_buffer *self, px_t px, qty_t qty)
{
    TEXT(self, "[");
    json_px(self, px);
    TEXT(self, ",");
    json_int(self, qty);
    TEXT(self, "]");
}
