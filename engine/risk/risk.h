/* risk.h - what one order may be at most, before any money is looked at.
 *
 * Pure functions over the command and the instrument's limits. Owned by the engine's thread.
 */
#ifndef HOGA_RISK_H
#define HOGA_RISK_H

#include "engine/base/units.h"
#include "engine/message/reject.h"

struct risk_limits {
    qty_t max_order_qty;
    cash_t max_order_notional;
};

/* REJECT_MAX_ORDER_QTY, REJECT_MAX_ORDER_NOTIONAL (also when px * qty has no 64-bit value), or
 * REJECT_NONE with the notional stored. px and qty are positive. */
enum reject risk_check_order(const struct risk_limits *limits, px_t px, qty_t qty,
                             cash_t *notional);

#endif
