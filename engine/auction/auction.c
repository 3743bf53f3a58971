#include "engine/auction/auction.h"

#include <stdbool.h>

typedef __int128 sum_t; /* more orders than any book holds cannot overflow it */

/* One side of the book, seen from its best level on. */
struct walk {
    const struct ladder_pool *pool;
    const struct ladder *ladder;
    enum book_ladder which;
    uint32_t at;    /* level in hand; 0: none is left */
    uint32_t ticks; /* its price */
    sum_t qty;      /* what is left of it */
};

static void look(struct walk *self)
{
    if (!self->at) return;
    uint32_t key = ladder_key(self->pool, self->at);
    self->ticks = self->which == LADDER_BIDS ? LADDER_KEY_MAX - key : key;
    self->qty = self->pool->levels[self->at].leaves_qty;
}

static struct walk walk_from_best(const struct books *books, uint32_t instrument,
                                  enum book_ladder which)
{
    const struct ladder *ladder = book_ladder(books, instrument, which);
    struct walk walk = {&books->pool, ladder, which, ladder->best_at, 0, 0};
    look(&walk);
    return walk;
}

static void advance(struct walk *self)
{
    self->at = ladder_next(self->pool, self->ladder, self->at);
    look(self);
}

/* What trades at most, and the levels that trade last. */
struct pairing {
    sum_t qty;
    uint32_t bid_ticks; /* the lowest bid that trades: at every price above it less would */
    uint32_t ask_ticks; /* the highest ask that trades: at every price below it less would */
    sum_t bid_rest;     /* what is left of these two levels; one of them is used up */
    sum_t ask_rest;
    struct walk bids; /* the next that do not trade */
    struct walk asks;
};

/* Pairs the best bids with the best asks as long as they cross. That is the most that can trade at
 * one price: whatever is paired may trade at the last pair's prices. */
static struct pairing pair_off(const struct books *books, uint32_t instrument)
{
    struct pairing p = {.bids = walk_from_best(books, instrument, LADDER_BIDS),
                        .asks = walk_from_best(books, instrument, LADDER_ASKS)};
    while (p.bids.at && p.asks.at && p.bids.ticks >= p.asks.ticks) {
        sum_t qty = p.bids.qty < p.asks.qty ? p.bids.qty : p.asks.qty;
        p.qty += qty;
        p.bid_ticks = p.bids.ticks;
        p.ask_ticks = p.asks.ticks;
        p.bid_rest = p.bids.qty -= qty;
        p.ask_rest = p.asks.qty -= qty;
        if (p.bids.qty == 0) advance(&p.bids);
        if (p.asks.qty == 0) advance(&p.asks);
    }
    return p;
}

static uint32_t nearest(uint32_t low, uint32_t high, uint32_t reference)
{
    if (reference <= low) return low;
    return reference < high ? reference : high;
}

static qty_t saturated(sum_t qty)
{
    return qty > INT64_MAX ? INT64_MAX : (qty_t)qty;
}

static struct auction result_of(const struct pairing *p, uint32_t ticks, uint8_t side,
                                sum_t imbalance)
{
    return (struct auction){.ticks = ticks,
                            .paired_qty = saturated(p->qty),
                            .imbalance_qty = saturated(imbalance),
                            .imbalance_side = side};
}

/* All that trades is used up on both sides, and the next bid lies one tick below the next ask: at
 * the bid's price there is a surplus to buy, at the ask's one to sell, and none in between. */
static struct auction between_neighbours(const struct pairing *p, uint32_t reference)
{
    const struct walk *bid = &p->bids, *ask = &p->asks;
    if (bid->qty < ask->qty) return result_of(p, bid->ticks, SIDE_BUY, bid->qty);
    if (bid->qty > ask->qty) return result_of(p, ask->ticks, SIDE_SELL, ask->qty);
    /* the same surplus reaches down to the level below the bid and up to the one above the ask */
    struct walk lower = *bid, higher = *ask;
    advance(&lower);
    advance(&higher);
    uint32_t low = p->ask_ticks, high = p->bid_ticks;
    if (lower.at && lower.ticks + 1 > low) low = lower.ticks + 1;
    if (higher.at && higher.ticks - 1 < high) high = higher.ticks - 1;
    uint32_t ticks = nearest(low, high, reference);
    return result_of(p, ticks, ticks <= bid->ticks ? SIDE_BUY : SIDE_SELL, bid->qty);
}

struct auction auction_find(const struct books *books, uint32_t instrument,
                            uint32_t reference_ticks)
{
    struct pairing p = pair_off(books, instrument);
    if (p.qty == 0) return (struct auction){0};
    /* The most trades at all ticks from ask_ticks to bid_ticks. If a level is used in part, its
     * rest is left over at each of them, and nothing else is at the level's own price. */
    if (p.bid_rest) return result_of(&p, p.bid_ticks, SIDE_BUY, p.bid_rest);
    if (p.ask_rest) return result_of(&p, p.ask_ticks, SIDE_SELL, p.ask_rest);
    /* Otherwise nothing is left over above the next bid and below the next ask. */
    uint32_t low = p.ask_ticks, high = p.bid_ticks;
    if (p.bids.at && p.bids.ticks + 1 > low) low = p.bids.ticks + 1;
    if (p.asks.at && p.asks.ticks - 1 < high) high = p.asks.ticks - 1;
    if (low > high) return between_neighbours(&p, reference_ticks);
    return result_of(&p, nearest(low, high, reference_ticks), 0, 0);
}
