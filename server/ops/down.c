#define _GNU_SOURCE
#include "server/ops/down.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/ops/child.h"
#include "server/ops/layout.h"
#include "server/ops/options.h"

enum { STEP_MS = 50 };

static int stop(const struct instance *instance, uint64_t timeout_s)
{
    pid_t pid = layout_lock_owner(instance);
    if (pid == 0) {
        printf("the exchange in %s is not running\n", instance->data_dir);
        return EXIT_SUCCESS;
    }
    if (kill(pid, SIGTERM) != 0 && errno != ESRCH) {
        fprintf(stderr, "hoga down: cannot stop process %d: %s\n", (int)pid, strerror(errno));
        return EXIT_FAILURE;
    }
    int64_t until_ms = child_now_ms() + (int64_t)timeout_s * 1000;
    while (layout_lock_owner(instance) == pid) {
        if (child_now_ms() > until_ms) {
            fprintf(stderr, "hoga down: process %d has been asked to stop and still runs\n",
                    (int)pid);
            return EXIT_FAILURE;
        }
        (void)usleep(STEP_MS * 1000);
    }
    printf("the exchange in %s has stopped\n", instance->data_dir);
    return EXIT_SUCCESS;
}

int down_main(int argc, char **argv)
{
    const char *data_dir = "var";
    uint64_t timeout_s = 120;
    const struct option_rule rules[] = {
        {"data", OPTION_TEXT, &data_dir, "DIR", "the exchange's data directory (var)"},
        {"timeout", OPTION_COUNT, &timeout_s, "SECONDS", "how long to wait for it (120)"},
    };
    const struct option_table table = {
        "hoga down [options]",
        "Stops the exchange: orders first, everything to disk, then the rest.", rules,
        sizeof rules / sizeof rules[0]};
    enum options_outcome outcome = options_parse(&table, argc, argv);
    if (outcome != OPTIONS_OK) return options_exit(outcome);
    struct instance instance;
    enum status status = instance_open(&instance, data_dir);
    if (status == STATUS_NOT_FOUND) {
        printf("there is no exchange in %s\n", data_dir);
        return EXIT_SUCCESS;
    }
    if (status != STATUS_OK) {
        fprintf(stderr, "hoga down: %s: %s\n", data_dir, status_text(status));
        return EXIT_FAILURE;
    }
    if (timeout_s > 86400) timeout_s = 86400;
    return stop(&instance, timeout_s);
}
