/* exchange.h - an exchange in one process, for benchmarks: the production parts of the trading path
 * and nothing around them.
 *
 *   client thread                       the pinned thread
 *   messages --> ring, 1 MiB ---------> sequencer: `in`, engine, `out`     (timed)
 *   checks  <--- journal reader <------ released at once (durability memory)
 *                keeper thread: segments ahead, and old ones taken away instead of archived
 *
 * The client works while the pinned thread waits, and the other way round, so that only the
 * exchange's own work is in the time; the ring's bytes come from another processor's cache, as they
 * do in production.
 */
#ifndef HOGA_BENCH_EXCHANGE_H
#define HOGA_BENCH_EXCHANGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/bus/journal.h"
#include "engine/sequencer.h"

struct exchange {
    char dir[64];
    struct instance instance;
    struct control *control;
    struct sequencer sequencer;
    struct ring client; /* the producer's handle */
    struct journal_reader out;
    void *memory; /* the engine's */
    size_t memory_bytes;
    pthread_t keeper;
    _Atomic uint32_t keeper_bell;
    _Atomic int stopping;
    uint64_t rejects; /* events that refused something, among those looked at */
    void (*on_event)(void *context, const struct journal_record *event); /* NULL: none */
    void *context;
};

/* What the benchmarks of flows are told on their command line. */
struct bench_options {
    const char *flow;
    unsigned passes; /* default 5 */
    int cpu;         /* default 1, or 0 where there is no other */
    const char *part;
};

/* --flow FILE [--passes N] [--cpu N] [--clock wall|cpu] [--part NAME]; ends the process with usage
 * when it is told anything else, or no flow. */
struct bench_options bench_options_parse(int argc, char **argv, const char *program);

/* The end of a JSON line: the floor's figures, in turn with ours, and the ratio. Sorts them. */
void bench_print_floor(double *floor, unsigned passes, double ratio);

/* Ends the process with a message when something of the machine's is lacking. */
void bench_must(bool good, const char *what);

/* Pins the calling thread to a processor; says so and goes on when that cannot be. */
void bench_pin(int cpu);

/* A processor other than this, or the same when there is only one. */
int bench_other_cpu(int cpu);

/* Starts a thread that is pinned to a processor from its beginning. */
void bench_start_thread(pthread_t *thread, int cpu, void *(*run)(void *), void *argument);

/* Opens a new one; the keeper runs on `helper_cpu`. */
void exchange_open(struct exchange *self, const struct limits *limits, int helper_cpu);
void exchange_close(struct exchange *self);

/* Puts one message into the ring; false when that is full. */
bool exchange_send(struct exchange *self, uint64_t request_id, const void *message, size_t length);

/* Sequences all that is in the ring. Returns the ns that it took. */
int64_t exchange_drain(struct exchange *self);

/* Runs what a client sends: `fill` is called in the client's thread, on `helper_cpu`, to put as
 * much into the ring as fits, and returns false when it has nothing more; each time the calling
 * thread then sequences all of it, and the client reads the events. Returns the ns of the
 * sequencing. */
int64_t exchange_run(struct exchange *self, int helper_cpu, bool (*fill)(void *context),
                     void *context);

/* Waits until the keeper is ahead, so that a drain meets no wait that is not the exchange's. */
void exchange_wait_ready(struct exchange *self);

/* Reads all events that were released: counts refusals, and tells on_event. */
void exchange_read_events(struct exchange *self);

/* Puts one message into the ring; when that is full, sequences and reads all before it. */
void exchange_put(struct exchange *self, uint64_t request_id, const void *message, size_t length);

/* Sequences and reads all that was put. */
void exchange_settle(struct exchange *self);

/* ---- setting one up: all of these put, and settle later ---- */

#define EXCHANGE_TICK_PX INT64_C(100)

/* An instrument that trades around the clock in ticks of EXCHANGE_TICK_PX, with price bands, a
 * collar, limits and fees (maker 10 ppm, taker 30 ppm). */
void exchange_list(struct exchange *self, instrument_id_t instrument, uint32_t reference_ticks);

/* An account and a user of the same number, with cash, self-trade prevention and limits on both. */
void exchange_open_account(struct exchange *self, account_id_t account, cash_t cash);

void exchange_deposit(struct exchange *self, account_id_t account, asset_t asset, int64_t qty);

#endif
