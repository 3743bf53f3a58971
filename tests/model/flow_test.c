/* flow_test - plays flows (flow_file.h) through an engine: each order must trade at once exactly
 * what the file says, and all together what its header says.
 *
 *   flow_test [--flow FILE [FILE...]]
 *
 * Without files it makes one of each mix by a naive book of its own.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/engine.h"
#include "tests/model/flow_file.h"

enum { OWN_COMMANDS = 100000, INSTRUMENT = 1 };
#define CASH_EACH   (INT64_C(1) << 45)
#define SHARES_EACH (INT64_C(1) << 45)

struct player {
    const struct flow *flow;
    struct engine *engine;
    void *memory;
    size_t bytes;
    order_id_t *order_ids; /* by the flow's id */
    seq_t seq;
    order_id_t order_id; /* of the record in work; 0: new */
    uint64_t filled;     /* by the record in work */
    bool refused;
    struct flow_header totals;
};

/* ---- the engine ---- */

static void take_event(void *context, const void *message, size_t length)
{
    struct player *p = context;
    struct event_execution e = {0};
    memcpy(&e, message, length < sizeof e ? length : sizeof e);
    if (e.header.template_id == EVENT_REQUEST_REJECTED ||
        e.header.template_id == EVENT_COMMAND_REJECTED)
        p->refused = true;
    if (e.header.template_id != EVENT_EXECUTION) return;
    if (e.exec_type == EXEC_REJECTED) p->refused = true;
    if (!p->order_id) p->order_id = e.order_id;
    if (e.exec_type != EXEC_TRADE || e.last_liquidity != LIQUIDITY_REMOVED) return;
    if (e.order_id != p->order_id) p->refused = true;
    p->filled += (uint64_t)e.last_qty;
    p->totals.traded_qty += (uint64_t)e.last_qty;
    p->totals.traded_notional += (uint64_t)(e.last_qty * e.last_px);
    p->totals.trade_count++;
}

/* False if it was refused. */
static bool send(struct player *p, const void *message, size_t length)
{
    const struct event_sink sink = {take_event, p};
    p->refused = false;
    p->filled = 0;
    p->seq++;
    engine_step(p->engine, p->seq, (int64_t)p->seq, message, length, &sink);
    return !p->refused;
}

#define SEND(player, ...) send((player), &(__VA_ARGS__), sizeof(__VA_ARGS__))

/* Tables as large as this flow needs them. */
static struct limits limits_for(const struct flow *flow)
{
    uint32_t uids = 0, prices = 0, open = 0, open_max = 0;
    for (uint64_t i = 0; i < flow->count; i++) {
        const struct flow_record *r = &flow->records[i];
        if (r->uid > uids) uids = r->uid;
        if (r->price > prices) prices = r->price;
        if (r->type == FLOW_GTC) open++;
        if (r->type == FLOW_CANCEL && open) open--;
        if (open > open_max) open_max = open;
    }
    return (struct limits){.instruments = 2,
                           .accounts = uids + 1,
                           .users = uids + 1,
                           .keys = 2,
                           .orders = open_max + 3,
                           .price_blocks = 2 * (prices / 64 + 1) + 3,
                           .positions = uids + 2,
                           .cl_ord_ids = 2,
                           .volumes = uids + 2,
                           .trades = 2};
}

static bool open_owner(struct player *p, uint32_t uid)
{
    return SEND(p, (struct command_open_account){COMMAND_HEADER(COMMAND_OPEN_ACCOUNT,
                                                                struct command_open_account),
                                                 uid, 0, "owner"}) &&
           SEND(p,
                (struct command_add_user){COMMAND_HEADER(COMMAND_ADD_USER, struct command_add_user),
                                          uid, uid, "user"}) &&
           SEND(p, (struct command_deposit){COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
                                            uid, 0, CASH_EACH}) &&
           SEND(p, (struct command_deposit){COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
                                            uid, INSTRUMENT, SHARES_EACH});
}

static bool open_market(struct player *p, const struct limits *limits)
{
    const struct command_configure configure = {
        COMMAND_HEADER(COMMAND_CONFIGURE, struct command_configure), *limits};
    const struct command_list_instrument list = {
        .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
        .instrument = INSTRUMENT,
        .symbol = "FLOW",
        .name = "Flow",
        .tick_px = 1,
        .lot_qty = 1,
        .max_order_qty = QTY_MAX,
        .max_order_notional = INT64_MAX};
    const struct command_set_limits unlimited = {
        .header = COMMAND_HEADER(COMMAND_SET_LIMITS, struct command_set_limits),
        .scope = LIMIT_SCOPE_INSTRUMENT,
        .id = INSTRUMENT,
        .max_daily_qty = -1};
    bool good = send(p, &configure, sizeof configure) && send(p, &list, sizeof list) &&
                send(p, &unlimited, sizeof unlimited);
    for (uint32_t uid = 1; good && uid < limits->accounts; uid++) good = open_owner(p, uid);
    return good;
}

/* ---- records ---- */

static bool send_new(struct player *p, const struct flow_record *r)
{
    struct command_new_order order = {.header =
                                          sbe_header_v1(COMMAND_NEW_ORDER, NEW_ORDER_V1_BYTES),
                                      .account = r->uid,
                                      .user = r->uid,
                                      .instrument = INSTRUMENT,
                                      .side = r->side == FLOW_BID ? SIDE_BUY : SIDE_SELL,
                                      .ord_type = ORD_TYPE_LIMIT,
                                      .time_in_force = r->type == FLOW_IOC ? TIF_IOC : TIF_GTC,
                                      .order_qty = r->qty,
                                      .limit_px = r->price};
    p->order_id = 0;
    if (!send(p, &order, NEW_ORDER_V1_BYTES)) return false;
    p->order_ids[r->id] = p->order_id;
    return true;
}

/* A cancel or a move of an order of which r->qty is open. */
static bool send_change(struct player *p, const struct flow_record *r)
{
    struct order_view view;
    p->order_id = p->order_ids[r->id];
    if (!engine_order(p->engine, p->order_id, &view) || view.leaves_qty != r->qty) return false;
    if (r->type == FLOW_CANCEL)
        return SEND(p,
                    (struct command_cancel_order){
                        .header = COMMAND_HEADER(COMMAND_CANCEL_ORDER, struct command_cancel_order),
                        .account = r->uid,
                        .user = r->uid,
                        .order_id = p->order_id});
    return SEND(p,
                (struct command_replace_order){
                    .header = COMMAND_HEADER(COMMAND_REPLACE_ORDER, struct command_replace_order),
                    .account = r->uid,
                    .user = r->uid,
                    .order_id = p->order_id,
                    .limit_px = r->price});
}

static uint64_t resting_count(const struct player *p)
{
    struct account_view view;
    uint64_t count = 0;
    for (account_id_t i = 1; i < engine_account_end(p->engine); i++)
        if (engine_account(p->engine, i, &view)) count += view.open_order_count;
    return count;
}

/* Everything once; false, with a word on standard error, at the first thing that is not as the flow
 * says. */
static bool play(struct player *p, const char *name)
{
    const struct flow_header *wanted = &p->flow->header;
    for (uint64_t i = 0; i < p->flow->count; i++) {
        const struct flow_record *r = &p->flow->records[i];
        bool comes = r->type == FLOW_GTC || r->type == FLOW_IOC;
        bool taken = comes ? send_new(p, r) : send_change(p, r);
        if (taken && p->filled == r->exp_fill) continue;
        fprintf(stderr, "%s: record %" PRIu64 ": %s, filled %" PRIu64 " instead of %" PRIu32 "\n",
                name, i, taken ? "taken" : "refused", p->filled, r->exp_fill);
        return false;
    }
    engine_validate(p->engine);
    p->totals.resting_count = resting_count(p);
    bool right = p->totals.traded_qty == wanted->traded_qty &&
                 p->totals.trade_count == wanted->trade_count &&
                 p->totals.traded_notional == wanted->traded_notional &&
                 p->totals.resting_count == wanted->resting_count;
    FILE *file = right ? stdout : stderr;
    fprintf(file,
            "%s: %" PRIu64 " records, %" PRIu64 " traded in %" PRIu64 " trades for %" PRIu64
            ", %" PRIu64 " orders resting: %s\n",
            name, p->flow->count, p->totals.traded_qty, p->totals.trade_count,
            p->totals.traded_notional, p->totals.resting_count, right ? "right" : "wrong");
    return right;
}

static bool flow_plays(const struct flow *flow, const char *name)
{
    struct limits limits = limits_for(flow);
    struct player p = {.flow = flow, .bytes = engine_bytes(&limits)};
    if (!p.bytes) return fprintf(stderr, "%s: larger than an engine\n", name), false;
    p.memory = arena_map(p.bytes, 0);
    p.order_ids = calloc(flow->count + 1, sizeof *p.order_ids);
    if (!p.memory || !p.order_ids) abort();
    p.engine = engine_init(p.memory, &limits);
    bool right = open_market(&p, &limits) && play(&p, name);
    if (p.refused) fprintf(stderr, "%s: refused at command %" PRIu64 "\n", name, p.seq);
    arena_unmap(p.memory, p.bytes);
    free(p.order_ids);
    return right;
}

/* ---- the program ---- */

static bool own_flows_play(void)
{
    bool right = true;
    for (unsigned mix = 1; mix <= 2; mix++) {
        struct flow flow;
        flow_make(&flow, mix, 42, OWN_COMMANDS);
        right &= flow_plays(&flow, mix == 1 ? "mostly moves" : "limit orders and cancels");
        flow_free(&flow);
    }
    return right;
}

int main(int argc, char **argv)
{
    if (argc == 1) return own_flows_play() ? 0 : 1;
    if (argc < 3 || strcmp(argv[1], "--flow") != 0) {
        fprintf(stderr, "usage: flow_test [--flow FILE [FILE...]]\n");
        return 2;
    }
    bool right = true;
    for (int i = 2; i < argc; i++) {
        struct flow flow;
        enum status status = flow_read(&flow, argv[i]);
        if (status != STATUS_OK) {
            fprintf(stderr, "%s: %s\n", argv[i], status_text(status));
            right = false;
            continue;
        }
        right &= flow_plays(&flow, argv[i]);
        flow_free(&flow);
    }
    return right ? 0 : 1;
}
