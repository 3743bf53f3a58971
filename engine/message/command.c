#include "engine/message/command.h"

uint16_t command_block_length(uint16_t template_id)
{
#define BLOCK(type) (uint16_t)(sizeof(type) - sizeof(struct sbe_header))
    switch (template_id) {
    case COMMAND_CONFIGURE: return BLOCK(struct command_configure);
    case COMMAND_OPEN_ACCOUNT: return BLOCK(struct command_open_account);
    case COMMAND_DEPOSIT: return BLOCK(struct command_deposit);
    case COMMAND_LIST_INSTRUMENT: return BLOCK(struct command_list_instrument);
    case COMMAND_ADD_USER: return BLOCK(struct command_add_user);
    case COMMAND_ADD_KEY: return BLOCK(struct command_add_key);
    case COMMAND_NEW_ORDER: return BLOCK(struct command_new_order);
    case COMMAND_CANCEL_ORDER: return BLOCK(struct command_cancel_order);
    case COMMAND_REPLACE_ORDER: return BLOCK(struct command_replace_order);
    case COMMAND_END_DAY: return BLOCK(struct command_end_day);
    default: return 0;
    }
#undef BLOCK
}
