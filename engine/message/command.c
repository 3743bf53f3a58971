#include "engine/message/command.h"

uint16_t command_block_length(uint16_t template_id)
{
#define BLOCK(type) (uint16_t)(sizeof(type) - sizeof(struct sbe_header))
    switch (template_id) {
    case COMMAND_CONFIGURE: return (uint16_t)(CONFIGURE_V1_BYTES - sizeof(struct sbe_header));
    case COMMAND_OPEN_ACCOUNT: return BLOCK(struct command_open_account);
    case COMMAND_DEPOSIT: return BLOCK(struct command_deposit);
    case COMMAND_LIST_INSTRUMENT:
        return (uint16_t)(LIST_INSTRUMENT_V1_BYTES - sizeof(struct sbe_header));
    case COMMAND_ADD_USER: return BLOCK(struct command_add_user);
    case COMMAND_ADD_KEY: return BLOCK(struct command_add_key);
    case COMMAND_WITHDRAW: return BLOCK(struct command_withdraw);
    case COMMAND_TRANSFER: return BLOCK(struct command_transfer);
    case COMMAND_BUST_TRADE: return BLOCK(struct command_bust_trade);
    case COMMAND_NEW_ORDER: return (uint16_t)(NEW_ORDER_V1_BYTES - sizeof(struct sbe_header));
    case COMMAND_CANCEL_ORDER: return BLOCK(struct command_cancel_order);
    case COMMAND_REPLACE_ORDER:
        return (uint16_t)(REPLACE_ORDER_V1_BYTES - sizeof(struct sbe_header));
    case COMMAND_MASS_CANCEL: return BLOCK(struct command_mass_cancel);
    case COMMAND_CANCEL_AFTER: return BLOCK(struct command_cancel_after);
    case COMMAND_END_DAY: return BLOCK(struct command_end_day);
    case COMMAND_TIME: return BLOCK(struct command_time);
    case COMMAND_SET_SESSION: return BLOCK(struct command_set_session);
    case COMMAND_SET_SCHEDULE: return BLOCK(struct command_set_schedule);
    case COMMAND_SET_BANDS: return BLOCK(struct command_set_bands);
    case COMMAND_SET_BREAKERS: return BLOCK(struct command_set_breakers);
    case COMMAND_SET_TICK_TABLE: return BLOCK(struct command_set_tick_table);
    case COMMAND_SET_LIMITS: return BLOCK(struct command_set_limits);
    case COMMAND_SET_FEES: return BLOCK(struct command_set_fees);
    case COMMAND_SET_ACCOUNT: return BLOCK(struct command_set_account);
    case COMMAND_KILL_SWITCH: return BLOCK(struct command_kill_switch);
    default: return 0;
    }
#undef BLOCK
}
