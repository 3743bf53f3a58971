/* hoga_core.c - hoga-core's command line and signals around core.h. */
#define _GNU_SOURCE
#include <signal.h>

#include "engine/core.h"

static volatile sig_atomic_t stop_asked;

static void ask_stop(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

int main(int argc, char **argv)
{
    static struct core self; /* zeroed, and too large for a stack */
    int exit_code = core_options_parse(&self.options, argc, argv);
    if (exit_code >= 0) return exit_code;
    struct sigaction action = {.sa_handler = ask_stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    self.stop_asked = &stop_asked;
    return core_run(&self);
}
