#include "engine/risk/volume.h"

#include "engine/base/check.h"

void volumes_init(struct volumes *self, struct arena *arena, const struct limits *limits)
{
    self->max = limits->volumes;
    for (self->slot_count = 4; self->slot_count / 2 < limits->volumes;) self->slot_count *= 2;
    self->used = arena_cut(arena, 1, sizeof *self->used);
    self->slots = arena_cut(arena, self->slot_count, sizeof *self->slots);
}

/* The pair's slot, or the free one where it would go: there always is one, since at most half of
 * the slots are used. */
static uint32_t find_slot(const struct volumes *self, user_id_t user, instrument_id_t instrument)
{
    uint32_t slot = (uint32_t)(volume_home(self, user, instrument) - self->slots);
    for (;; slot = (slot + 1) & (self->slot_count - 1)) {
        const struct volume *v = &self->slots[slot];
        if (slot == 0) continue; /* an index of 0 means none */
        if (v->user == 0 || (v->user == user && v->instrument == instrument)) return slot;
    }
}

uint32_t volume_search(const struct volumes *self, user_id_t user, instrument_id_t instrument)
{
    uint32_t slot = find_slot(self, user, instrument); /* a free one for user 0 */
    return self->slots[slot].user ? slot : 0;
}

uint32_t volume_open(struct volumes *self, user_id_t user, instrument_id_t instrument)
{
    CHECK(user != 0);
    uint32_t slot = find_slot(self, user, instrument);
    struct volume *v = &self->slots[slot];
    if (v->user == 0) {
        CHECK(volume_has_room(self));
        ++*self->used;
        *v = (struct volume){.user = user, .instrument = instrument};
    }
    return slot;
}
