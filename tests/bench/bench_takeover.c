/* bench_takeover - how long no answer comes when the primary dies, or hangs, under load: from the
 * last answer before to the first one after, as a reader of released events sees it. In turn with
 * the longest pause in a fifth of a second when nothing happens, on the same machine at the same
 * load; `after` is the same for the fifth of a second behind the first answers.
 *
 *   bench_takeover [--core PATH] [--durability memory|disk] [--how kill|stop] [--times N]
 *                  [--rate N]
 *
 * Real hoga-core processes: two, and a new standby for each that dies. Ends with 1 when an order
 * was answered twice, out of order, or never.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "engine/bus/clock.h"
#include "exchange.h"
#include "paced_load.h"

enum { TIMES_MAX = 1000, SETTLE_US = 200 * 1000, TAKEOVER_WAIT_MS = 10000 };

struct takeovers {
    struct paced_load load;
    const char *durability;
    const char *how;
    unsigned times, per_second;
    pid_t primary, standby;
    double pauses_ms[TIMES_MAX];
    double quiet_ms[TIMES_MAX];
    double after_ms[TIMES_MAX];
};

_Noreturn static void usage(void)
{
    fprintf(stderr, "usage: bench_takeover [--core PATH] [--durability memory|disk] "
                    "[--how kill|stop] [--times N] [--rate N]\n");
    exit(2);
}

static const char *options_parse(struct takeovers *self, int argc, char **argv)
{
    static const struct option names[] = {
        {"core", required_argument, NULL, 'c'}, {"durability", required_argument, NULL, 'd'},
        {"how", required_argument, NULL, 'h'},  {"times", required_argument, NULL, 't'},
        {"rate", required_argument, NULL, 'r'}, {NULL, 0, NULL, 0}};
    const char *core = NULL;
    *self =
        (struct takeovers){.durability = "disk", .how = "kill", .times = 50, .per_second = 50000};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 'c': core = optarg; break;
        case 'd': self->durability = optarg; break;
        case 'h': self->how = optarg; break;
        case 't': self->times = (unsigned)atoi(optarg); break;
        case 'r': self->per_second = (unsigned)atoi(optarg); break;
        default: usage();
        }
    }
    bool known = strcmp(self->how, "kill") == 0 || strcmp(self->how, "stop") == 0;
    if (optind != argc || !known || !self->times || self->times > TIMES_MAX || !self->per_second)
        usage();
    return core ? core : paced_load_core_beside();
}

static pid_t start_core(struct takeovers *self)
{
    const char *arguments[] = {"--standby", "--durability", self->durability, NULL};
    return paced_load_start_core(&self->load, arguments);
}

static double ms(int64_t ns)
{
    return (double)ns / 1e6;
}

static int64_t ms_ns(double value)
{
    return (int64_t)(value * 1e6);
}

/* One takeover; stores its pause and that of a quiet time before it. */
static void take_over(struct takeovers *self, unsigned at)
{
    struct paced_load *load = &self->load;
    int64_t quiet_ns = clock_steady_ns();
    (void)usleep(SETTLE_US);
    int64_t now_ns = clock_steady_ns();
    self->quiet_ms[at] = ms(paced_load_longest_pause(load, quiet_ns, now_ns));

    uint32_t before = atomic_load(&load->control->takeovers);
    bench_must(kill(self->primary, strcmp(self->how, "kill") == 0 ? SIGKILL : SIGSTOP) == 0,
               "kill");
    for (unsigned i = 0; i < TAKEOVER_WAIT_MS; i++) {
        if (atomic_load(&load->control->takeovers) != before &&
            atomic_load(&load->control->accepting))
            break;
        (void)usleep(1000);
    }
    bench_must(atomic_load(&load->control->takeovers) == before + 1, "no takeover");
    int64_t over_ns = clock_steady_ns(); /* it takes orders: the pause has begun by now */
    (void)usleep(SETTLE_US);
    self->pauses_ms[at] = ms(paced_load_longest_pause(load, now_ns, over_ns));
    over_ns += ms_ns(self->pauses_ms[at]);
    self->after_ms[at] = ms(paced_load_longest_pause(load, over_ns, clock_steady_ns()));
    bench_must(waitpid(self->primary, NULL, 0) == self->primary, "waitpid");
    self->primary = self->standby;
    self->standby = start_core(self);
    paced_load_wait_station(load, "standby", self->standby);
}

static void print(struct takeovers *self)
{
    unsigned n = self->times;
    double p50 = bench_quantile(self->pauses_ms, n, 0.5);
    double p99 = bench_quantile(self->pauses_ms, n, 0.99);
    double quiet_p99 = bench_quantile(self->quiet_ms, n, 0.99);
    printf("{\"bench\":\"takeover\",\"durability\":\"%s\",\"how\":\"%s\",\"takeovers\":%u,"
           "\"orders_per_s\":%u,\"orders\":%llu,\"ring_full\":%llu,\"p50_ms\":%.3f,"
           "\"p99_ms\":%.3f,\"max_ms\":%.3f,\"wrong\":%llu,\"after_p50_ms\":%.3f,"
           "\"after_p99_ms\":%.3f,\"quiet_p50_ms\":%.3f,\"baseline\":%.3f,\"ratio\":%.3f,"
           "\"repeats\":%u}\n",
           self->durability, self->how, n, self->per_second, (unsigned long long)self->load.sent,
           (unsigned long long)atomic_load(&self->load.refused), p50, p99,
           bench_max(self->pauses_ms, n), (unsigned long long)self->load.wrong,
           bench_median(self->after_ms, n), bench_quantile(self->after_ms, n, 0.99),
           bench_median(self->quiet_ms, n), quiet_p99, p99 / quiet_p99, n);
}

int main(int argc, char **argv)
{
    static struct takeovers self; /* too large for a stack */
    const char *core = options_parse(&self, argc, argv);
    uint64_t seconds = 5 + self.times * (strcmp(self.how, "stop") == 0 ? 4 : 3);
    paced_load_open(&self.load, core, self.per_second * seconds);
    self.primary = start_core(&self);
    paced_load_connect(&self.load);
    paced_load_wait_station(&self.load, "core", self.primary);
    self.standby = start_core(&self);
    paced_load_wait_station(&self.load, "standby", self.standby);
    paced_load_run(&self.load, self.per_second);
    for (unsigned i = 0; i < self.times; i++) take_over(&self, i);
    paced_load_stop(&self.load);
    (void)kill(self.standby, SIGTERM);
    (void)waitpid(self.standby, NULL, 0);
    (void)kill(self.primary, SIGTERM);
    (void)waitpid(self.primary, NULL, 0);
    print(&self);
    paced_load_close(&self.load);
    paced_load_remove_all();
    return self.load.wrong ? 1 : 0;
}
