#include "engine/message/command.h"
#include "engine/message/event.h"
#include "web/json/encode.h"

const char *json_side(uint8_t side)
{
    switch (side) {
    case SIDE_BUY: return "buy";
    case SIDE_SELL: return "sell";
    default: return "unknown";
    }
}

const char *json_side_or_null(uint8_t side)
{
    return side == SIDE_BUY || side == SIDE_SELL ? json_side(side) : NULL;
}

const char *json_ord_type(uint8_t ord_type)
{
    switch (ord_type) {
    case ORD_TYPE_MARKET: return "market";
    case ORD_TYPE_LIMIT: return "limit";
    case ORD_TYPE_STOP: return "stop";
    case ORD_TYPE_STOP_LIMIT: return "stop_limit";
    default: return "unknown";
    }
}

const char *json_time_in_force(uint8_t time_in_force)
{
    switch (time_in_force) {
    case TIF_DAY: return "day";
    case TIF_GTC: return "gtc";
    case TIF_AT_OPEN: return "opg";
    case TIF_IOC: return "ioc";
    case TIF_FOK: return "fok";
    case TIF_GTD: return "gtd";
    case TIF_AT_CLOSE: return "cls";
    default: return "unknown";
    }
}

const char *json_ord_status(uint8_t ord_status)
{
    switch (ord_status) {
    case ORD_NEW: return "new";
    case ORD_PARTIALLY_FILLED: return "partially_filled";
    case ORD_FILLED: return "filled";
    case ORD_CANCELED: return "canceled";
    case ORD_REJECTED: return "rejected";
    case ORD_EXPIRED: return "expired";
    default: return "unknown";
    }
}

const char *json_exec_type(uint8_t exec_type)
{
    switch (exec_type) {
    case EXEC_NEW: return "new";
    case EXEC_CANCELED: return "canceled";
    case EXEC_REPLACED: return "replaced";
    case EXEC_REJECTED: return "rejected";
    case EXEC_EXPIRED: return "expired";
    case EXEC_RESTATED: return "restated";
    case EXEC_TRADE: return "trade";
    case EXEC_TRIGGERED: return "triggered";
    case BLOTTER_EXEC_BUSTED: return "trade_busted";
    default: return "unknown";
    }
}

const char *json_liquidity(uint8_t last_liquidity)
{
    switch (last_liquidity) {
    case LIQUIDITY_ADDED: return "maker";
    case LIQUIDITY_REMOVED: return "taker";
    case LIQUIDITY_AUCTION: return "auction";
    default: return NULL;
    }
}

const char *json_stp(uint8_t stp)
{
    switch (stp) {
    case STP_CANCEL_NEWEST: return "cancel_newest";
    case STP_CANCEL_OLDEST: return "cancel_oldest";
    case STP_CANCEL_BOTH: return "cancel_both";
    case STP_DECREMENT: return "decrement";
    case STP_ALLOW: return "allow";
    default: return NULL;
    }
}

const char *json_session(uint8_t session)
{
    switch (session) {
    case SESSION_CLOSED: return "closed";
    case SESSION_PRE_OPEN: return "pre_open";
    case SESSION_OPENING_AUCTION: return "opening_auction";
    case SESSION_CONTINUOUS: return "continuous";
    case SESSION_HALT: return "halt";
    case SESSION_REOPENING_AUCTION: return "reopening_auction";
    case SESSION_CLOSING_AUCTION: return "closing_auction";
    default: return "unknown";
    }
}

const char *json_session_cause(uint8_t cause)
{
    switch (cause) {
    case SESSION_BY_COMMAND: return "command";
    case SESSION_BY_SCHEDULE: return "schedule";
    case SESSION_BY_BAND: return "band";
    case SESSION_BY_BREAKER: return "breaker";
    case SESSION_BY_TIMER: return "timer";
    default: return "unknown";
    }
}

const char *json_currency(uint32_t currency)
{
    static const char *const codes[CURRENCY_COUNT] = {"USD", "EUR", "GBP", "JPY",
                                                      "KRW", "CHF", "HKD", "CAD"};
    return currency < CURRENCY_COUNT ? codes[currency] : "unknown";
}
