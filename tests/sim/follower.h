/* follower.h - a process that reads both journals to keep what they say elsewhere, as the reporter
 * does: it goes on where it was, falls behind, and says what it still needs.
 */
#ifndef HOGA_TESTS_SIM_FOLLOWER_H
#define HOGA_TESTS_SIM_FOLLOWER_H

#include <signal.h>

#include "engine/bus/journal.h"

struct follower {
    volatile sig_atomic_t stop_asked;
    seq_t next[2]; /* by enum journal_kind: what it has not kept yet; survives everything */
    void (*read)(enum journal_kind kind, const struct journal_record *record);
    void (*failed)(const char *where);
};

/* A process's main; the argument is the follower. */
int follower_main(void *follower);

#endif
