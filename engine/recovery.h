/* recovery.h - from the journals to a running engine: what the core does before it trades.
 *
 *   `in`, from the first record --> engine_step --> events == `out`?  --> writers, ring positions
 *
 * Every start proves determinism: each event that replay makes is compared with the one in `out`.
 * Events that the last life did not get to write are appended; an `out` that reaches further than
 * `in` (its disk was faster) is cut to what `in` says. Used by the core's thread, before any other
 * thread of the process exists.
 */
#ifndef HOGA_RECOVERY_H
#define HOGA_RECOVERY_H

#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal_writer.h"
#include "engine/engine.h"

struct recovery {
    struct engine *engine;
    struct journal_writer *in; /* the core's writers, opened here */
    struct journal_writer *out;
    uint64_t ring_position[CONTROL_RING_MAX + 1]; /* by source; 0: nothing of it was sequenced */
    uint64_t commands;                            /* replayed */
    uint64_t events;                              /* compared or made again */
    char problem[INSTANCE_PATH_BYTES + 512];      /* after a failure: what is wrong and where */
};

/* `limits` are those of a new exchange; an existing one keeps its own. `keeper_bell` is handed to
 * the writers. On failure nothing has been changed on disk, and self->problem says why. */
MUST_CHECK enum status recovery_run(struct recovery *self, const struct instance *instance,
                                    struct control *control, const struct limits *limits,
                                    _Atomic uint32_t *keeper_bell);

#endif
