/* hash.h - a seeded 64-bit hash, so that clients cannot choose ids that fall into one chain.
 *
 * Multiply-and-fold (Wang Yi, wyhash): not a signature, only hard to aim at without the seed.
 * Pure, any thread.
 */
#ifndef HOGA_WEB_REPLICA_HASH_H
#define HOGA_WEB_REPLICA_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_word(uint64_t seed, uint64_t word)
{
    return hash_fold(word ^ UINT64_C(0xa0761d6478bd642f), seed ^ UINT64_C(0xe7037ed1a0b428db));
}

static inline uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    uint64_t hash = hash_word(seed, length);
    while (length > 0) {
        uint64_t word = 0;
        size_t taken = length < sizeof word ? length : sizeof word;
        memcpy(&word, at, taken);
        hash = hash_word(seed ^ hash, word);
        at += taken;
        length -= taken;
    }
    return hash;
}

#endif
