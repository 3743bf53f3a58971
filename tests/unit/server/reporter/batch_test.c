/* batch_test.c - random days of a real engine, cut into batches anywhere a transaction may end, and
 * read back as a database would: it must come to what a plain walk over all events comes to. */
#include "server/reporter/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "engine/engine.h"

enum {
    ORDER_MAX = 4096,
    TRADE_MAX = 8192,
    FIELD_MAX = 32,
    COMMANDS = 1500,
    ACCOUNT_MAX = 8,
    EVENTS_A_COMMAND = 2048
};

struct order {
    int64_t order_id, account, sent_qty, order_qty, cum_qty, leaves_qty, in_seq;
    int64_t limit_px, stop_px, display_qty, min_qty, expire_ns, exec_inst, stp, fee;
    int64_t reject_reason; /* why it ended */
    char ord_status;
    __int128 notional;
    char cl_ord_id[CL_ORD_ID_BYTES + 1];
    char first_cl_ord_id[CL_ORD_ID_BYTES + 1]; /* as sent */
};

struct trade {
    int64_t trade_id, qty, px, buy_order, sell_order, buy_account, sell_account, buy_fee, sell_fee;
    char taker_side; /* 0: an auction's */
};

/* What the rows, or the events, come to. */
struct books {
    struct order orders[ORDER_MAX];
    int order_count;
    struct trade trades[TRADE_MAX];
    int trade_count;
    int64_t executions, last_exec_id, refusals, renames;
    int64_t rows[BATCH_TABLE_COUNT]; /* of the other tables */
    /* by account (0: the house) and asset (0: cash, 1: shares): what the ledger comes to */
    __int128 moved[ACCOUNT_MAX][2];
};

struct fixture {
    struct engine *engine;
    size_t engine_bytes;
    uint64_t random;
    struct batch batch;
    seq_t in_seq, out_seq; /* the cursor: what the last batch that ended had */
    struct books naive, database;
    _Alignas(8) uint8_t command_bytes[JOURNAL_RECORD_MAX_BYTES];
    _Alignas(8) uint8_t events[EVENTS_A_COMMAND][JOURNAL_RECORD_MAX_BYTES];
    unsigned event_count;
    seq_t next_in, next_out;
    int64_t time_ns;
};

static uint64_t next_random(struct fixture *f, uint64_t below)
{
    f->random ^= f->random << 13, f->random ^= f->random >> 7, f->random ^= f->random << 17;
    return f->random % below;
}

static struct order *find_order(struct books *books, int64_t order_id)
{
    for (int i = books->order_count - 1; i >= 0; i--)
        if (books->orders[i].order_id == order_id) return &books->orders[i];
    return NULL;
}

/* ---- reading rows as PostgreSQL would ---- */

struct field {
    const uint8_t *bytes;
    int32_t length;
};

static int64_t integer(const struct field *f)
{
    uint64_t n = f->bytes[0] & 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < f->length; i++) n = n << 8 | f->bytes[i];
    return (int64_t)n;
}

static __int128 numeric(const struct field *f)
{
    __int128 n = 0;
    int digits = f->bytes[0] << 8 | f->bytes[1];
    int weight = f->bytes[2] << 8 | f->bytes[3];
    assert_int_equal(f->length, 8 + 2 * digits);
    for (int i = 0; i < digits; i++)
        n = n * 10000 + (f->bytes[8 + 2 * i] << 8 | f->bytes[9 + 2 * i]);
    for (int i = digits; i < weight + 1; i++) n *= 10000;
    return n;
}

static const uint8_t *next_row(const uint8_t *at, struct field fields[FIELD_MAX], int expected)
{
    int count = at[0] << 8 | at[1];
    assert_int_equal(count, expected);
    at += 2;
    for (int i = 0; i < count; i++) {
        const struct field length = {at, 4};
        fields[i] = (struct field){at + 4, (int32_t)integer(&length)};
        at += 4 + (fields[i].length > 0 ? fields[i].length : 0);
    }
    return at;
}

static void apply_order(struct books *db, const struct field *f)
{
    assert_null(find_order(db, integer(&f[0]))); /* a primary key */
    struct order *o = &db->orders[db->order_count++];
    *o = (struct order){.order_id = integer(&f[0]),
                        .account = integer(&f[2]),
                        .ord_status = (char)f[8].bytes[0],
                        .sent_qty = integer(&f[10]),
                        .order_qty = integer(&f[11]),
                        .cum_qty = integer(&f[13]),
                        .leaves_qty = integer(&f[14]),
                        .notional = numeric(&f[15]),
                        .in_seq = integer(&f[16]),
                        .limit_px = integer(&f[12]),
                        .reject_reason = integer(&f[9]),
                        .exec_inst = integer(&f[22]),
                        .stp = integer(&f[23]),
                        .stop_px = integer(&f[24]),
                        .display_qty = integer(&f[25]),
                        .min_qty = integer(&f[26]),
                        .expire_ns = integer(&f[27]),
                        .fee = integer(&f[28])};
    if (f[1].length > 0) memcpy(o->cl_ord_id, f[1].bytes, (size_t)f[1].length);
    const struct field *first = &f[f[21].length >= 0 ? 21 : 1];
    if (first->length > 0) memcpy(o->first_cl_ord_id, first->bytes, (size_t)first->length);
}

static void apply_change(struct books *db, const struct field *f)
{
    struct order *o = find_order(db, integer(&f[0]));
    assert_non_null(o);
    o->ord_status = (char)f[1].bytes[0];
    o->reject_reason = integer(&f[2]);
    o->order_qty = integer(&f[3]);
    o->cum_qty = integer(&f[4]);
    o->leaves_qty = integer(&f[5]);
    o->notional += numeric(&f[6]);
    o->limit_px = integer(&f[9]);
    if (f[10].length > 0) o->stop_px = integer(&f[10]);
    if (f[11].length > 0) {
        memset(o->cl_ord_id, 0, sizeof o->cl_ord_id);
        memcpy(o->cl_ord_id, f[11].bytes, (size_t)f[11].length);
    }
    o->fee += integer(&f[12]);
}

static void apply_trade(struct books *db, const struct field *f)
{
    db->trades[db->trade_count++] =
        (struct trade){.trade_id = integer(&f[0]),
                       .qty = integer(&f[3]),
                       .px = integer(&f[4]),
                       .taker_side = f[5].length > 0 ? (char)f[5].bytes[0] : 0,
                       .buy_order = integer(&f[6]),
                       .sell_order = integer(&f[7]),
                       .buy_account = integer(&f[8]),
                       .sell_account = integer(&f[9]),
                       .buy_fee = integer(&f[14]),
                       .sell_fee = integer(&f[15])};
}

/* An entry of the ledger moves from one account to another, or out of the world or into it. */
static void apply_ledger(struct books *db, const struct field *f)
{
    int64_t asset = integer(&f[6]), qty = integer(&f[7]);
    assert_true(qty > 0 && (asset == 0 || asset == 1));
    if (f[4].length > 0) db->moved[integer(&f[4])][asset] -= qty;
    if (f[5].length > 0) db->moved[integer(&f[5])][asset] += qty;
    db->rows[BATCH_LEDGER]++;
}

static void apply_bust(struct books *db, const struct field *f)
{
    const struct trade *t = &db->trades[integer(&f[0]) - 1];
    assert_true(t->trade_id == integer(&f[0]) ||
                !t->trade_id); /* of this batch or an earlier one */
    db->rows[BATCH_BUST]++;
}

static void apply_setting(struct books *db, const struct field *f)
{
    assert_int_equal(f[5].bytes[0], 1); /* jsonb's version */
    assert_int_equal(f[5].bytes[1], '{');
    assert_int_equal(f[5].bytes[f[5].length - 1], '}');
    db->rows[BATCH_SETTING]++;
}

static void apply_session(struct books *db, const struct field *f)
{
    assert_int_equal(integer(&f[2]), 1);
    assert_int_not_equal(integer(&f[3]), integer(&f[4])); /* from one to another */
    db->rows[BATCH_SESSION]++;
}

static void apply_auction(struct books *db, const struct field *f)
{
    assert_true(integer(&f[5]) >= 0 && f[3].length == 1);
    db->rows[BATCH_AUCTION]++;
}

static void apply_mass_cancel(struct books *db, const struct field *f)
{
    assert_true(integer(&f[2]) > 0 && integer(&f[3]) == integer(&f[2])); /* the user's account */
    db->rows[BATCH_MASS_CANCEL]++;
}

static void apply_execution(struct books *db, const struct field *f)
{
    assert_int_equal(f[3].length > 0, integer(&f[13]) > 0); /* a trade_id if and only if a fill */
    assert_true(integer(&f[0]) > db->last_exec_id);
    db->last_exec_id = integer(&f[0]);
    db->executions++;
    db->renames += f[21].length > 0;
}

static void apply_rows(struct fixture *f, enum batch_table table, int field_count,
                       void (*apply)(struct books *db, const struct field *fields))
{
    const struct copy_rows *rows = &f->batch.rows[table];
    const uint8_t *at = rows->bytes;
    struct field fields[FIELD_MAX];
    for (uint64_t i = 0; i < rows->row_count; i++) {
        at = next_row(at, fields, field_count);
        apply(&f->database, fields);
    }
    if (rows->row_count) assert_ptr_equal(at, rows->bytes + rows->length);
}

/* Ends the batch, applies it as one transaction, and begins the next. */
static void commit(struct fixture *f)
{
    assert_int_equal(batch_end(&f->batch), STATUS_OK);
    apply_rows(f, BATCH_ORDER, 29, apply_order);
    apply_rows(f, BATCH_ORDER_CHANGE, 13, apply_change);
    apply_rows(f, BATCH_EXECUTION, 22, apply_execution);
    apply_rows(f, BATCH_TRADE, 16, apply_trade);
    apply_rows(f, BATCH_LEDGER, 12, apply_ledger);
    apply_rows(f, BATCH_BUST, 5, apply_bust);
    apply_rows(f, BATCH_SETTING, 8, apply_setting);
    apply_rows(f, BATCH_SESSION, 8, apply_session);
    apply_rows(f, BATCH_AUCTION, 10, apply_auction);
    apply_rows(f, BATCH_MASS_CANCEL, 10, apply_mass_cancel);
    f->database.refusals += (int64_t)f->batch.rows[BATCH_REFUSAL].row_count;
    f->in_seq = f->batch.in_seq;
    f->out_seq = f->batch.out_seq;
    batch_begin(&f->batch, f->in_seq, f->out_seq);
}

/* ---- the plain walk ---- */

/* An event about anything but an order. */
static void walk_other(struct books *naive, const struct journal_record *record)
{
    union {
        struct event_deposited deposited;
        struct event_withdrawn withdrawn;
        struct event_transferred transferred;
    } m;
    memcpy(&m, record_message(record), sizeof m);
    switch (record->header.template_id) {
    case EVENT_REQUEST_REJECTED:
    case EVENT_COMMAND_REJECTED: naive->refusals++; break;
    case EVENT_DEPOSITED:
        naive->moved[m.deposited.account][m.deposited.asset & 1] += m.deposited.qty;
        naive->rows[BATCH_LEDGER]++;
        break;
    case EVENT_WITHDRAWN:
        naive->moved[m.withdrawn.account][m.withdrawn.asset & 1] -= m.withdrawn.qty;
        naive->rows[BATCH_LEDGER]++;
        break;
    case EVENT_TRANSFERRED:
        naive->moved[m.transferred.from_account][m.transferred.asset & 1] -= m.transferred.qty;
        naive->moved[m.transferred.to_account][m.transferred.asset & 1] += m.transferred.qty;
        naive->rows[BATCH_LEDGER]++;
        break;
    case EVENT_TRADE_BUSTED: naive->rows[BATCH_BUST]++; break;
    case EVENT_SETTING_CHANGED: naive->rows[BATCH_SETTING]++; break;
    case EVENT_SESSION_CHANGED: naive->rows[BATCH_SESSION]++; break;
    case EVENT_AUCTION: naive->rows[BATCH_AUCTION]++; break;
    case EVENT_MASS_CANCELED: naive->rows[BATCH_MASS_CANCEL]++; break;
    default: break;
    }
}

static struct order *walk_new(struct books *naive, const struct journal_record *command,
                              order_id_t order_id)
{
    struct command_new_order n = {.account = 0};
    memcpy(&n, record_message(command), record_message_length(command)); /* of either version */
    struct order *o = &naive->orders[naive->order_count++];
    *o = (struct order){.order_id = (int64_t)order_id,
                        .account = n.account,
                        .sent_qty = n.order_qty,
                        .in_seq = (int64_t)command->seq,
                        .stop_px = n.stop_px,
                        .display_qty = n.display_qty,
                        .min_qty = n.min_qty,
                        .expire_ns = n.expire_ns,
                        .exec_inst = n.exec_inst,
                        .stp = n.stp};
    memcpy(o->cl_ord_id, n.cl_ord_id, CL_ORD_ID_BYTES);
    memcpy(o->first_cl_ord_id, n.cl_ord_id, CL_ORD_ID_BYTES);
    return o;
}

static void walk_replace(struct books *naive, struct order *o, const struct journal_record *command)
{
    struct command_replace_order r = {.account = 0};
    memcpy(&r, record_message(command), record_message_length(command));
    if (r.stop_px) o->stop_px = r.stop_px;
    if (!r.cl_ord_id[0]) return;
    naive->renames++;
    memcpy(o->cl_ord_id, r.cl_ord_id, CL_ORD_ID_BYTES);
}

static void walk_trade(struct books *naive, const struct event_execution *e)
{
    struct trade *t = &naive->trades[e->trade_id - 1];
    naive->trade_count = (int)e->trade_id;
    t->trade_id = (int64_t)e->trade_id;
    t->qty = e->last_qty;
    t->px = e->last_px;
    *(e->side == SIDE_BUY ? &t->buy_order : &t->sell_order) = (int64_t)e->order_id;
    *(e->side == SIDE_BUY ? &t->buy_account : &t->sell_account) = e->account;
    *(e->side == SIDE_BUY ? &t->buy_fee : &t->sell_fee) = e->fee;
    if (e->last_liquidity == LIQUIDITY_REMOVED) t->taker_side = (char)e->side;
}

static void walk(struct fixture *f, const struct journal_record *command,
                 const struct journal_record *record)
{
    struct books *naive = &f->naive;
    if (record->header.template_id != EVENT_EXECUTION) {
        walk_other(naive, record);
        return;
    }
    struct event_execution e = {.fee = 0};
    memcpy(&e, record_message(record), record_message_length(record)); /* of either version */
    naive->executions++;
    naive->last_exec_id = (int64_t)record->seq;
    struct order *o = find_order(naive, (int64_t)e.order_id);
    if (!o) o = walk_new(naive, command, e.order_id);
    if (e.exec_type == EXEC_REPLACED) walk_replace(naive, o, command);
    o->ord_status = (char)e.ord_status;
    o->reject_reason = e.leaves_qty ? 0 : e.reject_reason;
    o->limit_px = e.limit_px;
    o->order_qty = e.order_qty;
    o->cum_qty = e.cum_qty;
    o->leaves_qty = e.leaves_qty;
    o->notional += (__int128)e.last_px * e.last_qty;
    o->fee += e.fee;
    if (e.exec_type == EXEC_TRADE) walk_trade(naive, &e);
}

/* ---- an exchange ---- */

static struct journal_record *record_of(uint8_t *bytes, seq_t seq, uint64_t ref, int64_t time_ns,
                                        const void *message, size_t length)
{
    struct journal_record *r = (struct journal_record *)bytes;
    memset(r, 0, sizeof *r);
    r->seq = seq;
    r->ref = ref;
    r->time_ns = time_ns;
    memcpy(&r->header, message, length);
    return r;
}

static void emit(void *context, const void *message, size_t length)
{
    struct fixture *f = context;
    assert_true(f->event_count < EVENTS_A_COMMAND);
    (void)record_of(f->events[f->event_count++], ++f->next_out, f->next_in, f->time_ns, message,
                    length);
}

/* One command through the engine, the plain walk, and the batch; commits now and then. */
static void step(struct fixture *f, const void *message, size_t length)
{
    const struct event_sink sink = {emit, f};
    f->event_count = 0;
    f->time_ns += 1000 + (int64_t)next_random(f, 1000000);
    struct journal_record *command =
        record_of(f->command_bytes, ++f->next_in, 0, f->time_ns, message, length);
    engine_step(f->engine, f->next_in, f->time_ns, message, length, &sink);
    for (unsigned i = 0; i < f->event_count; i++) {
        const struct journal_record *event = (const struct journal_record *)f->events[i];
        walk(f, command, event);
        assert_int_equal(batch_event(&f->batch, command, event), STATUS_OK);
        if (batch_may_end(&f->batch) && next_random(f, 40) == 0) commit(f); /* inside a command */
    }
    assert_int_equal(batch_command_end(&f->batch, command), STATUS_OK);
    if (next_random(f, 60) == 0) commit(f);
}

static void open_exchange(struct fixture *f)
{
    const struct limits limits = {.instruments = 4,
                                  .accounts = 8,
                                  .users = 8,
                                  .keys = 8,
                                  .orders = 1024,
                                  .price_blocks = 512,
                                  .positions = 64,
                                  .cl_ord_ids = 8192,
                                  .volumes = 64,
                                  .trades = 64};
    struct command_configure configure = {
        .header = COMMAND_HEADER(COMMAND_CONFIGURE, struct command_configure), .limits = limits};
    f->engine_bytes = engine_bytes(&limits);
    f->engine = engine_init(arena_map(f->engine_bytes, 0), &limits);
    f->time_ns = INT64_C(1795351076000000000);
    batch_begin(&f->batch, 0, 0);
    step(f, &configure, sizeof configure);
    struct command_list_instrument list = {
        .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
        .instrument = 1,
        .symbol = "AAPL",
        .name = "Apple",
        .tick_px = 100,
        .lot_qty = 1,
        .max_order_qty = 1000,
        .max_order_notional = INT64_MAX,
        .max_fee_ppm = 1000,
        .shortable = 1};
    step(f, &list, sizeof list);
    struct command_set_fees fees = {.header =
                                        COMMAND_HEADER(COMMAND_SET_FEES, struct command_set_fees),
                                    .instrument = 1,
                                    .maker_ppm = -100,
                                    .taker_ppm = 333};
    step(f, &fees, sizeof fees);
    for (account_id_t a = 1; a <= 4; a++) {
        struct command_open_account account = {
            .header = COMMAND_HEADER(COMMAND_OPEN_ACCOUNT, struct command_open_account),
            .account = a,
            .name = "x"};
        step(f, &account, sizeof account);
        struct command_add_user user = {
            .header = COMMAND_HEADER(COMMAND_ADD_USER, struct command_add_user),
            .user = a,
            .account = a,
            .name = "u"};
        step(f, &user, sizeof user);
        struct command_deposit deposit = {
            .header = COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
            .account = a,
            .qty = INT64_C(20000000000)};
        step(f, &deposit, sizeof deposit);
        deposit.asset = 1;
        deposit.qty = 5000;
        step(f, &deposit, sizeof deposit);
    }
}

/* Mostly one that is open, and mostly by its own account. */
static order_id_t random_order(struct fixture *f, account_id_t *account)
{
    if (!f->naive.order_count) return 0;
    const struct order *order = NULL;
    for (unsigned tries = 0; tries < 20 && (!order || order->leaves_qty == 0); tries++)
        order = &f->naive.orders[next_random(f, (uint64_t)f->naive.order_count)];
    if (next_random(f, 10)) *account = (account_id_t)order->account;
    return (order_id_t)order->order_id;
}

static px_t random_px(struct fixture *f)
{
    return 100 * (1000 + (px_t)next_random(f, 20)) + (px_t)(next_random(f, 30) == 0);
}

static void random_new_order(struct fixture *f, account_id_t account)
{
    static const uint8_t tifs[] = {TIF_DAY, TIF_GTC, TIF_IOC, TIF_FOK, TIF_GTD};
    static const uint8_t types[] = {ORD_TYPE_LIMIT,     ORD_TYPE_LIMIT,  ORD_TYPE_LIMIT,
                                    ORD_TYPE_LIMIT,     ORD_TYPE_MARKET, ORD_TYPE_STOP,
                                    ORD_TYPE_STOP_LIMIT};
    struct command_new_order order = {
        .header = COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order),
        .account = account,
        .user = account,
        .instrument = 1,
        .side = next_random(f, 2) ? SIDE_BUY : SIDE_SELL,
        .ord_type = types[next_random(f, sizeof types)],
        .time_in_force = tifs[next_random(f, sizeof tifs)],
        .order_qty = 1 + (qty_t)next_random(f, 1200), /* sometimes above the limit */
        .stp = (uint8_t)next_random(f, 6)};
    bool stops = order.ord_type == ORD_TYPE_STOP || order.ord_type == ORD_TYPE_STOP_LIMIT;
    bool limited = order.ord_type == ORD_TYPE_LIMIT || order.ord_type == ORD_TYPE_STOP_LIMIT;
    if (limited) order.limit_px = random_px(f);
    if (stops) order.stop_px = random_px(f);
    if (order.time_in_force == TIF_GTD) order.expire_ns = f->time_ns + INT64_C(1000000000000);
    if (next_random(f, 8) == 0) order.display_qty = 1 + order.order_qty / 3;
    if (next_random(f, 8) == 0) order.min_qty = 1;
    if (next_random(f, 8) == 0) order.exec_inst = EXEC_INST_POST_ONLY;
    if (next_random(f, 2)) /* sometimes used before */
        (void)snprintf(order.cl_ord_id, sizeof order.cl_ord_id, "c%u",
                       (unsigned)next_random(f, 2000));
    bool plain = !order.stop_px && !order.display_qty && !order.min_qty && !order.expire_ns;
    if (plain) order.header = sbe_header_v1(COMMAND_NEW_ORDER, NEW_ORDER_V1_BYTES);
    step(f, &order, plain ? NEW_ORDER_V1_BYTES : sizeof order);
}

static void random_replace(struct fixture *f, account_id_t account)
{
    order_id_t order_id = random_order(f, &account);
    struct command_replace_order replace = {
        .header = COMMAND_HEADER(COMMAND_REPLACE_ORDER, struct command_replace_order),
        .account = account,
        .user = account,
        .order_id = order_id,
        .order_qty = next_random(f, 3) ? 1 + (qty_t)next_random(f, 500) : 0};
    if (next_random(f, 4) == 0) replace.limit_px = random_px(f);
    if (next_random(f, 8) == 0) replace.stop_px = random_px(f);
    if (next_random(f, 3) == 0)
        (void)snprintf(replace.cl_ord_id, sizeof replace.cl_ord_id, "r%u",
                       (unsigned)next_random(f, 2000));
    step(f, &replace, sizeof replace);
}

static void random_money(struct fixture *f, account_id_t account)
{
    asset_t asset = next_random(f, 2) ? 1 : next_random(f, 2) ? 0 : ASSET_CASH;
    struct command_withdraw withdraw = {
        .header = COMMAND_HEADER(COMMAND_WITHDRAW, struct command_withdraw),
        .account = account,
        .asset = asset,
        .qty = (int64_t)next_random(f, 40)};
    struct command_transfer transfer = {
        .header = COMMAND_HEADER(COMMAND_TRANSFER, struct command_transfer),
        .from_account = account,
        .to_account = (account_id_t)next_random(f, 5),
        .asset = asset,
        .reason = (uint32_t)next_random(f, 3),
        .qty = 1 + (int64_t)next_random(f, 40)};
    struct command_bust_trade bust = {
        .header = COMMAND_HEADER(COMMAND_BUST_TRADE, struct command_bust_trade),
        .trade_id = (trade_id_t)f->naive.trade_count - next_random(f, 10)};
    switch (next_random(f, 3)) {
    case 0: step(f, &withdraw, sizeof withdraw); break;
    case 1: step(f, &transfer, sizeof transfer); break;
    default: step(f, &bust, sizeof bust); break;
    }
}

/* From continuous trading through an auction and back. */
static void random_session(struct fixture *f)
{
    static const uint8_t sessions[] = {SESSION_HALT, SESSION_REOPENING_AUCTION, SESSION_CONTINUOUS,
                                       SESSION_CONTINUOUS, SESSION_CONTINUOUS};
    struct command_set_session session = {
        .header = COMMAND_HEADER(COMMAND_SET_SESSION, struct command_set_session),
        .instrument = 1,
        .session = sessions[next_random(f, sizeof sessions)]};
    step(f, &session, sizeof session);
}

static void random_command(struct fixture *f)
{
    account_id_t account = 1 + (account_id_t)next_random(f, 4);
    account_id_t owner = account;
    order_id_t order_id = random_order(f, &owner);
    struct command_cancel_order cancel = {
        .header = COMMAND_HEADER(COMMAND_CANCEL_ORDER, struct command_cancel_order),
        .account = owner,
        .user = owner,
        .order_id = order_id};
    struct command_mass_cancel mass = {
        .header = COMMAND_HEADER(COMMAND_MASS_CANCEL, struct command_mass_cancel),
        .account = account,
        .user = account};
    uint64_t kind = next_random(f, 40);
    if (kind < 27)
        random_new_order(f, account);
    else if (kind < 32)
        step(f, &cancel, sizeof cancel);
    else if (kind < 36)
        random_replace(f, account);
    else if (kind < 38)
        random_money(f, account);
    else if (next_random(f, 4))
        random_session(f);
    else
        step(f, &mass, sizeof mass);
}

static void assert_same(const struct fixture *f, uint64_t seed)
{
    const struct books *naive = &f->naive, *db = &f->database;
    print_message("seed %llu: %d orders, %d trades, %lld executions, %lld refusals, %lld renamed, "
                  "%lld busted, %lld auctions, %lld of the ledger\n",
                  (unsigned long long)seed, naive->order_count, naive->trade_count,
                  (long long)naive->executions, (long long)naive->refusals,
                  (long long)naive->renames, (long long)naive->rows[BATCH_BUST],
                  (long long)naive->rows[BATCH_AUCTION], (long long)naive->rows[BATCH_LEDGER]);
    assert_true(naive->trade_count > 100 && naive->refusals > 10);
    assert_int_equal(naive->order_count, db->order_count);
    assert_int_equal(naive->trade_count, db->trade_count);
    assert_int_equal(naive->executions, db->executions);
    assert_int_equal(naive->last_exec_id, db->last_exec_id);
    assert_int_equal(naive->refusals, db->refusals);
    assert_int_equal(naive->renames, db->renames);
    assert_memory_equal(naive->rows, db->rows, sizeof naive->rows);
    assert_memory_equal(naive->moved, db->moved, sizeof naive->moved);
    assert_true(naive->renames > 0 && naive->rows[BATCH_BUST] > 0);
    assert_true(naive->rows[BATCH_AUCTION] > 0 && naive->rows[BATCH_SESSION] > 0);
    for (int i = 0; i < naive->order_count; i++) {
        const struct order *a = &naive->orders[i];
        const struct order *b = find_order((struct books *)(uintptr_t)db, a->order_id);
        assert_non_null(b);
        assert_int_equal(a->account, b->account);
        assert_int_equal(a->ord_status, b->ord_status);
        assert_int_equal(a->sent_qty, b->sent_qty);
        assert_int_equal(a->order_qty, b->order_qty);
        assert_int_equal(a->cum_qty, b->cum_qty);
        assert_int_equal(a->leaves_qty, b->leaves_qty);
        assert_int_equal(a->in_seq, b->in_seq);
        assert_true(a->notional == b->notional);
        assert_string_equal(a->cl_ord_id, b->cl_ord_id);
        assert_string_equal(a->first_cl_ord_id, b->first_cl_ord_id);
        assert_int_equal(a->reject_reason, b->reject_reason);
        assert_int_equal(a->limit_px, b->limit_px);
        assert_int_equal(a->stop_px, b->stop_px);
        assert_int_equal(a->display_qty, b->display_qty);
        assert_int_equal(a->min_qty, b->min_qty);
        assert_int_equal(a->expire_ns, b->expire_ns);
        assert_int_equal(a->exec_inst, b->exec_inst);
        assert_int_equal(a->stp, b->stp);
        assert_int_equal(a->fee, b->fee);
    }
    assert_memory_equal(naive->trades, db->trades,
                        (size_t)naive->trade_count * sizeof naive->trades[0]);
}

static struct fixture *fixture_new(uint64_t seed)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    open_exchange(f);
    return f;
}

static void fixture_free(struct fixture *f)
{
    arena_unmap(f->engine, f->engine_bytes);
    batch_free(&f->batch);
    free(f);
}

static void batches_come_to_what_the_events_say(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct fixture *f = fixture_new(seed);
        for (int i = 0; i < COMMANDS; i++) random_command(f);
        commit(f);
        assert_int_equal(f->in_seq, f->next_in);
        assert_int_equal(f->out_seq, f->next_out);
        assert_same(f, seed);
        fixture_free(f);
    }
}

/* ---- journals that contradict themselves ---- */

static struct event_execution execution(order_id_t order_id, uint8_t exec_type, trade_id_t trade_id,
                                        uint8_t side)
{
    return (struct event_execution){.header = EVENT_HEADER(EVENT_EXECUTION, struct event_execution),
                                    .order_id = order_id,
                                    .trade_id = trade_id,
                                    .exec_type = exec_type,
                                    .side = side,
                                    .last_qty = trade_id ? 1 : 0};
}

static enum status feed(struct batch *batch, uint16_t template_id, seq_t seq, uint64_t ref,
                        const struct event_execution *e)
{
    _Alignas(8) uint8_t command[JOURNAL_RECORD_MAX_BYTES], event[JOURNAL_RECORD_MAX_BYTES];
    struct command_new_order order = {
        .header = sbe_header_of(template_id, sizeof order - sizeof(struct sbe_header))};
    return batch_event(batch, record_of(command, 1, 0, 0, &order, sizeof order),
                       record_of(event, seq, ref, 0, e, sizeof *e));
}

static void contradictions_are_found(void **state)
{
    (void)state;
    struct batch batch = {0};
    struct event_execution new_order = execution(5, EXEC_NEW, 0, SIDE_BUY);
    struct event_execution buy = execution(5, EXEC_TRADE, 9, SIDE_BUY);
    struct event_execution sell = execution(6, EXEC_TRADE, 9, SIDE_SELL);
    struct event_execution other = execution(6, EXEC_TRADE, 8, SIDE_SELL);

    batch_begin(&batch, 0, 0);
    assert_int_equal(feed(&batch, COMMAND_NEW_ORDER, 2, 1, &new_order), STATUS_CORRUPT); /* gap */
    assert_int_equal(feed(&batch, COMMAND_NEW_ORDER, 1, 2, &new_order), STATUS_CORRUPT); /* cause */
    assert_int_equal(feed(&batch, COMMAND_CANCEL_ORDER, 1, 1, &new_order), STATUS_CORRUPT);
    assert_int_equal(feed(&batch, COMMAND_NEW_ORDER, 1, 1, &new_order), STATUS_OK);
    assert_int_equal(feed(&batch, COMMAND_NEW_ORDER, 2, 1, &new_order), STATUS_CORRUPT); /* twice */

    batch_begin(&batch, 0, 0);
    assert_int_equal(feed(&batch, COMMAND_NEW_ORDER, 1, 1, &buy), STATUS_OK);
    assert_false(batch_may_end(&batch));
    assert_int_equal(feed(&batch, COMMAND_NEW_ORDER, 2, 1, &other), STATUS_CORRUPT);
    batch_begin(&batch, 0, 0);
    assert_int_equal(feed(&batch, COMMAND_NEW_ORDER, 1, 1, &buy), STATUS_OK);
    assert_int_equal(feed(&batch, COMMAND_NEW_ORDER, 2, 1, &buy), STATUS_CORRUPT); /* same side */
    batch_begin(&batch, 0, 0);
    assert_int_equal(feed(&batch, COMMAND_NEW_ORDER, 1, 1, &buy), STATUS_OK);
    assert_int_equal(feed(&batch, COMMAND_NEW_ORDER, 2, 1, &sell), STATUS_OK);
    assert_true(batch_may_end(&batch));
    batch_free(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_come_to_what_the_events_say),
        cmocka_unit_test(contradictions_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
