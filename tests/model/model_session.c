#include "tests/model/model_parts.h"

enum { MS_NS = 1000000, DAYS_A_WEEK = 7, EPOCH_WEEKDAY = 3 /* 1 January 1970 was a Thursday */ };

static bool is_auction(uint8_t session)
{
    return session == SESSION_OPENING_AUCTION || session == SESSION_REOPENING_AUCTION ||
           session == SESSION_CLOSING_AUCTION;
}

/* ---- limit states ---- */

static void emit_limit_state(struct model *self, instrument_id_t instrument, uint8_t side, px_t px)
{
    struct event_limit_state event = {.header =
                                          EVENT_HEADER(EVENT_LIMIT_STATE, struct event_limit_state),
                                      .instrument = instrument,
                                      .on = side != 0,
                                      .side = side,
                                      .px = px};
    model_emit(self, &event, sizeof event);
}

void model_begin_limit_state(struct model *self, instrument_id_t instrument, uint8_t side, px_t px)
{
    struct model_instrument *i = &self->instruments[instrument];
    i->limit_state = true;
    i->session_ns = model_later(self, (int64_t)i->bands.limit_state_ms * MS_NS);
    emit_limit_state(self, instrument, side, px);
}

void model_end_limit_state(struct model *self, instrument_id_t instrument)
{
    struct model_instrument *i = &self->instruments[instrument];
    if (!i->limit_state) return;
    i->limit_state = false;
    i->session_ns = MODEL_NO_TIMER;
    emit_limit_state(self, instrument, 0, 0);
}

/* ---- entering a session ---- */

static bool expires_on(const struct model_order *order, uint8_t session)
{
    if (order->time_in_force == TIF_AT_OPEN) return true;
    return session == SESSION_CLOSED &&
           (order->time_in_force == TIF_AT_CLOSE || order->time_in_force == TIF_DAY);
}

/* The first in one place that expires; side 0: of both. */
static struct model_order *first_to_expire(const struct model *self, instrument_id_t instrument,
                                           enum model_place place, uint8_t side)
{
    struct model_order *first = NULL;
    for (uint32_t n = 0; n < self->order_count; n++) {
        struct model_order *order = self->orders[n];
        if (order->instrument != instrument || order->place != place) continue;
        if (side != 0 && order->side != side) continue;
        if (!expires_on(order, self->instruments[instrument].session)) continue;
        if (!first || model_goes_before(order, first)) first = order;
    }
    return first;
}

static void expire_orders(struct model *self, instrument_id_t instrument)
{
    static const struct {
        enum model_place place;
        uint8_t side;
    } turns[] = {{PLACE_BOOK, SIDE_BUY},
                 {PLACE_BOOK, SIDE_SELL},
                 {PLACE_STOPS, SIDE_BUY},
                 {PLACE_STOPS, SIDE_SELL},
                 {PLACE_CLOSE, 0}};
    struct model_order *order;
    for (unsigned turn = 0; turn < sizeof turns / sizeof turns[0]; turn++)
        while ((order = first_to_expire(self, instrument, turns[turn].place, turns[turn].side)))
            model_end_order(self, order, EXEC_EXPIRED, REJECT_NONE);
}

/* The oldest at-close order that waits. */
static struct model_order *first_at_close(const struct model *self, instrument_id_t instrument)
{
    struct model_order *buy = model_first(self, instrument, PLACE_CLOSE, SIDE_BUY);
    struct model_order *sell = model_first(self, instrument, PLACE_CLOSE, SIDE_SELL);
    if (!buy || !sell) return buy ? buy : sell;
    return model_goes_before(buy, sell) ? buy : sell;
}

void model_begin_session(struct model *self, instrument_id_t instrument, uint8_t session)
{
    struct model_instrument *i = &self->instruments[instrument];
    i->session = session;
    i->session_ns = i->auction_ns = MODEL_NO_TIMER;
    i->told = (struct event_auction){.px = 0};
    if (is_auction(session)) i->auction_ns = model_later(self, MODEL_SECOND_NS);
}

/* How long the session lasts by itself; 0: until something ends it. */
static uint32_t lasts_ms(const struct model *self, const struct model_instrument *i, uint8_t before,
                         uint32_t halt_ms)
{
    if (i->session == SESSION_HALT) return halt_ms;
    if (i->session != SESSION_REOPENING_AUCTION) return 0;
    return before == SESSION_HALT && i->breaker_halt ? self->breakers.auction_ms
                                                     : i->bands.auction_ms;
}

void model_enter_session(struct model *self, instrument_id_t instrument, uint8_t session,
                         enum session_cause cause, uint32_t halt_ms)
{
    struct model_instrument *i = &self->instruments[instrument];
    uint8_t before = i->session;
    struct model_order *order;
    if (before == session) return;
    model_end_limit_state(self, instrument);
    struct event_session_changed event = {
        .header = EVENT_HEADER(EVENT_SESSION_CHANGED, struct event_session_changed),
        .instrument = instrument,
        .session = session,
        .cause = (uint8_t)cause,
        .before = before};
    model_emit(self, &event, sizeof event);
    model_begin_session(self, instrument, session);
    if (session == SESSION_CONTINUOUS ||
        (session == SESSION_CLOSED && before == SESSION_CLOSING_AUCTION))
        model_hold_auction(self, instrument);
    if (session == SESSION_CONTINUOUS || session == SESSION_CLOSED) expire_orders(self, instrument);
    if (session == SESSION_CLOSING_AUCTION)
        while ((order = first_at_close(self, instrument))) {
            model_leave_place(self, order);
            model_rest(self, order);
        }
    uint32_t ms = lasts_ms(self, i, before, halt_ms);
    if (ms != 0) i->session_ns = model_later(self, (int64_t)ms * MS_NS);
    i->breaker_halt = session == SESSION_HALT && cause == SESSION_BY_BREAKER;
    model_trigger_stops(self, instrument);
}

/* ---- by command ---- */

void model_set_session(struct model *self, const struct command_set_session *command)
{
    enum reject reason = REJECT_NONE;
    if (command->instrument != 0 && !model_is_listed(self, command->instrument))
        reason = REJECT_UNKNOWN_INSTRUMENT;
    else if (command->session < SESSION_CLOSED || command->session > SESSION_CLOSING_AUCTION)
        reason = REJECT_INVALID_SETTING;
    if (reason != REJECT_NONE) {
        model_reject_command(self, COMMAND_SET_SESSION, reason);
        return;
    }
    for (instrument_id_t id = 0; id < self->limits.instruments; id++)
        if (model_is_listed(self, id) && (command->instrument == 0 || command->instrument == id))
            model_enter_session(self, id, command->session, SESSION_BY_COMMAND, 0);
    model_trip_breakers(self);
    model_emit_setting(self, COMMAND_SET_SESSION, 0, command->instrument);
}

/* ---- by schedule ---- */

static bool row_is_on(const struct command_set_schedule *schedule, unsigned row, int64_t day)
{
    return schedule->weekdays[row] & 1u << (unsigned)((day + EPOCH_WEEKDAY) % DAYS_A_WEEK);
}

int64_t model_next_row_ns(const struct command_set_schedule *schedule, int64_t after_ns)
{
    int64_t today = after_ns / MODEL_DAY_NS;
    for (int64_t day = today; day <= today + DAYS_A_WEEK; day++) {
        for (unsigned row = 0; row < SCHEDULE_ROWS; row++) {
            __int128 at_ns = (__int128)day * MODEL_DAY_NS +
                             (__int128)schedule->second_of_day[row] * MODEL_SECOND_NS;
            if (row_is_on(schedule, row, day) && at_ns > after_ns && at_ns <= INT64_MAX)
                return (int64_t)at_ns;
        }
    }
    return MODEL_NO_TIMER;
}

static bool is_schedule(const struct command_set_schedule *c)
{
    if (c->schedule < 1 || c->schedule >= SCHEDULE_COUNT) return false;
    for (unsigned row = 0; row < SCHEDULE_ROWS; row++) {
        if (c->weekdays[row] == 0) {
            if (c->second_of_day[row] != 0 || c->session[row] != 0) return false;
            continue;
        }
        if (row > 0 && c->weekdays[row - 1] == 0) return false;
        if (row > 0 && c->second_of_day[row] <= c->second_of_day[row - 1]) return false;
        if (c->second_of_day[row] > 86399 || c->weekdays[row] > 127) return false;
        if (c->session[row] < SESSION_CLOSED || c->session[row] > SESSION_CLOSING_AUCTION)
            return false;
    }
    return true;
}

void model_set_schedule(struct model *self, const struct command_set_schedule *command)
{
    if (!is_schedule(command)) {
        model_reject_command(self, COMMAND_SET_SCHEDULE, REJECT_INVALID_SETTING);
        return;
    }
    self->schedules[command->schedule] = *command;
    for (instrument_id_t id = 0; id < self->limits.instruments; id++)
        if (model_is_listed(self, id) && self->instruments[id].schedule == command->schedule)
            self->instruments[id].schedule_ns = model_next_row_ns(command, self->now_ns);
    model_emit_setting(self, COMMAND_SET_SCHEDULE, 0, command->schedule);
}

/* ---- by timer ---- */

void model_schedule_due(struct model *self, instrument_id_t instrument)
{
    struct model_instrument *i = &self->instruments[instrument];
    const struct command_set_schedule *schedule = &self->schedules[i->schedule];
    int64_t due_ns = i->schedule_ns, day = due_ns / MODEL_DAY_NS;
    int64_t second = due_ns % MODEL_DAY_NS / MODEL_SECOND_NS;
    i->schedule_ns = model_next_row_ns(schedule, due_ns);
    for (unsigned row = 0; row < SCHEDULE_ROWS; row++) {
        if (!row_is_on(schedule, row, day) || schedule->second_of_day[row] != second) continue;
        model_enter_session(self, instrument, schedule->session[row], SESSION_BY_SCHEDULE, 0);
        return;
    }
}

void model_session_due(struct model *self, instrument_id_t instrument)
{
    struct model_instrument *i = &self->instruments[instrument];
    i->session_ns = MODEL_NO_TIMER;
    switch (i->session) {
    case SESSION_CONTINUOUS: /* a limit state lasted too long */
        model_enter_session(self, instrument, SESSION_HALT, SESSION_BY_BAND, i->bands.halt_ms);
        break;
    case SESSION_HALT:
        model_enter_session(self, instrument, SESSION_REOPENING_AUCTION, SESSION_BY_TIMER, 0);
        break;
    default: model_enter_session(self, instrument, SESSION_CONTINUOUS, SESSION_BY_TIMER, 0); break;
    }
}

void model_auction_due(struct model *self, instrument_id_t instrument)
{
    struct model_instrument *i = &self->instruments[instrument];
    i->auction_ns = MODEL_NO_TIMER;
    if (i->session == SESSION_CONTINUOUS) {
        model_trigger_stops(self, instrument);
    } else {
        model_show_auction(self, instrument);
        i->auction_ns = model_later(self, MODEL_SECOND_NS);
    }
}
