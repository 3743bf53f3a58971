#include "server/ops/verify_replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/bus/clock.h"
#include "engine/bus/journal.h"
#include "engine/engine.h"
#include "engine/snapshot.h"

enum {
    SNAPSHOT_MAX = 64, /* looked at, newest first */
    PROGRESS_COMMANDS = 1 << 16,
    PROGRESS_NS = 1000 * 1000 * 1000,
};

struct verify_replay {
    const struct instance *instance;
    struct engine *engine; /* NULL until there is something to lay it out by */
    size_t engine_bytes;
    struct journal_reader in, out;
    const struct journal_record *command; /* in work */
    enum status status;                   /* of `out`, met while stepping */
    uint64_t commands;
    uint64_t compared;
    uint64_t missing; /* events that replay makes and `out` ends before: a crash's last ones */
    int64_t told_ns;  /* steady clock: when progress was shown last */
};

static enum status complain(const struct journal_reader *reader, enum status status)
{
    const char *name = reader->kind == JOURNAL_IN ? "in" : "out";
    if (status == STATUS_CORRUPT)
        fprintf(stderr, "%s\n", reader->where);
    else
        fprintf(stderr, "the %s journal cannot be read: %s: %s\n", name, status_text(status),
                strerror(errno));
    return status;
}

static void show_progress(struct verify_replay *self, const char *what, uint64_t count)
{
    if (count % PROGRESS_COMMANDS) return;
    int64_t now_ns = clock_steady_ns();
    if (now_ns - self->told_ns < PROGRESS_NS) return;
    self->told_ns = now_ns;
    fprintf(stderr, "%s %" PRIu64 "\n", what, count);
}

/* What a reader has found at its end: a torn record is what a loss of power leaves, and nothing was
 * lost by it; a file that has less than had been safe in it was cut by something else. */
static enum status judge_end(const struct journal_reader *reader)
{
    if (reader->where[0]) fprintf(stderr, "%s\n", reader->where);
    return reader->is_short ? STATUS_CORRUPT : STATUS_OK;
}

/* ---- records ---- */

/* Reads the journal from its oldest record to `last`: checksums and sequence are the reader's. */
static enum status check_records(struct verify_replay *self, enum journal_kind kind, seq_t last,
                                 uint64_t *checked)
{
    struct journal_reader reader;
    const struct journal_record *record;
    uint64_t ref = 0;
    int64_t time_ns = 0;
    enum status status = journal_reader_open_time(&reader, self->instance, NULL, kind, 0);
    *checked = 0;
    while (status == STATUS_OK && (status = journal_next(&reader, &record)) == STATUS_OK) {
        if (record->seq > last) break;
        if (record->time_ns < time_ns || (kind == JOURNAL_OUT && record->ref < ref)) {
            fprintf(stderr, "record %" PRIu64 " of %s comes before the one it follows\n",
                    record->seq, kind == JOURNAL_IN ? "in" : "out");
            status = STATUS_CORRUPT;
            break;
        }
        time_ns = record->time_ns;
        ref = record->ref;
        show_progress(self, "records checked", ++*checked);
    }
    if (status == STATUS_CORRUPT && reader.where[0]) (void)complain(&reader, status);
    if (status == STATUS_IO) (void)complain(&reader, status);
    if (status == STATUS_EMPTY) status = judge_end(&reader);
    journal_reader_close(&reader);
    return status;
}

static enum status check_records_to(struct verify_replay *self, seq_t in_last, seq_t out_last,
                                    const char *why)
{
    uint64_t in = 0, out = 0;
    enum status status = check_records(self, JOURNAL_IN, in_last, &in);
    if (status == STATUS_OK) status = check_records(self, JOURNAL_OUT, out_last, &out);
    if (status == STATUS_OK)
        printf("records checked%s: %" PRIu64 " of in, %" PRIu64 " of out\n", why, in, out);
    return status;
}

/* ---- where replay begins ---- */

static enum status open_readers(struct verify_replay *self, seq_t in_seq, seq_t out_seq)
{
    enum status status = journal_reader_open(&self->in, self->instance, NULL, JOURNAL_IN, in_seq);
    if (status != STATUS_OK) return status;
    return journal_reader_open(&self->out, self->instance, NULL, JOURNAL_OUT, out_seq);
}

static void close_readers(struct verify_replay *self)
{
    journal_reader_close(&self->in);
    journal_reader_close(&self->out);
}

/* Whether the journals go on from a snapshot: the command and the event that it ends with are
 * there, and are the ones it was made behind. */
static bool goes_on_from(struct verify_replay *self, const struct snapshot_mark *mark)
{
    const struct journal_record *command, *event;
    if (open_readers(self, mark->in_seq, mark->out_seq) == STATUS_OK &&
        journal_next(&self->in, &command) == STATUS_OK && command->crc == mark->in_crc &&
        journal_next(&self->out, &event) == STATUS_OK && event->ref == mark->in_seq)
        return true;
    close_readers(self);
    return false;
}

static bool begin_at(struct verify_replay *self, seq_t seq, struct snapshot_mark *mark)
{
    const char *why = "the journals do not go on from it";
    enum status status = snapshot_read_mark(self->instance, seq, mark);
    if (status == STATUS_OK && !goes_on_from(self, mark)) status = STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        status = snapshot_load(self->instance, seq, 0, &self->engine, &self->engine_bytes, mark);
        if (status == STATUS_OK) return true;
        close_readers(self);
    }
    if (status == STATUS_CORRUPT) why = "it is damaged";
    if (status == STATUS_INVALID) why = "it is of another version of this program";
    if (status == STATUS_IO) why = strerror(errno);
    fprintf(stderr, "snapshot %" PRIu64 " is passed over: %s\n", seq, why);
    return false;
}

/* The oldest that can be used: replay should cover as much as it can. */
static enum status begin_at_snapshot(struct verify_replay *self)
{
    seq_t seqs[SNAPSHOT_MAX];
    struct snapshot_mark mark;
    unsigned count = 0;
    for (seq_t seq = snapshot_newest(self->instance, UINT64_MAX); seq && count < SNAPSHOT_MAX;
         seq = snapshot_newest(self->instance, seq))
        seqs[count++] = seq;
    while (count > 0) {
        if (!begin_at(self, seqs[--count], &mark)) continue;
        printf("replay begins at snapshot %" PRIu64 ": what was before is removed by rule\n",
               mark.in_seq);
        return check_records_to(self, mark.in_seq, mark.out_seq, " up to the snapshot");
    }
    enum status status = check_records_to(self, UINT64_MAX, UINT64_MAX, "");
    return status == STATUS_OK ? STATUS_NOT_FOUND : status;
}

/* The sequence number that `in` begins with; 0: it is empty. */
static enum status find_oldest(struct verify_replay *self, seq_t *oldest)
{
    struct journal_reader reader;
    const struct journal_record *record;
    *oldest = 0;
    enum status status = journal_reader_open_time(&reader, self->instance, NULL, JOURNAL_IN, 0);
    if (status == STATUS_OK) status = journal_next(&reader, &record);
    if (status == STATUS_OK)
        *oldest = record->seq;
    else if (status != STATUS_EMPTY)
        (void)complain(&reader, status);
    journal_reader_close(&reader);
    return status == STATUS_EMPTY ? STATUS_OK : status;
}

/* ---- replay ---- */

/* The event that replay made must be the next of `out`, byte for byte. */
static enum status compare(struct verify_replay *self, const void *message, size_t length)
{
    const struct journal_record *event = NULL;
    enum status status = self->missing ? STATUS_EMPTY : journal_next(&self->out, &event);
    if (status == STATUS_EMPTY) {
        self->missing++;
        return STATUS_OK;
    }
    if (status != STATUS_OK) return complain(&self->out, status);
    self->compared++;
    if (event->ref == self->command->seq && record_message_length(event) == length &&
        memcmp(record_message(event), message, length) == 0)
        return STATUS_OK;
    fprintf(stderr, "event %" PRIu64 " is not what command %" PRIu64 " gives\n", event->seq,
            self->command->seq);
    return STATUS_CORRUPT;
}

static void on_event(void *context, const void *message, size_t length)
{
    struct verify_replay *self = context;
    if (self->status == STATUS_OK) self->status = compare(self, message, length);
}

/* The journal's first record says how the engine is laid out. */
static enum status lay_out(struct verify_replay *self, const struct journal_record *first)
{
    const struct command_configure *configure = record_message(first);
    if (first->header.template_id == COMMAND_CONFIGURE &&
        record_message_length(first) >= sizeof *configure)
        self->engine_bytes = engine_bytes(&configure->limits);
    if (self->engine_bytes == 0) {
        fprintf(stderr, "record %" PRIu64 " of in names no limits that an exchange can have\n",
                first->seq);
        return STATUS_CORRUPT;
    }
    void *memory = arena_map(self->engine_bytes, 0);
    if (!memory) {
        fprintf(stderr, "no memory for the engine: %zu MiB are needed\n", self->engine_bytes >> 20);
        return STATUS_IO;
    }
    self->engine = engine_init(memory, &configure->limits);
    return STATUS_OK;
}

static enum status step(struct verify_replay *self, const struct journal_record *command)
{
    const struct event_sink sink = {on_event, self};
    enum status status = self->engine ? STATUS_OK : lay_out(self, command);
    if (status != STATUS_OK) return status;
    self->command = command;
    engine_step(self->engine, command->seq, command->time_ns, record_message(command),
                record_message_length(command), &sink);
    show_progress(self, "commands replayed", ++self->commands);
    return self->status;
}

/* Events may have reached the disk before their commands; a loss of power then leaves events of
 * commands that nobody was told of, and the next start cuts them off. Others must not be there. */
static enum status look_behind_the_end(struct verify_replay *self)
{
    const struct journal_record *event;
    uint64_t ahead = 0;
    seq_t last = self->in.next_seq - 1;
    enum status status = self->missing ? STATUS_EMPTY : STATUS_OK;
    while (status == STATUS_OK && (status = journal_next(&self->out, &event)) == STATUS_OK) {
        if (event->ref <= last) {
            fprintf(stderr, "event %" PRIu64 " is not what command %" PRIu64 " gives\n", event->seq,
                    event->ref);
            return STATUS_CORRUPT;
        }
        ahead++;
    }
    if (ahead)
        printf("events whose commands the last crash kept from disk, to be cut: %" PRIu64 "\n",
               ahead);
    return status == STATUS_EMPTY ? judge_end(&self->out) : complain(&self->out, status);
}

static enum status replay(struct verify_replay *self)
{
    const struct journal_record *command;
    enum status status;
    while ((status = journal_next(&self->in, &command)) == STATUS_OK)
        if ((status = step(self, command)) != STATUS_OK) return status;
    if (status != STATUS_EMPTY) return complain(&self->in, status);
    status = judge_end(&self->in);
    enum status behind = look_behind_the_end(self);
    return status == STATUS_OK ? behind : status;
}

static void tell(const struct verify_replay *self)
{
    printf("commands %" PRIu64 ", events compared %" PRIu64, self->commands, self->compared);
    if (self->missing)
        printf(", events that the last crash kept from disk %" PRIu64, self->missing);
    if (self->engine) printf(", state %08" PRIx32, engine_state_hash(self->engine));
    printf("\n");
}

enum status verify_replay(const struct instance *instance)
{
    struct verify_replay self = {.instance = instance, .told_ns = clock_steady_ns()};
    seq_t oldest;
    enum status status = find_oldest(&self, &oldest);
    if (status != STATUS_OK) return status;
    status = oldest > 1 ? begin_at_snapshot(&self) : open_readers(&self, 1, 1);
    if (status == STATUS_OK) status = replay(&self);
    if (status != STATUS_NOT_FOUND) tell(&self);
    close_readers(&self);
    if (self.engine) arena_unmap(self.engine, self.engine_bytes);
    return status;
}
