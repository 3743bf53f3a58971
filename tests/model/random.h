/* random.h - numbers that one seed determines, the same on every machine (splitmix64). */
#ifndef HOGA_TESTS_RANDOM_H
#define HOGA_TESTS_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *self)
{
    uint64_t z = self->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* From 0 to count - 1; count is at least 1. */
static inline uint32_t random_below(struct random *self, uint32_t count)
{
    return (uint32_t)(random_next(self) % count);
}

/* From low to high, both included. */
static inline uint32_t random_between(struct random *self, uint32_t low, uint32_t high)
{
    return low + random_below(self, high - low + 1);
}

static inline bool random_chance(struct random *self, uint32_t percent)
{
    return random_below(self, 100) < percent;
}

#endif
