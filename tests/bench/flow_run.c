#define _GNU_SOURCE
#include "flow_run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "engine/bus/clock.h"
#include "flow_command.h"

enum { INSTRUMENT = 1, REFERENCE_TICKS = 30000 };

/* ---- checking ---- */

/* Request ids are indices of records, from 1. */
static void on_event(void *context, const struct journal_record *event)
{
    struct flow_run *self = context;
    const struct event_execution *e = record_message(event);
    uint64_t request = origin_request(event->origin);
    if (event->header.template_id != EVENT_EXECUTION || !request) return;
    const struct flow_record *r = &self->flow->records[request - 1];
    if (e->exec_type == EXEC_NEW && self->is_learning) self->ids[r->id] = e->order_id;
    if (e->exec_type != EXEC_TRADE || e->order_id != self->ids[r->id]) return;
    self->fills[request - 1] += (uint32_t)e->last_qty;
    self->qty += (uint64_t)e->last_qty;
    self->notional += (uint64_t)(e->last_qty * (e->last_px / EXCHANGE_TICK_PX));
    self->trades++;
}

static uint64_t count_open_orders(const struct engine *engine)
{
    uint64_t count = 0;
    struct account_view view;
    for (account_id_t account = 1; account <= FLOW_OWNERS; account++)
        if (engine_account(engine, account, &view)) count += view.open_order_count;
    return count;
}

static bool is_right(const struct flow_run *self)
{
    const struct flow *flow = self->flow;
    const struct flow_header *h = &flow->header;
    for (uint64_t i = 0; i < flow->count; i++)
        if (self->fills[i] != flow->records[i].expected_fill) return false;
    return self->exchange.rejects == 0 && self->qty == h->expected_qty &&
           self->trades == h->expected_trades && self->notional == h->expected_notional &&
           count_open_orders(self->exchange.sequencer.engine) == h->expected_resting;
}

/* ---- the client ---- */

static bool send_record(struct flow_run *self, uint64_t index)
{
    union flow_command command;
    size_t length = flow_command(&self->flow->records[index], self->ids, INSTRUMENT, &command);
    return exchange_send(&self->exchange, index + 1, &command, length);
}

static bool fill_ring(void *context)
{
    struct flow_run *self = context;
    uint64_t before = self->next;
    while (self->next < self->flow->count && send_record(self, self->next)) self->next++;
    return self->next != before;
}

/* Follows the events while the core works, as readers that are rung now and then do. */
static void *reader_run(void *argument)
{
    struct flow_run *self = argument;
    while (!atomic_load_explicit(&self->is_over, memory_order_acquire)) {
        exchange_read_events(&self->exchange);
        (void)usleep(1000);
    }
    exchange_read_events(&self->exchange);
    return NULL;
}

/* ---- passes ---- */

static void begin_pass(struct flow_run *self)
{
    struct exchange *exchange = &self->exchange;
    exchange_open(exchange, &engine_default_limits, self->helper_cpu);
    exchange_list(exchange, INSTRUMENT, REFERENCE_TICKS);
    for (account_id_t account = 1; account <= FLOW_OWNERS; account++) {
        exchange_open_account(exchange, account, INT64_C(1000000000000000));
        exchange_deposit(exchange, account, INSTRUMENT, INT64_C(1000000000));
    }
    exchange_settle(exchange);
    exchange->on_event = on_event;
    exchange->context = self;
    memset(self->fills, 0, self->flow->count * sizeof *self->fills);
    self->qty = self->trades = self->notional = 0;
}

static void end_pass(struct flow_run *self)
{
    self->right = self->right && is_right(self);
    exchange_close(&self->exchange);
}

static void run_prefill(struct flow_run *self)
{
    for (self->next = 0; self->next < self->flow->header.prefill_count; self->next++) {
        bench_must(send_record(self, self->next), "ring");
        exchange_settle(&self->exchange);
    }
}

double flow_run_throughput(struct flow_run *self)
{
    begin_pass(self);
    run_prefill(self);
    int64_t ns = exchange_run(&self->exchange, self->helper_cpu, fill_ring, self);
    end_pass(self);
    return (double)self->flow->header.timed_count * 1e3 / (double)ns;
}

static int64_t clock_cost_ns(void)
{
    enum { READINGS = 1001 };
    double costs[READINGS];
    for (unsigned i = 0; i < READINGS; i++) {
        int64_t start_ns = clock_steady_ns();
        costs[i] = (double)(clock_steady_ns() - start_ns);
    }
    return (int64_t)bench_median(costs, READINGS);
}

void flow_run_latency(struct flow_run *self)
{
    pthread_t reader;
    begin_pass(self);
    run_prefill(self);
    self->clock_ns = clock_cost_ns();
    atomic_store_explicit(&self->is_over, false, memory_order_relaxed);
    bench_start_thread(&reader, self->helper_cpu, reader_run, self);
    uint64_t first = self->next;
    for (; self->next < self->flow->count; self->next++) {
        bench_must(send_record(self, self->next), "ring");
        exchange_wait_ready(&self->exchange);
        int64_t start_ns = clock_steady_ns();
        (void)sequencer_poll(&self->exchange.sequencer);
        int64_t ns = clock_steady_ns() - start_ns - self->clock_ns;
        self->times_ns[self->next - first] = ns > 0 ? (uint32_t)ns : 0;
    }
    atomic_store_explicit(&self->is_over, true, memory_order_release);
    (void)pthread_join(reader, NULL);
    end_pass(self);
}

void flow_run_init(struct flow_run *self, const struct flow *flow, int helper_cpu)
{
    *self = (struct flow_run){.flow = flow, .helper_cpu = helper_cpu, .right = true};
    self->ids = calloc(flow->count + 1, sizeof *self->ids);
    self->fills = calloc(flow->count + 1, sizeof *self->fills);
    self->times_ns = calloc(flow->count + 1, sizeof *self->times_ns);
    bench_must(self->ids && self->fills && self->times_ns, "memory");
    begin_pass(self);
    self->is_learning = true;
    for (uint64_t i = 0; i < flow->count; i++) {
        bench_must(send_record(self, i), "ring");
        exchange_settle(&self->exchange);
    }
    self->is_learning = false;
    end_pass(self);
}

void flow_run_free(struct flow_run *self)
{
    free(self->ids);
    free(self->fills);
    free(self->times_ns);
}
