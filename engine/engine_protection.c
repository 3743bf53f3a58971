/* What keeps prices from running away: bands around each instrument's prices, and circuit breakers
 * on the index of them all. MATCHING.md sections 7 and 8. */
#include "engine/engine_layout.h"

enum { PPM = 1000000 };

/* ---- price bands ---- */

static void emit_limit_state(const struct engine *self, instrument_id_t instrument, uint8_t on,
                             uint8_t side, px_t px)
{
    struct event_limit_state event = {.header =
                                          EVENT_HEADER(EVENT_LIMIT_STATE, struct event_limit_state),
                                      .instrument = instrument,
                                      .on = on,
                                      .side = side,
                                      .px = px};
    engine_emit(self, &event, sizeof event);
}

void engine_band_reached(struct engine *self, instrument_id_t instrument, uint8_t side, px_t px)
{
    struct instrument *i = &self->instruments.table[instrument];
    if (i->limit_state || i->limit_state_ms == 0) return;
    i->limit_state = 1;
    engine_start_timer(self, TIMER_PHASE, instrument, i->limit_state_ms);
    emit_limit_state(self, instrument, 1, side, px);
}

void engine_end_limit_state(struct engine *self, instrument_id_t instrument)
{
    self->instruments.table[instrument].limit_state = 0;
    timer_clear(&self->timers, TIMER_PHASE, instrument);
    emit_limit_state(self, instrument, 0, 0, 0);
}

static enum reject check_bands(const struct engine *self, const struct command_set_bands *command)
{
    const struct instrument *i = instrument_find(&self->instruments, command->instrument);
    uint32_t ticks;
    if (!i) return REJECT_UNKNOWN_INSTRUMENT;
    if (command->static_ppm > PPM || command->dynamic_ppm > PPM || command->collar_ppm > PPM)
        return REJECT_INVALID_SETTING;
    if (command->reference_px &&
        instrument_check_px(&self->instruments, i, command->reference_px, &ticks) != REJECT_NONE)
        return REJECT_INVALID_SETTING;
    return REJECT_NONE;
}

void engine_set_bands(struct engine *self, const struct command_set_bands *command)
{
    enum reject reason = check_bands(self, command);
    if (reason != REJECT_NONE) {
        engine_emit_command_rejected(self, COMMAND_SET_BANDS, reason);
        return;
    }
    struct instrument *i = &self->instruments.table[command->instrument];
    i->static_ppm = command->static_ppm;
    i->dynamic_ppm = command->dynamic_ppm;
    i->collar_ppm = command->collar_ppm;
    i->has_bands = (i->static_ppm | i->dynamic_ppm | i->collar_ppm) != 0;
    i->limit_state_ms = command->limit_state_ms;
    i->halt_ms = command->halt_ms;
    i->auction_ms = command->auction_ms;
    if (command->reference_px) engine_set_reference_px(self, i, command->reference_px);
    bounds_follow_px(i);
    engine_watch_breakers(self);
    engine_emit_setting_changed(self, COMMAND_SET_BANDS, 0, command->instrument);
}

/* ---- circuit breakers ---- */

static bool breakers_are_valid(const struct command_set_breakers *command)
{
    for (int level = 0; level < BREAKER_LEVELS; level++) {
        uint32_t decline = command->decline_ppm[level];
        if (decline > PPM) return false;
        if (decline && level > 0 &&
            (command->decline_ppm[level - 1] == 0 || decline <= command->decline_ppm[level - 1]))
            return false;
    }
    return true;
}

void engine_set_breakers(struct engine *self, const struct command_set_breakers *command)
{
    if (!breakers_are_valid(command)) {
        engine_emit_command_rejected(self, COMMAND_SET_BREAKERS, REJECT_INVALID_SETTING);
        return;
    }
    self->state->breakers = *command;
    self->state->index_reference = self->state->index;
    engine_emit_setting_changed(self, COMMAND_SET_BREAKERS, 0, 0);
}

/* How far the index lies below its reference, in millionths, rounded down. */
static uint32_t index_decline_ppm(const struct engine_state *s)
{
    if (s->index >= s->index_reference) return 0;
    return (uint32_t)((s->index_reference - s->index) * PPM / s->index_reference);
}

/* The highest level that such a decline reaches; 0: none. */
static uint32_t level_reached(const struct command_set_breakers *breakers, uint32_t decline_ppm)
{
    uint32_t reached = 0;
    for (uint32_t level = 0; level < BREAKER_LEVELS; level++)
        if (breakers->decline_ppm[level] && decline_ppm >= breakers->decline_ppm[level])
            reached = level + 1;
    return reached;
}

void engine_watch_breakers(struct engine *self)
{
    struct engine_state *s = self->state;
    if (!s->index_changed) return;
    s->index_changed = 0;
    uint32_t decline_ppm = index_decline_ppm(s);
    uint32_t level = level_reached(&s->breakers, decline_ppm);
    if (level <= s->tripped_level) return;
    s->tripped_level = level;
    struct event_breaker_tripped event = {
        .header = EVENT_HEADER(EVENT_BREAKER_TRIPPED, struct event_breaker_tripped),
        .level = level,
        .decline_ppm = decline_ppm};
    engine_emit(self, &event, sizeof event);
    for (instrument_id_t id = 1; id < *self->instruments.end; id++)
        if (self->instruments.table[id].session == SESSION_CONTINUOUS)
            engine_enter_session(self, id, SESSION_HALT, SESSION_BY_BREAKER);
}

void engine_session_end_day(struct engine *self)
{
    for (instrument_id_t id = 1; id < *self->instruments.end; id++) {
        struct instrument *i = instrument_find(&self->instruments, id);
        if (i && i->last_px) engine_set_reference_px(self, i, i->last_px);
    }
    self->state->tripped_level = 0;
    self->state->index_reference = self->state->index;
}
