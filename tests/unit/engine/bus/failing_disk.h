/* failing_disk.h - a disk that fails when it is told to, under the code as it is: link with
 * DISK_WRAPS (tests/CMakeLists.txt), which puts these in the place of the system's calls.
 *
 * Only calls on files of the archive and its directory are counted and may fail; /dev/shm is
 * memory. A sync that fails drops what was written since the last good one, as Linux may: those
 * bytes are zeros from then on, and a later sync is glad to call them safe.
 */
#ifndef HOGA_TESTS_UNIT_ENGINE_BUS_FAILING_DISK_H
#define HOGA_TESTS_UNIT_ENGINE_BUS_FAILING_DISK_H

#include <stdbool.h>

enum disk_call {
    DISK_OPEN,
    DISK_PWRITE,
    DISK_FDATASYNC,
    DISK_FSYNC, /* of files and of the directory */
    DISK_FALLOCATE,
    DISK_RENAME,
    DISK_FTRUNCATE,
    DISK_CALLS
};

/* All calls work again, are counted from 0, and nothing waits to be dropped. */
void disk_reset(void);

/* The call number `at` of this kind from now on (1: the next) and the `times - 1` after it fail
 * with `error`. */
void disk_fail(enum disk_call call, unsigned at, unsigned times, int error);

/* From now on all of this kind fail, until disk_reset(). */
void disk_fail_always(enum disk_call call, int error);

/* pwrite writes at most so many bytes at a time; 0: as many as asked. */
void disk_limit_write(unsigned bytes);

/* fdatasync takes so long. */
void disk_slow_down(unsigned ms);

/* While held, a sync does not return. */
void disk_hold(bool held);

/* How many of this kind there were since disk_reset(). */
unsigned disk_calls(enum disk_call call);

#endif
