/* event.h - what the engine decided: the messages of the `out` journal.
 *
 * Every command makes at least one event, so that whoever sent it can be answered. Layouts as in
 * command.h: header, then the block, FIX 4.4's characters in enumerations.
 *
 * An execution's exec_id is its sequence number in the `out` journal.
 */
#ifndef HOGA_MESSAGE_EVENT_H
#define HOGA_MESSAGE_EVENT_H

#include <stdint.h>

#include "engine/base/units.h"
#include "engine/message/command.h"
#include "engine/message/sbe.h"

enum event_template {
    EVENT_CONFIGURED = 101,
    EVENT_ACCOUNT_OPENED = 102,
    EVENT_DEPOSITED = 103,
    EVENT_INSTRUMENT_LISTED = 104,
    EVENT_USER_ADDED = 105,
    EVENT_KEY_ADDED = 106,
    EVENT_WITHDRAWN = 107,
    EVENT_TRANSFERRED = 108,
    EVENT_TRADE_BUSTED = 109,
    EVENT_EXECUTION = 110,
    EVENT_REQUEST_REJECTED = 111,
    EVENT_COMMAND_REJECTED = 112,
    EVENT_MASS_CANCELED = 113,
    EVENT_CANCEL_AFTER_SET = 114,
    EVENT_DAY_ENDED = 120,
    EVENT_TIME_PASSED = 121,
    EVENT_SESSION_CHANGED = 122,
    EVENT_AUCTION = 123,
    EVENT_LIMIT_STATE = 124,
    EVENT_BREAKER_TRIPPED = 125,
    EVENT_SETTING_CHANGED = 126,
    EVENT_KILL_SWITCHED = 127,
};

enum exec_type { /* FIX tag 150 */
                 EXEC_NEW = '0',
                 EXEC_CANCELED = '4',
                 EXEC_REPLACED = '5',
                 EXEC_REJECTED = '8',
                 EXEC_EXPIRED = 'C',
                 EXEC_RESTATED = 'D', /* its quantity fell to prevent a self-trade */
                 EXEC_TRADE = 'F',
                 EXEC_TRIGGERED = 'L',
};

enum ord_status { /* FIX tag 39 */
                  ORD_NEW = '0',
                  ORD_PARTIALLY_FILLED = '1',
                  ORD_FILLED = '2',
                  ORD_CANCELED = '4',
                  ORD_REJECTED = '8',
                  ORD_EXPIRED = 'C',
};

enum last_liquidity { /* FIX tag 851 */
                      LIQUIDITY_NONE = 0,
                      LIQUIDITY_ADDED = 1,
                      LIQUIDITY_REMOVED = 2,
                      LIQUIDITY_AUCTION = 4,
};

/* Any report about an order; a fill when last_qty > 0. While the order is open,
 * order_qty = cum_qty + leaves_qty; once it is terminal leaves_qty = 0. */
struct event_execution {
    struct sbe_header header;
    order_id_t order_id; /* a rejected order has one too */
    trade_id_t trade_id; /* both sides of a trade carry the same; 0 unless EXEC_TRADE */
    account_id_t account;
    instrument_id_t instrument;
    uint8_t side;           /* enum side */
    uint8_t ord_type;       /* enum ord_type */
    uint8_t time_in_force;  /* enum time_in_force */
    uint8_t exec_type;      /* enum exec_type */
    uint8_t ord_status;     /* enum ord_status */
    uint8_t last_liquidity; /* enum last_liquidity */
    uint16_t reject_reason; /* enum reject: why it was rejected, or why canceled unasked */
    px_t limit_px;          /* market and stop: the worst price that the collar lets it pay */
    qty_t order_qty;
    qty_t last_qty;
    px_t last_px;
    qty_t cum_qty;
    qty_t leaves_qty;
    /* since version 2, and only in fills; zeros without them */
    cash_t fee;            /* paid by this side; below zero: a rebate */
    int32_t fee_remainder; /* millionths of a cash unit that rounding towards zero left out */
    uint32_t pad;
};
enum { EXECUTION_V1_BYTES = 88 };

/* A request about an order that changed nothing: a cancel or replace of an order that is not open,
 * or a new order whose cl_ord_id was used today (order_id is then the first order's). */
struct event_request_rejected {
    struct sbe_header header;
    order_id_t order_id;
    account_id_t account;
    uint16_t command;       /* enum command_template it answers */
    uint16_t reject_reason; /* enum reject */
};

/* An administrative command that changed nothing. */
struct event_command_rejected {
    struct sbe_header header;
    uint16_t command;       /* enum command_template it answers, 0 when that is not known */
    uint16_t reject_reason; /* enum reject */
    uint32_t pad;
};

struct event_configured {
    struct sbe_header header;
    struct limits limits;
};

struct event_account_opened {
    struct sbe_header header;
    account_id_t account;
    uint32_t pad;
};

struct event_deposited {
    struct sbe_header header;
    account_id_t account;
    asset_t asset;
    int64_t qty;
    int64_t balance; /* the account's, after it, held included */
};

struct event_withdrawn {
    struct sbe_header header;
    account_id_t account;
    asset_t asset;
    int64_t qty;
    int64_t balance; /* the account's, after it, held included */
};

struct event_transferred {
    struct sbe_header header;
    account_id_t from_account;
    account_id_t to_account;
    asset_t asset;
    uint32_t reason; /* enum transfer_reason */
    int64_t qty;
    int64_t from_balance; /* after it, held included */
    int64_t to_balance;
};

/* A trade was taken back. Its orders stay as they are. */
struct event_trade_busted {
    struct sbe_header header;
    trade_id_t trade_id;
    order_id_t buy_order_id;
    order_id_t sell_order_id;
    account_id_t buyer;
    account_id_t seller;
    instrument_id_t instrument;
    uint32_t pad;
    qty_t qty;
    px_t px;
    cash_t buyer_fee; /* as it was paid, and returned */
    cash_t seller_fee;
};

/* Follows the executions of the orders that were canceled. */
struct event_mass_canceled {
    struct sbe_header header;
    account_id_t account;
    instrument_id_t instrument;
    uint32_t canceled_count;
    uint8_t side;
    uint8_t on_disconnect;
    uint8_t pad[2];
};

struct event_cancel_after_set {
    struct sbe_header header;
    account_id_t account;
    uint32_t pad;
    int64_t deadline_ns; /* 0: off */
};

struct event_instrument_listed {
    struct sbe_header header;
    instrument_id_t instrument;
    uint32_t pad;
};

struct event_user_added {
    struct sbe_header header;
    user_id_t user;
    account_id_t account;
};

struct event_key_added {
    struct sbe_header header;
    user_id_t user;
    uint32_t scopes;
    char key_id[KEY_ID_BYTES];
};

/* Follows the executions of the orders that expired. */
struct event_day_ended {
    struct sbe_header header;
    uint64_t day; /* days since the epoch of the day that begins */
    uint64_t expired_count;
};

/* Follows the events of the timers that fired. */
struct event_time_passed {
    struct sbe_header header;
    uint32_t fired_count;
    uint32_t pad;
};

enum session_cause {
    SESSION_BY_COMMAND = 1,
    SESSION_BY_SCHEDULE = 2,
    SESSION_BY_BAND = 3,    /* a limit state lasted too long */
    SESSION_BY_BREAKER = 4, /* the whole market fell too far */
    SESSION_BY_TIMER = 5,   /* a halt or an auction is over */
};

/* Comes before the auction's fills, if there is an auction to end. */
struct event_session_changed {
    struct sbe_header header;
    instrument_id_t instrument;
    uint8_t session; /* enum session, from now on */
    uint8_t cause;   /* enum session_cause */
    uint8_t before;  /* enum session, until now */
    uint8_t pad;
};

/* What an auction would give now (each second while one is on and something changed), or has given
 * (`final`; comes before its fills). */
struct event_auction {
    struct sbe_header header;
    instrument_id_t instrument;
    uint8_t final;
    uint8_t imbalance_side; /* enum side with more to trade at px; 0: neither */
    uint8_t pad[2];
    px_t px;             /* 0: nothing would trade */
    qty_t paired_qty;    /* would trade, or has */
    qty_t imbalance_qty; /* left over at px */
};

/* Orders of one side are stopped by a price band. */
struct event_limit_state {
    struct sbe_header header;
    instrument_id_t instrument;
    uint8_t on;   /* 0: trading inside the bands again, or halted */
    uint8_t side; /* enum side of the order that was stopped; 0 when on is 0 */
    uint8_t pad[2];
    px_t px; /* the band it ran into; 0 when on is 0 */
};

/* Precedes the SESSION_CHANGED of the instruments that halt. */
struct event_breaker_tripped {
    struct sbe_header header;
    uint32_t level;       /* 1 .. BREAKER_LEVELS */
    uint32_t decline_ppm; /* by how much the index has fallen */
};

/* A SET_ command was carried out. */
struct event_setting_changed {
    struct sbe_header header;
    uint16_t command; /* enum command_template */
    uint16_t scope;   /* SET_LIMITS: enum limit_scope; else 0 */
    uint32_t id;      /* what it is about: instrument, account, user, schedule or table; 0: all */
};

/* Follows the executions of the orders that were canceled. */
struct event_kill_switched {
    struct sbe_header header;
    account_id_t account; /* 0: the whole market */
    uint32_t engaged;
    uint64_t canceled_count;
};

SBE_PIN(struct event_execution, order_id, 8);
SBE_PIN(struct event_execution, trade_id, 16);
SBE_PIN(struct event_execution, account, 24);
SBE_PIN(struct event_execution, instrument, 28);
SBE_PIN(struct event_execution, side, 32);
SBE_PIN(struct event_execution, ord_type, 33);
SBE_PIN(struct event_execution, time_in_force, 34);
SBE_PIN(struct event_execution, exec_type, 35);
SBE_PIN(struct event_execution, ord_status, 36);
SBE_PIN(struct event_execution, last_liquidity, 37);
SBE_PIN(struct event_execution, reject_reason, 38);
SBE_PIN(struct event_execution, limit_px, 40);
SBE_PIN(struct event_execution, order_qty, 48);
SBE_PIN(struct event_execution, last_qty, 56);
SBE_PIN(struct event_execution, last_px, 64);
SBE_PIN(struct event_execution, cum_qty, 72);
SBE_PIN(struct event_execution, leaves_qty, 80);
SBE_PIN(struct event_execution, fee, 88);
SBE_PIN(struct event_execution, fee_remainder, 96);
SBE_PIN_SIZE(struct event_execution, 104);
SBE_PIN(struct event_request_rejected, order_id, 8);
SBE_PIN(struct event_request_rejected, account, 16);
SBE_PIN(struct event_request_rejected, command, 20);
SBE_PIN(struct event_request_rejected, reject_reason, 22);
SBE_PIN_SIZE(struct event_request_rejected, 24);
SBE_PIN(struct event_command_rejected, command, 8);
SBE_PIN(struct event_command_rejected, reject_reason, 10);
SBE_PIN_SIZE(struct event_command_rejected, 16);
SBE_PIN(struct event_configured, limits, 8);
SBE_PIN_SIZE(struct event_configured, 48);
SBE_PIN(struct event_account_opened, account, 8);
SBE_PIN_SIZE(struct event_account_opened, 16);
SBE_PIN(struct event_deposited, account, 8);
SBE_PIN(struct event_deposited, asset, 12);
SBE_PIN(struct event_deposited, qty, 16);
SBE_PIN(struct event_deposited, balance, 24);
SBE_PIN_SIZE(struct event_deposited, 32);
SBE_PIN(struct event_withdrawn, account, 8);
SBE_PIN(struct event_withdrawn, asset, 12);
SBE_PIN(struct event_withdrawn, qty, 16);
SBE_PIN(struct event_withdrawn, balance, 24);
SBE_PIN_SIZE(struct event_withdrawn, 32);
SBE_PIN(struct event_transferred, from_account, 8);
SBE_PIN(struct event_transferred, to_account, 12);
SBE_PIN(struct event_transferred, asset, 16);
SBE_PIN(struct event_transferred, reason, 20);
SBE_PIN(struct event_transferred, qty, 24);
SBE_PIN(struct event_transferred, from_balance, 32);
SBE_PIN(struct event_transferred, to_balance, 40);
SBE_PIN_SIZE(struct event_transferred, 48);
SBE_PIN(struct event_trade_busted, trade_id, 8);
SBE_PIN(struct event_trade_busted, buy_order_id, 16);
SBE_PIN(struct event_trade_busted, sell_order_id, 24);
SBE_PIN(struct event_trade_busted, buyer, 32);
SBE_PIN(struct event_trade_busted, seller, 36);
SBE_PIN(struct event_trade_busted, instrument, 40);
SBE_PIN(struct event_trade_busted, qty, 48);
SBE_PIN(struct event_trade_busted, px, 56);
SBE_PIN(struct event_trade_busted, buyer_fee, 64);
SBE_PIN(struct event_trade_busted, seller_fee, 72);
SBE_PIN_SIZE(struct event_trade_busted, 80);
SBE_PIN(struct event_mass_canceled, account, 8);
SBE_PIN(struct event_mass_canceled, instrument, 12);
SBE_PIN(struct event_mass_canceled, canceled_count, 16);
SBE_PIN(struct event_mass_canceled, side, 20);
SBE_PIN(struct event_mass_canceled, on_disconnect, 21);
SBE_PIN_SIZE(struct event_mass_canceled, 24);
SBE_PIN(struct event_cancel_after_set, account, 8);
SBE_PIN(struct event_cancel_after_set, deadline_ns, 16);
SBE_PIN_SIZE(struct event_cancel_after_set, 24);
SBE_PIN(struct event_instrument_listed, instrument, 8);
SBE_PIN_SIZE(struct event_instrument_listed, 16);
SBE_PIN(struct event_user_added, user, 8);
SBE_PIN(struct event_user_added, account, 12);
SBE_PIN_SIZE(struct event_user_added, 16);
SBE_PIN(struct event_key_added, user, 8);
SBE_PIN(struct event_key_added, scopes, 12);
SBE_PIN(struct event_key_added, key_id, 16);
SBE_PIN_SIZE(struct event_key_added, 40);
SBE_PIN(struct event_day_ended, day, 8);
SBE_PIN(struct event_day_ended, expired_count, 16);
SBE_PIN_SIZE(struct event_day_ended, 24);
SBE_PIN(struct event_time_passed, fired_count, 8);
SBE_PIN_SIZE(struct event_time_passed, 16);
SBE_PIN(struct event_session_changed, instrument, 8);
SBE_PIN(struct event_session_changed, session, 12);
SBE_PIN(struct event_session_changed, cause, 13);
SBE_PIN(struct event_session_changed, before, 14);
SBE_PIN_SIZE(struct event_session_changed, 16);
SBE_PIN(struct event_auction, instrument, 8);
SBE_PIN(struct event_auction, final, 12);
SBE_PIN(struct event_auction, imbalance_side, 13);
SBE_PIN(struct event_auction, px, 16);
SBE_PIN(struct event_auction, paired_qty, 24);
SBE_PIN(struct event_auction, imbalance_qty, 32);
SBE_PIN_SIZE(struct event_auction, 40);
SBE_PIN(struct event_limit_state, instrument, 8);
SBE_PIN(struct event_limit_state, on, 12);
SBE_PIN(struct event_limit_state, side, 13);
SBE_PIN(struct event_limit_state, px, 16);
SBE_PIN_SIZE(struct event_limit_state, 24);
SBE_PIN(struct event_breaker_tripped, level, 8);
SBE_PIN(struct event_breaker_tripped, decline_ppm, 12);
SBE_PIN_SIZE(struct event_breaker_tripped, 16);
SBE_PIN(struct event_setting_changed, command, 8);
SBE_PIN(struct event_setting_changed, scope, 10);
SBE_PIN(struct event_setting_changed, id, 12);
SBE_PIN_SIZE(struct event_setting_changed, 16);
SBE_PIN(struct event_kill_switched, account, 8);
SBE_PIN(struct event_kill_switched, engaged, 12);
SBE_PIN(struct event_kill_switched, canceled_count, 16);
SBE_PIN_SIZE(struct event_kill_switched, 24);

#define EVENT_HEADER(template, type)                                                               \
    sbe_header_of((template), sizeof(type) - sizeof(struct sbe_header))

#endif
