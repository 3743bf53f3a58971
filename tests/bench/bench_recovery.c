/* bench_recovery - how fast a start is: replay of a flow (flow.h) from the archive alone, every
 * event compared with `out`; and the load of a snapshot of a million open orders. Two JSON lines.
 *
 *   bench_recovery --flow FILE [--passes N] [--clock wall|cpu]
 *
 * The baselines, in turn in the same run: the same commands stepped by an engine out of memory,
 * with no journal to read and nothing to compare; and the snapshot's file read into memory that is
 * there already. `mcmds_per_s` reads the archive from the page cache, as it was just written, and
 * has nothing of a disk's speed in it; `cold_mcmds_per_s` has the system forget it before each
 * pass, as after a loss of power. Nothing is pinned, as in a start, which has a thread that reads
 * ahead.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "engine/base/arena.h"
#include "engine/bus/archiver.h"
#include "engine/bus/clock.h"
#include "engine/recovery.h"
#include "engine/snapshot.h"
#include "exchange.h"
#include "flow.h"
#include "flow_command.h"

enum {
    INSTRUMENT = 1,
    ARCHIVE_EVERY = 4096, /* commands */
    OPEN_ORDERS = 1000000,
    ORDERS_A_PRICE = 50,
    MESSAGE_BYTES = 128,
};

struct recoveries {
    char dir[64];
    struct instance instance;
    struct control *control;
    struct station *station;
    struct journal_writer in, out;
    struct archiver archiver;
    struct recovery recovery;
    _Atomic uint32_t bell;
    const struct journal_record *stepping;
    uint64_t stepping_id; /* of the flow's record in work; 0: none */
    order_id_t *ids;
    uint64_t rejects;
    uint64_t commands;
    bool right;
    /* the same commands out of memory */
    uint8_t *messages; /* MESSAGE_BYTES each */
    int64_t *times_ns;
};

static struct recoveries b;

/* ---- a life ---- */

/* What a start does before it replays: finds and maps everything, and lays the engine out. */
static void begin(void)
{
    bench_must(instance_create(&b.instance, b.dir) == STATUS_OK, "instance");
    bench_must(control_create(&b.control, &b.instance, DURABILITY_DISK,
                              JOURNAL_SEGMENT_DEFAULT_BYTES, 1, 4096) == STATUS_OK,
               "control page");
    bench_must(control_claim_core(b.control, &b.instance, &b.station) == STATUS_OK, "station");
    bench_must(recovery_begin(&b.recovery, &b.instance, b.control) == STATUS_OK, "recovery");
}

static void finish(void)
{
    bool good =
        recovery_finish(&b.recovery, &engine_default_limits, &b.in, &b.out, &b.bell) == STATUS_OK;
    if (!good) fprintf(stderr, "%s\n", b.recovery.problem);
    bench_must(good, "recovery");
}

static void end(void)
{
    journal_writer_close(&b.in);
    journal_writer_close(&b.out);
    arena_unmap(b.recovery.engine, b.recovery.engine_bytes);
    control_close(b.control);
    instance_remove_shm(&b.instance);
}

static void write_event(void *context, const void *message, size_t length)
{
    const struct event_execution *e = message;
    (void)context;
    (void)journal_append(&b.out, b.stepping->seq, 0, b.stepping->time_ns, message, length);
    if (e->header.template_id == EVENT_COMMAND_REJECTED ||
        e->header.template_id == EVENT_REQUEST_REJECTED)
        b.rejects++;
    if (e->header.template_id != EVENT_EXECUTION) return;
    if (e->exec_type == EXEC_REJECTED) b.rejects++;
    if (e->exec_type == EXEC_NEW && b.stepping_id) b.ids[b.stepping_id] = e->order_id;
}

static void sequence(const void *message, size_t length)
{
    const struct event_sink sink = {write_event, NULL};
    bench_must(journal_writer_keep(&b.in, NULL) == STATUS_OK &&
                   journal_writer_keep(&b.out, NULL) == STATUS_OK,
               "memory");
    b.stepping = journal_append(&b.in, 0, 0, clock_wall_ns(), message, length);
    engine_step(b.recovery.engine, b.stepping->seq, b.stepping->time_ns, message, length, &sink);
    bench_must(length <= MESSAGE_BYTES, "message");
    memcpy(b.messages + b.commands * MESSAGE_BYTES, message, length);
    b.times_ns[b.commands++] = b.stepping->time_ns;
    if (b.commands % ARCHIVE_EVERY == 0) (void)archiver_poll(&b.archiver);
}

static void archive_all(void)
{
    while (archiver_poll(&b.archiver)) continue;
    archiver_idle(&b.archiver);
    archive_close(&b.archiver.in);
    archive_close(&b.archiver.out);
}

/* ---- what is replayed ---- */

static void set_up(void)
{
    const struct command_configure configure = {
        .header = COMMAND_HEADER(COMMAND_CONFIGURE, struct command_configure),
        .limits = engine_default_limits};
    const struct command_list_instrument list = {
        .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
        .instrument = INSTRUMENT,
        .symbol = "BENCH",
        .name = "Bench",
        .tick_px = EXCHANGE_TICK_PX,
        .lot_qty = 1,
        .max_order_qty = 1000000,
        .max_order_notional = INT64_C(1000000000000),
        .max_fee_ppm = 100};
    const struct command_set_fees fees = {
        .header = COMMAND_HEADER(COMMAND_SET_FEES, struct command_set_fees),
        .instrument = INSTRUMENT,
        .maker_ppm = 10,
        .taker_ppm = 30};
    const struct command_set_limits limits = {
        .header = COMMAND_HEADER(COMMAND_SET_LIMITS, struct command_set_limits),
        .scope = LIMIT_SCOPE_INSTRUMENT,
        .id = INSTRUMENT,
        .max_daily_qty = -1};
    sequence(&configure, sizeof configure);
    sequence(&list, sizeof list);
    sequence(&fees, sizeof fees);
    sequence(&limits, sizeof limits);
    for (account_id_t account = 1; account <= FLOW_OWNERS; account++) {
        const struct command_open_account open = {
            .header = COMMAND_HEADER(COMMAND_OPEN_ACCOUNT, struct command_open_account),
            .account = account,
            .name = "Bench"};
        const struct command_add_user user = {
            .header = COMMAND_HEADER(COMMAND_ADD_USER, struct command_add_user),
            .user = account,
            .account = account,
            .name = "Bench"};
        struct command_deposit deposit = {
            .header = COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
            .account = account,
            .qty = INT64_C(1000000000000000)};
        sequence(&open, sizeof open);
        sequence(&user, sizeof user);
        sequence(&deposit, sizeof deposit);
        deposit.asset = INSTRUMENT;
        deposit.qty = INT64_C(1000000000);
        sequence(&deposit, sizeof deposit);
    }
}

static void write_flow(const struct flow *flow)
{
    for (uint64_t i = 0; i < flow->count; i++) {
        union flow_command command;
        size_t length = flow_command(&flow->records[i], b.ids, INSTRUMENT, &command);
        b.stepping_id = flow->records[i].id;
        sequence(&command, length);
        b.stepping_id = 0;
    }
}

static void open_life(uint64_t command_max)
{
    b.commands = b.rejects = 0;
    (void)snprintf(b.dir, sizeof b.dir, "/tmp/bench_recovery.XXXXXX");
    bench_must(mkdtemp(b.dir) != NULL, b.dir);
    b.messages = malloc(command_max * MESSAGE_BYTES);
    b.times_ns = malloc(command_max * sizeof *b.times_ns);
    bench_must(b.messages && b.times_ns, "memory");
    begin();
    finish();
    archiver_init(&b.archiver, &b.instance, b.control, b.station);
    set_up();
}

static void close_life(void)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", b.dir);
    bench_must(system(command) == 0, command);
    free(b.messages);
    free(b.times_ns);
}

/* ---- replay ---- */

static void forget_event(void *context, const void *message, size_t length)
{
    (void)message;
    (void)length;
    ++*(uint64_t *)context;
}

/* Million commands a second without journals; the hash is what replay must come to. */
static double step_out_of_memory(uint32_t *hash)
{
    uint64_t events = 0;
    const struct event_sink sink = {forget_event, &events};
    size_t bytes = engine_bytes(&engine_default_limits);
    void *memory = arena_map(bytes, 1);
    bench_must(memory != NULL, "memory");
    struct engine *engine = engine_init(memory, &engine_default_limits);
    int64_t start_ns = bench_clock_ns();
    for (uint64_t i = 0; i < b.commands; i++) {
        const struct sbe_header *message = (const void *)(b.messages + i * MESSAGE_BYTES);
        engine_step(engine, i + 1, b.times_ns[i], message, sizeof *message + message->block_length,
                    &sink);
    }
    double seconds = (double)(bench_clock_ns() - start_ns) / 1e9;
    *hash = engine_state_hash(engine);
    arena_unmap(memory, bytes);
    return (double)b.commands / seconds / 1e6;
}

/* Nothing of the archive is in memory from here on. */
static void forget_archive(void)
{
    struct dirent *entry;
    DIR *dir = opendir(b.instance.journal_dir);
    bench_must(dir != NULL, b.instance.journal_dir);
    while ((entry = readdir(dir)) != NULL) {
        int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
        bench_must(fd >= 0 && fsync(fd) == 0, entry->d_name);
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        (void)close(fd);
    }
    (void)closedir(dir);
}

/* Million commands a second; stores what the start took before that. */
static double replay(uint32_t hash, double *begin_ms)
{
    int64_t begin_ns = bench_clock_ns();
    begin();
    int64_t start_ns = bench_clock_ns();
    *begin_ms = (double)(start_ns - begin_ns) / 1e6;
    finish();
    double seconds = (double)(bench_clock_ns() - start_ns) / 1e9;
    b.right = b.right && b.recovery.commands == b.commands &&
              engine_state_hash(b.recovery.engine) == hash;
    end();
    return (double)b.commands / seconds / 1e6;
}

static void bench_replay(const struct flow *flow, unsigned passes)
{
    double begin_ms[BENCH_REPEATS_MAX] = {0};
    double ours[BENCH_REPEATS_MAX] = {0}, floor[BENCH_REPEATS_MAX] = {0};
    double cold[BENCH_REPEATS_MAX] = {0}, cold_begin_ms;
    b.ids = calloc(flow->count + 1, sizeof *b.ids);
    bench_must(b.ids != NULL, "memory");
    open_life(flow->count + 4 * FLOW_OWNERS + 16);
    write_flow(flow);
    uint32_t hash = 0;
    archive_all();
    b.right = b.rejects == 0;
    end();
    for (unsigned i = 0; i < passes; i++) {
        floor[i] = step_out_of_memory(&hash);
        ours[i] = replay(hash, &begin_ms[i]);
    }
    for (unsigned i = 0; i < passes; i++) {
        forget_archive();
        cold[i] = replay(hash, &cold_begin_ms);
    }
    close_life();
    free(b.ids);
    double ratio = bench_paired_ratio(ours, floor, passes);
    printf("{\"bench\":\"recovery_replay\",\"commands\":%llu,\"mcmds_per_s\":",
           (unsigned long long)b.commands);
    bench_print_array(ours, passes);
    printf(",\"median\":%.3f,\"cold_mcmds_per_s\":", bench_median(ours, passes));
    bench_print_array(cold, passes);
    printf(",\"cold_median\":%.3f,\"begin_p50_ms\":%.1f,\"right\":%s", bench_median(cold, passes),
           bench_median(begin_ms, passes), b.right ? "true" : "false");
    bench_print_floor(floor, passes, ratio);
}

/* ---- snapshots ---- */

/* Resting orders, at prices far enough apart that none trades. */
static void rest_orders(void)
{
    for (uint64_t i = 0; i < OPEN_ORDERS - 1; i++) {
        account_id_t account = (account_id_t)(1 + i % FLOW_OWNERS);
        bool buys = account <= FLOW_OWNERS / 2;
        const struct command_new_order m = {
            .header = sbe_header_v1(COMMAND_NEW_ORDER, NEW_ORDER_V1_BYTES),
            .account = account,
            .user = account,
            .instrument = INSTRUMENT,
            .side = buys ? SIDE_BUY : SIDE_SELL,
            .ord_type = ORD_TYPE_LIMIT,
            .time_in_force = TIF_GTC,
            .order_qty = 10,
            .limit_px = EXCHANGE_TICK_PX *
                        (px_t)(buys ? 40000 - i / ORDERS_A_PRICE : 40001 + i / ORDERS_A_PRICE)};
        sequence(&m, NEW_ORDER_V1_BYTES);
    }
}

/* Milliseconds to read the file into memory that is there. */
static double read_file_ms(const char *path, uint8_t *memory, size_t length)
{
    int64_t start_ns = bench_clock_ns();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bench_must(fd >= 0, path);
    for (size_t at = 0; at < length;) {
        ssize_t n = read(fd, memory + at, length - at);
        bench_must(n > 0, path);
        at += (size_t)n;
    }
    (void)close(fd);
    return (double)(bench_clock_ns() - start_ns) / 1e6;
}

static double load_ms(seq_t seq, uint32_t hash)
{
    struct engine *engine;
    struct snapshot_mark mark;
    size_t bytes;
    int64_t start_ns = bench_clock_ns();
    bench_must(snapshot_load(&b.instance, seq, 1, &engine, &bytes, &mark) == STATUS_OK, "snapshot");
    double ms = (double)(bench_clock_ns() - start_ns) / 1e6;
    b.right = b.right && engine_state_hash(engine) == hash;
    arena_unmap(engine, bytes);
    return ms;
}

static void bench_snapshot(unsigned passes)
{
    double ours[BENCH_REPEATS_MAX] = {0}, floor[BENCH_REPEATS_MAX] = {0};
    char path[160];
    struct stat file;
    open_life(OPEN_ORDERS + 4 * FLOW_OWNERS + 16);
    rest_orders();
    b.right = b.rejects == 0;
    const struct snapshot_mark mark = {.in_seq = b.in.next_seq - 1, .out_seq = b.out.next_seq - 1};
    int64_t start_ns = bench_clock_ns();
    bench_must(snapshot_write(&b.instance, b.recovery.engine, &mark, NULL) == STATUS_OK &&
                   snapshot_publish(&b.instance, mark.in_seq) == STATUS_OK,
               "snapshot");
    double write_ms = (double)(bench_clock_ns() - start_ns) / 1e6;
    uint32_t hash = engine_state_hash(b.recovery.engine);
    (void)snprintf(path, sizeof path, "%s/snapshots/%020llu.snap", b.dir,
                   (unsigned long long)mark.in_seq);
    bench_must(stat(path, &file) == 0, path);
    uint8_t *memory = arena_map((size_t)file.st_size, 1);
    bench_must(memory != NULL, "memory");
    for (unsigned i = 0; i < passes; i++) {
        floor[i] = read_file_ms(path, memory, (size_t)file.st_size);
        ours[i] = load_ms(mark.in_seq, hash);
    }
    arena_unmap(memory, (size_t)file.st_size);
    archive_close(&b.archiver.in);
    archive_close(&b.archiver.out);
    end();
    close_life();
    double ratio = bench_paired_ratio(ours, floor, passes);
    printf("{\"bench\":\"recovery_snapshot\",\"open_orders\":%u,\"file_bytes\":%lld,"
           "\"write_ms\":%.1f,\"load_ms\":",
           OPEN_ORDERS - 1, (long long)file.st_size, write_ms);
    bench_print_array(ours, passes);
    printf(",\"p50_ms\":%.1f,\"right\":%s,\"read_ms\":", bench_median(ours, passes),
           b.right ? "true" : "false");
    bench_print_array(floor, passes);
    printf(",\"baseline\":%.1f,\"ratio\":%.3f,\"repeats\":%u}\n", bench_median(floor, passes),
           ratio, passes);
}

int main(int argc, char **argv)
{
    struct bench_options options = bench_options_parse(argc, argv, "bench_recovery");
    struct flow flow;
    flow_read(&flow, options.flow);
    bench_replay(&flow, options.passes);
    bool right = b.right;
    flow_free(&flow);
    bench_snapshot(options.passes);
    return right && b.right ? 0 : 1;
}
