/* supervisor.h - keeps a set of children running, and ends them in order.
 *
 *   loop: reap the ended -> start what may start -> tell the owner -> sleep until something happens
 *
 * Generic: what the children are and what each waits for is the owner's (up.c). One thread, no
 * blocking but the sleep.
 */
#ifndef HOGA_OPS_SUPERVISOR_H
#define HOGA_OPS_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "server/ops/child.h"

enum { SUPERVISOR_CHILD_MAX = 12 };

struct supervisor {
    struct child children[SUPERVISOR_CHILD_MAX];
    unsigned count;
    int signals;   /* signalfd: SIGCHLD, SIGTERM, SIGINT, SIGHUP */
    bool stopping; /* asked to end */
    bool hurrying; /* asked a second time: wait for nobody */
    bool failed;   /* the owner gave up */

    void *context;
    /* Whether what this child needs is there. */
    bool (*may_start)(void *context, const struct child *child);
    /* A child was started (`ended` false) or has ended. */
    void (*changed)(void *context, const struct child *child, bool ended);
    /* Once a round; returns how long to sleep at most, ms. */
    int (*tick)(void *context);
};

/* Blocks the signals and opens the descriptor for them; before any child is started. */
bool supervisor_open(struct supervisor *self);

/* A new child, to be filled in. */
struct child *supervisor_add(struct supervisor *self, const char *name, const char *role);
struct child *supervisor_find(struct supervisor *self, const char *name);

/* Until asked to stop, or until the owner sets `failed`. */
void supervisor_run(struct supervisor *self);

/* Waits for `ms` at most or until something happens; reaps. For the owner's own waits. */
void supervisor_wait(struct supervisor *self, int ms);

/* Ends one child and waits until it has: the stop signal, then SIGKILL after its stop_ms. Returns
 * whether it ended by itself with status 0 (or was not running). */
bool supervisor_stop(struct supervisor *self, struct child *child);

#endif
