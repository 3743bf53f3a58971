#define _GNU_SOURCE
#include "server/ops/master_key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/ops/layout.h"

static const char name[] = "secrets/master.key";

static enum status read_key(const struct instance *instance, uint8_t key[MASTER_KEY_BYTES])
{
    char path[LAYOUT_PATH_BYTES];
    layout_path(path, instance, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    struct stat st;
    enum status status = STATUS_IO;
    if (fstat(fd, &st) == 0) {
        bool good = st.st_size == MASTER_KEY_BYTES && (st.st_mode & 077) == 0 &&
                    read(fd, key, MASTER_KEY_BYTES) == MASTER_KEY_BYTES;
        status = good ? STATUS_OK : STATUS_INVALID;
    }
    (void)close(fd);
    return status;
}

enum status master_key_load(const struct instance *instance, uint8_t key[MASTER_KEY_BYTES])
{
    enum status status = read_key(instance, key);
    if (status != STATUS_NOT_FOUND) return status;
    if (getrandom(key, MASTER_KEY_BYTES, 0) != MASTER_KEY_BYTES) return STATUS_IO;
    status = layout_write(instance, name, key, MASTER_KEY_BYTES, 0600);
    /* somebody else's first start may have come between: theirs or ours, one file is there */
    return status == STATUS_OK ? read_key(instance, key) : status;
}
