/* field.h - what is in each message, as data: for whoever shows messages without knowing them.
 *
 * One row a field, in the order and under the names of schema.xml, which a test holds this against.
 * The engine and the fronts know the structs and need none of this.
 */
#ifndef HOGA_MESSAGE_FIELD_H
#define HOGA_MESSAGE_FIELD_H

#include <stddef.h>
#include <stdint.h>

/* What a field's bytes mean. Integers are unsigned unless said otherwise. */
enum field_kind {
    FIELD_UINT,
    FIELD_INT, /* signed */
    FIELD_BOOL,
    FIELD_TEXT,   /* padded with NUL */
    FIELD_SECRET, /* never to be shown */
    FIELD_TIME,   /* signed, ns since the epoch; 0: none */
    FIELD_PX,
    FIELD_CASH,
    FIELD_QTY,       /* shares, signed */
    FIELD_ASSET_QTY, /* cash or shares, signed: the message's FIELD_ASSET says which */
    FIELD_ASSET,
    FIELD_CURRENCY,
    FIELD_ACCOUNT,
    FIELD_INSTRUMENT,
    FIELD_ORDER_ID,
    FIELD_TRADE_ID,
    FIELD_SCOPED_ID, /* an account, user, instrument ...: FIELD_LIMIT_SCOPE or FIELD_COMMAND says */
    FIELD_LIMITS,    /* struct limits: limits_fields() */
    /* enumerations and sets of command.h and event.h */
    FIELD_SIDE,
    FIELD_ORD_TYPE,
    FIELD_TIME_IN_FORCE,
    FIELD_EXEC_INST,
    FIELD_EXEC_TYPE,
    FIELD_ORD_STATUS,
    FIELD_LAST_LIQUIDITY,
    FIELD_STP,
    FIELD_SESSION,
    FIELD_SESSION_CAUSE,
    FIELD_TRANSFER_REASON,
    FIELD_LIMIT_SCOPE,
    FIELD_SCOPES,
    FIELD_COMMAND, /* enum command_template; 0: none */
    FIELD_REJECT,  /* enum reject */
};

struct field {
    const char *name;
    uint16_t offset; /* from the begin of the message, its header included */
    uint16_t bytes;  /* of one element */
    uint16_t count;  /* of elements; an array has more than one */
    enum field_kind kind;
};

struct message_fields {
    uint16_t template_id;
    const char *schema_name; /* "command_new_order" */
    const struct field *fields;
    unsigned field_count;
};

/* Of a template; NULL for one that does not exist. Static storage. */
const struct message_fields *message_fields(uint16_t template_id);

/* Its name without "command_" or "event_": "new_order". */
const char *message_fields_name(const struct message_fields *self);

/* The fields of the template of this name, with "command_" or "event_" or without. */
const struct message_fields *message_fields_of_name(const char *name);

/* All of them, ascending by template; stores their count. Static storage. */
const struct message_fields *message_fields_all(unsigned *count);

/* The members of struct limits, offsets from its own begin; stores their count. */
const struct field *limits_fields(unsigned *count);

/* Elements of an integer field of `message`, which is at least as long as the field needs. */
uint64_t field_uint(const struct field *self, const void *message, unsigned element);
int64_t field_int(const struct field *self, const void *message, unsigned element);

#endif
