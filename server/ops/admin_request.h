/* admin_request.h - what the commands of `hoga admin` share: their options, the parsing of values
 * that an operator types, and the way to the running exchange and back.
 *
 * Everything that takes a value complains on stderr, naming the option, and returns false when it
 * cannot be right. One thread.
 */
#ifndef HOGA_OPS_ADMIN_REQUEST_H
#define HOGA_OPS_ADMIN_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/message/command.h"
#include "server/ops/command_channel.h"

/* The options as they were given, NULL where they were not; each command has its own few. */
struct admin {
    const char *data_dir;
    const char *account, *user, *instrument, *schedule, *table, *trade, *tier;
    const char *name, *symbol, *session, *side, *stp, *currency, *scopes, *reason;
    const char *from, *to, *cash, *qty;
    const char *tick, *lot, *max_fee_ppm, *index_weight, *tick_table;
    const char *rows, *levels;
    const char *static_ppm, *dynamic_ppm, *collar_ppm, *limit_state_ms, *halt_ms, *auction_ms;
    const char *reference, *maker_ppm, *taker_ppm;
    const char *max_order_qty, *max_order_notional, *max_open_orders, *max_messages;
    const char *max_long_qty, *max_short_qty, *max_exposure, *max_daily_qty;
    bool all, market, shortable, may_short, on_disconnect;
    struct command_channel channel;
};

/* Says on stderr what is wrong with an option. Returns false. */
bool admin_complain(const char *option, const char *what);

/* ---- values ---- */

/* An account, user, schedule ...: 1 .. max. */
bool admin_take_id(const char *option, const char *text, uint64_t max, uint32_t *id);

/* A number, 0 when the option was not given. */
bool admin_take_number(const char *option, const char *text, uint64_t max, uint64_t *number);
bool admin_take_u32(const char *option, const char *text, uint32_t max, uint32_t *number);

/* Millionths, below zero for a rebate; required. */
bool admin_take_ppm(const char *option, const char *text, int32_t *ppm);

/* A text that fits with a NUL behind it; required. */
bool admin_take_name(const char *option, const char *text, char *to, size_t bytes);

/* Shares, positive; required. */
bool admin_take_qty(const char *option, const char *text, int64_t *qty);

/* "189.35", a price or cash in the currency to 1/10000 of it, positive; required. */
bool admin_take_px(const char *option, const char *text, int64_t *px);

/* Words to what the messages have. A session or currency that was not given is 0. */
bool admin_take_session(const char *option, const char *text, uint8_t *session);
bool admin_take_currency(const char *text, uint8_t *currency);
bool admin_take_stp(const char *text, uint8_t *stp);
bool admin_take_side(const char *text, uint8_t *side);

/* ---- the running exchange ---- */

/* Opens the channel. Explained on stderr when it cannot. */
bool admin_open(struct admin *self);

/* The instrument of --symbol or --instrument; needs the channel open. */
bool admin_find_instrument(struct admin *self, uint32_t *instrument);

/* What --cash with --currency, or --symbol (--instrument) with --qty name; needs the channel open.
 * admin_check_money() complains about what can be told before. */
bool admin_check_money(const struct admin *self);
bool admin_take_money(struct admin *self, asset_t *asset, int64_t *qty);

/* Sends the command and prints the answer as a line of JSON: `result` (taken over; what the command
 * has to say of itself) with what the event says, or the reason why not. An exit status. */
int admin_send(struct admin *self, const void *message, size_t length, json_t *result);

/* ---- the commands: each checks its options, sends, and returns an exit status ---- */

/* admin_accounts.c: who there is, and their money */
int admin_open_account(struct admin *self);
int admin_set_account(struct admin *self);
int admin_add_user(struct admin *self);
int admin_add_key(struct admin *self);
int admin_deposit(struct admin *self);
int admin_withdraw(struct admin *self);
int admin_transfer(struct admin *self);

/* admin_listing.c: instruments and what holds for them */
int admin_list_instrument(struct admin *self);
int admin_tick_table(struct admin *self);
int admin_fees(struct admin *self);
int admin_limits(struct admin *self);

/* admin_market.c: when and within what there is trading */
int admin_session(struct admin *self);
int admin_schedule(struct admin *self);
int admin_bands(struct admin *self);
int admin_breakers(struct admin *self);

/* admin_emergency.c: what stops or takes back */
int admin_kill(struct admin *self);
int admin_unkill(struct admin *self);
int admin_mass_cancel(struct admin *self);
int admin_bust(struct admin *self);

#endif
