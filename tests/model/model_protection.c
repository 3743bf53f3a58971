#include "tests/model/model_parts.h"

/* ---- bands ---- */

void model_set_bands(struct model *self, const struct command_set_bands *command)
{
    enum reject reason = REJECT_NONE;
    if (!model_is_listed(self, command->instrument))
        reason = REJECT_UNKNOWN_INSTRUMENT;
    else if (command->static_ppm > MODEL_MILLION || command->dynamic_ppm > MODEL_MILLION ||
             command->collar_ppm > MODEL_MILLION)
        reason = REJECT_INVALID_SETTING;
    else if (command->reference_px != 0 &&
             !model_is_price(&self->instruments[command->instrument], command->reference_px))
        reason = REJECT_INVALID_SETTING;
    if (reason != REJECT_NONE) {
        model_reject_command(self, COMMAND_SET_BANDS, reason);
        return;
    }
    struct model_instrument *i = &self->instruments[command->instrument];
    i->bands = *command;
    if (command->reference_px != 0) i->reference_px = command->reference_px;
    model_trip_breakers(self);
    model_emit_setting(self, COMMAND_SET_BANDS, 0, command->instrument);
}

/* ---- the index ---- */

static __int128 index_now(const struct model *self)
{
    __int128 sum = 0;
    for (instrument_id_t id = 0; id < self->limits.instruments; id++) {
        const struct model_instrument *i = &self->instruments[id];
        sum += (__int128)i->index_weight * (i->last_px ? i->last_px : i->reference_px);
    }
    return sum;
}

void model_reset_index(struct model *self)
{
    self->index_reference = index_now(self);
}

static bool is_breakers(const struct command_set_breakers *command)
{
    const uint32_t *ppm = command->decline_ppm;
    for (unsigned level = 0; level < BREAKER_LEVELS; level++) {
        if (ppm[level] > MODEL_MILLION) return false;
        if (level > 0 && ppm[level] != 0 && ppm[level] <= ppm[level - 1]) return false;
        if (level > 0 && ppm[level] != 0 && ppm[level - 1] == 0) return false;
    }
    return true;
}

void model_set_breakers(struct model *self, const struct command_set_breakers *command)
{
    if (!is_breakers(command)) {
        model_reject_command(self, COMMAND_SET_BREAKERS, REJECT_INVALID_SETTING);
        return;
    }
    self->breakers = *command;
    model_reset_index(self);
    model_emit_setting(self, COMMAND_SET_BREAKERS, 0, 0);
}

void model_trip_breakers(struct model *self)
{
    __int128 fallen = self->index_reference - index_now(self);
    if (fallen <= 0) return;
    __int128 decline_ppm = fallen * MODEL_MILLION / self->index_reference;
    unsigned level = BREAKER_LEVELS;
    while (level > self->tripped_level && (self->breakers.decline_ppm[level - 1] == 0 ||
                                           self->breakers.decline_ppm[level - 1] > decline_ppm))
        level--;
    if (level <= self->tripped_level) return;
    self->tripped_level = level;
    struct event_breaker_tripped event = {
        .header = EVENT_HEADER(EVENT_BREAKER_TRIPPED, struct event_breaker_tripped),
        .level = level,
        .decline_ppm = (uint32_t)decline_ppm};
    model_emit(self, &event, sizeof event);
    for (instrument_id_t id = 0; id < self->limits.instruments; id++)
        if (model_is_listed(self, id) && self->instruments[id].session == SESSION_CONTINUOUS)
            model_enter_session(self, id, SESSION_HALT, SESSION_BY_BREAKER,
                                self->breakers.halt_ms[level - 1]);
}
