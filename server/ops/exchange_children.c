#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "server/ops/exchange.h"

enum {
    RATE_DEMO_PER_S = 20000, /* a replay of a busy day fits */
    STOP_FAST_MS = 5000,
    STOP_CORE_MS = 60000,     /* what is in memory alone goes to disk */
    STOP_POSTGRES_MS = 30000, /* its last checkpoint */
    NICENESS_REPORTS = 10,    /* where processors are few, orders go first */
    NICENESS_FLOW = 5,
};

/* A child with its log; `program` is beside this one ("" for none or one of PostgreSQL's). */
static struct child *add(struct exchange *self, const char *name, const char *role,
                         const char *program)
{
    unsigned n = self->supervisor.count;
    struct child *child = supervisor_add(&self->supervisor, name, role);
    char file[EXCHANGE_TEXT_BYTES];
    (void)snprintf(file, sizeof file, "log/%s.log", name);
    layout_path(self->logs[n], &self->instance, file);
    child->log_path = self->logs[n];
    child->stop_ms = STOP_FAST_MS;
    if (program[0]) {
        layout_program(self->programs[n], program);
        child_argument(child, self->programs[n]);
    }
    return child;
}

static void arguments(struct child *child, const char *const *list)
{
    for (; *list; list++) child_argument(child, *list);
}

static void as_postgres(const struct exchange *self, struct child *child)
{
    child->as_user = true;
    child->uid = self->postgres.uid;
    child->gid = self->postgres.gid;
}

/* One of PostgreSQL's own programs. */
static void postgres_program(struct exchange *self, struct child *child, const char *program)
{
    char *path = self->programs[child - self->supervisor.children];
    (void)snprintf(path, LAYOUT_PATH_BYTES, "%.*s/%s", LAYOUT_PATH_BYTES - 32,
                   self->postgres.bin_dir, program);
    child_argument(child, path);
    as_postgres(self, child);
}

static void add_postgres(struct exchange *self)
{
    const struct postgres *postgres = &self->postgres;
    struct child *init = add(self, "postgres-init", "prepares the database server", "");
    init->once = true;
    init->run = postgres_prepare;
    init->context = postgres;
    init->stop_ms = STOP_POSTGRES_MS;
    as_postgres(self, init);

    struct child *server = add(self, "postgresql", "reports in SQL", "");
    server->stop_signal = SIGINT; /* fast shutdown: sessions end, nothing is lost */
    server->stop_ms = STOP_POSTGRES_MS;
    server->vital = true;
    server->niceness = NICENESS_REPORTS;
    server->before = postgres_remove_empty_locks;
    server->context = postgres;
    postgres_program(self, server, "postgres");
    arguments(server, (const char *const[]){"-D", postgres->data_dir,
                                            "-k", postgres->socket_dir,
                                            "-p", "5432",
                                            "-c", "listen_addresses=",
                                            "-c", "unix_socket_permissions=0700",
                                            "-c", "cluster_name=hoga",
                                            "-c", "timezone=UTC",
                                            "-c", "max_connections=40",
                                            "-c", "shared_buffers=128MB",
                                            "-c", "max_wal_size=1GB",
                                            "-c", "wal_compression=on",
                                            "-c", "jit=off",
                                            "-c", "logging_collector=off",
                                            "-c", "log_timezone=UTC",
                                            "-c", "log_line_prefix=%m [%p] ",
                                            NULL});

    struct child *setup = add(self, "postgres-setup", "makes roles and the database", "");
    setup->once = true;
    layout_tree(self->cluster_sql, "sql/cluster.sql");
    setup->stdin_path = self->cluster_sql; /* opened by us: its user may not reach the file */
    postgres_program(self, setup, "psql");
    arguments(setup, (const char *const[]){"-X", "-q", "-h", postgres->socket_dir, "-p", "5432",
                                           "-U", "postgres", "-d", "postgres", "-f", "-", NULL});
}

/* Also a core alone is a standby: one that an earlier start left may still be on its way out. */
static void add_core(struct exchange *self, const char *name)
{
    const struct exchange_options *options = self->options;
    struct child *core = add(self, name, "sequences, matches, journals", "hoga-core");
    core->stop_ms = STOP_CORE_MS;
    core->vital = true;
    arguments(core, (const char *const[]){"--data", self->instance.data_dir, "--standby",
                                          "--durability", options->durability, NULL});
    const struct {
        const char *option, *value;
    } passed[] = {{"--cpu", options->cpu},
                  {"--snapshot-every", options->snapshot_every},
                  {"--keep-segments", options->keep_segments},
                  {"--segment-bytes", options->segment_bytes}};
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++)
        if (passed[i].value)
            arguments(core, (const char *const[]){passed[i].option, passed[i].value, NULL});
    if (options->spin) child_argument(core, "--spin");
}

static void add_front(struct exchange *self)
{
    static char rate[24];
    struct child *front = add(self, "front", "REST, WebSocket and the page", "hoga-front");
    (void)snprintf(self->rest_port_text, sizeof self->rest_port_text, "%u",
                   self->options->rest_port);
    (void)snprintf(self->ws_port_text, sizeof self->ws_port_text, "%u", self->options->ws_port);
    arguments(front,
              (const char *const[]){"--data", self->instance.data_dir, "--static", self->static_dir,
                                    "--address", self->options->address, "--rest-port",
                                    self->rest_port_text, "--ws-port", self->ws_port_text, NULL});
    uint64_t rate_per_s = self->options->rate_per_s;
    if (!rate_per_s && !self->options->no_demo) rate_per_s = RATE_DEMO_PER_S;
    (void)snprintf(rate, sizeof rate, "%" PRIu64, rate_per_s);
    if (rate_per_s) arguments(front, (const char *const[]){"--rate", rate, NULL});
    if (self->options->no_demo) return;
    /* The page gets a demonstration broker's key from the front: only for who sits at this
     * machine. */
    if (strncmp(self->options->address, "127.", 4) == 0) child_argument(front, "--demo");
}

static void add_seed(struct exchange *self)
{
    struct child *seed = add(self, "seed", "makes what the demonstration needs", "hoga");
    seed->once = true;
    arguments(seed, (const char *const[]){"seed", "--data", self->instance.data_dir, NULL});
    if (self->options->no_demo) child_argument(seed, "--no-demo");
}

static void add_reporter(struct exchange *self)
{
    struct child *reporter = add(self, "reporter", "journals to PostgreSQL", "hoga-reporter");
    reporter->niceness = NICENESS_REPORTS;
    reporter->stop_ms = 2 * STOP_FAST_MS; /* it writes what is released first */
    layout_tree(self->sql_dir, "sql");
    (void)snprintf(self->reporter_conninfo, sizeof self->reporter_conninfo, "%s%s",
                   self->postgres.conninfo,
                   self->postgres.external ? "" : " application_name=hoga-reporter");
    arguments(reporter,
              (const char *const[]){"--data", self->instance.data_dir, "--pg",
                                    self->reporter_conninfo, "--sql", self->sql_dir, NULL});
    if (self->options->rebuild_reports) child_argument(reporter, "--rebuild");
}

static void add_flow(struct exchange *self)
{
    struct child *flow = add(self, "flow", "simulated market", "hoga");
    flow->niceness = NICENESS_FLOW;
    arguments(flow, (const char *const[]){"flow", "--data", self->instance.data_dir, NULL});
}

void exchange_add_children(struct exchange *self)
{
    if (self->options->static_dir)
        (void)snprintf(self->static_dir, sizeof self->static_dir, "%s", self->options->static_dir);
    else
        layout_tree(self->static_dir, "static");
    if (self->has_postgres && !self->postgres.external) add_postgres(self);
    add_core(self, "core");
    if (!self->options->no_standby) add_core(self, "standby");
    add_front(self);
    add_seed(self);
    if (self->has_postgres) add_reporter(self);
    if (!self->options->no_demo && !self->options->quiet_market) add_flow(self);
}

void exchange_pin_ports(struct exchange *self)
{
    (void)snprintf(self->rest_port_text, sizeof self->rest_port_text, "%u", self->rest_port);
    (void)snprintf(self->ws_port_text, sizeof self->ws_port_text, "%u", self->ws_port);
}
