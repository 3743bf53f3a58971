#include "engine/instrument/instrument.h"

#include <string.h>

#include "engine/base/arith.h"
#include "engine/base/hash.h"

enum { FEE_PPM_MAX = 100000 };

void instruments_init(struct instruments *self, struct arena *arena, const struct limits *limits)
{
    self->max = limits->instruments;
    for (self->symbol_slots = 4; self->symbol_slots / 2 < limits->instruments;)
        self->symbol_slots *= 2;
    self->end = arena_cut(arena, 1, sizeof *self->end);
    self->table = arena_cut(arena, limits->instruments, sizeof *self->table);
    self->tick_tables = arena_cut(arena, TICK_TABLE_COUNT, sizeof *self->tick_tables);
    self->symbols = arena_cut(arena, self->symbol_slots, sizeof *self->symbols);
}

/* ---- symbols ---- */

/* Upper-case letters, digits, dot and dash: what a URL and a spreadsheet leave alone. */
static bool is_symbol(const char *symbol)
{
    size_t length = strnlen(symbol, SYMBOL_BYTES);
    if (length == 0 || length == SYMBOL_BYTES) return false;
    for (size_t i = 0; i < length; i++) {
        char c = symbol[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-'))
            return false;
    }
    return true;
}

/* Where the symbol's instrument stands, or the free slot where it would: there always is one, since
 * at most half of the slots are used. */
static instrument_id_t *find_symbol_slot(const struct instruments *self, const char *symbol)
{
    uint64_t words[2] = {0};
    memcpy(words, symbol, strnlen(symbol, SYMBOL_BYTES));
    uint32_t slot = (uint32_t)hash_mix(words[0] ^ hash_mix(words[1], HASH_GOLDEN), HASH_GOLDEN);
    for (;; slot++) {
        instrument_id_t *id = &self->symbols[slot & (self->symbol_slots - 1)];
        if (*id == 0 || strncmp(self->table[*id].symbol, symbol, SYMBOL_BYTES) == 0) return id;
    }
}

instrument_id_t instrument_find_symbol(const struct instruments *self, const char *symbol)
{
    return *find_symbol_slot(self, symbol);
}

/* ---- listing ---- */

static bool in_range(int64_t value, int64_t max)
{
    return value > 0 && value <= max;
}

static enum reject check_numbers(const struct command_list_instrument *command)
{
    px_t max_px;
    if (!command->tick_table && (!in_range(command->tick_px, PX_MAX) ||
                                 !arith_notional(command->tick_px, INSTRUMENT_TICKS_MAX, &max_px)))
        return REJECT_OUT_OF_LIMITS;
    if (!in_range(command->lot_qty, QTY_MAX) || !in_range(command->max_order_qty, QTY_MAX) ||
        !in_range(command->max_order_notional, INT64_MAX))
        return REJECT_OUT_OF_LIMITS;
    return REJECT_NONE;
}

static enum reject check_settings(const struct instruments *self,
                                  const struct command_list_instrument *command)
{
    if (command->tick_table && (command->tick_px != 0 || command->tick_table >= TICK_TABLE_COUNT ||
                                self->tick_tables[command->tick_table].rows == 0))
        return REJECT_INVALID_SETTING;
    if (command->currency >= CURRENCY_COUNT || command->schedule >= SCHEDULE_COUNT ||
        command->session > SESSION_CLOSING_AUCTION || command->max_fee_ppm > FEE_PPM_MAX ||
        command->shortable > 1)
        return REJECT_INVALID_SETTING;
    return REJECT_NONE;
}

static enum reject check_listing(const struct instruments *self,
                                 const struct command_list_instrument *command)
{
    instrument_id_t id = command->instrument;
    if (id == 0 || id >= self->max) return REJECT_OUT_OF_LIMITS;
    if (!is_symbol(command->symbol)) return REJECT_INVALID_NAME;
    if (command->name[0] == '\0' || !memchr(command->name, '\0', NAME_BYTES))
        return REJECT_INVALID_NAME;
    enum reject reason = check_numbers(command);
    if (reason == REJECT_NONE) reason = check_settings(self, command);
    if (reason != REJECT_NONE) return reason;
    if (self->table[id].symbol[0] != '\0' || *find_symbol_slot(self, command->symbol))
        return REJECT_INSTRUMENT_EXISTS;
    return REJECT_NONE;
}

/* The price of the last tick, but never above PX_MAX, and on a tick. */
static px_t plain_max_px(px_t tick_px)
{
    px_t max_px = tick_px * INSTRUMENT_TICKS_MAX; /* check_numbers() has seen that it fits */
    return max_px <= PX_MAX ? max_px : PX_MAX / tick_px * tick_px;
}

/* Row by which a price above that of the row before it counts: the last one that begins at or below
 * it. */
static uint32_t row_of_px(const struct tick_table *table, px_t px)
{
    uint32_t row = 0;
    while (row + 1 < table->rows && table->from_px[row + 1] <= px) row++;
    return row;
}

static px_t table_max_px(const struct tick_table *table)
{
    uint32_t row = row_of_px(table, PX_MAX);
    __int128 above = INSTRUMENT_TICKS_MAX - (int64_t)table->from_ticks[row];
    if (table->from_px[row] + above * table->tick_px[row] <= PX_MAX)
        return tick_table_px(table, INSTRUMENT_TICKS_MAX);
    px_t from = table->from_px[row], tick = table->tick_px[row];
    return from + (PX_MAX - from) / tick * tick;
}

/* What a product with an odd number is multiplied by to get back the other factor, modulo 2^64.
 * Each step of Newton's doubles the bits that are right; an odd number is its own inverse in three.
 */
static uint64_t inverse_of(uint64_t odd)
{
    uint64_t inverse = odd;
    for (int bits = 3; bits < 64; bits *= 2) inverse *= 2 - odd * inverse;
    return inverse;
}

static void set_plain_ticks(struct instrument *i)
{
    if (i->tick_table) return; /* none is plain: all products with an inverse of 0 are 0 */
    uint64_t tick = (uint64_t)i->tick_px;
    i->tick_shift = (uint8_t)__builtin_ctzll(tick);
    i->tick_inverse = inverse_of(tick >> i->tick_shift);
    px_t max_px = i->max_px < PLAIN_PX_MAX ? i->max_px : PLAIN_PX_MAX;
    i->plain_ticks_max = (uint32_t)(max_px / i->tick_px);
}

enum reject instrument_list(struct instruments *self, const struct command_list_instrument *command)
{
    enum reject reason = check_listing(self, command);
    if (reason != REJECT_NONE) return reason;
    struct instrument *i = &self->table[command->instrument];
    memcpy(i->symbol, command->symbol, SYMBOL_BYTES);
    memcpy(i->name, command->name, NAME_BYTES);
    i->lot_qty = command->lot_qty;
    i->max_order_qty = command->max_order_qty;
    i->max_order_notional = command->max_order_notional;
    i->currency = command->currency;
    i->tick_table = command->tick_table;
    i->schedule = command->schedule;
    i->max_fee_ppm = command->max_fee_ppm;
    i->index_weight = command->index_weight;
    i->shortable = command->shortable;
    if (command->tick_table) {
        struct tick_table *table = &self->tick_tables[command->tick_table];
        table->used = 1;
        i->tick_px = table->tick_px[0];
        i->max_px = table_max_px(table);
    } else {
        i->tick_px = command->tick_px;
        i->max_px = plain_max_px(command->tick_px);
    }
    set_plain_ticks(i);
    *find_symbol_slot(self, command->symbol) = command->instrument;
    if (command->instrument >= *self->end) *self->end = command->instrument + 1;
    return REJECT_NONE;
}

/* ---- tick tables ---- */

/* A row begins where both its own ticks and those before it have a price: prices of one row are
 * whole ticks of no other, but the border belongs to both. */
static bool row_follows(const struct command_set_tick_table *command, unsigned row)
{
    px_t from = command->from_px[row], tick = command->tick_px[row];
    return tick > 0 && from > command->from_px[row - 1] && from <= PX_MAX &&
           from % command->tick_px[row - 1] == 0 && from % tick == 0;
}

/* How many rows the table has; 0 when it cannot be one. */
static unsigned count_rows(const struct command_set_tick_table *command)
{
    if (command->from_px[0] != 0 || !in_range(command->tick_px[0], PX_MAX)) return 0;
    unsigned rows = 1;
    while (rows < TICK_TABLE_ROWS && command->tick_px[rows] != 0) {
        if (!row_follows(command, rows)) return 0;
        rows++;
    }
    for (unsigned row = rows; row < TICK_TABLE_ROWS; row++)
        if (command->from_px[row] != 0 || command->tick_px[row] != 0) return 0;
    return rows;
}

enum reject instrument_set_tick_table(struct instruments *self,
                                      const struct command_set_tick_table *command)
{
    if (command->table == 0 || command->table >= TICK_TABLE_COUNT ||
        self->tick_tables[command->table].used)
        return REJECT_INVALID_SETTING;
    unsigned rows = count_rows(command);
    if (rows == 0) return REJECT_INVALID_SETTING;
    struct tick_table *table = &self->tick_tables[command->table];
    *table = (struct tick_table){.rows = rows};
    int64_t ticks = 0; /* at most PX_MAX */
    for (unsigned row = 0; row < rows; row++) {
        if (row)
            ticks +=
                (command->from_px[row] - command->from_px[row - 1]) / command->tick_px[row - 1];
        table->from_px[row] = command->from_px[row];
        table->tick_px[row] = command->tick_px[row];
        /* a row that begins above the last tick is never reached */
        table->from_ticks[row] =
            ticks <= INSTRUMENT_TICKS_MAX ? (uint32_t)ticks : INSTRUMENT_TICKS_MAX + 1;
    }
    return REJECT_NONE;
}

uint32_t tick_table_ticks(const struct tick_table *table, px_t px)
{
    uint32_t row = row_of_px(table, px);
    int64_t ticks = table->from_ticks[row] + (px - table->from_px[row]) / table->tick_px[row];
    return ticks <= INSTRUMENT_TICKS_MAX ? (uint32_t)ticks : INSTRUMENT_TICKS_MAX;
}

px_t tick_table_px(const struct tick_table *table, uint32_t ticks)
{
    uint32_t row = 0;
    while (row + 1 < table->rows && table->from_ticks[row + 1] <= ticks) row++;
    return table->from_px[row] + (px_t)(ticks - table->from_ticks[row]) * table->tick_px[row];
}
