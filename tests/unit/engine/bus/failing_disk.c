#define _GNU_SOURCE
#include "failing_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

int __real_open(const char *path, int flags, ...);
ssize_t __real_pwrite(int fd, const void *bytes, size_t length, off_t at);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_posix_fallocate(int fd, off_t at, off_t length);
int __real_rename(const char *from, const char *to);
int __real_ftruncate(int fd, off_t length);
int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t at);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_posix_fallocate(int fd, off_t at, off_t length);
int __wrap_rename(const char *from, const char *to);
int __wrap_ftruncate(int fd, off_t length);

enum { WRITE_MAX = 65536 };

struct write {
    char path[PATH_MAX];
    off_t at;
    size_t length;
};

static struct {
    _Atomic unsigned calls[DISK_CALLS];
    _Atomic unsigned fail_from[DISK_CALLS]; /* 0: none */
    _Atomic unsigned fail_until[DISK_CALLS];
    _Atomic int error[DISK_CALLS];
    _Atomic unsigned write_max;
    _Atomic unsigned slow_ms;
    _Atomic bool held;
    pthread_mutex_t mutex; /* of what follows */
    struct write *unsynced;
    unsigned unsynced_count;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void disk_reset(void)
{
    for (unsigned i = 0; i < DISK_CALLS; i++) disk.calls[i] = disk.fail_from[i] = 0;
    disk.write_max = 0;
    disk.slow_ms = 0;
    disk.held = false;
    pthread_mutex_lock(&disk.mutex);
    disk.unsynced_count = 0;
    pthread_mutex_unlock(&disk.mutex);
}

void disk_fail(enum disk_call call, unsigned at, unsigned times, int error)
{
    disk.error[call] = error;
    disk.fail_until[call] = disk.calls[call] + at + times;
    disk.fail_from[call] = disk.calls[call] + at;
}

void disk_fail_always(enum disk_call call, int error)
{
    disk_fail(call, 1, UINT_MAX / 2, error);
}

void disk_limit_write(unsigned bytes)
{
    disk.write_max = bytes;
}

void disk_slow_down(unsigned ms)
{
    disk.slow_ms = ms;
}

void disk_hold(bool held)
{
    disk.held = held;
}

unsigned disk_calls(enum disk_call call)
{
    return disk.calls[call];
}

static bool is_archive(const char *path)
{
    return strstr(path, "/journal") != NULL;
}

static bool path_of(int fd, char path[PATH_MAX])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = 0;
    return is_archive(path);
}

/* Whether this call fails; then errno says why. */
static bool fails(enum disk_call call)
{
    unsigned number = ++disk.calls[call];
    if (!disk.fail_from[call] || number < disk.fail_from[call] || number >= disk.fail_until[call])
        return false;
    errno = disk.error[call];
    return true;
}

static void note_write(const char *path, off_t at, size_t length)
{
    pthread_mutex_lock(&disk.mutex);
    if (!disk.unsynced) disk.unsynced = calloc(WRITE_MAX, sizeof *disk.unsynced);
    if (!disk.unsynced || disk.unsynced_count == WRITE_MAX) abort();
    struct write *write = &disk.unsynced[disk.unsynced_count++];
    snprintf(write->path, sizeof write->path, "%s", path);
    write->at = at;
    write->length = length;
    pthread_mutex_unlock(&disk.mutex);
}

/* Forgets what was written to a file since its last sync; if `drop`, the file does, too. */
static void end_writes(int fd, bool drop)
{
    char path[PATH_MAX];
    unsigned kept = 0;
    (void)path_of(fd, path);
    pthread_mutex_lock(&disk.mutex);
    for (unsigned i = 0; i < disk.unsynced_count; i++) {
        const struct write *write = &disk.unsynced[i];
        if (strcmp(write->path, path) != 0) {
            if (kept != i) disk.unsynced[kept] = *write;
            kept++;
            continue;
        }
        if (!drop) continue;
        char *zeros = calloc(1, write->length);
        if (!zeros || __real_pwrite(fd, zeros, write->length, write->at) < 0) abort();
        free(zeros);
    }
    disk.unsynced_count = kept;
    pthread_mutex_unlock(&disk.mutex);
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (is_archive(path) && (flags & O_ACCMODE) != O_RDONLY && fails(DISK_OPEN)) return -1;
    return __real_open(path, flags, mode);
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    char path[PATH_MAX];
    if (!path_of(fd, path)) return __real_pwrite(fd, bytes, length, at);
    if (fails(DISK_PWRITE)) return -1;
    if (disk.write_max && length > disk.write_max) length = disk.write_max;
    ssize_t n = __real_pwrite(fd, bytes, length, at);
    if (n > 0 && (disk.fail_from[DISK_FDATASYNC] || disk.fail_from[DISK_FSYNC]))
        note_write(path, at, (size_t)n);
    return n;
}

static int sync_file(int fd, enum disk_call call, int (*real)(int fd))
{
    char path[PATH_MAX];
    if (!path_of(fd, path)) return real(fd);
    if (call == DISK_FDATASYNC && disk.slow_ms) usleep(disk.slow_ms * 1000);
    while (disk.held) usleep(1000);
    bool failed = fails(call);
    int error = errno;
    end_writes(fd, failed);
    errno = error;
    return failed ? -1 : 0; /* it says so; the tests' own power does not fail */
}

int __wrap_fdatasync(int fd)
{
    return sync_file(fd, DISK_FDATASYNC, __real_fdatasync);
}

int __wrap_fsync(int fd)
{
    return sync_file(fd, DISK_FSYNC, __real_fsync);
}

int __wrap_posix_fallocate(int fd, off_t at, off_t length)
{
    char path[PATH_MAX];
    if (path_of(fd, path) && fails(DISK_FALLOCATE)) return errno;
    return __real_posix_fallocate(fd, at, length);
}

int __wrap_rename(const char *from, const char *to)
{
    if (is_archive(to) && fails(DISK_RENAME)) return -1;
    return __real_rename(from, to);
}

int __wrap_ftruncate(int fd, off_t length)
{
    char path[PATH_MAX];
    if (path_of(fd, path) && fails(DISK_FTRUNCATE)) return -1;
    return __real_ftruncate(fd, length);
}
