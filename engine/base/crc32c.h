/* crc32c.h - CRC-32C (Castagnoli, RFC 3720 appendix B.4), as journal records carry it.
 *
 * Uses the processor's crc32 instruction where it has one, a table otherwise; both give the same
 * value. Pure: no state, any thread.
 */
#ifndef HOGA_BASE_CRC32C_H
#define HOGA_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(__x86_64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

/* CRC of `length` bytes, continuing from `crc` (0 to begin). */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t length);

/* The table's way, on every machine: what the instruction is tested against. */
uint32_t crc32c_table(uint32_t crc, const void *bytes, size_t length);

#if defined(__SSE4_2__) || defined(__ARM_FEATURE_CRC32)

/* One word more of the inverted checksum. */
static inline uint64_t crc32c_word(uint64_t c, uint64_t word)
{
#if defined(__SSE4_2__)
    return __builtin_ia32_crc32di(c, word);
#else
    return __crc32cd((uint32_t)c, word);
#endif
}

/* Writes a word and sums it. Volatile, so that it is one store of one word: compilers gather
 * neighbouring words into a vector register instead, which takes longer than the stores it saves,
 * and a word never lies across two cache lines. */
static inline uint64_t crc32c_put(uint64_t c, uint64_t *to, uint64_t word)
{
    *(volatile uint64_t *)to = word;
    return crc32c_word(c, word);
}

/* Writes four words and gives their CRC, continuing from `crc`. `to` is aligned to 8. */
static inline uint32_t crc32c_put_four(uint32_t crc, uint64_t *to, const uint64_t words[4])
{
    uint64_t c = (uint32_t)~crc;
    for (unsigned i = 0; i < 4; i++) c = crc32c_put(c, to + i, words[i]);
    return ~(uint32_t)c;
}

/* Copies `length` bytes and zeros up to a multiple of 8, and gives the CRC of what it has written,
 * continuing from `crc`: one pass over the bytes, for records that are written once and read from
 * memory. `to` and `from` are aligned to 8. Word by word, since what was written in words a moment
 * ago can be read in words at once, but in wider pieces only when all of it has reached the
 * cache. */
static inline uint32_t crc32c_copy(uint32_t crc, void *to, const void *from, size_t length)
{
    uint64_t *out = to, c = (uint32_t)~crc, word;
    const uint8_t *in = from;
#pragma GCC unroll 16
    for (; length >= 8; length -= 8, in += 8) {
        memcpy(&word, in, 8);
        c = crc32c_put(c, out++, word);
    }
    if (length) {
        word = 0;
        memcpy(&word, in, length);
        c = crc32c_put(c, out, word);
    }
    return ~(uint32_t)c;
}

#else

static inline uint32_t crc32c_put_four(uint32_t crc, uint64_t *to, const uint64_t words[4])
{
    memcpy(to, words, 4 * sizeof *words);
    return crc32c(crc, words, 4 * sizeof *words);
}

uint32_t crc32c_copy(uint32_t crc, void *to, const void *from, size_t length);

#endif

#endif
