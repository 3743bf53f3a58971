/* read_ahead_test.c - what lies ahead of a reader is read, in the segment that it is in and the
 * next ones, and nothing that it is not near to. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "engine/bus/read_ahead.h"
#include "store.h"

#define MIB INT64_C(1048576)

enum {
    FILE_MIB = 40,
    SEGMENTS = 8,
    PART_MIB = 2, /* so much of a segment is written, at its begin; the rest is a hole */
    LOOKS_MAX = 5000,
};

static struct store store; /* only its directory: the segments are made by hand */
static struct read_ahead ahead;
static const uint64_t at_the_begin[2];

static void make_segment(enum journal_kind kind, uint32_t number)
{
    static uint8_t bytes[PART_MIB * MIB];
    char path[SEGMENT_PATH_BYTES];
    memset(bytes, (int)number, sizeof bytes);
    segment_archive_path(path, &store.instance, kind, number);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, sizeof bytes), sizeof bytes);
    assert_int_equal(ftruncate(fd, FILE_MIB * MIB), 0);
    assert_int_equal(fsync(fd), 0);
    assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    assert_int_equal(close(fd), 0);
}

static bool is_in_memory(enum journal_kind kind, uint32_t number)
{
    char path[SEGMENT_PATH_BYTES];
    unsigned char page;
    segment_archive_path(path, &store.instance, kind, number);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    void *map = mmap(NULL, FILE_MIB * MIB, PROT_READ, MAP_SHARED, fd, 0);
    assert_true(map != MAP_FAILED);
    assert_int_equal(mincore((uint8_t *)map + MIB, 1, &page), 0);
    assert_int_equal(munmap(map, FILE_MIB * MIB), 0);
    assert_int_equal(close(fd), 0);
    return page & 1;
}

static bool becomes_read(enum journal_kind kind, uint32_t number)
{
    for (unsigned look = 0; look < LOOKS_MAX; look++) {
        if (is_in_memory(kind, number)) return true;
        (void)usleep(1000);
    }
    return false;
}

static uint64_t position_of(uint32_t segment)
{
    return (uint64_t)segment << 32 | JOURNAL_SEGMENT_HEADER_BYTES;
}

static int set_up(void **state)
{
    (void)state;
    memset(&store, 0, sizeof store);
    memset(&ahead, 0, sizeof ahead);
    (void)snprintf(store.dir, sizeof store.dir, "/tmp/hoga_read_ahead_test.XXXXXX");
    if (!mkdtemp(store.dir) || instance_create(&store.instance, store.dir) != STATUS_OK) return -1;
    for (uint32_t number = 1; number <= SEGMENTS; number++) {
        make_segment(JOURNAL_IN, number);
        make_segment(JOURNAL_OUT, number);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    read_ahead_stop(&ahead);
    store_remove(&store);
    return 0;
}

/* Some file systems forget nothing. */
static void needs_a_disk(void)
{
    if (is_in_memory(JOURNAL_IN, 1)) skip();
}

static void reads_what_is_near_and_no_more(void **state)
{
    (void)state;
    needs_a_disk();
    read_ahead_start(&ahead, &store.instance, at_the_begin);
    for (unsigned kind = 0; kind < 2; kind++) {
        assert_true(becomes_read((enum journal_kind)kind, 1));
        assert_true(becomes_read((enum journal_kind)kind, 2));
    }
    (void)usleep(50 * 1000);
    for (unsigned kind = 0; kind < 2; kind++)
        assert_false(is_in_memory((enum journal_kind)kind, 3)); /* 80 MiB away */

    read_ahead_at(&ahead, position_of(1), position_of(3));
    assert_true(becomes_read(JOURNAL_OUT, 3));
    assert_true(becomes_read(JOURNAL_OUT, 4));
    (void)usleep(50 * 1000);
    assert_false(is_in_memory(JOURNAL_OUT, 5));
    assert_false(is_in_memory(JOURNAL_IN, 3));
}

static void follows_a_reader_that_has_gone_by(void **state)
{
    (void)state;
    needs_a_disk();
    const uint64_t position[2] = {position_of(5), position_of(6)};
    read_ahead_start(&ahead, &store.instance, position);
    assert_true(becomes_read(JOURNAL_IN, 6));
    assert_true(becomes_read(JOURNAL_OUT, 7));
    for (uint32_t number = 1; number < 5; number++) {
        assert_false(is_in_memory(JOURNAL_IN, number));
        assert_false(is_in_memory(JOURNAL_OUT, number));
    }
}

static void ends_where_the_journals_end(void **state)
{
    (void)state;
    const uint64_t position[2] = {position_of(SEGMENTS), position_of(SEGMENTS)};
    read_ahead_start(&ahead, &store.instance, position);
    assert_true(ahead.runs);
    assert_int_equal(pthread_join(ahead.thread, NULL), 0); /* by itself */
    ahead.runs = false;
}

static void nothing_is_started_nothing_is_stopped(void **state)
{
    (void)state;
    read_ahead_stop(&ahead);
    assert_false(ahead.runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_what_is_near_and_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(follows_a_reader_that_has_gone_by, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ends_where_the_journals_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_started_nothing_is_stopped, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
