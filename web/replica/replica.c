#include "web/replica/replica.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/arena.h"
#include "engine/bus/segment.h"
#include "engine/snapshot.h"

/* Whether the journal's first segment is where readers look for it, or nothing is yet. */
static bool has_beginning(const struct instance *instance, const struct control *control)
{
    char path[SEGMENT_PATH_BYTES];
    uint32_t first, last, missing;
    segment_memory_path(path, instance, JOURNAL_IN, 1);
    if (control && access(path, F_OK) == 0) return true;
    enum status status = segment_range(instance->journal_dir, JOURNAL_IN, &first, &last, &missing);
    /* what is missing in between, or cannot be read, is for the reader to say */
    return (status != STATUS_OK && status != STATUS_CORRUPT) || first <= 1;
}

static bool is_released(const struct control *control, seq_t in_seq)
{
    return !control || in_seq <= atomic_load_explicit(&control->released_seq, memory_order_acquire);
}

static enum status load(struct replica *self, const struct instance *instance,
                        const struct control *control, seq_t in_seq)
{
    struct snapshot_mark mark;
    enum status status =
        snapshot_load(instance, in_seq, 0, &self->engine, &self->engine_bytes, &mark);
    if (status != STATUS_OK) return status;
    self->in_seq = mark.in_seq;
    self->out_seq = mark.out_seq;
    self->time_ns = mark.time_ns;
    return journal_reader_open(&self->reader, instance, control, JOURNAL_IN, mark.in_seq + 1);
}

/* At the oldest snapshot that will do: it has the most history behind it. */
static enum status open_at_snapshot(struct replica *self, const struct instance *instance,
                                    const struct control *control)
{
    enum { LOOKED_AT_MAX = 64 };
    seq_t seqs[LOOKED_AT_MAX];
    unsigned count = 0;
    for (seq_t seq = snapshot_newest(instance, UINT64_MAX); seq && count < LOOKED_AT_MAX;
         seq = snapshot_newest(instance, seq))
        seqs[count++] = seq;
    while (count-- > 0)
        if (is_released(control, seqs[count]) &&
            load(self, instance, control, seqs[count]) == STATUS_OK)
            return STATUS_OK;
    return STATUS_NOT_FOUND;
}

enum status replica_open(struct replica *self, const struct instance *instance,
                         const struct control *control, const struct replica_listener *listener)
{
    memset(self, 0, sizeof *self);
    self->listener = *listener;
    if (!has_beginning(instance, control)) return open_at_snapshot(self, instance, control);
    return journal_reader_open(&self->reader, instance, control, JOURNAL_IN, 1);
}

/* The journal's first record says how the engine is laid out. */
static enum status lay_out(struct replica *self, const struct journal_record *command)
{
    struct limits limits;
    if (engine_read_limits(record_message(command), record_message_length(command), &limits))
        self->engine_bytes = engine_bytes(&limits);
    if (self->engine_bytes == 0) {
        snprintf(self->reader.where, sizeof self->reader.where,
                 "record %llu of `in` names no limits that an exchange can have",
                 (unsigned long long)command->seq);
        return STATUS_CORRUPT;
    }
    void *memory = arena_map(self->engine_bytes, 0);
    if (!memory) return STATUS_IO;
    self->engine = engine_init(memory, &limits);
    return STATUS_OK;
}

static void emit(void *context, const void *message, size_t length)
{
    struct replica *self = context;
    self->out_seq++;
    if (self->listener.event)
        self->listener.event(self->listener.context, self->stepping, self->out_seq, message,
                             length);
}

static void step(struct replica *self, const struct journal_record *command)
{
    const struct event_sink sink = {emit, self};
    self->stepping = command;
    if (self->listener.command) self->listener.command(self->listener.context, command);
    engine_step(self->engine, command->seq, command->time_ns, record_message(command),
                record_message_length(command), &sink);
    self->in_seq = command->seq;
    self->time_ns = command->time_ns;
    self->stepping = NULL;
    if (self->listener.stepped) self->listener.stepped(self->listener.context, command);
}

enum status replica_poll(struct replica *self, unsigned max, unsigned *stepped)
{
    *stepped = 0;
    while (*stepped < max) {
        const struct journal_record *command;
        enum status status = journal_next(&self->reader, &command);
        if (status == STATUS_EMPTY) break;
        if (status == STATUS_OK && !self->engine) status = lay_out(self, command);
        if (status != STATUS_OK) return status;
        step(self, command);
        (*stepped)++;
    }
    return STATUS_OK;
}

void replica_close(struct replica *self)
{
    journal_reader_close(&self->reader);
    arena_unmap(self->engine, self->engine_bytes);
    self->engine = NULL;
}
