/* crc32c.h - CRC-32C (Castagnoli, RFC 3720 appendix B.4), as journal records carry it.
 *
 * Uses the processor's crc32 instruction where it has one, a table otherwise; both give the same
 * value. Pure: no state, any thread.
 */
#ifndef HOGA_BASE_CRC32C_H
#define HOGA_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC of `length` bytes, continuing from `crc` (0 to begin). */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t length);

/* The table's way, on every machine: what the instruction is tested against. */
uint32_t crc32c_table(uint32_t crc, const void *bytes, size_t length);

#endif
