#include <string.h>

#include "web/admission/admission.h"
#include "web/json/parse.h"

static bool complain(struct complaint *complaint, enum reject reason, const char *field)
{
    complaint->reason = reason;
    size_t length = strnlen(field, sizeof complaint->field - 1);
    memcpy(complaint->field, field, length);
    complaint->field[length] = '\0';
    return false;
}

const char *admission_field_of(enum reject reason)
{
    switch (reason) {
    case REJECT_UNKNOWN_INSTRUMENT: return "symbol";
    case REJECT_INVALID_SIDE: return "side";
    case REJECT_INVALID_ORD_TYPE: return "type";
    case REJECT_INVALID_TIME_IN_FORCE: return "time_in_force";
    case REJECT_INVALID_PX:
    case REJECT_INVALID_TICK:
    case REJECT_PX_OUT_OF_RANGE: return "limit_price";
    case REJECT_INVALID_QTY:
    case REJECT_INVALID_LOT:
    case REJECT_INSUFFICIENT_CASH:
    case REJECT_INSUFFICIENT_SHARES:
    case REJECT_MAX_ORDER_QTY:
    case REJECT_MAX_ORDER_NOTIONAL:
    case REJECT_QTY_NOT_REDUCED: return "qty";
    case REJECT_DUPLICATE_CL_ORD_ID:
    case REJECT_INVALID_CL_ORD_ID: return "client_order_id";
    default: return "";
    }
}

bool admission_parse_px(const char *text, px_t *px)
{
    px_t units = 0;
    int digits = 0, decimals = -1; /* -1: no point yet */
    for (; *text; text++) {
        if (*text == '.' && decimals < 0 && digits > 0) {
            decimals = 0;
            continue;
        }
        if (*text < '0' || *text > '9') return false;
        if (decimals >= 0 && ++decimals > 4) return false;
        digits++;
        units = units * 10 + (*text - '0');
        if (units > PX_MAX) return false;
    }
    if (digits == 0 || decimals == 0) return false;
    for (int i = decimals < 0 ? 0 : decimals; i < 4; i++) {
        if (units > PX_MAX / 10) return false;
        units *= 10;
    }
    *px = units;
    return true;
}

bool admission_parse_order_id(const char *text, order_id_t *order_id)
{
    uint64_t id;
    if (!json_parse_uint(text, UINT64_MAX, &id) || id == 0) return false;
    *order_id = id;
    return true;
}

bool admission_parse_cl_ord_id(const char *text, char cl_ord_id[CL_ORD_ID_BYTES])
{
    size_t length = strlen(text);
    if (length == 0 || length > CL_ORD_ID_BYTES) return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~') return false;
    memset(cl_ord_id, 0, CL_ORD_ID_BYTES);
    memcpy(cl_ord_id, text, length);
    return true;
}

/* Every member must be one of `known`, which ends with NULL. */
static bool only_known(const json_t *object, const char *const *known, struct complaint *complaint)
{
    for (void *at = json_object_iter((json_t *)(uintptr_t)object); at;
         at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        const char *name = json_object_iter_key(at);
        const char *const *field = known;
        while (*field && strcmp(*field, name) != 0) field++;
        if (!*field) return complain(complaint, REJECT_UNKNOWN_FIELD, name);
    }
    return true;
}

/* The member as a string; false with the complaint when it is another type or missing. An
 * optional one that is missing gives NULL. */
static bool take_string(const json_t *object, const char *field, bool required, const char **text,
                        struct complaint *complaint)
{
    const json_t *value = json_object_get(object, field);
    *text = NULL;
    if (!value) return required ? complain(complaint, REJECT_MISSING_FIELD, field) : true;
    if (!json_is_string(value)) return complain(complaint, REJECT_INVALID_FIELD, field);
    *text = json_string_value(value);
    return true;
}

static bool take_qty(const json_t *object, qty_t *qty, struct complaint *complaint)
{
    const json_t *value = json_object_get(object, "qty");
    if (!value) return complain(complaint, REJECT_MISSING_FIELD, "qty");
    if (!json_is_number(value)) return complain(complaint, REJECT_INVALID_FIELD, "qty");
    if (!json_is_integer(value)) return complain(complaint, REJECT_INVALID_QTY, "qty");
    *qty = json_integer_value(value);
    if (*qty <= 0 || *qty > QTY_MAX) return complain(complaint, REJECT_INVALID_QTY, "qty");
    return true;
}

static bool take_limit_px(const json_t *object, px_t *px, struct complaint *complaint)
{
    const char *text;
    if (!take_string(object, "limit_price", true, &text, complaint)) return false;
    if (!admission_parse_px(text, px) || *px == 0)
        return complain(complaint, REJECT_INVALID_PX, "limit_price");
    return true;
}

/* A word of `words` to its FIX character; `fallback` when the member is missing, 0: required. */
struct word {
    const char *text;
    uint8_t character;
};

static bool take_word(const json_t *object, const char *field, const struct word *words,
                      uint8_t fallback, enum reject otherwise, uint8_t *character,
                      struct complaint *complaint)
{
    const char *text;
    if (!take_string(object, field, fallback == 0, &text, complaint)) return false;
    *character = fallback;
    if (!text) return true;
    for (; words->text; words++) {
        if (strcmp(words->text, text) != 0) continue;
        *character = words->character;
        return true;
    }
    return complain(complaint, otherwise, field);
}

static bool take_instrument(const json_t *object, const struct engine *engine,
                            instrument_id_t *instrument, struct complaint *complaint)
{
    const char *symbol;
    if (!take_string(object, "symbol", true, &symbol, complaint)) return false;
    if (!engine_find_symbol(engine, symbol, instrument))
        return complain(complaint, REJECT_UNKNOWN_INSTRUMENT, "symbol");
    return true;
}

static bool take_cl_ord_id(const json_t *object, char cl_ord_id[CL_ORD_ID_BYTES],
                           struct complaint *complaint)
{
    const char *text;
    if (!take_string(object, "client_order_id", false, &text, complaint)) return false;
    if (text && !admission_parse_cl_ord_id(text, cl_ord_id))
        return complain(complaint, REJECT_INVALID_CL_ORD_ID, "client_order_id");
    return true;
}

bool admission_new_order(const json_t *object, const struct engine *engine,
                         const struct identity *who, struct command_new_order *command,
                         struct complaint *complaint)
{
    static const char *const known[] = {
        "symbol", "side", "type", "qty", "limit_price", "time_in_force", "client_order_id", NULL};
    static const struct word sides[] = {{"buy", SIDE_BUY}, {"sell", SIDE_SELL}, {0}};
    static const struct word types[] = {{"limit", ORD_TYPE_LIMIT}, {0}};
    static const struct word tifs[] = {{"day", TIF_DAY}, {"gtc", TIF_GTC}, {"ioc", TIF_IOC}, {0}};

    *complaint = (struct complaint){0};
    memset(command, 0, sizeof *command);
    command->header = COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order);
    command->account = who->account;
    command->user = who->user;
    if (!json_is_object(object)) return complain(complaint, REJECT_MALFORMED_JSON, "");
    if (who->account == 0) return complain(complaint, REJECT_FORBIDDEN, "");
    return only_known(object, known, complaint) &&
           take_instrument(object, engine, &command->instrument, complaint) &&
           take_word(object, "side", sides, 0, REJECT_INVALID_SIDE, &command->side, complaint) &&
           take_word(object, "type", types, 0, REJECT_INVALID_ORD_TYPE, &command->ord_type,
                     complaint) &&
           take_qty(object, &command->order_qty, complaint) &&
           take_limit_px(object, &command->limit_px, complaint) &&
           take_word(object, "time_in_force", tifs, TIF_DAY, REJECT_INVALID_TIME_IN_FORCE,
                     &command->time_in_force, complaint) &&
           take_cl_ord_id(object, command->cl_ord_id, complaint);
}

/* The order that a cancel or replace is about: by one of its two names, not both. */
static bool take_order(const json_t *object, order_id_t *order_id, char cl_ord_id[CL_ORD_ID_BYTES],
                       struct complaint *complaint)
{
    const char *id_text;
    if (!take_string(object, "order_id", false, &id_text, complaint)) return false;
    if (!id_text) {
        if (!json_object_get(object, "client_order_id"))
            return complain(complaint, REJECT_MISSING_FIELD, "order_id");
        return take_cl_ord_id(object, cl_ord_id, complaint);
    }
    if (json_object_get(object, "client_order_id"))
        return complain(complaint, REJECT_INVALID_FIELD, "client_order_id");
    if (!admission_parse_order_id(id_text, order_id))
        return complain(complaint, REJECT_INVALID_FIELD, "order_id");
    /* No order has such a number, and databases that hold them signed need never see one. */
    if (*order_id > INT64_MAX) return complain(complaint, REJECT_UNKNOWN_ORDER, "");
    return true;
}

bool admission_cancel(const json_t *object, const struct identity *who,
                      struct command_cancel_order *command, struct complaint *complaint)
{
    static const char *const known[] = {"order_id", "client_order_id", NULL};

    *complaint = (struct complaint){0};
    memset(command, 0, sizeof *command);
    command->header = COMMAND_HEADER(COMMAND_CANCEL_ORDER, struct command_cancel_order);
    command->account = who->account;
    command->user = who->user;
    if (!json_is_object(object)) return complain(complaint, REJECT_MALFORMED_JSON, "");
    if (who->account == 0) return complain(complaint, REJECT_FORBIDDEN, "");
    return only_known(object, known, complaint) &&
           take_order(object, &command->order_id, command->orig_cl_ord_id, complaint);
}

bool admission_replace(const json_t *object, const struct identity *who,
                       struct command_replace_order *command, struct complaint *complaint)
{
    static const char *const known[] = {"order_id", "client_order_id", "qty", NULL};

    *complaint = (struct complaint){0};
    memset(command, 0, sizeof *command);
    command->header = COMMAND_HEADER(COMMAND_REPLACE_ORDER, struct command_replace_order);
    command->account = who->account;
    command->user = who->user;
    if (!json_is_object(object)) return complain(complaint, REJECT_MALFORMED_JSON, "");
    if (who->account == 0) return complain(complaint, REJECT_FORBIDDEN, "");
    return only_known(object, known, complaint) &&
           take_order(object, &command->order_id, command->orig_cl_ord_id, complaint) &&
           take_qty(object, &command->order_qty, complaint);
}
