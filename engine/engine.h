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

/* Lays an engine out in `memory`: engine_bytes() zeroed bytes, aligned to 64. */
struct engine *engine_init(void *memory, const struct limits *limits);

/* Applies one command, checked for size and template by nobody before: anything at all gives at
 * least one event. `message` is aligned to 8, as rings and journals have it. `seq` and `time_ns`
 * are the `in` record's. */
void engine_step(struct engine *self, seq_t seq, int64_t time_ns, const void *message,
                 size_t length, const struct event_sink *sink);

/* CRC-32C of the whole arena: equal states have equal hashes. */
uint32_t engine_state_hash(const struct engine *self);

/* Walks every structure and CHECKs every invariant; slow, for tests. */
void engine_validate(const struct engine *self);

/* ---- questions ---- */

struct account_view {
    account_id_t account;
    char name[NAME_BYTES];
    cash_t available_cash; /* may be spent */
    cash_t held_cash;      /* behind open buy orders */
};

struct position_view {
    instrument_id_t instrument;
    qty_t available_qty; /* may be sold */
    qty_t held_qty;      /* behind open sell orders */
};

struct instrument_view {
    instrument_id_t instrument;
    char symbol[SYMBOL_BYTES];
    char name[NAME_BYTES];
    px_t tick_px;
    px_t max_px;
    qty_t lot_qty;
    qty_t max_order_qty;
    cash_t max_order_notional;
    uint64_t book_update_id; /* counts the events that changed the book */
    px_t last_px;            /* of the last trade; 0 before the first */
};

struct order_view {
    order_id_t order_id;
    account_id_t account;
    instrument_id_t instrument;
    uint8_t side;
    uint8_t ord_type;
    uint8_t time_in_force;
    px_t limit_px;
    qty_t order_qty;
    qty_t cum_qty;
    qty_t leaves_qty;
};

struct level_view {
    px_t px;
    qty_t qty;
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
bool engine_position(const struct engine *self, account_id_t account, instrument_id_t instrument,
                     struct position_view *view);
bool engine_instrument(const struct engine *self, instrument_id_t instrument,
                       struct instrument_view *view);
bool engine_find_symbol(const struct engine *self, const char *symbol, instrument_id_t *instrument);
bool engine_order(const struct engine *self, order_id_t order_id, struct order_view *view);
bool engine_key(const struct engine *self, const char *key_id, struct key_view *view);

/* One past the highest id that may exist, to walk all. */
instrument_id_t engine_instrument_end(const struct engine *self);
account_id_t engine_account_end(const struct engine *self);

/* The best `max` levels of one side, best first; returns how many. */
unsigned engine_depth(const struct engine *self, instrument_id_t instrument, uint8_t side,
                      struct level_view *levels, unsigned max);

/* One level; qty 0 when nothing rests there. */
struct level_view engine_level(const struct engine *self, instrument_id_t instrument, uint8_t side,
                               px_t px);

/* The trading day in days since the epoch; 0 before the first END_DAY. */
uint64_t engine_day(const struct engine *self);

const struct limits *engine_limits(const struct engine *self);

#endif
