#include "server/reporter/administration.h"

#include "server/reporter/message.h"
#include "server/reporter/setting.h"

static void write_refusal(struct batch *self, const struct journal_record *record, uint16_t command,
                          account_id_t account, order_id_t order_id, uint16_t reject_reason)
{
    struct copy_rows *rows = &self->rows[BATCH_REFUSAL];
    copy_row(rows, 8);
    copy_id(rows, record->seq);
    copy_id(rows, record->ref);
    copy_int4(rows, command);
    if (account)
        copy_int8(rows, account);
    else
        copy_null(rows);
    if (order_id && order_id <= INT64_MAX) /* beyond: what somebody asked for, no order's id */
        copy_id(rows, order_id);
    else
        copy_null(rows);
    copy_int4(rows, reject_reason);
    copy_time(rows, record->time_ns);
    copy_int8(rows, record->time_ns);
}

/* One entry of the ledger: what `from` gives `to` gets. OUTSIDE is the world. */
#define OUTSIDE (-1)

struct ledger_entry {
    char kind; /* D deposit, W withdrawal, T transfer */
    uint32_t reason;
    int64_t from_account, to_account;
    asset_t asset;
    int64_t qty;
    int64_t from_balance, to_balance;
};

static void copy_party(struct copy_rows *rows, int64_t account, int64_t value)
{
    if (account == OUTSIDE)
        copy_null(rows);
    else
        copy_int8(rows, value);
}

static void write_ledger(struct batch *self, const struct journal_record *record,
                         const struct ledger_entry *entry)
{
    struct copy_rows *rows = &self->rows[BATCH_LEDGER];
    copy_row(rows, 12);
    copy_id(rows, record->seq);
    copy_id(rows, record->ref);
    copy_char(rows, (uint8_t)entry->kind);
    copy_int2(rows, (int16_t)entry->reason);
    copy_party(rows, entry->from_account, entry->from_account);
    copy_party(rows, entry->to_account, entry->to_account);
    copy_int8(rows, entry->asset == ASSET_CASH ? 0 : entry->asset); /* two names of one asset */
    copy_int8(rows, entry->qty);
    copy_party(rows, entry->from_account, entry->from_balance);
    copy_party(rows, entry->to_account, entry->to_balance);
    copy_time(rows, record->time_ns);
    copy_int8(rows, record->time_ns);
}

static enum status take_deposit(struct batch *self, const struct journal_record *record)
{
    struct event_deposited m;
    if (!message_of(record, EVENT_DEPOSITED, &m, sizeof m)) return STATUS_CORRUPT;
    const struct ledger_entry entry = {.kind = 'D',
                                       .from_account = OUTSIDE,
                                       .to_account = m.account,
                                       .asset = m.asset,
                                       .qty = m.qty,
                                       .to_balance = m.balance};
    write_ledger(self, record, &entry);
    return STATUS_OK;
}

static enum status take_withdrawal(struct batch *self, const struct journal_record *record)
{
    struct event_withdrawn m;
    if (!message_of(record, EVENT_WITHDRAWN, &m, sizeof m)) return STATUS_CORRUPT;
    const struct ledger_entry entry = {.kind = 'W',
                                       .from_account = m.account,
                                       .to_account = OUTSIDE,
                                       .asset = m.asset,
                                       .qty = m.qty,
                                       .from_balance = m.balance};
    write_ledger(self, record, &entry);
    return STATUS_OK;
}

static enum status take_transfer(struct batch *self, const struct journal_record *record)
{
    struct event_transferred m;
    if (!message_of(record, EVENT_TRANSFERRED, &m, sizeof m)) return STATUS_CORRUPT;
    const struct ledger_entry entry = {.kind = 'T',
                                       .reason = m.reason,
                                       .from_account = m.from_account,
                                       .to_account = m.to_account,
                                       .asset = m.asset,
                                       .qty = m.qty,
                                       .from_balance = m.from_balance,
                                       .to_balance = m.to_balance};
    write_ledger(self, record, &entry);
    return STATUS_OK;
}

static enum status take_bust(struct batch *self, const struct journal_record *record)
{
    struct event_trade_busted m;
    if (!message_of(record, EVENT_TRADE_BUSTED, &m, sizeof m)) return STATUS_CORRUPT;
    struct copy_rows *rows = &self->rows[BATCH_BUST];
    copy_row(rows, 5);
    copy_id(rows, m.trade_id);
    copy_id(rows, record->seq);
    copy_id(rows, record->ref);
    copy_time(rows, record->time_ns);
    copy_int8(rows, record->time_ns);
    return STATUS_OK;
}

static void write_account(struct batch *self, const struct journal_record *record,
                          const struct command_open_account *command)
{
    struct copy_rows *rows = &self->rows[BATCH_ACCOUNT];
    copy_row(rows, 4);
    copy_int8(rows, command->account);
    copy_text(rows, command->name, sizeof command->name, true);
    copy_id(rows, record->ref);
    copy_time(rows, record->time_ns);
}

static void write_user(struct batch *self, const struct journal_record *record,
                       const struct command_add_user *command)
{
    struct copy_rows *rows = &self->rows[BATCH_USER];
    copy_row(rows, 5);
    copy_int8(rows, command->user);
    copy_int8(rows, command->account);
    copy_text(rows, command->name, sizeof command->name, true);
    copy_id(rows, record->ref);
    copy_time(rows, record->time_ns);
}

static void write_key(struct batch *self, const struct journal_record *record,
                      const struct command_add_key *command)
{
    struct copy_rows *rows = &self->rows[BATCH_KEY];
    copy_row(rows, 5);
    copy_text(rows, command->key_id, sizeof command->key_id, false);
    copy_int8(rows, command->user);
    copy_int4(rows, (int32_t)command->scopes);
    copy_id(rows, record->ref);
    copy_time(rows, record->time_ns);
}

static void write_instrument(struct batch *self, const struct journal_record *record,
                             const struct command_list_instrument *command)
{
    struct copy_rows *rows = &self->rows[BATCH_INSTRUMENT];
    copy_row(rows, 16);
    copy_int8(rows, command->instrument);
    copy_text(rows, command->symbol, sizeof command->symbol, false);
    copy_text(rows, command->name, sizeof command->name, true);
    copy_int8(rows, command->tick_px);
    copy_int8(rows, command->lot_qty);
    copy_int8(rows, command->max_order_qty);
    copy_int8(rows, command->max_order_notional);
    copy_int2(rows, command->currency);
    copy_int2(rows, command->tick_table);
    copy_int2(rows, command->schedule);
    copy_int2(rows, command->session);
    copy_int8(rows, command->max_fee_ppm);
    copy_int8(rows, command->index_weight);
    copy_bool(rows, command->shortable != 0);
    copy_id(rows, record->ref);
    copy_time(rows, record->time_ns);
}

static enum status take_setting(struct batch *self, const struct journal_record *command,
                                const struct journal_record *record)
{
    struct event_setting_changed m;
    char json[SETTING_JSON_BYTES];
    if (!message_of(record, EVENT_SETTING_CHANGED, &m, sizeof m) || !setting_json(command, json))
        return STATUS_CORRUPT;
    struct copy_rows *rows = &self->rows[BATCH_SETTING];
    copy_row(rows, 8);
    copy_id(rows, record->seq);
    copy_id(rows, record->ref);
    copy_int4(rows, m.command);
    copy_int2(rows, (int16_t)m.scope);
    copy_int8(rows, m.id);
    copy_jsonb(rows, json);
    copy_time(rows, record->time_ns);
    copy_int8(rows, record->time_ns);
    return STATUS_OK;
}

static enum status take_kill_switch(struct batch *self, const struct journal_record *record)
{
    struct event_kill_switched m;
    if (!message_of(record, EVENT_KILL_SWITCHED, &m, sizeof m)) return STATUS_CORRUPT;
    struct copy_rows *rows = &self->rows[BATCH_KILL_SWITCH];
    copy_row(rows, 7);
    copy_id(rows, record->seq);
    copy_id(rows, record->ref);
    copy_int8(rows, m.account);
    copy_bool(rows, m.engaged != 0);
    copy_id(rows, m.canceled_count);
    copy_time(rows, record->time_ns);
    copy_int8(rows, record->time_ns);
    return STATUS_OK;
}

static enum status take_mass_cancel(struct batch *self, const struct journal_record *command,
                                    const struct journal_record *record)
{
    struct event_mass_canceled m;
    struct command_mass_cancel asked;
    if (!message_of(record, EVENT_MASS_CANCELED, &m, sizeof m) ||
        !message_of(command, COMMAND_MASS_CANCEL, &asked, sizeof asked))
        return STATUS_CORRUPT;
    struct copy_rows *rows = &self->rows[BATCH_MASS_CANCEL];
    copy_row(rows, 10);
    copy_id(rows, record->seq);
    copy_id(rows, record->ref);
    copy_int8(rows, m.account);
    copy_int8(rows, asked.user);
    copy_int8(rows, m.instrument);
    if (m.side)
        copy_char(rows, m.side);
    else
        copy_null(rows);
    copy_bool(rows, m.on_disconnect != 0);
    copy_int8(rows, m.canceled_count);
    copy_time(rows, record->time_ns);
    copy_int8(rows, record->time_ns);
    return STATUS_OK;
}

/* Who there is and what is listed. */
static enum status take_listing(struct batch *self, const struct journal_record *command,
                                const struct journal_record *record)
{
    union {
        struct command_open_account account;
        struct command_add_user user;
        struct command_add_key key;
        struct command_list_instrument instrument;
    } m;
    switch (record->header.template_id) {
    case EVENT_ACCOUNT_OPENED:
        if (!message_of(command, COMMAND_OPEN_ACCOUNT, &m, sizeof m.account)) return STATUS_CORRUPT;
        write_account(self, record, &m.account);
        return STATUS_OK;
    case EVENT_USER_ADDED:
        if (!message_of(command, COMMAND_ADD_USER, &m, sizeof m.user)) return STATUS_CORRUPT;
        write_user(self, record, &m.user);
        return STATUS_OK;
    case EVENT_KEY_ADDED:
        if (!message_of(command, COMMAND_ADD_KEY, &m, sizeof m.key)) return STATUS_CORRUPT;
        write_key(self, record, &m.key);
        return STATUS_OK;
    default:
        if (!message_list_instrument(command, &m.instrument)) return STATUS_CORRUPT;
        write_instrument(self, record, &m.instrument);
        return STATUS_OK;
    }
}

static enum status take_refusal(struct batch *self, const struct journal_record *record)
{
    union {
        struct event_request_rejected request;
        struct event_command_rejected refused;
    } m;
    if (message_of(record, EVENT_REQUEST_REJECTED, &m, sizeof m.request))
        write_refusal(self, record, m.request.command, m.request.account, m.request.order_id,
                      m.request.reject_reason);
    else if (message_of(record, EVENT_COMMAND_REJECTED, &m, sizeof m.refused))
        write_refusal(self, record, m.refused.command, 0, 0, m.refused.reject_reason);
    else
        return STATUS_CORRUPT;
    return STATUS_OK;
}

enum status administration_rows(struct batch *self, const struct journal_record *command,
                                const struct journal_record *event)
{
    switch (event->header.template_id) {
    case EVENT_ACCOUNT_OPENED:
    case EVENT_USER_ADDED:
    case EVENT_KEY_ADDED:
    case EVENT_INSTRUMENT_LISTED: return take_listing(self, command, event);
    case EVENT_DEPOSITED: return take_deposit(self, event);
    case EVENT_WITHDRAWN: return take_withdrawal(self, event);
    case EVENT_TRANSFERRED: return take_transfer(self, event);
    case EVENT_TRADE_BUSTED: return take_bust(self, event);
    case EVENT_SETTING_CHANGED: return take_setting(self, command, event);
    case EVENT_KILL_SWITCHED: return take_kill_switch(self, event);
    case EVENT_MASS_CANCELED: return take_mass_cancel(self, command, event);
    case EVENT_REQUEST_REJECTED:
    case EVENT_COMMAND_REJECTED: return take_refusal(self, event);
    default: return STATUS_OK;
    }
}
