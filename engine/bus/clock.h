/* clock.h - the shell's clocks. The pure engine never includes this: time reaches it in commands.
 */
#ifndef HOGA_BUS_CLOCK_H
#define HOGA_BUS_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds since the epoch; may step when the system's clock is set. */
static inline int64_t clock_wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Nanoseconds since some start; never steps. */
static inline int64_t clock_steady_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#endif
