/* batch.h - one transaction's worth of the journals, as rows.
 *
 *   command ----------------+
 *     event, event, event --+--> orders merged with their executions --> rows of each table
 *
 * An order that a batch creates becomes one row with everything that happened to it in the batch;
 * an order of an earlier batch becomes one change. Pure but for memory: no journal, no database.
 * Owned by the reporter's one thread.
 */
#ifndef HOGA_REPORTER_BATCH_H
#define HOGA_REPORTER_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/journal.h"
#include "engine/message/event.h"
#include "server/reporter/copy.h"

enum batch_table {
    BATCH_ACCOUNT,
    BATCH_USER,
    BATCH_KEY,
    BATCH_INSTRUMENT,
    BATCH_LEDGER,
    BATCH_ORDER,
    BATCH_ORDER_CHANGE,
    BATCH_EXECUTION,
    BATCH_TRADE,
    BATCH_BUST,
    BATCH_REFUSAL,
    BATCH_SESSION,
    BATCH_AUCTION,
    BATCH_LIMIT_STATE,
    BATCH_BREAKER,
    BATCH_SETTING,
    BATCH_KILL_SWITCH,
    BATCH_MASS_CANCEL,
    BATCH_TABLE_COUNT,
};

struct order_merge; /* batch.c */

struct batch {
    seq_t in_seq;  /* the cursor after it: last command that is complete */
    seq_t out_seq; /* last event that is in it */
    uint64_t event_count;
    uint64_t fill_count;
    struct copy_rows rows[BATCH_TABLE_COUNT];

    struct order_merge *orders;
    uint32_t order_count;
    uint32_t order_capacity;
    uint32_t *slots; /* open addressing by order id: index + 1, 0 is free */
    uint32_t slot_count;

    struct { /* the first side of a trade, until the second comes */
        bool waits;
        seq_t exec_id;
        struct event_execution event;
    } half_trade;
};

/* The table and its columns, as COPY takes them: "hoga.order_row (order_id, ...)". */
const char *batch_columns(enum batch_table table);

/* Empties it; (in_seq, out_seq) is the cursor before it. Memory is kept. */
void batch_begin(struct batch *self, seq_t in_seq, seq_t out_seq);
void batch_free(struct batch *self);

/* Takes an event in; `command` is the record that caused it. STATUS_CORRUPT when the event
 * contradicts the ones before it (sequence gap, a trade with one side). */
MUST_CHECK enum status batch_event(struct batch *self, const struct journal_record *command,
                                   const struct journal_record *event);

/* All events of this command have been taken in. */
MUST_CHECK enum status batch_command_end(struct batch *self, const struct journal_record *command);

/* Whether a transaction may end here: not between the two sides of a trade. */
bool batch_may_end(const struct batch *self);

/* Writes the merged orders out as rows. STATUS_FULL when memory ran out on the way. */
MUST_CHECK enum status batch_end(struct batch *self);

#endif
