/* flow.h - `hoga flow`: a simulated market, so that a new user sees books that live.
 *
 *   timer -> a market -> what to do next -> a broker's seat -> the exchange
 *
 * Quotes around a price that wanders, orders that take, cancels; at most FLOW_ORDERS_MAX open
 * orders a symbol. It leaves a book that a replay has for itself (market_lock.h) and comes back
 * afterwards, wherever the price then is; it waits for instruments that are not trading. It knows
 * instruments with one tick, in dollars.
 */
#ifndef HOGA_OPS_FLOW_H
#define HOGA_OPS_FLOW_H

#include "server/ops/brokers.h"
#include "server/ops/flow_market.h"
#include "server/ops/flow_seat.h"

/* argv[0] is "flow". Returns the exit status. */
int flow_main(int argc, char **argv);

/* ---- what its seats share ---- */

enum { FLOW_MARKETS_MAX = 64 };

struct flow {
    const char *data_dir;
    uint64_t rate_per_s;
    uv_loop_t loop;
    struct stream_dialer *dialer;
    struct brokers brokers;
    struct flow_seat seats[FLOW_BROKERS_MAX];
    unsigned seat_count;
    struct flow_market markets[FLOW_MARKETS_MAX];
    uint32_t market_count;
    uint32_t stamp; /* of this run, in its client order ids */
    uint64_t random;
    int64_t due_micro; /* orders that are due, in millionths */
    int64_t acted_ns;
    uv_timer_t act_timer, lock_timer;
    uv_signal_t terminate, interrupt;
    bool stopping, closing;
    int64_t stop_by_ms;
    _Atomic uint64_t *sent_count, *refused_count; /* of the station */
};

#endif
