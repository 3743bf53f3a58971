#include <string.h>

#include "tests/model/model_parts.h"

bool model_is_cl_ord_id(const char *text)
{
    size_t i = 0;
    while (i < CL_ORD_ID_BYTES && text[i] > 0x20 && text[i] < 0x7f) i++;
    while (i < CL_ORD_ID_BYTES && text[i] == '\0') i++;
    return i == CL_ORD_ID_BYTES;
}

bool model_names_full(const struct model *self, const char *cl_ord_id)
{
    return cl_ord_id[0] != '\0' && self->cl_ord_id_count == self->limits.cl_ord_ids;
}

order_id_t model_named(const struct model *self, account_id_t account, const char *cl_ord_id)
{
    if (cl_ord_id[0] == '\0') return 0;
    for (uint32_t i = 0; i < self->cl_ord_id_count; i++) {
        const struct model_cl_ord_id *used = &self->cl_ord_ids[i];
        if (used->account == account && memcmp(used->text, cl_ord_id, CL_ORD_ID_BYTES) == 0)
            return used->order_id;
    }
    return 0;
}

void model_use_name(struct model *self, account_id_t account, const char *cl_ord_id,
                    order_id_t order_id)
{
    if (cl_ord_id[0] == '\0' || model_names_full(self, cl_ord_id)) return;
    struct model_cl_ord_id *used = &self->cl_ord_ids[self->cl_ord_id_count++];
    used->account = account;
    used->order_id = order_id;
    memcpy(used->text, cl_ord_id, CL_ORD_ID_BYTES);
}

/* A new day: only what open orders are called now stays taken. */
void model_forget_names(struct model *self)
{
    self->cl_ord_id_count = 0;
    for (uint32_t i = 0; i < self->order_count; i++) {
        const struct model_order *order = self->orders[i];
        model_use_name(self, order->account, order->cl_ord_id, order->order_id);
    }
}
