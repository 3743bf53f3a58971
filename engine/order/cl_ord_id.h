/* cl_ord_id.h - which client order ids an account has used today, and for which order.
 *
 * Makes a retried order recognisable and lets a client cancel by the id that it chose itself. Ids
 * are kept as 64-bit hashes beside their account: two ids of one account that hash alike (about
 * once in 10^12 pairs of ten million ids' days) make the later one a duplicate, never a wrong
 * order. Owned by the engine's thread.
 */
#ifndef HOGA_ORDER_CL_ORD_ID_H
#define HOGA_ORDER_CL_ORD_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/units.h"
#include "engine/message/command.h"

struct cl_ord_id_entry {
    uint64_t hash; /* 0: free slot */
    order_id_t order_id;
    account_id_t account;
    uint32_t pad;
};

struct cl_ord_ids {
    struct cl_ord_id_entry *slots; /* open addressing, slot_count long, a power of two */
    uint64_t *used;                /* in the arena */
    uint32_t slot_count;
    uint32_t max;
};

void cl_ord_ids_init(struct cl_ord_ids *self, struct arena *arena, const struct limits *limits);

/* 0 when the id is all NUL (none was given), never 0 otherwise. */
uint64_t cl_ord_id_hash(const char cl_ord_id[CL_ORD_ID_BYTES]);

/* Printable ASCII without spaces, padded with NUL; all NUL is valid too (none). */
bool cl_ord_id_is_valid(const char cl_ord_id[CL_ORD_ID_BYTES]);

/* The order that used it; 0 when none did. */
order_id_t cl_ord_id_find(const struct cl_ord_ids *self, account_id_t account, uint64_t hash);

/* False when the table is full. The id must not be there. */
bool cl_ord_id_add(struct cl_ord_ids *self, account_id_t account, uint64_t hash,
                   order_id_t order_id);

bool cl_ord_ids_full(const struct cl_ord_ids *self);

/* Forgets all: a new day. The ids of orders that stay open are added again by the engine. */
void cl_ord_ids_clear(struct cl_ord_ids *self);

#endif
