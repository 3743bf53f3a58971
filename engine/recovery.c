#define _GNU_SOURCE
#include "engine/recovery.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/arena.h"
#include "engine/bus/clock.h"
#include "engine/bus/journal.h"

enum { PROGRESS_EVERY = 1 << 20 }; /* commands */

struct replay {
    struct recovery *recovery;
    const struct instance *instance;
    struct control *control;
    _Atomic uint32_t *keeper_bell;
    struct journal_reader in;
    struct journal_reader out;
    const struct journal_record *command; /* in work */
    bool out_ended;                       /* events are appended from here on */
    enum status status;                   /* first failure met inside a step */
};

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

/* The end of `out` is reached: the writer goes on there. */
static enum status open_out(struct replay *self)
{
    self->out_ended = true;
    enum status status = journal_writer_open(self->recovery->out, self->instance, self->control,
                                             &self->out, self->keeper_bell);
    if (status != STATUS_OK)
        return fail(self->recovery, status, "cannot make the out journal's memory in %s: %s",
                    self->instance->shm_dir, status_text(status));
    return STATUS_OK;
}

static enum status compare(struct replay *self, const struct journal_record *event,
                           const void *message, size_t length)
{
    if (event->ref == self->command->seq && record_message_length(event) == length &&
        memcmp(record_message(event), message, length) == 0)
        return STATUS_OK;
    const struct sbe_header *made = message;
    return fail(self->recovery, STATUS_CORRUPT,
                "command %" PRIu64 " of the in journal gives an event (template %u) that is not "
                "event %" PRIu64 " of the out journal (template %u, caused by %" PRIu64 "): this "
                "program is not the one that wrote the journal, or one of them is damaged",
                self->command->seq, made->template_id, event->seq, event->header.template_id,
                event->ref);
}

static void emit_replayed(void *context, const void *message, size_t length)
{
    struct replay *self = context;
    if (self->status != STATUS_OK) return;
    self->recovery->events++;
    const struct journal_record *event;
    if (!self->out_ended) {
        enum status status = journal_next(&self->out, &event);
        if (status == STATUS_OK) {
            self->status = compare(self, event, message, length);
            return;
        }
        self->status = status == STATUS_EMPTY ? open_out(self)
                                              : fail_reading(self->recovery, status, &self->out);
        if (self->status != STATUS_OK) return;
    }
    while (!journal_writer_ready(self->recovery->out))
        if (journal_writer_keep(self->recovery->out) != STATUS_OK) {
            self->status =
                fail(self->recovery, STATUS_IO, "no memory left in %s", self->instance->shm_dir);
            return;
        }
    (void)journal_append(self->recovery->out, self->command->seq, self->command->origin,
                         self->command->time_ns, message, length);
}

static enum status make_engine(struct recovery *self, const struct limits *limits)
{
    size_t bytes = engine_bytes(limits);
    if (!bytes) return fail(self, STATUS_INVALID, "a limit is out of its range");
    void *memory = arena_map(bytes, 1);
    if (!memory)
        return fail(self, STATUS_IO, "no memory for the engine: %zu MiB are needed", bytes >> 20);
    self->engine = engine_init(memory, limits);
    return STATUS_OK;
}

/* The first record says how large everything is. */
static enum status make_engine_from(struct recovery *self, const struct journal_record *first)
{
    const struct command_configure *configure = record_message(first);
    if (first->header.template_id != COMMAND_CONFIGURE ||
        record_message_length(first) < sizeof *configure)
        return fail(self, STATUS_CORRUPT, "the in journal does not begin with its limits");
    return make_engine(self, &configure->limits);
}

static enum status replay_one(struct replay *self, const struct journal_record *command)
{
    struct recovery *recovery = self->recovery;
    if (!recovery->engine) {
        enum status status = make_engine_from(recovery, command);
        if (status != STATUS_OK) return status;
    }
    struct event_sink sink = {emit_replayed, self};
    self->command = command;
    engine_step(recovery->engine, command->seq, command->time_ns, record_message(command),
                record_message_length(command), &sink);
    uint16_t source = origin_source(command->origin);
    if (source <= CONTROL_RING_MAX && command->ref) recovery->ring_position[source] = command->ref;
    recovery->commands++;
    if (recovery->commands % PROGRESS_EVERY == 0)
        fprintf(stderr, "hoga-core: replayed %" PRIu64 " commands\n", recovery->commands);
    return self->status;
}

static enum status replay_all(struct replay *self)
{
    for (;;) {
        const struct journal_record *command;
        enum status status = journal_next(&self->in, &command);
        if (status == STATUS_EMPTY) return STATUS_OK;
        if (status != STATUS_OK) return fail_reading(self->recovery, status, &self->in);
        status = replay_one(self, command);
        if (status != STATUS_OK) return status;
    }
}

static enum status open_writers(struct replay *self)
{
    enum status status = journal_writer_open(self->recovery->in, self->instance, self->control,
                                             &self->in, self->keeper_bell);
    if (status != STATUS_OK)
        return fail(self->recovery, status, "cannot make the in journal's memory in %s: %s",
                    self->instance->shm_dir, status_text(status));
    self->recovery->in->last_time_ns = self->command ? self->command->time_ns : 0;
    if (self->out_ended) return STATUS_OK;
    const struct journal_record *event;
    status = journal_next(&self->out, &event);
    if (status != STATUS_OK && status != STATUS_EMPTY)
        return fail_reading(self->recovery, status, &self->out);
    if (status == STATUS_OK) { /* further than `in`: go back to before it */
        self->out.offset -= record_length(atomic_load(&event->frame));
        self->out.next_seq--;
        fprintf(stderr, "hoga-core: out journal cut behind event %" PRIu64 ", to what in says\n",
                self->out.next_seq - 1);
    }
    return open_out(self);
}

enum status recovery_run(struct recovery *self, const struct instance *instance,
                         struct control *control, const struct limits *limits,
                         _Atomic uint32_t *keeper_bell)
{
    struct replay replay = {
        .recovery = self, .instance = instance, .control = control, .keeper_bell = keeper_bell};
    int64_t start_ns = clock_steady_ns();
    enum status status = journal_reader_open_recovery(&replay.in, instance, control, JOURNAL_IN);
    if (status == STATUS_OK)
        status = journal_reader_open_recovery(&replay.out, instance, control, JOURNAL_OUT);
    if (status != STATUS_OK) return fail(self, status, "%s", status_text(status));
    status = replay_all(&replay);
    if (status == STATUS_OK && !self->engine) status = make_engine(self, limits);
    if (status == STATUS_OK) status = open_writers(&replay);
    if (status == STATUS_OK && replay.in.where[0])
        fprintf(stderr, "hoga-core: %s\n", replay.in.where);
    if (status == STATUS_OK && self->commands)
        fprintf(stderr,
                "hoga-core: replayed %" PRIu64 " commands, %" PRIu64
                " events equal, state %08" PRIx32 ", in %" PRId64 " ms\n",
                self->commands, self->events, engine_state_hash(self->engine),
                (clock_steady_ns() - start_ns) / 1000000);
    journal_reader_close(&replay.in);
    journal_reader_close(&replay.out);
    return status;
}
