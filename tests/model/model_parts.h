/* model_parts.h - what the model's files ask of each other; model.h says which file has what. */
#ifndef HOGA_TESTS_MODEL_PARTS_H
#define HOGA_TESTS_MODEL_PARTS_H

#include "tests/model/model.h"

#define MODEL_SECOND_NS INT64_C(1000000000)
#define MODEL_DAY_NS    (INT64_C(86400) * MODEL_SECOND_NS)
#define MODEL_MILLION   1000000

/* No more parts than these show an iceberg one after the other. */
#define MODEL_ICEBERG_PARTS 1000

/* Deposits of an asset in all, and positions of an account, end here. */
#define MODEL_LEDGER_MAX ((__int128)1 << 62)
/* The house may go as far below zero. */
#define MODEL_HOUSE_MIN (-((__int128)1 << 61))

/* ---- the step ---- */

void model_emit(struct model *self, const void *message, size_t length);
void model_reject_command(struct model *self, uint16_t command, enum reject reason);
void model_emit_setting(struct model *self, uint16_t command, uint16_t scope, uint32_t id);
/* Now and that much later, but not beyond the end of time. */
int64_t model_later(const struct model *self, int64_t delay_ns);

/* ---- accounts and instruments ---- */

bool model_is_text(const char *text, size_t field_bytes);
bool model_acts_for(const struct model *self, account_id_t account, user_id_t user);
bool model_user_is_there(const struct model *self, user_id_t user);
void model_open_account(struct model *self, const struct command_open_account *command);
void model_add_user(struct model *self, const struct command_add_user *command);
void model_add_key(struct model *self, const struct command_add_key *command);
void model_set_account(struct model *self, const struct command_set_account *command);
void model_list_instrument(struct model *self, const struct command_list_instrument *command);
void model_set_fees(struct model *self, const struct command_set_fees *command);
void model_set_tick_table(struct model *self, const struct command_set_tick_table *command);

/* ---- prices ---- */

struct model_prices {
    __int128 low, high; /* both may be traded at */
};

px_t model_max_px(const struct model_tick_row *ticks);
bool model_is_price(const struct model_instrument *instrument, px_t px);
px_t model_tick_at(const struct model_instrument *instrument, px_t px);
px_t model_round_down(const struct model_instrument *instrument, px_t px);
px_t model_round_up(const struct model_instrument *instrument, px_t px);
/* Counted from the tick at 0. */
uint32_t model_tick_number(const struct model_instrument *instrument, px_t px);
/* The smallest collar that is set; 0: none. */
uint32_t model_collar_ppm(const struct model *self, instrument_id_t instrument,
                          account_id_t account, user_id_t user);
/* The worst price that an order may pay around a reference. */
px_t model_collared(const struct model_instrument *instrument, uint8_t side, px_t reference,
                    uint32_t ppm);
struct model_prices model_static_band(const struct model_instrument *instrument);
/* Where the next order may trade. */
struct model_prices model_bands(const struct model_instrument *instrument);

void model_set_bands(struct model *self, const struct command_set_bands *command);
void model_set_breakers(struct model *self, const struct command_set_breakers *command);
void model_reset_index(struct model *self);
void model_trip_breakers(struct model *self);

/* ---- money ---- */

__int128 model_available_cash(const struct model *self, account_id_t account, uint32_t currency);
__int128 model_available_qty(const struct model *self, account_id_t account,
                             instrument_id_t instrument);
/* What a buy of so much holds. */
__int128 model_buy_hold(const struct model_instrument *instrument, __int128 notional);
bool model_open_position(struct model *self, account_id_t account, instrument_id_t instrument);
void model_deposit(struct model *self, const struct command_deposit *command);
void model_withdraw(struct model *self, const struct command_withdraw *command);
void model_transfer(struct model *self, const struct command_transfer *command);
void model_bust_trade(struct model *self, const struct command_bust_trade *command);
/* Two orders trade: money, figures of the day, and both executions, the first one's first. */
void model_trade(struct model *self, struct model_order *first, struct model_order *second,
                 qty_t qty, px_t px, uint8_t first_liquidity, uint8_t second_liquidity);

/* ---- limits ---- */

void model_set_limits(struct model *self, const struct command_set_limits *command);
/* Counts a message, or says that it is one too many. */
bool model_rate_allows(struct model *self, account_id_t account, user_id_t user);
/* `user` sends the request, as in model_check_market(). */
enum reject model_check_order_size(const struct model *self, const struct model_order *order,
                                   user_id_t user);
/* What the order's leaves and their notional grow by; of an open one what it has already is among
 * the account's figures. */
enum reject model_check_growth(const struct model *self, const struct model_order *order,
                               __int128 qty, __int128 notional);
enum reject model_check_funds(const struct model *self, const struct model_order *order,
                              __int128 qty, __int128 hold);
bool model_shorts_allowed(const struct model *self, const struct model_order *order);

/* ---- room ---- */

bool model_book_has_room(const struct model *self);
bool model_orders_full(const struct model *self);
uint32_t model_take_slot(struct model *self);
void model_free_slot(struct model *self, order_id_t order_id);

/* ---- names ---- */

bool model_is_cl_ord_id(const char *text);
bool model_names_full(const struct model *self, const char *cl_ord_id);
order_id_t model_named(const struct model *self, account_id_t account, const char *cl_ord_id);
void model_use_name(struct model *self, account_id_t account, const char *cl_ord_id,
                    order_id_t order_id);
void model_forget_names(struct model *self);

/* ---- executions ---- */

struct fee {
    cash_t fee;
    int32_t remainder;
};

void model_emit_execution(struct model *self, const struct model_order *order, uint8_t exec_type);
void model_emit_fill(struct model *self, const struct model_order *order, qty_t qty, px_t px,
                     uint8_t liquidity, struct fee fee);
void model_emit_refused_order(struct model *self, const struct model_order *order,
                              enum reject reason);
void model_reject_request(struct model *self, account_id_t account, order_id_t order_id,
                          uint16_t command, enum reject reason);

/* ---- orders ---- */

void model_new_order(struct model *self, const struct command_new_order *command);
void model_replace_order(struct model *self, const struct command_replace_order *command);
void model_cancel_order(struct model *self, const struct command_cancel_order *command);
void model_mass_cancel(struct model *self, const struct command_mass_cancel *command);
void model_kill_switch(struct model *self, const struct command_kill_switch *command);
void model_cancel_after(struct model *self, const struct command_cancel_after *command);
void model_end_day(struct model *self, const struct command_end_day *command);

bool model_is_stop(const struct model_order *order);
enum reject model_check_market(const struct model *self, const struct model_order *order,
                               user_id_t user);
enum reject model_check_doors(const struct model *self, const struct model_order *order);
struct model_order *model_own_order(const struct model *self, account_id_t account, user_id_t user,
                                    order_id_t order_id, const char *orig_cl_ord_id);
/* Its last execution: EXEC_CANCELED or EXEC_EXPIRED. The order is gone afterwards. */
void model_end_order(struct model *self, struct model_order *order, uint8_t exec_type,
                     enum reject reason);
/* A filled order is gone, too. */
void model_drop_order(struct model *self, struct model_order *order);
/* All open orders of an account (0: of all) in their order. */
uint32_t model_cancel_all(struct model *self, account_id_t account, enum reject reason);

/* ---- matching ---- */

/* Whether a stands before b; both in the same place and on the same side. */
bool model_goes_before(const struct model_order *a, const struct model_order *b);
struct model_order *model_first(const struct model *self, instrument_id_t instrument,
                                enum model_place place, uint8_t side);
bool model_crosses(const struct model_order *order, px_t px);
void model_leave_place(struct model *self, struct model_order *order);
void model_enter_place(struct model *self, struct model_order *order, enum model_place place);
/* New or replaced: matches or waits, as the session has it. `required_qty` trades at once or
 * nothing does. */
void model_arrive(struct model *self, struct model_order *order, qty_t required_qty);
/* Into the book, or canceled if that is full. */
void model_rest(struct model *self, struct model_order *order);
void model_trigger_stops(struct model *self, instrument_id_t instrument);

/* ---- auctions and sessions ---- */

void model_hold_auction(struct model *self, instrument_id_t instrument);
void model_show_auction(struct model *self, instrument_id_t instrument);
int64_t model_next_row_ns(const struct command_set_schedule *schedule, int64_t after_ns);
void model_set_session(struct model *self, const struct command_set_session *command);
void model_set_schedule(struct model *self, const struct command_set_schedule *command);
void model_begin_session(struct model *self, instrument_id_t instrument, uint8_t session);
/* `halt_ms` is of whoever halts; 0: no end of its own. */
void model_enter_session(struct model *self, instrument_id_t instrument, uint8_t session,
                         enum session_cause cause, uint32_t halt_ms);
void model_begin_limit_state(struct model *self, instrument_id_t instrument, uint8_t side, px_t px);
void model_end_limit_state(struct model *self, instrument_id_t instrument);

/* ---- timers ---- */

void model_time(struct model *self);
void model_schedule_due(struct model *self, instrument_id_t instrument);
void model_session_due(struct model *self, instrument_id_t instrument);
void model_auction_due(struct model *self, instrument_id_t instrument);

#endif
