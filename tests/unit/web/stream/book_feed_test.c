/* book_feed_test.c - a client that only knows the feed's messages must always have the engine's
 * book, cut to its depth, over random orders, cancels and reductions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "engine/base/arena.h"
#include "engine/engine.h"
#include "web/stream/book_feed.h"

enum { DEPTHS = 4, CLIENT_LEVELS = 2048, SEEDS = 12, STEPS = 1500, OPEN_MAX = 400 };

static const uint32_t depths[DEPTHS] = {1, 3, 20, 1000};
static uint64_t random_state;

static int64_t random_below(int64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int64_t)(random_state % (uint64_t)limit);
}

/* ---- the exchange ---- */

struct exchange {
    struct engine *engine;
    void *memory;
    size_t bytes;
    seq_t seq;
    order_id_t open[OPEN_MAX];
    qty_t open_qty[OPEN_MAX];
    unsigned open_count;
    struct market *market;
};

static void emit(void *context, const void *message, size_t length)
{
    struct exchange *x = context;
    const struct event_execution *event = message;
    (void)length;
    if (event->header.template_id != EVENT_EXECUTION) return;
    market_execution(x->market, (int64_t)x->seq, event);
    if (event->exec_type == EXEC_NEW && event->time_in_force != TIF_IOC &&
        x->open_count < OPEN_MAX) {
        x->open_qty[x->open_count] = event->order_qty;
        x->open[x->open_count++] = event->order_id;
    }
}

static void step(struct exchange *x, const void *command, size_t length)
{
    const struct event_sink sink = {emit, x};
    x->seq++;
    engine_step(x->engine, x->seq, (int64_t)x->seq, command, length, &sink);
}

static void open_exchange(struct exchange *x)
{
    const struct limits limits = {4, 4, 4, 4, 4096, 4096, 64, 4096, 64, 64};
    memset(x, 0, sizeof *x);
    x->bytes = engine_bytes(&limits);
    x->memory = arena_map(x->bytes, 0);
    x->engine = engine_init(x->memory, &limits);
    x->market = market_create(4);
    struct command_configure configure = {
        .header = COMMAND_HEADER(COMMAND_CONFIGURE, struct command_configure), .limits = limits};
    step(x, &configure, sizeof configure);

    struct command_list_instrument list = {
        .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
        .instrument = 1,
        .symbol = "AAPL",
        .name = "Apple",
        .tick_px = 100,
        .lot_qty = 1,
        .max_order_qty = 1000000,
        .max_order_notional = INT64_C(1000000000000000),
    };
    step(x, &list, sizeof list);
    struct command_open_account account = {
        .header = COMMAND_HEADER(COMMAND_OPEN_ACCOUNT, struct command_open_account),
        .account = 1,
        .name = "one"};
    step(x, &account, sizeof account);
    struct command_add_user user = {.header =
                                        COMMAND_HEADER(COMMAND_ADD_USER, struct command_add_user),
                                    .user = 1,
                                    .account = 1,
                                    .name = "one"};
    step(x, &user, sizeof user);
    struct command_deposit cash = {.header =
                                       COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
                                   .account = 1,
                                   .qty = INT64_C(1000000000000000)};
    step(x, &cash, sizeof cash);
    struct command_deposit shares = cash;
    shares.asset = 1;
    shares.qty = INT64_C(1000000000);
    step(x, &shares, sizeof shares);
}

static void close_exchange(struct exchange *x)
{
    market_destroy(x->market);
    arena_unmap(x->memory, x->bytes);
}

/* One random command around a price of 100. */
static void random_command(struct exchange *x)
{
    int64_t dice = random_below(100);
    unsigned chosen = x->open_count ? (unsigned)random_below(x->open_count) : 0;
    if (dice < 30 && x->open_count > 0) {
        struct command_cancel_order cancel = {
            .header = COMMAND_HEADER(COMMAND_CANCEL_ORDER, struct command_cancel_order),
            .account = 1,
            .user = 1,
            .order_id = x->open[chosen]};
        x->open[chosen] = x->open[--x->open_count];
        x->open_qty[chosen] = x->open_qty[x->open_count];
        step(x, &cancel, sizeof cancel);
        return;
    }
    if (dice < 45 && x->open_count > 0 && x->open_qty[chosen] > 1) {
        struct command_replace_order replace = {
            .header = COMMAND_HEADER(COMMAND_REPLACE_ORDER, struct command_replace_order),
            .account = 1,
            .user = 1,
            .order_id = x->open[chosen],
            .order_qty = --x->open_qty[chosen]};
        step(x, &replace, sizeof replace);
        return;
    }
    bool buy = random_below(2);
    struct command_new_order order = {
        .header = COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order),
        .account = 1,
        .user = 1,
        .instrument = 1,
        .side = buy ? SIDE_BUY : SIDE_SELL,
        .ord_type = ORD_TYPE_LIMIT,
        .time_in_force = dice > 90 ? TIF_IOC : TIF_DAY,
        .order_qty = 1 + random_below(50),
        .limit_px = 1000000 + (buy ? -100 : 100) * (random_below(40) - 4)};
    step(x, &order, sizeof order);
}

/* ---- a client that applies messages ---- */

struct client_book {
    struct level_view levels[2][CLIENT_LEVELS]; /* bids, asks; any order */
    unsigned count[2];
    uint64_t update_id;
};

static void apply_levels(struct client_book *book, int side, const json_t *levels)
{
    size_t i;
    const json_t *level;
    json_array_foreach(levels, i, level)
    {
        double whole = strtod(json_string_value(json_array_get(level, 0)), NULL);
        px_t px = (px_t)(whole * PX_SCALE + 0.5);
        qty_t qty = json_integer_value(json_array_get(level, 1));
        unsigned at = 0;
        while (at < book->count[side] && book->levels[side][at].px != px) at++;
        if (qty == 0) {
            assert_true(at < book->count[side]); /* only what is there is removed */
            book->levels[side][at] = book->levels[side][--book->count[side]];
            continue;
        }
        if (at == book->count[side]) book->count[side]++;
        assert_true(book->count[side] < CLIENT_LEVELS);
        book->levels[side][at] = (struct level_view){.px = px, .qty = qty};
    }
}

static int descending(const void *a, const void *b)
{
    px_t x = ((const struct level_view *)a)->px, y = ((const struct level_view *)b)->px;
    return (x < y) - (x > y);
}

static int ascending(const void *a, const void *b)
{
    return -descending(a, b);
}

/* CRC-32 (ISO-HDLC), a bit at a time. */
static uint32_t naive_crc(const char *text)
{
    uint32_t crc = 0xffffffff;
    for (; *text; text++) {
        crc ^= (uint8_t)*text;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static uint32_t client_checksum(struct client_book *book)
{
    char text[1024] = "";
    qsort(book->levels[0], book->count[0], sizeof book->levels[0][0], descending);
    qsort(book->levels[1], book->count[1], sizeof book->levels[1][0], ascending);
    for (int side = 1; side >= 0; side--)
        for (unsigned i = 0; i < book->count[side] && i < 10; i++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%lld%lld",
                     (long long)book->levels[side][i].px, (long long)book->levels[side][i].qty);
    return naive_crc(text);
}

/* A message as it is sent, its shared part alone. */
static void apply(struct client_book *book, const struct json_buffer *body)
{
    char *text = malloc(body->length + 2);
    text[0] = '{';
    memcpy(text + 1, body->text, body->length);
    text[body->length + 1] = '\0';
    json_t *message = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    assert_non_null(message);
    bool snapshot = strcmp(json_string_value(json_object_get(message, "type")), "snapshot") == 0;
    uint64_t last = (uint64_t)json_integer_value(json_object_get(message, "u"));
    if (snapshot) {
        book->count[0] = book->count[1] = 0;
    } else {
        uint64_t first = (uint64_t)json_integer_value(json_object_get(message, "U"));
        assert_int_equal(first, book->update_id + 1);
        assert_true(last >= first);
    }
    book->update_id = last;
    apply_levels(book, 0, json_object_get(message, "bids"));
    apply_levels(book, 1, json_object_get(message, "asks"));
    assert_int_equal(client_checksum(book),
                     json_integer_value(json_object_get(message, "checksum")));
    json_decref(message);
}

static void assert_engines_book(struct client_book *book, const struct engine *engine,
                                uint32_t depth)
{
    static struct level_view levels[CLIENT_LEVELS];
    (void)client_checksum(book); /* sorts */
    for (int side = 0; side < 2; side++) {
        unsigned count = engine_depth(engine, 1, side ? SIDE_SELL : SIDE_BUY, levels, depth);
        assert_int_equal(book->count[side], count);
        for (unsigned i = 0; i < count; i++) {
            assert_int_equal(book->levels[side][i].px, levels[i].px);
            assert_int_equal(book->levels[side][i].qty, levels[i].qty);
        }
    }
}

/* ---- tests ---- */

/* As the push does it: asks book_feed_sees() first, so that its answer is tested too. */
static void follow(struct exchange *x, struct book_feed *feed, struct client_book *book)
{
    unsigned count;
    bool overflow;
    struct json_buffer body = {0};
    const struct touched_level *touched = market_touched(x->market, 1, &count, &overflow);
    if ((overflow || book_feed_sees(feed, touched, count)) &&
        book_feed_update(feed, x->engine, &body))
        apply(book, &body);
    json_buffer_free(&body);
}

static void test_updates_keep_a_client_at_the_engines_book(void **state)
{
    (void)state;
    static struct client_book books[DEPTHS];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        random_state = seed * UINT64_C(0x9e3779b97f4a7c15);
        struct exchange x;
        struct book_feed *feeds[DEPTHS];
        struct json_buffer body = {0};
        open_exchange(&x);
        for (int64_t i = random_below(100); i > 0; i--) random_command(&x);
        market_clear_touched(x.market, 1);
        for (unsigned d = 0; d < DEPTHS; d++) {
            feeds[d] = book_feed_open(x.engine, 1, depths[d]);
            json_buffer_clear(&body);
            book_feed_snapshot(feeds[d], &body);
            apply(&books[d], &body);
            assert_engines_book(&books[d], x.engine, depths[d]);
        }
        for (unsigned n = 0; n < STEPS; n++) {
            for (int64_t batch = 1 + random_below(6); batch > 0; batch--) random_command(&x);
            for (unsigned d = 0; d < DEPTHS; d++) {
                follow(&x, feeds[d], &books[d]);
                assert_engines_book(&books[d], x.engine, depths[d]);
            }
            market_clear_touched(x.market, 1);
        }
        for (unsigned d = 0; d < DEPTHS; d++) book_feed_close(feeds[d]);
        json_buffer_free(&body);
        close_exchange(&x);
    }
}

static void test_a_snapshot_stands_for_the_updates_before_it(void **state)
{
    (void)state;
    static struct client_book late;
    struct exchange x;
    struct json_buffer body = {0};
    random_state = 99;
    open_exchange(&x);
    struct book_feed *feed = book_feed_open(x.engine, 1, 20);
    for (unsigned n = 0; n < 300; n++) {
        random_command(&x);
        json_buffer_clear(&body);
        (void)book_feed_update(feed, x.engine, &body);
    }
    json_buffer_clear(&body);
    book_feed_snapshot(feed, &body);
    apply(&late, &body);
    assert_engines_book(&late, x.engine, 20);
    market_clear_touched(x.market, 1);
    for (unsigned n = 0; n < 300; n++) {
        random_command(&x);
        follow(&x, feed, &late);
        market_clear_touched(x.market, 1);
        assert_engines_book(&late, x.engine, 20);
    }
    book_feed_close(feed);
    json_buffer_free(&body);
    close_exchange(&x);
}

static void test_the_checksum_is_the_documents_own(void **state)
{
    (void)state;
    /* asks 189.36 x 7, 189.37 x 40; bids 189.35 x 200: "1893600" "7" ... as web/API.md says */
    struct level_view asks[2] = {{1893600, 7, 1}, {1893700, 40, 1}}, bids[1] = {{1893500, 200, 1}};
    struct book_feed feed = {.depth = 20, .bids = {bids, 1}, .asks = {asks, 2}};
    assert_int_equal(book_feed_checksum(&feed), naive_crc("189360071893700401893500200"));
    assert_int_equal(naive_crc("123456789"), 0xcbf43926); /* the published check value */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_updates_keep_a_client_at_the_engines_book),
        cmocka_unit_test(test_a_snapshot_stands_for_the_updates_before_it),
        cmocka_unit_test(test_the_checksum_is_the_documents_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
