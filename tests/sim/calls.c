/* The system's functions; the exchange's own ones are in calls_hoga.c. */
#define _GNU_SOURCE
#include "tests/sim/calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/files.h"
#include "tests/sim/wraps.h"

enum { FIRST_FD = 3, DIRECTORY_ENTRIES_MAX = 200, MS = 1000000 };

static struct process *here(void)
{
    return current_process();
}

static int fail_with(int error)
{
    errno = error;
    return -1;
}

/* ---- descriptors ---- */

static struct description *description_of(int fd)
{
    struct process *p = here();
    if (fd < 0 || fd >= FD_MAX || !p->fds[fd]) {
        machine_fail("process %s uses descriptor %d, which is not open", p->name, fd);
        return NULL;
    }
    return p->fds[fd];
}

/* The new descriptor has the only reference, if the inode is new. */
static int open_fd(struct inode *inode)
{
    struct process *p = here();
    for (int fd = FIRST_FD; fd < FD_MAX; fd++) {
        if (p->fds[fd]) continue;
        p->fds[fd] = description_open(inode);
        return fd;
    }
    machine_fail("process %s has too many files open", p->name);
    return -1;
}

static void absolute(char path[FILE_PATH_BYTES], const char *name)
{
    if (name[0] != '/' || strlen(name) >= FILE_PATH_BYTES) {
        machine_fail("a path that is not absolute, or too long: %s", name);
        return;
    }
    strcpy(path, name);
}

static int create(const char *path, enum inode_kind kind)
{
    struct inode *inode = inode_new(kind, strncmp(path, "/dev/shm", 8) == 0);
    int error = files_link(path, inode);
    inode_unref(inode);
    return error;
}

int __wrap_open(const char *name, int flags, ...)
{
    char path[FILE_PATH_BYTES];
    if (!here()) {
        va_list arguments;
        va_start(arguments, flags);
        mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
        va_end(arguments);
        return __real_open(name, flags, mode);
    }
    absolute(path, name);
    current_yield(STEP_OPEN);
    struct inode *inode = files_find(path);
    if (!inode && !(flags & O_CREAT)) return fail_with(ENOENT);
    if (!inode) {
        int error = create(path, INODE_FILE);
        if (error) return fail_with(error);
        inode = files_find(path);
    }
    if (flags & O_TRUNC) {
        int error = files_resize(inode, 0);
        if (error) return fail_with(error);
    }
    machine_note(STEP_OPEN, inode->size, path);
    int fd = open_fd(inode);
    here()->fds[fd]->is_nonblocking = flags & O_NONBLOCK;
    return fd;
}

int __wrap_close(int fd)
{
    if (!here()) return __real_close(fd);
    struct description *d = description_of(fd);
    here()->fds[fd] = NULL;
    description_close(d);
    current_yield(STEP_CLOSE);
    return 0;
}

static ssize_t write_at(struct inode *inode, const void *bytes, size_t length, uint64_t at)
{
    size_t written, first = length;
    /* whoever reads meanwhile may see the beginning alone */
    if (length > SECTOR_BYTES && chance(200))
        first = random_below(&machine.random, (uint32_t)length / SECTOR_BYTES) * SECTOR_BYTES;
    int error = first ? files_write(inode, bytes, first, at, &written) : 0;
    if (!first) written = 0;
    if (!error && first < length && written == first) {
        size_t rest;
        current_yield(STEP_WRITE);
        error =
            files_write(inode, (const uint8_t *)bytes + first, length - first, at + first, &rest);
        if (!error) written += rest;
        if (error && written) error = 0; /* told at the next write */
    }
    machine_note(STEP_WRITE, error ? (uint64_t)error : written, error ? strerror(error) : NULL);
    return error ? fail_with(error) : (ssize_t)written;
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    if (!here()) return __real_pwrite(fd, bytes, length, at);
    struct description *d = description_of(fd);
    current_yield(STEP_WRITE);
    return write_at(d->inode, bytes, length, (uint64_t)at);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    if (!here()) return __real_write(fd, bytes, length);
    struct description *d = description_of(fd);
    current_yield(STEP_WRITE);
    if (d->inode->kind == INODE_EVENT) {
        uint64_t n;
        memcpy(&n, bytes, sizeof n);
        d->inode->count += n;
        return (ssize_t)length;
    }
    if (d->inode->kind == INODE_FIFO) {
        if (d->inode->count + length > 65536) return fail_with(EAGAIN);
        d->inode->count += length;
        return (ssize_t)length;
    }
    ssize_t n = write_at(d->inode, bytes, length, d->offset);
    if (n > 0) d->offset += (uint64_t)n;
    return n;
}

static ssize_t read_at(const struct inode *inode, void *bytes, size_t length, uint64_t at)
{
    if (at >= inode->size) return 0;
    if (length > inode->size - at) length = inode->size - at;
    memcpy(bytes, inode->cache + at, length);
    return (ssize_t)length;
}

ssize_t __wrap_pread(int fd, void *bytes, size_t length, off_t at)
{
    if (!here()) return __real_pread(fd, bytes, length, at);
    struct description *d = description_of(fd);
    current_yield(STEP_READ);
    return read_at(d->inode, bytes, length, (uint64_t)at);
}

ssize_t __wrap_read(int fd, void *bytes, size_t length)
{
    if (!here()) return __real_read(fd, bytes, length);
    struct description *d = description_of(fd);
    current_yield(STEP_READ);
    if (d->inode->kind == INODE_FIFO) {
        if (!d->inode->count) return fail_with(EAGAIN);
        size_t n = d->inode->count < length ? d->inode->count : length;
        memset(bytes, 0, n);
        d->inode->count -= n;
        return (ssize_t)n;
    }
    ssize_t n = read_at(d->inode, bytes, length, d->offset);
    d->offset += (uint64_t)n;
    return n;
}

int __wrap_fstat(int fd, struct stat *st)
{
    if (!here()) return __real_fstat(fd, st);
    memset(st, 0, sizeof *st);
    st->st_size = (off_t)description_of(fd)->inode->size;
    return 0;
}

int __wrap_ftruncate(int fd, off_t length)
{
    if (!here()) return __real_ftruncate(fd, length);
    struct description *d = description_of(fd);
    current_yield(STEP_SIZE);
    int error = files_resize(d->inode, (size_t)length);
    return error ? fail_with(error) : 0;
}

int __wrap_posix_fallocate(int fd, off_t at, off_t length)
{
    if (!here()) return __real_posix_fallocate(fd, at, length);
    struct description *d = description_of(fd);
    current_yield(STEP_SIZE);
    return files_allocate(d->inode, (size_t)(at + length));
}

/* A sync takes its time, in which anything may happen. */
static int sync_fd(int fd)
{
    struct description *d = description_of(fd);
    const char *path = "", *name;
    struct inode *inode;
    if (!d->inode->is_volatile)
        (void)current_wait(STEP_SYNC, NULL, NULL,
                           machine.clock_ns + random_ns(0, file_faults.sync_ns));
    for (unsigned i = 0; files_name_at(i, &name, &inode); i++)
        if (inode == d->inode) path = name;
    int error = files_sync(path, d->inode);
    machine_note(STEP_SYNC, (uint64_t)error, path);
    return error ? fail_with(error) : 0;
}

int __wrap_fsync(int fd)
{
    return here() ? sync_fd(fd) : __real_fsync(fd);
}

int __wrap_fdatasync(int fd)
{
    return here() ? sync_fd(fd) : __real_fdatasync(fd);
}

static bool is_unlocked(void *context)
{
    const struct description *d = context;
    return !d->inode->lock_holder || d->inode->lock_holder == d;
}

int __wrap_flock(int fd, int operation)
{
    if (!here()) return __real_flock(fd, operation);
    struct description *d = description_of(fd);
    current_yield(STEP_LOCK);
    if (operation & LOCK_UN) {
        if (d->inode->lock_holder == d) d->inode->lock_holder = NULL;
        return 0;
    }
    if (!is_unlocked(d) && operation & LOCK_NB) return fail_with(EWOULDBLOCK);
    while (!is_unlocked(d)) (void)current_wait(STEP_LOCK, is_unlocked, d, INT64_MAX);
    d->inode->lock_holder = d;
    machine_note(STEP_LOCK, (uint64_t)fd, "has the lock");
    return 0;
}

int __wrap_eventfd(unsigned count, int flags)
{
    if (!here()) return __real_eventfd(count, flags);
    struct inode *inode = inode_new(INODE_EVENT, true);
    inode->count = count;
    int fd = open_fd(inode);
    inode_unref(inode);
    return fd;
}

static bool is_readable(void *context)
{
    return ((struct inode *)context)->count != 0;
}

int __wrap_poll(struct pollfd *events, nfds_t count, int ms)
{
    if (!here()) return __real_poll(events, count, ms);
    struct description *d = description_of(events[0].fd);
    int64_t until = ms < 0 ? INT64_MAX : machine.clock_ns + (int64_t)ms * MS;
    bool ready = current_wait(STEP_SLEEP, is_readable, d->inode, until);
    events[0].revents = ready ? POLLIN : 0;
    return ready;
}

/* ---- names ---- */

int __wrap_access(const char *name, int mode)
{
    if (!here()) return __real_access(name, mode);
    current_yield(STEP_OPEN);
    return files_find(name) ? 0 : fail_with(ENOENT);
}

static int named(int error, const char *path)
{
    machine_note(STEP_NAME, (uint64_t)error, path);
    return error ? fail_with(error) : 0;
}

int __wrap_mkdir(const char *name, mode_t mode)
{
    if (!here()) return __real_mkdir(name, mode);
    current_yield(STEP_NAME);
    return files_find(name) ? fail_with(EEXIST) : named(create(name, INODE_DIRECTORY), name);
}

int __wrap_mkfifo(const char *name, mode_t mode)
{
    if (!here()) return __real_mkfifo(name, mode);
    current_yield(STEP_NAME);
    return files_find(name) ? fail_with(EEXIST) : named(create(name, INODE_FIFO), name);
}

int __wrap_rename(const char *from, const char *to)
{
    if (!here()) return __real_rename(from, to);
    current_yield(STEP_NAME);
    return named(files_rename(from, to), to);
}

int __wrap_link(const char *from, const char *to)
{
    if (!here()) return __real_link(from, to);
    current_yield(STEP_NAME);
    if (files_find(to)) return fail_with(EEXIST);
    return files_find(from) ? named(files_link(to, files_find(from)), to) : fail_with(ENOENT);
}

int __wrap_unlink(const char *name)
{
    if (!here()) return __real_unlink(name);
    current_yield(STEP_NAME);
    return named(files_unlink(name), name);
}

char *__wrap_realpath(const char *name, char *resolved)
{
    if (!here()) return __real_realpath(name, resolved);
    if (!files_find(name)) {
        errno = ENOENT;
        return NULL;
    }
    return strcpy(resolved, name);
}

struct directory {
    unsigned count, next;
    struct dirent entry;
    char names[DIRECTORY_ENTRIES_MAX][64];
};

static void release_block(void *thing, size_t bytes)
{
    (void)bytes;
    __real_free(thing);
}

DIR *__wrap_opendir(const char *path)
{
    if (!here()) return __real_opendir(path);
    current_yield(STEP_OPEN);
    if (!files_find(path)) {
        errno = ENOENT;
        return NULL;
    }
    struct directory *self = kernel_alloc(sizeof *self);
    size_t length = strlen(path);
    const char *name;
    struct inode *inode;
    for (unsigned i = 0; files_name_at(i, &name, &inode); i++) {
        if (strncmp(name, path, length) != 0 || name[length] != '/') continue;
        if (strchr(name + length + 1, '/') || self->count == DIRECTORY_ENTRIES_MAX) continue;
        strcpy(self->names[self->count++], name + length + 1);
    }
    process_own(here(), self, sizeof *self, release_block);
    return (DIR *)self;
}

struct dirent *__wrap_readdir(DIR *dir)
{
    if (!here()) return __real_readdir(dir);
    struct directory *self = (struct directory *)dir;
    if (self->next == self->count) return NULL;
    strcpy(self->entry.d_name, self->names[self->next++]);
    self->entry.d_type = DT_REG;
    return &self->entry;
}

int __wrap_closedir(DIR *dir)
{
    if (!here()) return __real_closedir(dir);
    (void)process_disown(here(), dir);
    __real_free(dir);
    return 0;
}

/* ---- streams: for reading alone ---- */

static void release_stream(void *thing, size_t bytes)
{
    (void)bytes;
    (void)__real_fclose(thing);
}

static FILE *open_bytes(const void *bytes, size_t length)
{
    FILE *stream = fmemopen(NULL, length + 1, "w+");
    if (!stream) abort();
    (void)fwrite(bytes, 1, length, stream);
    (void)fflush(stream);
    rewind(stream);
    process_own(here(), stream, length, release_stream);
    return stream;
}

/* "/proc/PID/stat", as far as anybody reads it. */
static FILE *open_proc(const char *path)
{
    char text[64];
    struct process *p = process_find(atoi(path + 6));
    errno = ENOENT;
    if (!p) return NULL;
    int length =
        snprintf(text, sizeof text, "%d (%s) %c", p->pid, p->name, p->is_alive ? 'S' : 'Z');
    return open_bytes(text, (size_t)length);
}

FILE *__wrap_fopen(const char *name, const char *mode)
{
    if (!here()) return __real_fopen(name, mode);
    current_yield(STEP_OPEN);
    if (strncmp(name, "/proc/", 6) == 0) return open_proc(name);
    struct inode *inode = files_find(name);
    if (!inode) {
        errno = ENOENT;
        return NULL;
    }
    return open_bytes(inode->cache, inode->size);
}

int __wrap_fclose(FILE *stream)
{
    if (here()) (void)process_disown(here(), stream);
    return __real_fclose(stream);
}

/* ---- memory ---- */

static void release_map(void *thing, size_t bytes)
{
    const char *name;
    struct inode *inode = thing;
    (void)bytes, (void)name;
    inode_unref(inode);
}

void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t at)
{
    if (!here() || fd < 0) return __real_mmap(address, bytes, protection, flags, fd, at);
    struct description *d = description_of(fd);
    current_yield(STEP_MAP);
    d->inode->refs++;
    process_own(here(), d->inode, bytes, release_map);
    return d->inode->cache;
}

int __wrap_munmap(void *address, size_t bytes)
{
    struct process *p = here();
    for (unsigned i = 0; p && i < p->resource_count; i++) {
        struct inode *inode = p->resources[i].thing;
        if (p->resources[i].release != release_map || inode->cache != address) continue;
        (void)process_disown(p, inode);
        inode_unref(inode);
        return 0;
    }
    if (p) machine_fail("process %s unmaps what is not mapped", p->name);
    return __real_munmap(address, bytes);
}

static void release_arena(void *thing, size_t bytes)
{
    (void)__real_munmap(thing, bytes);
}

/* Anonymous memory, zeroed. */
void *__wrap_arena_map(size_t bytes, int prefault)
{
    (void)prefault;
    void *block = __real_arena_map(bytes, 0);
    if (here() && block) process_own(here(), block, bytes, release_arena);
    return block;
}

void __wrap_arena_unmap(void *block, size_t bytes)
{
    if (block && here()) (void)process_disown(here(), block);
    if (block) (void)__real_munmap(block, bytes);
}

void *__wrap_malloc(size_t bytes)
{
    void *block = __real_malloc(bytes);
    if (here() && block) process_own(here(), block, bytes, release_block);
    return block;
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    void *block = __real_calloc(count, bytes);
    if (here() && block) process_own(here(), block, bytes, release_block);
    return block;
}

void __wrap_free(void *block)
{
    if (here() && block) (void)process_disown(here(), block);
    __real_free(block);
}

static void release_digest(void *thing, size_t bytes)
{
    (void)bytes;
    __real_EVP_MD_CTX_free(thing);
}

EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void)
{
    EVP_MD_CTX *digest = __real_EVP_MD_CTX_new();
    if (here()) process_own(here(), digest, 0, release_digest);
    return digest;
}

void __wrap_EVP_MD_CTX_free(EVP_MD_CTX *digest)
{
    if (here()) (void)process_disown(here(), digest);
    __real_EVP_MD_CTX_free(digest);
}

/* ---- processes and threads ---- */

int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*start)(void *),
                          void *argument)
{
    if (!here()) return __real_pthread_create(id, attributes, start, argument);
    *id = (pthread_t)thread_start(here(), start, argument);
    return 0;
}

int __wrap_pthread_join(pthread_t id, void **result)
{
    if (!here()) return __real_pthread_join(id, result);
    thread_join((struct thread *)id);
    return 0;
}

/* The real one would keep signals from the test itself. */
int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *before)
{
    return here() ? 0 : __real_pthread_sigmask(how, set, before);
}

pid_t __wrap_getpid(void)
{
    return here() ? here()->pid : __real_getpid();
}

static int send_signal(struct process *p)
{
    if (!p || !p->is_alive) return fail_with(ESRCH);
    machine_note(STEP_SIGNAL, (uint64_t)p->pid, p->name);
    if (calls_mistake == MISTAKE_NO_FENCE && here() != p && strncmp(p->name, "core", 4) == 0) {
        const struct inode *lock = files_find("/data/core.lock");
        if (lock && lock->lock_holder) lock->lock_holder->inode->lock_holder = NULL;
        return 0;
    }
    /* it may still do something before it is gone, and one that was stopped wakes for that */
    p->dies_in_steps = random_below(&machine.random, 30);
    return 0;
}

int __wrap_kill(pid_t pid, int signal_number)
{
    if (!here()) return __real_kill(pid, signal_number);
    current_yield(STEP_SIGNAL);
    return send_signal(process_find(pid));
}

static bool is_dead(void *context)
{
    return !((struct process *)context)->is_alive;
}

pid_t __wrap_waitpid(pid_t pid, int *state, int options)
{
    if (!here()) return __real_waitpid(pid, state, options);
    struct process *p = process_find(pid);
    if (!p || p->parent_pid != here()->pid) return fail_with(ECHILD);
    if (p->is_alive && options & WNOHANG) return 0;
    while (p->is_alive) (void)current_wait(STEP_SLEEP, is_dead, p, INT64_MAX);
    if (state) *state = p->is_killed ? SIGKILL : p->exit_status << 8;
    process_forget(p);
    return pid;
}

/* ---- futexes and descriptors of processes ---- */

struct futex_wait_on {
    const _Atomic uint32_t *word;
    bool is_woken;
    struct futex_wait_on *next;
};
static struct futex_wait_on *waiting[PROCESS_MAX * THREAD_MAX];

static bool is_woken(void *context)
{
    return ((struct futex_wait_on *)context)->is_woken;
}

/* Who waits is on a list; one that died waiting is found by its process's being gone. */
static void forget_waiting(void *thing, size_t bytes)
{
    (void)bytes;
    for (unsigned i = 0; i < PROCESS_MAX * THREAD_MAX; i++)
        if (waiting[i] == thing) waiting[i] = NULL;
}

static void futex_wait_for(const _Atomic uint32_t *word, uint32_t seen, int64_t ns)
{
    struct futex_wait_on wait = {.word = word};
    current_yield(STEP_SLEEP);
    if (atomic_load_explicit(word, memory_order_relaxed) != seen) return;
    unsigned slot = 0;
    while (waiting[slot]) slot++;
    waiting[slot] = &wait;
    process_own(here(), &wait, 0, forget_waiting);
    (void)current_wait(STEP_SLEEP, is_woken, &wait, machine.clock_ns + ns);
    (void)process_disown(here(), &wait);
    waiting[slot] = NULL;
}

static void futex_wake(const _Atomic uint32_t *word)
{
    for (unsigned i = 0; i < PROCESS_MAX * THREAD_MAX; i++)
        if (waiting[i] && waiting[i]->word == word) waiting[i]->is_woken = true;
    current_yield(STEP_WAKE);
}

static int open_process(int pid)
{
    struct process *p = process_find(pid);
    if (!p || !p->is_alive) return fail_with(ESRCH);
    struct inode *inode = inode_new(INODE_PID, true);
    inode->count = (uint64_t)pid;
    int fd = open_fd(inode);
    inode_unref(inode);
    return fd;
}

long __wrap_syscall(long number, ...)
{
    long a[6];
    va_list arguments;
    va_start(arguments, number);
    for (unsigned i = 0; i < 6; i++) a[i] = va_arg(arguments, long);
    va_end(arguments);
    if (!here()) return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    switch (number) {
    case SYS_futex:
        if ((int)a[1] == FUTEX_WAIT) {
            const struct timespec *t = (const struct timespec *)a[3];
            futex_wait_for((const _Atomic uint32_t *)a[0], (uint32_t)a[2],
                           t->tv_sec * 1000 * MS + t->tv_nsec);
        } else {
            futex_wake((const _Atomic uint32_t *)a[0]);
        }
        return 0;
    case SYS_pidfd_open: return open_process((int)a[0]);
    case SYS_pidfd_send_signal:
        current_yield(STEP_SIGNAL);
        return send_signal(process_find((int)description_of((int)a[0])->inode->count));
    default: machine_fail("system call %ld is not simulated", number); return -1;
    }
}

/* ---- time and chance ---- */

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
    if (!here()) return __real_clock_gettime(clock, t);
    int64_t ns = clock == CLOCK_REALTIME ? machine_wall_ns() : machine.clock_ns;
    *t = (struct timespec){.tv_sec = ns / (1000 * MS), .tv_nsec = ns % (1000 * MS)};
    return 0;
}

ssize_t __wrap_getrandom(void *bytes, size_t length, unsigned flags)
{
    if (!here()) return __real_getrandom(bytes, length, flags);
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)random_next(&machine.random);
    return (ssize_t)length;
}
