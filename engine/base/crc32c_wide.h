/* crc32c_wide.h - copy and CRC-32C of a short message in whole vectors, without a branch on its
 * length: for messages that have lain in memory for a while, such as those in a ring. (What was
 * written a moment ago is better copied by crc32c_copy(), and says why.)
 *
 * A message of n words m[0] .. m[n-1] is read as sixteen, zeros behind it:
 *
 *   CRC = sum over i of m[i] * x^(64 * (n-1-i)), times x^32, modulo the polynomial
 *
 * Each word is multiplied, without carries, by its power of x (crc32c_powers), eight words at a
 * time; the sum of the products is 128 bits long, and two crc32 instructions make it a CRC. For the
 * method see V. Gopal and others, Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
 * (Intel, 2009).
 *
 * Pure: no state, any thread.
 */
#ifndef HOGA_BASE_CRC32C_WIDE_H
#define HOGA_BASE_CRC32C_WIDE_H

#include "engine/base/crc32c.h"

#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__VPCLMULQDQ__)
#include <immintrin.h>
#define CRC32C_HAS_WIDE 1
#endif

enum { CRC32C_WIDE_BYTES = 128 };

/* Sixteen powers, then zeros for the words behind the message: [15 - d] is that of a word with d
 * words behind it, x^(64d - 33) modulo the polynomial, reflected as CRCs are. 33: 32 for the place
 * in the word, 1 since the product of two reflected numbers comes out shifted by one. */
extern const uint64_t crc32c_powers[2 * CRC32C_WIDE_BYTES / sizeof(uint64_t)];

/* As crc32c_copy(), for 8 to CRC32C_WIDE_BYTES bytes, a multiple of 8. `to` has room for
 * CRC32C_WIDE_BYTES: what lies there behind the copy may be overwritten with zeros. Each byte of
 * `from` is read once, so that it does not matter when another process changes them meanwhile. */
static inline uint32_t crc32c_copy_wide(uint32_t crc, void *to, const void *from, size_t length)
{
#if defined(CRC32C_HAS_WIDE)
    size_t words = length / sizeof(uint64_t);
    const uint64_t *powers = crc32c_powers + CRC32C_WIDE_BYTES / sizeof(uint64_t) - words;
    unsigned wanted = (1u << words) - 1;
    __m512i a = _mm512_maskz_loadu_epi64((__mmask8)wanted, from);
    __m512i b = _mm512_maskz_loadu_epi64((__mmask8)(wanted >> 8), (const uint64_t *)from + 8);
    _mm512_storeu_si512(to, a);
    _mm512_storeu_si512((uint64_t *)to + 8, b);

    a = _mm512_xor_si512(a, _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~crc)));
    __m512i power_a = _mm512_loadu_si512(powers), power_b = _mm512_loadu_si512(powers + 8);
    __m512i even_a = _mm512_clmulepi64_epi128(a, power_a, 0x00);
    __m512i even_b = _mm512_clmulepi64_epi128(b, power_b, 0x00);
    __m512i odd_a = _mm512_clmulepi64_epi128(a, power_a, 0x11);
    __m512i odd_b = _mm512_clmulepi64_epi128(b, power_b, 0x11);
    __m512i sums = even_a ^ even_b ^ odd_a ^ odd_b;
    __m256i half = _mm512_castsi512_si256(sums) ^ _mm512_extracti64x4_epi64(sums, 1);
    __m128i sum = _mm256_castsi256_si128(half) ^ _mm256_extracti128_si256(half, 1);
    uint64_t c = _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(sum));
    return ~(uint32_t)_mm_crc32_u64(c, (uint64_t)_mm_extract_epi64(sum, 1));
#else
    return crc32c_copy(crc, to, from, length);
#endif
}

#endif
