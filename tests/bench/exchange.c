#define _GNU_SOURCE
#include "exchange.h"

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "engine/base/arena.h"
#include "engine/bus/futex.h"
#include "engine/bus/idle.h"
#include "engine/bus/segment.h"

enum {
    RING_BYTES = 1024 * 1024,
    SEGMENTS_KEPT = 3,        /* behind the one that is written, for the reader */
    KEEPER_WAIT_NS = 1000000, /* at most between two looks */
};

clockid_t bench_clock = CLOCK_MONOTONIC;

_Noreturn static void usage(const char *program)
{
    fprintf(stderr,
            "usage: %s --flow FILE [--passes N] [--cpu N] [--clock wall|cpu] [--part NAME]\n",
            program);
    exit(2);
}

struct bench_options bench_options_parse(int argc, char **argv, const char *program)
{
    static const struct option names[] = {
        {"flow", required_argument, NULL, 'f'},  {"passes", required_argument, NULL, 'p'},
        {"cpu", required_argument, NULL, 'c'},   {"part", required_argument, NULL, 'P'},
        {"clock", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    struct bench_options options = {.passes = 5, .cpu = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 1 : 0};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 'f': options.flow = optarg; break;
        case 'p': options.passes = (unsigned)atoi(optarg); break;
        case 'c': options.cpu = atoi(optarg); break;
        case 'P': options.part = optarg; break;
        case 't':
            if (strcmp(optarg, "cpu") == 0)
                bench_clock = CLOCK_THREAD_CPUTIME_ID;
            else if (strcmp(optarg, "wall") != 0)
                usage(program);
            break;
        default: usage(program);
        }
    }
    if (!options.flow || optind != argc || options.passes == 0 ||
        options.passes > BENCH_REPEATS_MAX)
        usage(program);
    return options;
}

void bench_print_floor(double *floor, unsigned passes, double ratio)
{
    printf(",\"floor_mcmds_per_s\":");
    bench_print_array(floor, passes);
    printf(",\"baseline\":%.3f,\"ratio\":%.3f,\"repeats\":%u}\n", bench_median(floor, passes),
           ratio, passes);
}

void bench_must(bool good, const char *what)
{
    if (good) return;
    perror(what);
    exit(2);
}

void bench_pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        fprintf(stderr, "cannot pin to processor %d: going on unpinned\n", cpu);
}

int bench_other_cpu(int cpu)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 1 ? (cpu + 1) % (int)count : cpu;
}

void bench_start_thread(pthread_t *thread, int cpu, void *(*run)(void *), void *argument)
{
    pthread_attr_t attributes;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    bench_must(pthread_attr_init(&attributes) == 0 &&
                   pthread_attr_setaffinity_np(&attributes, sizeof set, &set) == 0 &&
                   pthread_create(thread, &attributes, run, argument) == 0,
               "thread");
    (void)pthread_attr_destroy(&attributes);
}

/* ---- journals ---- */

static void remove_old(const struct exchange *self, const struct journal_writer *writer)
{
    char path[SEGMENT_PATH_BYTES];
    if (writer->ahead_number <= SEGMENTS_KEPT + 1) return;
    segment_memory_path(path, &self->instance, writer->kind,
                        writer->ahead_number - SEGMENTS_KEPT - 1);
    (void)unlink(path); /* gone already, most of the time */
}

static void *keeper_run(void *argument)
{
    struct exchange *self = argument;
    struct journal_writer *writers[] = {&self->sequencer.in, &self->sequencer.out};
    while (!atomic_load_explicit(&self->stopping, memory_order_acquire)) {
        uint32_t seen = atomic_load_explicit(&self->keeper_bell, memory_order_acquire);
        for (unsigned i = 0; i < 2; i++) {
            bench_must(journal_writer_keep(writers[i], NULL) == STATUS_OK, "/dev/shm");
            remove_old(self, writers[i]);
        }
        futex_wait(&self->keeper_bell, seen, KEEPER_WAIT_NS);
    }
    return NULL;
}

static void open_writer(struct exchange *self, struct journal_writer *writer,
                        enum journal_kind kind)
{
    struct journal_reader tail;
    bench_must(journal_reader_open_recovery(&tail, &self->instance, self->control, kind) ==
                       STATUS_OK &&
                   journal_writer_open(writer, &self->instance, self->control, &tail,
                                       &self->keeper_bell) == STATUS_OK,
               "journal");
    journal_reader_close(&tail);
}

/* ---- open and close ---- */

static void open_bus(struct exchange *self)
{
    struct station *station;
    (void)snprintf(self->dir, sizeof self->dir, "/tmp/hoga-bench-XXXXXX");
    bench_must(mkdtemp(self->dir) != NULL, self->dir);
    bench_must(instance_create(&self->instance, self->dir) == STATUS_OK, self->dir);
    bench_must(control_create(&self->control, &self->instance, DURABILITY_MEMORY,
                              JOURNAL_SEGMENT_DEFAULT_BYTES, 1, RING_BYTES) == STATUS_OK,
               "control page");
    bench_must(control_claim_station(self->control, &self->instance, "core", &station) == STATUS_OK,
               "station");
    sequencer_init(&self->sequencer, self->control, station);
    open_writer(self, &self->sequencer.in, JOURNAL_IN);
    open_writer(self, &self->sequencer.out, JOURNAL_OUT);
    self->sequencer.ring_count = 1;
    bench_must(ring_create(&self->sequencer.rings[0], &self->instance, self->control, 1) ==
                       STATUS_OK &&
                   ring_claim(&self->client, &self->instance, self->control) == STATUS_OK,
               "ring");
    bench_must(journal_reader_open(&self->out, &self->instance, self->control, JOURNAL_OUT, 1) ==
                   STATUS_OK,
               "reader");
}

void exchange_open(struct exchange *self, const struct limits *limits, int helper_cpu)
{
    memset(self, 0, sizeof *self);
    self->memory_bytes = engine_bytes(limits);
    self->memory = arena_map(self->memory_bytes, 1);
    bench_must(self->memory_bytes && self->memory, "memory for the engine");
    open_bus(self);
    bench_start_thread(&self->keeper, helper_cpu, keeper_run, self);
    sequencer_begin(&self->sequencer, engine_init(self->memory, limits));
    sequencer_publish(&self->sequencer);
    exchange_read_events(self);
}

void exchange_close(struct exchange *self)
{
    char command[sizeof self->dir + 16];
    atomic_store_explicit(&self->stopping, 1, memory_order_release);
    futex_ring(&self->keeper_bell);
    (void)pthread_join(self->keeper, NULL);
    journal_reader_close(&self->out);
    journal_writer_close(&self->sequencer.in);
    journal_writer_close(&self->sequencer.out);
    ring_close(&self->client);
    ring_close(&self->sequencer.rings[0]);
    control_close(self->control);
    instance_remove_shm(&self->instance);
    arena_unmap(self->memory, self->memory_bytes);
    (void)snprintf(command, sizeof command, "rm -rf %s", self->dir);
    if (system(command) != 0) fprintf(stderr, "%s is left behind\n", self->dir);
}

/* ---- commands and events ---- */

bool exchange_send(struct exchange *self, uint64_t request_id, const void *message, size_t length)
{
    return ring_send(&self->client, request_id, message, length) == STATUS_OK;
}

int64_t exchange_drain(struct exchange *self)
{
    int64_t start_ns = bench_clock_ns();
    while (ring_has_message(&self->sequencer.rings[0])) (void)sequencer_poll(&self->sequencer);
    return bench_clock_ns() - start_ns;
}

/* Whose turn it is: the client's or the exchange's. */
enum turn { TURN_CLIENT, TURN_CORE, TURN_NOBODY };

struct client {
    struct exchange *exchange;
    bool (*fill)(void *context);
    void *context;
    _Atomic int turn;
};

static void *client_run(void *argument)
{
    struct client *self = argument;
    while (self->fill(self->context)) {
        atomic_store_explicit(&self->turn, TURN_CORE, memory_order_release);
        while (atomic_load_explicit(&self->turn, memory_order_acquire) != TURN_CLIENT) idle_pause();
        exchange_read_events(self->exchange);
    }
    atomic_store_explicit(&self->turn, TURN_NOBODY, memory_order_release);
    return NULL;
}

int64_t exchange_run(struct exchange *self, int helper_cpu, bool (*fill)(void *context),
                     void *context)
{
    struct client client = {.exchange = self, .fill = fill, .context = context};
    pthread_t thread;
    int64_t ns = 0;
    bench_start_thread(&thread, helper_cpu, client_run, &client);
    for (;;) {
        int turn;
        while ((turn = atomic_load_explicit(&client.turn, memory_order_acquire)) == TURN_CLIENT)
            idle_pause();
        if (turn == TURN_NOBODY) break;
        exchange_wait_ready(self);
        ns += exchange_drain(self);
        atomic_store_explicit(&client.turn, TURN_CLIENT, memory_order_release);
    }
    (void)pthread_join(thread, NULL);
    return ns;
}

void exchange_wait_ready(struct exchange *self)
{
    while (!journal_writer_has_ahead(&self->sequencer.in) ||
           !journal_writer_has_ahead(&self->sequencer.out))
        idle_pause();
}

static bool is_refusal(const struct journal_record *event)
{
    const struct event_execution *execution = record_message(event);
    switch (event->header.template_id) {
    case EVENT_COMMAND_REJECTED:
    case EVENT_REQUEST_REJECTED: return true;
    case EVENT_EXECUTION: return execution->exec_type == EXEC_REJECTED;
    default: return false;
    }
}

void exchange_read_events(struct exchange *self)
{
    const struct journal_record *event;
    enum status status;
    while ((status = journal_next(&self->out, &event)) == STATUS_OK) {
        if (is_refusal(event)) self->rejects++;
        if (self->on_event) self->on_event(self->context, event);
    }
    bench_must(status == STATUS_EMPTY, self->out.where);
}

void exchange_settle(struct exchange *self)
{
    exchange_wait_ready(self);
    (void)exchange_drain(self);
    exchange_read_events(self);
}

void exchange_put(struct exchange *self, uint64_t request_id, const void *message, size_t length)
{
    if (exchange_send(self, request_id, message, length)) return;
    exchange_settle(self);
    bench_must(exchange_send(self, request_id, message, length), "ring");
}

/* ---- setting one up ---- */

static void set_limits(struct exchange *self, enum limit_scope scope, uint32_t id)
{
    struct command_set_limits limits = {
        .header = COMMAND_HEADER(COMMAND_SET_LIMITS, struct command_set_limits),
        .scope = scope,
        .id = id,
        .max_order_qty = 1000000,
        .max_order_notional = INT64_C(1000000000000)};
    if (scope != LIMIT_SCOPE_INSTRUMENT) {
        limits.max_messages = UINT32_MAX;
        limits.collar_ppm = 500000;
    }
    if (scope == LIMIT_SCOPE_ACCOUNT) {
        limits.max_open_orders = 1000000;
        limits.max_long_qty = limits.max_short_qty = INT64_C(1000000000000);
        limits.max_exposure = INT64_C(1000000000000000000);
    }
    if (scope == LIMIT_SCOPE_USER) limits.max_daily_qty = INT64_C(1000000000000);
    exchange_put(self, 0, &limits, sizeof limits);
}

static void set_bands(struct exchange *self, instrument_id_t instrument, px_t reference_px)
{
    const struct command_set_bands bands = {
        .header = COMMAND_HEADER(COMMAND_SET_BANDS, struct command_set_bands),
        .instrument = instrument,
        .static_ppm = 900000,
        .dynamic_ppm = 900000,
        .collar_ppm = 800000,
        .limit_state_ms = 15000,
        .halt_ms = 60000,
        .auction_ms = 60000,
        .reference_px = reference_px};
    exchange_put(self, 0, &bands, sizeof bands);
}

void exchange_list(struct exchange *self, instrument_id_t instrument, uint32_t reference_ticks)
{
    struct command_list_instrument list = {
        .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
        .instrument = instrument,
        .tick_px = EXCHANGE_TICK_PX,
        .lot_qty = 1,
        .max_order_qty = 1000000,
        .max_order_notional = INT64_C(1000000000000),
        .max_fee_ppm = 100};
    (void)snprintf(list.symbol, sizeof list.symbol, "S%u", instrument);
    (void)snprintf(list.name, sizeof list.name, "Instrument %u", instrument);
    const struct command_set_fees fees = {
        .header = COMMAND_HEADER(COMMAND_SET_FEES, struct command_set_fees),
        .instrument = instrument,
        .maker_ppm = 10,
        .taker_ppm = 30};
    exchange_put(self, 0, &list, sizeof list);
    exchange_put(self, 0, &fees, sizeof fees);
    set_bands(self, instrument, (px_t)reference_ticks * EXCHANGE_TICK_PX);
    set_limits(self, LIMIT_SCOPE_INSTRUMENT, instrument);
}

void exchange_open_account(struct exchange *self, account_id_t account, cash_t cash)
{
    struct command_open_account open = {
        .header = COMMAND_HEADER(COMMAND_OPEN_ACCOUNT, struct command_open_account),
        .account = account};
    struct command_add_user add = {.header =
                                       COMMAND_HEADER(COMMAND_ADD_USER, struct command_add_user),
                                   .user = account,
                                   .account = account};
    (void)snprintf(open.name, sizeof open.name, "Account %u", account);
    (void)snprintf(add.name, sizeof add.name, "User %u", account);
    const struct command_set_account set = {
        .header = COMMAND_HEADER(COMMAND_SET_ACCOUNT, struct command_set_account),
        .account = account,
        .stp = STP_CANCEL_NEWEST};
    exchange_put(self, 0, &open, sizeof open);
    exchange_put(self, 0, &add, sizeof add);
    exchange_put(self, 0, &set, sizeof set);
    set_limits(self, LIMIT_SCOPE_ACCOUNT, account);
    set_limits(self, LIMIT_SCOPE_USER, account);
    exchange_deposit(self, account, ASSET_CASH, cash);
}

void exchange_deposit(struct exchange *self, account_id_t account, asset_t asset, int64_t qty)
{
    const struct command_deposit deposit = {
        .header = COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
        .account = account,
        .asset = asset,
        .qty = qty};
    exchange_put(self, 0, &deposit, sizeof deposit);
}
