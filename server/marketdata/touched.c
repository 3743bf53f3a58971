#include "server/marketdata/touched.h"

#include <string.h>

_Static_assert((TOUCHED_SLOTS & (TOUCHED_SLOTS - 1)) == 0, "slots are found by a mask");
_Static_assert(MARKET_TOUCHED_MAX < UINT16_MAX, "a slot holds an index + 1");

static unsigned slot_of(uint8_t side, px_t px)
{
    uint64_t mixed = ((uint64_t)px << 1 | (side == SIDE_SELL)) * UINT64_C(0x9e3779b97f4a7c15);
    return (unsigned)(mixed >> 40) & (TOUCHED_SLOTS - 1);
}

void touched_mark(struct touched *self, uint8_t side, px_t px)
{
    unsigned slot = slot_of(side, px);
    for (; self->slots[slot]; slot = (slot + 1) & (TOUCHED_SLOTS - 1)) {
        const struct touched_level *level = &self->levels[self->slots[slot] - 1];
        if (level->px == px && level->side == side) return;
    }
    if (self->count == MARKET_TOUCHED_MAX) {
        self->overflow = true;
        return;
    }
    self->levels[self->count] = (struct touched_level){side, px};
    self->slots[slot] = (uint16_t)++self->count;
}

void touched_clear(struct touched *self)
{
    if (self->count) memset(self->slots, 0, sizeof self->slots);
    self->count = 0;
    self->overflow = false;
}
