/* core.h - the core: the pinned loop that sequences every command and steps the engine.
 *
 *   rings --> sequencer.c: stamp --> `in` --> engine_step --> `out` --> publish --> helpers
 *
 * One thread does all of this and nothing else; here are its start, its sleep and its end. Beside
 * it: the keeper makes journal segments ahead of use, the archiver copies them to disk and
 * releases; at durability `memory` a core that spins has a releaser to ring the bells. The pinned
 * thread never opens, extends, writes or syncs a journal's file, and waits only when there is
 * nothing to do.
 */
#ifndef HOGA_CORE_H
#define HOGA_CORE_H

#include <signal.h>
#include <stdbool.h>

#include "engine/bus/archiver.h"
#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/bus/keeper.h"
#include "engine/bus/releaser.h"
#include "engine/core_options.h"
#include "engine/recovery.h"
#include "engine/sequencer.h"

struct core {
    struct core_options options;
    const volatile sig_atomic_t *stop_asked;
    struct instance instance;
    struct control *control;
    struct station *station;
    struct sequencer sequencer;
    struct archiver archiver;
    struct releaser releaser; /* only where the core does not ring by itself */
    struct bell_ringer bells;
    struct keeper keeper;
    struct recovery recovery;
    int lock_fd;
    bool took_over; /* from a primary that died, as its standby */
};

/* Runs the core of the exchange in options.data_dir, as a standby first where there is a primary
 * and the options say so, until *stop_asked. `self` is zeroed but for options and stop_asked; too
 * large for a stack. Returns the process's exit status, after a message where something is wrong:
 * EX_DATAERR when starting again will not help. The calling thread is the pinned one. */
int core_run(struct core *self);

#endif
