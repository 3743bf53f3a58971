/* calls.h - what the exchange's code gets instead of the system's functions.
 *
 * The program is linked with -Wl,--wrap=NAME for each NAME in CMakeLists.txt: a call of NAME from
 * the exchange's objects ends in __wrap_NAME here. Inside the simulation it works on machine.h and
 * files.h and may leave the thread for another one; outside, for the test's own code, it is the
 * real function. Some of the exchange's own functions are wrapped, too: to be left between them, or
 * to make a deliberate mistake.
 */
#ifndef HOGA_TESTS_SIM_CALLS_H
#define HOGA_TESTS_SIM_CALLS_H

#include "engine/bus/journal.h"
#include "engine/sequencer.h"
#include "tests/sim/machine.h"

/* Mistakes that the exchange could have made: the simulator must find each. */
enum mistake {
    MISTAKE_NONE,
    MISTAKE_SYNC_LIES,       /* what was synced is not on the disk */
    MISTAKE_SYNC_RETRIED,    /* a sync that failed is tried again, and then believed */
    MISTAKE_RELEASE_EARLY,   /* answers leave before their commands are safe */
    MISTAKE_READS_AHEAD,     /* a front looks at what is not released */
    MISTAKE_NO_FENCE,        /* a standby takes over from a primary that still lives */
    MISTAKE_SEQUENCES_TWICE, /* a core that takes over reads the rings from their begin */
    MISTAKE_LOSES_EVENT,     /* an event is not written down */
    MISTAKE_COUNT,
};

extern enum mistake calls_mistake;

/* NULL: no such name. */
bool calls_mistake_named(const char *name, enum mistake *mistake);
const char *calls_mistake_name(enum mistake mistake);

/* A core has published: its engine stands behind this command. */
extern void (*calls_core_published)(const struct sequencer *sequencer);

/* Tears the record that it was just writing. */
void calls_process_killed(struct process *process);

#endif
