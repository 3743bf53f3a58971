#include "engine/instrument/instrument.h"

#include <string.h>

#include "engine/base/arith.h"

void instruments_init(struct instruments *self, struct arena *arena, const struct limits *limits)
{
    self->max = limits->instruments;
    self->end = arena_cut(arena, 1, sizeof *self->end);
    self->table = arena_cut(arena, limits->instruments, sizeof *self->table);
}

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

static bool in_range(int64_t value, int64_t max)
{
    return value > 0 && value <= max;
}

enum reject instrument_list(struct instruments *self, const struct command_list_instrument *command)
{
    instrument_id_t id = command->instrument;
    px_t max_px;
    if (id == 0 || id >= self->max) return REJECT_OUT_OF_LIMITS;
    if (!is_symbol(command->symbol)) return REJECT_INVALID_NAME;
    if (command->name[0] == '\0' || !memchr(command->name, '\0', NAME_BYTES))
        return REJECT_INVALID_NAME;
    if (!in_range(command->tick_px, PX_MAX) || !in_range(command->lot_qty, QTY_MAX) ||
        !in_range(command->max_order_qty, QTY_MAX) ||
        !in_range(command->max_order_notional, INT64_MAX) ||
        !arith_notional(command->tick_px, INSTRUMENT_TICKS_MAX, &max_px))
        return REJECT_OUT_OF_LIMITS;
    struct instrument *i = &self->table[id];
    if (i->symbol[0] != '\0' || instrument_find_symbol(self, command->symbol))
        return REJECT_INSTRUMENT_EXISTS;
    memcpy(i->symbol, command->symbol, SYMBOL_BYTES);
    memcpy(i->name, command->name, NAME_BYTES);
    i->tick_px = command->tick_px;
    i->max_px = max_px < PX_MAX ? max_px : PX_MAX / command->tick_px * command->tick_px;
    i->lot_qty = command->lot_qty;
    i->max_order_qty = command->max_order_qty;
    i->max_order_notional = command->max_order_notional;
    if (id >= *self->end) *self->end = id + 1;
    return REJECT_NONE;
}

struct instrument *instrument_find(const struct instruments *self, instrument_id_t instrument)
{
    if (instrument >= self->max) return NULL;
    struct instrument *i = &self->table[instrument];
    return i->symbol[0] ? i : NULL;
}

instrument_id_t instrument_find_symbol(const struct instruments *self, const char *symbol)
{
    for (instrument_id_t id = 1; id < *self->end; id++)
        if (strncmp(self->table[id].symbol, symbol, SYMBOL_BYTES) == 0 && symbol[0]) return id;
    return 0;
}
