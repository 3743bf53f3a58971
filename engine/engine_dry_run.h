/* engine_dry_run.h - would this order be taken? The checks of a new order without the order.
 *
 * For fronts that look at an order on their replica before it is sent. What becomes of it once it
 * is taken (filled, canceled for want of quantity) is not said. Owned by the engine's thread.
 */
#ifndef HOGA_ENGINE_DRY_RUN_H
#define HOGA_ENGINE_DRY_RUN_H

#include "engine/engine.h"
#include "engine/message/reject.h"

/* What the order would be rejected for if it were the next command, at the time of the last one;
 * REJECT_NONE when it would be taken. The state is as before. */
enum reject engine_dry_run(struct engine *self, const struct command_new_order *command);

#endif
