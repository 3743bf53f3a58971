/* sequencer.h - the inside of the core's loop: takes commands off the rings, stamps them, writes
 * them down, steps the engine and writes its events down.
 *
 *   rings --take a run--> stamp, put `in` --publish--> step, put `out` --publish--> bells
 *                             |                         ^
 *                             +--- prefetch for each ---+
 *
 * Sequencing comes first: a command is in the journal before it has any effect, and its record, not
 * the ring's bytes, is what the engine sees. A run is what one ring has at the moment, at most
 * COMMAND_RUN_MAX commands: the memory that each will need is fetched while those before it are in
 * work (command_run.h), half of them share a reading of the clock, and the cursors move once. While
 * a run is stepped, what the next one is read from and written to is fetched.
 *
 * The core's own commands, CONFIGURE, END_DAY and TIME, are made here when they are due, before
 * anything is taken off a ring. One thread, the core's, owns all of it; hoga-core and the
 * benchmarks run the same code.
 */
#ifndef HOGA_SEQUENCER_H
#define HOGA_SEQUENCER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/bus/bell.h"
#include "engine/bus/control.h"
#include "engine/bus/journal_writer.h"
#include "engine/bus/ring.h"
#include "engine/engine.h"

enum {
    SEQUENCER_CLOCK_MAX = 16, /* commands that share a reading of the clock */
    SEQUENCER_TURN_MAX = 64,  /* commands of one ring before the next ring's turn */
    SEQUENCER_OWN_MAX = 16,   /* of the core's own commands before the rings' turn */
};

struct sequencer {
    struct engine *engine;
    struct control *control;
    struct station *station;   /* the core's: its cursors */
    struct bell_ringer *bells; /* rung by this thread; NULL: helper threads are woken instead */
    struct journal_writer in;
    struct journal_writer out;
    struct ring rings[CONTROL_RING_MAX];
    bool ring_spoilt[CONTROL_RING_MAX];
    unsigned ring_count;
    const struct journal_record *stepping;
    int64_t clock_ns;               /* as last read: every turn begins with it */
    int64_t day_ends_ns;            /* when END_DAY is due */
    _Atomic uint64_t *spoilt_rings; /* counters */
    _Atomic uint64_t *waits_for_memory;
};

/* Before anything else; the writers and the rings are opened by the caller. */
void sequencer_init(struct sequencer *self, struct control *control, struct station *station);

/* Once all is open: an empty journal gets its first record, CONFIGURE, and what came due while no
 * core ran is begun with. */
void sequencer_begin(struct sequencer *self, struct engine *engine);

/* One turn: the core's own commands that are due, then each ring's. Publishes what it has done.
 * Returns how many commands it has sequenced; rings are left alone while the journals have no
 * memory ahead. */
unsigned sequencer_poll(struct sequencer *self);

/* How long nothing comes due, in ns; 0 when something is. Rings may have something at any time. */
int64_t sequencer_idle_ns(struct sequencer *self);

/* Moves `released` at durability memory, says how far the core is and wakes whoever waits. */
void sequencer_publish(struct sequencer *self);

/* This ring is not read any more: what it holds cannot be right. Counted, and said once. */
void sequencer_spoil_ring(struct sequencer *self, unsigned ring);

#endif
