#define _GNU_SOURCE
#include "engine/bus/keeper.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/bus/archive.h"
#include "engine/bus/clock.h"
#include "engine/bus/futex.h"
#include "engine/bus/reader_marks.h"
#include "engine/bus/segment.h"

enum {
    IDLE_WAIT_NS = 100 * 1000 * 1000,
    SOON_WAIT_NS = 20 * 1000 * 1000,
    REST_NS = 2 * 1000 * 1000,
    HURRIED_REST_NS = 500 * 1000,
    SEAL_RETRY_NS = 1000 * 1000 * 1000, /* each try reads the whole segment */
};

/* ---- rests ---- */

/* The fuller the segments, the shorter: what is ahead must be there when they are full. */
static int64_t rest_ns(const struct keeper *self)
{
    int64_t ns = REST_NS;
    for (unsigned i = 0; i < 2; i++) {
        const struct journal_writer *writer = self->writers[i];
        uint64_t written =
            atomic_load_explicit(&writer->cursors->written_position, memory_order_relaxed);
        uint64_t quarters = (written & UINT32_MAX) * 4 / writer->segment_bytes;
        int64_t least_ns = quarters < 2 ? REST_NS : quarters < 3 ? HURRIED_REST_NS : 0;
        if (least_ns < ns) ns = least_ns;
    }
    return ns;
}

static void rest(void *context)
{
    struct keeper *self = context;
    int64_t ns = self->has_threads ? rest_ns(self) : 0;
    if (ns) futex_wait(&self->stop_bell, 0, ns);
}

/* ---- ahead ---- */

static bool make_memory(struct keeper *self, struct journal_writer *writer)
{
    bool good = journal_writer_keep(writer, &self->pace) == STATUS_OK;
    if (!good && !self->lacks_memory)
        fprintf(stderr,
                "hoga-core: no memory for the next segment in %s: %s; free some of /dev/shm\n",
                self->instance->shm_dir, strerror(errno));
    if (!good) self->lacks_memory = true; /* said once */
    return good;
}

static bool make_file(struct keeper *self, const struct journal_writer *writer)
{
    uint64_t written =
        atomic_load_explicit(&writer->cursors->written_position, memory_order_relaxed);
    if (archive_prepare(self->instance, writer->kind, (uint32_t)(written >> 32) + 1,
                        writer->segment_bytes, &self->pace) == STATUS_OK)
        return true;
    int error = errno;
    atomic_store_explicit(&self->control->disk_error, error, memory_order_relaxed);
    if (!self->lacks_disk)
        fprintf(stderr,
                "hoga-core: no room for the next segment in %s: %s; new orders are refused and "
                "cancels still taken until there is space\n",
                self->instance->journal_dir, strerror(error));
    self->lacks_disk = true; /* said once */
    return false;
}

static void make_files(struct keeper *self)
{
    bool good = true;
    for (unsigned i = 0; i < 2; i++) good = make_file(self, self->writers[i]) && good;
    if (self->lacks_disk && good)
        fprintf(stderr, "hoga-core: there is room on the disk again; new orders are taken\n");
    self->lacks_disk = !good;
    atomic_store_explicit(&self->control->keeper_disk, good ? DISK_GOOD : DISK_RESERVE,
                          memory_order_relaxed);
}

/* ---- behind ---- */

/* The last segment that is full and safe: the one before that in which the next record is safe. */
static uint32_t last_full(const struct journal_writer *writer)
{
    uint64_t durable =
        atomic_load_explicit(&writer->cursors->durable_position, memory_order_relaxed);
    uint32_t number = (uint32_t)(durable >> 32);
    return number ? number - 1 : 0;
}

/* Events may reach the disk before their commands; a loss of power then takes them back. They are
 * final when `in` is safe as far as it was when they were found. */
static bool is_final(struct keeper *self, unsigned kind, uint32_t last)
{
    const struct journal_cursors *in = self->writers[JOURNAL_IN]->cursors;
    if (kind == JOURNAL_IN) return true;
    if (self->out_full != last) {
        self->out_full = last;
        self->in_then = atomic_load_explicit(&in->written_seq, memory_order_acquire);
    }
    return atomic_load_explicit(&in->durable_seq, memory_order_acquire) >= self->in_then;
}

/* Seals one segment at most: hashing it takes a while. Returns whether there are more. */
static bool seal(struct keeper *self, unsigned kind)
{
    struct chain *chain = &self->chains[kind];
    uint32_t last = last_full(self->writers[kind]);
    if (self->chain_failed[kind] || chain->sealed >= last) return false;
    if (self->seal_retry_ns && clock_steady_ns() < self->seal_retry_ns) return false;
    if (!is_final(self, kind, last)) return true;
    enum status status = chain_seal(chain, &self->pace);
    if (status == STATUS_OK) {
        counter_add(self->sealed_segments, 1);
        return chain->sealed < last;
    }
    if (status != STATUS_NOT_FOUND) { /* the disk */
        self->seal_retry_ns = clock_steady_ns() + SEAL_RETRY_NS;
        return false;
    }
    /* removed by hand: what comes after it cannot be chained to it */
    fprintf(stderr, "hoga-core: segment %" PRIu32 " is gone from %s: its journal is not sealed\n",
            chain->sealed + 1, self->instance->journal_dir);
    self->chain_failed[kind] = true;
    return false;
}

/* The files of all segments that the chain says are removed, also of one whose line was the last
 * that a former life wrote: a gap behind it would look like a loss. */
static void remove_dropped(struct keeper *self, unsigned kind)
{
    uint32_t first, last, missing, dropped = self->chains[kind].dropped;
    char path[SEGMENT_PATH_BYTES];
    enum status status = segment_range(self->instance->journal_dir, (enum journal_kind)kind, &first,
                                       &last, &missing);
    if (status == STATUS_IO || !first) return;
    for (uint32_t number = first; number <= dropped; number++) {
        segment_archive_path(path, self->instance, (enum journal_kind)kind, number);
        if (unlink(path) == 0) counter_add(self->dropped_segments, 1);
    }
}

/* The rule: so many full segments stay, and all that a durable reader or a snapshot still needs. */
static void drop(struct keeper *self, unsigned kind)
{
    struct chain *chain = &self->chains[kind];
    if (!self->segments_kept || self->chain_failed[kind] ||
        chain->sealed <= chain->dropped + self->segments_kept)
        return;
    uint32_t needed = reader_marks_first_needed(self->instance, (enum journal_kind)kind);
    if (chain->dropped + 1 >= needed || chain_drop(chain) != STATUS_OK) return;
    remove_dropped(self, kind);
}

/* ---- turns ---- */

static void open_chain(struct keeper *self, unsigned kind)
{
    struct chain *chain = &self->chains[kind];
    if (chain_open(chain, self->instance, (enum journal_kind)kind) == STATUS_OK) {
        remove_dropped(self, kind);
        return;
    }
    fprintf(stderr, "hoga-core: %s; its journal is not sealed any further\n", chain->problem);
    self->chain_failed[kind] = true;
}

/* Not before the first turn: it reads files, and whoever begins has clients waiting. */
static void open_chains(struct keeper *self)
{
    if (self->has_chains) return;
    for (unsigned kind = 0; kind < 2; kind++) open_chain(self, kind);
    self->has_chains = true;
}

bool keeper_poll_memory(struct keeper *self)
{
    bool good = true;
    for (unsigned i = 0; i < 2; i++) good = make_memory(self, self->writers[i]) && good;
    self->lacks_memory = !good;
    return self->lacks_memory;
}

bool keeper_poll_disk(struct keeper *self)
{
    bool more = false;
    open_chains(self);
    make_files(self);
    for (unsigned kind = 0; kind < 2; kind++) {
        more = seal(self, kind) || more;
        drop(self, kind);
    }
    return more; /* a disk that failed is tried again when it has had a rest */
}

static void run_turns(struct keeper *self, bool (*poll)(struct keeper *self))
{
    while (!atomic_load_explicit(&self->stopping, memory_order_acquire)) {
        uint32_t seen = atomic_load_explicit(&self->bell, memory_order_acquire);
        bool soon = poll(self);
        futex_wait(&self->bell, seen, soon ? SOON_WAIT_NS : IDLE_WAIT_NS);
    }
}

static void *run_memory(void *argument)
{
    run_turns(argument, keeper_poll_memory);
    return NULL;
}

static void *run_disk(void *argument)
{
    run_turns(argument, keeper_poll_disk);
    return NULL;
}

void keeper_init(struct keeper *self, const struct instance *instance, struct control *control,
                 struct station *station, struct journal_writer *in, struct journal_writer *out,
                 uint32_t segments_kept)
{
    *self = (struct keeper){.instance = instance,
                            .control = control,
                            .writers = {in, out},
                            .segments_kept = segments_kept,
                            .pace = {rest, self}};
    self->sealed_segments = control_counter(station, "sealed_segments");
    self->dropped_segments = control_counter(station, "dropped_segments");
}

static void end_thread(struct keeper *self, pthread_t thread)
{
    atomic_store_explicit(&self->stopping, 1, memory_order_release);
    futex_ring(&self->bell);
    futex_ring(&self->stop_bell);
    (void)pthread_join(thread, NULL);
}

enum status keeper_start(struct keeper *self)
{
    self->has_threads = true;
    if (pthread_create(&self->disk_thread, NULL, run_disk, self) != 0) return STATUS_IO;
    if (pthread_create(&self->memory_thread, NULL, run_memory, self) == 0) return STATUS_OK;
    end_thread(self, self->disk_thread);
    return STATUS_IO;
}

void keeper_stop(struct keeper *self)
{
    end_thread(self, self->memory_thread);
    end_thread(self, self->disk_thread);
}
