#include "engine/base/crc32c.h"

#include <string.h>

#include "engine/base/crc32c_wide.h"

#define POLY UINT32_C(0x82f63b78) /* reflected */

const uint64_t crc32c_powers[2 * CRC32C_WIDE_BYTES / sizeof(uint64_t)] = {
    0x2ad91c30, 0x47db8317, 0xc49f4f67, 0x0715ce53, 0x083a6eec, 0x39d3b296, 0x740eef02, 0x9e4addf8,
    0x1c291d04, 0xddc0152b, 0x3da6d0cb, 0xba4fc28e, 0xf20c0dfe, 0x493c7d27, 0x00000001, 0xa9cdda0d,
};

/* The remainder of one byte, bit by bit: slow, and plainly the definition. */
static uint32_t row_of(uint8_t byte)
{
    uint32_t c = byte;
    for (int bit = 0; bit < 8; bit++) c = c & 1 ? (c >> 1) ^ POLY : c >> 1;
    return c;
}

uint32_t crc32c_table(uint32_t crc, const void *bytes, size_t length)
{
    const uint8_t *p = bytes;
    crc = ~crc;
    for (size_t i = 0; i < length; i++) crc = (crc >> 8) ^ row_of((uint8_t)(crc ^ p[i]));
    return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const void *bytes,
                                                               size_t length)
{
    const uint8_t *p = bytes;
    uint64_t c = ~crc;
    for (; length >= 8; p += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        c = __builtin_ia32_crc32di(c, word);
    }
    uint32_t c32 = (uint32_t)c;
    for (; length; p++, length--) c32 = __builtin_ia32_crc32qi(c32, *p);
    return ~c32;
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t length)
{
#if !defined(__SSE4_2__) /* else every processor that this program runs on has it */
    if (__builtin_expect(__builtin_cpu_supports("sse4.2") == 0, 0))
        return crc32c_table(crc, bytes, length);
#endif
    return crc32c_sse42(crc, bytes, length);
}

#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>

uint32_t crc32c(uint32_t crc, const void *bytes, size_t length)
{
    const uint8_t *p = bytes;
    crc = ~crc;
    for (; length >= 8; p += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        crc = __crc32cd(crc, word);
    }
    for (; length; p++, length--) crc = __crc32cb(crc, *p);
    return ~crc;
}

#else

uint32_t crc32c(uint32_t crc, const void *bytes, size_t length)
{
    return crc32c_table(crc, bytes, length);
}

#endif

#if !defined(__SSE4_2__) && !defined(__ARM_FEATURE_CRC32)
/* A build for processors that may lack the instruction asks for it at every call. */
uint32_t crc32c_copy(uint32_t crc, void *to, const void *from, size_t length)
{
    size_t whole = (length + 7) & ~(size_t)7;
    memcpy(to, from, length);
    memset((uint8_t *)to + length, 0, whole - length);
    return crc32c(crc, to, whole);
}
#endif
