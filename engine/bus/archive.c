#define _GNU_SOURCE
#include "engine/bus/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/bus/gentle.h"
#include "engine/bus/segment.h"
#include "engine/bus/shared_file.h"

enum {
    NEW_PATH_BYTES = SEGMENT_AHEAD_PATH_BYTES + 8,
    /* How much the disk is given at once of what nobody waits for. A commit of `in` waits behind
     * all that is in the disk's queue, and behind megabytes it would wait for tens of milliseconds.
     */
    PUSH_BYTES = 64 * 1024,
    ZEROS_BYTES = 32 * 1024,
};

static enum status failed(struct archive *self, const char *what)
{
    self->what = what;
    self->error = errno;
    return STATUS_IO;
}

/* ---- files ---- */

static bool sync_directory(const struct instance *instance)
{
    int fd = open(instance->journal_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    bool good = fsync(fd) == 0;
    int error = errno;
    (void)close(fd);
    errno = error;
    return good;
}

static bool allocate(int fd, size_t bytes)
{
    int error = posix_fallocate(fd, 0, (off_t)bytes);
    if (error) errno = error;
    return error == 0;
}

/* All of the file's bytes are its own from now on: a commit changes no file size. */
static bool reserve(int fd, size_t bytes)
{
    return allocate(fd, bytes) && fsync(fd) == 0;
}

static bool fill_with_zeros(int fd, uint32_t bytes, const struct pace *pace)
{
    static const uint8_t zeros[ZEROS_BYTES];
    for (uint32_t at = 0; at < bytes;) {
        uint32_t length = bytes - at < sizeof zeros ? bytes - at : (uint32_t)sizeof zeros;
        if (!gentle_write(fd, zeros, length, at, pace)) return false;
        at += length;
    }
    return fsync(fd) == 0;
}

enum status archive_prepare(const struct instance *instance, enum journal_kind kind,
                            uint32_t number, uint32_t bytes, const struct pace *pace)
{
    char ahead[SEGMENT_AHEAD_PATH_BYTES], fresh[SEGMENT_AHEAD_PATH_BYTES], path[SEGMENT_PATH_BYTES];
    segment_ahead_path(ahead, instance, kind, number, false);
    if (access(ahead, F_OK) == 0) return STATUS_OK;
    segment_archive_path(path, instance, kind, number);
    if (access(path, F_OK) == 0) return STATUS_OK; /* in use already */
    segment_ahead_path(fresh, instance, kind, number, true);
    /* one that a former life was making holds zeros, and giving its bytes back to take them again
     * would keep some disks busy for milliseconds */
    int fd = open(fresh, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return STATUS_IO;
    /* room first: a disk that has none says so at once, and is not filled to the brim in vain */
    bool good = reserve(fd, bytes) && (kind == JOURNAL_OUT || fill_with_zeros(fd, bytes, pace)) &&
                /* a name on disk, before anybody writes to it */
                sync_directory(instance) && rename(fresh, ahead) == 0;
    int error = errno;
    (void)close(fd);
    if (!good) (void)unlink(fresh);
    /* the archiver may have needed one while this was made, and made it by itself */
    if (access(path, F_OK) == 0) (void)unlink(ahead);
    errno = error;
    return good ? STATUS_OK : STATUS_IO;
}

/* ---- files that were written to under the name that they were made by ---- */

static bool has_header(const char *path)
{
    uint64_t magic = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool good = pread(fd, &magic, sizeof magic, 0) == (ssize_t)sizeof magic && magic;
    (void)close(fd);
    return good;
}

/* DIR/in-0000000007.seg.ahead (or .ahead.new) becomes DIR/in-0000000007.seg, or goes. */
static bool adopt_file(const char *directory, const char *name, size_t segment_length)
{
    char ahead[NEW_PATH_BYTES], path[NEW_PATH_BYTES];
    (void)snprintf(ahead, sizeof ahead, "%s/%s", directory, name);
    (void)snprintf(path, sizeof path, "%s/%.*s", directory, (int)segment_length, name);
    if (access(path, F_OK) != 0 && has_header(ahead)) return rename(ahead, path) == 0;
    return unlink(ahead) == 0 || errno == ENOENT;
}

enum status archive_adopt(const struct instance *instance)
{
    bool good = true;
    DIR *dir = opendir(instance->journal_dir);
    if (!dir) return errno == ENOENT ? STATUS_OK : STATUS_IO;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        const char *ending = strstr(entry->d_name, ".seg.ahead");
        if (!ending) continue;
        size_t length = (size_t)(ending - entry->d_name) + strlen(".seg");
        good = adopt_file(instance->journal_dir, entry->d_name, length) && good;
    }
    (void)closedir(dir);
    return good && sync_directory(instance) ? STATUS_OK : STATUS_IO;
}

/* ---- the cut ---- */

/* The last first: what stays has no gap, however far it gets. Also where there is nothing to remove
 * the directory is synced: an earlier start may have done that, and failed to. */
static bool remove_behind(const struct instance *instance, enum journal_kind kind, uint32_t number)
{
    uint32_t first, last, missing;
    char path[SEGMENT_PATH_BYTES];
    if (segment_range(instance->journal_dir, kind, &first, &last, &missing) == STATUS_IO)
        return false;
    for (; last > number; last--) {
        segment_archive_path(path, instance, kind, last);
        if (unlink(path) != 0 && errno != ENOENT) return false;
    }
    return sync_directory(instance);
}

/* The watermark goes first: it would say of what is cut that it was safe. All of it is done
 * whatever the file looks like: an earlier start may have done it and failed to sync, and then what
 * is read here is not what the disk has. */
static bool shorten(int fd, uint64_t offset)
{
    struct segment_watermark mark = {.offset = 0};
    struct stat st;
    if (fstat(fd, &st) != 0) return false;
    if ((uint64_t)st.st_size < offset) return true;
    if (offset >= JOURNAL_SEGMENT_HEADER_BYTES) {
        if (pread(fd, &mark, sizeof mark, SEGMENT_WATERMARK_AT) != (ssize_t)sizeof mark)
            return false;
        if (mark.offset > offset) mark = (struct segment_watermark){.offset = 0};
        if (!gentle_write(fd, (const uint8_t *)&mark, sizeof mark, SEGMENT_WATERMARK_AT, NULL) ||
            fsync(fd) != 0)
            return false;
    }
    return ftruncate(fd, (off_t)offset) == 0 && fsync(fd) == 0;
}

enum status archive_cut(const struct instance *instance, enum journal_kind kind, uint32_t number,
                        uint64_t offset)
{
    char path[SEGMENT_PATH_BYTES];
    if (!remove_behind(instance, kind, offset ? number : number - 1)) return STATUS_IO;
    if (!offset) return STATUS_OK;
    segment_archive_path(path, instance, kind, number);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? STATUS_OK : STATUS_IO;
    bool good = shorten(fd, offset);
    int error = errno;
    (void)close(fd);
    errno = error;
    return good ? STATUS_OK : STATUS_IO;
}

/* ---- the segment in work ---- */

/* The full segment is on disk: readers find it there, and memory keeps only the newest few. */
static void put_away(const struct archive *self, const struct archive_left *left)
{
    munmap((void *)left->map, left->map_bytes);
    if (left->fd >= 0) (void)close(left->fd);
    if (left->segment <= ARCHIVE_MEMORY_SEGMENTS_KEPT) return;
    char path[SEGMENT_PATH_BYTES];
    segment_memory_path(path, self->instance, self->kind,
                        left->segment - ARCHIVE_MEMORY_SEGMENTS_KEPT);
    (void)unlink(path); /* gone already after a restart: fine */
}

void archive_tidy(struct archive *self)
{
    if (!atomic_load_explicit(&self->has_left, memory_order_acquire)) return;
    put_away(self, &self->left);
    atomic_store_explicit(&self->has_left, false, memory_order_release);
}

/* Left to another thread, unless that one is not done with the segment before. */
static void leave_segment(struct archive *self)
{
    const struct archive_left left = {self->map, self->map_bytes, self->fd, self->segment};
    self->map = NULL;
    self->fd = -1;
    self->is_doubtful = false;
    if (atomic_load_explicit(&self->has_left, memory_order_acquire)) {
        put_away(self, &left);
        return;
    }
    self->left = left;
    atomic_store_explicit(&self->has_left, true, memory_order_release);
}

/* Without the memory there is nothing to copy from: somebody has removed it. */
static void map_memory(struct archive *self)
{
    char path[SEGMENT_PATH_BYTES];
    struct shared_file file;
    segment_memory_path(path, self->instance, self->kind, self->segment);
    CHECK(shared_file_open(&file, path, false) == STATUS_OK);
    (void)close(file.fd);
    self->map = file.map;
    self->map_bytes = file.bytes;
}

/* A file of an earlier life is written again with the same bytes; what a torn end had left behind
 * them was cut off when it was read (archive_cut). The watermark stays as it is; the header is
 * written again, too: it may never have reached the disk, if a sync failed in that life, though it
 * can be read. */
static bool begin_again(struct archive *self)
{
    struct stat st;
    uint64_t magic = 0;
    if (fstat(self->fd, &st) != 0) return false;
    bool is_begun = st.st_size >= JOURNAL_SEGMENT_HEADER_BYTES &&
                    pread(self->fd, &magic, sizeof magic, 0) == (ssize_t)sizeof magic && magic;
    self->offset = is_begun ? JOURNAL_SEGMENT_HEADER_BYTES : 0;
    return !is_begun || gentle_write(self->fd, self->map, SEGMENT_WATERMARK_AT, 0, NULL);
}

/* Opens the segment's file. One that this life has written to already is taken as it is. */
static enum status open_file(struct archive *self)
{
    char path[SEGMENT_PATH_BYTES], ahead[SEGMENT_AHEAD_PATH_BYTES];
    bool is_prepared = false; /* all of its bytes are its own, on disk, under one name or another */
    uint64_t begin = self->offset;
    segment_archive_path(path, self->instance, self->kind, self->segment);
    segment_ahead_path(ahead, self->instance, self->kind, self->segment, false);
    if (self->offset == 0) {
        self->is_old = access(path, F_OK) == 0;
        /* the keeper's, if it has made one */
        is_prepared = !self->is_old && rename(ahead, path) == 0;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return failed(self, "open");
    self->fd = fd;
    if (is_prepared) {
        self->is_after_trouble = false;
        return STATUS_OK;
    }
    (void)unlink(ahead); /* a segment that is there needs none: pairs with archive_prepare() */
    if (self->offset == 0 && self->is_old && !begin_again(self))
        failed(self, "write");
    else if (self->offset > JOURNAL_SEGMENT_HEADER_BYTES && !self->is_after_trouble)
        return STATUS_OK; /* safe so far already: whoever got it there had made it ready */
    else if (!reserve(fd, self->map_bytes))
        failed(self, "make room for");
    else if (!sync_directory(self->instance))
        failed(self, "sync the directory of");
    else {
        self->is_after_trouble = false;
        return STATUS_OK;
    }
    (void)close(fd);
    self->fd = -1;
    self->offset = begin; /* nothing of it is believed */
    return STATUS_IO;
}

static void begin_segment(struct archive *self, uint32_t number, uint64_t offset)
{
    self->segment = number;
    self->offset = offset;
    self->unsynced_bytes = 0;
    self->pushed = offset;
    self->watermark = 0;
    self->is_old = offset != 0;
    map_memory(self);
}

/* All that is copied, once more, into a file of its own; then it is the archive's. */
static enum status replace_file(struct archive *self)
{
    char path[SEGMENT_PATH_BYTES], fresh[NEW_PATH_BYTES];
    segment_archive_path(path, self->instance, self->kind, self->segment);
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return failed(self, "open a new file for");
    if (gentle_write(fd, self->map, self->offset, 0, NULL) && reserve(fd, self->map_bytes) &&
        rename(fresh, path) == 0 && sync_directory(self->instance)) {
        (void)close(self->fd);
        self->fd = fd;
        self->is_doubtful = false;
        self->unsynced_bytes = 0;
        self->watermark = 0;
        return STATUS_OK;
    }
    enum status status = failed(self, "write anew");
    (void)close(fd);
    (void)unlink(fresh);
    return status;
}

static enum status make_ready(struct archive *self)
{
    if (!self->map) begin_segment(self, self->segment, self->offset);
    if (self->fd < 0) return open_file(self);
    return self->is_doubtful ? replace_file(self) : STATUS_OK;
}

/* All before the segment that has just begun is safe, and noted before any memory goes: whoever
 * comes after this life begins at the cursor, out of memory. */
static void note_full_segment(const struct archive *self)
{
    uint64_t begins = (uint64_t)self->segment << 32;
    if (begins <= atomic_load_explicit(&self->cursors->durable_position, memory_order_relaxed))
        return;
    atomic_store_explicit(&self->cursors->durable_position, begins, memory_order_relaxed);
    atomic_store_explicit(&self->cursors->durable_seq, segment_first_seq(self->map) - 1,
                          memory_order_release);
}

/* ---- copying ---- */

static enum status copy_in_segment(struct archive *self, uint64_t end, uint64_t *copied)
{
    enum status status = make_ready(self);
    if (status != STATUS_OK || end <= self->offset) return status;
    uint64_t length = end - self->offset;
    if (!gentle_write(self->fd, self->map + self->offset, length, self->offset, NULL))
        return failed(self, "write");
    self->offset = end;
    self->unsynced_bytes += length;
    *copied += length;
    if (self->offset >= self->pushed + PUSH_BYTES) {
        gentle_push(self->fd, self->pushed, self->offset - self->pushed, false);
        self->pushed = self->offset;
    }
    return STATUS_OK;
}

enum status archive_copy(struct archive *self, uint64_t position, uint64_t *copied)
{
    enum status status = STATUS_OK;
    while (self->segment < (uint32_t)(position >> 32)) {
        status = make_ready(self);
        if (status == STATUS_OK) status = copy_in_segment(self, self->map_bytes, copied);
        if (status == STATUS_OK) status = archive_sync(self);
        if (status != STATUS_OK) return status;
        leave_segment(self);
        begin_segment(self, self->segment + 1, 0);
        note_full_segment(self);
    }
    return copy_in_segment(self, position & UINT32_MAX, copied);
}

enum status archive_copy_some(struct archive *self, uint64_t position, uint64_t max,
                              uint64_t *copied, bool *is_all)
{
    enum status status = make_ready(self);
    *is_all = false;
    if (status != STATUS_OK) return status;
    uint64_t here = (uint64_t)self->segment << 32, to = here + self->offset + max;
    if (to >= here + self->map_bytes) to = here + (UINT64_C(1) << 32); /* the next one's begin */
    *is_all = to >= position;
    return archive_copy(self, *is_all ? position : to, copied);
}

enum status archive_sync(struct archive *self)
{
    enum status status = make_ready(self);
    if (status != STATUS_OK || !self->unsynced_bytes) return status;
    if (fdatasync(self->fd) != 0) {
        self->is_doubtful = true;
        return failed(self, "sync");
    }
    self->unsynced_bytes = 0;
    self->pushed = self->offset;
    return STATUS_OK;
}

enum status archive_mark(struct archive *self)
{
    if (self->fd < 0 || self->is_doubtful || self->unsynced_bytes ||
        self->watermark == self->offset)
        return STATUS_OK;
    struct segment_watermark mark = segment_watermark_of(self->offset);
    if (!gentle_write(self->fd, (const uint8_t *)&mark, sizeof mark, SEGMENT_WATERMARK_AT, NULL))
        return failed(self, "mark");
    if (fdatasync(self->fd) != 0) {
        self->is_doubtful = true;
        return failed(self, "sync");
    }
    self->watermark = self->offset;
    return STATUS_OK;
}

/* ---- begin and end ---- */

/* Memory is given up once the archive has it, so nothing before its first segment is missing there.
 * What is behind it may be: a start may make more events again than the last segment holds. */
static uint32_t first_in_memory(const struct instance *instance, enum journal_kind kind,
                                uint64_t written)
{
    uint32_t first, last, missing, writing = (uint32_t)(written >> 32);
    enum status status = segment_range(instance->shm_dir, kind, &first, &last, &missing);
    return (status == STATUS_OK || status == STATUS_CORRUPT) && first && first < writing ? first
                                                                                         : writing;
}

void archive_init(struct archive *self, const struct instance *instance, enum journal_kind kind,
                  struct journal_cursors *cursors)
{
    uint64_t durable = atomic_load_explicit(&cursors->durable_position, memory_order_relaxed);
    uint64_t written = atomic_load_explicit(&cursors->written_position, memory_order_acquire);
    bool goes_on = durable && durable <= written;
    uint32_t segment =
        goes_on ? (uint32_t)(durable >> 32) : first_in_memory(instance, kind, written);
    *self = (struct archive){.instance = instance,
                             .kind = kind,
                             .cursors = cursors,
                             .fd = -1,
                             .segment = segment,
                             .offset = goes_on ? durable & UINT32_MAX : 0};
}

enum status archive_finish(struct archive *self)
{
    enum status status = make_ready(self);
    if (status == STATUS_OK) status = archive_mark(self);
    if (status == STATUS_OK && (ftruncate(self->fd, (off_t)self->offset) != 0 ||
                                fsync(self->fd) != 0 || !sync_directory(self->instance)))
        status = failed(self, "close");
    archive_close(self);
    return status;
}

void archive_close(struct archive *self)
{
    archive_tidy(self);
    if (self->map) munmap((void *)self->map, self->map_bytes);
    if (self->fd >= 0) (void)close(self->fd);
    self->map = NULL;
    self->fd = -1;
    self->is_doubtful = false;
}
