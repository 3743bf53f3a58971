#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "server/ops/admin_request.h"
#include "server/ops/admin_rows.h"

int admin_session(struct admin *self)
{
    struct command_set_session command = {
        .header = COMMAND_HEADER(COMMAND_SET_SESSION, struct command_set_session)};
    if (self->all == (self->symbol || self->instrument)) {
        fprintf(stderr, "hoga admin: give either --symbol or --all\n");
        return EX_USAGE;
    }
    if (!self->session) return admin_complain("session", "is required"), EX_USAGE;
    if (!admin_take_session("session", self->session, &command.session)) return EX_USAGE;
    if (!admin_open(self) || (!self->all && !admin_find_instrument(self, &command.instrument)))
        return EXIT_FAILURE;
    return admin_send(self, &command, sizeof command,
                      json_pack("{s:I, s:s}", "instrument", (json_int_t)command.instrument,
                                "session", self->session));
}

int admin_schedule(struct admin *self)
{
    struct command_set_schedule command = {
        .header = COMMAND_HEADER(COMMAND_SET_SCHEDULE, struct command_set_schedule)};
    uint32_t schedule;
    if (!admin_take_id("schedule", self->schedule, SCHEDULE_COUNT - 1, &schedule) ||
        !admin_take_schedule_rows(self->rows, &command))
        return EX_USAGE;
    command.schedule = (uint8_t)schedule;
    if (!admin_open(self)) return EXIT_FAILURE;
    return admin_send(
        self, &command, sizeof command,
        json_pack("{s:I, s:s}", "schedule", (json_int_t)schedule, "rows", self->rows));
}

int admin_bands(struct admin *self)
{
    struct command_set_bands command = {
        .header = COMMAND_HEADER(COMMAND_SET_BANDS, struct command_set_bands)};
    if (!admin_take_u32("static-ppm", self->static_ppm, UINT32_MAX, &command.static_ppm) ||
        !admin_take_u32("dynamic-ppm", self->dynamic_ppm, UINT32_MAX, &command.dynamic_ppm) ||
        !admin_take_u32("collar-ppm", self->collar_ppm, UINT32_MAX, &command.collar_ppm) ||
        !admin_take_u32("limit-state-ms", self->limit_state_ms, UINT32_MAX,
                        &command.limit_state_ms) ||
        !admin_take_u32("halt-ms", self->halt_ms, UINT32_MAX, &command.halt_ms) ||
        !admin_take_u32("auction-ms", self->auction_ms, UINT32_MAX, &command.auction_ms) ||
        (self->reference && !admin_take_px("reference", self->reference, &command.reference_px)))
        return EX_USAGE;
    if (!admin_open(self) || !admin_find_instrument(self, &command.instrument)) return EXIT_FAILURE;
    return admin_send(self, &command, sizeof command,
                      json_pack("{s:I}", "instrument", (json_int_t)command.instrument));
}

int admin_breakers(struct admin *self)
{
    struct command_set_breakers command = {
        .header = COMMAND_HEADER(COMMAND_SET_BREAKERS, struct command_set_breakers)};
    if (!admin_take_breaker_levels(self->levels, &command) ||
        !admin_take_u32("auction-ms", self->auction_ms, UINT32_MAX, &command.auction_ms))
        return EX_USAGE;
    if (!admin_open(self)) return EXIT_FAILURE;
    return admin_send(self, &command, sizeof command, json_pack("{s:s}", "levels", self->levels));
}
