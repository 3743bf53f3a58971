/* crowd.h - random orders of many accounts in many instruments, for the benchmarks of scale.
 *
 * Each account trades one instrument; odd ones buy and even ones sell. The crowd follows the events
 * and so knows which orders are open, as far as it has been told: an order that was filled by a
 * command in the same piece is refused when it is named again, which is counted apart.
 */
#ifndef HOGA_BENCH_CROWD_H
#define HOGA_BENCH_CROWD_H

#include <stdint.h>

#include "exchange.h"

enum crowd_shape {
    CROWD_ORDINARY,  /* within CROWD_TICKS of the middle, more of them near it */
    CROWD_FAR_APART, /* on levels a million ticks apart */
    CROWD_ONE_LEVEL, /* one price a side */
};

enum { CROWD_TICKS = 300 };

/* Of a thousand commands; the rest are moves to another price. */
struct crowd_mix {
    unsigned new_orders, cancels, takers;
};

struct crowd_order {
    order_id_t order_id; /* 0: not open */
    account_id_t account;
    uint32_t is_sell;
};

struct crowd {
    struct exchange exchange;
    struct crowd_order *orders; /* by slot */
    uint32_t slots_seen;        /* one past the highest */
    uint32_t instruments, accounts;
    uint32_t target; /* open orders to keep to */
    uint32_t open_count;
    enum crowd_shape shape;
    struct crowd_mix mix;
    uint64_t random;
    uint64_t left;         /* commands to be sent in this run */
    uint64_t trades;       /* so far */
    uint64_t rejects;      /* other than of orders that were gone */
    uint64_t already_gone; /* requests that named an order that was gone */
    int helper_cpu;
};

/* Opens an exchange of these limits with its instruments, accounts with cash and shares, and
 * `target` resting orders. */
void crowd_open(struct crowd *self, const struct limits *limits, uint32_t target,
                enum crowd_shape shape, struct crowd_mix mix, int helper_cpu);
void crowd_close(struct crowd *self);

/* Sends `count` random commands. Returns million a second. */
double crowd_run(struct crowd *self, uint64_t count);

/* Whether all it was told fits: the engine's own count of open orders, something traded, nothing
 * refused that should not be. */
bool crowd_is_right(const struct crowd *self);

#endif
