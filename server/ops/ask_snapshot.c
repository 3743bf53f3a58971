#define _GNU_SOURCE
#include "server/ops/ask_snapshot.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/bus/control.h"
#include "engine/snapshot.h"
#include "server/ops/child.h"
#include "server/ops/layout.h"
#include "server/ops/options.h"

enum { STEP_MS = 10, STANDBY_PATIENCE_MS = 5000, TIMEOUT_MAX_S = 86400 };

/* The standby, which makes the snapshots; NULL while none follows the primary. */
static struct station *find_standby(struct control *control)
{
    for (unsigned i = 0; i < CONTROL_STATION_MAX; i++) {
        struct station *station = &control->stations[i];
        pid_t pid = atomic_load_explicit(&station->pid, memory_order_relaxed);
        if (strcmp(station->name, "standby") == 0 && pid > 0 && kill(pid, 0) == 0 &&
            atomic_load_explicit(&station->state, memory_order_relaxed) == STATION_RUNNING)
            return station;
    }
    return NULL;
}

/* One that was started a moment ago reads the journals first. */
static struct station *await_standby(struct control *control)
{
    int64_t until_ms = child_now_ms() + STANDBY_PATIENCE_MS;
    struct station *standby;
    while (!(standby = find_standby(control)) && child_now_ms() < until_ms)
        (void)usleep(STEP_MS * 1000);
    return standby;
}

static int told(seq_t seq)
{
    printf("snapshot of command %" PRIu64 " is kept\n", seq);
    return EXIT_SUCCESS;
}

static int ask(const struct instance *instance, struct control *control, uint64_t timeout_s)
{
    struct station *standby = await_standby(control);
    if (!standby) {
        fprintf(stderr, "hoga snapshot: the standby makes them, and none follows the core now "
                        "(hoga up --no-standby has none); a clean stop leaves one, too\n");
        return EXIT_FAILURE;
    }
    _Atomic uint64_t *failures = control_counter(standby, "snapshot_failures");
    uint64_t failed = failures ? atomic_load_explicit(failures, memory_order_relaxed) : 0;
    /* all that is released now must be in it */
    seq_t wanted = atomic_load_explicit(&control->released_seq, memory_order_acquire);
    seq_t kept = atomic_load_explicit(&control->snapshot_seq, memory_order_acquire);
    if (kept >= wanted && snapshot_newest(instance, UINT64_MAX) == kept) return told(kept);
    atomic_fetch_add_explicit(&control->snapshot_asked, 1, memory_order_release);
    int64_t until_ms = child_now_ms() + (int64_t)timeout_s * 1000;
    while (child_now_ms() < until_ms) {
        seq_t newest = atomic_load_explicit(&control->snapshot_seq, memory_order_acquire);
        if (newest >= wanted) return told(newest);
        /* one that was under way already, or of a standby that was a moment behind */
        if (newest != kept)
            atomic_fetch_add_explicit(&control->snapshot_asked, 1, memory_order_release);
        kept = newest;
        if (failures && atomic_load_explicit(failures, memory_order_relaxed) != failed) {
            fprintf(stderr, "hoga snapshot: it could not be written; %s/log tells why\n",
                    instance->data_dir);
            return EXIT_FAILURE;
        }
        (void)usleep(STEP_MS * 1000);
    }
    fprintf(stderr,
            "hoga snapshot: there is none after %" PRIu64 " s; hoga status tells how the disk and "
            "the standby are\n",
            timeout_s);
    return EXIT_FAILURE;
}

int snapshot_main(int argc, char **argv)
{
    const char *data_dir = "var";
    uint64_t timeout_s = 120;
    const struct option_rule rules[] = {
        {"data", OPTION_TEXT, &data_dir, "DIR", "the exchange's data directory (var)"},
        {"timeout", OPTION_COUNT, &timeout_s, "SECONDS", "how long to wait for it (120)"},
    };
    const struct option_table table = {
        "hoga snapshot [options]",
        "Has the standby keep the exchange's state as it is now: a start replays what came behind.",
        rules, sizeof rules / sizeof rules[0]};
    enum options_outcome outcome = options_parse(&table, argc, argv);
    if (outcome != OPTIONS_OK) return options_exit(outcome);
    struct instance instance;
    struct control *control = NULL;
    enum status status = instance_open(&instance, data_dir);
    if (status == STATUS_OK) status = control_open(&control, &instance);
    bool runs = status == STATUS_OK && layout_lock_owner(&instance) != 0;
    if (!runs && (status == STATUS_OK || status == STATUS_NOT_FOUND)) {
        fprintf(stderr, "hoga snapshot: no exchange runs in %s; start it with hoga up\n", data_dir);
    } else if (!runs) {
        fprintf(stderr, "hoga snapshot: %s: %s\n", data_dir,
                status == STATUS_IO ? strerror(errno) : status_text(status));
    }
    int code = runs ? ask(&instance, control, timeout_s < TIMEOUT_MAX_S ? timeout_s : TIMEOUT_MAX_S)
                    : EXIT_FAILURE;
    control_close(control);
    return code;
}
