#include "server/reporter/schema.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MIGRATION_MAX = 999,
    MIGRATION_NAME_BYTES = 128,
    MIGRATION_FILE_BYTES = 1 << 20,
    PATH_BYTES = 4096,
};

/* The lock that keeps two migrators apart; any constant that nobody else uses. */
#define MIGRATION_LOCK "SELECT pg_advisory_xact_lock(4847001)"

/* Whether a statement did what it should; says on stderr what the server said if not. */
static bool succeeded(PGconn *connection, PGresult *result, const char *what)
{
    ExecStatusType outcome = PQresultStatus(result);
    bool good = outcome == PGRES_COMMAND_OK || outcome == PGRES_TUPLES_OK;
    if (!good) fprintf(stderr, "postgresql: %s: %s", what, PQerrorMessage(connection));
    return good;
}

static enum status run(PGconn *connection, const char *sql, const char *what)
{
    PGresult *result = PQexec(connection, sql);
    bool good = succeeded(connection, result, what);
    PQclear(result);
    return good ? STATUS_OK : STATUS_IO;
}

/* "001_reports.sql" has number 1; 0 for a name of another kind. */
static unsigned migration_number(const char *name)
{
    size_t length = strlen(name);
    if (length < 9 || length >= MIGRATION_NAME_BYTES) return 0;
    if (strcmp(name + length - 4, ".sql") != 0 || name[3] != '_') return 0;
    unsigned number = 0;
    for (int i = 0; i < 3; i++) {
        if (!isdigit((unsigned char)name[i])) return 0;
        number = number * 10 + (unsigned)(name[i] - '0');
    }
    return number;
}

/* Fills names[1 .. *count]; they must be numbered from 1 without gaps. */
static enum status list_migrations(const char *sql_dir, char (*names)[MIGRATION_NAME_BYTES],
                                   unsigned *count)
{
    DIR *dir = opendir(sql_dir);
    if (!dir) {
        fprintf(stderr, "migrations: %s: %s\n", sql_dir, strerror(errno));
        return STATUS_INVALID;
    }
    enum status status = STATUS_OK;
    *count = 0;
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(dir));) {
        unsigned number = migration_number(entry->d_name);
        if (number == 0) continue;
        if (names[number][0]) {
            fprintf(stderr, "migrations: %s and %s in %s have the same number\n", names[number],
                    entry->d_name, sql_dir);
            status = STATUS_INVALID;
        }
        memcpy(names[number], entry->d_name, strlen(entry->d_name) + 1);
        if (number > *count) *count = number;
    }
    closedir(dir);
    for (unsigned n = 1; status == STATUS_OK && n <= *count; n++) {
        if (names[n][0]) continue;
        fprintf(stderr, "migrations: %s has no number %03u\n", sql_dir, n);
        status = STATUS_INVALID;
    }
    if (status == STATUS_OK && *count == 0) {
        fprintf(stderr, "migrations: none in %s\n", sql_dir);
        status = STATUS_INVALID;
    }
    return status;
}

/* The file's text, to be freed by the caller; NULL after a message. */
static char *read_migration(const char *sql_dir, const char *name)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", sql_dir, name);
    FILE *file = fopen(path, "re");
    char *text = malloc(MIGRATION_FILE_BYTES);
    if (!file || !text) {
        fprintf(stderr, "migrations: %s: %s\n", path, strerror(errno));
        if (file) fclose(file);
        free(text);
        return NULL;
    }
    size_t length = fread(text, 1, MIGRATION_FILE_BYTES, file);
    bool whole = !ferror(file) && length < MIGRATION_FILE_BYTES && !memchr(text, 0, length);
    fclose(file);
    if (!whole) {
        fprintf(stderr, "migrations: %s cannot be read as SQL text\n", path);
        free(text);
        return NULL;
    }
    text[length] = 0;
    return text;
}

/* What the database has of this number: stores whether it is applied. STATUS_INVALID when it was
 * another file. The server computes the checksum, so that there is one way of doing it. */
static enum status is_applied(PGconn *connection, unsigned number, const char *name,
                              const char *text, bool *applied)
{
    char number_text[12];
    snprintf(number_text, sizeof number_text, "%u", number);
    const char *values[] = {number_text, text};
    PGresult *result =
        PQexecParams(connection,
                     "SELECT checksum = encode(sha256(convert_to($2, 'UTF8')), 'hex'), name "
                     "FROM hoga.migration WHERE number = $1::int",
                     2, NULL, values, NULL, NULL, 0);
    enum status status = STATUS_OK;
    if (!succeeded(connection, result, name)) {
        status = STATUS_IO;
    } else {
        *applied = PQntuples(result) == 1;
        if (*applied && strcmp(PQgetvalue(result, 0, 0), "t") != 0) {
            fprintf(stderr,
                    "migrations: %s was changed after it was applied (as %s); put it back, and "
                    "write the change as a new file\n",
                    name, PQgetvalue(result, 0, 1));
            status = STATUS_INVALID;
        }
    }
    PQclear(result);
    return status;
}

static enum status apply(PGconn *connection, unsigned number, const char *name, const char *text)
{
    enum status status = run(connection, text, name);
    if (status != STATUS_OK) return status;
    char number_text[12];
    snprintf(number_text, sizeof number_text, "%u", number);
    const char *values[] = {number_text, name, text};
    PGresult *result =
        PQexecParams(connection,
                     "INSERT INTO hoga.migration (number, name, checksum) "
                     "VALUES ($1::int, $2, encode(sha256(convert_to($3, 'UTF8')), 'hex'))",
                     3, NULL, values, NULL, NULL, 0);
    bool good = succeeded(connection, result, name);
    PQclear(result);
    return good ? STATUS_OK : STATUS_IO;
}

static enum status migrate_one(PGconn *connection, const char *sql_dir, unsigned number,
                               const char *name)
{
    char *text = read_migration(sql_dir, name);
    if (!text) return STATUS_INVALID;
    bool applied = false;
    enum status status = run(connection, "BEGIN", name);
    if (status == STATUS_OK) status = run(connection, MIGRATION_LOCK, name);
    if (status == STATUS_OK) status = is_applied(connection, number, name, text, &applied);
    if (status == STATUS_OK && !applied) status = apply(connection, number, name, text);
    if (status == STATUS_OK) {
        status = run(connection, "COMMIT", name);
        if (status == STATUS_OK && !applied) fprintf(stderr, "migrations: applied %s\n", name);
    } else {
        PQclear(PQexec(connection, "ROLLBACK")); /* the reason has been told already */
    }
    free(text);
    return status;
}

/* A database that a later version of the exchange has migrated is not for this one. */
static enum status refuse_newer(PGconn *connection, unsigned count)
{
    PGresult *result = PQexec(connection, "SELECT coalesce(max(number), 0) FROM hoga.migration");
    enum status status = STATUS_IO;
    if (succeeded(connection, result, "migrations")) {
        unsigned long newest = strtoul(PQgetvalue(result, 0, 0), NULL, 10);
        status = newest > count ? STATUS_INVALID : STATUS_OK;
        if (status != STATUS_OK)
            fprintf(stderr, "migrations: the database is at %03lu, this version knows %03u\n",
                    newest, count);
    }
    PQclear(result);
    return status;
}

enum status schema_migrate(PGconn *connection, const char *sql_dir)
{
    char(*names)[MIGRATION_NAME_BYTES] = calloc(MIGRATION_MAX + 1, MIGRATION_NAME_BYTES);
    if (!names) return STATUS_FULL;
    unsigned count = 0;
    enum status status = list_migrations(sql_dir, names, &count);
    if (status == STATUS_OK)
        status = run(connection,
                     "BEGIN; " MIGRATION_LOCK "; SET LOCAL client_min_messages = warning;"
                     "CREATE SCHEMA IF NOT EXISTS hoga;"
                     "CREATE TABLE IF NOT EXISTS hoga.migration ("
                     " number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,"
                     " applied timestamptz NOT NULL DEFAULT now()); COMMIT",
                     "migrations");
    if (status == STATUS_OK) status = refuse_newer(connection, count);
    for (unsigned n = 1; status == STATUS_OK && n <= count; n++)
        status = migrate_one(connection, sql_dir, n, names[n]);
    free(names);
    return status;
}

enum status schema_empty(PGconn *connection)
{
    return run(connection,
               "TRUNCATE hoga.reporter_cursor, hoga.account_row, hoga.user_row, hoga.api_key_row,"
               " hoga.instrument_row, hoga.ledger_row, hoga.order_row, hoga.execution_row,"
               " hoga.trade_row, hoga.bust_row, hoga.refusal_row, hoga.session_row,"
               " hoga.auction_row, hoga.limit_state_row, hoga.breaker_row, hoga.setting_row,"
               " hoga.kill_switch_row, hoga.mass_cancel_row",
               "emptying the tables");
}
