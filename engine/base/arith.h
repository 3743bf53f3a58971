/* arith.h - arithmetic that cannot wrap unnoticed.
 *
 * Each function stores the result and returns true, or returns false and stores nothing of use.
 * Pure, any thread.
 */
#ifndef HOGA_BASE_ARITH_H
#define HOGA_BASE_ARITH_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/base/units.h"

MUST_CHECK static inline bool arith_add(int64_t a, int64_t b, int64_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

MUST_CHECK static inline bool arith_sub(int64_t a, int64_t b, int64_t *difference)
{
    return !__builtin_sub_overflow(a, b, difference);
}

/* Notional of a fill or an order: cash = px * qty. */
MUST_CHECK static inline bool arith_notional(px_t px, qty_t qty, cash_t *cash)
{
    return !__builtin_mul_overflow(px, qty, cash);
}

#endif
