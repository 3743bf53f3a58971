#include "web/replica/settings.h"

#include <stdlib.h>
#include <string.h>

#include "web/replica/hash.h"

enum { LIMITS_FIRST = 64 };

/* One scope's limits in an open hash table; scope 0 is a free place. */
struct limits_place {
    uint32_t scope, id;
    struct pre_trade_limits limits;
};

struct settings {
    struct tick_row ticks[TICK_TABLE_COUNT][TICK_TABLE_ROWS];
    struct limits_place *places;
    uint32_t mask, used; /* at most half of the places are used */
};

struct settings *settings_create(void)
{
    struct settings *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->places = calloc(LIMITS_FIRST, sizeof *self->places);
    self->mask = LIMITS_FIRST - 1;
    if (self->places) return self;
    free(self);
    return NULL;
}

void settings_destroy(struct settings *self)
{
    if (!self) return;
    free(self->places);
    free(self);
}

/* The place of these limits, or the free one where they belong. Ids are an administrator's, who
 * has no interest in chains: no seed is needed. */
static struct limits_place *place_of(struct limits_place *places, uint32_t mask, uint32_t scope,
                                     uint32_t id)
{
    uint32_t at = (uint32_t)hash_word(scope, id) & mask;
    while (places[at].scope && (places[at].scope != scope || places[at].id != id))
        at = (at + 1) & mask;
    return &places[at];
}

static bool grow(struct settings *self)
{
    uint32_t mask = self->mask * 2 + 1;
    struct limits_place *places = calloc((size_t)mask + 1, sizeof *places);
    if (!places) return false;
    for (uint32_t i = 0; i <= self->mask; i++) {
        const struct limits_place *old = &self->places[i];
        if (old->scope) *place_of(places, mask, old->scope, old->id) = *old;
    }
    free(self->places);
    self->places = places;
    self->mask = mask;
    return true;
}

static bool set_limits(struct settings *self, const struct command_set_limits *set)
{
    if (self->used * 2 > self->mask && !grow(self)) return false;
    struct limits_place *place = place_of(self->places, self->mask, set->scope, set->id);
    self->used += place->scope == 0;
    *place = (struct limits_place){
        .scope = set->scope,
        .id = set->id,
        .limits = {.max_order_qty = set->max_order_qty,
                   .max_order_notional = set->max_order_notional,
                   .max_open_orders = set->max_open_orders,
                   .max_messages = set->max_messages,
                   .collar_ppm = set->collar_ppm,
                   .max_long_qty = set->max_long_qty,
                   .max_short_qty = set->max_short_qty,
                   .max_exposure = set->max_exposure,
                   .max_daily_qty = set->max_daily_qty},
    };
    return true;
}

static void set_ticks(struct settings *self, const struct command_set_tick_table *set)
{
    if (set->table >= TICK_TABLE_COUNT) return;
    for (unsigned i = 0; i < TICK_TABLE_ROWS; i++)
        self->ticks[set->table][i] = (struct tick_row){set->from_px[i], set->tick_px[i]};
}

bool settings_changed(struct settings *self, const struct journal_record *command,
                      const struct event_setting_changed *event)
{
    union {
        struct command_set_limits limits;
        struct command_set_tick_table ticks;
    } set = {0};
    size_t length = record_message_length(command);
    if (event->command != command->header.template_id) return true;
    memcpy(&set, record_message(command), length < sizeof set ? length : sizeof set);
    switch (event->command) {
    case COMMAND_SET_LIMITS: return set_limits(self, &set.limits);
    case COMMAND_SET_TICK_TABLE: set_ticks(self, &set.ticks); return true;
    default: return true;
    }
}

unsigned settings_ticks(const struct settings *self, unsigned table,
                        struct tick_row rows[TICK_TABLE_ROWS])
{
    unsigned count = 0;
    if (table >= TICK_TABLE_COUNT) return 0;
    while (count < TICK_TABLE_ROWS && self->ticks[table][count].tick_px > 0) {
        rows[count] = self->ticks[table][count];
        count++;
    }
    return count;
}

struct pre_trade_limits settings_limits(const struct settings *self, enum limit_scope scope,
                                        uint32_t id)
{
    return place_of(self->places, self->mask, scope, id)->limits;
}
