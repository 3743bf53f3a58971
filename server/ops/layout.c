#define _GNU_SOURCE
#include "server/ops/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

void layout_path(char path[LAYOUT_PATH_BYTES], const struct instance *instance, const char *name)
{
    (void)snprintf(path, LAYOUT_PATH_BYTES, "%s/%s", instance->data_dir, name);
}

/* The program's own path without its last `up` parts. */
static void program_dir(char path[LAYOUT_PATH_BYTES], int up)
{
    ssize_t length = readlink("/proc/self/exe", path, INSTANCE_PATH_BYTES);
    path[length > 0 ? length : 0] = 0;
    for (; up > 0; up--) {
        char *slash = strrchr(path, '/');
        if (slash) *slash = 0;
    }
}

static void append(char path[LAYOUT_PATH_BYTES], const char *name)
{
    size_t length = strlen(path);
    (void)snprintf(path + length, LAYOUT_PATH_BYTES - length, "/%s", name);
}

void layout_program(char path[LAYOUT_PATH_BYTES], const char *name)
{
    program_dir(path, 1);
    append(path, name);
}

/* A build directory elsewhere has the tree only where it was built from. */
void layout_tree(char path[LAYOUT_PATH_BYTES], const char *name)
{
    program_dir(path, 2);
    append(path, name);
    if (access(path, F_OK) == 0) return;
    (void)snprintf(path, LAYOUT_PATH_BYTES, "%s/%s", HOGA_SOURCE_DIR, name);
}

enum status layout_prepare(const struct instance *instance)
{
    static const struct {
        const char *name;
        mode_t mode;
    } dirs[] = {{"run", 0755}, {"log", 0755}, {"secrets", 0700}};
    char path[LAYOUT_PATH_BYTES];
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        layout_path(path, instance, dirs[i].name);
        if (mkdir(path, dirs[i].mode) != 0 && errno != EEXIST) return STATUS_IO;
    }
    return STATUS_OK;
}

static pid_t read_pid(int fd)
{
    char text[24] = {0};
    if (pread(fd, text, sizeof text - 1, 0) <= 0) return 0;
    return (pid_t)strtol(text, NULL, 10);
}

enum status layout_lock(const struct instance *instance, pid_t *owner)
{
    char path[LAYOUT_PATH_BYTES];
    layout_path(path, instance, "lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return STATUS_IO;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        bool held = errno == EWOULDBLOCK;
        *owner = held ? read_pid(fd) : 0;
        (void)close(fd);
        return held ? STATUS_BUSY : STATUS_IO;
    }
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
        (void)close(fd);
        return STATUS_IO;
    }
    *owner = getpid();
    return STATUS_OK; /* the descriptor stays open: it is the lock */
}

pid_t layout_lock_owner(const struct instance *instance)
{
    char path[LAYOUT_PATH_BYTES];
    layout_path(path, instance, "lock");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    pid_t owner = 0;
    for (int i = 0; i < 100 && owner == 0; i++) {
        if (flock(fd, LOCK_SH | LOCK_NB) == 0) break; /* nobody has it */
        owner = read_pid(fd);                         /* 0: taken, but not written yet */
        if (owner == 0) (void)usleep(10000);
    }
    (void)close(fd);
    return owner;
}

static bool write_fully(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

/* So that the new name survives a power cut, too. */
static void sync_directory(const char *path)
{
    char dir[LAYOUT_PATH_BYTES];
    (void)snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    if (!slash) return;
    *slash = 0;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)fsync(fd);
    (void)close(fd);
}

enum status layout_write(const struct instance *instance, const char *name, const void *bytes,
                         size_t length, mode_t mode)
{
    char path[LAYOUT_PATH_BYTES], fresh[LAYOUT_PATH_BYTES + 16];
    layout_path(path, instance, name);
    (void)snprintf(fresh, sizeof fresh, "%s.%ld", path, (long)getpid());
    (void)unlink(fresh); /* a dead process's, with a number that came round again */
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) return STATUS_IO;
    bool good = write_fully(fd, bytes, length) && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    if (good && rename(fresh, path) == 0) {
        sync_directory(path);
        return STATUS_OK;
    }
    int reason = errno;
    (void)unlink(fresh);
    errno = reason;
    return STATUS_IO;
}

char *layout_read(const struct instance *instance, const char *name, size_t max)
{
    char path[LAYOUT_PATH_BYTES];
    layout_path(path, instance, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    char *text = malloc(max + 1);
    size_t length = 0;
    ssize_t got = 0;
    while (text && length <= max && (got = read(fd, text + length, max + 1 - length)) > 0)
        length += (size_t)got;
    (void)close(fd);
    if (!text || got < 0 || length > max) {
        free(text);
        return NULL;
    }
    text[length] = 0;
    return text;
}
