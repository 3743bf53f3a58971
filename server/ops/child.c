#define _GNU_SOURCE
#include "server/ops/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/check.h"

int64_t child_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void child_argument(struct child *self, const char *argument)
{
    int n = 0;
    while (self->arguments[n]) n++;
    CHECK(n < CHILD_ARGUMENT_MAX - 1);
    self->arguments[n] = argument;
}

/* ---- in the new process ---- */

_Noreturn static void give_up(const char *what)
{
    (void)dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
    _exit(EX_OSERR);
}

static void redirect(const struct child *self)
{
    const char *from = self->stdin_path ? self->stdin_path : "/dev/null";
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int log = open(self->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (in < 0) give_up(from);
    if (log < 0) give_up(self->log_path);
    if (dup2(in, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        give_up("dup2");
    if (close_range(3, UINT_MAX, 0) != 0) give_up("close_range");
}

static void become_user(const struct child *self)
{
    if (!self->as_user) return;
    if (chdir("/") != 0) give_up("/");
    if (geteuid() == 0 &&
        (setgroups(1, &self->gid) != 0 || setgid(self->gid) != 0 || setuid(self->uid) != 0))
        give_up("changing the user");
}

_Noreturn static void run_child(const struct child *self, pid_t supervisor)
{
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    if (setpgid(0, 0) != 0) give_up("setpgid");
    redirect(self);
    if (self->niceness && setpriority(PRIO_PROCESS, 0, self->niceness) != 0) give_up("setpriority");
    become_user(self);
    /* after the change of user, which would undo it */
    if (prctl(PR_SET_PDEATHSIG, self->stop_signal) != 0) give_up("prctl");
    if (getppid() != supervisor) _exit(EX_TEMPFAIL); /* it died before we asked to be told */
    if (self->run) _exit(self->run(self->context));
    if (self->before) self->before(self->context);
    execv(self->arguments[0], (char *const *)(uintptr_t)self->arguments);
    give_up(self->arguments[0]);
}

/* ---- in the supervisor ---- */

static void back_off(struct child *self, int64_t now_ms, bool was_stable)
{
    bool first = was_stable || self->backoff_ms == 0;
    self->backoff_ms = first ? CHILD_BACKOFF_FIRST_MS : self->backoff_ms * 2;
    if (self->backoff_ms > CHILD_BACKOFF_MAX_MS) self->backoff_ms = CHILD_BACKOFF_MAX_MS;
    self->retry_ms = now_ms + self->backoff_ms;
    self->state = CHILD_BACKOFF;
}

bool child_start(struct child *self, int64_t now_ms)
{
    child_rotate_log(self);
    pid_t supervisor = getpid();
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) run_child(self, supervisor);
    if (pid < 0) {
        self->wait_status = EX_OSERR << 8;
        back_off(self, now_ms, false);
        return false;
    }
    (void)setpgid(pid, pid); /* here too, so that it is done whoever runs first */
    if (self->starts++ > 0 && !self->once) self->restarts++; /* a step tried again is none */
    self->pid = pid;
    self->state = CHILD_RUNNING;
    self->started_ms = now_ms;
    return true;
}

void child_ended(struct child *self, int wait_status, int64_t now_ms)
{
    self->pid = 0;
    self->wait_status = wait_status;
    int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
    if (self->once && code == EXIT_SUCCESS)
        self->state = CHILD_DONE;
    else if (code == EX_CONFIG || code == EX_DATAERR)
        self->state = CHILD_FAILED;
    else
        back_off(self, now_ms, now_ms - self->started_ms >= CHILD_STABLE_MS);
}

const char *child_end_text(const struct child *self)
{
    static char text[64];
    if (WIFSIGNALED(self->wait_status))
        (void)snprintf(text, sizeof text, "signal %d (%s)", WTERMSIG(self->wait_status),
                       strsignal(WTERMSIG(self->wait_status)));
    else
        (void)snprintf(text, sizeof text, "exit status %d", WEXITSTATUS(self->wait_status));
    return text;
}

const char *child_state_text(enum child_state state)
{
    switch (state) {
    case CHILD_WAITING: return "waiting";
    case CHILD_RUNNING: return "running";
    case CHILD_BACKOFF: return "restarting";
    case CHILD_DONE: return "done";
    case CHILD_FAILED: return "failed";
    }
    return "unknown";
}

/* Copies and truncates, since the child goes on writing to the same file; with O_APPEND that
 * continues at the new end. What is written between the two is lost, never garbled. */
void child_rotate_log(const struct child *self)
{
    struct stat st;
    if (stat(self->log_path, &st) != 0 || st.st_size <= CHILD_LOG_MAX_BYTES) return;
    char aside[PATH_MAX];
    (void)snprintf(aside, sizeof aside, "%s.1", self->log_path);
    int from = open(self->log_path, O_RDWR | O_CLOEXEC);
    int to = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool copied = from >= 0 && to >= 0;
    for (off_t left = st.st_size; copied && left > 0;) {
        ssize_t n = copy_file_range(from, NULL, to, NULL, (size_t)left, 0);
        if (n <= 0) copied = false;
        left -= n;
    }
    if (from >= 0) {
        /* a log that cannot be put aside must still not fill the disk */
        if (ftruncate(from, 0) != 0) (void)dprintf(STDERR_FILENO, "%s: cannot be cut\n", aside);
        (void)close(from);
    }
    if (to >= 0) (void)close(to);
}

void child_print_log_end(const struct child *self)
{
    enum { TAIL_BYTES = 2000 };
    char tail[TAIL_BYTES + 1];
    int fd = open(self->log_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
    ssize_t length = pread(fd, tail, TAIL_BYTES, from);
    (void)close(fd);
    if (length <= 0) return;
    tail[length] = 0;
    char *line = tail;
    if (from > 0 && (line = strchr(tail, '\n')) == NULL) line = tail;
    int lines = 0;
    for (char *c = line; *c; c++) lines += *c == '\n';
    for (; lines > 8; lines--) line = strchr(line, '\n') + 1;
    for (char *rest = NULL, *one = strtok_r(line, "\n", &rest); one;
         one = strtok_r(NULL, "\n", &rest))
        fprintf(stderr, "    %s\n", one);
    fprintf(stderr, "    (%s)\n", self->log_path);
}
