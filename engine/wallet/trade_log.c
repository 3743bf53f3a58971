#include "engine/wallet/trade_log.h"

#include "engine/base/check.h"

void trade_log_init(struct trade_log *self, struct arena *arena, const struct limits *limits)
{
    CHECK(limits->trades && (limits->trades & (limits->trades - 1)) == 0);
    self->mask = limits->trades - 1;
    self->trades = arena_cut(arena, limits->trades, sizeof *self->trades);
}
