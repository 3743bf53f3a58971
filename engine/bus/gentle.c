#define _GNU_SOURCE
#include "engine/bus/gentle.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 * 1024 };

void gentle_push(int fd, uint64_t at, uint64_t length, bool waits)
{
    unsigned how = SYNC_FILE_RANGE_WRITE;
    if (waits) how |= SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
    (void)sync_file_range(fd, (off_t)at, (off_t)length, how);
}

bool gentle_write(int fd, const void *bytes, size_t length, uint64_t at, const struct pace *pace)
{
    const uint8_t *from = bytes;
    while (length) {
        size_t piece = pace && length > PIECE_BYTES ? PIECE_BYTES : length;
        ssize_t n = pwrite(fd, from, piece, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = ENOSPC;
        if (n <= 0) return false;
        if (pace) {
            gentle_push(fd, at, (uint64_t)n, true);
            pace_rest(pace);
        }
        from += n;
        at += (uint64_t)n;
        length -= (size_t)n;
    }
    return true;
}
