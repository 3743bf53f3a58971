/* schema.h - brings the database to the version of sql/: numbered migrations, applied once.
 *
 * sql/NNN_name.sql, NNN from 001 without gaps, each in one transaction with its row in
 * hoga.migration. A file that changed after it was applied is refused: write a new one instead.
 */
#ifndef HOGA_REPORTER_SCHEMA_H
#define HOGA_REPORTER_SCHEMA_H

#include <libpq-fe.h>

#include "engine/base/status.h"

/* Applies what is missing. Errors are explained on stderr:
 * STATUS_INVALID  the files or what the database says of them cannot be right
 * STATUS_IO       the connection or a statement failed */
MUST_CHECK enum status schema_migrate(PGconn *connection, const char *sql_dir);

/* Empties every table, the cursor too, so that all is written anew from the journals. */
MUST_CHECK enum status schema_empty(PGconn *connection);

#endif
