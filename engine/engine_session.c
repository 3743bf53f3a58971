/* Sessions: what an instrument takes and does, when that changes, and what a change brings along.
 * MATCHING.md sections 1, 6 and 11. */
#include "engine/auction/auction.h"
#include "engine/engine_layout.h"

enum { AUCTION_EVERY_MS = AUCTION_EVERY_NS / 1000000 };

/* ---- timers ---- */

void engine_start_timer(struct engine *self, enum timer_kind kind, instrument_id_t instrument,
                        uint32_t after_ms)
{
    int64_t deadline_ns;
    if (after_ms == 0) return;
    if (__builtin_add_overflow(self->state->time_ns, after_ms * INT64_C(1000000), &deadline_ns))
        deadline_ns = INT64_MAX;
    timer_set(&self->timers, kind, instrument, deadline_ns);
}

static void follow_schedule(struct engine *self, instrument_id_t instrument, int64_t after_ns)
{
    const struct instrument *i = &self->instruments.table[instrument];
    uint8_t session;
    int64_t next_ns = schedule_next_ns(&self->state->schedules[i->schedule], after_ns, &session);
    if (next_ns) /* the schedule that is none has no rows */
        timer_set(&self->timers, TIMER_SCHEDULE, instrument, next_ns);
    else
        timer_clear(&self->timers, TIMER_SCHEDULE, instrument);
}

/* ---- auctions ---- */

static bool has_auction(uint8_t session)
{
    return session == SESSION_OPENING_AUCTION || session == SESSION_REOPENING_AUCTION ||
           session == SESSION_CLOSING_AUCTION;
}

/* What an auction would give now. */
static struct auction find_auction(const struct engine *self, instrument_id_t instrument)
{
    const struct instrument *i = &self->instruments.table[instrument];
    px_t reference_px = instrument_mark(i);
    uint32_t reference = reference_px ? instrument_ticks(&self->instruments, i, reference_px) : 0;
    return auction_find(&self->books, instrument, reference);
}

static px_t auction_px(const struct engine *self, const struct instrument *i,
                       const struct auction *auction)
{
    return auction->ticks ? instrument_px(&self->instruments, i, auction->ticks) : 0;
}

static void emit_auction(const struct engine *self, instrument_id_t instrument, px_t px,
                         const struct auction *auction, bool final)
{
    struct event_auction event = {.header = EVENT_HEADER(EVENT_AUCTION, struct event_auction),
                                  .instrument = instrument,
                                  .final = final,
                                  .imbalance_side = auction->imbalance_side,
                                  .px = px,
                                  .paired_qty = auction->paired_qty,
                                  .imbalance_qty = auction->imbalance_qty};
    engine_emit(self, &event, sizeof event);
}

/* Told each second, unless it was told before. */
static void tell_auction(struct engine *self, instrument_id_t instrument)
{
    struct instrument *i = &self->instruments.table[instrument];
    struct auction now = find_auction(self, instrument);
    px_t px = auction_px(self, i, &now);
    engine_start_timer(self, TIMER_WORK, instrument, AUCTION_EVERY_MS);
    if (px == i->auction_px && now.paired_qty == i->auction_paired_qty &&
        now.imbalance_qty == i->auction_imbalance_qty && now.imbalance_side == i->auction_side)
        return;
    i->auction_px = px;
    i->auction_paired_qty = now.paired_qty;
    i->auction_imbalance_qty = now.imbalance_qty;
    i->auction_side = now.imbalance_side;
    emit_auction(self, instrument, px, &now, false);
}

static void trade_auction(struct engine *self, instrument_id_t instrument)
{
    struct instrument *i = &self->instruments.table[instrument];
    struct auction auction = find_auction(self, instrument);
    if (auction.paired_qty == 0) return;
    px_t px = auction_px(self, i, &auction);
    emit_auction(self, instrument, px, &auction, true);
    const struct ladder *bids = book_ladder(&self->books, instrument, LADDER_BIDS);
    const struct ladder *asks = book_ladder(&self->books, instrument, LADDER_ASKS);
    for (qty_t rest = auction.paired_qty; rest > 0;) {
        struct book_order *buyer = book_first(&self->books, bids);
        struct book_order *seller = book_first(&self->books, asks);
        CHECK(buyer && seller && buyer->limit_px >= px && seller->limit_px <= px);
        qty_t qty = buyer->leaves_qty < rest ? buyer->leaves_qty : rest;
        if (seller->leaves_qty < qty) qty = seller->leaves_qty;
        engine_trade(self, i, buyer, seller, qty, px, LIQUIDITY_AUCTION, LIQUIDITY_AUCTION);
        rest -= qty;
    }
    engine_set_reference_px(self, i, px);
}

/* ---- orders whose time is over ---- */

static bool expires_at_close(const struct book_order *order)
{
    return order->time_in_force == TIF_DAY || order->time_in_force == TIF_AT_OPEN ||
           order->time_in_force == TIF_AT_CLOSE;
}

static void expire(struct engine *self, struct book_order *order)
{
    engine_end_order(self, order, EXEC_EXPIRED, REJECT_NONE);
}

static void expire_at_open(struct engine *self, instrument_id_t instrument)
{
    const struct instrument *i = &self->instruments.table[instrument];
    for (int which = LADDER_BIDS; which <= LADDER_ASKS; which++) {
        const struct ladder *ladder =
            book_ladder(&self->books, instrument, (enum book_ladder)which);
        struct book_order *next, *order = book_first(&self->books, ladder);
        for (; order && i->at_open_count; order = next) {
            next = book_next(&self->books, ladder, order); /* while the order is there */
            if (order->time_in_force == TIF_AT_OPEN) expire(self, order);
        }
    }
}

static void expire_day(struct engine *self, instrument_id_t instrument)
{
    for (int which = 0; which < LADDER_COUNT; which++) {
        const struct ladder *ladder =
            book_ladder(&self->books, instrument, (enum book_ladder)which);
        struct book_order *next, *order = book_first(&self->books, ladder);
        for (; order; order = next) {
            next = book_next(&self->books, ladder, order);
            if (expires_at_close(order)) expire(self, order);
        }
    }
    const struct parked_list *parked = &self->books.parked[instrument];
    for (uint32_t next, slot = parked->head; slot; slot = next) {
        next = self->books.orders[slot].next;
        expire(self, &self->books.orders[slot]);
    }
}

static void enter_parked(struct engine *self, instrument_id_t instrument)
{
    const struct parked_list *parked = &self->books.parked[instrument];
    for (uint32_t next, slot = parked->head; slot; slot = next) {
        next = self->books.orders[slot].next;
        engine_enter_book(self, &self->books.orders[slot]);
    }
}

/* ---- sessions ---- */

static void emit_session_changed(const struct engine *self, instrument_id_t instrument,
                                 uint8_t session, enum session_cause cause, uint8_t before)
{
    struct event_session_changed event = {
        .header = EVENT_HEADER(EVENT_SESSION_CHANGED, struct event_session_changed),
        .instrument = instrument,
        .session = session,
        .cause = (uint8_t)cause,
        .before = before};
    engine_emit(self, &event, sizeof event);
}

static uint32_t halt_ms(const struct engine *self, const struct instrument *i,
                        enum session_cause cause)
{
    if (cause == SESSION_BY_BAND) return i->halt_ms;
    if (cause == SESSION_BY_BREAKER)
        return self->state->breakers.halt_ms[self->state->tripped_level - 1];
    return 0; /* whoever halted it says when that is over */
}

/* The timers of the session that has begun. */
static void start_timers(struct engine *self, instrument_id_t instrument, enum session_cause cause)
{
    struct instrument *i = &self->instruments.table[instrument];
    bool after_breaker = i->halted_by_breaker;
    i->halted_by_breaker = cause == SESSION_BY_BREAKER;
    if (i->session == SESSION_HALT)
        engine_start_timer(self, TIMER_PHASE, instrument, halt_ms(self, i, cause));
    if (i->session == SESSION_REOPENING_AUCTION)
        engine_start_timer(self, TIMER_PHASE, instrument,
                           after_breaker ? self->state->breakers.auction_ms : i->auction_ms);
    if (!has_auction(i->session)) return;
    i->auction_px = 0;
    i->auction_paired_qty = i->auction_imbalance_qty = 0;
    i->auction_side = 0;
    engine_start_timer(self, TIMER_WORK, instrument, AUCTION_EVERY_MS);
}

static void set_session(struct instrument *i, uint8_t session)
{
    i->session = session;
    bounds_follow_limits(i);
}

void engine_enter_session(struct engine *self, instrument_id_t instrument, uint8_t session,
                          enum session_cause cause)
{
    struct instrument *i = &self->instruments.table[instrument];
    uint8_t before = i->session;
    if (before == session) return;
    if (i->limit_state) engine_end_limit_state(self, instrument);
    set_session(i, session);
    emit_session_changed(self, instrument, session, cause, before);
    timer_clear(&self->timers, TIMER_PHASE, instrument);
    timer_clear(&self->timers, TIMER_WORK, instrument);

    if (session == SESSION_CONTINUOUS ||
        (session == SESSION_CLOSED && before == SESSION_CLOSING_AUCTION))
        trade_auction(self, instrument);
    if (session == SESSION_CONTINUOUS) expire_at_open(self, instrument);
    if (session == SESSION_CLOSED) expire_day(self, instrument);
    if (session == SESSION_CLOSING_AUCTION) enter_parked(self, instrument);
    start_timers(self, instrument, cause);
    if (session == SESSION_CONTINUOUS) engine_trigger_stops(self, instrument);
}

void engine_begin_session(struct engine *self, instrument_id_t instrument, uint8_t session)
{
    struct instrument *i = &self->instruments.table[instrument];
    if (session == 0) session = i->schedule ? SESSION_CLOSED : SESSION_CONTINUOUS;
    set_session(i, session);
    start_timers(self, instrument, SESSION_BY_COMMAND);
    follow_schedule(self, instrument, self->state->time_ns);
}

static enum reject check_session(const struct engine *self,
                                 const struct command_set_session *command)
{
    if (command->instrument && !instrument_find(&self->instruments, command->instrument))
        return REJECT_UNKNOWN_INSTRUMENT;
    if (command->session < SESSION_CLOSED || command->session > SESSION_CLOSING_AUCTION)
        return REJECT_INVALID_SETTING;
    return REJECT_NONE;
}

void engine_set_session(struct engine *self, const struct command_set_session *command)
{
    enum reject reason = check_session(self, command);
    if (reason != REJECT_NONE) {
        engine_emit_command_rejected(self, COMMAND_SET_SESSION, reason);
        return;
    }
    instrument_id_t begin = command->instrument, end = command->instrument + 1;
    if (command->instrument == 0) end = *self->instruments.end;
    for (instrument_id_t id = begin; id < end; id++)
        if (instrument_find(&self->instruments, id))
            engine_enter_session(self, id, command->session, SESSION_BY_COMMAND);
    engine_watch_breakers(self);
    engine_emit_setting_changed(self, COMMAND_SET_SESSION, 0, command->instrument);
}

void engine_set_schedule(struct engine *self, const struct command_set_schedule *command)
{
    if (!schedule_is_valid(command)) {
        engine_emit_command_rejected(self, COMMAND_SET_SCHEDULE, REJECT_INVALID_SETTING);
        return;
    }
    struct schedule *schedule = &self->state->schedules[command->schedule];
    for (int row = 0; row < SCHEDULE_ROWS; row++) {
        schedule->second_of_day[row] = command->second_of_day[row];
        schedule->session[row] = command->session[row];
        schedule->weekdays[row] = command->weekdays[row];
    }
    for (instrument_id_t id = 1; id < *self->instruments.end; id++) {
        const struct instrument *i = instrument_find(&self->instruments, id);
        if (i && i->schedule == command->schedule) follow_schedule(self, id, self->state->time_ns);
    }
    engine_emit_setting_changed(self, COMMAND_SET_SCHEDULE, 0, command->schedule);
}

/* ---- what is due ---- */

/* The row that came at `deadline_ns`, and then the next one after it: rows that came while nobody
 * was there are carried out one after the other. */
static void fire_schedule(struct engine *self, instrument_id_t instrument, int64_t deadline_ns)
{
    uint8_t schedule = self->instruments.table[instrument].schedule, session = 0;
    int64_t at_ns = schedule_next_ns(&self->state->schedules[schedule], deadline_ns - 1, &session);
    CHECK(at_ns == deadline_ns);
    engine_enter_session(self, instrument, session, SESSION_BY_SCHEDULE);
    follow_schedule(self, instrument, deadline_ns);
}

static void fire_phase(struct engine *self, instrument_id_t instrument)
{
    uint8_t session = self->instruments.table[instrument].session;
    if (session == SESSION_CONTINUOUS) {
        engine_enter_session(self, instrument, SESSION_HALT, SESSION_BY_BAND);
    } else if (session == SESSION_HALT) {
        engine_enter_session(self, instrument, SESSION_REOPENING_AUCTION, SESSION_BY_TIMER);
    } else {
        CHECK(session == SESSION_REOPENING_AUCTION); /* no other ends by itself */
        engine_enter_session(self, instrument, SESSION_CONTINUOUS, SESSION_BY_TIMER);
    }
}

static void fire_work(struct engine *self, instrument_id_t instrument)
{
    if (has_auction(self->instruments.table[instrument].session))
        tell_auction(self, instrument);
    else
        engine_trigger_stops(self, instrument);
}

static void fire(struct engine *self, const struct timer *timer)
{
    switch (timer->kind) {
    case TIMER_SCHEDULE: fire_schedule(self, timer->id, timer->deadline_ns); return;
    case TIMER_PHASE: fire_phase(self, timer->id); return;
    case TIMER_WORK: fire_work(self, timer->id); return;
    case TIMER_ACCOUNT: engine_cancel_after_due(self, timer->id); return;
    case TIMER_ORDER: expire(self, &self->books.orders[timer->id]); return;
    case TIMER_KINDS: break; /* how many there are, not one of them */
    }
}

void engine_time(struct engine *self, const struct command_time *command)
{
    (void)command; /* its record's time says what is due */
    uint32_t fired = 0;
    struct timer timer;
    while (fired < TIMERS_A_COMMAND &&
           timers_take_due(&self->timers, self->state->time_ns, &timer)) {
        fire(self, &timer);
        fired++;
    }
    engine_watch_breakers(self);
    struct event_time_passed event = {
        .header = EVENT_HEADER(EVENT_TIME_PASSED, struct event_time_passed), .fired_count = fired};
    engine_emit(self, &event, sizeof event);
}
