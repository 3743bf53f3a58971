/* The exchange's own functions between which a thread may be left, and the deliberate mistakes. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/check.h"
#include "engine/bus/archive.h"
#include "engine/bus/segment.h"
#include "engine/engine.h"
#include "engine/snapshot.h"
#include "engine/snapshot_child.h"
#include "engine/undertaker.h"
#include "tests/sim/calls.h"
#include "tests/sim/files.h"
#include "tests/sim/wraps.h"

enum { DOZE_NS = 60000, RING_BYTES = 8192 };

enum mistake calls_mistake;
void (*calls_core_published)(const struct sequencer *sequencer);

static const char *const mistake_names[MISTAKE_COUNT] = {
    "none",        "sync-lies", "sync-retried",    "release-early",
    "reads-ahead", "no-fence",  "sequences-twice", "loses-event",
};

bool calls_mistake_named(const char *name, enum mistake *mistake)
{
    for (unsigned i = 0; i < MISTAKE_COUNT; i++) {
        if (strcmp(name, mistake_names[i]) != 0) continue;
        *mistake = (enum mistake)i;
        return true;
    }
    return false;
}

const char *calls_mistake_name(enum mistake mistake)
{
    return mistake_names[mistake];
}

static bool is_inside(void)
{
    return current_process() != NULL;
}

_Noreturn void __wrap_check_failed(const char *file, int line, const char *condition)
{
    const struct process *p = current_process();
    machine_fail("%s: %s:%d: broken invariant \"%s\"", p ? p->name : "test", file, line, condition);
    abort(); /* outside: the first message has been kept, too */
}

/* ---- journals ---- */

const struct journal_record *__wrap_journal_put(struct journal_writer *self, uint64_t ref,
                                                uint64_t origin, int64_t time_ns,
                                                const void *message, size_t length)
{
    if (!is_inside()) return __real_journal_put(self, ref, origin, time_ns, message, length);
    if (calls_mistake == MISTAKE_LOSES_EVENT && self->kind == JOURNAL_OUT && chance(2)) return NULL;
    const struct journal_record *r =
        __real_journal_put(self, ref, origin, time_ns, message, length);
    current_process()->half_put = (struct journal_record *)r;
    current_yield(STEP_PUT);
    current_process()->half_put = NULL;
    return r;
}

void calls_process_killed(struct process *process)
{
    struct journal_record *r = process->half_put;
    process->half_put = NULL;
    if (!r || chance(500)) return;
    uint32_t length = record_length(atomic_load(&r->frame));
    uint32_t whole = 8 + random_below(&machine.random, length - 8);
    memset((uint8_t *)r + whole, 0x5a, length - whole); /* of an earlier use of the segment */
    atomic_store(&r->frame, 0);
}

void __wrap_journal_publish(struct journal_writer *self)
{
    if (is_inside()) current_yield(STEP_PUBLISH);
    __real_journal_publish(self);
    if (calls_mistake == MISTAKE_RELEASE_EARLY && self->kind == JOURNAL_IN)
        atomic_store(&self->control->released_seq, self->next_seq - 1);
}

enum status __wrap_journal_reader_open(struct journal_reader *self, const struct instance *instance,
                                       const struct control *control, enum journal_kind kind,
                                       seq_t from_seq)
{
    enum status status = __real_journal_reader_open(self, instance, control, kind, from_seq);
    if (calls_mistake == MISTAKE_READS_AHEAD && control) self->following = true;
    return status;
}

enum status __wrap_archive_sync(struct archive *self)
{
    enum status status = __real_archive_sync(self);
    if (calls_mistake == MISTAKE_SYNC_RETRIED) self->is_doubtful = false;
    return status;
}

void __wrap_segment_write_header(uint8_t *map, const struct instance *instance,
                                 enum journal_kind kind, uint32_t number, uint32_t bytes,
                                 seq_t first_seq)
{
    if (is_inside()) current_yield(STEP_PUT);
    __real_segment_write_header(map, instance, kind, number, bytes, first_seq);
    if (is_inside()) current_yield(STEP_PUT);
}

void __wrap_segment_copy(uint8_t *map, const uint8_t *from, uint64_t length)
{
    if (is_inside()) current_yield(STEP_PUT);
    __real_segment_copy(map, from, length);
    if (is_inside()) current_yield(STEP_PUT);
}

/* The segment is removed next, by this life or by one that finds the line. */
enum status __wrap_chain_drop(struct chain *self)
{
    char path[SEGMENT_PATH_BYTES];
    segment_archive_path(path, self->instance, self->kind, self->dropped + 1);
    files_keep(path);
    return __real_chain_drop(self);
}

/* ---- the core ---- */

void __wrap_engine_step(struct engine *self, seq_t seq, int64_t time_ns, const void *message,
                        size_t length, const struct event_sink *sink)
{
    if (is_inside()) {
        current_process()->in_step = message;
        current_process()->in_step_bytes = length;
        current_yield(STEP_ENGINE);
        current_process()->in_step = NULL;
    }
    __real_engine_step(self, seq, time_ns, message, length, sink);
}

unsigned __wrap_sequencer_poll(struct sequencer *self)
{
    current_yield(STEP_TURN);
    unsigned count = __real_sequencer_poll(self);
    /* an idle turn costs a little time, so that two hundred of them do not fill the trace */
    if (!count) current_sleep(random_ns(0, DOZE_NS));
    return count;
}

void __wrap_sequencer_publish(struct sequencer *self)
{
    current_yield(STEP_PUBLISH);
    __real_sequencer_publish(self);
    if (calls_core_published && self->engine) calls_core_published(self);
}

enum status __wrap_control_create(struct control **self, const struct instance *instance,
                                  uint32_t durability, uint32_t segment_bytes, uint32_t ring_count,
                                  uint32_t ring_bytes)
{
    /* so small that they are full now and then */
    return __real_control_create(self, instance, durability, segment_bytes, ring_count,
                                 is_inside() ? RING_BYTES : ring_bytes);
}

enum status __wrap_ring_send(struct ring *self, uint64_t request_id, const void *message,
                             size_t length)
{
    if (is_inside()) current_yield(STEP_RING);
    return __real_ring_send(self, request_id, message, length);
}

void __wrap_ring_release_taken(struct ring *self)
{
    if (is_inside()) current_yield(STEP_RING);
    __real_ring_release_taken(self);
}

enum status __wrap_ring_seek(struct ring *self, uint64_t position)
{
    return calls_mistake == MISTAKE_SEQUENCES_TWICE ? STATUS_OK : __real_ring_seek(self, position);
}

/* It changes nothing but when a lock is freed, and here that is at once. */
void __wrap_undertaker_start(int lock_fd)
{
    if (!is_inside()) __real_undertaker_start(lock_fd);
}

/* ---- a snapshot's child ---- */

struct child {
    struct instance instance;
    struct snapshot_mark mark;
    struct engine *engine;
};

static void rest(void *context)
{
    (void)context;
    current_sleep(random_ns(0, DOZE_NS));
}

static int child_main(void *argument)
{
    const struct child *self = argument;
    const struct pace pace = {rest, NULL};
    return snapshot_write(&self->instance, self->engine, &self->mark, &pace) == STATUS_OK ? 0 : 1;
}

static void release_child(void *thing, size_t bytes)
{
    struct child *self = thing;
    __real_arena_unmap(self->engine, bytes);
    kernel_free(self);
}

/* What fork() would have given it: the state as it is now. */
pid_t __wrap_snapshot_child_start(const struct instance *instance, const struct engine *engine,
                                  const struct snapshot_mark *mark, int lock_fd)
{
    const struct limits *limits = engine_limits(engine);
    size_t bytes = engine_bytes(limits), state_bytes;
    struct child *child = kernel_alloc(sizeof *child);
    (void)lock_fd;
    *child = (struct child){.instance = *instance, .mark = *mark};
    child->engine = engine_init(__real_arena_map(bytes, 0), limits);
    const void *state = engine_state_block((struct engine *)engine, &state_bytes);
    memcpy(engine_state_block(child->engine, &state_bytes), state, state_bytes);
    struct process *p = process_start("snapshot", current_process()->pid, child_main, child);
    process_own(p, child, bytes, release_child);
    current_yield(STEP_START);
    return p->pid;
}
