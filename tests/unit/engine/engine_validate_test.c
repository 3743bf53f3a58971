#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/engine_layout.h"
#include "tests/unit/engine/dies.h"
#include "tests/unit/engine/small_engine.h"

/* A market with something of everything, and what of it the corruptions below touch. */
struct market {
    struct small_engine *s;
    struct engine *e;
    order_id_t bid;     /* Ann's in AAPL, under a client order id, partly filled */
    order_id_t bid_2;   /* her second */
    order_id_t iceberg; /* Bob's ask */
    order_id_t stop;    /* Bob's, good till a date */
    order_id_t parked;  /* Ann's, for the closing auction */
    order_id_t at_open; /* Bob's in MSFT, which collects orders for its opening */
};

static order_id_t send(struct market *m, struct command_new_order c)
{
    order_id_t id = send_order(m->s, &c);
    forget_events(m->s);
    return id;
}

static void list_index_member(struct market *m)
{
    struct command_list_instrument c = listing(MSFT, "MSFT");
    c.session = SESSION_PRE_OPEN;
    c.index_weight = 3;
    c.max_fee_ppm = 500;
    step(m->s, &c, sizeof c), forget_events(m->s);
    const struct command_set_bands bands = {
        .header = COMMAND_HEADER(COMMAND_SET_BANDS, struct command_set_bands),
        .instrument = MSFT,
        .static_ppm = 100000,
        .reference_px = 10000};
    step(m->s, &bands, sizeof bands), forget_events(m->s);
}

static void open_market(struct market *m, struct small_engine *s)
{
    *m = (struct market){.s = s, .e = s->engine};
    struct command_new_order c;
    list_index_member(m);
    c = order_by(ANN, SIDE_BUY, 10, 9000), put_text(c.cl_ord_id, CL_ORD_ID_BYTES, "first");
    m->bid = send(m, c);
    (void)send(m, order_by(BOB, SIDE_SELL, 3, 9000));
    m->bid_2 = send(m, order_by(ANN, SIDE_BUY, 5, 8900));
    c = order_by(BOB, SIDE_SELL, 50, 9500), c.display_qty = 10;
    m->iceberg = send(m, c);
    c = order_by(BOB, SIDE_SELL, 7, 8000), c.ord_type = ORD_TYPE_STOP_LIMIT, c.stop_px = 8500;
    c.time_in_force = TIF_GTD, c.expire_ns = INT64_C(1000000000);
    m->stop = send(m, c);
    c = order_by(ANN, SIDE_SELL, 4, 9900), c.time_in_force = TIF_AT_CLOSE;
    m->parked = send(m, c);
    c = order_by(BOB, SIDE_BUY, 2, 10000), c.time_in_force = TIF_AT_OPEN, c.instrument = MSFT;
    m->at_open = send(m, c);
    engine_validate(m->e);
}

static struct book_order *order_of(struct market *m, order_id_t id)
{
    struct book_order *order = book_find(&m->e->books, id);
    assert_non_null(order);
    return order;
}

static struct order_more *more_of(struct market *m, order_id_t id)
{
    return book_more(&m->e->books, order_of(m, id));
}

static struct wallet_position *position_of(struct market *m, order_id_t id)
{
    return &m->e->wallet.positions[order_of(m, id)->position];
}

static struct account *account_of(struct market *m, account_id_t account)
{
    return &m->e->accounts.accounts[account];
}

static struct instrument *instrument_of(struct market *m, instrument_id_t instrument)
{
    return &m->e->instruments.table[instrument];
}

/* A balance changes, and all that is counted of it does, too. */
static void hold_more_cash(struct market *m, account_id_t account, cash_t cash)
{
    wallet_hold_cash(wallet_cash_of(&m->e->wallet, account, 0), cash);
}

/* Each breaks one thing. */
#define CORRUPTIONS(X)                                                                             \
    X(order_without_leaves, order_of(m, m->bid)->leaves_qty = 0)                                   \
    X(more_leaves_than_ordered, order_of(m, m->bid)->order_qty = 6)                                \
    X(order_of_another_account, order_of(m, m->bid)->account = BOB)                                \
    X(order_of_another_instrument, order_of(m, m->bid)->instrument = MSFT)                         \
    X(order_id_of_the_future, order_of(m, m->bid)->order_id += UINT64_C(1) << 40)                  \
    X(order_off_its_level, order_of(m, m->bid)->limit_px = 8800)                                   \
    X(order_off_the_tick, order_of(m, m->parked)->limit_px = 9901)                                 \
    X(stop_off_its_level, more_of(m, m->stop)->stop_px = 8600)                                     \
    X(stop_triggered_where_it_waits, order_of(m, m->stop)->triggered = 1)                          \
    X(limit_order_triggered, order_of(m, m->parked)->triggered = 1)                                \
    X(post_only_in_one_place, order_of(m, m->bid)->post_only = 1)                                  \
    X(order_with_a_strange_position, order_of(m, m->bid)->position = position_at(m, m->iceberg))   \
    X(order_with_a_strange_volume, order_of(m, m->bid)->volume = order_of(m, m->iceberg)->volume)  \
    X(parked_without_reason, order_of(m, m->parked)->time_in_force = TIF_GTC)                      \
    X(forgotten_client_order_id, cl_ord_ids_clear(&m->e->cl_ord_ids))                              \
    X(other_client_order_id, more_of(m, m->bid)->cl_ord_id_hash++)                                 \
    X(date_without_timer, timer_clear(&m->e->timers, TIMER_ORDER, slot_of(m->stop)))               \
    X(date_moved, more_of(m, m->stop)->expire_ns++)                                                \
    X(timer_without_date, timer_set(&m->e->timers, TIMER_ORDER, slot_of(m->bid), 5))               \
    X(timer_of_a_free_slot,                                                                        \
      timer_set(&m->e->timers, TIMER_ORDER, m->e->books.counts->order_free, 5))                    \
    X(date_on_another_order, order_of(m, m->stop)->time_in_force = TIF_GTC)                        \
    X(iceberg_shows_more_than_it_has, more_of(m, m->iceberg)->shown_qty = 51)                      \
    X(iceberg_shows_nothing, more_of(m, m->iceberg)->shown_qty = 0)                                \
    X(account_without_its_first, account_of(m, ANN)->first_order = slot_of(m->bid_2))              \
    X(account_without_its_last, account_of(m, ANN)->last_order = slot_of(m->bid_2))                \
    X(account_with_a_broken_link, more_of(m, m->bid_2)->account_prev = 0)                          \
    X(account_without_orders, account_of(m, ANN)->first_order = 0)                                 \
    X(orders_out_of_order, swap_first_two(m))                                                      \
    X(one_order_too_many, account_of(m, ANN)->open_orders++)                                       \
    X(open_notional_off, account_of(m, BOB)->open_notional--)                                      \
    X(stp_of_an_account, account_of(m, ANN)->stp = STP_ACCOUNT)                                    \
    X(closed_account_with_notional, account_of(m, CY)->open_notional = 1)                          \
    X(cash_held_for_nothing, hold_more_cash(m, ANN, 1))                                            \
    X(cash_not_held, wallet_release_cash(wallet_cash_of(&m->e->wallet, BOB, 0), 1))                \
    X(shares_held_for_nothing, wallet_hold_shares(position_of(m, m->bid), 1))                      \
    X(shares_not_held, wallet_release_shares(position_of(m, m->iceberg), 1))                       \
    X(open_buys_off, position_of(m, m->bid)->open_buy_qty++)                                       \
    X(volume_off, m->e->volumes.slots[order_of(m, m->bid)->volume].open_qty--)                     \
    X(volume_lost, *m->e->volumes.used -= 1)                                                       \
    X(volume_misplaced, move_volume(m))                                                            \
    X(cash_from_nowhere, wallet_cash_of(&m->e->wallet, 0, 3)->available++)                         \
    X(shares_from_nowhere, m->e->wallet.house_shares[AAPL]++)                                      \
    X(at_open_forgotten, instrument_of(m, MSFT)->at_open_count = 0)                                \
    X(at_open_invented, instrument_of(m, AAPL)->at_open_count = 1)                                 \
    X(parked_forgotten, instrument_of(m, AAPL)->parked_count = 0)                                  \
    X(parked_list_lost, m->e->books.parked[AAPL] = (struct parked_list){0})                        \
    X(session_unknown, instrument_of(m, AAPL)->session = 0)                                        \
    X(limit_state_outside_trading, instrument_of(m, MSFT)->limit_state = 1)                        \
    X(bands_forgotten, instrument_of(m, MSFT)->has_bands = 0)                                      \
    X(limits_invented, instrument_of(m, MSFT)->has_more_limits = 1)                                \
    X(last_price_off_the_tick, instrument_of(m, AAPL)->last_px++)                                  \
    X(reference_price_off_the_tick, instrument_of(m, AAPL)->reference_px = 1)                      \
    X(symbol_not_found, instrument_of(m, AAPL)->symbol[0] = 'B')                                   \
    X(bounds_of_prices_off, instrument_of(m, MSFT)->bounds.worst_px[1]--)                          \
    X(bounds_of_limits_off, instrument_of(m, AAPL)->bounds.daily_qty++)                            \
    X(limit_of_an_account_off, account_of(m, ANN)->max_exposure--)                                 \
    X(limit_of_a_user_off, m->e->accounts.users[ANN].max_order_qty--)                              \
    X(user_lost, m->e->accounts.first_users[ANN] = BOB)                                            \
    X(index_off, m->e->state->index++)                                                             \
    X(order_leaked, m->e->books.counts->orders++)                                                  \
    X(slot_lost, m->e->books.counts->order_fresh++)                                                \
    X(level_lost, m->e->books.pool.blocks[order_of(m, m->bid)->at >> 6].bitmap = 0)                \
    X(level_off, m->e->books.pool.levels[order_of(m, m->bid)->at].leaves_qty++)                    \
    X(crossed_while_trading, instrument_of(m, MSFT)->session = SESSION_CONTINUOUS)

static uint32_t position_at(struct market *m, order_id_t id)
{
    return order_of(m, id)->position;
}

/* Ann's list begins with her second order, all links in place. */
static void swap_first_two(struct market *m)
{
    uint32_t first = slot_of(m->bid), second = slot_of(m->bid_2), third = slot_of(m->parked);
    struct order_more *more = m->e->books.more;
    account_of(m, ANN)->first_order = second;
    more[second].account_prev = 0, more[second].account_next = first;
    more[first].account_prev = second, more[first].account_next = third;
    more[third].account_prev = first;
}

/* To a slot where nobody will look for it; its order goes with it. */
static void move_volume(struct market *m)
{
    struct volumes *v = &m->e->volumes;
    struct book_order *order = order_of(m, m->at_open);
    uint32_t to = order->volume;
    do to = (to + v->slot_count - 1) & (v->slot_count - 1);
    while (to == 0 || v->slots[to].user);
    v->slots[to] = v->slots[order->volume];
    v->slots[order->volume] = (struct volume){0};
    order->volume = to;
}

/* MSFT's book is crossed, as it may be before it opens; then it is said to trade. */
static void cross_msft(struct market *m)
{
    struct command_new_order c = order_by(ANN, SIDE_BUY, 1, 10000);
    c.instrument = MSFT;
    (void)send(m, c);
    deposit(m->s, BOB, MSFT, 1), forget_events(m->s);
    c = order_by(BOB, SIDE_SELL, 1, 10000), c.instrument = MSFT;
    (void)send(m, c);
}

struct corruption {
    const char *name;
    void (*corrupt)(struct market *m);
};

#define CORRUPT_FUNCTION(name, code)                                                               \
    static void name(struct market *m)                                                             \
    {                                                                                              \
        code;                                                                                      \
    }
CORRUPTIONS(CORRUPT_FUNCTION)

#define CORRUPT_ROW(name, code) {#name, name},
static const struct corruption corruptions[] = {CORRUPTIONS(CORRUPT_ROW)};

struct attempt {
    struct market *m;
    const struct corruption *corruption;
};

static void corrupt_and_validate(void *argument)
{
    const struct attempt *attempt = argument;
    attempt->corruption->corrupt(attempt->m);
    engine_validate(attempt->m->e);
}

static void whatever_is_broken_is_found(void **state)
{
    struct market m;
    open_market(&m, *state);
    cross_msft(&m);
    cancel(m.s, ANN, send(&m, order_by(ANN, SIDE_BUY, 1, 100)), ""); /* leaves a free slot */
    forget_events(m.s);
    for (unsigned i = 0; i < sizeof corruptions / sizeof corruptions[0]; i++) {
        struct attempt attempt = {&m, &corruptions[i]};
        if (!dies(corrupt_and_validate, &attempt)) fail_msg("not found: %s", corruptions[i].name);
    }
    engine_validate(m.e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {MARKET_TEST(whatever_is_broken_is_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
