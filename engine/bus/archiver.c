#include "engine/bus/archiver.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/bus/clock.h"
#include "engine/bus/futex.h"
#include "engine/bus/idle.h"
#include "engine/bus/segment.h"

enum {
    SPIN_MAX = 200,                    /* pauses before sleeping */
    GATHER_MAX = 16,                   /* looks for more before a sync */
    OUT_SYNC_BYTES = 1024 * 1024,      /* how much of `out` the next life may have to copy again */
    MEMORY_WAIT_NS = 10 * 1000 * 1000, /* at durability `memory` */
    EVENTS_MIN_BYTES = 64 * 1024,
    EVENTS_PARTS = 32,
    EVENTS_WAIT_NS = 5 * 1000 * 1000, /* between two looks at `out` while there is something */
    IDLE_WAIT_NS = 50 * 1000 * 1000,  /* idle for so long: time to note what is safe */
    RETRY_NS = 100 * 1000 * 1000,     /* between two tries of a disk that fails */
    SLOW_SYNC_NS = 100 * 1000 * 1000,
};

/* ---- a disk that fails ---- */

/* Two threads may find it out, or find it over. */
static void note_trouble(struct archiver *self, enum journal_kind kind, bool fails)
{
    (void)pthread_mutex_lock(&self->trouble);
    self->fails[kind] = fails;
    if (fails) counter_add(self->disk_errors, 1);
    bool stopped = self->fails[JOURNAL_IN] || self->fails[JOURNAL_OUT];
    atomic_store_explicit(&self->control->archiver_disk, stopped ? DISK_STOPPED : DISK_GOOD,
                          memory_order_relaxed);
    (void)pthread_mutex_unlock(&self->trouble);
}

static void disk_failed(struct archiver *self, const struct archive *a)
{
    char path[SEGMENT_PATH_BYTES];
    if (!self->retry_ns[a->kind]) {
        segment_archive_path(path, a->instance, a->kind, a->segment);
        fprintf(stderr,
                "hoga-core: cannot %s %s: %s; nothing more is acknowledged until that works: free "
                "space or mend the disk, trading then goes on by itself\n",
                a->what, path, strerror(a->error));
    }
    self->retry_ns[a->kind] = clock_steady_ns() + RETRY_NS;
    atomic_store_explicit(&self->control->disk_error, a->error, memory_order_relaxed);
    note_trouble(self, a->kind, true);
}

static void disk_works(struct archiver *self, enum journal_kind kind)
{
    if (!self->retry_ns[kind]) return;
    self->retry_ns[kind] = 0;
    note_trouble(self, kind, false);
    fprintf(stderr, "hoga-core: the disk works again; what waited of the %s journal is safe\n",
            kind == JOURNAL_IN ? "in" : "out");
}

static bool must_wait(const struct archiver *self, enum journal_kind kind)
{
    return self->retry_ns[kind] && clock_steady_ns() < self->retry_ns[kind];
}

/* ---- commits ---- */

/* Answers wait for it. */
static enum status sync_in(struct archiver *self)
{
    int64_t start_ns = clock_steady_ns();
    enum status status = archive_sync(&self->in);
    int64_t ns = clock_steady_ns() - start_ns;
    if (ns > SLOW_SYNC_NS) counter_add(self->slow_syncs, 1);
    uint64_t us = (uint64_t)ns / 1000;
    if (us > atomic_load_explicit(self->sync_max_us, memory_order_relaxed))
        atomic_store_explicit(self->sync_max_us, us, memory_order_relaxed);
    return status;
}

/* Copies what `in` holds, and what comes while it copies: a sync costs as much as copying hundreds
 * of records, so a burst should have one. Bounded, so that a steady stream is released, too.
 * Stores the last sequence number copied, and where it ends. */
static enum status gather_in(struct archiver *self, seq_t *seq, uint64_t *position)
{
    const struct journal_cursors *cursors = self->in.cursors;
    uint64_t copied = 0;
    enum status status = STATUS_OK;
    for (unsigned round = 0; round < GATHER_MAX && status == STATUS_OK; round++) {
        seq_t written = atomic_load_explicit(&cursors->written_seq, memory_order_acquire);
        if (written == *seq) break;
        uint64_t end = atomic_load_explicit(&cursors->written_position, memory_order_acquire);
        status = archive_copy(&self->in, end, &copied);
        if (status != STATUS_OK) break;
        *seq = written;
        *position = end;
    }
    counter_add(self->committed_bytes, copied);
    return status;
}

/* What is safe may be told. At `memory` the core has told it already. */
static void release(struct archiver *self)
{
    struct control *c = self->control;
    seq_t seq = self->in_seq;
    if (c->durability == DURABILITY_MEMORY) return;
    if (c->durability == DURABILITY_REPLICATED) {
        seq_t there = atomic_load_explicit(&c->replicated_seq, memory_order_acquire);
        if (there < seq) seq = there;
    }
    if (seq <= atomic_load_explicit(&c->released_seq, memory_order_relaxed)) return;
    atomic_store_explicit(&c->released_seq, seq, memory_order_release);
    bell_ring(&self->bells);
}

/* Commits what `in` holds, and mends its file if the last sync failed. Returns whether there was
 * anything. */
static bool commit(struct archiver *self)
{
    uint64_t position =
        atomic_load_explicit(&self->in.cursors->durable_position, memory_order_relaxed);
    seq_t seq = self->in_seq;
    enum status status = gather_in(self, &seq, &position);
    bool has_work = status != STATUS_OK || seq != self->in_seq || self->in.is_doubtful;
    if (has_work && status == STATUS_OK) status = sync_in(self);
    if (status != STATUS_OK) {
        disk_failed(self, &self->in);
        return true;
    }
    if (has_work) {
        self->in_seq = seq;
        atomic_store_explicit(&self->in.cursors->durable_position, position, memory_order_relaxed);
        atomic_store_explicit(&self->in.cursors->durable_seq, seq, memory_order_release);
        counter_add(self->commits, 1);
    }
    disk_works(self, JOURNAL_IN);
    return has_work;
}

static bool poll_commits(struct archiver *self)
{
    if (must_wait(self, JOURNAL_IN)) return false;
    bool worked = commit(self);
    release(self);
    return worked;
}

static void mark(struct archiver *self, struct archive *a)
{
    if (!self->retry_ns[a->kind] && archive_mark(a) != STATUS_OK) disk_failed(self, a);
}

/* ---- events ---- */

/* How much at once: a part of what is left, so that it keeps up at any rate, and a start that finds
 * megabytes does not hold the commits up. */
static uint64_t events_bytes(const struct archive *out, uint64_t position)
{
    bool is_near = (uint32_t)(position >> 32) == out->segment;
    uint64_t left = is_near ? (position & UINT32_MAX) - out->offset : out->map_bytes;
    return left / EVENTS_PARTS > EVENTS_MIN_BYTES ? left / EVENTS_PARTS : EVENTS_MIN_BYTES;
}

/* Whatever was copied when all of it was: safe with the next sync. */
static enum status copy_events(struct archiver *self, uint64_t *copied)
{
    struct archive *out = &self->out;
    bool is_all;
    seq_t seq = atomic_load_explicit(&out->cursors->written_seq, memory_order_acquire);
    uint64_t position = atomic_load_explicit(&out->cursors->written_position, memory_order_acquire);
    enum status status =
        archive_copy_some(out, position, events_bytes(out, position), copied, &is_all);
    if (status == STATUS_OK && is_all) {
        self->events_seq = seq;
        self->events_position = position;
    }
    return status;
}

/* Copies some of what `out` holds; syncs it when that is much, or nothing else is to do, or the
 * disk has failed. Returns whether there was anything. */
static bool poll_events(struct archiver *self, bool is_idle)
{
    struct archive *out = &self->out;
    uint64_t copied = 0;
    if (must_wait(self, JOURNAL_OUT)) return false;
    enum status status = copy_events(self, &copied);
    bool is_due = out->unsynced_bytes >= OUT_SYNC_BYTES || is_idle || self->retry_ns[JOURNAL_OUT];
    if (status == STATUS_OK && !is_due) return copied != 0;
    if (status == STATUS_OK) status = archive_sync(out);
    if (status != STATUS_OK) {
        disk_failed(self, out);
        return true;
    }
    if (self->events_position >
        atomic_load_explicit(&out->cursors->durable_position, memory_order_relaxed)) {
        atomic_store_explicit(&out->cursors->durable_position, self->events_position,
                              memory_order_relaxed);
        atomic_store_explicit(&out->cursors->durable_seq, self->events_seq, memory_order_release);
    }
    disk_works(self, JOURNAL_OUT);
    return copied != 0;
}

static void idle_events(struct archiver *self)
{
    while (!self->retry_ns[JOURNAL_OUT] && poll_events(self, false)) continue;
    if (self->retry_ns[JOURNAL_OUT]) return;
    (void)poll_events(self, true);
    mark(self, &self->out);
}

/* ---- both, without threads ---- */

bool archiver_poll(struct archiver *self)
{
    bool worked = poll_commits(self);
    (void)poll_events(self, false);
    return worked;
}

void archiver_idle(struct archiver *self)
{
    idle_events(self);
    mark(self, &self->in);
}

/* ---- the threads ---- */

static bool has_work(const struct archiver *self)
{
    const struct control *c = self->control;
    if (atomic_load_explicit(&self->stopping, memory_order_relaxed)) return true;
    if (self->retry_ns[JOURNAL_IN]) return false; /* not yet */
    seq_t safe = self->in_seq;
    if (atomic_load_explicit(&self->in.cursors->written_seq, memory_order_acquire) != safe)
        return true;
    seq_t released = atomic_load_explicit(&c->released_seq, memory_order_relaxed);
    return c->durability == DURABILITY_REPLICATED && released < safe &&
           atomic_load_explicit(&c->replicated_seq, memory_order_acquire) > released;
}

/* Where nobody waits for the disk, it follows in its own time, and the core need not wake it. */
static bool sleep_a_while(struct archiver *self)
{
    futex_wait(&self->stop_bell, 0, MEMORY_WAIT_NS);
    return !has_work(self);
}

/* Returns whether nothing came. */
static bool sleep_until_written(struct archiver *self)
{
    struct control *c = self->control;
    if (c->durability == DURABILITY_MEMORY || self->retry_ns[JOURNAL_IN])
        return sleep_a_while(self);
    /* a busy exchange has the next batch already: sleeping and being woken would cost more */
    for (unsigned i = 0; i < SPIN_MAX; i++) {
        if (has_work(self)) return false;
        idle_pause();
    }
    uint32_t seen = atomic_load_explicit(&c->written_bell, memory_order_acquire);
    atomic_fetch_add_explicit(&c->helper_sleeping, 1, memory_order_relaxed);
    /* say that we sleep, then look once more: pairs with the fence in archiver_wake() */
    atomic_thread_fence(memory_order_seq_cst);
    if (!has_work(self)) futex_wait(&c->written_bell, seen, IDLE_WAIT_NS);
    atomic_fetch_sub_explicit(&c->helper_sleeping, 1, memory_order_relaxed);
    return !has_work(self);
}

static void *run_commits(void *argument)
{
    struct archiver *self = argument;
    while (!atomic_load_explicit(&self->stopping, memory_order_acquire)) {
        if (poll_commits(self)) continue;
        if (sleep_until_written(self)) mark(self, &self->in);
    }
    return NULL;
}

static void *run_events(void *argument)
{
    struct archiver *self = argument;
    while (!atomic_load_explicit(&self->stopping, memory_order_acquire)) {
        bool worked = poll_events(self, false);
        if (!worked) idle_events(self);
        archive_tidy(&self->in);
        archive_tidy(&self->out);
        futex_wait(&self->stop_bell, 0, worked ? EVENTS_WAIT_NS : IDLE_WAIT_NS);
    }
    return NULL;
}

void archiver_wake(struct control *control)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&control->helper_sleeping, memory_order_relaxed))
        futex_ring(&control->written_bell);
}

void archiver_init(struct archiver *self, const struct instance *instance, struct control *control,
                   struct station *station)
{
    *self = (struct archiver){.control = control};
    self->commits = control_counter(station, "commits");
    self->committed_bytes = control_counter(station, "committed_bytes");
    self->disk_errors = control_counter(station, "disk_errors");
    self->slow_syncs = control_counter(station, "slow_syncs");
    self->sync_max_us = control_counter(station, "sync_max_us");
    bell_ringer_init(&self->bells, instance, control);
    archive_init(&self->in, instance, JOURNAL_IN, &control->in);
    archive_init(&self->out, instance, JOURNAL_OUT, &control->out);
    self->in_seq = atomic_load_explicit(&control->in.durable_seq, memory_order_relaxed);
    /* trouble of the life before is not over by its end: only a turn that goes well ends it */
    bool was_failing =
        atomic_load_explicit(&control->archiver_disk, memory_order_relaxed) != DISK_GOOD;
    for (unsigned kind = 0; kind < 2 && was_failing; kind++) {
        self->fails[kind] = true;
        self->retry_ns[kind] = clock_steady_ns();
    }
    self->in.is_after_trouble = self->out.is_after_trouble = was_failing;
    (void)pthread_mutex_init(&self->trouble, NULL);
}

static void end_thread(struct archiver *self, pthread_t thread)
{
    atomic_store_explicit(&self->stopping, 1, memory_order_release);
    futex_ring(&self->control->written_bell);
    futex_ring(&self->stop_bell);
    (void)pthread_join(thread, NULL);
}

enum status archiver_start(struct archiver *self)
{
    if (pthread_create(&self->commits_thread, NULL, run_commits, self) != 0) return STATUS_IO;
    if (pthread_create(&self->events_thread, NULL, run_events, self) == 0) return STATUS_OK;
    end_thread(self, self->commits_thread);
    return STATUS_IO;
}

/* All that is written, as far as the disk lets it. */
static enum status archive_all(struct archiver *self)
{
    for (unsigned kind = 0; kind < 2; kind++)
        if (self->retry_ns[kind]) self->retry_ns[kind] = 1; /* now */
    while (archiver_poll(self) && !self->retry_ns[JOURNAL_IN]) continue;
    archiver_idle(self);
    return self->retry_ns[JOURNAL_IN] || self->retry_ns[JOURNAL_OUT] ? STATUS_IO : STATUS_OK;
}

enum status archiver_stop(struct archiver *self)
{
    end_thread(self, self->commits_thread);
    end_thread(self, self->events_thread);
    enum status status = archive_all(self);
    if (status == STATUS_OK) status = archive_finish(&self->in);
    if (status == STATUS_OK) status = archive_finish(&self->out);
    archive_close(&self->in);
    archive_close(&self->out);
    bell_ringer_close(&self->bells);
    return status;
}
