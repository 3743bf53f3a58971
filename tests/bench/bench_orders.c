/* bench_orders - signed POST /v1/orders over one kept connection to a running exchange: how long
 * until the released answer is there. In turn with GET /v1/time over the same connection, which
 * goes through the same server but neither core nor disk.
 *
 *   bench_orders DATA-DIR [orders a repeat] [repeats]
 *
 * Buys one share far below the market with time in force IOC, so that nothing stays behind.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "engine/bus/clock.h"

enum { ANSWER_MAX = 16384, ORDERS_MAX = 100000 };

struct client {
    int fd;
    char host[64];
    int port;
    char key[64];
    char secret[128];
    char symbol[16];
};

static void must(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "bench_orders: %s\n", what);
    exit(2);
}

static void read_demo(struct client *self, const char *data_dir)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/demo.json", data_dir);
    json_t *demo = json_load_file(path, 0, NULL);
    must(demo != NULL, "no demo.json there: start the exchange with its demonstration");
    const char *rest = json_string_value(json_object_get(demo, "rest"));
    json_t *broker = json_array_get(json_object_get(demo, "brokers"), 0);
    const char *key = json_string_value(json_object_get(broker, "key"));
    const char *secret = json_string_value(json_object_get(broker, "secret"));
    must(rest && key && secret, "demo.json lacks an address or a broker");
    must(sscanf(rest, "http://%63[^:]:%d", self->host, &self->port) == 2, "bad address");
    (void)snprintf(self->key, sizeof self->key, "%s", key);
    (void)snprintf(self->secret, sizeof self->secret, "%s", secret);
    (void)snprintf(self->symbol, sizeof self->symbol, "AAPL");
    json_decref(demo);
}

static void dial(struct client *self)
{
    int one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)self->port)};
    must(inet_pton(AF_INET, self->host, &address.sin_addr) == 1, "bad address");
    self->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(self->fd >= 0 && connect(self->fd, (struct sockaddr *)&address, sizeof address) == 0,
         "cannot connect: is the exchange up?");
    (void)setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* Sends one request and reads the whole answer. Returns its HTTP status. */
static int exchange(const struct client *self, const char *request, size_t length)
{
    static char answer[ANSWER_MAX];
    size_t have = 0, need = 0;
    must(send(self->fd, request, length, MSG_NOSIGNAL) == (ssize_t)length, "connection lost");
    while (!need || have < need) {
        ssize_t n = recv(self->fd, answer + have, sizeof answer - 1 - have, 0);
        must(n > 0, "connection lost");
        have += (size_t)n;
        answer[have] = '\0';
        const char *end = strstr(answer, "\r\n\r\n");
        if (need || !end) continue;
        const char *body_length = strcasestr(answer, "\r\nContent-Length:");
        must(body_length && body_length < end, "an answer without a length");
        need = (size_t)(end - answer) + 4 + strtoul(body_length + 17, NULL, 10);
        must(need < sizeof answer, "an answer that is too long");
    }
    return atoi(answer + 9);
}

static size_t order_request(const struct client *self, char *request, size_t max, unsigned number)
{
    char body[256], signed_text[512], sign[65];
    unsigned char mac[32];
    unsigned mac_bytes = sizeof mac;
    int64_t now_ms = clock_wall_ns() / 1000000;
    (void)snprintf(body, sizeof body,
                   "{\"symbol\":\"%s\",\"side\":\"buy\",\"type\":\"limit\",\"qty\":1,"
                   "\"limit_price\":\"0.01\",\"time_in_force\":\"ioc\","
                   "\"client_order_id\":\"bench-%llx-%u\"}",
                   self->symbol, (unsigned long long)clock_wall_ns(), number);
    int text =
        snprintf(signed_text, sizeof signed_text, "%lldPOST/v1/orders%s", (long long)now_ms, body);
    must(HMAC(EVP_sha256(), self->secret, (int)strlen(self->secret),
              (const unsigned char *)signed_text, (size_t)text, mac, &mac_bytes) != NULL,
         "cannot sign");
    for (unsigned i = 0; i < 32; i++) (void)snprintf(sign + 2 * i, 3, "%02x", mac[i]);
    return (size_t)snprintf(request, max,
                            "POST /v1/orders HTTP/1.1\r\nHost: %s:%d\r\nHOGA-KEY: %s\r\n"
                            "HOGA-TIMESTAMP: %lld\r\nHOGA-SIGN: %s\r\n"
                            "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                            self->host, self->port, self->key, (long long)now_ms, sign,
                            strlen(body), body);
}

/* Each answer's time in microseconds. Returns whether every status was the right one. */
static bool run(const struct client *self, bool orders, unsigned count, double *us)
{
    char request[1024];
    bool right = true;
    for (unsigned i = 0; i < count; i++) {
        size_t length = orders ? order_request(self, request, sizeof request, i)
                               : (size_t)snprintf(request, sizeof request,
                                                  "GET /v1/time HTTP/1.1\r\nHost: %s:%d\r\n\r\n",
                                                  self->host, self->port);
        int64_t start = clock_steady_ns();
        int status = exchange(self, request, length);
        us[i] = (double)(clock_steady_ns() - start) / 1e3;
        right = right && status == (orders ? 201 : 200);
    }
    return right;
}

int main(int argc, char **argv)
{
    static double us[ORDERS_MAX], time_us[ORDERS_MAX];
    static double p50[BENCH_REPEATS_MAX], p99[BENCH_REPEATS_MAX], time_p50[BENCH_REPEATS_MAX],
        time_p99[BENCH_REPEATS_MAX];
    struct client client = {0};
    unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 2000;
    unsigned repeats = argc > 3 ? (unsigned)atoi(argv[3]) : 5;
    if (argc < 2 || !count || count > ORDERS_MAX || !repeats || repeats > BENCH_REPEATS_MAX) {
        fputs("usage: bench_orders DATA-DIR [orders a repeat] [repeats]\n", stderr);
        return 2;
    }
    read_demo(&client, argv[1]);
    dial(&client);
    bool right = run(&client, true, 100, us); /* warm */
    for (unsigned i = 0; i < repeats; i++) {
        right = run(&client, false, count, time_us) && right;
        right = run(&client, true, count, us) && right;
        p50[i] = bench_quantile(us, count, 0.5);
        p99[i] = bench_quantile(us, count, 0.99);
        time_p50[i] = bench_quantile(time_us, count, 0.5);
        time_p99[i] = bench_quantile(time_us, count, 0.99);
    }
    double ratio = bench_paired_ratio(p50, time_p50, repeats);
    double ours = bench_median(p50, repeats), theirs = bench_median(time_p50, repeats);
    printf("{\"bench\":\"orders\",\"orders\":%u,\"p50_us\":%.1f,\"p99_us\":%.1f,\"baseline\":%.1f,"
           "\"baseline_p99_us\":%.1f,\"ratio\":%.2f,\"repeats\":%u,\"right\":%s}\n",
           count, ours, bench_median(p99, repeats), theirs, bench_median(time_p99, repeats), ratio,
           repeats, right ? "true" : "false");
    (void)close(client.fd);
    return right ? 0 : 1;
}
