/* volume.h - how much of an instrument a user has traded today, and has open.
 *
 * Entries are found by hashing (user, instrument), are made with a user's first order in an
 * instrument, and stay; an order keeps the index of its entry, so a fill need not search. Owned by
 * the engine's thread.
 */
#ifndef HOGA_RISK_VOLUME_H
#define HOGA_RISK_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/message/command.h"

struct volume {
    user_id_t user; /* 0: free slot */
    instrument_id_t instrument;
    uint64_t day;     /* engine's day that traded_qty belongs to */
    qty_t traded_qty; /* stays at INT64_MAX when it would pass it */
    qty_t open_qty;   /* leaves of open orders */
};

_Static_assert(sizeof(struct volume) == 32, "two to a cache line");

struct volumes {
    struct volume *slots; /* open addressing, slot_count long, a power of two; 0 is never used */
    uint64_t *used;       /* in the arena */
    uint32_t slot_count;
    uint32_t max;
};

void volumes_init(struct volumes *self, struct arena *arena, const struct limits *limits);

/* For prefetching: where the pair is most probably found. */
static inline const struct volume *volume_home(const struct volumes *self, user_id_t user,
                                               instrument_id_t instrument)
{
    return &self->slots[(uint32_t)hash_pair(user, instrument) & (self->slot_count - 1)];
}

/* The slow way of the next function. */
uint32_t volume_search(const struct volumes *self, user_id_t user, instrument_id_t instrument);

/* The pair's entry; 0 when it has none, as the user 0 never has. */
static inline uint32_t volume_find(const struct volumes *self, user_id_t user,
                                   instrument_id_t instrument)
{
    const struct volume *home = volume_home(self, user, instrument);
    if (__builtin_expect(user && home->user == user && home->instrument == instrument, 1))
        return (uint32_t)(home - self->slots);
    return volume_search(self, user, instrument);
}

/* The pair's entry, made if there was none. There is room. */
uint32_t volume_open(struct volumes *self, user_id_t user, instrument_id_t instrument);

static inline bool volume_has_room(const struct volumes *self)
{
    return *self->used < self->max;
}

static inline qty_t volume_traded(const struct volume *v, uint64_t day)
{
    return v->day == day ? v->traded_qty : 0;
}

/* Counts shares of a fill. */
static inline void volume_trade(struct volume *v, uint64_t day, qty_t qty)
{
    qty_t traded = volume_traded(v, day);
    v->day = day;
    if (__builtin_add_overflow(traded, qty, &v->traded_qty)) v->traded_qty = INT64_MAX;
}

#endif
