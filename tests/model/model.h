/* model.h - a second exchange, slow and plainly right, that says what the engine must answer.
 *
 * Written from engine/MATCHING.md; shares nothing with engine/ but the messages: unsorted arrays,
 * linear scans, sums over all open orders wherever the engine keeps a running figure, 128-bit
 * arithmetic. What is held behind an order is not stored at all: it is added up from the open
 * orders when somebody asks. An auction tries its prices one by one. Timers are looked for among
 * all instruments, accounts and orders.
 *
 * Where ids are part of the answer the model follows their published rule: an order id is the
 * count of orders so far, shifted, and the slot; a slot freed last is used first; end of day goes
 * by slot. And it counts the blocks and nodes of the price ladders, since running out of them is
 * an answer too.
 *
 *   model.c              the step: is it a command, and whose
 *   model_accounts.c     accounts, users, keys and their settings
 *   model_instruments.c  listing, fees, tick tables
 *   model_prices.c       ticks, collars, bands
 *   model_protection.c   SET_BANDS, the index and its breakers
 *   model_money.c        cash, shares, holds, settlement, busts
 *   model_limits.c       what an order is checked against before it may stand
 *   model_room.c         tables: order slots, blocks, nodes
 *   model_names.c        client order ids
 *   model_executions.c   what is told about orders
 *   model_orders.c       new orders
 *   model_replace.c      replaces
 *   model_cancels.c      everything that ends open orders
 *   model_matching.c     continuous trading and stops
 *   model_auction.c      auctions
 *   model_session.c      sessions and schedules
 *   model_timers.c       what is due when
 *   model_checks.c       what must be true after every command
 *
 * One thread; allocates freely.
 */
#ifndef HOGA_TESTS_MODEL_H
#define HOGA_TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/message/command.h"
#include "engine/message/event.h"
#include "engine/message/reject.h"

#define MODEL_NO_TIMER INT64_C(-1)

enum model_place {
    PLACE_NONE, /* just arrived: matching, or between two places */
    PLACE_BOOK,
    PLACE_STOPS, /* waits for its trigger */
    PLACE_CLOSE, /* waits for the closing auction */
};

/* The price ladders of an instrument. */
enum model_ladder { BUY_BOOK, SELL_BOOK, BUY_STOPS, SELL_STOPS, LADDERS };

struct model_order {
    order_id_t order_id;
    account_id_t account;
    user_id_t user;
    instrument_id_t instrument;
    uint8_t side, ord_type, time_in_force, exec_inst, stp;
    bool triggered;
    enum model_place place;
    uint64_t arrived; /* counts arrivals of all orders: the lower stands before the higher */
    px_t limit_px, stop_px;
    qty_t order_qty, cum_qty;
    qty_t display_qty; /* 0: all */
    qty_t shown_qty;   /* of an iceberg in the book */
    int64_t expire_ns;
    char cl_ord_id[CL_ORD_ID_BYTES]; /* its newest */
};

/* As SET_LIMITS gave them; 0: none. */
struct model_limits {
    qty_t max_order_qty;
    cash_t max_order_notional;
    uint32_t max_open_orders, max_messages, collar_ppm;
    qty_t max_long_qty, max_short_qty;
    cash_t max_exposure;
    qty_t max_daily_qty;
};

/* New orders and replaces in a second of the clock. */
struct model_rate {
    int64_t second;
    uint32_t messages;
};

struct model_tick_row {
    px_t from_px, tick_px; /* tick_px 0: not used */
};

struct model_instrument {
    bool listed, shortable;
    char symbol[SYMBOL_BYTES];
    char name[NAME_BYTES];
    struct model_tick_row ticks[TICK_TABLE_ROWS];
    px_t max_px;
    qty_t lot_qty;
    uint8_t currency, tick_table, schedule;
    uint32_t max_fee_ppm, index_weight;
    int32_t maker_ppm[FEE_TIER_COUNT], taker_ppm[FEE_TIER_COUNT];
    struct model_limits limits;
    struct command_set_bands bands; /* as set last */
    uint64_t book_update_id;
    px_t last_px, reference_px;
    uint8_t session;
    bool limit_state;
    bool breaker_halt; /* the present halt is a breaker's */
    bool ladder_used[LADDERS];
    struct event_auction told;                   /* the last AUCTION of this auction session */
    int64_t schedule_ns, session_ns, auction_ns; /* timers; MODEL_NO_TIMER */
    __int128 house_qty;                          /* shares of it that the house has */
    __int128 paid_in_qty;                        /* deposits less withdrawals */
};

/* Account 0 is the house: never open, but its cash is kept here, too. */
struct model_account {
    bool open, may_short, blocked;
    uint8_t stp, fee_tier;
    char name[NAME_BYTES];
    __int128 cash[CURRENCY_COUNT]; /* available and held */
    __int128 traded_notional;      /* today, both sides */
    struct model_limits limits;
    struct model_rate rate;
    int64_t cancel_after_ns; /* MODEL_NO_TIMER */
};

struct model_user {
    bool there;
    account_id_t account;
    struct model_limits limits;
    struct model_rate rate;
};

struct model_position {
    account_id_t account;
    instrument_id_t instrument;
    __int128 qty; /* available and held; below zero when short */
};

/* What a user traded of an instrument today. */
struct model_volume {
    user_id_t user;
    instrument_id_t instrument;
    __int128 qty;
};

struct model_cl_ord_id {
    account_id_t account;
    char text[CL_ORD_ID_BYTES];
    order_id_t order_id;
};

struct model_key {
    char key_id[KEY_ID_BYTES];
    user_id_t user;
    uint32_t scopes;
    uint8_t sealed_secret[SEALED_SECRET_BYTES];
};

struct model_trade {
    bool busted;
    order_id_t buy_order_id, sell_order_id;
    account_id_t buyer, seller;
    instrument_id_t instrument;
    qty_t qty;
    px_t px;
    cash_t buyer_fee, seller_fee;
};

/* The events of one command, one behind the other. */
struct event_list {
    uint8_t *bytes;
    size_t length, capacity;
    unsigned count;
};

struct model {
    struct limits limits;
    bool configured, blocked;
    int64_t now_ns;
    uint64_t day;
    uint64_t orders_made, arrivals;
    struct model_account *accounts;       /* by id */
    struct model_user *users;             /* by id */
    struct model_instrument *instruments; /* by id */
    struct model_position *positions;
    uint32_t position_count;
    struct model_volume *volumes;
    uint32_t volume_count;
    struct model_key *keys;
    uint32_t key_count;
    struct model_cl_ord_id *cl_ord_ids;
    uint32_t cl_ord_id_count;
    struct model_order **orders; /* open ones, in the order of acceptance */
    uint32_t order_count;
    uint32_t *free_slots; /* the last is used next */
    uint32_t free_slot_count;
    uint32_t slots_used;        /* highest ever */
    struct model_trade *trades; /* all there ever were; [id - 1] */
    uint64_t trade_count, trade_room;
    struct command_set_schedule schedules[SCHEDULE_COUNT];
    struct model_tick_row tick_tables[TICK_TABLE_COUNT][TICK_TABLE_ROWS];
    struct command_set_breakers breakers;
    __int128 index_reference;
    uint32_t tripped_level;                /* highest today; 0: none */
    __int128 paid_in_cash[CURRENCY_COUNT]; /* deposits less withdrawals */
    struct event_list events;
};

struct model *model_create(const struct limits *limits);
void model_destroy(struct model *self);

/* Leaves the events of the command in `events`. `message` may be any bytes, on any address. */
void model_step(struct model *self, int64_t time_ns, const void *message, size_t length);

/* Stops the process if the model contradicts itself: quantities of orders, holds beyond what is
 * there, a crossed book in continuous trading, assets that are more or less than was paid in. */
void model_validate(const struct model *self);

/* ---- questions, answered by looking through everything ---- */

bool model_account_is_open(const struct model *self, account_id_t account);
bool model_is_listed(const struct model *self, instrument_id_t instrument);
struct model_order *model_order(const struct model *self, order_id_t order_id);
struct model_position *model_position(const struct model *self, account_id_t account,
                                      instrument_id_t instrument);
struct model_volume *model_volume(const struct model *self, user_id_t user,
                                  instrument_id_t instrument);
__int128 model_held_cash(const struct model *self, account_id_t account, uint32_t currency);
__int128 model_open_qty(const struct model *self, account_id_t account, instrument_id_t instrument,
                        uint8_t side);
__int128 model_open_notional(const struct model *self, account_id_t account);
uint32_t model_open_orders(const struct model *self, account_id_t account);
qty_t model_shown(const struct model_order *order);
/* What an auction would give now; header, instrument and `final` are not set. */
struct event_auction model_auction_now(const struct model *self, instrument_id_t instrument);
/* When the next timer is due; INT64_MAX while there is none. */
int64_t model_deadline_ns(const struct model *self);

static inline qty_t model_leaves(const struct model_order *order)
{
    return order->order_qty - order->cum_qty;
}

#endif
