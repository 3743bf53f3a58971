#include "server/ops/show_status.h"

#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/bus/control.h"
#include "server/ops/http_get.h"
#include "server/ops/layout.h"
#include "server/ops/options.h"
#include "server/ops/store_status.h"

enum { SUPERVISOR_JSON_MAX_BYTES = 256 * 1024, MARKET_TIMEOUT_MS = 500 };

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static uint64_t load(const _Atomic uint64_t *from)
{
    return atomic_load_explicit(from, memory_order_acquire);
}

/* ---- gathering ---- */

static const char *station_state(const struct station *station)
{
    pid_t pid = atomic_load_explicit(&station->pid, memory_order_relaxed);
    uint32_t state = atomic_load_explicit(&station->state, memory_order_relaxed);
    if (state == STATION_STOPPED) return "stopped";
    if (pid == 0 || kill(pid, 0) != 0) return "dead";
    return state == STATION_RUNNING ? "running" : "starting";
}

static json_t *find_process(json_t *processes, const char *name)
{
    size_t i;
    json_t *one;
    json_array_foreach(processes, i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "name")), name) == 0) return one;
    }
    one = json_pack("{s:s, s:s, s:i}", "name", name, "role", "", "restarts", 0);
    (void)json_array_append_new(processes, one);
    return one;
}

/* Whether the supervisor's process is another than the station's, which is gone: it has been
 * started again and has not said anything yet. */
static bool is_beside(const json_t *process, const struct station *station)
{
    const char *known = json_string_value(json_object_get(process, "state"));
    pid_t pid = atomic_load_explicit(&station->pid, memory_order_relaxed);
    return known && strcmp(known, "running") == 0 &&
           json_integer_value(json_object_get(process, "pid")) != pid &&
           (pid == 0 || kill(pid, 0) != 0);
}

/* Of the two cores the primary is "core", whichever of the supervisor's children it is: who is
 * which changes with every takeover. */
static void name_cores(json_t *processes, const struct control *control)
{
    pid_t primary = 0;
    size_t i;
    json_t *one, *core = NULL, *standby = NULL;
    for (i = 0; i < CONTROL_STATION_MAX; i++)
        if (strcmp(control->stations[i].name, "core") == 0)
            primary = atomic_load_explicit(&control->stations[i].pid, memory_order_relaxed);
    json_array_foreach(processes, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        if (strcmp(name, "core") == 0) core = one;
        if (strcmp(name, "standby") == 0) standby = one;
    }
    if (core && standby && primary &&
        json_integer_value(json_object_get(standby, "pid")) == primary) {
        (void)json_object_set_new(core, "name", json_string("standby"));
        (void)json_object_set_new(standby, "name", json_string("core"));
        core = standby;
    }
    if (core) (void)json_object_set_new(core, "role", json_string("primary"));
    if (standby)
        (void)json_object_set_new(find_process(processes, "standby"), "role",
                                  json_string("standby"));
}

/* Adds what a station says to its process. */
static void add_station(json_t *processes, const struct control *control,
                        const struct station *station)
{
    json_t *one = find_process(processes, station->name);
    uint64_t in_seq = load(&station->in_seq), written = load(&control->in.written_seq);
    if (is_beside(one, station)) {
        (void)json_object_set_new(one, "state", json_string("starting"));
        return;
    }
    json_t *counters = json_object();
    for (unsigned i = 0; i < CONTROL_COUNTER_MAX && station->counters[i].name[0]; i++)
        (void)json_object_set_new(counters, station->counters[i].name,
                                  number(load(&station->counters[i].value)));
    /* a process that the supervisor knows to be away is what the supervisor says */
    const char *known = json_string_value(json_object_get(one, "state"));
    if (!known || strcmp(known, "running") == 0) {
        (void)json_object_set_new(
            one, "pid", json_integer(atomic_load_explicit(&station->pid, memory_order_relaxed)));
        (void)json_object_set_new(one, "state", json_string(station_state(station)));
    }
    (void)json_object_set_new(
        one, "started_ns",
        json_integer(atomic_load_explicit(&station->started_ns, memory_order_relaxed)));
    if (in_seq > 0) { /* 0: it reads no journal, or has not begun to */
        (void)json_object_set_new(one, "in_seq", number(in_seq));
        (void)json_object_set_new(one, "out_seq", number(load(&station->out_seq)));
        (void)json_object_set_new(one, "lag", number(written > in_seq ? written - in_seq : 0));
    }
    (void)json_object_set_new(one, "counters", counters);
}

static json_t *cursors(const struct control *control)
{
    uint64_t released = load(&control->released_seq);
    return json_pack("{s:{s:o, s:o, s:o}, s:{s:o, s:o}}", "in", "written_seq",
                     number(load(&control->in.written_seq)), "durable_seq",
                     number(load(&control->in.durable_seq)), "released_seq", number(released),
                     "out", "written_seq", number(load(&control->out.written_seq)), "durable_seq",
                     number(load(&control->out.durable_seq)));
}

/* How many instruments are in which session, and whether the market's kill switch is on: from the
 * front, which has a replica. NULL while it does not answer. */
static json_t *market(const char *rest_url)
{
    bool is_good;
    json_t *answer = http_get(rest_url, "/v1/session", "", MARKET_TIMEOUT_MS, &is_good);
    const json_t *one, *blocked = json_object_get(answer, "market_blocked");
    json_t *counts = json_object();
    size_t i;
    json_array_foreach(json_object_get(answer, "sessions"), i, one)
    {
        const char *session = json_string_value(json_object_get(one, "session"));
        if (!session) continue;
        json_int_t count = json_integer_value(json_object_get(counts, session));
        (void)json_object_set_new(counts, session, json_integer(count + 1));
    }
    json_t *found = NULL;
    if (is_good && json_is_boolean(blocked))
        found = json_pack("{s:b, s:O}", "blocked", json_is_true(blocked), "sessions", counts);
    json_decref(counts);
    json_decref(answer);
    return found;
}

static json_t *gather(const struct instance *instance)
{
    char *text = layout_read(instance, "run/supervisor.json", SUPERVISOR_JSON_MAX_BYTES);
    json_t *root = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    pid_t owner = layout_lock_owner(instance);
    /* what a supervisor that was killed left says nothing about now */
    if (!json_is_object(root) || owner == 0) {
        json_decref(root);
        root = json_pack("{s:[], s:{s:s}}", "processes", "postgresql", "state", "stopped");
    }
    json_t *processes = json_object_get(root, "processes");
    (void)json_object_set_new(root, "running", json_boolean(owner != 0));
    (void)json_object_set_new(root, "pid", json_integer(owner));
    (void)json_object_set_new(root, "instance", json_string(instance->id));
    (void)json_object_set_new(root, "data", json_string(instance->data_dir));
    (void)json_object_set_new(root, "accepting", json_false());
    if (owner != 0) {
        json_t *self = find_process(processes, "supervisor");
        (void)json_object_set_new(self, "role", json_string("keeps the others running"));
        (void)json_object_set_new(self, "pid", json_integer(owner));
        (void)json_object_set_new(self, "state", json_string("running"));
    }
    struct control *control;
    if (control_open(&control, instance) != STATUS_OK) return root;
    name_cores(processes, control);
    for (unsigned i = 0; i < CONTROL_STATION_MAX; i++)
        if (control->stations[i].name[0]) add_station(processes, control, &control->stations[i]);
    store_status_add(root, instance, control);
    (void)json_object_set_new(
        root, "accepting",
        json_boolean(owner != 0 &&
                     atomic_load_explicit(&control->accepting, memory_order_acquire) == 1));
    (void)json_object_set_new(root, "cursors", cursors(control));
    control_close(control);
    const char *rest_url = json_string_value(json_object_get(root, "rest"));
    json_t *found =
        json_is_true(json_object_get(root, "accepting")) && rest_url ? market(rest_url) : NULL;
    if (found) (void)json_object_set_new(root, "market", found);
    return root;
}

/* ---- for people ---- */

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

static json_int_t number_of(const json_t *object, const char *member)
{
    return json_integer_value(json_object_get(object, member));
}

/* "-" where a process has no such figure. */
static const char *cell(const json_t *process, const char *member, char text[24])
{
    const json_t *value = json_object_get(process, member);
    if (json_is_integer(value))
        (void)snprintf(text, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        (void)snprintf(text, 24, "-");
    return text;
}

static void print_cursors(const json_t *root)
{
    const json_t *all = json_object_get(root, "cursors");
    const json_t *in = json_object_get(all, "in"), *out = json_object_get(all, "out");
    if (!in) return;
    printf("\n%-9s %14s %14s %14s\n", "journal", "written", "durable", "released");
    printf("%-9s %14" JSON_INTEGER_FORMAT " %14" JSON_INTEGER_FORMAT " %14" JSON_INTEGER_FORMAT
           "\n",
           "in", number_of(in, "written_seq"), number_of(in, "durable_seq"),
           number_of(in, "released_seq"));
    printf("%-9s %14" JSON_INTEGER_FORMAT " %14" JSON_INTEGER_FORMAT "\n", "out",
           number_of(out, "written_seq"), number_of(out, "durable_seq"));
}

static void print_processes(const json_t *root)
{
    size_t i;
    json_t *one;
    printf("\n%-15s %8s  %-11s %8s %12s %12s %8s  %s\n", "process", "pid", "state", "restarts",
           "in_seq", "out_seq", "lag", "role");
    json_array_foreach(json_object_get(root, "processes"), i, one)
    {
        char pid[24], restarts[24], in[24], out[24], lag[24];
        printf("%-15s %8s  %-11s %8s %12s %12s %8s  %s\n", text_of(one, "name"),
               number_of(one, "pid") ? cell(one, "pid", pid) : "-", text_of(one, "state"),
               cell(one, "restarts", restarts), cell(one, "in_seq", in), cell(one, "out_seq", out),
               cell(one, "lag", lag), text_of(one, "role"));
    }
}

/* "market      8 continuous, 1 halt" */
static void print_market(json_t *market)
{
    const char *session, *separator = "  ";
    json_t *count, *sessions = json_object_get(market, "sessions");
    if (!market) return;
    printf("market    ");
    json_object_foreach(sessions, session, count)
    {
        printf("%s%" JSON_INTEGER_FORMAT " %s", separator, json_integer_value(count), session);
        separator = ", ";
    }
    if (json_object_size(sessions) == 0) printf("  nothing is listed");
    printf("%s\n", json_is_true(json_object_get(market, "blocked"))
                       ? "; the kill switch is on: only cancels are taken"
                       : "");
}

static const char *trading_text(const json_t *root)
{
    const char *disk = text_of(json_object_get(root, "disk"), "state");
    bool cancels_pass = strcmp(text_of(root, "durability"), "memory") == 0;
    if (!json_is_true(json_object_get(root, "accepting"))) return "starting, or the core is away";
    if (strcmp(disk, "good") == 0) return "accepting orders";
    return strcmp(disk, "reserve") == 0 || cancels_pass ? "accepting cancels alone, see disk"
                                                        : "accepting nothing, see disk";
}

static void print_table(const json_t *root)
{
    bool running = json_is_true(json_object_get(root, "running"));
    const json_t *postgres = json_object_get(root, "postgresql");
    printf("exchange    %s in %s\n", text_of(root, "instance"), text_of(root, "data"));
    printf("state       %s\n", !running ? "not running" : trading_text(root));
    if (running) {
        print_market(json_object_get(root, "market"));
        store_status_print(root);
        printf("REST        %s\n", text_of(root, "rest"));
        printf("WebSocket   %s\n", text_of(root, "ws"));
        printf("postgresql  %s  %s\n", text_of(postgres, "state"), text_of(postgres, "conninfo"));
    }
    print_cursors(root);
    if (json_array_size(json_object_get(root, "processes")) > 0) print_processes(root);
}

int status_main(int argc, char **argv)
{
    const char *data_dir = "var";
    bool json = false;
    const struct option_rule rules[] = {
        {"data", OPTION_TEXT, &data_dir, "DIR", "the exchange's data directory (var)"},
        {"json", OPTION_FLAG, &json, NULL, "for programs, counters included"},
    };
    const struct option_table table = {
        "hoga status [options]", "Shows what runs, how far everything is and where it listens.",
        rules, sizeof rules / sizeof rules[0]};
    enum options_outcome outcome = options_parse(&table, argc, argv);
    if (outcome != OPTIONS_OK) return options_exit(outcome);

    struct instance instance;
    enum status status = instance_open(&instance, data_dir);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        fprintf(stderr, "hoga status: %s: %s\n", data_dir, status_text(status));
        return EXIT_FAILURE;
    }
    if (status == STATUS_NOT_FOUND && !json) {
        printf("there is no exchange in %s\n", data_dir);
        return EXIT_SUCCESS;
    }
    json_t *root = status == STATUS_OK ? gather(&instance)
                                       : json_pack("{s:b, s:b, s:s, s:[]}", "running", 0,
                                                   "accepting", 0, "data", data_dir, "processes");
    if (!root) {
        fprintf(stderr, "hoga status: out of memory\n");
        return EXIT_FAILURE;
    }
    if (json) {
        (void)json_dumpf(root, stdout, JSON_INDENT(2));
        printf("\n");
    } else {
        print_table(root);
    }
    json_decref(root);
    return EXIT_SUCCESS;
}
