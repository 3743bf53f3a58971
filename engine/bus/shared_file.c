#define _GNU_SOURCE
#include "engine/bus/shared_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status map_open_file(struct shared_file *self, bool write, bool touch)
{
    self->map = mmap(NULL, self->bytes, PROT_READ | (write ? PROT_WRITE : 0),
                     MAP_SHARED | (touch ? MAP_POPULATE : 0), self->fd, 0);
    if (self->map == MAP_FAILED) {
        self->map = NULL;
        shared_file_close(self);
        return STATUS_IO;
    }
    return STATUS_OK;
}

/* Allocates under another name first, of this process alone: a file that is there is always whole,
 * whoever dies when, and of two who make the same one at the same time one wins and both open it.
 */
static enum status make_file(const char *path, size_t bytes, bool *is_ours)
{
    char fresh[1200];
    if ((size_t)snprintf(fresh, sizeof fresh, "%s.%ld.new", path, (long)getpid()) >= sizeof fresh)
        return STATUS_INVALID;
    int fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return STATUS_IO;
    int error = posix_fallocate(fd, 0, (off_t)bytes);
    close(fd);
    if (!error && link(fresh, path) != 0) error = errno;
    (void)unlink(fresh);
    *is_ours = error == 0;
    errno = error;
    return error == 0 || error == EEXIST ? STATUS_OK : STATUS_IO;
}

static enum status open_file(struct shared_file *self, const char *path, bool write, bool touch)
{
    *self = (struct shared_file){.fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC)};
    if (self->fd < 0) return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    struct stat file;
    if (fstat(self->fd, &file) != 0) {
        shared_file_close(self);
        return STATUS_IO;
    }
    if (file.st_size <= 0) {
        shared_file_close(self);
        return STATUS_INVALID;
    }
    self->bytes = (size_t)file.st_size;
    return map_open_file(self, write, touch);
}

static enum status create(struct shared_file *self, const char *path, size_t bytes, bool touch)
{
    enum status status = open_file(self, path, true, touch);
    if (status == STATUS_OK) {
        if (!bytes || self->bytes == bytes) return STATUS_OK;
        shared_file_close(self);
        return STATUS_INVALID;
    }
    if (status != STATUS_NOT_FOUND) return status;
    bool is_ours;
    status = make_file(path, bytes, &is_ours);
    if (status != STATUS_OK) return status;
    status = open_file(self, path, true, touch);
    if (status == STATUS_OK && self->bytes != bytes) {
        shared_file_close(self);
        return STATUS_INVALID;
    }
    self->is_new = status == STATUS_OK && is_ours;
    return status;
}

enum status shared_file_create(struct shared_file *self, const char *path, size_t bytes)
{
    return create(self, path, bytes, true);
}

enum status shared_file_create_untouched(struct shared_file *self, const char *path, size_t bytes)
{
    return create(self, path, bytes, false);
}

enum status shared_file_open(struct shared_file *self, const char *path, bool write)
{
    return open_file(self, path, write, write);
}

enum status shared_file_open_untouched(struct shared_file *self, const char *path)
{
    return open_file(self, path, true, false);
}

void shared_file_close(struct shared_file *self)
{
    if (self->map) munmap(self->map, self->bytes);
    if (self->fd >= 0) close(self->fd);
    *self = (struct shared_file){.fd = -1};
}
