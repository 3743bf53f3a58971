/* flow_seat.h - one simulated broker at the exchange: his connection, which comes back by itself,
 * and his orders in all markets of the flow. Owned by the flow's one thread.
 *
 *   closed -> connecting -> open: first what an earlier flow left is cancelled, then he trades
 *      ^                      |
 *      +------- retry --------+
 */
#ifndef HOGA_OPS_FLOW_SEAT_H
#define HOGA_OPS_FLOW_SEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "server/ops/brokers.h"
#include "server/ops/flow_market.h"
#include "server/ops/pacer.h"

struct flow;

enum { FLOW_LEFT_MAX = 4096 };

struct flow_seat {
    struct flow *flow;
    unsigned number; /* among the brokers */
    struct stream_client *client;
    uv_timer_t retry;
    uint64_t retry_ms;
    bool open;
    struct pacer pacer;
    bool left_known;
    int64_t ask_left_ms;          /* not before this, on the steady clock */
    uint64_t left[FLOW_LEFT_MAX]; /* order ids of an earlier flow, still to be cancelled */
    uint32_t left_count;
};

/* Begins to connect, and goes on trying. False without memory. */
bool flow_seat_open(struct flow_seat *self, struct flow *flow, unsigned number);

/* Ends the connection; not from inside one of its own calls. */
void flow_seat_close(struct flow_seat *self);

/* Whether a request may be sent now, by connection and rate. */
bool flow_seat_ready(struct flow_seat *self);

/* Sends what the action says, for a seat that is ready. */
void flow_seat_send(struct flow_seat *self, struct flow_market *market,
                    const struct flow_action *action);

/* Finds out what an earlier flow or connection left, and cancels it as fast as the rate allows. */
void flow_seat_clean(struct flow_seat *self);

#endif
