/* paced_load.h - an open-loop load over a ring of its own on real hoga-core processes, for
 * benchmarks: orders leave at a fixed rate whether or not answers come, and each one's answer is
 * seen by a reader that is rung as fronts are.
 *
 *   sender thread --ring--> hoga-core ... --released events--> reader thread
 *     sent_ns[request]                                           answered_ns[request]
 *
 * Orders buy and sell one share at the same price by turns, so that each second one trades and the
 * book stays small. The reader checks that each request is answered once, in order.
 */
#ifndef HOGA_BENCH_PACED_LOAD_H
#define HOGA_BENCH_PACED_LOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/bus/journal.h"
#include "engine/bus/ring.h"

struct paced_load {
    const char *core_path; /* hoga-core */
    char dir[64];
    struct instance instance;
    struct control *control;
    struct station *station;
    struct ring ring;
    struct journal_reader out;
    int bell;
    unsigned per_second;
    uint64_t request_max;
    int64_t *sent_ns; /* by request, from 1; steady clock */
    int64_t *answered_ns;
    uint64_t sent;
    _Atomic uint64_t answered; /* the last one */
    _Atomic uint64_t refused;  /* the ring was full */
    uint64_t wrong;            /* answered twice, out of order, or refused by the exchange */
    _Atomic int stopping;
    pthread_t sender, reader;
};

/* hoga-core of the build that this program is of. */
const char *paced_load_core_beside(void);

/* A new data directory, in $TMPDIR or /tmp; no core runs yet. Room for `request_max` requests. */
void paced_load_open(struct paced_load *self, const char *core_path, uint64_t request_max);

/* Starts a core on it with these arguments behind --data (NULL-terminated, at most 12). */
pid_t paced_load_start_core(struct paced_load *self, const char *const *arguments);

/* Once a core runs: takes a ring, opens accounts and lists the instrument. */
void paced_load_connect(struct paced_load *self);

void paced_load_run(struct paced_load *self, unsigned per_second);

/* Ends sending, waits for the last answers, and counts those that never came as wrong. */
void paced_load_stop(struct paced_load *self);

/* Closes everything, and takes the shared memory away. The cores must be gone. */
void paced_load_close(struct paced_load *self);

/* Removes the data directories of all loads of this program: at its end, since some disks are busy
 * with what is given back for seconds. */
void paced_load_remove_all(void);

/* The longest time without an answer between two moments in which load ran, in ns. */
int64_t paced_load_longest_pause(const struct paced_load *self, int64_t from_ns, int64_t to_ns);

/* Waits until a station of that name runs as this process, at most 20 s. */
void paced_load_wait_station(const struct paced_load *self, const char *name, pid_t pid);

#endif
