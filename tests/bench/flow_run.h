/* flow_run.h - a whole flow through an exchange (exchange.h), checked fill by fill. */
#ifndef HOGA_BENCH_FLOW_RUN_H
#define HOGA_BENCH_FLOW_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange.h"
#include "flow.h"

struct flow_run {
    const struct flow *flow;
    int helper_cpu;
    order_id_t *ids;    /* the exchange's, by the flow's */
    uint32_t *fills;    /* by record */
    uint32_t *times_ns; /* by timed record, of the latency pass */
    int64_t clock_ns;   /* what two readings of the clock cost, taken off each time */
    struct exchange exchange;
    bool is_learning;
    uint64_t qty, trades, notional; /* traded in the last pass */
    uint64_t next;                  /* record to be sent */
    _Atomic bool is_over;
    bool right; /* all passes so far have traded what the flow says, and refused nothing */
};

/* Runs the flow once to learn the ids that the exchange gives, which cancels and replaces must
 * name. The calling thread is the pinned one. */
void flow_run_init(struct flow_run *self, const struct flow *flow, int helper_cpu);
void flow_run_free(struct flow_run *self);

/* A fresh exchange; returns million commands a second of the timed part. */
double flow_run_throughput(struct flow_run *self);

/* A fresh exchange, one command at a time: fills times_ns, from a command in the ring to its events
 * published. */
void flow_run_latency(struct flow_run *self);

#endif
