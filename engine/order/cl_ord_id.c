#include "engine/order/cl_ord_id.h"

#include "engine/base/check.h"

/* The id as numbers; the last one's upper half is 0. */
struct cl_ord_id_words {
    uint64_t word[CL_ORD_ID_BYTES / 8 + 1];
};

static struct cl_ord_id_words cl_ord_id_words_of(const char cl_ord_id[CL_ORD_ID_BYTES])
{
    struct cl_ord_id_words w = {0};
    memcpy(w.word, cl_ord_id, CL_ORD_ID_BYTES);
    return w;
}

enum { WORDS = sizeof(struct cl_ord_id_words) / sizeof(uint64_t) };

void cl_ord_ids_init(struct cl_ord_ids *self, struct arena *arena, const struct limits *limits)
{
    self->max = limits->cl_ord_ids;
    for (self->slot_count = 4; self->slot_count / 2 < limits->cl_ord_ids;) self->slot_count *= 2;
    self->counts = arena_cut(arena, 1, sizeof *self->counts);
    self->slots = arena_cut(arena, self->slot_count, sizeof *self->slots);
}

/* ---- the text ---- */

#define EACH_BYTE(value) ((value)*UINT64_C(0x0101010101010101))
#define HIGH_BITS        EACH_BYTE(0x80)

bool cl_ord_id_text_is_valid(const char cl_ord_id[CL_ORD_ID_BYTES])
{
    struct cl_ord_id_words w = cl_ord_id_words_of(cl_ord_id);
    bool ended = false; /* a NUL has been met */
    for (unsigned i = 0; i < WORDS; i++) {
        uint64_t word = w.word[i];
        /* Eight bytes at once, the answers in their high bits. Where none of the bytes has its
         * high bit set, no sum below runs over into the next byte. */
        uint64_t not_ascii = (word | (word + EACH_BYTE(1))) & HIGH_BITS; /* 0x80.. or 0x7f */
        uint64_t printable = (word + EACH_BYTE(0x80 - 0x21)) & HIGH_BITS;
        uint64_t nul = ~(word + EACH_BYTE(0x7f)) & HIGH_BITS;
        if (not_ascii || (printable | nul) != HIGH_BITS) return false;
        uint64_t first_nul = nul & -nul;
        if (ended ? printable != 0 : nul && printable >= first_nul) return false;
        ended = nul != 0;
    }
    return true;
}

/* Pairs of words are multiplied and folded, which is fast because the products do not wait for each
 * other. Each constant has a byte that no valid id can have, so that no factor is ever 0 and no
 * word is lost. Digits of pi: nothing up the sleeve. */
uint64_t cl_ord_id_text_hash(const char cl_ord_id[CL_ORD_ID_BYTES])
{
    struct cl_ord_id_words w = cl_ord_id_words_of(cl_ord_id);
    uint64_t a = hash_mix(w.word[0] ^ UINT64_C(0x243f6a8885a308d3),
                          w.word[1] ^ UINT64_C(0x13198a2e03707344));
    uint64_t b = hash_mix(w.word[2] ^ UINT64_C(0xa4093822299f31d0),
                          w.word[3] ^ UINT64_C(0x082efa98ec4e6c89));
    uint64_t hash = hash_mix(a ^ w.word[4], b ^ HASH_GOLDEN) + a;
    return hash ? hash : 1;
}

/* ---- the table ---- */

/* The id's slot, or the free one where it would go: there always is one, since at most half of the
 * slots are used in a day. */
static struct cl_ord_id_entry *find_slot(const struct cl_ord_ids *self, account_id_t account,
                                         uint64_t hash)
{
    const struct cl_ord_id_entry *end = self->slots + self->slot_count;
    uint32_t today = self->counts->day;
    for (struct cl_ord_id_entry *entry = cl_ord_id_home(self, account, hash);;) {
        if (entry->hash == 0 || entry->day != today) return entry;
        if (entry->hash == hash && entry->account == account) return entry;
        if (++entry == end) entry = self->slots;
    }
}

static bool is_taken(const struct cl_ord_ids *self, const struct cl_ord_id_entry *entry)
{
    return entry->hash != 0 && entry->day == self->counts->day;
}

order_id_t cl_ord_id_find_hash(const struct cl_ord_ids *self, account_id_t account, uint64_t hash)
{
    const struct cl_ord_id_entry *entry = find_slot(self, account, hash);
    return is_taken(self, entry) ? entry->order_id : 0;
}

bool cl_ord_id_add(struct cl_ord_ids *self, account_id_t account, uint64_t hash,
                   order_id_t order_id)
{
    if (cl_ord_ids_full(self)) return false;
    struct cl_ord_id_entry *entry = find_slot(self, account, hash);
    CHECK(!is_taken(self, entry) && hash != 0);
    *entry = (struct cl_ord_id_entry){hash, order_id, account, self->counts->day};
    self->counts->used++;
    return true;
}

void cl_ord_ids_clear(struct cl_ord_ids *self)
{
    self->counts->used = 0;
    /* after 2^32 days the stamps of the first day would count again */
    if (++self->counts->day == 0)
        memset(self->slots, 0, (size_t)self->slot_count * sizeof *self->slots);
}
