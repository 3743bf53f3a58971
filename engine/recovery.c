#define _GNU_SOURCE
#include "engine/recovery.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/arena.h"
#include "engine/base/check.h"
#include "engine/bus/archive.h"
#include "engine/bus/clock.h"
#include "engine/bus/journal.h"
#include "engine/bus/segment.h"
#include "engine/command_run.h"

enum { PROGRESS_EVERY = 1 << 20 }; /* commands */

static enum status fail(struct recovery *self, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum status fail(struct recovery *self, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(self->problem, sizeof self->problem, format, arguments);
    va_end(arguments);
    return status;
}

/* What a reader that failed has to say. */
static enum status fail_reading(struct recovery *self, enum status status,
                                const struct journal_reader *reader)
{
    if (reader->where[0]) return fail(self, status, "%s", reader->where);
    return fail(self, status, "cannot read the %s journal: %s: %s",
                reader->kind == JOURNAL_IN ? "in" : "out", status_text(status), strerror(errno));
}

/* ---- events ---- */

/* Whoever stands at the end of an archive, since there is no memory of it, has the rest cut off. */
static enum status cut_behind(struct recovery *self, const struct journal_reader *end)
{
    const struct journal_record *record;
    uint32_t segment = end->segment ? end->segment : 1;
    uint64_t offset = end->segment ? end->offset : 0;
    if (end->segment && end->in_memory) return STATUS_OK;
    if (end->segment &&
        segment_look(end->map, end->map_bytes, end->offset, &record) == SEGMENT_END) {
        segment++; /* the mark stays, and the next segment has nothing yet */
        offset = 0;
    }
    enum status status = archive_cut(self->instance, end->kind, segment, offset);
    return status == STATUS_OK ? STATUS_OK
                               : fail(self, status, "cannot cut the torn end of the %s journal: %s",
                                      end->kind == JOURNAL_IN ? "in" : "out", strerror(errno));
}

/* The end of `out` is reached: the writer goes on there. */
static enum status open_out(struct recovery *self)
{
    enum status status = cut_behind(self, &self->out);
    if (status != STATUS_OK) return status;
    status = journal_writer_open(self->out_writer, self->instance, self->control, &self->out,
                                 self->keeper_bell);
    if (status != STATUS_OK)
        return fail(self, status, "cannot make the out journal's memory in %s: %s",
                    self->instance->shm_dir, status_text(status));
    self->may_append = true;
    return STATUS_OK;
}

/* Whether an event says what its older version had words for, and the rest is zero: but for the
 * limits, where version 1 left out what has a default. */
static bool is_same_by_older_version(const struct sbe_header *event, const struct sbe_header *made)
{
    const uint8_t *block = (const uint8_t *)(event + 1), *made_block = (const uint8_t *)(made + 1);
    size_t length = event->block_length;
    if (event->version >= made->version || event->template_id != made->template_id ||
        event->schema_id != made->schema_id || length > made->block_length)
        return false;
    if (made->template_id == EVENT_CONFIGURED) return true;
    for (size_t i = length; i < made->block_length; i++)
        if (made_block[i]) return false;
    return memcmp(block, made_block, length) == 0;
}

static enum status compare(struct recovery *self, const struct journal_record *event,
                           const void *message, size_t length)
{
    const struct sbe_header *made = message;
    if (event->ref == self->command->seq &&
        ((record_message_length(event) == length &&
          memcmp(record_message(event), message, length) == 0) ||
         is_same_by_older_version(&event->header, made)))
        return STATUS_OK;
    return fail(self, STATUS_CORRUPT,
                "command %" PRIu64 " of the in journal gives an event (template %u) that is not "
                "event %" PRIu64 " of the out journal (template %u, caused by %" PRIu64 "): this "
                "program is not the one that wrote the journal, or one of them is damaged",
                self->command->seq, made->template_id, event->seq, event->header.template_id,
                event->ref);
}

static enum status append(struct recovery *self, const void *message, size_t length)
{
    while (!journal_writer_ready(self->out_writer))
        if (journal_writer_keep(self->out_writer, NULL) != STATUS_OK)
            return fail(self, STATUS_IO, "no memory left in %s", self->instance->shm_dir);
    (void)journal_append(self->out_writer, self->command->seq, self->command->origin,
                         self->command->time_ns, message, length);
    return STATUS_OK;
}

static enum status replay_event(struct recovery *self, const void *message, size_t length)
{
    const struct journal_record *event;
    if (self->may_append) return append(self, message, length);
    enum status status = journal_next(&self->out, &event);
    if (status == STATUS_OK) {
        self->mark.out_seq = event->seq;
        return compare(self, event, message, length);
    }
    if (status != STATUS_EMPTY) return fail_reading(self, status, &self->out);
    if (!self->out_writer)
        return fail(self, STATUS_CORRUPT, "command %" PRIu64 " gives an event that is not in `out`",
                    self->command->seq);
    status = open_out(self);
    return status == STATUS_OK ? append(self, message, length) : status;
}

static void emit_replayed(void *context, const void *message, size_t length)
{
    struct recovery *self = context;
    if (self->status != STATUS_OK) return;
    self->events++;
    self->status = replay_event(self, message, length);
}

/* ---- commands ---- */

static enum status make_engine(struct recovery *self, const struct limits *limits)
{
    size_t bytes = engine_bytes(limits);
    if (!bytes) return fail(self, STATUS_INVALID, "a limit is out of its range");
    void *memory = arena_map(bytes, 1);
    if (!memory)
        return fail(self, STATUS_IO, "no memory for the engine: %zu MiB are needed", bytes >> 20);
    self->engine = engine_init(memory, limits);
    self->engine_bytes = bytes;
    return STATUS_OK;
}

/* The first record says how large everything is. */
static enum status make_engine_from(struct recovery *self, const struct journal_record *first)
{
    struct limits limits;
    if (!engine_read_limits(record_message(first), record_message_length(first), &limits))
        return fail(self, STATUS_CORRUPT, "the in journal does not begin with its limits");
    return make_engine(self, &limits);
}

static enum status replay_one(struct recovery *self, const struct journal_record *command)
{
    if (!self->engine) {
        enum status status = make_engine_from(self, command);
        if (status != STATUS_OK) return status;
    }
    struct event_sink sink = {emit_replayed, self};
    self->command = command;
    engine_step(self->engine, command->seq, command->time_ns, record_message(command),
                record_message_length(command), &sink);
    uint16_t source = origin_source(command->origin);
    if (source <= CONTROL_RING_MAX && command->ref) self->mark.ring_position[source] = command->ref;
    self->mark.in_seq = command->seq;
    self->mark.in_position = journal_reader_position_of(&self->in, command);
    self->mark.in_crc = command->crc;
    self->mark.time_ns = command->time_ns;
    self->mark.out_position = journal_reader_position(&self->out);
    self->commands++;
    return self->status;
}

static enum status next_command(struct recovery *self, const struct journal_record **command)
{
    enum status status = journal_next(&self->in, command);
    if (status == STATUS_OK || status == STATUS_EMPTY) return status;
    if (status == STATUS_CORRUPT && !self->commands && self->foreign_snapshots)
        return fail(self, status,
                    "%s; all snapshots behind that are another program's: start that program, or "
                    "bring the journal's beginning back",
                    self->in.where);
    return fail_reading(self, status, &self->in);
}

/* Reads on while the segment lasts: at most `max`, and none behind `up_to`. */
static enum status gather(struct recovery *self, seq_t up_to, unsigned max, struct command_run *run)
{
    if (max > COMMAND_RUN_MAX) max = COMMAND_RUN_MAX;
    command_run_begin(run, self->engine);
    while (run->count < max && self->in.next_seq <= up_to) {
        const struct journal_record *command;
        self->in.holds = run->count > 0;
        enum status status = next_command(self, &command);
        self->in.holds = false;
        if (status == STATUS_EMPTY && run->count) return STATUS_OK; /* of this segment, for now */
        if (status != STATUS_OK) return status;
        command_run_add(run, self->engine, command);
    }
    return STATUS_OK;
}

static enum status replay_run(struct recovery *self, struct command_run *run)
{
    for (unsigned i = 0; i < run->count; i++) {
        command_run_look(run, self->engine, i);
        enum status status = replay_one(self, run->records[i]);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* The engine is made from it. */
static enum status replay_first(struct recovery *self, unsigned *stepped)
{
    const struct journal_record *command;
    enum status status = next_command(self, &command);
    *stepped = status == STATUS_OK;
    return status == STATUS_OK ? replay_one(self, command) : status;
}

/* Gathers and steps one run; says how many it had. What was read before a failure is stepped. */
static enum status replay_some(struct recovery *self, seq_t up_to, unsigned max, unsigned *stepped)
{
    struct command_run run;
    if (!self->engine) return replay_first(self, stepped);
    enum status read = gather(self, up_to, max, &run);
    enum status status = replay_run(self, &run);
    *stepped = run.count;
    return status == STATUS_OK ? read : status;
}

enum status recovery_follow(struct recovery *self, seq_t up_to, unsigned max, unsigned *stepped)
{
    self->begun_ns = clock_steady_ns();
    for (*stepped = 0; *stepped < max && self->in.next_seq <= up_to;) {
        unsigned count;
        enum status status = replay_some(self, up_to, max - *stepped, &count);
        *stepped += count;
        if (status == STATUS_EMPTY) return STATUS_OK;
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static enum status replay_all(struct recovery *self)
{
    uint64_t told = self->commands;
    for (;;) {
        unsigned count;
        enum status status = replay_some(self, UINT64_MAX, COMMAND_RUN_MAX, &count);
        if (status == STATUS_EMPTY) return STATUS_OK;
        if (status != STATUS_OK) return status;
        read_ahead_at(&self->ahead, journal_reader_position(&self->in),
                      journal_reader_position(&self->out));
        if (self->commands - told < PROGRESS_EVERY) continue;
        told = self->commands;
        fprintf(stderr, "hoga-core: replayed %" PRIu64 " commands\n", self->commands);
    }
}

/* ---- where to begin ---- */

/* Opens both readers where a snapshot stands. The first record of `in` is the snapshot's last, and
 * must be the one that it was made behind. */
static enum status open_at(struct recovery *self, const struct snapshot_mark *mark)
{
    const struct journal_record *last;
    enum status status = journal_reader_open_following(&self->in, self->instance, self->control,
                                                       JOURNAL_IN, mark->in_seq, mark->in_position);
    if (status == STATUS_OK) {
        self->in.recovering = true; /* also where nobody writes now */
        status = journal_next(&self->in, &last);
        if (status == STATUS_OK && last->crc != mark->in_crc) status = STATUS_CORRUPT;
        self->in.recovering = false;
    }
    if (status == STATUS_OK)
        status = journal_reader_open_following(&self->out, self->instance, self->control,
                                               JOURNAL_OUT, mark->out_seq + 1, mark->out_position);
    if (status != STATUS_OK) recovery_close(self);
    return status;
}

static enum status try_snapshot(struct recovery *self, seq_t seq)
{
    struct snapshot_mark mark;
    enum status status = snapshot_read_mark(self->instance, seq, &mark);
    const char *why = "it is another program's";
    if (status == STATUS_CORRUPT) why = "it is damaged";
    if (status == STATUS_IO) why = strerror(errno);
    if (status == STATUS_OK) {
        status = open_at(self, &mark);
        why = "the journals do not go on from it";
    }
    if (status == STATUS_OK) {
        status = snapshot_load(self->instance, seq, 1, &self->engine, &self->engine_bytes, &mark);
        why = status == STATUS_CORRUPT ? "it is damaged" : "it cannot be read";
        if (status != STATUS_OK) recovery_close(self);
    }
    if (status == STATUS_OK) {
        self->mark = mark;
        self->snapshot_seq = seq;
        return STATUS_OK;
    }
    if (status == STATUS_INVALID) self->foreign_snapshots++;
    fprintf(stderr, "hoga-core: snapshot %" PRIu64 " is passed over: %s\n", seq, why);
    return status;
}

/* Lays the engine out before there is anything to step, if the journal has begun: what is wrong
 * with it is found when it is read in turn. */
static enum status make_engine_ahead(struct recovery *self)
{
    struct journal_reader reader;
    const struct journal_record *first;
    enum status status =
        journal_reader_open_recovery(&reader, self->instance, self->control, JOURNAL_IN);
    if (status == STATUS_OK) status = journal_next(&reader, &first);
    status = status == STATUS_OK ? make_engine_from(self, first) : STATUS_OK;
    journal_reader_close(&reader);
    return status;
}

enum status recovery_begin(struct recovery *self, const struct instance *instance,
                           struct control *control)
{
    memset(self, 0, sizeof *self);
    self->instance = instance;
    self->control = control;
    self->begun_ns = clock_steady_ns();
    for (seq_t seq = snapshot_newest(instance, UINT64_MAX); seq;
         seq = snapshot_newest(instance, seq))
        if (try_snapshot(self, seq) == STATUS_OK) return STATUS_OK;
    enum status status =
        journal_reader_open_following(&self->in, instance, control, JOURNAL_IN, 1, 0);
    if (status == STATUS_OK)
        status = journal_reader_open_following(&self->out, instance, control, JOURNAL_OUT, 1, 0);
    if (status != STATUS_OK) return fail(self, status, "%s", status_text(status));
    return make_engine_ahead(self);
}

/* ---- the end ---- */

static enum status open_writers(struct recovery *self, struct journal_writer *in)
{
    enum status status = cut_behind(self, &self->in);
    if (status != STATUS_OK) return status;
    status = journal_writer_open(in, self->instance, self->control, &self->in, self->keeper_bell);
    if (status != STATUS_OK)
        return fail(self, status, "cannot make the in journal's memory in %s: %s",
                    self->instance->shm_dir, status_text(status));
    in->last_time_ns = self->mark.time_ns;
    if (self->may_append) return STATUS_OK;
    const struct journal_record *event;
    status = journal_next(&self->out, &event);
    if (status != STATUS_OK && status != STATUS_EMPTY)
        return fail_reading(self, status, &self->out);
    if (status == STATUS_OK) { /* further than `in`: go back to before it */
        self->out.offset -= record_length(atomic_load(&event->frame));
        self->out.next_seq--;
        fprintf(stderr, "hoga-core: out journal cut behind event %" PRIu64 ", to what in says\n",
                self->out.next_seq - 1);
    }
    return open_out(self);
}

/* Without the state's hash: it reads hundreds of megabytes, and clients may be waiting. */
static void tell(const struct recovery *self)
{
    char from[64] = "";
    if (self->in.where[0]) fprintf(stderr, "hoga-core: %s\n", self->in.where);
    if (!self->commands && !self->snapshot_seq) return;
    if (self->snapshot_seq)
        (void)snprintf(from, sizeof from, " behind snapshot %" PRIu64, self->snapshot_seq);
    fprintf(stderr,
            "hoga-core: replayed %" PRIu64 " commands%s, %" PRIu64
            " events equal, ready in %" PRId64 " ms\n",
            self->commands, from, self->events, (clock_steady_ns() - self->begun_ns) / 1000000);
}

/* Who follows a primary has it all in memory. */
static void begin_reading_ahead(struct recovery *self)
{
    const uint64_t position[2] = {journal_reader_position(&self->in),
                                  journal_reader_position(&self->out)};
    if (!self->in.in_memory) read_ahead_start(&self->ahead, self->instance, position);
}

enum status recovery_finish(struct recovery *self, const struct limits *limits,
                            struct journal_writer *in, struct journal_writer *out,
                            _Atomic uint32_t *keeper_bell)
{
    self->in.recovering = self->out.recovering = true;
    self->out_writer = out;
    self->keeper_bell = keeper_bell;
    begin_reading_ahead(self);
    enum status status = replay_all(self);
    read_ahead_stop(&self->ahead);
    if (status == STATUS_OK && !self->engine) status = make_engine(self, limits);
    if (status == STATUS_OK) status = open_writers(self, in);
    if (status == STATUS_OK) tell(self);
    recovery_close(self);
    return status;
}

void recovery_close(struct recovery *self)
{
    journal_reader_close(&self->in);
    journal_reader_close(&self->out);
}
