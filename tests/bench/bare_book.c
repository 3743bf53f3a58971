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

/* There is one, so that all its addresses are known: that, too, belongs to a floor. */
static struct queue queues[2][PRICES];
/* May lie beyond the best price that has orders; a scan goes on from there. */
static uint32_t best[2];
static uint64_t traded_qty, trades;
static struct resting *orders; /* by id */
static uint64_t order_count;

static void take_out(uint32_t id, unsigned side)
{
    const struct resting *order = &orders[id];
    struct queue *queue = &queues[side][order->price];
    if (order->older)
        orders[order->older].newer = order->newer;
    else
        queue->oldest = order->newer;
    if (order->newer)
        orders[order->newer].older = order->older;
    else
        queue->newest = order->older;
}

static void put_in(uint32_t id, unsigned side, uint32_t price, uint32_t qty)
{
    struct queue *queue = &queues[side][price];
    orders[id] = (struct resting){price, qty, queue->newest, 0};
    if (queue->newest)
        orders[queue->newest].newer = id;
    else
        queue->oldest = id;
    queue->newest = id;
    if (side == 0 ? price > best[0] : price < best[1]) best[side] = price;
}

/* Whether `price` is the last that an order of `side` and `limit` may trade at, or beyond it. */
static bool is_last(unsigned side, uint32_t limit, uint32_t price)
{
    return side == 0 ? price >= limit : price <= limit;
}

static bool is_beyond(unsigned side, uint32_t limit, uint32_t price)
{
    return side == 0 ? price > limit : price < limit;
}

/* Trades what crosses, the best price and the oldest order first. Returns what is left. Nobody is
 * ever at prices 0 and PRICES - 1, where the scan ends at the latest. */
static uint32_t trade(unsigned side, uint32_t limit, uint32_t qty)
{
    unsigned other = !side;
    uint32_t id;
    for (;;) {
        uint32_t price = best[other];
        while (!queues[other][price].oldest) {
            if (is_last(side, limit, price)) {
                best[other] = price;
                return qty;
            }
            price += side == 0 ? 1 : UINT32_MAX;
        }
        best[other] = price;
        if (is_beyond(side, limit, price)) return qty;
        while ((id = queues[other][price].oldest) != 0) {
            struct resting *order = &orders[id];
            uint32_t fill = order->qty < qty ? order->qty : qty;
            traded_qty += fill;
            trades++;
            qty -= fill;
            order->qty -= fill;
            if (!order->qty) take_out(id, other);
            if (!qty) return 0;
        }
    }
}

static void apply(const struct flow_record *r)
{
    uint32_t id = (uint32_t)r->id;
    if (r->type == FLOW_CANCEL || r->type == FLOW_MOVE) take_out(id, r->side);
    if (r->type == FLOW_CANCEL) return;
    uint32_t left = trade(r->side, r->price, r->qty);
    if (left && r->type != FLOW_IOC) put_in(id, r->side, r->price, left);
}

void bare_book_open(const struct flow *flow)
{
    order_count = flow->count + 1;
    orders = malloc(order_count * sizeof *orders);
    if (orders) return;
    fputs("no memory for the bare book\n", stderr);
    exit(2);
}

void bare_book_close(void)
{
    free(orders);
    orders = NULL;
}

double bare_book_run(const struct flow *flow, bool *right)
{
    const struct flow_header *h = &flow->header;
    memset(queues, 0, sizeof queues);
    memset(orders, 0, order_count * sizeof *orders);
    best[0] = 0;
    best[1] = PRICES - 1;
    traded_qty = trades = 0;
    uint64_t i = 0;
    for (; i < h->prefill_count; i++) apply(&flow->records[i]);
    int64_t start_ns = bench_clock_ns();
    for (; i < flow->count; i++) apply(&flow->records[i]);
    int64_t ns = bench_clock_ns() - start_ns;
    *right = traded_qty == h->expected_qty && trades == h->expected_trades;
    return (double)h->timed_count * 1e3 / (double)ns;
}
