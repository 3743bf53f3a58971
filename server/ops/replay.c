#include "server/ops/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "engine/bus/clock.h"
#include "server/ops/market_lock.h"
#include "server/ops/options.h"
#include "server/ops/replay_run.h"

#define ID_PREFIX "lobster-"

enum {
    WINDOW_DEFAULT = 512,
    WINDOW_MAX = 65536,
    PAGE = 1000,
    TARGET_BYTES = 512,
    PREFIX_BYTES = 18, /* with 19 digits of an id behind it still a client order id */
};

struct replay_options {
    const char *file, *symbol, *data_dir;
    uint64_t limit, window;
};

static enum options_outcome parse(struct replay_options *options, int argc, char **argv)
{
    const struct option_rule rules[] = {
        {"lobster", OPTION_TEXT, &options->file, "FILE", "a message file of LOBSTER"},
        {"symbol", OPTION_TEXT, &options->symbol, "SYMBOL", "the instrument to trade it in"},
        {"data", OPTION_TEXT, &options->data_dir, "DIR", "the exchange's data (default var)"},
        {"limit", OPTION_COUNT, &options->limit, "N", "only the first N messages"},
        {"window", OPTION_COUNT, &options->window, "N", "requests in flight (default 512)"},
    };
    const struct option_table table = {
        "hoga replay --lobster FILE --symbol SYMBOL [options]",
        "Drives a day of real orders through the running exchange over its public API, as two\n"
        "brokers of the demonstration, and prints what came of it as one line of JSON.",
        rules,
        sizeof rules / sizeof rules[0],
    };
    enum options_outcome outcome = options_parse(&table, argc, argv);
    if (outcome != OPTIONS_OK) return outcome;
    if (!options->file || !options->symbol) {
        fprintf(stderr, "hoga replay: --lobster FILE and --symbol SYMBOL are needed\n");
        return OPTIONS_WRONG;
    }
    size_t length = strlen(options->symbol);
    if (length == 0 || length >= SYMBOL_BYTES ||
        strspn(options->symbol, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") != length) {
        fprintf(stderr, "hoga replay: %s is not a symbol\n", options->symbol);
        return OPTIONS_WRONG;
    }
    if (options->window == 0 || options->window > WINDOW_MAX) {
        fprintf(stderr, "hoga replay: --window is from 1 to %d\n", WINDOW_MAX);
        return OPTIONS_WRONG;
    }
    return OPTIONS_OK;
}

/* Collects the open orders of one page that a replay has placed. */
static bool take_left(const json_t *page, uint64_t *left, uint32_t *count)
{
    const json_t *order;
    size_t i;
    json_array_foreach(json_object_get(page, "orders"), i, order)
    {
        const char *id = json_string_value(json_object_get(order, "client_order_id"));
        const char *order_id = json_string_value(json_object_get(order, "order_id"));
        if (!id || !order_id || strncmp(id, ID_PREFIX, sizeof ID_PREFIX - 1) != 0) continue;
        if (*count == REPLAY_LEFT_MAX) return false;
        left[(*count)++] = strtoull(order_id, NULL, 10);
    }
    return true;
}

/* What earlier replays, ended or killed, have left open. False with the reason. */
static bool find_left(const struct brokers *brokers, const char *symbol, uint64_t *left,
                      uint32_t *count, char why[BROKERS_WHY_BYTES])
{
    char target[TARGET_BYTES], cursor[128] = "";
    do {
        snprintf(target, sizeof target, "/v1/orders?status=open&symbol=%s&limit=%d%s%s", symbol,
                 PAGE, cursor[0] ? "&cursor=" : "", cursor);
        json_t *page = broker_get(brokers, &brokers->list[0], target, why);
        if (!page) return false;
        const char *next = json_string_value(json_object_get(page, "next_cursor"));
        snprintf(cursor, sizeof cursor, "%s", next ? next : "");
        bool fits = take_left(page, left, count);
        json_decref(page);
        if (!fits) {
            snprintf(why, BROKERS_WHY_BYTES, "an earlier replay has left more than %d orders",
                     REPLAY_LEFT_MAX);
            return false;
        }
    } while (cursor[0]);
    return true;
}

static void print_px(const char *name, px_t px, const char *end)
{
    if (px == 0)
        printf("\"%s\":null%s", name, end);
    else
        printf("\"%s\":\"%" PRId64 ".%04" PRId64 "\"%s", name, px / PX_SCALE, px % PX_SCALE, end);
}

static void report(const struct replay_totals *t, uint32_t messages)
{
    double seconds = (double)t->elapsed_ns / 1e9;
    fprintf(stderr, "%" PRIu64 " orders placed first; %" PRIu32 " messages in %.3f s, %.0f/s\n",
            t->placed_before, messages, seconds, seconds > 0 ? messages / seconds : 0);
    printf("{\"new\":%" PRIu64 ",\"cancels\":%" PRIu64 ",\"reduces\":%" PRIu64
           ",\"executions\":%" PRIu64 ",\"fills\":%" PRIu64 ",\"shares\":%" PRId64
           ",\"same_order\":%" PRIu64 ",\"no_fill\":%" PRIu64 ",\"unknown\":%" PRIu64
           ",\"stale\":%" PRIu64 ",\"resting\":%" PRIu64 ",",
           t->new_orders, t->cancels, t->reduces, t->executions, t->fills, t->shares, t->same_order,
           t->no_fill, t->unknown, t->stale, t->resting);
    print_px("best_bid", t->best_bid, ",");
    print_px("best_ask", t->best_ask, "}\n");
}

static int replay_file(const struct replay_options *options, const struct brokers *brokers,
                       const struct lobster *lobster)
{
    static uint64_t left[REPLAY_LEFT_MAX];
    char why[BROKERS_WHY_BYTES], prefix[PREFIX_BYTES];
    /* Client order ids must differ from those of today's other replays. */
    snprintf(prefix, sizeof prefix, ID_PREFIX "%08" PRIx32 "-",
             (uint32_t)(clock_wall_ns() / 1000000));
    struct replay_job job = {
        .lobster = lobster,
        .brokers = brokers,
        .symbol = options->symbol,
        .window = (uint32_t)options->window,
        .id_prefix = prefix,
        .left = left,
    };
    struct replay_totals totals;
    if (!find_left(brokers, options->symbol, left, &job.left_count, why) ||
        !replay_run(&job, &totals, why)) {
        fprintf(stderr, "hoga replay: %s\n", why);
        return EXIT_FAILURE;
    }
    report(&totals, lobster->message_count);
    return EXIT_SUCCESS;
}

int replay_main(int argc, char **argv)
{
    struct replay_options options = {.data_dir = "var", .window = WINDOW_DEFAULT};
    enum options_outcome outcome = parse(&options, argc, argv);
    if (outcome != OPTIONS_OK) return options_exit(outcome);

    char why[BROKERS_WHY_BYTES];
    struct brokers brokers;
    struct lobster lobster;
    if (!lobster_read(&lobster, options.file, options.limit, why)) {
        fprintf(stderr, "hoga replay: %s: %s\n", options.file, why);
        return EX_NOINPUT;
    }
    int exit_status = EXIT_FAILURE, lock = -1;
    if (!brokers_load(&brokers, options.data_dir, "demo.json", why))
        fprintf(stderr, "hoga replay: %s\n", why);
    else if (brokers.count < 2)
        fprintf(stderr, "hoga replay: two brokers are needed\n");
    else if ((lock = market_lock_take(options.data_dir, options.symbol)) < 0)
        fprintf(stderr, "hoga replay: %s: %s\n", options.symbol,
                errno == EWOULDBLOCK ? "another replay is under way" : strerror(errno));
    else
        exit_status = replay_file(&options, &brokers, &lobster);
    if (lock >= 0) close(lock);
    lobster_free(&lobster);
    return exit_status;
}
