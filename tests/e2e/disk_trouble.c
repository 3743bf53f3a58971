/* disk_trouble.c - a disk that is full, slow or broken, for processes that have this preloaded: the
 * calls on files of a journal directory fail as a control file says, which the test writes and each
 * process maps (HOGA_DISK_TROUBLE names it; without it nothing changes).
 *
 * A full disk is what a file system makes of it: bytes that a file has can be written, no file gets
 * more. A sync that fails writes nothing and says so once or until told otherwise.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The control file: 32-bit integers in this order (disk_trouble.mjs). */
struct trouble {
    _Atomic int32_t full;          /* 1: no file gets more bytes */
    _Atomic int32_t write_error;   /* errno of every pwrite; 0: none */
    _Atomic int32_t sync_error;    /* errno of the syncs that fail */
    _Atomic int32_t sync_failures; /* so many more fail; -1: all */
    _Atomic int32_t sync_delay_ms; /* each takes so much longer */
    _Atomic int32_t failed;        /* how many calls have failed; ours to write */
};

static struct trouble *trouble;

__attribute__((constructor)) static void map_trouble(void)
{
    const char *path = getenv("HOGA_DISK_TROUBLE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *map = mmap(NULL, sizeof *trouble, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) trouble = map;
    (void)close(fd);
}

static bool is_journal(int fd)
{
    char link[64], path[4096];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return false;
    path[length] = 0;
    return strstr(path, "/journal/") != NULL;
}

static int fails(int error)
{
    atomic_fetch_add(&trouble->failed, 1);
    errno = error;
    return -1;
}

static bool has_bytes(int fd, off_t end)
{
    struct stat st;
    return fstat(fd, &st) == 0 && end <= st.st_size;
}

/* ---- the calls ---- */

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pwrite");
    if (trouble && (atomic_load(&trouble->write_error) || atomic_load(&trouble->full)) &&
        is_journal(fd)) {
        int error = atomic_load(&trouble->write_error);
        if (error) return fails(error);
        if (!has_bytes(fd, at + (off_t)length)) return fails(ENOSPC);
    }
    return real(fd, bytes, length, at);
}

int posix_fallocate(int fd, off_t at, off_t length)
{
    static int (*real)(int, off_t, off_t);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "posix_fallocate");
    if (trouble && atomic_load(&trouble->full) && is_journal(fd) && !has_bytes(fd, at + length)) {
        (void)fails(ENOSPC);
        return ENOSPC;
    }
    return real(fd, at, length);
}

/* Whether this sync is one of those that fail. */
static bool takes_failure(void)
{
    int32_t left = atomic_load(&trouble->sync_failures);
    while (left > 0)
        if (atomic_compare_exchange_weak(&trouble->sync_failures, &left, left - 1)) return true;
    return left < 0;
}

static int sync_by(int (*real)(int), int fd)
{
    if (!trouble || !is_journal(fd)) return real(fd);
    int32_t delay_ms = atomic_load(&trouble->sync_delay_ms);
    const struct timespec delay = {delay_ms / 1000, delay_ms % 1000 * 1000000L};
    if (delay_ms > 0) (void)nanosleep(&delay, NULL);
    return takes_failure() ? fails(atomic_load(&trouble->sync_error)) : real(fd);
}

int fdatasync(int fd)
{
    static int (*real)(int);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    return sync_by(real, fd);
}

int fsync(int fd)
{
    static int (*real)(int);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    return sync_by(real, fd);
}
