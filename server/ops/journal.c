#define _GNU_SOURCE
#include "server/ops/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "engine/bus/control.h"
#include "engine/bus/journal.h"
#include "engine/bus/segment.h"
#include "engine/message/event.h"
#include "engine/message/field.h"
#include "server/ops/journal_filter.h"
#include "server/ops/journal_json.h"
#include "server/ops/layout.h"
#include "server/ops/options.h"
#include "web/json/parse.h"

enum {
    FLUSH_BYTES = 256 * 1024,
    LOOK_US = 20 * 1000, /* tail: between two looks for something new */
    LOOKS_A_SECOND = 1000000 / LOOK_US,
    TYPE_MAX = 256, /* above every template */
};

struct journal_options {
    const char *data_dir;
    const char *journal; /* NULL: not given */
    uint64_t from, to;
    const char *since, *until, *account, *order, *symbol, *type;
};

struct journal_view {
    const char *verb;
    struct instance instance;
    struct control *control; /* NULL: it is not running, and the archive is all there is */
    struct journal_filter filter;
};

static const char *kind_name(enum journal_kind kind)
{
    return kind == JOURNAL_IN ? "in" : "out";
}

static int complain(const struct journal_view *self, const char *what, const char *why)
{
    fprintf(stderr, "hoga journal %s: %s: %s\n", self->verb, what, why);
    return EXIT_FAILURE;
}

/* ---- reading ---- */

/* Where the filter begins; without anything said, at the oldest record there is. */
static enum status open_reader(const struct journal_view *self, enum journal_kind kind,
                               struct journal_reader *reader)
{
    const struct journal_filter *filter = &self->filter;
    if (filter->from_seq)
        return journal_reader_open(reader, &self->instance, self->control, kind, filter->from_seq);
    return journal_reader_open_time(reader, &self->instance, self->control, kind, filter->since_ns);
}

/* Flushes what has gathered. False: nobody reads it any more. */
static bool flush(struct json_buffer *text)
{
    bool good = !text->failed && fwrite(text->text, 1, text->length, stdout) == text->length &&
                fflush(stdout) == 0;
    json_buffer_clear(text);
    return good;
}

/* All there is now. STATUS_EMPTY: and more may come; STATUS_OK: nothing that fits can come; others
 * as the reader's; STATUS_IO also when the output is gone. */
static enum status print_records(const struct journal_view *self, struct journal_reader *reader,
                                 struct json_buffer *text)
{
    const struct journal_record *record;
    enum status status;
    while ((status = journal_next(reader, &record)) == STATUS_OK) {
        if (journal_filter_is_over(&self->filter, record)) break;
        if (journal_filter_fits(&self->filter, record)) journal_json(text, reader->kind, record);
        if (text->length >= FLUSH_BYTES && !flush(text)) return STATUS_IO;
    }
    return flush(text) ? status : STATUS_IO;
}

static int end_of_reading(const struct journal_view *self, struct journal_reader *reader,
                          enum status status)
{
    if (status == STATUS_CORRUPT)
        (void)complain(self, status_text(status), reader->where);
    else if (status != STATUS_OK && status != STATUS_EMPTY)
        (void)complain(self, kind_name(reader->kind), strerror(errno));
    journal_reader_close(reader);
    return status == STATUS_OK || status == STATUS_EMPTY ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int cat(const struct journal_view *self, enum journal_kind kind)
{
    struct journal_reader reader;
    struct json_buffer text = {0};
    enum status status = open_reader(self, kind, &reader);
    if (status == STATUS_OK) status = print_records(self, &reader, &text);
    json_buffer_free(&text);
    return end_of_reading(self, &reader, status);
}

/* What is released from now on, unless the filter begins earlier. */
static enum status open_at_end(const struct journal_view *self, enum journal_kind kind,
                               struct journal_reader *reader)
{
    if (self->filter.from_seq || self->filter.since_ns) return open_reader(self, kind, reader);
    seq_t next = atomic_load_explicit(&self->control->released_seq, memory_order_acquire) + 1;
    if (kind == JOURNAL_IN)
        return journal_reader_open(reader, &self->instance, self->control, kind, next);
    return journal_reader_open_cause(reader, &self->instance, self->control, next);
}

static int tail(const struct journal_view *self, enum journal_kind kind)
{
    struct journal_reader reader;
    struct json_buffer text = {0};
    bool is_running = true;
    enum status status = open_at_end(self, kind, &reader);
    for (unsigned look = 1; status == STATUS_OK || status == STATUS_EMPTY; look++) {
        bool was_running = is_running;
        status = print_records(self, &reader, &text);
        if (status != STATUS_EMPTY || !was_running) break;
        usleep(LOOK_US);
        /* when it has stopped, what it released last is still to be read */
        if (look % LOOKS_A_SECOND == 0) is_running = layout_lock_owner(&self->instance) != 0;
    }
    json_buffer_free(&text);
    return end_of_reading(self, &reader, status);
}

/* ---- totals ---- */

struct totals {
    uint64_t records, bytes;
    uint64_t types[TYPE_MAX];
    uint64_t others; /* of templates that this program does not know */
    seq_t first_seq, last_seq;
    int64_t first_ns, last_ns;
};

static void count(struct totals *totals, const struct journal_record *record)
{
    uint16_t type = record->header.template_id;
    if (totals->records++ == 0) {
        totals->first_seq = record->seq;
        totals->first_ns = record->time_ns;
    }
    totals->last_seq = record->seq;
    totals->last_ns = record->time_ns;
    totals->bytes += record_length(atomic_load_explicit(&record->frame, memory_order_relaxed));
    if (message_fields(type) && type < TYPE_MAX)
        totals->types[type]++;
    else
        totals->others++;
}

static void put_number(struct json_buffer *text, const char *key, uint64_t value)
{
    json_text(text, key);
    json_uint(text, value);
}

/* The segments' files, as they are on disk now. */
static void put_segments(struct json_buffer *text, const struct journal_view *self,
                         enum journal_kind kind)
{
    uint32_t first, last, missing;
    uint64_t count_there = 0, bytes = 0;
    enum status status = segment_range(self->instance.journal_dir, kind, &first, &last, &missing);
    for (uint32_t number = first; status != STATUS_IO && number && number <= last; number++) {
        char path[SEGMENT_PATH_BYTES];
        struct stat file;
        segment_archive_path(path, &self->instance, kind, number);
        if (stat(path, &file) != 0) continue;
        count_there++;
        bytes += (uint64_t)file.st_size;
    }
    put_number(text, ",\"first_segment\":", first);
    put_number(text, ",\"segments\":", count_there);
    put_number(text, ",\"archive_bytes\":", bytes);
}

static void put_types(struct json_buffer *text, const struct totals *totals)
{
    const char *separator = "";
    json_text(text, ",\"types\":{");
    for (unsigned type = 0; type < TYPE_MAX; type++) {
        if (!totals->types[type]) continue;
        json_text(text, separator);
        json_word(text, message_fields_name(message_fields((uint16_t)type)));
        put_number(text, ":", totals->types[type]);
        separator = ",";
    }
    if (totals->others) {
        json_text(text, separator);
        put_number(text, "\"unknown\":", totals->others);
    }
    json_text(text, "}}\n");
}

static void put_totals(struct json_buffer *text, const struct journal_view *self,
                       enum journal_kind kind, const struct totals *totals)
{
    json_text(text, "{\"journal\":");
    json_word(text, kind_name(kind));
    put_segments(text, self, kind);
    put_number(text, ",\"records\":", totals->records);
    put_number(text, ",\"record_bytes\":", totals->bytes);
    put_number(text, ",\"first_seq\":", totals->first_seq);
    put_number(text, ",\"last_seq\":", totals->last_seq);
    json_text(text, ",\"first_time\":");
    json_time_or_null(text, totals->first_ns);
    json_text(text, ",\"last_time\":");
    json_time_or_null(text, totals->last_ns);
    put_types(text, totals);
}

static int stat_journal(const struct journal_view *self, enum journal_kind kind)
{
    struct journal_reader reader;
    struct totals totals = {0};
    struct json_buffer text = {0};
    const struct journal_record *record;
    enum status status = open_reader(self, kind, &reader);
    while (status == STATUS_OK && (status = journal_next(&reader, &record)) == STATUS_OK) {
        if (journal_filter_is_over(&self->filter, record)) break;
        if (journal_filter_fits(&self->filter, record)) count(&totals, record);
    }
    put_totals(&text, self, kind, &totals);
    if (!flush(&text)) status = STATUS_IO;
    json_buffer_free(&text);
    return end_of_reading(self, &reader, status);
}

/* ---- options ---- */

static bool take_time(const struct journal_view *self, const char *name, const char *text,
                      int64_t *ns)
{
    if (!text || json_parse_time(text, ns)) return true;
    (void)complain(self, name,
                   "must be a time, 2026-11-22T09:30:00Z or milliseconds since the epoch");
    return false;
}

static bool take_number(const struct journal_view *self, const char *name, const char *text,
                        uint64_t max, uint64_t *number)
{
    if (!text || options_number(text, max, number)) return true;
    (void)complain(self, name, "must be a number");
    return false;
}

static bool take_type(struct journal_view *self, const char *name, enum journal_kind *kind,
                      bool is_kind_given)
{
    const struct message_fields *type = name ? message_fields_of_name(name) : NULL;
    if (!name) return true;
    if (!type) {
        (void)complain(self, name, "no such type; engine/message/schema.xml has them");
        return false;
    }
    enum journal_kind of = type->template_id < EVENT_CONFIGURED ? JOURNAL_IN : JOURNAL_OUT;
    if (is_kind_given && *kind != of) {
        (void)complain(self, name,
                       of == JOURNAL_IN ? "is a command: --journal in has those"
                                        : "is an event: --journal out has those");
        return false;
    }
    *kind = of;
    self->filter.template_id = type->template_id;
    return true;
}

static bool take_symbol(struct journal_view *self, const char *symbol)
{
    if (!symbol) return true;
    enum status status =
        journal_find_symbol(&self->instance, self->control, symbol, &self->filter.instrument);
    if (status == STATUS_NOT_FOUND) (void)complain(self, symbol, "was never listed");
    return status == STATUS_OK;
}

/* An order has its id from the exchange: the command that made it does not name it. */
static bool take_order_command(struct journal_view *self, enum journal_kind kind)
{
    struct journal_filter *filter = &self->filter;
    if (!filter->order_id || kind != JOURNAL_IN) return true;
    return journal_find_order(&self->instance, self->control, filter->order_id,
                              &filter->order_command) == STATUS_OK;
}

static bool take_kind(const struct journal_view *self, const char *name, enum journal_kind *kind)
{
    if (!name) return true;
    *kind = strcmp(name, "out") == 0 ? JOURNAL_OUT : JOURNAL_IN;
    if (*kind == JOURNAL_OUT || strcmp(name, "in") == 0) return true;
    (void)complain(self, "--journal", "must be in or out");
    return false;
}

static bool take_filter(struct journal_view *self, const struct journal_options *options,
                        enum journal_kind *kind)
{
    struct journal_filter *filter = &self->filter;
    uint64_t account = 0, order_id = 0;
    *filter = (struct journal_filter){
        .from_seq = options->from, .to_seq = options->to, .until_ns = INT64_MAX};
    if (!take_kind(self, options->journal, kind) ||
        !take_time(self, "--since", options->since, &filter->since_ns) ||
        !take_time(self, "--until", options->until, &filter->until_ns) ||
        !take_number(self, "--account", options->account, UINT32_MAX, &account) ||
        !take_number(self, "--order", options->order, UINT64_MAX, &order_id) ||
        !take_type(self, options->type, kind, options->journal != NULL))
        return false;
    filter->has_account = options->account != NULL;
    filter->account = (account_id_t)account;
    filter->order_id = order_id;
    return true;
}

/* What runs is read as far as it is released; what does not, by its archive. */
static bool open_exchange(struct journal_view *self, const char *data_dir)
{
    enum status status = instance_open(&self->instance, data_dir);
    if (status != STATUS_OK) {
        (void)complain(self, data_dir,
                       status == STATUS_NOT_FOUND ? "there is no exchange here"
                                                  : status_text(status));
        return false;
    }
    if (layout_lock_owner(&self->instance) == 0) return true;
    status = control_open(&self->control, &self->instance);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND) return true;
    (void)complain(self, "control page", status_text(status));
    return false;
}

static int run(struct journal_view *self, const struct journal_options *options)
{
    enum journal_kind kind = JOURNAL_IN;
    if (!take_filter(self, options, &kind)) return EX_USAGE;
    if (!open_exchange(self, options->data_dir) || !take_symbol(self, options->symbol) ||
        !take_order_command(self, kind))
        return EXIT_FAILURE;
    if (strcmp(self->verb, "cat") == 0) return cat(self, kind);
    if (strcmp(self->verb, "tail") == 0)
        return self->control ? tail(self, kind)
                             : complain(self, self->instance.data_dir, "is not running");
    if (options->journal || options->type) return stat_journal(self, kind);
    int code = stat_journal(self, JOURNAL_IN);
    self->filter.order_command = 0;
    return stat_journal(self, JOURNAL_OUT) == EXIT_SUCCESS ? code : EXIT_FAILURE;
}

static int parse_and_run(const char *verb, const char *usage, const char *about, int argc,
                         char **argv)
{
    struct journal_options o = {.data_dir = "var", .to = UINT64_MAX};
    const struct option_rule rules[] = {
        {"data", OPTION_TEXT, &o.data_dir, "DIR", "the exchange's data directory (var)"},
        {"journal", OPTION_TEXT, &o.journal, "NAME", "in: commands (default), out: events"},
        {"from", OPTION_COUNT, &o.from, "SEQ", "the first sequence number"},
        {"to", OPTION_COUNT, &o.to, "SEQ", "the last one"},
        {"since", OPTION_TEXT, &o.since, "TIME", "2026-11-22T09:30:00Z, or ms since the epoch"},
        {"until", OPTION_TEXT, &o.until, "TIME", "the last time"},
        {"account", OPTION_TEXT, &o.account, "N", "records that name this account"},
        {"order", OPTION_TEXT, &o.order, "ID", "records that name this order_id, and what made it"},
        {"symbol", OPTION_TEXT, &o.symbol, "SYMBOL", "records that name this instrument"},
        {"type", OPTION_TEXT, &o.type, "NAME", "new_order, execution, ...: as in schema.xml"},
    };
    const struct option_table table = {usage, about, rules, sizeof rules / sizeof rules[0]};
    enum options_outcome outcome = options_parse(&table, argc, argv);
    if (outcome != OPTIONS_OK) return options_exit(outcome);
    struct journal_view self = {.verb = verb};
    int code = run(&self, &o);
    control_close(self.control);
    return code;
}

static const struct {
    const char *name;
    const char *usage;
    const char *about;
} verbs[] = {
    {"cat", "hoga journal cat [options]",
     "Prints the records of a journal as lines of JSON: of a running exchange what is released, "
     "of\n"
     "one that is stopped what its archive has. Secrets are hidden."},
    {"tail", "hoga journal tail [options]",
     "Prints the records of a running exchange's journal as they are released, until it stops;\n"
     "with --from or --since those before, too."},
    {"stat", "hoga journal stat [options]",
     "Counts the records of both journals, or of one, by type; a line of JSON each."},
};

int journal_main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    for (unsigned i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verb, verbs[i].name) == 0)
            return parse_and_run(verb, verbs[i].usage, verbs[i].about, argc - 1, argv + 1);
    bool help = strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0;
    fprintf(help ? stdout : stderr, "usage: hoga journal cat|tail|stat [options]\n\n"
                                    "hoga journal cat --help tells more.\n");
    return help ? EXIT_SUCCESS : EX_USAGE;
}
