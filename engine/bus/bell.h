/* bell.h - waking the readers that sleep in an event loop, when `released` has moved.
 *
 * A reader's side is bell_open() and bell_arm() in journal.h: a FIFO in /dev/shm that its loop
 * polls, and a flag in its station that asks for one ring. This is the ringer's side: a helper
 * thread of the core's process, never the pinned thread.
 */
#ifndef HOGA_BUS_BELL_H
#define HOGA_BUS_BELL_H

#include "engine/bus/control.h"
#include "engine/bus/instance.h"

struct bell_ringer {
    const struct instance *instance;
    struct control *control;
    int fds[CONTROL_STATION_MAX]; /* -1: not opened yet */
};

void bell_ringer_init(struct bell_ringer *self, const struct instance *instance,
                      struct control *control);

/* Rings every armed station once. Call after `released` has been stored. */
void bell_ring(struct bell_ringer *self);

void bell_ringer_close(struct bell_ringer *self);

#endif
