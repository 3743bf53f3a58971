#include <string.h>

#include "tests/model/model_parts.h"

/* ---- questions ---- */

bool model_is_listed(const struct model *self, instrument_id_t instrument)
{
    return instrument < self->limits.instruments && self->instruments[instrument].listed;
}

static instrument_id_t find_symbol(const struct model *self, const char *symbol)
{
    for (instrument_id_t id = 1; id < self->limits.instruments; id++)
        if (self->instruments[id].listed && strcmp(self->instruments[id].symbol, symbol) == 0)
            return id;
    return 0;
}

/* ---- listing ---- */

static bool is_symbol(const char *symbol)
{
    if (!model_is_text(symbol, SYMBOL_BYTES)) return false;
    for (; *symbol; symbol++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", *symbol)) return false;
    return true;
}

static bool tick_fits(const struct command_list_instrument *command)
{
    return command->tick_px >= 1 && command->tick_px <= PX_MAX &&
           (__int128)command->tick_px * 16777215 <= INT64_MAX;
}

static enum reject check_listing(const struct model *self,
                                 const struct command_list_instrument *command)
{
    instrument_id_t id = command->instrument;
    if (id < 1 || id >= self->limits.instruments) return REJECT_OUT_OF_LIMITS;
    if (!is_symbol(command->symbol)) return REJECT_INVALID_NAME;
    if (!model_is_text(command->name, NAME_BYTES)) return REJECT_INVALID_NAME;
    if (command->tick_table == 0 && !tick_fits(command)) return REJECT_OUT_OF_LIMITS;
    if (command->lot_qty < 1 || command->lot_qty > QTY_MAX) return REJECT_OUT_OF_LIMITS;
    if (command->max_order_qty < 1 || command->max_order_qty > QTY_MAX) return REJECT_OUT_OF_LIMITS;
    if (command->max_order_notional < 1) return REJECT_OUT_OF_LIMITS;
    if (command->tick_table >= TICK_TABLE_COUNT) return REJECT_INVALID_SETTING;
    if (command->tick_table != 0 && command->tick_px != 0) return REJECT_INVALID_SETTING;
    if (command->tick_table != 0 && self->tick_tables[command->tick_table][0].tick_px == 0)
        return REJECT_INVALID_SETTING;
    if (command->currency >= CURRENCY_COUNT) return REJECT_INVALID_SETTING;
    if (command->schedule >= SCHEDULE_COUNT) return REJECT_INVALID_SETTING;
    if (command->session > SESSION_CLOSING_AUCTION) return REJECT_INVALID_SETTING;
    if (command->max_fee_ppm > 100000 || command->shortable > 1) return REJECT_INVALID_SETTING;
    if (self->instruments[id].listed || find_symbol(self, command->symbol))
        return REJECT_INSTRUMENT_EXISTS;
    return REJECT_NONE;
}

static uint8_t first_session(const struct command_list_instrument *command)
{
    if (command->session != 0) return command->session;
    return command->schedule == 0 ? SESSION_CONTINUOUS : SESSION_CLOSED;
}

void model_list_instrument(struct model *self, const struct command_list_instrument *command)
{
    enum reject reason = check_listing(self, command);
    if (reason != REJECT_NONE) {
        model_reject_command(self, COMMAND_LIST_INSTRUMENT, reason);
        return;
    }
    struct model_instrument *i = &self->instruments[command->instrument];
    *i = (struct model_instrument){.listed = true,
                                   .shortable = command->shortable,
                                   .ticks = {{0, command->tick_px}},
                                   .lot_qty = command->lot_qty,
                                   .currency = command->currency,
                                   .tick_table = command->tick_table,
                                   .schedule = command->schedule,
                                   .max_fee_ppm = command->max_fee_ppm,
                                   .index_weight = command->index_weight,
                                   .limits = {.max_order_qty = command->max_order_qty,
                                              .max_order_notional = command->max_order_notional},
                                   .schedule_ns = MODEL_NO_TIMER,
                                   .session_ns = MODEL_NO_TIMER,
                                   .auction_ns = MODEL_NO_TIMER};
    if (command->tick_table != 0)
        memcpy(i->ticks, self->tick_tables[command->tick_table], sizeof i->ticks);
    i->max_px = model_max_px(i->ticks);
    memcpy(i->symbol, command->symbol, SYMBOL_BYTES);
    memcpy(i->name, command->name, NAME_BYTES);
    if (i->schedule != 0)
        i->schedule_ns = model_next_row_ns(&self->schedules[i->schedule], self->now_ns);
    model_begin_session(self, command->instrument, first_session(command));
    struct event_instrument_listed event = {
        .header = EVENT_HEADER(EVENT_INSTRUMENT_LISTED, struct event_instrument_listed),
        .instrument = command->instrument};
    model_emit(self, &event, sizeof event);
}

/* ---- settings ---- */

void model_set_fees(struct model *self, const struct command_set_fees *command)
{
    enum reject reason = REJECT_NONE;
    if (!model_is_listed(self, command->instrument)) {
        reason = REJECT_UNKNOWN_INSTRUMENT;
    } else {
        int64_t most = self->instruments[command->instrument].max_fee_ppm;
        if (command->fee_tier >= FEE_TIER_COUNT || command->maker_ppm > most ||
            command->maker_ppm < -most || command->taker_ppm > most || command->taker_ppm < -most)
            reason = REJECT_INVALID_SETTING;
    }
    if (reason != REJECT_NONE) {
        model_reject_command(self, COMMAND_SET_FEES, reason);
        return;
    }
    struct model_instrument *i = &self->instruments[command->instrument];
    i->maker_ppm[command->fee_tier] = command->maker_ppm;
    i->taker_ppm[command->fee_tier] = command->taker_ppm;
    model_emit_setting(self, COMMAND_SET_FEES, 0, command->instrument);
}

static bool is_tick_table(const struct command_set_tick_table *command)
{
    const px_t *from = command->from_px, *tick = command->tick_px;
    if (from[0] != 0 || tick[0] < 1 || tick[0] > PX_MAX) return false;
    for (unsigned row = 1; row < TICK_TABLE_ROWS; row++) {
        if (tick[row] == 0) { /* it and all behind it are unused */
            for (unsigned rest = row; rest < TICK_TABLE_ROWS; rest++)
                if (from[rest] != 0 || tick[rest] != 0) return false;
            return true;
        }
        if (tick[row] < 0 || from[row] <= from[row - 1] || from[row] > PX_MAX) return false;
        if (from[row] % tick[row - 1] != 0 || from[row] % tick[row] != 0) return false;
    }
    return true;
}

void model_set_tick_table(struct model *self, const struct command_set_tick_table *command)
{
    bool good = command->table >= 1 && command->table < TICK_TABLE_COUNT && is_tick_table(command);
    for (instrument_id_t id = 0; id < self->limits.instruments && good; id++)
        if (model_is_listed(self, id) && self->instruments[id].tick_table == command->table)
            good = false;
    if (!good) {
        model_reject_command(self, COMMAND_SET_TICK_TABLE, REJECT_INVALID_SETTING);
        return;
    }
    for (unsigned row = 0; row < TICK_TABLE_ROWS; row++)
        self->tick_tables[command->table][row] =
            (struct model_tick_row){command->from_px[row], command->tick_px[row]};
    model_emit_setting(self, COMMAND_SET_TICK_TABLE, 0, command->table);
}
