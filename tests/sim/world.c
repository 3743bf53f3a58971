#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "engine/core.h"
#include "tests/sim/calls.h"
#include "tests/sim/clients.h"
#include "tests/sim/faults.h"
#include "tests/sim/files.h"
#include "tests/sim/follower.h"

#define MS INT64_C(1000000)

enum { CORES = 2, FOLLOWER = CORES + DESKS, SLOTS = FOLLOWER + 1, STEPS_MAX = 6000000 };

/* Service must be back so long after the last fault. */
#define CALM_NS (30 * 1000 * MS)

enum phase { PHASE_SET_UP, PHASE_TRADE, PHASE_CALM, PHASE_RESTART, PHASE_STOP };

/* What the operator keeps running. */
struct slot {
    const char *name;
    int pid; /* 0: not running */
    int64_t start_at_ns;
    volatile sig_atomic_t stop_asked; /* a core's; a desk has its own */
};

static struct {
    enum phase phase;
    struct core_options options;
    struct slot slots[SLOTS];
    struct desk desks[DESKS];
    struct follower follower;
    seq_t replicated_seq; /* what the cluster has */
    int64_t replicate_at_ns;
    int64_t calm_until_ns;
    int64_t restart_ns; /* what a restart takes, at most */
    bool ends_without_power;
    struct run_result *result;
} world;

/* ---- processes ---- */

static bool is_core_slot(unsigned slot)
{
    return slot < CORES;
}

static int core_process(void *argument)
{
    struct slot *slot = argument;
    struct core *core = calloc(1, sizeof *core); /* the process's own */
    core->options = world.options;
    core->stop_asked = &slot->stop_asked;
    return core_run(core);
}

static void start_slot(unsigned i)
{
    struct slot *slot = &world.slots[i];
    struct process *p;
    slot->stop_asked = 0;
    if (is_core_slot(i)) {
        p = process_start(slot->name, 0, core_process, slot);
    } else if (i == FOLLOWER) {
        world.follower.stop_asked = 0;
        p = process_start(slot->name, 0, follower_main, &world.follower);
    } else {
        struct desk *desk = &world.desks[i - CORES];
        desk->stop_asked = 0;
        desk->is_serving = false;
        p = process_start(slot->name, 0, desk_main, desk);
    }
    slot->pid = p->pid;
}

/* A core that says that its data are bad is right if something has rotted, and the operator brings
 * the good bytes back; otherwise it is not. */
static void look_at_exit(const struct process *p)
{
    if (p->is_killed || p->exit_status != EX_DATAERR) return;
    if (!file_rot.inode)
        machine_fail("%s says that the exchange's data are bad, and they are not", p->name);
    machine_note(STEP_FAULT, file_rot.offset, "the operator heals the rot");
    files_heal();
}

static void look_after_slots(void)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *slot = &world.slots[i];
        struct process *p = process_find(slot->pid);
        if (p && p->is_alive) continue;
        if (p) {
            look_at_exit(p);
            process_forget(p);
            slot->pid = 0;
            if (!is_core_slot(i) && i != FOLLOWER) world.desks[i - CORES].is_serving = false;
            slot->start_at_ns = machine.clock_ns + random_ns(0, world.restart_ns);
        }
        if (world.phase != PHASE_STOP && machine.clock_ns >= slot->start_at_ns) start_slot(i);
    }
}

static void forget_orphans(void)
{
    for (unsigned i = 0; i < PROCESS_MAX; i++) {
        struct process *p = &machine.processes[i];
        if (p->pid && !p->is_alive && p->parent_pid && !process_find(p->parent_pid))
            process_forget(p);
    }
}

/* ---- what fronts tell ---- */

static void on_answer(const struct desk *desk, const struct operation *operation,
                      const struct gateway_answer *answer)
{
    auditor_answered((unsigned)(desk - world.desks), operation, answer);
    clients_answered(operation, answer);
}

static void on_stepped(const struct desk *desk, const struct journal_record *command)
{
    auditor_saw_command(desk, command, world.replicated_seq);
}

/* Whoever finds that the journal is bad is right if it has rotted; then the operator heals it. */
static void cannot_read(const char *where)
{
    if (!file_rot.inode) machine_fail("the journal cannot be read: %s", where);
    files_heal();
}

static void on_failed(const struct desk *desk, enum status status)
{
    if (status == STATUS_CORRUPT) cannot_read(desk->replica.reader.where);
}

static const struct desk_listener listener = {on_answer, clients_refused, auditor_saw_event,
                                              on_stepped, on_failed};

/* ---- the cluster ---- */

static struct control *control_page(void)
{
    const char *name;
    struct inode *inode;
    for (unsigned i = 0; files_name_at(i, &name, &inode); i++)
        if (strstr(name, "/control") && inode->is_volatile && !strstr(name, ".new"))
            return (struct control *)inode->cache;
    return NULL;
}

/* Other machines take what is safe here; what they have they keep. */
static void replicate(void)
{
    struct control *control = control_page();
    if (machine.clock_ns < world.replicate_at_ns || !control) return;
    world.replicate_at_ns = machine.clock_ns + random_ns(0, 5 * MS);
    seq_t safe = atomic_load(&control->in.durable_seq);
    if (safe > world.replicated_seq) world.replicated_seq = safe;
    atomic_store(&control->replicated_seq, world.replicated_seq);
}

/* ---- faults that need the world ---- */

void world_lose_power(void)
{
    for (unsigned i = 0; i < PROCESS_MAX; i++) {
        struct process *p = &machine.processes[i];
        if (p->pid && p->is_alive) process_kill(p);
        process_forget(p);
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        world.slots[i].pid = 0;
        world.slots[i].start_at_ns = machine.clock_ns + random_ns(0, world.restart_ns);
    }
    for (unsigned i = 0; i < DESKS; i++) world.desks[i].is_serving = false;
    files_lose_power();
    auditor_lost_power();
    machine.has_lost_power = false;
    machine_note(STEP_FAULT, 0, "power lost");
    world.result->power_losses++;
}

struct process *world_process(unsigned slot)
{
    struct process *p = process_find(world.slots[slot % SLOTS].pid);
    return p && p->is_alive ? p : NULL;
}

struct control *world_control(void)
{
    return control_page();
}

/* ---- phases ---- */

static bool may_lose_power(void)
{
    return world.options.durability != DURABILITY_MEMORY && !world.options.segments_kept;
}

static void configure(void)
{
    struct random *r = &machine.random;
    static const uint32_t kib[] = {16, 16, 32, 64};
    uint32_t durability = random_below(r, 10);
    world.options = (struct core_options){.data_dir = "/data",
                                          .durability = durability < 6   ? DURABILITY_DISK
                                                        : durability < 8 ? DURABILITY_MEMORY
                                                                         : DURABILITY_REPLICATED,
                                          .cpu = -1,
                                          .limits = {.instruments = 4,
                                                     .accounts = 32,
                                                     .users = 32,
                                                     .keys = 2,
                                                     .orders = 400,
                                                     .price_blocks = 32,
                                                     .positions = 64,
                                                     .cl_ord_ids = 4000,
                                                     .volumes = 64,
                                                     .trades = 64}};
    /* one after the other: an initializer would leave the order to the compiler */
    world.options.segment_bytes = kib[random_below(r, 4)] * 1024;
    world.options.spin = random_chance(r, 15);
    world.options.standby = random_chance(r, 85);
    if (random_chance(r, 70)) world.options.snapshot_every = random_between(r, 20, 400);
    /* fronts read from the first record on: who removes segments must not need to start one */
    if (random_chance(r, 20)) world.options.segments_kept = random_between(r, 1, 3);
    world.restart_ns = random_ns(1, 100) * MS;
    world.ends_without_power = may_lose_power() && random_chance(r, 50);
}

static void begin(void)
{
    static const char *const names[SLOTS] = {"core-a", "core-b", "front-a", "front-b", "follower"};
    struct run_result *result = world.result;
    memset(&world, 0, sizeof world);
    world.result = result;
    configure();
    for (unsigned i = 0; i < SLOTS; i++) world.slots[i].name = names[i];
    for (unsigned i = 0; i < DESKS; i++) {
        world.desks[i].listener = &listener;
        world.desks[i].needs_mark = world.options.segments_kept != 0;
        (void)snprintf(world.desks[i].name, sizeof world.desks[i].name, "front-%c", 'a' + (int)i);
    }
    world.follower = (struct follower){.read = auditor_read, .failed = cannot_read};
    auditor_begin(world.options.durability);
    calls_core_published = auditor_core_published;
    unsigned clients = random_between(&machine.random, 3, CLIENT_MAX);
    clients_begin(clients, random_between(&machine.random, 10, 100));
    faults_begin(may_lose_power(), world.options.segments_kept != 0);
    world.calm_until_ns = CALM_NS;
    file_faults.sync_lies = calls_mistake == MISTAKE_SYNC_LIES;
}

static void go_to(enum phase phase)
{
    machine_note(STEP_START, phase, "next phase");
    world.phase = phase;
    world.calm_until_ns = machine.clock_ns + CALM_NS;
}

static void stop_all(void)
{
    for (unsigned i = 0; i < CORES; i++) world.slots[i].stop_asked = 1;
    for (unsigned i = 0; i < DESKS; i++) world.desks[i].stop_asked = 1;
    world.follower.stop_asked = 1;
    go_to(PHASE_STOP);
}

static bool all_serve(void)
{
    for (unsigned i = 0; i < DESKS; i++)
        if (!world_process(CORES + i) || !world.desks[i].is_serving ||
            world.desks[i].replica.in_seq < auditor_told_seq())
            return false;
    return world.follower.next[JOURNAL_IN] > auditor_told_seq();
}

static bool all_ended(void)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (world.slots[i].pid) return false;
    return true;
}

static void check_patience(void)
{
    char waiting[200];
    clients_describe_waiting(waiting, sizeof waiting);
    if (world.phase == PHASE_TRADE) return;
    if (machine.clock_ns > world.calm_until_ns || machine.steps > STEPS_MAX)
        machine_fail("service has not resumed (phase %d) %d s after the faults: %s",
                     (int)world.phase, (int)(CALM_NS / MS / 1000), waiting);
}

/* Returns whether all is over. */
static bool advance(void)
{
    switch (world.phase) {
    case PHASE_SET_UP:
        if (clients_are_set_up()) go_to(PHASE_TRADE);
        break;
    case PHASE_TRADE:
        if (!faults_turn(clients_are_done())) go_to(PHASE_CALM);
        break;
    case PHASE_CALM:
        if (!clients_are_done() || !all_serve()) break;
        if (world.ends_without_power) {
            world_lose_power();
            go_to(PHASE_RESTART);
        } else {
            stop_all();
        }
        break;
    case PHASE_RESTART:
        if (all_serve()) stop_all();
        break;
    case PHASE_STOP: return all_ended();
    }
    return false;
}

static void turn(void)
{
    struct desk *desks[DESKS];
    for (unsigned i = 0; i < DESKS; i++)
        desks[i] = world_process(CORES + i) ? &world.desks[i] : NULL;
    look_after_slots();
    forget_orphans();
    int64_t next_ns = machine.clock_ns + 10 * MS;
    if (world.phase != PHASE_STOP && world.phase != PHASE_RESTART) {
        int64_t ns = clients_turn(desks);
        if (ns < next_ns) next_ns = ns;
    }
    if (world.options.durability == DURABILITY_REPLICATED) replicate();
    machine_step(next_ns);
    if (machine.has_lost_power) world_lose_power();
    if (world.phase != PHASE_TRADE && machine.steps % 256 == 0) check_patience();
}

static void audit(struct run_result *result)
{
    struct process *p = process_start("auditor", 0, auditor_main, &result->audit);
    while (p->is_alive && !machine.failure[0]) machine_step(INT64_MAX);
}

struct run_result world_run(uint64_t seed, bool is_verbose)
{
    struct run_result result = {.is_good = false};
    machine_begin(seed, is_verbose);
    world.result = &result;
    begin();
    bool over = false;
    while (!machine.failure[0] && !over) {
        turn();
        if (!machine.failure[0]) over = advance();
    }
    if (!machine.failure[0]) audit(&result);
    result.is_good = machine.failure[0] == '\0';
    memcpy(result.failure, machine.failure, sizeof result.failure);
    result.trace_hash = machine.trace_hash;
    result.steps = machine.steps;
    result.simulated_ns = machine.clock_ns;
    result.faults = faults_count();
    machine_end();
    return result;
}
