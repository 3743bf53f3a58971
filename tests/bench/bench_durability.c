/* bench_durability - from an order in the ring to its released answer seen by a reader, at a fixed
 * rate (open loop) on a real hoga-core at durability disk; in turn with durability memory, where
 * nothing waits, and with the disk alone: as many bytes as a commit has, written and synced one
 * after the other, which is the baseline. $TMPDIR says which disk.
 *
 *   bench_durability [--core PATH] [--rate N] [--seconds N] [--passes N]
 *
 * What finds the ring full counts as refused. Ends with 1 when an order was answered twice, out of
 * order, or never.
 */
#define _GNU_SOURCE
#include <fcntl.h>
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

enum { PASSES_MAX = 32, WARM_SHARE = 10 /* the first tenth is not counted */ };

struct figures {
    double p50_us[PASSES_MAX], p99_us[PASSES_MAX], p999_us[PASSES_MAX];
    uint64_t orders, refused, wrong, commits;
};

enum { SYNCS = 400, SYNC_BYTES = 12 * 1024, SYNC_FILE_BYTES = 8 * 1024 * 1024 };

struct options {
    const char *core;
    unsigned per_second, seconds, passes;
};

_Noreturn static void usage(void)
{
    fprintf(stderr,
            "usage: bench_durability [--core PATH] [--rate N] [--seconds N] [--passes N]\n");
    exit(2);
}

static struct options options_parse(int argc, char **argv)
{
    static const struct option names[] = {{"core", required_argument, NULL, 'c'},
                                          {"rate", required_argument, NULL, 'r'},
                                          {"seconds", required_argument, NULL, 's'},
                                          {"passes", required_argument, NULL, 'p'},
                                          {NULL, 0, NULL, 0}};
    struct options options = {.per_second = 50000, .seconds = 4, .passes = 3};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 'c': options.core = optarg; break;
        case 'r': options.per_second = (unsigned)atoi(optarg); break;
        case 's': options.seconds = (unsigned)atoi(optarg); break;
        case 'p': options.passes = (unsigned)atoi(optarg); break;
        default: usage();
        }
    }
    if (optind != argc || !options.per_second || !options.seconds || !options.passes ||
        options.passes > PASSES_MAX)
        usage();
    if (!options.core) options.core = paced_load_core_beside();
    return options;
}

static uint64_t counter(const struct paced_load *load, const char *name)
{
    for (unsigned i = 0; i < CONTROL_STATION_MAX; i++) {
        const struct station *s = &load->control->stations[i];
        if (strcmp(s->name, "core") != 0) continue;
        for (unsigned c = 0; c < CONTROL_COUNTER_MAX; c++)
            if (strcmp(s->counters[c].name, name) == 0) return atomic_load(&s->counters[c].value);
    }
    return 0;
}

/* Latencies of the answers, in microseconds, sorted by quantile. */
static void note_quantiles(const struct paced_load *load, struct figures *figures, unsigned pass)
{
    uint64_t first = load->sent / WARM_SHARE + 1, count = 0;
    double *us = malloc((load->sent + 1) * sizeof *us);
    bench_must(us != NULL, "memory");
    for (uint64_t i = first; i <= load->sent; i++)
        if (load->answered_ns[i])
            us[count++] = (double)(load->answered_ns[i] - load->sent_ns[i]) / 1e3;
    bench_must(count > 0 && count < UINT32_MAX, "no answers");
    figures->p50_us[pass] = bench_quantile(us, (unsigned)count, 0.5);
    figures->p99_us[pass] = us[(uint64_t)((double)count * 0.99)];
    figures->p999_us[pass] = us[(uint64_t)((double)count * 0.999)];
    free(us);
}

/* What the disk takes for a commit by itself. */
static void run_disk_alone(const struct paced_load *load, struct figures *figures, unsigned pass)
{
    static uint8_t bytes[SYNC_FILE_BYTES];
    double us[SYNCS];
    char path[96];
    (void)snprintf(path, sizeof path, "%s/sync", load->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bench_must(fd >= 0 && pwrite(fd, bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes &&
                   fsync(fd) == 0,
               path);
    for (unsigned i = 0; i < SYNCS; i++) {
        int64_t start_ns = clock_steady_ns();
        bench_must(pwrite(fd, bytes, SYNC_BYTES, (off_t)i * SYNC_BYTES) == SYNC_BYTES &&
                       fdatasync(fd) == 0,
                   path);
        us[i] = (double)(clock_steady_ns() - start_ns) / 1e3;
    }
    (void)close(fd);
    figures->p50_us[pass] = bench_quantile(us, SYNCS, 0.5);
    figures->p99_us[pass] = bench_quantile(us, SYNCS, 0.99);
}

static void run(const struct options *options, const char *durability, struct figures *figures,
                struct figures *alone, unsigned pass)
{
    static struct paced_load load;
    const char *arguments[] = {"--durability", durability, NULL};
    paced_load_open(&load, options->core, (uint64_t)options->per_second * (options->seconds + 2));
    pid_t core = paced_load_start_core(&load, arguments);
    paced_load_connect(&load);
    paced_load_run(&load, options->per_second);
    (void)sleep(options->seconds);
    paced_load_stop(&load);
    if (alone) run_disk_alone(&load, alone, pass);
    note_quantiles(&load, figures, pass);
    figures->orders += load.sent;
    figures->refused += atomic_load(&load.refused);
    figures->wrong += load.wrong;
    figures->commits += counter(&load, "commits");
    bench_must(kill(core, SIGTERM) == 0 && waitpid(core, NULL, 0) == core, "core");
    paced_load_close(&load);
}

int main(int argc, char **argv)
{
    static struct figures disk, memory, alone;
    struct options options = options_parse(argc, argv);
    for (unsigned i = 0; i < options.passes; i++) {
        run(&options, "memory", &memory, NULL, i);
        run(&options, "disk", &disk, &alone, i);
    }
    unsigned n = options.passes;
    double ratio = bench_paired_ratio(disk.p99_us, alone.p99_us, n);
    printf("{\"bench\":\"durability\",\"orders_per_s\":%u,\"orders\":%llu,\"ring_full\":%llu,"
           "\"orders_a_commit\":%.1f,\"p50_us\":",
           options.per_second, (unsigned long long)disk.orders, (unsigned long long)disk.refused,
           (double)disk.orders / (double)(disk.commits ? disk.commits : 1));
    bench_print_array(disk.p50_us, n);
    printf(",\"p99_us\":");
    bench_print_array(disk.p99_us, n);
    printf(",\"p999_us\":");
    bench_print_array(disk.p999_us, n);
    printf(",\"median_p50_us\":%.1f,\"median_p99_us\":%.1f,\"wrong\":%llu,\"memory_p50_us\":%.1f,"
           "\"memory_p99_us\":%.1f,\"sync_p50_us\":%.1f,\"baseline\":%.1f,\"ratio\":%.3f,"
           "\"repeats\":%u}\n",
           bench_median(disk.p50_us, n), bench_median(disk.p99_us, n),
           (unsigned long long)(disk.wrong + memory.wrong), bench_median(memory.p50_us, n),
           bench_median(memory.p99_us, n), bench_median(alone.p50_us, n),
           bench_median(alone.p99_us, n), ratio, n);
    return disk.wrong + memory.wrong ? 1 : 0;
}
