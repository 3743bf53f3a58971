/* model.h - a second exchange, slow and plainly right, that says what the engine must answer.
 *
 * Shares nothing with engine/ but the messages: unsorted arrays, linear scans, sums over all open
 * orders wherever the engine keeps a running figure, 128-bit arithmetic. What is held behind an
 * order is not stored at all: it is added up from the open orders when somebody asks.
 *
 * Where ids are part of the answer the model follows their published rule: an order id is the
 * count of orders so far, shifted, and the slot; a slot freed last is used first; end of day goes
 * by slot. And it knows how many nodes a price ladder may use, since running out of them is an
 * answer too.
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

struct model_order {
    order_id_t order_id;
    account_id_t account;
    instrument_id_t instrument;
    uint8_t side, ord_type, time_in_force;
    px_t limit_px;
    qty_t order_qty;
    qty_t cum_qty;
    char cl_ord_id[CL_ORD_ID_BYTES];
};

struct model_instrument {
    bool listed;
    bool ever_rested[2]; /* buy, sell */
    char symbol[SYMBOL_BYTES];
    char name[NAME_BYTES];
    px_t tick_px, max_px;
    qty_t lot_qty, max_order_qty;
    cash_t max_order_notional;
    uint64_t book_update_id;
    px_t last_px;
};

struct model_account {
    bool open;
    char name[NAME_BYTES];
    __int128 cash; /* available and held */
};

struct model_user {
    bool there;
    account_id_t account;
};

struct model_position {
    account_id_t account;
    instrument_id_t instrument;
    __int128 qty; /* available and held */
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

/* The events of one command, one behind the other. */
struct event_list {
    uint8_t *bytes;
    size_t length, capacity;
    unsigned count;
};

struct model {
    struct limits limits;
    bool configured;
    uint64_t day;
    uint64_t orders_made;
    trade_id_t trade_id;
    struct model_account *accounts;       /* by id */
    struct model_user *users;             /* by id */
    struct model_instrument *instruments; /* by id */
    struct model_position *positions;
    uint32_t position_count;
    struct model_key *keys;
    uint32_t key_count;
    struct model_cl_ord_id *cl_ord_ids;
    uint32_t cl_ord_id_count;
    struct model_order *orders; /* open ones, oldest first */
    uint32_t order_count;
    uint32_t *free_slots; /* the last is used next */
    uint32_t free_slot_count;
    uint32_t slots_used; /* highest ever */
    struct event_list events;
};

struct model *model_create(const struct limits *limits);
void model_destroy(struct model *self);

/* Leaves the events of the command in `events`. */
void model_step(struct model *self, const void *message, size_t length);

/* ---- questions, answered by adding up ---- */

__int128 model_held_cash(const struct model *self, account_id_t account);
__int128 model_held_qty(const struct model *self, account_id_t account, instrument_id_t instrument);
struct model_position *model_position(const struct model *self, account_id_t account,
                                      instrument_id_t instrument);
struct model_order *model_order(const struct model *self, order_id_t order_id);
const struct model_key *model_key(const struct model *self, const char *key_id);
instrument_id_t model_find_symbol(const struct model *self, const char *symbol);
bool model_account_is_open(const struct model *self, account_id_t account);
bool model_is_listed(const struct model *self, instrument_id_t instrument);

static inline qty_t model_leaves(const struct model_order *order)
{
    return order->order_qty - order->cum_qty;
}

/* ---- between the model's files ---- */

void model_emit(struct model *self, const void *message, size_t length);
void model_emit_command_rejected(struct model *self, uint16_t command, enum reject reason);
bool model_open_position(struct model *self, account_id_t account, instrument_id_t instrument);
bool model_acts_for(const struct model *self, account_id_t account, user_id_t user);

void model_new_order(struct model *self, const struct command_new_order *command);
void model_cancel_order(struct model *self, const struct command_cancel_order *command);
void model_replace_order(struct model *self, const struct command_replace_order *command);
void model_end_day(struct model *self, const struct command_end_day *command);

#endif
