/* child.h - one process that the supervisor keeps: how to start it, and what became of it.
 *
 *   WAITING --start--> RUNNING --exit--> BACKOFF --start--> RUNNING ...      (a daemon)
 *                         |  '--exit 0--> DONE                               (runs once)
 *                         '--exit EX_CONFIG, EX_DATAERR--> FAILED: starting it again would not help
 *
 * A child has a process group of its own, so that Ctrl-C reaches the supervisor alone, and dies
 * with the supervisor. What it prints goes to its log. Owned by the supervisor's one thread.
 */
#ifndef HOGA_OPS_CHILD_H
#define HOGA_OPS_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CHILD_ARGUMENT_MAX = 48,
    CHILD_BACKOFF_FIRST_MS = 100,
    CHILD_BACKOFF_MAX_MS = 5000,
    CHILD_STABLE_MS = 2000, /* having run so long makes the next back-off the first */
    CHILD_LOG_MAX_BYTES = 16 * 1024 * 1024, /* then it becomes NAME.log.1 */
};

enum child_state {
    CHILD_WAITING,
    CHILD_RUNNING,
    CHILD_BACKOFF,
    CHILD_DONE,
    CHILD_FAILED,
};

struct child {
    /* what it is, set by the owner */
    const char *name;
    const char *role;                          /* a few words for hoga status */
    bool once;                                 /* runs to its end and is then DONE */
    const char *arguments[CHILD_ARGUMENT_MAX]; /* [0] is the program's path; NULL ends them */
    int (*run)(const void *context);           /* instead of a program: called in the new process */
    void (*before)(const void *context);       /* in the new process, before its program; or NULL */
    const void *context;
    const char *stdin_path; /* NULL: /dev/null */
    bool as_user;           /* run as uid and gid, in / */
    uid_t uid;
    gid_t gid;
    int stop_signal; /* asks it to end; also what it gets when the supervisor dies */
    int stop_ms;     /* how long it may take before it is killed */
    int niceness;    /* 0, or more for what must not take time from trading */
    bool vital;      /* takes the time it needs also when the user is in a hurry */
    const char *log_path;

    /* what became of it */
    enum child_state state;
    pid_t pid;         /* 0 unless running */
    uint32_t restarts; /* starts after the first */
    uint32_t starts;
    int64_t started_ms; /* CLOCK_MONOTONIC, as all here */
    int64_t retry_ms;   /* BACKOFF: when to start again */
    int backoff_ms;
    int wait_status; /* of its last end */
};

/* Appends to the arguments; CHECKs that there is room. */
void child_argument(struct child *self, const char *argument);

/* Starts it. False and BACKOFF when the system has no process for it. */
bool child_start(struct child *self, int64_t now_ms);

/* It has ended with this wait status. */
void child_ended(struct child *self, int wait_status, int64_t now_ms);

/* "exit status 1", "signal 9 (Killed)" of the last end. Static storage. */
const char *child_end_text(const struct child *self);

/* Puts a log that has grown too large aside, also while the child writes to it. */
void child_rotate_log(const struct child *self);

/* The last lines of its log on stderr, indented. */
void child_print_log_end(const struct child *self);

const char *child_state_text(enum child_state state);

int64_t child_now_ms(void);

#endif
