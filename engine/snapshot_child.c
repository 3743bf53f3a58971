#define _GNU_SOURCE
#include "engine/snapshot_child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { NICENESS = 10, REST_NS = 4 * 1000 * 1000 };

/* Some fifteen megabytes a second: nobody waits for it, and answers wait for the disk. */
static void rest(void *context)
{
    const struct timespec a_while = {.tv_nsec = REST_NS};
    (void)context;
    (void)nanosleep(&a_while, NULL);
}

pid_t snapshot_child_start(const struct instance *instance, const struct engine *engine,
                           const struct snapshot_mark *mark, int lock_fd)
{
    pid_t pid = fork();
    if (pid != 0) return pid;
    (void)close(lock_fd); /* or the lock would outlive who holds it */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpriority(PRIO_PROCESS, 0, NICENESS);
    const struct pace pace = {rest, NULL};
    _exit(snapshot_write(instance, engine, mark, &pace) == STATUS_OK ? 0 : 1);
}
