/* blotter.h - every order and execution as its account may see it, for as long as memory allows.
 *
 * The engine forgets an order once it is terminal; clients still ask for it, by order id or by
 * client order id, and want the executions that a broken connection missed. The blotter keeps
 * them: open orders always, terminal ones and executions until newer ones need their place
 * (PostgreSQL has all of them). It is derived from the replica alone, so a restart rebuilds it.
 *
 * Each account's executions are numbered from 1 without gaps (`account_seq`).
 * Owned by the front's one thread. Pointers it gives are valid until the next blotter_* call that
 * takes a non-const blotter.
 */
#ifndef HOGA_WEB_BLOTTER_H
#define HOGA_WEB_BLOTTER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/journal.h"
#include "engine/engine.h"
#include "engine/message/command.h"
#include "engine/message/event.h"

struct blotter;

struct blotter_order {
    order_id_t order_id;
    account_id_t account;
    user_id_t user;
    instrument_id_t instrument;
    uint8_t side;
    uint8_t ord_type;
    uint8_t time_in_force;
    uint8_t exec_inst;      /* bits of enum exec_inst */
    uint8_t stp;            /* enum stp, as sent */
    uint8_t ord_status;     /* enum ord_status */
    uint16_t reject_reason; /* enum reject: why it was rejected, or canceled unasked */
    px_t limit_px;          /* of market and stop orders the collar price; 0: none was found */
    px_t stop_px;
    qty_t display_qty;
    qty_t min_qty;
    int64_t expire_ns; /* 0: not GTD */
    qty_t sent_qty;    /* these three as first sent, to recognise the same request again */
    px_t sent_limit_px;
    px_t sent_stop_px;
    qty_t order_qty; /* as it stands after replaces */
    qty_t cum_qty;
    qty_t leaves_qty;
    px_t avg_px; /* of the fills, rounded half up; 0 before the first */
    cash_t fees; /* paid for the fills that stand */
    int64_t created_ns;
    int64_t updated_ns;
    int64_t triggered_ns;            /* a stop: when; 0: not yet */
    uint64_t updated_seq;            /* `in` sequence of the last change */
    char cl_ord_id[CL_ORD_ID_BYTES]; /* as it stands after replaces */
};

/* A trade was taken back: what each side's account is told. No event of the journal has this type;
 * FIX tag 150 does. last_qty is 0, trade_id names the fill that is void. */
enum { BLOTTER_EXEC_BUSTED = 'H' };

struct blotter_execution {
    seq_t exec_id;
    int64_t time_ns;
    uint64_t account_seq;
    struct event_execution event;
    bool busted; /* a fill whose trade was taken back */
    char cl_ord_id[CL_ORD_ID_BYTES];
};

enum { BLOTTER_FILLS_MAX = 1000 }; /* an order shows its newest fills, at most so many */

/* `accounts` bounds account ids. `order_max` must exceed how many orders may be open at the same
 * time; what it exceeds that by is how many terminal ones are kept. `execution_max` executions are
 * kept. NULL without memory; what is not used costs none. */
struct blotter *blotter_create(uint32_t accounts, uint32_t order_max, uint32_t execution_max);
void blotter_destroy(struct blotter *self);

/* Replica began at a snapshot, before any execution: takes the engine's open orders in. What the
 * engine does not keep is not known of them: their names (cl_ord_id), what they were first sent as,
 * and fills before the snapshot, which avg_px and fees leave out. `created_ns` is `time_ns`, the
 * snapshot's. Each account's executions go on to be numbered behind `out_seq`, which is beyond
 * every number given before: whoever asks for one of those learns that it is forgotten. */
void blotter_begin(struct blotter *self, const struct engine *engine, seq_t in_seq, seq_t out_seq,
                   int64_t time_ns);

/* An execution as it lies in an event of `length` bytes, whichever version wrote it. */
struct event_execution blotter_read_execution(const void *message, size_t length);

/* Replica's hook: an execution and the command that caused it. Returns it as recorded. */
const struct blotter_execution *blotter_execution(struct blotter *self,
                                                  const struct journal_record *command,
                                                  seq_t exec_id,
                                                  const struct event_execution *event);

/* Replica's hook: a trade was taken back. Marks its fills, and records an execution for each side,
 * the buyer's first, under the bust's own exec_id: valid together until the next one is recorded.
 */
struct blotter_bust {
    const struct blotter_execution *buyer, *seller;
};
struct blotter_bust blotter_trade_busted(struct blotter *self, const struct journal_record *command,
                                         seq_t exec_id, const struct event_trade_busted *event);

/* NULL when unknown or forgotten. `cl_ord_id` has CL_ORD_ID_BYTES, padded with NUL; the newest
 * order that bears it is given. */
const struct blotter_order *blotter_find(const struct blotter *self, order_id_t order_id);
const struct blotter_order *blotter_find_cl_ord_id(const struct blotter *self, account_id_t account,
                                                   const char *cl_ord_id);

/* Whether `command` asks for exactly what the order was first sent as. */
bool blotter_same_request(const struct blotter_order *order,
                          const struct command_new_order *command);

/* Walks an account's orders, newest first: pass 0 at first, then the last order's id. NULL at the
 * end, and when that order is not the account's or forgotten. */
const struct blotter_order *blotter_older(const struct blotter *self, account_id_t account,
                                          order_id_t before);

/* The same over its open orders alone; `before` must be open too. */
const struct blotter_order *blotter_older_open(const struct blotter *self, account_id_t account,
                                               order_id_t before);

/* Whether the order may still be filled. */
bool blotter_is_open(const struct blotter_order *order);

/* An order's fills (executions with last_qty > 0) in time order: pass NULL at first. Fills that
 * are forgotten are left out. */
const struct blotter_execution *blotter_next_fill(const struct blotter *self,
                                                  const struct blotter_order *order,
                                                  const struct blotter_execution *after);

/* The account's last execution number; and the execution of that number, NULL when it is
 * forgotten or not there yet. */
uint64_t blotter_account_seq(const struct blotter *self, account_id_t account);
const struct blotter_execution *
blotter_account_execution(const struct blotter *self, account_id_t account, uint64_t account_seq);

#endif
