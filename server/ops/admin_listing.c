#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "server/ops/admin_request.h"
#include "server/ops/admin_rows.h"

/* Limits of one order that an instrument has unless the operator says otherwise. */
#define MAX_ORDER_QTY      "1000000"
#define MAX_ORDER_NOTIONAL "1000000000.00"

int admin_list_instrument(struct admin *self)
{
    struct command_list_instrument command = {
        .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
        .shortable = self->shortable};
    uint32_t tick_table, schedule;
    if (!admin_take_id("instrument", self->instrument, ASSET_CASH - 1, &command.instrument) ||
        !admin_take_name("symbol", self->symbol, command.symbol, sizeof command.symbol) ||
        !admin_take_name("name", self->name, command.name, sizeof command.name) ||
        !admin_take_u32("tick-table", self->tick_table, TICK_TABLE_COUNT - 1, &tick_table) ||
        !admin_take_u32("schedule", self->schedule, SCHEDULE_COUNT - 1, &schedule) ||
        !admin_take_currency(self->currency, &command.currency) ||
        !admin_take_session("session", self->session, &command.session) ||
        !admin_take_u32("max-fee-ppm", self->max_fee_ppm, UINT32_MAX, &command.max_fee_ppm) ||
        !admin_take_u32("index-weight", self->index_weight, UINT32_MAX, &command.index_weight) ||
        !admin_take_qty("lot", self->lot ? self->lot : "1", &command.lot_qty) ||
        !admin_take_qty("max-order-qty", self->max_order_qty ? self->max_order_qty : MAX_ORDER_QTY,
                        &command.max_order_qty) ||
        !admin_take_px("max-order-notional",
                       self->max_order_notional ? self->max_order_notional : MAX_ORDER_NOTIONAL,
                       &command.max_order_notional))
        return EX_USAGE;
    if ((self->tick != NULL) == (tick_table != 0)) {
        fprintf(stderr, "hoga admin: give either --tick or --tick-table\n");
        return EX_USAGE;
    }
    if (self->tick && !admin_take_px("tick", self->tick, &command.tick_px)) return EX_USAGE;
    command.tick_table = (uint8_t)tick_table;
    command.schedule = (uint8_t)schedule;
    if (!admin_open(self)) return EXIT_FAILURE;
    return admin_send(self, &command, sizeof command,
                      json_pack("{s:I, s:s}", "instrument", (json_int_t)command.instrument,
                                "symbol", self->symbol));
}

int admin_tick_table(struct admin *self)
{
    struct command_set_tick_table command = {
        .header = COMMAND_HEADER(COMMAND_SET_TICK_TABLE, struct command_set_tick_table)};
    uint32_t table;
    if (!admin_take_id("table", self->table, TICK_TABLE_COUNT - 1, &table) ||
        !admin_take_tick_rows(self->rows, &command))
        return EX_USAGE;
    command.table = (uint8_t)table;
    if (!admin_open(self)) return EXIT_FAILURE;
    return admin_send(self, &command, sizeof command,
                      json_pack("{s:I, s:s}", "table", (json_int_t)table, "rows", self->rows));
}

int admin_fees(struct admin *self)
{
    struct command_set_fees command = {
        .header = COMMAND_HEADER(COMMAND_SET_FEES, struct command_set_fees)};
    if (!admin_take_u32("tier", self->tier, FEE_TIER_COUNT - 1, &command.fee_tier) ||
        !admin_take_ppm("maker-ppm", self->maker_ppm, &command.maker_ppm) ||
        !admin_take_ppm("taker-ppm", self->taker_ppm, &command.taker_ppm))
        return EX_USAGE;
    if (!admin_open(self) || !admin_find_instrument(self, &command.instrument)) return EXIT_FAILURE;
    return admin_send(
        self, &command, sizeof command,
        json_pack("{s:I, s:I, s:I, s:I}", "instrument", (json_int_t)command.instrument, "tier",
                  (json_int_t)command.fee_tier, "maker_ppm", (json_int_t)command.maker_ppm,
                  "taker_ppm", (json_int_t)command.taker_ppm));
}

/* Shares or cash that may be left out: 0, no limit. */
static bool take_limit(const char *option, const char *text, bool is_cash, int64_t *limit)
{
    *limit = 0;
    if (!text || strcmp(text, "0") == 0) return true;
    return is_cash ? admin_take_px(option, text, limit) : admin_take_qty(option, text, limit);
}

static bool take_limits(const struct admin *self, struct command_set_limits *to)
{
    bool unlimited = self->max_daily_qty && strcmp(self->max_daily_qty, "none") == 0;
    if (!take_limit("max-order-qty", self->max_order_qty, false, &to->max_order_qty) ||
        !take_limit("max-order-notional", self->max_order_notional, true,
                    &to->max_order_notional) ||
        !admin_take_u32("max-open-orders", self->max_open_orders, UINT32_MAX,
                        &to->max_open_orders) ||
        !admin_take_u32("max-messages", self->max_messages, UINT32_MAX, &to->max_messages) ||
        !admin_take_u32("collar-ppm", self->collar_ppm, UINT32_MAX, &to->collar_ppm) ||
        !take_limit("max-long-qty", self->max_long_qty, false, &to->max_long_qty) ||
        !take_limit("max-short-qty", self->max_short_qty, false, &to->max_short_qty) ||
        !take_limit("max-exposure", self->max_exposure, true, &to->max_exposure))
        return false;
    if (!unlimited && !take_limit("max-daily-qty", self->max_daily_qty, false, &to->max_daily_qty))
        return false;
    if (unlimited) to->max_daily_qty = -1;
    return true;
}

int admin_limits(struct admin *self)
{
    struct command_set_limits command = {
        .header = COMMAND_HEADER(COMMAND_SET_LIMITS, struct command_set_limits)};
    bool of_instrument = self->symbol || self->instrument;
    if ((self->account != NULL) + (self->user != NULL) + of_instrument != 1) {
        fprintf(stderr, "hoga admin: give one of --account, --user and --symbol: whose limits\n");
        return EX_USAGE;
    }
    if (!take_limits(self, &command)) return EX_USAGE;
    command.scope = self->account ? LIMIT_SCOPE_ACCOUNT : LIMIT_SCOPE_USER;
    if (of_instrument)
        command.scope = LIMIT_SCOPE_INSTRUMENT;
    else if (self->account ? !admin_take_id("account", self->account, UINT32_MAX, &command.id)
                           : !admin_take_id("user", self->user, UINT32_MAX, &command.id))
        return EX_USAGE;
    if (!admin_open(self) || (of_instrument && !admin_find_instrument(self, &command.id)))
        return EXIT_FAILURE;
    return admin_send(self, &command, sizeof command,
                      json_pack("{s:s, s:I}", "scope",
                                of_instrument   ? "instrument"
                                : self->account ? "account"
                                                : "user",
                                "id", (json_int_t)command.id));
}
