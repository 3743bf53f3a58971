/* world.h - one run: an exchange on a machine, its clients, its operator, and what goes wrong.
 *
 *   set up -> trade, with faults -> calm: all is answered -> (power, start) -> stop -> audit
 *
 * The seed chooses how the exchange is configured, which kinds of faults this run has and how
 * often, so that runs differ in kind and not only in detail.
 */
#ifndef HOGA_TESTS_SIM_WORLD_H
#define HOGA_TESTS_SIM_WORLD_H

#include "tests/sim/auditor.h"

struct run_result {
    bool is_good;
    char failure[512];
    uint64_t trace_hash;
    uint64_t steps;
    int64_t simulated_ns;
    struct audit audit;
    uint64_t faults, power_losses, kills, takeovers;
};

/* Plays the seed. When it fails and `is_verbose`, the machine still has its trace. */
struct run_result world_run(uint64_t seed, bool is_verbose);

#endif
