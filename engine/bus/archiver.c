#define _GNU_SOURCE
#include "engine/bus/archiver.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/bus/futex.h"
#include "engine/bus/idle.h"
#include "engine/bus/segment.h"
#include "engine/bus/shared_file.h"

enum {
    SPIN_MAX = 200,                    /* pauses before sleeping */
    GATHER_MAX = 16,                   /* looks for more before a sync */
    OUT_SYNC_BYTES = 8 * 1024 * 1024,  /* how much of `out` replay may have to make again */
    MEMORY_WAIT_NS = 10 * 1000 * 1000, /* at durability `memory` */
    IDLE_WAIT_NS = 50 * 1000 * 1000,   /* idle for so long: time to note what is safe */
};

_Noreturn static void disk_failed(const struct archiver *self, const struct archive *a,
                                  const char *what)
{
    char path[SEGMENT_PATH_BYTES];
    int error = errno;
    segment_archive_path(path, self->instance, a->kind, a->segment);
    fprintf(stderr,
            "hoga-core: cannot %s %s: %s; stopping, since what is not on disk must not be "
            "acknowledged. Free space or mend the disk; the start goes on from shared memory.\n",
            what, path, strerror(error));
    _exit(74); /* EX_IOERR; nothing of ours needs flushing, and the core must not go on meanwhile */
}

/* ---- files ---- */

static void write_fully(const struct archiver *self, struct archive *a, const uint8_t *bytes,
                        size_t length, uint64_t at)
{
    while (length) {
        ssize_t n = pwrite(a->fd, bytes, length, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) disk_failed(self, a, "write");
        bytes += n;
        at += (uint64_t)n;
        length -= (size_t)n;
    }
}

static void sync_directory(const struct archiver *self, const struct archive *a)
{
    int fd = open(self->instance->journal_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) disk_failed(self, a, "sync the directory of");
    (void)close(fd);
}

static void ahead_path(char path[SEGMENT_PATH_BYTES + 8], const struct instance *instance,
                       enum journal_kind kind, uint32_t number)
{
    segment_archive_path(path, instance, kind, number);
    strcat(path, ".ahead");
}

static bool fill_with_zeros(int fd, uint32_t bytes)
{
    static const uint8_t zeros[256 * 1024];
    for (uint32_t at = 0; at < bytes;) {
        size_t length = bytes - at < sizeof zeros ? bytes - at : sizeof zeros;
        ssize_t n = pwrite(fd, zeros, length, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += (uint32_t)n;
    }
    return fsync(fd) == 0;
}

enum status archiver_prepare(const struct instance *instance, enum journal_kind kind,
                             uint32_t number, uint32_t bytes)
{
    char path[SEGMENT_PATH_BYTES + 8], fresh[SEGMENT_PATH_BYTES + 16];
    ahead_path(path, instance, kind, number);
    if (access(path, F_OK) == 0) return STATUS_OK;
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return STATUS_IO;
    bool good = fill_with_zeros(fd, bytes) && rename(fresh, path) == 0;
    (void)close(fd);
    if (!good) (void)unlink(fresh);
    return good ? STATUS_OK : STATUS_IO;
}

/* A file of an earlier life is written again with the same bytes; behind them nothing of a torn
 * end may remain. Its header, and the watermark in it, stay as they are. Returns where to begin. */
static uint64_t begin_again(const struct archiver *self, const struct archive *a)
{
    uint64_t written = atomic_load_explicit(&a->cursors->written_position, memory_order_acquire);
    uint64_t end = (uint32_t)(written >> 32) == a->segment ? written & UINT32_MAX : a->map_bytes;
    struct stat st;
    uint64_t magic = 0;
    if (fstat(a->fd, &st) != 0) disk_failed(self, a, "look at");
    if ((uint64_t)st.st_size > end && ftruncate(a->fd, (off_t)end) != 0)
        disk_failed(self, a, "cut");
    bool has_header = st.st_size >= JOURNAL_SEGMENT_HEADER_BYTES &&
                      pread(a->fd, &magic, sizeof magic, 0) == (ssize_t)sizeof magic && magic;
    return has_header ? JOURNAL_SEGMENT_HEADER_BYTES : 0;
}

/* Opens segment `number` in memory and its file in the archive. */
static void open_segment(const struct archiver *self, struct archive *a, uint32_t number)
{
    char path[SEGMENT_PATH_BYTES], ahead[SEGMENT_PATH_BYTES + 8];
    struct shared_file file;
    if (a->map) munmap(a->map, a->map_bytes);
    if (a->fd >= 0) (void)close(a->fd);
    segment_memory_path(path, self->instance, a->kind, number);
    a->segment = number;
    a->watermark = 0;
    if (shared_file_open(&file, path, false) != STATUS_OK) disk_failed(self, a, "find in memory");
    (void)close(file.fd);
    a->map = file.map;
    a->map_bytes = file.bytes;

    segment_archive_path(path, self->instance, a->kind, number);
    ahead_path(ahead, self->instance, a->kind, number);
    bool is_old = access(path, F_OK) == 0;
    if (!is_old) (void)rename(ahead, path); /* if the keeper has made it */
    a->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (a->fd < 0) disk_failed(self, a, "open");
    a->offset = is_old ? begin_again(self, a) : 0;
    /* space now, so that a commit changes no file size; a full disk shows here */
    int error = posix_fallocate(a->fd, 0, (off_t)a->map_bytes);
    if (error) {
        errno = error;
        disk_failed(self, a, "make room for");
    }
    if (fsync(a->fd) != 0) disk_failed(self, a, "sync");
    sync_directory(self, a);
}

static void sync_archive(const struct archiver *self, struct archive *a)
{
    if (fdatasync(a->fd) != 0) disk_failed(self, a, "sync");
    a->unsynced_bytes = 0;
    a->synced_position = (uint64_t)a->segment << 32 | a->offset;
}

/* Notes in the file itself how far it is safe, so that later damage is known for what it is. */
static void write_watermark(const struct archiver *self, struct archive *a)
{
    if (a->watermark == a->offset || a->unsynced_bytes) return;
    struct segment_watermark mark = segment_watermark_of(a->offset);
    write_fully(self, a, (const uint8_t *)&mark, sizeof mark, SEGMENT_WATERMARK_AT);
    if (fdatasync(a->fd) != 0) disk_failed(self, a, "sync");
    a->watermark = a->offset;
}

/* The full segment is on disk: readers find it there, and memory keeps only the newest few. */
static void retire_memory(const struct archiver *self, const struct archive *a)
{
    if (a->segment <= ARCHIVER_MEMORY_SEGMENTS_KEPT) return;
    char path[SEGMENT_PATH_BYTES];
    segment_memory_path(path, self->instance, a->kind, a->segment - ARCHIVER_MEMORY_SEGMENTS_KEPT);
    (void)unlink(path); /* gone already after a restart: fine */
}

/* Copies up to `position`. Returns the bytes copied. */
static uint64_t copy_up_to(const struct archiver *self, struct archive *a, uint64_t position)
{
    uint32_t number = (uint32_t)(position >> 32);
    uint64_t end = position & UINT32_MAX, copied = 0;
    while (a->segment < number) {
        write_fully(self, a, a->map + a->offset, a->map_bytes - a->offset, a->offset);
        copied += a->map_bytes - a->offset;
        a->offset = a->map_bytes;
        sync_archive(self, a);
        write_watermark(self, a);
        retire_memory(self, a);
        open_segment(self, a, a->segment + 1);
    }
    if (end > a->offset) {
        write_fully(self, a, a->map + a->offset, end - a->offset, a->offset);
        copied += end - a->offset;
        a->offset = end;
    }
    a->unsynced_bytes += copied;
    return copied;
}

/* ---- the thread ---- */

/* Copies what `in` holds, and what comes while it copies: a sync costs as much as copying hundreds
 * of records, so a burst should have one. Bounded, so that a steady stream is released, too.
 * Returns the last sequence number copied, and where it ends. */
static seq_t gather_in(struct archiver *self, uint64_t *position, uint64_t *copied)
{
    seq_t gathered = atomic_load_explicit(&self->in.cursors->durable_seq, memory_order_relaxed);
    *copied = 0;
    for (unsigned round = 0; round < GATHER_MAX; round++) {
        seq_t seq = atomic_load_explicit(&self->in.cursors->written_seq, memory_order_acquire);
        if (seq == gathered) break;
        gathered = seq;
        *position = atomic_load_explicit(&self->in.cursors->written_position, memory_order_acquire);
        *copied += copy_up_to(self, &self->in, *position);
    }
    return gathered;
}

/* Commits what `in` holds and releases it. Returns whether there was anything. */
static bool commit_in(struct archiver *self)
{
    uint64_t position = 0, copied;
    seq_t seq = gather_in(self, &position, &copied);
    if (seq == atomic_load_explicit(&self->in.cursors->durable_seq, memory_order_relaxed))
        return false;
    sync_archive(self, &self->in);
    atomic_store_explicit(&self->in.cursors->durable_position, position, memory_order_relaxed);
    atomic_store_explicit(&self->in.cursors->durable_seq, seq, memory_order_release);
    if (self->control->durability == DURABILITY_DISK) {
        atomic_store_explicit(&self->control->released_seq, seq, memory_order_release);
        bell_ring(&self->bells);
    }
    counter_add(self->commits, 1);
    counter_add(self->committed_bytes, copied);
    return true;
}

static void copy_out(struct archiver *self, bool idle)
{
    seq_t seq = atomic_load_explicit(&self->out.cursors->written_seq, memory_order_acquire);
    uint64_t position =
        atomic_load_explicit(&self->out.cursors->written_position, memory_order_acquire);
    (void)copy_up_to(self, &self->out, position);
    if (self->out.unsynced_bytes < OUT_SYNC_BYTES && !idle) return;
    if (self->out.unsynced_bytes) sync_archive(self, &self->out);
    atomic_store_explicit(&self->out.cursors->durable_position, position, memory_order_relaxed);
    atomic_store_explicit(&self->out.cursors->durable_seq, seq, memory_order_release);
}

static bool has_work(const struct archiver *self)
{
    return atomic_load_explicit(&self->in.cursors->written_seq, memory_order_acquire) !=
               atomic_load_explicit(&self->in.cursors->durable_seq, memory_order_relaxed) ||
           atomic_load_explicit(&self->stopping, memory_order_relaxed);
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
    if (c->durability == DURABILITY_MEMORY) return sleep_a_while(self);
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

static void *archiver_run(void *argument)
{
    struct archiver *self = argument;
    while (!atomic_load_explicit(&self->stopping, memory_order_acquire)) {
        if (commit_in(self)) {
            copy_out(self, false);
            continue;
        }
        if (!sleep_until_written(self)) continue;
        copy_out(self, true); /* idle: time for what nobody waits for */
        write_watermark(self, &self->in);
        write_watermark(self, &self->out);
    }
    (void)commit_in(self);
    copy_out(self, true);
    return NULL;
}

void archiver_wake(struct control *control)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&control->helper_sleeping, memory_order_relaxed))
        futex_ring(&control->written_bell);
}

static void archive_begin(const struct archiver *self, struct archive *a, enum journal_kind kind,
                          struct journal_cursors *cursors)
{
    *a = (struct archive){.kind = kind, .cursors = cursors, .fd = -1};
    uint64_t durable = atomic_load_explicit(&cursors->durable_position, memory_order_relaxed);
    uint64_t written = atomic_load_explicit(&cursors->written_position, memory_order_acquire);
    uint64_t from = durable && durable < written ? durable : written;
    uint32_t number = (uint32_t)(from >> 32);
    char path[SEGMENT_PATH_BYTES];
    segment_archive_path(path, self->instance, kind, number);
    /* a new exchange: its first segment like all that the keeper makes later */
    if (access(path, F_OK) != 0 &&
        archiver_prepare(self->instance, kind, number, self->control->segment_bytes) != STATUS_OK)
        disk_failed(self, a, "make");
    open_segment(self, a, number);
    (void)copy_up_to(self, a, written); /* also what was safe already: the file was just cut */
    sync_archive(self, a);
}

enum status archiver_start(struct archiver *self, const struct instance *instance,
                           struct control *control, struct station *station)
{
    *self = (struct archiver){.instance = instance, .control = control, .station = station};
    self->commits = control_counter(station, "commits");
    self->committed_bytes = control_counter(station, "committed_bytes");
    bell_ringer_init(&self->bells, instance, control);
    archive_begin(self, &self->in, JOURNAL_IN, &control->in);
    archive_begin(self, &self->out, JOURNAL_OUT, &control->out);
    return pthread_create(&self->thread, NULL, archiver_run, self) == 0 ? STATUS_OK : STATUS_IO;
}

static void close_archive(const struct archiver *self, struct archive *a)
{
    CHECK(((uint64_t)a->segment << 32 | a->offset) ==
          atomic_load_explicit(&a->cursors->written_position, memory_order_acquire));
    write_watermark(self, a);
    if (ftruncate(a->fd, (off_t)a->offset) != 0 || fsync(a->fd) != 0) disk_failed(self, a, "close");
    (void)close(a->fd);
    munmap(a->map, a->map_bytes);
}

void archiver_stop(struct archiver *self)
{
    atomic_store_explicit(&self->stopping, 1, memory_order_release);
    futex_ring(&self->control->written_bell);
    futex_ring(&self->stop_bell);
    (void)pthread_join(self->thread, NULL);
    close_archive(self, &self->in);
    close_archive(self, &self->out);
    bell_ringer_close(&self->bells);
}
