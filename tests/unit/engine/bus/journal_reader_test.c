/* journal_reader_test.c - to a record by its number, its time or its cause, wherever it lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/bus/archive.h"
#include "store.h"

enum { LAST = 5200, CAUSES_OF_EACH = 3 };

static struct store store;

/* What lies where: times and causes that many records share, also across two segments. */
static int64_t time_of(uint64_t n)
{
    return (int64_t)(n / 700) * 1000 + 5000;
}

static uint64_t cause_of(uint64_t n)
{
    return (n + CAUSES_OF_EACH - 1) / CAUSES_OF_EACH * 2; /* 2 2 2 4 4 4 ...: odd ones cause none */
}

static void append(enum journal_kind kind, uint64_t n)
{
    struct journal_writer *writer = kind == JOURNAL_IN ? &store.in : &store.out;
    struct message m = message_of(n);
    (void)journal_append(writer, kind == JOURNAL_OUT ? cause_of(n) : 0, origin_of(3, n), time_of(n),
                         &m, sizeof m.header + m.header.block_length);
    assert_int_equal(journal_writer_keep(writer, NULL), STATUS_OK);
}

static void archive_all(enum journal_kind kind)
{
    struct archive archive;
    struct journal_cursors *cursors = kind == JOURNAL_IN ? &store.control->in : &store.control->out;
    uint64_t copied = 0;
    archive_init(&archive, &store.instance, kind, cursors);
    assert_int_equal(archive_copy(&archive, atomic_load(&cursors->written_position), &copied),
                     STATUS_OK);
    assert_int_equal(archive_finish(&archive), STATUS_OK);
}

static int set_up(void **state)
{
    (void)state;
    store_create(&store, DURABILITY_DISK);
    for (uint64_t n = 1; n <= LAST; n++) {
        append(JOURNAL_IN, n);
        append(JOURNAL_OUT, n);
    }
    archive_all(JOURNAL_IN);
    archive_all(JOURNAL_OUT);
    atomic_store(&store.control->released_seq, LAST * 2);
    return store.in.segment > ARCHIVE_MEMORY_SEGMENTS_KEPT + 3 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(&store);
    store_remove(&store);
    return 0;
}

static seq_t first_of(struct journal_reader *reader)
{
    const struct journal_record *record;
    enum status status = journal_next(reader, &record);
    if (status == STATUS_EMPTY) return 0;
    assert_int_equal(status, STATUS_OK);
    seq_t seq = record->seq;
    if (seq < LAST) { /* and goes on behind it */
        assert_int_equal(journal_next(reader, &record), STATUS_OK);
        assert_int_equal(record->seq, seq + 1);
    }
    journal_reader_close(reader);
    return seq;
}

static seq_t first_by_seq(const struct control *control, seq_t seq)
{
    struct journal_reader reader;
    assert_int_equal(journal_reader_open(&reader, &store.instance, control, JOURNAL_IN, seq),
                     STATUS_OK);
    return first_of(&reader);
}

static seq_t first_by_time(const struct control *control, int64_t ns)
{
    struct journal_reader reader;
    assert_int_equal(journal_reader_open_time(&reader, &store.instance, control, JOURNAL_IN, ns),
                     STATUS_OK);
    return first_of(&reader);
}

static seq_t first_by_cause(const struct control *control, seq_t cause)
{
    struct journal_reader reader;
    assert_int_equal(journal_reader_open_cause(&reader, &store.instance, control, cause),
                     STATUS_OK);
    return first_of(&reader);
}

static void finds_each_number(void **state)
{
    (void)state;
    for (int live = 0; live <= 1; live++) {
        const struct control *control = live ? store.control : NULL;
        for (seq_t seq = 1; seq <= LAST; seq += 97)
            assert_int_equal(first_by_seq(control, seq), seq);
        assert_int_equal(first_by_seq(control, LAST), LAST);
        assert_int_equal(first_by_seq(control, LAST + 1), 0);
    }
}

static void finds_the_first_record_that_is_not_earlier(void **state)
{
    (void)state;
    for (int live = 0; live <= 1; live++) {
        const struct control *control = live ? store.control : NULL;
        assert_int_equal(first_by_time(control, -5), 1);
        assert_int_equal(first_by_time(control, 0), 1);
        assert_int_equal(first_by_time(control, 5000), 1);
        for (uint64_t n = 700; n <= LAST; n += 700) {
            assert_int_equal(first_by_time(control, time_of(n)), n);
            assert_int_equal(first_by_time(control, time_of(n) - 1), n);
            assert_int_equal(first_by_time(control, time_of(n) - 999), n);
        }
        assert_int_equal(first_by_time(control, time_of(LAST) + 1), 0);
    }
}

static void finds_what_a_command_has_caused(void **state)
{
    (void)state;
    for (int live = 0; live <= 1; live++) {
        const struct control *control = live ? store.control : NULL;
        assert_int_equal(first_by_cause(control, 1), 1);
        for (uint64_t n = 1; n <= LAST; n += CAUSES_OF_EACH) {
            if (n % 5) continue;
            assert_int_equal(first_by_cause(control, cause_of(n)), n);
            assert_int_equal(first_by_cause(control, cause_of(n) - 1), n);
        }
        assert_int_equal(first_by_cause(control, cause_of(LAST) + 1), 0);
    }
}

/* Nothing so late yet: the reader waits where the journal ends. */
static void waits_for_a_time_to_come(void **state)
{
    (void)state;
    struct journal_reader reader;
    const struct journal_record *record;
    assert_int_equal(journal_reader_open_time(&reader, &store.instance, store.control, JOURNAL_IN,
                                              time_of(LAST + 700)),
                     STATUS_OK);
    for (uint64_t n = LAST + 1; time_of(n) < time_of(LAST + 700); n++) {
        append(JOURNAL_IN, n);
        assert_int_equal(journal_next(&reader, &record), STATUS_EMPTY);
    }
    uint64_t n = store.in.next_seq;
    append(JOURNAL_IN, n);
    append(JOURNAL_IN, n + 1);
    assert_int_equal(journal_next(&reader, &record), STATUS_OK);
    assert_int_equal(record->seq, n);
    assert_int_equal(journal_next(&reader, &record), STATUS_OK);
    assert_int_equal(journal_next(&reader, &record), STATUS_EMPTY);
    journal_reader_close(&reader);
}

static void time_shows_nothing_that_is_not_released(void **state)
{
    (void)state;
    struct journal_reader reader;
    const struct journal_record *record;
    atomic_store(&store.control->released_seq, 1400);
    assert_int_equal(journal_reader_open_time(&reader, &store.instance, store.control, JOURNAL_IN,
                                              time_of(1400)),
                     STATUS_OK);
    assert_int_equal(journal_next(&reader, &record), STATUS_OK);
    assert_int_equal(record->seq, 1400);
    assert_int_equal(journal_next(&reader, &record), STATUS_EMPTY);
    journal_reader_close(&reader);
    assert_int_equal(first_by_time(store.control, time_of(2100)), 0);
}

static void remove_archive(uint32_t segment)
{
    char path[SEGMENT_PATH_BYTES];
    segment_archive_path(path, &store.instance, JOURNAL_IN, segment);
    assert_int_equal(unlink(path), 0);
}

static void says_what_was_removed(void **state)
{
    (void)state;
    struct journal_reader reader;
    const struct journal_record *record;
    remove_archive(1);
    remove_archive(2);
    assert_int_equal(journal_reader_open(&reader, &store.instance, NULL, JOURNAL_IN, 5), STATUS_OK);
    assert_int_equal(journal_next(&reader, &record), STATUS_CORRUPT);
    assert_non_null(strstr(reader.where, "what was before was removed, sequence 5 with it"));
    journal_reader_close(&reader);
    seq_t oldest = first_by_time(NULL, 0);
    assert_true(oldest > 1000);
    assert_int_equal(first_by_seq(NULL, oldest), oldest);
    assert_int_equal(first_by_seq(NULL, LAST), LAST);
}

static void a_gap_is_named(void **state)
{
    (void)state;
    struct journal_reader reader;
    const struct journal_record *record;
    remove_archive(2);
    assert_int_equal(journal_reader_open(&reader, &store.instance, NULL, JOURNAL_IN, 1), STATUS_OK);
    assert_int_equal(journal_next(&reader, &record), STATUS_CORRUPT);
    assert_non_null(strstr(reader.where, "segment 2 is missing"));
    journal_reader_close(&reader);
}

/* The power went when the last file had just been made. */
static void an_empty_file_is_none(void **state)
{
    (void)state;
    char path[SEGMENT_PATH_BYTES];
    seq_t begins = segment_first_seq(store.in.map);
    segment_archive_path(path, &store.instance, JOURNAL_IN, store.in.segment);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(first_by_seq(NULL, begins - 2), begins - 2);
    assert_int_equal(first_by_seq(NULL, begins), 0);
    expect_journal(&store, store.control, JOURNAL_IN, LAST + 1, LAST);
}

static void a_range_bears_files_that_come_and_go(void **state)
{
    (void)state;
    uint32_t first, last, missing;
    assert_int_equal(segment_range(store.instance.journal_dir, JOURNAL_IN, &first, &last, &missing),
                     STATUS_OK);
    assert_int_equal(first, 1);
    assert_int_equal(last, store.in.segment);
    remove_archive(1);
    assert_int_equal(segment_range(store.instance.journal_dir, JOURNAL_IN, &first, &last, &missing),
                     STATUS_OK);
    assert_int_equal(first, 2);
    remove_archive(4);
    assert_int_equal(segment_range(store.instance.journal_dir, JOURNAL_IN, &first, &last, &missing),
                     STATUS_CORRUPT);
    assert_int_equal(missing, 4);
    assert_int_equal(segment_range("/nowhere", JOURNAL_IN, &first, &last, &missing),
                     STATUS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_each_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_the_first_record_that_is_not_earlier, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(finds_what_a_command_has_caused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_for_a_time_to_come, set_up, tear_down),
        cmocka_unit_test_setup_teardown(time_shows_nothing_that_is_not_released, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_what_was_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_gap_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_file_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_range_bears_files_that_come_and_go, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
