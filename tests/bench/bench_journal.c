/* bench_journal - durable appends through the journal and its archiver, against pwrite and
 * fdatasync of the same bytes in the same batches: to a file with its space allocated (baseline),
 * and to one that was also filled with zeros beforehand, as the archiver's are (baseline_zeroed).
 * All in turn.
 *
 *   bench_journal [records a batch] [batches] [repeats] [directory]
 *
 * A batch is appended, then waited for until it is durable: one commit each, none overlapped, as
 * the baseline's are. The last figure leaves the waiting out: records appended as fast as they
 * can be, committed in whatever groups the archiver finds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "engine/bus/archiver.h"
#include "engine/bus/clock.h"
#include "engine/bus/futex.h"
#include "engine/bus/journal_writer.h"
#include "engine/message/event.h"

struct bench {
    struct instance instance;
    struct control *control;
    struct journal_writer in;
    struct journal_writer out;
    struct archiver archiver;
    pthread_t keeper;
    _Atomic uint32_t bell;
    _Atomic int stopping;
};

static struct bench bench;

static void must(bool good, const char *what)
{
    if (good) return;
    perror(what);
    exit(2);
}

static void *keep(void *unused)
{
    (void)unused;
    while (!atomic_load(&bench.stopping)) {
        uint32_t seen = atomic_load(&bench.bell);
        must(journal_writer_keep(&bench.in, NULL) == STATUS_OK, "segment");
        must(archive_prepare(&bench.instance, JOURNAL_IN, bench.in.ahead_number,
                             bench.in.segment_bytes, NULL) == STATUS_OK,
             "archive");
        futex_wait(&bench.bell, seen, 10000000);
    }
    return NULL;
}

static void open_writer(struct journal_writer *writer, enum journal_kind kind)
{
    struct journal_reader tail;
    must(journal_reader_open_recovery(&tail, &bench.instance, bench.control, kind) == STATUS_OK &&
             journal_writer_open(writer, &bench.instance, bench.control, &tail, &bench.bell) ==
                 STATUS_OK,
         "journal");
    journal_reader_close(&tail);
}

static void open_bench(const char *dir)
{
    struct station *station;
    must(instance_create(&bench.instance, dir) == STATUS_OK, dir);
    must(control_create(&bench.control, &bench.instance, DURABILITY_DISK,
                        JOURNAL_SEGMENT_DEFAULT_BYTES, 1, 4096) == STATUS_OK,
         "control");
    must(control_claim_station(bench.control, &bench.instance, "core", &station) == STATUS_OK,
         "station");
    open_writer(&bench.in, JOURNAL_IN);
    open_writer(&bench.out, JOURNAL_OUT);
    archiver_init(&bench.archiver, &bench.instance, bench.control, station);
    must(archiver_start(&bench.archiver) == STATUS_OK, "archiver");
    /* an exchange that has run for a second has these already: keep their making out of the time */
    must(archive_prepare(&bench.instance, JOURNAL_IN, bench.in.ahead_number,
                         bench.in.segment_bytes, NULL) == STATUS_OK,
         "archive");
    must(pthread_create(&bench.keeper, NULL, keep, NULL) == 0, "keeper");
}

static void append(unsigned count)
{
    struct event_execution event = {.header = EVENT_HEADER(EVENT_EXECUTION, struct event_execution),
                                    .limit_px = 1893500,
                                    .order_qty = 100};
    for (unsigned i = 0; i < count; i++) {
        event.order_id = bench.in.next_seq;
        (void)journal_append(&bench.in, 1, 1, 1, &event, sizeof event);
    }
    archiver_wake(bench.control);
}

static void wait_durable(void)
{
    seq_t last = bench.in.next_seq - 1;
    while (atomic_load_explicit(&bench.control->in.durable_seq, memory_order_acquire) < last)
        __asm__ volatile("" ::: "memory");
}

/* Records a second, a commit each batch. */
static double run_journal(unsigned batch, unsigned batches)
{
    int64_t start = clock_steady_ns();
    for (unsigned i = 0; i < batches; i++) {
        append(batch);
        wait_durable();
    }
    return (double)batch * batches * 1e9 / (double)(clock_steady_ns() - start);
}

/* Records a second, groups as they come. */
static double run_streamed(unsigned count)
{
    int64_t start = clock_steady_ns();
    for (unsigned i = 0; i < count; i += 64) append(64);
    wait_durable();
    return (double)count * 1e9 / (double)(clock_steady_ns() - start);
}

static double run_bare(const char *dir, bool zeroed, unsigned batch, unsigned batches)
{
    char path[INSTANCE_PATH_BYTES];
    size_t record = offsetof(struct journal_record, header) + sizeof(struct event_execution);
    size_t bytes = record * batch;
    char *block = malloc(bytes);
    must(block != NULL, "memory");
    memset(block, 7, bytes);
    (void)snprintf(path, sizeof path, "%s/bare", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0 && posix_fallocate(fd, 0, (off_t)(bytes * batches)) == 0 && fsync(fd) == 0, path);
    if (zeroed) {
        memset(block, 0, bytes);
        for (unsigned i = 0; i < batches; i++)
            must(pwrite(fd, block, bytes, (off_t)(i * bytes)) == (ssize_t)bytes, "pwrite");
        must(fsync(fd) == 0, "fsync");
        memset(block, 7, bytes);
    }
    int64_t start = clock_steady_ns();
    for (unsigned i = 0; i < batches; i++) {
        must(pwrite(fd, block, bytes, (off_t)(i * bytes)) == (ssize_t)bytes, "pwrite");
        must(fdatasync(fd) == 0, "fdatasync");
    }
    double rate = (double)batch * batches * 1e9 / (double)(clock_steady_ns() - start);
    (void)close(fd);
    (void)unlink(path);
    free(block);
    return rate;
}

static void close_bench(const char *dir)
{
    char command[INSTANCE_PATH_BYTES + 16];
    atomic_store(&bench.stopping, 1);
    futex_ring(&bench.bell);
    (void)pthread_join(bench.keeper, NULL);
    must(archiver_stop(&bench.archiver) == STATUS_OK, "archive");
    journal_writer_close(&bench.in);
    journal_writer_close(&bench.out);
    instance_remove_shm(&bench.instance);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command) != 0) fprintf(stderr, "bench_journal: %s is left behind\n", dir);
}

int main(int argc, char **argv)
{
    unsigned batch = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
    unsigned batches = argc > 2 ? (unsigned)atoi(argv[2]) : 200;
    unsigned repeats = argc > 3 ? (unsigned)atoi(argv[3]) : 11;
    char dir[512];
    double journal[BENCH_REPEATS_MAX], bare[BENCH_REPEATS_MAX];
    double zeroed[BENCH_REPEATS_MAX], streamed[BENCH_REPEATS_MAX];
    if (!batch || !batches || !repeats || repeats > BENCH_REPEATS_MAX) {
        fputs("usage: bench_journal [records a batch] [batches] [repeats] [directory]\n", stderr);
        return 2;
    }
    (void)snprintf(dir, sizeof dir, "%s/bench_journal.XXXXXX", argc > 4 ? argv[4] : ".");
    must(mkdtemp(dir) != NULL, dir);
    open_bench(dir);
    for (unsigned i = 0; i < repeats; i++) {
        bare[i] = run_bare(dir, false, batch, batches);
        zeroed[i] = run_bare(dir, true, batch, batches);
        journal[i] = run_journal(batch, batches);
        streamed[i] = run_streamed(batch * batches);
    }
    bool right = atomic_load(&bench.control->in.durable_seq) == bench.in.next_seq - 1;
    close_bench(dir);
    double ratio = bench_paired_ratio(journal, bare, repeats);
    double ratio_zeroed = bench_paired_ratio(journal, zeroed, repeats);
    double ours = bench_median(journal, repeats), theirs = bench_median(bare, repeats);
    double against_zeroed = bench_median(zeroed, repeats);
    printf("{\"bench\":\"journal\",\"record_bytes\":%zu,\"batch_records\":%u,"
           "\"records_per_s\":%.0f,\"baseline\":%.0f,\"ratio\":%.3f,"
           "\"baseline_zeroed\":%.0f,\"ratio_zeroed\":%.3f,"
           "\"streamed_records_per_s\":%.0f,\"repeats\":%u,\"right\":%s}\n",
           offsetof(struct journal_record, header) + sizeof(struct event_execution), batch, ours,
           theirs, ratio, against_zeroed, ratio_zeroed, bench_median(streamed, repeats), repeats,
           right ? "true" : "false");
    return right ? 0 : 1;
}
