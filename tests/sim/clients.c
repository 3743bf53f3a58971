#include "tests/sim/clients.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/message/command.h"
#include "tests/sim/auditor.h"
#include "tests/sim/machine.h"

enum {
    MS = 1000000,
    PATIENCE_NS = 150 * MS, /* then it asks again */
    BUSY_NS = 20 * MS,      /* after a refusal */
    INSTRUMENTS = 2,
};

struct client {
    struct operation operation;
    bool is_waiting;  /* for an answer to it */
    int64_t at_ns;    /* when it speaks next */
    uint64_t ordered; /* the number of its last new order; 0: none */
    unsigned attempts;
    seq_t answered_seq; /* of its last operation */
};

static struct {
    struct client all[CLIENT_MAX];
    unsigned count, operations, setup_steps, setup_done;
} clients;

/* Client 0 sets up what all need; then all trade. */
void clients_begin(unsigned count, unsigned operations)
{
    memset(&clients, 0, sizeof clients);
    clients.count = count;
    clients.operations = operations;
    clients.setup_steps = INSTRUMENTS + count * (2 + 1 + INSTRUMENTS);
}

bool clients_are_set_up(void)
{
    return clients.setup_done == clients.setup_steps;
}

bool clients_are_done(void)
{
    for (unsigned i = 0; i < clients.count; i++)
        if (clients.all[i].is_waiting || clients.all[i].operation.number < clients.operations)
            return false;
    return clients_are_set_up();
}

/* ---- what they ask ---- */

static account_id_t account_of(unsigned client)
{
    return client + 1;
}

static void set_message(struct operation *o, const void *message, size_t length)
{
    memcpy(o->message, message, length);
    o->length = length;
}

static void list_instrument(struct operation *o, instrument_id_t instrument)
{
    struct command_list_instrument m = {
        .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
        .instrument = instrument,
        .tick_px = 100,
        .lot_qty = 1,
        .max_order_qty = QTY_MAX,
        .max_order_notional = INT64_C(1000000000000000)};
    (void)snprintf(m.symbol, sizeof m.symbol, "SIM%u", instrument);
    (void)snprintf(m.name, sizeof m.name, "Simulated %u", instrument);
    set_message(o, &m, sizeof m);
}

static void deposit(struct operation *o, unsigned client, asset_t asset, int64_t qty)
{
    const struct command_deposit m = {.header =
                                          COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
                                      .account = account_of(client),
                                      .asset = asset,
                                      .qty = qty};
    set_message(o, &m, sizeof m);
}

static void open_account(struct operation *o, unsigned client)
{
    struct command_open_account m = {
        .header = COMMAND_HEADER(COMMAND_OPEN_ACCOUNT, struct command_open_account),
        .account = account_of(client)};
    (void)snprintf(m.name, sizeof m.name, "client %u", client);
    set_message(o, &m, sizeof m);
}

static void add_user(struct operation *o, unsigned client)
{
    struct command_add_user m = {.header =
                                     COMMAND_HEADER(COMMAND_ADD_USER, struct command_add_user),
                                 .user = account_of(client),
                                 .account = account_of(client)};
    (void)snprintf(m.name, sizeof m.name, "user %u", client);
    set_message(o, &m, sizeof m);
}

static void set_up(struct operation *o, unsigned step)
{
    const unsigned each = 2 + 1 + INSTRUMENTS;
    if (step < INSTRUMENTS) {
        list_instrument(o, step + 1);
        return;
    }
    unsigned client = (step - INSTRUMENTS) / each, what = (step - INSTRUMENTS) % each;
    if (what == 0)
        open_account(o, client);
    else if (what == 1)
        add_user(o, client);
    else
        deposit(o, client, what - 2, what == 2 ? INT64_C(100000000000) : 100000);
}

static void name_order(char name[CL_ORD_ID_BYTES], unsigned client, uint64_t number)
{
    (void)snprintf(name, CL_ORD_ID_BYTES, "c%u-%" PRIu64, client, number);
}

static void new_order(struct operation *o)
{
    struct random *random = &machine.random;
    static const uint8_t tifs[] = {TIF_DAY, TIF_DAY, TIF_GTC, TIF_IOC, TIF_FOK};
    struct command_new_order m = {.header =
                                      COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order),
                                  .account = account_of(o->client),
                                  .user = account_of(o->client),
                                  .ord_type = ORD_TYPE_LIMIT};
    m.instrument = 1 + random_below(random, INSTRUMENTS);
    m.side = random_chance(random, 50) ? SIDE_BUY : SIDE_SELL;
    m.time_in_force = tifs[random_below(random, sizeof tifs)];
    m.exec_inst = random_chance(random, 10) ? EXEC_INST_CANCEL_ON_DISCONNECT : 0;
    m.order_qty = random_between(random, 1, 200);
    m.limit_px = 100 * (int64_t)random_between(random, 990, 1010);
    name_order(m.cl_ord_id, o->client, o->number);
    o->is_new_order = true;
    set_message(o, &m, sizeof m);
}

static void cancel_order(struct operation *o, uint64_t number)
{
    struct command_cancel_order m = {
        .header = COMMAND_HEADER(COMMAND_CANCEL_ORDER, struct command_cancel_order),
        .account = account_of(o->client),
        .user = account_of(o->client)};
    name_order(m.orig_cl_ord_id, o->client, number);
    set_message(o, &m, sizeof m);
}

static void replace_order(struct operation *o, uint64_t number)
{
    struct command_replace_order m = {
        .header = COMMAND_HEADER(COMMAND_REPLACE_ORDER, struct command_replace_order),
        .account = account_of(o->client),
        .user = account_of(o->client),
        .order_qty = random_between(&machine.random, 1, 300)};
    name_order(m.orig_cl_ord_id, o->client, number);
    set_message(o, &m, sizeof m);
}

static void mass_cancel(struct operation *o)
{
    const struct command_mass_cancel m = {
        .header = COMMAND_HEADER(COMMAND_MASS_CANCEL, struct command_mass_cancel),
        .account = account_of(o->client),
        .user = account_of(o->client)};
    set_message(o, &m, sizeof m);
}

static void trade(struct client *self, unsigned client)
{
    struct operation *o = &self->operation;
    uint32_t what = random_below(&machine.random, 100);
    *o = (struct operation){.client = client, .number = o->number + 1};
    if (what < 75 || !self->ordered)
        new_order(o);
    else if (what < 88)
        cancel_order(o, 1 + random_below(&machine.random, (uint32_t)self->ordered));
    else if (what < 97)
        replace_order(o, self->ordered);
    else
        mass_cancel(o);
    if (o->is_new_order) self->ordered = o->number;
}

/* ---- turns ---- */

static bool has_more(unsigned client)
{
    if (!clients_are_set_up()) return client == 0;
    return clients.all[client].operation.number < clients.operations;
}

static void begin_operation(struct client *self, unsigned client)
{
    if (clients_are_set_up()) {
        trade(self, client);
    } else {
        self->operation = (struct operation){.client = 0, .is_admin = true};
        set_up(&self->operation, clients.setup_done);
    }
    self->is_waiting = true;
    self->attempts = 0;
}

/* Says it to any desk that is there; a lost word is said again when patience ends. */
static void speak(struct client *self, struct desk *const desks[DESKS])
{
    struct desk *desk = desks[random_below(&machine.random, DESKS)];
    self->at_ns = machine.clock_ns + PATIENCE_NS / 2 + random_ns(0, PATIENCE_NS);
    self->attempts++;
    if (!desk || !desk->is_serving || !desk_ask(desk, &self->operation))
        self->at_ns = machine.clock_ns + random_ns(0, BUSY_NS);
}

int64_t clients_turn(struct desk *const desks[DESKS])
{
    int64_t next_ns = INT64_MAX;
    for (unsigned i = 0; i < clients.count; i++) {
        struct client *c = &clients.all[i];
        if (!c->is_waiting && !has_more(i)) continue;
        if (c->at_ns <= machine.clock_ns) {
            if (!c->is_waiting) begin_operation(c, i);
            speak(c, desks);
        }
        if (c->at_ns < next_ns) next_ns = c->at_ns;
    }
    return next_ns;
}

/* ---- what they hear ---- */

void clients_answered(const struct operation *operation, const struct gateway_answer *answer)
{
    struct client *c = &clients.all[operation->client];
    bool is_setup = operation->number == 0;
    if (!c->is_waiting || c->operation.number != operation->number) return; /* knows it already */
    if (is_setup && memcmp(c->operation.message, operation->message, operation->length) != 0)
        return;
    if (!answer->in_seq) { /* the gateway gave up: at once again */
        c->at_ns = machine.clock_ns;
        return;
    }
    if (is_setup && answer->reason != REJECT_NONE)
        machine_fail("setup step %u is rejected: %d", clients.setup_done, answer->reason);
    if (answer->in_seq <= c->answered_seq)
        machine_fail("client %u asked after command %" PRIu64 ", and is answered by %" PRIu64,
                     operation->client, c->answered_seq, answer->in_seq);
    c->answered_seq = answer->in_seq;
    if (is_setup) clients.setup_done++;
    c->is_waiting = false;
    c->at_ns = machine.clock_ns + (chance(500) ? 0 : random_ns(0, 20 * MS));
}

void clients_refused(const struct operation *operation)
{
    struct client *c = &clients.all[operation->client];
    if (c->is_waiting && c->operation.number == operation->number)
        c->at_ns = machine.clock_ns + random_ns(0, BUSY_NS);
}

void clients_describe_waiting(char *text, size_t bytes)
{
    (void)snprintf(text, bytes, "nobody waits");
    for (unsigned i = 0; i < clients.count; i++) {
        const struct client *c = &clients.all[i];
        const struct sbe_header *header = (const struct sbe_header *)c->operation.message;
        if (!c->is_waiting) continue;
        (void)snprintf(text, bytes,
                       "client %u waits for the answer to its operation %" PRIu64
                       " (template %u, %u attempts)",
                       i, c->operation.number, header->template_id, c->attempts);
        return;
    }
}
