/* snapshot_child.h - a snapshot written by a forked child, while its parent goes on.
 *
 * The child has the state as it was at the fork, and its own copy of whatever the parent changes.
 */
#ifndef HOGA_SNAPSHOT_CHILD_H
#define HOGA_SNAPSHOT_CHILD_H

#include <sys/types.h>

#include "engine/bus/instance.h"
#include "engine/engine.h"
#include "engine/snapshot.h"

/* Forks one that does snapshot_write() and exits with 0 if that went well; it dies with its parent.
 * `lock_fd` is not kept open in it. Returns its pid, to be waited for; -1 when there is none,
 * errno. */
pid_t snapshot_child_start(const struct instance *instance, const struct engine *engine,
                           const struct snapshot_mark *mark, int lock_fd);

#endif
