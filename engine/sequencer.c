#include "engine/sequencer.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/bus/archiver.h"
#include "engine/bus/clock.h"
#include "engine/bus/journal.h"
#include "engine/command_run.h"
#include "engine/message/command.h"

#define NS_A_DAY INT64_C(86400000000000)

/* The time of commands that are taken now: the clock's, but never less than the last one's, as if
 * time stood still while a clock that was set back catches up. */
static int64_t time_now(struct sequencer *self)
{
    self->clock_ns = clock_wall_ns();
    return self->clock_ns > self->in.last_time_ns ? self->clock_ns : self->in.last_time_ns;
}

/* ---- a run of commands ---- */

static void emit_event(void *context, const void *message, size_t length)
{
    struct sequencer *self = context;
    const struct journal_record *command = self->stepping;
    (void)journal_put(&self->out, command->seq, command->origin, command->time_ns, message, length);
}

static void step(struct sequencer *self, const struct journal_record *r)
{
    const struct event_sink sink = {emit_event, self};
    self->stepping = r;
    engine_step(self->engine, r->seq, r->time_ns, record_message(r), record_message_length(r),
                &sink);
}

/* The commands are on their way to the disk while they are stepped. Meanwhile the memory of the
 * next run is fetched, of the ring it comes from and of the journal it goes to: a run is put down
 * in a tenth of the time that it is stepped in, faster than memory answers. */
static void step_run(struct sequencer *self, struct command_run *run, const struct ring *ring)
{
    journal_publish(&self->in);
    for (unsigned i = 0; i < run->count; i++) {
        command_run_look(run, self->engine, i);
        journal_fetch(&self->in, i);
        ring_fetch(ring, i);
        step(self, run->records[i]);
    }
    journal_publish(&self->out);
}

/* ---- the core's own commands ---- */

static void sequence_own(struct sequencer *self, int64_t now_ns, const void *message, size_t length)
{
    const struct journal_record *r = journal_append(&self->in, 0, 0, now_ns, message, length);
    step(self, r);
    journal_publish(&self->out);
}

static void configure(struct sequencer *self)
{
    struct command_configure command = {
        .header = COMMAND_HEADER(COMMAND_CONFIGURE, struct command_configure),
        .limits = *engine_limits(self->engine)};
    sequence_own(self, time_now(self), &command, sizeof command);
}

/* When the day is over; 0 before the first. */
static int64_t end_of_day_ns(uint64_t day)
{
    if (day == 0) return 0;
    return day < INT64_MAX / NS_A_DAY - 1 ? (int64_t)(day + 1) * NS_A_DAY : INT64_MAX;
}

static void end_day(struct sequencer *self, int64_t now_ns)
{
    uint64_t today = (uint64_t)(now_ns / NS_A_DAY);
    struct command_end_day command = {
        .header = COMMAND_HEADER(COMMAND_END_DAY, struct command_end_day), .day = today};
    sequence_own(self, now_ns, &command, sizeof command);
    self->day_ends_ns = end_of_day_ns(today);
}

static void fire_timers(struct sequencer *self, int64_t now_ns)
{
    struct command_time command = {.header = COMMAND_HEADER(COMMAND_TIME, struct command_time),
                                   .deadline_ns = engine_deadline_ns(self->engine)};
    sequence_own(self, now_ns, &command, sizeof command);
}

static bool journals_ready(struct sequencer *self)
{
    if (journal_writer_ready(&self->in) && journal_writer_ready(&self->out)) return true;
    /* rings fill and clients are told 503 until the keeper has memory again */
    counter_add(self->waits_for_memory, 1);
    return false;
}

/* When the next of the core's own commands is due. */
static int64_t deadline_ns(const struct sequencer *self)
{
    int64_t timers_ns = engine_deadline_ns(self->engine);
    return timers_ns < self->day_ends_ns ? timers_ns : self->day_ends_ns;
}

/* What has come due, in the order in which it has, but at most `max`. Returns how many. */
static unsigned sequence_due(struct sequencer *self, int64_t now_ns, unsigned max)
{
    unsigned count = 0;
    while (count < max && deadline_ns(self) <= now_ns && journals_ready(self)) {
        if (self->day_ends_ns == deadline_ns(self))
            end_day(self, now_ns);
        else
            fire_timers(self, now_ns);
        count++;
    }
    return count;
}

/* What the rings of one turn share. */
struct turn {
    int64_t now_ns;
    unsigned own_left; /* how many of the core's own commands it may still have */
    bool is_fresh;     /* nothing was done since now_ns was read */
};

/* Before each run: the time, and what is due by then. Returns how many commands that was. */
static unsigned begin_run(struct sequencer *self, struct turn *turn)
{
    if (!turn->is_fresh) turn->now_ns = time_now(self);
    unsigned count = sequence_due(self, turn->now_ns, turn->own_left);
    turn->own_left -= count;
    turn->is_fresh = count == 0;
    return count;
}

int64_t sequencer_idle_ns(struct sequencer *self)
{
    int64_t now_ns = time_now(self), due_ns = deadline_ns(self);
    return due_ns > now_ns ? due_ns - now_ns : 0;
}

/* ---- rings ---- */

void sequencer_spoil_ring(struct sequencer *self, unsigned ring)
{
    self->ring_spoilt[ring] = true;
    counter_add(self->spoilt_rings, 1);
    fprintf(stderr, "hoga-core: ring %u holds bytes that are no message; it is not read any more\n",
            ring + 1);
}

/* As many as keep their records in place until they are stepped, which the turn of the segment
 * would end; and one at a time when their events might have to wait for memory. */
static unsigned run_max(const struct sequencer *self)
{
    unsigned fits = journal_writer_fits(&self->in);
    unsigned max = fits < COMMAND_RUN_MAX ? fits : COMMAND_RUN_MAX;
    return max == 0 || !journal_writer_has_ahead(&self->out) ? 1 : max;
}

/* Takes and steps one run. Returns how many commands it had. */
static unsigned sequence_run(struct sequencer *self, unsigned number, int64_t now_ns)
{
    struct ring *ring = &self->rings[number];
    struct ring_message m;
    struct command_run run;
    command_run_begin(&run, self->engine);
    unsigned max = run_max(self);
    enum status status = STATUS_OK;
    while (run.count < max && (status = ring_peek(ring, &m)) == STATUS_OK) {
        if (run.count == SEQUENCER_CLOCK_MAX) now_ns = time_now(self);
        const struct journal_record *r =
            journal_put_received(&self->in, m.position, origin_of(ring->source, m.request_id),
                                 now_ns, m.message, m.length);
        if (!r) {
            status = STATUS_CORRUPT;
            break;
        }
        command_run_add(&run, self->engine, r);
        ring_take(ring, &m);
    }
    if (run.count) {
        ring_release_taken(ring);
        step_run(self, &run, ring);
    }
    if (status == STATUS_CORRUPT) sequencer_spoil_ring(self, number);
    return run.count;
}

/* Takes what one ring has, at most a turn's worth; the core's own commands that are due come first
 * at each reading of the clock. Returns how many it sequenced. */
static unsigned poll_ring(struct sequencer *self, unsigned number, struct turn *turn)
{
    unsigned count = 0;
    while (count < SEQUENCER_TURN_MAX && !self->ring_spoilt[number] &&
           ring_has_message(&self->rings[number]) && journals_ready(self)) {
        unsigned due = begin_run(self, turn);
        count += due + sequence_run(self, number, turn->now_ns);
        turn->is_fresh = false;
    }
    return count;
}

/* ---- a turn ---- */

void sequencer_init(struct sequencer *self, struct control *control, struct station *station)
{
    *self = (struct sequencer){.control = control, .station = station};
    self->spoilt_rings = control_counter(station, "spoilt_rings");
    self->waits_for_memory = control_counter(station, "waits_for_memory");
}

void sequencer_begin(struct sequencer *self, struct engine *engine)
{
    self->engine = engine;
    self->day_ends_ns = end_of_day_ns(engine_day(self->engine));
    if (engine_deciding_version(engine) < SBE_SCHEMA_VERSION) configure(self);
    (void)sequence_due(self, time_now(self), SEQUENCER_OWN_MAX);
}

unsigned sequencer_poll(struct sequencer *self)
{
    struct turn turn = {.own_left = SEQUENCER_OWN_MAX};
    unsigned count = begin_run(self, &turn);
    for (unsigned i = 0; i < self->ring_count; i++) count += poll_ring(self, i, &turn);
    if (count) sequencer_publish(self);
    return count;
}

void sequencer_publish(struct sequencer *self)
{
    struct control *c = self->control;
    if (c->durability == DURABILITY_MEMORY)
        atomic_store_explicit(&c->released_seq, self->in.next_seq - 1, memory_order_release);
    if (self->bells)
        bell_ring(self->bells);
    else
        archiver_wake(c);
    /* out first: whoever reads in_seq (acquire) finds all events of the commands up to there */
    atomic_store_explicit(&self->station->out_seq, self->out.next_seq - 1, memory_order_release);
    atomic_store_explicit(&self->station->in_seq, self->in.next_seq - 1, memory_order_release);
}
