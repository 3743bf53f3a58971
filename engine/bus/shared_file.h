/* shared_file.h - a file mapped by several processes: control page, rings, segments. */
#ifndef HOGA_BUS_SHARED_FILE_H
#define HOGA_BUS_SHARED_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/status.h"

struct shared_file {
    void *map;
    size_t bytes;
    int fd;      /* stays open: locks hang on it */
    bool is_new; /* made by this call; zeroed */
};

/* Opens `path` for reading and writing, making it with `bytes` of zeros (all of them allocated, so
 * that a full /dev/shm shows here and not as a SIGBUS later) when it is not there. A file that is
 * there must have exactly `bytes`, unless bytes is 0: then any. STATUS_IO, STATUS_INVALID. */
MUST_CHECK enum status shared_file_create(struct shared_file *self, const char *path, size_t bytes);

/* The same, without touching its pages, which takes a while for large files: whoever reads or
 * writes first meets faults. */
MUST_CHECK enum status shared_file_create_untouched(struct shared_file *self, const char *path,
                                                    size_t bytes);

/* Maps an existing file. STATUS_NOT_FOUND, STATUS_IO; STATUS_INVALID when it is empty. */
MUST_CHECK enum status shared_file_open(struct shared_file *self, const char *path, bool write);

/* Maps an existing file for writing, without touching its pages. Errors as above. */
MUST_CHECK enum status shared_file_open_untouched(struct shared_file *self, const char *path);

void shared_file_close(struct shared_file *self);

#endif
