#include "tests/model/model_parts.h"

/* In the order in which timers fire that are due at the same time. */
enum timer_kind { OF_SCHEDULE, OF_SESSION, OF_AUCTION, OF_ACCOUNT, OF_ORDER };

struct timer {
    int64_t deadline_ns; /* MODEL_NO_TIMER: there is none */
    enum timer_kind kind;
    uint64_t id; /* of instrument, account or order */
};

static bool fires_before(const struct timer *a, const struct timer *b)
{
    if (b->deadline_ns == MODEL_NO_TIMER) return true;
    if (a->deadline_ns != b->deadline_ns) return a->deadline_ns < b->deadline_ns;
    if (a->kind != b->kind) return a->kind < b->kind;
    return a->id < b->id;
}

static void look_at(struct timer *first, int64_t deadline_ns, enum timer_kind kind, uint64_t id)
{
    struct timer timer = {deadline_ns, kind, id};
    if (deadline_ns != MODEL_NO_TIMER && fires_before(&timer, first)) *first = timer;
}

/* The timer that is due next. */
static struct timer first_timer(const struct model *self)
{
    struct timer first = {.deadline_ns = MODEL_NO_TIMER};
    for (instrument_id_t id = 0; id < self->limits.instruments; id++) {
        const struct model_instrument *i = &self->instruments[id];
        if (!i->listed) continue;
        look_at(&first, i->schedule_ns, OF_SCHEDULE, id);
        look_at(&first, i->session_ns, OF_SESSION, id);
        look_at(&first, i->auction_ns, OF_AUCTION, id);
    }
    for (account_id_t id = 0; id < self->limits.accounts; id++)
        look_at(&first, self->accounts[id].cancel_after_ns, OF_ACCOUNT, id);
    for (uint32_t n = 0; n < self->order_count; n++)
        if (self->orders[n]->time_in_force == TIF_GTD)
            look_at(&first, self->orders[n]->expire_ns, OF_ORDER, self->orders[n]->order_id);
    return first;
}

int64_t model_deadline_ns(const struct model *self)
{
    struct timer first = first_timer(self);
    return first.deadline_ns == MODEL_NO_TIMER ? INT64_MAX : first.deadline_ns;
}

static void fire(struct model *self, const struct timer *timer)
{
    switch (timer->kind) {
    case OF_SCHEDULE: model_schedule_due(self, (instrument_id_t)timer->id); break;
    case OF_SESSION: model_session_due(self, (instrument_id_t)timer->id); break;
    case OF_AUCTION: model_auction_due(self, (instrument_id_t)timer->id); break;
    case OF_ACCOUNT:
        self->accounts[timer->id].cancel_after_ns = MODEL_NO_TIMER;
        model_cancel_all(self, (account_id_t)timer->id, REJECT_CANCELED_AFTER_TIMEOUT);
        break;
    default: model_end_order(self, model_order(self, timer->id), EXEC_EXPIRED, REJECT_NONE); break;
    }
}

void model_time(struct model *self)
{
    struct event_time_passed event = {
        .header = EVENT_HEADER(EVENT_TIME_PASSED, struct event_time_passed)};
    while (event.fired_count < TIMERS_A_COMMAND) {
        struct timer timer = first_timer(self);
        if (timer.deadline_ns == MODEL_NO_TIMER || timer.deadline_ns > self->now_ns) break;
        fire(self, &timer);
        event.fired_count++;
    }
    model_trip_breakers(self);
    model_emit(self, &event, sizeof event);
}
