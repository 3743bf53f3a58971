/* served_exchange.h - REST over an exchange in this process, and clients that talk to it.
 *
 *   client thread(s) --sockets--> rest on a uv loop --ring--> "core": engine stepped on that loop
 *
 * The loop is the test's main thread; a visit is a function in a second thread, which may block on
 * its sockets. What it finds wrong it notes with EXPECT; the main thread fails the test.
 * The core takes commands only once `core_waits_for` of them have come, so that a test can have as
 * many connections suspended at the same time as it wants.
 */
#ifndef HOGA_TESTS_UNIT_WEB_REST_SERVED_EXCHANGE_H
#define HOGA_TESTS_UNIT_WEB_REST_SERVED_EXCHANGE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <uv.h>

#include "engine/bus/clock.h"
#include "tests/unit/web/small_exchange.h"
#include "web/front.h"

enum { SERVED_RING_BYTES = 1 << 18, SERVED_READ_TIMEOUT_S = 20 };

struct served {
    struct front front;
    struct front_options options;
    struct station station;
    struct control control;
    struct small_exchange exchange;
    struct rest *rest;
    uv_loop_t loop;
    uv_prepare_t core;
    uv_async_t visited;
    uv_async_t stop_now; /* rest_stop() while clients wait */
    uv_async_t time_up;  /* the gateway's patience is over */
    char directory[64], ring_path[96];
    struct ring ring_end; /* the core's */
    struct journal_record *record;
    seq_t out_seq;
    atomic_uint core_waits_for, commands_come;
    uint16_t port;
    bool stopped;
    void (*visit)(struct served *self);
    char wrong[512]; /* what the visit found first */
};

#define EXPECT(self, condition)                                                                    \
    do {                                                                                           \
        if (!(condition) && !(self)->wrong[0])                                                     \
            snprintf((self)->wrong, sizeof(self)->wrong, "%s:%d: %s", __FILE__, __LINE__,          \
                     #condition);                                                                  \
    } while (0)

/* ---- the core ---- */

static inline void served_emit(void *context, const void *message, size_t length)
{
    struct served *self = context;
    const struct sbe_header *header = message;
    self->out_seq++;
    market_event(self->front.market, self->record->time_ns, message, length);
    if (header->template_id == EVENT_EXECUTION) {
        const struct event_execution event = blotter_read_execution(message, length);
        blotter_execution(self->front.blotter, self->record, self->out_seq, &event);
    } else if (header->template_id == EVENT_TRADE_BUSTED) {
        blotter_trade_busted(self->front.blotter, self->record, self->out_seq, message);
    } else if (header->template_id == EVENT_SETTING_CHANGED) {
        if (!settings_changed(self->front.settings, self->record, message)) abort();
    }
    gateway_event(self->front.gateway, self->record, message);
}

/* A command of an administrator or of another front; for the main thread, before a visit. */
static inline void served_step(struct served *self, const void *message, size_t length)
{
    const struct event_sink sink = {served_emit, self};
    memcpy(&self->record->header, message, length);
    self->record->seq = ++self->exchange.seq;
    self->record->time_ns = clock_wall_ns();
    self->record->origin = 0;
    engine_step(self->exchange.engine, self->record->seq, self->record->time_ns,
                &self->record->header, length, &sink);
}

static inline void served_core(uv_prepare_t *prepare)
{
    struct served *self = prepare->data;
    const struct event_sink sink = {served_emit, self};
    struct ring_message message;
    unsigned come = 0;
    for (struct ring look = self->ring_end; ring_peek(&look, &message) == STATUS_OK; come++) {
        look.head_cache = message.position; /* only looked at: not released */
    }
    atomic_store(&self->commands_come, come);
    if (come < atomic_load(&self->core_waits_for)) return;
    while (ring_peek(&self->ring_end, &message) == STATUS_OK) {
        memcpy(&self->record->header, message.message, message.length);
        self->record->seq = ++self->exchange.seq;
        self->record->time_ns = clock_wall_ns();
        self->record->origin = origin_of(self->front.ring.source, message.request_id);
        engine_step(self->exchange.engine, self->record->seq, self->record->time_ns,
                    &self->record->header, message.length, &sink);
        gateway_stepped(self->front.gateway, self->record);
        ring_release(&self->ring_end, &message);
    }
    if (!self->stopped) rest_batch_end(self->rest);
}

/* ---- start, visit, stop ---- */

static inline void served_stop_rest(struct served *self)
{
    if (!self->stopped) rest_stop(self->rest);
    self->stopped = true;
}

static inline void served_on_stop_now(uv_async_t *async)
{
    served_stop_rest(async->data);
}

static inline void served_on_time_up(uv_async_t *async)
{
    struct served *self = async->data;
    gateway_expire(self->front.gateway, clock_wall_ns() / 1000000 + GATEWAY_TIMEOUT_MS);
    rest_batch_end(self->rest);
}

static inline void served_on_visited(uv_async_t *async)
{
    struct served *self = async->data;
    served_stop_rest(self);
    uv_close((uv_handle_t *)&self->core, NULL);
    uv_close((uv_handle_t *)&self->visited, NULL);
    uv_close((uv_handle_t *)&self->stop_now, NULL);
    uv_close((uv_handle_t *)&self->time_up, NULL);
}

static inline void *served_visit(void *context)
{
    struct served *self = context;
    self->visit(self);
    uv_async_send(&self->visited);
    return NULL;
}

static inline void served_open(struct served *self)
{
    memset(self, 0, sizeof *self);
    small_exchange_open(&self->exchange);
    for (instrument_id_t instrument = 0; instrument <= MSFT; instrument++) {
        for (account_id_t account = ALPHA; account <= BETA; account++) {
            const struct command_deposit deposit = {
                .header = COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
                .account = account,
                .asset = instrument,
                .qty = instrument ? 1000000 : INT64_C(1000000) * PX_SCALE};
            small_exchange_step(&self->exchange, &deposit, sizeof deposit);
        }
    }
    snprintf(self->directory, sizeof self->directory, "/tmp/hoga-rest-test-XXXXXX");
    if (!mkdtemp(self->directory)) abort();
    snprintf(self->ring_path, sizeof self->ring_path, "%s/ring", self->directory);
    snprintf(self->front.instance.data_dir, sizeof self->front.instance.data_dir, "%s",
             self->directory);
    if (ring_open_file(&self->front.ring, self->ring_path, SERVED_RING_BYTES, 0) != STATUS_OK ||
        ring_open_file(&self->ring_end, self->ring_path, SERVED_RING_BYTES, 0) != STATUS_OK)
        abort();
    self->record = calloc(1, JOURNAL_RECORD_MAX_BYTES);
    self->front.ring.source = 1;
    self->front.ring.control = &self->control;
    atomic_store(&self->control.in.written_seq, 1); /* what set the exchange up */
    self->options = (struct front_options){.address = "127.0.0.1", .static_dir = self->directory};
    self->front.options = &self->options;
    self->front.loop = &self->loop;
    self->front.station = &self->station;
    self->front.replica.engine = self->exchange.engine;
    self->front.blotter = blotter_create(small_limits.accounts, 4096, 8192);
    self->front.market = market_create(small_limits.instruments);
    self->front.settings = settings_create();
    self->front.admission = admission_create(small_master_key, 100000);
    self->front.gateway = gateway_create(&self->front.ring, 1024);
    self->front.ws_port = 4711;
    uv_loop_init(&self->loop);
    uv_prepare_init(&self->loop, &self->core);
    uv_async_init(&self->loop, &self->visited, served_on_visited);
    uv_async_init(&self->loop, &self->stop_now, served_on_stop_now);
    uv_async_init(&self->loop, &self->time_up, served_on_time_up);
    self->core.data = self->visited.data = self->stop_now.data = self->time_up.data = self;
    uv_prepare_start(&self->core, served_core);
    self->rest = rest_start(&self->front);
    if (!self->rest) abort();
    self->port = rest_port(self->rest);
}

static inline void served_close(struct served *self)
{
    if (uv_loop_close(&self->loop) != 0) abort(); /* rest_stop() must leave nothing behind */
    gateway_destroy(self->front.gateway);
    admission_destroy(self->front.admission);
    market_destroy(self->front.market);
    blotter_destroy(self->front.blotter);
    settings_destroy(self->front.settings);
    small_exchange_close(&self->exchange);
    ring_close(&self->front.ring);
    ring_close(&self->ring_end);
    unlink(self->ring_path);
    rmdir(self->directory);
    free(self->record);
}

/* Serves until `visit` returns. */
static inline void served_run(struct served *self, void (*visit)(struct served *self))
{
    pthread_t thread;
    self->visit = visit;
    if (pthread_create(&thread, NULL, served_visit, self) != 0) abort();
    uv_run(&self->loop, UV_RUN_DEFAULT);
    pthread_join(thread, NULL);
}

/* ---- a client ---- */

struct client {
    int fd;
    char key[24], secret[65];
};

struct answer {
    int status; /* 0: none came */
    char headers[4096];
    char body[65536];
};

static inline struct client client_open(const struct served *self, const char *key, uint8_t byte)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(self->port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = SERVED_READ_TIMEOUT_S};
    struct client client = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    if (key) snprintf(client.key, sizeof client.key, "%s", key);
    for (int i = 0; i < 32; i++) snprintf(client.secret + 2 * i, 3, "%02x", byte);
    setsockopt(client.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(client.fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(client.fd);
        client.fd = -1;
    }
    return client;
}

static inline struct client client_alpha(const struct served *self)
{
    return client_open(self, "KEYALPHA", 0x11);
}

static inline bool client_write(const struct client *client, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(client->fd, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* Signs and sends; timestamps never repeat in this process, so that no signature does. */
static inline bool client_send(const struct client *client, const char *method, const char *target,
                               const char *body, const char *headers)
{
    static _Atomic int64_t last_ms;
    char text[32768], timestamp[32], sign[65] = "";
    unsigned char mac[32];
    int64_t now_ms = clock_wall_ns() / 1000000 - 4000, last = atomic_load(&last_ms);
    do {
        if (now_ms <= last) now_ms = last + 1;
    } while (!atomic_compare_exchange_weak(&last_ms, &last, now_ms));
    snprintf(timestamp, sizeof timestamp, "%lld", (long long)now_ms);
    int length = snprintf(text, sizeof text, "%s%s%s%s", timestamp, method, target, body);
    if (length < 0 || (size_t)length >= sizeof text) return false;
    HMAC(EVP_sha256(), client->secret, 64, (const unsigned char *)text, (size_t)length, mac, NULL);
    for (int i = 0; i < 32; i++) snprintf(sign + 2 * i, 3, "%02x", mac[i]);
    length = snprintf(text, sizeof text,
                      "%s %s HTTP/1.1\r\nHost: 127.0.0.1:80\r\nContent-Length: %zu\r\n"
                      "%s%s%s%s%s%s%s%s%s\r\n%s",
                      method, target, strlen(body), client->key[0] ? "HOGA-KEY: " : "", client->key,
                      client->key[0] ? "\r\nHOGA-TIMESTAMP: " : "", client->key[0] ? timestamp : "",
                      client->key[0] ? "\r\nHOGA-SIGN: " : "", client->key[0] ? sign : "",
                      client->key[0] ? "\r\n" : "",
                      body[0] ? "Content-Type: application/json\r\n" : "", headers, body);
    return length > 0 && (size_t)length < sizeof text && client_write(client, text, (size_t)length);
}

/* One answer; `has_body` is false for HEAD. status stays 0 when the connection ends before. */
static inline void client_receive(const struct client *client, struct answer *answer, bool has_body)
{
    size_t length = 0;
    *answer = (struct answer){0};
    while (length < sizeof answer->headers - 1 && !strstr(answer->headers, "\r\n\r\n")) {
        if (recv(client->fd, answer->headers + length++, 1, 0) != 1) return;
    }
    const char *announced = strcasestr(answer->headers, "\r\nContent-Length: ");
    size_t body_bytes = announced && has_body ? strtoul(announced + 18, NULL, 10) : 0;
    if (body_bytes >= sizeof answer->body) return;
    for (size_t got = 0; got < body_bytes;) {
        ssize_t more = recv(client->fd, answer->body + got, body_bytes - got, 0);
        if (more <= 0) return;
        got += (size_t)more;
    }
    if (sscanf(answer->headers, "HTTP/1.1 %d", &answer->status) != 1) answer->status = 0;
}

/* Sends and receives. */
static inline void client_call(const struct client *client, const char *method, const char *target,
                               const char *body, struct answer *answer)
{
    answer->status = 0;
    if (client_send(client, method, target, body, ""))
        client_receive(client, answer, strcmp(method, "HEAD") != 0);
}

static inline bool answer_has(const struct answer *answer, const char *text)
{
    return strstr(answer->body, text) || strstr(answer->headers, text);
}

static inline bool answer_is(const struct answer *answer, int status, const char *code)
{
    char member[64];
    snprintf(member, sizeof member, "\"code\":\"%s\"", code);
    return answer->status == status && strstr(answer->body, member) &&
           strstr(answer->headers, "Content-Type: application/problem+json\r\n") &&
           strstr(answer->headers, "Request-Id: ");
}

#endif
