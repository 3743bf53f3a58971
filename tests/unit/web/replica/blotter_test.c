/* blotter_test.c - the blotter against a naive list of everything that ever happened, with few
 * places so that forgetting is the rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/replica/blotter.h"

enum { ACCOUNTS = 6, OPEN_MAX = 20, ORDER_MAX = 60, EXECUTION_MAX = 150, STEPS = 4000 };

static uint64_t random_state;

static uint64_t random_below(uint64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % limit;
}

/* Orders in the order they came; `closed` counts closings, 0 while open. */
struct naive_order {
    struct blotter_order order;
    uint64_t closed;
    uint64_t named; /* when it took its client order id */
    bool forgotten;
};

struct naive {
    struct naive_order orders[STEPS];
    unsigned order_count, open_count, kept_count;
    uint64_t closings;
    struct blotter_execution executions[STEPS];
    unsigned execution_count;
    uint64_t account_seq[ACCOUNTS];
    uint64_t seq;
};

struct record_of_order {
    struct journal_record record;
    uint8_t space[sizeof(struct command_replace_order) + sizeof(struct command_new_order)];
};

static void make_record(struct record_of_order *self, const struct naive *naive, const void *sent,
                        size_t bytes)
{
    memset(self, 0, sizeof *self);
    self->record.seq = naive->seq;
    self->record.time_ns = (int64_t)naive->seq * 10;
    memcpy((char *)self + offsetof(struct journal_record, header), sent, bytes);
}

static bool naive_open(const struct naive_order *order)
{
    return order->order.ord_status == ORD_NEW || order->order.ord_status == ORD_PARTIALLY_FILLED;
}

/* Field by field, since padding bytes are nobody's. */
static void assert_same_order(const struct blotter_order *a, const struct blotter_order *b)
{
    assert_non_null(a);
    assert_int_equal(a->order_id, b->order_id);
    assert_int_equal(a->account, b->account);
    assert_int_equal(a->user, b->user);
    assert_int_equal(a->instrument, b->instrument);
    assert_int_equal(a->side, b->side);
    assert_int_equal(a->ord_type, b->ord_type);
    assert_int_equal(a->time_in_force, b->time_in_force);
    assert_int_equal(a->ord_status, b->ord_status);
    assert_int_equal(a->reject_reason, b->reject_reason);
    assert_int_equal(a->limit_px, b->limit_px);
    assert_int_equal(a->stop_px, b->stop_px);
    assert_int_equal(a->display_qty, b->display_qty);
    assert_int_equal(a->min_qty, b->min_qty);
    assert_int_equal(a->expire_ns, b->expire_ns);
    assert_int_equal(a->exec_inst, b->exec_inst);
    assert_int_equal(a->stp, b->stp);
    assert_int_equal(a->fees, b->fees);
    assert_int_equal(a->triggered_ns, b->triggered_ns);
    assert_int_equal(a->sent_qty, b->sent_qty);
    assert_int_equal(a->sent_limit_px, b->sent_limit_px);
    assert_int_equal(a->sent_stop_px, b->sent_stop_px);
    assert_int_equal(a->order_qty, b->order_qty);
    assert_int_equal(a->cum_qty, b->cum_qty);
    assert_int_equal(a->leaves_qty, b->leaves_qty);
    assert_int_equal(a->avg_px, b->avg_px);
    assert_int_equal(a->created_ns, b->created_ns);
    assert_int_equal(a->updated_ns, b->updated_ns);
    assert_int_equal(a->updated_seq, b->updated_seq);
    assert_memory_equal(a->cl_ord_id, b->cl_ord_id, sizeof a->cl_ord_id);
}

static void assert_same_execution(const struct blotter_execution *a,
                                  const struct blotter_execution *b)
{
    assert_non_null(a);
    assert_int_equal(a->exec_id, b->exec_id);
    assert_int_equal(a->time_ns, b->time_ns);
    assert_int_equal(a->account_seq, b->account_seq);
    assert_memory_equal(&a->event, &b->event, sizeof a->event); /* a message: no padding */
    assert_memory_equal(a->cl_ord_id, b->cl_ord_id, sizeof a->cl_ord_id);
}

/* Tells both of an execution of `order` as it stands now. */
static void tell(struct blotter *blotter, struct naive *naive, struct naive_order *order,
                 const struct record_of_order *record, uint8_t exec_type, qty_t last_qty,
                 px_t last_px)
{
    cash_t fee = (cash_t)(naive->seq % 7) - 2;
    struct blotter_order *o = &order->order;
    const struct event_execution event = {
        .header = EVENT_HEADER(EVENT_EXECUTION, struct event_execution),
        .order_id = o->order_id,
        .trade_id = last_qty > 0 ? naive->seq : 0,
        .account = o->account,
        .instrument = o->instrument,
        .side = o->side,
        .ord_type = o->ord_type,
        .time_in_force = o->time_in_force,
        .exec_type = exec_type,
        .ord_status = o->ord_status,
        .limit_px = o->limit_px,
        .order_qty = o->order_qty,
        .last_qty = last_qty,
        .last_px = last_px,
        .cum_qty = o->cum_qty,
        .leaves_qty = o->leaves_qty,
        .fee = last_qty > 0 ? fee : 0,
    };
    struct blotter_execution *execution = &naive->executions[naive->execution_count++];
    *execution = (struct blotter_execution){
        .exec_id = naive->seq * 3,
        .time_ns = (int64_t)naive->seq * 10,
        .account_seq = ++naive->account_seq[o->account],
        .event = event,
    };
    memcpy(execution->cl_ord_id, o->cl_ord_id, sizeof o->cl_ord_id);
    o->updated_ns = execution->time_ns;
    o->updated_seq = naive->seq;
    o->fees += event.fee;
    if (!naive_open(order)) {
        order->closed = ++naive->closings;
        naive->open_count--;
    }
    const struct blotter_execution *recorded =
        blotter_execution(blotter, &record->record, execution->exec_id, &event);
    assert_same_execution(recorded, execution);
}

/* The naive list forgets as promised: the order that has been closed for longest, when a new one
 * finds no place. */
static void make_room(struct naive *naive)
{
    struct naive_order *oldest = NULL;
    if (naive->kept_count < ORDER_MAX) {
        naive->kept_count++;
        return;
    }
    for (unsigned i = 0; i < naive->order_count; i++) {
        struct naive_order *order = &naive->orders[i];
        if (order->forgotten || !order->closed) continue;
        if (!oldest || order->closed < oldest->closed) oldest = order;
    }
    assert_non_null(oldest);
    oldest->forgotten = true;
}

static void new_order(struct blotter *blotter, struct naive *naive)
{
    struct record_of_order record;
    make_room(naive);
    struct naive_order *order = &naive->orders[naive->order_count++];
    struct command_new_order sent = {
        .header = COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order),
        .account = 1 + (account_id_t)random_below(ACCOUNTS - 1),
        .user = 7,
        .instrument = 1 + (instrument_id_t)random_below(3),
        .side = random_below(2) ? SIDE_BUY : SIDE_SELL,
        .ord_type = ORD_TYPE_LIMIT,
        .time_in_force = TIF_DAY,
        .order_qty = 1 + (qty_t)random_below(50),
        .limit_px = 100 + (px_t)random_below(10),
        .exec_inst = (uint8_t)random_below(4),
        .stp = (uint8_t)random_below(6),
        .stop_px = (px_t)random_below(3),
        .display_qty = (qty_t)random_below(3),
        .min_qty = (qty_t)random_below(3),
        .expire_ns = (int64_t)random_below(3),
    };
    /* few names, so that an account uses one again */
    if (random_below(4))
        snprintf(sent.cl_ord_id, sizeof sent.cl_ord_id, "c%d", (int)random_below(30));
    order->order = (struct blotter_order){
        .order_id = (uint64_t)naive->order_count << ORDER_SLOT_BITS | random_below(OPEN_MAX),
        .account = sent.account,
        .user = sent.user,
        .instrument = sent.instrument,
        .side = sent.side,
        .ord_type = sent.ord_type,
        .time_in_force = sent.time_in_force,
        .ord_status = ORD_NEW,
        .exec_inst = sent.exec_inst,
        .stp = sent.stp,
        .limit_px = sent.limit_px,
        .stop_px = sent.stop_px,
        .display_qty = sent.display_qty,
        .min_qty = sent.min_qty,
        .expire_ns = sent.expire_ns,
        .sent_qty = sent.order_qty,
        .sent_limit_px = sent.limit_px,
        .sent_stop_px = sent.stop_px,
        .order_qty = sent.order_qty,
        .leaves_qty = sent.order_qty,
        .created_ns = (int64_t)naive->seq * 10,
    };
    memcpy(order->order.cl_ord_id, sent.cl_ord_id, sizeof sent.cl_ord_id);
    bool plain = random_below(2);
    if (plain) { /* as version 1 wrote it: what lies behind its end is not the order's */
        sent.header = sbe_header_v1(COMMAND_NEW_ORDER, NEW_ORDER_V1_BYTES);
        order->order.stop_px = order->order.sent_stop_px = 0;
        order->order.display_qty = order->order.min_qty = order->order.expire_ns = 0;
    }
    make_record(&record, naive, &sent, sizeof sent);
    order->named = naive->seq;
    naive->open_count++;
    bool rejected = random_below(8) == 0;
    if (rejected) {
        order->order.ord_status = ORD_REJECTED;
        order->order.leaves_qty = 0;
    }
    tell(blotter, naive, order, &record, rejected ? EXEC_REJECTED : EXEC_NEW, 0, 0);
}

/* The average of the order's fills by the definition: every fill again, rounded half up. */
static px_t naive_average(const struct naive *naive, const struct blotter_order *order)
{
    int64_t notional = 0, qty = 0;
    for (unsigned i = 0; i < naive->execution_count; i++) {
        const struct event_execution *event = &naive->executions[i].event;
        if (event->order_id != order->order_id) continue;
        notional += event->last_qty * event->last_px;
        qty += event->last_qty;
    }
    return qty == 0 ? 0 : (2 * notional + qty) / (2 * qty);
}

/* Price, stop price and name, each or not, by a command of version 2 or, for none, of version 1. */
static void replace_order(struct blotter *blotter, struct naive *naive, struct naive_order *order)
{
    struct record_of_order record;
    struct blotter_order *o = &order->order;
    struct command_replace_order sent = {
        .header = COMMAND_HEADER(COMMAND_REPLACE_ORDER, struct command_replace_order),
        .order_id = o->order_id,
        .limit_px = random_below(2) ? 100 + (px_t)random_below(10) : 0,
        .stop_px = random_below(2) ? 1 + (px_t)random_below(10) : 0,
    };
    if (random_below(2))
        snprintf(sent.cl_ord_id, sizeof sent.cl_ord_id, "c%d", (int)random_below(30));
    if (random_below(3) == 0) {
        sent.header = sbe_header_v1(COMMAND_REPLACE_ORDER, REPLACE_ORDER_V1_BYTES);
    } else {
        if (sent.limit_px) o->limit_px = sent.limit_px;
        if (sent.stop_px) o->stop_px = sent.stop_px;
        if (sent.cl_ord_id[0]) {
            memcpy(o->cl_ord_id, sent.cl_ord_id, sizeof o->cl_ord_id);
            order->named = naive->seq;
        }
    }
    make_record(&record, naive, &sent, sizeof sent);
    tell(blotter, naive, order, &record, EXEC_REPLACED, 0, 0);
}

static void change_order(struct blotter *blotter, struct naive *naive)
{
    struct record_of_order record;
    const struct command_new_order other = {
        .header = COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order)};
    struct naive_order *order = NULL;
    for (int tries = 0; tries < 1000 && !order; tries++) {
        struct naive_order *candidate = &naive->orders[random_below(naive->order_count)];
        if (naive_open(candidate)) order = candidate;
    }
    if (!order) return;
    struct blotter_order *o = &order->order;
    if (random_below(4) == 0) {
        replace_order(blotter, naive, order);
        return;
    }
    make_record(&record, naive, &other, sizeof other);
    if (random_below(8) == 0) {
        o->triggered_ns = (int64_t)naive->seq * 10;
        tell(blotter, naive, order, &record, EXEC_TRIGGERED, 0, 0);
        return;
    }
    if (random_below(4) == 0) {
        o->ord_status = ORD_CANCELED;
        o->leaves_qty = 0;
        tell(blotter, naive, order, &record, EXEC_CANCELED, 0, 0);
        return;
    }
    qty_t last_qty = 1 + (qty_t)random_below((uint64_t)o->leaves_qty);
    px_t last_px = 90 + (px_t)random_below(20);
    o->cum_qty += last_qty;
    o->leaves_qty -= last_qty;
    o->ord_status = o->leaves_qty > 0 ? ORD_PARTIALLY_FILLED : ORD_FILLED;
    tell(blotter, naive, order, &record, EXEC_TRADE, last_qty, last_px);
    o->avg_px = naive_average(naive, o);
}

static bool kept(const struct naive *naive, unsigned execution)
{
    return naive->execution_count - execution <= EXECUTION_MAX;
}

static void compare_fills(const struct blotter *blotter, const struct naive *naive,
                          const struct blotter_order *order)
{
    const struct blotter_execution *fill = blotter_next_fill(blotter, order, NULL);
    for (unsigned i = 0; i < naive->execution_count; i++) {
        const struct event_execution *event = &naive->executions[i].event;
        if (event->order_id != order->order_id || event->last_qty == 0 || !kept(naive, i)) continue;
        assert_non_null(fill);
        assert_same_execution(fill, &naive->executions[i]);
        fill = blotter_next_fill(blotter, order, fill);
    }
    assert_null(fill);
}

static void compare_orders(const struct blotter *blotter, const struct naive *naive)
{
    for (unsigned i = 0; i < naive->order_count; i++) {
        const struct naive_order *wanted = &naive->orders[i];
        const struct blotter_order *order = blotter_find(blotter, wanted->order.order_id);
        if (wanted->forgotten) {
            assert_null(order);
            continue;
        }
        assert_same_order(order, &wanted->order);
        compare_fills(blotter, naive, order);
    }
}

/* The order of each account that took the name last, among those kept that bear it. */
static void compare_names(const struct blotter *blotter, const struct naive *naive)
{
    for (account_id_t account = 1; account < ACCOUNTS; account++) {
        for (int name = 0; name < 31; name++) {
            char cl_ord_id[CL_ORD_ID_BYTES] = {0};
            const struct blotter_order *wanted = NULL;
            uint64_t named = 0;
            snprintf(cl_ord_id, sizeof cl_ord_id, "c%d", name);
            for (unsigned i = 0; i < naive->order_count; i++) {
                const struct naive_order *order = &naive->orders[i];
                if (order->forgotten || order->order.account != account) continue;
                if (memcmp(order->order.cl_ord_id, cl_ord_id, sizeof cl_ord_id) != 0) continue;
                if (order->named < named) continue;
                named = order->named;
                wanted = &order->order;
            }
            const struct blotter_order *order = blotter_find_cl_ord_id(blotter, account, cl_ord_id);
            assert_true(!order == !wanted);
            if (order) assert_int_equal(order->order_id, wanted->order_id);
        }
    }
}

static void compare_walks(const struct blotter *blotter, const struct naive *naive)
{
    for (account_id_t account = 1; account < ACCOUNTS; account++) {
        order_id_t all = 0, open = 0;
        for (unsigned i = naive->order_count; i-- > 0;) {
            const struct naive_order *wanted = &naive->orders[i];
            if (wanted->forgotten || wanted->order.account != account) continue;
            const struct blotter_order *order = blotter_older(blotter, account, all);
            assert_non_null(order);
            assert_int_equal(order->order_id, wanted->order.order_id);
            all = order->order_id;
            if (!naive_open(wanted)) continue;
            order = blotter_older_open(blotter, account, open);
            assert_non_null(order);
            assert_int_equal(order->order_id, wanted->order.order_id);
            open = order->order_id;
        }
        assert_null(blotter_older(blotter, account, all));
        assert_null(blotter_older_open(blotter, account, open));
    }
}

static void compare_executions(const struct blotter *blotter, const struct naive *naive)
{
    for (account_id_t account = 1; account < ACCOUNTS; account++) {
        assert_int_equal(blotter_account_seq(blotter, account), naive->account_seq[account]);
        assert_null(blotter_account_execution(blotter, account, 0));
        assert_null(blotter_account_execution(blotter, account, naive->account_seq[account] + 1));
    }
    for (unsigned i = 0; i < naive->execution_count; i++) {
        const struct blotter_execution *wanted = &naive->executions[i];
        const struct blotter_execution *execution =
            blotter_account_execution(blotter, wanted->event.account, wanted->account_seq);
        if (kept(naive, i))
            assert_same_execution(execution, wanted);
        else
            assert_null(execution);
    }
}

static void random_life_matches_the_naive_list(void **state)
{
    static struct naive naive;
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        memset(&naive, 0, sizeof naive);
        random_state = seed * UINT64_C(0x9e3779b97f4a7c15);
        struct blotter *blotter = blotter_create(ACCOUNTS, ORDER_MAX, EXECUTION_MAX);
        assert_non_null(blotter);
        for (unsigned step = 1; step < STEPS; step++) {
            naive.seq = step;
            if (naive.open_count < OPEN_MAX && (naive.open_count == 0 || random_below(3) == 0))
                new_order(blotter, &naive);
            else
                change_order(blotter, &naive);
            if (step % 97 && step > 300) continue;
            compare_orders(blotter, &naive);
            compare_names(blotter, &naive);
            compare_walks(blotter, &naive);
            compare_executions(blotter, &naive);
        }
        blotter_destroy(blotter);
    }
}

static void one_order_shows_its_newest_fills(void **state)
{
    struct blotter *blotter = blotter_create(4, 8, 4096);
    static struct naive naive;
    (void)state;
    memset(&naive, 0, sizeof naive);
    random_state = 1;
    naive.seq = 1;
    do {
        new_order(blotter, &naive);
        naive.seq++;
    } while (!naive_open(&naive.orders[naive.order_count - 1]));
    struct naive_order *order = &naive.orders[naive.order_count - 1];
    struct record_of_order record;
    const struct command_new_order nothing = {0};
    order->order.order_qty = order->order.leaves_qty = 3000;
    for (int i = 1; i <= 1500; i++, naive.seq++) {
        order->order.cum_qty++, order->order.leaves_qty--;
        order->order.ord_status = ORD_PARTIALLY_FILLED;
        make_record(&record, &naive, &nothing, sizeof nothing);
        tell(blotter, &naive, order, &record, EXEC_TRADE, 1, 100);
    }
    const struct blotter_order *kept_order = blotter_find(blotter, order->order.order_id);
    unsigned count = 0;
    qty_t first = 0;
    for (const struct blotter_execution *fill = blotter_next_fill(blotter, kept_order, NULL); fill;
         fill = blotter_next_fill(blotter, kept_order, fill)) {
        if (count++ == 0) first = fill->event.cum_qty;
    }
    assert_int_equal(count, BLOTTER_FILLS_MAX);
    assert_int_equal(first, 1500 - BLOTTER_FILLS_MAX + 1);
    assert_int_equal(kept_order->avg_px, 100);
    blotter_destroy(blotter);
}

static void the_same_request_is_recognised(void **state)
{
    const struct command_new_order sent = {.account = 1,
                                           .instrument = 2,
                                           .side = '1',
                                           .ord_type = '4',
                                           .time_in_force = '6',
                                           .exec_inst = 2,
                                           .stp = 3,
                                           .order_qty = 10,
                                           .limit_px = 500,
                                           .stop_px = 490,
                                           .display_qty = 5,
                                           .min_qty = 3,
                                           .expire_ns = 99,
                                           .cl_ord_id = "x"};
    /* replaced since: by price, stop price, quantity and name */
    const struct blotter_order order = {.account = 1,
                                        .instrument = 2,
                                        .side = '1',
                                        .ord_type = '4',
                                        .time_in_force = '6',
                                        .exec_inst = 2,
                                        .stp = 3,
                                        .limit_px = 400,
                                        .stop_px = 390,
                                        .display_qty = 5,
                                        .min_qty = 3,
                                        .expire_ns = 99,
                                        .sent_qty = 10,
                                        .sent_limit_px = 500,
                                        .sent_stop_px = 490,
                                        .order_qty = 4,
                                        .cl_ord_id = "y"};
    struct command_new_order other;
    (void)state;
#define ASSERT_DIFFERS(field, value)                                                               \
    (other = sent, other.field = (value), assert_false(blotter_same_request(&order, &other)))
    assert_true(blotter_same_request(&order, &sent));
    ASSERT_DIFFERS(account, 9);
    ASSERT_DIFFERS(instrument, 3);
    ASSERT_DIFFERS(side, '2');
    ASSERT_DIFFERS(ord_type, '2');
    ASSERT_DIFFERS(time_in_force, '1');
    ASSERT_DIFFERS(exec_inst, 0);
    ASSERT_DIFFERS(stp, 0);
    ASSERT_DIFFERS(order_qty, 4);
    ASSERT_DIFFERS(limit_px, 400);
    ASSERT_DIFFERS(stop_px, 390);
    ASSERT_DIFFERS(display_qty, 0);
    ASSERT_DIFFERS(min_qty, 0);
    ASSERT_DIFFERS(expire_ns, 98);
#undef ASSERT_DIFFERS
}

/* Two orders of two accounts, or of one, that have traded; then the trade is taken back. */
static void trade_once(struct blotter *blotter, struct naive *naive, account_id_t buyer,
                       account_id_t seller)
{
    struct record_of_order record;
    for (unsigned side = 0; side < 2; side++) {
        const struct command_new_order sent = {
            .header = COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order),
            .order_qty = 10,
            .cl_ord_id = "mine"};
        struct event_execution event = {.header =
                                            EVENT_HEADER(EVENT_EXECUTION, struct event_execution),
                                        .order_id = 100 + side,
                                        .account = side ? seller : buyer,
                                        .instrument = 2,
                                        .side = side ? SIDE_SELL : SIDE_BUY,
                                        .ord_type = ORD_TYPE_LIMIT,
                                        .time_in_force = TIF_DAY,
                                        .exec_type = EXEC_NEW,
                                        .ord_status = ORD_NEW,
                                        .order_qty = 10,
                                        .leaves_qty = 10};
        naive->seq++;
        make_record(&record, naive, &sent, sizeof sent);
        blotter_execution(blotter, &record.record, naive->seq, &event);
        for (trade_id_t trade = 7; trade <= 8; trade++) {
            event.exec_type = EXEC_TRADE;
            event.ord_status = ORD_PARTIALLY_FILLED;
            event.trade_id = trade;
            event.last_qty = 2;
            event.last_px = 50;
            event.cum_qty += 2;
            event.leaves_qty -= 2;
            event.fee = side ? -1 : 3;
            blotter_execution(blotter, &record.record, naive->seq, &event);
        }
    }
}

static const struct blotter_execution *fill_of_trade(const struct blotter *blotter,
                                                     order_id_t order_id, trade_id_t trade_id)
{
    const struct blotter_order *order = blotter_find(blotter, order_id);
    const struct blotter_execution *fill = blotter_next_fill(blotter, order, NULL);
    while (fill && fill->event.trade_id != trade_id) fill = blotter_next_fill(blotter, order, fill);
    assert_non_null(fill);
    return fill;
}

static struct blotter_bust bust_trade(struct blotter *blotter, struct naive *naive,
                                      account_id_t buyer, account_id_t seller)
{
    struct record_of_order record;
    const struct command_bust_trade command = {
        .header = COMMAND_HEADER(COMMAND_BUST_TRADE, struct command_bust_trade), .trade_id = 7};
    const struct event_trade_busted event = {
        .header = EVENT_HEADER(EVENT_TRADE_BUSTED, struct event_trade_busted),
        .trade_id = 7,
        .buy_order_id = 100,
        .sell_order_id = 101,
        .buyer = buyer,
        .seller = seller,
        .instrument = 2,
        .qty = 2,
        .px = 50,
        .buyer_fee = 3,
        .seller_fee = -1};
    naive->seq++;
    make_record(&record, naive, &command, sizeof command);
    return blotter_trade_busted(blotter, &record.record, 77, &event);
}

static void a_busted_trade_is_marked_and_told_to_both(void **state)
{
    static struct naive naive;
    (void)state;
    memset(&naive, 0, sizeof naive);
    struct blotter *blotter = blotter_create(8, 8, 64);
    trade_once(blotter, &naive, 3, 4);
    assert_int_equal(blotter_find(blotter, 100)->fees, 6);
    const struct blotter_bust bust = bust_trade(blotter, &naive, 3, 4);
    assert_true(fill_of_trade(blotter, 100, 7)->busted);
    assert_true(fill_of_trade(blotter, 101, 7)->busted);
    assert_false(fill_of_trade(blotter, 100, 8)->busted);
    assert_false(fill_of_trade(blotter, 101, 8)->busted);
    assert_int_equal(blotter_find(blotter, 100)->fees, 3);
    assert_int_equal(blotter_find(blotter, 101)->fees, -1);
    assert_int_equal(blotter_find(blotter, 100)->cum_qty, 4); /* orders stay as they are */

    assert_ptr_equal(blotter_account_execution(blotter, 3, 4), bust.buyer);
    assert_ptr_equal(blotter_account_execution(blotter, 4, 4), bust.seller);
    assert_int_equal(bust.buyer->exec_id, 77);
    assert_int_equal(bust.buyer->event.exec_type, BLOTTER_EXEC_BUSTED);
    assert_int_equal(bust.buyer->event.trade_id, 7);
    assert_int_equal(bust.buyer->event.last_qty, 0); /* no fill */
    assert_int_equal(bust.buyer->event.cum_qty, 4);
    assert_int_equal(bust.seller->event.side, SIDE_SELL);
    assert_string_equal(bust.seller->cl_ord_id, "mine");
    blotter_destroy(blotter);
}

static void a_bust_reaches_an_account_that_traded_with_itself_twice(void **state)
{
    static struct naive naive;
    (void)state;
    memset(&naive, 0, sizeof naive);
    struct blotter *blotter = blotter_create(8, 8, 64);
    trade_once(blotter, &naive, 3, 3);
    const struct blotter_bust bust = bust_trade(blotter, &naive, 3, 3);
    assert_int_equal(bust.buyer->account_seq, 7);
    assert_int_equal(bust.seller->account_seq, 8);
    blotter_destroy(blotter);
}

static void a_bust_of_forgotten_orders_is_told_all_the_same(void **state)
{
    static struct naive naive;
    (void)state;
    memset(&naive, 0, sizeof naive);
    struct blotter *blotter = blotter_create(8, 8, 64);
    const struct blotter_bust bust = bust_trade(blotter, &naive, 3, 4);
    assert_int_equal(bust.buyer->account_seq, 1);
    assert_int_equal(bust.seller->event.order_id, 101);
    assert_int_equal(bust.seller->event.instrument, 2);
    assert_int_equal(bust.seller->cl_ord_id[0], 0);
    blotter_destroy(blotter);
}

/* The same execution as both versions write it. */
static void executions_are_read_by_their_length(void **state)
{
    struct event_execution written = {.order_id = 5, .leaves_qty = 9, .fee = 7, .fee_remainder = 1};
    (void)state;
    struct event_execution read = blotter_read_execution(&written, sizeof written);
    assert_memory_equal(&read, &written, sizeof read);
    read = blotter_read_execution(&written, EXECUTION_V1_BYTES);
    assert_int_equal(read.leaves_qty, 9);
    assert_int_equal(read.fee, 0);
    assert_int_equal(read.fee_remainder, 0);
}

static void accounts_and_orders_that_are_not_there(void **state)
{
    struct blotter *blotter = blotter_create(4, 8, 8);
    const char cl_ord_id[CL_ORD_ID_BYTES] = "x";
    (void)state;
    assert_null(blotter_find(blotter, 1));
    assert_null(blotter_find_cl_ord_id(blotter, 1, cl_ord_id));
    assert_null(blotter_older(blotter, 1, 0));
    assert_null(blotter_older(blotter, 4000000, 0));
    assert_null(blotter_older_open(blotter, 1, 77));
    assert_int_equal(blotter_account_seq(blotter, 4000000), 0);
    assert_null(blotter_account_execution(blotter, 4000000, 1));
    blotter_destroy(blotter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_life_matches_the_naive_list),
        cmocka_unit_test(one_order_shows_its_newest_fills),
        cmocka_unit_test(the_same_request_is_recognised),
        cmocka_unit_test(a_busted_trade_is_marked_and_told_to_both),
        cmocka_unit_test(a_bust_reaches_an_account_that_traded_with_itself_twice),
        cmocka_unit_test(a_bust_of_forgotten_orders_is_told_all_the_same),
        cmocka_unit_test(executions_are_read_by_their_length),
        cmocka_unit_test(accounts_and_orders_that_are_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
