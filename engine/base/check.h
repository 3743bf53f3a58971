/* check.h - invariants that stay on in release builds.
 *
 * CHECK stops the process at once: wrong books are worse than no books, and the journal brings
 * the state back. It prints the place, the condition and the sequence number in work, so that the
 * command can be found in the journal.
 */
#ifndef HOGA_BASE_CHECK_H
#define HOGA_BASE_CHECK_H

#include <stdint.h>

/* Sequence number of the command in work on this thread; 0 outside a step. Only for the message. */
extern _Thread_local uint64_t check_seq;

_Noreturn void check_failed(const char *file, int line, const char *condition);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0)) check_failed(__FILE__, __LINE__, #condition);       \
    } while (0)

#endif
