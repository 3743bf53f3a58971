#include "server/ops/journal_filter.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/engine.h"
#include "engine/message/command.h"
#include "engine/message/event.h"
#include "engine/message/field.h"
#include "engine/snapshot.h"

/* ---- what a record names ---- */

/* What FIELD_SCOPED_ID is the number of. */
enum scoped { OF_ACCOUNT, OF_INSTRUMENT, OF_SOMETHING_ELSE };

static enum scoped scoped_by(const struct message_fields *fields, const void *message)
{
    uint64_t scope = 0, command = 0;
    for (unsigned i = 0; i < fields->field_count; i++) {
        const struct field *field = &fields->fields[i];
        if (field->kind == FIELD_LIMIT_SCOPE) scope = field_uint(field, message, 0);
        if (field->kind == FIELD_COMMAND) command = field_uint(field, message, 0);
    }
    if (scope == LIMIT_SCOPE_ACCOUNT || command == COMMAND_SET_ACCOUNT) return OF_ACCOUNT;
    if (scope == LIMIT_SCOPE_INSTRUMENT || command == COMMAND_SET_BANDS ||
        command == COMMAND_SET_FEES || command == COMMAND_SET_SESSION)
        return OF_INSTRUMENT;
    return OF_SOMETHING_ELSE;
}

static bool has_account(const struct journal_filter *self, const struct message_fields *fields,
                        const struct field *field, const void *message)
{
    if (field->kind == FIELD_SCOPED_ID && scoped_by(fields, message) != OF_ACCOUNT) return false;
    return (field->kind == FIELD_ACCOUNT || field->kind == FIELD_SCOPED_ID) &&
           field_uint(field, message, 0) == self->account;
}

static bool has_instrument(const struct journal_filter *self, const struct message_fields *fields,
                           const struct field *field, const void *message)
{
    if (field->kind == FIELD_SCOPED_ID && scoped_by(fields, message) != OF_INSTRUMENT) return false;
    return (field->kind == FIELD_INSTRUMENT || field->kind == FIELD_ASSET ||
            field->kind == FIELD_SCOPED_ID) &&
           field_uint(field, message, 0) == self->instrument;
}

static bool names(const struct journal_filter *self, const struct journal_record *record)
{
    const struct message_fields *fields = message_fields(record->header.template_id);
    const void *message = record_message(record);
    size_t length = record_message_length(record);
    bool account = !self->has_account, instrument = !self->instrument;
    bool order = !self->order_id || record->seq == self->order_command;
    for (unsigned i = 0; fields && i < fields->field_count; i++) {
        const struct field *field = &fields->fields[i];
        if (field->offset + (size_t)field->bytes * field->count > length) break;
        account = account || has_account(self, fields, field, message);
        instrument = instrument || has_instrument(self, fields, field, message);
        order = order ||
                (field->kind == FIELD_ORDER_ID && field_uint(field, message, 0) == self->order_id);
    }
    return account && order && instrument;
}

bool journal_filter_fits(const struct journal_filter *self, const struct journal_record *record)
{
    if (record->seq < self->from_seq || record->seq > self->to_seq) return false;
    if (record->time_ns < self->since_ns || record->time_ns > self->until_ns) return false;
    if (self->template_id && record->header.template_id != self->template_id) return false;
    return names(self, record);
}

bool journal_filter_is_over(const struct journal_filter *self, const struct journal_record *record)
{
    return record->seq > self->to_seq || record->time_ns > self->until_ns;
}

/* ---- orders ---- */

enum status journal_find_order(const struct instance *instance, const struct control *control,
                               order_id_t order_id, seq_t *command_seq)
{
    const struct journal_filter filter = {
        .to_seq = UINT64_MAX, .until_ns = INT64_MAX, .order_id = order_id};
    struct journal_reader out;
    const struct journal_record *event;
    *command_seq = 0;
    enum status status = journal_reader_open_time(&out, instance, control, JOURNAL_OUT, 0);
    while (status == STATUS_OK && (status = journal_next(&out, &event)) == STATUS_OK) {
        if (!journal_filter_fits(&filter, event)) continue;
        *command_seq = event->ref;
        break;
    }
    if (status == STATUS_CORRUPT) fprintf(stderr, "hoga journal: %s\n", out.where);
    journal_reader_close(&out);
    return status == STATUS_EMPTY ? STATUS_OK : status;
}

/* ---- symbols ---- */

static bool is_in_snapshot(const struct instance *instance, const char *symbol,
                           instrument_id_t *instrument)
{
    for (seq_t seq = snapshot_newest(instance, UINT64_MAX); seq;
         seq = snapshot_newest(instance, seq)) {
        struct engine *engine;
        struct snapshot_mark mark;
        size_t bytes;
        if (snapshot_load(instance, seq, 0, &engine, &bytes, &mark) != STATUS_OK) continue;
        bool found = engine_find_symbol(engine, symbol, instrument);
        arena_unmap(engine, bytes);
        return found;
    }
    return false;
}

/* Whether a command to list it was carried out: its first event says so. */
static enum status was_listed(const struct instance *instance, const struct control *control,
                              seq_t command_seq, bool *listed)
{
    struct journal_reader out;
    const struct journal_record *event;
    enum status status = journal_reader_open_cause(&out, instance, control, command_seq);
    if (status != STATUS_OK) return status;
    status = journal_next(&out, &event);
    *listed = status == STATUS_OK && event->ref == command_seq &&
              event->header.template_id == EVENT_INSTRUMENT_LISTED;
    if (status == STATUS_CORRUPT) fprintf(stderr, "hoga journal: %s\n", out.where);
    journal_reader_close(&out);
    return status == STATUS_EMPTY ? STATUS_OK : status;
}

static bool lists(const struct journal_record *record, const char *symbol)
{
    const struct command_list_instrument *command = record_message(record);
    return record->header.template_id == COMMAND_LIST_INSTRUMENT &&
           record_message_length(record) >= LIST_INSTRUMENT_V1_BYTES &&
           strncmp(command->symbol, symbol, SYMBOL_BYTES) == 0;
}

static enum status find_in_journals(const struct instance *instance, const struct control *control,
                                    const char *symbol, instrument_id_t *instrument)
{
    struct journal_reader in;
    const struct journal_record *record;
    bool listed = false;
    enum status status = journal_reader_open_time(&in, instance, control, JOURNAL_IN, 0);
    if (status != STATUS_OK) return status;
    while (!listed && (status = journal_next(&in, &record)) == STATUS_OK) {
        if (!lists(record, symbol)) continue;
        const struct command_list_instrument *command = record_message(record);
        *instrument = command->instrument;
        status = was_listed(instance, control, record->seq, &listed);
        if (status != STATUS_OK) break;
    }
    if (status == STATUS_CORRUPT && in.where[0]) fprintf(stderr, "hoga journal: %s\n", in.where);
    journal_reader_close(&in);
    return status == STATUS_EMPTY ? STATUS_NOT_FOUND : status;
}

enum status journal_find_symbol(const struct instance *instance, const struct control *control,
                                const char *symbol, instrument_id_t *instrument)
{
    if (!symbol[0] || strlen(symbol) >= SYMBOL_BYTES) return STATUS_NOT_FOUND;
    if (is_in_snapshot(instance, symbol, instrument)) return STATUS_OK;
    return find_in_journals(instance, control, symbol, instrument);
}
