/* chain.h - the chain of hashes over a journal's archived segments: proof that none was changed,
 * swapped or lost since it was sealed.
 *
 * DATA/journal/in.chain and out.chain hold a line for each segment that is full and safe, and one
 * for each that was removed by the rule of retention:
 *
 *   seal NUMBER FIRST_SEQ BYTES SHA256 LINK
 *   drop NUMBER LINK
 *
 * SHA256 is the file's, as sha256sum prints it. LINK is the SHA-256 of the LINK before it and,
 * behind it, the words of its own line; the first is that of the exchange's name and the journal's:
 *
 *   printf %s%s "$(cat DATA/instance)" in | sha256sum              before the first line of `in`
 *   printf %s%s LINK "seal 1 1 33554432 SHA256" | sha256sum        of the line behind it
 *
 * Whoever keeps a copy of the newest LINK elsewhere can prove all that lies before it. Lines are
 * only added; one that is torn by a loss of power is written again. Owned by the keeper's thread;
 * verification reads.
 */
#ifndef HOGA_BUS_CHAIN_H
#define HOGA_BUS_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal.h"
#include "engine/bus/pace.h"

enum { CHAIN_HASH_TEXT = 65 }; /* 64 hexadecimal digits and a NUL */

struct chain {
    const struct instance *instance;
    enum journal_kind kind;
    uint32_t sealed;  /* the last segment with a line; 0: none */
    uint32_t dropped; /* the last one removed; 0: none */
    uint64_t bytes;   /* whole lines of the file */
    char link[CHAIN_HASH_TEXT];
    char problem[INSTANCE_PATH_BYTES + 256]; /* after a failure: what is wrong and where */
};

/* Reads the file as far as its lines are whole and follow from each other. STATUS_CORRUPT when a
 * whole line does not; STATUS_IO. No file is an empty chain. */
MUST_CHECK enum status chain_open(struct chain *self, const struct instance *instance,
                                  enum journal_kind kind);

/* Adds the line of the next segment, sealed + 1, whose archive file is full and safe. STATUS_IO,
 * errno; then nothing is added. */
MUST_CHECK enum status chain_seal(struct chain *self, const struct pace *pace);

/* Adds the line that says that the next of the sealed segments, dropped + 1, is removed by rule.
 * Before its file is. */
MUST_CHECK enum status chain_drop(struct chain *self);

/* What verification is asked, and what it found out. */
struct chain_check {
    const char *link; /* a LINK that was kept elsewhere, lower case; NULL: none */
    bool has_link;    /* it lies on this chain */
    uint32_t compared;
    void (*progress)(void *context, uint32_t compared, uint32_t of); /* after each; NULL: none */
    void *context;
};

/* Compares every segment that the chain says is there with its line, reading all of it; writes
 * nothing. STATUS_CORRUPT: self->problem names the first that is not what it was, or is missing;
 * STATUS_IO. Otherwise `self` is the chain to its end. */
MUST_CHECK enum status chain_verify(struct chain *self, const struct instance *instance,
                                    enum journal_kind kind, struct chain_check *check);

#endif
