#define _GNU_SOURCE
#include "engine/core.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "engine/bus/futex.h"
#include "engine/bus/idle.h"
#include "engine/snapshot.h"
#include "engine/standby.h"
#include "engine/undertaker.h"

enum {
    RING_COUNT = 8,
    RING_BYTES = 1024 * 1024,
    SPIN_MAX = 200,               /* pauses before sleeping */
    SLEEP_NS = 100 * 1000 * 1000, /* at most; also how old the heartbeat may become */
    SLEEP_MIN_NS = 50 * 1000,     /* when something is due but the journals lack memory for it */
};

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
    if (!sequencer_poll(&self->sequencer) && !*self->stop_asked)
        futex_wait(&c->doorbell, seen, sleep_ns(self));
    atomic_store_explicit(&c->core_sleeping, 0, memory_order_relaxed);
}

static void core_loop(struct core *self)
{
    struct sequencer *sequencer = &self->sequencer;
    unsigned idle = 0;
    while (!*self->stop_asked) {
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

static enum status start_helpers(struct core *self)
{
    bell_ringer_init(&self->bells, &self->instance, self->control);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
    archiver_init(&self->archiver, &self->instance, self->control, self->station);
    enum status status = archiver_start(&self->archiver);
    if (status == STATUS_OK && self->control->durability == DURABILITY_MEMORY &&
        !rings_itself(self))
        status = releaser_start(&self->releaser, &self->instance, self->control);
    if (status == STATUS_OK) status = keeper_start(&self->keeper);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

static enum status stop_helpers(struct core *self)
{
    keeper_stop(&self->keeper);
    enum status status = archiver_stop(&self->archiver);
    if (self->control->durability == DURABILITY_MEMORY && !rings_itself(self))
        releaser_stop(&self->releaser);
    bell_ringer_close(&self->bells);
    return status;
}

/* ---- start ---- */

static int complain(const char *what, enum status status)
{
    fprintf(stderr, "hoga-core: %s: %s%s%s\n", what, status_text(status),
            status == STATUS_IO ? ": " : "", status == STATUS_IO ? strerror(errno) : "");
    return 1;
}

/* One primary a data directory: the kernel frees the lock when the process dies, however it dies,
 * and all of its threads with it. */
static enum status open_lock(struct core *self)
{
    char path[INSTANCE_PATH_BYTES + 16];
    (void)snprintf(path, sizeof path, "%s/core.lock", self->instance.data_dir);
    self->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (self->lock_fd < 0) return STATUS_IO;
    undertaker_start(self->lock_fd);
    if (flock(self->lock_fd, LOCK_EX | LOCK_NB) == 0) return STATUS_OK;
    return errno == EWOULDBLOCK ? STATUS_BUSY : STATUS_IO;
}

/* Becomes the primary, at once or when the present one is gone. STATUS_BUSY: asked to stop before,
 * or there is one already and this is no standby. */
static enum status become_primary(struct core *self)
{
    enum status status = open_lock(self);
    if (status != STATUS_BUSY || !self->options.standby) return status;
    const struct standby_options options = {self->stop_asked, self->options.snapshot_every};
    status = standby_run(&options, &self->instance, self->lock_fd, &self->recovery);
    self->took_over = status == STATUS_OK;
    return status;
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
    status = control_claim_core(self->control, &self->instance, &self->station);
    if (status != STATUS_OK) return status;
    sequencer_init(&self->sequencer, self->control, self->station);
    keeper_init(&self->keeper, &self->instance, self->control, self->station, &self->sequencer.in,
                &self->sequencer.out, self->options.segments_kept);
    if (self->took_over) atomic_fetch_add(&self->control->takeovers, 1);
    return STATUS_OK;
}

static enum status open_rings(struct core *self)
{
    struct sequencer *sequencer = &self->sequencer;
    sequencer->ring_count = RING_COUNT;
    for (unsigned i = 0; i < RING_COUNT; i++) {
        uint16_t source = (uint16_t)(i + 1);
        struct ring *ring = &sequencer->rings[i];
        enum status status = ring_create(ring, &self->instance, self->control, source);
        if (status != STATUS_OK) return status;
        uint64_t position = self->recovery.mark.ring_position[source];
        if (!position) continue;
        status = ring_seek(ring, position);
        if (status == STATUS_INVALID) sequencer_spoil_ring(sequencer, i);
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

/* Where the journals end: they are closed, and nothing follows. */
static enum status mark_of_end(const struct core *self, struct snapshot_mark *mark)
{
    const struct sequencer *sequencer = &self->sequencer;
    const struct journal_record *last;
    struct journal_reader reader;
    *mark = (struct snapshot_mark){.in_seq = sequencer->in.next_seq - 1,
                                   .out_seq = sequencer->out.next_seq - 1,
                                   .out_position = journal_writer_position(&sequencer->out)};
    for (unsigned i = 0; i < sequencer->ring_count; i++)
        mark->ring_position[i + 1] = sequencer->rings[i].head_cache;
    enum status status = journal_reader_open_following(&reader, &self->instance, self->control,
                                                       JOURNAL_IN, mark->in_seq, 0);
    if (status == STATUS_OK) status = journal_next(&reader, &last);
    if (status == STATUS_OK) {
        mark->in_position = journal_reader_position_of(&reader, last);
        mark->in_crc = last->crc;
        mark->time_ns = last->time_ns;
    }
    journal_reader_close(&reader);
    return status;
}

/* A snapshot of the end, so that the next start replays nothing. */
static void keep_state(const struct core *self, const struct engine *engine)
{
    struct snapshot_mark mark;
    if (mark_of_end(self, &mark) != STATUS_OK ||
        snapshot_write(&self->instance, engine, &mark, NULL) != STATUS_OK ||
        snapshot_publish(&self->instance, mark.in_seq) != STATUS_OK)
        fprintf(stderr, "hoga-core: cannot keep a snapshot: %s; the next start replays more\n",
                strerror(errno));
}

static int run(struct core *self)
{
    enum status status = open_control(self);
    if (status != STATUS_OK) return complain("control page", status);
    struct recovery *recovery = &self->recovery;
    if (!recovery->instance) { /* no core has run since this one began */
        status = archive_adopt(&self->instance);
        if (status != STATUS_OK) return complain(self->instance.journal_dir, status);
        status = recovery_begin(recovery, &self->instance, self->control);
    }
    if (status == STATUS_OK)
        status = recovery_finish(recovery, &self->options.limits, &self->sequencer.in,
                                 &self->sequencer.out, &self->keeper.bell);
    if (status != STATUS_OK) {
        fprintf(stderr, "hoga-core: cannot start: %s\n", recovery->problem);
        return status == STATUS_CORRUPT ? EX_DATAERR : 1; /* starting again will not help */
    }
    status = open_rings(self);
    if (status != STATUS_OK) return complain("rings", status);
    status = start_helpers(self);
    if (status != STATUS_OK) return complain("threads", status);

    trade(self, recovery->engine);
    status = stop_helpers(self);
    if (status == STATUS_OK) keep_state(self, recovery->engine);
    atomic_store_explicit(&self->station->state, STATION_STOPPED, memory_order_relaxed);
    return status == STATUS_OK ? 0 : EX_IOERR; /* the memory has what the disk did not take */
}

int core_run(struct core *self)
{
    enum status status = instance_create(&self->instance, self->options.data_dir);
    if (status != STATUS_OK) return complain(self->options.data_dir, status);
    status = become_primary(self);
    if (status == STATUS_BUSY && *self->stop_asked) return 0;
    if (status != STATUS_OK && self->recovery.problem[0]) {
        fprintf(stderr, "hoga-core: cannot stand by: %s\n", self->recovery.problem);
        return status == STATUS_CORRUPT ? EX_DATAERR : 1;
    }
    if (status != STATUS_OK) return complain("core.lock", status);
    return run(self);
}
