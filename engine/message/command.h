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
    COMMAND_NEW_ORDER = 10,
    COMMAND_CANCEL_ORDER = 11,
    COMMAND_REPLACE_ORDER = 12,
    COMMAND_END_DAY = 20,
};

enum side { SIDE_BUY = '1', SIDE_SELL = '2' };                      /* FIX tag 54 */
enum ord_type { ORD_TYPE_LIMIT = '2' };                             /* FIX tag 40 */
enum time_in_force { TIF_DAY = '0', TIF_GTC = '1', TIF_IOC = '3' }; /* FIX tag 59 */

/* What an API key may do; bits. */
enum scope { SCOPE_READ = 1, SCOPE_TRADE = 2, SCOPE_ADMIN = 4, SCOPE_REPORT = 8, SCOPE_ALL = 15 };

/* The journal's first record: how large each table of the engine is, so that every replica is laid
 * out alike. Each count is at least 2 and at most what its comment says. */
struct limits {
    uint32_t instruments; /* 65,536; ids are below */
    uint32_t accounts;    /* 16,777,216; ids are below */
    uint32_t users;       /* 16,777,216; ids are below */
    uint32_t keys;        /* 1,048,576 */
    uint32_t orders;      /* 16,777,215 open at the same time */
    uint32_t levels;      /* 16,777,215 price levels, all books together */
    uint32_t positions;   /* 134,217,728 (account, instrument) pairs */
    uint32_t cl_ord_ids;  /* 134,217,728 a day */
};

struct command_configure {
    struct sbe_header header;
    struct limits limits;
};

struct command_open_account {
    struct sbe_header header;
    account_id_t account;
    uint32_t pad;
    char name[NAME_BYTES];
};

/* Cash when instrument is 0, else shares of it. */
struct command_deposit {
    struct sbe_header header;
    account_id_t account;
    instrument_id_t instrument;
    int64_t qty; /* cash or shares, positive */
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
};

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
    uint8_t pad;
    qty_t order_qty;
    px_t limit_px;
    char cl_ord_id[CL_ORD_ID_BYTES]; /* all NUL: none */
    uint32_t pad2;
};

/* By order_id, or by orig_cl_ord_id when order_id is 0. */
struct command_cancel_order {
    struct sbe_header header;
    account_id_t account;
    user_id_t user;
    order_id_t order_id;
    char orig_cl_ord_id[CL_ORD_ID_BYTES];
    uint32_t pad;
};

/* Reduces the quantity, keeping priority. A new total at or below cum_qty cancels the rest. */
struct command_replace_order {
    struct sbe_header header;
    account_id_t account;
    user_id_t user;
    order_id_t order_id; /* 0: by orig_cl_ord_id */
    qty_t order_qty;     /* the new total, filled part included */
    char orig_cl_ord_id[CL_ORD_ID_BYTES];
    uint32_t pad;
};

/* The trading day is over: DAY orders expire, client order ids may be used again. Sequenced by the
 * core itself when the UTC date changes. */
struct command_end_day {
    struct sbe_header header;
    uint64_t day; /* days since the epoch of the day that begins */
};

SBE_PIN_SIZE(struct limits, 32);
SBE_PIN(struct command_configure, limits, 8);
SBE_PIN_SIZE(struct command_configure, 40);
SBE_PIN(struct command_open_account, account, 8);
SBE_PIN(struct command_open_account, name, 16);
SBE_PIN_SIZE(struct command_open_account, 48);
SBE_PIN(struct command_deposit, account, 8);
SBE_PIN(struct command_deposit, instrument, 12);
SBE_PIN(struct command_deposit, qty, 16);
SBE_PIN_SIZE(struct command_deposit, 24);
SBE_PIN(struct command_list_instrument, instrument, 8);
SBE_PIN(struct command_list_instrument, symbol, 12);
SBE_PIN(struct command_list_instrument, name, 24);
SBE_PIN(struct command_list_instrument, tick_px, 56);
SBE_PIN(struct command_list_instrument, lot_qty, 64);
SBE_PIN(struct command_list_instrument, max_order_qty, 72);
SBE_PIN(struct command_list_instrument, max_order_notional, 80);
SBE_PIN_SIZE(struct command_list_instrument, 88);
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
SBE_PIN(struct command_new_order, order_qty, 24);
SBE_PIN(struct command_new_order, limit_px, 32);
SBE_PIN(struct command_new_order, cl_ord_id, 40);
SBE_PIN_SIZE(struct command_new_order, 80);
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
SBE_PIN_SIZE(struct command_replace_order, 72);
SBE_PIN(struct command_end_day, day, 8);
SBE_PIN_SIZE(struct command_end_day, 16);

/* Bytes of the block a template has in this version; 0 for a template that does not exist. */
uint16_t command_block_length(uint16_t template_id);

/* The block length that this version writes, from the message's type. */
#define COMMAND_HEADER(template, type)                                                             \
    sbe_header_of((template), sizeof(type) - sizeof(struct sbe_header))

#endif
