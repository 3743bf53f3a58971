/* replicate.c - stands in for a cluster: says of each command that is safe on this disk that others
 * have it, too, a moment later. replicate DATA
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "engine/bus/archiver.h"
#include "engine/bus/control.h"
#include "engine/bus/instance.h"

enum { WAIT_US = 2000 };

int main(int argc, char **argv)
{
    struct instance instance;
    struct control *control = NULL;
    enum status status = STATUS_NOT_FOUND;
    if (argc != 2) {
        fprintf(stderr, "usage: replicate DATA\n");
        return EXIT_FAILURE;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (status == STATUS_NOT_FOUND) {
        (void)usleep(WAIT_US);
        status = instance_open(&instance, argv[1]);
        if (status == STATUS_OK) status = control_open(&control, &instance);
    }
    if (status != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", argv[1], status_text(status));
        return EXIT_FAILURE;
    }
    for (;;) {
        seq_t here = atomic_load_explicit(&control->in.durable_seq, memory_order_acquire);
        (void)usleep(WAIT_US);
        if (here <= atomic_load_explicit(&control->replicated_seq, memory_order_relaxed)) continue;
        atomic_store_explicit(&control->replicated_seq, here, memory_order_release);
        archiver_wake(control);
    }
}
