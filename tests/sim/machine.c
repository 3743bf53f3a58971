#define _GNU_SOURCE
#include "tests/sim/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/sim/calls.h"
#include "tests/sim/files.h"
#include "tests/sim/wraps.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#if defined(HAS_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif

enum {
    STACK_BYTES = 512 * 1024,
    STACKS_KEPT = 64,
    STEP_MIN_NS = 200,
    STEP_MAX_NS = 4000,
    TRACE_LINES = 400,
    TRACE_LINE_BYTES = 240,
};

/* Simulated time begins here: noon of a day, UTC. */
#define WALL_BEGIN_NS INT64_C(1767441600000000000)

struct thread {
    struct process *process;
    unsigned number;
    void *(*start)(void *);
    void *argument;
    ucontext_t context; /* where it begins */
    jmp_buf jump;       /* where it goes on: without the system calls of swapcontext() */
    bool has_begun;
    void *stack;
    void *fake_stack; /* the address sanitizer's */
    enum step step;   /* what it does when it goes on */
    bool (*ready)(void *context);
    void *ready_context;
    bool is_waiting;
    bool is_ready; /* how the wait ended */
    bool is_done;
    int64_t until_ns;
    int64_t stalled_until_ns;
    int error; /* errno is its own */
};

struct machine machine;
#if defined(HAS_ASAN)
static ucontext_t host;
static const void *host_stack;
static size_t host_stack_bytes;
#else
static jmp_buf host_jump;
#endif
static void *stacks[STACKS_KEPT];
static unsigned stacks_kept;
static struct lines {
    char lines[TRACE_LINES][TRACE_LINE_BYTES];
    uint64_t count;
} tail, news;
static FILE *said, *real_stderr;

static const char *const step_names[STEP_COUNT] = {
    "start", "open", "close", "read",  "write",  "sync", "name",    "size",
    "map",   "lock", "sleep", "wake",  "signal", "put",  "publish", "engine",
    "turn",  "ring", "DIED",  "FAULT", "told",   "says",
};

/* ---- the trace ---- */

static void keep_line(struct lines *to, enum step step, uint64_t number, const char *text)
{
    const struct thread *t = machine.current;
    (void)snprintf(to->lines[to->count++ % TRACE_LINES], TRACE_LINE_BYTES,
                   "%12.6f %8" PRIu64 " %-10s %d.%u %-7s %" PRIu64 " %.150s",
                   (double)machine.clock_ns / 1e9, machine.steps, t ? t->process->name : "-",
                   t ? t->process->pid : 0, t ? t->number : 0, step_names[step], number,
                   text ? text : "");
}

static void print_lines(FILE *to, const struct lines *from)
{
    uint64_t first = from->count > TRACE_LINES ? from->count - TRACE_LINES : 0;
    for (uint64_t i = first; i < from->count; i++)
        fprintf(to, "  %s\n", from->lines[i % TRACE_LINES]);
}

void machine_note(enum step step, uint64_t number, const char *text)
{
    const struct thread *t = machine.current;
    uint64_t who = t ? (uint64_t)t->process->pid << 8 | t->number : 0;
    uint64_t h = machine.trace_hash ^ ((uint64_t)step << 56) ^ (who << 32) ^ number;
    h = (h ^ (uint64_t)machine.clock_ns) * UINT64_C(0x9e3779b97f4a7c15);
    machine.trace_hash = h ^ h >> 29;
    if (!machine.is_verbose || step == STEP_TURN || (step == STEP_SLEEP && !text)) return;
    keep_line(&tail, step, number, text);
    bool is_news = step == STEP_SAID || step == STEP_DIED || step == STEP_FAULT ||
                   step == STEP_SIGNAL || (step == STEP_START && text);
    if (is_news) keep_line(&news, step, number, text);
}

void machine_print_trace(FILE *to)
{
    fprintf(to, "what happened:\n");
    print_lines(to, &news);
    fprintf(to, "the last steps:\n");
    print_lines(to, &tail);
}

/* What simulated processes say on stderr is a part of the trace. */
static ssize_t say(void *cookie, const char *text, size_t length)
{
    char line[TRACE_LINE_BYTES];
    size_t kept = length < sizeof line ? length : sizeof line - 1;
    (void)cookie;
    memcpy(line, text, kept);
    line[kept && line[kept - 1] == '\n' ? kept - 1 : kept] = '\0';
    machine_note(STEP_SAID, length, line);
    return (ssize_t)length;
}

static FILE *open_said(void)
{
    const cookie_io_functions_t functions = {.write = say};
    FILE *stream = fopencookie(NULL, "w", functions);
    if (!stream) abort();
    (void)setvbuf(stream, NULL, _IOLBF, 4096);
    return stream;
}

/* ---- switching ---- */

static void *stack_take(void)
{
    if (stacks_kept) return stacks[--stacks_kept];
    void *stack = __real_mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) abort();
    return stack;
}

static void stack_give(void *stack)
{
    if (stacks_kept < STACKS_KEPT)
        stacks[stacks_kept++] = stack;
    else
        (void)__real_munmap(stack, STACK_BYTES);
}

/* Goes back to the host; returns when this thread is chosen again, which may be never. */
static void leave(struct thread *self)
{
    self->error = errno;
#if defined(HAS_ASAN)
    __sanitizer_start_switch_fiber(self->is_done ? NULL : &self->fake_stack, host_stack,
                                   host_stack_bytes);
    (void)swapcontext(&self->context, &host);
    __sanitizer_finish_switch_fiber(self->fake_stack, &host_stack, &host_stack_bytes);
#else
    if (_setjmp(self->jump) == 0) _longjmp(host_jump, 1);
#endif
    errno = self->error;
}

static void enter(struct thread *self)
{
    stderr = said;
    machine.current = self;
    machine_note(self->step, 0, NULL);
#if defined(HAS_ASAN)
    void *fake_stack;
    __sanitizer_start_switch_fiber(&fake_stack, self->stack, STACK_BYTES);
    (void)swapcontext(&host, &self->context);
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#else
    if (_setjmp(host_jump) == 0) {
        if (self->has_begun) _longjmp(self->jump, 1);
        self->has_begun = true;
        (void)setcontext(&self->context);
    }
#endif
    machine.current = NULL;
    stderr = real_stderr;
}

static void run_thread(void)
{
    struct thread *self = machine.current;
#if defined(HAS_ASAN)
    __sanitizer_finish_switch_fiber(NULL, &host_stack, &host_stack_bytes);
#endif
    errno = 0;
    if (self->start) {
        (void)self->start(self->argument);
        self->is_done = true;
        leave(self);
    }
    current_exit(self->process->main(self->process->argument));
}

struct thread *thread_start(struct process *process, void *(*start)(void *), void *argument)
{
    struct thread *self = kernel_alloc(sizeof *self);
    if (process->thread_count == THREAD_MAX) abort();
    self->process = process;
    self->number = process->thread_count;
    self->start = start;
    self->argument = argument;
    self->stack = stack_take();
    (void)getcontext(&self->context);
    self->context.uc_stack.ss_sp = self->stack;
    self->context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&self->context, run_thread, 0);
    process->threads[process->thread_count++] = self;
    return self;
}

/* ---- what simulated threads call ---- */

struct process *current_process(void)
{
    return machine.current ? machine.current->process : NULL;
}

void current_yield(enum step step)
{
    machine.current->step = step;
    leave(machine.current);
}

bool current_wait(enum step step, bool (*ready)(void *context), void *context, int64_t until_ns)
{
    struct thread *self = machine.current;
    self->ready = ready;
    self->ready_context = context;
    self->until_ns = until_ns;
    self->is_waiting = true;
    current_yield(step);
    return self->is_ready;
}

void current_sleep(int64_t ns)
{
    (void)current_wait(STEP_SLEEP, NULL, NULL, machine.clock_ns + ns);
}

static bool is_done(void *context)
{
    return ((struct thread *)context)->is_done;
}

void thread_join(struct thread *self)
{
    (void)current_wait(STEP_SLEEP, is_done, self, INT64_MAX);
}

void machine_fail(const char *format, ...)
{
    if (!machine.failure[0]) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(machine.failure, sizeof machine.failure, format, arguments);
        va_end(arguments);
        machine_note(STEP_FAULT, 0, machine.failure);
    }
    while (machine.current) leave(machine.current);
}

/* ---- processes ---- */

void *kernel_alloc(size_t bytes)
{
    void *block = __real_calloc(1, bytes);
    if (!block) abort();
    return block;
}

void kernel_free(void *block)
{
    __real_free(block);
}

void process_own(struct process *self, void *thing, size_t bytes,
                 void (*release)(void *thing, size_t bytes))
{
    if (self->resource_count == RESOURCE_MAX) {
        machine_fail("process %s has leaked %d things", self->name, RESOURCE_MAX);
        return;
    }
    self->resources[self->resource_count++] = (struct resource){thing, bytes, release};
}

bool process_disown(struct process *self, void *thing)
{
    for (unsigned i = self->resource_count; i-- > 0;) {
        if (self->resources[i].thing != thing) continue;
        self->resources[i] = self->resources[--self->resource_count];
        return true;
    }
    return false;
}

struct process *process_find(int pid)
{
    for (unsigned i = 0; pid && i < PROCESS_MAX; i++)
        if (machine.processes[i].pid == pid) return &machine.processes[i];
    return NULL;
}

struct process *process_start(const char *name, int parent_pid, int (*main)(void *argument),
                              void *argument)
{
    struct process *self = NULL;
    for (unsigned i = 0; i < PROCESS_MAX && !self; i++)
        if (!machine.processes[i].pid) self = &machine.processes[i];
    if (!self) abort();
    *self = (struct process){.pid = ++machine.last_pid,
                             .parent_pid = parent_pid,
                             .main = main,
                             .argument = argument,
                             .is_alive = true,
                             .dies_in_steps = -1};
    (void)snprintf(self->name, sizeof self->name, "%s", name);
    (void)thread_start(self, NULL, NULL);
    machine_note(STEP_START, (uint64_t)self->pid, name);
    return self;
}

/* What the kernel does when a process ends. Locks go last: no thread of it runs any more. */
static void process_end(struct process *self)
{
    for (unsigned i = 0; i < PROCESS_MAX; i++) {
        struct process *child = &machine.processes[i];
        if (child->pid && child->is_alive && child->parent_pid == self->pid)
            child->dies_in_steps = random_below(&machine.random, 20);
        if (child->pid && !child->is_alive && child->parent_pid == self->pid) process_forget(child);
    }
    for (unsigned i = 0; i < self->thread_count; i++) {
        stack_give(self->threads[i]->stack);
        kernel_free(self->threads[i]);
    }
    self->thread_count = 0;
    while (self->resource_count) {
        struct resource r = self->resources[--self->resource_count];
        r.release(r.thing, r.bytes);
    }
    for (unsigned fd = 0; fd < FD_MAX; fd++) {
        if (self->fds[fd]) description_close(self->fds[fd]);
        self->fds[fd] = NULL;
    }
    self->is_alive = false;
}

void process_kill(struct process *self)
{
    machine_note(STEP_DIED, (uint64_t)self->pid, self->name);
    self->is_killed = true;
    calls_process_killed(self);
    process_end(self);
}

void process_forget(struct process *self)
{
    self->pid = 0;
}

_Noreturn void current_exit(int status)
{
    struct thread *self = machine.current;
    self->process->exit_status = status;
    self->process->is_killed = false;
    self->process->dies_in_steps = 0;
    for (;;) {
        self->process->is_alive = false; /* the host ends it */
        leave(self);
    }
}

void thread_stall_one(struct process *process, int64_t until_ns)
{
    if (!process->thread_count) return;
    process->threads[random_below(&machine.random, process->thread_count)]->stalled_until_ns =
        until_ns;
}

/* ---- the scheduler ---- */

/* When a thread may go on: now, later or (INT64_MAX) not by itself. */
static int64_t runs_at(struct thread *t)
{
    int64_t at = t->stalled_until_ns;
    if (t->is_done) return INT64_MAX;
    if (t->process->stopped_until_ns > at) at = t->process->stopped_until_ns;
    if (!t->is_waiting || (t->ready && t->ready(t->ready_context))) return at;
    return t->until_ns > at ? t->until_ns : at;
}

/* Those that can run now, and when the next one can. */
static unsigned find_runnable(struct thread **runnable, unsigned max, int64_t *next_ns)
{
    unsigned count = 0;
    *next_ns = INT64_MAX;
    for (unsigned i = 0; i < PROCESS_MAX; i++) {
        struct process *p = &machine.processes[i];
        if (!p->pid || !p->is_alive) continue;
        for (unsigned j = 0; j < p->thread_count; j++) {
            int64_t at = runs_at(p->threads[j]);
            if (at <= machine.clock_ns && count < max) runnable[count++] = p->threads[j];
            if (at < *next_ns) *next_ns = at;
        }
    }
    return count;
}

static bool is_trapped(const struct thread *t)
{
    struct trap *trap = &machine.trap;
    if (!trap->is_set || t->step != trap->step) return false;
    if (strncmp(t->process->name, trap->name, strlen(trap->name)) != 0) return false;
    if (trap->left-- > 0) return false;
    trap->is_set = false;
    return true;
}

/* Signals that are on their way arrive. */
static bool dies_now(struct process *p)
{
    if (p->dies_in_steps < 0) return false;
    p->stopped_until_ns = 0;
    return p->dies_in_steps-- == 0;
}

static void run(struct thread *t)
{
    struct process *p = t->process;
    if (dies_now(p)) {
        process_kill(p);
        return;
    }
    if (is_trapped(t)) {
        machine_note(STEP_FAULT, (uint64_t)p->pid, "a trap has closed");
        machine.has_lost_power = machine.trap.is_power_loss;
        if (!machine.has_lost_power) process_kill(p);
        return;
    }
    t->is_ready = !t->is_waiting || (t->ready && t->ready(t->ready_context));
    t->is_waiting = false;
    machine.steps++;
    enter(t);
    if (machine.failure[0] || p->is_alive) return;
    machine_note(STEP_DIED, (uint64_t)p->exit_status, p->name);
    process_end(p);
}

/* A process that only waits dies of its signal, too. */
static bool deliver_signals(void)
{
    for (unsigned i = 0; i < PROCESS_MAX; i++) {
        struct process *p = &machine.processes[i];
        if (!p->pid || !p->is_alive || p->dies_in_steps < 0 || chance(900)) continue;
        process_kill(p);
        return true;
    }
    return false;
}

void machine_step(int64_t until_ns)
{
    struct thread *runnable[PROCESS_MAX * THREAD_MAX];
    int64_t next_ns;
    machine.clock_ns += random_ns(STEP_MIN_NS, STEP_MAX_NS);
    if (deliver_signals()) return;
    unsigned count = find_runnable(runnable, PROCESS_MAX * THREAD_MAX, &next_ns);
    if (count) {
        run(runnable[random_below(&machine.random, count)]);
        return;
    }
    if (next_ns > until_ns) next_ns = until_ns;
    if (next_ns > machine.clock_ns) machine.clock_ns = next_ns;
}

/* ---- begin and end ---- */

void machine_begin(uint64_t seed, bool is_verbose)
{
    memset(&machine, 0, sizeof machine);
    machine.random.state = seed * UINT64_C(0xd1342543de82ef95) + 1;
    (void)random_next(&machine.random);
    machine.is_verbose = is_verbose;
    machine.wall_offset_ns = WALL_BEGIN_NS;
    tail.count = news.count = 0;
    if (!said) said = open_said();
    real_stderr = stderr;
    files_begin();
}

void machine_end(void)
{
    for (unsigned i = 0; i < PROCESS_MAX; i++) {
        struct process *p = &machine.processes[i];
        if (p->pid && (p->is_alive || p->thread_count)) process_end(p);
        p->pid = 0;
    }
    files_end();
}
