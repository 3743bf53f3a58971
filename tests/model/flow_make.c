#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/flow_file.h"
#include "tests/model/random.h"

enum { MIDDLE = 30000, RESTING_AIM = 600, RESTING_MAX = 4096, OWNERS = 50 };

struct resting {
    uint64_t id;
    uint32_t price, qty;
    uint16_t uid;
    uint8_t side;
};

/* Orders in the order of their arrival: the best is found by looking at all. */
struct maker {
    struct random random;
    struct flow *flow;
    struct resting resting[RESTING_MAX];
    uint32_t count;
    uint64_t last_id;
};

static void take_out(struct maker *m, uint32_t at)
{
    memmove(&m->resting[at], &m->resting[at + 1], (m->count - at - 1) * sizeof m->resting[0]);
    m->count--;
}

/* The oldest of the best price of a side; m->count when there is none. */
static uint32_t best_of(const struct maker *m, uint8_t side)
{
    uint32_t best = m->count;
    for (uint32_t i = 0; i < m->count; i++) {
        if (m->resting[i].side != side) continue;
        if (best == m->count || (side == FLOW_BID ? m->resting[i].price > m->resting[best].price
                                                  : m->resting[i].price < m->resting[best].price))
            best = i;
    }
    return best;
}

static uint32_t trade(struct maker *m, uint8_t side, uint32_t price, uint32_t qty)
{
    struct flow_header *totals = &m->flow->header;
    uint32_t filled = 0;
    while (filled < qty) {
        uint32_t at = best_of(m, side == FLOW_BID ? FLOW_ASK : FLOW_BID);
        struct resting *other = &m->resting[at];
        if (at == m->count || (side == FLOW_BID ? other->price > price : other->price < price))
            break;
        uint32_t traded = other->qty < qty - filled ? other->qty : qty - filled;
        totals->traded_qty += traded;
        totals->trade_count++;
        totals->traded_notional += (uint64_t)traded * other->price;
        filled += traded;
        other->qty -= traded;
        if (other->qty == 0) take_out(m, at);
    }
    return filled;
}

static void record(struct maker *m, struct flow_record r)
{
    m->flow->records[m->flow->count++] = r;
}

static void come(struct maker *m, uint8_t type, uint8_t side, uint32_t price, uint32_t qty)
{
    uint16_t uid = (uint16_t)(1 + (uint32_t)side * OWNERS + random_below(&m->random, OWNERS));
    struct flow_record r = {++m->last_id, price, qty, uid, type, side, 0};
    r.exp_fill = trade(m, side, price, qty);
    if (type == FLOW_GTC && r.exp_fill < qty)
        m->resting[m->count++] = (struct resting){r.id, price, qty - r.exp_fill, uid, side};
    record(m, r);
}

static void go(struct maker *m, uint32_t at)
{
    const struct resting o = m->resting[at];
    record(m, (struct flow_record){o.id, o.price, o.qty, o.uid, FLOW_CANCEL, o.side, 0});
    take_out(m, at);
}

static void move(struct maker *m, uint32_t at, uint32_t price)
{
    struct resting o = m->resting[at];
    if (price == o.price) price++;
    struct flow_record r = {o.id, price, o.qty, o.uid, FLOW_MOVE, o.side, 0};
    take_out(m, at);
    r.exp_fill = trade(m, o.side, price, o.qty);
    o.qty -= r.exp_fill;
    o.price = price;
    if (o.qty) m->resting[m->count++] = o;
    record(m, r);
}

/* So many ticks on the passive side of the middle; below zero crosses. */
static uint32_t away(uint8_t side, int64_t ticks)
{
    return (uint32_t)(side == FLOW_BID ? MIDDLE - ticks : MIDDLE + ticks);
}

static void one_command(struct maker *m, unsigned mix)
{
    struct random *r = &m->random;
    uint32_t kind = random_below(r, 1000), qty = random_between(r, 1, 100);
    uint8_t side = (uint8_t)random_below(r, 2);
    uint32_t far = random_below(r, 25) * random_below(r, 25);
    bool few = m->count < RESTING_AIM / 2;
    bool many = m->count > RESTING_AIM * 2;
    uint32_t passive = mix == 1 ? 95 : 460, crossing = mix == 1 ? 32 : 100;
    uint32_t cancels = mix == 1 ? 53 : 440;
    if (many)
        go(m, random_below(r, m->count));
    else if (few || kind < passive)
        come(m, FLOW_GTC, side, away(side, 1 + (int64_t)far), qty);
    else if (kind < passive + crossing)
        come(m, mix == 1 ? FLOW_IOC : FLOW_GTC, side, away(side, -(int64_t)random_below(r, 20)),
             qty / 4 + 1);
    else if (kind < passive + crossing + cancels)
        go(m, random_below(r, m->count));
    else {
        uint32_t at = random_below(r, m->count);
        side = m->resting[at].side;
        move(m, at, away(side, random_chance(r, 4) ? -3 : (int64_t)far));
    }
}

void flow_make(struct flow *self, unsigned mix, uint64_t seed, uint32_t commands)
{
    struct maker *m = calloc(1, sizeof *m);
    *self = (struct flow){.header = {.magic = "FLOW0001",
                                     .version = 1,
                                     .record_bytes = sizeof(struct flow_record),
                                     .command_count = commands}};
    self->records = calloc(commands, sizeof *self->records);
    if (!m || !self->records) abort();
    m->random.state = seed;
    m->flow = self;
    while (self->count < commands) one_command(m, mix);
    self->header.resting_count = m->count;
    free(m);
}
