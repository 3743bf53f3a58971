/* standby.h - a warm copy of the core that takes its place when it dies.
 *
 *   primary: holds DATA/core.lock  --> journals in shared memory --> standby: steps the same
 *                                                                       commands, waits for the
 * lock
 *
 * The kernel frees the lock when the primary is gone, whatever it was doing, and not before: two
 * never write. A primary that is there but does not move any more (stopped, or stuck) is killed
 * first, which the lock then proves. Rings and journals stay where they are, so producers notice
 * nothing but a pause.
 *
 * Beside that it makes the snapshots, in a forked child: the core never waits for one. Afterwards
 * it puts its own memory back on huge pages, for the day when it is the core (snapshot_child.h).
 */
#ifndef HOGA_STANDBY_H
#define HOGA_STANDBY_H

#include <signal.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/recovery.h"

struct standby_options {
    const volatile sig_atomic_t *stop_asked;
    uint64_t snapshot_every; /* commands; 0: only when asked for */
};

/* Follows the primary of `instance` until it is gone. STATUS_OK: the lock on `lock_fd` is this
 * process's, and `recovery` is as far as it could follow, to be finished. STATUS_BUSY: asked to
 * stop. Anything else: it cannot follow; recovery->problem says why. */
MUST_CHECK enum status standby_run(const struct standby_options *options,
                                   const struct instance *instance, int lock_fd,
                                   struct recovery *recovery);

#endif
