/* idle.h - what a loop does with nothing to do, for a moment: tells the processor so.
 *
 * Longer waits sleep on a futex (futex.h) or in an event loop; nobody yields, since what comes back
 * from sched_yield() when is anybody's guess.
 */
#ifndef HOGA_BUS_IDLE_H
#define HOGA_BUS_IDLE_H

static inline void idle_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
