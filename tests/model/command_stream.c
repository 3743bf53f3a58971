#include "tests/model/command_stream.h"

#include <stdlib.h>
#include <string.h>

#include "tests/model/command_stream_generator.h"
#include "tests/model/command_stream_profiles.h"

/* ---- what commands are made with ---- */

void *begin_command(struct generator *g, size_t bytes, struct sbe_header header)
{
    struct stream_command *command =
        g->at < g->stream->count ? &g->stream->commands[g->at] : &g->spare;
    g->at++;
    g->time_ns += random_below(&g->random, (uint32_t)g->pace_ns);
    memset(command, 0, sizeof *command);
    memcpy(command->bytes, &header, sizeof header);
    command->time_ns = g->time_ns;
    command->target = STREAM_NO_TARGET;
    command->length = (uint32_t)bytes;
    g->current = command;
    return command->bytes;
}

void say_as_version_1(struct generator *g, size_t bytes)
{
    struct sbe_header header;
    memcpy(&header, g->current->bytes, sizeof header);
    header = sbe_header_v1(header.template_id, bytes);
    memcpy(g->current->bytes, &header, sizeof header);
    g->current->length = (uint32_t)bytes;
}

void note_deadline(struct generator *g, int64_t time_ns)
{
    g->deadlines[g->deadline_count++ % DEADLINES] = time_ns;
}

void follow_up(struct generator *g, struct follow_up what, uint32_t within)
{
    what.at = g->at + random_between(&g->random, 1, within);
    for (unsigned i = 0; i < FOLLOW_UPS; i++) {
        if (g->follow_ups[i].at) continue;
        g->follow_ups[i] = what;
        return;
    }
}

/* ---- the mix ---- */

static void make_limits(struct generator *g)
{
    struct random *r = &g->random;
    uint32_t scope = random_between(r, LIMIT_SCOPE_ACCOUNT, LIMIT_SCOPE_INSTRUMENT);
    uint32_t id = scope == LIMIT_SCOPE_ACCOUNT ? some_account(g)
                  : scope == LIMIT_SCOPE_USER  ? some_id(r, g->stream->limits.users)
                                               : some_instrument(g);
    make_set_limits(g, scope, id, false);
}

static void make_session(struct generator *g)
{
    if (g->profile->calm_sessions > 50 && random_chance(&g->random, 40))
        make_set_session(g, 0, SESSION_CONTINUOUS);
    else
        make_any_session(g);
}

static void make_setting(struct generator *g, enum command_kind kind)
{
    struct random *r = &g->random;
    account_id_t account;
    switch (kind) {
    case MAKE_SET_SESSION: make_session(g); break;
    case MAKE_SET_SCHEDULE: make_set_schedule(g, (uint8_t)some_id(r, 3)); break;
    case MAKE_SET_BANDS: make_set_bands(g, some_instrument(g)); break;
    case MAKE_SET_BREAKERS: make_set_breakers(g); break;
    case MAKE_SET_TICK_TABLE:
        make_set_tick_table(
            g, (uint8_t)(random_chance(r, 90) ? random_between(r, 1, 4) : random_below(r, 256)));
        break;
    case MAKE_SET_LIMITS: make_limits(g); break;
    case MAKE_SET_FEES: make_set_fees(g, some_instrument(g)); break;
    case MAKE_SET_ACCOUNT: make_set_account(g, some_account(g)); break;
    default:
        account = random_chance(r, 70) ? some_account(g) : 0;
        make_kill_switch(g, account, random_chance(r, 85));
        break;
    }
}

static void make_kind(struct generator *g, enum command_kind kind)
{
    struct random *r = &g->random;
    const struct limits *limits = &g->stream->limits;
    account_id_t account;
    user_id_t user;
    switch (kind) {
    case MAKE_NEW_ORDER: make_new_order(g); break;
    case MAKE_CANCEL: make_cancel_order(g); break;
    case MAKE_REPLACE: make_replace_order(g); break;
    case MAKE_MASS_CANCEL: make_mass_cancel(g); break;
    case MAKE_CANCEL_AFTER: make_cancel_after(g); break;
    case MAKE_TIME: make_time(g); break;
    case MAKE_DEPOSIT:
        account = some_account(g);
        make_deposit(g, account, some_asset(g));
        break;
    case MAKE_WITHDRAW: make_withdraw(g); break;
    case MAKE_TRANSFER: make_transfer(g); break;
    case MAKE_BUST: make_bust_trade(g); break;
    case MAKE_OPEN_ACCOUNT: make_open_account(g, some_id(r, limits->accounts)); break;
    case MAKE_LIST_INSTRUMENT: make_list_instrument(g, some_instrument(g)); break;
    case MAKE_ADD_USER:
        user = some_id(r, limits->users);
        account = random_chance(r, 80) ? some_id(r, limits->accounts) : 0;
        make_add_user(g, user, account);
        break;
    case MAKE_ADD_KEY: make_add_key(g); break;
    case MAKE_END_DAY: make_end_day(g); break;
    case MAKE_CONFIGURE: make_configure(g); break;
    default: make_setting(g, kind); break;
    }
}

/* Prices move on, and now and then they fall. */
static void wander(struct generator *g)
{
    struct random *r = &g->random;
    uint32_t step = g->spread_ticks;
    if (random_chance(r, 15) && g->middle_ticks > 50) {
        g->middle_ticks -= g->middle_ticks / random_between(r, 3, 20);
    } else if (random_chance(r, 50)) {
        g->middle_ticks += step;
    } else if (g->middle_ticks > 2 * step) {
        g->middle_ticks -= step;
    }
}

static void make_any(struct generator *g)
{
    struct random *r = &g->random;
    for (unsigned i = 0; i < FOLLOW_UPS; i++) {
        struct follow_up due = g->follow_ups[i];
        if (!due.at || due.at > g->at) continue;
        g->follow_ups[i].at = 0;
        if (due.kind == MAKE_SET_SESSION)
            make_set_session(g, due.id, SESSION_CONTINUOUS);
        else if (due.kind == MAKE_KILL_SWITCH)
            make_kill_switch(g, due.id, false);
        else
            make_set_limits(g, due.scope, due.id, true);
        return;
    }
    if (random_chance(r, g->profile->wander)) wander(g);
    if (g->profile->stop >= 25 && !g->had_burst && random_chance(r, 1) &&
        g->stream->limits.orders >= STOP_BURST_ROOM) {
        g->had_burst = true;
        make_stop_burst(g);
        return;
    }
    uint32_t at = random_below(r, g->weight_sum), kind = 0;
    while (at >= g->weights[kind]) at -= g->weights[kind++];
    make_kind(g, (enum command_kind)kind);
}

/* Spoils a whole command: lengths, header fields, single bytes. Some remain valid: a later
 * version's longer block is. */
static void spoil(struct generator *g)
{
    struct random *r = &g->random;
    struct stream_command *command = g->current;
    struct sbe_header header;
    memcpy(&header, command->bytes, sizeof header);
    uint32_t at = random_below(r, command->length);
    switch (random_below(r, 8)) {
    case 0: command->length = random_below(r, command->length + 1); break;
    case 1: header.block_length = (uint16_t)(header.block_length + random_below(r, 3) - 1); break;
    case 2: header.template_id = (uint16_t)random_below(r, 128); break;
    case 3: header.schema_id ^= (uint16_t)(1u << random_below(r, 16)); break;
    case 4: header.version = (uint16_t)random_below(r, 4); break;
    case 5: header.version = UINT16_MAX; break;
    case 6:
        header.version = 3;
        header.block_length = (uint16_t)(header.block_length + 8);
        command->length += 8;
        break;
    default: command->bytes[at] ^= (uint8_t)random_next(r); return;
    }
    memcpy(command->bytes, &header, sizeof header);
}

/* ---- the beginning of a day ---- */

static uint32_t some_limit(struct generator *g, uint32_t low, uint32_t high)
{
    struct random *r = &g->random;
    if (random_chance(r, g->profile->tiny_tables)) return random_between(r, 2, 6);
    return random_between(r, low, high);
}

static struct limits some_limits(struct generator *g)
{
    struct random *r = &g->random;
    uint32_t accounts = random_between(r, 2, 9), instruments = random_between(r, 2, 6);
    uint32_t pairs = accounts * instruments;
    struct limits limits = {.instruments = instruments, .accounts = accounts, .users = accounts};
    if (random_chance(r, 50))
        limits.users = random_chance(r, 80) ? accounts * 2 : random_between(r, 2, 20);
    limits.keys = some_limit(g, 10, 60);
    limits.orders = some_limit(g, 60, 250);
    if (random_chance(r, 15)) limits.orders = 900;
    limits.price_blocks = some_limit(g, 30, 150);
    limits.positions = some_limit(g, pairs, pairs + 10);
    limits.cl_ord_ids = random_chance(r, 15) ? some_limit(g, 20, 60) : 2000;
    limits.volumes = some_limit(g, pairs, pairs * 2 + 10);
    limits.trades = UINT32_C(1) << random_between(r, 1, 8);
    return limits;
}

/* Cash in every currency that an instrument has, and shares of every instrument. */
static void make_funds(struct generator *g, account_id_t account)
{
    bool funded[CURRENCY_COUNT] = {false};
    for (instrument_id_t i = 1; i < g->stream->limits.instruments; i++) {
        uint8_t currency = g->instruments[i].currency % CURRENCY_COUNT;
        if (random_chance(&g->random, 85)) make_deposit(g, account, i);
        if (!funded[currency]) make_deposit(g, account, currency ? ASSET_CASH | currency : 0);
        funded[currency] = true;
    }
}

static void make_opening(struct generator *g)
{
    struct random *r = &g->random;
    const struct profile *p = g->profile;
    const struct limits *limits = &g->stream->limits;
    make_configure(g);
    for (account_id_t i = 1; i < limits->accounts; i++) make_open_account(g, i);
    for (uint8_t table = 1; table <= 2; table++) make_set_tick_table(g, table);
    for (uint8_t schedule = 1; schedule <= 2; schedule++)
        if (random_chance(r, p->schedules)) make_set_schedule(g, schedule);
    for (instrument_id_t i = 1; i < limits->instruments; i++)
        for (unsigned tries = 0; tries < 3 && (i >= PLACES || !g->instruments[i].there); tries++)
            make_list_instrument(g, i);
    for (user_id_t i = 1; i < limits->users; i++) make_add_user(g, i, user_account(g, i));
    for (account_id_t i = 1; i < limits->accounts; i++) make_funds(g, i);
    for (account_id_t i = 1; i < limits->accounts; i++)
        if (random_chance(r, p->shorts)) make_set_account(g, i);
    for (instrument_id_t i = 1; i < limits->instruments; i++) {
        if (random_chance(r, p->bands)) make_set_bands(g, i);
        if (random_chance(r, p->fees)) make_set_fees(g, i);
    }
    if (random_chance(r, p->bands)) make_set_breakers(g);
    if (p->fees > 90 && random_chance(r, 30)) make_house_poor(g);
    if (p->calm_sessions > 50 && random_chance(r, 80)) make_set_session(g, 0, SESSION_CONTINUOUS);
    if (random_chance(r, 10)) make_set_session(g, 0, SESSION_PRE_OPEN);
}

static void begin_day(struct generator *g)
{
    static const int64_t paces[] = {1000, 1000, 100000, 40 * MILLI_NS, 2 * SECOND_NS};
    struct random *r = &g->random;
    uint32_t kind = random_below(r, 100);
    g->time_ns = 1; /* the first days of 1970 */
    if (kind < 80) g->time_ns = INT64_C(1700000000) * SECOND_NS + random_below(r, 400) * DAY_NS;
    if (kind < 70) g->time_ns += random_below(r, 86400) * SECOND_NS;
    if (kind >= 90) g->time_ns = (int64_t)(random_next(r) >> 2);
    g->pace_ns = PICK(r, paces);
    g->price_habit = random_chance(r, 60) ? CLOSE : (enum price_habit)random_below(r, PRICE_HABITS);
    g->spread_ticks = random_chance(r, 80) ? random_between(r, 2, 10) : random_between(r, 10, 200);
    g->middle_ticks = random_chance(r, 85)   ? random_between(r, 20, 5000)
                      : random_chance(r, 40) ? random_between(r, 1, 20)
                                             : 16777210;
    g->busy_account = random_between(r, 1, g->stream->limits.accounts - 1);
    g->day = random_below(r, 3);
}

struct stream *stream_create(uint64_t seed, uint32_t count)
{
    struct stream *self = calloc(1, sizeof *self);
    struct stream_command *commands = calloc(count, sizeof *commands);
    struct generator *g = calloc(1, sizeof *g);
    if (!self || !commands || !g) abort();
    *self = (struct stream){.seed = seed, .commands = commands, .count = count};
    *g = (struct generator){.random = {seed},
                            .stream = self,
                            .profile = profile_of(seed),
                            .last_bust = STREAM_NO_TARGET};
    self->profile = g->profile->name;
    self->limits = some_limits(g);
    profile_weights(g->profile, g->weights);
    for (unsigned kind = 0; kind < COMMAND_KINDS; kind++) g->weight_sum += g->weights[kind];
    begin_day(g);
    if (random_chance(&g->random, 5)) /* the first record is missing at first */
        while (g->at < 5) make_any(g);
    make_opening(g);
    while (g->at < count) {
        make_any(g);
        if (random_chance(&g->random, 2)) spoil(g);
        if (random_chance(&g->random, 1))
            g->current->time_ns -= random_below(&g->random, 2000000000);
    }
    free(g);
    return self;
}

void stream_destroy(struct stream *self)
{
    free(self->commands);
    free(self);
}

/* ---- answers ---- */

void stream_answers_open(struct stream_answers *self, const struct stream *stream)
{
    self->order_ids = calloc(stream->count, sizeof *self->order_ids);
    self->trade_ids = calloc(stream->count, sizeof *self->trade_ids);
    if (!self->order_ids || !self->trade_ids) abort();
}

void stream_answers_close(struct stream_answers *self)
{
    free(self->order_ids);
    free(self->trade_ids);
}

void stream_answers_note(struct stream_answers *self, uint32_t index, const void *event)
{
    struct event_execution execution;
    struct sbe_header header;
    memcpy(&header, event, sizeof header);
    if (header.template_id != EVENT_EXECUTION) return;
    memcpy(&execution, event, EXECUTION_V1_BYTES);
    if (!self->order_ids[index]) self->order_ids[index] = execution.order_id;
    if (execution.trade_id) self->trade_ids[index] = execution.trade_id;
}

uint8_t *stream_message(const struct stream *stream, uint32_t index,
                        const struct stream_answers *answers)
{
    const struct stream_command *command = &stream->commands[index];
    uint8_t *message = malloc(command->length ? command->length : 1);
    struct sbe_header header;
    if (!message) abort();
    memcpy(message, command->bytes, command->length);
    if (command->target == STREAM_NO_TARGET) return message;
    memcpy(&header, command->bytes, sizeof header);
    bool trade = header.template_id == COMMAND_BUST_TRADE;
    const uint64_t *ids = trade ? answers->trade_ids : answers->order_ids;
    size_t at = trade ? offsetof(struct command_bust_trade, trade_id)
                      : offsetof(struct command_cancel_order, order_id);
    if (command->length >= at + sizeof *ids)
        memcpy(message + at, &ids[command->target], sizeof *ids);
    return message;
}
