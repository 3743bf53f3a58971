#include "server/ops/flow.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "engine/bus/clock.h"
#include "engine/bus/control.h"
#include "server/ops/market_lock.h"
#include "server/ops/options.h"

enum {
    RATE_DEFAULT = 40,
    RATE_MAX = 10000,
    ACT_MS = 10,
    LOCK_MS = 100,
    OPENING_ACTIONS = 50, /* at once, so that nobody looks at an empty book */
    STOP_MS = 4000,       /* to cancel all orders */
    BURST_MS = 100,       /* of orders that a stalled loop may catch up */
    TARGET_BYTES = 128,
};

/* ---- where the markets are ---- */

/* "189.3500" to units; 0 for anything else. */
static px_t parse_px(const json_t *text)
{
    px_t units = 0, fraction = 0;
    const char *value = json_string_value(text);
    if (!value || sscanf(value, "%" SCNd64 ".%4" SCNd64, &units, &fraction) != 2) return 0;
    return units * PX_SCALE + fraction;
}

static void add_market(struct flow *self, const json_t *instrument)
{
    const char *symbol = json_string_value(json_object_get(instrument, "symbol"));
    px_t tick_px = parse_px(json_object_get(instrument, "tick_size"));
    qty_t lot_qty = json_integer_value(json_object_get(instrument, "lot_size"));
    const char *currency = json_string_value(json_object_get(instrument, "currency"));
    if (!symbol || strlen(symbol) >= SYMBOL_BYTES || tick_px <= 0 || lot_qty <= 0) return;
    if (json_array_size(json_object_get(instrument, "tick_table")) > 1) return;
    if (!currency || strcmp(currency, "USD") != 0) return;
    for (uint32_t i = 0; i < self->market_count; i++)
        if (strcmp(self->markets[i].symbol, symbol) == 0) return;
    if (self->market_count == FLOW_MARKETS_MAX) return;
    struct flow_market *market = &self->markets[self->market_count++];
    *market = (struct flow_market){.tick_px = tick_px, .lot_qty = lot_qty, .state = FLOW_ASKING};
    strcpy(market->symbol, symbol);
}

static bool find_markets(struct flow *self)
{
    char why[BROKERS_WHY_BYTES];
    json_t *root = broker_get(&self->brokers, &self->brokers.list[0], "/v1/instruments", why);
    const json_t *instrument;
    size_t i;
    json_array_foreach(json_object_get(root, "instruments"), i, instrument)
        add_market(self, instrument);
    json_decref(root);
    return root != NULL;
}

static px_t best_px(const json_t *depth, const char *side)
{
    return parse_px(json_array_get(json_array_get(json_object_get(depth, side), 0), 0));
}

/* Centres a market on its book, else on its last trade, else on where it usually is; asks again
 * later if it is not trading. */
static void ask(struct flow *self, struct flow_market *market)
{
    char target[TARGET_BYTES], why[BROKERS_WHY_BYTES];
    const struct broker *broker = &self->brokers.list[0];
    snprintf(target, sizeof target, "/v1/depth/%s?limit=1", market->symbol);
    json_t *depth = broker_get(&self->brokers, broker, target, why);
    snprintf(target, sizeof target, "/v1/instruments/%s", market->symbol);
    json_t *instrument = broker_get(&self->brokers, broker, target, why);
    const char *session = json_string_value(json_object_get(instrument, "session"));
    if (!session || strcmp(session, "continuous") != 0) {
        market->ask_ns = clock_steady_ns() + FLOW_ASK_AGAIN_NS;
    } else if (depth) {
        px_t bid = best_px(depth, "bids"), ask_px = best_px(depth, "asks");
        px_t px = bid && ask_px ? (bid + ask_px) / 2
                                : parse_px(json_object_get(instrument, "last_price"));
        flow_market_center(market, px ? px : flow_market_start_px(market->symbol, market->tick_px));
        market->state = FLOW_QUOTING;
    }
    json_decref(depth);
    json_decref(instrument);
}

/* ---- acting ---- */

/* Cancels all it can of one market. */
static void leave_market(struct flow *self, struct flow_market *market)
{
    struct flow_action action;
    for (unsigned i = 0; i < self->seat_count; i++) {
        struct flow_seat *seat = &self->seats[i];
        while (seat->open && flow_market_cancel_any(market, i, &action)) {
            if (flow_seat_ready(seat)) {
                flow_seat_send(seat, market, &action);
                continue;
            }
            market->orders[action.place].canceling = false;
            break;
        }
    }
}

static void act(struct flow *self, struct flow_market *market)
{
    if (market->state != FLOW_QUOTING) return;
    struct flow_action action = flow_market_next(market, self->seat_count, &self->random);
    if (action.kind == FLOW_NOTHING) return;
    struct flow_seat *seat = &self->seats[action.broker];
    if (flow_seat_ready(seat))
        flow_seat_send(seat, market, &action);
    else if (action.kind == FLOW_PLACE)
        flow_market_gone(market, action.place, market->orders[action.place].serial);
    else if (action.kind == FLOW_CANCEL)
        market->orders[action.place].canceling = false;
}

static uint32_t open_orders(const struct flow *self)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->market_count; i++) count += self->markets[i].open_count;
    return count;
}

static bool any_open(const struct flow *self)
{
    bool open = false;
    for (unsigned i = 0; i < self->seat_count; i++) open |= self->seats[i].open;
    return open;
}

/* Whether something of an earlier flow may still be open, or an answer is to come. */
static bool any_left(const struct flow *self)
{
    bool left = false;
    for (unsigned i = 0; i < self->seat_count; i++)
        left |=
            self->seats[i].open && (!self->seats[i].left_known || self->seats[i].left_count > 0);
    return left;
}

static void close_all(struct flow *self)
{
    self->closing = true;
    for (unsigned i = 0; i < self->seat_count; i++) flow_seat_close(&self->seats[i]);
    stream_dialer_stop(self->dialer);
    uv_close((uv_handle_t *)&self->act_timer, NULL);
    uv_close((uv_handle_t *)&self->lock_timer, NULL);
    uv_close((uv_handle_t *)&self->terminate, NULL);
    uv_close((uv_handle_t *)&self->interrupt, NULL);
}

static void on_act(uv_timer_t *timer)
{
    struct flow *self = timer->data;
    int64_t now_ns = clock_steady_ns();
    for (unsigned i = 0; i < self->seat_count; i++) flow_seat_clean(&self->seats[i]);
    for (uint32_t i = 0; i < self->market_count; i++)
        if (self->stopping || self->markets[i].state == FLOW_ASIDE)
            leave_market(self, &self->markets[i]);
    if (self->stopping) {
        bool done = (open_orders(self) == 0 && !any_left(self)) || !any_open(self);
        if (done || now_ns / 1000000 >= self->stop_by_ms) close_all(self);
        return;
    }
    int64_t elapsed_us = (now_ns - self->acted_ns) / 1000;
    self->acted_ns = now_ns;
    if (elapsed_us > BURST_MS * 1000) elapsed_us = BURST_MS * 1000;
    self->due_micro += elapsed_us * (int64_t)self->rate_per_s;
    for (; self->due_micro >= 1000000; self->due_micro -= 1000000)
        if (self->market_count)
            act(self, &self->markets[flow_random(&self->random) % self->market_count]);
}

/* Leaves books that are somebody's alone, comes back to those that are not any more. */
static void on_lock(uv_timer_t *timer)
{
    struct flow *self = timer->data;
    if (self->stopping || !any_open(self)) return;
    if (self->market_count == 0 && !find_markets(self)) return;
    for (uint32_t i = 0; i < self->market_count; i++) {
        struct flow_market *market = &self->markets[i];
        bool taken = market_lock_taken(self->data_dir, market->symbol);
        if (taken)
            market->state = FLOW_ASIDE;
        else if (market->state == FLOW_ASIDE && market->open_count == 0)
            market->state = FLOW_ASKING;
        if (market->state != FLOW_ASKING || clock_steady_ns() < market->ask_ns) continue;
        ask(self, market);
        for (unsigned n = 0; n < OPENING_ACTIONS; n++) act(self, market);
    }
}

/* ---- start and stop ---- */

static void on_signal(uv_signal_t *signal, int number)
{
    struct flow *self = signal->data;
    (void)number;
    if (self->closing) return;
    if (self->stopping) {
        close_all(self); /* a second signal does not wait */
        return;
    }
    self->stopping = true;
    self->stop_by_ms = clock_steady_ns() / 1000000 + STOP_MS;
}

static bool start(struct flow *self)
{
    uv_loop_init(&self->loop);
    uv_timer_init(&self->loop, &self->act_timer);
    uv_timer_init(&self->loop, &self->lock_timer);
    uv_signal_init(&self->loop, &self->terminate);
    uv_signal_init(&self->loop, &self->interrupt);
    self->act_timer.data = self->lock_timer.data = self;
    self->terminate.data = self->interrupt.data = self;
    self->dialer = stream_dialer_create(&self->loop);
    if (!self->dialer) return false;
    self->seat_count =
        self->brokers.count < FLOW_BROKERS_MAX ? self->brokers.count : FLOW_BROKERS_MAX;
    for (unsigned i = 0; i < self->seat_count; i++)
        if (!flow_seat_open(&self->seats[i], self, i)) return false;
    self->acted_ns = clock_steady_ns();
    self->stamp = (uint32_t)(clock_wall_ns() / 1000000);
    uv_timer_start(&self->act_timer, on_act, ACT_MS, ACT_MS);
    uv_timer_start(&self->lock_timer, on_lock, LOCK_MS, LOCK_MS);
    uv_signal_start(&self->terminate, on_signal, SIGTERM);
    uv_signal_start(&self->interrupt, on_signal, SIGINT);
    return true;
}

/* Takes the flow's place among the exchange's processes: there is one flow. */
static struct station *claim_station(const char *data_dir, struct control **control)
{
    struct instance instance;
    struct station *station = NULL;
    enum status status = instance_open(&instance, data_dir);
    if (status == STATUS_OK) status = control_open(control, &instance);
    if (status == STATUS_OK) status = control_claim_station(*control, &instance, "flow", &station);
    if (status == STATUS_BUSY)
        fprintf(stderr, "hoga flow: another one is running\n");
    else if (status == STATUS_NOT_FOUND)
        fprintf(stderr, "hoga flow: %s: the exchange is not running\n", data_dir);
    else if (status != STATUS_OK)
        fprintf(stderr, "hoga flow: %s: %s\n", data_dir, status_text(status));
    return status == STATUS_OK ? station : NULL;
}

static enum options_outcome parse(struct flow *self, int argc, char **argv)
{
    const struct option_rule rules[] = {
        {"data", OPTION_TEXT, &self->data_dir, "DIR", "the exchange's data (default var)"},
        {"rate", OPTION_COUNT, &self->rate_per_s, "N", "orders and cancels a second (default 40)"},
    };
    const struct option_table table = {
        "hoga flow [options]",
        "Simulates brokers who quote and trade on every symbol, over the public API, until it is\n"
        "told to stop; then it cancels its orders.",
        rules,
        sizeof rules / sizeof rules[0],
    };
    enum options_outcome outcome = options_parse(&table, argc, argv);
    if (outcome == OPTIONS_OK && (self->rate_per_s == 0 || self->rate_per_s > RATE_MAX)) {
        fprintf(stderr, "hoga flow: --rate is from 1 to %d\n", RATE_MAX);
        return OPTIONS_WRONG;
    }
    return outcome;
}

int flow_main(int argc, char **argv)
{
    static struct flow flow;
    struct flow *self = &flow;
    char why[BROKERS_WHY_BYTES];
    struct control *control = NULL;
    self->data_dir = "var";
    self->rate_per_s = RATE_DEFAULT;
    enum options_outcome outcome = parse(self, argc, argv);
    if (outcome != OPTIONS_OK) return options_exit(outcome);
    if (!brokers_load(&self->brokers, self->data_dir, "flow.json", why)) {
        fprintf(stderr, "hoga flow: %s\n", why);
        return EXIT_FAILURE;
    }
    struct station *station = claim_station(self->data_dir, &control);
    if (!station) return EXIT_FAILURE;
    self->sent_count = control_counter(station, "flow_sent");
    self->refused_count = control_counter(station, "flow_refused");
    if (getrandom(&self->random, sizeof self->random, 0) != sizeof self->random || !self->random)
        self->random = (uint64_t)clock_wall_ns();
    if (!start(self)) {
        fprintf(stderr, "hoga flow: out of memory\n");
        return EXIT_FAILURE;
    }
    atomic_store_explicit(&station->state, STATION_RUNNING, memory_order_relaxed);
    uv_run(&self->loop, UV_RUN_DEFAULT);
    stream_dialer_free(self->dialer);
    uv_loop_close(&self->loop);
    atomic_store_explicit(&station->state, STATION_STOPPED, memory_order_relaxed);
    control_close(control);
    return EXIT_SUCCESS;
}
