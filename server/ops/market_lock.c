#include "server/ops/market_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/bus/instance.h"

enum { LOCK_PATH_BYTES = INSTANCE_PATH_BYTES + 64 };

int market_lock_take(const char *data_dir, const char *symbol)
{
    char path[LOCK_PATH_BYTES];
    snprintf(path, sizeof path, "%s/run", data_dir);
    if (mkdir(path, 0755) != 0 && errno != EEXIST) return -1;
    snprintf(path, sizeof path, "%s/run/replay-%s.lock", data_dir, symbol);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

bool market_lock_taken(const char *data_dir, const char *symbol)
{
    char path[LOCK_PATH_BYTES];
    snprintf(path, sizeof path, "%s/run/replay-%s.lock", data_dir, symbol);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool taken = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return taken;
}
