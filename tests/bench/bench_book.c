/* bench_book - the book and the matcher alone, with its events delivered to a callback; against the
 * bare book (bare_book.h) on the same processor, in turn.
 *
 *   bench_book --flow FILE [--passes N] [--cpu N] [--clock wall|cpu]
 *
 * Orders have owners, recycled slots, level totals and bitmaps, and every trade looks whether it is
 * one with oneself: all that the engine's book does. Every command gives an event, every trade one
 * more.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare_book.h"
#include "bench.h"
#include "engine/base/arena.h"
#include "engine/base/paths.h"
#include "engine/book/book.h"
#include "engine/book/book_match.h"
#include "exchange.h"
#include "flow.h"

enum { INSTRUMENT = 1 };

enum book_event_kind { BOOK_ACCEPTED, BOOK_MOVED, BOOK_CANCELED, BOOK_TRADED };

/* What became of an order. */
struct book_event {
    order_id_t order_id;
    order_id_t resting_id; /* whom it traded with */
    px_t px;
    qty_t qty;        /* traded */
    qty_t leaves_qty; /* of the order */
    qty_t resting_leaves_qty;
    account_id_t account;
    account_id_t resting_account;
    uint8_t kind; /* enum book_event_kind */
    uint8_t side;
    uint8_t pad[6];
};

_Static_assert(sizeof(struct book_event) == 64, "one cache line");

typedef void (*book_event_fn)(void *context, const struct book_event *event);

struct bench {
    const struct flow *flow;
    struct flow_record *commands; /* the flow's; cancels and moves name orders by the book's ids */
    struct books books;
    void *memory;
    size_t memory_bytes;
    book_event_fn on_event;
    uint64_t events, qty, trades, notional; /* counted by on_event from what it is told */
    order_id_t *ids;                        /* while learning: the book's, by the flow's */
    order_id_t accepted;                    /* by the command in work, while learning */
    bool right;
};

/* ---- the listener ---- */

static void count_event(void *context, const struct book_event *event)
{
    struct bench *self = context;
    self->events++;
    if (event->kind != BOOK_TRADED) return;
    self->trades++;
    self->qty += (uint64_t)event->qty;
    self->notional += (uint64_t)(event->qty * event->px);
}

static void learn_event(void *context, const struct book_event *event)
{
    struct bench *self = context;
    count_event(self, event);
    if (event->kind == BOOK_ACCEPTED) self->accepted = event->order_id;
}

static void tell(struct bench *self, const struct book_order *order, enum book_event_kind kind)
{
    const struct book_event event = {.order_id = order->order_id,
                                     .px = order->limit_px,
                                     .leaves_qty = order->leaves_qty,
                                     .account = order->account,
                                     .kind = (uint8_t)kind,
                                     .side = order->side};
    self->on_event(self, &event);
}

/* ---- commands ---- */

static enum meeting meet(void *context, struct book_order *incoming, struct book_order *resting,
                         qty_t qty)
{
    struct bench *self = context;
    if (__builtin_expect(resting->account == incoming->account, 0)) return MEETING_STOP;
    incoming->leaves_qty -= qty;
    const struct book_event event = {.order_id = incoming->order_id,
                                     .resting_id = resting->order_id,
                                     .px = resting->limit_px,
                                     .qty = qty,
                                     .leaves_qty = incoming->leaves_qty,
                                     .resting_leaves_qty =
                                         book_fill(&self->books, resting, qty, false),
                                     .account = incoming->account,
                                     .resting_account = resting->account,
                                     .kind = BOOK_TRADED,
                                     .side = incoming->side};
    self->on_event(self, &event);
    if (resting->place == PLACE_NOWHERE) book_free(&self->books, resting);
    return MEETING_GO_ON;
}

/* An order that is nowhere trades and comes to rest, or is gone. */
static void enter(struct bench *self, struct book_order *order, uint32_t ticks, uint32_t near_at)
{
    bool stopped = book_match(&self->books, order, book_limit_key(order->side, ticks), meet, self);
    if (order->leaves_qty > 0 && !stopped && order->time_in_force == TIF_GTC) {
        book_rest(&self->books, order, book_ladder_for(order->side), ticks, near_at);
        return;
    }
    if (order->leaves_qty > 0) tell(self, order, BOOK_CANCELED);
    book_free(&self->books, order);
}

static void new_order(struct bench *self, const struct flow_record *r)
{
    struct books *books = &self->books;
    order_id_t id = book_next_id(books, true);
    struct book_order *order = &books->orders[slot_of(id)];
    *order = (struct book_order){.order_id = id,
                                 .limit_px = r->price,
                                 .order_qty = r->qty,
                                 .leaves_qty = r->qty,
                                 .account = r->owner,
                                 .instrument = INSTRUMENT,
                                 .side = r->side ? SIDE_SELL : SIDE_BUY,
                                 .ord_type = ORD_TYPE_LIMIT,
                                 .time_in_force = r->type == FLOW_IOC ? TIF_IOC : TIF_GTC};
    tell(self, order, BOOK_ACCEPTED);
    enter(self, order, r->price, 0);
}

static void apply(struct bench *self, const struct flow_record *r)
{
    if (r->type == FLOW_GTC || r->type == FLOW_IOC) {
        new_order(self, r);
        return;
    }
    struct book_order *order = book_find(&self->books, r->id);
    if (!order || order->account != r->owner) {
        self->right = false;
        return;
    }
    uint32_t at = order->at;
    book_remove(&self->books, order);
    if (r->type == FLOW_CANCEL) {
        tell(self, order, BOOK_CANCELED);
        book_free(&self->books, order);
        return;
    }
    order->limit_px = r->price;
    tell(self, order, BOOK_MOVED);
    enter(self, order, r->price, at);
}

/* ---- passes ---- */

HOT_PATH static void run_records(struct bench *self, uint64_t from, uint64_t to)
{
    const struct flow_record *end = &self->commands[to];
    for (const struct flow_record *r = &self->commands[from]; r != end; r++) apply(self, r);
}

static void open_books(struct bench *self, struct arena *arena)
{
    const struct limits limits = {.instruments = 2, .orders = 1000000, .price_blocks = 131072};
    *arena = (struct arena){0};
    books_init(&(struct books){0}, arena, &limits);
    arena->capacity = arena->used;
    arena->used = 0;
    arena->base = arena_map(arena->capacity, 1);
    bench_must(arena->base != NULL, "memory for the book");
    books_init(&self->books, arena, &limits);
    self->events = self->qty = self->trades = self->notional = 0;
}

/* Looks whether all is as the flow says, and gives the memory back. */
static void close_books(struct bench *self, struct arena *arena)
{
    const struct flow_header *h = &self->flow->header;
    uint32_t resting = book_validate(&self->books, INSTRUMENT);
    books_validate_slots(&self->books, resting);
    self->right = self->right && self->qty == h->expected_qty &&
                  self->trades == h->expected_trades && self->notional == h->expected_notional &&
                  resting == h->expected_resting;
    arena_unmap(arena->base, arena->capacity);
}

/* Million commands a second of the timed part. */
static double run(struct bench *self)
{
    const struct flow_header *h = &self->flow->header;
    struct arena arena;
    open_books(self, &arena);
    run_records(self, 0, h->prefill_count);
    int64_t start_ns = bench_clock_ns();
    run_records(self, h->prefill_count, self->flow->count);
    int64_t ns = bench_clock_ns() - start_ns;
    close_books(self, &arena);
    return (double)h->timed_count * 1e3 / (double)ns;
}

/* Which ids the book gives: cancels and moves of the timed passes come with them. Every command
 * trades as much as the flow says, too: the timed passes look at the sums alone. */
static void learn_ids(struct bench *self)
{
    struct arena arena;
    self->commands = malloc((self->flow->count + 1) * sizeof *self->commands);
    self->ids = calloc(self->flow->count + 1, sizeof *self->ids);
    bench_must(self->commands && self->ids, "memory");
    memcpy(self->commands, self->flow->records, self->flow->count * sizeof *self->commands);
    open_books(self, &arena);
    self->on_event = learn_event;
    for (uint64_t i = 0; i < self->flow->count; i++) {
        struct flow_record *r = &self->commands[i];
        bool is_new = r->type == FLOW_GTC || r->type == FLOW_IOC;
        uint64_t before = self->qty;
        if (!is_new) r->id = self->ids[r->id];
        apply(self, r);
        if (is_new) self->ids[r->id] = self->accepted;
        if (self->qty - before != r->expected_fill) self->right = false;
    }
    self->on_event = count_event;
    close_books(self, &arena);
    free(self->ids);
    self->ids = NULL;
}

int main(int argc, char **argv)
{
    static struct bench self = {.right = true};
    struct bench_options options = bench_options_parse(argc, argv, "bench_book");
    double ours[BENCH_REPEATS_MAX], floor[BENCH_REPEATS_MAX];
    struct flow flow;
    flow_read(&flow, options.flow);
    self.flow = &flow;
    bench_pin(options.cpu);
    bare_book_open(&flow);
    learn_ids(&self);
    for (unsigned i = 0; i < options.passes; i++) {
        bool right;
        floor[i] = bare_book_run(&flow, &right);
        ours[i] = run(&self);
        self.right = self.right && right;
    }
    double ratio = bench_paired_ratio(ours, floor, options.passes);
    printf("{\"bench\":\"book\",\"commands\":%llu,\"mcmds_per_s\":",
           (unsigned long long)flow.header.timed_count);
    bench_print_array(ours, options.passes);
    printf(",\"best\":%.3f,\"events\":%llu,\"qty\":%llu,\"trades\":%llu,\"right\":%s",
           bench_max(ours, options.passes), (unsigned long long)self.events,
           (unsigned long long)self.qty, (unsigned long long)self.trades,
           self.right ? "true" : "false");
    bench_print_floor(floor, options.passes, ratio);
    bare_book_close();
    flow_free(&flow);
    free(self.commands);
    return self.right ? 0 : 1;
}
