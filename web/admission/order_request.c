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
    case REJECT_INVALID_TIME_IN_FORCE:
    case REJECT_NOT_IN_SESSION: return "time_in_force";
    case REJECT_INVALID_PX:
    case REJECT_INVALID_TICK:
    case REJECT_PX_OUT_OF_RANGE:
    case REJECT_PX_COLLAR:
    case REJECT_PX_BAND:
    case REJECT_WOULD_TAKE: return "limit_price";
    case REJECT_INVALID_STOP_PX: return "stop_price";
    case REJECT_INVALID_DISPLAY_QTY: return "display_qty";
    case REJECT_INVALID_MIN_QTY: return "min_qty";
    case REJECT_INVALID_EXPIRY: return "expire_at";
    case REJECT_INVALID_EXEC_INST: return "post_only";
    case REJECT_INVALID_STP: return "stp";
    case REJECT_INVALID_QTY:
    case REJECT_INVALID_LOT:
    case REJECT_INSUFFICIENT_CASH:
    case REJECT_INSUFFICIENT_SHARES:
    case REJECT_MAX_ORDER_QTY:
    case REJECT_MAX_ORDER_NOTIONAL:
    case REJECT_MAX_POSITION:
    case REJECT_MAX_EXPOSURE:
    case REJECT_DAILY_VOLUME: return "qty";
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

/* A quantity; one that is missing and not required stays 0. */
static bool take_qty(const json_t *object, const char *field, bool required, enum reject otherwise,
                     qty_t *qty, struct complaint *complaint)
{
    const json_t *value = json_object_get(object, field);
    if (!value) return required ? complain(complaint, REJECT_MISSING_FIELD, field) : true;
    if (!json_is_number(value)) return complain(complaint, REJECT_INVALID_FIELD, field);
    if (!json_is_integer(value)) return complain(complaint, otherwise, field);
    *qty = json_integer_value(value);
    if (*qty <= 0 || *qty > QTY_MAX) return complain(complaint, otherwise, field);
    return true;
}

/* A price; one that is missing and not required stays 0. */
static bool take_px(const json_t *object, const char *field, bool required, enum reject otherwise,
                    px_t *px, struct complaint *complaint)
{
    const char *text;
    if (!take_string(object, field, required, &text, complaint)) return false;
    if (text && (!admission_parse_px(text, px) || *px == 0))
        return complain(complaint, otherwise, field);
    return true;
}

/* A bit of `bits`, which `true` sets. */
static bool take_flag(const json_t *object, const char *field, uint8_t bit, uint8_t *bits,
                      struct complaint *complaint)
{
    const json_t *value = json_object_get(object, field);
    if (!value) return true;
    if (!json_is_boolean(value)) return complain(complaint, REJECT_INVALID_FIELD, field);
    if (json_is_true(value)) *bits |= bit;
    return true;
}

/* A word of `words` to its FIX character; `fallback` when the member is missing, 0: required. */
struct word {
    const char *text;
    uint8_t character;
};

static const struct word sides[] = {{"buy", SIDE_BUY}, {"sell", SIDE_SELL}, {0}};

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

static bool take_cl_ord_id(const json_t *object, const char *field, char cl_ord_id[CL_ORD_ID_BYTES],
                           struct complaint *complaint)
{
    const char *text;
    if (!take_string(object, field, false, &text, complaint)) return false;
    if (text && !admission_parse_cl_ord_id(text, cl_ord_id))
        return complain(complaint, REJECT_INVALID_CL_ORD_ID, field);
    return true;
}

/* The prices that the type has; which it must not have is as wrong as one that is missing. */
static bool take_prices(const json_t *object, struct command_new_order *command,
                        struct complaint *complaint)
{
    bool limit = command->ord_type == ORD_TYPE_LIMIT || command->ord_type == ORD_TYPE_STOP_LIMIT;
    bool stop = command->ord_type == ORD_TYPE_STOP || command->ord_type == ORD_TYPE_STOP_LIMIT;
    if (!take_px(object, "limit_price", limit, REJECT_INVALID_PX, &command->limit_px, complaint) ||
        !take_px(object, "stop_price", stop, REJECT_INVALID_STOP_PX, &command->stop_px, complaint))
        return false;
    if (!limit && command->limit_px) return complain(complaint, REJECT_INVALID_PX, "limit_price");
    if (!stop && command->stop_px) return complain(complaint, REJECT_INVALID_STOP_PX, "stop_price");
    return true;
}

/* When a GTD order expires; no other order has it. */
static bool take_expiry(const json_t *object, struct command_new_order *command,
                        struct complaint *complaint)
{
    const char *text;
    bool gtd = command->time_in_force == TIF_GTD;
    if (!take_string(object, "expire_at", gtd, &text, complaint)) return false;
    if (!text) return true;
    if (!gtd || !json_parse_time(text, &command->expire_ns) || command->expire_ns == 0)
        return complain(complaint, REJECT_INVALID_EXPIRY, "expire_at");
    return true;
}

static bool take_terms(const json_t *object, struct command_new_order *command,
                       struct complaint *complaint)
{
    static const struct word stps[] = {{"cancel_newest", STP_CANCEL_NEWEST},
                                       {"cancel_oldest", STP_CANCEL_OLDEST},
                                       {"cancel_both", STP_CANCEL_BOTH},
                                       {"decrement", STP_DECREMENT},
                                       {"allow", STP_ALLOW},
                                       {0}};
    return take_expiry(object, command, complaint) &&
           take_qty(object, "display_qty", false, REJECT_INVALID_DISPLAY_QTY, &command->display_qty,
                    complaint) &&
           take_qty(object, "min_qty", false, REJECT_INVALID_MIN_QTY, &command->min_qty,
                    complaint) &&
           take_flag(object, "post_only", EXEC_INST_POST_ONLY, &command->exec_inst, complaint) &&
           take_flag(object, "cancel_on_disconnect", EXEC_INST_CANCEL_ON_DISCONNECT,
                     &command->exec_inst, complaint) &&
           (!json_object_get(object, "stp") ||
            take_word(object, "stp", stps, 0, REJECT_INVALID_STP, &command->stp, complaint));
}

static bool is_plain(const struct command_new_order *command)
{
    return !command->exec_inst && !command->stp && !command->stop_px && !command->display_qty &&
           !command->min_qty && !command->expire_ns;
}

bool admission_new_order(const json_t *object, const struct engine *engine,
                         const struct identity *who, struct command_new_order *command,
                         struct complaint *complaint)
{
    static const char *const known[] = {"symbol",
                                        "side",
                                        "type",
                                        "qty",
                                        "limit_price",
                                        "stop_price",
                                        "expire_at",
                                        "display_qty",
                                        "min_qty",
                                        "time_in_force",
                                        "post_only",
                                        "stp",
                                        "cancel_on_disconnect",
                                        "client_order_id",
                                        NULL};
    static const struct word types[] = {{"market", ORD_TYPE_MARKET},
                                        {"limit", ORD_TYPE_LIMIT},
                                        {"stop", ORD_TYPE_STOP},
                                        {"stop_limit", ORD_TYPE_STOP_LIMIT},
                                        {0}};
    static const struct word tifs[] = {
        {"day", TIF_DAY}, {"gtc", TIF_GTC},     {"gtd", TIF_GTD},      {"ioc", TIF_IOC},
        {"fok", TIF_FOK}, {"opg", TIF_AT_OPEN}, {"cls", TIF_AT_CLOSE}, {0}};

    *complaint = (struct complaint){0};
    memset(command, 0, sizeof *command);
    command->account = who->account;
    command->user = who->user;
    if (!json_is_object(object)) return complain(complaint, REJECT_MALFORMED_JSON, "");
    if (who->account == 0) return complain(complaint, REJECT_FORBIDDEN, "");
    if (!only_known(object, known, complaint) ||
        !take_instrument(object, engine, &command->instrument, complaint) ||
        !take_word(object, "side", sides, 0, REJECT_INVALID_SIDE, &command->side, complaint) ||
        !take_word(object, "type", types, 0, REJECT_INVALID_ORD_TYPE, &command->ord_type,
                   complaint) ||
        !take_qty(object, "qty", true, REJECT_INVALID_QTY, &command->order_qty, complaint) ||
        !take_prices(object, command, complaint) ||
        !take_word(object, "time_in_force", tifs, TIF_DAY, REJECT_INVALID_TIME_IN_FORCE,
                   &command->time_in_force, complaint) ||
        !take_terms(object, command, complaint) ||
        !take_cl_ord_id(object, "client_order_id", command->cl_ord_id, complaint))
        return false;
    command->header = is_plain(command)
                          ? sbe_header_v1(COMMAND_NEW_ORDER, NEW_ORDER_V1_BYTES)
                          : COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order);
    return true;
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
        return take_cl_ord_id(object, "client_order_id", cl_ord_id, complaint);
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
    static const char *const known[] = {"order_id",   "client_order_id",     "qty", "limit_price",
                                        "stop_price", "new_client_order_id", NULL};

    *complaint = (struct complaint){0};
    memset(command, 0, sizeof *command);
    command->account = who->account;
    command->user = who->user;
    if (!json_is_object(object)) return complain(complaint, REJECT_MALFORMED_JSON, "");
    if (who->account == 0) return complain(complaint, REJECT_FORBIDDEN, "");
    if (!only_known(object, known, complaint) ||
        !take_order(object, &command->order_id, command->orig_cl_ord_id, complaint) ||
        !take_qty(object, "qty", false, REJECT_INVALID_QTY, &command->order_qty, complaint) ||
        !take_px(object, "limit_price", false, REJECT_INVALID_PX, &command->limit_px, complaint) ||
        !take_px(object, "stop_price", false, REJECT_INVALID_STOP_PX, &command->stop_px,
                 complaint) ||
        !take_cl_ord_id(object, "new_client_order_id", command->cl_ord_id, complaint))
        return false;
    bool plain = !command->limit_px && !command->stop_px && !command->cl_ord_id[0];
    if (plain && !command->order_qty) return complain(complaint, REJECT_MISSING_FIELD, "qty");
    command->header = plain ? sbe_header_v1(COMMAND_REPLACE_ORDER, REPLACE_ORDER_V1_BYTES)
                            : COMMAND_HEADER(COMMAND_REPLACE_ORDER, struct command_replace_order);
    return true;
}

bool admission_mass_cancel(const json_t *object, const struct engine *engine,
                           const struct identity *who, struct command_mass_cancel *command,
                           struct complaint *complaint)
{
    static const char *const known[] = {"symbol", "side", NULL};

    *complaint = (struct complaint){0};
    memset(command, 0, sizeof *command);
    command->header = COMMAND_HEADER(COMMAND_MASS_CANCEL, struct command_mass_cancel);
    command->account = who->account;
    command->user = who->user;
    if (!json_is_object(object)) return complain(complaint, REJECT_MALFORMED_JSON, "");
    if (who->account == 0) return complain(complaint, REJECT_FORBIDDEN, "");
    return only_known(object, known, complaint) &&
           (!json_object_get(object, "symbol") ||
            take_instrument(object, engine, &command->instrument, complaint)) &&
           (!json_object_get(object, "side") ||
            take_word(object, "side", sides, 0, REJECT_INVALID_SIDE, &command->side, complaint));
}

bool admission_cancel_after(const json_t *object, const struct identity *who,
                            struct command_cancel_after *command, struct complaint *complaint)
{
    static const char *const known[] = {"seconds", NULL};

    *complaint = (struct complaint){0};
    memset(command, 0, sizeof *command);
    command->header = COMMAND_HEADER(COMMAND_CANCEL_AFTER, struct command_cancel_after);
    command->account = who->account;
    command->user = who->user;
    if (!json_is_object(object)) return complain(complaint, REJECT_MALFORMED_JSON, "");
    if (who->account == 0) return complain(complaint, REJECT_FORBIDDEN, "");
    if (!only_known(object, known, complaint)) return false;
    const json_t *seconds = json_object_get(object, "seconds");
    if (!seconds) return complain(complaint, REJECT_MISSING_FIELD, "seconds");
    if (!json_is_integer(seconds) || json_integer_value(seconds) < 0 ||
        json_integer_value(seconds) > CANCEL_AFTER_MAX_S)
        return complain(complaint, REJECT_INVALID_FIELD, "seconds");
    command->timeout_ns = json_integer_value(seconds) * 1000000000;
    return true;
}
