/* bench_snapshot_steps - what the core notices of snapshots that its standby writes and of segments
 * that turn: how long a step takes at 100,000 commands a second, one at a time, while the standby
 * (a process of its own, as production runs it) writes one snapshot after the other; in turn with
 * the same when only commands come: no snapshot, and no segment that has just turned.
 *
 *   bench_snapshot_steps [--cpu N] [--clock wall|cpu] [--passes N] [--rate N]
 *
 * A step is a command in the ring to its events published (exchange.h), with --clock cpu less what
 * others on a shared machine take away. The journals are in memory alone; the keeper makes and
 * takes away segments.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "engine/bus/clock.h"
#include "engine/bus/idle.h"
#include "engine/standby.h"
#include "exchange.h"

enum {
    ACCOUNTS = 100,
    OPEN_ORDERS = 400000,
    INSTRUMENT = 1,
    MIDDLE_TICKS = 30000,
    ORDERS_A_PRICE = 50,
    PASSES_MAX = 16,
    ASK_NS = 100 * 1000 * 1000,     /* between two requests for a snapshot */
    SETTLED_NS = 100 * 1000 * 1000, /* after a segment has turned */
    LEAD_MAX = 20000,               /* commands that the standby may be behind at first */
    PHASE_S = 3,                    /* at least; one with snapshots until one is finished */
    PHASE_MAX_S = 60,
    CALM_LOOKS = 25, /* each 20 ms: without a snapshot in work */
};

#define SECOND_NS INT64_C(1000000000)

struct steps {
    struct exchange exchange;
    pid_t standby;
    unsigned per_second;
    uint64_t sent;
    double *usual_ns, *busy_ns;
    unsigned sample_max, usual_count, busy_count;
    uint64_t positions; /* segments of both journals, to see them turn */
    int64_t turned_ns;
    uint64_t turns;
};

static struct steps s;

/* ---- the standby ---- */

static volatile sig_atomic_t never;

static pid_t start_standby(void)
{
    char path[INSTANCE_PATH_BYTES + 16];
    (void)snprintf(path, sizeof path, "%s/core.lock", s.exchange.instance.data_dir);
    int held = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bench_must(held >= 0 && flock(held, LOCK_EX) == 0, path);
    pid_t pid = fork();
    bench_must(pid >= 0, "fork");
    if (pid > 0) return pid;
    static struct recovery recovery;
    cpu_set_t all;
    const struct standby_options options = {.stop_asked = &never};
    (void)close(held);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    CPU_ZERO(&all);
    for (unsigned i = 0; i < CPU_SETSIZE; i++) CPU_SET(i, &all);
    (void)sched_setaffinity(0, sizeof all, &all);
    enum status status =
        standby_run(&options, &s.exchange.instance, open(path, O_RDWR | O_CLOEXEC), &recovery);
    fprintf(stderr, "bench_snapshot_steps: the standby ends: %s %s\n", status_text(status),
            recovery.problem);
    _exit(1);
}

static const struct station *station(const char *name)
{
    for (unsigned i = 0; i < CONTROL_STATION_MAX; i++)
        if (strcmp(s.exchange.control->stations[i].name, name) == 0)
            return &s.exchange.control->stations[i];
    return NULL;
}

static uint64_t standby_seq(void)
{
    const struct station *standby = station("standby");
    return standby ? atomic_load(&standby->in_seq) : 0;
}

static void wait_for_standby(uint64_t lead)
{
    while (standby_seq() + lead + 1 < s.exchange.sequencer.in.next_seq) {
        (void)usleep(500);
        bench_must(waitpid(s.standby, NULL, WNOHANG) == 0, "the standby");
    }
}

/* Nothing is archived here: what is written counts as safe, or no snapshot would be kept. */
static void say_safe(void)
{
    struct control *c = s.exchange.control;
    atomic_store(&c->in.durable_seq, atomic_load(&c->in.written_seq));
    atomic_store(&c->out.durable_seq, atomic_load(&c->out.written_seq));
}

/* ---- commands ---- */

static struct command_new_order order(uint64_t number, px_t ticks, uint8_t side)
{
    return (struct command_new_order){.header =
                                          sbe_header_v1(COMMAND_NEW_ORDER, NEW_ORDER_V1_BYTES),
                                      .account = (account_id_t)(1 + number % ACCOUNTS),
                                      .user = (user_id_t)(1 + number % ACCOUNTS),
                                      .instrument = INSTRUMENT,
                                      .side = side,
                                      .ord_type = ORD_TYPE_LIMIT,
                                      .time_in_force = TIF_GTC,
                                      .order_qty = 1,
                                      .limit_px = ticks * EXCHANGE_TICK_PX};
}

static void set_up(void)
{
    const struct command_set_bands no_bands = {
        .header = COMMAND_HEADER(COMMAND_SET_BANDS, struct command_set_bands),
        .instrument = INSTRUMENT,
        .reference_px = MIDDLE_TICKS * EXCHANGE_TICK_PX};
    const struct command_set_limits no_limits = {
        .header = COMMAND_HEADER(COMMAND_SET_LIMITS, struct command_set_limits),
        .scope = LIMIT_SCOPE_INSTRUMENT,
        .id = INSTRUMENT,
        .max_daily_qty = -1};
    struct command_list_instrument list = {
        .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
        .instrument = INSTRUMENT,
        .symbol = "BENCH",
        .name = "Bench",
        .tick_px = EXCHANGE_TICK_PX,
        .lot_qty = 1,
        .max_order_qty = 1000,
        .max_order_notional = INT64_C(1000000000000)};
    exchange_put(&s.exchange, 0, &list, sizeof list);
    exchange_put(&s.exchange, 0, &no_bands, sizeof no_bands);
    exchange_put(&s.exchange, 0, &no_limits, sizeof no_limits);
    for (account_id_t account = 1; account <= ACCOUNTS; account++) {
        const struct command_open_account open = {
            .header = COMMAND_HEADER(COMMAND_OPEN_ACCOUNT, struct command_open_account),
            .account = account,
            .name = "Bench"};
        const struct command_add_user user = {
            .header = COMMAND_HEADER(COMMAND_ADD_USER, struct command_add_user),
            .user = account,
            .account = account,
            .name = "Bench"};
        exchange_put(&s.exchange, 0, &open, sizeof open);
        exchange_put(&s.exchange, 0, &user, sizeof user);
        exchange_deposit(&s.exchange, account, 0, INT64_C(1000000000000000));
        exchange_deposit(&s.exchange, account, INSTRUMENT, INT64_C(1000000000));
    }
    exchange_settle(&s.exchange);
    for (uint64_t i = 0; i < OPEN_ORDERS; i++) {
        bool buys = i % 2;
        px_t away = 10 + (px_t)(i / 2 / ORDERS_A_PRICE);
        struct command_new_order m =
            order(i, buys ? MIDDLE_TICKS - away : MIDDLE_TICKS + away, buys ? SIDE_BUY : SIDE_SELL);
        exchange_put(&s.exchange, 0, &m, NEW_ORDER_V1_BYTES);
        if (i % LEAD_MAX == 0) wait_for_standby(LEAD_MAX);
    }
    exchange_settle(&s.exchange);
    wait_for_standby(0);
}

/* ---- phases ---- */

/* Notes when a segment turns. */
static void watch_segments(int64_t now_ns)
{
    const struct sequencer *sequencer = &s.exchange.sequencer;
    uint64_t positions = (uint64_t)sequencer->in.segment << 32 | sequencer->out.segment;
    if (positions == s.positions) return;
    s.positions = positions;
    s.turned_ns = now_ns;
    s.turns++;
}

static void step(bool with_snapshots)
{
    struct command_new_order m = order(s.sent, MIDDLE_TICKS, s.sent % 2 ? SIDE_SELL : SIDE_BUY);
    s.sent++;
    bench_must(exchange_send(&s.exchange, 0, &m, NEW_ORDER_V1_BYTES), "ring");
    int64_t start_ns = bench_clock_ns();
    (void)sequencer_poll(&s.exchange.sequencer);
    double ns = (double)(bench_clock_ns() - start_ns);
    int64_t now_ns = clock_steady_ns();
    watch_segments(now_ns);
    if (with_snapshots) {
        if (s.busy_count < s.sample_max) s.busy_ns[s.busy_count++] = ns;
    } else if (now_ns - s.turned_ns > SETTLED_NS && s.usual_count < s.sample_max) {
        s.usual_ns[s.usual_count++] = ns;
    }
}

static uint64_t snapshots(void)
{
    const struct station *standby = station("standby");
    for (unsigned i = 0; standby && i < CONTROL_COUNTER_MAX; i++)
        if (strcmp(standby->counters[i].name, "snapshots") == 0)
            return atomic_load(&standby->counters[i].value);
    return 0;
}

static void run_phase(bool with_snapshots)
{
    int64_t start_ns = clock_steady_ns(), asked_ns = 0;
    uint64_t before = snapshots();
    for (uint64_t done = 0;; done++) {
        int64_t due_ns = start_ns + (int64_t)(done * UINT64_C(1000000000) / s.per_second), now_ns;
        while ((now_ns = clock_steady_ns()) < due_ns) idle_pause();
        bool is_long = now_ns - start_ns > PHASE_S * SECOND_NS;
        if (is_long && (!with_snapshots || snapshots() > before)) break;
        bench_must(now_ns - start_ns < PHASE_MAX_S * SECOND_NS, "a snapshot in a minute");
        if (with_snapshots && now_ns - asked_ns > ASK_NS) {
            atomic_fetch_add(&s.exchange.control->snapshot_asked, 1);
            asked_ns = now_ns;
        }
        if (done % 1024 == 0) say_safe();
        step(with_snapshots);
    }
    say_safe();
    exchange_read_events(&s.exchange);
}

static bool is_writing(void)
{
    char path[160];
    const struct dirent *entry;
    bool found = false;
    (void)snprintf(path, sizeof path, "%s/snapshots", s.exchange.dir);
    DIR *dir = opendir(path);
    while (dir && (entry = readdir(dir)) != NULL) found = found || strstr(entry->d_name, ".new");
    if (dir) (void)closedir(dir);
    return found;
}

/* Waits for what is being written, so that the next phase has none. */
static void let_snapshots_end(void)
{
    for (unsigned calm = 0; calm < CALM_LOOKS; calm++) {
        if (is_writing()) calm = 0;
        say_safe();
        (void)usleep(20000);
    }
}

struct figures {
    unsigned passes;
    double usual_p999[PASSES_MAX], busy_p999[PASSES_MAX];
    double usual_p50[PASSES_MAX], busy_p50[PASSES_MAX];
    uint64_t snapshots;
};

static void run_pass(struct figures *figures, unsigned pass)
{
    s.usual_count = s.busy_count = 0;
    run_phase(false);
    uint64_t before = snapshots();
    run_phase(true);
    figures->snapshots += snapshots() - before;
    let_snapshots_end();
    bench_must(s.usual_count > 1000 && s.busy_count > 1000, "samples");
    figures->usual_p50[pass] = bench_quantile(s.usual_ns, s.usual_count, 0.5);
    figures->usual_p999[pass] = s.usual_ns[(unsigned)(0.999 * s.usual_count)];
    figures->busy_p50[pass] = bench_quantile(s.busy_ns, s.busy_count, 0.5);
    figures->busy_p999[pass] = s.busy_ns[(unsigned)(0.999 * s.busy_count)];
}

static void print(struct figures *f, bool right)
{
    unsigned n = f->passes;
    double ratio = bench_paired_ratio(f->busy_p999, f->usual_p999, n);
    printf("{\"bench\":\"snapshot_steps\",\"commands_per_s\":%u,\"open_orders\":%u,"
           "\"snapshots\":%llu,\"segments_turned\":%llu,\"p999_ns\":",
           s.per_second, OPEN_ORDERS, (unsigned long long)f->snapshots,
           (unsigned long long)s.turns);
    bench_print_array(f->busy_p999, n);
    printf(",\"usual_p999_ns\":");
    bench_print_array(f->usual_p999, n);
    printf(",\"p50_ns\":%.0f,\"usual_p50_ns\":%.0f,\"right\":%s,\"baseline\":%.0f,\"ratio\":%.3f,"
           "\"repeats\":%u}\n",
           bench_median(f->busy_p50, n), bench_median(f->usual_p50, n), right ? "true" : "false",
           bench_median(f->usual_p999, n), ratio, n);
}

_Noreturn static void usage(void)
{
    fprintf(stderr, "usage: bench_snapshot_steps [--cpu N] [--clock wall|cpu] [--passes N] "
                    "[--rate N]\n");
    exit(2);
}

static unsigned options_parse(int argc, char **argv, int *cpu)
{
    static const struct option names[] = {{"cpu", required_argument, NULL, 'c'},
                                          {"clock", required_argument, NULL, 't'},
                                          {"passes", required_argument, NULL, 'p'},
                                          {"rate", required_argument, NULL, 'r'},
                                          {NULL, 0, NULL, 0}};
    unsigned passes = 3;
    *cpu = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 1 : 0;
    s.per_second = 100000;
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 'c': *cpu = atoi(optarg); break;
        case 'p': passes = (unsigned)atoi(optarg); break;
        case 'r': s.per_second = (unsigned)atoi(optarg); break;
        case 't':
            if (strcmp(optarg, "cpu") == 0)
                bench_clock = CLOCK_THREAD_CPUTIME_ID;
            else if (strcmp(optarg, "wall") != 0)
                usage();
            break;
        default: usage();
        }
    }
    if (optind != argc || passes == 0 || passes > PASSES_MAX || !s.per_second) usage();
    return passes;
}

int main(int argc, char **argv)
{
    static struct figures figures;
    int cpu;
    figures.passes = options_parse(argc, argv, &cpu);
    s.sample_max = PHASE_MAX_S * s.per_second + 1;
    s.usual_ns = malloc(s.sample_max * sizeof *s.usual_ns);
    s.busy_ns = malloc(s.sample_max * sizeof *s.busy_ns);
    bench_must(s.usual_ns && s.busy_ns, "memory");
    exchange_open(&s.exchange, &engine_default_limits, bench_other_cpu(cpu));
    s.standby = start_standby();
    bench_pin(cpu);
    set_up();
    for (unsigned i = 0; i < figures.passes; i++) run_pass(&figures, i);
    bool right =
        s.exchange.rejects == 0 && figures.snapshots > 0 && waitpid(s.standby, NULL, WNOHANG) == 0;
    print(&figures, right);
    (void)kill(s.standby, SIGKILL);
    (void)waitpid(s.standby, NULL, 0);
    exchange_close(&s.exchange);
    free(s.usual_ns);
    free(s.busy_ns);
    return right ? 0 : 1;
}
