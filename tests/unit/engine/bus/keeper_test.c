/* keeper_test.c - segments ahead and behind: made before they are needed, sealed when they are
 * final, removed when the rule and every reader allow it. Turn by turn; at the end with the thread,
 * beside the archiver's and a reader's. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/bus/archiver.h"
#include "engine/bus/keeper.h"
#include "engine/bus/reader_marks.h"
#include "failing_disk.h"
#include "store.h"

static struct store store;
static struct archiver archiver;
static struct keeper keeper;

static void open_parts(uint32_t segments_kept)
{
    archiver_init(&archiver, &store.instance, store.control, store.station);
    keeper_init(&keeper, &store.instance, store.control, store.station, &store.in, &store.out,
                segments_kept);
}

static void close_archives(void)
{
    archive_close(&archiver.in);
    archive_close(&archiver.out);
}

static int set_up(void **state)
{
    (void)state;
    disk_reset();
    store_create(&store, DURABILITY_DISK);
    open_parts(0);
    return 0;
}

static int set_up_to_keep_two(void **state)
{
    (void)set_up(state);
    keeper.segments_kept = 2;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    disk_reset();
    close_archives();
    bell_ringer_close(&archiver.bells);
    if (store.control) store_close(&store);
    store_remove(&store);
    return 0;
}

static bool has_ahead(enum journal_kind kind, uint32_t segment)
{
    char path[SEGMENT_PATH_BYTES + 8];
    segment_archive_path(path, &store.instance, kind, segment);
    strcat(path, ".ahead");
    return access(path, F_OK) == 0;
}

/* Both journals to the begin of a segment, all of it safe. */
static void fill_to_segment(uint32_t segment)
{
    uint64_t in = store_append_to_segment(&store, JOURNAL_IN, segment);
    uint64_t out = store_append_to_segment(&store, JOURNAL_OUT, segment);
    store_append(&store, JOURNAL_IN, in + 1, in > out ? in + 1 : out + 1);
    while (archiver_poll(&archiver)) continue;
    archiver_idle(&archiver);
}

static bool turn(void)
{
    bool memory = keeper_poll_memory(&keeper);
    return keeper_poll_disk(&keeper) || memory;
}

static void turns(unsigned count)
{
    while (count--) (void)turn();
}

static uint32_t sealed(enum journal_kind kind)
{
    return keeper.chains[kind].sealed;
}

static void count_rest(void *context)
{
    ++*(unsigned *)context;
}

/* Whatever takes long has rests in it: pages that are touched, zeros ahead of `in`, hashes. */
static void it_rests_at_all_that_takes_long(void **state)
{
    (void)state;
    unsigned rests = 0;
    keeper.pace = (struct pace){count_rest, &rests};
    assert_false(keeper_poll_memory(&keeper));
    assert_true(rests > 0);
    rests = 0;
    assert_false(keeper_poll_disk(&keeper));
    assert_int_equal(rests, SEGMENT_BYTES / (32 * 1024)); /* `out` is not filled */
    fill_to_segment(3);
    turns(1);
    rests = 0;
    (void)keeper_poll_disk(&keeper); /* two files there are already */
    assert_int_equal(sealed(JOURNAL_IN), 2);
    assert_true(rests > 0);
}

static void the_next_segments_are_there_in_memory_and_on_disk(void **state)
{
    (void)state;
    assert_false(turn());
    for (unsigned kind = 0; kind < 2; kind++) {
        assert_true(store_has_memory(&store, (enum journal_kind)kind, 2));
        assert_true(has_ahead((enum journal_kind)kind, 2));
    }
    fill_to_segment(2);
    turns(1);
    for (unsigned kind = 0; kind < 2; kind++) {
        assert_false(has_ahead((enum journal_kind)kind, 2)); /* in use */
        assert_true(store_has_archive(&store, (enum journal_kind)kind, 2));
        assert_true(has_ahead((enum journal_kind)kind, 3));
    }
}

static void a_full_disk_leaves_a_reserve_and_says_so(void **state)
{
    (void)state;
    turns(1);
    fill_to_segment(2);
    disk_reset();
    disk_fail_always(DISK_FALLOCATE, ENOSPC);
    unsigned writes = disk_calls(DISK_PWRITE);
    turns(2);
    assert_int_equal(control_disk(store.control), DISK_RESERVE);
    assert_int_equal(atomic_load(&store.control->disk_error), ENOSPC);
    assert_int_equal(disk_calls(DISK_FALLOCATE), 4);       /* it tries again */
    assert_int_equal(disk_calls(DISK_PWRITE), writes + 2); /* a line of each chain */
    disk_reset();
    (void)turn();
    assert_int_equal(control_disk(store.control), DISK_GOOD);
    assert_true(has_ahead(JOURNAL_IN, 3));
}

static void full_and_safe_segments_are_sealed(void **state)
{
    (void)state;
    struct chain chain;
    struct chain_check check = {0};
    fill_to_segment(4);
    assert_true(turn()); /* one of each journal a turn */
    assert_int_equal(sealed(JOURNAL_IN), 1);
    turns(5);
    assert_int_equal(sealed(JOURNAL_IN), 3);
    assert_int_equal(sealed(JOURNAL_OUT), 3);
    assert_int_equal(store_counter(&store, "sealed_segments"), 6);
    assert_false(turn());
    assert_int_equal(chain_verify(&chain, &store.instance, JOURNAL_IN, &check), STATUS_OK);
    assert_int_equal(check.compared, 3);
    assert_int_equal(chain_verify(&chain, &store.instance, JOURNAL_OUT, &check), STATUS_OK);
    assert_int_equal(check.compared, 3);
}

static void a_segment_that_is_full_but_not_safe_is_not_sealed(void **state)
{
    (void)state;
    (void)store_append_to_segment(&store, JOURNAL_IN, 3);
    turns(3);
    assert_int_equal(sealed(JOURNAL_IN), 0);
    while (archiver_poll(&archiver)) continue;
    turns(3);
    assert_int_equal(sealed(JOURNAL_IN), 2);
}

/* The disk has the events, but not yet the commands that caused them: a loss of power would take
 * them back. */
static void events_are_sealed_once_their_commands_are_safe(void **state)
{
    (void)state;
    uint64_t last = store_append_to_segment(&store, JOURNAL_OUT, 2), copied = 0;
    store_append(&store, JOURNAL_IN, 1, last);
    assert_int_equal(archive_copy(&archiver.out, journal_writer_position(&store.out), &copied),
                     STATUS_OK);
    assert_int_equal(archive_sync(&archiver.out), STATUS_OK);
    atomic_store(&store.control->out.durable_position, journal_writer_position(&store.out));
    for (int i = 0; i < 3; i++) assert_true(turn());
    assert_int_equal(sealed(JOURNAL_OUT), 0);
    while (archiver_poll(&archiver)) continue;
    turns(2);
    assert_int_equal(sealed(JOURNAL_OUT), 1);
}

static void sealing_goes_on_in_the_next_life(void **state)
{
    (void)state;
    fill_to_segment(3);
    turns(1); /* one of two */
    assert_int_equal(sealed(JOURNAL_IN), 1);
    close_archives();
    bell_ringer_close(&archiver.bells);
    store_close(&store);
    store_open(&store, DURABILITY_DISK);
    open_parts(0);
    turns(1);
    assert_int_equal(sealed(JOURNAL_IN), 2); /* and not the first once more */
    fill_to_segment(5);
    turns(8);
    assert_int_equal(sealed(JOURNAL_IN), 4);
    struct chain chain;
    struct chain_check check = {0};
    assert_int_equal(chain_verify(&chain, &store.instance, JOURNAL_IN, &check), STATUS_OK);
    assert_int_equal(check.compared, 4);
}

static void a_line_that_the_disk_did_not_take_is_added_later(void **state)
{
    (void)state;
    fill_to_segment(2);
    turns(1);
    assert_int_equal(sealed(JOURNAL_IN), 1);
    fill_to_segment(3);
    disk_fail_always(DISK_FTRUNCATE, ENOSPC); /* with which adding begins */
    turns(3);
    assert_int_equal(sealed(JOURNAL_IN), 1);
    assert_int_equal(disk_calls(DISK_FTRUNCATE), 3); /* the first line's, and one try in vain */
    disk_reset();
    keeper.seal_retry_ns = 0; /* a second later */
    turns(1);
    assert_int_equal(sealed(JOURNAL_IN), 2);
    assert_int_equal(sealed(JOURNAL_OUT), 2);
}

static void a_segment_that_somebody_removed_ends_the_chain(void **state)
{
    (void)state;
    char path[SEGMENT_PATH_BYTES];
    fill_to_segment(4);
    segment_archive_path(path, &store.instance, JOURNAL_IN, 2);
    assert_int_equal(unlink(path), 0);
    turns(6);
    assert_int_equal(sealed(JOURNAL_IN), 1);
    assert_int_equal(sealed(JOURNAL_OUT), 3);
    assert_false(turn()); /* and does not try for ever */
}

/* ---- retention ---- */

static void expect_archive_from(uint32_t in_first, uint32_t out_first, uint32_t last)
{
    for (uint32_t n = 1; n <= last; n++) {
        assert_int_equal(store_has_archive(&store, JOURNAL_IN, n), n >= in_first);
        assert_int_equal(store_has_archive(&store, JOURNAL_OUT, n), n >= out_first);
    }
}

static void write_mark(const char *name, uint32_t in_segment, uint32_t out_segment)
{
    assert_int_equal(reader_mark_write(&store.instance, name, in_segment, out_segment), STATUS_OK);
}

static void nothing_is_removed_that_somebody_may_need(void **state)
{
    (void)state;
    fill_to_segment(8);
    turns(20);
    assert_int_equal(sealed(JOURNAL_IN), 7);
    expect_archive_from(1, 1, 8); /* nobody has said what is needed */
    write_mark("reporter", 7, 3);
    turns(20);
    expect_archive_from(1, 1, 8); /* a start would replay from the beginning */
    write_mark(READER_MARK_SNAPSHOTS, 4, 6);
    turns(20);
    expect_archive_from(4, 3, 8);
    write_mark(READER_MARK_SNAPSHOTS, 8, 8);
    turns(20);
    expect_archive_from(6, 3, 8); /* the rule keeps two full ones */
    write_mark("new", 1, 1);
    write_mark("reporter", 8, 8);
    turns(20);
    expect_archive_from(6, 3, 8);
    assert_int_equal(store_counter(&store, "dropped_segments"), 5 + 2);
    struct chain chain;
    struct chain_check check = {0};
    assert_int_equal(chain_verify(&chain, &store.instance, JOURNAL_IN, &check), STATUS_OK);
    assert_int_equal(chain.dropped, 5);
    assert_int_equal(check.compared, 2);
}

static void a_mark_that_cannot_be_read_keeps_everything(void **state)
{
    (void)state;
    char path[INSTANCE_PATH_BYTES + 32];
    fill_to_segment(6);
    turns(10);
    write_mark(READER_MARK_SNAPSHOTS, 6, 6);
    (void)snprintf(path, sizeof path, "%s/readers/bad", store.instance.journal_dir);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    turns(10);
    expect_archive_from(1, 1, 6);
    assert_int_equal(unlink(path), 0); /* the operator gives that reader up */
    turns(10);
    expect_archive_from(4, 4, 6);
}

/* The line said that it goes, and the power went before the file did. */
static void a_removal_that_was_cut_short_is_finished(void **state)
{
    (void)state;
    fill_to_segment(6);
    turns(10);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(chain_drop(&keeper.chains[JOURNAL_IN]), STATUS_OK);
    expect_archive_from(1, 1, 6);
    close_archives();
    bell_ringer_close(&archiver.bells);
    store_close(&store);
    store_open(&store, DURABILITY_DISK);
    open_parts(2);
    turns(1);
    expect_archive_from(3, 1, 6);
}

static void without_a_rule_everything_stays(void **state)
{
    (void)state;
    fill_to_segment(6);
    write_mark(READER_MARK_SNAPSHOTS, 6, 6);
    turns(20);
    expect_archive_from(1, 1, 6);
}

/* ---- threads ---- */

struct following {
    enum journal_kind kind;
    uint64_t last;
    pthread_t thread;
};

/* Reads all of a journal while it is written, retired from memory, sealed and removed behind it. */
static void *follow(void *argument)
{
    struct following *self = argument;
    struct journal_reader reader;
    const struct journal_record *record;
    uint64_t n = 0;
    assert_int_equal(journal_reader_open(&reader, &store.instance, store.control, self->kind, 1),
                     STATUS_OK);
    while (n < self->last) {
        enum status status = journal_next(&reader, &record);
        if (status == STATUS_EMPTY) {
            usleep(200);
            continue;
        }
        if (status != STATUS_OK) fprintf(stderr, "%s\n", reader.where);
        assert_int_equal(status, STATUS_OK);
        expect_record(record, ++n);
        if (n % 64 == 0) usleep(50); /* falls behind: memory is gone when it comes */
    }
    journal_reader_close(&reader);
    return NULL;
}

static void readers_notice_nothing_while_segments_come_and_go(void **state)
{
    (void)state;
    enum { LAST = 12000 };
    struct following readers[] = {{.kind = JOURNAL_IN, .last = LAST},
                                  {.kind = JOURNAL_OUT, .last = LAST}};
    assert_int_equal(archiver_start(&archiver), STATUS_OK);
    assert_int_equal(keeper_start(&keeper), STATUS_OK);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&readers[i].thread, NULL, follow, &readers[i]), 0);
    for (uint64_t n = 1; n <= LAST; n++) {
        struct message m = message_of(n);
        while (!journal_writer_ready(&store.in) || !journal_writer_ready(&store.out)) usleep(50);
        for (unsigned kind = 0; kind < 2; kind++)
            (void)journal_append(kind ? &store.out : &store.in, kind ? n : n * 8, origin_of(3, n),
                                 (int64_t)n * 100, &m, sizeof m.header + m.header.block_length);
        archiver_wake(store.control);
    }
    for (unsigned i = 0; i < 2; i++) assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
    keeper_stop(&keeper);
    assert_int_equal(archiver_stop(&archiver), STATUS_OK);
    bell_ringer_init(&archiver.bells, &store.instance, store.control);
    assert_true(store.in.segment > 10);
    assert_false(store_has_memory(&store, JOURNAL_IN, 2));
    expect_journal(&store, NULL, JOURNAL_IN, 1, LAST);
    expect_journal(&store, NULL, JOURNAL_OUT, 1, LAST);
}

/* A disk that hangs does not keep the writer from its memory. */
static void memory_does_not_wait_for_the_disk(void **state)
{
    (void)state;
    enum { WAITS_MAX = 200000 };
    disk_hold(true);
    assert_int_equal(keeper_start(&keeper), STATUS_OK);
    for (uint64_t n = 1; store.in.segment < 5; n++) {
        struct message m = message_of(n);
        unsigned waits = 0;
        while (!journal_writer_ready(&store.in)) {
            usleep(100);
            if (++waits == WAITS_MAX) fail_msg("no memory while the disk hangs");
        }
        (void)journal_append(&store.in, n * 8, origin_of(3, n), (int64_t)n * 100, &m,
                             sizeof m.header + m.header.block_length);
    }
    assert_false(has_ahead(JOURNAL_IN, 2));
    disk_hold(false);
    while (!has_ahead(JOURNAL_IN, 6)) usleep(100);
    keeper_stop(&keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_next_segments_are_there_in_memory_and_on_disk, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_leaves_a_reserve_and_says_so, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(full_and_safe_segments_are_sealed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_segment_that_is_full_but_not_safe_is_not_sealed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(events_are_sealed_once_their_commands_are_safe, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(sealing_goes_on_in_the_next_life, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_that_the_disk_did_not_take_is_added_later, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_segment_that_somebody_removed_ends_the_chain, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_removed_that_somebody_may_need,
                                        set_up_to_keep_two, tear_down),
        cmocka_unit_test_setup_teardown(a_mark_that_cannot_be_read_keeps_everything,
                                        set_up_to_keep_two, tear_down),
        cmocka_unit_test_setup_teardown(a_removal_that_was_cut_short_is_finished,
                                        set_up_to_keep_two, tear_down),
        cmocka_unit_test_setup_teardown(without_a_rule_everything_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_rests_at_all_that_takes_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_does_not_wait_for_the_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(readers_notice_nothing_while_segments_come_and_go, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
