/* archive_test.c - one journal's way to disk, on a disk that fails at any of its calls. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/bus/archive.h"
#include "failing_disk.h"
#include "store.h"

enum { SYNC_EVERY = 100, LAST = 2600 }; /* records: some three segments of them */

static struct store store;
static struct archive archive;

static int set_up(void **state)
{
    (void)state;
    disk_reset();
    store_create(&store, DURABILITY_DISK);
    archive_init(&archive, &store.instance, JOURNAL_IN, &store.control->in);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    disk_reset();
    archive_close(&archive);
    if (store.control) store_close(&store);
    store_remove(&store);
    return 0;
}

static uint64_t written(void)
{
    return atomic_load(&store.control->in.written_position);
}

static void expect_archive(uint64_t last)
{
    expect_journal(&store, NULL, JOURNAL_IN, 1, last);
}

static void copies_and_syncs_segment_after_segment(void **state)
{
    (void)state;
    uint64_t copied = 0;
    for (uint64_t n = 1; n <= LAST; n += SYNC_EVERY) {
        store_append(&store, JOURNAL_IN, n, n + SYNC_EVERY - 1);
        assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_OK);
        assert_int_equal(archive_sync(&archive), STATUS_OK);
        expect_archive(n + SYNC_EVERY - 1);
    }
    assert_true(store.in.segment >= 3);
    assert_int_equal(copied, (store.in.segment - 1) * (uint64_t)SEGMENT_BYTES + store.in.offset);
    assert_int_equal(archive_finish(&archive), STATUS_OK);
    char path[SEGMENT_PATH_BYTES];
    struct stat file;
    segment_archive_path(path, &store.instance, JOURNAL_IN, store.in.segment);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_size, store.in.offset);
}

static void memory_goes_once_three_newer_segments_are_full(void **state)
{
    (void)state;
    uint64_t copied = 0;
    store_append_to_segment(&store, JOURNAL_IN, 6);
    assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_OK);
    for (uint32_t n = 1; n <= 6; n++)
        assert_int_equal(store_has_memory(&store, JOURNAL_IN, n),
                         n > 5 - ARCHIVE_MEMORY_SEGMENTS_KEPT);
}

/* Whatever has failed, and however often: again until it works. What must then be there is all. */
static void until_it_works(uint64_t last, unsigned *failures)
{
    uint64_t copied = 0;
    for (unsigned tries = 0; tries < 50; tries++) {
        enum status status = archive_copy(&archive, written(), &copied);
        if (status == STATUS_OK) status = archive_sync(&archive);
        if (status == STATUS_OK) status = archive_mark(&archive);
        if (status == STATUS_OK) {
            expect_archive(last);
            return;
        }
        assert_int_equal(status, STATUS_IO);
        assert_int_equal(archive.error, EIO);
        assert_non_null(archive.what);
        ++*failures;
    }
    fail_msg("gave up");
}

static void all_of_it_with(enum disk_call call, unsigned at, unsigned times, unsigned *failures)
{
    disk_reset();
    disk_fail(call, at, times, EIO);
    for (uint64_t n = 1; n <= LAST; n += SYNC_EVERY) {
        store_append(&store, JOURNAL_IN, n, n + SYNC_EVERY - 1);
        until_it_works(n + SYNC_EVERY - 1, failures);
    }
}

/* Every call of every kind fails once, and three times running. */
static void loses_nothing_whatever_call_fails(void **state)
{
    static const char *const names[] = {"open",      "pwrite", "fdatasync", "fsync",
                                        "fallocate", "rename", "ftruncate"};
    (void)state;
    for (unsigned call = 0; call < DISK_CALLS; call++) {
        /* reading the archive back each time is slow: of the many calls, every seventh */
        for (unsigned at = 1, step = 1;; at += step, step = at > 12 ? 7 : 1) {
            unsigned failures = 0;
            disk_reset();
            for (unsigned times = 1; times <= 3; times += 2) {
                all_of_it_with((enum disk_call)call, at, times, &failures);
                (void)tear_down(NULL);
                (void)set_up(NULL);
            }
            if (failures == 0) {
                print_message("%s: to the %uth\n", names[call], at);
                assert_true(call == DISK_FTRUNCATE || call == DISK_RENAME || at > 1);
                break;
            }
        }
    }
}

static ino_t file_number(uint32_t segment)
{
    char path[SEGMENT_PATH_BYTES];
    struct stat file;
    segment_archive_path(path, &store.instance, JOURNAL_IN, segment);
    assert_int_equal(stat(path, &file), 0);
    return file.st_ino;
}

/* The kernel has dropped the pages of a sync that failed and calls the next one good. */
static void what_a_failed_sync_held_is_written_into_a_new_file(void **state)
{
    (void)state;
    uint64_t copied = 0;
    store_append(&store, JOURNAL_IN, 1, 50);
    assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_OK);
    assert_int_equal(archive_sync(&archive), STATUS_OK);
    ino_t before = file_number(1);
    disk_fail(DISK_FDATASYNC, 1, 1, EIO);
    store_append(&store, JOURNAL_IN, 51, 90);
    assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_OK);
    assert_int_equal(archive_sync(&archive), STATUS_IO);
    assert_string_equal(archive.what, "sync");
    expect_archive(50); /* dropped indeed */
    /* as long as there is no new file, nothing is safe */
    disk_fail(DISK_RENAME, 1, 2, ENOSPC);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(archive_sync(&archive), STATUS_IO);
        assert_int_equal(archive.error, ENOSPC);
    }
    assert_int_equal(archive_mark(&archive), STATUS_OK); /* nothing to mark */
    assert_int_equal(archive.watermark, 0);
    assert_int_equal(archive_sync(&archive), STATUS_OK);
    expect_archive(90);
    assert_int_not_equal(file_number(1), before);
    store_append(&store, JOURNAL_IN, 91, 120);
    assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_OK);
    assert_int_equal(archive_finish(&archive), STATUS_OK);
    expect_archive(120);
}

static void a_write_may_come_in_pieces_and_stop_at_a_full_disk(void **state)
{
    (void)state;
    uint64_t copied = 0;
    disk_limit_write(1000);
    store_append(&store, JOURNAL_IN, 1, 100);
    disk_fail(DISK_PWRITE, 5, 2, ENOSPC);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_IO);
        assert_int_equal(archive.error, ENOSPC);
        assert_string_equal(archive.what, "write");
    }
    assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_OK);
    assert_int_equal(archive_sync(&archive), STATUS_OK);
    expect_archive(100);
}

static void what_the_keeper_prepared_is_used(void **state)
{
    (void)state;
    char ahead[SEGMENT_PATH_BYTES + 8], path[SEGMENT_PATH_BYTES];
    struct stat file;
    uint64_t copied = 0;
    segment_archive_path(path, &store.instance, JOURNAL_IN, 1);
    (void)snprintf(ahead, sizeof ahead, "%s.ahead", path);
    assert_int_equal(archive_prepare(&store.instance, JOURNAL_IN, 1, SEGMENT_BYTES, NULL),
                     STATUS_OK);
    assert_int_equal(archive_prepare(&store.instance, JOURNAL_IN, 1, SEGMENT_BYTES, NULL),
                     STATUS_OK);
    assert_int_equal(disk_calls(DISK_RENAME), 1); /* the second found it */
    assert_int_equal(stat(ahead, &file), 0);
    assert_int_equal(file.st_size, SEGMENT_BYTES);
    store_append(&store, JOURNAL_IN, 1, 10);
    assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_OK);
    assert_int_equal(file_number(1), file.st_ino);
    assert_int_equal(access(ahead, F_OK), -1);
    /* not made again for a segment that is in use */
    unsigned writes = disk_calls(DISK_PWRITE);
    assert_int_equal(archive_prepare(&store.instance, JOURNAL_IN, 1, SEGMENT_BYTES, NULL),
                     STATUS_OK);
    assert_int_equal(access(ahead, F_OK), -1);
    assert_int_equal(disk_calls(DISK_PWRITE), writes);
    /* and if it was made at the very moment, nobody keeps it */
    assert_int_equal(symlink(path, ahead), 0);
    archive_close(&archive);
    archive_init(&archive, &store.instance, JOURNAL_IN, &store.control->in);
    assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_OK);
    assert_int_equal(access(ahead, F_OK), -1);
}

static void preparing_fails_whole_or_not_at_all(void **state)
{
    (void)state;
    static const enum disk_call calls[] = {DISK_OPEN, DISK_FALLOCATE, DISK_PWRITE, DISK_FSYNC,
                                           DISK_RENAME};
    char ahead[SEGMENT_PATH_BYTES + 8], path[SEGMENT_PATH_BYTES];
    segment_archive_path(path, &store.instance, JOURNAL_IN, 7);
    (void)snprintf(ahead, sizeof ahead, "%s.ahead", path);
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        disk_reset();
        disk_fail(calls[i], 1, 1, ENOSPC);
        errno = 0;
        assert_int_equal(archive_prepare(&store.instance, JOURNAL_IN, 7, SEGMENT_BYTES, NULL),
                         STATUS_IO);
        assert_int_equal(errno, ENOSPC);
        assert_int_equal(access(ahead, F_OK), -1);
        strcat(ahead, ".new");
        assert_int_equal(access(ahead, F_OK), -1);
        ahead[strlen(ahead) - 4] = 0;
    }
    assert_int_equal(archive_prepare(&store.instance, JOURNAL_IN, 7, SEGMENT_BYTES, NULL),
                     STATUS_OK);
    /* events have room kept for them, and are written once */
    unsigned writes = disk_calls(DISK_PWRITE);
    assert_int_equal(archive_prepare(&store.instance, JOURNAL_OUT, 7, SEGMENT_BYTES, NULL),
                     STATUS_OK);
    assert_int_equal(disk_calls(DISK_PWRITE), writes);
}

/* Answers wait for whoever goes on into the next segment. */
static void going_on_asks_little_of_the_disk(void **state)
{
    (void)state;
    uint64_t copied = 0;
    for (uint32_t n = 1; n <= 3; n++)
        assert_int_equal(archive_prepare(&store.instance, JOURNAL_IN, n, SEGMENT_BYTES, NULL),
                         STATUS_OK);
    store_append(&store, JOURNAL_IN, 1, 10);
    assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_OK);
    assert_int_equal(archive_sync(&archive), STATUS_OK);
    for (uint32_t n = 2; n <= 3; n++) {
        uint64_t last = store_append_to_segment(&store, JOURNAL_IN, n);
        unsigned fsyncs = disk_calls(DISK_FSYNC), syncs = disk_calls(DISK_FDATASYNC);
        assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_OK);
        assert_int_equal(archive_sync(&archive), STATUS_OK);
        assert_int_equal(disk_calls(DISK_FSYNC), fsyncs); /* nor of the directory */
        assert_int_equal(disk_calls(DISK_FDATASYNC), syncs + 2);
        expect_archive(last);
        assert_true(archive.has_left);
        archive_tidy(&archive);
        assert_false(archive.has_left);
    }
}

static void take_name(uint32_t number, bool is_in_making)
{
    char ahead[SEGMENT_AHEAD_PATH_BYTES], path[SEGMENT_PATH_BYTES];
    segment_archive_path(path, &store.instance, JOURNAL_IN, number);
    segment_ahead_path(ahead, &store.instance, JOURNAL_IN, number, is_in_making);
    assert_int_equal(rename(path, ahead), 0);
}

/* The power fails before a name has reached the disk. */
static void a_file_without_its_name_is_read_and_adopted(void **state)
{
    (void)state;
    char ahead[SEGMENT_AHEAD_PATH_BYTES], path[SEGMENT_PATH_BYTES];
    uint64_t copied = 0, last = store_append_to_segment(&store, JOURNAL_IN, 3);
    assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_OK);
    assert_int_equal(archive_sync(&archive), STATUS_OK);
    assert_int_equal(archive_prepare(&store.instance, JOURNAL_IN, 4, SEGMENT_BYTES, NULL),
                     STATUS_OK);
    archive_close(&archive);
    take_name(2, true);
    take_name(3, false);
    expect_archive(last);
    disk_fail(DISK_RENAME, 1, 1, EIO);
    assert_int_equal(archive_adopt(&store.instance), STATUS_IO);
    disk_fail(DISK_FSYNC, 1, 1, EIO);
    assert_int_equal(archive_adopt(&store.instance), STATUS_IO);
    assert_int_equal(archive_adopt(&store.instance), STATUS_OK);
    for (uint32_t n = 1; n <= 3; n++) assert_true(store_has_archive(&store, JOURNAL_IN, n));
    expect_archive(last);
    /* one that was not used may hold anything now */
    segment_ahead_path(ahead, &store.instance, JOURNAL_IN, 4, false);
    assert_int_equal(access(ahead, F_OK), -1);
    /* and a segment that has its name keeps it */
    segment_archive_path(path, &store.instance, JOURNAL_IN, 3);
    segment_ahead_path(ahead, &store.instance, JOURNAL_IN, 3, false);
    assert_int_equal(link(path, ahead), 0);
    assert_int_equal(archive_adopt(&store.instance), STATUS_OK);
    assert_int_equal(access(ahead, F_OK), -1);
    expect_archive(last);
    archive_init(&archive, &store.instance, JOURNAL_IN, &store.control->in);
}

/* A primary dies in its third segment, and the disk had not taken anything yet. */
static void begins_at_the_first_segment_when_nothing_was_safe(void **state)
{
    (void)state;
    uint64_t last = store_append_to_segment(&store, JOURNAL_IN, 3), copied = 0;
    archive_close(&archive);
    archive_init(&archive, &store.instance, JOURNAL_IN, &store.control->in);
    assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_OK);
    assert_int_equal(archive_sync(&archive), STATUS_OK);
    expect_archive(last);
}

/* The next life goes on from the cursor: what it had not reached is copied again. */
static void goes_on_behind_what_is_safe(void **state)
{
    (void)state;
    uint64_t copied = 0;
    store_append_to_segment(&store, JOURNAL_IN, 2);
    assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_OK);
    assert_int_equal(archive_sync(&archive), STATUS_OK);
    atomic_store(&store.control->in.durable_position, written());
    uint64_t safe = store.in.offset, next = store.in.next_seq;
    store_append(&store, JOURNAL_IN, next, next + 50);
    disk_fail(DISK_FDATASYNC, 1, 1, EIO); /* drops them */
    assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_OK);
    assert_int_equal(archive_sync(&archive), STATUS_IO);
    archive_close(&archive);
    archive_init(&archive, &store.instance, JOURNAL_IN, &store.control->in);
    copied = 0;
    assert_int_equal(archive_copy(&archive, written(), &copied), STATUS_OK);
    assert_int_equal(copied, store.in.offset - safe);
    assert_int_equal(archive_sync(&archive), STATUS_OK);
    expect_archive(next + 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(copies_and_syncs_segment_after_segment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_goes_once_three_newer_segments_are_full, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(loses_nothing_whatever_call_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_failed_sync_held_is_written_into_a_new_file, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_write_may_come_in_pieces_and_stop_at_a_full_disk, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_the_keeper_prepared_is_used, set_up, tear_down),
        cmocka_unit_test_setup_teardown(preparing_fails_whole_or_not_at_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(going_on_asks_little_of_the_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_without_its_name_is_read_and_adopted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(begins_at_the_first_segment_when_nothing_was_safe, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(goes_on_behind_what_is_safe, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
