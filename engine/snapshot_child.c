#define _GNU_SOURCE
#include "engine/snapshot_child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NICENESS = 10 };

pid_t snapshot_child_start(const struct instance *instance, const struct engine *engine,
                           const struct snapshot_mark *mark, int lock_fd)
{
    pid_t pid = fork();
    if (pid != 0) return pid;
    (void)close(lock_fd); /* or the lock would outlive who holds it */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpriority(PRIO_PROCESS, 0, NICENESS);
    _exit(snapshot_write(instance, engine, mark) == STATUS_OK ? 0 : 1);
}
