/* risk.h - pre-trade limits of an account or user, and the message rate.
 *
 * Plain comparisons; whose limits apply when is written in MATCHING.md and done by engine_order.c.
 * Owned by the engine's thread.
 */
#ifndef HOGA_RISK_H
#define HOGA_RISK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/units.h"
#include "engine/message/reject.h"

/* 0: none. The default of max_daily_qty is the instrument's, then RISK_DAILY_QTY; -1: none. */
struct risk_limits {
    qty_t max_order_qty;
    cash_t max_order_notional;
    uint32_t max_open_orders;
    uint32_t max_messages; /* a second */
    uint32_t collar_ppm;
    uint32_t pad;
    qty_t max_long_qty;
    qty_t max_short_qty;
    cash_t max_exposure;
    qty_t max_daily_qty;
};

_Static_assert(sizeof(struct risk_limits) == 64, "one cache line");

#define RISK_DAILY_QTY    INT64_C(1000000)   /* shares of a symbol a user and day */
#define RISK_COLLAR_PPM   UINT32_C(50000)    /* of market and stop orders where none is set */
#define RISK_POSITION_MAX (INT64_C(1) << 62) /* shares, long or short, whatever the limits say */

/* Whether one more message fits into the second of the clock. max 0: always. Changes nothing. */
static inline bool risk_rate_ok(uint32_t rate_second, uint32_t rate_count, uint32_t second,
                                uint32_t max)
{
    return max == 0 || rate_second != second || rate_count < max;
}

/* Counts one. */
static inline void risk_rate_count(uint32_t *rate_second, uint32_t *rate_count, uint32_t second)
{
    if (*rate_second != second) {
        *rate_second = second;
        *rate_count = 0;
    }
    ++*rate_count;
}

#endif
