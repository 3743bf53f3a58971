/* pace.h - work that nobody waits for, done in small pieces with a rest between them.
 *
 * Hashing a segment or filling a file takes milliseconds, and a processor that is busy with it, or
 * a disk whose queue it fills, holds up those whom a client waits for. Whoever does such work is
 * handed a pace, and rests behind each piece for as long as the caller finds good.
 */
#ifndef HOGA_BUS_PACE_H
#define HOGA_BUS_PACE_H

struct pace {
    void (*rest)(void *context);
    void *context;
};

/* NULL: without rests. */
static inline void pace_rest(const struct pace *pace)
{
    if (pace) pace->rest(pace->context);
}

#endif
