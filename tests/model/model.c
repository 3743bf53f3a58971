#include "tests/model/model.h"

#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

static void *table(size_t count, size_t each_bytes)
{
    void *rows = calloc(count, each_bytes);
    if (!rows) abort();
    return rows;
}

struct model *model_create(const struct limits *limits)
{
    struct model *self = table(1, sizeof *self);
    self->limits = *limits;
    self->accounts = table(limits->accounts, sizeof *self->accounts);
    self->users = table(limits->users, sizeof *self->users);
    self->instruments = table(limits->instruments, sizeof *self->instruments);
    self->positions = table(limits->positions, sizeof *self->positions);
    self->keys = table(limits->keys, sizeof *self->keys);
    self->cl_ord_ids = table(limits->cl_ord_ids, sizeof *self->cl_ord_ids);
    self->orders = table(limits->orders, sizeof *self->orders);
    self->free_slots = table(limits->orders, sizeof *self->free_slots);
    return self;
}

void model_destroy(struct model *self)
{
    free(self->accounts);
    free(self->users);
    free(self->instruments);
    free(self->positions);
    free(self->keys);
    free(self->cl_ord_ids);
    free(self->orders);
    free(self->free_slots);
    free(self->events.bytes);
    free(self);
}

/* ---- events ---- */

void model_emit(struct model *self, const void *message, size_t length)
{
    struct event_list *list = &self->events;
    if (list->length + length > list->capacity) {
        list->capacity = (list->length + length) * 2;
        list->bytes = realloc(list->bytes, list->capacity);
        if (!list->bytes) abort();
    }
    memcpy(list->bytes + list->length, message, length);
    list->length += length;
    list->count++;
}

void model_emit_command_rejected(struct model *self, uint16_t command, enum reject reason)
{
    struct event_command_rejected event = {
        .header = EVENT_HEADER(EVENT_COMMAND_REJECTED, struct event_command_rejected),
        .command = command,
        .reject_reason = (uint16_t)reason};
    model_emit(self, &event, sizeof event);
}

/* ---- questions ---- */

bool model_account_is_open(const struct model *self, account_id_t account)
{
    return account < self->limits.accounts && self->accounts[account].open;
}

bool model_is_listed(const struct model *self, instrument_id_t instrument)
{
    return instrument < self->limits.instruments && self->instruments[instrument].listed;
}

bool model_acts_for(const struct model *self, account_id_t account, user_id_t user)
{
    return user < self->limits.users && self->users[user].there &&
           self->users[user].account == account;
}

__int128 model_held_cash(const struct model *self, account_id_t account)
{
    __int128 held = 0;
    for (uint32_t i = 0; i < self->order_count; i++) {
        const struct model_order *order = &self->orders[i];
        if (order->account == account && order->side == SIDE_BUY)
            held += (__int128)order->limit_px * model_leaves(order);
    }
    return held;
}

__int128 model_held_qty(const struct model *self, account_id_t account, instrument_id_t instrument)
{
    __int128 held = 0;
    for (uint32_t i = 0; i < self->order_count; i++) {
        const struct model_order *order = &self->orders[i];
        if (order->account == account && order->instrument == instrument &&
            order->side == SIDE_SELL)
            held += model_leaves(order);
    }
    return held;
}

struct model_position *model_position(const struct model *self, account_id_t account,
                                      instrument_id_t instrument)
{
    for (uint32_t i = 0; i < self->position_count; i++) {
        struct model_position *p = &self->positions[i];
        if (p->account == account && p->instrument == instrument) return p;
    }
    return NULL;
}

struct model_order *model_order(const struct model *self, order_id_t order_id)
{
    for (uint32_t i = 0; i < self->order_count; i++)
        if (self->orders[i].order_id == order_id) return &self->orders[i];
    return NULL;
}

const struct model_key *model_key(const struct model *self, const char *key_id)
{
    for (uint32_t i = 0; i < self->key_count; i++)
        if (strcmp(self->keys[i].key_id, key_id) == 0) return &self->keys[i];
    return NULL;
}

instrument_id_t model_find_symbol(const struct model *self, const char *symbol)
{
    for (instrument_id_t id = 1; id < self->limits.instruments; id++)
        if (self->instruments[id].listed && strcmp(self->instruments[id].symbol, symbol) == 0)
            return id;
    return 0;
}

bool model_open_position(struct model *self, account_id_t account, instrument_id_t instrument)
{
    if (model_position(self, account, instrument)) return true;
    if (self->position_count == self->limits.positions) return false;
    self->positions[self->position_count++] =
        (struct model_position){.account = account, .instrument = instrument};
    return true;
}

/* ---- administration ---- */

static void configure(struct model *self, const struct command_configure *command)
{
    if (self->configured || memcmp(&command->limits, &self->limits, sizeof self->limits) != 0) {
        model_emit_command_rejected(self, COMMAND_CONFIGURE, REJECT_ALREADY_CONFIGURED);
        return;
    }
    self->configured = true;
    struct event_configured event = {
        .header = EVENT_HEADER(EVENT_CONFIGURED, struct event_configured), .limits = self->limits};
    model_emit(self, &event, sizeof event);
}

/* Something, and a NUL before the field ends. */
static bool is_text(const char *text, size_t field_bytes)
{
    if (text[0] == '\0') return false;
    for (size_t i = 0; i < field_bytes; i++)
        if (text[i] == '\0') return true;
    return false;
}

static void open_account(struct model *self, const struct command_open_account *command)
{
    account_id_t account = command->account;
    enum reject reason = REJECT_NONE;
    if (account < 1 || account >= self->limits.accounts)
        reason = REJECT_OUT_OF_LIMITS;
    else if (!is_text(command->name, NAME_BYTES))
        reason = REJECT_INVALID_NAME;
    else if (self->accounts[account].open)
        reason = REJECT_ACCOUNT_EXISTS;
    if (reason != REJECT_NONE) {
        model_emit_command_rejected(self, COMMAND_OPEN_ACCOUNT, reason);
        return;
    }
    self->accounts[account].open = true;
    memcpy(self->accounts[account].name, command->name, NAME_BYTES);
    struct event_account_opened event = {
        .header = EVENT_HEADER(EVENT_ACCOUNT_OPENED, struct event_account_opened),
        .account = account};
    model_emit(self, &event, sizeof event);
}

/* Everything there is of an asset, over all accounts. */
static __int128 total_of(const struct model *self, instrument_id_t instrument)
{
    __int128 total = 0;
    if (instrument == 0)
        for (uint32_t i = 0; i < self->limits.accounts; i++) total += self->accounts[i].cash;
    for (uint32_t i = 0; i < self->position_count; i++)
        if (self->positions[i].instrument == instrument) total += self->positions[i].qty;
    return total;
}

static enum reject check_deposit(struct model *self, const struct command_deposit *command)
{
    if (!model_account_is_open(self, command->account)) return REJECT_UNKNOWN_ACCOUNT;
    if (command->instrument != 0 && !model_is_listed(self, command->instrument))
        return REJECT_UNKNOWN_INSTRUMENT;
    if (command->qty < 1) return REJECT_INVALID_QTY;
    if (total_of(self, command->instrument) + command->qty > INT64_MAX) return REJECT_OVERFLOW;
    if (command->instrument != 0 &&
        !model_open_position(self, command->account, command->instrument))
        return REJECT_POSITIONS_FULL;
    return REJECT_NONE;
}

static void deposit(struct model *self, const struct command_deposit *command)
{
    enum reject reason = check_deposit(self, command);
    if (reason != REJECT_NONE) {
        model_emit_command_rejected(self, COMMAND_DEPOSIT, reason);
        return;
    }
    __int128 *balance = command->instrument
                            ? &model_position(self, command->account, command->instrument)->qty
                            : &self->accounts[command->account].cash;
    *balance += command->qty;
    struct event_deposited event = {.header = EVENT_HEADER(EVENT_DEPOSITED, struct event_deposited),
                                    .account = command->account,
                                    .instrument = command->instrument,
                                    .qty = command->qty,
                                    .balance = (int64_t)*balance};
    model_emit(self, &event, sizeof event);
}

static bool is_symbol(const char *symbol)
{
    if (!is_text(symbol, SYMBOL_BYTES)) return false;
    for (; *symbol; symbol++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", *symbol)) return false;
    return true;
}

static enum reject check_listing(const struct model *self,
                                 const struct command_list_instrument *command)
{
    instrument_id_t id = command->instrument;
    if (id < 1 || id >= self->limits.instruments) return REJECT_OUT_OF_LIMITS;
    if (!is_symbol(command->symbol)) return REJECT_INVALID_NAME;
    if (!is_text(command->name, NAME_BYTES)) return REJECT_INVALID_NAME;
    if (command->tick_px < 1 || command->tick_px > PX_MAX) return REJECT_OUT_OF_LIMITS;
    if (command->lot_qty < 1 || command->lot_qty > QTY_MAX) return REJECT_OUT_OF_LIMITS;
    if (command->max_order_qty < 1 || command->max_order_qty > QTY_MAX) return REJECT_OUT_OF_LIMITS;
    if (command->max_order_notional < 1) return REJECT_OUT_OF_LIMITS;
    if ((__int128)command->tick_px * 16777215 > INT64_MAX) return REJECT_OUT_OF_LIMITS;
    if (self->instruments[id].listed || model_find_symbol(self, command->symbol))
        return REJECT_INSTRUMENT_EXISTS;
    return REJECT_NONE;
}

static void list_instrument(struct model *self, const struct command_list_instrument *command)
{
    enum reject reason = check_listing(self, command);
    if (reason != REJECT_NONE) {
        model_emit_command_rejected(self, COMMAND_LIST_INSTRUMENT, reason);
        return;
    }
    struct model_instrument *i = &self->instruments[command->instrument];
    *i = (struct model_instrument){.listed = true,
                                   .tick_px = command->tick_px,
                                   .max_px = command->tick_px * 16777215,
                                   .lot_qty = command->lot_qty,
                                   .max_order_qty = command->max_order_qty,
                                   .max_order_notional = command->max_order_notional};
    while (i->max_px > PX_MAX) /* the highest price on a tick that is no more than PX_MAX */
        i->max_px = i->max_px - (i->max_px - PX_MAX + i->tick_px - 1) / i->tick_px * i->tick_px;
    memcpy(i->symbol, command->symbol, SYMBOL_BYTES);
    memcpy(i->name, command->name, NAME_BYTES);
    struct event_instrument_listed event = {
        .header = EVENT_HEADER(EVENT_INSTRUMENT_LISTED, struct event_instrument_listed),
        .instrument = command->instrument};
    model_emit(self, &event, sizeof event);
}

static void add_user(struct model *self, const struct command_add_user *command)
{
    user_id_t user = command->user;
    enum reject reason = REJECT_NONE;
    if (user < 1 || user >= self->limits.users)
        reason = REJECT_OUT_OF_LIMITS;
    else if (!is_text(command->name, NAME_BYTES))
        reason = REJECT_INVALID_NAME;
    else if (self->users[user].there)
        reason = REJECT_USER_EXISTS;
    else if (command->account != 0 && !model_account_is_open(self, command->account))
        reason = REJECT_UNKNOWN_ACCOUNT;
    if (reason != REJECT_NONE) {
        model_emit_command_rejected(self, COMMAND_ADD_USER, reason);
        return;
    }
    self->users[user] = (struct model_user){.there = true, .account = command->account};
    struct event_user_added event = {.header =
                                         EVENT_HEADER(EVENT_USER_ADDED, struct event_user_added),
                                     .user = user,
                                     .account = command->account};
    model_emit(self, &event, sizeof event);
}

static enum reject check_key(const struct model *self, const struct command_add_key *command)
{
    if (!is_text(command->key_id, KEY_ID_BYTES)) return REJECT_INVALID_NAME;
    if (command->user >= self->limits.users || !self->users[command->user].there)
        return REJECT_UNKNOWN_USER;
    if (command->scopes > SCOPE_READ + SCOPE_TRADE + SCOPE_ADMIN + SCOPE_REPORT)
        return REJECT_INVALID_MESSAGE;
    if (model_key(self, command->key_id)) return REJECT_KEY_EXISTS;
    if (self->key_count == self->limits.keys) return REJECT_KEYS_FULL;
    return REJECT_NONE;
}

static void add_key(struct model *self, const struct command_add_key *command)
{
    enum reject reason = check_key(self, command);
    if (reason != REJECT_NONE) {
        model_emit_command_rejected(self, COMMAND_ADD_KEY, reason);
        return;
    }
    struct model_key *key = &self->keys[self->key_count++];
    memcpy(key->key_id, command->key_id, KEY_ID_BYTES);
    memcpy(key->sealed_secret, command->sealed_secret, SEALED_SECRET_BYTES);
    key->user = command->user;
    key->scopes = command->scopes;
    struct event_key_added event = {.header = EVENT_HEADER(EVENT_KEY_ADDED, struct event_key_added),
                                    .user = command->user,
                                    .scopes = command->scopes};
    memcpy(event.key_id, command->key_id, KEY_ID_BYTES);
    model_emit(self, &event, sizeof event);
}

/* ---- the step ---- */

static size_t message_bytes(uint16_t template_id)
{
    switch (template_id) {
    case COMMAND_CONFIGURE: return sizeof(struct command_configure);
    case COMMAND_OPEN_ACCOUNT: return sizeof(struct command_open_account);
    case COMMAND_DEPOSIT: return sizeof(struct command_deposit);
    case COMMAND_LIST_INSTRUMENT: return sizeof(struct command_list_instrument);
    case COMMAND_ADD_USER: return sizeof(struct command_add_user);
    case COMMAND_ADD_KEY: return sizeof(struct command_add_key);
    case COMMAND_NEW_ORDER: return sizeof(struct command_new_order);
    case COMMAND_CANCEL_ORDER: return sizeof(struct command_cancel_order);
    case COMMAND_REPLACE_ORDER: return sizeof(struct command_replace_order);
    case COMMAND_END_DAY: return sizeof(struct command_end_day);
    default: return 0;
    }
}

/* A later version may have a longer block; an earlier one does not exist. */
static bool is_command(const void *message, size_t length)
{
    struct sbe_header header;
    if (length < sizeof header) return false;
    memcpy(&header, message, sizeof header);
    size_t known = message_bytes(header.template_id), told = sizeof header + header.block_length;
    return known != 0 && header.schema_id == 0x4847 && header.version != 0 && told >= known &&
           length >= told;
}

void model_step(struct model *self, const void *message, size_t length)
{
    self->events.length = self->events.count = 0;
    struct sbe_header header = {0};
    if (is_command(message, length)) memcpy(&header, message, sizeof header);
    if (!self->configured && header.template_id != COMMAND_CONFIGURE) header.template_id = 0;
    switch (header.template_id) {
    case COMMAND_CONFIGURE: configure(self, message); break;
    case COMMAND_OPEN_ACCOUNT: open_account(self, message); break;
    case COMMAND_DEPOSIT: deposit(self, message); break;
    case COMMAND_LIST_INSTRUMENT: list_instrument(self, message); break;
    case COMMAND_ADD_USER: add_user(self, message); break;
    case COMMAND_ADD_KEY: add_key(self, message); break;
    case COMMAND_NEW_ORDER: model_new_order(self, message); break;
    case COMMAND_CANCEL_ORDER: model_cancel_order(self, message); break;
    case COMMAND_REPLACE_ORDER: model_replace_order(self, message); break;
    case COMMAND_END_DAY: model_end_day(self, message); break;
    default: model_emit_command_rejected(self, 0, REJECT_INVALID_MESSAGE); break;
    }
}
