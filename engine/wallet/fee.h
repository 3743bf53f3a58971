/* fee.h - what a trade costs, and how it is rounded. Pure functions. */
#ifndef HOGA_WALLET_FEE_H
#define HOGA_WALLET_FEE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/units.h"

struct fee {
    cash_t cash; /* notional * ppm / 1,000,000, rounded towards zero; below zero: a rebate */
    int32_t
        remainder; /* what that left out, in millionths of a cash unit; the sign is the rate's */
};

static inline struct fee fee_of(cash_t notional, int32_t ppm)
{
    if (__builtin_expect(notional <= INT64_MAX / 1000000, 1)) { /* |ppm| is at most 100,000 */
        int64_t millionths = notional * ppm;
        return (struct fee){millionths / 1000000, (int32_t)(millionths % 1000000)};
    }
    __int128 millionths = (__int128)notional * ppm;
    return (struct fee){(cash_t)(millionths / 1000000), (int32_t)(millionths % 1000000)};
}

/* What a buy order of this notional holds: the notional and the highest fee, rounded up. Parts of a
 * hold always cover the fees of parts, since those are rounded down. False when the sum has no
 * 64-bit value. */
static inline bool fee_hold(cash_t notional, uint32_t max_fee_ppm, cash_t *hold)
{
    uint64_t fee;
    if (__builtin_expect(notional <= INT64_MAX / 1000000, 1))
        fee = ((uint64_t)notional * max_fee_ppm + 999999) / 1000000;
    else
        fee = (uint64_t)(((unsigned __int128)(uint64_t)notional * max_fee_ppm + 999999) / 1000000);
    return !__builtin_add_overflow(notional, (int64_t)fee, hold);
}

/* The same of a notional below 2^43. */
static inline cash_t fee_hold_plain(cash_t notional, uint32_t max_fee_ppm)
{
    return notional + (cash_t)(((uint64_t)notional * max_fee_ppm + 999999) / 1000000);
}

/* The rate of that for an order of either side: sells hold shares, so theirs adds nothing. */
static inline uint32_t fee_hold_ppm(bool buys, uint32_t max_fee_ppm)
{
    return buys ? max_fee_ppm : 0;
}

#endif
