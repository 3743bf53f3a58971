#define _GNU_SOURCE
#include "engine/bus/instance.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHM_PREFIX "/dev/shm/hoga-"

enum { ID_DIGITS = INSTANCE_ID_BYTES - 1 };

/* A name is on disk once its directory is. */
static enum status sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return STATUS_IO;
    bool good = fsync(fd) == 0;
    (void)close(fd);
    return good ? STATUS_OK : STATUS_IO;
}

static enum status sync_parent(const char *path)
{
    char parent[INSTANCE_PATH_BYTES];
    const char *slash = strrchr(path, '/');
    if (!slash) return sync_dir(".");
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    memcpy(parent, path, length);
    parent[length] = '\0';
    return sync_dir(parent);
}

/* Unless it is there; one that was made just before a loss of power may not be any more. */
static enum status make_dir(const char *path, mode_t mode)
{
    if (mkdir(path, mode) != 0) return errno == EEXIST ? STATUS_OK : STATUS_IO;
    return sync_parent(path);
}

/* Every directory on the way, as `mkdir -p`. */
static enum status make_dirs(const char *path)
{
    char part[INSTANCE_PATH_BYTES];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof part) return STATUS_INVALID;
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (make_dir(part, 0711) != STATUS_OK) return STATUS_IO;
    }
    return STATUS_OK;
}

static enum status resolve(struct instance *self, const char *data_dir)
{
    char absolute[PATH_MAX];
    if (!realpath(data_dir, absolute)) return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    if (strlen(absolute) >= sizeof self->data_dir - 64) return STATUS_INVALID;
    memcpy(self->data_dir, absolute, strlen(absolute) + 1);
    if ((size_t)snprintf(self->journal_dir, sizeof self->journal_dir, "%s/journal", absolute) >=
        sizeof self->journal_dir)
        return STATUS_INVALID;
    return STATUS_OK;
}

static enum status read_id(struct instance *self)
{
    char path[INSTANCE_PATH_BYTES + 16];
    (void)snprintf(path, sizeof path, "%s/instance", self->data_dir);
    FILE *file = fopen(path, "re");
    if (!file) return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    size_t length = fread(self->id, 1, ID_DIGITS, file);
    (void)fclose(file);
    self->id[ID_DIGITS] = '\0';
    if (length != ID_DIGITS || strspn(self->id, "0123456789abcdef") != ID_DIGITS)
        return STATUS_INVALID;
    (void)snprintf(self->shm_dir, sizeof self->shm_dir, SHM_PREFIX "%s", self->id);
    return STATUS_OK;
}

/* Linked into place whole, so that of two first starts one wins and both agree. */
static enum status make_id(const struct instance *self)
{
    uint64_t random;
    char id[INSTANCE_ID_BYTES + 1], path[INSTANCE_PATH_BYTES + 16], fresh[INSTANCE_PATH_BYTES + 40];
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) return STATUS_IO;
    (void)snprintf(id, sizeof id, "%016llx\n", (unsigned long long)random);
    (void)snprintf(path, sizeof path, "%s/instance", self->data_dir);
    (void)snprintf(fresh, sizeof fresh, "%s.%ld", path, (long)getpid());
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return STATUS_IO;
    bool good = write(fd, id, INSTANCE_ID_BYTES) == INSTANCE_ID_BYTES && fsync(fd) == 0;
    (void)close(fd);
    if (good && link(fresh, path) != 0 && errno != EEXIST) good = false;
    (void)unlink(fresh);
    return good ? sync_dir(self->data_dir) : STATUS_IO;
}

enum status instance_open(struct instance *self, const char *data_dir)
{
    memset(self, 0, sizeof *self);
    enum status status = resolve(self, data_dir);
    return status == STATUS_OK ? read_id(self) : status;
}

enum status instance_create(struct instance *self, const char *data_dir)
{
    memset(self, 0, sizeof *self);
    enum status status = make_dirs(data_dir);
    if (status == STATUS_OK) status = resolve(self, data_dir);
    if (status == STATUS_OK) status = make_dir(self->journal_dir, 0700);
    if (status == STATUS_OK) status = read_id(self);
    if (status == STATUS_NOT_FOUND) {
        status = make_id(self);
        if (status == STATUS_OK) status = read_id(self);
    }
    if (status == STATUS_OK) status = make_dir(self->shm_dir, 0711);
    return status;
}

void instance_remove_shm(const struct instance *self)
{
    DIR *dir = opendir(self->shm_dir);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_type != DT_DIR) (void)unlinkat(dirfd(dir), entry->d_name, 0);
    (void)closedir(dir);
    (void)rmdir(self->shm_dir);
}
