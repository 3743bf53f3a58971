/* hash.h - how the tables of the engine spread their keys over slots. Pure, any thread.
 *
 * Multiplies and folds the halves of the product, so that ids that follow one another, or differ in
 * high bits alone, land far apart in the low bits.
 */
#ifndef HOGA_BASE_HASH_H
#define HOGA_BASE_HASH_H

#include <stdint.h>

#define HASH_GOLDEN UINT64_C(0x9e3779b97f4a7c15) /* 2^64 over the golden ratio; odd */

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of two ids, in this order. */
static inline uint64_t hash_pair(uint32_t a, uint32_t b)
{
    return hash_mix((uint64_t)a << 32 | b, HASH_GOLDEN);
}

#endif
