/* fill_join.h - joins the two reports of each fill by their trade_id: the maker's execution says
 * which order was met, the taker's answer who met it. They come over two connections, in any
 * order. Owned by the replay's one thread.
 */
#ifndef HOGA_OPS_FILL_JOIN_H
#define HOGA_OPS_FILL_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/units.h"

struct half_fill {
    trade_id_t trade_id;
    uint32_t owner; /* the caller's number: maker: of the order; taker: of the request */
    qty_t qty;
    bool is_maker;
};

/* Zeroed: empty. */
struct fill_join {
    struct half_fill *halves; /* whose other half has not come yet: a few */
    uint32_t count, capacity;
};

/* Adds one half. Stores the other and returns true when it was there already; `*ok` is false
 * without memory. */
bool fill_join_add(struct fill_join *self, const struct half_fill *half, struct half_fill *other,
                   bool *ok);

/* A trade whose maker has not come yet; 0 when there is none. */
trade_id_t fill_join_without_maker(const struct fill_join *self);

/* Whether this trade's maker has still not come. */
bool fill_join_lacks_maker(const struct fill_join *self, trade_id_t trade_id);

void fill_join_free(struct fill_join *self);

#endif
