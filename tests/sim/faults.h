/* faults.h - what goes wrong in a run, and when: the seed's choice. */
#ifndef HOGA_TESTS_SIM_FAULTS_H
#define HOGA_TESTS_SIM_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/bus/control.h"
#include "tests/sim/machine.h"

/* Chooses which kinds this run has. Without `may_lose_power` none that shared memory would not
 * survive; with `spares_fronts` none that ends a front, and no rot. */
void faults_begin(bool may_lose_power, bool spares_fronts);

/* Maybe one more. When `clients_are_done` or their time is over all faults end: false. */
bool faults_turn(bool clients_are_done);

uint64_t faults_count(void);

/* The world's, for faults. */
void world_lose_power(void);
struct process *
world_process(unsigned slot);        /* 0 and 1: cores; then fronts, follower; NULL: not running */
struct control *world_control(void); /* NULL: there is no page */

#endif
