/* bench_scale - what size costs: many instruments, accounts and resting orders, prices far apart,
 * many orders at one price. The whole path as in bench_core, with random commands (crowd.h).
 *
 *   bench_scale --flow FILE [--part scale|resting|sparse] [--passes N] [--cpu N] [--clock wall|cpu]
 *
 *   scale    10,000 instruments, a million accounts with positions, ten million resting orders:
 *            bytes, and commands a second spread over all of them at random, against the flow's
 *   resting  one instrument with 10^3 to 10^7 resting orders: ns a command
 *   sparse   levels a million ticks apart, and 100,000 orders on one level a side, each against the
 *            ordinary book under the same mix of commands
 *
 * One JSON line a part; all parts without --part.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench.h"
#include "crowd.h"
#include "exchange.h"
#include "flow.h"
#include "flow_run.h"

enum { COMMANDS = 1000000 }; /* a pass */

/* Mostly moves, as in the flow that exchange-core publishes. */
static const struct crowd_mix moves = {.new_orders = 75, .cancels = 75, .takers = 30};
/* New orders and cancels alone. */
static const struct crowd_mix no_moves = {.new_orders = 450, .cancels = 450, .takers = 100};

struct bench {
    struct bench_options options;
    struct flow flow;
    struct flow_run flow_run;
    int helper_cpu;
};

static uint64_t peak_rss_bytes(void)
{
    struct rusage usage;
    bench_must(getrusage(RUSAGE_SELF, &usage) == 0, "getrusage");
    return (uint64_t)usage.ru_maxrss * 1024;
}

/* ---- scale ---- */

static bool run_scale(struct bench *self)
{
    static struct crowd crowd;
    const unsigned passes = self->options.passes;
    double ours[BENCH_REPEATS_MAX], flow[2 * BENCH_REPEATS_MAX];
    const struct limits limits = {.instruments = 10001,
                                  .accounts = 1000001,
                                  .users = 1000001,
                                  .keys = 2,
                                  .orders = 10100000,
                                  .price_blocks = 140000,
                                  .positions = 1050000,
                                  .cl_ord_ids = 1024,
                                  .volumes = 1050000,
                                  .trades = 65536};
    unsigned half = passes > BENCH_REPEATS_MAX / 2 ? BENCH_REPEATS_MAX / 2 : passes;
    for (unsigned i = 0; i < half; i++) flow[i] = flow_run_throughput(&self->flow_run);
    crowd_open(&crowd, &limits, 10000000, CROWD_ORDINARY, moves, self->helper_cpu);
    for (unsigned i = 0; i < passes; i++) ours[i] = crowd_run(&crowd, COMMANDS);
    bool right = crowd_is_right(&crowd);
    uint64_t rss = peak_rss_bytes(), arena = crowd.exchange.memory_bytes;
    crowd_close(&crowd);
    for (unsigned i = 0; i < half; i++) flow[half + i] = flow_run_throughput(&self->flow_run);
    right = right && self->flow_run.right;
    printf("{\"bench\":\"scale\",\"instruments\":10000,\"accounts\":1000000,"
           "\"resting\":%u,\"arena_bytes\":%llu,\"peak_rss_bytes\":%llu,\"mcmds_per_s\":",
           crowd.open_count, (unsigned long long)arena, (unsigned long long)rss);
    bench_print_array(ours, passes);
    double baseline = bench_median(flow, 2 * half);
    printf(",\"best\":%.3f,\"trades\":%llu,\"already_gone\":%llu,\"right\":%s,"
           "\"baseline\":%.3f,\"ratio\":%.3f,\"repeats\":%u}\n",
           bench_max(ours, passes), (unsigned long long)crowd.trades,
           (unsigned long long)crowd.already_gone, right ? "true" : "false", baseline,
           bench_median(ours, passes) / baseline, passes);
    return right;
}

/* ---- one instrument ---- */

static struct limits one_instrument(uint32_t accounts, uint32_t orders)
{
    return (struct limits){.instruments = 2,
                           .accounts = accounts + 1,
                           .users = accounts + 1,
                           .keys = 2,
                           .orders = orders + 100000,
                           .price_blocks = 4096,
                           .positions = 2 * accounts,
                           .cl_ord_ids = 1024,
                           .volumes = 2 * accounts,
                           .trades = 65536};
}

/* Million commands a second, the median of the passes. */
static double measure(struct bench *self, enum crowd_shape shape, struct crowd_mix mix,
                      uint32_t orders, bool *right)
{
    static struct crowd crowd;
    double rates[BENCH_REPEATS_MAX];
    const struct limits limits = one_instrument(1000, orders);
    crowd_open(&crowd, &limits, orders, shape, mix, self->helper_cpu);
    for (unsigned i = 0; i < self->options.passes; i++) rates[i] = crowd_run(&crowd, COMMANDS);
    *right = *right && crowd_is_right(&crowd);
    crowd_close(&crowd);
    return bench_median(rates, self->options.passes);
}

static bool run_resting(struct bench *self)
{
    double first_ns = 0, ns = 0;
    bool right = true;
    printf("{\"bench\":\"resting\",\"ns_per_command\":{");
    for (uint32_t orders = 1000; orders <= 10000000; orders *= 10) {
        ns = 1e3 / measure(self, CROWD_ORDINARY, moves, orders, &right);
        if (orders == 1000) first_ns = ns;
        printf("%s\"%u\":%.1f", orders == 1000 ? "" : ",", orders, ns);
        (void)fflush(stdout);
    }
    printf("},\"baseline\":%.1f,\"ratio\":%.3f,\"repeats\":%u,\"right\":%s}\n", first_ns,
           ns / first_ns, self->options.passes, right ? "true" : "false");
    return right;
}

static bool run_sparse(struct bench *self)
{
    bool right = true;
    double far = 1e3 / measure(self, CROWD_FAR_APART, moves, 1000, &right);
    double ordinary = 1e3 / measure(self, CROWD_ORDINARY, moves, 1000, &right);
    double level = 1e3 / measure(self, CROWD_ONE_LEVEL, no_moves, 200000, &right);
    double plain = 1e3 / measure(self, CROWD_ORDINARY, no_moves, 1000, &right);
    printf("{\"bench\":\"sparse\",\"far_apart_ns\":%.1f,\"baseline\":%.1f,\"ratio\":%.3f,"
           "\"one_level_ns\":%.1f,\"one_level_baseline\":%.1f,\"one_level_ratio\":%.3f,"
           "\"repeats\":%u,\"right\":%s}\n",
           far, ordinary, far / ordinary, level, plain, level / plain, self->options.passes,
           right ? "true" : "false");
    return right;
}

int main(int argc, char **argv)
{
    static struct bench self;
    self.options = bench_options_parse(argc, argv, "bench_scale");
    const char *part = self.options.part;
    bool right = true;
    flow_read(&self.flow, self.options.flow);
    self.helper_cpu = bench_other_cpu(self.options.cpu);
    bench_pin(self.options.cpu);
    if (!part || strcmp(part, "scale") == 0) {
        flow_run_init(&self.flow_run, &self.flow, self.helper_cpu);
        right = run_scale(&self) && right;
        flow_run_free(&self.flow_run);
    }
    if (!part || strcmp(part, "resting") == 0) right = run_resting(&self) && right;
    if (!part || strcmp(part, "sparse") == 0) right = run_sparse(&self) && right;
    flow_free(&self.flow);
    return right ? 0 : 1;
}
