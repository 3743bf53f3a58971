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
    EVENT_EXECUTION = 110,
    EVENT_REQUEST_REJECTED = 111,
    EVENT_COMMAND_REJECTED = 112,
    EVENT_DAY_ENDED = 120,
};

enum exec_type { /* FIX tag 150 */
                 EXEC_NEW = '0',
                 EXEC_CANCELED = '4',
                 EXEC_REPLACED = '5',
                 EXEC_REJECTED = '8',
                 EXEC_EXPIRED = 'C',
                 EXEC_TRADE = 'F',
};

enum ord_status { /* FIX tag 39 */
                  ORD_NEW = '0',
                  ORD_PARTIALLY_FILLED = '1',
                  ORD_FILLED = '2',
                  ORD_CANCELED = '4',
                  ORD_REJECTED = '8',
                  ORD_EXPIRED = 'C',
};

enum last_liquidity { LIQUIDITY_NONE = 0, LIQUIDITY_ADDED = 1, LIQUIDITY_REMOVED = 2 }; /* 851 */

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
    uint16_t reject_reason; /* enum reject */
    px_t limit_px;
    qty_t order_qty;
    qty_t last_qty;
    px_t last_px;
    qty_t cum_qty;
    qty_t leaves_qty;
};

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
    instrument_id_t instrument; /* 0: cash */
    int64_t qty;
    int64_t balance; /* the account's, after it */
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
SBE_PIN_SIZE(struct event_execution, 88);
SBE_PIN(struct event_request_rejected, order_id, 8);
SBE_PIN(struct event_request_rejected, account, 16);
SBE_PIN(struct event_request_rejected, command, 20);
SBE_PIN(struct event_request_rejected, reject_reason, 22);
SBE_PIN_SIZE(struct event_request_rejected, 24);
SBE_PIN(struct event_command_rejected, command, 8);
SBE_PIN(struct event_command_rejected, reject_reason, 10);
SBE_PIN_SIZE(struct event_command_rejected, 16);
SBE_PIN(struct event_configured, limits, 8);
SBE_PIN_SIZE(struct event_configured, 40);
SBE_PIN(struct event_account_opened, account, 8);
SBE_PIN_SIZE(struct event_account_opened, 16);
SBE_PIN(struct event_deposited, account, 8);
SBE_PIN(struct event_deposited, instrument, 12);
SBE_PIN(struct event_deposited, qty, 16);
SBE_PIN(struct event_deposited, balance, 24);
SBE_PIN_SIZE(struct event_deposited, 32);
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

#define EVENT_HEADER(template, type)                                                               \
    sbe_header_of((template), sizeof(type) - sizeof(struct sbe_header))

#endif
