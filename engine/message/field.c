#include "engine/message/field.h"

#include <string.h>

#include "engine/base/check.h"
#include "engine/message/command.h"
#include "engine/message/event.h"

/* clang-format off */
#define MEMBER(member) (((MESSAGE *)0)->member)
#define FIELD(member, kind) \
    {#member, offsetof(MESSAGE, member), sizeof MEMBER(member), 1, FIELD_##kind}
#define ARRAY(member, kind) \
    {#member, offsetof(MESSAGE, member), sizeof MEMBER(member)[0], \
     sizeof MEMBER(member) / sizeof MEMBER(member)[0], FIELD_##kind}

#define MESSAGE struct limits
static const struct field limits[] = {
    FIELD(instruments, UINT),
    FIELD(accounts, UINT),
    FIELD(users, UINT),
    FIELD(keys, UINT),
    FIELD(orders, UINT),
    FIELD(price_blocks, UINT),
    FIELD(positions, UINT),
    FIELD(cl_ord_ids, UINT),
    FIELD(volumes, UINT),
    FIELD(trades, UINT),
};
#undef MESSAGE

#define MESSAGE struct command_configure
static const struct field command_configure[] = {
    FIELD(limits, LIMITS),
};
#undef MESSAGE

#define MESSAGE struct command_open_account
static const struct field command_open_account[] = {
    FIELD(account, ACCOUNT),
    FIELD(name, TEXT),
};
#undef MESSAGE

#define MESSAGE struct command_deposit
static const struct field command_deposit[] = {
    FIELD(account, ACCOUNT),
    FIELD(asset, ASSET),
    FIELD(qty, ASSET_QTY),
};
#undef MESSAGE

#define MESSAGE struct command_list_instrument
static const struct field command_list_instrument[] = {
    FIELD(instrument, INSTRUMENT),
    FIELD(symbol, TEXT),
    FIELD(name, TEXT),
    FIELD(tick_px, PX),
    FIELD(lot_qty, QTY),
    FIELD(max_order_qty, QTY),
    FIELD(max_order_notional, CASH),
    FIELD(currency, CURRENCY),
    FIELD(tick_table, UINT),
    FIELD(schedule, UINT),
    FIELD(session, SESSION),
    FIELD(max_fee_ppm, UINT),
    FIELD(index_weight, UINT),
    FIELD(shortable, BOOL),
};
#undef MESSAGE

#define MESSAGE struct command_add_user
static const struct field command_add_user[] = {
    FIELD(user, UINT),
    FIELD(account, ACCOUNT),
    FIELD(name, TEXT),
};
#undef MESSAGE

#define MESSAGE struct command_add_key
static const struct field command_add_key[] = {
    FIELD(user, UINT),
    FIELD(scopes, SCOPES),
    FIELD(key_id, TEXT),
    FIELD(sealed_secret, SECRET),
};
#undef MESSAGE

#define MESSAGE struct command_withdraw
static const struct field command_withdraw[] = {
    FIELD(account, ACCOUNT),
    FIELD(asset, ASSET),
    FIELD(qty, ASSET_QTY),
};
#undef MESSAGE

#define MESSAGE struct command_transfer
static const struct field command_transfer[] = {
    FIELD(from_account, ACCOUNT),
    FIELD(to_account, ACCOUNT),
    FIELD(asset, ASSET),
    FIELD(reason, TRANSFER_REASON),
    FIELD(qty, ASSET_QTY),
};
#undef MESSAGE

#define MESSAGE struct command_bust_trade
static const struct field command_bust_trade[] = {
    FIELD(trade_id, TRADE_ID),
};
#undef MESSAGE

#define MESSAGE struct command_new_order
static const struct field command_new_order[] = {
    FIELD(account, ACCOUNT),
    FIELD(user, UINT),
    FIELD(instrument, INSTRUMENT),
    FIELD(side, SIDE),
    FIELD(ord_type, ORD_TYPE),
    FIELD(time_in_force, TIME_IN_FORCE),
    FIELD(exec_inst, EXEC_INST),
    FIELD(order_qty, QTY),
    FIELD(limit_px, PX),
    FIELD(cl_ord_id, TEXT),
    FIELD(stp, STP),
    FIELD(stop_px, PX),
    FIELD(display_qty, QTY),
    FIELD(min_qty, QTY),
    FIELD(expire_ns, TIME),
};
#undef MESSAGE

#define MESSAGE struct command_cancel_order
static const struct field command_cancel_order[] = {
    FIELD(account, ACCOUNT),
    FIELD(user, UINT),
    FIELD(order_id, ORDER_ID),
    FIELD(orig_cl_ord_id, TEXT),
};
#undef MESSAGE

#define MESSAGE struct command_replace_order
static const struct field command_replace_order[] = {
    FIELD(account, ACCOUNT),
    FIELD(user, UINT),
    FIELD(order_id, ORDER_ID),
    FIELD(order_qty, QTY),
    FIELD(orig_cl_ord_id, TEXT),
    FIELD(limit_px, PX),
    FIELD(stop_px, PX),
    FIELD(cl_ord_id, TEXT),
};
#undef MESSAGE

#define MESSAGE struct command_mass_cancel
static const struct field command_mass_cancel[] = {
    FIELD(account, ACCOUNT),
    FIELD(user, UINT),
    FIELD(instrument, INSTRUMENT),
    FIELD(side, SIDE),
    FIELD(on_disconnect, BOOL),
};
#undef MESSAGE

#define MESSAGE struct command_cancel_after
static const struct field command_cancel_after[] = {
    FIELD(account, ACCOUNT),
    FIELD(user, UINT),
    FIELD(timeout_ns, INT),
};
#undef MESSAGE

#define MESSAGE struct command_end_day
static const struct field command_end_day[] = {
    FIELD(day, UINT),
};
#undef MESSAGE

#define MESSAGE struct command_time
static const struct field command_time[] = {
    FIELD(deadline_ns, TIME),
};
#undef MESSAGE

#define MESSAGE struct command_set_session
static const struct field command_set_session[] = {
    FIELD(instrument, INSTRUMENT),
    FIELD(session, SESSION),
};
#undef MESSAGE

#define MESSAGE struct command_set_schedule
static const struct field command_set_schedule[] = {
    FIELD(schedule, UINT),
    ARRAY(second_of_day, UINT),
    ARRAY(session, SESSION),
    ARRAY(weekdays, UINT),
};
#undef MESSAGE

#define MESSAGE struct command_set_bands
static const struct field command_set_bands[] = {
    FIELD(instrument, INSTRUMENT),
    FIELD(static_ppm, UINT),
    FIELD(dynamic_ppm, UINT),
    FIELD(collar_ppm, UINT),
    FIELD(limit_state_ms, UINT),
    FIELD(halt_ms, UINT),
    FIELD(auction_ms, UINT),
    FIELD(reference_px, PX),
};
#undef MESSAGE

#define MESSAGE struct command_set_breakers
static const struct field command_set_breakers[] = {
    ARRAY(decline_ppm, UINT),
    ARRAY(halt_ms, UINT),
    FIELD(auction_ms, UINT),
};
#undef MESSAGE

#define MESSAGE struct command_set_tick_table
static const struct field command_set_tick_table[] = {
    FIELD(table, UINT),
    ARRAY(from_px, PX),
    ARRAY(tick_px, PX),
};
#undef MESSAGE

#define MESSAGE struct command_set_limits
static const struct field command_set_limits[] = {
    FIELD(scope, LIMIT_SCOPE),
    FIELD(id, SCOPED_ID),
    FIELD(max_order_qty, QTY),
    FIELD(max_order_notional, CASH),
    FIELD(max_open_orders, UINT),
    FIELD(max_messages, UINT),
    FIELD(collar_ppm, UINT),
    FIELD(max_long_qty, QTY),
    FIELD(max_short_qty, QTY),
    FIELD(max_exposure, CASH),
    FIELD(max_daily_qty, QTY),
};
#undef MESSAGE

#define MESSAGE struct command_set_fees
static const struct field command_set_fees[] = {
    FIELD(instrument, INSTRUMENT),
    FIELD(fee_tier, UINT),
    FIELD(maker_ppm, INT),
    FIELD(taker_ppm, INT),
};
#undef MESSAGE

#define MESSAGE struct command_set_account
static const struct field command_set_account[] = {
    FIELD(account, ACCOUNT),
    FIELD(stp, STP),
    FIELD(fee_tier, UINT),
    FIELD(may_short, BOOL),
};
#undef MESSAGE

#define MESSAGE struct command_kill_switch
static const struct field command_kill_switch[] = {
    FIELD(account, ACCOUNT),
    FIELD(engaged, BOOL),
};
#undef MESSAGE

#define MESSAGE struct event_configured
static const struct field event_configured[] = {
    FIELD(limits, LIMITS),
};
#undef MESSAGE

#define MESSAGE struct event_account_opened
static const struct field event_account_opened[] = {
    FIELD(account, ACCOUNT),
};
#undef MESSAGE

#define MESSAGE struct event_deposited
static const struct field event_deposited[] = {
    FIELD(account, ACCOUNT),
    FIELD(asset, ASSET),
    FIELD(qty, ASSET_QTY),
    FIELD(balance, ASSET_QTY),
};
#undef MESSAGE

#define MESSAGE struct event_instrument_listed
static const struct field event_instrument_listed[] = {
    FIELD(instrument, INSTRUMENT),
};
#undef MESSAGE

#define MESSAGE struct event_user_added
static const struct field event_user_added[] = {
    FIELD(user, UINT),
    FIELD(account, ACCOUNT),
};
#undef MESSAGE

#define MESSAGE struct event_key_added
static const struct field event_key_added[] = {
    FIELD(user, UINT),
    FIELD(scopes, SCOPES),
    FIELD(key_id, TEXT),
};
#undef MESSAGE

#define MESSAGE struct event_withdrawn
static const struct field event_withdrawn[] = {
    FIELD(account, ACCOUNT),
    FIELD(asset, ASSET),
    FIELD(qty, ASSET_QTY),
    FIELD(balance, ASSET_QTY),
};
#undef MESSAGE

#define MESSAGE struct event_transferred
static const struct field event_transferred[] = {
    FIELD(from_account, ACCOUNT),
    FIELD(to_account, ACCOUNT),
    FIELD(asset, ASSET),
    FIELD(reason, TRANSFER_REASON),
    FIELD(qty, ASSET_QTY),
    FIELD(from_balance, ASSET_QTY),
    FIELD(to_balance, ASSET_QTY),
};
#undef MESSAGE

#define MESSAGE struct event_trade_busted
static const struct field event_trade_busted[] = {
    FIELD(trade_id, TRADE_ID),
    FIELD(buy_order_id, ORDER_ID),
    FIELD(sell_order_id, ORDER_ID),
    FIELD(buyer, ACCOUNT),
    FIELD(seller, ACCOUNT),
    FIELD(instrument, INSTRUMENT),
    FIELD(qty, QTY),
    FIELD(px, PX),
    FIELD(buyer_fee, CASH),
    FIELD(seller_fee, CASH),
};
#undef MESSAGE

#define MESSAGE struct event_execution
static const struct field event_execution[] = {
    FIELD(order_id, ORDER_ID),
    FIELD(trade_id, TRADE_ID),
    FIELD(account, ACCOUNT),
    FIELD(instrument, INSTRUMENT),
    FIELD(side, SIDE),
    FIELD(ord_type, ORD_TYPE),
    FIELD(time_in_force, TIME_IN_FORCE),
    FIELD(exec_type, EXEC_TYPE),
    FIELD(ord_status, ORD_STATUS),
    FIELD(last_liquidity, LAST_LIQUIDITY),
    FIELD(reject_reason, REJECT),
    FIELD(limit_px, PX),
    FIELD(order_qty, QTY),
    FIELD(last_qty, QTY),
    FIELD(last_px, PX),
    FIELD(cum_qty, QTY),
    FIELD(leaves_qty, QTY),
    FIELD(fee, CASH),
    FIELD(fee_remainder, INT),
};
#undef MESSAGE

#define MESSAGE struct event_request_rejected
static const struct field event_request_rejected[] = {
    FIELD(order_id, ORDER_ID),
    FIELD(account, ACCOUNT),
    FIELD(command, COMMAND),
    FIELD(reject_reason, REJECT),
};
#undef MESSAGE

#define MESSAGE struct event_command_rejected
static const struct field event_command_rejected[] = {
    FIELD(command, COMMAND),
    FIELD(reject_reason, REJECT),
};
#undef MESSAGE

#define MESSAGE struct event_mass_canceled
static const struct field event_mass_canceled[] = {
    FIELD(account, ACCOUNT),
    FIELD(instrument, INSTRUMENT),
    FIELD(canceled_count, UINT),
    FIELD(side, SIDE),
    FIELD(on_disconnect, BOOL),
};
#undef MESSAGE

#define MESSAGE struct event_cancel_after_set
static const struct field event_cancel_after_set[] = {
    FIELD(account, ACCOUNT),
    FIELD(deadline_ns, TIME),
};
#undef MESSAGE

#define MESSAGE struct event_day_ended
static const struct field event_day_ended[] = {
    FIELD(day, UINT),
    FIELD(expired_count, UINT),
};
#undef MESSAGE

#define MESSAGE struct event_time_passed
static const struct field event_time_passed[] = {
    FIELD(fired_count, UINT),
};
#undef MESSAGE

#define MESSAGE struct event_session_changed
static const struct field event_session_changed[] = {
    FIELD(instrument, INSTRUMENT),
    FIELD(session, SESSION),
    FIELD(cause, SESSION_CAUSE),
    FIELD(before, SESSION),
};
#undef MESSAGE

#define MESSAGE struct event_auction
static const struct field event_auction[] = {
    FIELD(instrument, INSTRUMENT),
    FIELD(final, BOOL),
    FIELD(imbalance_side, SIDE),
    FIELD(px, PX),
    FIELD(paired_qty, QTY),
    FIELD(imbalance_qty, QTY),
};
#undef MESSAGE

#define MESSAGE struct event_limit_state
static const struct field event_limit_state[] = {
    FIELD(instrument, INSTRUMENT),
    FIELD(on, BOOL),
    FIELD(side, SIDE),
    FIELD(px, PX),
};
#undef MESSAGE

#define MESSAGE struct event_breaker_tripped
static const struct field event_breaker_tripped[] = {
    FIELD(level, UINT),
    FIELD(decline_ppm, UINT),
};
#undef MESSAGE

#define MESSAGE struct event_setting_changed
static const struct field event_setting_changed[] = {
    FIELD(command, COMMAND),
    FIELD(scope, LIMIT_SCOPE),
    FIELD(id, SCOPED_ID),
};
#undef MESSAGE

#define MESSAGE struct event_kill_switched
static const struct field event_kill_switched[] = {
    FIELD(account, ACCOUNT),
    FIELD(engaged, BOOL),
    FIELD(canceled_count, UINT),
};
#undef MESSAGE
#define MESSAGE_FIELDS(template, rows) {template, #rows, rows, sizeof rows / sizeof rows[0]}
/* clang-format on */

static const struct message_fields messages[] = {
    MESSAGE_FIELDS(COMMAND_CONFIGURE, command_configure),
    MESSAGE_FIELDS(COMMAND_OPEN_ACCOUNT, command_open_account),
    MESSAGE_FIELDS(COMMAND_DEPOSIT, command_deposit),
    MESSAGE_FIELDS(COMMAND_LIST_INSTRUMENT, command_list_instrument),
    MESSAGE_FIELDS(COMMAND_ADD_USER, command_add_user),
    MESSAGE_FIELDS(COMMAND_ADD_KEY, command_add_key),
    MESSAGE_FIELDS(COMMAND_WITHDRAW, command_withdraw),
    MESSAGE_FIELDS(COMMAND_TRANSFER, command_transfer),
    MESSAGE_FIELDS(COMMAND_BUST_TRADE, command_bust_trade),
    MESSAGE_FIELDS(COMMAND_NEW_ORDER, command_new_order),
    MESSAGE_FIELDS(COMMAND_CANCEL_ORDER, command_cancel_order),
    MESSAGE_FIELDS(COMMAND_REPLACE_ORDER, command_replace_order),
    MESSAGE_FIELDS(COMMAND_MASS_CANCEL, command_mass_cancel),
    MESSAGE_FIELDS(COMMAND_CANCEL_AFTER, command_cancel_after),
    MESSAGE_FIELDS(COMMAND_END_DAY, command_end_day),
    MESSAGE_FIELDS(COMMAND_TIME, command_time),
    MESSAGE_FIELDS(COMMAND_SET_SESSION, command_set_session),
    MESSAGE_FIELDS(COMMAND_SET_SCHEDULE, command_set_schedule),
    MESSAGE_FIELDS(COMMAND_SET_BANDS, command_set_bands),
    MESSAGE_FIELDS(COMMAND_SET_BREAKERS, command_set_breakers),
    MESSAGE_FIELDS(COMMAND_SET_TICK_TABLE, command_set_tick_table),
    MESSAGE_FIELDS(COMMAND_SET_LIMITS, command_set_limits),
    MESSAGE_FIELDS(COMMAND_SET_FEES, command_set_fees),
    MESSAGE_FIELDS(COMMAND_SET_ACCOUNT, command_set_account),
    MESSAGE_FIELDS(COMMAND_KILL_SWITCH, command_kill_switch),
    MESSAGE_FIELDS(EVENT_CONFIGURED, event_configured),
    MESSAGE_FIELDS(EVENT_ACCOUNT_OPENED, event_account_opened),
    MESSAGE_FIELDS(EVENT_DEPOSITED, event_deposited),
    MESSAGE_FIELDS(EVENT_INSTRUMENT_LISTED, event_instrument_listed),
    MESSAGE_FIELDS(EVENT_USER_ADDED, event_user_added),
    MESSAGE_FIELDS(EVENT_KEY_ADDED, event_key_added),
    MESSAGE_FIELDS(EVENT_WITHDRAWN, event_withdrawn),
    MESSAGE_FIELDS(EVENT_TRANSFERRED, event_transferred),
    MESSAGE_FIELDS(EVENT_TRADE_BUSTED, event_trade_busted),
    MESSAGE_FIELDS(EVENT_EXECUTION, event_execution),
    MESSAGE_FIELDS(EVENT_REQUEST_REJECTED, event_request_rejected),
    MESSAGE_FIELDS(EVENT_COMMAND_REJECTED, event_command_rejected),
    MESSAGE_FIELDS(EVENT_MASS_CANCELED, event_mass_canceled),
    MESSAGE_FIELDS(EVENT_CANCEL_AFTER_SET, event_cancel_after_set),
    MESSAGE_FIELDS(EVENT_DAY_ENDED, event_day_ended),
    MESSAGE_FIELDS(EVENT_TIME_PASSED, event_time_passed),
    MESSAGE_FIELDS(EVENT_SESSION_CHANGED, event_session_changed),
    MESSAGE_FIELDS(EVENT_AUCTION, event_auction),
    MESSAGE_FIELDS(EVENT_LIMIT_STATE, event_limit_state),
    MESSAGE_FIELDS(EVENT_BREAKER_TRIPPED, event_breaker_tripped),
    MESSAGE_FIELDS(EVENT_SETTING_CHANGED, event_setting_changed),
    MESSAGE_FIELDS(EVENT_KILL_SWITCHED, event_kill_switched),
};

enum { MESSAGE_COUNT = sizeof messages / sizeof messages[0] };

const struct message_fields *message_fields(uint16_t template_id)
{
    for (unsigned i = 0; i < MESSAGE_COUNT; i++)
        if (messages[i].template_id == template_id) return &messages[i];
    return NULL;
}

const char *message_fields_name(const struct message_fields *self)
{
    return strchr(self->schema_name, '_') + 1;
}

const struct message_fields *message_fields_of_name(const char *name)
{
    for (unsigned i = 0; i < MESSAGE_COUNT; i++)
        if (strcmp(messages[i].schema_name, name) == 0 ||
            strcmp(message_fields_name(&messages[i]), name) == 0)
            return &messages[i];
    return NULL;
}

const struct message_fields *message_fields_all(unsigned *count)
{
    *count = MESSAGE_COUNT;
    return messages;
}

const struct field *limits_fields(unsigned *count)
{
    *count = sizeof limits / sizeof limits[0];
    return limits;
}

uint64_t field_uint(const struct field *self, const void *message, unsigned element)
{
    const uint8_t *at = (const uint8_t *)message + self->offset + (size_t)element * self->bytes;
    uint64_t value = 0;
    CHECK(element < self->count && self->bytes <= sizeof value);
    memcpy(&value, at, self->bytes); /* little-endian: sbe.h */
    return value;
}

int64_t field_int(const struct field *self, const void *message, unsigned element)
{
    uint64_t value = field_uint(self, message, element);
    uint64_t sign = UINT64_C(1) << (self->bytes * 8 - 1);
    return (int64_t)((value ^ sign) - sign);
}
