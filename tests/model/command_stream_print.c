#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "tests/model/command_stream.h"

static const char *command_name(uint16_t template_id)
{
    static const char *const names[] = {
        [COMMAND_CONFIGURE] = "configure",
        [COMMAND_OPEN_ACCOUNT] = "open_account",
        [COMMAND_DEPOSIT] = "deposit",
        [COMMAND_LIST_INSTRUMENT] = "list_instrument",
        [COMMAND_ADD_USER] = "add_user",
        [COMMAND_ADD_KEY] = "add_key",
        [COMMAND_WITHDRAW] = "withdraw",
        [COMMAND_TRANSFER] = "transfer",
        [COMMAND_BUST_TRADE] = "bust_trade",
        [COMMAND_NEW_ORDER] = "new_order",
        [COMMAND_CANCEL_ORDER] = "cancel",
        [COMMAND_REPLACE_ORDER] = "replace",
        [COMMAND_MASS_CANCEL] = "mass_cancel",
        [COMMAND_CANCEL_AFTER] = "cancel_after",
        [COMMAND_END_DAY] = "end_day",
        [COMMAND_TIME] = "time",
        [COMMAND_SET_SESSION] = "set_session",
        [COMMAND_SET_SCHEDULE] = "set_schedule",
        [COMMAND_SET_BANDS] = "set_bands",
        [COMMAND_SET_BREAKERS] = "set_breakers",
        [COMMAND_SET_TICK_TABLE] = "set_tick_table",
        [COMMAND_SET_LIMITS] = "set_limits",
        [COMMAND_SET_FEES] = "set_fees",
        [COMMAND_SET_ACCOUNT] = "set_account",
        [COMMAND_KILL_SWITCH] = "kill_switch",
    };
    bool named = template_id < sizeof names / sizeof names[0] && names[template_id];
    return named ? names[template_id] : "unknown";
}

static void print_bytes(FILE *file, const struct stream_command *command)
{
    for (uint32_t i = 0; i < command->length; i++) fprintf(file, "%02x", command->bytes[i]);
}

static void print_new_order(FILE *file, const struct stream_command *command)
{
    struct command_new_order c = {0};
    memcpy(&c, command->bytes, command->length < sizeof c ? command->length : sizeof c);
    fprintf(file,
            " account %" PRIu32 " user %" PRIu32 " instrument %" PRIu32
            " side %c type %c tif %c inst %u stp %u qty %" PRId64 " px %" PRId64 " %.36s",
            c.account, c.user, c.instrument, c.side, c.ord_type, c.time_in_force, c.exec_inst,
            c.stp, c.order_qty, c.limit_px, c.cl_ord_id);
    if (c.stop_px) fprintf(file, " stop %" PRId64, c.stop_px);
    if (c.display_qty) fprintf(file, " display %" PRId64, c.display_qty);
    if (c.min_qty) fprintf(file, " min %" PRId64, c.min_qty);
    if (c.expire_ns) fprintf(file, " expires %" PRId64, c.expire_ns);
}

static void print_order_request(FILE *file, const struct stream_command *command,
                                uint16_t template_id)
{
    struct command_replace_order c = {0};
    struct command_cancel_order cancel = {0};
    memcpy(&c, command->bytes, command->length < sizeof c ? command->length : sizeof c);
    memcpy(&cancel, command->bytes,
           command->length < sizeof cancel ? command->length : sizeof cancel);
    fprintf(file, " account %" PRIu32 " user %" PRIu32 " order %" PRIu64, c.account, c.user,
            c.order_id);
    if (template_id == COMMAND_CANCEL_ORDER) {
        fprintf(file, " / %.36s", cancel.orig_cl_ord_id);
        return;
    }
    fprintf(file, " / %.36s qty %" PRId64 " px %" PRId64 " stop %" PRId64 " %.36s",
            c.orig_cl_ord_id, c.order_qty, c.limit_px, c.stop_px, c.cl_ord_id);
}

void stream_print_command(FILE *file, uint32_t index, const struct stream_command *command)
{
    struct sbe_header header = {0};
    memcpy(&header, command->bytes, command->length < sizeof header ? 0 : sizeof header);
    fprintf(file, "  #%-5" PRIu32 " %" PRId64 " v%u %s", index, command->time_ns, header.version,
            command_name(header.template_id));
    switch (header.template_id) {
    case COMMAND_NEW_ORDER: print_new_order(file, command); break;
    case COMMAND_CANCEL_ORDER:
    case COMMAND_REPLACE_ORDER: print_order_request(file, command, header.template_id); break;
    case COMMAND_SET_SESSION: {
        const struct command_set_session *c = (const void *)command->bytes;
        fprintf(file, " instrument %" PRIu32 " session %u", c->instrument, c->session);
        break;
    }
    case COMMAND_DEPOSIT:
    case COMMAND_WITHDRAW: {
        const struct command_deposit *c = (const void *)command->bytes;
        fprintf(file, " account %" PRIu32 " asset %" PRIx32 " qty %" PRId64, c->account, c->asset,
                c->qty);
        break;
    }
    case COMMAND_SET_BANDS: {
        const struct command_set_bands *c = (const void *)command->bytes;
        fprintf(file,
                " instrument %" PRIu32 " static %" PRIu32 " dynamic %" PRIu32 " collar %" PRIu32
                " limit state %" PRIu32 " ms, halt %" PRIu32 " ms, auction %" PRIu32
                " ms, reference %" PRId64,
                c->instrument, c->static_ppm, c->dynamic_ppm, c->collar_ppm, c->limit_state_ms,
                c->halt_ms, c->auction_ms, c->reference_px);
        break;
    }
    case COMMAND_TIME: break;
    default:
        fprintf(file, " ");
        print_bytes(file, command);
        break;
    }
    if (command->target != STREAM_NO_TARGET) fprintf(file, " (of #%" PRId32 ")", command->target);
    fputc('\n', file);
}
