/* fuzz_lobster.c - a LOBSTER message file: whatever it holds, either messages and orders that keep
 * every promise, or the number of the line that is wrong. */
#include <stdio.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/message/command.h"
#include "server/ops/lobster.h"
#include "tests/fuzz/fuzz.h"

static void check_messages(const struct lobster *l)
{
    for (uint32_t i = 0; i < l->message_count; i++) {
        const struct lobster_message *m = &l->messages[i];
        CHECK(m->type >= 1 && m->type <= 7);
        if (m->type > LOBSTER_EXECUTE) continue;
        CHECK(m->order < l->order_count);
        CHECK(m->qty > 0 && m->qty <= QTY_MAX && m->px > 0 && m->px <= PX_MAX);
    }
}

static void check_orders(const struct lobster *l)
{
    uint32_t found, resting = 0;
    for (uint32_t i = 0; i < l->order_count; i++) {
        const struct lobster_order *o = &l->orders[i];
        CHECK(o->side == SIDE_BUY || o->side == SIDE_SELL);
        CHECK(o->px > 0 && o->resting_qty >= 0 && o->resting_qty <= QTY_MAX);
        CHECK(lobster_find(l, o->id, &found) && found == i);
        resting += o->resting_qty > 0;
    }
    CHECK(resting == l->resting_count);
    for (uint32_t i = 1; i < l->resting_count; i++)
        CHECK(l->orders[l->resting[i - 1]].id < l->orders[l->resting[i]].id);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct lobster lobster;
    char why[LOBSTER_WHY_BYTES];
    if (length == 0) return 0;
    FILE *file = fmemopen((void *)bytes, length, "r");
    CHECK(file);
    if (lobster_read_from(&lobster, file, 0, why)) {
        check_messages(&lobster);
        check_orders(&lobster);
        lobster_free(&lobster);
    } else {
        CHECK(memchr(why, '\0', sizeof why) && why[0]);
        CHECK(!lobster.messages && !lobster.orders);
    }
    fclose(file);
    return 0;
}
