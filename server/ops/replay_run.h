/* replay_run.h - drives a LOBSTER file through the running exchange, over its public WebSocket.
 *
 * Two brokers: one places, reduces and cancels, the other executes. Requests are sequenced in the
 * order they were sent only within a connection. Across the two, order matters only between an
 * execution and the orders it can reach: those of the side it hits, at its price or better. So a
 * request waits for what it depends on over there, and for nothing else; the rest is in flight.
 *
 *   connect -> cancel what an earlier replay left -> wait for an empty book
 *           -> place what rested before -> the messages -> compare the book
 *
 * What may rest is known without asking: a request that is in flight comes before the next one of
 * its connection. The fills come from the executions of the placing broker's `orders` channel,
 * joined by trade_id with the executing broker's answers. Owned by its loop's thread.
 */
#ifndef HOGA_OPS_REPLAY_RUN_H
#define HOGA_OPS_REPLAY_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "server/ops/brokers.h"
#include "server/ops/lobster.h"

struct replay_totals {
    uint64_t placed_before; /* orders that rested before the file began */
    uint64_t new_orders;
    uint64_t cancels;
    uint64_t reduces;
    uint64_t executions;
    uint64_t fills;
    int64_t shares;
    uint64_t same_order; /* executions that filled the order that Nasdaq filled, and it alone */
    uint64_t no_fill;
    uint64_t unknown; /* reductions and deletions of orders that did not rest */
    uint64_t stale;   /* cancelled because a new order would have traded with them */
    uint64_t resting;
    px_t best_bid, best_ask; /* 0: none */
    int64_t elapsed_ns;      /* of the messages */
};

enum { REPLAY_LEFT_MAX = 100000, REPLAY_WHY_BYTES = 512 };

struct replay_job {
    const struct lobster *lobster;
    const struct brokers *brokers; /* the first places, the second executes */
    const char *symbol;
    uint32_t window;       /* requests in flight */
    const char *id_prefix; /* of all client order ids: "lobster-<this run>-" */
    const uint64_t *left;  /* order ids that an earlier replay left open, of the first broker */
    uint32_t left_count;
};

/* Runs to the end. False with the reason. */
bool replay_run(const struct replay_job *job, struct replay_totals *totals,
                char why[REPLAY_WHY_BYTES]);

#endif
