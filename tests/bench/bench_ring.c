/* bench_ring - the ring against the barest single-producer single-consumer ring between two
 * processes: fixed slots, two counters, nothing checked. Same messages, same two processors, both
 * sides spinning, in turn.
 *
 *   bench_ring [messages a repeat] [repeats]
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "engine/bus/clock.h"
#include "engine/bus/ring.h"
#include "engine/message/command.h"

enum { RING_BYTES = 1 << 20, SLOT_BYTES = 128, SLOTS = RING_BYTES / SLOT_BYTES };

struct bare_ring {
    _Alignas(64) _Atomic uint64_t head;
    _Alignas(64) _Atomic uint64_t tail;
    _Alignas(64) uint8_t slots[SLOTS][SLOT_BYTES];
};

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

static uint64_t sum_of(const void *message)
{
    uint64_t words[sizeof(struct command_new_order) / 8], sum = 0;
    memcpy(words, message, sizeof words);
    for (size_t i = 0; i < sizeof words / 8; i++) sum += words[i];
    return sum;
}

static struct command_new_order message_of(uint64_t n)
{
    struct command_new_order m = {.header =
                                      COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order),
                                  .account = 7,
                                  .order_qty = (qty_t)n,
                                  .limit_px = 1893500};
    return m;
}

static void bare_produce(struct bare_ring *ring, uint64_t count)
{
    uint64_t head = 0;
    for (uint64_t n = 0; n < count; n++) {
        struct command_new_order m = message_of(n);
        while (n - head >= SLOTS) head = atomic_load_explicit(&ring->head, memory_order_acquire);
        memcpy(ring->slots[n % SLOTS], &m, sizeof m);
        atomic_store_explicit(&ring->tail, n + 1, memory_order_release);
    }
}

static uint64_t bare_consume(struct bare_ring *ring, uint64_t count)
{
    uint64_t tail = 0, sum = 0;
    for (uint64_t n = 0; n < count; n++) {
        while (tail == n) tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
        sum += sum_of(ring->slots[n % SLOTS]);
        atomic_store_explicit(&ring->head, n + 1, memory_order_release);
    }
    return sum;
}

static void hoga_produce(struct ring *ring, uint64_t count)
{
    for (uint64_t n = 0; n < count; n++) {
        struct command_new_order m = message_of(n);
        while (ring_send(ring, n, &m, sizeof m) != STATUS_OK) continue;
    }
}

static uint64_t hoga_consume(struct ring *ring, uint64_t count)
{
    uint64_t sum = 0;
    for (uint64_t n = 0; n < count; n++) {
        struct ring_message m;
        while (ring_peek(ring, &m) != STATUS_OK) continue;
        sum += sum_of(m.message);
        ring_release(ring, &m);
    }
    return sum;
}

/* Million messages a second; negative when the sum is wrong. */
static double run(bool bare, uint64_t count)
{
    char path[64];
    struct ring consumer;
    struct bare_ring *bare_ring = mmap(NULL, sizeof *bare_ring, PROT_READ | PROT_WRITE,
                                       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    (void)snprintf(path, sizeof path, "/dev/shm/bench_ring.%d", getpid());
    if (bare_ring == MAP_FAILED || ring_open_file(&consumer, path, RING_BYTES, 0) != STATUS_OK)
        exit(2);
    uint64_t expected = 0;
    for (uint64_t n = 0; n < count; n++) {
        struct command_new_order m = message_of(n);
        expected += sum_of(&m);
    }
    pid_t child = fork();
    if (child < 0) exit(2);
    if (child == 0) {
        pin(0);
        struct ring producer;
        if (ring_open_file(&producer, path, RING_BYTES, 0) != STATUS_OK) _exit(2);
        if (bare)
            bare_produce(bare_ring, count);
        else
            hoga_produce(&producer, count);
        _exit(0);
    }
    int64_t start = clock_steady_ns();
    uint64_t sum = bare ? bare_consume(bare_ring, count) : hoga_consume(&consumer, count);
    double seconds = (double)(clock_steady_ns() - start) / 1e9;
    int exit_status;
    (void)waitpid(child, &exit_status, 0);
    ring_close(&consumer);
    (void)unlink(path);
    munmap(bare_ring, sizeof *bare_ring);
    return sum == expected && exit_status == 0 ? (double)count / seconds / 1e6 : -1;
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    unsigned repeats = argc > 2 ? (unsigned)atoi(argv[2]) : 21;
    double bare[BENCH_REPEATS_MAX], hoga[BENCH_REPEATS_MAX];
    if (count == 0 || repeats == 0 || repeats > BENCH_REPEATS_MAX) {
        fputs("usage: bench_ring [messages] [repeats, at most 64]\n", stderr);
        return 2;
    }
    pin(1);
    bool right = true;
    for (unsigned i = 0; i < repeats; i++) {
        bare[i] = run(true, count);
        hoga[i] = run(false, count);
        right = right && bare[i] > 0 && hoga[i] > 0;
    }
    double ratio = bench_paired_ratio(hoga, bare, repeats);
    double ours = bench_median(hoga, repeats), theirs = bench_median(bare, repeats);
    printf("{\"bench\":\"ring\",\"message_bytes\":%zu,\"mmsgs_per_s\":%.2f,\"baseline\":%.2f,"
           "\"ratio\":%.3f,\"repeats\":%u,\"right\":%s}\n",
           sizeof(struct command_new_order), ours, theirs, ratio, repeats,
           right ? "true" : "false");
    return right ? 0 : 1;
}
