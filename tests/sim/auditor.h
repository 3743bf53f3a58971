/* auditor.h - keeps what each client was told, and holds the exchange to it.
 *
 * Knows the messages, and nothing of how they are kept:
 *   - what was told was released, and (durability disk) on the disk, at that moment
 *   - what was told once is told the same ever after, by every front, and stands in the journals
 *   - an order acknowledged is there once; nothing a ring carried is sequenced twice
 *   - a client's answers come in the order of their commands
 *   - states at the same sequence number are equal, whoever has them
 *   - at the end the journals, read anew, give all of this once more
 */
#ifndef HOGA_TESTS_SIM_AUDITOR_H
#define HOGA_TESTS_SIM_AUDITOR_H

#include "engine/sequencer.h"
#include "tests/sim/desk.h"

enum { CLIENT_MAX = 16, OPERATION_MAX = 512 };

void auditor_begin(enum durability durability);

void auditor_answered(unsigned desk, const struct operation *operation,
                      const struct gateway_answer *answer);
void auditor_saw_event(const struct desk *desk, const struct journal_record *command, seq_t out_seq,
                       const void *message, size_t length);
void auditor_saw_command(const struct desk *desk, const struct journal_record *command,
                         seq_t replicated_seq);
void auditor_read(enum journal_kind kind, const struct journal_record *record);
void auditor_core_published(const struct sequencer *sequencer);

/* What no front has seen may be gone. */
void auditor_lost_power(void);

/* The highest command that any front has seen. */
seq_t auditor_told_seq(void);

struct audit {
    uint64_t commands, events, answers, hashes, sealed;
};

/* A process's main, once all others have ended; the argument is a struct audit, filled. */
int auditor_main(void *audit);

#endif
