#define _GNU_SOURCE
#include "engine/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/arena.h"
#include "engine/base/crc32c.h"
#include "engine/bus/gentle.h"

#define SNAPSHOT_MAGIC UINT64_C(0x31504e5341474f48) /* "HOGASNP1" */

enum {
    HEADER_BYTES = 4096,
    PART_BYTES = 64 * 1024,      /* looked at for zeros */
    RUN_MAX_BYTES = 1024 * 1024, /* of one checksum */
    SHRINK_BYTES = 1024 * 1024,
    PATH_BYTES = INSTANCE_PATH_BYTES + 80,
    NAME_DIGITS = 20,
};

struct snapshot_header {
    uint64_t magic;
    uint64_t instance_id;
    uint64_t layout; /* engine_layout_id() */
    uint64_t state_bytes;
    struct limits limits;
    struct snapshot_mark mark;
    uint32_t crc; /* of everything before it */
};

_Static_assert(sizeof(struct snapshot_header) <= HEADER_BYTES, "fits its page");

struct run {
    uint64_t offset; /* in the state */
    uint32_t bytes;  /* 0: the end */
    uint32_t crc;    /* of the two above and the bytes */
};

static uint32_t run_crc(const struct run *run, const uint8_t *bytes)
{
    return crc32c(crc32c(0, run, offsetof(struct run, crc)), bytes, run->bytes);
}

static void directory(char path[PATH_BYTES], const struct instance *instance)
{
    (void)snprintf(path, PATH_BYTES, "%s/snapshots", instance->data_dir);
}

static void file_path(char path[PATH_BYTES], const struct instance *instance, seq_t in_seq,
                      const char *ending)
{
    (void)snprintf(path, PATH_BYTES, "%s/snapshots/%020" PRIu64 ".%s", instance->data_dir, in_seq,
                   ending);
}

static uint64_t instance_number(const struct instance *instance)
{
    return strtoull(instance->id, NULL, 16);
}

/* ---- the file ---- */

/* The file that is being written. */
struct output {
    int fd;
    uint64_t at;
    const struct pace *pace;
};

static bool put(struct output *self, const void *bytes, size_t length)
{
    bool good = gentle_write(self->fd, bytes, length, self->at, self->pace);
    self->at += length;
    return good;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
    return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

static size_t part_at(size_t offset, size_t all)
{
    return all - offset < PART_BYTES ? all - offset : PART_BYTES;
}

/* How many bytes from here belong into one run; 0 when they are zeros. */
static size_t run_length(const uint8_t *state, size_t offset, size_t all)
{
    size_t length = 0;
    while (offset + length < all && length < RUN_MAX_BYTES) {
        size_t part = part_at(offset + length, all);
        if (is_zero(state + offset + length, part)) break;
        length += part;
    }
    return length;
}

static bool write_run(struct output *output, const uint8_t *state, size_t offset, size_t length)
{
    struct run run = {.offset = offset, .bytes = (uint32_t)length};
    run.crc = run_crc(&run, state + offset);
    return put(output, &run, sizeof run) && put(output, state + offset, length);
}

static bool write_state(struct output *output, const uint8_t *state, size_t all)
{
    for (size_t offset = 0; offset < all;) {
        size_t length = run_length(state, offset, all);
        if (length == 0) {
            offset += part_at(offset, all);
            continue;
        }
        if (!write_run(output, state, offset, length)) return false;
        offset += length;
    }
    return write_run(output, state, all, 0);
}

/* ---- which there are ---- */

/* "00000000000000000012.snap" -> 12; 0 for any other name. */
static seq_t seq_of(const char *name)
{
    if (strspn(name, "0123456789") != NAME_DIGITS || strcmp(name + NAME_DIGITS, ".snap") != 0)
        return 0;
    return strtoull(name, NULL, 10);
}

/* The newest before `below`, and how many there are at all, and the oldest. */
static seq_t look_for(const struct instance *instance, seq_t below, unsigned *count, seq_t *oldest)
{
    char path[PATH_BYTES];
    seq_t newest = 0;
    *count = 0;
    *oldest = 0;
    directory(path, instance);
    DIR *dir = opendir(path);
    if (!dir) return 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        seq_t seq = seq_of(entry->d_name);
        if (!seq) continue;
        ++*count;
        if (!*oldest || seq < *oldest) *oldest = seq;
        if (seq < below && seq > newest) newest = seq;
    }
    (void)closedir(dir);
    return newest;
}

seq_t snapshot_newest(const struct instance *instance, seq_t below)
{
    unsigned count;
    seq_t oldest;
    return look_for(instance, below, &count, &oldest);
}

seq_t snapshot_oldest(const struct instance *instance)
{
    unsigned count;
    seq_t oldest;
    (void)look_for(instance, UINT64_MAX, &count, &oldest);
    return oldest;
}

int64_t snapshot_made_ns(const struct instance *instance, seq_t in_seq)
{
    char path[PATH_BYTES];
    struct stat st;
    file_path(path, instance, in_seq, "snap");
    if (stat(path, &st) != 0) return 0;
    return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

static bool sync_directory(const struct instance *instance)
{
    char path[PATH_BYTES];
    directory(path, instance);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) (void)close(fd);
    return good;
}

/* ---- writing ---- */

/* Some disks are told at once of what a file gives back, and are busy with it. */
static void shrink(const char *path, const struct pace *pace)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    off_t left = fd >= 0 && fstat(fd, &st) == 0 ? st.st_size : 0;
    for (; left > SHRINK_BYTES; pace_rest(pace)) {
        left -= SHRINK_BYTES;
        if (ftruncate(fd, left) != 0) break;
    }
    if (fd >= 0) (void)close(fd);
}

/* What writers that were killed left: one writes at a time, and has not begun yet. */
static void remove_unfinished(const struct instance *instance, const struct pace *pace)
{
    char path[PATH_BYTES], name[PATH_BYTES + 256];
    directory(path, instance);
    DIR *dir = opendir(path);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        const char *ending = strrchr(entry->d_name, '.');
        if (!ending || strcmp(ending, ".new") != 0) continue;
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (pace) shrink(name, pace);
        (void)unlink(name);
    }
    (void)closedir(dir);
}

/* It loses its name first: nobody finds a part of it. */
static void remove_old(const struct instance *instance, const struct pace *pace)
{
    char path[PATH_BYTES], unfinished[PATH_BYTES];
    unsigned count;
    seq_t oldest;
    for (;;) {
        (void)look_for(instance, UINT64_MAX, &count, &oldest);
        if (count < SNAPSHOTS_KEPT) break;
        file_path(path, instance, oldest, "snap");
        file_path(unfinished, instance, oldest, "new");
        if (rename(path, unfinished) != 0) break;
    }
    remove_unfinished(instance, pace);
}

enum status snapshot_write(const struct instance *instance, const struct engine *engine,
                           const struct snapshot_mark *mark, const struct pace *pace)
{
    union {
        struct snapshot_header header;
        uint8_t bytes[HEADER_BYTES];
    } page;
    char path[PATH_BYTES];
    size_t state_bytes;
    const uint8_t *state = engine_state_block((struct engine *)engine, &state_bytes);
    memset(&page, 0, sizeof page);
    page.header = (struct snapshot_header){.magic = SNAPSHOT_MAGIC,
                                           .instance_id = instance_number(instance),
                                           .layout = engine_layout_id(),
                                           .state_bytes = state_bytes,
                                           .limits = *engine_limits(engine),
                                           .mark = *mark};
    page.header.crc = crc32c(0, &page.header, offsetof(struct snapshot_header, crc));
    directory(path, instance);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) return STATUS_IO;
    remove_old(instance, pace);
    file_path(path, instance, mark->in_seq, "new");
    struct output output = {.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
                            .pace = pace};
    if (output.fd < 0) return STATUS_IO;
    bool good = put(&output, page.bytes, sizeof page.bytes) &&
                write_state(&output, state, state_bytes) && fsync(output.fd) == 0;
    int error = errno;
    (void)close(output.fd);
    if (!good) (void)unlink(path);
    errno = error;
    return good ? STATUS_OK : STATUS_IO;
}

enum status snapshot_publish(const struct instance *instance, seq_t in_seq)
{
    char path[PATH_BYTES], fresh[PATH_BYTES];
    file_path(path, instance, in_seq, "snap");
    file_path(fresh, instance, in_seq, "new");
    return rename(fresh, path) == 0 && sync_directory(instance) ? STATUS_OK : STATUS_IO;
}

/* ---- reading ---- */

static bool read_all(int fd, void *bytes, size_t length, uint64_t *at)
{
    uint8_t *to = bytes;
    while (length) {
        ssize_t n = pread(fd, to, length, (off_t)*at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        to += n;
        *at += (uint64_t)n;
        length -= (size_t)n;
    }
    return true;
}

static enum status open_snapshot(const struct instance *instance, seq_t in_seq,
                                 struct snapshot_header *header, int *fd)
{
    char path[PATH_BYTES];
    uint64_t at = 0;
    file_path(path, instance, in_seq, "snap");
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    enum status status = STATUS_OK;
    if (!read_all(*fd, header, sizeof *header, &at) || header->magic != SNAPSHOT_MAGIC ||
        header->crc != crc32c(0, header, offsetof(struct snapshot_header, crc)) ||
        header->instance_id != instance_number(instance) || header->mark.in_seq != in_seq)
        status = STATUS_CORRUPT;
    else if (header->layout != engine_layout_id() || engine_bytes(&header->limits) == 0)
        status = STATUS_INVALID;
    if (status == STATUS_OK) return STATUS_OK;
    (void)close(*fd);
    *fd = -1;
    return status;
}

enum status snapshot_read_mark(const struct instance *instance, seq_t in_seq,
                               struct snapshot_mark *mark)
{
    struct snapshot_header header;
    int fd;
    enum status status = open_snapshot(instance, in_seq, &header, &fd);
    if (status != STATUS_OK) return status;
    *mark = header.mark;
    (void)close(fd);
    return STATUS_OK;
}

/* What the file leaves out is zero; a fresh engine has something there in few places. */
static void clear(uint8_t *state, size_t from, size_t to)
{
    for (size_t offset = from; offset < to;) {
        size_t part = part_at(offset, to);
        if (!is_zero(state + offset, part)) memset(state + offset, 0, part);
        offset += part;
    }
}

static enum status read_state(int fd, uint8_t *state, size_t all)
{
    uint64_t at = HEADER_BYTES;
    size_t done = 0;
    for (;;) {
        struct run run;
        if (!read_all(fd, &run, sizeof run, &at)) return STATUS_CORRUPT;
        if (run.offset < done || run.offset > all || run.bytes > all - run.offset)
            return STATUS_CORRUPT;
        clear(state, done, run.offset);
        if (run.bytes == 0) {
            return run.offset == all && run.crc == run_crc(&run, NULL) ? STATUS_OK : STATUS_CORRUPT;
        }
        if (!read_all(fd, state + run.offset, run.bytes, &at)) return STATUS_CORRUPT;
        if (run.crc != run_crc(&run, state + run.offset)) return STATUS_CORRUPT;
        done = run.offset + run.bytes;
    }
}

enum status snapshot_load(const struct instance *instance, seq_t in_seq, int prefault,
                          struct engine **engine, size_t *engine_bytes_made,
                          struct snapshot_mark *mark)
{
    struct snapshot_header header;
    int fd;
    size_t state_bytes;
    enum status status = open_snapshot(instance, in_seq, &header, &fd);
    if (status != STATUS_OK) return status;
    size_t bytes = engine_bytes(&header.limits);
    void *memory = arena_map(bytes, prefault);
    if (!memory) {
        (void)close(fd);
        return STATUS_IO;
    }
    struct engine *made = engine_init(memory, &header.limits);
    uint8_t *state = engine_state_block(made, &state_bytes);
    status =
        state_bytes == header.state_bytes ? read_state(fd, state, state_bytes) : STATUS_INVALID;
    (void)close(fd);
    if (status != STATUS_OK) {
        arena_unmap(memory, bytes);
        return status;
    }
    *engine = made;
    *engine_bytes_made = bytes;
    *mark = header.mark;
    return STATUS_OK;
}
