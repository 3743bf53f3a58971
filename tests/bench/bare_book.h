/* bare_book.h - the floor that books and exchanges are held against: how fast this machine could
 * match at most, at this moment.
 *
 * One side's prices and all orders are flat arrays, by price and by id. Nothing is checked, owned,
 * held, reported, journaled or used twice; it is no exchange and cannot become one.
 */
#ifndef HOGA_BENCH_BARE_BOOK_H
#define HOGA_BENCH_BARE_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "flow.h"

/* There is one at a time. Ends the process when there is no memory for this flow's orders. */
void bare_book_open(const struct flow *flow);
void bare_book_close(void);

/* Empties it and runs the whole flow. Returns million commands a second of the timed part, and says
 * whether it has traded what the header says. */
double bare_book_run(const struct flow *flow, bool *right);

#endif
