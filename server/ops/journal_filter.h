/* journal_filter.h - which records of a journal somebody wants to see.
 */
#ifndef HOGA_OPS_JOURNAL_FILTER_H
#define HOGA_OPS_JOURNAL_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/bus/journal.h"

/* All of it that is set must fit. */
struct journal_filter {
    seq_t from_seq, to_seq;     /* both included; 0 and UINT64_MAX: all */
    int64_t since_ns, until_ns; /* both included; 0 and INT64_MAX: all */
    bool has_account;
    account_id_t account; /* a record that names it: also as buyer, seller, from, to, limits */
    order_id_t order_id;  /* 0: any */
    seq_t order_command;  /* `in`: the command that made the order, though it names no id */
    instrument_id_t instrument; /* 0: any; also shares of it */
    uint16_t template_id;       /* 0: any */
};

/* Whether the record fits. */
bool journal_filter_fits(const struct journal_filter *self, const struct journal_record *record);

/* Whether no later record can: those behind it are later in number and in time. */
bool journal_filter_is_over(const struct journal_filter *self, const struct journal_record *record);

/* The command that caused the first event of an order: 0 when there is none in the archive (any
 * more). Reads `out` up to there. STATUS_CORRUPT and STATUS_IO, said on stderr. */
MUST_CHECK enum status journal_find_order(const struct instance *instance,
                                          const struct control *control, order_id_t order_id,
                                          seq_t *command_seq);

/* The instrument of a symbol, from the newest usable snapshot or from the journals (all of `in`,
 * if need be). STATUS_NOT_FOUND; STATUS_CORRUPT and STATUS_IO, said on stderr. */
MUST_CHECK enum status journal_find_symbol(const struct instance *instance,
                                           const struct control *control, const char *symbol,
                                           instrument_id_t *instrument);

#endif
