#include "engine/bus/releaser.h"

#include "engine/bus/futex.h"

enum { IDLE_WAIT_NS = 200 * 1000 * 1000 };

static void *releaser_run(void *argument)
{
    struct releaser *self = argument;
    struct control *c = self->control;
    uint64_t rung = 0;
    while (!atomic_load_explicit(&self->stopping, memory_order_acquire)) {
        uint64_t released = atomic_load_explicit(&c->released_seq, memory_order_acquire);
        if (released != rung) {
            rung = released;
            bell_ring(&self->bells);
            continue;
        }
        uint32_t seen = atomic_load_explicit(&c->written_bell, memory_order_acquire);
        atomic_fetch_add_explicit(&c->helper_sleeping, 1, memory_order_relaxed);
        /* say that we sleep, then look once more: pairs with the fence in archiver_wake() */
        atomic_thread_fence(memory_order_seq_cst);
        if (atomic_load_explicit(&c->released_seq, memory_order_acquire) == rung &&
            !atomic_load_explicit(&self->stopping, memory_order_relaxed))
            futex_wait(&c->written_bell, seen, IDLE_WAIT_NS);
        atomic_fetch_sub_explicit(&c->helper_sleeping, 1, memory_order_relaxed);
    }
    return NULL;
}

enum status releaser_start(struct releaser *self, const struct instance *instance,
                           struct control *control)
{
    *self = (struct releaser){.control = control};
    bell_ringer_init(&self->bells, instance, control);
    return pthread_create(&self->thread, NULL, releaser_run, self) == 0 ? STATUS_OK : STATUS_IO;
}

void releaser_stop(struct releaser *self)
{
    atomic_store_explicit(&self->stopping, 1, memory_order_release);
    futex_ring(&self->control->written_bell);
    (void)pthread_join(self->thread, NULL);
    bell_ringer_close(&self->bells);
}
