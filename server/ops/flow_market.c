#include "server/ops/flow_market.h"

#include <string.h>

#include "engine/message/command.h"

enum {
    THIN_ORDERS = 120,        /* below, mostly new quotes */
    LOWEST_TICKS = 50,        /* the fair price stays above this */
    DEEPEST_TICKS = 60,       /* a quote's distance from the fair price */
    STRAY_TICKS = 80,         /* quotes further away are cancelled first */
    WANDER_PER_MILLION = 120, /* one step of the fair price, at most */
};

static const struct {
    const char *symbol;
    px_t px;
} start_prices[] = {
    {"AAPL", 2291500},     {"MSFT", 4682300},      {"NVDA", 1378800},
    {"GOOG", 1745600},     {"AMZN", 2053100},      {"TSLA", 3421900},
    {"005930", 700000000}, {"000660", 2350000000}, {"HOGA", 421500},
};

uint64_t flow_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static int64_t below(uint64_t *random, int64_t limit)
{
    return (int64_t)((flow_random(random) >> 8) % (uint64_t)limit);
}

/* 0, 1, 2, ...: each half as likely as the one before, stretched to `mean` at most doubled. */
static int64_t geometric(uint64_t *random, int64_t mean)
{
    int64_t steps = 0;
    while (steps < 6 && (flow_random(random) & 0x100)) steps++;
    return below(random, (steps + 1) * mean);
}

px_t flow_market_start_px(const char *symbol, px_t tick_px)
{
    for (unsigned i = 0; i < sizeof start_prices / sizeof start_prices[0]; i++)
        if (strcmp(symbol, start_prices[i].symbol) == 0) return start_prices[i].px;
    return tick_px * 10000;
}

static px_t to_tick(const struct flow_market *self, px_t px)
{
    px_t lowest = self->tick_px * LOWEST_TICKS;
    px -= px % self->tick_px;
    return px < lowest ? lowest : px;
}

void flow_market_center(struct flow_market *self, px_t px)
{
    self->fair_px = self->reference_px = to_tick(self, px);
}

/* A step either way, and a little back to the reference. */
static void wander(struct flow_market *self, uint64_t *random)
{
    px_t most = self->fair_px / 1000000 * WANDER_PER_MILLION;
    if (most < self->tick_px) most = below(random, 4) ? 0 : self->tick_px;
    px_t step = below(random, 2 * most + 1) - most;
    px_t back = (self->reference_px - self->fair_px) / 2000;
    px_t px = self->fair_px + step + back;
    self->fair_px = px < self->tick_px * LOWEST_TICKS ? self->tick_px * LOWEST_TICKS : px;
}

/* Of two brokers the one who has more of what the side gives away. */
static uint8_t choose_broker(const struct flow_market *self, uint8_t side, unsigned brokers,
                             uint64_t *random)
{
    uint8_t a = (uint8_t)below(random, brokers), b = (uint8_t)below(random, brokers);
    bool a_has_more = self->net_qty[a] > self->net_qty[b];
    return a_has_more == (side == SIDE_SELL) ? a : b;
}

static qty_t choose_qty(const struct flow_market *self, uint64_t *random)
{
    static const qty_t lots[] = {1, 5, 10, 10, 20, 25, 50, 100, 100, 100, 100, 200, 300};
    qty_t qty = lots[below(random, sizeof lots / sizeof lots[0])];
    return (below(random, 4) ? qty : qty + below(random, 90)) * self->lot_qty;
}

static struct flow_action place(struct flow_market *self, unsigned brokers, uint64_t *random)
{
    uint32_t free_place = 0;
    while (self->orders[free_place].open) free_place++;
    uint8_t side = below(random, 2) ? SIDE_BUY : SIDE_SELL;
    int64_t ticks = 1 + geometric(random, 6);
    if (ticks > DEEPEST_TICKS) ticks = DEEPEST_TICKS;
    px_t distance = ticks * self->tick_px;
    px_t px = side == SIDE_BUY ? self->fair_px - distance : self->fair_px + distance;
    px -= px % self->tick_px;
    if (px < self->tick_px) px = self->tick_px;
    struct flow_action action = {
        .kind = FLOW_PLACE,
        .side = side,
        .broker = choose_broker(self, side, brokers, random),
        .px = px,
        .qty = choose_qty(self, random),
        .place = free_place,
    };
    self->orders[free_place] =
        (struct flow_order){true, false, side, action.broker, ++self->serial, px};
    self->open_count++;
    return action;
}

/* Something that trades: at the price of the nearest quotes, or a little through them. */
static struct flow_action take(struct flow_market *self, unsigned brokers, uint64_t *random)
{
    uint8_t side = below(random, 2) ? SIDE_BUY : SIDE_SELL;
    px_t through = (2 + geometric(random, 3)) * self->tick_px;
    px_t px = side == SIDE_BUY ? self->fair_px + through : self->fair_px - through;
    px -= px % self->tick_px;
    return (struct flow_action){
        .kind = FLOW_TAKE,
        .side = side,
        .broker = choose_broker(self, side, brokers, random),
        .px = px < self->tick_px ? self->tick_px : px,
        .qty = choose_qty(self, random),
    };
}

static struct flow_action cancel(struct flow_market *self, uint32_t place)
{
    struct flow_order *order = &self->orders[place];
    order->canceling = true;
    return (struct flow_action){
        .kind = FLOW_CANCEL, .side = order->side, .broker = order->broker, .place = place};
}

/* The quote that is furthest on the wrong side or too far out; else any. */
static struct flow_action cancel_one(struct flow_market *self, uint64_t *random)
{
    uint32_t chosen = FLOW_ORDERS_MAX;
    px_t furthest = STRAY_TICKS * self->tick_px;
    for (uint32_t i = 0; i < FLOW_ORDERS_MAX; i++) {
        const struct flow_order *order = &self->orders[i];
        if (!order->open || order->canceling) continue;
        px_t away =
            order->px > self->fair_px ? order->px - self->fair_px : self->fair_px - order->px;
        if (away > furthest) {
            furthest = away;
            chosen = i;
        }
    }
    for (unsigned tries = 0; chosen == FLOW_ORDERS_MAX && tries < 16; tries++) {
        uint32_t i = (uint32_t)below(random, FLOW_ORDERS_MAX);
        if (self->orders[i].open && !self->orders[i].canceling) chosen = i;
    }
    if (chosen == FLOW_ORDERS_MAX) return (struct flow_action){.kind = FLOW_NOTHING};
    return cancel(self, chosen);
}

struct flow_action flow_market_next(struct flow_market *self, unsigned brokers, uint64_t *random)
{
    if (below(random, 3) == 0) wander(self, random);
    int64_t dice = below(random, 100);
    if (self->open_count >= FLOW_ORDERS_MAX) return cancel_one(self, random);
    if (self->open_count < THIN_ORDERS) {
        if (dice < 78) return place(self, brokers, random);
        return dice < 90 ? take(self, brokers, random) : cancel_one(self, random);
    }
    if (dice < 42) return place(self, brokers, random);
    return dice < 60 ? take(self, brokers, random) : cancel_one(self, random);
}

bool flow_market_cancel_any(struct flow_market *self, unsigned broker, struct flow_action *action)
{
    for (uint32_t i = 0; i < FLOW_ORDERS_MAX; i++) {
        const struct flow_order *order = &self->orders[i];
        if (!order->open || order->canceling) continue;
        if (broker < FLOW_BROKERS_MAX && order->broker != broker) continue;
        *action = cancel(self, i);
        return true;
    }
    return false;
}

void flow_market_gone(struct flow_market *self, uint32_t place, uint32_t serial)
{
    if (place >= FLOW_ORDERS_MAX) return;
    struct flow_order *order = &self->orders[place];
    if (!order->open || order->serial != serial) return;
    order->open = order->canceling = false;
    self->open_count--;
}

void flow_market_lost(struct flow_market *self, unsigned broker)
{
    for (uint32_t i = 0; i < FLOW_ORDERS_MAX; i++)
        if (self->orders[i].open && self->orders[i].broker == broker)
            flow_market_gone(self, i, self->orders[i].serial);
}
