/* command.h - what may change the exchange's state: the messages of the `in` journal.
 *
 * Every struct is an SBE message as it lies in a ring or a journal: header first, then the block.
 * Enumerations hold FIX 4.4's own characters. Bytes marked `pad` are zero. schema.xml describes
 * the same layouts for other languages.
 */
#ifndef HOGA_MESSAGE_COMMAND_H
#define HOGA_MESSAGE_COMMAND_H

#include <stdint.h>

#include "engine/base/units.h"
#include "engine/message/sbe.h"

enum command_template {
    COMMAND_CONFIGURE = 1,
    COMMAND_OPEN_ACCOUNT = 2,
    COMMAND_DEPOSIT = 3,
    COMMAND_LIST_INSTRUMENT = 4,
    COMMAND_ADD_USER = 5,
    COMMAND_ADD_KEY = 6,
    COMMAND_WITHDRAW = 7,
    COMMAND_TRANSFER = 8,
    COMMAND_BUST_TRADE = 9,
    COMMAND_NEW_ORDER = 10,
    COMMAND_CANCEL_ORDER = 11,
    COMMAND_REPLACE_ORDER = 12,
    COMMAND_MASS_CANCEL = 13,
    COMMAND_CANCEL_AFTER = 14,
    COMMAND_END_DAY = 20,
    COMMAND_TIME = 21,
    COMMAND_SET_SESSION = 22,
    COMMAND_SET_SCHEDULE = 23,
    COMMAND_SET_BANDS = 24,
    COMMAND_SET_BREAKERS = 25,
    COMMAND_SET_TICK_TABLE = 26,
    COMMAND_SET_LIMITS = 27,
    COMMAND_SET_FEES = 28,
    COMMAND_SET_ACCOUNT = 29,
    COMMAND_KILL_SWITCH = 30,
};

enum side { SIDE_BUY = '1', SIDE_SELL = '2' }; /* FIX tag 54 */
enum ord_type {                                /* FIX tag 40 */
                ORD_TYPE_MARKET = '1',
                ORD_TYPE_LIMIT = '2',
                ORD_TYPE_STOP = '3',
                ORD_TYPE_STOP_LIMIT = '4',
};
enum time_in_force { /* FIX tag 59 */
                     TIF_DAY = '0',
                     TIF_GTC = '1',
                     TIF_AT_OPEN = '2',
                     TIF_IOC = '3',
                     TIF_FOK = '4',
                     TIF_GTD = '6',
                     TIF_AT_CLOSE = '7',
};

/* FIX tag 18, as bits. */
enum exec_inst { EXEC_INST_POST_ONLY = 1, EXEC_INST_CANCEL_ON_DISCONNECT = 2 };

/* What happens when an order would trade with its own account. */
enum stp {
    STP_ACCOUNT = 0, /* what the account has set; for an account: allow */
    STP_CANCEL_NEWEST = 1,
    STP_CANCEL_OLDEST = 2,
    STP_CANCEL_BOTH = 3,
    STP_DECREMENT = 4,
    STP_ALLOW = 5,
};

/* What an instrument takes and does at the moment; MATCHING.md has the table. */
enum session {
    SESSION_CLOSED = 1,
    SESSION_PRE_OPEN = 2,
    SESSION_OPENING_AUCTION = 3,
    SESSION_CONTINUOUS = 4,
    SESSION_HALT = 5,
    SESSION_REOPENING_AUCTION = 6,
    SESSION_CLOSING_AUCTION = 7,
};

/* What money can be held in: an instrument's id (shares of it), 0 (cash in the first currency), or
 * ASSET_CASH with a currency's number. */
typedef uint32_t asset_t;
#define ASSET_CASH UINT32_C(0x80000000)

enum {
    CURRENCY_COUNT = 8,
    FEE_TIER_COUNT = 4,
    SCHEDULE_COUNT = 16, /* 0 is none: open around the clock */
    SCHEDULE_ROWS = 8,
    TICK_TABLE_COUNT = 16, /* 0 is none: one tick for all prices */
    TICK_TABLE_ROWS = 8,
    BREAKER_LEVELS = 3,
};

/* What an API key may do; bits. */
enum scope { SCOPE_READ = 1, SCOPE_TRADE = 2, SCOPE_ADMIN = 4, SCOPE_REPORT = 8, SCOPE_ALL = 15 };

/* The journal's first record: how large each table of the engine is, so that every replica is laid
 * out alike. Each count is at least 2 and at most what its comment says. */
struct limits {
    uint32_t instruments;  /* 65,536; ids are below */
    uint32_t accounts;     /* 16,777,216; ids are below */
    uint32_t users;        /* 16,777,216; ids are below */
    uint32_t keys;         /* 1,048,576 */
    uint32_t orders;       /* 16,777,215 open at the same time */
    uint32_t price_blocks; /* 4,194,303 blocks of 64 neighbouring ticks, all books together */
    uint32_t positions;    /* 134,217,728 (account, instrument) pairs */
    uint32_t cl_ord_ids;   /* 134,217,728 a day */
    uint32_t volumes;      /* 134,217,728 (user, instrument) pairs */
    uint32_t trades;       /* 134,217,728 latest trades, which may be busted; a power of two */
};

struct command_configure {
    struct sbe_header header;
    struct limits limits; /* volumes and trades since version 2 */
};
enum { CONFIGURE_V1_BYTES = 40 };

struct command_open_account {
    struct sbe_header header;
    account_id_t account;
    uint32_t pad;
    char name[NAME_BYTES];
};

struct command_deposit {
    struct sbe_header header;
    account_id_t account;
    asset_t asset;
    int64_t qty; /* cash or shares, positive */
};

/* Of what is available; cash only while the account is short of nothing. */
struct command_withdraw {
    struct sbe_header header;
    account_id_t account;
    asset_t asset;
    int64_t qty; /* cash or shares, positive */
};

/* Why something moves between accounts; for people and reports. */
enum transfer_reason {
    TRANSFER_PLAIN = 0,
    TRANSFER_CORPORATE_ACTION = 1, /* dividend, split: against the house */
    TRANSFER_CORRECTION = 2,
};

/* From one account to another. Account 0 is the house, which collects fees and stands behind
 * corporate actions: it alone may go below zero. */
struct command_transfer {
    struct sbe_header header;
    account_id_t from_account;
    account_id_t to_account;
    asset_t asset;
    uint32_t reason; /* enum transfer_reason */
    int64_t qty;     /* cash or shares, positive */
};

/* Takes one of the latest trades back: shares, cash and fees return. */
struct command_bust_trade {
    struct sbe_header header;
    trade_id_t trade_id;
};

struct command_list_instrument {
    struct sbe_header header;
    instrument_id_t instrument;
    char symbol[SYMBOL_BYTES];
    char name[NAME_BYTES];
    px_t tick_px;              /* prices are multiples of it; levels reach to 2^24 - 1 ticks */
    qty_t lot_qty;             /* quantities are multiples of it */
    qty_t max_order_qty;       /* one order's limit */
    cash_t max_order_notional; /* one order's limit, price times quantity */
    /* since version 2; zeros without them */
    uint8_t currency;      /* 0 .. CURRENCY_COUNT - 1 */
    uint8_t tick_table;    /* 0: tick_px for all prices; else the table's ticks and no tick_px */
    uint8_t schedule;      /* 0: none */
    uint8_t session;       /* enum session to begin in; 0: continuous, closed with a schedule */
    uint32_t max_fee_ppm;  /* no fee may ever exceed it; at most 100,000; held with buy orders */
    uint32_t index_weight; /* its shares in the index that the breakers watch */
    uint8_t shortable;     /* 1: accounts that may go short may sell it short */
    uint8_t pad[3];
};
enum { LIST_INSTRUMENT_V1_BYTES = 88 };

struct command_add_user {
    struct sbe_header header;
    user_id_t user;
    account_id_t account; /* whose orders the user may send; 0 for staff without an account */
    char name[NAME_BYTES];
};

struct command_add_key {
    struct sbe_header header;
    user_id_t user;
    uint32_t scopes; /* enum scope */
    char key_id[KEY_ID_BYTES];
    uint8_t sealed_secret[SEALED_SECRET_BYTES]; /* AES-256-GCM under the exchange's master key */
    uint32_t pad;
};

struct command_new_order {
    struct sbe_header header;
    account_id_t account;
    user_id_t user;
    instrument_id_t instrument;
    uint8_t side;          /* enum side */
    uint8_t ord_type;      /* enum ord_type */
    uint8_t time_in_force; /* enum time_in_force */
    uint8_t exec_inst;     /* bits of enum exec_inst */
    qty_t order_qty;
    px_t limit_px;                   /* 0 for market and stop */
    char cl_ord_id[CL_ORD_ID_BYTES]; /* all NUL: none */
    uint8_t stp;                     /* enum stp */
    uint8_t pad[3];
    /* since version 2; zeros without them: plain orders are sent without */
    px_t stop_px;      /* stop and stop-limit */
    qty_t display_qty; /* 0: all of it */
    qty_t min_qty;     /* to trade at once, or nothing; 0: any */
    int64_t expire_ns; /* GTD: since the epoch */
};
enum { NEW_ORDER_V1_BYTES = 80 };

/* By order_id, or by orig_cl_ord_id when order_id is 0. */
struct command_cancel_order {
    struct sbe_header header;
    account_id_t account;
    user_id_t user;
    order_id_t order_id;
    char orig_cl_ord_id[CL_ORD_ID_BYTES];
    uint32_t pad;
};

/* Changes what is not 0; MATCHING.md says what keeps priority. A new total quantity at or below
 * cum_qty cancels the rest. */
struct command_replace_order {
    struct sbe_header header;
    account_id_t account;
    user_id_t user;
    order_id_t order_id; /* 0: by orig_cl_ord_id */
    qty_t order_qty;     /* the new total, filled part included; 0: as it is */
    char orig_cl_ord_id[CL_ORD_ID_BYTES];
    uint32_t pad;
    /* since version 2; zeros without them */
    px_t limit_px;                   /* 0: as it is */
    px_t stop_px;                    /* 0: as it is; only while the order waits for its trigger */
    char cl_ord_id[CL_ORD_ID_BYTES]; /* the order's name from now on; all NUL: as it is */
    uint32_t pad2;
};
enum { REPLACE_ORDER_V1_BYTES = 72 };

/* Cancels all open orders of an account that fit. */
struct command_mass_cancel {
    struct sbe_header header;
    account_id_t account;       /* 0: of all accounts; then user is 0 too */
    user_id_t user;             /* who asks */
    instrument_id_t instrument; /* 0: any */
    uint8_t side;               /* 0: both */
    uint8_t on_disconnect;      /* 1: only orders with EXEC_INST_CANCEL_ON_DISCONNECT */
    uint8_t pad[2];
};

/* Dead man's switch: cancels all of the account's orders unless it is set again in time. */
struct command_cancel_after {
    struct sbe_header header;
    account_id_t account;
    user_id_t user;
    int64_t timeout_ns; /* 0: off; at most a day */
};

/* The trading day is over: DAY orders expire, client order ids may be used again. Sequenced by the
 * core itself when the UTC date changes. */
struct command_end_day {
    struct sbe_header header;
    uint64_t day; /* days since the epoch of the day that begins */
};

/* Time has come for something: fires at most TIMERS_A_COMMAND timers that are due. Sequenced by the
 * core itself when engine_deadline_ns() has come. */
struct command_time {
    struct sbe_header header;
    int64_t deadline_ns; /* the deadline that was due; the record's time is what counts */
};
enum { TIMERS_A_COMMAND = 64 };

struct command_set_session {
    struct sbe_header header;
    instrument_id_t instrument; /* 0: all */
    uint8_t session;            /* enum session */
    uint8_t pad[3];
};

/* A day's sessions, in UTC; instruments name the schedule they follow. Rows that are not used have
 * weekdays 0. */
struct command_set_schedule {
    struct sbe_header header;
    uint8_t schedule; /* 1 .. SCHEDULE_COUNT - 1 */
    uint8_t pad[7];
    uint32_t second_of_day[SCHEDULE_ROWS]; /* ascending, 0 .. 86,399 */
    uint8_t session[SCHEDULE_ROWS];        /* enum session */
    uint8_t weekdays[SCHEDULE_ROWS];       /* bit 0 is Monday, bit 6 Sunday */
};

/* Price protection of an instrument. A width is in millionths of its reference; 0: none. */
struct command_set_bands {
    struct sbe_header header;
    instrument_id_t instrument;
    uint32_t static_ppm;     /* around the reference price */
    uint32_t dynamic_ppm;    /* around the last trade */
    uint32_t collar_ppm;     /* how much worse than the market an order may be priced */
    uint32_t limit_state_ms; /* how long a limit state lasts before it is a halt */
    uint32_t halt_ms;        /* how long such a halt lasts; 0: until a command ends it */
    uint32_t auction_ms;     /* how long the reopening auction lasts; 0: until a command ends it */
    uint32_t pad;
    px_t reference_px; /* 0: as it is */
};

/* Market-wide circuit breakers: how far the index may fall, in millionths, before all instruments
 * halt. Ascending; 0: that level is not used. Sets the index's reference to its value now. */
struct command_set_breakers {
    struct sbe_header header;
    uint32_t decline_ppm[BREAKER_LEVELS];
    uint32_t halt_ms[BREAKER_LEVELS]; /* 0: until a command ends it */
    uint32_t auction_ms; /* the reopening auction after it; 0: until a command ends it */
    uint32_t pad;
};

/* Which tick holds from which price on. Cannot change once an instrument uses it. */
struct command_set_tick_table {
    struct sbe_header header;
    uint8_t table; /* 1 .. TICK_TABLE_COUNT - 1 */
    uint8_t pad[7];
    px_t
        from_px[TICK_TABLE_ROWS]; /* ascending; the first is 0; a multiple of the ticks around it */
    px_t tick_px[TICK_TABLE_ROWS]; /* 0: this row and those after it are not used */
};

enum limit_scope { LIMIT_SCOPE_ACCOUNT = 1, LIMIT_SCOPE_USER = 2, LIMIT_SCOPE_INSTRUMENT = 3 };

/* Pre-trade limits, replaced as a whole; 0: none (max_daily_qty: the default). MATCHING.md says
 * which limits a scope has. */
struct command_set_limits {
    struct sbe_header header;
    uint32_t scope; /* enum limit_scope */
    uint32_t id;    /* of the account, user or instrument */
    qty_t max_order_qty;
    cash_t max_order_notional;
    uint32_t max_open_orders;
    uint32_t max_messages; /* new orders and replaces a second */
    uint32_t collar_ppm;
    uint32_t pad;
    qty_t max_long_qty;
    qty_t max_short_qty;
    cash_t max_exposure;
    qty_t max_daily_qty; /* -1: none */
};

/* Millionths of the notional, below zero for a rebate; from the next trade on. */
struct command_set_fees {
    struct sbe_header header;
    instrument_id_t instrument;
    uint32_t fee_tier; /* 0 .. FEE_TIER_COUNT - 1 */
    int32_t maker_ppm;
    int32_t taker_ppm;
};

struct command_set_account {
    struct sbe_header header;
    account_id_t account;
    uint8_t stp; /* enum stp; what orders with STP_ACCOUNT do */
    uint8_t fee_tier;
    uint8_t may_short;
    uint8_t pad;
};

/* Engaged: no new orders and no replaces, and all open orders are cancelled. */
struct command_kill_switch {
    struct sbe_header header;
    account_id_t account; /* 0: the whole market */
    uint8_t engaged;
    uint8_t pad[3];
};

SBE_PIN_SIZE(struct limits, 40);
SBE_PIN(struct command_configure, limits, 8);
SBE_PIN_SIZE(struct command_configure, 48);
SBE_PIN(struct command_open_account, account, 8);
SBE_PIN(struct command_open_account, name, 16);
SBE_PIN_SIZE(struct command_open_account, 48);
SBE_PIN(struct command_deposit, account, 8);
SBE_PIN(struct command_deposit, asset, 12);
SBE_PIN(struct command_deposit, qty, 16);
SBE_PIN_SIZE(struct command_deposit, 24);
SBE_PIN(struct command_withdraw, account, 8);
SBE_PIN(struct command_withdraw, asset, 12);
SBE_PIN(struct command_withdraw, qty, 16);
SBE_PIN_SIZE(struct command_withdraw, 24);
SBE_PIN(struct command_transfer, from_account, 8);
SBE_PIN(struct command_transfer, to_account, 12);
SBE_PIN(struct command_transfer, asset, 16);
SBE_PIN(struct command_transfer, reason, 20);
SBE_PIN(struct command_transfer, qty, 24);
SBE_PIN_SIZE(struct command_transfer, 32);
SBE_PIN(struct command_bust_trade, trade_id, 8);
SBE_PIN_SIZE(struct command_bust_trade, 16);
SBE_PIN(struct command_list_instrument, instrument, 8);
SBE_PIN(struct command_list_instrument, symbol, 12);
SBE_PIN(struct command_list_instrument, name, 24);
SBE_PIN(struct command_list_instrument, tick_px, 56);
SBE_PIN(struct command_list_instrument, lot_qty, 64);
SBE_PIN(struct command_list_instrument, max_order_qty, 72);
SBE_PIN(struct command_list_instrument, max_order_notional, 80);
SBE_PIN(struct command_list_instrument, currency, 88);
SBE_PIN(struct command_list_instrument, tick_table, 89);
SBE_PIN(struct command_list_instrument, schedule, 90);
SBE_PIN(struct command_list_instrument, session, 91);
SBE_PIN(struct command_list_instrument, max_fee_ppm, 92);
SBE_PIN(struct command_list_instrument, index_weight, 96);
SBE_PIN(struct command_list_instrument, shortable, 100);
SBE_PIN_SIZE(struct command_list_instrument, 104);
SBE_PIN(struct command_add_user, user, 8);
SBE_PIN(struct command_add_user, account, 12);
SBE_PIN(struct command_add_user, name, 16);
SBE_PIN_SIZE(struct command_add_user, 48);
SBE_PIN(struct command_add_key, user, 8);
SBE_PIN(struct command_add_key, scopes, 12);
SBE_PIN(struct command_add_key, key_id, 16);
SBE_PIN(struct command_add_key, sealed_secret, 40);
SBE_PIN_SIZE(struct command_add_key, 104);
SBE_PIN(struct command_new_order, account, 8);
SBE_PIN(struct command_new_order, user, 12);
SBE_PIN(struct command_new_order, instrument, 16);
SBE_PIN(struct command_new_order, side, 20);
SBE_PIN(struct command_new_order, ord_type, 21);
SBE_PIN(struct command_new_order, time_in_force, 22);
SBE_PIN(struct command_new_order, exec_inst, 23);
SBE_PIN(struct command_new_order, order_qty, 24);
SBE_PIN(struct command_new_order, limit_px, 32);
SBE_PIN(struct command_new_order, cl_ord_id, 40);
SBE_PIN(struct command_new_order, stp, 76);
SBE_PIN(struct command_new_order, stop_px, 80);
SBE_PIN(struct command_new_order, display_qty, 88);
SBE_PIN(struct command_new_order, min_qty, 96);
SBE_PIN(struct command_new_order, expire_ns, 104);
SBE_PIN_SIZE(struct command_new_order, 112);
SBE_PIN(struct command_cancel_order, account, 8);
SBE_PIN(struct command_cancel_order, user, 12);
SBE_PIN(struct command_cancel_order, order_id, 16);
SBE_PIN(struct command_cancel_order, orig_cl_ord_id, 24);
SBE_PIN_SIZE(struct command_cancel_order, 64);
SBE_PIN(struct command_replace_order, account, 8);
SBE_PIN(struct command_replace_order, user, 12);
SBE_PIN(struct command_replace_order, order_id, 16);
SBE_PIN(struct command_replace_order, order_qty, 24);
SBE_PIN(struct command_replace_order, orig_cl_ord_id, 32);
SBE_PIN(struct command_replace_order, limit_px, 72);
SBE_PIN(struct command_replace_order, stop_px, 80);
SBE_PIN(struct command_replace_order, cl_ord_id, 88);
SBE_PIN_SIZE(struct command_replace_order, 128);
SBE_PIN(struct command_mass_cancel, account, 8);
SBE_PIN(struct command_mass_cancel, user, 12);
SBE_PIN(struct command_mass_cancel, instrument, 16);
SBE_PIN(struct command_mass_cancel, side, 20);
SBE_PIN(struct command_mass_cancel, on_disconnect, 21);
SBE_PIN_SIZE(struct command_mass_cancel, 24);
SBE_PIN(struct command_cancel_after, account, 8);
SBE_PIN(struct command_cancel_after, user, 12);
SBE_PIN(struct command_cancel_after, timeout_ns, 16);
SBE_PIN_SIZE(struct command_cancel_after, 24);
SBE_PIN(struct command_end_day, day, 8);
SBE_PIN_SIZE(struct command_end_day, 16);
SBE_PIN(struct command_time, deadline_ns, 8);
SBE_PIN_SIZE(struct command_time, 16);
SBE_PIN(struct command_set_session, instrument, 8);
SBE_PIN(struct command_set_session, session, 12);
SBE_PIN_SIZE(struct command_set_session, 16);
SBE_PIN(struct command_set_schedule, schedule, 8);
SBE_PIN(struct command_set_schedule, second_of_day, 16);
SBE_PIN(struct command_set_schedule, session, 48);
SBE_PIN(struct command_set_schedule, weekdays, 56);
SBE_PIN_SIZE(struct command_set_schedule, 64);
SBE_PIN(struct command_set_bands, instrument, 8);
SBE_PIN(struct command_set_bands, static_ppm, 12);
SBE_PIN(struct command_set_bands, dynamic_ppm, 16);
SBE_PIN(struct command_set_bands, collar_ppm, 20);
SBE_PIN(struct command_set_bands, limit_state_ms, 24);
SBE_PIN(struct command_set_bands, halt_ms, 28);
SBE_PIN(struct command_set_bands, auction_ms, 32);
SBE_PIN(struct command_set_bands, reference_px, 40);
SBE_PIN_SIZE(struct command_set_bands, 48);
SBE_PIN(struct command_set_breakers, decline_ppm, 8);
SBE_PIN(struct command_set_breakers, halt_ms, 20);
SBE_PIN(struct command_set_breakers, auction_ms, 32);
SBE_PIN_SIZE(struct command_set_breakers, 40);
SBE_PIN(struct command_set_tick_table, table, 8);
SBE_PIN(struct command_set_tick_table, from_px, 16);
SBE_PIN(struct command_set_tick_table, tick_px, 80);
SBE_PIN_SIZE(struct command_set_tick_table, 144);
SBE_PIN(struct command_set_limits, scope, 8);
SBE_PIN(struct command_set_limits, id, 12);
SBE_PIN(struct command_set_limits, max_order_qty, 16);
SBE_PIN(struct command_set_limits, max_order_notional, 24);
SBE_PIN(struct command_set_limits, max_open_orders, 32);
SBE_PIN(struct command_set_limits, max_messages, 36);
SBE_PIN(struct command_set_limits, collar_ppm, 40);
SBE_PIN(struct command_set_limits, max_long_qty, 48);
SBE_PIN(struct command_set_limits, max_short_qty, 56);
SBE_PIN(struct command_set_limits, max_exposure, 64);
SBE_PIN(struct command_set_limits, max_daily_qty, 72);
SBE_PIN_SIZE(struct command_set_limits, 80);
SBE_PIN(struct command_set_fees, instrument, 8);
SBE_PIN(struct command_set_fees, fee_tier, 12);
SBE_PIN(struct command_set_fees, maker_ppm, 16);
SBE_PIN(struct command_set_fees, taker_ppm, 20);
SBE_PIN_SIZE(struct command_set_fees, 24);
SBE_PIN(struct command_set_account, account, 8);
SBE_PIN(struct command_set_account, stp, 12);
SBE_PIN(struct command_set_account, fee_tier, 13);
SBE_PIN(struct command_set_account, may_short, 14);
SBE_PIN_SIZE(struct command_set_account, 16);
SBE_PIN(struct command_kill_switch, account, 8);
SBE_PIN(struct command_kill_switch, engaged, 12);
SBE_PIN_SIZE(struct command_kill_switch, 16);

/* Bytes that a template's block has at least: those of the version that it came with. 0 for a
 * template that does not exist. */
uint16_t command_block_length(uint16_t template_id);

/* The block length that this version writes, from the message's type. */
#define COMMAND_HEADER(template, type)                                                             \
    sbe_header_of((template), sizeof(type) - sizeof(struct sbe_header))

#endif
