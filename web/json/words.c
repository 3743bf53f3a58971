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

const char *json_ord_type(uint8_t ord_type)
{
    switch (ord_type) {
    case ORD_TYPE_LIMIT: return "limit";
    default: return "unknown";
    }
}

const char *json_time_in_force(uint8_t time_in_force)
{
    switch (time_in_force) {
    case TIF_DAY: return "day";
    case TIF_GTC: return "gtc";
    case TIF_IOC: return "ioc";
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
    case EXEC_TRADE: return "trade";
    default: return "unknown";
    }
}
