/* core.c - hoga-core: the pinned loop that sequences every command and steps the engine.
 *
 *   rings --poll--> stamp --append--> `in` --engine_step--> append `out` --publish--> helpers
 *
 * One thread does all of this and nothing else. Beside it: the keeper makes journal segments ahead
 * of use, the archiver copies them to disk and releases; at durability `memory` a core that spins
 * has a releaser to ring the bells. The pinned thread never opens, extends, writes or syncs a
 * journal's file, and waits only when there is nothing to do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/bus/archiver.h"
#include "engine/bus/clock.h"
#include "engine/bus/control.h"
#include "engine/bus/futex.h"
#include "engine/bus/idle.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal.h"
#include "engine/bus/journal_writer.h"
#include "engine/bus/releaser.h"
#include "engine/bus/ring.h"
#include "engine/core_options.h"
#include "engine/engine.h"
#include "engine/recovery.h"

enum {
    RING_COUNT = 8,
    RING_BYTES = 1024 * 1024,
    BATCH_MAX = 64,               /* commands of one ring before the next ring's turn */
    SPIN_MAX = 200,               /* pauses before sleeping */
    SLEEP_NS = 100 * 1000 * 1000, /* also how often the clock is looked at when idle */
};

#define NS_A_DAY INT64_C(86400000000000)

struct core {
    struct core_options options;
    struct instance instance;
    struct control *control;
    struct station *station;
    struct engine *engine;
    struct journal_writer in;
    struct journal_writer out;
    struct ring rings[RING_COUNT];
    bool ring_spoilt[RING_COUNT];
    struct archiver archiver;
    struct releaser releaser; /* only where the core does not ring by itself */
    struct bell_ringer bells;
    pthread_t keeper;
    _Atomic uint32_t keeper_bell;
    _Atomic int keeper_stopping;
    const struct journal_record *stepping;
    uint64_t day;
    _Atomic uint64_t *spoilt_rings;
    _Atomic uint64_t *waits_for_memory;
    _Atomic uint64_t *archives_not_ahead;
};

static volatile sig_atomic_t stop_asked;

static void ask_stop(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

/* ---- one command ---- */

static void emit_event(void *context, const void *message, size_t length)
{
    struct core *self = context;
    (void)journal_append(&self->out, self->stepping->seq, self->stepping->origin,
                         self->stepping->time_ns, message, length);
}

/* Sequencing comes first: the command is in the journal before it has any effect. */
static void sequence(struct core *self, uint64_t ring_position, uint64_t origin,
                     const void *message, size_t length)
{
    const struct journal_record *r =
        journal_append(&self->in, ring_position, origin, clock_wall_ns(), message, length);
    struct event_sink sink = {emit_event, self};
    self->stepping = r;
    engine_step(self->engine, r->seq, r->time_ns, record_message(r), record_message_length(r),
                &sink);
}

/* Whether the bytes are framed as a message; what they say is the engine's to judge. */
static bool is_message(const struct ring_message *m)
{
    struct sbe_header header;
    memcpy(&header, m->message, sizeof header);
    return m->length == sizeof header + header.block_length;
}

static void spoil_ring(struct core *self, unsigned i)
{
    self->ring_spoilt[i] = true;
    counter_add(self->spoilt_rings, 1);
    fprintf(stderr, "hoga-core: ring %u holds bytes that are no message; it is not read any more\n",
            i + 1);
}

/* Takes what one ring has, at most a batch. Returns how many. */
static unsigned poll_ring(struct core *self, unsigned i)
{
    struct ring *ring = &self->rings[i];
    unsigned count = 0;
    while (count < BATCH_MAX) {
        struct ring_message m;
        if (self->ring_spoilt[i]) break;
        if (!journal_writer_ready(&self->in) || !journal_writer_ready(&self->out)) {
            /* rings fill and clients are told 503 until the keeper has memory again */
            counter_add(self->waits_for_memory, 1);
            break;
        }
        enum status status = ring_peek(ring, &m);
        if (status == STATUS_EMPTY) break;
        if (status != STATUS_OK || !is_message(&m)) {
            spoil_ring(self, i);
            break;
        }
        sequence(self, m.position, origin_of(ring->source, m.request_id), m.message, m.length);
        ring_release(ring, &m);
        count++;
    }
    return count;
}

/* ---- the core's own commands ---- */

static void configure(struct core *self)
{
    struct command_configure command = {
        .header = COMMAND_HEADER(COMMAND_CONFIGURE, struct command_configure),
        .limits = *engine_limits(self->engine)};
    sequence(self, 0, 0, &command, sizeof command);
}

static void end_day_if_over(struct core *self)
{
    uint64_t today = (uint64_t)(clock_wall_ns() / NS_A_DAY);
    if (today <= self->day) return;
    struct command_end_day command = {
        .header = COMMAND_HEADER(COMMAND_END_DAY, struct command_end_day), .day = today};
    sequence(self, 0, 0, &command, sizeof command);
    self->day = today;
}

/* ---- the loop ---- */

/* A core that may sleep has itself just been woken by a system call, and rings its readers with
 * another: a thread between would only add its own wake-up to every answer. One that spins leaves
 * system calls to the releaser. */
static bool rings_itself(const struct core *self)
{
    return self->control->durability == DURABILITY_MEMORY && !self->options.spin;
}

static void publish(struct core *self)
{
    struct control *c = self->control;
    if (c->durability == DURABILITY_MEMORY)
        atomic_store_explicit(&c->released_seq, self->in.next_seq - 1, memory_order_release);
    if (rings_itself(self))
        bell_ring(&self->bells);
    else
        archiver_wake(c);
    /* out first: whoever reads in_seq (acquire) finds all events of the commands up to there */
    atomic_store_explicit(&self->station->out_seq, self->out.next_seq - 1, memory_order_release);
    atomic_store_explicit(&self->station->in_seq, self->in.next_seq - 1, memory_order_release);
}

static unsigned poll_all(struct core *self)
{
    unsigned count = 0;
    for (unsigned i = 0; i < RING_COUNT; i++) count += poll_ring(self, i);
    if (count) publish(self);
    return count;
}

static void heartbeat(struct core *self)
{
    atomic_store_explicit(&self->control->heartbeat_ns, (uint64_t)clock_wall_ns(),
                          memory_order_relaxed);
}

static void sleep_until_rung(struct core *self)
{
    struct control *c = self->control;
    uint32_t seen = atomic_load_explicit(&c->doorbell, memory_order_acquire);
    atomic_store_explicit(&c->core_sleeping, 1, memory_order_relaxed);
    /* say that we sleep, then look once more: pairs with the fence in ring.c's wake_core() */
    atomic_thread_fence(memory_order_seq_cst);
    if (!poll_all(self) && !stop_asked) futex_wait(&c->doorbell, seen, SLEEP_NS);
    atomic_store_explicit(&c->core_sleeping, 0, memory_order_relaxed);
}

static void core_loop(struct core *self)
{
    unsigned idle = 0;
    while (!stop_asked) {
        if (poll_all(self)) {
            idle = 0;
            heartbeat(self);
            continue;
        }
        if (++idle <= SPIN_MAX || self->options.spin) {
            idle_pause();
            if (idle % 1024) continue;
        } else {
            sleep_until_rung(self);
        }
        heartbeat(self);
        end_day_if_over(self);
        publish(self);
    }
    while (poll_all(self)) continue; /* what was sent before the stop */
}

/* ---- helpers ---- */

/* The next segment in memory, then its place on disk. */
static enum status keep(const struct core *self, struct journal_writer *writer)
{
    enum status status = journal_writer_keep(writer);
    if (status != STATUS_OK) return status;
    /* without it the archiver makes the file itself, when it needs it, and names the disk's error
     */
    if (archiver_prepare(&self->instance, writer->kind, writer->ahead_number,
                         writer->segment_bytes) != STATUS_OK)
        counter_add(self->archives_not_ahead, 1);
    return STATUS_OK;
}

static void *keeper_run(void *argument)
{
    struct core *self = argument;
    bool complained = false;
    while (!atomic_load_explicit(&self->keeper_stopping, memory_order_acquire)) {
        uint32_t seen = atomic_load_explicit(&self->keeper_bell, memory_order_acquire);
        bool good = keep(self, &self->in) == STATUS_OK && keep(self, &self->out) == STATUS_OK;
        if (!good && !complained)
            fprintf(stderr,
                    "hoga-core: no memory for the next segment in %s: %s; free some of "
                    "/dev/shm\n",
                    self->instance.shm_dir, strerror(errno));
        complained = !good;
        futex_wait(&self->keeper_bell, seen, SLEEP_NS);
    }
    return NULL;
}

static enum status start_helpers(struct core *self)
{
    bell_ringer_init(&self->bells, &self->instance, self->control);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
    enum status status =
        archiver_start(&self->archiver, &self->instance, self->control, self->station);
    if (status == STATUS_OK && self->control->durability == DURABILITY_MEMORY &&
        !rings_itself(self))
        status = releaser_start(&self->releaser, &self->instance, self->control);
    if (status == STATUS_OK && pthread_create(&self->keeper, NULL, keeper_run, self) != 0)
        status = STATUS_IO;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

static void stop_helpers(struct core *self)
{
    atomic_store_explicit(&self->keeper_stopping, 1, memory_order_release);
    futex_ring(&self->keeper_bell);
    (void)pthread_join(self->keeper, NULL);
    archiver_stop(&self->archiver);
    if (self->control->durability == DURABILITY_MEMORY && !rings_itself(self))
        releaser_stop(&self->releaser);
    bell_ringer_close(&self->bells);
}

/* ---- start ---- */

static int complain(const char *what, enum status status)
{
    fprintf(stderr, "hoga-core: %s: %s%s%s\n", what, status_text(status),
            status == STATUS_IO ? ": " : "", status == STATUS_IO ? strerror(errno) : "");
    return 1;
}

/* One core a data directory: the kernel frees the lock when the process dies, however it dies. */
static enum status lock_data_dir(const struct core *self)
{
    char path[INSTANCE_PATH_BYTES + 16];
    (void)snprintf(path, sizeof path, "%s/core.lock", self->instance.data_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return STATUS_IO;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return STATUS_OK; /* held until the process ends */
    (void)close(fd);
    return errno == EWOULDBLOCK ? STATUS_BUSY : STATUS_IO;
}

static enum status open_control(struct core *self)
{
    enum status status =
        control_create(&self->control, &self->instance, (uint32_t)self->options.durability,
                       self->options.segment_bytes, RING_COUNT, RING_BYTES);
    if (status != STATUS_OK) return status;
    /* what a core that died may have left */
    atomic_store_explicit(&self->control->accepting, 0, memory_order_relaxed);
    atomic_store_explicit(&self->control->core_sleeping, 0, memory_order_relaxed);
    atomic_store_explicit(&self->control->helper_sleeping, 0, memory_order_relaxed);
    status = control_claim_station(self->control, &self->instance, "core", &self->station);
    if (status != STATUS_OK) return status;
    self->spoilt_rings = control_counter(self->station, "spoilt_rings");
    self->archives_not_ahead = control_counter(self->station, "archives_not_ahead");
    self->waits_for_memory = control_counter(self->station, "waits_for_memory");
    return STATUS_OK;
}

static enum status open_rings(struct core *self, const struct recovery *recovery)
{
    for (unsigned i = 0; i < RING_COUNT; i++) {
        uint16_t source = (uint16_t)(i + 1);
        enum status status = ring_create(&self->rings[i], &self->instance, self->control, source);
        if (status != STATUS_OK) return status;
        uint64_t position = recovery->ring_position[source];
        if (position && ring_seek(&self->rings[i], position) != STATUS_OK) spoil_ring(self, i);
    }
    return STATUS_OK;
}

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        fprintf(stderr, "hoga-core: cannot pin to processor %d: %s; going on unpinned\n", cpu,
                strerror(errno));
}

static void trade(struct core *self)
{
    if (self->options.cpu >= 0) pin(self->options.cpu);
    if (self->in.next_seq == 1) configure(self);
    end_day_if_over(self);
    publish(self);
    heartbeat(self);
    atomic_store_explicit(&self->station->state, STATION_RUNNING, memory_order_relaxed);
    atomic_store_explicit(&self->control->accepting, 1, memory_order_release);
    core_loop(self);
    atomic_store_explicit(&self->control->accepting, 0, memory_order_release);
}

int main(int argc, char **argv)
{
    static struct core self; /* zeroed, and too large for a stack */
    static struct recovery recovery;
    int exit_code = core_options_parse(&self.options, argc, argv);
    if (exit_code >= 0) return exit_code;
    struct sigaction action = {.sa_handler = ask_stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    enum status status = instance_create(&self.instance, self.options.data_dir);
    if (status != STATUS_OK) return complain(self.options.data_dir, status);
    status = lock_data_dir(&self);
    if (status != STATUS_OK) return complain("core.lock", status);
    status = open_control(&self);
    if (status != STATUS_OK) return complain("control page", status);

    recovery.in = &self.in;
    recovery.out = &self.out;
    status = recovery_run(&recovery, &self.instance, self.control, &self.options.limits,
                          &self.keeper_bell);
    if (status != STATUS_OK) {
        fprintf(stderr, "hoga-core: cannot start: %s\n", recovery.problem);
        return status == STATUS_CORRUPT ? 65 : 1; /* EX_DATAERR: starting again will not help */
    }
    self.engine = recovery.engine;
    self.day = engine_day(self.engine);
    status = open_rings(&self, &recovery);
    if (status != STATUS_OK) return complain("rings", status);
    status = start_helpers(&self);
    if (status != STATUS_OK) return complain("threads", status);

    trade(&self);
    stop_helpers(&self);
    atomic_store_explicit(&self.station->state, STATION_STOPPED, memory_order_relaxed);
    return 0;
}
