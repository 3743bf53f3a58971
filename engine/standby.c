#define _GNU_SOURCE
#include "engine/standby.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/arena.h"
#include "engine/bus/clock.h"
#include "engine/bus/reader_marks.h"
#include "engine/snapshot.h"
#include "engine/snapshot_child.h"

enum {
    LOOK_MS = 5,          /* between two looks at what the primary has written */
    STEPS_A_LOOK = 65536, /* then the primary is looked at once more */
    WAIT_MS = 50,         /* for a primary that has written nothing yet */
    BEATS_MISSED_NS = 500 * 1000 * 1000,
    OWN_PAUSE_NS = 100 * 1000 * 1000, /* who did not run for so long cannot say who else did */
};

struct standby {
    const struct standby_options *options;
    const struct instance *instance;
    struct recovery *recovery;
    struct control *control;
    struct station *station; /* "standby" */
    const struct station *core;
    int lock_fd;
    int lock_event; /* eventfd: the lock is ours */
    pthread_t lock_thread;
    /* the primary's heart */
    uint64_t beat;
    int64_t beat_seen_ns;
    int64_t looked_ns;
    /* snapshots */
    pid_t child; /* 0: none */
    struct snapshot_mark child_mark;
    bool is_written;   /* and waits to be published */
    size_t small_from; /* from here on the state lies on small pages since the last child */
    seq_t snapshot_seq;
    uint64_t asked_seen;
    _Atomic uint64_t *snapshots;
    _Atomic uint64_t *snapshot_failures;
};

/* ---- the lock ---- */

static void *lock_run(void *argument)
{
    struct standby *self = argument;
    const uint64_t one = 1;
    while (flock(self->lock_fd, LOCK_EX) != 0 && errno == EINTR) continue;
    while (write(self->lock_event, &one, sizeof one) < 0 && errno == EINTR) continue;
    return NULL;
}

static enum status wait_for_lock(struct standby *self)
{
    sigset_t all, before;
    self->lock_event = eventfd(0, EFD_CLOEXEC);
    if (self->lock_event < 0) return STATUS_IO;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&self->lock_thread, NULL, lock_run, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) (void)close(self->lock_event);
    return error ? STATUS_IO : STATUS_OK;
}

/* Whether the lock became ours within `ms`. */
static bool has_lock(const struct standby *self, int ms)
{
    struct pollfd event = {.fd = self->lock_event, .events = POLLIN};
    return poll(&event, 1, ms) > 0;
}

/* ---- a primary that hangs ---- */

/* Kills the process that the core's station names, and no other that has got its number since. */
static void fence(struct standby *self)
{
    pid_t pid = atomic_load_explicit(&self->core->pid, memory_order_acquire);
    if (pid <= 0) return;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) return; /* gone: the lock will tell */
    if (atomic_load_explicit(&self->core->pid, memory_order_acquire) == pid && !has_lock(self, 0)) {
        fprintf(stderr, "hoga-core: the primary (pid %d) has not moved for %d ms: it is killed\n",
                pid, BEATS_MISSED_NS / 1000000);
        if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) != 0)
            fprintf(stderr, "hoga-core: cannot kill pid %d: %s\n", pid, strerror(errno));
    }
    (void)close(fd);
}

static void watch_heart(struct standby *self)
{
    int64_t now_ns = clock_steady_ns();
    uint64_t beat = atomic_load_explicit(&self->control->heartbeat_ns, memory_order_relaxed);
    bool trades = atomic_load_explicit(&self->control->accepting, memory_order_relaxed);
    bool was_away = now_ns - self->looked_ns > OWN_PAUSE_NS;
    self->looked_ns = now_ns;
    if (beat != self->beat || was_away || !trades) {
        self->beat = beat;
        self->beat_seen_ns = now_ns;
    } else if (now_ns - self->beat_seen_ns > BEATS_MISSED_NS) {
        fence(self);
        self->beat_seen_ns = now_ns;
    }
}

/* ---- snapshots ---- */

static bool is_due(struct standby *self)
{
    const struct recovery *r = self->recovery;
    uint64_t asked = atomic_load_explicit(&self->control->snapshot_asked, memory_order_acquire);
    uint64_t every = self->options->snapshot_every;
    if (!r->engine || r->mark.in_seq == self->snapshot_seq) return false;
    if (asked == self->asked_seen && (!every || r->mark.in_seq - self->snapshot_seq < every))
        return false;
    self->asked_seen = asked;
    return true;
}

static void begin_snapshot(struct standby *self)
{
    self->child_mark = self->recovery->mark;
    pid_t pid = snapshot_child_start(self->instance, self->recovery->engine, &self->child_mark,
                                     self->lock_fd);
    if (pid < 0) counter_add(self->snapshot_failures, 1);
    self->child = pid > 0 ? pid : 0;
    self->snapshot_seq = self->child_mark.in_seq;
}

/* The oldest snapshot that is kept says what of the archive a start may need. */
static void mark_needed(const struct standby *self)
{
    struct snapshot_mark oldest;
    seq_t seq = snapshot_oldest(self->instance);
    if (!seq || snapshot_read_mark(self->instance, seq, &oldest) != STATUS_OK) return;
    if (reader_mark_write(self->instance, READER_MARK_SNAPSHOTS,
                          (uint32_t)(oldest.in_position >> 32),
                          (uint32_t)(oldest.out_position >> 32)) != STATUS_OK)
        fprintf(stderr, "hoga-core: cannot note what the snapshots need: %s\n", strerror(errno));
}

/* A start trusts a snapshot that both journals reach as far as: they must, on disk. And a front
 * that begins at it must not see what is not released. */
static bool is_safe(const struct standby *self)
{
    const struct control *c = self->control;
    return atomic_load_explicit(&c->released_seq, memory_order_acquire) >=
               self->child_mark.in_seq &&
           atomic_load_explicit(&c->in.durable_seq, memory_order_acquire) >=
               self->child_mark.in_seq &&
           atomic_load_explicit(&c->out.durable_seq, memory_order_acquire) >=
               self->child_mark.out_seq;
}

static void publish_snapshot(struct standby *self)
{
    self->is_written = false;
    if (snapshot_publish(self->instance, self->child_mark.in_seq) != STATUS_OK) {
        fprintf(stderr, "hoga-core: cannot keep snapshot %" PRIu64 ": %s\n",
                self->child_mark.in_seq, strerror(errno));
        counter_add(self->snapshot_failures, 1);
        return;
    }
    mark_needed(self);
    counter_add(self->snapshots, 1);
    atomic_store_explicit(&self->control->snapshot_ns, clock_wall_ns(), memory_order_relaxed);
    atomic_store_explicit(&self->control->snapshot_seq, self->child_mark.in_seq,
                          memory_order_release);
}

/* One at a time, each step when its time has come. */
static void tend_snapshots(struct standby *self)
{
    int state;
    if (self->child && waitpid(self->child, &state, WNOHANG) == self->child) {
        self->child = 0;
        self->small_from = 0;
        self->is_written = WIFEXITED(state) && WEXITSTATUS(state) == 0;
        if (!self->is_written) {
            fprintf(stderr, "hoga-core: cannot write snapshot %" PRIu64 "\n",
                    self->child_mark.in_seq);
            counter_add(self->snapshot_failures, 1);
        }
    }
    if (self->is_written && is_safe(self)) publish_snapshot(self);
    if (!self->child && !self->is_written && is_due(self)) begin_snapshot(self);
}

/* What was written to while a child lived has got small pages, on which the engine is slower: a
 * standby that takes over should have none. A part at each look, so that it never is away long. */
static void mend_pages(struct standby *self)
{
    struct recovery *r = self->recovery;
    if (self->child || !r->engine || self->small_from >= r->engine_bytes) return;
    self->small_from = arena_collapse(r->engine, r->engine_bytes, self->small_from);
}

/* Nobody looks for what a child leaves that is still writing. Clients may be waiting, so it is not
 * waited for: the kernel puts it away. */
static void end_snapshots(struct standby *self)
{
    if (!self->child) return;
    (void)signal(SIGCHLD, SIG_IGN);
    (void)kill(self->child, SIGKILL);
}

/* ---- following ---- */

static const struct station *find_core(const struct control *control)
{
    for (unsigned i = 0; i < CONTROL_STATION_MAX; i++)
        if (strcmp(control->stations[i].name, "core") == 0) return &control->stations[i];
    return NULL;
}

static enum status open_bus(struct standby *self)
{
    enum status status = control_open(&self->control, self->instance);
    if (status != STATUS_OK) return status;
    self->core = find_core(self->control);
    if (!self->core) {
        control_close(self->control);
        self->control = NULL;
        return STATUS_NOT_FOUND;
    }
    status = control_claim_station(self->control, self->instance, "standby", &self->station);
    if (status != STATUS_OK) return status;
    self->snapshots = control_counter(self->station, "snapshots");
    self->snapshot_failures = control_counter(self->station, "snapshot_failures");
    self->snapshot_seq = snapshot_newest(self->instance, UINT64_MAX);
    atomic_store_explicit(&self->control->snapshot_seq, self->snapshot_seq, memory_order_relaxed);
    self->asked_seen = atomic_load_explicit(&self->control->snapshot_asked, memory_order_relaxed);
    return STATUS_OK;
}

/* Steps what is there. The primary publishes a command's number behind all of its events. */
static enum status follow(struct standby *self)
{
    unsigned stepped;
    seq_t up_to = atomic_load_explicit(&self->core->in_seq, memory_order_acquire);
    enum status status = recovery_follow(self->recovery, up_to, STEPS_A_LOOK, &stepped);
    const struct snapshot_mark *mark = &self->recovery->mark;
    atomic_store_explicit(&self->station->in_seq, mark->in_seq, memory_order_relaxed);
    atomic_store_explicit(&self->station->out_seq, mark->out_seq, memory_order_relaxed);
    if (stepped < STEPS_A_LOOK)
        atomic_store_explicit(&self->station->state, STATION_RUNNING, memory_order_relaxed);
    return status;
}

/* Until there is a primary's page, or the lock. */
static enum status find_primary(struct standby *self)
{
    for (;;) {
        enum status status = open_bus(self);
        if (status != STATUS_NOT_FOUND) return status;
        if (*self->options->stop_asked || has_lock(self, WAIT_MS)) return STATUS_NOT_FOUND;
    }
}

static enum status stand_by(struct standby *self)
{
    enum status status = find_primary(self);
    if (status == STATUS_NOT_FOUND) return *self->options->stop_asked ? STATUS_BUSY : STATUS_OK;
    if (status == STATUS_OK) status = recovery_begin(self->recovery, self->instance, self->control);
    while (status == STATUS_OK) {
        if (*self->options->stop_asked) return STATUS_BUSY;
        if (has_lock(self, LOOK_MS)) return STATUS_OK;
        watch_heart(self);
        status = follow(self);
        if (status == STATUS_OK) tend_snapshots(self);
        mend_pages(self);
    }
    return has_lock(self, 0) ? STATUS_OK : status;
}

enum status standby_run(const struct standby_options *options, const struct instance *instance,
                        int lock_fd, struct recovery *recovery)
{
    struct standby self = {.options = options,
                           .instance = instance,
                           .recovery = recovery,
                           .lock_fd = lock_fd,
                           .small_from = SIZE_MAX};
    enum status status = wait_for_lock(&self);
    if (status != STATUS_OK) return status;
    status = stand_by(&self);
    end_snapshots(&self);
    if (self.station) {
        atomic_store_explicit(&self.station->state, STATION_STOPPED, memory_order_relaxed);
        atomic_store_explicit(&self.station->pid, 0, memory_order_relaxed);
    }
    if (status != STATUS_OK) return status; /* the process ends, and the waiting thread with it */
    (void)pthread_join(self.lock_thread, NULL);
    (void)close(self.lock_event);
    return STATUS_OK; /* the control page stays mapped: recovery goes on with it */
}
