#define _GNU_SOURCE /* memmem */
#include "server/ops/replay_run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/bus/clock.h"
#include "engine/message/command.h"
#include "server/ops/fill_join.h"
#include "server/ops/pacer.h"
#include "server/ops/replay_book.h"

enum {
    TICK_MS = 200,
    PACE_MS = 1,
    QUIET_TICKS = 15,    /* ticks between lines where progress is not a terminal's */
    BOOK_WAIT_MS = 5000, /* for others to leave the book */
    BOOK_ASK_MS = 100,
    FINAL_DEPTH = 1000,
    PARAMS_BYTES = 256,
    CL_ORD_ID_TEXT_BYTES = CL_ORD_ID_BYTES + 1,
};

enum phase { CONNECTING, CLEANING, EMPTYING, RESTING, RUNNING, COMPARING };

enum party { PLACER, EXECUTOR, PARTIES };

enum request_kind { PLACE, CANCEL, CANCEL_STALE, CANCEL_LEFT, REDUCE, EXECUTE };

struct replay;

struct request {
    struct replay *replay;
    enum request_kind kind;
    enum party party;
    uint8_t side; /* of the order; of an execution: the side it hits */
    px_t px;
    uint32_t order; /* index; of an execution: the order that Nasdaq filled */
    qty_t qty;
    uint32_t fills_due; /* of an execution: fills whose makers have not been heard of */
    struct request *next, *prev;
};

/* Requests of one party that are in flight: sent, and their consequences not all known. */
struct in_flight {
    struct request *first;
    uint32_t count;
};

struct replay {
    const struct replay_job *job;
    struct replay_totals *totals;
    char *why;
    bool ended, failed;
    enum phase phase;
    uv_loop_t loop;
    uv_timer_t tick, pace, book_timer;
    struct stream_dialer *dialer;
    struct stream_client *clients[PARTIES];
    struct pacer pacers[PARTIES];
    unsigned opened;
    struct in_flight in_flight[PARTIES];
    struct request *requests, *free_requests;
    struct replay_book book;
    uint32_t cursor; /* of what the phase goes through */
    struct fill_join fills;
    trade_id_t
        asked_for; /* the trade that a ping was sent for: its maker comes before the answer */
    int64_t started_ns, book_by_ms;
    uint32_t ticks;
};

static void advance(struct replay *self);
static void ask_for_fills(struct replay *self);
static void on_answer(void *context, const json_t *result, const json_t *error);
static void on_pace(uv_timer_t *timer);

/* ---- the end ---- */

/* Everything is closed by the next turn of the loop: we are inside a connection's own call. */
static void end(struct replay *self)
{
    if (self->ended) return;
    self->ended = true;
    uv_timer_stop(&self->tick);
    uv_timer_stop(&self->book_timer);
    uv_timer_start(&self->pace, on_pace, 0, 0);
}

__attribute__((format(printf, 2, 3))) static void fail(struct replay *self, const char *format, ...)
{
    if (self->ended) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(self->why, REPLAY_WHY_BYTES, format, arguments);
    va_end(arguments);
    self->failed = true;
    end(self);
}

static void close_all(struct replay *self)
{
    for (unsigned p = 0; p < PARTIES; p++) stream_client_destroy(self->clients[p]);
    stream_dialer_stop(self->dialer);
    uv_close((uv_handle_t *)&self->tick, NULL);
    uv_close((uv_handle_t *)&self->pace, NULL);
    uv_close((uv_handle_t *)&self->book_timer, NULL);
}

/* ---- progress ---- */

static void show_progress(struct replay *self, bool last)
{
    bool terminal = isatty(STDERR_FILENO);
    if (self->phase != RUNNING || (!terminal && !last && self->ticks % QUIET_TICKS != 0)) return;
    uint32_t count = self->job->lobster->message_count;
    double seconds = (double)(clock_steady_ns() - self->started_ns) / 1e9;
    fprintf(stderr, "%s%s: %" PRIu32 " of %" PRIu32 " messages, %.1f s, %.0f/s%s",
            terminal ? "\r\033[K" : "", self->job->symbol, self->cursor, count, seconds,
            seconds > 0 ? self->cursor / seconds : 0, terminal && !last ? "" : "\n");
}

static void on_tick(uv_timer_t *timer)
{
    struct replay *self = timer->data;
    self->ticks++;
    show_progress(self, false);
    ask_for_fills(self);
}

static void on_pace(uv_timer_t *timer)
{
    struct replay *self = timer->data;
    if (self->ended)
        close_all(self);
    else
        advance(self);
}

/* ---- requests ---- */

/* Whether an execution that hits `side` down to `reach_px` can meet an order of that price. */
static bool reaches(uint8_t side, px_t reach_px, px_t px)
{
    return side == SIDE_BUY ? px >= reach_px : px <= reach_px;
}

/* Whether something of the other party must be known first. */
static bool depends(const struct replay *self, enum party party, uint8_t side, px_t px)
{
    const struct in_flight *others = &self->in_flight[party == PLACER ? EXECUTOR : PLACER];
    for (const struct request *other = others->first; other; other = other->next) {
        if (other->side != side) continue;
        if (party == PLACER ? reaches(side, other->px, px) : reaches(side, px, other->px))
            return true;
    }
    return false;
}

/* Whether this party's next request may be sent now; if not, whatever it waits for calls
 * advance() again. */
static bool may_send(struct replay *self, enum party party, uint8_t side, px_t px)
{
    if (!self->free_requests || depends(self, party, side, px)) return false;
    if (pacer_take(&self->pacers[party], clock_steady_ns())) return true;
    uv_timer_start(&self->pace, on_pace, PACE_MS, 0);
    return false;
}

static void send_request(struct replay *self, const struct request *what, const char *method,
                         const char *params)
{
    struct in_flight *in_flight = &self->in_flight[what->party];
    struct request *request = self->free_requests;
    CHECK(request);
    self->free_requests = request->next;
    *request = *what;
    request->replay = self;
    request->next = in_flight->first;
    if (in_flight->first) in_flight->first->prev = request;
    in_flight->first = request;
    in_flight->count++;
    if (!stream_client_call(self->clients[what->party], method, params, on_answer, request))
        fail(self, "cannot send: the connection is gone, or there is no memory");
}

/* All about it is known. */
static void release(struct replay *self, struct request *request)
{
    struct in_flight *in_flight = &self->in_flight[request->party];
    if (request->next) request->next->prev = request->prev;
    if (request->prev)
        request->prev->next = request->next;
    else
        in_flight->first = request->next;
    in_flight->count--;
    request->next = self->free_requests;
    self->free_requests = request;
}

static void cl_ord_id(const struct replay *self, uint32_t order, char text[CL_ORD_ID_TEXT_BYTES])
{
    snprintf(text, CL_ORD_ID_TEXT_BYTES, "%s%" PRIu64, self->job->id_prefix,
             self->job->lobster->orders[order].id);
}

static void send_limit(struct replay *self, enum party party, uint32_t order, uint8_t side, px_t px,
                       qty_t qty)
{
    char params[PARAMS_BYTES], id[CL_ORD_ID_TEXT_BYTES];
    bool ioc = party == EXECUTOR;
    if (ioc)
        snprintf(id, sizeof id, "%sx%" PRIu32, self->job->id_prefix, self->cursor);
    else
        cl_ord_id(self, order, id);
    snprintf(params, sizeof params,
             "{\"symbol\":\"%s\",\"side\":\"%s\",\"type\":\"limit\",\"qty\":%" PRId64
             ",\"limit_price\":\"%" PRId64 ".%04" PRId64
             "\",\"time_in_force\":\"%s\",\"client_order_id\":\"%s\"}",
             self->job->symbol, side == SIDE_BUY ? "buy" : "sell", qty, px / PX_SCALE,
             px % PX_SCALE, ioc ? "ioc" : "day", id);
    struct request what = {.kind = ioc ? EXECUTE : PLACE,
                           .party = party,
                           .side = self->job->lobster->orders[order].side,
                           .px = px,
                           .order = order,
                           .qty = qty};
    send_request(self, &what, "order.place", params);
}

static struct request about(const struct replay *self, enum request_kind kind, uint32_t order)
{
    const struct lobster_order *o = &self->job->lobster->orders[order];
    return (struct request){
        .kind = kind, .party = PLACER, .side = o->side, .px = o->px, .order = order};
}

static void send_cancel(struct replay *self, enum request_kind kind, uint32_t order)
{
    struct request what = about(self, kind, order);
    char params[PARAMS_BYTES], id[CL_ORD_ID_TEXT_BYTES];
    cl_ord_id(self, order, id);
    snprintf(params, sizeof params, "{\"client_order_id\":\"%s\"}", id);
    send_request(self, &what, "order.cancel", params);
}

/* The order is out of our view of the book from here on: what is sent later comes later. */
static void forget_order(struct replay *self, uint32_t order, qty_t qty)
{
    const struct lobster_order *o = &self->job->lobster->orders[order];
    qty_t leaves_qty = self->book.orders[order].leaves_qty;
    if (leaves_qty < qty) qty = leaves_qty;
    if (qty > 0) replay_book_take(&self->book, order, o->side, o->px, qty);
}

/* ---- one message ---- */

static void place(struct replay *self, uint32_t order, qty_t qty)
{
    const struct lobster_order *o = &self->job->lobster->orders[order];
    if (!replay_book_add(&self->book, order, o->side, o->px, qty))
        fail(self, "out of memory");
    else
        send_limit(self, PLACER, order, o->side, o->px, qty);
}

/* A new order, or first the cancel of one that it must not meet. False when that was sent. */
static bool send_new(struct replay *self, uint32_t order, qty_t qty)
{
    const struct lobster_order *o = &self->job->lobster->orders[order];
    const struct replay_level *level = replay_book_meets(&self->book, o->side, o->px);
    if (!level) {
        place(self, order, qty);
        return true;
    }
    uint32_t stale = level->first;
    send_cancel(self, CANCEL_STALE, stale);
    forget_order(self, stale, QTY_MAX);
    return false;
}

static void send_reduce(struct replay *self, uint32_t order, qty_t qty)
{
    struct replay_order *o = &self->book.orders[order];
    qty_t order_qty = o->order_qty - qty;
    if (order_qty > 0) {
        struct request what = about(self, REDUCE, order);
        char params[PARAMS_BYTES], id[CL_ORD_ID_TEXT_BYTES];
        cl_ord_id(self, order, id);
        snprintf(params, sizeof params, "{\"client_order_id\":\"%s\",\"qty\":%" PRId64 "}", id,
                 order_qty);
        send_request(self, &what, "order.replace", params);
        o->order_qty = order_qty;
    } else {
        send_cancel(self, REDUCE, order);
    }
    forget_order(self, order, qty);
}

/* Whether the message at the cursor may be sent now. A new order that could trade with something
 * that may still rest waits until that is certain. */
static bool message_may_go(struct replay *self, const struct lobster_message *m,
                           const struct lobster_order *order)
{
    if (m->type == LOBSTER_EXECUTE) return may_send(self, EXECUTOR, order->side, m->px);
    if (m->type == LOBSTER_NEW && self->in_flight[EXECUTOR].count > 0 &&
        replay_book_meets(&self->book, order->side, order->px))
        return false;
    return may_send(self, PLACER, order->side, order->px);
}

/* Sends what the message at the cursor asks for; false when it must wait. */
static bool send_message(struct replay *self)
{
    const struct lobster_message *m = &self->job->lobster->messages[self->cursor];
    const struct lobster_order *order = &self->job->lobster->orders[m->order];
    if (m->type <= LOBSTER_EXECUTE && !message_may_go(self, m, order)) return false;
    switch (m->type) {
    case LOBSTER_NEW:
        if (!send_new(self, m->order, m->qty)) return true;
        self->totals->new_orders++;
        break;
    case LOBSTER_REDUCE: send_reduce(self, m->order, m->qty); break;
    case LOBSTER_DELETE:
        send_cancel(self, CANCEL, m->order);
        forget_order(self, m->order, QTY_MAX);
        break;
    case LOBSTER_EXECUTE:
        self->totals->executions++;
        send_limit(self, EXECUTOR, m->order, order->side == SIDE_BUY ? SIDE_SELL : SIDE_BUY, m->px,
                   m->qty);
        break;
    default: break; /* changes no visible order */
    }
    self->cursor++;
    return true;
}

/* ---- what comes back ---- */

static void add_half(struct replay *self, const struct half_fill *half)
{
    struct half_fill other;
    bool ok;
    bool joined = fill_join_add(&self->fills, half, &other, &ok);
    if (!ok) fail(self, "out of memory");
    if (!joined) return;
    const struct half_fill *maker = half->is_maker ? half : &other;
    struct request *execution = &self->requests[half->is_maker ? other.owner : half->owner];
    self->totals->fills++;
    self->totals->shares += maker->qty;
    self->totals->same_order += maker->owner == execution->order && maker->qty == execution->qty;
    if (--execution->fills_due == 0) release(self, execution);
}

static uint64_t id_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? strtoull(text, NULL, 10) : 0;
}

/* An execution of the placing broker. */
static void on_execution(struct replay *self, const json_t *execution)
{
    const char *id = json_string_value(json_object_get(execution, "client_order_id"));
    const char *type = json_string_value(json_object_get(execution, "exec_type"));
    size_t prefix = strlen(self->job->id_prefix);
    uint32_t order;
    if (!id || !type || strcmp(type, "trade") != 0) return;
    if (strncmp(id, self->job->id_prefix, prefix) != 0 ||
        !lobster_find(self->job->lobster, strtoull(id + prefix, NULL, 10), &order))
        return; /* the broker's other business */
    qty_t qty = json_integer_value(json_object_get(execution, "last_qty"));
    if (qty <= 0 || qty > self->book.orders[order].leaves_qty) {
        fail(self, "order %s was filled with %" PRId64 " shares that it did not have", id, qty);
        return;
    }
    forget_order(self, order, qty);
    add_half(self, &(struct half_fill){.trade_id = id_of(execution, "trade_id"),
                                       .owner = order,
                                       .qty = qty,
                                       .is_maker = true});
}

/* The answer to an execution: the order as it stands, with its fills. */
static void on_executed(struct replay *self, struct request *request, const json_t *order)
{
    const json_t *fills = json_object_get(order, "fills"), *fill;
    size_t i;
    request->fills_due = (uint32_t)json_array_size(fills);
    if (request->fills_due == 0) {
        self->totals->no_fill++;
        release(self, request);
        return;
    }
    json_array_foreach(fills, i, fill)
        add_half(self, &(struct half_fill){.trade_id = id_of(fill, "trade_id"),
                                           .owner = (uint32_t)(request - self->requests),
                                           .qty = json_integer_value(json_object_get(fill, "qty")),
                                           .is_maker = false});
}

static void on_placed(struct replay *self, const struct request *request, const json_t *order)
{
    if (json_integer_value(json_object_get(order, "cum_qty")) == 0) return;
    fail(self,
         "order %" PRIu64 " traded at once with an order that is not the replay's: the book must "
         "be left to it alone",
         self->job->lobster->orders[request->order].id);
}

static void on_refused(struct replay *self, const struct request *request, const json_t *error)
{
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *detail = json_string_value(json_object_get(error, "detail"));
    bool unknown = code && strcmp(code, "unknown_order") == 0;
    if (unknown && (request->kind == CANCEL || request->kind == REDUCE))
        self->totals->unknown++;
    else if (code && strcmp(code, "rate_limited") == 0)
        fail(self, "the key's rate limit was exceeded although the replay keeps below it: another "
                   "program uses the same broker; run it again when that has ended");
    else if (!unknown || request->kind != CANCEL_LEFT)
        fail(self, "a request was refused: %s: %s", code ? code : "no answer",
             detail ? detail : "the connection was lost");
}

static void on_answer(void *context, const json_t *result, const json_t *error)
{
    struct request *request = context;
    struct replay *self = request->replay;
    const json_t *order = json_object_get(result, "order");
    if (self->ended) return;
    if (!result) {
        on_refused(self, request, error);
        release(self, request);
    } else if (request->kind == EXECUTE) {
        on_executed(self, request, order);
    } else {
        switch (request->kind) {
        case PLACE: on_placed(self, request, order); break;
        case CANCEL: self->totals->cancels++; break;
        case CANCEL_STALE: self->totals->stale++; break;
        case REDUCE: self->totals->reduces++; break;
        default: break;
        }
        release(self, request);
    }
    advance(self);
}

/* A fill whose maker has not been heard of, though everything of its connection has: it is
 * somebody else's order that was met. */
static void on_asked(void *context, const json_t *result, const json_t *error)
{
    struct replay *self = context;
    (void)error;
    if (result && fill_join_lacks_maker(&self->fills, self->asked_for))
        fail(self, "an execution met an order that is not the replay's: the book must be left to "
                   "it alone");
    self->asked_for = 0;
}

static void ask_for_fills(struct replay *self)
{
    if (self->asked_for || self->ended) return;
    self->asked_for = fill_join_without_maker(&self->fills);
    if (self->asked_for)
        (void)stream_client_call(self->clients[PLACER], "ping", "{}", on_asked, self);
}

/* ---- the book, as everybody sees it ---- */

static void on_subscribed(void *context, const json_t *result, const json_t *error)
{
    struct replay *self = context;
    const char *code = json_string_value(json_object_get(error, "code"));
    if (!result) fail(self, "cannot subscribe: %s", code ? code : "the connection was lost");
}

static void subscribe_book(struct replay *self, unsigned depth)
{
    char params[PARAMS_BYTES];
    snprintf(params, sizeof params, "{\"channel\":\"book\",\"symbols\":[\"%s\"],\"depth\":%u}",
             self->job->symbol, depth);
    (void)stream_client_call(self->clients[PLACER], "subscribe", params, on_subscribed, self);
}

static void unsubscribe_book(struct replay *self)
{
    char params[PARAMS_BYTES];
    snprintf(params, sizeof params, "{\"channel\":\"book\",\"symbols\":[\"%s\"]}",
             self->job->symbol);
    (void)stream_client_call(self->clients[PLACER], "unsubscribe", params, NULL, NULL);
}

static const char *level_px(const json_t *level)
{
    const char *px = json_string_value(json_array_get(level, 0));
    return px ? px : "none";
}

static void on_book_timer(uv_timer_t *timer)
{
    struct replay *self = timer->data;
    subscribe_book(self, 1);
}

/* Waits until nobody has anything in the book; `hoga flow` leaves when it sees our lock. */
static void on_first_book(struct replay *self, const json_t *bids, const json_t *asks)
{
    const json_t *bid = json_array_get(bids, 0), *ask = json_array_get(asks, 0);
    if (!bid && !ask) {
        unsubscribe_book(self);
        self->phase = RESTING;
        self->cursor = 0;
        advance(self);
    } else if (clock_steady_ns() / 1000000 < self->book_by_ms) {
        uv_timer_start(&self->book_timer, on_book_timer, BOOK_ASK_MS, 0);
    } else {
        fail(self,
             "the %s book is not empty (best bid %s, best ask %s): others have orders in it. "
             "Cancel them, or start the exchange with --quiet-market",
             self->job->symbol, level_px(bid), level_px(ask));
    }
}

/* One side of the exchange's book against ours. */
static bool same_levels(const struct replay_side *side, const json_t *levels)
{
    size_t count = json_array_size(levels);
    if (count != (side->count < FINAL_DEPTH ? side->count : FINAL_DEPTH)) return false;
    for (uint32_t i = 0; i < count; i++) {
        char px[32];
        const json_t *level = json_array_get(levels, i);
        snprintf(px, sizeof px, "%" PRId64 ".%04" PRId64, side->levels[i].px / PX_SCALE,
                 side->levels[i].px % PX_SCALE);
        if (strcmp(level_px(level), px) != 0 ||
            json_integer_value(json_array_get(level, 1)) != side->levels[i].qty)
            return false;
    }
    return true;
}

static void on_last_book(struct replay *self, const json_t *bids, const json_t *asks)
{
    const struct replay_book *book = &self->book;
    if (!same_levels(&book->bids, bids) || !same_levels(&book->asks, asks)) {
        fail(self, "the exchange's book is not what the replay left in it: somebody else traded");
        return;
    }
    self->totals->resting = book->resting;
    self->totals->best_bid = book->bids.count ? book->bids.levels[0].px : 0;
    self->totals->best_ask = book->asks.count ? book->asks.levels[0].px : 0;
    end(self);
}

static void on_pushed(void *context, const json_t *message)
{
    struct replay *self = context;
    const char *channel = json_string_value(json_object_get(message, "channel"));
    const char *type = json_string_value(json_object_get(message, "type"));
    if (self->ended || !channel) return;
    if (strcmp(channel, "orders") == 0) {
        on_execution(self, json_object_get(message, "execution"));
        advance(self);
    } else if (strcmp(channel, "book") == 0 && type && strcmp(type, "snapshot") == 0) {
        const json_t *bids = json_object_get(message, "bids");
        const json_t *asks = json_object_get(message, "asks");
        if (self->phase == EMPTYING) on_first_book(self, bids, asks);
        if (self->phase == COMPARING) on_last_book(self, bids, asks);
    }
}

/* Of thousands of executions only the trades tell something that the answers do not. */
static bool may_matter(const char *text, size_t length)
{
    static const char trade[] = "\"trade\"", book[] = "\"book\"";
    return memmem(text, length, trade, sizeof trade - 1) ||
           memmem(text, length, book, sizeof book - 1);
}

/* ---- phases ---- */

static bool drained(const struct replay *self)
{
    return self->in_flight[PLACER].count == 0 && self->in_flight[EXECUTOR].count == 0;
}

static void clean(struct replay *self)
{
    const struct replay_job *job = self->job;
    while (self->cursor < job->left_count && may_send(self, PLACER, 0, 0)) {
        char params[PARAMS_BYTES];
        snprintf(params, sizeof params, "{\"order_id\":\"%" PRIu64 "\"}", job->left[self->cursor]);
        struct request what = {.kind = CANCEL_LEFT, .party = PLACER};
        send_request(self, &what, "order.cancel", params);
        self->cursor++;
    }
    if (self->cursor < job->left_count || !drained(self)) return;
    self->phase = EMPTYING;
    self->book_by_ms = clock_steady_ns() / 1000000 + BOOK_WAIT_MS;
    subscribe_book(self, 1);
}

static void place_resting(struct replay *self)
{
    const struct lobster *lobster = self->job->lobster;
    while (self->cursor < lobster->resting_count && may_send(self, PLACER, 0, 0)) {
        uint32_t order = lobster->resting[self->cursor++];
        place(self, order, lobster->orders[order].resting_qty);
        self->totals->placed_before++;
    }
    if (self->cursor < lobster->resting_count || !drained(self)) return;
    self->phase = RUNNING;
    self->cursor = 0;
    self->started_ns = clock_steady_ns();
}

static void run(struct replay *self)
{
    uint32_t count = self->job->lobster->message_count;
    while (self->cursor < count && !self->ended && send_message(self)) {
    }
    if (self->cursor < count || !drained(self) || self->ended) return;
    self->totals->elapsed_ns = clock_steady_ns() - self->started_ns;
    show_progress(self, true);
    self->phase = COMPARING;
    subscribe_book(self, FINAL_DEPTH);
}

/* Goes as far as it can; called whenever something has changed. */
static void advance(struct replay *self)
{
    if (self->ended) return;
    if (self->phase == CLEANING) clean(self);
    if (self->phase == RESTING) place_resting(self);
    if (self->phase == RUNNING) run(self);
}

static void on_opened(struct replay *self, enum party party, uint32_t rate_limit)
{
    pacer_start(&self->pacers[party], rate_limit, clock_steady_ns());
    if (++self->opened < PARTIES) return;
    (void)stream_client_call(self->clients[PLACER], "subscribe", "{\"channel\":\"orders\"}",
                             on_subscribed, self);
    self->phase = CLEANING;
    advance(self);
}

static void on_placer_opened(void *context, uint32_t rate_limit)
{
    on_opened(context, PLACER, rate_limit);
}

static void on_executor_opened(void *context, uint32_t rate_limit)
{
    on_opened(context, EXECUTOR, rate_limit);
}

static void on_closed(void *context, const char *why)
{
    struct replay *self = context;
    fail(self, "%s: %s", self->job->brokers->ws_url, why);
}

/* ---- start ---- */

static bool allocate(struct replay *self)
{
    uint32_t window = self->job->window;
    self->requests = calloc(window, sizeof self->requests[0]);
    for (uint32_t i = 0; self->requests && i < window; i++) {
        self->requests[i].next = self->free_requests;
        self->free_requests = &self->requests[i];
    }
    return self->requests && replay_book_open(&self->book, self->job->lobster->order_count);
}

static bool connect_both(struct replay *self)
{
    const struct stream_client_hooks hooks[PARTIES] = {
        {self, on_placer_opened, on_pushed, may_matter, on_closed},
        {self, on_executor_opened, NULL, NULL, on_closed},
    };
    const struct brokers *brokers = self->job->brokers;
    for (unsigned p = 0; p < PARTIES; p++) {
        self->clients[p] =
            stream_client_create(self->dialer, &brokers->list[p].credentials, &hooks[p]);
        if (!self->clients[p]) return false;
    }
    for (unsigned p = 0; p < PARTIES; p++)
        if (!stream_client_open(self->clients[p], brokers->ws_url)) return false;
    return true;
}

bool replay_run(const struct replay_job *job, struct replay_totals *totals,
                char why[REPLAY_WHY_BYTES])
{
    struct replay self = {.job = job, .totals = totals, .why = why};
    memset(totals, 0, sizeof *totals);
    uv_loop_init(&self.loop);
    uv_timer_init(&self.loop, &self.tick);
    uv_timer_init(&self.loop, &self.pace);
    uv_timer_init(&self.loop, &self.book_timer);
    self.tick.data = self.pace.data = self.book_timer.data = &self;
    self.dialer = stream_dialer_create(&self.loop);
    if (!self.dialer || !allocate(&self))
        fail(&self, "out of memory");
    else if (!connect_both(&self))
        fail(&self, "%s: not an address of a WebSocket", job->brokers->ws_url);
    else
        uv_timer_start(&self.tick, on_tick, TICK_MS, TICK_MS);
    uv_run(&self.loop, UV_RUN_DEFAULT);
    stream_dialer_free(self.dialer);
    uv_loop_close(&self.loop);
    replay_book_close(&self.book);
    fill_join_free(&self.fills);
    free(self.requests);
    return !self.failed;
}
