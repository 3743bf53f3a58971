/* rest_test.c - the whole way of a request over real sockets: routes, refusals, orders that wait
 * for the core, many kept connections, files, and the end. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/web/rest/served_exchange.h"

enum { CROWD = 300 }; /* more than one batch of epoll events, twice over */

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

#define ORDER(id, side, qty, price)                                                                \
    "{\"symbol\":\"AAPL\",\"side\":\"" side "\",\"type\":\"limit\",\"qty\":" qty                   \
    ",\"limit_price\":\"" price "\",\"client_order_id\":\"" id "\"}"

/* ---- a crowd of kept connections ---- */

static void ask_the_time_in_rounds(struct served *self)
{
    static struct client clients[CROWD];
    struct answer answer;
    for (int i = 0; i < CROWD; i++) clients[i] = client_open(self, NULL, 0);
    for (int round = 0; round < 10 && !self->wrong[0]; round++) {
        for (int i = 0; i < CROWD; i++)
            EXPECT(self, client_send(&clients[i], "GET", "/v1/time", "", ""));
        for (int i = 0; i < CROWD && !self->wrong[0]; i++) {
            client_receive(&clients[i], &answer, true);
            EXPECT(self, answer.status == 200);
        }
    }
    for (int i = 0; i < CROWD; i++) close(clients[i].fd);
}

static void a_crowd_of_kept_connections_is_served(void **state)
{
    (void)state;
    visit(ask_the_time_in_rounds);
}

/* Every order of the crowd waits for the core at the same time. */
static void order_together(struct served *self)
{
    static struct client clients[CROWD];
    struct answer answer;
    for (int i = 0; i < CROWD; i++) clients[i] = client_alpha(self);
    for (int round = 0; round < 3 && !self->wrong[0]; round++) {
        for (int i = 0; i < CROWD; i++) {
            char body[256];
            snprintf(body, sizeof body, ORDER("r%dc%d", "buy", "1", "10"), round, i);
            EXPECT(self, client_send(&clients[i], "POST", "/v1/orders", body, ""));
        }
        for (int i = 0; i < CROWD && !self->wrong[0]; i++) {
            char member[64];
            snprintf(member, sizeof member, "\"client_order_id\":\"r%dc%d\"", round, i);
            client_receive(&clients[i], &answer, true);
            EXPECT(self, answer.status == 201);
            EXPECT(self, answer_has(&answer, member)); /* its own answer, not a neighbour's */
        }
    }
    for (int i = 0; i < CROWD; i++) close(clients[i].fd);
}

static void a_crowd_waits_and_each_gets_its_own_answer(void **state)
{
    (void)state;
    atomic_store(&served.core_waits_for, CROWD);
    visit(order_together);
}

/* ---- orders ---- */

static void trade(struct served *self)
{
    struct client alpha = client_alpha(self), other = client_open(self, "KEYBETA", 0x22);
    struct answer a;
    client_call(&alpha, "POST", "/v1/orders", ORDER("b1", "buy", "10", "20.00"), &a);
    EXPECT(self, a.status == 201 && answer_has(&a, "\"status\":\"new\""));
    const char *location = strstr(a.headers, "\r\nLocation: /v1/orders/");
    EXPECT(self, location != NULL);
    char target[64] = "";
    if (location) sscanf(location, " Location: %63s", target);
    EXPECT(self, answer_has(&a, "\r\nRateLimit-Policy: \"key\";q=100000;w=1\r\n"));
    EXPECT(self, answer_has(&a, "\r\nRateLimit: \"key\";r="));
    client_call(&alpha, "POST", "/v1/orders", ORDER("s1", "sell", "4", "20.00"), &a);
    EXPECT(self, a.status == 201 && answer_has(&a, "\"status\":\"filled\""));
    EXPECT(self, answer_has(&a, "\"liquidity\":\"taker\"") && answer_has(&a, "\"cum_qty\":4"));
    client_call(&alpha, "GET", "/v1/orders/client_order_id:b1", "", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\"status\":\"partially_filled\""));
    EXPECT(self, answer_has(&a, "\"leaves_qty\":6") && answer_has(&a, "\"liquidity\":\"maker\""));

    client_call(&alpha, "POST", "/v1/orders", ORDER("b1", "buy", "10", "20"), &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\r\nIdempotent-Replayed: true\r\n"));
    client_call(&alpha, "POST", "/v1/orders", ORDER("b1", "buy", "11", "20"), &a);
    EXPECT(self, answer_is(&a, 409, "duplicate_client_order_id"));

    client_call(&other, "GET", "/v1/orders/client_order_id:b1", "", &a);
    EXPECT(self, answer_is(&a, 404, "unknown_order"));
    client_call(&alpha, "GET", target, "", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\"client_order_id\":\"b1\""));
    client_call(&other, "GET", target, "", &a);
    EXPECT(self, answer_is(&a, 404, "unknown_order"));
    client_call(&other, "DELETE", "/v1/orders/client_order_id:b1", "", &a);
    EXPECT(self, answer_is(&a, 403, "forbidden")); /* that key may only read */

    client_call(&alpha, "PATCH", "/v1/orders/client_order_id:b1", "{\"qty\":8}", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\"qty\":8,"));
    EXPECT(self, answer_has(&a, "\"leaves_qty\":4"));
    client_call(&alpha, "PATCH", "/v1/orders/client_order_id:b1",
                "{\"qty\":9,\"limit_price\":\"19.5\",\"new_client_order_id\":\"b2\"}", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\"leaves_qty\":5"));
    EXPECT(self, answer_has(&a, "\"limit_price\":\"19.5000\""));
    EXPECT(self, answer_has(&a, "\"client_order_id\":\"b2\""));
    client_call(&alpha, "GET", "/v1/orders/client_order_id:b1", "", &a);
    EXPECT(self, answer_is(&a, 404, "unknown_order")); /* it bears another name now */
    client_call(&alpha, "DELETE", "/v1/orders/client_order_id:b2", "", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\"status\":\"canceled\""));
    client_call(&alpha, "DELETE", "/v1/orders/client_order_id:b2", "", &a);
    EXPECT(self, answer_is(&a, 404, "unknown_order"));

    client_call(&alpha, "POST", "/v1/orders", ORDER("x", "buy", "900000", "20"), &a);
    EXPECT(self, answer_is(&a, 422, "insufficient_cash") && answer_has(&a, "\"field\":\"qty\""));
    EXPECT(self, answer_has(&a, "\"order\":{") && answer_has(&a, "\"status\":\"rejected\""));
    client_call(&alpha, "GET", "/v1/account", "", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\"cash\":\"1000000.0000\""));
    client_call(&alpha, "GET", "/v1/positions", "", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "{\"symbol\":\"AAPL\",\"qty\":1000000,"));
    close(alpha.fd), close(other.fd);
}

static void orders_are_placed_changed_and_seen(void **state)
{
    (void)state;
    visit(trade);
}

static void turn_pages(struct served *self)
{
    struct client alpha = client_alpha(self);
    struct answer a;
    char body[256], target[128] = "/v1/orders?status=all&limit=2", wanted[64];
    for (int i = 0; i < 7; i++) {
        snprintf(body, sizeof body, ORDER("p%d", "buy", "1", "10"), i);
        client_call(&alpha, "POST", "/v1/orders", body, &a);
        EXPECT(self, a.status == 201);
    }
    client_call(&alpha, "DELETE", "/v1/orders/client_order_id:p4", "", &a);
    int seen = 6; /* newest first, each once */
    for (int page = 0; page < 4 && !self->wrong[0]; page++) {
        client_call(&alpha, "GET", target, "", &a);
        EXPECT(self, a.status == 200);
        for (int i = 0; i < (page < 3 ? 2 : 1); i++, seen--) {
            snprintf(wanted, sizeof wanted, "\"client_order_id\":\"p%d\"", seen);
            EXPECT(self, answer_has(&a, wanted));
        }
        const char *cursor = strstr(a.body, "\"next_cursor\":\"");
        EXPECT(self, (cursor != NULL) == (page < 3));
        if (cursor)
            snprintf(target, sizeof target, "/v1/orders?status=all&limit=2&cursor=%.17s",
                     cursor + strlen("\"next_cursor\":\""));
    }
    client_call(&alpha, "GET", "/v1/orders?limit=1000&symbol=AAPL", "", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\"p6\"") && !answer_has(&a, "\"p4\""));
    client_call(&alpha, "GET", "/v1/orders?status=closed", "", &a);
    EXPECT(self, a.status == 200 && !answer_has(&a, "\"p6\"") && answer_has(&a, "\"p4\""));
    client_call(&alpha, "GET", "/v1/orders?symbol=MSFT", "", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "{\"orders\":[],\"next_cursor\":null}"));
    close(alpha.fd);
}

static void lists_come_in_pages(void **state)
{
    (void)state;
    visit(turn_pages);
}

/* An open order that a page ended with, closed before the next page is asked for. */
static void close_the_cursor(struct served *self)
{
    struct client alpha = client_alpha(self);
    struct answer a;
    char body[256], target[128];
    for (int i = 0; i < 4; i++) {
        snprintf(body, sizeof body, ORDER("q%d", "buy", "1", "10"), i);
        client_call(&alpha, "POST", "/v1/orders", body, &a);
    }
    client_call(&alpha, "DELETE", "/v1/orders/client_order_id:q1", "", &a);
    client_call(&alpha, "GET", "/v1/orders?limit=2", "", &a);
    EXPECT(self, answer_has(&a, "\"q3\"") && answer_has(&a, "\"q2\"") && !answer_has(&a, "\"q0\""));
    const char *cursor = strstr(a.body, "\"next_cursor\":\"");
    EXPECT(self, cursor != NULL);
    if (cursor)
        snprintf(target, sizeof target, "/v1/orders?limit=2&cursor=%.17s",
                 cursor + strlen("\"next_cursor\":\""));
    client_call(&alpha, "DELETE", "/v1/orders/client_order_id:q2", "", &a);
    client_call(&alpha, "GET", target, "", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\"q0\"") && !answer_has(&a, "\"q1\""));
    EXPECT(self, !answer_has(&a, "\"q2\"") && answer_has(&a, "\"next_cursor\":null"));
    struct client other = client_open(self, "KEYBETA", 0x22);
    client_call(&other, "GET", target, "", &a);
    EXPECT(self, answer_is(&a, 400, "invalid_field")); /* another account's cursor */
    close(alpha.fd), close(other.fd);
}

static void a_cursor_outlives_its_order_s_closing(void **state)
{
    (void)state;
    visit(close_the_cursor);
}

/* ---- refusals ---- */

static void ask_wrongly(struct served *self)
{
    static const struct {
        const char *method, *target, *body;
        int status;
        const char *code, *field;
    } wrong[] = {
        {"GET", "/v1/nothing", "", 404, "not_found", ""},
        {"GET", "/v1", "", 404, "not_found", ""},
        {"GET", "/v1/time/", "", 404, "not_found", ""},
        {"GET", "/v1/orders/1/fills", "", 404, "not_found", ""},
        {"GET", "/%zz", "", 404, "not_found", ""},
        {"GET", "/v1/depth/%00", "", 404, "not_found", ""},
        {"GET", "/v1/depth/AAPL?limit=1&%zz", "", 400, "invalid_field", "query"},
        {"GET", "/v1/depth/AAPL?limit=0", "", 400, "invalid_field", "limit"},
        {"GET", "/v1/depth/AAPL?limit=1001", "", 400, "invalid_field", "limit"},
        {"GET", "/v1/depth/AAPL?limit", "", 400, "invalid_field", "limit"},
        {"GET", "/v1/depth/AAPL?limit=1&limit=1", "", 400, "invalid_field", "limit"},
        {"GET", "/v1/depth/AAPL?imi=1", "", 400, "invalid_field", "imi"},
        {"GET", "/v1/depth/AAPL?limit%20=1", "", 400, "invalid_field", "limit "},
        {"GET", "/v1/depth/ZZZZ", "", 404, "unknown_symbol", "symbol"},
        {"GET", "/v1/depth/%ff", "", 404, "unknown_symbol", "symbol"},
        {"GET", "/v1/candles/AAPL?interval=2m", "", 400, "invalid_field", "interval"},
        {"GET", "/v1/candles/AAPL?start=never", "", 400, "invalid_field", "start"},
        {"GET", "/v1/trades/AAPL?from_id=-1", "", 400, "invalid_field", "from_id"},
        {"GET", "/v1/orders?status=odd", "", 400, "invalid_field", "status"},
        {"GET", "/v1/orders?cursor=o1", "", 400, "invalid_field", "cursor"},
        {"GET", "/v1/orders?symbol=ZZZZ", "", 404, "unknown_symbol", "symbol"},
        {"GET", "/v1/orders/abc", "", 400, "invalid_field", "order_id"},
        {"GET", "/v1/orders/7", "", 404, "unknown_order", ""},
        {"GET", "/v1/orders/client_order_id:", "", 400, "invalid_client_order_id",
         "client_order_id"},
        {"DELETE", "/v1/orders/client_order_id:%ff", "", 400, "invalid_client_order_id",
         "client_order_id"},
        {"PATCH", "/v1/orders/7", "{\"qty\":1,\"order_id\":\"7\"}", 400, "unknown_field",
         "order_id"},
        {"PATCH", "/v1/orders/7", "{\"qty\":1,\"client_order_id\":\"7\"}", 400, "unknown_field",
         "client_order_id"},
        {"PATCH", "/v1/orders/7", "{\"qty\":\"1\"}", 400, "invalid_field", "qty"},
        {"PATCH", "/v1/orders/7", "{\"qty\":1}", 404, "unknown_order", ""},
        {"POST", "/v1/orders", "{", 400, "malformed_json", ""},
        {"POST", "/v1/orders", "[]", 400, "malformed_json", ""},
        {"POST", "/v1/orders", "{\"symbol\":\"AAPL\",\"symbol\":\"AAPL\"}", 400, "malformed_json",
         ""},
        {"POST", "/v1/orders", "{}", 400, "missing_field", "symbol"},
        {"POST", "/v1/orders", ORDER("w", "buy", "0", "20"), 400, "invalid_qty", "qty"},
        {"POST", "/v1/orders", ORDER("w", "buy", "1e2", "20"), 400, "invalid_qty", "qty"},
        {"POST", "/v1/orders", ORDER("w", "buy", "99999999999999999999", "20"), 400, "invalid_qty",
         "qty"},
        {"POST", "/v1/orders", ORDER("w", "buy", "1", "-20"), 400, "invalid_price", "limit_price"},
        {"POST", "/v1/orders", ORDER("w w", "buy", "1", "20"), 400, "invalid_client_order_id",
         "client_order_id"},
        {"POST", "/v1/orders", ORDER("w1", "buy", "1", "20.005"), 422, "invalid_tick",
         "limit_price"},
        {"DELETE", "/v1/orders?symbol=ZZZZ", "", 404, "unknown_symbol", "symbol"},
        {"DELETE", "/v1/orders?side=both", "", 400, "invalid_side", "side"},
        {"DELETE", "/v1/orders?status=open", "", 400, "invalid_field", "status"},
        {"DELETE", "/v1/orders/", "", 404, "not_found", ""},
        {"POST", "/v1/cancel-after", "{}", 400, "missing_field", "seconds"},
        {"POST", "/v1/cancel-after", "{\"seconds\":86401}", 400, "invalid_field", "seconds"},
        {"POST", "/v1/orders/test", ORDER("w", "buy", "0", "20"), 400, "invalid_qty", "qty"},
        {"POST", "/v1/orders/test", ORDER("w", "buy", "1", "20.005"), 422, "invalid_tick",
         "limit_price"},
        {"GET", "/v1/session?symbol=ZZZZ", "", 404, "unknown_symbol", "symbol"},
        {"GET", "/v1/auction/ZZZZ", "", 404, "unknown_symbol", "symbol"},
        {"PUT", "/v1/orders", "", 405, "method_not_allowed", ""},
        {"POST", "/v1/time", "", 405, "method_not_allowed", ""},
        {"DELETE", "/index.html", "", 405, "method_not_allowed", ""},
    };
    struct client alpha = client_alpha(self);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0] && !self->wrong[0]; i++) {
        struct answer a;
        char field[64];
        client_call(&alpha, wrong[i].method, wrong[i].target, wrong[i].body, &a);
        snprintf(field, sizeof field, "\"field\":\"%s\"", wrong[i].field);
        bool right = answer_is(&a, wrong[i].status, wrong[i].code) &&
                     (wrong[i].field[0] ? answer_has(&a, field) : !answer_has(&a, "\"field\""));
        if (!right)
            snprintf(self->wrong, sizeof self->wrong, "%s %s %s: %d %.200s", wrong[i].method,
                     wrong[i].target, wrong[i].body, a.status, a.body);
    }
    close(alpha.fd);
}

static void each_mistake_has_its_status_and_code(void **state)
{
    seq_t before = served.exchange.seq;
    (void)state;
    visit(ask_wrongly);
    assert_int_equal(served.exchange.seq - before, 2); /* the one patch and the odd tick */
}

static void ask_unsigned(struct served *self)
{
    struct client nobody = client_open(self, NULL, 0), alpha = client_alpha(self);
    struct client stranger = client_open(self, "NOSUCHKEY", 1);
    struct client staff = client_open(self, "KEYSTAFF", 0x33);
    struct client impostor = client_open(self, "KEYALPHA", 0x12);
    struct answer a;
    client_call(&nobody, "GET", "/v1/account", "", &a);
    EXPECT(self, answer_is(&a, 401, "unauthenticated"));
    EXPECT(self, !answer_has(&a, "RateLimit"));
    client_call(&stranger, "GET", "/v1/account", "", &a);
    EXPECT(self, answer_is(&a, 401, "unknown_key"));
    client_call(&impostor, "GET", "/v1/account", "", &a);
    EXPECT(self, answer_is(&a, 401, "bad_signature"));
    client_call(&staff, "GET", "/v1/account", "", &a);
    EXPECT(self, answer_is(&a, 403, "forbidden"));
    client_send(&alpha, "GET", "/v1/account", "", "HOGA-RECV-WINDOW: 1\r\n");
    client_receive(&alpha, &a, true);
    EXPECT(self, answer_is(&a, 401, "bad_timestamp"));
    EXPECT(self, answer_has(&a, "\"server_time\":\"") && answer_has(&a, "\"skew_ms\":-"));
    client_send(&alpha, "GET", "/v1/account", "", "HOGA-RECV-WINDOW: 60001\r\n");
    client_receive(&alpha, &a, true);
    EXPECT(self, answer_is(&a, 400, "invalid_field") && answer_has(&a, "HOGA-RECV-WINDOW"));
    close(nobody.fd), close(alpha.fd), close(stranger.fd), close(staff.fd), close(impostor.fd);
}

static void signatures_are_asked_for(void **state)
{
    (void)state;
    visit(ask_unsigned);
}

static void send_large_bodies(struct served *self)
{
    enum { LARGE = 20000 };
    static char body[LARGE + 1];
    struct client alpha = client_alpha(self);
    struct answer a;
    memset(body, ' ', LARGE);
    client_call(&alpha, "POST", "/v1/orders", body, &a);
    EXPECT(self, answer_is(&a, 413, "body_too_large"));
    client_call(&alpha, "GET", "/v1/account", "", &a); /* the connection goes on */
    EXPECT(self, a.status == 200);
    static const char huge[] = "POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: "
                               "999999999999\r\n\r\n";
    EXPECT(self, client_write(&alpha, huge, sizeof huge - 1));
    client_receive(&alpha, &a, true);
    EXPECT(self, answer_is(&a, 413, "body_too_large")); /* without waiting for it */
    close(alpha.fd);

    alpha = client_alpha(self);
    static const char text[] =
        "POST /v1/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    static char chunk[4096 + 16];
    memcpy(chunk, "1000\r\n", 6), memset(chunk + 6, 'x', 4096), memcpy(chunk + 4102, "\r\n", 3);
    EXPECT(self, client_write(&alpha, text, sizeof text - 1));
    bool taken = true;
    for (int i = 0; i < 10000 && taken; i++) taken = client_write(&alpha, chunk, 4104);
    EXPECT(self, !taken); /* a body without end is cut off */
    close(alpha.fd);
}

static void bodies_have_a_limit(void **state)
{
    (void)state;
    visit(send_large_bodies);
}

static void send_other_types(struct served *self)
{
    struct client nobody = client_open(self, NULL, 0);
    struct answer a;
    const char *order = ORDER("t", "buy", "1", "20");
    /* Content-Type is looked at after the key, so an unsigned one never gets that far. */
    static const char unsigned_text[] = "POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: "
                                        "text/plain\r\nContent-Length: 2\r\n\r\n{}";
    EXPECT(self, client_write(&nobody, unsigned_text, sizeof unsigned_text - 1));
    client_receive(&nobody, &a, true);
    EXPECT(self, answer_is(&a, 401, "unauthenticated"));
    struct client alpha = client_alpha(self);
    client_call(&alpha, "POST", "/v1/orders", "", &a); /* no body, so no type either */
    EXPECT(self, answer_is(&a, 415, "unsupported_media_type"));
    client_call(&alpha, "POST", "/v1/orders", order, &a);
    EXPECT(self, a.status == 201);
    close(nobody.fd), close(alpha.fd);
}

static void only_json_is_read(void **state)
{
    (void)state;
    visit(send_other_types);
}

static void ask_early(struct served *self)
{
    struct client alpha = client_alpha(self);
    struct answer a;
    static const char *const targets[] = {"/v1/account", "/v1/depth/AAPL", "/v1/instruments",
                                          "/v1/orders"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        client_call(&alpha, "GET", targets[i], "", &a);
        EXPECT(self, answer_is(&a, 503, "starting") && answer_has(&a, "\r\nRetry-After: 1\r\n"));
    }
    client_call(&alpha, "POST", "/v1/orders", ORDER("e", "buy", "1", "20"), &a);
    EXPECT(self, answer_is(&a, 503, "starting"));
    client_call(&alpha, "GET", "/v1/time", "", &a);
    EXPECT(self, a.status == 200);
    client_call(&alpha, "GET", "/v1/reject-reasons", "", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\"code\":\"insufficient_cash\""));
    close(alpha.fd);
}

static void before_the_journal_is_read_state_is_not_told(void **state)
{
    (void)state;
    served.front.starting = true;
    visit(ask_early);
}

/* ---- waiting ---- */

static void wait_for_commands(struct served *self, unsigned count)
{
    while (atomic_load(&self->commands_come) < count) usleep(1000);
}

static void wait_in_vain(struct served *self)
{
    struct client alpha = client_alpha(self);
    struct answer a;
    EXPECT(self, client_send(&alpha, "POST", "/v1/orders", ORDER("v", "buy", "1", "20"), ""));
    wait_for_commands(self, 1);
    uv_async_send(&self->time_up);
    client_receive(&alpha, &a, true);
    EXPECT(self, answer_is(&a, 504, "answer_unknown"));
    atomic_store(&self->core_waits_for, 0); /* the core comes back, too late for the answer */
    client_call(&alpha, "GET", "/v1/account", "", &a);
    client_call(&alpha, "GET", "/v1/orders/client_order_id:v", "", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\"status\":\"new\""));
    client_call(&alpha, "POST", "/v1/orders", ORDER("v", "buy", "1", "20"), &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\r\nIdempotent-Replayed: true\r\n"));
    close(alpha.fd);
}

static void a_silent_core_is_an_answer_too(void **state)
{
    (void)state;
    atomic_store(&served.core_waits_for, 100);
    visit(wait_in_vain);
}

static void leave_while_waiting(struct served *self)
{
    struct answer a;
    for (int i = 0; i < 20; i++) {
        struct client leaver = client_alpha(self);
        char body[256];
        snprintf(body, sizeof body, ORDER("l%d", "buy", "1", "20"), i);
        EXPECT(self, client_send(&leaver, "POST", "/v1/orders", body, ""));
        wait_for_commands(self, (unsigned)i + 1);
        close(leaver.fd);
    }
    atomic_store(&self->core_waits_for, 0);
    struct client alpha = client_alpha(self);
    client_call(&alpha, "GET", "/v1/account", "", &a);
    client_call(&alpha, "GET", "/v1/orders", "", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\"l0\"") && answer_has(&a, "\"l19\""));
    close(alpha.fd);
}

static void who_leaves_while_waiting_harms_nobody(void **state)
{
    (void)state;
    atomic_store(&served.core_waits_for, 1000);
    visit(leave_while_waiting);
}

static void wait_at_the_end(struct served *self)
{
    struct client alpha = client_alpha(self);
    struct answer a;
    EXPECT(self, client_send(&alpha, "POST", "/v1/orders", ORDER("z", "buy", "1", "20"), ""));
    wait_for_commands(self, 1);
    uv_async_send(&self->stop_now);
    client_receive(&alpha, &a, true);
    EXPECT(self, answer_is(&a, 504, "answer_unknown"));
    close(alpha.fd);
}

static void a_stop_answers_who_waits(void **state)
{
    (void)state;
    atomic_store(&served.core_waits_for, 100);
    visit(wait_at_the_end);
}

enum { PENDING_FEW = 64, ASKERS = 100 };

static void ask_too_much(struct served *self)
{
    static struct client clients[ASKERS];
    struct answer a;
    unsigned placed = 0, busy = 0;
    for (unsigned i = 0; i < ASKERS; i++) {
        char body[256];
        clients[i] = client_alpha(self);
        snprintf(body, sizeof body, ORDER("f%u", "buy", "1", "10"), i);
        EXPECT(self, client_send(&clients[i], "POST", "/v1/orders", body, ""));
    }
    /* those beyond the bound are told so at once, while the others wait */
    for (unsigned i = 0; i < ASKERS; i++) {
        char first;
        wait_for_commands(self, PENDING_FEW);
        usleep(1000);
        if (recv(clients[i].fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) != 1) continue;
        client_receive(&clients[i], &a, true);
        EXPECT(self, answer_is(&a, 503, "exchange_busy"));
        EXPECT(self, answer_has(&a, "\r\nRetry-After: 1\r\n"));
        close(clients[i].fd), clients[i].fd = -1;
        busy++;
    }
    atomic_store(&self->core_waits_for, 0);
    struct client nobody = client_open(self, NULL, 0);
    client_call(&nobody, "GET", "/v1/time", "", &a); /* turns the loop */
    for (unsigned i = 0; i < ASKERS && !self->wrong[0]; i++) {
        if (clients[i].fd < 0) continue;
        client_receive(&clients[i], &a, true);
        EXPECT(self, a.status == 201 || answer_is(&a, 503, "exchange_busy"));
        if (a.status == 201)
            placed++;
        else
            busy++;
        close(clients[i].fd);
    }
    EXPECT(self, placed == PENDING_FEW && busy == ASKERS - PENDING_FEW);
    close(nobody.fd);
}

static void what_does_not_fit_is_busy(void **state)
{
    (void)state;
    gateway_destroy(served.front.gateway);
    served.front.gateway = gateway_create(&served.front.ring, PENDING_FEW);
    atomic_store(&served.core_waits_for, 5000);
    visit(ask_too_much);
}

static void ask_in_disk_trouble(struct served *self)
{
    struct client alpha = client_alpha(self);
    struct answer a;
    client_call(&alpha, "POST", "/v1/orders", ORDER("d1", "buy", "1", "20"), &a);
    EXPECT(self, a.status == 201);
    atomic_store(&self->control.keeper_disk, DISK_RESERVE);
    client_call(&alpha, "POST", "/v1/orders", ORDER("d2", "buy", "1", "20"), &a);
    EXPECT(self, answer_is(&a, 503, "disk_full"));
    EXPECT(self, answer_has(&a, "\r\nRetry-After: 1\r\n"));
    client_call(&alpha, "DELETE", "/v1/orders/client_order_id:d1", "", &a);
    EXPECT(self, a.status == 200);
    self->control.durability = DURABILITY_DISK;
    atomic_store(&self->control.archiver_disk, DISK_STOPPED);
    client_call(&alpha, "DELETE", "/v1/orders", "", &a);
    EXPECT(self, answer_is(&a, 503, "disk_stopped"));
    EXPECT(self, answer_has(&a, "\r\nRetry-After: 1\r\n"));
    atomic_store(&self->control.archiver_disk, DISK_GOOD);
    atomic_store(&self->control.keeper_disk, DISK_GOOD);
    client_call(&alpha, "POST", "/v1/orders", ORDER("d2", "buy", "1", "20"), &a);
    EXPECT(self, a.status == 201);
    close(alpha.fd);
}

static void a_disk_in_trouble_is_told(void **state)
{
    (void)state;
    visit(ask_in_disk_trouble);
}

/* ---- files ---- */

static void write_file(const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", served.directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void remove_file(const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", served.directory, name);
    unlink(path);
}

static void read_files(struct served *self)
{
    static const char *const hidden[] = {
        "/../ring",     "/%2e%2e/ring",      "/.secret.html",      "/package.json",
        "/ring",        "/none.html",        "/..%2fx.html",       "//index.html",
        "/index.html/", "/index.html%00.js", "/sub/../index.html", "/demo.json",
    };
    struct client nobody = client_open(self, NULL, 0);
    struct answer a;
    char header[256] = "";
    client_call(&nobody, "GET", "/", "", &a);
    EXPECT(self, a.status == 200 && strcmp(a.body, "<p>page</p>") == 0);
    EXPECT(self, answer_has(&a, "\r\nContent-Type: text/html; charset=utf-8\r\n"));
    EXPECT(self, answer_has(&a, "connect-src 'self' ws://127.0.0.1:4711"));
    EXPECT(self, answer_has(&a, "\r\nX-Content-Type-Options: nosniff\r\n"));
    const char *etag = strstr(a.headers, "\r\nETag: ");
    EXPECT(self, etag != NULL);
    if (etag)
        snprintf(header, sizeof header, "If-None-Match: %.*s\r\n", (int)strcspn(etag + 8, "\r"),
                 etag + 8);
    client_send(&nobody, "GET", "/index.html?v=2", "", header);
    client_receive(&nobody, &a, true);
    EXPECT(self, a.status == 304);
    client_call(&nobody, "HEAD", "/page.mjs", "", &a);
    EXPECT(self, a.status == 200 && answer_has(&a, "\r\nContent-Length: 9\r\n"));
    EXPECT(self, answer_has(&a, "\r\nContent-Type: text/javascript; charset=utf-8\r\n"));
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        client_call(&nobody, "GET", hidden[i], "", &a);
        if (!answer_is(&a, 404, "not_found"))
            snprintf(self->wrong, sizeof self->wrong, "%s: %d", hidden[i], a.status);
    }
    client_call(&nobody, "GET", "/config.json", "", &a);
    EXPECT(self, strcmp(a.body, "{\"ws_port\":4711,\"demo\":false}") == 0);
    client_call(&nobody, "GET", "/v1/demo/session", "", &a);
    EXPECT(self, answer_is(&a, 404, "not_found"));
    close(nobody.fd);
}

static const char demo_json[] = "{\"brokers\":[{\"name\":\"alpha\",\"account\":11,\"key\":\"K\","
                                "\"secret\":\"S\"},{\"key\":\"other\"}]}";

static void files_are_the_page_s_and_no_others(void **state)
{
    (void)state;
    write_file("index.html", "<p>page</p>");
    write_file("page.mjs", "let a = 1");
    write_file("package.json", "{}");
    write_file(".secret.html", "no");
    write_file("demo.json", demo_json);
    served_run(&served, read_files);
    remove_file("index.html"), remove_file("page.mjs"), remove_file("package.json");
    remove_file(".secret.html"), remove_file("demo.json");
    if (served.wrong[0]) fail_msg("%s", served.wrong);
}

static void ask_for_the_demo(struct served *self)
{
    struct client nobody = client_open(self, NULL, 0);
    struct answer a;
    client_call(&nobody, "GET", "/v1/demo/session", "", &a);
    EXPECT(self, a.status == 200);
    EXPECT(self, strcmp(a.body, "{\"name\":\"alpha\",\"account\":11,\"key\":\"K\","
                                "\"secret\":\"S\"}") == 0);
    /* a page of elsewhere, whose name was pointed at this machine */
    static const char rebound[] =
        "GET /v1/demo/session HTTP/1.1\r\nHost: evil.example:8080\r\n\r\n";
    EXPECT(self, client_write(&nobody, rebound, sizeof rebound - 1));
    client_receive(&nobody, &a, true);
    EXPECT(self, answer_is(&a, 404, "not_found") && !answer_has(&a, "secret"));
    close(nobody.fd);
}

static void the_demonstration_s_key_is_for_this_machine(void **state)
{
    (void)state;
    served.options.demo = true;
    write_file("demo.json", demo_json);
    served_run(&served, ask_for_the_demo);
    remove_file("demo.json");
    if (served.wrong[0]) fail_msg("%s", served.wrong);
}

int main(void)
{
#define SERVED_TEST(test) cmocka_unit_test_setup_teardown(test, open_served, close_served)
    const struct CMUnitTest tests[] = {
        SERVED_TEST(a_crowd_of_kept_connections_is_served),
        SERVED_TEST(a_crowd_waits_and_each_gets_its_own_answer),
        SERVED_TEST(orders_are_placed_changed_and_seen),
        SERVED_TEST(lists_come_in_pages),
        SERVED_TEST(a_cursor_outlives_its_order_s_closing),
        SERVED_TEST(each_mistake_has_its_status_and_code),
        SERVED_TEST(signatures_are_asked_for),
        SERVED_TEST(bodies_have_a_limit),
        SERVED_TEST(only_json_is_read),
        SERVED_TEST(before_the_journal_is_read_state_is_not_told),
        SERVED_TEST(a_silent_core_is_an_answer_too),
        SERVED_TEST(who_leaves_while_waiting_harms_nobody),
        SERVED_TEST(a_stop_answers_who_waits),
        SERVED_TEST(what_does_not_fit_is_busy),
        SERVED_TEST(a_disk_in_trouble_is_told),
        SERVED_TEST(files_are_the_page_s_and_no_others),
        SERVED_TEST(the_demonstration_s_key_is_for_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
