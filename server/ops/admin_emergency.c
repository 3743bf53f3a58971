#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "server/ops/admin_request.h"
#include "server/ops/options.h"

static int switch_to(struct admin *self, uint8_t engaged)
{
    struct command_kill_switch command = {
        .header = COMMAND_HEADER(COMMAND_KILL_SWITCH, struct command_kill_switch),
        .engaged = engaged};
    if (self->market == (self->account != NULL)) {
        fprintf(stderr, "hoga admin: give either --account or --market\n");
        return EX_USAGE;
    }
    if (self->account && !admin_take_id("account", self->account, UINT32_MAX, &command.account))
        return EX_USAGE;
    if (!admin_open(self)) return EXIT_FAILURE;
    return admin_send(
        self, &command, sizeof command,
        json_pack("{s:I, s:b}", "account", (json_int_t)command.account, "engaged", engaged));
}

int admin_kill(struct admin *self)
{
    return switch_to(self, 1);
}

int admin_unkill(struct admin *self)
{
    return switch_to(self, 0);
}

int admin_mass_cancel(struct admin *self)
{
    struct command_mass_cancel command = {
        .header = COMMAND_HEADER(COMMAND_MASS_CANCEL, struct command_mass_cancel),
        .on_disconnect = self->on_disconnect};
    if (self->all == (self->account || self->user)) {
        fprintf(stderr, "hoga admin: give either --account and --user, or --all\n");
        return EX_USAGE;
    }
    if (!self->all && (!admin_take_id("account", self->account, UINT32_MAX, &command.account) ||
                       !admin_take_id("user", self->user, UINT32_MAX, &command.user)))
        return EX_USAGE;
    if (!admin_take_side(self->side, &command.side)) return EX_USAGE;
    bool one = self->symbol || self->instrument;
    if (!admin_open(self) || (one && !admin_find_instrument(self, &command.instrument)))
        return EXIT_FAILURE;
    return admin_send(self, &command, sizeof command,
                      json_pack("{s:I}", "account", (json_int_t)command.account));
}

int admin_bust(struct admin *self)
{
    struct command_bust_trade command = {
        .header = COMMAND_HEADER(COMMAND_BUST_TRADE, struct command_bust_trade)};
    if (!self->trade) return admin_complain("trade", "is required"), EX_USAGE;
    if (!options_number(self->trade, INT64_MAX, &command.trade_id) || command.trade_id == 0)
        return admin_complain("trade", "must be a trade's number, from 1 on"), EX_USAGE;
    if (!admin_open(self)) return EXIT_FAILURE;
    return admin_send(self, &command, sizeof command,
                      json_pack("{s:I}", "trade_id", (json_int_t)command.trade_id));
}
