/* book_match.h - price, then time: whom an incoming order meets, in which order.
 *
 * The loop alone. What a meeting means (a trade, a self-trade prevented, a band reached) is the
 * caller's, who is inlined: the engine's matching and the book's own benchmark share this loop.
 * Owned by the engine's thread.
 */
#ifndef HOGA_BOOK_MATCH_H
#define HOGA_BOOK_MATCH_H

#include "engine/book/book.h"

enum meeting {
    MEETING_GO_ON, /* traded, or the resting order is gone: look for the next */
    MEETING_STOP,  /* no further */
};

/* `incoming` has traded `qty` with `resting`, or something else has come of it. What has traded is
 * taken off both before it returns: by book_fill() off the one that rests. */
typedef enum meeting (*book_meet_fn)(void *context, struct book_order *incoming,
                                     struct book_order *resting, qty_t qty);

/* Whether it ended because `meet` said so; otherwise nothing is left of the incoming order, or
 * nobody at its limit. `limit_key`: book_limit_key(). */
static inline __attribute__((always_inline)) bool book_match(struct books *self,
                                                             struct book_order *incoming,
                                                             uint32_t limit_key, book_meet_fn meet,
                                                             void *context)
{
    const struct ladder *opposite = book_opposite(self, incoming->instrument, incoming->side);
    while (incoming->leaves_qty > 0 && opposite->best_key <= limit_key) {
        struct book_order *resting = &self->orders[self->pool.levels[opposite->best_at].head];
        qty_t shown = book_shown(self, resting);
        qty_t qty = shown < incoming->leaves_qty ? shown : incoming->leaves_qty;
        if (meet(context, incoming, resting, qty) == MEETING_STOP) return true;
    }
    return false;
}

#endif
