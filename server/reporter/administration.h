/* administration.h - what administrators did, as rows of a batch: accounts, users, keys and
 * instruments, money that moved but by trading, settings, kill switches, and requests that changed
 * nothing. What an event does not say is in the command that caused it. */
#ifndef HOGA_REPORTER_ADMINISTRATION_H
#define HOGA_REPORTER_ADMINISTRATION_H

#include "server/reporter/batch.h"

/* Takes an event of these kinds; any other is nobody's business here and STATUS_OK.
 * STATUS_CORRUPT when it is too short or its command is another. */
MUST_CHECK enum status administration_rows(struct batch *self, const struct journal_record *command,
                                           const struct journal_record *event);

#endif
