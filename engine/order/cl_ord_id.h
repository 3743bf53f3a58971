/* cl_ord_id.h - which client order ids an account has used today, and for which order.
 *
 * Makes a retried order recognisable and lets a client cancel by the id that it chose itself. Ids
 * are kept as 64-bit hashes beside their account: two ids of one account that hash alike (about
 * once in 10^12 pairs of ten million ids' days) make the later one a duplicate, never a wrong
 * order.
 *
 * A new day forgets all ids at once without touching them: an entry counts only on the day that it
 * is stamped with, and one of another day is as good as free. What was placed today is still found
 * before the first free slot of its probe path, because within a day slots are only taken, never
 * freed. Owned by the engine's thread.
 */
#ifndef HOGA_ORDER_CL_ORD_ID_H
#define HOGA_ORDER_CL_ORD_ID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/message/command.h"

struct cl_ord_id_entry {
    uint64_t hash; /* 0: never used */
    order_id_t order_id;
    account_id_t account;
    uint32_t day; /* cl_ord_id_counts.day that it was placed on */
};

_Static_assert(sizeof(struct cl_ord_id_entry) == 24, "the table is the largest there is");

struct cl_ord_id_counts {
    uint64_t used; /* today */
    uint32_t day;  /* how often all were forgotten */
    uint32_t pad;
};

struct cl_ord_ids {
    struct cl_ord_id_entry *slots; /* open addressing, slot_count long, a power of two */
    struct cl_ord_id_counts *counts;
    uint32_t slot_count;
    uint32_t max;
};

void cl_ord_ids_init(struct cl_ord_ids *self, struct arena *arena, const struct limits *limits);

/* The slow ways of the functions below: of an id whose first character is not NUL. */
bool cl_ord_id_text_is_valid(const char cl_ord_id[CL_ORD_ID_BYTES]);
uint64_t cl_ord_id_text_hash(const char cl_ord_id[CL_ORD_ID_BYTES]);
order_id_t cl_ord_id_find_hash(const struct cl_ord_ids *self, account_id_t account, uint64_t hash);

/* Whether all of it is NUL: no id was given. */
static inline bool cl_ord_id_is_none(const char cl_ord_id[CL_ORD_ID_BYTES])
{
    uint64_t a, b, c, d;
    uint32_t e;
    memcpy(&a, cl_ord_id, 8);
    memcpy(&b, cl_ord_id + 8, 8);
    memcpy(&c, cl_ord_id + 16, 8);
    memcpy(&d, cl_ord_id + 24, 8);
    memcpy(&e, cl_ord_id + 32, 4);
    return (a | b | c | d | e) == 0;
}

/* Printable ASCII without spaces, padded with NUL; all NUL is valid too (none). */
static inline bool cl_ord_id_is_valid(const char cl_ord_id[CL_ORD_ID_BYTES])
{
    return cl_ord_id_is_none(cl_ord_id) ||
           (cl_ord_id[0] != '\0' && cl_ord_id_text_is_valid(cl_ord_id));
}

/* 0 when the id is all NUL (none was given), never 0 otherwise. */
static inline uint64_t cl_ord_id_hash(const char cl_ord_id[CL_ORD_ID_BYTES])
{
    return cl_ord_id[0] != '\0' ? cl_ord_id_text_hash(cl_ord_id) : 0;
}

/* For prefetching: where the id is most probably found. */
static inline struct cl_ord_id_entry *cl_ord_id_home(const struct cl_ord_ids *self,
                                                     account_id_t account, uint64_t hash)
{
    return &self->slots[(uint32_t)(hash + account * HASH_GOLDEN) & (self->slot_count - 1)];
}

/* The order that used it; 0 when none did. */
static inline order_id_t cl_ord_id_find(const struct cl_ord_ids *self, account_id_t account,
                                        uint64_t hash)
{
    return hash ? cl_ord_id_find_hash(self, account, hash) : 0;
}

static inline bool cl_ord_ids_full(const struct cl_ord_ids *self)
{
    return self->counts->used >= self->max;
}

/* False when the table is full. The id must not be there. */
bool cl_ord_id_add(struct cl_ord_ids *self, account_id_t account, uint64_t hash,
                   order_id_t order_id);

/* Forgets all: a new day. The ids of orders that stay open are added again by the engine. */
void cl_ord_ids_clear(struct cl_ord_ids *self);

#endif
