/* hoga-reporter: both journals, merged, into PostgreSQL - exactly once, whatever dies.
 *
 *   `in`  --+                       +-> orders, executions, trades, ... --+
 *           +--> batch (merge) -----+                                     +--> one transaction
 *   `out` --+                       +-> cursor ---------------------------+
 *
 * When PostgreSQL is away it falls behind, tries again and catches up; nothing else waits for it.
 * One thread.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal.h"
#include "engine/bus/reader_marks.h"
#include "server/reporter/batch.h"
#include "server/reporter/database.h"
#include "server/reporter/schema.h"

enum {
    BATCH_COMMAND_MAX = 10000,
    BATCH_EVENT_MAX = 40000,
    GATHER_MS = 150,        /* between small batches: fewer transactions under load */
    BACKOFF_FIRST_MS = 100, /* PostgreSQL away: doubles ... */
    BACKOFF_MAX_MS = 5000,  /* ... up to this */
    AHEAD_GRACE_MS = 5000,  /* a core that starts needs a moment to know where it is */
    MARK_MS = 1000,         /* between two notes of what the archive must keep */
    STOP_MAX_MS = 5000,     /* to write what is released already, once asked to stop */
};

#define MARK_NAME "reporter"

struct reporter {
    const char *data_dir;
    const char *conninfo;
    char sql_dir[PATH_MAX];
    bool rebuild;

    struct instance instance;
    struct control *control;
    struct station *station;
    int bell;
    int signals;
    bool stopping;
    int64_t stop_deadline_ms;

    struct database database;
    seq_t in_seq, out_seq; /* the cursor, as PostgreSQL has it */
    struct journal_reader in, out;
    bool reading;                         /* in and out are open */
    const struct journal_record *command; /* in work; NULL: read the next */
    const struct journal_record *event;   /* read, not taken yet */
    struct batch batch;
    uint32_t in_marked, out_marked; /* segments that the archive was told to keep from; 0: none */
    int64_t marked_ms;

    _Atomic uint64_t *batches, *events, *fills, *reconnects, *failures;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for the bell (if `bell`), a signal, or so long; notices that it is to stop. */
static void wait_ms(struct reporter *self, bool bell, int ms)
{
    struct pollfd fds[2] = {{.fd = self->signals, .events = POLLIN},
                            {.fd = self->bell, .events = POLLIN}};
    if (poll(fds, bell ? 2 : 1, ms) <= 0 || !(fds[0].revents & POLLIN)) return;
    struct signalfd_siginfo got;
    if (read(self->signals, &got, sizeof got) == (ssize_t)sizeof got && !self->stopping) {
        self->stopping = true;
        self->stop_deadline_ms = now_ms() + STOP_MAX_MS;
    }
}

static void stop_reading(struct reporter *self)
{
    if (self->reading) {
        journal_reader_close(&self->in);
        journal_reader_close(&self->out);
    }
    self->reading = false;
    self->command = self->event = NULL;
}

static void publish_cursor(struct reporter *self)
{
    atomic_store_explicit(&self->station->in_seq, self->in_seq, memory_order_relaxed);
    atomic_store_explicit(&self->station->out_seq, self->out_seq, memory_order_relaxed);
}

/* ---- what the archive must keep ---- */

static enum status keep_everything(struct reporter *self)
{
    self->in_marked = self->out_marked = 0;
    enum status status = reader_mark_write(&self->instance, MARK_NAME, 1, 1);
    if (status != STATUS_OK)
        fprintf(stderr, "cannot note what the archive must keep in %s/readers: %s\n",
                self->instance.journal_dir, strerror(errno));
    return status;
}

/* Until PostgreSQL has said how far it is, everything: unless a former life knew. */
static enum status claim_archive(struct reporter *self)
{
    return reader_mark_exists(&self->instance, MARK_NAME) ? STATUS_OK : keep_everything(self);
}

/* Between batches: what is read and not committed lies in the segments that are being read. */
static void mark_archive(struct reporter *self)
{
    uint32_t in = self->in.segment, out = self->out.segment;
    if (!in || !out || (in == self->in_marked && out == self->out_marked)) return;
    int64_t now = now_ms();
    if (self->in_marked && now - self->marked_ms < MARK_MS) return;
    self->marked_ms = now;
    if (reader_mark_write(&self->instance, MARK_NAME, in, out) != STATUS_OK) {
        counter_add(self->failures, 1); /* the archive keeps more than it need */
        return;
    }
    self->in_marked = in;
    self->out_marked = out;
}

/* The journal must reach at least to the cursor: else it is not the journal that was reported. */
static enum status check_ahead(struct reporter *self)
{
    for (int64_t until = now_ms() + AHEAD_GRACE_MS; !self->stopping; wait_ms(self, false, 50)) {
        seq_t released = atomic_load_explicit(&self->control->released_seq, memory_order_acquire);
        if (self->in_seq <= released) return STATUS_OK;
        if (now_ms() < until) continue;
        fprintf(stderr,
                "the database has commands up to %" PRIu64 ", but the journal in %s ends at "
                "%" PRIu64 ": restore that directory, or run hoga up --rebuild-reports to "
                "write the reports anew from this one\n",
                self->in_seq, self->instance.journal_dir, released);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

/* Reads the cursor from PostgreSQL and goes to it in both journals. */
static enum status go_to_cursor(struct reporter *self)
{
    stop_reading(self);
    enum status status =
        database_cursor(&self->database, self->instance.id, &self->in_seq, &self->out_seq);
    if (status != STATUS_OK) return status;
    status = check_ahead(self);
    if (status != STATUS_OK) return status;
    status = journal_reader_open(&self->in, &self->instance, self->control, JOURNAL_IN,
                                 self->in_seq + 1);
    if (status == STATUS_OK) {
        status = journal_reader_open(&self->out, &self->instance, self->control, JOURNAL_OUT,
                                     self->out_seq + 1);
        if (status != STATUS_OK) journal_reader_close(&self->in);
    }
    if (status != STATUS_OK) {
        fprintf(stderr, "journal: cannot read from %" PRIu64 " on: %s\n", self->in_seq + 1,
                status_text(status));
        return STATUS_CORRUPT;
    }
    self->reading = true;
    publish_cursor(self);
    return STATUS_OK;
}

/* Reports can be written anew only from an archive that has its beginning. */
static enum status check_whole(struct reporter *self)
{
    struct journal_reader reader;
    const struct journal_record *record;
    enum status status =
        journal_reader_open(&reader, &self->instance, self->control, JOURNAL_IN, 1);
    if (status == STATUS_OK) status = journal_next(&reader, &record);
    if (status == STATUS_CORRUPT) {
        fprintf(stderr, "cannot write the reports anew: %s; the tables stay as they are\n",
                reader.where);
        status = STATUS_INVALID;
    }
    journal_reader_close(&reader);
    return status == STATUS_EMPTY ? STATUS_OK : status;
}

static enum status connect_database(struct reporter *self)
{
    enum status status = database_open(&self->database, self->conninfo, self->sql_dir);
    if (status == STATUS_OK && self->rebuild) {
        status = check_whole(self);
        if (status == STATUS_OK) status = keep_everything(self);
        if (status == STATUS_OK) status = schema_empty(self->database.connection);
        if (status == STATUS_OK) {
            self->rebuild = false;
            fprintf(stderr, "emptied the tables; writing the reports anew\n");
        }
    }
    if (status == STATUS_OK) status = go_to_cursor(self);
    if (status != STATUS_OK) {
        database_close(&self->database);
        return status;
    }
    fprintf(stderr, "connected; going on behind command %" PRIu64 "\n", self->in_seq);
    return STATUS_OK;
}

/* The next released record, STATUS_EMPTY when there is none; says where a bad one is. */
static enum status next_record(struct journal_reader *reader, const struct journal_record **record)
{
    enum status status = journal_next(reader, record);
    if (status == STATUS_OK || status == STATUS_EMPTY) return status;
    fprintf(stderr, "journal: %s: %s\n", status_text(status), reader->where);
    return STATUS_CORRUPT;
}

/* How far the core has stepped: all events of commands up to here are in `out`. A command may be
 * released, being safe, a moment before the core has decided what follows from it. */
static seq_t stepped_seq(const struct control *control)
{
    for (unsigned i = 0; i < CONTROL_STATION_MAX; i++) {
        const struct station *station = &control->stations[i];
        if (strcmp(station->name, "core") == 0)
            return atomic_load_explicit(&station->in_seq, memory_order_acquire);
    }
    return 0;
}

/* Takes the next event of the command in work, or ends the command when it has no more. Stores
 * whether it went on. */
static enum status take_event(struct reporter *self, bool *went_on)
{
    struct batch *batch = &self->batch;
    /* before looking for events: pairs with the core's store after it has written them */
    seq_t stepped = stepped_seq(self->control);
    *went_on = false;
    if (!self->event) {
        enum status status = next_record(&self->out, &self->event);
        if (status == STATUS_EMPTY && stepped < self->command->seq) return STATUS_OK;
        if (status != STATUS_OK && status != STATUS_EMPTY) return status;
    }
    enum status status;
    if (self->event && self->event->ref <= self->command->seq) {
        status = batch_event(batch, self->command, self->event);
        if (status != STATUS_OK)
            fprintf(stderr, "event %" PRIu64 " of command %" PRIu64 ": %s\n", self->event->seq,
                    self->command->seq, status_text(status));
        self->event = NULL;
    } else {
        status = batch_command_end(batch, self->command);
        if (status != STATUS_OK)
            fprintf(stderr, "command %" PRIu64 ": %s\n", self->command->seq, status_text(status));
        self->command = NULL;
    }
    *went_on = true;
    return status;
}

static bool is_full(const struct batch *batch, seq_t began_seq)
{
    return batch->in_seq - began_seq >= BATCH_COMMAND_MAX || batch->event_count >= BATCH_EVENT_MAX;
}

/* Gathers released commands with their events, up to the batch's limits. It may end between two
 * events of a command: the cursor knows both journals. */
static enum status fill_batch(struct reporter *self)
{
    struct batch *batch = &self->batch;
    batch_begin(batch, self->in_seq, self->out_seq);
    for (;;) {
        if (is_full(batch, self->in_seq) && batch_may_end(batch)) break;
        enum status status = STATUS_OK;
        if (!self->command) status = next_record(&self->in, &self->command);
        if (status == STATUS_EMPTY) break;
        if (status != STATUS_OK) return status;
        bool went_on;
        status = take_event(self, &went_on);
        if (status != STATUS_OK) return status;
        if (went_on) continue;
        if (batch_may_end(batch)) break;
        if (self->stopping) return STATUS_BUSY; /* half a trade is not written; its cursor is not */
        wait_ms(self, false, 1);
    }
    return batch_end(batch);
}

/* Writes one batch. Stores whether there was anything to write, and whether more is waiting. */
static enum status report(struct reporter *self, bool *wrote, bool *behind)
{
    *wrote = *behind = false;
    enum status status = fill_batch(self);
    if (status != STATUS_OK) return status;
    const struct batch *batch = &self->batch;
    if (batch->in_seq == self->in_seq && batch->out_seq == self->out_seq) return STATUS_OK;
    status = database_write(&self->database, batch, self->in_seq, self->out_seq);
    if (status == STATUS_BUSY) return go_to_cursor(self);
    if (status != STATUS_OK) return status;
    *wrote = true;
    *behind = is_full(batch, self->in_seq);
    self->in_seq = batch->in_seq;
    self->out_seq = batch->out_seq;
    publish_cursor(self);
    counter_add(self->batches, 1);
    counter_add(self->events, batch->event_count);
    counter_add(self->fills, batch->fill_count);
    mark_archive(self);
    return STATUS_OK;
}

/* It has caught up: after a write lets more gather, else sleeps until the next release. */
static void rest(struct reporter *self, bool wrote)
{
    atomic_store_explicit(&self->station->state, STATION_RUNNING, memory_order_relaxed);
    mark_archive(self);
    if (wrote)
        wait_ms(self, false, GATHER_MS);
    else if (self->command) /* the core is in the middle of it: no bell will tell */
        wait_ms(self, false, 1);
    else if (bell_arm(self->bell, self->control, self->station, self->in_seq))
        wait_ms(self, true, 1000);
}

static int serve(struct reporter *self)
{
    int backoff_ms = BACKOFF_FIRST_MS;
    for (;;) {
        if (self->stopping && (!self->database.connection || now_ms() > self->stop_deadline_ms))
            return EXIT_SUCCESS;
        enum status status = STATUS_OK;
        bool wrote = false, behind = false;
        if (!self->database.connection) {
            status = connect_database(self);
            counter_add(self->reconnects, status == STATUS_OK);
        }
        if (status == STATUS_OK && self->reading) status = report(self, &wrote, &behind);
        if (status == STATUS_OK) {
            backoff_ms = BACKOFF_FIRST_MS;
            if (self->stopping && !wrote) return EXIT_SUCCESS;
            if (!self->stopping && !behind) rest(self, wrote);
            continue;
        }
        counter_add(self->failures, 1);
        stop_reading(self);
        database_close(&self->database);
        if (status == STATUS_INVALID) return EX_CONFIG; /* starting again would not help */
        if (status != STATUS_IO) return EXIT_FAILURE;
        atomic_store_explicit(&self->station->state, STATION_STARTING, memory_order_relaxed);
        fprintf(stderr, "trying PostgreSQL again in %d ms\n", backoff_ms);
        wait_ms(self, false, backoff_ms);
        backoff_ms = backoff_ms * 2 < BACKOFF_MAX_MS ? backoff_ms * 2 : BACKOFF_MAX_MS;
    }
}

/* Waits until the core has made the control page and knows where its journal ends. */
static enum status open_exchange(struct reporter *self)
{
    enum status status = instance_open(&self->instance, self->data_dir);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", self->data_dir, status_text(status));
        return status;
    }
    while ((status = control_open(&self->control, &self->instance)) == STATUS_NOT_FOUND &&
           !self->stopping)
        wait_ms(self, false, 50);
    if (status != STATUS_OK) {
        if (!self->stopping) fprintf(stderr, "control page: %s\n", status_text(status));
        return status;
    }
    status = claim_archive(self);
    if (status != STATUS_OK) return status;
    status = control_claim_station(self->control, &self->instance, "reporter", &self->station);
    if (status != STATUS_OK) {
        fprintf(stderr, "station reporter: %s\n", status_text(status));
        return status;
    }
    while (!atomic_load_explicit(&self->control->accepting, memory_order_acquire) &&
           !self->stopping)
        wait_ms(self, false, 50);
    self->bell = bell_open(&self->instance, self->control, self->station);
    if (self->bell < 0) {
        fprintf(stderr, "bell: %s\n", strerror(errno));
        return STATUS_IO;
    }
    self->batches = control_counter(self->station, "batches");
    self->events = control_counter(self->station, "events");
    self->fills = control_counter(self->station, "fills");
    self->reconnects = control_counter(self->station, "connects");
    self->failures = control_counter(self->station, "failures");
    return STATUS_OK;
}

static const char usage[] =
    "usage: hoga-reporter --data DIR --pg CONNINFO [--sql DIR] [--rebuild]\n"
    "  --data DIR      the exchange's data directory\n"
    "  --pg CONNINFO   PostgreSQL, as libpq takes it: \"host=/run/pg dbname=hoga user=hoga\"\n"
    "  --sql DIR       the migrations (../sql beside the program's directory)\n"
    "  --rebuild       empty the tables first and write them anew from the journals\n";

/* The tree's sql/ beside the directory that the program is in. */
static void default_sql_dir(char *path, size_t bytes)
{
    ssize_t length = readlink("/proc/self/exe", path, bytes - 1);
    path[length > 0 ? length : 0] = 0;
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(path, '/');
        if (slash) *slash = 0;
    }
    strncat(path, "/sql", bytes - strlen(path) - 1);
}

static bool parse_options(struct reporter *self, int argc, char **argv)
{
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'}, {"pg", required_argument, NULL, 'p'},
        {"sql", required_argument, NULL, 's'},  {"rebuild", no_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},       {0},
    };
    default_sql_dir(self->sql_dir, sizeof self->sql_dir);
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'd': self->data_dir = optarg; break;
        case 'p': self->conninfo = optarg; break;
        case 's': snprintf(self->sql_dir, sizeof self->sql_dir, "%s", optarg); break;
        case 'r': self->rebuild = true; break;
        case 'h': fputs(usage, stdout); exit(EXIT_SUCCESS);
        default: fputs(usage, stderr); return false;
        }
    }
    if (optind == argc && self->data_dir && self->conninfo) return true;
    fputs(usage, stderr);
    return false;
}

int main(int argc, char **argv)
{
    struct reporter self = {.bell = -1};
    setvbuf(stderr, NULL, _IOLBF, 0);
    if (!parse_options(&self, argc, argv)) return EX_USAGE;

    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    self.signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
    if (self.signals < 0) {
        perror("signalfd");
        return EXIT_FAILURE;
    }

    int code = EXIT_FAILURE;
    if (open_exchange(&self) == STATUS_OK) code = serve(&self);
    if (self.stopping) code = EXIT_SUCCESS;
    self.marked_ms = 0; /* the last note, however soon behind the one before */
    mark_archive(&self);
    stop_reading(&self);
    database_close(&self.database);
    batch_free(&self.batch);
    if (self.station && code == EXIT_SUCCESS)
        atomic_store_explicit(&self.station->state, STATION_STOPPED, memory_order_relaxed);
    if (self.bell >= 0) close(self.bell);
    if (self.control) control_close(self.control);
    close(self.signals);
    return code;
}
