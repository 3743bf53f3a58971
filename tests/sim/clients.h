/* clients.h - those who trade: each sends one thing at a time, and again until it is answered.
 *
 * They live outside the machine: what they know survives everything. An order keeps its
 * client order id through all attempts, at whichever front.
 */
#ifndef HOGA_TESTS_SIM_CLIENTS_H
#define HOGA_TESTS_SIM_CLIENTS_H

#include "tests/sim/desk.h"

/* `operations` each, once all accounts are set up. */
void clients_begin(unsigned count, unsigned operations);

/* Whoever has something to say says it to a desk that serves (NULL in `desks`: none there). Returns
 * when somebody has something to say next. */
int64_t clients_turn(struct desk *const desks[DESKS]);

bool clients_are_set_up(void);
bool clients_are_done(void);

/* What the first who still waits waits for, for people. */
void clients_describe_waiting(char *text, size_t bytes);

/* Desk's hooks. */
void clients_answered(const struct operation *operation, const struct gateway_answer *answer);
void clients_refused(const struct operation *operation);

#endif
