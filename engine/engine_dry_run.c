#include "engine/engine_dry_run.h"

#include "engine/engine_check.h"

enum reject engine_dry_run(struct engine *self, const struct command_new_order *command)
{
    struct order_terms terms = {0};
    enum reject reason = check_sender(self, command);
    if (reason != REJECT_NONE) return reason;
    terms.cl_ord_id_hash = cl_ord_id_hash(command->cl_ord_id);
    if (terms.cl_ord_id_hash &&
        cl_ord_id_find(&self->cl_ord_ids, command->account, terms.cl_ord_id_hash))
        return REJECT_DUPLICATE_CL_ORD_ID;

    /* The one thing that the checks change is how many requests there were this second. */
    struct account *account = &self->accounts.accounts[command->account];
    struct user *user = &self->accounts.users[command->user];
    const struct account account_before = *account;
    const struct user user_before = *user;
    reason = check_new_order(self, command, &terms);
    *account = account_before;
    *user = user_before;
    return reason;
}
