/* verify_replay.h - whether an archive's records are whole, and whether its commands give its
 * events.
 *
 *   first record of all --> engine <-- every command of `in`        what it makes == `out`?
 *   or a snapshot      --/
 *
 * Where the rule of retention has removed the beginning, replay begins at the oldest snapshot that
 * this program can use; what lies before it is checked record by record. Writes nothing, and needs
 * nobody to run. Prints findings on stdout, what is wrong and how far it is on stderr.
 */
#ifndef HOGA_OPS_VERIFY_REPLAY_H
#define HOGA_OPS_VERIFY_REPLAY_H

#include "engine/base/status.h"
#include "engine/bus/instance.h"

/* STATUS_OK: all is as it must be; STATUS_NOT_FOUND: the records are, but there is no snapshot to
 * begin replay at. STATUS_CORRUPT and STATUS_IO after a message. */
MUST_CHECK enum status verify_replay(const struct instance *instance);

#endif
