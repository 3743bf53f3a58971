#include "server/reporter/database.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/message/reject.h"
#include "server/reporter/schema.h"

/* The server cuts a stream into messages anyway; this bounds what libpq buffers. */
enum { COPY_CHUNK_BYTES = 256 * 1024 };

static enum status take_result(struct database *self, PGresult *result, ExecStatusType expected,
                               const char *what)
{
    bool good = PQresultStatus(result) == expected;
    if (!good) fprintf(stderr, "postgresql: %s: %s", what, PQerrorMessage(self->connection));
    PQclear(result);
    return good ? STATUS_OK : STATUS_IO;
}

static enum status run(struct database *self, const char *sql)
{
    return take_result(self, PQexec(self->connection, sql), PGRES_COMMAND_OK, sql);
}

static enum status store_reject_reasons(struct database *self)
{
    unsigned count;
    const struct reject_row *rows = reject_rows(&count);
    enum status status = run(self, "BEGIN");
    for (unsigned i = 0; status == STATUS_OK && i < count; i++) {
        char number[12];
        snprintf(number, sizeof number, "%u", rows[i].number);
        const char *values[] = {number, rows[i].code, rows[i].text};
        PGresult *result = PQexecParams(
            self->connection,
            "INSERT INTO hoga.reject_reason AS r (reject_reason, code, detail) "
            "VALUES ($1::int, $2, $3) ON CONFLICT (reject_reason) DO UPDATE SET "
            "code = excluded.code, detail = excluded.detail "
            "WHERE (r.code, r.detail) IS DISTINCT FROM (excluded.code, excluded.detail)",
            3, NULL, values, NULL, NULL, 0);
        status = take_result(self, result, PGRES_COMMAND_OK, "reject reasons");
    }
    if (status == STATUS_OK) status = run(self, "COMMIT");
    return status;
}

enum status database_open(struct database *self, const char *conninfo, const char *sql_dir)
{
    self->connection = PQconnectdb(conninfo);
    enum status status = STATUS_OK;
    if (PQstatus(self->connection) != CONNECTION_OK) {
        fprintf(stderr, "postgresql: %s", PQerrorMessage(self->connection));
        status = STATUS_IO;
    }
    if (status == STATUS_OK) status = schema_migrate(self->connection, sql_dir);
    if (status == STATUS_OK) status = store_reject_reasons(self);
    /* A crash of the server may take its last transactions back: rows and cursor together, and
     * what is behind the cursor is written again. So there is no need to wait for its disk. */
    if (status == STATUS_OK) status = run(self, "SET synchronous_commit = off");
    /* A change finds its order by the primary key, however few orders the planner believes there
     * are: reading the whole table for a handful of changes would grow with the table. */
    if (status == STATUS_OK) status = run(self, "SET enable_hashjoin = off");
    if (status == STATUS_OK) status = run(self, "SET enable_mergejoin = off");
    if (status == STATUS_OK)
        status = run(self, "CREATE TEMP TABLE order_change (order_id bigint, ord_status \"char\", "
                           "reject_reason integer, order_qty bigint, cum_qty bigint, "
                           "leaves_qty bigint, notional numeric, updated timestamptz, "
                           "updated_ns bigint, limit_px bigint, stop_px bigint, cl_ord_id text, "
                           "fee bigint) ON COMMIT DELETE ROWS");
    if (status != STATUS_OK) database_close(self);
    return status;
}

void database_close(struct database *self)
{
    PQfinish(self->connection); /* NULL is fine */
    self->connection = NULL;
}

enum status database_cursor(struct database *self, const char *instance, seq_t *in_seq,
                            seq_t *out_seq)
{
    const char *values[] = {instance};
    enum status status =
        take_result(self,
                    PQexecParams(self->connection,
                                 "INSERT INTO hoga.reporter_cursor (instance, in_seq, out_seq) "
                                 "VALUES ($1, 0, 0) ON CONFLICT DO NOTHING",
                                 1, NULL, values, NULL, NULL, 0),
                    PGRES_COMMAND_OK, "cursor");
    if (status != STATUS_OK) return status;
    PGresult *result =
        PQexec(self->connection, "SELECT instance, in_seq, out_seq FROM hoga.reporter_cursor");
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1) {
        fprintf(stderr, "postgresql: cursor: %s", PQerrorMessage(self->connection));
        status = STATUS_IO;
    } else if (strcmp(PQgetvalue(result, 0, 0), instance) != 0) {
        fprintf(stderr,
                "the database holds the reports of exchange %s, this one is %s: "
                "name another database, or fill this one anew with hoga up --rebuild-reports\n",
                PQgetvalue(result, 0, 0), instance);
        status = STATUS_INVALID;
    } else {
        *in_seq = strtoull(PQgetvalue(result, 0, 1), NULL, 10);
        *out_seq = strtoull(PQgetvalue(result, 0, 2), NULL, 10);
    }
    PQclear(result);
    return status;
}

static enum status copy_table(struct database *self, enum batch_table table,
                              const struct copy_rows *rows)
{
    static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"; /* signature, flags, none */
    enum { HEADER_BYTES = 19 };
    _Static_assert(sizeof header == HEADER_BYTES + 1, "11 + 4 + 4 bytes");

    char sql[1024];
    snprintf(sql, sizeof sql, "COPY %s FROM STDIN BINARY", batch_columns(table));
    enum status status = take_result(self, PQexec(self->connection, sql), PGRES_COPY_IN, sql);
    if (status != STATUS_OK) return status;

    bool sent = PQputCopyData(self->connection, header, HEADER_BYTES) == 1;
    for (size_t at = 0; sent && at < rows->length; at += COPY_CHUNK_BYTES) {
        size_t left = rows->length - at;
        int length = (int)(left < COPY_CHUNK_BYTES ? left : COPY_CHUNK_BYTES);
        sent = PQputCopyData(self->connection, (const char *)rows->bytes + at, length) == 1;
    }
    sent = sent && PQputCopyData(self->connection, "\377\377", 2) == 1; /* end: field count -1 */
    sent = sent && PQputCopyEnd(self->connection, NULL) == 1;
    if (!sent) {
        fprintf(stderr, "postgresql: %s: %s", sql, PQerrorMessage(self->connection));
        return STATUS_IO;
    }
    status = take_result(self, PQgetResult(self->connection), PGRES_COMMAND_OK, sql);
    for (PGresult *rest; (rest = PQgetResult(self->connection));) PQclear(rest);
    return status;
}

static enum status move_cursor(struct database *self, const struct batch *batch, seq_t in_seq,
                               seq_t out_seq)
{
    char text[4][24];
    snprintf(text[0], sizeof text[0], "%" PRIu64, in_seq);
    snprintf(text[1], sizeof text[1], "%" PRIu64, out_seq);
    snprintf(text[2], sizeof text[2], "%" PRIu64, batch->in_seq);
    snprintf(text[3], sizeof text[3], "%" PRIu64, batch->out_seq);
    const char *values[] = {text[0], text[1], text[2], text[3]};
    PGresult *result = PQexecParams(self->connection,
                                    "UPDATE hoga.reporter_cursor SET in_seq = $3::bigint, "
                                    "out_seq = $4::bigint, updated = now() "
                                    "WHERE in_seq = $1::bigint AND out_seq = $2::bigint",
                                    4, NULL, values, NULL, NULL, 0);
    bool moved = strcmp(PQcmdTuples(result), "1") == 0;
    enum status status = take_result(self, result, PGRES_COMMAND_OK, "cursor");
    if (status == STATUS_OK && !moved) status = STATUS_BUSY;
    return status;
}

/* Brings orders of earlier batches up to date, from the temporary table. */
static enum status change_orders(struct database *self, const struct copy_rows *changes)
{
    if (changes->row_count == 0) return STATUS_OK;
    PGresult *result =
        PQexec(self->connection, "UPDATE hoga.order_row o SET ord_status = c.ord_status, "
                                 "reject_reason = c.reject_reason, order_qty = c.order_qty, "
                                 "cum_qty = c.cum_qty, leaves_qty = c.leaves_qty, "
                                 "cum_notional = o.cum_notional + c.notional, updated = c.updated, "
                                 "updated_ns = c.updated_ns, limit_px = c.limit_px, "
                                 "stop_px = coalesce(c.stop_px, o.stop_px), "
                                 "cl_ord_id = coalesce(c.cl_ord_id, o.cl_ord_id), "
                                 "first_cl_ord_id = CASE WHEN c.cl_ord_id IS NULL "
                                 "THEN o.first_cl_ord_id "
                                 "ELSE coalesce(o.first_cl_ord_id, o.cl_ord_id, '') END, "
                                 "cum_fee = o.cum_fee + c.fee FROM order_change c "
                                 "WHERE o.order_id = c.order_id");
    uint64_t changed = strtoull(PQcmdTuples(result), NULL, 10);
    enum status status = take_result(self, result, PGRES_COMMAND_OK, "changing orders");
    if (status != STATUS_OK || changed == changes->row_count) return status;
    fprintf(stderr, "the database lacks %" PRIu64 " of %" PRIu64 " orders that it should have\n",
            changes->row_count - changed, changes->row_count);
    return STATUS_CORRUPT;
}

enum status database_write(struct database *self, const struct batch *batch, seq_t in_seq,
                           seq_t out_seq)
{
    enum status status = run(self, "BEGIN");
    if (status == STATUS_OK) status = move_cursor(self, batch, in_seq, out_seq);
    for (int t = 0; status == STATUS_OK && t < BATCH_TABLE_COUNT; t++)
        if (batch->rows[t].row_count > 0)
            status = copy_table(self, (enum batch_table)t, &batch->rows[t]);
    if (status == STATUS_OK) status = change_orders(self, &batch->rows[BATCH_ORDER_CHANGE]);
    if (status == STATUS_OK) return run(self, "COMMIT");
    if (PQstatus(self->connection) == CONNECTION_OK)
        PQclear(PQexec(self->connection, "ROLLBACK")); /* the reason has been told already */
    return status;
}
