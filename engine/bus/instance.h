/* instance.h - where one exchange's files are.
 *
 *   DATA/instance            16 hexadecimal digits, made at first start: names the exchange
 *   DATA/journal/            archive: in-0000000001.seg ..., out-0000000001.seg ...
 *   /dev/shm/hoga-INSTANCE/  control page, rings, journal segments in memory, bells
 *
 * Any process of the exchange opens it by the data directory alone.
 */
#ifndef HOGA_BUS_INSTANCE_H
#define HOGA_BUS_INSTANCE_H

#include "engine/base/status.h"

enum { INSTANCE_ID_BYTES = 17, INSTANCE_PATH_BYTES = 1024 };

struct instance {
    char id[INSTANCE_ID_BYTES];
    char data_dir[INSTANCE_PATH_BYTES];    /* absolute */
    char journal_dir[INSTANCE_PATH_BYTES]; /* DATA/journal */
    char shm_dir[64];                      /* /dev/shm/hoga-INSTANCE */
};

/* Opens an existing data directory. STATUS_NOT_FOUND when it holds no exchange. */
MUST_CHECK enum status instance_open(struct instance *self, const char *data_dir);

/* Opens it, making directories (0711, journal 0700) and an id where there are none. */
MUST_CHECK enum status instance_create(struct instance *self, const char *data_dir);

/* Removes the shared memory directory and all in it: after a clean stop, when all is archived. */
void instance_remove_shm(const struct instance *self);

#endif
