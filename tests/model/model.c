#include "tests/model/model.h"

#include <stdlib.h>
#include <string.h>

#include "tests/model/model_parts.h"

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
    self->volumes = table(limits->volumes, sizeof *self->volumes);
    self->keys = table(limits->keys, sizeof *self->keys);
    self->cl_ord_ids = table(limits->cl_ord_ids, sizeof *self->cl_ord_ids);
    self->orders = table(limits->orders, sizeof *self->orders);
    self->free_slots = table(limits->orders, sizeof *self->free_slots);
    for (account_id_t id = 0; id < limits->accounts; id++)
        self->accounts[id].cancel_after_ns = MODEL_NO_TIMER;
    return self;
}

void model_destroy(struct model *self)
{
    for (uint32_t i = 0; i < self->order_count; i++) free(self->orders[i]);
    free(self->accounts);
    free(self->users);
    free(self->instruments);
    free(self->positions);
    free(self->volumes);
    free(self->keys);
    free(self->cl_ord_ids);
    free(self->orders);
    free(self->free_slots);
    free(self->trades);
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

void model_reject_command(struct model *self, uint16_t command, enum reject reason)
{
    struct event_command_rejected event = {
        .header = EVENT_HEADER(EVENT_COMMAND_REJECTED, struct event_command_rejected),
        .command = command,
        .reject_reason = (uint16_t)reason};
    model_emit(self, &event, sizeof event);
}

void model_emit_setting(struct model *self, uint16_t command, uint16_t scope, uint32_t id)
{
    struct event_setting_changed event = {
        .header = EVENT_HEADER(EVENT_SETTING_CHANGED, struct event_setting_changed),
        .command = command,
        .scope = scope,
        .id = id};
    model_emit(self, &event, sizeof event);
}

/* ---- time ---- */

int64_t model_later(const struct model *self, int64_t delay_ns)
{
    __int128 later = (__int128)self->now_ns + delay_ns;
    return later > INT64_MAX ? INT64_MAX : (int64_t)later;
}

/* ---- the step ---- */

static void configure(struct model *self, const struct command_configure *command)
{
    if (self->configured || memcmp(&command->limits, &self->limits, sizeof self->limits) != 0) {
        model_reject_command(self, COMMAND_CONFIGURE, REJECT_ALREADY_CONFIGURED);
        return;
    }
    self->configured = true;
    struct event_configured event = {
        .header = EVENT_HEADER(EVENT_CONFIGURED, struct event_configured), .limits = self->limits};
    model_emit(self, &event, sizeof event);
}

/* A command as its newest version has it; what an older one lacks is zero. */
union command {
    struct sbe_header header;
    struct command_configure configure;
    struct command_open_account open_account;
    struct command_deposit deposit;
    struct command_list_instrument list_instrument;
    struct command_add_user add_user;
    struct command_add_key add_key;
    struct command_withdraw withdraw;
    struct command_transfer transfer;
    struct command_bust_trade bust_trade;
    struct command_new_order new_order;
    struct command_cancel_order cancel_order;
    struct command_replace_order replace_order;
    struct command_mass_cancel mass_cancel;
    struct command_cancel_after cancel_after;
    struct command_end_day end_day;
    struct command_time time;
    struct command_set_session set_session;
    struct command_set_schedule set_schedule;
    struct command_set_bands set_bands;
    struct command_set_breakers set_breakers;
    struct command_set_tick_table set_tick_table;
    struct command_set_limits set_limits;
    struct command_set_fees set_fees;
    struct command_set_account set_account;
    struct command_kill_switch kill_switch;
};

/* Bytes with the header: of the first version, and of the newest. */
struct message_bytes {
    size_t first, newest;
};

static struct message_bytes message_bytes(uint16_t template_id)
{
#define SAME(type)                                                                                 \
    {                                                                                              \
        sizeof(struct type), sizeof(struct type)                                                   \
    }
    static const struct message_bytes known[] = {
        [COMMAND_CONFIGURE] = {40, sizeof(struct command_configure)},
        [COMMAND_OPEN_ACCOUNT] = SAME(command_open_account),
        [COMMAND_DEPOSIT] = SAME(command_deposit),
        [COMMAND_LIST_INSTRUMENT] = {88, sizeof(struct command_list_instrument)},
        [COMMAND_ADD_USER] = SAME(command_add_user),
        [COMMAND_ADD_KEY] = SAME(command_add_key),
        [COMMAND_WITHDRAW] = SAME(command_withdraw),
        [COMMAND_TRANSFER] = SAME(command_transfer),
        [COMMAND_BUST_TRADE] = SAME(command_bust_trade),
        [COMMAND_NEW_ORDER] = {80, sizeof(struct command_new_order)},
        [COMMAND_CANCEL_ORDER] = SAME(command_cancel_order),
        [COMMAND_REPLACE_ORDER] = {72, sizeof(struct command_replace_order)},
        [COMMAND_MASS_CANCEL] = SAME(command_mass_cancel),
        [COMMAND_CANCEL_AFTER] = SAME(command_cancel_after),
        [COMMAND_END_DAY] = SAME(command_end_day),
        [COMMAND_TIME] = SAME(command_time),
        [COMMAND_SET_SESSION] = SAME(command_set_session),
        [COMMAND_SET_SCHEDULE] = SAME(command_set_schedule),
        [COMMAND_SET_BANDS] = SAME(command_set_bands),
        [COMMAND_SET_BREAKERS] = SAME(command_set_breakers),
        [COMMAND_SET_TICK_TABLE] = SAME(command_set_tick_table),
        [COMMAND_SET_LIMITS] = SAME(command_set_limits),
        [COMMAND_SET_FEES] = SAME(command_set_fees),
        [COMMAND_SET_ACCOUNT] = SAME(command_set_account),
        [COMMAND_KILL_SWITCH] = SAME(command_kill_switch),
    };
#undef SAME
    if (template_id >= sizeof known / sizeof known[0]) return (struct message_bytes){0, 0};
    return known[template_id];
}

/* False when it is no command. A later version's longer block is one; what comes between the first
 * version's and the newest's bytes says nothing. */
static bool read_command(const void *message, size_t length, union command *command)
{
    struct sbe_header header;
    memset(command, 0, sizeof *command);
    if (length < sizeof header) return false;
    memcpy(&header, message, sizeof header);
    struct message_bytes bytes = message_bytes(header.template_id);
    size_t told = sizeof header + header.block_length;
    if (bytes.first == 0 || header.schema_id != 0x4847 || header.version == 0) return false;
    if (told < bytes.first || told > length) return false;
    memcpy(command, message, told < bytes.newest ? bytes.first : bytes.newest);
    return true;
}

static void administrate(struct model *self, const union command *command)
{
    switch (command->header.template_id) {
    case COMMAND_OPEN_ACCOUNT: model_open_account(self, &command->open_account); break;
    case COMMAND_DEPOSIT: model_deposit(self, &command->deposit); break;
    case COMMAND_LIST_INSTRUMENT: model_list_instrument(self, &command->list_instrument); break;
    case COMMAND_ADD_USER: model_add_user(self, &command->add_user); break;
    case COMMAND_ADD_KEY: model_add_key(self, &command->add_key); break;
    case COMMAND_WITHDRAW: model_withdraw(self, &command->withdraw); break;
    case COMMAND_TRANSFER: model_transfer(self, &command->transfer); break;
    case COMMAND_BUST_TRADE: model_bust_trade(self, &command->bust_trade); break;
    case COMMAND_SET_SESSION: model_set_session(self, &command->set_session); break;
    case COMMAND_SET_SCHEDULE: model_set_schedule(self, &command->set_schedule); break;
    case COMMAND_SET_BANDS: model_set_bands(self, &command->set_bands); break;
    case COMMAND_SET_BREAKERS: model_set_breakers(self, &command->set_breakers); break;
    case COMMAND_SET_TICK_TABLE: model_set_tick_table(self, &command->set_tick_table); break;
    case COMMAND_SET_LIMITS: model_set_limits(self, &command->set_limits); break;
    case COMMAND_SET_FEES: model_set_fees(self, &command->set_fees); break;
    case COMMAND_SET_ACCOUNT: model_set_account(self, &command->set_account); break;
    default: model_reject_command(self, 0, REJECT_INVALID_MESSAGE); break;
    }
}

void model_step(struct model *self, int64_t time_ns, const void *message, size_t length)
{
    union command command;
    self->events.length = self->events.count = 0;
    if (time_ns > self->now_ns) self->now_ns = time_ns;
    if (!read_command(message, length, &command)) command.header.template_id = 0;
    if (!self->configured && command.header.template_id != COMMAND_CONFIGURE)
        command.header.template_id = 0;
    switch (command.header.template_id) {
    case COMMAND_CONFIGURE: configure(self, &command.configure); break;
    case COMMAND_NEW_ORDER: model_new_order(self, &command.new_order); break;
    case COMMAND_CANCEL_ORDER: model_cancel_order(self, &command.cancel_order); break;
    case COMMAND_REPLACE_ORDER: model_replace_order(self, &command.replace_order); break;
    case COMMAND_MASS_CANCEL: model_mass_cancel(self, &command.mass_cancel); break;
    case COMMAND_CANCEL_AFTER: model_cancel_after(self, &command.cancel_after); break;
    case COMMAND_END_DAY: model_end_day(self, &command.end_day); break;
    case COMMAND_TIME: model_time(self); break;
    case COMMAND_KILL_SWITCH: model_kill_switch(self, &command.kill_switch); break;
    default: administrate(self, &command); break;
    }
}
