/* gentle.h - many bytes to the disk, a little at a time.
 *
 * A disk has one queue: a sync of somebody else's waits behind all that is in it, and behind the
 * megabytes that a large file leaves to the system it would wait for tens of milliseconds.
 */
#ifndef HOGA_BUS_GENTLE_H
#define HOGA_BUS_GENTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/bus/pace.h"

/* Has the disk take a part of a file now, for the queue's sake alone: whether it went well, a sync
 * tells. With `waits` not before it has all of it. */
void gentle_push(int fd, uint64_t at, uint64_t length, bool waits);

/* pwrite() of all of it; with a pace in pieces that are waited for, with rests between them. False
 * and errno when the disk does not take it (ENOSPC also for a write of nothing). */
bool gentle_write(int fd, const void *bytes, size_t length, uint64_t at, const struct pace *pace);

#endif
