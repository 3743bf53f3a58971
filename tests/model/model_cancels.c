#include "tests/model/model_parts.h"

/* ---- one ---- */

void model_cancel_order(struct model *self, const struct command_cancel_order *command)
{
    struct model_order *order = model_own_order(self, command->account, command->user,
                                                command->order_id, command->orig_cl_ord_id);
    if (order)
        model_end_order(self, order, EXEC_CANCELED, REJECT_NONE);
    else
        model_reject_request(self, command->account, command->order_id, COMMAND_CANCEL_ORDER,
                             REJECT_UNKNOWN_ORDER);
}

/* ---- many ---- */

/* Orders that are meant; 0: any. */
struct meant {
    account_id_t account;
    instrument_id_t instrument;
    uint8_t side;
    bool on_disconnect;
};

static bool is_meant(const struct model_order *order, const struct meant *meant)
{
    if (meant->account != 0 && order->account != meant->account) return false;
    if (meant->instrument != 0 && order->instrument != meant->instrument) return false;
    if (meant->side != 0 && order->side != meant->side) return false;
    return !meant->on_disconnect || (order->exec_inst & EXEC_INST_CANCEL_ON_DISCONNECT);
}

static uint32_t slot_of(const struct model_order *order)
{
    return (uint32_t)(order->order_id & 0xffffff);
}

/* The open order with the lowest slot at or above one; NULL when there is none. */
static struct model_order *order_from_slot(const struct model *self, uint32_t slot)
{
    struct model_order *lowest = NULL;
    for (uint32_t i = 0; i < self->order_count; i++) {
        struct model_order *order = self->orders[i];
        if (slot_of(order) >= slot && (!lowest || slot_of(order) < slot_of(lowest))) lowest = order;
    }
    return lowest;
}

/* An account's orders in the order of acceptance, the market's in the order of slots. */
static uint32_t cancel_meant(struct model *self, const struct meant *meant, enum reject reason)
{
    uint32_t count = 0, at = 0, slot = 1;
    struct model_order *order;
    for (;;) {
        if (meant->account != 0)
            order = at < self->order_count ? self->orders[at] : NULL;
        else
            order = order_from_slot(self, slot);
        if (!order) return count;
        slot = slot_of(order) + 1;
        if (is_meant(order, meant)) {
            model_end_order(self, order, EXEC_CANCELED, reason);
            count++;
        } else {
            at++;
        }
    }
}

uint32_t model_cancel_all(struct model *self, account_id_t account, enum reject reason)
{
    return cancel_meant(self, &(struct meant){.account = account}, reason);
}

static enum reject check_mass_cancel(const struct model *self,
                                     const struct command_mass_cancel *command)
{
    if (command->account != 0 && !model_account_is_open(self, command->account))
        return REJECT_UNKNOWN_ACCOUNT;
    if (command->account != 0 ? !model_acts_for(self, command->account, command->user)
                              : command->user != 0)
        return REJECT_UNKNOWN_USER;
    if (command->instrument != 0 && !model_is_listed(self, command->instrument))
        return REJECT_UNKNOWN_INSTRUMENT;
    if (command->side != 0 && command->side != SIDE_BUY && command->side != SIDE_SELL)
        return REJECT_INVALID_SIDE;
    return command->on_disconnect > 1 ? REJECT_INVALID_SETTING : REJECT_NONE;
}

void model_mass_cancel(struct model *self, const struct command_mass_cancel *command)
{
    enum reject reason = check_mass_cancel(self, command);
    if (reason != REJECT_NONE) {
        model_reject_request(self, command->account, 0, COMMAND_MASS_CANCEL, reason);
        return;
    }
    struct meant meant = {.account = command->account,
                          .instrument = command->instrument,
                          .side = command->side,
                          .on_disconnect = command->on_disconnect};
    struct event_mass_canceled event = {
        .header = EVENT_HEADER(EVENT_MASS_CANCELED, struct event_mass_canceled),
        .account = command->account,
        .instrument = command->instrument,
        .side = command->side,
        .on_disconnect = command->on_disconnect};
    event.canceled_count = cancel_meant(self, &meant,
                                        command->on_disconnect ? REJECT_CANCELED_ON_DISCONNECT
                                                               : REJECT_CANCELED_BY_MASS_CANCEL);
    model_emit(self, &event, sizeof event);
}

void model_kill_switch(struct model *self, const struct command_kill_switch *command)
{
    enum reject reason = REJECT_NONE;
    if (command->account != 0 && !model_account_is_open(self, command->account))
        reason = REJECT_UNKNOWN_ACCOUNT;
    else if (command->engaged > 1)
        reason = REJECT_INVALID_SETTING;
    if (reason != REJECT_NONE) {
        model_reject_command(self, COMMAND_KILL_SWITCH, reason);
        return;
    }
    if (command->account != 0)
        self->accounts[command->account].blocked = command->engaged;
    else
        self->blocked = command->engaged;
    struct event_kill_switched event = {
        .header = EVENT_HEADER(EVENT_KILL_SWITCHED, struct event_kill_switched),
        .account = command->account,
        .engaged = command->engaged};
    if (command->engaged)
        event.canceled_count =
            model_cancel_all(self, command->account, REJECT_CANCELED_BY_KILL_SWITCH);
    model_emit(self, &event, sizeof event);
}

void model_cancel_after(struct model *self, const struct command_cancel_after *command)
{
    enum reject reason = REJECT_NONE;
    if (!model_account_is_open(self, command->account))
        reason = REJECT_UNKNOWN_ACCOUNT;
    else if (!model_acts_for(self, command->account, command->user))
        reason = REJECT_UNKNOWN_USER;
    else if (command->timeout_ns < 0 || command->timeout_ns > MODEL_DAY_NS)
        reason = REJECT_INVALID_SETTING;
    if (reason != REJECT_NONE) {
        model_reject_request(self, command->account, 0, COMMAND_CANCEL_AFTER, reason);
        return;
    }
    struct event_cancel_after_set event = {
        .header = EVENT_HEADER(EVENT_CANCEL_AFTER_SET, struct event_cancel_after_set),
        .account = command->account};
    if (command->timeout_ns != 0) event.deadline_ns = model_later(self, command->timeout_ns);
    self->accounts[command->account].cancel_after_ns =
        command->timeout_ns != 0 ? event.deadline_ns : MODEL_NO_TIMER;
    model_emit(self, &event, sizeof event);
}

/* ---- the day is over ---- */

static bool ends_with_day(const struct model_order *order)
{
    return order->time_in_force == TIF_DAY || order->time_in_force == TIF_AT_OPEN ||
           order->time_in_force == TIF_AT_CLOSE;
}

void model_end_day(struct model *self, const struct command_end_day *command)
{
    if (command->day <= self->day) {
        model_reject_command(self, COMMAND_END_DAY, REJECT_INVALID_SETTING);
        return;
    }
    struct event_day_ended event = {.header = EVENT_HEADER(EVENT_DAY_ENDED, struct event_day_ended),
                                    .day = command->day};
    struct model_order *order;
    for (uint32_t slot = 1; (order = order_from_slot(self, slot));) {
        slot = slot_of(order) + 1;
        if (!ends_with_day(order)) continue;
        model_end_order(self, order, EXEC_EXPIRED, REJECT_NONE);
        event.expired_count++;
    }
    self->day = command->day;
    model_forget_names(self);
    for (uint32_t i = 0; i < self->volume_count; i++) self->volumes[i].qty = 0;
    for (account_id_t id = 0; id < self->limits.accounts; id++)
        self->accounts[id].traded_notional = 0;
    for (instrument_id_t id = 0; id < self->limits.instruments; id++)
        if (self->instruments[id].last_px > 0)
            self->instruments[id].reference_px = self->instruments[id].last_px;
    model_reset_index(self);
    self->tripped_level = 0;
    model_emit(self, &event, sizeof event);
}
