/* life.h - lives of a core without its process, for tests: begin() recovers and opens the journals
 * as hoga-core does, step() sequences a command of a random stream, archive() brings the journals
 * to disk, and a life ends as the test wants it to. What a life knew is remembered by command, so
 * that the next can be held against it.
 *
 * Each has a data directory and a directory in /dev/shm of its own.
 */
#ifndef HOGA_TEST_LIFE_H
#define HOGA_TEST_LIFE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "engine/base/crc32c.h"
#include "engine/bus/archiver.h"
#include "engine/bus/segment.h"
#include "engine/recovery.h"
#include "engine/snapshot.h"
#include "tests/model/command_stream.h"

enum { LIFE_COMMANDS = 700 };

struct life {
    char dir[64];
    struct instance instance;
    struct control *control;
    struct station *station;
    struct journal_writer in, out;
    struct archiver archiver;
    struct recovery recovery;
    struct engine *engine;
    _Atomic uint32_t bell;
    struct stream *stream;
    struct stream_answers answers;
    uint32_t next;  /* command of the stream */
    uint32_t index; /* of the command in work */
    const struct journal_record *stepping;
    uint32_t events; /* CRC-32C of all events of all lives so far */
    /* behind each command of `in`, by its number */
    uint32_t events_then[LIFE_COMMANDS + 2];
    uint32_t hash_then[LIFE_COMMANDS + 2];
    seq_t out_then[LIFE_COMMANDS + 2];
    uint32_t index_then[LIFE_COMMANDS + 2]; /* of the stream's command that came next */
};

static inline void life_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline void life_shell(const char *format, ...)
{
    char command[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    assert_int_equal(system(command), 0);
}

static inline void life_make(struct life *self, uint64_t seed)
{
    memset(self, 0, sizeof *self);
    (void)snprintf(self->dir, sizeof self->dir, "/tmp/hoga_life.XXXXXX");
    assert_non_null(mkdtemp(self->dir));
    assert_int_equal(instance_create(&self->instance, self->dir), STATUS_OK);
    self->stream = stream_create(seed, LIFE_COMMANDS);
    stream_answers_open(&self->answers, self->stream);
}

static inline void life_remove(struct life *self)
{
    stream_answers_close(&self->answers);
    stream_destroy(self->stream);
    instance_remove_shm(&self->instance);
    life_shell("rm -rf %s", self->dir);
}

/* As hoga-core starts; the archiver is polled instead of being a thread. */
static inline enum status life_begin(struct life *self)
{
    assert_int_equal(control_create(&self->control, &self->instance, DURABILITY_DISK,
                                    JOURNAL_SEGMENT_MIN_BYTES, 1, 4096),
                     STATUS_OK);
    assert_int_equal(control_claim_core(self->control, &self->instance, &self->station), STATUS_OK);
    enum status status = recovery_begin(&self->recovery, &self->instance, self->control);
    if (status == STATUS_OK)
        status = recovery_finish(&self->recovery, &self->stream->limits, &self->in, &self->out,
                                 &self->bell);
    self->engine = self->recovery.engine;
    if (status != STATUS_OK) print_message("named: %s\n", self->recovery.problem);
    if (status == STATUS_OK)
        archiver_init(&self->archiver, &self->instance, self->control, self->station);
    return status;
}

/* The process is gone; files and shared memory are as they are. */
static inline void life_end(struct life *self)
{
    if (self->archiver.control) {
        archive_close(&self->archiver.in);
        archive_close(&self->archiver.out);
        bell_ringer_close(&self->archiver.bells);
        journal_writer_close(&self->in);
        journal_writer_close(&self->out);
        self->archiver.control = NULL;
    }
    recovery_close(&self->recovery);
    arena_unmap(self->recovery.engine, self->recovery.engine_bytes);
    self->recovery.engine = self->engine = NULL;
    control_close(self->control);
    self->control = NULL;
}

static inline void life_emit(void *context, const void *message, size_t length)
{
    struct life *self = context;
    self->events = crc32c(self->events, message, length);
    stream_answers_note(&self->answers, self->index, message);
    (void)journal_append(&self->out, self->stepping->seq, 0, self->stepping->time_ns, message,
                         length);
}

/* Sequences the stream's next command; false at its end. What no ring lets through is left out. */
static inline bool life_step(struct life *self)
{
    const struct event_sink sink = {life_emit, self};
    if (self->next == self->stream->count) return false;
    self->index = self->next++;
    const struct stream_command *command = &self->stream->commands[self->index];
    uint8_t *message = stream_message(self->stream, self->index, &self->answers);
    struct sbe_header header = {.block_length = UINT16_MAX};
    if (command->length >= sizeof header) memcpy(&header, message, sizeof header);
    if (command->length == sizeof header + header.block_length) {
        assert_int_equal(journal_writer_keep(&self->in, NULL), STATUS_OK);
        assert_int_equal(journal_writer_keep(&self->out, NULL), STATUS_OK);
        const struct journal_record *r =
            journal_append(&self->in, 0, 0, command->time_ns, message, command->length);
        self->stepping = r;
        engine_step(self->engine, r->seq, r->time_ns, record_message(r), record_message_length(r),
                    &sink);
        self->events_then[r->seq] = self->events;
        self->hash_then[r->seq] = engine_state_hash(self->engine);
        self->out_then[r->seq] = self->out.next_seq - 1;
        self->index_then[r->seq] = self->next;
    }
    free(message);
    return true;
}

static inline void life_run(struct life *self, uint32_t commands)
{
    while (commands-- && life_step(self)) continue;
}

/* All that is written is safe on disk. */
static inline void life_archive(struct life *self)
{
    while (archiver_poll(&self->archiver)) continue;
    archiver_idle(&self->archiver);
    assert_int_equal(atomic_load(&self->control->in.durable_seq), self->in.next_seq - 1);
    assert_int_equal(atomic_load(&self->control->out.durable_seq), self->out.next_seq - 1);
}

/* The power fails: memory is gone, the disk stays. */
static inline void life_lose_memory(struct life *self)
{
    instance_remove_shm(&self->instance);
    assert_int_equal(instance_create(&self->instance, self->dir), STATUS_OK);
}

/* Where the life stands, for a snapshot. All must be archived. */
static inline struct snapshot_mark life_mark(struct life *self)
{
    struct snapshot_mark mark = {.in_seq = self->in.next_seq - 1,
                                 .out_seq = self->out.next_seq - 1,
                                 .out_position = journal_writer_position(&self->out)};
    struct journal_reader reader;
    const struct journal_record *last;
    assert_int_equal(journal_reader_open_following(&reader, &self->instance, self->control,
                                                   JOURNAL_IN, mark.in_seq, 0),
                     STATUS_OK);
    assert_int_equal(journal_next(&reader, &last), STATUS_OK);
    mark.in_position = journal_reader_position_of(&reader, last);
    mark.in_crc = last->crc;
    mark.time_ns = last->time_ns;
    journal_reader_close(&reader);
    return mark;
}

static inline seq_t life_snapshot(struct life *self)
{
    life_archive(self);
    struct snapshot_mark mark = life_mark(self);
    assert_int_equal(snapshot_write(&self->instance, self->engine, &mark, NULL), STATUS_OK);
    assert_int_equal(snapshot_publish(&self->instance, mark.in_seq), STATUS_OK);
    return mark.in_seq;
}

static inline void life_snapshot_path(char path[256], const struct life *self, seq_t seq)
{
    (void)snprintf(path, 256, "%s/snapshots/%020llu.snap", self->dir, (unsigned long long)seq);
}

/* What a recovered life must be: what the one before was behind command `in_seq`. */
static inline void life_expect_at(struct life *self, seq_t in_seq)
{
    assert_int_equal(self->in.next_seq, in_seq + 1);
    assert_int_equal(self->out.next_seq, self->out_then[in_seq] + 1);
    assert_int_equal(engine_state_hash(self->engine), self->hash_then[in_seq]);
    engine_validate(self->engine);
    self->events = self->events_then[in_seq];
    self->next = self->index_then[in_seq];
}

#endif
