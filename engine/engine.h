/* engine.h - the exchange's state and the one function that changes it.
 *
 * Pure: the same commands in the same order give the same events and the same state, on every
 * machine and in every process. No clock, file, socket, allocation or float: time comes with the
 * command. All state lies in one arena, laid out by the limits alone.
 *
 * The core steps it before anyone sees the events; every other process that answers questions
 * about state keeps a replica and steps it over the released part of the `in` journal.
 *
 *   command -> order (is it one?) -> risk -> wallet (hold) -> book (match) -> wallet (settle)
 *                                        events -> sink
 *
 * One thread owns an engine. The query functions below are for that thread, between steps.
 */
#ifndef HOGA_ENGINE_H
#define HOGA_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/base/units.h"
#include "engine/message/command.h"
#include "engine/message/event.h"

struct engine;

/* Whoever receives the events of a step, in order. `message` is an SBE message (header and block)
 * of `length` bytes, valid during the call. Must not touch the engine. */
struct event_sink {
    void (*emit)(void *context, const void *message, size_t length);
    void *context;
};

/* What limits an exchange starts with when the operator names none. */
extern const struct limits engine_default_limits;

/* Bytes of the arena for these limits; 0 when a limit is outside its range (command.h). */
size_t engine_bytes(const struct limits *limits);

/* The limits that a CONFIGURE names, whichever version wrote it: version 1 counted price levels, of
 * which no fewer than one fills a block, and had no volumes and trades: there are as many as by
 * default, and a volume for each position. False when the message of `length` bytes is none. */
bool engine_read_limits(const void *message, size_t length, struct limits *limits);

/* Lays an engine out in `memory`: engine_bytes() zeroed bytes, aligned to 64. */
struct engine *engine_init(void *memory, const struct limits *limits);

/* Applies one command, checked for size and template by nobody before: anything at all gives at
 * least one event. `message` is aligned to 8, as rings and journals have it. `seq` and `time_ns`
 * are the `in` record's. */
void engine_step(struct engine *self, seq_t seq, int64_t time_ns, const void *message,
                 size_t length, const struct event_sink *sink);

/* Brings what a command names into the cache, some commands before it is stepped: enough while all
 * there is lies in the caches, if not in the first. Changes nothing; any bytes may be given. */
void engine_prefetch(const struct engine *self, const void *message, size_t length);

/* Whether there is more than the caches hold, so that engine_look() pays. */
bool engine_looks_far(const struct engine *self);

enum { ENGINE_LOOKS = 6 };

/* A command that is to be stepped soon, and what the looks at it have found. */
struct engine_ahead {
    const void *message; /* the caller's, any bytes */
    size_t length;
    px_t px; /* all that follows is the engine's. 0: it goes to no price */
    instrument_id_t instrument;
    uint32_t ticks;
    uint32_t at;       /* the level of its price; 0: none */
    uint32_t taken_at; /* the level that it will trade with; 0: none */
    uint8_t side;
};

/* In place of engine_prefetch(): brings what a command names into the cache, then what lies behind
 * that, levels, neighbours, counterparties. `look` is 0 .. ENGINE_LOOKS - 1, in this order, each
 * when what the one before it asked for may have arrived, some commands later. Changes nothing but
 * `ahead`. */
void engine_look(const struct engine *self, unsigned look, struct engine_ahead *ahead);

/* When the next COMMAND_TIME is due, in ns since the epoch; INT64_MAX while no timer is set. */
int64_t engine_deadline_ns(const struct engine *self);

/* CRC-32C of the whole arena: equal states have equal hashes. */
uint32_t engine_state_hash(const struct engine *self);

/* All of the state, to be written to a file or read from one by a program of the same layout; the
 * limits are those that it was laid out with. */
void *engine_state_block(struct engine *self, size_t *bytes);

/* Which version of the messages decides: that of the last CONFIGURE; 0 before the first. An
 * exchange that began with version 1 goes on by its rules until a core of version 2 says in the
 * journal, by a CONFIGURE of its own, that from there on its rules hold: so history stays what it
 * was. */
uint32_t engine_deciding_version(const struct engine *self);

/* Names what the state looks like: another one for every change of the engine's sources. */
uint64_t engine_layout_id(void);

/* Walks every structure and CHECKs every invariant; slow, for tests. */
void engine_validate(const struct engine *self);

/* ---- questions ---- */

struct account_view {
    account_id_t account; /* 0: the house; it has cash and shares, and nothing else */
    char name[NAME_BYTES];
    cash_t available_cash; /* in the first currency; may be spent */
    cash_t held_cash;      /* behind open buy orders */
    uint8_t stp;           /* enum stp */
    uint8_t fee_tier;
    bool may_short;
    bool blocked; /* by its kill switch */
    uint32_t open_order_count;
    cash_t open_notional;    /* of open orders */
    cash_t traded_notional;  /* today, both sides */
    int64_t cancel_after_ns; /* dead man's switch; 0: off */
};

struct cash_view {
    cash_t available;
    cash_t held;
};

struct position_view {
    instrument_id_t instrument;
    qty_t available_qty; /* may be sold; below zero when short */
    qty_t held_qty;      /* behind open sell orders */
    qty_t open_buy_qty;  /* leaves of open buy orders */
};

struct instrument_view {
    instrument_id_t instrument;
    char symbol[SYMBOL_BYTES];
    char name[NAME_BYTES];
    px_t tick_px; /* the lowest, where a table says so */
    px_t max_px;
    qty_t lot_qty;
    qty_t max_order_qty;       /* 0: none */
    cash_t max_order_notional; /* 0: none */
    uint64_t book_update_id;   /* counts the events that changed the book */
    px_t last_px;              /* of the last trade; 0 before the first */
    px_t reference_px;         /* 0: none */
    uint8_t session;           /* enum session */
    uint8_t limit_state;       /* 1: on */
    uint8_t currency;
    uint8_t tick_table;
    uint8_t schedule;
    bool shortable;
    uint32_t max_fee_ppm;
    uint32_t index_weight;
    uint32_t static_ppm, dynamic_ppm, collar_ppm;
    int64_t session_ends_ns; /* a halt's or reopening auction's or limit state's timer; 0: none */
    int64_t next_session_ns; /* when the schedule changes the session; 0: never */
    int32_t maker_ppm[FEE_TIER_COUNT];
    int32_t taker_ppm[FEE_TIER_COUNT];
};

enum order_place {
    ORDER_IN_BOOK = 1,
    ORDER_AWAITS_TRIGGER = 2, /* a stop */
    ORDER_AWAITS_CLOSE = 3,   /* at-close, before the closing auction */
};

struct order_view {
    order_id_t order_id;
    account_id_t account;
    user_id_t user;
    instrument_id_t instrument;
    uint8_t side;
    uint8_t ord_type;
    uint8_t time_in_force;
    uint8_t exec_inst;
    uint8_t stp;
    uint8_t place; /* enum order_place */
    px_t limit_px; /* market and stop: the collar price */
    px_t stop_px;
    qty_t order_qty;
    qty_t cum_qty;
    qty_t leaves_qty;
    qty_t display_qty; /* 0: all */
    qty_t shown_qty;   /* of leaves_qty, now */
    int64_t expire_ns; /* 0: not GTD */
};

/* What an auction would give at once. */
struct auction_view {
    px_t px; /* 0: nothing would trade */
    qty_t paired_qty;
    qty_t imbalance_qty;
    uint8_t imbalance_side; /* enum side; 0: neither */
};

struct level_view {
    px_t px;
    qty_t qty; /* shown */
    uint32_t order_count;
};

struct key_view {
    char key_id[KEY_ID_BYTES];
    user_id_t user;
    account_id_t account; /* the user's */
    uint32_t scopes;
    uint8_t sealed_secret[SEALED_SECRET_BYTES];
};

/* Each stores the answer and returns true, or returns false when there is no such thing. */
bool engine_account(const struct engine *self, account_id_t account, struct account_view *view);
/* The house too, as account 0. */
bool engine_cash(const struct engine *self, account_id_t account, uint32_t currency,
                 struct cash_view *view);
bool engine_position(const struct engine *self, account_id_t account, instrument_id_t instrument,
                     struct position_view *view);
bool engine_instrument(const struct engine *self, instrument_id_t instrument,
                       struct instrument_view *view);
bool engine_find_symbol(const struct engine *self, const char *symbol, instrument_id_t *instrument);
bool engine_order(const struct engine *self, order_id_t order_id, struct order_view *view);
bool engine_key(const struct engine *self, const char *key_id, struct key_view *view);
bool engine_auction(const struct engine *self, instrument_id_t instrument,
                    struct auction_view *view);

/* What a user has traded of an instrument today; 0 when nothing. */
qty_t engine_traded_today(const struct engine *self, user_id_t user, instrument_id_t instrument);

/* All open orders of an account in the order of acceptance: give 0 first, then the last answer;
 * 0 at the end. */
order_id_t engine_next_order(const struct engine *self, account_id_t account, order_id_t after);

/* Whether the market's kill switch is on. */
bool engine_market_blocked(const struct engine *self);

/* One past the highest id that may exist, to walk all. */
instrument_id_t engine_instrument_end(const struct engine *self);
account_id_t engine_account_end(const struct engine *self);

/* The best `max` levels of one side that show something, best first; returns how many. */
unsigned engine_depth(const struct engine *self, instrument_id_t instrument, uint8_t side,
                      struct level_view *levels, unsigned max);

/* One level; qty 0 when nothing rests there. */
struct level_view engine_level(const struct engine *self, instrument_id_t instrument, uint8_t side,
                               px_t px);

/* The trading day in days since the epoch; 0 before the first END_DAY. */
uint64_t engine_day(const struct engine *self);

const struct limits *engine_limits(const struct engine *self);

#endif
