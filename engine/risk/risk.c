#include "engine/risk/risk.h"

#include "engine/base/arith.h"

enum reject risk_check_order(const struct risk_limits *limits, px_t px, qty_t qty, cash_t *notional)
{
    if (qty > limits->max_order_qty) return REJECT_MAX_ORDER_QTY;
    if (!arith_notional(px, qty, notional) || *notional > limits->max_order_notional)
        return REJECT_MAX_ORDER_NOTIONAL;
    return REJECT_NONE;
}
