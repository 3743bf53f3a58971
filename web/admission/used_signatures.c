#include "web/admission/used_signatures.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/check.h"

enum { BUCKET_PLACES = 16, FIRST_BUCKETS = 1 << 10 };

/* Eight bytes of an HMAC tell signatures apart: two of a million alike by chance is one case in
 * ten million, and costs a client one refused request. */
struct place {
    uint64_t fingerprint;
    int64_t expires_ms; /* 0: never used */
};

struct bucket {
    struct place places[BUCKET_PLACES];
};

struct used_signatures {
    struct bucket *buckets;
    uint32_t bucket_count, buckets_max;
};

struct used_signatures *used_signatures_create(uint32_t buckets_max)
{
    CHECK(buckets_max > 0 && (buckets_max & (buckets_max - 1)) == 0);
    struct used_signatures *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->buckets_max = buckets_max;
    self->bucket_count = buckets_max < FIRST_BUCKETS ? buckets_max : FIRST_BUCKETS;
    self->buckets = arena_map((size_t)self->bucket_count * sizeof *self->buckets, 0);
    if (!self->buckets) {
        free(self);
        return NULL;
    }
    return self;
}

void used_signatures_destroy(struct used_signatures *self)
{
    if (!self) return;
    arena_unmap(self->buckets, (size_t)self->bucket_count * sizeof *self->buckets);
    free(self);
}

/* A free place of the bucket, NULL when all are taken by signatures that may still come again. */
static struct place *free_place(struct bucket *bucket, int64_t now_ms)
{
    for (int i = 0; i < BUCKET_PLACES; i++) {
        struct place *place = &bucket->places[i];
        if (place->expires_ms == 0 || place->expires_ms < now_ms) return place;
    }
    return NULL;
}

/* Twice the buckets. Each old bucket splits into two new ones, so that what fitted fits. */
static bool grow(struct used_signatures *self, int64_t now_ms)
{
    uint32_t count = self->bucket_count * 2;
    if (count > self->buckets_max) return false;
    struct bucket *buckets = arena_map((size_t)count * sizeof *buckets, 0);
    if (!buckets) return false;
    for (uint32_t i = 0; i < self->bucket_count; i++) {
        for (int j = 0; j < BUCKET_PLACES; j++) {
            const struct place *old = &self->buckets[i].places[j];
            if (old->expires_ms < now_ms) continue;
            struct place *place = free_place(&buckets[old->fingerprint & (count - 1)], now_ms);
            CHECK(place != NULL);
            *place = *old;
        }
    }
    arena_unmap(self->buckets, (size_t)self->bucket_count * sizeof *self->buckets);
    self->buckets = buckets;
    self->bucket_count = count;
    return true;
}

enum status used_signatures_add(struct used_signatures *self,
                                const uint8_t signature[SIGNATURE_BYTES], int64_t expires_ms,
                                int64_t now_ms)
{
    uint64_t fingerprint;
    memcpy(&fingerprint, signature, sizeof fingerprint);
    struct bucket *bucket = &self->buckets[fingerprint & (self->bucket_count - 1)];
    for (int i = 0; i < BUCKET_PLACES; i++) {
        const struct place *place = &bucket->places[i];
        if (place->fingerprint == fingerprint && place->expires_ms >= now_ms) return STATUS_BUSY;
    }
    struct place *place = free_place(bucket, now_ms);
    while (!place && grow(self, now_ms))
        place = free_place(&self->buckets[fingerprint & (self->bucket_count - 1)], now_ms);
    if (!place) return STATUS_FULL;
    *place = (struct place){fingerprint, expires_ms};
    return STATUS_OK;
}
