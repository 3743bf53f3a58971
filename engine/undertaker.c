#define _GNU_SOURCE
#include "engine/undertaker.h"

#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { STACK_BYTES = 16 * 1024, WAIT_NS = 100 * 1000 * 1000 };

struct undertaker {
    pid_t core;
    int lock_fd;
};

static struct undertaker undertaker; /* a process has one core */

/* In another process, but in the core's memory: it may write to its own stack alone. Sanitizers and
 * errno would write elsewhere, so there are none, and only calls that have no reason to fail. */
__attribute__((no_sanitize("address", "thread", "undefined"))) static int
undertaker_run(void *argument)
{
    const struct undertaker *self = argument;
    const struct sched_param no_priority = {.sched_priority = 0};
    const struct timespec a_while = {.tv_nsec = WAIT_NS};
    struct pollfd core = {.events = POLLIN};
    if (syscall(SYS_close, self->lock_fd) != 0) return 1; /* never may it outlive the core here */
    (void)syscall(SYS_close_range, 0U, UINT_MAX, 0U);
    (void)syscall(SYS_prctl, PR_SET_NAME, "undertaker", 0, 0, 0);
    (void)syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &no_priority);
    core.fd = (int)syscall(SYS_pidfd_open, self->core, 0);
    /* readable when all of its threads are gone */
    while (core.fd >= 0 && syscall(SYS_ppoll, &core, 1, NULL, NULL, 0) < 0) continue;
    /* who follows maps the same pages now, and both would wait for each other */
    (void)syscall(SYS_nanosleep, &a_while, NULL);
    return 0;
}

void undertaker_start(int lock_fd)
{
    sigset_t all, before;
    uint8_t *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return;
    undertaker = (struct undertaker){.core = getpid(), .lock_fd = lock_fd};
    sigfillset(&all); /* of what is sent to all processes of a terminal it takes no notice */
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    if (clone(undertaker_run, stack + STACK_BYTES, CLONE_VM, &undertaker) < 0)
        (void)munmap(stack, STACK_BYTES);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}
