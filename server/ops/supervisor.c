#define _GNU_SOURCE
#include "server/ops/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/check.h"

bool supervisor_open(struct supervisor *self)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    self->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return self->signals >= 0;
}

struct child *supervisor_add(struct supervisor *self, const char *name, const char *role)
{
    CHECK(self->count < SUPERVISOR_CHILD_MAX);
    struct child *child = &self->children[self->count++];
    *child = (struct child){.name = name, .role = role, .stop_signal = SIGTERM, .stop_ms = 5000};
    return child;
}

struct child *supervisor_find(struct supervisor *self, const char *name)
{
    for (unsigned i = 0; i < self->count; i++)
        if (strcmp(self->children[i].name, name) == 0) return &self->children[i];
    return NULL;
}

static void reap(struct supervisor *self)
{
    int wait_status;
    for (pid_t pid; (pid = waitpid(-1, &wait_status, WNOHANG)) > 0;) {
        for (unsigned i = 0; i < self->count; i++) {
            struct child *child = &self->children[i];
            if (child->pid != pid) continue;
            child_ended(child, wait_status, child_now_ms());
            self->changed(self->context, child, true);
        }
    }
}

static void read_signals(struct supervisor *self)
{
    struct signalfd_siginfo got;
    while (read(self->signals, &got, sizeof got) == (ssize_t)sizeof got) {
        if (got.ssi_signo == SIGCHLD) continue;
        if (self->stopping) self->hurrying = true;
        self->stopping = true;
    }
    reap(self);
}

void supervisor_wait(struct supervisor *self, int ms)
{
    struct pollfd fd = {.fd = self->signals, .events = POLLIN};
    (void)poll(&fd, 1, ms);
    read_signals(self);
}

/* Starts what is due. Returns how long until the next back-off ends, at most `ms`. */
static int start_due(struct supervisor *self, int ms)
{
    for (unsigned i = 0; i < self->count; i++) {
        struct child *child = &self->children[i];
        int64_t now_ms = child_now_ms();
        bool waits = child->state == CHILD_WAITING || child->state == CHILD_BACKOFF;
        if (!waits) continue;
        if (child->state == CHILD_BACKOFF && child->retry_ms > now_ms) {
            if (child->retry_ms - now_ms < ms) ms = (int)(child->retry_ms - now_ms);
            continue;
        }
        if (!self->may_start(self->context, child)) continue;
        if (child_start(child, now_ms)) self->changed(self->context, child, false);
    }
    return ms;
}

void supervisor_run(struct supervisor *self)
{
    while (!self->stopping && !self->failed) {
        int ms = self->tick(self->context);
        if (self->failed) break;
        supervisor_wait(self, start_due(self, ms));
    }
}

bool supervisor_stop(struct supervisor *self, struct child *child)
{
    if (child->pid == 0) {
        child->state = CHILD_DONE; /* it is not started again */
        return true;
    }
    (void)kill(child->pid, child->stop_signal);
    int64_t deadline_ms = child_now_ms() + child->stop_ms;
    bool killed = false;
    while (child->pid != 0) {
        bool late = child_now_ms() > deadline_ms || (self->hurrying && !child->vital);
        if (late && !killed) {
            (void)fprintf(stderr, "%s does not stop: killing it\n", child->name);
            (void)kill(child->pid, SIGKILL);
            killed = true;
        }
        supervisor_wait(self, 100);
    }
    child->state = CHILD_DONE;
    return WIFEXITED(child->wait_status) && WEXITSTATUS(child->wait_status) == 0;
}
