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
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "bare_book.h"
#include "bench.h"
#include "exchange.h"
#include "flow.h"
#include "flow_run.h"

static int compare_times(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static uint32_t time_quantile(const struct flow_run *self, double share)
{
    uint64_t count = self->flow->header.timed_count;
    uint64_t at = (uint64_t)(share * (double)count);
    return count ? self->times_ns[at < count ? at : count - 1] : 0;
}

static void print(struct flow_run *self, double *ours, double *floor, unsigned passes)
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
    static struct flow_run self; /* too large for a stack */
    struct bench_options options = bench_options_parse(argc, argv, "bench_core");
    double ours[BENCH_REPEATS_MAX], floor[BENCH_REPEATS_MAX];
    struct flow flow;
    flow_read(&flow, options.flow);
    bench_pin(options.cpu);
    bare_book_open(&flow);
    flow_run_init(&self, &flow, bench_other_cpu(options.cpu));
    for (unsigned i = 0; i < options.passes; i++) {
        bool right;
        floor[i] = bare_book_run(&flow, &right);
        self.right = self.right && right;
        ours[i] = flow_run_throughput(&self);
    }
    flow_run_latency(&self);
    print(&self, ours, floor, options.passes);
    bare_book_close();
    flow_free(&flow);
    flow_run_free(&self);
    return self.right ? 0 : 1;
}
