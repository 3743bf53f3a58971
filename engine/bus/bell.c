#define _GNU_SOURCE
#include "engine/bus/bell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/bus/journal.h"

static int open_fifo(const struct instance *instance, unsigned slot)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/bell-%u", instance->shm_dir, slot);
    if (mkfifo(path, 0600) != 0 && errno != EEXIST) return -1;
    /* for both directions: it opens at once and stays open, whoever comes and goes */
    return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

int bell_open(const struct instance *instance, const struct control *control,
              const struct station *station)
{
    return open_fifo(instance, (unsigned)(station - control->stations));
}

bool bell_arm(int fd, const struct control *control, struct station *station, seq_t seen_seq)
{
    char rings[64];
    while (read(fd, rings, sizeof rings) > 0) continue;
    atomic_store_explicit(&station->bell_armed, 1, memory_order_relaxed);
    /* arm, then look: pairs with the fence in bell_ring(), which stores `released`, then looks */
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(&control->released_seq, memory_order_acquire) <= seen_seq;
}

void bell_ringer_init(struct bell_ringer *self, const struct instance *instance,
                      struct control *control)
{
    self->instance = instance;
    self->control = control;
    for (unsigned i = 0; i < CONTROL_STATION_MAX; i++) self->fds[i] = -1;
}

void bell_ring(struct bell_ringer *self)
{
    atomic_thread_fence(memory_order_seq_cst);
    for (unsigned i = 0; i < CONTROL_STATION_MAX; i++) {
        struct station *station = &self->control->stations[i];
        if (!atomic_load_explicit(&station->bell_armed, memory_order_relaxed)) continue;
        if (!atomic_exchange_explicit(&station->bell_armed, 0, memory_order_relaxed)) continue;
        if (self->fds[i] < 0) self->fds[i] = open_fifo(self->instance, i);
        /* a full FIFO already makes the reader wake */
        if (self->fds[i] >= 0 && write(self->fds[i], "", 1) < 0) continue;
    }
}

void bell_ringer_close(struct bell_ringer *self)
{
    for (unsigned i = 0; i < CONTROL_STATION_MAX; i++) {
        if (self->fds[i] >= 0) (void)close(self->fds[i]);
        self->fds[i] = -1;
    }
}
