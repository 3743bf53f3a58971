/* bench_durability - from an order in the ring to its released answer seen by a reader, at a fixed
 * rate (open loop) on a real hoga-core at durability disk; in turn with durability memory, where
 * nothing waits, and with the baseline, the disk alone: one thread that writes and syncs, again and
 * again, the bytes of what has come at the same rate, with nothing else to do. $TMPDIR says which
 * disk.
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

/* Of latencies in microseconds, which are sorted. */
static void note_quantiles(double *us, uint64_t count, struct figures *figures, unsigned pass)
{
    bench_must(count > 0 && count < UINT32_MAX, "no answers");
    figures->p50_us[pass] = bench_quantile(us, (unsigned)count, 0.5);
    figures->p99_us[pass] = us[(uint64_t)((double)count * 0.99)];
    figures->p999_us[pass] = us[(uint64_t)((double)count * 0.999)];
}

static void note_answers(const struct paced_load *load, struct figures *figures, unsigned pass)
{
    uint64_t first = load->sent / WARM_SHARE + 1, count = 0;
    double *us = malloc((load->sent + 1) * sizeof *us);
    bench_must(us != NULL, "memory");
    for (uint64_t i = first; i <= load->sent; i++)
        if (load->answered_ns[i])
            us[count++] = (double)(load->answered_ns[i] - load->sent_ns[i]) / 1e3;
    note_quantiles(us, count, figures, pass);
    free(us);
}

/* ---- the disk alone ---- */

enum { ALONE_SECONDS = 2, ALONE_FILE_BYTES = 64 * 1024 * 1024, BATCHES_A_SECOND = 2000 };

static int open_alone(const struct paced_load *load)
{
    static uint8_t bytes[1024 * 1024];
    char path[96];
    (void)snprintf(path, sizeof path, "%s/alone", load->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bench_must(fd >= 0, path);
    for (off_t at = 0; at < ALONE_FILE_BYTES; at += (off_t)sizeof bytes)
        bench_must(pwrite(fd, bytes, sizeof bytes, at) == (ssize_t)sizeof bytes, path);
    bench_must(fsync(fd) == 0, path);
    return fd;
}

/* Orders come in batches, as paced_load sends them, of so many bytes each as one had in `in`. */
static void run_disk_alone(const struct paced_load *load, struct figures *figures, unsigned pass)
{
    static uint8_t bytes[1024 * 1024];
    uint64_t order_bytes = counter(load, "committed_bytes") / (load->sent ? load->sent : 1);
    uint64_t a_batch = load->per_second / BATCHES_A_SECOND + 1, done = 0, count = 0;
    uint64_t all = (uint64_t)load->per_second * ALONE_SECONDS;
    int fd = open_alone(load);
    off_t at = 0;
    double *us = malloc(all * sizeof *us);
    bench_must(us != NULL, "memory");
    int64_t begun_ns = clock_steady_ns();
    while (done < all) {
        uint64_t due = (uint64_t)(clock_steady_ns() - begun_ns) * load->per_second / 1000000000;
        due -= due % a_batch;
        if (due == done) {
            (void)usleep(20);
            continue;
        }
        size_t length = (due - done) * order_bytes;
        if (length > sizeof bytes) length = sizeof bytes;
        if (at + (off_t)length > ALONE_FILE_BYTES) at = 0;
        bench_must(pwrite(fd, bytes, length, at) == (ssize_t)length && fdatasync(fd) == 0, "disk");
        at += (off_t)length;
        int64_t now_ns = clock_steady_ns();
        for (; done < due && done < all; done++) {
            uint64_t batch_end = done - done % a_batch + a_batch;
            us[count++] = (double)(now_ns - begun_ns) / 1e3 -
                          (double)batch_end * 1e6 / (double)load->per_second;
        }
        figures->commits++;
    }
    (void)close(fd);
    note_quantiles(us, count, figures, pass);
    free(us);
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
    note_answers(&load, figures, pass);
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
           "\"memory_p99_us\":%.1f,\"alone_p50_us\":%.1f,\"baseline\":%.1f,\"ratio\":%.3f,"
           "\"repeats\":%u}\n",
           bench_median(disk.p50_us, n), bench_median(disk.p99_us, n),
           (unsigned long long)(disk.wrong + memory.wrong), bench_median(memory.p50_us, n),
           bench_median(memory.p99_us, n), bench_median(alone.p50_us, n),
           bench_median(alone.p99_us, n), ratio, n);
    paced_load_remove_all();
    return disk.wrong + memory.wrong ? 1 : 0;
}
