#include "web/replica/replica.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/arena.h"

enum status replica_open(struct replica *self, const struct instance *instance,
                         const struct control *control, const struct replica_listener *listener)
{
    memset(self, 0, sizeof *self);
    self->listener = *listener;
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
