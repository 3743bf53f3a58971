#include "bare_book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { PRICES = FLOW_PRICE_MAX + 1 };

struct resting {
    uint32_t price, qty;
    uint32_t older, newer; /* ids; 0: none */
};

struct queue {
    uint32_t oldest, newest;
};

/* `best` may lie beyond the best price that has orders; a scan goes on from there. */
struct bare_book {
    struct queue queues[2][PRICES];
    uint32_t best[2];
    uint64_t qty, trades;
    uint64_t order_count;
    struct resting orders[];
};

static void take_out(struct bare_book *self, uint32_t id, unsigned side)
{
    const struct resting *order = &self->orders[id];
    struct queue *queue = &self->queues[side][order->price];
    if (order->older)
        self->orders[order->older].newer = order->newer;
    else
        queue->oldest = order->newer;
    if (order->newer)
        self->orders[order->newer].older = order->older;
    else
        queue->newest = order->older;
}

static void put_in(struct bare_book *self, uint32_t id, unsigned side, uint32_t price, uint32_t qty)
{
    struct queue *queue = &self->queues[side][price];
    self->orders[id] = (struct resting){price, qty, queue->newest, 0};
    if (queue->newest)
        self->orders[queue->newest].newer = id;
    else
        queue->oldest = id;
    queue->newest = id;
    if (side == 0 ? price > self->best[0] : price < self->best[1]) self->best[side] = price;
}

/* Whether an order of `side` and `limit` may trade at `price` or beyond it. */
static bool reaches(unsigned side, uint32_t limit, uint32_t price)
{
    return side == 0 ? price <= limit : price >= limit;
}

/* Trades what crosses, the best price and the oldest order first. Returns what is left. Nobody is
 * ever at prices 0 and PRICES - 1, where the scan ends at the latest. */
static uint32_t trade(struct bare_book *self, unsigned side, uint32_t limit, uint32_t qty)
{
    unsigned other = !side;
    uint32_t step = side == 0 ? 1 : UINT32_MAX, id;
    for (uint32_t price = self->best[other];; price += step) {
        struct queue *queue = &self->queues[other][price];
        self->best[other] = price;
        if (!queue->oldest) {
            if (!reaches(side, limit, price + step)) return qty;
            continue;
        }
        if (!reaches(side, limit, price)) return qty;
        while ((id = queue->oldest) != 0) {
            struct resting *order = &self->orders[id];
            uint32_t fill = order->qty < qty ? order->qty : qty;
            self->qty += fill;
            self->trades++;
            qty -= fill;
            order->qty -= fill;
            if (!order->qty) take_out(self, id, other);
            if (!qty) return 0;
        }
    }
}

static void apply(struct bare_book *self, const struct flow_record *r)
{
    uint32_t id = (uint32_t)r->id;
    if (r->type == FLOW_CANCEL || r->type == FLOW_MOVE) take_out(self, id, r->side);
    if (r->type == FLOW_CANCEL) return;
    uint32_t left = trade(self, r->side, r->price, r->qty);
    if (left && r->type != FLOW_IOC) put_in(self, id, r->side, r->price, left);
}

struct bare_book *bare_book_new(const struct flow *flow)
{
    struct bare_book *self = malloc(sizeof *self + (flow->count + 1) * sizeof *self->orders);
    if (!self) {
        fputs("no memory for the bare book\n", stderr);
        exit(2);
    }
    self->order_count = flow->count + 1;
    return self;
}

void bare_book_free(struct bare_book *self)
{
    free(self);
}

double bare_book_run(struct bare_book *self, const struct flow *flow, bool *right)
{
    const struct flow_header *h = &flow->header;
    memset(self->queues, 0, sizeof self->queues);
    memset(self->orders, 0, self->order_count * sizeof *self->orders);
    self->best[0] = 0;
    self->best[1] = PRICES - 1;
    self->qty = self->trades = 0;
    uint64_t i = 0;
    for (; i < h->prefill_count; i++) apply(self, &flow->records[i]);
    int64_t start_ns = bench_clock_ns();
    for (; i < flow->count; i++) apply(self, &flow->records[i]);
    int64_t ns = bench_clock_ns() - start_ns;
    *right = self->qty == h->expected_qty && self->trades == h->expected_trades;
    return (double)h->timed_count * 1e3 / (double)ns;
}
