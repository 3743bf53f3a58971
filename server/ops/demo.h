/* demo.h - the demonstration's world: what is listed, who trades, and with what.
 *
 * One table, so that a listing here is all it takes to have one more symbol in the demonstration.
 */
#ifndef HOGA_OPS_DEMO_H
#define HOGA_OPS_DEMO_H

#include <stdbool.h>

#include "engine/base/units.h"

struct demo_instrument {
    instrument_id_t instrument;
    const char *symbol;
    const char *name;
    px_t tick_px;
};

/* Who gets a user and a key. */
struct demo_party {
    const char *name;
    user_id_t user;
    account_id_t account; /* 0: staff */
    uint32_t scopes;
    enum { DEMO_ADMIN, DEMO_BROKER, DEMO_FLOW } kind; /* only DEMO_ADMIN exists without a demo */
};

#define DEMO_MAX_ORDER_QTY      INT64_C(1000000)
#define DEMO_MAX_ORDER_NOTIONAL (INT64_C(1000000000) * PX_SCALE)
/* What a trade costs, in millionths of its notional. */
#define DEMO_MAKER_PPM   5
#define DEMO_TAKER_PPM   30
#define DEMO_MAX_FEE_PPM 100
/* What a user may trade of a symbol a day: brokers far more than the default, so that a day of
 * real orders fits in many times; the simulated market without end. */
#define DEMO_BROKER_DAILY_QTY INT64_C(1000000000)
#define DEMO_CASH             (INT64_C(10000000000) * PX_SCALE)
#define DEMO_SHARES           INT64_C(100000000)

/* Static storage. */
const struct demo_instrument *demo_instruments(unsigned *count);
const struct demo_party *demo_parties(unsigned *count);

#endif
