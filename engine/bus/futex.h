/* futex.h - sleeping and waking across processes on a 32-bit word in shared memory.
 *
 * The word is a count that the waker raises; a sleeper says which count it has seen, so a wake
 * between looking and sleeping is never lost (futex(2)).
 */
#ifndef HOGA_BUS_FUTEX_H
#define HOGA_BUS_FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

/* Sleeps while *word == seen, at most `timeout_ns`; may return early. */
void futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout_ns);

/* Raises the word and wakes everybody who sleeps on it. A system call: not for the hot path. */
void futex_ring(_Atomic uint32_t *word);

#endif
