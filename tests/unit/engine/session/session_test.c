/* Sessions as scenarios: what is told when an instrument's day goes on, one line an event. Orders
 * are called by their count, #1 the first; prices are in ticks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/engine.h"
#include "engine/message/reject.h"

enum { AAPL = 1, MSFT = 2, SCHEDULED = 3, ANN = 1, BOB = 2, TICK = 100, TEXT_BYTES = 8192 };

#define SECOND INT64_C(1000000000)
#define DAY    (86400 * SECOND)
#define START  (18 * DAY) /* a Monday */

static const struct limits limits = {.instruments = 8,
                                     .accounts = 4,
                                     .users = 4,
                                     .keys = 4,
                                     .orders = 200,
                                     .price_blocks = 200,
                                     .positions = 32,
                                     .cl_ord_ids = 32,
                                     .volumes = 32,
                                     .trades = 32};

struct exchange {
    struct engine *engine;
    void *memory;
    size_t bytes;
    seq_t seq;
    int64_t time_ns;
    char told[TEXT_BYTES];
    size_t told_bytes;
};

/* ---- what is told ---- */

static void tell(struct exchange *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length =
        vsnprintf(self->told + self->told_bytes, TEXT_BYTES - self->told_bytes, format, arguments);
    va_end(arguments);
    assert_true(length > 0 && self->told_bytes + (size_t)length < TEXT_BYTES);
    self->told_bytes += (size_t)length;
}

static const char *side_word(uint8_t side)
{
    return side == SIDE_BUY ? "buy" : side == SIDE_SELL ? "sell" : "-";
}

static const char *session_word(uint8_t session)
{
    static const char *const words[] = {"?",          "CLOSED", "PRE_OPEN",  "OPENING",
                                        "CONTINUOUS", "HALT",   "REOPENING", "CLOSING"};
    return words[session < 8 ? session : 0];
}

static const char *cause_word(uint8_t cause)
{
    static const char *const words[] = {"?", "command", "schedule", "band", "breaker", "timer"};
    return words[cause < 6 ? cause : 0];
}

static void tell_execution(struct exchange *self, const struct event_execution *e)
{
    unsigned order = (unsigned)(e->order_id >> ORDER_SLOT_BITS);
    switch (e->exec_type) {
    case EXEC_TRADE:
        tell(self, "#%u %lld at %lld%s\n", order, (long long)e->last_qty,
             (long long)e->last_px / TICK,
             e->last_liquidity == LIQUIDITY_AUCTION ? " auction" : "");
        return;
    case EXEC_NEW: return; /* the scenarios are about what follows */
    case EXEC_EXPIRED: tell(self, "#%u expired\n", order); return;
    case EXEC_TRIGGERED: tell(self, "#%u triggered\n", order); return;
    default: tell(self, "#%u %s\n", order, reject_row(e->reject_reason)->code);
    }
}

static void tell_event(void *context, const void *message, size_t length)
{
    struct exchange *self = context;
    const struct sbe_header *header = message;
    assert_int_equal(length, header->block_length + sizeof *header);
    const struct event_session_changed *session = message;
    const struct event_auction *auction = message;
    const struct event_limit_state *limit_state = message;
    const struct event_breaker_tripped *breaker = message;
    switch (header->template_id) {
    case EVENT_EXECUTION: tell_execution(self, message); break;
    case EVENT_SESSION_CHANGED:
        tell(self, "%u %s > %s by %s\n", session->instrument, session_word(session->before),
             session_word(session->session), cause_word(session->cause));
        break;
    case EVENT_AUCTION:
        tell(self, "%u auction%s %lld of %lld, %lld %s left\n", auction->instrument,
             auction->final ? " final" : "", (long long)auction->px / TICK,
             (long long)auction->paired_qty, (long long)auction->imbalance_qty,
             side_word(auction->imbalance_side));
        break;
    case EVENT_LIMIT_STATE:
        tell(self, "%u limit state %s %s %lld\n", limit_state->instrument,
             limit_state->on ? "on" : "off", side_word(limit_state->side),
             (long long)limit_state->px / TICK);
        break;
    case EVENT_BREAKER_TRIPPED:
        tell(self, "breaker %u, down by %u\n", breaker->level, breaker->decline_ppm);
        break;
    case EVENT_TIME_PASSED:
        tell(self, "fired %u\n", ((const struct event_time_passed *)message)->fired_count);
        break;
    case EVENT_COMMAND_REJECTED:
        tell(self, "%s\n",
             reject_row(((const struct event_command_rejected *)message)->reject_reason)->code);
        break;
    default: break; /* answers to settings, and what the set-up says */
    }
}

/* All that was told since the last time. */
#define EXPECT(self, text)                                                                         \
    do {                                                                                           \
        assert_string_equal((self)->told, (text));                                                 \
        (self)->told_bytes = 0;                                                                    \
        (self)->told[0] = '\0';                                                                    \
    } while (0)

/* ---- commands ---- */

#define COMMAND(name, type)   .header = COMMAND_HEADER(name, struct type)
#define STEP(self, type, ...) step(self, &(const struct type){__VA_ARGS__}, sizeof(struct type))

static void step(struct exchange *self, const void *message, size_t length)
{
    const struct event_sink sink = {tell_event, self};
    engine_step(self->engine, ++self->seq, self->time_ns, message, length, &sink);
    engine_validate(self->engine);
}

static void set_session(struct exchange *self, instrument_id_t instrument, uint8_t session)
{
    STEP(self, command_set_session, COMMAND(COMMAND_SET_SESSION, command_set_session),
         .instrument = instrument, .session = session);
}

/* Time as the core lets it in: not before something is due. */
static void wait_until(struct exchange *self, int64_t after_start_ns)
{
    self->time_ns = START + after_start_ns;
    STEP(self, command_time, COMMAND(COMMAND_TIME, command_time),
         .deadline_ns = engine_deadline_ns(self->engine));
}

static void assert_next(const struct exchange *self, int64_t after_start_ns)
{
    assert_int_equal(engine_deadline_ns(self->engine), START + after_start_ns);
}

static struct command_new_order order_of(account_id_t account, uint8_t side, qty_t qty, px_t ticks,
                                         uint8_t time_in_force)
{
    return (struct command_new_order){COMMAND(COMMAND_NEW_ORDER, command_new_order),
                                      .account = account,
                                      .user = account,
                                      .instrument = AAPL,
                                      .side = side,
                                      .ord_type = ORD_TYPE_LIMIT,
                                      .time_in_force = time_in_force,
                                      .order_qty = qty,
                                      .limit_px = ticks * TICK};
}

static void buy(struct exchange *self, qty_t qty, px_t ticks, uint8_t time_in_force)
{
    struct command_new_order command = order_of(ANN, SIDE_BUY, qty, ticks, time_in_force);
    step(self, &command, sizeof command);
}

static void sell(struct exchange *self, qty_t qty, px_t ticks, uint8_t time_in_force)
{
    struct command_new_order command = order_of(BOB, SIDE_SELL, qty, ticks, time_in_force);
    step(self, &command, sizeof command);
}

static void send_stop(struct exchange *self, uint8_t side, px_t stop_ticks, uint8_t time_in_force)
{
    struct command_new_order command =
        order_of(side == SIDE_BUY ? ANN : BOB, side, 1, 0, time_in_force);
    command.ord_type = ORD_TYPE_STOP;
    command.stop_px = stop_ticks * TICK;
    step(self, &command, sizeof command);
}

static void set_bands(struct exchange *self, struct command_set_bands command)
{
    command.header = COMMAND_HEADER(COMMAND_SET_BANDS, struct command_set_bands);
    step(self, &command, sizeof command);
}

static void list_instrument(struct exchange *self, instrument_id_t instrument, uint8_t schedule,
                            uint8_t session)
{
    struct command_list_instrument command = {
        COMMAND(COMMAND_LIST_INSTRUMENT, command_list_instrument),
        .instrument = instrument,
        .name = "A company",
        .tick_px = TICK,
        .lot_qty = 1,
        .max_order_qty = 10000,
        .max_order_notional = INT64_MAX,
        .schedule = schedule,
        .session = session,
        .index_weight = 1};
    (void)snprintf(command.symbol, SYMBOL_BYTES, "S%u", instrument);
    step(self, &command, sizeof command);
}

static void open_broker(struct exchange *self, account_id_t account)
{
    STEP(self, command_open_account, COMMAND(COMMAND_OPEN_ACCOUNT, command_open_account),
         .account = account, .name = "A broker");
    STEP(self, command_add_user, COMMAND(COMMAND_ADD_USER, command_add_user), .user = account,
         .account = account, .name = "A trader");
    const asset_t assets[] = {0, AAPL, MSFT};
    for (int i = 0; i < 3; i++)
        STEP(self, command_deposit, COMMAND(COMMAND_DEPOSIT, command_deposit), .account = account,
             .asset = assets[i], .qty = 1000000000);
}

static int open_exchange(void **state)
{
    static struct exchange x;
    x = (struct exchange){.bytes = engine_bytes(&limits), .time_ns = START};
    x.memory = arena_map(x.bytes, 0);
    if (!x.memory) return -1;
    x.engine = engine_init(x.memory, &limits);
    STEP(&x, command_configure, COMMAND(COMMAND_CONFIGURE, command_configure), .limits = limits);
    list_instrument(&x, AAPL, 0, 0);
    list_instrument(&x, MSFT, 0, 0);
    open_broker(&x, ANN);
    open_broker(&x, BOB);
    EXPECT(&x, "");
    *state = &x;
    return 0;
}

static int close_exchange(void **state)
{
    arena_unmap(((struct exchange *)*state)->memory, ((struct exchange *)*state)->bytes);
    return 0;
}

/* ---- a day ---- */

static void the_morning(void **state)
{
    struct exchange *x = *state;
    set_session(x, AAPL, SESSION_PRE_OPEN);
    EXPECT(x, "1 CONTINUOUS > PRE_OPEN by command\n");
    buy(x, 10, 1000, TIF_DAY);
    sell(x, 4, 990, TIF_DAY);
    buy(x, 5, 900, TIF_AT_OPEN);
    sell(x, 5, 1100, TIF_AT_OPEN);
    send_stop(x, SIDE_SELL, 1000, TIF_DAY);
    buy(x, 3, 950, TIF_DAY);
    EXPECT(x, "");

    set_session(x, AAPL, SESSION_OPENING_AUCTION);
    EXPECT(x, "1 PRE_OPEN > OPENING by command\n");
    assert_next(x, SECOND);
    wait_until(x, SECOND);
    EXPECT(x, "1 auction 1000 of 4, 6 buy left\nfired 1\n");
    wait_until(x, 2 * SECOND);
    EXPECT(x, "fired 1\n"); /* nothing new */
    sell(x, 1, 1000, TIF_GTC);
    wait_until(x, 3 * SECOND + 5);
    EXPECT(x, "1 auction 1000 of 5, 5 buy left\nfired 1\n");
    assert_next(x, 4 * SECOND + 5);

    set_session(x, AAPL, SESSION_CONTINUOUS);
    EXPECT(x, "1 OPENING > CONTINUOUS by command\n"
              "1 auction final 1000 of 5, 5 buy left\n"
              "#1 4 at 1000 auction\n#2 4 at 1000 auction\n"
              "#1 1 at 1000 auction\n#7 1 at 1000 auction\n"
              "#3 expired\n#4 expired\n"
              "#5 triggered\n#1 1 at 1000\n#5 1 at 1000\n");
    assert_int_equal(engine_deadline_ns(x->engine), INT64_MAX);
    struct instrument_view view;
    assert_true(engine_instrument(x->engine, AAPL, &view));
    assert_int_equal(view.reference_px, 1000 * TICK);
}

static void the_evening(void **state)
{
    struct exchange *x = *state;
    sell(x, 5, 1003, TIF_DAY);
    sell(x, 5, 1002, TIF_GTC);
    buy(x, 5, 997, TIF_DAY);
    buy(x, 5, 998, TIF_DAY);
    buy(x, 5, 998, TIF_DAY);
    sell(x, 2, 998, TIF_AT_CLOSE); /* #6 */
    buy(x, 3, 1002, TIF_AT_CLOSE);
    sell(x, 1, 1500, TIF_AT_CLOSE);
    send_stop(x, SIDE_BUY, 1400, TIF_DAY); /* #9 */
    send_stop(x, SIDE_BUY, 1300, TIF_DAY);
    send_stop(x, SIDE_SELL, 600, TIF_DAY);
    send_stop(x, SIDE_SELL, 700, TIF_DAY);
    send_stop(x, SIDE_SELL, 700, TIF_GTC);
    EXPECT(x, "");
    set_session(x, AAPL, SESSION_CLOSING_AUCTION);
    buy(x, 1, 400, TIF_AT_CLOSE); /* #14 */
    wait_until(x, SECOND);
    EXPECT(x, "1 CONTINUOUS > CLOSING by command\n"
              "1 auction 1002 of 3, 4 sell left\nfired 1\n");
    set_session(x, AAPL, SESSION_CLOSED);
    EXPECT(x, "1 CLOSING > CLOSED by command\n"
              "1 auction final 1002 of 3, 4 sell left\n"
              "#7 2 at 1002 auction\n#6 2 at 1002 auction\n"
              "#7 1 at 1002 auction\n#2 1 at 1002 auction\n"
              "#4 expired\n#5 expired\n#3 expired\n#14 expired\n" /* bids, the best first */
              "#1 expired\n#8 expired\n"
              "#10 expired\n#9 expired\n#12 expired\n#11 expired\n");
}

static void at_close_orders_that_wait_expire_when_it_closes_without_an_auction(void **state)
{
    struct exchange *x = *state;
    buy(x, 5, 1000, TIF_AT_CLOSE);
    sell(x, 5, 1000, TIF_AT_CLOSE);
    sell(x, 5, 1010, TIF_GTC);
    set_session(x, AAPL, SESSION_CLOSED);
    EXPECT(x, "1 CONTINUOUS > CLOSED by command\n#1 expired\n#2 expired\n");
    set_session(x, AAPL, SESSION_CLOSED);
    EXPECT(x, "");
}

static void what_the_auctions_leave_expires_when_it_closes(void **state)
{
    struct exchange *x = *state;
    set_session(x, AAPL, SESSION_PRE_OPEN);
    buy(x, 1, 900, TIF_AT_OPEN);
    sell(x, 1, 1100, TIF_AT_OPEN);
    set_session(x, AAPL, SESSION_CLOSED);
    EXPECT(x, "1 CONTINUOUS > PRE_OPEN by command\n1 PRE_OPEN > CLOSED by command\n"
              "#1 expired\n#2 expired\n");
}

static void each_auction_begins_with_nothing_told(void **state)
{
    struct exchange *x = *state;
    set_session(x, AAPL, SESSION_OPENING_AUCTION);
    buy(x, 1, 1000, TIF_GTC);
    sell(x, 1, 1000, TIF_GTC);
    wait_until(x, SECOND);
    set_session(x, AAPL, SESSION_CLOSING_AUCTION);
    assert_next(x, 2 * SECOND);
    wait_until(x, 2 * SECOND);
    EXPECT(x, "1 CONTINUOUS > OPENING by command\n1 auction 1000 of 1, 0 - left\nfired 1\n"
              "1 OPENING > CLOSING by command\n1 auction 1000 of 1, 0 - left\nfired 1\n");
}

static void a_halt_by_command_keeps_a_crossed_book_until_an_auction(void **state)
{
    struct exchange *x = *state;
    set_bands(x, (struct command_set_bands){.instrument = AAPL, .halt_ms = 5, .auction_ms = 3000});
    buy(x, 5, 1000, TIF_GTC);
    set_session(x, 0, SESSION_HALT);
    EXPECT(x, "1 CONTINUOUS > HALT by command\n2 CONTINUOUS > HALT by command\n");
    assert_int_equal(engine_deadline_ns(x->engine), INT64_MAX); /* no end of its own */
    sell(x, 5, 1000, TIF_GTC);
    EXPECT(x, "#2 halted\n");
    set_session(x, AAPL, SESSION_REOPENING_AUCTION);
    sell(x, 2, 1000, TIF_GTC);
    wait_until(x, 4 * SECOND);
    /* the look that was due after a second, then the end that was due after three */
    EXPECT(x, "1 HALT > REOPENING by command\n"
              "1 auction 1000 of 2, 3 buy left\n"
              "1 REOPENING > CONTINUOUS by timer\n"
              "1 auction final 1000 of 2, 3 buy left\n"
              "#1 2 at 1000 auction\n#3 2 at 1000 auction\nfired 2\n");
}

/* ---- protection ---- */

static void a_limit_state_that_lasts_is_a_halt(void **state)
{
    struct exchange *x = *state;
    set_bands(x, (struct command_set_bands){.instrument = AAPL,
                                            .dynamic_ppm = 100000,
                                            .limit_state_ms = 2000,
                                            .halt_ms = 10000,
                                            .auction_ms = 5000});
    buy(x, 1, 1000, TIF_GTC);
    sell(x, 1, 1000, TIF_GTC);
    buy(x, 1, 899, TIF_GTC);
    EXPECT(x, "#1 1 at 1000\n#2 1 at 1000\n");
    sell(x, 5, 800, TIF_GTC);
    EXPECT(x, "1 limit state on sell 900\n#4 price_band\n");
    assert_next(x, 2 * SECOND);
    x->time_ns += SECOND;
    sell(x, 5, 800, TIF_GTC);
    EXPECT(x, "#5 price_band\n"); /* one limit state at a time */
    buy(x, 1, 905, TIF_GTC);
    sell(x, 1, 905, TIF_GTC);
    EXPECT(x, "#6 1 at 905\n#7 1 at 905\n1 limit state off - 0\n");
    assert_int_equal(engine_deadline_ns(x->engine), INT64_MAX);

    buy(x, 1, 995, TIF_GTC);
    sell(x, 1, 995, TIF_GTC);
    sell(x, 1, 890, TIF_GTC);
    EXPECT(x, "#8 1 at 995\n#9 1 at 995\n#3 1 at 899\n#10 1 at 899\n");
}

static void without_limit_states_a_band_only_stops_the_order(void **state)
{
    struct exchange *x = *state;
    set_bands(x, (struct command_set_bands){.instrument = AAPL, .dynamic_ppm = 10000});
    buy(x, 1, 980, TIF_GTC);
    sell(x, 1, 990, TIF_GTC);
    buy(x, 1, 990, TIF_GTC);
    sell(x, 1, 980, TIF_GTC);
    EXPECT(x, "#2 1 at 990\n#3 1 at 990\n#4 price_band\n");
    assert_int_equal(engine_deadline_ns(x->engine), INT64_MAX);
}

static void the_last_trade_of_a_day_is_the_reference_of_the_next(void **state)
{
    struct exchange *x = *state;
    set_bands(x, (struct command_set_bands){
                     .instrument = AAPL, .static_ppm = 10000, .reference_px = 1000 * TICK});
    sell(x, 1, 990, TIF_GTC);
    buy(x, 1, 990, TIF_GTC);
    sell(x, 1, 985, TIF_GTC);
    EXPECT(x, "#1 1 at 990\n#2 1 at 990\n#3 price_band\n");
    STEP(x, command_end_day, COMMAND(COMMAND_END_DAY, command_end_day), .day = 19);
    sell(x, 1, 985, TIF_GTC);
    EXPECT(x, "");
}

static void a_halt_that_a_command_ends_leaves_no_timer(void **state)
{
    struct exchange *x = *state;
    set_bands(x, (struct command_set_bands){.instrument = AAPL, .auction_ms = 3000});
    set_session(x, AAPL, SESSION_REOPENING_AUCTION);
    set_session(x, AAPL, SESSION_CONTINUOUS);
    assert_int_equal(engine_deadline_ns(x->engine), INT64_MAX);
    EXPECT(x, "1 CONTINUOUS > REOPENING by command\n1 REOPENING > CONTINUOUS by command\n");
}

static void halts_and_reopening_auctions_end_by_themselves(void **state)
{
    struct exchange *x = *state;
    set_bands(x, (struct command_set_bands){.instrument = AAPL,
                                            .static_ppm = 100000,
                                            .limit_state_ms = 2000,
                                            .halt_ms = 10000,
                                            .auction_ms = 5000,
                                            .reference_px = 1000 * TICK});
    sell(x, 1, 1100, TIF_GTC);
    set_bands(x, (struct command_set_bands){.instrument = AAPL,
                                            .static_ppm = 50000,
                                            .limit_state_ms = 2000,
                                            .halt_ms = 10000,
                                            .auction_ms = 5000});
    buy(x, 1, 1051, TIF_GTC);
    EXPECT(x, "#2 price_band\n");
    buy(x, 1, 1050, TIF_GTC);
    EXPECT(x, "");
    struct command_new_order market = order_of(ANN, SIDE_BUY, 1, 0, TIF_IOC);
    market.ord_type = ORD_TYPE_MARKET;
    set_bands(x, (struct command_set_bands){.instrument = AAPL,
                                            .static_ppm = 50000,
                                            .collar_ppm = 200000,
                                            .limit_state_ms = 2000,
                                            .halt_ms = 10000,
                                            .auction_ms = 5000});
    step(x, &market, sizeof market);
    EXPECT(x, "1 limit state on buy 1050\n#4 price_band\n");
    wait_until(x, 2 * SECOND);
    EXPECT(x, "1 limit state off - 0\n1 CONTINUOUS > HALT by band\nfired 1\n");
    assert_next(x, 12 * SECOND);
    wait_until(x, 12 * SECOND);
    EXPECT(x, "1 HALT > REOPENING by timer\nfired 1\n");
    for (int second = 13; second < 17; second++) wait_until(x, second * SECOND);
    EXPECT(x, "fired 1\nfired 1\nfired 1\nfired 1\n");
    wait_until(x, 17 * SECOND); /* the end of a session comes before its work */
    EXPECT(x, "1 REOPENING > CONTINUOUS by timer\nfired 1\n");
}

static void trade_at(struct exchange *x, px_t ticks)
{
    sell(x, 1, ticks, TIF_IOC);
}

static void breakers_trip_once_a_day_at_each_level(void **state)
{
    struct exchange *x = *state;
    static const px_t bids[] = {1000, 931, 930, 800, 799, 700};
    for (int i = 0; i < 6; i++) buy(x, 1, bids[i], TIF_GTC);
    set_bands(x, (struct command_set_bands){.instrument = MSFT, .reference_px = 0});
    trade_at(x, 1000);
    STEP(x, command_set_breakers, COMMAND(COMMAND_SET_BREAKERS, command_set_breakers),
         .decline_ppm = {70000, 200000}, .halt_ms = {1000, 0}, .auction_ms = 500);
    EXPECT(x, "#1 1 at 1000\n#7 1 at 1000\n");
    trade_at(x, 930);
    EXPECT(x, "#2 1 at 931\n#8 1 at 931\n");
    trade_at(x, 930);
    EXPECT(x, "#3 1 at 930\n#9 1 at 930\nbreaker 1, down by 70000\n"
              "1 CONTINUOUS > HALT by breaker\n2 CONTINUOUS > HALT by breaker\n");
    wait_until(x, SECOND);
    wait_until(x, SECOND + SECOND / 2);
    EXPECT(x, "1 HALT > REOPENING by timer\n2 HALT > REOPENING by timer\nfired 2\n"
              "1 REOPENING > CONTINUOUS by timer\n2 REOPENING > CONTINUOUS by timer\nfired 2\n");
    set_session(x, MSFT, SESSION_CLOSED);
    trade_at(x, 800);
    EXPECT(x, "2 CONTINUOUS > CLOSED by command\n#4 1 at 800\n#10 1 at 800\n"
              "breaker 2, down by 200000\n1 CONTINUOUS > HALT by breaker\n");
    assert_int_equal(engine_deadline_ns(x->engine), INT64_MAX);
    set_session(x, AAPL, SESSION_CONTINUOUS);
    trade_at(x, 799);
    EXPECT(x, "1 HALT > CONTINUOUS by command\n#5 1 at 799\n#11 1 at 799\n");
    STEP(x, command_end_day, COMMAND(COMMAND_END_DAY, command_end_day), .day = 19);
    trade_at(x, 700); /* of 799 */
    EXPECT(x, "#6 1 at 700\n#12 1 at 700\nbreaker 1, down by 123904\n"
              "1 CONTINUOUS > HALT by breaker\n");
}

/* ---- schedules ---- */

static struct command_set_schedule every_day(void)
{
    return (struct command_set_schedule){
        COMMAND(COMMAND_SET_SCHEDULE, command_set_schedule), .schedule = 3,
        .second_of_day = {3600, 7200, 10800},
        .session = {SESSION_PRE_OPEN, SESSION_CONTINUOUS, SESSION_CLOSED},
        .weekdays = {127, 127, 127}};
}

static void set_schedule(struct exchange *self, struct command_set_schedule command)
{
    step(self, &command, sizeof command);
}

static void a_schedule_that_was_slept_through_is_carried_out_in_order(void **state)
{
    struct exchange *x = *state;
    set_schedule(x, every_day());
    list_instrument(x, SCHEDULED, 3, 0);
    EXPECT(x, "");
    assert_next(x, 3600 * SECOND);
    wait_until(x, 3600 * SECOND - 1);
    EXPECT(x, "fired 0\n");
    wait_until(x, DAY + 3600 * SECOND);
    EXPECT(x, "3 CLOSED > PRE_OPEN by schedule\n3 PRE_OPEN > CONTINUOUS by schedule\n"
              "3 CONTINUOUS > CLOSED by schedule\n3 CLOSED > PRE_OPEN by schedule\nfired 4\n");
    assert_next(x, DAY + 7200 * SECOND);
    set_session(x, SCHEDULED, SESSION_CONTINUOUS);
    wait_until(x, DAY + 7200 * SECOND);
    EXPECT(x, "3 PRE_OPEN > CONTINUOUS by command\nfired 1\n"); /* it was there already */
}

static void a_command_fires_64_timers_at_most(void **state)
{
    struct exchange *x = *state;
    set_schedule(x, every_day());
    list_instrument(x, SCHEDULED, 3, SESSION_CLOSED);
    wait_until(x, 30 * DAY);
    char *last = strrchr(x->told, 'f');
    assert_non_null(last);
    assert_string_equal(last, "fired 64\n");
    x->told_bytes = 0;
    assert_next(x, 21 * DAY + 7200 * SECOND); /* the 65th of three a day */
    wait_until(x, 30 * DAY);
    last = strrchr(x->told, 'f');
    assert_string_equal(last, "fired 26\n");
    assert_next(x, 30 * DAY + 3600 * SECOND);
    x->told_bytes = 0;
}

static void a_new_schedule_is_followed_from_now_on(void **state)
{
    struct exchange *x = *state;
    set_schedule(x, every_day());
    list_instrument(x, SCHEDULED, 3, 0);
    x->time_ns = START + 5000 * SECOND; /* its first row has come, and nobody has looked */
    struct command_set_schedule command = every_day();
    command.second_of_day[0] = 5000;
    set_schedule(x, command);
    assert_next(x, 7200 * SECOND);
    set_schedule(x, (struct command_set_schedule){.header = command.header, .schedule = 3});
    assert_int_equal(engine_deadline_ns(x->engine), INT64_MAX);
    EXPECT(x, "");
}

static void orders_expire_at_their_time_the_older_first(void **state)
{
    struct exchange *x = *state;
    struct command_new_order command = order_of(ANN, SIDE_BUY, 1, 1000, TIF_GTD);
    static const int64_t expiries[] = {3, 2, 3, 1};
    for (int i = 0; i < 4; i++) {
        command.expire_ns = START + expiries[i] * SECOND;
        step(x, &command, sizeof command);
    }
    wait_until(x, SECOND - 1);
    wait_until(x, SECOND);
    command.expire_ns = START + 3 * SECOND; /* into the slot of the one that has expired */
    step(x, &command, sizeof command);
    set_session(x, AAPL, SESSION_HALT);
    EXPECT(x, "fired 0\n#4 expired\nfired 1\n1 CONTINUOUS > HALT by command\n");
    wait_until(x, 5 * SECOND);
    EXPECT(x, "#2 expired\n#1 expired\n#3 expired\n#5 expired\nfired 4\n");
}

/* ---- refusals ---- */

static void settings_that_make_no_sense_are_refused(void **state)
{
    struct exchange *x = *state;
    set_session(x, 4, SESSION_CLOSED);
    set_session(x, AAPL, 0);
    set_session(x, 0, 8);
    EXPECT(x, "unknown_symbol\ninvalid_setting\ninvalid_setting\n");
    set_bands(x, (struct command_set_bands){.instrument = 4});
    set_bands(x, (struct command_set_bands){.instrument = AAPL, .static_ppm = 1000001});
    set_bands(x, (struct command_set_bands){.instrument = AAPL, .dynamic_ppm = 1000001});
    set_bands(x, (struct command_set_bands){.instrument = AAPL, .collar_ppm = 1000001});
    set_bands(x, (struct command_set_bands){.instrument = AAPL, .reference_px = TICK + 1});
    set_bands(x, (struct command_set_bands){.instrument = AAPL, .reference_px = -TICK});
    EXPECT(x, "unknown_symbol\ninvalid_setting\ninvalid_setting\ninvalid_setting\n"
              "invalid_setting\ninvalid_setting\n");
    static const uint32_t declines[][BREAKER_LEVELS] = {{1000001}, {5, 5},    {5, 4},
                                                        {0, 5},    {5, 0, 6}, {5, 6, 6}};
    for (int i = 0; i < 6; i++) {
        struct command_set_breakers command = {COMMAND(COMMAND_SET_BREAKERS, command_set_breakers)};
        memcpy(command.decline_ppm, declines[i], sizeof declines[i]);
        step(x, &command, sizeof command);
        EXPECT(x, "invalid_setting\n");
    }
    struct command_set_schedule schedule = every_day();
    schedule.schedule = 0;
    set_schedule(x, schedule);
    EXPECT(x, "invalid_setting\n");
}

#define SCENARIO(function) cmocka_unit_test_setup_teardown(function, open_exchange, close_exchange)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(the_morning),
        SCENARIO(the_evening),
        SCENARIO(at_close_orders_that_wait_expire_when_it_closes_without_an_auction),
        SCENARIO(what_the_auctions_leave_expires_when_it_closes),
        SCENARIO(each_auction_begins_with_nothing_told),
        SCENARIO(a_halt_by_command_keeps_a_crossed_book_until_an_auction),
        SCENARIO(a_limit_state_that_lasts_is_a_halt),
        SCENARIO(without_limit_states_a_band_only_stops_the_order),
        SCENARIO(the_last_trade_of_a_day_is_the_reference_of_the_next),
        SCENARIO(a_halt_that_a_command_ends_leaves_no_timer),
        SCENARIO(halts_and_reopening_auctions_end_by_themselves),
        SCENARIO(breakers_trip_once_a_day_at_each_level),
        SCENARIO(a_schedule_that_was_slept_through_is_carried_out_in_order),
        SCENARIO(a_command_fires_64_timers_at_most),
        SCENARIO(a_new_schedule_is_followed_from_now_on),
        SCENARIO(orders_expire_at_their_time_the_older_first),
        SCENARIO(settings_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
