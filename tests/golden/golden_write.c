/* golden_write - makes a golden journal: sends a running hoga-core every command that its version
 * knows, and orders that meet, through its ring. Run once for each version of the messages
 * (README.md there); the archive that it leaves is kept, and golden_test replays it.
 *
 *   golden_write DATA
 *
 * With GOLDEN_VERSION_1 defined it compiles against the tree that wrote version 1.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal.h"
#include "engine/bus/ring.h"
#include "engine/message/command.h"
#include "engine/message/event.h"

enum { ACCOUNTS = 6, INSTRUMENTS = 3, ORDERS = 300, LAST_IDS = 32 };

struct writer {
    struct instance instance;
    struct control *control;
    struct ring ring;
    struct journal_reader out;
    uint64_t sent;
    uint64_t random;
    order_id_t last_ids[LAST_IDS]; /* of orders that were accepted */
    account_id_t last_accounts[LAST_IDS];
    unsigned last_count;
    trade_id_t last_trade;
};

static struct writer w;

static void must(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "golden_write: %s\n", what);
    exit(1);
}

static uint64_t draw(uint64_t below)
{
    w.random = w.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (w.random >> 33) % below;
}

static void note_event(const struct journal_record *event)
{
    struct event_execution e = {.header = {0}};
    if (event->header.template_id != EVENT_EXECUTION) return;
    size_t length = record_message_length(event);
    memcpy(&e, record_message(event), length < sizeof e ? length : sizeof e);
    if (e.exec_type == EXEC_NEW) {
        unsigned at = w.last_count++ % LAST_IDS;
        w.last_ids[at] = e.order_id;
        w.last_accounts[at] = e.account;
    }
    if (e.trade_id) w.last_trade = e.trade_id;
}

/* Sends one and reads until its events are there. */
static void send(const void *message, size_t length)
{
    const struct journal_record *event;
    must(ring_send(&w.ring, ++w.sent, message, length) == STATUS_OK, "ring");
    for (unsigned tries = 0; tries < 10000; tries++) {
        bool answered = false;
        while (journal_next(&w.out, &event) == STATUS_OK) {
            note_event(event);
            answered = answered || origin_request(event->origin) == w.sent;
        }
        if (answered) return;
        (void)usleep(500);
    }
    must(false, "no answer");
}

#define SEND(template, type, ...)                                                                  \
    do {                                                                                           \
        struct type m = {.header = COMMAND_HEADER(template, struct type), __VA_ARGS__};            \
        send(&m, sizeof m);                                                                        \
    } while (0)

/* ---- what every version knows ---- */

static void list_instruments(void)
{
    for (instrument_id_t i = 1; i <= INSTRUMENTS; i++) {
        struct command_list_instrument m = {
            .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
            .instrument = i,
            .name = "Golden",
            .tick_px = 100,
            .lot_qty = 1,
            .max_order_qty = 100000,
            .max_order_notional = INT64_C(100000000000)};
        (void)snprintf(m.symbol, sizeof m.symbol, "GOLD%u", i);
        send(&m, sizeof m);
        send(&m, sizeof m); /* and once more: refused */
    }
}

static void open_accounts(void)
{
    for (account_id_t a = 1; a <= ACCOUNTS; a++) {
        SEND(COMMAND_OPEN_ACCOUNT, command_open_account, .account = a, .name = "Broker");
        SEND(COMMAND_ADD_USER, command_add_user, .user = a, .account = a, .name = "Trader");
        SEND(COMMAND_ADD_KEY, command_add_key, .user = a, .scopes = SCOPE_ALL,
             .key_id = {(char)('a' + a)}, .sealed_secret = {1, 2, 3, (uint8_t)a});
        SEND(COMMAND_DEPOSIT, command_deposit, .account = a, .qty = INT64_C(50000000000));
        for (instrument_id_t i = 1; i <= INSTRUMENTS; i++) {
            struct command_deposit m = {.header =
                                            COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
                                        .account = a,
                                        .qty = 5000};
            memcpy((char *)&m + 12, &i, sizeof i); /* instrument, in version 2 asset */
            send(&m, sizeof m);
        }
    }
}

static void send_order(void)
{
    static const char tifs[] = {TIF_DAY, TIF_GTC, TIF_GTC, TIF_IOC};
    account_id_t account = (account_id_t)(1 + draw(ACCOUNTS));
    struct command_new_order m = {.header =
                                      COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order),
                                  .account = account,
                                  .user = draw(50) ? account : account % ACCOUNTS + 1,
                                  .instrument = (instrument_id_t)(1 + draw(INSTRUMENTS)),
                                  .side = draw(2) ? SIDE_BUY : SIDE_SELL,
                                  .ord_type = ORD_TYPE_LIMIT,
                                  .time_in_force = (uint8_t)tifs[draw(4)],
                                  .order_qty = (qty_t)(1 + draw(200)),
                                  .limit_px = (px_t)(100 * (995 + draw(11)) + (draw(40) ? 0 : 1))};
    if (draw(3))
        (void)snprintf(m.cl_ord_id, sizeof m.cl_ord_id, "golden-%u", (unsigned)draw(ORDERS));
    if (!draw(40)) m.order_qty = 1000000;
    send(&m, sizeof m);
}

static void cancel_or_replace(void)
{
    unsigned at = (unsigned)draw(w.last_count < LAST_IDS ? w.last_count : LAST_IDS);
    account_id_t account = w.last_accounts[at];
    if (draw(2)) {
        SEND(COMMAND_CANCEL_ORDER, command_cancel_order, .account = account, .user = account,
             .order_id = w.last_ids[at]);
        return;
    }
    SEND(COMMAND_REPLACE_ORDER, command_replace_order, .account = account, .user = account,
         .order_id = w.last_ids[at], .order_qty = (qty_t)(1 + draw(100)));
}

static void cancel_by_name(void)
{
    account_id_t account = (account_id_t)(1 + draw(ACCOUNTS));
    struct command_cancel_order m = {
        .header = COMMAND_HEADER(COMMAND_CANCEL_ORDER, struct command_cancel_order),
        .account = account,
        .user = account};
    (void)snprintf(m.orig_cl_ord_id, sizeof m.orig_cl_ord_id, "golden-%u", (unsigned)draw(ORDERS));
    send(&m, sizeof m);
}

static void trade_plainly(void)
{
    for (unsigned i = 0; i < ORDERS; i++) {
        send_order();
        if (draw(3) == 0 && w.last_count) cancel_or_replace();
        if (draw(10) == 0) cancel_by_name();
    }
    struct command_new_order torn = {.header = COMMAND_HEADER(99, struct command_new_order)};
    send(&torn, sizeof torn); /* a template that nobody knows */
}

/* ---- since version 2 ---- */

#if !defined(GOLDEN_VERSION_1)
static void set_up_all(void)
{
    SEND(COMMAND_SET_BANDS, command_set_bands, .instrument = 1, .static_ppm = 300000,
         .dynamic_ppm = 200000, .collar_ppm = 100000, .limit_state_ms = 50, .halt_ms = 50,
         .auction_ms = 50, .reference_px = 100000);
    SEND(COMMAND_SET_BREAKERS, command_set_breakers, .decline_ppm = {70000, 130000, 200000},
         .halt_ms = {50, 50, 50}, .auction_ms = 50);
    SEND(COMMAND_SET_TICK_TABLE, command_set_tick_table, .table = 1, .from_px = {0, 100000},
         .tick_px = {100, 1000});
    SEND(COMMAND_LIST_INSTRUMENT, command_list_instrument, .instrument = 4, .symbol = "TABLE",
         .name = "By table", .lot_qty = 1, .tick_table = 1, .currency = 1, .max_fee_ppm = 1000,
         .index_weight = 10, .shortable = 1);
    SEND(COMMAND_SET_SCHEDULE, command_set_schedule, .schedule = 1, .second_of_day = {0, 43200},
         .session = {SESSION_CONTINUOUS, SESSION_CONTINUOUS}, .weekdays = {127, 127});
    SEND(COMMAND_LIST_INSTRUMENT, command_list_instrument, .instrument = 5, .symbol = "DAILY",
         .name = "By schedule", .tick_px = 100, .lot_qty = 1, .schedule = 1,
         .session = SESSION_CONTINUOUS);
    SEND(COMMAND_SET_FEES, command_set_fees, .instrument = 1, .maker_ppm = -10, .taker_ppm = 35);
    for (account_id_t a = 1; a <= ACCOUNTS; a++)
        SEND(COMMAND_SET_ACCOUNT, command_set_account, .account = a,
             .stp = (uint8_t)(STP_CANCEL_NEWEST + a % 5), .may_short = a == 2);
    SEND(COMMAND_SET_LIMITS, command_set_limits, .scope = LIMIT_SCOPE_ACCOUNT, .id = 1,
         .max_order_qty = 150, .max_open_orders = 40, .max_long_qty = 100000,
         .max_exposure = INT64_C(40000000000), .max_daily_qty = -1);
    SEND(COMMAND_SET_LIMITS, command_set_limits, .scope = LIMIT_SCOPE_USER, .id = 3,
         .max_messages = 1000, .max_daily_qty = 5000);
    SEND(COMMAND_WITHDRAW, command_withdraw, .account = 1, .qty = 12345);
    SEND(COMMAND_TRANSFER, command_transfer, .from_account = 2, .to_account = 3, .asset = 1,
         .reason = TRANSFER_CORRECTION, .qty = 100);
}

static void send_any_order(void)
{
    static const char types[] = {ORD_TYPE_MARKET, ORD_TYPE_LIMIT, ORD_TYPE_LIMIT, ORD_TYPE_STOP,
                                 ORD_TYPE_STOP_LIMIT};
    static const char tifs[] = {TIF_DAY, TIF_GTC,     TIF_IOC,     TIF_FOK,
                                TIF_GTD, TIF_AT_OPEN, TIF_AT_CLOSE};
    account_id_t account = (account_id_t)(1 + draw(ACCOUNTS));
    struct command_new_order m = {.header =
                                      COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order),
                                  .account = account,
                                  .user = account,
                                  .instrument = (instrument_id_t)(1 + draw(INSTRUMENTS + 2)),
                                  .side = draw(2) ? SIDE_BUY : SIDE_SELL,
                                  .ord_type = (uint8_t)types[draw(sizeof types)],
                                  .time_in_force = (uint8_t)tifs[draw(sizeof tifs)],
                                  .order_qty = (qty_t)(1 + draw(200)),
                                  .limit_px = (px_t)(100 * (995 + draw(11))),
                                  .stp = (uint8_t)draw(6)};
    bool is_stop = m.ord_type == ORD_TYPE_STOP || m.ord_type == ORD_TYPE_STOP_LIMIT;
    if (m.ord_type == ORD_TYPE_MARKET || m.ord_type == ORD_TYPE_STOP) m.limit_px = 0;
    if (is_stop) m.stop_px = (px_t)(100 * (995 + draw(11)));
    if (m.ord_type == ORD_TYPE_LIMIT && m.time_in_force == TIF_GTC && draw(2))
        m.display_qty = m.order_qty / 4 + 1;
    if (m.ord_type == ORD_TYPE_LIMIT && !draw(8)) m.exec_inst = EXEC_INST_POST_ONLY;
    if (!draw(8)) m.exec_inst |= EXEC_INST_CANCEL_ON_DISCONNECT;
    if (m.time_in_force == TIF_IOC && draw(2)) m.min_qty = 5;
    if (m.time_in_force == TIF_GTD) m.expire_ns = INT64_C(4102444800000000000);
    send(&m, sizeof m);
}

static void replace_price(void)
{
    unsigned at = (unsigned)draw(w.last_count < LAST_IDS ? w.last_count : LAST_IDS);
    struct command_replace_order m = {
        .header = COMMAND_HEADER(COMMAND_REPLACE_ORDER, struct command_replace_order),
        .account = w.last_accounts[at],
        .user = w.last_accounts[at],
        .order_id = w.last_ids[at],
        .limit_px = (px_t)(100 * (995 + draw(11)))};
    if (draw(2))
        (void)snprintf(m.cl_ord_id, sizeof m.cl_ord_id, "moved-%u", (unsigned)draw(ORDERS));
    send(&m, sizeof m);
}

static void trade_all(void)
{
    for (unsigned i = 0; i < ORDERS; i++) {
        send_any_order();
        if (draw(4) == 0) replace_price();
        if (draw(60) == 0)
            SEND(COMMAND_MASS_CANCEL, command_mass_cancel,
                 .account = (account_id_t)(1 + draw(ACCOUNTS)), .on_disconnect = (uint8_t)draw(2));
        if (i % 100 == 50) SEND(COMMAND_BUST_TRADE, command_bust_trade, .trade_id = w.last_trade);
        if (i == 100)
            SEND(COMMAND_SET_SESSION, command_set_session, .instrument = 2,
                 .session = SESSION_OPENING_AUCTION);
        if (i == 150)
            SEND(COMMAND_SET_SESSION, command_set_session, .instrument = 2,
                 .session = SESSION_CONTINUOUS);
        if (i == 200)
            SEND(COMMAND_SET_SESSION, command_set_session, .instrument = 3,
                 .session = SESSION_CLOSING_AUCTION);
        if (i == 240)
            SEND(COMMAND_SET_SESSION, command_set_session, .instrument = 3,
                 .session = SESSION_CLOSED);
        if (i == 250)
            SEND(COMMAND_CANCEL_AFTER, command_cancel_after, .account = 5, .user = 5,
                 .timeout_ns = 20000000);
        if (i == 270) SEND(COMMAND_KILL_SWITCH, command_kill_switch, .account = 4, .engaged = 1);
        if (i == 280) SEND(COMMAND_KILL_SWITCH, command_kill_switch, .account = 4);
    }
    (void)usleep(300000); /* what was timed comes due: the core's own commands */
    send_any_order();
}
#else
static void set_up_all(void) {}
static void trade_all(void) {}
#endif

int main(int argc, char **argv)
{
    must(argc == 2, "usage: golden_write DATA");
    must(instance_open(&w.instance, argv[1]) == STATUS_OK, "no exchange there");
    must(control_open(&w.control, &w.instance) == STATUS_OK, "no core runs there");
    must(ring_claim(&w.ring, &w.instance, w.control) == STATUS_OK, "no ring is free");
    must(journal_reader_open(&w.out, &w.instance, w.control, JOURNAL_OUT, 1) == STATUS_OK, "out");
    w.random = 1;
    list_instruments();
    open_accounts();
    trade_plainly();
    set_up_all();
    trade_all();
    printf("golden_write: %llu commands\n", (unsigned long long)w.sent);
    return 0;
}
