#include "server/ops/flow_seat.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/bus/clock.h"
#include "engine/bus/control.h"
#include "engine/message/command.h"
#include "server/ops/flow.h"

#define ID_PREFIX "flow-"

enum {
    RETRY_FIRST_MS = 250,
    RETRY_MOST_MS = 4000,
    PARAMS_BYTES = 256,
    TARGET_BYTES = 256,
    ASK_LEFT_MS = 500
};

/* A request whose answer is awaited. */
struct flow_call {
    struct flow_seat *seat;
    struct flow_market *market;
    enum flow_action_kind kind;
    uint32_t place, serial;
};

/* ---- what the exchange tells ---- */

static struct flow_market *find_market(struct flow *flow, const char *symbol)
{
    for (uint32_t i = 0; symbol && i < flow->market_count; i++)
        if (strcmp(flow->markets[i].symbol, symbol) == 0) return &flow->markets[i];
    return NULL;
}

/* Reads one of this run's client order ids; false for any other. */
static bool parse_id(const struct flow *flow, const char *id, uint32_t *place, uint32_t *serial)
{
    uint32_t stamp;
    return sscanf(id, ID_PREFIX "%8" SCNx32 "-%" SCNu32 "-%" SCNu32, &stamp, place, serial) == 3 &&
           stamp == flow->stamp && *place < FLOW_ORDERS_MAX;
}

/* An execution: the inventory, and orders that are gone. */
static void on_execution(struct flow_seat *self, const json_t *execution)
{
    struct flow *flow = self->flow;
    struct flow_market *market =
        find_market(flow, json_string_value(json_object_get(execution, "symbol")));
    const char *id = json_string_value(json_object_get(execution, "client_order_id"));
    const char *side = json_string_value(json_object_get(execution, "side"));
    uint32_t place, serial;
    if (!market || !side) return;
    qty_t qty = json_integer_value(json_object_get(execution, "last_qty"));
    market->net_qty[self->number] += strcmp(side, "buy") == 0 ? qty : -qty;
    if (json_integer_value(json_object_get(execution, "leaves_qty")) > 0 || !id) return;
    if (parse_id(flow, id, &place, &serial)) flow_market_gone(market, place, serial);
}

static void on_pushed(void *context, const json_t *message)
{
    struct flow_seat *self = context;
    const char *channel = json_string_value(json_object_get(message, "channel"));
    if (channel && strcmp(channel, "orders") == 0)
        on_execution(self, json_object_get(message, "execution"));
}

/* ---- requests ---- */

bool flow_seat_ready(struct flow_seat *self)
{
    return self->open && pacer_take(&self->pacer, clock_steady_ns());
}

/* Whether a refusal says that the instrument takes no orders of ours at the moment. */
static bool is_not_trading(const char *code)
{
    static const char *const codes[] = {"market_closed", "halted", "not_in_session",
                                        "market_blocked", "account_blocked"};
    for (unsigned i = 0; code && i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(code, codes[i]) == 0) return true;
    return false;
}

static void on_answer(void *context, const json_t *result, const json_t *error)
{
    struct flow_call *call = context;
    const char *code = json_string_value(json_object_get(error, "code"));
    if (!result) counter_add(call->seat->flow->refused_count, 1);
    if (is_not_trading(code) && call->market->state == FLOW_QUOTING) {
        call->market->state = FLOW_ASKING;
        call->market->ask_ns = clock_steady_ns() + FLOW_ASK_AGAIN_NS;
    }
    bool gone =
        call->kind == FLOW_PLACE ? code != NULL : code && strcmp(code, "unknown_order") == 0;
    if (gone)
        flow_market_gone(call->market, call->place, call->serial);
    else if (code && call->kind == FLOW_CANCEL)
        call->market->orders[call->place].canceling = false; /* busy, or too fast: once more */
    free(call);
}

static void order_params(const struct flow_seat *self, const struct flow_market *market,
                         const struct flow_action *action, char params[PARAMS_BYTES])
{
    int length = snprintf(params, PARAMS_BYTES,
                          "{\"symbol\":\"%s\",\"side\":\"%s\",\"type\":\"limit\",\"qty\":%" PRId64
                          ",\"limit_price\":\"%" PRId64 ".%04" PRId64 "\",\"time_in_force\":",
                          market->symbol, action->side == SIDE_BUY ? "buy" : "sell", action->qty,
                          action->px / PX_SCALE, action->px % PX_SCALE);
    char *end = params + length;
    size_t room = PARAMS_BYTES - (size_t)length;
    if (action->kind == FLOW_TAKE)
        snprintf(end, room, "\"ioc\"}");
    else
        snprintf(end, room,
                 "\"day\",\"client_order_id\":\"" ID_PREFIX "%08" PRIx32 "-%" PRIu32 "-%" PRIu32
                 "\"}",
                 self->flow->stamp, action->place, market->orders[action->place].serial);
}

void flow_seat_send(struct flow_seat *self, struct flow_market *market,
                    const struct flow_action *action)
{
    char params[PARAMS_BYTES];
    struct flow_call *call = malloc(sizeof *call);
    if (!call) return;
    *call =
        (struct flow_call){self, market, action->kind, action->place,
                           action->kind == FLOW_TAKE ? 0 : market->orders[action->place].serial};
    if (action->kind == FLOW_CANCEL)
        snprintf(params, sizeof params,
                 "{\"client_order_id\":\"" ID_PREFIX "%08" PRIx32 "-%" PRIu32 "-%" PRIu32 "\"}",
                 self->flow->stamp, call->place, call->serial);
    else
        order_params(self, market, action, params);
    counter_add(self->flow->sent_count, 1);
    const char *method = action->kind == FLOW_CANCEL ? "order.cancel" : "order.place";
    if (!stream_client_call(self->client, method, params, on_answer, call)) free(call);
}

/* ---- what an earlier flow left ---- */

/* Whether an open order is one that we know of. */
static bool is_known(const struct flow_seat *self, const json_t *order, const char *id)
{
    uint32_t place, serial;
    const struct flow_market *market =
        find_market(self->flow, json_string_value(json_object_get(order, "symbol")));
    return market && parse_id(self->flow, id, &place, &serial) && market->orders[place].open &&
           market->orders[place].serial == serial;
}

static void take_left(struct flow_seat *self, const json_t *orders)
{
    const json_t *order;
    size_t i;
    json_array_foreach(orders, i, order)
    {
        const char *id = json_string_value(json_object_get(order, "client_order_id"));
        const char *order_id = json_string_value(json_object_get(order, "order_id"));
        if (id && order_id && strncmp(id, ID_PREFIX, sizeof ID_PREFIX - 1) == 0 &&
            !is_known(self, order, id) && self->left_count < FLOW_LEFT_MAX)
            self->left[self->left_count++] = strtoull(order_id, NULL, 10);
    }
}

/* False when the exchange could not be asked. */
static bool find_left(struct flow_seat *self)
{
    char target[TARGET_BYTES], cursor[128] = "", why[BROKERS_WHY_BYTES];
    const struct brokers *brokers = &self->flow->brokers;
    self->left_count = 0;
    do {
        snprintf(target, sizeof target, "/v1/orders?status=open&limit=1000%s%s",
                 cursor[0] ? "&cursor=" : "", cursor);
        json_t *page = broker_get(brokers, &brokers->list[self->number], target, why);
        if (!page) return false;
        const char *next = json_string_value(json_object_get(page, "next_cursor"));
        snprintf(cursor, sizeof cursor, "%s", next ? next : "");
        take_left(self, json_object_get(page, "orders"));
        json_decref(page);
    } while (cursor[0]);
    return true;
}

void flow_seat_clean(struct flow_seat *self)
{
    char params[PARAMS_BYTES];
    int64_t now_ms = clock_steady_ns() / 1000000;
    if (self->open && !self->left_known && now_ms >= self->ask_left_ms) {
        self->left_known = find_left(self);
        self->ask_left_ms = now_ms + ASK_LEFT_MS;
    }
    while (self->left_count > 0 && flow_seat_ready(self)) {
        snprintf(params, sizeof params, "{\"order_id\":\"%" PRIu64 "\"}",
                 self->left[--self->left_count]);
        (void)stream_client_call(self->client, "order.cancel", params, NULL, NULL);
    }
}

/* ---- the connection ---- */

static void on_retry(uv_timer_t *timer)
{
    struct flow_seat *self = timer->data;
    struct brokers fresh;
    char why[BROKERS_WHY_BYTES];
    self->retry_ms = self->retry_ms * 2 < RETRY_MOST_MS ? self->retry_ms * 2 : RETRY_MOST_MS;
    /* The exchange may have come back somewhere else. */
    if (brokers_load(&fresh, self->flow->data_dir, "flow.json", why) && fresh.count > self->number)
        self->flow->brokers = fresh;
    if (!stream_client_open(self->client, self->flow->brokers.ws_url))
        uv_timer_start(&self->retry, on_retry, self->retry_ms, 0);
}

static void on_opened(void *context, uint32_t rate_limit)
{
    struct flow_seat *self = context;
    pacer_start(&self->pacer, rate_limit, clock_steady_ns());
    self->open = true;
    self->retry_ms = RETRY_FIRST_MS;
    (void)stream_client_call(self->client, "subscribe", "{\"channel\":\"orders\"}", NULL, NULL);
    self->left_known = false;
}

static void on_closed(void *context, const char *why)
{
    struct flow_seat *self = context;
    struct flow *flow = self->flow;
    if (self->open && !flow->stopping)
        fprintf(stderr, "hoga flow: broker %s: %s\n", flow->brokers.list[self->number].name, why);
    self->open = false;
    self->left_count = 0;
    for (uint32_t i = 0; i < flow->market_count; i++)
        flow_market_lost(&flow->markets[i], self->number);
    if (!flow->stopping) uv_timer_start(&self->retry, on_retry, self->retry_ms, 0);
}

bool flow_seat_open(struct flow_seat *self, struct flow *flow, unsigned number)
{
    const struct stream_client_hooks hooks = {self, on_opened, on_pushed, NULL, on_closed};
    self->flow = flow;
    self->number = number;
    self->retry_ms = RETRY_FIRST_MS;
    self->client =
        stream_client_create(flow->dialer, &flow->brokers.list[number].credentials, &hooks);
    if (!self->client) return false;
    uv_timer_init(&flow->loop, &self->retry);
    self->retry.data = self;
    return uv_timer_start(&self->retry, on_retry, 0, 0) == 0;
}

void flow_seat_close(struct flow_seat *self)
{
    if (!self->client) return;
    stream_client_destroy(self->client);
    self->client = NULL;
    self->open = false;
    uv_close((uv_handle_t *)&self->retry, NULL);
}
