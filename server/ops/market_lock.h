/* market_lock.h - who has a symbol's book to itself: DIR/run/replay-SYMBOL.lock, a kernel lock that
 * the replay holds and the simulated flow respects. Death releases it.
 */
#ifndef HOGA_OPS_MARKET_LOCK_H
#define HOGA_OPS_MARKET_LOCK_H

#include <stdbool.h>

/* Takes it; the descriptor, or -1 with errno (EWOULDBLOCK: another has it). Close to give back. */
int market_lock_take(const char *data_dir, const char *symbol);

/* Whether somebody has it. */
bool market_lock_taken(const char *data_dir, const char *symbol);

#endif
