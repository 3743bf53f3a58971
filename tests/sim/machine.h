/* machine.h - a simulated machine: processes made of threads, and a clock, all in one real thread.
 *
 *   seed --> which thread runs next, for how long a sleep lasts, what fails, who dies where
 *
 * A simulated thread is a coroutine that runs the exchange's own code as it is. Whatever that code
 * asks of the system is linked to calls.c instead, and there the thread may be left for another
 * one: so all that happens between two system calls (or two of the named functions) happens at
 * once, and anything may happen in between, the death of the process included. A dead process is
 * one whose coroutines are never run again; what the kernel would free is freed.
 *
 * One machine at a time; `machine` is it. Nothing here reads a real clock, address or random
 * number, so a seed gives the same run every time: machine.trace_hash says so.
 */
#ifndef HOGA_TESTS_SIM_MACHINE_H
#define HOGA_TESTS_SIM_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/model/random.h"

enum {
    PROCESS_MAX = 24, /* alive, or dead and not waited for */
    THREAD_MAX = 8,   /* of a process */
    FD_MAX = 64,
    RESOURCE_MAX = 96,
};

/* What a thread is about to do when it may be left: names what is told, and where faults strike. */
enum step {
    STEP_START,
    STEP_OPEN,
    STEP_CLOSE,
    STEP_READ,
    STEP_WRITE,
    STEP_SYNC,
    STEP_NAME, /* rename, link, unlink, mkdir */
    STEP_SIZE, /* truncate, allocate */
    STEP_MAP,
    STEP_LOCK,
    STEP_SLEEP,
    STEP_WAKE,
    STEP_SIGNAL,
    STEP_PUT,
    STEP_PUBLISH,
    STEP_ENGINE,
    STEP_TURN, /* of a loop */
    STEP_RING,
    STEP_DIED,
    STEP_FAULT,
    STEP_TOLD,
    STEP_SAID, /* on stderr */
    STEP_COUNT,
};

struct journal_record;
struct process;
struct description; /* files.h */

/* What the kernel takes back from a process that ends. */
struct resource {
    void *thing;
    size_t bytes;
    void (*release)(void *thing, size_t bytes);
};

struct thread;

struct process {
    int pid; /* 0: this slot is free */
    int parent_pid;
    char name[16];
    int (*main)(void *argument);
    void *argument;
    bool is_alive;
    bool is_killed;  /* by a signal */
    int exit_status; /* once it is dead and was not killed */
    int64_t stopped_until_ns;
    int64_t dies_in_steps; /* a signal is on its way; -1: none */
    struct thread *threads[THREAD_MAX];
    unsigned thread_count;
    struct description *fds[FD_MAX];
    struct resource resources[RESOURCE_MAX];
    unsigned resource_count;
    struct journal_record *half_put; /* a record that its thread was just writing; else NULL */
    const void *in_step;             /* the message that its engine was just handed; else NULL */
    size_t in_step_bytes;
};

/* Where the next fault strikes that waits for a certain step. */
struct trap {
    bool is_set;
    enum step step;
    unsigned left;    /* so many of those steps are let pass */
    const char *name; /* of the process; NULL: any core */
    bool is_power_loss;
};

struct machine {
    struct random random;
    uint64_t trace_hash;
    uint64_t steps;
    int64_t clock_ns;       /* since the machine was switched on, never back */
    int64_t wall_offset_ns; /* what the wall clock says beyond that */
    int last_pid;
    struct process processes[PROCESS_MAX];
    struct thread *current;
    struct trap trap;
    bool is_verbose;
    bool has_lost_power; /* by a trap: the world looks after it */
    char failure[512];   /* the first thing found wrong; empty: nothing */
};

extern struct machine machine;

void machine_begin(uint64_t seed, bool is_verbose);
void machine_end(void);

/* One step of one thread that can run, chosen by the seed; the clock goes on, up to `until_ns` when
 * nobody can. */
void machine_step(int64_t until_ns);

/* Something is wrong: the first text stays. From a simulated thread it does not return. */
void machine_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line of the trace: who does what. `number` counts for the hash, `text` (or NULL) is for people.
 */
void machine_note(enum step step, uint64_t number, const char *text);

/* The end of the trace, for people: a run that was verbose. */
void machine_print_trace(FILE *to);

/* ---- processes ---- */

/* Starts one that runs main(argument) and exits with what that returns. Never NULL. */
struct process *process_start(const char *name, int parent_pid, int (*main)(void *argument),
                              void *argument);
struct process *process_find(int pid);
void process_kill(struct process *self);

/* Forgets a dead one. */
void process_forget(struct process *self);

/* Registers something that its end releases; and takes it off the list again: false when it is not
 * on it. */
void process_own(struct process *self, void *thing, size_t bytes,
                 void (*release)(void *thing, size_t bytes));
bool process_disown(struct process *self, void *thing);

/* Memory of the machine's own, zeroed; a process that ends has no part in it. */
void *kernel_alloc(size_t bytes);
void kernel_free(void *block);

/* ---- what simulated threads call ---- */

struct process *current_process(void); /* NULL: outside the simulation */
_Noreturn void current_exit(int status);

/* A point where another thread may go on, or this one never again. */
void current_yield(enum step step);

/* Waits until `ready` says so or the clock has come to `until_ns`. Returns whether it is ready. */
bool current_wait(enum step step, bool (*ready)(void *context), void *context, int64_t until_ns);
void current_sleep(int64_t ns);

struct thread *thread_start(struct process *process, void *(*start)(void *), void *argument);
void thread_join(struct thread *self);

/* Any thread of the process does not run for a while. */
void thread_stall_one(struct process *process, int64_t until_ns);

static inline int64_t machine_wall_ns(void)
{
    return machine.clock_ns + machine.wall_offset_ns;
}

/* From low to high nanoseconds, both included. */
static inline int64_t random_ns(int64_t low, int64_t high)
{
    return low + (int64_t)(random_next(&machine.random) % (uint64_t)(high - low + 1));
}

static inline bool chance(uint32_t of_a_thousand)
{
    return random_below(&machine.random, 1000) < of_a_thousand;
}

#endif
