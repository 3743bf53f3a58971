#include <string.h>

#include "tests/model/command_stream_generator.h"

void make_configure(struct generator *g)
{
    struct command_configure *c = BEGIN(g, command_configure, COMMAND_CONFIGURE);
    c->limits = g->stream->limits;
    if (g->at > 1 && random_chance(&g->random, 50)) c->limits.orders++;
}

void make_open_account(struct generator *g, account_id_t account)
{
    struct command_open_account *c = BEGIN(g, command_open_account, COMMAND_OPEN_ACCOUNT);
    c->account = account;
    fill_text(&g->random, c->name, NAME_BYTES, "account ", account);
}

void make_add_user(struct generator *g, user_id_t user, account_id_t account)
{
    struct command_add_user *c = BEGIN(g, command_add_user, COMMAND_ADD_USER);
    c->user = user;
    c->account = account;
    fill_text(&g->random, c->name, NAME_BYTES, "user ", user);
}

void make_add_key(struct generator *g)
{
    struct random *r = &g->random;
    struct command_add_key *c = BEGIN(g, command_add_key, COMMAND_ADD_KEY);
    c->user = some_id(r, g->stream->limits.users);
    c->scopes = random_chance(r, 95) ? random_below(r, SCOPE_ALL + 1) : (uint32_t)some_edge(r);
    fill_text(r, c->key_id, KEY_ID_BYTES, "KEY", random_below(r, g->stream->limits.keys * 2));
    memset(c->sealed_secret, (int)random_below(r, 256), SEALED_SECRET_BYTES);
}

/* ---- instruments ---- */

void make_set_tick_table(struct generator *g, uint8_t table)
{
    static const px_t ticks[] = {1, 5, 10, 50, 100};
    struct random *r = &g->random;
    struct command_set_tick_table *c = BEGIN(g, command_set_tick_table, COMMAND_SET_TICK_TABLE);
    unsigned rows = random_chance(r, 3) ? 0 : random_between(r, 1, random_chance(r, 90) ? 4 : 8);
    c->table = table;
    px_t tick_px = PICK(r, ticks), from_px = 0;
    for (unsigned row = 0; row < rows; row++) {
        c->from_px[row] = from_px;
        c->tick_px[row] = tick_px;
        px_t next_px = PICK(r, ticks);
        from_px += tick_px * next_px * random_between(r, 1, 60) * 10;
        from_px = from_px / (tick_px * next_px) * (tick_px * next_px);
        tick_px = next_px;
    }
    if (random_chance(r, 5)) /* up to the highest price that there is */
        for (unsigned row = 0; row < rows; row++)
            c->from_px[row] *= 10000000, c->tick_px[row] *= 10000000;
    uint32_t spoiled = random_below(r, TICK_TABLE_ROWS);
    if (random_chance(r, 2)) c->from_px[spoiled] = some_edge(r);
    if (random_chance(r, 2)) c->tick_px[spoiled] = some_edge(r);
    struct known_table *known = &g->tables[table % TICK_TABLE_COUNT];
    if (known->used) return;
    memcpy(known->from_px, c->from_px, sizeof known->from_px);
    memcpy(known->tick_px, c->tick_px, sizeof known->tick_px);
}

/* Keeps the first listing that looks as if it will be taken. */
static void remember(struct generator *g, const struct command_list_instrument *c)
{
    if (c->instrument >= PLACES || g->instruments[c->instrument].there) return;
    if (c->tick_px < !c->tick_table || c->tick_px > INT64_MAX >> 24 || c->lot_qty <= 0 ||
        c->lot_qty > QTY_MAX || c->max_order_qty <= 0 || c->max_order_qty > QTY_MAX ||
        c->max_order_notional <= 0 || c->currency >= CURRENCY_COUNT || c->shortable > 1 ||
        c->schedule >= SCHEDULE_COUNT || c->session > SESSION_CLOSING_AUCTION)
        return;
    g->instruments[c->instrument] = (struct known_instrument){.tick_px = c->tick_px,
                                                              .lot_qty = c->lot_qty,
                                                              .tick_table = c->tick_table,
                                                              .currency = c->currency,
                                                              .schedule = c->schedule,
                                                              .session = c->session,
                                                              .max_fee_ppm = c->max_fee_ppm,
                                                              .there = true};
    g->tables[c->tick_table % TICK_TABLE_COUNT].used = true;
}

/* What instruments have since version 2. */
static void add_features(struct generator *g, struct command_list_instrument *c)
{
    static const uint8_t currencies[] = {0, 0, 0, 1, CURRENCY_COUNT - 1};
    static const uint32_t fees[] = {1, 100, 5000, 12345, 99999, 100000};
    struct random *r = &g->random;
    const struct profile *p = g->profile;
    c->currency = PICK(r, currencies);
    uint8_t table = (uint8_t)random_between(r, 1, 2);
    if (random_chance(r, 30) && g->tables[table].tick_px[0] > 0) {
        c->tick_table = table;
        c->tick_px = 0;
    }
    if (random_chance(r, p->schedules)) c->schedule = (uint8_t)random_between(r, 1, 2);
    if (random_chance(r, p->calm_sessions > 50 ? 80 : 30)) c->session = SESSION_CONTINUOUS;
    if (random_chance(r, 5)) c->session = (uint8_t)random_between(r, 1, 7);
    if (random_chance(r, p->fees)) c->max_fee_ppm = PICK(r, fees);
    if (random_chance(r, 60))
        c->index_weight = random_chance(r, 90) ? random_below(r, 1000) : UINT32_MAX;
    c->shortable = random_chance(r, p->shorts);
    switch (random_below(r, 200)) {
    case 0: c->currency = (uint8_t)random_next(r); break;
    case 1: c->tick_table = (uint8_t)random_next(r); break;
    case 2: c->schedule = (uint8_t)random_next(r); break;
    case 3: c->session = (uint8_t)random_next(r); break;
    case 4: c->max_fee_ppm = 100001; break;
    case 5: c->shortable = (uint8_t)random_next(r); break;
    default: break;
    }
}

void make_list_instrument(struct generator *g, instrument_id_t instrument)
{
    static const px_t ticks[] = {1, 1, 7, 100, 100, 100, 10000};
    static const px_t far_ticks[] = {549755813888, 549755813889, PX_MAX,  PX_MAX / 3,
                                     40000000,     59604644,     59604645};
    static const qty_t lots[] = {1, 1, 1, 10, 100, 3};
    struct random *r = &g->random;
    struct command_list_instrument *c = BEGIN(g, command_list_instrument, COMMAND_LIST_INSTRUMENT);
    c->instrument = instrument;
    uint32_t number = random_chance(r, 98) ? instrument : random_below(r, 4);
    fill_text(r, c->symbol, SYMBOL_BYTES, random_chance(r, 98) ? "SYM." : "sym", number);
    fill_text(r, c->name, NAME_BYTES, "Instrument ", instrument);
    c->tick_px = PICK(r, ticks);
    if (random_chance(r, 3)) c->tick_px = PICK(r, far_ticks);
    if (random_chance(r, 2)) c->tick_px = some_edge(r);
    c->lot_qty = random_chance(r, 98) ? PICK(r, lots) : some_edge(r);
    c->max_order_qty = random_chance(r, 98) ? random_between(r, 500, 100000) : some_edge(r);
    c->max_order_notional = random_chance(r, 98) ? INT64_MAX : some_edge(r);
    if (random_chance(r, 5)) c->max_order_notional = random_between(r, 1, 1000000000);
    if (random_chance(r, 85))
        add_features(g, c);
    else if (random_chance(r, 70))
        say_as_version_1(g, LIST_INSTRUMENT_V1_BYTES);
    remember(g, c);
}

void make_set_fees(struct generator *g, instrument_id_t instrument)
{
    struct random *r = &g->random;
    struct command_set_fees *c = BEGIN(g, command_set_fees, COMMAND_SET_FEES);
    uint32_t max_ppm = instrument < PLACES ? g->instruments[instrument].max_fee_ppm : 100;
    if (max_ppm > 100000) max_ppm = 100000;
    c->instrument = instrument;
    c->fee_tier = random_chance(r, 97) ? random_below(r, FEE_TIER_COUNT) : (uint32_t)some_edge(r);
    c->maker_ppm = (int32_t)random_between(r, 0, max_ppm);
    c->taker_ppm = (int32_t)random_between(r, 0, max_ppm);
    if (random_chance(r, 50)) c->maker_ppm = -c->maker_ppm;
    if (random_chance(r, 10)) c->taker_ppm = -c->taker_ppm;
    if (random_chance(r, 3)) c->maker_ppm = (int32_t)some_edge(r);
    if (random_chance(r, 3)) c->taker_ppm = (int32_t)max_ppm + 1;
    if (random_chance(r, 1)) c->taker_ppm = INT32_MIN;
}

/* ---- accounts ---- */

void make_set_account(struct generator *g, account_id_t account)
{
    struct random *r = &g->random;
    struct command_set_account *c = BEGIN(g, command_set_account, COMMAND_SET_ACCOUNT);
    c->account = account;
    c->stp = (uint8_t)random_below(r, random_chance(r, 97) ? STP_ALLOW + 1 : 256);
    c->fee_tier = (uint8_t)random_below(r, random_chance(r, 97) ? FEE_TIER_COUNT : 256);
    c->may_short = random_chance(r, g->profile->shorts);
    if (random_chance(r, 2)) c->may_short = (uint8_t)random_next(r);
}

/* Those of an account or user, small enough to be met within a few orders. */
static void tighten(struct generator *g, struct command_set_limits *c)
{
    static const uint32_t collars[] = {1, 1000, 20000, 50000, 1000000};
    struct random *r = &g->random;
    bool account = c->scope == LIMIT_SCOPE_ACCOUNT, user = c->scope == LIMIT_SCOPE_USER;
    uint32_t lot = random_chance(r, 30) ? 100 : 10;
    cash_t px = px_at(g, 1, g->middle_ticks);
    if (random_chance(r, 30)) c->max_order_qty = random_between(r, 1, lot * 8);
    if (random_chance(r, 30)) c->max_order_notional = px % QTY_MAX * random_between(r, 1, lot * 8);
    if (account && random_chance(r, 40)) c->max_open_orders = random_between(r, 1, 8);
    if ((account || user) && random_chance(r, 30)) c->max_messages = random_between(r, 1, 6);
    if ((account || user) && random_chance(r, 30)) c->collar_ppm = PICK(r, collars);
    if (!user && random_chance(r, 40)) c->max_long_qty = random_between(r, 1, lot * 30);
    if (!user && random_chance(r, 40)) c->max_short_qty = random_between(r, 1, lot * 30);
    if (account && random_chance(r, 40))
        c->max_exposure = px % QTY_MAX * random_between(r, 1, lot * 30);
    if (!account && random_chance(r, 50)) c->max_daily_qty = random_between(r, 1, lot * 40);
    if (!account && random_chance(r, 10)) c->max_daily_qty = -1;
}

/* One number at the end of its range, or where it does not belong. */
static void spoil_limits(struct generator *g, struct command_set_limits *c)
{
    struct random *r = &g->random;
    int64_t *const numbers[] = {&c->max_order_qty, &c->max_order_notional, &c->max_long_qty,
                                &c->max_short_qty, &c->max_exposure,       &c->max_daily_qty};
    switch (random_below(r, 5)) {
    case 0: c->scope = random_below(r, 6); break;
    case 1: c->collar_ppm = 1000000 + random_below(r, 2); break;
    case 2: c->max_open_orders = UINT32_MAX; break;
    case 3: c->max_messages = 1; break;
    default: {
        int64_t *number = PICK(r, numbers);
        *number = random_chance(r, 50) ? -1 : some_edge(r);
        break;
    }
    }
}

void make_set_limits(struct generator *g, uint32_t scope, uint32_t id, bool generous)
{
    struct random *r = &g->random;
    struct command_set_limits *c = BEGIN(g, command_set_limits, COMMAND_SET_LIMITS);
    c->scope = scope;
    c->id = id;
    if (generous) {
        if (scope != LIMIT_SCOPE_ACCOUNT && random_chance(r, 50)) c->max_daily_qty = -1;
        return;
    }
    if (random_chance(r, g->profile->tight_limits)) tighten(g, c);
    if (random_chance(r, 6)) spoil_limits(g, c);
    follow_up(g, (struct follow_up){.kind = MAKE_SET_LIMITS, .id = id, .scope = scope}, 60);
}

/* ---- money ---- */

void make_deposit(struct generator *g, account_id_t account, asset_t asset)
{
    struct random *r = &g->random;
    struct command_deposit *c = BEGIN(g, command_deposit, COMMAND_DEPOSIT);
    bool cash = asset == 0 || (asset & ASSET_CASH);
    c->account = account;
    c->asset = asset;
    qty_t lot_qty =
        asset < PLACES && g->instruments[asset].there ? g->instruments[asset].lot_qty : 1;
    if (random_chance(r, 4))
        c->qty = some_edge(r);
    else if (!cash)
        c->qty = lot_qty % QTY_MAX * random_between(r, 1, random_chance(r, 80) ? 20000 : 3);
    else {
        c->qty = random_between(r, 1, 1000000);
        if (random_chance(r, 70)) c->qty *= 10000000;
    }
}

static int64_t some_sum(struct generator *g, asset_t asset)
{
    struct random *r = &g->random;
    bool cash = asset == 0 || (asset & ASSET_CASH);
    if (random_chance(r, 4)) return some_edge(r);
    return random_between(r, 1, 1000) * (cash ? INT64_C(1000000) : 1);
}

void make_withdraw(struct generator *g)
{
    struct command_withdraw *c = BEGIN(g, command_withdraw, COMMAND_WITHDRAW);
    c->account = some_account(g);
    c->asset = some_asset(g);
    c->qty = some_sum(g, c->asset);
}

/* The house lends nearly all that it may: the rebates that it can still pay are few. */
void make_house_poor(struct generator *g)
{
    struct random *r = &g->random;
    struct command_transfer *c = BEGIN(g, command_transfer, COMMAND_TRANSFER);
    uint32_t instruments = g->stream->limits.instruments;
    instrument_id_t instrument = random_between(r, 1, instruments - 1);
    c->to_account = random_between(r, 1, g->stream->limits.accounts - 1);
    uint8_t currency = g->instruments[instrument].currency;
    c->asset = currency ? ASSET_CASH | currency : 0;
    if (random_chance(r, 15)) c->asset = instrument;
    c->qty = (INT64_C(1) << 61) + 1;
    c->qty -= random_below(r, random_chance(r, 50) ? 3 : 1000000);
}

void make_transfer(struct generator *g)
{
    struct random *r = &g->random;
    struct command_transfer *c = BEGIN(g, command_transfer, COMMAND_TRANSFER);
    c->from_account = random_chance(r, 75) ? some_account(g) : 0;
    c->to_account = random_chance(r, 75) ? some_account(g) : 0;
    c->asset = some_asset(g);
    c->reason = random_below(r, random_chance(r, 97) ? TRANSFER_CORRECTION + 1 : 100);
    c->qty = some_sum(g, c->asset);
    if (!c->from_account && random_chance(r, 40)) c->qty = random_between(r, 1, 10000);
}
