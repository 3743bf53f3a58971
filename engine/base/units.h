/* units.h - the integer units that every part of the exchange counts in.
 *
 * px    price in 1/10000 of the currency (1.2345 USD is 12345)
 * qty   shares
 * cash  1/10000 of the currency, so that px * qty is cash without a conversion
 *
 * All are signed 64-bit so that a difference is as representable as an amount; no float is used
 * anywhere under engine/. Identifiers are unsigned and 0 never names anything.
 */
#ifndef HOGA_BASE_UNITS_H
#define HOGA_BASE_UNITS_H

#include <stdint.h>

typedef int64_t px_t;
typedef int64_t qty_t;
typedef int64_t cash_t;

typedef uint64_t seq_t;           /* position in a journal, from 1, without gaps */
typedef uint64_t order_id_t;      /* order counter << ORDER_SLOT_BITS | slot in the order table */
typedef uint64_t trade_id_t;      /* counts matched pairs, from 1 */
typedef uint32_t account_id_t;    /* chosen by the administrator, 1 .. limits.accounts - 1 */
typedef uint32_t user_id_t;       /* chosen by the administrator, 1 .. limits.users - 1 */
typedef uint32_t instrument_id_t; /* chosen by the administrator, 1 .. limits.instruments - 1 */

enum {
    PX_SCALE = 10000,         /* px units in one unit of the currency */
    ORDER_SLOT_BITS = 24,     /* at most 16,777,216 open orders */
    CL_ORD_ID_BYTES = 36,     /* fits a UUID; padded with NUL, not terminated when full */
    SYMBOL_BYTES = 12,        /* padded with NUL; at least one NUL */
    KEY_ID_BYTES = 24,        /* padded with NUL; at least one NUL */
    NAME_BYTES = 32,          /* UTF-8, padded with NUL; at least one NUL */
    SEALED_SECRET_BYTES = 60, /* AES-256-GCM: nonce 12, ciphertext 32, tag 16 */
};

#define PX_MAX  INT64_C(1000000000000000) /* 100 billion of the currency a share */
#define QTY_MAX INT64_C(1000000000000)    /* a trillion shares an order */

#endif
