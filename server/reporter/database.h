/* database.h - the reporter's connection to PostgreSQL: the cursor, and batches written with it.
 *
 *   BEGIN; move the cursor, if it is where we think it is; COPY each table; update older orders;
 *   COMMIT
 *
 * The cursor in PostgreSQL is the only one that counts: after any failure it is read again, so that
 * a batch whose COMMIT was not answered is neither lost nor written twice.
 * Owned by the reporter's one thread; calls block until the server answers.
 */
#ifndef HOGA_REPORTER_DATABASE_H
#define HOGA_REPORTER_DATABASE_H

#include <libpq-fe.h>

#include "engine/base/status.h"
#include "engine/base/units.h"
#include "server/reporter/batch.h"

struct database {
    PGconn *connection; /* NULL: not connected */
};

/* Connects, migrates from sql_dir and stores the reject reasons. STATUS_IO when the server is away
 * (try again later), STATUS_INVALID when the migrations cannot be right; explained on stderr. */
MUST_CHECK enum status database_open(struct database *self, const char *conninfo,
                                     const char *sql_dir);

void database_close(struct database *self);

/* The cursor; (0, 0) is stored for this instance when there is none. STATUS_INVALID when the
 * database belongs to another exchange. */
MUST_CHECK enum status database_cursor(struct database *self, const char *instance, seq_t *in_seq,
                                       seq_t *out_seq);

/* Writes a batch that begins behind (in_seq, out_seq). STATUS_BUSY when the cursor is elsewhere
 * by now: somebody else writes, or the last COMMIT did arrive; read the cursor again.
 * STATUS_CORRUPT when orders that an earlier batch wrote are gone; STATUS_IO: reconnect. */
MUST_CHECK enum status database_write(struct database *self, const struct batch *batch,
                                      seq_t in_seq, seq_t out_seq);

#endif
