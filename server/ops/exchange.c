#define _GNU_SOURCE
#include "server/ops/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    STARTING_TICK_MS = 10,
    RUNNING_TICK_MS = 250,
    POSTGRES_PATIENCE_MS = 10000, /* then the user is told without it */
    CATCH_UP_MAX_MS = 5000,       /* for the reporter, when stopping */
    ROTATE_EACH_MS = 10000,
    TAKEOVER_PATIENCE_MS = 2000,
    START_TRIES = 3, /* a port or a lock may be free a moment later */
};

__attribute__((format(printf, 3, 4))) static void progress(struct exchange *self, const char *name,
                                                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (self->announced) { /* a running exchange's messages carry the time */
        char stamp[32];
        time_t now = time(NULL);
        struct tm utc;
        (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
        printf("%s ", stamp);
    }
    printf("  %-10s ", name);
    vprintf(format, arguments);
    printf("\n");
    (void)fflush(stdout);
    va_end(arguments);
}

static bool has_state(struct exchange *self, const char *name, enum child_state state)
{
    const struct child *child = supervisor_find(&self->supervisor, name);
    return child && child->state == state;
}

static bool postgres_ready(struct exchange *self)
{
    return self->has_postgres &&
           (self->postgres.external || (has_state(self, "postgresql", CHILD_RUNNING) &&
                                        has_state(self, "postgres-setup", CHILD_DONE)));
}

/* ---- the cores ---- */

static bool is_core(const struct child *child)
{
    return strcmp(child->name, "core") == 0 || strcmp(child->name, "standby") == 0;
}

static const char *other_core(const struct child *child)
{
    return strcmp(child->name, "core") == 0 ? "standby" : "core";
}

/* Whether the other core, which is warm, is about to become the primary: one that starts now might
 * get the lock before it does, and would have to replay first. Not for ever: it may hang. */
static bool is_other_taking_over(struct exchange *self, const struct child *child)
{
    return has_state(self, other_core(child), CHILD_RUNNING) && !exchange_core_ready(self) &&
           child_now_ms() - child->retry_ms < TAKEOVER_PATIENCE_MS;
}

/* What a child is to the user: of the cores the primary is "core", whichever it is; a primary that
 * is started again finds that the other one has taken over. */
static const char *name_of(struct exchange *self, const struct child *child, bool ended)
{
    if (!is_core(child) || !self->primary) return child->name;
    if (child != self->primary) return "standby";
    return !ended && has_state(self, other_core(child), CHILD_RUNNING) ? "standby" : "core";
}

/* ---- the supervisor's questions ---- */

static bool may_start(void *context, const struct child *child)
{
    struct exchange *self = context;
    const char *name = child->name;
    if (is_core(child) && self->core_told) return !is_other_taking_over(self, child);
    if (strcmp(name, "postgres-init") == 0 || strcmp(name, "core") == 0) return true;
    if (strcmp(name, "postgresql") == 0) return has_state(self, "postgres-init", CHILD_DONE);
    if (strcmp(name, "postgres-setup") == 0) return has_state(self, "postgresql", CHILD_RUNNING);
    if (!exchange_core_ready(self)) return false;
    if (strcmp(name, "standby") == 0) return true;
    /* the others read what is released: without a cluster that is nothing at `replicated` */
    if (atomic_load_explicit(&self->control->released_seq, memory_order_relaxed) == 0) return false;
    if (strcmp(name, "reporter") == 0)
        return self->postgres.external || has_state(self, "postgres-setup", CHILD_DONE);
    if (strcmp(name, "flow") == 0) return self->has_demo_json && exchange_front_ready(self);
    return true; /* front, seed */
}

static void on_changed(void *context, const struct child *child, bool ended)
{
    struct exchange *self = context;
    const char *name = name_of(self, child, ended);
    self->changed = true;
    if (!ended) {
        if (child->restarts > 0 && self->announced)
            progress(self, name, "started again (pid %d)", (int)child->pid);
        /* asked for once, done once: a restart must not empty the tables again */
        if (strcmp(child->name, "reporter") == 0 && self->options->rebuild_reports) {
            struct child *reporter = supervisor_find(&self->supervisor, "reporter");
            for (int i = 0; reporter->arguments[i]; i++)
                if (strcmp(reporter->arguments[i], "--rebuild") == 0) reporter->arguments[i] = NULL;
        }
        return;
    }
    if (self->supervisor.stopping || child->state == CHILD_DONE) return;
    if (child->state == CHILD_FAILED) {
        progress(self, name, "ended (%s) and will not be started again:", child_end_text(child));
        child_print_log_end(child);
    } else if (self->announced && !child->once) {
        progress(self, name, "ended (%s), starting it again in %d ms", child_end_text(child),
                 child->backoff_ms);
    }
}

/* ---- starting ---- */

/* While starting, a process that gives up by itself would do so again: better tell the user. One
 * that a signal ends may have been ended by somebody else, but not that often. */
static bool gave_up(struct exchange *self, const char *name)
{
    const struct child *child = supervisor_find(&self->supervisor, name);
    uint32_t tries = WIFEXITED(child->wait_status) ? START_TRIES : 2 * START_TRIES;
    bool tried = child->state == CHILD_BACKOFF && child->starts >= tries;
    if (child->state != CHILD_FAILED && !tried) return false;
    if (child->state != CHILD_FAILED) {
        fprintf(stderr, "%s cannot start (%s):\n", name, child_end_text(child));
        child_print_log_end(child);
    }
    return true;
}

static void tell_core(struct exchange *self)
{
    const struct control *control = self->control;
    progress(self, "core", "accepting orders; %" PRIu64 " commands in the journal, durability %s",
             atomic_load_explicit(&control->in.written_seq, memory_order_relaxed),
             self->options->durability);
    if (control->durability == DURABILITY_REPLICATED)
        progress(self, "core", "nothing is answered before the cluster has it");
    self->core_told = true;
}

/* Which step towards reports is in trouble; NULL while there is hope. */
static const struct child *postgres_trouble(struct exchange *self)
{
    static const struct {
        const char *name;
        uint32_t tries; /* the set-up asks until the server listens: a few refusals are normal */
    } steps[] = {
        {"postgres-init", 2}, {"postgresql", 2}, {"postgres-setup", 6}, {"reporter", UINT32_MAX}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const struct child *child = supervisor_find(&self->supervisor, steps[i].name);
        if (!child) continue; /* another's server has no steps of ours */
        if (child->state == CHILD_FAILED ||
            (child->state == CHILD_BACKOFF && child->starts >= steps[i].tries))
            return child;
    }
    return NULL;
}

static void tell_postgres(struct exchange *self)
{
    if (self->postgres_told || !self->has_postgres) return;
    if (exchange_reporter_ready(self)) {
        progress(self, "postgresql", "ready; reports are being written");
        self->postgres_told = true;
        return;
    }
    const struct child *child = self->trouble_told ? NULL : postgres_trouble(self);
    if (!child) return;
    self->trouble_told = true;
    if (child->state == CHILD_FAILED) { /* what it said has been shown */
        progress(self, "postgresql", "gets no reports; orders are taken all the same");
        return;
    }
    progress(self, "postgresql",
             "does not start; orders are taken all the same, and reports catch up later");
    printf("             trying again; it said:\n");
    (void)fflush(stdout);
    child_print_log_end(child);
}

static void announce(struct exchange *self)
{
    exchange_announce(self);
    self->announced = true;
    exchange_write_state(self);
    if (self->ready_fd < 0) return;
    /* --detach: the terminal is given back, from here on messages go to the log */
    char path[LAYOUT_PATH_BYTES];
    layout_path(path, &self->instance, "log/up.log");
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log >= 0 && dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0)
        (void)close(log);
    if (write(self->ready_fd, "R", 1) != 1)
        fprintf(stderr, "nobody waits for the start any more\n");
    (void)close(self->ready_fd);
}

static int tick_starting(struct exchange *self)
{
    if (gave_up(self, "core") || gave_up(self, "front") || gave_up(self, "seed")) {
        self->supervisor.failed = true;
        return 0;
    }
    if (!self->core_told && exchange_core_ready(self)) tell_core(self);
    if (!self->front_told && exchange_front_ready(self)) {
        progress(self, "front", "listening on %s and %s", self->rest_url, self->ws_url);
        self->front_told = true;
    }
    if (!self->seed_told && has_state(self, "seed", CHILD_DONE)) {
        progress(self, "seed",
                 self->options->no_demo ? "the administrator's key is there"
                                        : "instruments, brokers and keys are there");
        self->seed_told = true;
    }
    tell_postgres(self);
    if (!self->core_told || !self->front_told || !self->seed_told) return STARTING_TICK_MS;
    if (!self->has_demo_json) {
        self->has_demo_json = exchange_write_demo(self);
        if (!self->has_demo_json) self->supervisor.failed = true;
    }
    bool settled = !self->has_postgres || self->postgres_told || self->trouble_told ||
                   child_now_ms() - self->started_ms > POSTGRES_PATIENCE_MS;
    if (settled && self->has_demo_json) announce(self);
    return STARTING_TICK_MS;
}

static void watch_primary(struct exchange *self)
{
    const struct child *primary = exchange_primary(self);
    if (!primary || primary == self->primary) return;
    if (self->primary)
        progress(self, "core", "the standby has taken over (pid %d)", (int)primary->pid);
    self->primary = primary;
    self->changed = true;
}

/* A core that cannot start again is the exchange's end, unless there is another. */
static bool has_lost_cores(struct exchange *self)
{
    return has_state(self, "core", CHILD_FAILED) &&
           (self->options->no_standby || has_state(self, "standby", CHILD_FAILED));
}

static int on_tick(void *context)
{
    struct exchange *self = context;
    int sleep_ms = RUNNING_TICK_MS;
    watch_primary(self);
    if (!self->announced) {
        sleep_ms = tick_starting(self);
    } else {
        tell_postgres(self);
        if (has_lost_cores(self)) self->supervisor.failed = true;
    }
    if (self->changed) exchange_write_state(self);
    int64_t now_ms = child_now_ms();
    if (now_ms - self->rotated_ms > ROTATE_EACH_MS) {
        self->rotated_ms = now_ms;
        for (unsigned i = 0; i < self->supervisor.count; i++)
            child_rotate_log(&self->supervisor.children[i]);
    }
    return sleep_ms;
}

/* ---- what an earlier start left ---- */

/* The pid of a living process of ours in that slot; the number may be somebody else's by now. By
 * its name: a process that is ending has lost its program before it gives its locks back. */
static pid_t living(const struct station *station)
{
    char path[32], name[17] = "", state = 'X';
    pid_t pid = atomic_load_explicit(&station->pid, memory_order_relaxed);
    if (pid <= 1 || pid == getpid()) return 0;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    bool read = fscanf(file, "%*d (%16[^)]) %c", name, &state) == 2;
    (void)fclose(file);
    bool ended = !read || state == 'Z' || state == 'X';
    return !ended && strncmp(name, "hoga", 4) == 0 ? pid : 0;
}

/* A supervisor that was killed takes its children along, but they need a moment to end well. */
static bool end_leftovers(struct exchange *self)
{
    enum { PATIENCE_MS = 60000, STEP_MS = 20 };
    if (control_open(&self->control, &self->instance) != STATUS_OK) return true;
    bool told = false;
    for (int waited = 0;; waited += STEP_MS) {
        pid_t pid = 0;
        for (unsigned i = 0; i < CONTROL_STATION_MAX && pid == 0; i++)
            pid = living(&self->control->stations[i]);
        if (pid == 0) return true;
        if (!told) {
            progress(self, "waiting", "for the processes that an earlier start left to end");
            told = true;
        }
        if (waited % 5000 == 0) (void)kill(pid, SIGTERM);
        if (waited >= PATIENCE_MS) {
            fprintf(stderr, "process %d does not end; end it and start again\n", (int)pid);
            return false;
        }
        (void)usleep(STEP_MS * 1000);
    }
}

/* ---- stopping ---- */

static void stop(struct exchange *self, const char *name)
{
    struct child *child = supervisor_find(&self->supervisor, name);
    if (child) (void)supervisor_stop(&self->supervisor, child);
}

static const struct station *find_station(const struct exchange *self, const char *name)
{
    for (unsigned i = 0; self->control && i < CONTROL_STATION_MAX; i++)
        if (strcmp(self->control->stations[i].name, name) == 0) return &self->control->stations[i];
    return NULL;
}

static bool reporter_is_behind(const struct exchange *self)
{
    const struct station *station = find_station(self, "reporter");
    return station && atomic_load_explicit(&station->in_seq, memory_order_relaxed) <
                          atomic_load_explicit(&self->control->released_seq, memory_order_relaxed);
}

/* The last primary was stopped, whichever of the cores it was, and did not die. */
static bool has_ended_well(const struct exchange *self)
{
    const struct station *station = find_station(self, "core");
    return station &&
           atomic_load_explicit(&station->state, memory_order_relaxed) == STATION_STOPPED;
}

static void let_reporter_finish(struct exchange *self)
{
    int64_t until_ms = child_now_ms() + CATCH_UP_MAX_MS;
    while (has_state(self, "reporter", CHILD_RUNNING) && postgres_ready(self) &&
           reporter_is_behind(self) && child_now_ms() < until_ms && !self->supervisor.hurrying)
        supervisor_wait(&self->supervisor, 10);
    stop(self, "reporter");
}

/* The standby first, so that nobody takes over from a primary that ends. Returns whether the
 * primary has ended well: all that it had is in the archive. */
static bool stop_cores(struct exchange *self)
{
    struct child *primary = exchange_primary(self);
    if (!primary) primary = supervisor_find(&self->supervisor, "core");
    bool is_other = strcmp(primary->name, "core") != 0;
    stop(self, is_other ? "core" : "standby");
    bool was_there = primary->pid != 0;
    return supervisor_stop(&self->supervisor, primary) && was_there && has_ended_well(self);
}

static void stop_all(struct exchange *self)
{
    self->supervisor.stopping = true;
    progress(self, "stopping", "flow, front, reporter, standby, core, postgresql");
    stop(self, "flow");
    stop(self, "seed");
    stop(self, "front");
    let_reporter_finish(self);
    bool clean = stop_cores(self);
    stop(self, "postgres-setup");
    stop(self, "postgres-init");
    stop(self, "postgresql");
    if (self->has_postgres && !self->postgres.external)
        (void)rmdir(self->postgres.socket_dir); /* it may be under /tmp; stays if not empty */
    control_close(self->control);
    self->control = NULL;
    /* all of it is in the archive now; after a core that did not end well it may not be */
    if (clean) instance_remove_shm(&self->instance);
    char path[LAYOUT_PATH_BYTES];
    layout_path(path, &self->instance, "run/front.json");
    (void)unlink(path);
    layout_path(path, &self->instance, "run/supervisor.json");
    (void)unlink(path);
    progress(self, "stopped", "%s",
             clean
                 ? "everything is on disk"
                 : "the core did not end well: its memory is kept, the next start goes on from it");
}

int exchange_run(struct exchange *self)
{
    self->supervisor.context = self;
    self->supervisor.may_start = may_start;
    self->supervisor.changed = on_changed;
    self->supervisor.tick = on_tick;
    self->started_ms = child_now_ms();
    self->changed = true;
    if (!supervisor_open(&self->supervisor)) {
        perror("signalfd");
        return EXIT_FAILURE;
    }
    if (!end_leftovers(self)) return EXIT_FAILURE;
    supervisor_run(&self->supervisor);
    bool failed = self->supervisor.failed;
    stop_all(self);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
