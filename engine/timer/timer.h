/* timer.h - what is to happen when: deadlines of instruments, accounts and orders.
 *
 * A heap over all that may have a deadline, each of which has its own fixed place in the tables and
 * so can be moved or taken out at the cost of a heap's height. Time itself comes from outside: the
 * engine asks for what is due.
 *
 * Among equal deadlines the kind comes first, then the id; orders by their order id. Owned by the
 * engine's thread.
 */
#ifndef HOGA_TIMER_H
#define HOGA_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/units.h"
#include "engine/message/command.h"

enum timer_kind {
    TIMER_SCHEDULE, /* of an instrument: the schedule's next row */
    TIMER_PHASE,    /* of an instrument: a halt, a reopening auction or a limit state is over */
    TIMER_WORK,     /* of an instrument: the auction's next second, or stops left to trigger */
    TIMER_ACCOUNT,  /* dead man's switch */
    TIMER_ORDER,    /* GTD; the id is its slot */
    TIMER_KINDS,
};

struct timer {
    enum timer_kind kind;
    uint32_t id;
    int64_t deadline_ns;
};

struct timers {
    uint32_t *heap;                 /* entries, the earliest first; count of them in use */
    uint32_t *place;                /* by entry: where in the heap, from 1; 0: not set */
    int64_t *deadline_ns;           /* by entry */
    uint32_t *count;                /* in the arena */
    uint32_t base[TIMER_KINDS + 1]; /* first entry of each kind */
    /* The order id of a slot, to order equal deadlines; set by the engine when it is laid out. */
    order_id_t (*order_id_of)(const void *context, uint32_t slot);
    const void *context;
};

void timers_init(struct timers *self, struct arena *arena, const struct limits *limits);

/* Sets or moves. `id` is below the limit of its kind; deadline_ns is not negative. */
void timer_set(struct timers *self, enum timer_kind kind, uint32_t id, int64_t deadline_ns);

/* Takes out; nothing happens when it was not set. */
void timer_clear(struct timers *self, enum timer_kind kind, uint32_t id);

/* 0 when it is not set. */
int64_t timer_deadline_ns(const struct timers *self, enum timer_kind kind, uint32_t id);

/* The earliest of all; INT64_MAX when none is set. */
static inline int64_t timers_next_ns(const struct timers *self)
{
    return *self->count ? self->deadline_ns[self->heap[0]] : INT64_MAX;
}

/* Takes out the earliest whose deadline has come. False when there is none. */
bool timers_take_due(struct timers *self, int64_t now_ns, struct timer *timer);

/* CHECKs that the heap is one. */
void timers_validate(const struct timers *self);

#endif
