#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "engine/base/crc32c_wide.h"

/* RFC 3720 appendix B.4; the RFC prints the bytes as they go on the wire, lowest first. */
static void known_vectors(void **state)
{
    (void)state;
    uint8_t bytes[32];
    const uint8_t read_command[48] = {
        0x01, 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02};
    uint32_t (*const ways[])(uint32_t, const void *, size_t) = {crc32c, crc32c_table};
    for (unsigned way = 0; way < 2; way++) {
        memset(bytes, 0, sizeof bytes);
        assert_int_equal(ways[way](0, bytes, 32), 0x8a9136aa);
        memset(bytes, 0xff, sizeof bytes);
        assert_int_equal(ways[way](0, bytes, 32), 0x62a8ab43);
        for (uint8_t i = 0; i < 32; i++) bytes[i] = i;
        assert_int_equal(ways[way](0, bytes, 32), 0x46dd794e);
        for (uint8_t i = 0; i < 32; i++) bytes[i] = (uint8_t)(31 - i);
        assert_int_equal(ways[way](0, bytes, 32), 0x113fdb5c);
        assert_int_equal(ways[way](0, read_command, 48), 0xd9963a56);
        assert_int_equal(ways[way](0, "123456789", 9), 0xe3069283);
        assert_int_equal(ways[way](0, "", 0), 0);
    }
}

static void fill(uint8_t *bytes, size_t length)
{
    uint32_t x = 12345;
    for (size_t i = 0; i < length; i++) bytes[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
}

/* Every length and alignment that the word-wise way treats differently. */
static void the_instruction_gives_what_the_table_gives(void **state)
{
    (void)state;
    uint8_t bytes[320];
    fill(bytes, sizeof bytes);
    for (size_t from = 0; from < 9; from++)
        for (size_t length = 0; length <= 300; length++)
            assert_int_equal(crc32c((uint32_t)length, bytes + from, length),
                             crc32c_table((uint32_t)length, bytes + from, length));
}

static void a_copy_is_summed_with_its_padding(void **state)
{
    (void)state;
    _Alignas(8) uint8_t bytes[304], copy[312];
    fill(bytes, sizeof bytes);
    for (size_t length = 0; length <= 300; length++) {
        size_t whole = (length + 7) & ~(size_t)7;
        memset(copy, 0xaa, sizeof copy);
        uint32_t crc = crc32c_copy((uint32_t)length, copy, bytes, length);
        assert_memory_equal(copy, bytes, length);
        for (size_t i = length; i < whole; i++) assert_int_equal(copy[i], 0);
        assert_int_equal(copy[whole], 0xaa);
        assert_int_equal(crc, crc32c_table((uint32_t)length, copy, whole));
    }
    const uint64_t words[4] = {1, UINT64_MAX, 77, UINT64_C(0x123456789abcdef0)};
    uint64_t put[4];
    assert_int_equal(crc32c_put_four(99, put, words), crc32c_table(99, words, sizeof words));
    assert_memory_equal(put, words, sizeof words);
}

/* Also when the bytes before and behind the message are not zero, and wherever it lies in its
 * cache line. */
static void a_wide_copy_gives_what_the_table_gives(void **state)
{
    (void)state;
    enum { BYTES = 64 + CRC32C_WIDE_BYTES + 64 };
    _Alignas(64) uint8_t bytes[BYTES], copy[BYTES];
    fill(bytes, sizeof bytes);
    for (size_t from = 0; from < 64; from += 8)
        for (size_t length = 8; length <= CRC32C_WIDE_BYTES; length += 8) {
            size_t to = 56 - from;
            memset(copy, 0xaa, sizeof copy);
            uint32_t crc =
                crc32c_copy_wide((uint32_t)(length + from), copy + to, bytes + from, length);
            assert_memory_equal(copy + to, bytes + from, length);
            for (size_t i = 0; i < to; i++) assert_int_equal(copy[i], 0xaa);
            for (size_t i = to + CRC32C_WIDE_BYTES; i < BYTES; i++) assert_int_equal(copy[i], 0xaa);
            for (size_t i = to + length; i < to + CRC32C_WIDE_BYTES; i++)
                assert_true(copy[i] == 0 || copy[i] == 0xaa);
            assert_int_equal(crc, crc32c_table((uint32_t)(length + from), bytes + from, length));
        }
}

/* Multiplied by x^33, the power of a word with d words behind it is x^(64d). */
static void the_powers_are_powers(void **state)
{
    (void)state;
    enum { WORDS = CRC32C_WIDE_BYTES / 8 };
    uint32_t power = UINT32_C(1) << 31; /* 1, reflected */
    for (unsigned d = 0; d < WORDS; d++) {
        uint32_t product = (uint32_t)crc32c_powers[WORDS - 1 - d];
        for (unsigned i = 0; i < 33; i++)
            product = product & 1 ? (product >> 1) ^ UINT32_C(0x82f63b78) : product >> 1;
        assert_int_equal(product, power);
        assert_int_equal(crc32c_powers[WORDS - 1 - d] >> 32, 0);
        assert_int_equal(crc32c_powers[WORDS + d], 0);
        for (unsigned i = 0; i < 64; i++)
            power = power & 1 ? (power >> 1) ^ UINT32_C(0x82f63b78) : power >> 1;
    }
}

static void pieces_give_what_the_whole_gives(void **state)
{
    (void)state;
    uint8_t bytes[100];
    fill(bytes, sizeof bytes);
    uint32_t whole = crc32c(0, bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut++)
        assert_int_equal(crc32c(crc32c(0, bytes, cut), bytes + cut, sizeof bytes - cut), whole);
}

static void one_bit_is_noticed_anywhere(void **state)
{
    (void)state;
    uint8_t bytes[64];
    fill(bytes, sizeof bytes);
    uint32_t whole = crc32c(0, bytes, sizeof bytes);
    for (unsigned bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(crc32c(0, bytes, sizeof bytes), whole);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_vectors),
        cmocka_unit_test(the_instruction_gives_what_the_table_gives),
        cmocka_unit_test(a_copy_is_summed_with_its_padding),
        cmocka_unit_test(a_wide_copy_gives_what_the_table_gives),
        cmocka_unit_test(the_powers_are_powers),
        cmocka_unit_test(pieces_give_what_the_whole_gives),
        cmocka_unit_test(one_bit_is_noticed_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
