/* engine_layout.h - what an engine consists of, for the two files that implement engine.h: engine.c
 * changes it, engine_view.c only looks.
 */
#ifndef HOGA_ENGINE_LAYOUT_H
#define HOGA_ENGINE_LAYOUT_H

#include "engine/account/account.h"
#include "engine/book/book.h"
#include "engine/engine.h"
#include "engine/instrument/instrument.h"
#include "engine/order/cl_ord_id.h"
#include "engine/wallet/wallet.h"

/* What belongs to no module; in the arena with the rest of the state. */
struct engine_state {
    struct limits limits;
    seq_t seq;           /* last command stepped */
    int64_t time_ns;     /* its time */
    uint64_t day;        /* days since the epoch; 0 before the first END_DAY */
    trade_id_t trade_id; /* last one given */
    uint32_t configured; /* 1 once CONFIGURE has been stepped */
    uint32_t pad;
};

/* The handle: where this process has the tables. Only what lies behind it is state. */
struct engine {
    struct engine_state *state;
    size_t state_bytes;
    struct accounts accounts;
    struct instruments instruments;
    struct wallet wallet;
    struct books books;
    struct cl_ord_ids cl_ord_ids;
    struct event_sink sink; /* of the step in work */
};

#endif
