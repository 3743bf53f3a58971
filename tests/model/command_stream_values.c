#include <inttypes.h>
#include <string.h>

#include "tests/model/command_stream_generator.h"

/* ---- numbers ---- */

int64_t some_edge(struct random *r)
{
    static const int64_t edges[] = {0,
                                    1,
                                    -1,
                                    2,
                                    INT64_MAX,
                                    INT64_MIN,
                                    INT64_MAX - 1,
                                    PX_MAX,
                                    PX_MAX + 1,
                                    PX_MAX - 1,
                                    QTY_MAX,
                                    QTY_MAX + 1,
                                    QTY_MAX - 1,
                                    1000000, /* shares a user and day, by default */
                                    1000001,
                                    16777215,
                                    16777216,
                                    INT64_C(1) << 32,
                                    INT64_C(1) << 61,
                                    (INT64_C(1) << 61) + 1,
                                    INT64_C(1) << 62,
                                    (INT64_C(1) << 62) + 1,
                                    INT32_MAX,
                                    UINT32_MAX,
                                    INT64_C(3037000500)};
    if (random_chance(r, 10)) return (int64_t)random_next(r);
    return PICK(r, edges);
}

int64_t one_off(struct random *r, int64_t number)
{
    int64_t other;
    if (!random_chance(r, 1)) return number;
    if (__builtin_add_overflow(number, random_chance(r, 50) ? 1 : -1, &other)) return number;
    return other;
}

int64_t or_edge(struct generator *g, int64_t number)
{
    if (random_chance(&g->random, g->profile->edges)) return some_edge(&g->random);
    return one_off(&g->random, number);
}

/* ---- ids ---- */

uint32_t some_id(struct random *r, uint32_t limit)
{
    if (random_chance(r, 99)) return random_between(r, 1, limit - 1 < PLACES ? limit - 1 : PLACES);
    const uint32_t edges[] = {0, limit - 1, limit, limit + 1, 65536, 1 << 24, UINT32_MAX};
    return PICK(r, edges);
}

account_id_t some_account(struct generator *g)
{
    if (random_chance(&g->random, g->profile->own_account)) return g->busy_account;
    return some_id(&g->random, g->stream->limits.accounts);
}

instrument_id_t some_instrument(struct generator *g)
{
    return some_id(&g->random, g->stream->limits.instruments);
}

uint32_t user_account(const struct generator *g, user_id_t user)
{
    return user % g->stream->limits.accounts;
}

user_id_t user_of(struct generator *g, account_id_t account)
{
    const struct limits *limits = &g->stream->limits;
    uint64_t second = (uint64_t)account + limits->accounts;
    if (second < limits->users && random_chance(&g->random, 40)) return (user_id_t)second;
    return account % limits->users;
}

asset_t some_asset(struct generator *g)
{
    struct random *r = &g->random;
    instrument_id_t instrument = some_instrument(g);
    if (random_chance(r, 2)) return (asset_t)some_edge(r);
    if (random_chance(r, 2)) return ASSET_CASH | random_below(r, CURRENCY_COUNT + 2);
    if (random_chance(r, 50)) return instrument;
    if (instrument >= PLACES || !g->instruments[instrument].currency) return 0;
    return ASSET_CASH | g->instruments[instrument].currency;
}

/* ---- prices and quantities ---- */

static const struct known_instrument *known(const struct generator *g, instrument_id_t instrument)
{
    static const struct known_instrument none = {.tick_px = 1, .lot_qty = 1};
    bool there = instrument < PLACES && g->instruments[instrument].there;
    return there ? &g->instruments[instrument] : &none;
}

/* The price so many ticks up a table; 0 where it does not reach. */
static px_t px_in_table(const struct known_table *table, int64_t ticks)
{
    for (unsigned row = 0; row < TICK_TABLE_ROWS && table->tick_px[row] > 0; row++) {
        px_t from_px = table->from_px[row], tick_px = table->tick_px[row], px;
        bool last = row + 1 == TICK_TABLE_ROWS || table->tick_px[row + 1] <= 0;
        int64_t rows_ticks = last ? INT64_MAX : (table->from_px[row + 1] - from_px) / tick_px;
        if (ticks >= rows_ticks) {
            ticks -= rows_ticks;
            continue;
        }
        if (__builtin_mul_overflow(ticks, tick_px, &px)) return 0;
        return __builtin_add_overflow(px, from_px, &px) ? 0 : px;
    }
    return 0;
}

px_t px_at(const struct generator *g, instrument_id_t instrument, int64_t ticks)
{
    const struct known_instrument *it = known(g, instrument);
    px_t px;
    if (it->tick_table) {
        px = px_in_table(&g->tables[it->tick_table % TICK_TABLE_COUNT], ticks);
        return px ? px : 1;
    }
    return __builtin_mul_overflow(ticks, it->tick_px, &px) ? it->tick_px : px;
}

/* Far from the middle, if this day's prices lie so. */
static bool far_ticks(struct generator *g, int64_t *ticks)
{
    static const uint32_t far[] = {1,        2,        62,      63,           64,      65,
                                   4095,     4096,     4097,    1 << 15,      1 << 18, 16777214,
                                   16777215, 16777216, 1 << 23, (1 << 18) - 1};
    struct random *r = &g->random;
    if (g->price_habit == CLOSE || (g->price_habit == MIXED && random_chance(r, 80))) return false;
    if (random_chance(r, 40)) return *ticks = PICK(r, far), true;
    if (random_chance(r, 60)) return *ticks = random_between(r, 1, 16777215), true;
    return false;
}

px_t some_px(struct generator *g, instrument_id_t instrument, uint8_t side)
{
    struct random *r = &g->random;
    int64_t ticks, away = random_below(r, g->spread_ticks + 1);
    if (random_chance(r, g->profile->edges)) return some_edge(r);
    if (far_ticks(g, &ticks)) return one_off(r, px_at(g, instrument, ticks));
    bool below = random_chance(r, 60) ? side == SIDE_BUY : random_chance(r, 50);
    return one_off(r, px_at(g, instrument, g->middle_ticks + (below ? -away : away)));
}

px_t some_stop_px(struct generator *g, instrument_id_t instrument, uint8_t side)
{
    struct random *r = &g->random;
    int64_t ticks, away = random_below(r, g->spread_ticks * 2 + 1);
    if (random_chance(r, g->profile->edges)) return some_edge(r);
    if (far_ticks(g, &ticks)) return one_off(r, px_at(g, instrument, ticks));
    bool below = random_chance(r, 85) ? side == SIDE_SELL : random_chance(r, 50);
    return one_off(r, px_at(g, instrument, g->middle_ticks + (below ? -away : away)));
}

qty_t some_lots(struct generator *g, instrument_id_t instrument, uint32_t max)
{
    qty_t qty;
    if (__builtin_mul_overflow(known(g, instrument)->lot_qty, random_between(&g->random, 1, max),
                               &qty))
        return 1;
    return qty;
}

/* ---- texts ---- */

void fill_text(struct random *r, char *text, size_t bytes, const char *stem, uint32_t number)
{
    memset(text, 0, bytes);
    switch (random_below(r, 250)) {
    case 0: return;
    case 1: memset(text, 'x', bytes); return; /* no NUL */
    case 2: memset(text, 'Y', bytes - 1); return;
    case 3: text[0] = (char)random_next(r); return;
    case 4: memcpy(text, "a\0b", 3); return;
    case 5: memcpy(text, "A_/", random_between(r, 1, 3)); return;
    default: snprintf(text, bytes, "%s%" PRIu32, stem, number); return;
    }
}

void fill_cl_ord_id(struct random *r, char *text)
{
    memset(text, 0, CL_ORD_ID_BYTES);
    uint32_t kind = random_below(r, 100), number = random_below(r, CL_ORD_ID_CHOICES);
    if (kind < 55) return;
    if (kind < 90) {
        snprintf(text, CL_ORD_ID_BYTES, "c%" PRIu32, number);
    } else if (kind < 99) {
        memset(text, '~', CL_ORD_ID_BYTES);
        text[CL_ORD_ID_BYTES - 1] = (char)('a' + number % 20);
    } else {
        static const char bad[6][4] = {" x", "x y", "\x7f", "a\0b", "\t", "\xc3\xa9"};
        memcpy(text, bad[number % 6], sizeof bad[0]);
    }
}
