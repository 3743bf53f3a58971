/* releaser.h - rings the bells at durability `memory`, where the core releases by itself.
 *
 * The pinned thread stores `released` and wakes this thread; waking everybody else costs system
 * calls, which are this thread's.
 */
#ifndef HOGA_BUS_RELEASER_H
#define HOGA_BUS_RELEASER_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/base/status.h"
#include "engine/bus/bell.h"
#include "engine/bus/control.h"
#include "engine/bus/instance.h"

struct releaser {
    struct control *control;
    struct bell_ringer bells;
    pthread_t thread;
    _Atomic int stopping;
};

MUST_CHECK enum status releaser_start(struct releaser *self, const struct instance *instance,
                                      struct control *control);
void releaser_stop(struct releaser *self);

#endif
