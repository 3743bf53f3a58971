#include "server/ops/replay_book.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/message/command.h"

enum { FIRST_LEVELS = 64 };

bool replay_book_open(struct replay_book *self, uint32_t orders)
{
    memset(self, 0, sizeof *self);
    self->bids.side = SIDE_BUY;
    self->asks.side = SIDE_SELL;
    self->orders = calloc((size_t)orders + 1, sizeof self->orders[0]);
    return self->orders != NULL;
}

void replay_book_close(struct replay_book *self)
{
    free(self->orders);
    free(self->bids.levels);
    free(self->asks.levels);
    memset(self, 0, sizeof *self);
}

static bool better(uint8_t side, px_t a, px_t b)
{
    return side == SIDE_BUY ? a > b : a < b;
}

static struct replay_side *side_of(struct replay_book *self, uint8_t side)
{
    return side == SIDE_BUY ? &self->bids : &self->asks;
}

/* The place of a price: its level, or where it would be. */
static uint32_t place_of(const struct replay_side *side, px_t px)
{
    uint32_t low = 0, high = side->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (better(side->side, side->levels[middle].px, px))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool insert_level(struct replay_side *side, uint32_t place, px_t px)
{
    if (side->count == side->capacity) {
        uint32_t capacity = side->capacity ? side->capacity * 2 : FIRST_LEVELS;
        struct replay_level *grown = realloc(side->levels, capacity * sizeof *grown);
        if (!grown) return false;
        side->levels = grown;
        side->capacity = capacity;
    }
    memmove(&side->levels[place + 1], &side->levels[place],
            (side->count - place) * sizeof side->levels[0]);
    side->levels[place] = (struct replay_level){px, 0, REPLAY_NONE, REPLAY_NONE};
    side->count++;
    return true;
}

bool replay_book_add(struct replay_book *self, uint32_t order, uint8_t side, px_t px, qty_t qty)
{
    struct replay_side *levels = side_of(self, side);
    uint32_t place = place_of(levels, px);
    if ((place == levels->count || levels->levels[place].px != px) &&
        !insert_level(levels, place, px))
        return false;
    struct replay_level *level = &levels->levels[place];
    self->orders[order] = (struct replay_order){qty, qty, REPLAY_NONE, level->last};
    if (level->last == REPLAY_NONE)
        level->first = order;
    else
        self->orders[level->last].next = order;
    level->last = order;
    level->qty += qty;
    self->resting++;
    return true;
}

static void unlink_order(struct replay_book *self, struct replay_level *level, uint32_t order)
{
    struct replay_order *o = &self->orders[order];
    if (o->prev == REPLAY_NONE)
        level->first = o->next;
    else
        self->orders[o->prev].next = o->next;
    if (o->next == REPLAY_NONE)
        level->last = o->prev;
    else
        self->orders[o->next].prev = o->prev;
}

void replay_book_take(struct replay_book *self, uint32_t order, uint8_t side, px_t px, qty_t qty)
{
    struct replay_side *levels = side_of(self, side);
    uint32_t place = place_of(levels, px);
    CHECK(place < levels->count && levels->levels[place].px == px);
    struct replay_level *level = &levels->levels[place];
    struct replay_order *o = &self->orders[order];
    CHECK(qty > 0 && qty <= o->leaves_qty);
    o->leaves_qty -= qty;
    level->qty -= qty;
    if (o->leaves_qty > 0) return;
    unlink_order(self, level, order);
    self->resting--;
    if (level->first != REPLAY_NONE) return;
    levels->count--;
    memmove(level, level + 1, (levels->count - place) * sizeof *level);
}

const struct replay_level *replay_book_meets(const struct replay_book *self, uint8_t side, px_t px)
{
    const struct replay_side *other = side == SIDE_BUY ? &self->asks : &self->bids;
    if (other->count == 0 || better(other->side, px, other->levels[0].px)) return NULL;
    return &other->levels[0];
}
