/* chain_test.c - a changed, missing or swapped segment is found, and so is a changed chain. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/bus/chain.h"
#include "failing_disk.h"
#include "store.h"

enum { SEGMENTS = 4, LINE_MAX_BYTES = 256, FILE_MAX_BYTES = 4096 };

static struct store store; /* only its directory: the segments are made by hand */

static void path_of(char path[SEGMENT_PATH_BYTES], uint32_t number)
{
    segment_archive_path(path, &store.instance, JOURNAL_IN, number);
}

static void chain_file(char path[SEGMENT_PATH_BYTES])
{
    (void)snprintf(path, SEGMENT_PATH_BYTES, "%s/in.chain", store.instance.journal_dir);
}

static void make_segment(uint32_t number)
{
    static uint8_t bytes[2 * JOURNAL_SEGMENT_HEADER_BYTES];
    char path[SEGMENT_PATH_BYTES];
    memset(bytes, (int)(number * 37), sizeof bytes);
    segment_write_header(bytes, &store.instance, JOURNAL_IN, number, sizeof bytes, number * 100);
    path_of(path, number);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, sizeof bytes, file), sizeof bytes);
    assert_int_equal(fclose(file), 0);
}

static void seal(uint32_t count)
{
    struct chain chain;
    assert_int_equal(chain_open(&chain, &store.instance, JOURNAL_IN), STATUS_OK);
    for (uint32_t i = 0; i < count; i++) assert_int_equal(chain_seal(&chain, NULL), STATUS_OK);
}

static int set_up(void **state)
{
    (void)state;
    disk_reset();
    memset(&store, 0, sizeof store);
    (void)snprintf(store.dir, sizeof store.dir, "/tmp/hoga_chain_test.XXXXXX");
    if (!mkdtemp(store.dir) || instance_create(&store.instance, store.dir) != STATUS_OK) return -1;
    for (uint32_t n = 1; n <= SEGMENTS; n++) make_segment(n);
    seal(SEGMENTS - 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    disk_reset();
    store_remove(&store);
    return 0;
}

static size_t read_file(const char *path, char bytes[FILE_MAX_BYTES])
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t length = fread(bytes, 1, FILE_MAX_BYTES, file);
    assert_true(length < FILE_MAX_BYTES);
    (void)fclose(file);
    return length;
}

static void write_file(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* What a shell command prints, to its first blank. */
static void ask_shell(char word[LINE_MAX_BYTES], const char *command)
{
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%255s", word), 1);
    assert_int_equal(pclose(pipe), 0);
}

/* With nothing but coreutils and what the header says. */
static void anybody_can_follow_it_with_sha256sum(void **state)
{
    (void)state;
    char file[SEGMENT_PATH_BYTES], path[SEGMENT_PATH_BYTES], command[2048];
    char link[LINE_MAX_BYTES], hash[LINE_MAX_BYTES], text[FILE_MAX_BYTES];
    chain_file(file);
    text[read_file(file, text)] = 0;
    (void)snprintf(command, sizeof command, "printf %%s%%s \"$(cat %s/instance)\" in | sha256sum",
                   store.dir);
    ask_shell(link, command);
    char *line = strtok(text, "\n");
    for (uint32_t n = 1; n <= SEGMENTS - 1; n++, line = strtok(NULL, "\n")) {
        uint32_t number;
        unsigned long long first_seq, bytes;
        char line_hash[65], line_link[65];
        assert_non_null(line);
        assert_int_equal(sscanf(line, "seal %u %llu %llu %64s %64s", &number, &first_seq, &bytes,
                                line_hash, line_link),
                         5);
        assert_int_equal(number, n);
        assert_int_equal(first_seq, n * 100);
        assert_int_equal(bytes, 2 * JOURNAL_SEGMENT_HEADER_BYTES);
        path_of(path, n);
        (void)snprintf(command, sizeof command, "sha256sum %s", path);
        ask_shell(hash, command);
        assert_string_equal(line_hash, hash);
        (void)snprintf(command, sizeof command, "printf %%s%%s %s '%.*s' | sha256sum", link,
                       (int)(strrchr(line, ' ') - line), line);
        ask_shell(link, command);
        assert_string_equal(line_link, link);
    }
    assert_null(line);
    struct chain chain;
    assert_int_equal(chain_open(&chain, &store.instance, JOURNAL_IN), STATUS_OK);
    assert_string_equal(chain.link, link);
}

static void each_byte_of_it_counts(void **state)
{
    (void)state;
    char file[SEGMENT_PATH_BYTES], bytes[FILE_MAX_BYTES];
    chain_file(file);
    size_t length = read_file(file, bytes);
    for (size_t i = 0; i + 1 < length; i++) {
        struct chain chain;
        const char was = bytes[i];
        bytes[i] ^= 1;
        write_file(file, bytes, length);
        assert_int_equal(chain_open(&chain, &store.instance, JOURNAL_IN), STATUS_CORRUPT);
        assert_non_null(strstr(chain.problem, "in.chain: offset"));
        bytes[i] = 0; /* zeros in its midst are no torn end */
        if (memchr(bytes + i, '\n', length - 1 - i)) {
            write_file(file, bytes, length);
            assert_int_equal(chain_open(&chain, &store.instance, JOURNAL_IN), STATUS_CORRUPT);
        }
        bytes[i] = was;
    }
}

static void a_line_that_is_left_out_is_missed(void **state)
{
    (void)state;
    char file[SEGMENT_PATH_BYTES], bytes[FILE_MAX_BYTES];
    struct chain chain;
    chain_file(file);
    size_t length = read_file(file, bytes);
    size_t first = (size_t)((char *)memchr(bytes, '\n', length) - bytes) + 1;
    write_file(file, bytes + first, length - first);
    assert_int_equal(chain_open(&chain, &store.instance, JOURNAL_IN), STATUS_CORRUPT);
    /* another exchange's */
    write_file(file, bytes, length);
    struct instance other = store.instance;
    other.id[0] = other.id[0] == '0' ? '1' : '0';
    assert_int_equal(chain_open(&chain, &other, JOURNAL_IN), STATUS_CORRUPT);
}

/* Wherever the power cut it: the line is written again, and the file is as it would have been. */
static void a_torn_last_line_is_written_again(void **state)
{
    (void)state;
    char file[SEGMENT_PATH_BYTES], bytes[FILE_MAX_BYTES], again[FILE_MAX_BYTES];
    chain_file(file);
    size_t length = read_file(file, bytes);
    size_t last = length - 1;
    while (bytes[last - 1] != '\n') last--;
    for (int zeros = 0; zeros <= 1; zeros++) {
        for (size_t cut = last; cut < length; cut += 13) {
            struct chain chain;
            memcpy(again, bytes, length);
            if (zeros) memset(again + cut, 0, length - 1 - cut);
            write_file(file, again, zeros ? length : cut);
            assert_int_equal(chain_open(&chain, &store.instance, JOURNAL_IN), STATUS_OK);
            assert_int_equal(chain.sealed, SEGMENTS - 2);
            assert_int_equal(chain_seal(&chain, NULL), STATUS_OK);
            assert_int_equal(read_file(file, again), length);
            assert_memory_equal(again, bytes, length);
        }
    }
}

static enum status verify(struct chain *chain, uint32_t *compared)
{
    struct chain_check check = {0};
    enum status status = chain_verify(chain, &store.instance, JOURNAL_IN, &check);
    *compared = check.compared;
    return status;
}

static void a_changed_byte_of_a_segment_is_found(void **state)
{
    (void)state;
    static const long places[] = {0, 64, 5000, 2 * JOURNAL_SEGMENT_HEADER_BYTES - 1};
    char path[SEGMENT_PATH_BYTES];
    struct chain chain;
    uint32_t compared;
    assert_int_equal(verify(&chain, &compared), STATUS_OK);
    assert_int_equal(compared, SEGMENTS - 1);
    path_of(path, 2);
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
        for (int restored = 0; restored <= 1; restored++) {
            FILE *file = fopen(path, "r+e");
            assert_non_null(file);
            assert_int_equal(fseek(file, places[i], SEEK_SET), 0);
            int byte = getc(file);
            assert_int_equal(fseek(file, places[i], SEEK_SET), 0);
            assert_int_equal(putc(byte ^ 0x10, file), byte ^ 0x10);
            assert_int_equal(fclose(file), 0);
            if (restored) break;
            assert_int_equal(verify(&chain, &compared), STATUS_CORRUPT);
            assert_int_equal(compared, 1);
            assert_non_null(strstr(chain.problem, "segment 2 of in is not what it was"));
        }
    }
    assert_int_equal(truncate(path, 2 * JOURNAL_SEGMENT_HEADER_BYTES - 8), 0);
    assert_int_equal(verify(&chain, &compared), STATUS_CORRUPT);
}

static void a_missing_or_swapped_segment_is_found(void **state)
{
    (void)state;
    char one[SEGMENT_PATH_BYTES], two[SEGMENT_PATH_BYTES], aside[SEGMENT_PATH_BYTES + 8];
    struct chain chain;
    uint32_t compared;
    path_of(one, 1);
    path_of(two, 2);
    (void)snprintf(aside, sizeof aside, "%s.aside", one);
    assert_int_equal(rename(two, aside), 0);
    assert_int_equal(verify(&chain, &compared), STATUS_CORRUPT);
    assert_non_null(strstr(chain.problem, "segment 2 of in is missing"));
    assert_int_equal(rename(one, two), 0);
    assert_int_equal(rename(aside, one), 0);
    assert_int_equal(verify(&chain, &compared), STATUS_CORRUPT);
    assert_non_null(strstr(chain.problem, "segment 1 of in is not what it was"));
}

static void what_the_rule_removed_is_not_missed_and_nothing_else(void **state)
{
    (void)state;
    char path[SEGMENT_PATH_BYTES];
    struct chain chain;
    uint32_t compared;
    assert_int_equal(chain_open(&chain, &store.instance, JOURNAL_IN), STATUS_OK);
    assert_int_equal(chain_drop(&chain), STATUS_OK);
    path_of(path, 1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(chain_seal(&chain, NULL), STATUS_OK);
    assert_int_equal(verify(&chain, &compared), STATUS_OK);
    assert_int_equal(chain.dropped, 1);
    assert_int_equal(chain.sealed, SEGMENTS);
    assert_int_equal(compared, SEGMENTS - 1);
    path_of(path, 2);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(verify(&chain, &compared), STATUS_CORRUPT);
}

static void a_kept_link_is_found_where_it_was(void **state)
{
    (void)state;
    char links[SEGMENTS + 1][CHAIN_HASH_TEXT];
    struct chain chain;
    char path[SEGMENT_PATH_BYTES];
    chain_file(path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(chain_open(&chain, &store.instance, JOURNAL_IN), STATUS_OK);
    memcpy(links[0], chain.link, sizeof links[0]);
    for (unsigned i = 1; i <= SEGMENTS; i++) {
        assert_int_equal(chain_seal(&chain, NULL), STATUS_OK);
        memcpy(links[i], chain.link, sizeof links[i]);
    }
    for (unsigned i = 0; i <= SEGMENTS; i++) {
        struct chain_check check = {.link = links[i]};
        assert_int_equal(chain_verify(&chain, &store.instance, JOURNAL_IN, &check), STATUS_OK);
        assert_true(check.has_link);
        links[i][63] = links[i][63] == 'a' ? 'b' : 'a';
        assert_int_equal(chain_verify(&chain, &store.instance, JOURNAL_IN, &check), STATUS_OK);
        assert_false(check.has_link);
    }
}

static void a_line_is_added_whole_or_not_at_all(void **state)
{
    (void)state;
    static const enum disk_call calls[] = {DISK_OPEN, DISK_FTRUNCATE, DISK_PWRITE, DISK_FSYNC};
    struct chain chain, again;
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        assert_int_equal(chain_open(&chain, &store.instance, JOURNAL_IN), STATUS_OK);
        disk_reset();
        disk_fail(calls[i], 1, 1, ENOSPC);
        errno = 0;
        assert_int_equal(i % 2 ? chain_drop(&chain) : chain_seal(&chain, NULL), STATUS_IO);
        assert_int_equal(errno, ENOSPC);
        assert_int_equal(chain.sealed, SEGMENTS - 1);
        assert_int_equal(chain.dropped, 0);
    }
    assert_int_equal(chain_seal(&chain, NULL), STATUS_OK);
    assert_int_equal(chain_open(&again, &store.instance, JOURNAL_IN), STATUS_OK);
    assert_int_equal(again.sealed, SEGMENTS);
    assert_string_equal(again.link, chain.link);
    assert_int_equal(chain_seal(&chain, NULL), STATUS_NOT_FOUND); /* there is none */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(anybody_can_follow_it_with_sha256sum, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_byte_of_it_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_that_is_left_out_is_missed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_last_line_is_written_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_changed_byte_of_a_segment_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_or_swapped_segment_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_rule_removed_is_not_missed_and_nothing_else,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kept_link_is_found_where_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_is_added_whole_or_not_at_all, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
