/* journal_test.c - the event store: segments, archive, released cursors, crashes and damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/bus/archiver.h"
#include "engine/bus/journal_writer.h"
#include "engine/bus/segment.h"
#include "engine/bus/shared_file.h"
#include "store.h"

static struct store store;
static struct archiver archiver;

static void open_store(void)
{
    store_open(&store, DURABILITY_DISK);
    archiver_init(&archiver, &store.instance, store.control, store.station);
    assert_int_equal(archiver_start(&archiver), STATUS_OK);
}

/* As the core ends: everything archived. `crash` leaves memory as it is, but what was archived
 * meanwhile is not taken back: the archiver's own death at any point is the processes' test. */
static void close_store(bool crash)
{
    assert_int_equal(archiver_stop(&archiver), STATUS_OK);
    store_close(&store);
    if (!crash) instance_remove_shm(&store.instance);
}

static int set_up(void **state)
{
    (void)state;
    store_create(&store, DURABILITY_DISK);
    archiver_init(&archiver, &store.instance, store.control, store.station);
    return archiver_start(&archiver) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    store_remove(&store);
    return 0;
}

static void append(enum journal_kind kind, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n <= to; n++) {
        store_append(&store, kind, n, n);
        archiver_wake(store.control);
    }
}

static void wait_released(seq_t seq)
{
    while (atomic_load(&store.control->released_seq) < seq) usleep(100);
}

static void readers_see_all_that_is_released_over_many_segments(void **state)
{
    (void)state;
    struct journal_reader early;
    assert_int_equal(journal_reader_open(&early, &store.instance, store.control, JOURNAL_IN, 1),
                     STATUS_OK);
    append(JOURNAL_IN, 1, 10);
    wait_released(10);
    expect_records(&early, 1, 10); /* stays in the first segment while memory moves on */
    append(JOURNAL_IN, 11, 5000);
    append(JOURNAL_OUT, 1, 5000);
    wait_released(5000);
    assert_true(store.in.segment > ARCHIVE_MEMORY_SEGMENTS_KEPT + 2);
    char path[SEGMENT_PATH_BYTES];
    segment_memory_path(path, &store.instance, JOURNAL_IN, 2);
    while (access(path, F_OK) == 0) usleep(100); /* memory lets it go: the archive serves it */
    expect_records(&early, 11, 5000);
    journal_reader_close(&early);
    expect_journal(&store, store.control, JOURNAL_IN, 1, 5000);
    expect_journal(&store, store.control, JOURNAL_OUT, 1, 5000);
    expect_journal(&store, store.control, JOURNAL_IN, 4321, 5000);
    expect_journal(&store, store.control, JOURNAL_IN, 5001, 5000);
    close_store(false);
    expect_journal(&store, NULL, JOURNAL_IN, 1, 5000); /* the archive alone is whole */
    expect_journal(&store, NULL, JOURNAL_OUT, 77, 5000);
}

static void nothing_is_seen_before_it_is_released(void **state)
{
    (void)state;
    struct journal_reader in, out;
    const struct journal_record *r;
    append(JOURNAL_IN, 1, 4);
    wait_released(4);
    assert_int_equal(archiver_stop(&archiver), STATUS_OK); /* nothing becomes durable any more */
    append(JOURNAL_IN, 5, 9);
    append(JOURNAL_OUT, 1, 9);
    assert_int_equal(journal_reader_open(&in, &store.instance, store.control, JOURNAL_IN, 1),
                     STATUS_OK);
    assert_int_equal(journal_reader_open(&out, &store.instance, store.control, JOURNAL_OUT, 1),
                     STATUS_OK);
    expect_records(&in, 1, 4);
    assert_int_equal(journal_next(&in, &r), STATUS_EMPTY);
    expect_records(&out, 1, 4); /* events of released commands only */
    assert_int_equal(journal_next(&out, &r), STATUS_EMPTY);
    atomic_store(&store.control->released_seq, 6);
    expect_records(&in, 5, 6);
    expect_records(&out, 5, 6);
    assert_int_equal(journal_next(&in, &r), STATUS_EMPTY);
    journal_reader_close(&in);
    journal_reader_close(&out);
    store_close(&store);
}

static void nobody_but_recovery_knows_of_a_record_before_it_is_published(void **state)
{
    (void)state;
    append(JOURNAL_IN, 1, 4);
    wait_released(4);
    for (uint64_t n = 5; n <= 7; n++) {
        struct message m = message_of(n);
        (void)journal_put(&store.in, n * 8, origin_of(3, n), (int64_t)n * 100, &m,
                          sizeof m.header + m.header.block_length);
    }
    assert_int_equal(atomic_load(&store.control->in.written_seq), 4);
    struct journal_reader reader, recovery;
    const struct journal_record *r;
    assert_int_equal(journal_reader_open(&reader, &store.instance, store.control, JOURNAL_IN, 1),
                     STATUS_OK);
    /* even if somebody releases too much */
    uint64_t released = atomic_exchange(&store.control->released_seq, 7);
    expect_records(&reader, 1, 4);
    assert_int_equal(journal_next(&reader, &r), STATUS_EMPTY);
    atomic_store(&store.control->released_seq, released);
    assert_int_equal(
        journal_reader_open_recovery(&recovery, &store.instance, store.control, JOURNAL_IN),
        STATUS_OK);
    expect_records(&recovery, 1, 7);
    assert_int_equal(journal_next(&recovery, &r), STATUS_EMPTY);
    journal_reader_close(&recovery);
    journal_publish(&store.in);
    archiver_wake(store.control);
    wait_released(7);
    expect_records(&reader, 5, 7);
    journal_reader_close(&reader);
    close_store(false);
    expect_journal(&store, NULL, JOURNAL_IN, 1, 7);
}

/* Not even zeros are missing where it was refused: a shorter record may end before its bytes. */
static void what_is_not_framed_as_long_as_it_is_is_not_put(void **state)
{
    (void)state;
    _Alignas(8) uint8_t bytes[SBE_MESSAGE_MAX_BYTES];
    append(JOURNAL_IN, 1, 3);
    uint64_t offset = store.in.offset;
    for (size_t length = sizeof(struct sbe_header); length <= sizeof bytes; length += 4) {
        struct sbe_header header = sbe_header_of(77, length - sizeof header + 1);
        memset(bytes, 0xee, sizeof bytes);
        memcpy(bytes, &header, sizeof header);
        assert_null(journal_put_received(&store.in, 8, 1, 1, bytes, length));
        assert_int_equal(store.in.offset, offset);
        for (uint64_t i = offset; i < store.in.segment_bytes; i++)
            assert_int_equal(store.in.map[i], 0);
    }
    append(JOURNAL_IN, 4, 9);
    wait_released(9);
    expect_journal(&store, store.control, JOURNAL_IN, 1, 9);
    close_store(false);
}

/* So many may be put and all stay in place: the segment is not left before the next one. */
static void says_how_many_records_fit(void **state)
{
    (void)state;
    struct longest {
        struct sbe_header header;
        uint8_t block[SBE_MESSAGE_MAX_BYTES - sizeof(struct sbe_header)];
    } m = {.header = sbe_header_of(77, sizeof m.block)};
    uint32_t segment = store.in.segment, fits;
    while ((fits = journal_writer_fits(&store.in)) > 0) {
        for (uint32_t i = 0; i < (fits + 1) / 2; i++)
            (void)journal_put(&store.in, 1, 1, 1, &m, sizeof m);
        assert_int_equal(store.in.segment, segment);
    }
    (void)journal_put(&store.in, 1, 1, 1, &m, sizeof m);
    assert_int_equal(store.in.segment, segment + 1);
    journal_publish(&store.in);
    assert_int_equal(journal_writer_keep(&store.in, NULL), STATUS_OK);
    close_store(false);
}

static void goes_on_after_a_crash_from_memory(void **state)
{
    (void)state;
    append(JOURNAL_IN, 1, 700);
    append(JOURNAL_OUT, 1, 700);
    wait_released(700);
    /* the writer dies in the middle of a record: bytes there, frame not */
    memset(store.in.map + store.in.offset + 4, 0xab, 150);
    close_store(true);
    open_store();
    assert_int_equal(store.in.next_seq, 701);
    append(JOURNAL_IN, 701, 1500);
    append(JOURNAL_OUT, 701, 1500);
    wait_released(1500);
    expect_journal(&store, store.control, JOURNAL_IN, 1, 1500);
    close_store(false);
    expect_journal(&store, NULL, JOURNAL_OUT, 1, 1500);
}

static void goes_on_after_a_stop_from_the_archive(void **state)
{
    (void)state;
    uint64_t last = 0;
    for (int life = 0; life < 8; life++) {
        append(JOURNAL_IN, last + 1, last + 333);
        append(JOURNAL_OUT, last + 1, last + 333);
        last += 333;
        close_store(life % 3 == 1);
        open_store();
        assert_int_equal(store.in.next_seq, last + 1);
        assert_int_equal(store.out.next_seq, last + 1);
    }
    wait_released(last);
    expect_journal(&store, store.control, JOURNAL_IN, 1, last);
    close_store(false);
    expect_journal(&store, NULL, JOURNAL_IN, 1, last);
}

/* Offset of a record in an archive segment. */
static uint64_t offset_of_seq(uint32_t segment, seq_t seq)
{
    char path[SEGMENT_PATH_BYTES];
    struct shared_file file;
    const struct journal_record *r = NULL;
    segment_archive_path(path, &store.instance, JOURNAL_IN, segment);
    assert_int_equal(shared_file_open(&file, path, false), STATUS_OK);
    uint64_t at = JOURNAL_SEGMENT_HEADER_BYTES;
    while (segment_look(file.map, file.bytes, at, &r) == SEGMENT_RECORD && r->seq != seq)
        at += record_length(atomic_load(&r->frame));
    assert_int_equal(r->seq, seq);
    shared_file_close(&file);
    return at;
}

static void change_archive(uint32_t segment, uint64_t offset, const void *bytes, size_t length)
{
    char path[SEGMENT_PATH_BYTES];
    segment_archive_path(path, &store.instance, JOURNAL_IN, segment);
    FILE *file = fopen(path, "r+e");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static uint64_t offset_of_last(void)
{
    char path[SEGMENT_PATH_BYTES];
    struct shared_file file;
    const struct journal_record *r;
    uint64_t at = JOURNAL_SEGMENT_HEADER_BYTES, last = at;
    segment_archive_path(path, &store.instance, JOURNAL_IN, 1);
    assert_int_equal(shared_file_open(&file, path, false), STATUS_OK);
    for (;;) {
        uint32_t frame = 0;
        if (at + sizeof *r <= file.bytes)
            frame =
                atomic_load(&((const struct journal_record *)((uint8_t *)file.map + at))->frame);
        if (!frame) break;
        last = at;
        at += record_length(frame);
    }
    shared_file_close(&file);
    return last;
}

static bool is_damaged(uint64_t at, seq_t seq)
{
    char path[SEGMENT_PATH_BYTES];
    struct shared_file file;
    segment_archive_path(path, &store.instance, JOURNAL_IN, 1);
    assert_int_equal(shared_file_open(&file, path, false), STATUS_OK);
    bool damaged = segment_proves_damage(file.map, file.bytes, at, seq);
    shared_file_close(&file);
    return damaged;
}

static void a_changed_byte_is_found_and_named(void **state)
{
    (void)state;
    append(JOURNAL_IN, 1, 300);
    wait_released(300);
    close_store(false);
    uint64_t at = offset_of_seq(1, 123);
    change_archive(1, at + 60, "\x5a", 1);

    struct journal_reader reader;
    const struct journal_record *r;
    assert_int_equal(journal_reader_open(&reader, &store.instance, NULL, JOURNAL_IN, 1), STATUS_OK);
    expect_records(&reader, 1, 122);
    assert_int_equal(journal_next(&reader, &r), STATUS_CORRUPT);
    assert_non_null(strstr(reader.where, "in-0000000001.seg"));
    assert_non_null(strstr(reader.where, "sequence 123"));
    journal_reader_close(&reader);

    assert_int_equal(instance_create(&store.instance, store.dir), STATUS_OK);
    assert_int_equal(
        control_create(&store.control, &store.instance, DURABILITY_DISK, SEGMENT_BYTES, 1, 4096),
        STATUS_OK);
    /* a start refuses, and changes nothing */
    assert_int_equal(
        journal_reader_open_recovery(&reader, &store.instance, store.control, JOURNAL_IN),
        STATUS_OK);
    expect_records(&reader, 1, 122);
    assert_int_equal(journal_next(&reader, &r), STATUS_CORRUPT);
    journal_reader_close(&reader);
    control_close(store.control);
}

static void a_torn_end_is_cut_and_the_rest_kept(void **state)
{
    (void)state;
    append(JOURNAL_IN, 1, 300);
    append(JOURNAL_OUT, 1, 300);
    wait_released(300);
    close_store(false);
    char path[SEGMENT_PATH_BYTES];
    segment_archive_path(path, &store.instance, JOURNAL_IN, 1);
    assert_int_equal(truncate(path, (off_t)offset_of_seq(1, 298) + 50), 0);
    expect_journal(&store, NULL, JOURNAL_IN, 1, 297);
    open_store();
    assert_int_equal(store.in.next_seq, 298);
    append(JOURNAL_IN, 298, 400);
    wait_released(400);
    expect_journal(&store, store.control, JOURNAL_IN, 1, 400);
    close_store(false);
    expect_journal(&store, NULL, JOURNAL_IN, 1, 400);
}

/* A hole before the watermark is damage, whatever the records behind it say. */
static void a_hole_before_the_watermark_is_damage(void **state)
{
    (void)state;
    append(JOURNAL_IN, 1, 100);
    wait_released(100);
    close_store(false);
    char zeros[48] = {0};
    uint64_t at = offset_of_seq(1, 60);
    change_archive(1, at, zeros, sizeof zeros);
    struct journal_reader reader;
    const struct journal_record *r;
    assert_int_equal(journal_reader_open(&reader, &store.instance, NULL, JOURNAL_IN, 1), STATUS_OK);
    expect_records(&reader, 1, 59);
    assert_int_equal(journal_next(&reader, &r), STATUS_CORRUPT);
    journal_reader_close(&reader);
}

static void a_bad_last_record_before_the_watermark_is_damage(void **state)
{
    (void)state;
    append(JOURNAL_IN, 1, 100);
    wait_released(100);
    close_store(false);
    uint64_t at = offset_of_last();
    change_archive(1, at + 47, "\x5a", 1);
    assert_true(is_damaged(at, 100));
}

/* Without a watermark (the machine lost power before the archiver was idle) and without a later
 * record that knows better, what is bad was never safe. */
static void a_hole_that_nobody_vouches_for_is_torn(void **state)
{
    (void)state;
    append(JOURNAL_IN, 1, 100);
    wait_released(100);
    close_store(false);
    char zeros[48] = {0};
    change_archive(1, SEGMENT_WATERMARK_AT, zeros, 16);
    uint64_t at = offset_of_last();
    change_archive(1, at + 47, "\x5a", 1);
    assert_false(is_damaged(at, 100));
    expect_journal(&store, NULL, JOURNAL_IN, 1, 99);
}

static void lag_decides_between_torn_and_damaged(void **state)
{
    (void)state;
    wait_released(0);
    close_store(false);
    struct segment {
        _Alignas(8) uint8_t bytes[4096 + 4096];
    };
    static struct segment s;
    _Static_assert(sizeof s.bytes > JOURNAL_SEGMENT_HEADER_BYTES + 20 * 48, "room for them");
    /* records 1..20; from 11 on each says that `lag` before it were not safe */
    for (int safe = 0; safe < 2; safe++) {
        memset(&s, 0, sizeof s);
        uint64_t at = JOURNAL_SEGMENT_HEADER_BYTES, bad = 0;
        for (seq_t seq = 1; seq <= 20; seq++) {
            struct journal_record *r = (struct journal_record *)(s.bytes + at);
            r->seq = seq;
            r->header = sbe_header_of(9, 0);
            uint32_t lag = seq > 10 ? (uint32_t)(seq - 1 - (safe ? 10 : 9)) : 0;
            uint32_t frame = 48 | lag << 16;
            r->crc = segment_record_crc(r, frame);
            atomic_store(&r->frame, frame);
            if (seq == 10) bad = at;
            at += 48;
        }
        s.bytes[bad + 20] ^= 1;
        assert_int_equal(segment_proves_damage(s.bytes, sizeof s.bytes, bad, 10), safe);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(readers_see_all_that_is_released_over_many_segments, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_seen_before_it_is_released, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            nobody_but_recovery_knows_of_a_record_before_it_is_published, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_framed_as_long_as_it_is_is_not_put, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(says_how_many_records_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_on_after_a_crash_from_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_on_after_a_stop_from_the_archive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_changed_byte_is_found_and_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_end_is_cut_and_the_rest_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hole_before_the_watermark_is_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_last_record_before_the_watermark_is_damage, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_hole_that_nobody_vouches_for_is_torn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lag_decides_between_torn_and_damaged, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
