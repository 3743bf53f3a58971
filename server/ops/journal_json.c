#include "server/ops/journal_json.h"

#include <string.h>

#include "engine/message/command.h"
#include "engine/message/event.h"
#include "engine/message/field.h"
#include "engine/message/reject.h"

/* ---- words ---- */

/* NULL where json_...() has none. */
static const char *known(const char *word)
{
    return word && strcmp(word, "unknown") != 0 ? word : NULL;
}

static const char *transfer_reason_word(uint64_t reason)
{
    switch (reason) {
    case TRANSFER_PLAIN: return "plain";
    case TRANSFER_CORPORATE_ACTION: return "corporate_action";
    case TRANSFER_CORRECTION: return "correction";
    default: return NULL;
    }
}

static const char *limit_scope_word(uint64_t scope)
{
    switch (scope) {
    case LIMIT_SCOPE_ACCOUNT: return "account";
    case LIMIT_SCOPE_USER: return "user";
    case LIMIT_SCOPE_INSTRUMENT: return "instrument";
    default: return NULL;
    }
}

static const char *command_word(uint64_t command)
{
    const struct message_fields *message = message_fields((uint16_t)command);
    return message && command < EVENT_CONFIGURED ? message_fields_name(message) : NULL;
}

static const char *reject_word(uint64_t number)
{
    const struct reject_row *row = reject_row((unsigned)number);
    return row->number == number ? row->code : NULL;
}

static const char *word_of(enum field_kind kind, uint64_t value)
{
    const uint8_t code = (uint8_t)value;
    if (value > UINT16_MAX) return NULL;
    switch (kind) {
    case FIELD_SIDE: return known(json_side(code));
    case FIELD_ORD_TYPE: return known(json_ord_type(code));
    case FIELD_TIME_IN_FORCE: return known(json_time_in_force(code));
    case FIELD_EXEC_TYPE: return known(json_exec_type(code));
    case FIELD_ORD_STATUS: return known(json_ord_status(code));
    case FIELD_LAST_LIQUIDITY: return json_liquidity(code);
    case FIELD_STP: return json_stp(code);
    case FIELD_SESSION: return known(json_session(code));
    case FIELD_SESSION_CAUSE: return known(json_session_cause(code));
    case FIELD_CURRENCY: return known(json_currency(code));
    case FIELD_TRANSFER_REASON: return transfer_reason_word(value);
    case FIELD_LIMIT_SCOPE: return limit_scope_word(value);
    case FIELD_COMMAND: return command_word(value);
    case FIELD_REJECT: return reject_word(value);
    default: return NULL;
    }
}

/* 0 of these is "none". */
static bool zero_is_none(enum field_kind kind)
{
    return kind != FIELD_CURRENCY && kind != FIELD_TRANSFER_REASON;
}

static void put_word(struct json_buffer *out, enum field_kind kind, uint64_t value)
{
    const char *word = word_of(kind, value);
    if (value == 0 && zero_is_none(kind))
        json_text(out, "null");
    else if (word)
        json_word(out, word);
    else
        json_uint(out, value);
}

struct bit {
    uint32_t bit;
    const char *word;
};

/* Bits without a word follow as one number. */
static void put_bits(struct json_buffer *out, uint64_t value, const struct bit *bits,
                     unsigned count)
{
    const char *separator = "[";
    for (unsigned i = 0; i < count; i++) {
        if (!(value & bits[i].bit)) continue;
        value &= ~(uint64_t)bits[i].bit;
        json_text(out, separator);
        json_word(out, bits[i].word);
        separator = ",";
    }
    if (value) {
        json_text(out, separator);
        json_uint(out, value);
        separator = ",";
    }
    json_text(out, separator[0] == '[' ? "[]" : "]");
}

static void put_scopes(struct json_buffer *out, uint64_t scopes)
{
    static const struct bit bits[] = {{SCOPE_READ, "read"},
                                      {SCOPE_TRADE, "trade"},
                                      {SCOPE_ADMIN, "admin"},
                                      {SCOPE_REPORT, "report"}};
    put_bits(out, scopes, bits, sizeof bits / sizeof bits[0]);
}

static void put_instructions(struct json_buffer *out, uint64_t instructions)
{
    static const struct bit bits[] = {{EXEC_INST_POST_ONLY, "post_only"},
                                      {EXEC_INST_CANCEL_ON_DISCONNECT, "cancel_on_disconnect"}};
    put_bits(out, instructions, bits, sizeof bits / sizeof bits[0]);
}

/* ---- values ---- */

static bool is_cash(uint64_t asset)
{
    return asset == 0 || asset & ASSET_CASH;
}

static void put_asset(struct json_buffer *out, uint64_t asset)
{
    if (is_cash(asset))
        put_word(out, FIELD_CURRENCY, asset & ~ASSET_CASH);
    else
        json_uint(out, asset);
}

/* Whether the message's asset is cash. */
static bool moves_cash(const struct message_fields *fields, const void *message)
{
    for (unsigned i = 0; i < fields->field_count; i++)
        if (fields->fields[i].kind == FIELD_ASSET)
            return is_cash(field_uint(&fields->fields[i], message, 0));
    return false;
}

static void put_text(struct json_buffer *out, const struct field *field, const void *message)
{
    const char *text = (const char *)message + field->offset;
    if (text[0])
        json_quoted(out, text, field->bytes);
    else
        json_text(out, "null");
}

static void put_limits(struct json_buffer *out, const struct field *field, const void *message)
{
    unsigned count;
    const struct field *members = limits_fields(&count);
    for (unsigned i = 0; i < count; i++) {
        json_text(out, i ? "," : "{");
        json_word(out, members[i].name);
        json_text(out, ":");
        json_uint(out, field_uint(&members[i], (const uint8_t *)message + field->offset, 0));
    }
    json_text(out, "}");
}

static void put_id(struct json_buffer *out, uint64_t id)
{
    if (id)
        json_id(out, id);
    else
        json_text(out, "null");
}

static void put_element(struct json_buffer *out, const struct message_fields *fields,
                        const struct field *field, const void *message, unsigned element)
{
    switch (field->kind) {
    case FIELD_TEXT: put_text(out, field, message); return;
    case FIELD_SECRET: json_word(out, "hidden"); return;
    case FIELD_LIMITS: put_limits(out, field, message); return;
    case FIELD_INT:
    case FIELD_QTY: json_int(out, field_int(field, message, element)); return;
    case FIELD_PX:
    case FIELD_CASH: json_px(out, field_int(field, message, element)); return;
    case FIELD_TIME: json_time_or_null(out, field_int(field, message, element)); return;
    case FIELD_ASSET_QTY:
        if (moves_cash(fields, message))
            json_px(out, field_int(field, message, element));
        else
            json_int(out, field_int(field, message, element));
        return;
    default: break;
    }
    uint64_t value = field_uint(field, message, element);
    switch (field->kind) {
    case FIELD_UINT:
    case FIELD_ACCOUNT:
    case FIELD_INSTRUMENT:
    case FIELD_SCOPED_ID: json_uint(out, value); return;
    case FIELD_ORDER_ID:
    case FIELD_TRADE_ID: put_id(out, value); return;
    case FIELD_ASSET: put_asset(out, value); return;
    case FIELD_EXEC_INST: put_instructions(out, value); return;
    case FIELD_SCOPES: put_scopes(out, value); return;
    case FIELD_BOOL:
        if (value <= 1)
            json_bool(out, value == 1);
        else
            json_uint(out, value);
        return;
    default: put_word(out, field->kind, value); return;
    }
}

static void put_field(struct json_buffer *out, const struct message_fields *fields,
                      const struct field *field, const void *message)
{
    json_text(out, ",");
    json_word(out, field->name);
    json_text(out, ":");
    if (field->count == 1) {
        put_element(out, fields, field, message, 0);
        return;
    }
    for (unsigned i = 0; i < field->count; i++) {
        json_text(out, i ? "," : "[");
        put_element(out, fields, field, message, i);
    }
    json_text(out, "]");
}

/* ---- records ---- */

static void put_number(struct json_buffer *out, const char *key, uint64_t value)
{
    json_text(out, key);
    json_uint(out, value);
}

void journal_json(struct json_buffer *out, enum journal_kind kind,
                  const struct journal_record *record)
{
    const struct message_fields *fields = message_fields(record->header.template_id);
    size_t length = record_message_length(record);
    put_number(out, "{\"seq\":", record->seq);
    json_text(out, ",\"time\":");
    json_time(out, record->time_ns);
    if (kind == JOURNAL_IN) {
        json_text(out, ",\"ring_position\":");
        json_id(out, record->ref);
    } else {
        put_number(out, ",\"cause_seq\":", record->ref);
    }
    put_number(out, ",\"source\":", origin_source(record->origin));
    put_number(out, ",\"request_id\":", origin_request(record->origin));
    json_text(out, ",\"type\":");
    json_word(out, fields ? message_fields_name(fields) : NULL);
    if (!fields) { /* of a later version: nothing is known, not even what is secret */
        put_number(out, ",\"template_id\":", record->header.template_id);
        put_number(out, ",\"block_bytes\":", record->header.block_length);
    }
    for (unsigned i = 0; fields && i < fields->field_count; i++) {
        const struct field *field = &fields->fields[i];
        if (field->offset + (size_t)field->bytes * field->count > length) break;
        put_field(out, fields, field, record_message(record));
    }
    json_text(out, "}\n");
}
