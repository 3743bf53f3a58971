/* resources_test.c - what the complete engine does, as REST shows it: every kind of order, many
 * canceled at once, orders that are only looked at, sessions, auctions, accounts and their limits.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/engine_dry_run.h"
#include "tests/unit/web/rest/served_exchange.h"

static struct served served;

static int open_served(void **state)
{
    (void)state;
    served_open(&served);
    return 0;
}

static int close_served(void **state)
{
    (void)state;
    served_close(&served);
    return 0;
}

static void visit(void (*function)(struct served *self))
{
    served_run(&served, function);
    if (served.wrong[0]) fail_msg("%s", served.wrong);
}

#define OF(type, side, qty, more)                                                                  \
    "{\"symbol\":\"AAPL\",\"type\":\"" type "\",\"side\":\"" side "\",\"qty\":" qty more "}"
#define LIMIT(side, qty, price, more) OF("limit", side, qty, ",\"limit_price\":\"" price "\"" more)

static void place(struct served *self, const struct client *client, const char *body,
                  struct answer *a, const char *member)
{
    client_call(client, "POST", "/v1/orders", body, a);
    bool right = a->status == 201 && answer_has(a, member);
    if (!right && !self->wrong[0])
        snprintf(self->wrong, sizeof self->wrong, "%s: %d %.300s", body, a->status, a->body);
}

/* ---- orders ---- */

static void place_each_kind(struct served *self)
{
    struct client alpha = client_alpha(self);
    struct answer a;
    place(self, &alpha, LIMIT("sell", "100", "20", ",\"display_qty\":10"), &a,
          "\"display_qty\":10,");
    client_call(&alpha, "GET", "/v1/depth/AAPL", "", &a);
    EXPECT(self, answer_has(&a, "\"asks\":[[\"20.0000\",10]]")); /* only what is shown */
    place(self, &alpha, LIMIT("buy", "5", "20", ",\"post_only\":true"), &a, "\"rejected\"");
    self->wrong[0] = '\0'; /* as it should be: */
    EXPECT(self, answer_is(&a, 422, "would_take") && answer_has(&a, "\"field\":\"limit_price\""));
    place(self, &alpha, LIMIT("buy", "200", "20", ",\"time_in_force\":\"fok\""), &a,
          "\"cancel_reason\":\"min_qty_unmet\"");
    place(self, &alpha, LIMIT("buy", "3", "20", ",\"stp\":\"cancel_newest\""), &a,
          "\"cancel_reason\":\"self_trade\"");
    place(self, &alpha, OF("market", "buy", "15", ""), &a, "\"status\":\"filled\"");
    EXPECT(self, answer_has(&a, "\"type\":\"market\"") && answer_has(&a, "\"cum_qty\":15"));
    EXPECT(self, answer_has(&a, "\"limit_price\":\"")); /* the collar's */
    client_call(&alpha, "GET", "/v1/depth/AAPL", "", &a);
    EXPECT(self, answer_has(&a, "\"asks\":[[\"20.0000\",")); /* refreshed */
    place(self, &alpha, OF("stop", "buy", "5", ",\"stop_price\":\"21\",\"client_order_id\":\"st\""),
          &a, "\"status\":\"new\"");
    EXPECT(self,
           answer_has(&a, "\"stop_price\":\"21.0000\"") && answer_has(&a, "\"triggered_at\":null"));
    client_call(&alpha, "PATCH", "/v1/orders/client_order_id:st", "{\"stop_price\":\"20\"}", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\"stop_price\":\"20.0000\""));
    EXPECT(self, answer_has(&a, "\"triggered_at\":\"20")); /* that has been traded at */
    EXPECT(self, answer_has(&a, "\"status\":\"filled\""));
    place(self, &alpha,
          LIMIT("buy", "1", "10",
                ",\"time_in_force\":\"gtd\",\"expire_at\":\"2200-01-01T00:00:00Z\""),
          &a, "\"expire_at\":\"2200-01-01T00:00:00.000000000Z\"");
    client_call(&alpha, "POST", "/v1/orders",
                LIMIT("buy", "1", "10",
                      ",\"time_in_force\":\"gtd\",\"expire_at\":\"2001-01-01T00:00:00Z\""),
                &a);
    EXPECT(self, answer_is(&a, 400, "invalid_expiry") && answer_has(&a, "\"expire_at\""));
    client_call(&alpha, "POST", "/v1/orders", LIMIT("buy", "1", "10", ",\"time_in_force\":\"opg\""),
                &a);
    EXPECT(self, answer_is(&a, 422, "not_in_session"));
    close(alpha.fd);
}

static void every_kind_of_order_is_taken(void **state)
{
    (void)state;
    visit(place_each_kind);
}

/* The same client order id again: the terms count as much as price and quantity. */
static void place_again(struct served *self)
{
    struct client alpha = client_alpha(self);
    struct answer a;
    static const char *const same =
        LIMIT("buy", "10", "10", ",\"display_qty\":5,\"client_order_id\":\"i\"");
    place(self, &alpha, same, &a, "\"status\":\"new\"");
    client_call(&alpha, "POST", "/v1/orders", same, &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "Idempotent-Replayed: true"));
    client_call(&alpha, "POST", "/v1/orders",
                LIMIT("buy", "10", "10", ",\"display_qty\":4,\"client_order_id\":\"i\""), &a);
    EXPECT(self, answer_is(&a, 409, "duplicate_client_order_id"));
    client_call(&alpha, "PATCH", "/v1/orders/client_order_id:i", "{\"limit_price\":\"11\"}", &a);
    EXPECT(self, a.status == 200);
    client_call(&alpha, "POST", "/v1/orders", same, &a); /* it was sent so, and replaced since */
    EXPECT(self, a.status == 200 && answer_has(&a, "\"limit_price\":\"11.0000\""));
    close(alpha.fd);
}

static void the_same_request_with_all_its_terms_is_recognised(void **state)
{
    (void)state;
    visit(place_again);
}

static void cancel_many(struct served *self)
{
    struct client alpha = client_alpha(self), other = client_open(self, "KEYBETA", 0x22);
    struct answer a;
    for (int i = 0; i < 3; i++) place(self, &alpha, LIMIT("buy", "1", "10", ""), &a, "\"new\"");
    for (int i = 0; i < 2; i++) place(self, &alpha, LIMIT("sell", "1", "30", ""), &a, "\"new\"");
    client_call(&other, "DELETE", "/v1/orders", "", &a);
    EXPECT(self, answer_is(&a, 403, "forbidden")); /* that key may only read */
    client_call(&alpha, "DELETE", "/v1/orders?symbol=MSFT", "", &a);
    EXPECT(self, a.status == 200 && strcmp(a.body, "{\"canceled_count\":0}") == 0);
    client_call(&alpha, "DELETE", "/v1/orders?symbol=AAPL&side=sell", "", &a);
    EXPECT(self, a.status == 200 && strcmp(a.body, "{\"canceled_count\":2}") == 0);
    client_call(&alpha, "DELETE", "/v1/orders", "", &a);
    EXPECT(self, a.status == 200 && strcmp(a.body, "{\"canceled_count\":3}") == 0);
    client_call(&alpha, "GET", "/v1/orders?status=all", "", &a);
    EXPECT(self, answer_has(&a, "\"cancel_reason\":\"mass_cancel\"") && !answer_has(&a, "\"new\""));
    close(alpha.fd), close(other.fd);
}

static void orders_are_canceled_together(void **state)
{
    (void)state;
    visit(cancel_many);
}

static void set_the_switch(struct served *self)
{
    struct client alpha = client_alpha(self);
    struct answer a;
    client_call(&alpha, "POST", "/v1/cancel-after", "{\"seconds\":60}", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "{\"cancel_at\":\"20"));
    client_call(&alpha, "GET", "/v1/account", "", &a);
    EXPECT(self, answer_has(&a, "\"cancel_at\":\"20"));
    client_call(&alpha, "POST", "/v1/cancel-after", "{\"seconds\":0}", &a);
    EXPECT(self, a.status == 200 && strcmp(a.body, "{\"cancel_at\":null}") == 0);
    client_call(&alpha, "GET", "/v1/account", "", &a);
    EXPECT(self, answer_has(&a, "\"cancel_at\":null"));
    close(alpha.fd);
}

static void the_dead_man_s_switch_is_set_and_taken_off(void **state)
{
    (void)state;
    visit(set_the_switch);
}

/* ---- orders that are only looked at ---- */

static void test_orders(struct served *self)
{
    static const struct {
        const char *body;
        int status;
        const char *code;
    } cases[] = {
        {LIMIT("buy", "1", "20", ""), 200, NULL},
        {LIMIT("buy", "900000", "20", ""), 422, "insufficient_cash"},
        {LIMIT("buy", "1000000", "20", ""), 422, "daily_volume"},
        {LIMIT("sell", "1000001", "20", ""), 422, "max_order_qty"},
        {LIMIT("buy", "1", "20.001", ""), 422, "invalid_tick"},
        {LIMIT("buy", "4", "20", ",\"display_qty\":5"), 400, "invalid_display_qty"},
        {OF("market", "buy", "1", ""), 422, "no_reference_price"},
        {LIMIT("buy", "1", "20", ",\"client_order_id\":\"taken\""), 409,
         "duplicate_client_order_id"},
        {LIMIT("buy", "1", "20", ",\"client_order_id\":\"free\""), 200, NULL},
        {LIMIT("buy", "1", "20", ",\"client_order_id\":\"free\""), 200, NULL},
        {LIMIT("buy", "0", "20", ""), 400, "invalid_qty"},
        {"{}", 400, "missing_field"},
    };
    struct client alpha = client_alpha(self);
    struct answer a;
    place(self, &alpha, LIMIT("buy", "1", "10", ",\"client_order_id\":\"taken\""), &a, "\"new\"");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0] && !self->wrong[0]; i++) {
        client_call(&alpha, "POST", "/v1/orders/test", cases[i].body, &a);
        bool right = cases[i].code ? answer_is(&a, cases[i].status, cases[i].code)
                                   : a.status == 200 && strcmp(a.body, "{\"valid\":true}") == 0;
        if (!right)
            snprintf(self->wrong, sizeof self->wrong, "%s: %d %.300s", cases[i].body, a.status,
                     a.body);
    }
    close(alpha.fd);
}

static void a_test_says_what_would_be_and_changes_nothing(void **state)
{
    (void)state;
    seq_t before = served.exchange.seq;
    visit(test_orders);
    assert_int_equal(served.exchange.seq - before, 1); /* the one order that was sent */
}

/* The state of the engine is the same, bit for bit. */
static void ask_nothing(struct served *self)
{
    (void)self;
}

static void looking_leaves_no_trace(void **state)
{
    struct command_new_order order = {
        .header = COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order),
        .account = ALPHA,
        .user = ALPHA,
        .instrument = AAPL,
        .side = SIDE_BUY,
        .ord_type = ORD_TYPE_LIMIT,
        .time_in_force = TIF_DAY,
        .order_qty = 1,
        .limit_px = 100,
        .cl_ord_id = "x"};
    (void)state;
    visit(ask_nothing); /* what was started for a visit has to be stopped by one */
    uint32_t before = engine_state_hash(served.exchange.engine);
    for (int i = 0; i < 3; i++)
        assert_int_equal(engine_dry_run(served.exchange.engine, &order), REJECT_NONE);
    order.limit_px = 101;
    assert_int_equal(engine_dry_run(served.exchange.engine, &order), REJECT_INVALID_TICK);
    order.user = BETA;
    assert_int_equal(engine_dry_run(served.exchange.engine, &order), REJECT_UNKNOWN_USER);
    assert_int_equal(engine_state_hash(served.exchange.engine), before);
}

/* ---- what administrators have set ---- */

static void set_tick_table(void)
{
    const struct command_set_tick_table table = {
        .header = COMMAND_HEADER(COMMAND_SET_TICK_TABLE, struct command_set_tick_table),
        .table = 2,
        .from_px = {0, 100000},
        .tick_px = {50, 1000}};
    served_step(&served, &table, sizeof table);
    const struct command_list_instrument list = {
        .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
        .instrument = 3,
        .symbol = "TABL",
        .name = "Tables",
        .lot_qty = 5,
        .max_order_qty = 1000,
        .max_order_notional = 1000000000,
        .currency = 1,
        .tick_table = 2,
        .max_fee_ppm = 1000,
        .index_weight = 7,
        .shortable = 1};
    served_step(&served, &list, sizeof list);
    const struct command_set_limits no_limits = {
        .header = COMMAND_HEADER(COMMAND_SET_LIMITS, struct command_set_limits),
        .scope = LIMIT_SCOPE_INSTRUMENT,
        .id = 3};
    served_step(&served, &no_limits, sizeof no_limits);
    const struct command_set_fees fees = {
        .header = COMMAND_HEADER(COMMAND_SET_FEES, struct command_set_fees),
        .instrument = 3,
        .fee_tier = 1,
        .maker_ppm = -20,
        .taker_ppm = 300};
    served_step(&served, &fees, sizeof fees);
    const struct command_set_bands bands = {
        .header = COMMAND_HEADER(COMMAND_SET_BANDS, struct command_set_bands),
        .instrument = 3,
        .static_ppm = 100000,
        .collar_ppm = 50000,
        .reference_px = 200000};
    served_step(&served, &bands, sizeof bands);
}

static void read_the_instrument(struct served *self)
{
    static const char *const members[] = {
        "\"tick_table\":[{\"from_price\":\"0.0000\",\"tick_size\":\"0.0050\"},"
        "{\"from_price\":\"10.0000\",\"tick_size\":\"0.1000\"}]",
        "\"tick_size\":\"0.0050\"",
        "\"lot_size\":5,",
        "\"max_order_qty\":null",
        "\"max_order_notional\":null",
        "\"currency\":\"EUR\"",
        "\"shortable\":true",
        "\"index_weight\":7",
        "\"last_price\":null",
        "\"reference_price\":\"20.0000\"",
        "\"bands\":{\"static_ppm\":100000,\"dynamic_ppm\":null,\"collar_ppm\":50000}",
        "\"max_fee_ppm\":1000",
        "{\"tier\":0,\"maker_ppm\":0,\"taker_ppm\":0},{\"tier\":1,\"maker_ppm\":-20,"
        "\"taker_ppm\":300}",
        "\"session\":\"continuous\",\"limit_state\":false,\"ends_at\":null",
    };
    struct client nobody = client_open(self, NULL, 0);
    struct answer a;
    client_call(&nobody, "GET", "/v1/instruments/TABL", "", &a);
    EXPECT(self, a.status == 200);
    for (size_t i = 0; i < sizeof members / sizeof members[0] && !self->wrong[0]; i++)
        if (!answer_has(&a, members[i]))
            snprintf(self->wrong, sizeof self->wrong, "%s: %.300s", members[i], a.body);
    client_call(&nobody, "GET", "/v1/instruments/AAPL", "", &a);
    EXPECT(self, answer_has(&a, "\"tick_table\":[{\"from_price\":\"0.0000\","
                                "\"tick_size\":\"0.0100\"}]"));
    close(nobody.fd);
}

static void an_instrument_shows_its_settings(void **state)
{
    (void)state;
    set_tick_table();
    visit(read_the_instrument);
}

static void set_account(void)
{
    const struct command_set_limits of_account = {
        .header = COMMAND_HEADER(COMMAND_SET_LIMITS, struct command_set_limits),
        .scope = LIMIT_SCOPE_ACCOUNT,
        .id = ALPHA,
        .max_open_orders = 5,
        .max_exposure = 12345678};
    served_step(&served, &of_account, sizeof of_account);
    const struct command_set_limits of_user = {
        .header = COMMAND_HEADER(COMMAND_SET_LIMITS, struct command_set_limits),
        .scope = LIMIT_SCOPE_USER,
        .id = ALPHA,
        .max_messages = 9,
        .max_daily_qty = -1};
    served_step(&served, &of_user, sizeof of_user);
    const struct command_set_account set = {
        .header = COMMAND_HEADER(COMMAND_SET_ACCOUNT, struct command_set_account),
        .account = ALPHA,
        .stp = STP_CANCEL_BOTH,
        .fee_tier = 2,
        .may_short = 1};
    served_step(&served, &set, sizeof set);
    const struct command_deposit euros = {
        .header = COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
        .account = ALPHA,
        .asset = ASSET_CASH | 1,
        .qty = 50000};
    served_step(&served, &euros, sizeof euros);
    const struct command_kill_switch kill = {
        .header = COMMAND_HEADER(COMMAND_KILL_SWITCH, struct command_kill_switch),
        .account = ALPHA,
        .engaged = 1};
    served_step(&served, &kill, sizeof kill);
}

static void read_the_account(struct served *self)
{
    static const char *const members[] = {
        "\"currency\":\"USD\",\"cash\":\"1000000.0000\"",
        "\"balances\":[{\"currency\":\"USD\",\"cash\":\"1000000.0000\"",
        "{\"currency\":\"EUR\",\"cash\":\"5.0000\",\"available_cash\":\"5.0000\",",
        "\"stp\":\"cancel_both\"",
        "\"fee_tier\":2",
        "\"may_short\":true",
        "\"blocked\":true",
        "\"market_blocked\":false",
        "\"limits\":{\"max_order_qty\":null,",
        "\"max_open_orders\":5",
        "\"max_exposure\":\"1234.5678\"",
        "\"user_limits\":{",
        "\"max_messages_per_s\":9",
        "\"max_daily_qty\":-1",
    };
    struct client alpha = client_alpha(self);
    struct answer a;
    client_call(&alpha, "GET", "/v1/account", "", &a);
    EXPECT(self, a.status == 200);
    for (size_t i = 0; i < sizeof members / sizeof members[0] && !self->wrong[0]; i++)
        if (!answer_has(&a, members[i]))
            snprintf(self->wrong, sizeof self->wrong, "%s: %.400s", members[i], a.body);
    client_call(&alpha, "POST", "/v1/orders", LIMIT("buy", "1", "10", ""), &a);
    EXPECT(self, answer_is(&a, 422, "account_blocked"));
    close(alpha.fd);
}

static void an_account_shows_its_settings(void **state)
{
    (void)state;
    set_account();
    visit(read_the_account);
}

/* ---- sessions and auctions ---- */

static void enter_session(instrument_id_t instrument, enum session session)
{
    const struct command_set_session set = {
        .header = COMMAND_HEADER(COMMAND_SET_SESSION, struct command_set_session),
        .instrument = instrument,
        .session = (uint8_t)session};
    served_step(&served, &set, sizeof set);
}

static void read_sessions(struct served *self)
{
    struct client alpha = client_alpha(self);
    struct answer a;
    client_call(&alpha, "POST", "/v1/orders", OF("limit", "buy", "1", ",\"limit_price\":\"1\""),
                &a);
    EXPECT(self, a.status == 201); /* AAPL is in its auction */
    client_call(&alpha, "GET", "/v1/session", "", &a);
    EXPECT(self, a.status == 200);
    EXPECT(self, answer_has(&a, "{\"market_blocked\":false,\"sessions\":[{\"symbol\":\"AAPL\","
                                "\"session\":\"opening_auction\",\"limit_state\":false,"));
    EXPECT(self, answer_has(&a, "{\"symbol\":\"MSFT\",\"session\":\"halt\""));
    client_call(&alpha, "GET", "/v1/session?symbol=MSFT", "", &a);
    EXPECT(self, answer_has(&a, "\"MSFT\"") && !answer_has(&a, "\"AAPL\""));

    place(self, &alpha, LIMIT("buy", "10", "21", ""), &a, "\"new\"");
    place(self, &alpha, LIMIT("sell", "4", "19", ""), &a, "\"new\"");
    client_call(&alpha, "GET", "/v1/auction/AAPL", "", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\"symbol\":\"AAPL\","
                                                   "\"session\":\"opening_auction\","
                                                   "\"price\":\"21.0000\",\"paired_qty\":4,"
                                                   "\"imbalance_qty\":6,"
                                                   "\"imbalance_side\":\"buy\""));
    client_call(&alpha, "GET", "/v1/auction/MSFT", "", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\"price\":null"));
    client_call(&alpha, "POST", "/v1/orders",
                "{\"symbol\":\"MSFT\",\"side\":\"buy\",\"type\":\"limit\",\"qty\":1,"
                "\"limit_price\":\"10\"}",
                &a);
    EXPECT(self, answer_is(&a, 422, "halted"));
    close(alpha.fd);
}

static void sessions_and_auctions_are_shown(void **state)
{
    (void)state;
    enter_session(AAPL, SESSION_OPENING_AUCTION);
    enter_session(MSFT, SESSION_HALT);
    visit(read_sessions);
}

/* ---- short positions ---- */

static void sell_short(struct served *self)
{
    struct client alpha = client_alpha(self);
    struct answer a;
    static const char *const order = "{\"symbol\":\"TABL\",\"side\":\"sell\",\"type\":\"limit\","
                                     "\"qty\":10,\"limit_price\":\"20\"}";
    client_call(&alpha, "POST", "/v1/orders", order, &a);
    EXPECT(self, a.status == 201);
    client_call(&alpha, "POST", "/v1/orders",
                "{\"symbol\":\"TABL\",\"side\":\"sell\",\"type\":\"limit\","
                "\"qty\":5,\"limit_price\":\"21\"}",
                &a);
    client_call(&alpha, "GET", "/v1/positions", "", &a);
    EXPECT(self, answer_has(&a, "{\"symbol\":\"TABL\",\"qty\":-10,\"available_qty\":-15,"
                                "\"held_qty\":5,\"open_buy_qty\":0,\"traded_today_qty\":10}"));
    close(alpha.fd);
}

static void a_short_position_is_negative(void **state)
{
    const struct command_set_account set = {
        .header = COMMAND_HEADER(COMMAND_SET_ACCOUNT, struct command_set_account),
        .account = ALPHA,
        .may_short = 1};
    const struct command_deposit euros = {
        .header = COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
        .account = BETA,
        .asset = ASSET_CASH | 1,
        .qty = INT64_C(1000) * PX_SCALE};
    const struct command_new_order buy = {
        .header = COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order),
        .account = BETA,
        .user = BETA,
        .instrument = 3,
        .side = SIDE_BUY,
        .ord_type = ORD_TYPE_LIMIT,
        .time_in_force = TIF_DAY,
        .order_qty = 10,
        .limit_px = 200000};
    (void)state;
    set_tick_table();
    served_step(&served, &set, sizeof set);
    served_step(&served, &euros, sizeof euros);
    served_step(&served, &buy, sizeof buy);
    visit(sell_short);
}

int main(void)
{
#define SERVED_TEST(test) cmocka_unit_test_setup_teardown(test, open_served, close_served)
    const struct CMUnitTest tests[] = {
        SERVED_TEST(every_kind_of_order_is_taken),
        SERVED_TEST(the_same_request_with_all_its_terms_is_recognised),
        SERVED_TEST(orders_are_canceled_together),
        SERVED_TEST(the_dead_man_s_switch_is_set_and_taken_off),
        SERVED_TEST(a_test_says_what_would_be_and_changes_nothing),
        SERVED_TEST(looking_leaves_no_trace),
        SERVED_TEST(an_instrument_shows_its_settings),
        SERVED_TEST(an_account_shows_its_settings),
        SERVED_TEST(sessions_and_auctions_are_shown),
        SERVED_TEST(a_short_position_is_negative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
