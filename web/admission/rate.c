#include "web/admission/rate.h"

enum { TOKEN_PARTS = 1000, MS_PER_S = 1000 };

static void fill(struct token_bucket *self, uint64_t capacity, uint32_t limit, int64_t now_ms)
{
    int64_t waited_ms = now_ms - self->filled_ms;
    if (self->filled_ms == 0 || waited_ms >= MS_PER_S) {
        if (self->filled_ms == 0 || waited_ms > 0) self->parts = capacity;
    } else if (waited_ms > 0) {
        self->parts += (uint64_t)waited_ms * limit;
        if (self->parts > capacity) self->parts = capacity;
    }
    self->filled_ms = now_ms;
}

static uint32_t seconds_for(uint64_t parts, uint32_t limit)
{
    uint64_t per_second = (uint64_t)limit * MS_PER_S;
    return (uint32_t)((parts + per_second - 1) / per_second);
}

bool token_bucket_take(struct token_bucket *self, uint32_t limit, int64_t now_ms,
                       struct rate_state *state)
{
    uint64_t capacity = (uint64_t)limit * TOKEN_PARTS;
    fill(self, capacity, limit, now_ms);
    bool taken = self->parts >= TOKEN_PARTS;
    if (taken) self->parts -= TOKEN_PARTS;
    *state = (struct rate_state){
        .limit = limit,
        .remaining = (uint32_t)(self->parts / TOKEN_PARTS),
        .reset_s = seconds_for(capacity - self->parts, limit),
        .retry_after_s = taken ? 0 : seconds_for(TOKEN_PARTS - self->parts, limit),
    };
    return taken;
}
