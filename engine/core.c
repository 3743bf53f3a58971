/* core.c - hoga-core: the pinned loop that sequences every command and steps the engine.
 *
 *   rings --> sequencer.c: stamp --> `in` --> engine_step --> `out` --> publish --> helpers
 *
 * One thread does all of this and nothing else; here are its start, its sleep and its end. Beside
 * it: the keeper makes journal segments ahead of use, the archiver copies them to disk and
 * releases; at durability `memory` a core that spins has a releaser to ring the bells. The pinned
 * thread never opens, extends, writes or syncs a journal's file, and waits only when there is
 * nothing to do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/bus/archiver.h"
#include "engine/bus/control.h"
#include "engine/bus/futex.h"
#include "engine/bus/idle.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal_writer.h"
#include "engine/bus/releaser.h"
#include "engine/core_options.h"
#include "engine/recovery.h"
#include "engine/sequencer.h"

enum {
    RING_COUNT = 8,
    RING_BYTES = 1024 * 1024,
    SPIN_MAX = 200,               /* pauses before sleeping */
    SLEEP_NS = 100 * 1000 * 1000, /* at most; also how old the heartbeat may become */
    SLEEP_MIN_NS = 50 * 1000,     /* when something is due but the journals lack memory for it */
};

struct core {
    struct core_options options;
    struct instance instance;
    struct control *control;
    struct station *station;
    struct sequencer sequencer;
    struct archiver archiver;
    struct releaser releaser; /* only where the core does not ring by itself */
    struct bell_ringer bells;
    pthread_t keeper;
    _Atomic uint32_t keeper_bell;
    _Atomic int keeper_stopping;
    _Atomic uint64_t *archives_not_ahead;
};

static volatile sig_atomic_t stop_asked;

static void ask_stop(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

/* ---- the loop ---- */

/* A core that may sleep has itself just been woken by a system call, and rings its readers with
 * another: a thread between would only add its own wake-up to every answer. One that spins leaves
 * system calls to the releaser. */
static bool rings_itself(const struct core *self)
{
    return self->control->durability == DURABILITY_MEMORY && !self->options.spin;
}

static void heartbeat(struct core *self)
{
    atomic_store_explicit(&self->control->heartbeat_ns, (uint64_t)self->sequencer.clock_ns,
                          memory_order_relaxed);
}

static int64_t sleep_ns(struct core *self)
{
    int64_t idle_ns = sequencer_idle_ns(&self->sequencer);
    if (idle_ns < SLEEP_MIN_NS) return SLEEP_MIN_NS;
    return idle_ns < SLEEP_NS ? idle_ns : SLEEP_NS;
}

static void sleep_until_rung(struct core *self)
{
    struct control *c = self->control;
    uint32_t seen = atomic_load_explicit(&c->doorbell, memory_order_acquire);
    atomic_store_explicit(&c->core_sleeping, 1, memory_order_relaxed);
    /* say that we sleep, then look once more: pairs with the fence in ring.c's wake_core() */
    atomic_thread_fence(memory_order_seq_cst);
    if (!sequencer_poll(&self->sequencer) && !stop_asked)
        futex_wait(&c->doorbell, seen, sleep_ns(self));
    atomic_store_explicit(&c->core_sleeping, 0, memory_order_relaxed);
}

static void core_loop(struct core *self)
{
    struct sequencer *sequencer = &self->sequencer;
    unsigned idle = 0;
    while (!stop_asked) {
        if (sequencer_poll(sequencer)) {
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
        sequencer_publish(sequencer);
    }
    while (sequencer_poll(sequencer)) continue; /* what was sent before the stop */
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
        bool good = keep(self, &self->sequencer.in) == STATUS_OK &&
                    keep(self, &self->sequencer.out) == STATUS_OK;
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
    sequencer_init(&self->sequencer, self->control, self->station);
    self->archives_not_ahead = control_counter(self->station, "archives_not_ahead");
    return STATUS_OK;
}

static enum status open_rings(struct core *self, const struct recovery *recovery)
{
    struct sequencer *sequencer = &self->sequencer;
    sequencer->ring_count = RING_COUNT;
    for (unsigned i = 0; i < RING_COUNT; i++) {
        uint16_t source = (uint16_t)(i + 1);
        struct ring *ring = &sequencer->rings[i];
        enum status status = ring_create(ring, &self->instance, self->control, source);
        if (status != STATUS_OK) return status;
        uint64_t position = recovery->ring_position[source];
        if (position && ring_seek(ring, position) != STATUS_OK) sequencer_spoil_ring(sequencer, i);
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

static void trade(struct core *self, struct engine *engine)
{
    if (self->options.cpu >= 0) pin(self->options.cpu);
    if (rings_itself(self)) self->sequencer.bells = &self->bells;
    sequencer_begin(&self->sequencer, engine);
    sequencer_publish(&self->sequencer);
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

    recovery.in = &self.sequencer.in;
    recovery.out = &self.sequencer.out;
    status = recovery_run(&recovery, &self.instance, self.control, &self.options.limits,
                          &self.keeper_bell);
    if (status != STATUS_OK) {
        fprintf(stderr, "hoga-core: cannot start: %s\n", recovery.problem);
        return status == STATUS_CORRUPT ? 65 : 1; /* EX_DATAERR: starting again will not help */
    }
    status = open_rings(&self, &recovery);
    if (status != STATUS_OK) return complain("rings", status);
    status = start_helpers(&self);
    if (status != STATUS_OK) return complain("threads", status);

    trade(&self, recovery.engine);
    stop_helpers(&self);
    atomic_store_explicit(&self.station->state, STATION_STOPPED, memory_order_relaxed);
    return 0;
}
