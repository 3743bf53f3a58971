#include "server/ops/admin_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "server/ops/options.h"
#include "web/admission/admission.h"
#include "web/json/encode.h"
#include "web/replica/replica.h"

bool admin_complain(const char *option, const char *what)
{
    fprintf(stderr, "hoga admin: --%s %s\n", option, what);
    return false;
}

/* ---- values ---- */

static bool required(const char *option, const char *text)
{
    return text ? true : admin_complain(option, "is required");
}

bool admin_take_id(const char *option, const char *text, uint64_t max, uint32_t *id)
{
    uint64_t number;
    if (!required(option, text)) return false;
    if (!options_number(text, max, &number) || number == 0)
        return admin_complain(option, "must be a number from 1 on, and not that large");
    *id = (uint32_t)number;
    return true;
}

bool admin_take_number(const char *option, const char *text, uint64_t max, uint64_t *number)
{
    *number = 0;
    if (!text || options_number(text, max, number)) return true;
    return admin_complain(option, "must be a whole number, and not that large");
}

bool admin_take_u32(const char *option, const char *text, uint32_t max, uint32_t *number)
{
    uint64_t wide;
    bool good = admin_take_number(option, text, max, &wide);
    *number = (uint32_t)wide;
    return good;
}

bool admin_take_ppm(const char *option, const char *text, int32_t *ppm)
{
    uint64_t number;
    if (!required(option, text)) return false;
    bool negative = text[0] == '-';
    if (!options_number(text + negative, 1000000, &number))
        return admin_complain(option, "must be millionths, -1000000 to 1000000");
    *ppm = negative ? -(int32_t)number : (int32_t)number;
    return true;
}

bool admin_take_name(const char *option, const char *text, char *to, size_t bytes)
{
    if (!required(option, text)) return false;
    if ((size_t)snprintf(to, bytes, "%s", text) < bytes) return true;
    return admin_complain(option, "is too long");
}

bool admin_take_qty(const char *option, const char *text, int64_t *qty)
{
    uint64_t number;
    if (!required(option, text)) return false;
    if (!options_number(text, INT64_MAX, &number) || number == 0)
        return admin_complain(option, "must be a positive whole number");
    *qty = (int64_t)number;
    return true;
}

bool admin_take_px(const char *option, const char *text, int64_t *px)
{
    if (!required(option, text)) return false;
    if (admission_parse_px(text, px) && *px > 0) return true;
    return admin_complain(option, "must be positive, with at most four decimals");
}

bool admin_take_session(const char *option, const char *text, uint8_t *session)
{
    *session = 0;
    if (!text) return true;
    for (uint8_t s = SESSION_CLOSED; s <= SESSION_CLOSING_AUCTION; s++) {
        if (strcmp(text, json_session(s)) != 0) continue;
        *session = s;
        return true;
    }
    return admin_complain(option, "must be closed, pre_open, opening_auction, continuous, halt, "
                                  "reopening_auction or closing_auction");
}

bool admin_take_currency(const char *text, uint8_t *currency)
{
    *currency = 0;
    if (!text) return true;
    for (uint8_t c = 0; c < CURRENCY_COUNT; c++) {
        if (strcmp(text, json_currency(c)) != 0) continue;
        *currency = c;
        return true;
    }
    fprintf(stderr, "hoga admin: --currency must be one of");
    for (uint8_t c = 0; c < CURRENCY_COUNT; c++) fprintf(stderr, " %s", json_currency(c));
    fprintf(stderr, "\n");
    return false;
}

bool admin_take_stp(const char *text, uint8_t *stp)
{
    *stp = STP_ALLOW;
    if (!text) return true;
    for (uint8_t s = STP_CANCEL_NEWEST; s <= STP_ALLOW; s++) {
        if (strcmp(text, json_stp(s)) != 0) continue;
        *stp = s;
        return true;
    }
    return admin_complain("stp", "must be cancel_newest, cancel_oldest, cancel_both, decrement or "
                                 "allow");
}

bool admin_take_side(const char *text, uint8_t *side)
{
    *side = 0;
    if (!text) return true;
    if (strcmp(text, "buy") == 0) *side = SIDE_BUY;
    if (strcmp(text, "sell") == 0) *side = SIDE_SELL;
    return *side ? true : admin_complain("side", "must be buy or sell");
}

/* ---- the running exchange ---- */

bool admin_open(struct admin *self)
{
    return command_channel_open(&self->channel, self->data_dir) == STATUS_OK;
}

static void ignore_record(void *context, const struct journal_record *command)
{
    (void)context, (void)command;
}

static void ignore_event(void *context, const struct journal_record *command, seq_t out_seq,
                         const void *message, size_t length)
{
    (void)context, (void)command, (void)out_seq, (void)message, (void)length;
}

/* The instrument that bears a symbol now. */
static bool find_symbol(struct admin *self, uint32_t *instrument)
{
    const struct replica_listener nobody = {NULL, ignore_record, ignore_event, ignore_record};
    struct replica replica;
    const struct control *control = self->channel.control;
    seq_t released = atomic_load_explicit(&control->released_seq, memory_order_acquire);
    enum status status = replica_open(&replica, &self->channel.instance, control, &nobody);
    unsigned stepped = 1;
    while (status == STATUS_OK && stepped > 0 && replica.in_seq < released)
        status = replica_poll(&replica, 4096, &stepped);
    bool found = status == STATUS_OK && replica.engine &&
                 engine_find_symbol(replica.engine, self->symbol, instrument);
    replica_close(&replica);
    return found ? true : admin_complain("symbol", "is not listed");
}

bool admin_find_instrument(struct admin *self, uint32_t *instrument)
{
    if (self->symbol && self->instrument)
        return admin_complain("symbol", "and --instrument name the same thing: give one");
    if (self->instrument)
        return admin_take_id("instrument", self->instrument, ASSET_CASH - 1, instrument);
    return required("symbol", self->symbol) && find_symbol(self, instrument);
}

bool admin_check_money(const struct admin *self)
{
    bool shares = self->symbol || self->instrument || self->qty;
    int64_t qty;
    uint8_t currency;
    if ((self->cash != NULL) == shares || (self->currency && shares)) {
        fprintf(stderr, "hoga admin: give either --cash (and --currency), or --symbol and --qty\n");
        return false;
    }
    if (!shares)
        return admin_take_px("cash", self->cash, &qty) &&
               admin_take_currency(self->currency, &currency);
    if (!self->symbol && !self->instrument) return admin_complain("symbol", "is required");
    return admin_take_qty("qty", self->qty, &qty);
}

bool admin_take_money(struct admin *self, asset_t *asset, int64_t *qty)
{
    if (!self->cash)
        return admin_take_qty("qty", self->qty, qty) && admin_find_instrument(self, asset);
    uint8_t currency;
    if (!admin_take_px("cash", self->cash, qty) || !admin_take_currency(self->currency, &currency))
        return false;
    *asset = currency ? ASSET_CASH | currency : 0;
    return true;
}

/* Adds what the event says and the operator could not know. */
static void tell_event(json_t *line, const struct command_answer *told)
{
    union {
        struct event_deposited deposited;
        struct event_withdrawn withdrawn;
        struct event_transferred transferred;
        struct event_trade_busted busted;
        struct event_mass_canceled mass_canceled;
        struct event_kill_switched kill_switched;
    } m;
    _Static_assert(sizeof m <= sizeof told->event, "an answer holds any event");
    memcpy(&m, told->event, sizeof m);
    switch (told->template_id) {
    case EVENT_DEPOSITED:
        (void)json_object_set_new(line, "balance", json_integer(m.deposited.balance));
        break;
    case EVENT_WITHDRAWN:
        (void)json_object_set_new(line, "balance", json_integer(m.withdrawn.balance));
        break;
    case EVENT_TRANSFERRED:
        (void)json_object_set_new(line, "from_balance", json_integer(m.transferred.from_balance));
        (void)json_object_set_new(line, "to_balance", json_integer(m.transferred.to_balance));
        break;
    case EVENT_TRADE_BUSTED:
        (void)json_object_set_new(line, "buyer", json_integer(m.busted.buyer));
        (void)json_object_set_new(line, "seller", json_integer(m.busted.seller));
        (void)json_object_set_new(line, "qty", json_integer(m.busted.qty));
        (void)json_object_set_new(line, "px", json_integer(m.busted.px));
        break;
    case EVENT_MASS_CANCELED:
        (void)json_object_set_new(line, "canceled_count",
                                  json_integer(m.mass_canceled.canceled_count));
        break;
    case EVENT_KILL_SWITCHED:
        (void)json_object_set_new(line, "canceled_count",
                                  json_integer((json_int_t)m.kill_switched.canceled_count));
        break;
    default: break;
    }
}

int admin_send(struct admin *self, const void *message, size_t length, json_t *result)
{
    struct command_answer told;
    enum status status = command_channel_send(&self->channel, message, length, &told);
    json_t *line = NULL;
    if (status == STATUS_OK && told.reason == REJECT_NONE) {
        line = result ? json_incref(result) : json_object();
        (void)json_object_set_new(line, "in_seq", json_integer((json_int_t)told.in_seq));
        tell_event(line, &told);
    } else if (status == STATUS_OK) {
        const struct reject_row *row = reject_row(told.reason);
        line = json_pack("{s:{s:s, s:s}, s:I}", "error", "code", row->code, "detail", row->text,
                         "in_seq", (json_int_t)told.in_seq);
    }
    if (line) {
        (void)json_dumpf(line, stdout, JSON_COMPACT);
        printf("\n");
    }
    json_decref(line);
    json_decref(result);
    return status == STATUS_OK && told.reason == REJECT_NONE ? EXIT_SUCCESS : EXIT_FAILURE;
}
