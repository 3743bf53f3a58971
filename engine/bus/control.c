#define _GNU_SOURCE
#include "engine/bus/control.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/bus/clock.h"
#include "engine/bus/shared_file.h"

#define CONTROL_MAGIC UINT64_C(0x314c544341474f48) /* "HOGACTL1" */
enum { CONTROL_VERSION = 2 };

/* What a page has had since version 1: up to the heartbeat. */
enum { OLD_CONTROL_BYTES = 576 };
_Static_assert(offsetof(struct control, in) == 64 && offsetof(struct control, out) == 192 &&
                   offsetof(struct control, released_seq) == 320 &&
                   offsetof(struct control, heartbeat_ns) == OLD_CONTROL_BYTES - 64,
               "cursors lie where version 1 had them");

static void control_path(char path[128], const struct instance *instance)
{
    (void)snprintf(path, 128, "%s/control", instance->shm_dir);
}

static bool is_ours(const struct control *self, size_t bytes)
{
    return bytes == sizeof *self && self->magic == CONTROL_MAGIC &&
           self->version == CONTROL_VERSION;
}

/* The rings of an older program may look otherwise, and what is in them was never answered. */
static void remove_rings(const struct instance *instance)
{
    char path[128];
    for (unsigned source = 1; source <= CONTROL_RING_MAX; source++) {
        (void)snprintf(path, sizeof path, "%s/ring-%u", instance->shm_dir, source);
        (void)unlink(path);
    }
}

/* Puts a page of this version in the place of an older one, with the cursors, which lie where they
 * always lay: a core that died may have left in memory what is not in the archive. Processes of the
 * older program keep the old page, and learn nothing more from it. */
static enum status replace_older(const char *path, const struct instance *instance)
{
    static struct control fresh; /* too large for a stack */
    struct shared_file file;
    char fresh_path[160];
    enum status status = shared_file_open(&file, path, false);
    if (status != STATUS_OK) return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    const struct control *old = file.map;
    bool is_older = file.bytes >= OLD_CONTROL_BYTES && old->magic == CONTROL_MAGIC &&
                    old->version >= 1 && old->version < CONTROL_VERSION;
    if (is_older) memcpy(&fresh, old, OLD_CONTROL_BYTES);
    shared_file_close(&file);
    if (!is_older) return STATUS_OK;
    fresh.version = CONTROL_VERSION;
    (void)snprintf(fresh_path, sizeof fresh_path, "%s.new", path);
    int fd = open(fresh_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return STATUS_IO;
    bool good = write(fd, &fresh, sizeof fresh) == (ssize_t)sizeof fresh;
    (void)close(fd);
    if (!good) return STATUS_IO;
    remove_rings(instance);
    return rename(fresh_path, path) == 0 ? STATUS_OK : STATUS_IO;
}

enum status control_create(struct control **self, const struct instance *instance,
                           uint32_t durability, uint32_t segment_bytes, uint32_t ring_count,
                           uint32_t ring_bytes)
{
    char path[128];
    struct shared_file file;
    control_path(path, instance);
    enum status status = replace_older(path, instance);
    if (status == STATUS_OK) status = shared_file_create(&file, path, sizeof **self);
    if (status != STATUS_OK) return status;
    struct control *control = file.map;
    (void)close(file.fd);
    if (file.is_new || control->magic == 0) {
        control->version = CONTROL_VERSION;
        control->segment_bytes = segment_bytes;
        control->ring_count = ring_count;
        control->ring_bytes = ring_bytes;
        control->durability = durability;
        /* last, so that a page with the magic is a whole one */
        atomic_thread_fence(memory_order_release);
        control->magic = CONTROL_MAGIC;
    } else if (!is_ours(control, file.bytes)) {
        munmap(file.map, file.bytes);
        return STATUS_INVALID;
    }
    control->durability = durability;
    *self = control;
    return STATUS_OK;
}

enum status control_open(struct control **self, const struct instance *instance)
{
    char path[128];
    struct shared_file file;
    control_path(path, instance);
    enum status status = shared_file_open(&file, path, true);
    if (status != STATUS_OK) return status;
    (void)close(file.fd);
    if (!is_ours(file.map, file.bytes)) {
        bool unfinished = file.bytes == sizeof **self && ((struct control *)file.map)->magic == 0;
        munmap(file.map, file.bytes);
        return unfinished ? STATUS_NOT_FOUND : STATUS_INVALID;
    }
    *self = file.map;
    return STATUS_OK;
}

void control_close(struct control *self)
{
    if (self) munmap(self, sizeof *self);
}

/* A process that is there but is a zombie has no more say; kill() cannot tell, /proc can. */
static bool is_alive(int32_t pid)
{
    char path[32], state = 'X';
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file) return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 'X';
    (void)fclose(file);
    return state != 'Z' && state != 'X';
}

static enum status find_slot(struct control *self, const char *name, bool is_sole,
                             struct station **slot)
{
    struct station *free_slot = NULL;
    for (unsigned i = 0; i < CONTROL_STATION_MAX; i++) {
        struct station *s = &self->stations[i];
        int32_t pid = atomic_load_explicit(&s->pid, memory_order_relaxed);
        if (strncmp(s->name, name, sizeof s->name) == 0) {
            if (!is_sole && pid && pid != getpid() && is_alive(pid)) return STATUS_BUSY;
            *slot = s;
            return STATUS_OK;
        }
        if (!free_slot && s->name[0] == '\0') free_slot = s;
    }
    *slot = free_slot;
    return free_slot ? STATUS_OK : STATUS_FULL;
}

static enum status claim(struct control *self, const struct instance *instance, const char *name,
                         bool is_sole, struct station **station)
{
    char path[128];
    CHECK(strlen(name) < CONTROL_STATION_NAME_BYTES);
    (void)snprintf(path, sizeof path, "%s/stations.lock", instance->shm_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return STATUS_IO;
    if (flock(fd, LOCK_EX) != 0) {
        (void)close(fd);
        return STATUS_IO;
    }
    struct station *slot = NULL;
    enum status status = find_slot(self, name, is_sole, &slot);
    if (status == STATUS_OK) {
        (void)snprintf(slot->name, sizeof slot->name, "%s", name);
        atomic_store_explicit(&slot->pid, getpid(), memory_order_relaxed);
        atomic_store_explicit(&slot->state, STATION_STARTING, memory_order_relaxed);
        atomic_store_explicit(&slot->in_seq, 0, memory_order_relaxed);
        atomic_store_explicit(&slot->out_seq, 0, memory_order_relaxed);
        atomic_store_explicit(&slot->bell_armed, 0, memory_order_relaxed);
        atomic_store_explicit(&slot->started_ns, clock_wall_ns(), memory_order_relaxed);
        *station = slot;
    }
    (void)close(fd);
    return status;
}

enum status control_claim_station(struct control *self, const struct instance *instance,
                                  const char *name, struct station **station)
{
    return claim(self, instance, name, false, station);
}

enum status control_claim_core(struct control *self, const struct instance *instance,
                               struct station **station)
{
    return claim(self, instance, "core", true, station);
}

_Atomic uint64_t *control_counter(struct station *station, const char *name)
{
    CHECK(strlen(name) < CONTROL_COUNTER_NAME_BYTES);
    for (unsigned i = 0; i < CONTROL_COUNTER_MAX; i++) {
        struct counter *c = &station->counters[i];
        if (c->name[0] == '\0') (void)snprintf(c->name, sizeof c->name, "%s", name);
        if (strcmp(c->name, name) == 0) return &c->value;
    }
    return NULL;
}
