#define _GNU_SOURCE
#include "tests/sim/faults.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/bus/journal.h"
#include "tests/sim/files.h"

#define MS INT64_C(1000000)

enum fault {
    FAULT_KILL,      /* any process */
    FAULT_KILL_AT,   /* a core, when it comes to a certain step */
    FAULT_KILL_BOTH, /* cores */
    FAULT_POWER,     /* lost */
    FAULT_POWER_AT,  /* lost when a core comes to a certain step */
    FAULT_STOP,      /* a process does not move for a while */
    FAULT_HANG,      /* the primary does not, for so long that the standby replaces it */
    FAULT_STALL,     /* one of its threads does not */
    FAULT_DISK_FULL,
    FAULT_MEMORY_FULL,
    FAULT_WRITE_ERRORS,
    FAULT_SYNC_ERRORS,
    FAULT_SHORT_WRITES,
    FAULT_SLOW_DISK,
    FAULT_ROT,
    FAULT_CLOCK,    /* the wall clock is set */
    FAULT_SNAPSHOT, /* somebody asks for one */
    FAULT_KINDS,
};

static struct {
    bool has[FAULT_KINDS];
    int64_t next_ns, end_ns;
    uint64_t next_step;
    uint64_t every_steps; /* on average */
    int64_t disk_until_ns;
    uint64_t count;
    bool spares_fronts;
} faults;

uint64_t faults_count(void)
{
    return faults.count;
}

void faults_begin(bool may_lose_power, bool spares_fronts)
{
    struct random *r = &machine.random;
    memset(&faults, 0, sizeof faults);
    for (unsigned i = 0; i < FAULT_KINDS; i++) faults.has[i] = random_chance(r, 40);
    faults.spares_fronts = spares_fronts;
    if (spares_fronts) faults.has[FAULT_ROT] = false;
    if (!may_lose_power) faults.has[FAULT_POWER] = faults.has[FAULT_POWER_AT] = false;
    faults.every_steps = random_between(r, 300, 5000);
    faults.end_ns = random_ns(500, 4000) * MS;
    file_faults.sync_ns = random_ns(1, 1000) * 1000;
}

/* ---- processes ---- */

static struct process *any_process(unsigned slots)
{
    return world_process(random_below(&machine.random, slots));
}

static void kill_one(unsigned slots)
{
    struct process *p = any_process(slots);
    if (p && (!faults.spares_fronts || strncmp(p->name, "front", 5) != 0)) process_kill(p);
}

/* Steps that are rare, and in whose neighbourhood much can go wrong. */
static void set_trap(bool is_power_loss)
{
    static const enum step steps[] = {STEP_OPEN, STEP_WRITE,   STEP_SYNC, STEP_NAME,
                                      STEP_SIZE, STEP_MAP,     STEP_LOCK, STEP_WAKE,
                                      STEP_PUT,  STEP_PUBLISH, STEP_RING, STEP_ENGINE};
    static const char *const names[] = {"core", "core", "core", "front", "snapshot", "follower"};
    struct random *r = &machine.random;
    machine.trap = (struct trap){.is_set = true, .is_power_loss = is_power_loss};
    machine.trap.step = steps[random_below(r, sizeof steps / sizeof steps[0])];
    machine.trap.name = names[random_below(r, sizeof names / sizeof names[0])];
    if (faults.spares_fronts && strcmp(machine.trap.name, "front") == 0) machine.trap.name = "core";
    uint32_t far = random_below(r, 9);
    machine.trap.left = random_below(r, 1U << far);
}

static void stop_one(void)
{
    struct process *p = any_process(5);
    if (p) p->stopped_until_ns = machine.clock_ns + random_ns(1, chance(400) ? 3000 : 100) * MS;
}

static bool has_core_lock(const struct process *p)
{
    const struct inode *lock = files_find("/data/core.lock");
    for (unsigned fd = 0; lock && fd < FD_MAX; fd++)
        if (p->fds[fd] && p->fds[fd] == lock->lock_holder) return true;
    return false;
}

/* It wakes in the middle of whatever it did, long after it was held for dead. */
static void hang_primary(void)
{
    for (unsigned slot = 0; slot < 2; slot++) {
        struct process *p = world_process(slot);
        if (p && has_core_lock(p))
            p->stopped_until_ns = machine.clock_ns + random_ns(500, 2500) * MS;
    }
}

static void stall_one(void)
{
    struct process *p = any_process(5);
    if (p) thread_stall_one(p, machine.clock_ns + random_ns(1, 400) * MS);
}

/* ---- disk ---- */

static void disk_fault(enum fault fault)
{
    faults.disk_until_ns = machine.clock_ns + random_ns(20, 1500) * MS;
    switch (fault) {
    case FAULT_DISK_FULL: file_faults.disk_full = true; break;
    case FAULT_MEMORY_FULL: file_faults.memory_full = true; break;
    case FAULT_WRITE_ERRORS:
        file_faults.write_errors = random_between(&machine.random, 1, 500);
        break;
    case FAULT_SYNC_ERRORS:
        file_faults.sync_errors = random_between(&machine.random, 1, 500);
        break;
    case FAULT_SHORT_WRITES:
        file_faults.short_writes = random_between(&machine.random, 1, 500);
        break;
    default: file_faults.sync_ns = random_ns(1, 300) * MS; break;
    }
}

static void end_disk_faults(void)
{
    bool lies = file_faults.sync_lies;
    file_faults = (struct file_faults){.sync_ns = 200 * 1000, .sync_lies = lies};
    faults.disk_until_ns = 0;
}

/* Whether the chain of hashes has a line for a segment, on disk: only then it is certain that
 * nothing of it will be written again, and that what it was is known. */
static bool is_sealed(const char *path)
{
    const char *chain = strstr(path, "/in-") ? "/data/journal/in.chain" : "/data/journal/out.chain";
    const struct inode *inode = files_find(chain);
    char line[40];
    if (!inode || !strstr(path, "-0")) return false;
    int length = snprintf(line, sizeof line, "seal %d ", atoi(strstr(path, "-0") + 1));
    const uint8_t *begin = memmem(inode->cache, inode->size, line, (size_t)length);
    size_t at = begin ? (size_t)(begin - inode->cache) : 0;
    const uint8_t *end = begin ? memchr(begin, '\n', inode->size - at) : NULL;
    return end && files_are_durable(chain, at, begin, (size_t)(end - begin) + 1);
}

static bool may_rot(const char *path, const struct inode *inode)
{
    size_t length = strlen(path);
    if (inode->is_volatile || inode->kind != INODE_FILE || !inode->size || length < 5) return false;
    if (strcmp(path + length - 5, ".snap") == 0) return true;
    return strcmp(path + length - 4, ".seg") == 0 && is_sealed(path);
}

/* Whether a byte is of a record whose checksum was good and that is about to be stepped: it is in
 * memory then, whose bits are not the disk's. */
static bool is_in_step(const uint8_t *byte)
{
    for (unsigned i = 0; i < PROCESS_MAX; i++) {
        const struct process *p = &machine.processes[i];
        const uint8_t *message = p->is_alive ? p->in_step : NULL;
        if (!message) continue;
        const uint8_t *record = message - offsetof(struct journal_record, header);
        if (byte >= record && byte < message + p->in_step_bytes) return true;
    }
    return false;
}

/* One bit, at most one at a time: more than one copy is not kept. */
static void rot(void)
{
    const char *path, *chosen_path = NULL;
    struct inode *inode, *chosen = NULL;
    unsigned count = 0;
    if (file_rot.inode) return;
    for (unsigned i = 0; files_name_at(i, &path, &inode); i++) {
        if (!may_rot(path, inode) || random_below(&machine.random, ++count)) continue;
        chosen = inode;
        chosen_path = path;
    }
    if (!chosen) return;
    size_t offset = random_next(&machine.random) % chosen->size;
    if (is_in_step(chosen->cache + offset)) return;
    files_rot(chosen_path, chosen, offset, (uint8_t)(1U << random_below(&machine.random, 8)));
    machine_note(STEP_FAULT, offset, chosen_path);
}

/* ---- one more ---- */

static const char *const fault_names[FAULT_KINDS] = {
    "kill",         "kill at a step", "kill both cores", "power",     "power at a step",
    "stop",         "hang",           "stall",           "disk full", "memory full",
    "write errors", "sync errors",    "short writes",    "slow disk", "rot",
    "clock set",    "snapshot asked",
};

static void strike(enum fault fault)
{
    struct control *control;
    machine_note(STEP_FAULT, fault, fault_names[fault]);
    faults.count++;
    switch (fault) {
    case FAULT_KILL: kill_one(5); break;
    case FAULT_KILL_AT: set_trap(false); break;
    case FAULT_KILL_BOTH:
        if (world_process(0)) process_kill(world_process(0));
        if (world_process(1)) process_kill(world_process(1));
        break;
    case FAULT_POWER: world_lose_power(); break;
    case FAULT_POWER_AT: set_trap(true); break;
    case FAULT_STOP: stop_one(); break;
    case FAULT_HANG: hang_primary(); break;
    case FAULT_STALL: stall_one(); break;
    case FAULT_ROT: rot(); break;
    case FAULT_CLOCK: machine.wall_offset_ns += random_ns(-2000, 2000) * MS; break;
    case FAULT_SNAPSHOT:
        control = world_control();
        if (control) atomic_fetch_add(&control->snapshot_asked, 1);
        break;
    default: disk_fault(fault); break;
    }
}

static void end_all(void)
{
    end_disk_faults();
    machine.trap.is_set = false;
    for (unsigned i = 0; i < PROCESS_MAX; i++) machine.processes[i].stopped_until_ns = 0;
    machine_note(STEP_FAULT, 0, "the faults are over");
}

bool faults_turn(bool clients_are_done)
{
    if (faults.next_step == 0) { /* the first time */
        faults.end_ns += machine.clock_ns;
        faults.next_step = machine.steps + 1;
    }
    if (clients_are_done || machine.clock_ns > faults.end_ns) {
        end_all();
        return false;
    }
    if (faults.disk_until_ns && machine.clock_ns > faults.disk_until_ns) end_disk_faults();
    if (machine.steps < faults.next_step) return true;
    faults.next_step = machine.steps + 1 + random_next(&machine.random) % (2 * faults.every_steps);
    enum fault fault = (enum fault)random_below(&machine.random, FAULT_KINDS);
    if (faults.has[fault]) strike(fault);
    return true;
}
