/* pacer.h - keeps a sender below its key's rate limit: a token bucket that is emptier and fills
 * more slowly than the exchange's own. Owned by the sender's thread.
 */
#ifndef HOGA_OPS_PACER_H
#define HOGA_OPS_PACER_H

#include <stdbool.h>
#include <stdint.h>

struct pacer {
    uint32_t limit;     /* requests a second that the key allows; 0: no limit */
    int64_t filled_ns;  /* steady clock */
    int64_t nanotokens; /* 1e9 make one request */
};

static inline void pacer_start(struct pacer *self, uint32_t limit, int64_t now_ns)
{
    *self = (struct pacer){limit, now_ns, 1000000000};
}

/* Takes a request's token; false when there is none yet. */
static inline bool pacer_take(struct pacer *self, int64_t now_ns)
{
    if (self->limit == 0) return true;
    const int64_t request = 1000000000;
    int64_t most = request * (1 + self->limit / 20);
    int64_t elapsed_ns = now_ns - self->filled_ns;
    self->filled_ns = now_ns;
    if (elapsed_ns > 1000000000) elapsed_ns = 1000000000;
    int64_t filled = elapsed_ns * self->limit;
    self->nanotokens += filled - filled / 20;
    if (self->nanotokens > most) self->nanotokens = most;
    if (self->nanotokens < request) return false;
    self->nanotokens -= request;
    return true;
}

#endif
