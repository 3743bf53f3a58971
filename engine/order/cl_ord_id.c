#include "engine/order/cl_ord_id.h"

#include <string.h>

#include "engine/base/check.h"

void cl_ord_ids_init(struct cl_ord_ids *self, struct arena *arena, const struct limits *limits)
{
    self->max = limits->cl_ord_ids;
    for (self->slot_count = 4; self->slot_count / 2 < limits->cl_ord_ids;) self->slot_count *= 2;
    self->used = arena_cut(arena, 1, sizeof *self->used);
    self->slots = arena_cut(arena, self->slot_count, sizeof *self->slots);
}

/* Multiplies and folds the halves of the product, so that every bit reaches every other. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t cl_ord_id_hash(const char cl_ord_id[CL_ORD_ID_BYTES])
{
    uint64_t words[5] = {0};
    memcpy(words, cl_ord_id, CL_ORD_ID_BYTES);
    if (cl_ord_id[0] == '\0') return 0;
    uint64_t hash = UINT64_C(0x243f6a8885a308d3); /* digits of pi: nothing up the sleeve */
    for (unsigned i = 0; i < 5; i++)
        hash = mix(hash ^ words[i], UINT64_C(0x9e3779b97f4a7c15)) + words[i];
    return hash ? hash : 1;
}

bool cl_ord_id_is_valid(const char cl_ord_id[CL_ORD_ID_BYTES])
{
    size_t length = strnlen(cl_ord_id, CL_ORD_ID_BYTES);
    for (size_t i = 0; i < length; i++)
        if (cl_ord_id[i] <= ' ' || cl_ord_id[i] > '~') return false;
    for (size_t i = length; i < CL_ORD_ID_BYTES; i++)
        if (cl_ord_id[i] != '\0') return false;
    return true;
}

static struct cl_ord_id_entry *find_slot(const struct cl_ord_ids *self, account_id_t account,
                                         uint64_t hash)
{
    uint32_t mask = self->slot_count - 1;
    uint64_t start = mix(hash ^ account, UINT64_C(0x9e3779b97f4a7c15));
    for (uint32_t slot = (uint32_t)start;; slot++) {
        struct cl_ord_id_entry *entry = &self->slots[slot & mask];
        if (entry->hash == 0 || (entry->hash == hash && entry->account == account)) return entry;
    }
}

order_id_t cl_ord_id_find(const struct cl_ord_ids *self, account_id_t account, uint64_t hash)
{
    return hash ? find_slot(self, account, hash)->order_id : 0;
}

bool cl_ord_ids_full(const struct cl_ord_ids *self)
{
    return *self->used >= self->max;
}

bool cl_ord_id_add(struct cl_ord_ids *self, account_id_t account, uint64_t hash,
                   order_id_t order_id)
{
    if (cl_ord_ids_full(self)) return false;
    struct cl_ord_id_entry *entry = find_slot(self, account, hash);
    CHECK(entry->hash == 0 && hash != 0);
    *entry = (struct cl_ord_id_entry){hash, order_id, account, 0};
    ++*self->used;
    return true;
}

void cl_ord_ids_clear(struct cl_ord_ids *self)
{
    memset(self->slots, 0, (size_t)self->slot_count * sizeof *self->slots);
    *self->used = 0;
}
