/* bench_core - the whole path of a command as production runs it: ring, sequence, `in` journal,
 * order manager, risk, wallet, matching, `out` journal; against the bare book (bare_book.h) on the
 * same processor, in turn.
 *
 *   bench_core --flow FILE [--passes N] [--cpu N] [--clock wall|cpu]
 *
 * Every account has limits, every trade fees, every order its hold. Each pass begins with an empty
 * exchange and times the flow's timed part in pieces, each of which fills the ring; the client
 * fills it and checks every fill while the clock stands (exchange.h). One pass more takes one
 * command at a time, and gives the quantiles: from a command in the ring to its events published,
 * less the time that reading the clock takes (clock_ns).
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bare_book.h"
#include "bench.h"
#include "engine/bus/clock.h"
#include "engine/bus/idle.h"
#include "exchange.h"
#include "flow.h"
#include "flow_command.h"

enum { INSTRUMENT = 1, REFERENCE_TICKS = 30000 };

/* Whose turn it is. */
enum turn { TURN_CLIENT, TURN_CORE, TURN_NOBODY };

/* What a pass is for. */
enum purpose {
    LEARN, /* the exchange's order ids, which cancels and replaces must name */
    THROUGHPUT,
    LATENCY,
};

struct bench {
    const struct flow *flow;
    int helper_cpu;
    order_id_t *ids;    /* the exchange's, by the flow's */
    uint32_t *fills;    /* by record */
    uint32_t *times_ns; /* by timed record */
    int64_t clock_ns;   /* what two readings of the clock cost */
    struct exchange exchange;
    enum purpose purpose;
    uint64_t qty, trades, notional; /* traded in this pass */
    uint64_t next;                  /* record to be sent */
    _Atomic int turn;
    bool right;
};

/* ---- checking ---- */

/* Request ids are indices of records, from 1. */
static void on_event(void *context, const struct journal_record *event)
{
    struct bench *self = context;
    const struct event_execution *e = record_message(event);
    uint64_t request = origin_request(event->origin);
    if (event->header.template_id != EVENT_EXECUTION || !request) return;
    const struct flow_record *r = &self->flow->records[request - 1];
    if (e->exec_type == EXEC_NEW && self->purpose == LEARN) self->ids[r->id] = e->order_id;
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

static bool is_right(const struct bench *self)
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

static bool send_record(struct bench *self, uint64_t index)
{
    union flow_command command;
    size_t length = flow_command(&self->flow->records[index], self->ids, INSTRUMENT, &command);
    return exchange_send(&self->exchange, index + 1, &command, length);
}

/* Reads what came of the last piece, and fills the ring with the next. */
static void *client_run(void *argument)
{
    struct bench *self = argument;
    while (self->next < self->flow->count) {
        while (self->next < self->flow->count && send_record(self, self->next)) self->next++;
        atomic_store_explicit(&self->turn, TURN_CORE, memory_order_release);
        while (atomic_load_explicit(&self->turn, memory_order_acquire) != TURN_CLIENT) idle_pause();
        exchange_read_events(&self->exchange);
    }
    atomic_store_explicit(&self->turn, TURN_NOBODY, memory_order_release);
    return NULL;
}

/* Follows the events while the core works, as readers that are rung now and then do. */
static void *reader_run(void *argument)
{
    struct bench *self = argument;
    while (atomic_load_explicit(&self->turn, memory_order_acquire) != TURN_NOBODY) {
        exchange_read_events(&self->exchange);
        (void)usleep(1000);
    }
    exchange_read_events(&self->exchange);
    return NULL;
}

/* ---- passes ---- */

static void begin_pass(struct bench *self, enum purpose purpose)
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
    self->purpose = purpose;
}

static void end_pass(struct bench *self)
{
    self->right = self->right && is_right(self);
    exchange_close(&self->exchange);
}

static void run_prefill(struct bench *self)
{
    for (self->next = 0; self->next < self->flow->header.prefill_count; self->next++) {
        bench_must(send_record(self, self->next), "ring");
        exchange_settle(&self->exchange);
    }
}

static void learn_ids(struct bench *self)
{
    begin_pass(self, LEARN);
    for (uint64_t i = 0; i < self->flow->count; i++) {
        bench_must(send_record(self, i), "ring");
        exchange_settle(&self->exchange);
    }
    end_pass(self);
}

/* Million commands a second. */
static double run_throughput(struct bench *self)
{
    pthread_t client;
    int64_t ns = 0;
    begin_pass(self, THROUGHPUT);
    run_prefill(self);
    atomic_store(&self->turn, TURN_CLIENT);
    bench_start_thread(&client, self->helper_cpu, client_run, self);
    for (;;) {
        int turn;
        while ((turn = atomic_load_explicit(&self->turn, memory_order_acquire)) == TURN_CLIENT)
            idle_pause();
        if (turn == TURN_NOBODY) break;
        exchange_wait_ready(&self->exchange);
        ns += exchange_drain(&self->exchange);
        atomic_store_explicit(&self->turn, TURN_CLIENT, memory_order_release);
    }
    (void)pthread_join(client, NULL);
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

static void run_latency(struct bench *self)
{
    pthread_t reader;
    begin_pass(self, LATENCY);
    run_prefill(self);
    self->clock_ns = clock_cost_ns();
    atomic_store(&self->turn, TURN_CORE);
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
    atomic_store_explicit(&self->turn, TURN_NOBODY, memory_order_release);
    (void)pthread_join(reader, NULL);
    end_pass(self);
}

/* ---- the program ---- */

static int compare_times(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static uint32_t time_quantile(const struct bench *self, double share)
{
    uint64_t count = self->flow->header.timed_count;
    uint64_t at = (uint64_t)(share * (double)count);
    return count ? self->times_ns[at < count ? at : count - 1] : 0;
}

static void print(struct bench *self, double *ours, double *floor, unsigned passes)
{
    uint64_t timed = self->flow->header.timed_count;
    double ratio = bench_paired_ratio(ours, floor, passes);
    qsort(self->times_ns, timed, sizeof *self->times_ns, compare_times);
    printf("{\"bench\":\"core\",\"commands\":%llu,\"mcmds_per_s\":", (unsigned long long)timed);
    bench_print_array(ours, passes);
    printf(",\"best\":%.3f,\"p50_ns\":%u,\"p99_ns\":%u,\"p999_ns\":%u,\"max_ns\":%u,"
           "\"clock_ns\":%lld,\"qty\":%llu,\"trades\":%llu,\"right\":%s",
           bench_max(ours, passes), time_quantile(self, 0.5), time_quantile(self, 0.99),
           time_quantile(self, 0.999), time_quantile(self, 1), (long long)self->clock_ns,
           (unsigned long long)self->qty, (unsigned long long)self->trades,
           self->right ? "true" : "false");
    bench_print_floor(floor, passes, ratio);
}

int main(int argc, char **argv)
{
    static struct bench self = {.right = true};
    struct bench_options options = bench_options_parse(argc, argv, "bench_core");
    double ours[BENCH_REPEATS_MAX], floor[BENCH_REPEATS_MAX];
    struct flow flow;
    flow_read(&flow, options.flow);
    self.flow = &flow;
    self.ids = calloc(flow.count + 1, sizeof *self.ids);
    self.fills = calloc(flow.count + 1, sizeof *self.fills);
    self.times_ns = calloc(flow.count + 1, sizeof *self.times_ns);
    bench_must(self.ids && self.fills && self.times_ns, "memory");
    self.helper_cpu = bench_other_cpu(options.cpu);
    bench_pin(options.cpu);

    struct bare_book *bare = bare_book_new(&flow);
    learn_ids(&self);
    for (unsigned i = 0; i < options.passes; i++) {
        bool right;
        floor[i] = bare_book_run(bare, &flow, &right);
        self.right = self.right && right;
        ours[i] = run_throughput(&self);
    }
    run_latency(&self);
    print(&self, ours, floor, options.passes);
    bare_book_free(bare);
    flow_free(&flow);
    free(self.ids);
    free(self.fills);
    free(self.times_ns);
    return self.right ? 0 : 1;
}
