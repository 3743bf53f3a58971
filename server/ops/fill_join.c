#include "server/ops/fill_join.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

bool fill_join_add(struct fill_join *self, const struct half_fill *half, struct half_fill *other,
                   bool *ok)
{
    *ok = true;
    for (uint32_t i = 0; i < self->count; i++) {
        const struct half_fill *waiting = &self->halves[i];
        if (waiting->trade_id != half->trade_id || waiting->is_maker == half->is_maker) continue;
        *other = *waiting;
        self->halves[i] = self->halves[--self->count];
        return true;
    }
    if (self->count == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : FIRST_CAPACITY;
        struct half_fill *grown = realloc(self->halves, capacity * sizeof *grown);
        if (!grown) {
            *ok = false;
            return false;
        }
        self->halves = grown;
        self->capacity = capacity;
    }
    self->halves[self->count++] = *half;
    return false;
}

trade_id_t fill_join_without_maker(const struct fill_join *self)
{
    for (uint32_t i = 0; i < self->count; i++)
        if (!self->halves[i].is_maker) return self->halves[i].trade_id;
    return 0;
}

bool fill_join_lacks_maker(const struct fill_join *self, trade_id_t trade_id)
{
    for (uint32_t i = 0; i < self->count; i++)
        if (!self->halves[i].is_maker && self->halves[i].trade_id == trade_id) return true;
    return false;
}

void fill_join_free(struct fill_join *self)
{
    free(self->halves);
    memset(self, 0, sizeof *self);
}
