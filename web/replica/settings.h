/* settings.h - what administrators have set and the engine does not show in its views: tick tables
 * and pre-trade limits.
 *
 * A SET_ command is remembered once the engine says that it was carried out, so what is here is
 * what the engine goes by. Derived from the replica alone; a restart rebuilds it. Owned by the
 * front's one thread.
 */
#ifndef HOGA_WEB_REPLICA_SETTINGS_H
#define HOGA_WEB_REPLICA_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/bus/journal.h"
#include "engine/message/command.h"
#include "engine/message/event.h"

struct settings;

struct tick_row {
    px_t from_px; /* from this price on */
    px_t tick_px;
};

/* Of an account, a user or an instrument; 0: none. */
struct pre_trade_limits {
    qty_t max_order_qty;
    cash_t max_order_notional;
    uint32_t max_open_orders;
    uint32_t max_messages;
    uint32_t collar_ppm;
    qty_t max_long_qty;
    qty_t max_short_qty;
    cash_t max_exposure;
    qty_t max_daily_qty; /* -1: none; 0: the default */
};

/* NULL without memory. */
struct settings *settings_create(void);
void settings_destroy(struct settings *self);

/* Replica's hook: `command` was carried out. False without memory. */
bool settings_changed(struct settings *self, const struct journal_record *command,
                      const struct event_setting_changed *event);

/* The rows of a tick table (at most TICK_TABLE_ROWS), ascending; returns how many. */
unsigned settings_ticks(const struct settings *self, unsigned table,
                        struct tick_row rows[TICK_TABLE_ROWS]);

/* What was set last for this account, user or instrument; all 0 when nothing was. */
struct pre_trade_limits settings_limits(const struct settings *self, enum limit_scope scope,
                                        uint32_t id);

#endif
