#include "tests/model/command_stream_generator.h"

/* ---- time ---- */

/* Moves the clock to, or right beside, a time when something may be due; else on by a little. */
void make_time(struct generator *g)
{
    struct random *r = &g->random;
    struct command_time *c = BEGIN(g, command_time, COMMAND_TIME);
    uint32_t there = g->deadline_count < DEADLINES ? g->deadline_count : DEADLINES;
    int64_t nearest_ns = INT64_MAX, chosen_ns = 0;
    for (uint32_t i = 0; i < there; i++)
        if (g->deadlines[i] > g->time_ns && g->deadlines[i] < nearest_ns)
            nearest_ns = g->deadlines[i];
    if (there && random_chance(r, 20)) chosen_ns = g->deadlines[random_below(r, there)];
    if (chosen_ns <= g->time_ns) chosen_ns = nearest_ns;
    int64_t time_ns = g->time_ns;
    if (random_chance(r, 75) && chosen_ns < INT64_MAX - 10 * SECOND_NS)
        time_ns = chosen_ns + (int64_t)random_below(r, 3) - 1;
    else
        time_ns += random_below(r, 3) * (SECOND_NS / 2);
    if (random_chance(r, 3)) time_ns += 3 * SECOND_NS;
    if (time_ns > g->time_ns) g->time_ns = time_ns;
    g->current->time_ns = g->time_ns;
    c->deadline_ns = random_chance(r, 90) ? chosen_ns : some_edge(r);
}

void make_end_day(struct generator *g)
{
    struct command_end_day *c = BEGIN(g, command_end_day, COMMAND_END_DAY);
    if (random_chance(&g->random, 90)) g->day += random_between(&g->random, 1, 2);
    c->day = g->day;
    if (random_chance(&g->random, 2)) c->day = random_below(&g->random, (uint32_t)g->day + 9);
}

/* ---- sessions ---- */

void make_set_session(struct generator *g, instrument_id_t instrument, uint8_t session)
{
    struct command_set_session *c = BEGIN(g, command_set_session, COMMAND_SET_SESSION);
    c->instrument = instrument;
    c->session = session;
    note_deadline(g, g->time_ns + SECOND_NS);
    for (instrument_id_t i = 1; i < PLACES; i++)
        if (i == instrument || !instrument) g->instruments[i].session = session;
    if (session == SESSION_CONTINUOUS) return;
    if (random_chance(&g->random, g->profile->calm_sessions))
        follow_up(g, (struct follow_up){.kind = MAKE_SET_SESSION, .id = instrument},
                  random_chance(&g->random, 85) ? 12 : 150);
}

void make_any_session(struct generator *g)
{
    static const uint8_t odd[] = {0, 8, 255};
    struct random *r = &g->random;
    instrument_id_t instrument = random_chance(r, 30) ? 0 : some_instrument(g);
    uint8_t session = (uint8_t)random_between(r, SESSION_CLOSED, SESSION_CLOSING_AUCTION);
    if (random_chance(r, 20)) session = SESSION_CONTINUOUS;
    if (random_chance(r, 2)) session = PICK(r, odd);
    make_set_session(g, instrument, session);
}

/* A row's second: soon after the one before, as seen from now. */
static uint32_t next_second(struct random *r, uint32_t second)
{
    static const uint32_t steps[] = {1, 2, 5, 60, 3600};
    return second + PICK(r, steps);
}

void make_set_schedule(struct generator *g, uint8_t schedule)
{
    struct random *r = &g->random;
    struct command_set_schedule *c = BEGIN(g, command_set_schedule, COMMAND_SET_SCHEDULE);
    c->schedule = schedule;
    uint32_t second = (uint32_t)(g->time_ns / SECOND_NS % 86400);
    int64_t day_begin_ns = g->time_ns / DAY_NS * DAY_NS;
    if (random_chance(r, 20)) second = random_below(r, 86400);
    unsigned rows = random_chance(r, 10) ? 0 : random_between(r, 1, SCHEDULE_ROWS);
    for (unsigned row = 0; row < rows; row++) {
        second = next_second(r, second);
        if (second > 86399) break;
        c->second_of_day[row] = second;
        c->session[row] = (uint8_t)random_between(r, SESSION_CLOSED, SESSION_CLOSING_AUCTION);
        if (random_chance(r, 30)) c->session[row] = SESSION_CONTINUOUS;
        c->weekdays[row] = random_chance(r, 80) ? 127 : (uint8_t)random_between(r, 1, 127);
        note_deadline(g, day_begin_ns + second * SECOND_NS);
        if (random_chance(r, 20)) note_deadline(g, day_begin_ns + second * SECOND_NS + DAY_NS);
    }
    unsigned row = random_below(r, SCHEDULE_ROWS);
    if (random_chance(r, 96)) return;
    if (random_chance(r, 30)) c->second_of_day[row] = 86400 + random_below(r, 2);
    if (random_chance(r, 30)) c->session[row] = (uint8_t)random_next(r);
    if (random_chance(r, 30)) c->weekdays[row] = (uint8_t)random_next(r);
    if (random_chance(r, 30)) c->second_of_day[row] = second;
}

/* ---- protection ---- */

static uint32_t some_ms(struct generator *g)
{
    static const uint32_t times[] = {0, 1, 5, 1000, 1001, 5000};
    uint32_t ms = PICK(&g->random, times);
    if (random_chance(&g->random, 2)) ms = UINT32_MAX;
    if (ms) note_deadline(g, g->time_ns + ms * MILLI_NS);
    return ms;
}

static uint32_t some_width(struct generator *g)
{
    static const uint32_t widths[] = {0,     0,     1,      10000,   30000,
                                      50000, 80000, 200000, 1000000, 1000001};
    struct random *r = &g->random;
    uint32_t ticks = g->middle_ticks ? g->middle_ticks : 1;
    if (random_chance(r, 40)) return 1000000 / ticks * random_between(r, 1, 4);
    if (random_chance(r, 95)) return PICK(r, widths) % 1000001;
    return PICK(r, widths);
}

void make_set_bands(struct generator *g, instrument_id_t instrument)
{
    struct random *r = &g->random;
    struct command_set_bands *c = BEGIN(g, command_set_bands, COMMAND_SET_BANDS);
    c->instrument = instrument;
    if (random_chance(r, 70)) c->static_ppm = some_width(g);
    if (random_chance(r, 70)) c->dynamic_ppm = some_width(g);
    if (random_chance(r, 60)) c->collar_ppm = some_width(g);
    c->limit_state_ms = some_ms(g);
    c->halt_ms = some_ms(g);
    c->auction_ms = some_ms(g);
    if (random_chance(r, 60)) c->reference_px = px_at(g, instrument, g->middle_ticks);
    if (random_chance(r, 5)) c->reference_px = some_px(g, instrument, SIDE_BUY);
}

void make_set_breakers(struct generator *g)
{
    static const uint32_t declines[] = {1, 5000, 20000, 50000, 100000, 300000, 1000000, 1000001};
    struct random *r = &g->random;
    struct command_set_breakers *c = BEGIN(g, command_set_breakers, COMMAND_SET_BREAKERS);
    uint32_t levels = random_below(r, BREAKER_LEVELS + 1), at = 0;
    for (uint32_t level = 0; level < levels; level++) {
        at += random_below(r, 4);
        c->decline_ppm[level] = declines[at % 8];
        c->halt_ms[level] = some_ms(g);
    }
    c->auction_ms = some_ms(g);
    uint32_t spoiled = random_below(r, BREAKER_LEVELS);
    if (random_chance(r, 3)) c->decline_ppm[spoiled] = (uint32_t)random_next(r);
}

void make_kill_switch(struct generator *g, account_id_t account, bool engaged)
{
    struct command_kill_switch *c = BEGIN(g, command_kill_switch, COMMAND_KILL_SWITCH);
    c->account = account;
    c->engaged = engaged;
    if (random_chance(&g->random, 2)) c->engaged = (uint8_t)random_next(&g->random);
    if (c->engaged) follow_up(g, (struct follow_up){.kind = MAKE_KILL_SWITCH, .id = account}, 15);
}
