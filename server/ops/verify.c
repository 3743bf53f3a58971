#include "server/ops/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/bus/journal.h"
#include "engine/engine.h"
#include "server/ops/layout.h"
#include "server/ops/options.h"
#include "web/replica/replica.h"

enum { STEP_COMMANDS = 4096 };

struct verify {
    struct replica replica;
    struct journal_reader out;
    enum status status; /* of `out`, met while stepping */
    uint64_t compared;
    uint64_t missing; /* events that replay makes and `out` ends before: a crash's last ones */
};

static void on_record(void *context, const struct journal_record *command)
{
    (void)context, (void)command;
}

/* The event that replay made must be the next of `out`, byte for byte. */
static void on_event(void *context, const struct journal_record *command, seq_t out_seq,
                     const void *message, size_t length)
{
    struct verify *self = context;
    if (self->status != STATUS_OK) return;
    const struct journal_record *record = NULL;
    enum status status = self->missing ? STATUS_EMPTY : journal_next(&self->out, &record);
    if (status == STATUS_EMPTY) {
        self->missing++;
        return;
    }
    if (status == STATUS_OK && (record->seq != out_seq || record->ref != command->seq ||
                                record_message_length(record) != length ||
                                memcmp(record_message(record), message, length) != 0)) {
        fprintf(stderr, "event %" PRIu64 " is not what command %" PRIu64 " gives\n", out_seq,
                command->seq);
        status = STATUS_CORRUPT;
    } else if (status != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", status_text(status), self->out.where);
    }
    self->status = status;
    self->compared++;
}

static enum status replay(struct verify *self)
{
    for (unsigned stepped = 1; stepped > 0;) {
        enum status status = replica_poll(&self->replica, STEP_COMMANDS, &stepped);
        if (status != STATUS_OK) {
            fprintf(stderr, "%s: %s\n", status_text(status), self->replica.reader.where);
            return status;
        }
        if (self->status != STATUS_OK) return self->status;
    }
    const struct journal_record *record;
    enum status status = self->missing ? STATUS_EMPTY : journal_next(&self->out, &record);
    if (status == STATUS_OK) {
        fprintf(stderr, "`out` goes on behind the last command of `in`, from %" PRIu64 " on\n",
                record->seq);
        return STATUS_CORRUPT;
    }
    return status == STATUS_EMPTY ? STATUS_OK : status;
}

static int verify(const struct instance *instance)
{
    struct verify self = {.status = STATUS_OK};
    const struct replica_listener listener = {&self, on_record, on_event, on_record};
    enum status status = journal_reader_open(&self.out, instance, NULL, JOURNAL_OUT, 1);
    if (status == STATUS_OK) {
        status = replica_open(&self.replica, instance, NULL, &listener);
        if (status == STATUS_OK) {
            status = replay(&self);
            printf("commands %" PRIu64 ", events compared %" PRIu64, self.replica.in_seq,
                   self.compared);
            if (self.missing)
                printf(", events that the last crash kept from disk %" PRIu64, self.missing);
            if (self.replica.engine)
                printf(", state %08" PRIx32, engine_state_hash(self.replica.engine));
            printf("\n");
            replica_close(&self.replica);
        }
        journal_reader_close(&self.out);
    }
    if (status != STATUS_OK) {
        printf("the archive is not good: %s\n", status_text(status));
        return EXIT_FAILURE;
    }
    printf("the archive is good\n");
    return EXIT_SUCCESS;
}

int verify_main(int argc, char **argv)
{
    const char *data_dir = "var";
    const struct option_rule rules[] = {
        {"data", OPTION_TEXT, &data_dir, "DIR", "the exchange's data directory (var)"},
    };
    const struct option_table table = {
        "hoga verify [options]",
        "Checks every record of the archive and replays it, comparing each event.", rules,
        sizeof rules / sizeof rules[0]};
    enum options_outcome outcome = options_parse(&table, argc, argv);
    if (outcome != OPTIONS_OK) return options_exit(outcome);
    struct instance instance;
    enum status status = instance_open(&instance, data_dir);
    if (status != STATUS_OK) {
        fprintf(stderr, "hoga verify: %s: %s\n", data_dir,
                status == STATUS_NOT_FOUND ? "there is no exchange here" : status_text(status));
        return EXIT_FAILURE;
    }
    if (layout_lock_owner(&instance) != 0) {
        fprintf(stderr, "hoga verify: the exchange in %s is running; hoga down stops it\n",
                instance.data_dir);
        return EXIT_FAILURE;
    }
    return verify(&instance);
}
