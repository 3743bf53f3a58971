/* recovery_test - from what a life left on disk and in memory to the engine it had: the events and
 * the hash are those of one that never stopped, wherever it begins and whatever is torn. */
#include "life.h"

#include <sys/stat.h>

#include "tests/model/random.h"

enum { SEEDS = 12, FEW = 250 };

static struct life life;

static int set_up(void **state)
{
    (void)state;
    life_make(&life, 11);
    assert_int_equal(life_begin(&life), STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (life.control) life_end(&life);
    life_remove(&life);
    return 0;
}

/* ---- the archive, and what happens to it ---- */

/* Cuts an archived journal behind record `seq` and `more_bytes` of what followed. */
static void cut(enum journal_kind kind, seq_t seq, size_t more_bytes)
{
    char path[SEGMENT_PATH_BYTES];
    struct journal_reader reader;
    const struct journal_record *r;
    assert_int_equal(journal_reader_open(&reader, &life.instance, NULL, kind, seq), STATUS_OK);
    assert_int_equal(journal_next(&reader, &r), STATUS_OK);
    assert_int_equal(r->seq, seq);
    segment_archive_path(path, &life.instance, kind, reader.segment);
    assert_int_equal(truncate(path, (off_t)(reader.offset + more_bytes)), 0);
    uint32_t first, last, missing;
    assert_int_equal(segment_range(life.instance.journal_dir, kind, &first, &last, &missing),
                     STATUS_OK);
    for (; last > reader.segment; last--) {
        segment_archive_path(path, &life.instance, kind, last);
        assert_int_equal(unlink(path), 0);
    }
    journal_reader_close(&reader);
}

static void damage(const char *path, long at)
{
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 1, file), byte ^ 1);
    assert_int_equal(fclose(file), 0);
}

static void damage_snapshot(seq_t seq)
{
    char path[256];
    life_snapshot_path(path, &life, seq);
    damage(path, 5000);
}

/* The rest of the stream, with the events of one that was never interrupted. */
static void expect_same_day_as_one_that_never_stopped(uint64_t seed)
{
    static struct life whole;
    life_run(&life, LIFE_COMMANDS);
    life_make(&whole, seed);
    assert_int_equal(life_begin(&whole), STATUS_OK);
    life_run(&whole, LIFE_COMMANDS);
    assert_int_equal(life.in.next_seq, whole.in.next_seq);
    assert_int_equal(life.out.next_seq, whole.out.next_seq);
    assert_int_equal(life.events, whole.events);
    assert_int_equal(engine_state_hash(life.engine), engine_state_hash(whole.engine));
    life_end(&whole);
    life_remove(&whole);
}

/* ---- where it begins ---- */

static void an_empty_directory_is_a_new_exchange(void **state)
{
    (void)state;
    assert_int_equal(life.in.next_seq, 1);
    assert_int_equal(life.out.next_seq, 1);
    assert_int_equal(life.recovery.commands, 0);
    assert_memory_equal(engine_limits(life.engine), &life.stream->limits, sizeof(struct limits));
}

static void from_the_beginning(void **state)
{
    (void)state;
    life_run(&life, FEW);
    life_archive(&life);
    seq_t last = life.in.next_seq - 1;
    life_end(&life);
    life_lose_memory(&life);
    assert_int_equal(life_begin(&life), STATUS_OK);
    assert_int_equal(life.recovery.commands, last);
    assert_int_equal(life.recovery.snapshot_seq, 0);
    life_expect_at(&life, last);
}

static void from_a_snapshot(void **state)
{
    (void)state;
    life_run(&life, FEW);
    seq_t seq = life_snapshot(&life);
    life_run(&life, FEW);
    life_archive(&life);
    seq_t last = life.in.next_seq - 1;
    life_end(&life);
    life_lose_memory(&life);
    assert_int_equal(life_begin(&life), STATUS_OK);
    assert_int_equal(life.recovery.snapshot_seq, seq);
    assert_int_equal(life.recovery.commands, last - seq);
    life_expect_at(&life, last);
}

static void a_snapshot_of_the_end_replays_nothing(void **state)
{
    (void)state;
    life_run(&life, FEW);
    seq_t seq = life_snapshot(&life);
    life_end(&life);
    life_lose_memory(&life);
    assert_int_equal(life_begin(&life), STATUS_OK);
    assert_int_equal(life.recovery.snapshot_seq, seq);
    assert_int_equal(life.recovery.commands, 0);
    life_expect_at(&life, seq);
    expect_same_day_as_one_that_never_stopped(11);
}

static void from_the_second_newest_when_the_newest_is_damaged(void **state)
{
    (void)state;
    life_run(&life, FEW);
    seq_t older = life_snapshot(&life);
    life_run(&life, 50);
    seq_t newer = life_snapshot(&life);
    life_run(&life, 50);
    life_archive(&life);
    seq_t last = life.in.next_seq - 1;
    life_end(&life);
    damage_snapshot(newer);
    assert_int_equal(life_begin(&life), STATUS_OK);
    assert_int_equal(life.recovery.snapshot_seq, older);
    life_expect_at(&life, last);
    life_end(&life);
    damage_snapshot(older);
    assert_int_equal(life_begin(&life), STATUS_OK);
    assert_int_equal(life.recovery.snapshot_seq, 0);
    life_expect_at(&life, last);
}

static void a_snapshot_ahead_of_the_journal_is_passed_over(void **state)
{
    (void)state;
    life_run(&life, FEW);
    life_archive(&life);
    seq_t last = life.in.next_seq - 1;
    life_run(&life, FEW);
    seq_t ahead = life_snapshot(&life);
    life_end(&life);
    life_lose_memory(&life);
    cut(JOURNAL_IN, last, 0);
    assert_int_equal(life_begin(&life), STATUS_OK);
    assert_true(ahead > last);
    assert_int_equal(life.recovery.snapshot_seq, 0);
    life_expect_at(&life, last);
}

/* The same numbers, but another command: an exchange put back from a backup went another way. */
static void a_snapshot_of_another_history_is_passed_over(void **state)
{
    (void)state;
    life_run(&life, FEW);
    life_archive(&life);
    struct snapshot_mark mark = life_mark(&life);
    mark.in_crc ^= 1;
    assert_int_equal(snapshot_write(&life.instance, life.engine, &mark, NULL), STATUS_OK);
    assert_int_equal(snapshot_publish(&life.instance, mark.in_seq), STATUS_OK);
    life_end(&life);
    assert_int_equal(life_begin(&life), STATUS_OK);
    assert_int_equal(life.recovery.snapshot_seq, 0);
    assert_int_equal(life.recovery.commands, mark.in_seq);
    life_expect_at(&life, mark.in_seq);
}

/* ---- where it ends ---- */

/* Its layout is that of a program that nobody has written yet. */
static void make_foreign(seq_t seq)
{
    enum { LAYOUT_AT = 16, HEADER_CRC_AT = 256 };
    uint8_t header[HEADER_CRC_AT + sizeof(uint32_t)];
    char path[256];
    life_snapshot_path(path, &life, seq);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fread(header, sizeof header, 1, file), 1);
    header[LAYOUT_AT] ^= 1;
    uint32_t crc = crc32c(0, header, HEADER_CRC_AT);
    memcpy(header + HEADER_CRC_AT, &crc, sizeof crc);
    assert_int_equal(fseek(file, 0, SEEK_SET), 0);
    assert_int_equal(fwrite(header, sizeof header, 1, file), 1);
    assert_int_equal(fclose(file), 0);
}

/* The rule of retention has removed the beginning, and then the program was changed. */
static void what_only_another_program_can_start_says_so(void **state)
{
    (void)state;
    char path[SEGMENT_PATH_BYTES];
    while (life.in.segment < 2 && life_step(&life)) continue;
    assert_int_equal(life.in.segment, 2);
    seq_t seq = life_snapshot(&life);
    life_archive(&life);
    life_end(&life);
    life_lose_memory(&life);
    segment_archive_path(path, &life.instance, JOURNAL_IN, 1);
    assert_int_equal(unlink(path), 0);
    make_foreign(seq);
    assert_int_equal(life_begin(&life), STATUS_CORRUPT);
    assert_non_null(strstr(life.recovery.problem, "begins at sequence"));
    assert_non_null(strstr(life.recovery.problem, "another program's"));
}

static void missing_events_are_made_again(void **state)
{
    (void)state;
    life_run(&life, FEW);
    seq_t half_out = life.out.next_seq - 1;
    life_run(&life, FEW);
    life_archive(&life);
    seq_t last = life.in.next_seq - 1;
    life_end(&life);
    life_lose_memory(&life);
    cut(JOURNAL_OUT, half_out, 0);
    assert_int_equal(life_begin(&life), STATUS_OK);
    life_expect_at(&life, last);
    life_archive(&life);
    life_end(&life);
    life_lose_memory(&life);
    assert_int_equal(life_begin(&life), STATUS_OK); /* and they are the same: compared now */
    assert_int_equal(life.recovery.events, life.out_then[last]);
    life_expect_at(&life, last);
}

static void events_without_their_command_are_cut(void **state)
{
    (void)state;
    life_run(&life, FEW);
    seq_t half = life.in.next_seq - 1;
    life_run(&life, FEW);
    life_archive(&life);
    life_end(&life);
    life_lose_memory(&life);
    cut(JOURNAL_IN, half, 0);
    assert_int_equal(life_begin(&life), STATUS_OK);
    life_expect_at(&life, half);
    expect_same_day_as_one_that_never_stopped(11);
    seq_t last = life.in.next_seq - 1;
    life_archive(&life);
    life_end(&life);
    life_lose_memory(&life);
    assert_int_equal(life_begin(&life), STATUS_OK); /* nothing of the old events is left */
    life_expect_at(&life, last);
}

/* At memory the dead core's segments hold more than the archive; half a record is behind them. */
static void memory_is_further_than_the_archive(void **state)
{
    (void)state;
    life_run(&life, FEW);
    life_archive(&life);
    life_run(&life, 100);
    seq_t last = life.in.next_seq - 1;
    memset(life.in.map + life.in.offset + 8, 0xee, 60);
    memset(life.out.map + life.out.offset + 8, 0xee, 200);
    life_end(&life);
    assert_int_equal(life_begin(&life), STATUS_OK);
    life_expect_at(&life, last);
    for (uint64_t at = life.in.offset; at < life.in.segment_bytes; at++)
        assert_int_equal(life.in.map[at], 0);
    for (uint64_t at = life.out.offset; at < life.out.segment_bytes; at++)
        assert_int_equal(life.out.map[at], 0);
    expect_same_day_as_one_that_never_stopped(11);
}

static void torn_ends_are_cut(void **state)
{
    (void)state;
    struct random random = {3};
    life_run(&life, FEW + 100);
    life_archive(&life);
    life_end(&life);
    life_shell("cp -r %s %s.whole", life.dir, life.dir);
    for (unsigned i = 0; i < 40; i++) {
        seq_t in_seq = random_between(&random, 20, 220), out_seq = life.out_then[in_seq];
        if (random_chance(&random, 50)) out_seq = random_between(&random, 10, (uint32_t)out_seq);
        cut(JOURNAL_IN, in_seq, random_below(&random, 8) * 8);
        cut(JOURNAL_OUT, out_seq, random_below(&random, 8) * 8);
        life_lose_memory(&life);
        assert_int_equal(life_begin(&life), STATUS_OK);
        life_expect_at(&life, in_seq);
        life_end(&life);
        life_shell("rm -rf %s && cp -r %s.whole %s", life.dir, life.dir, life.dir);
    }
    life_shell("rm -rf %s.whole", life.dir);
}

static void damage_within_is_refused_and_named(void **state)
{
    (void)state;
    char path[SEGMENT_PATH_BYTES];
    for (unsigned kind = 0; kind < 2; kind++) {
        life_run(&life, 100);
        life_archive(&life);
        life_end(&life);
        life_lose_memory(&life);
        segment_archive_path(path, &life.instance, (enum journal_kind)kind, 1);
        damage(path, JOURNAL_SEGMENT_HEADER_BYTES + 2000);
        assert_int_equal(life_begin(&life), STATUS_CORRUPT);
        assert_non_null(strstr(life.recovery.problem, kind ? "out-0000000001" : "in-0000000001"));
        life_end(&life);
        damage(path, JOURNAL_SEGMENT_HEADER_BYTES + 2000);
        life_lose_memory(&life);
        assert_int_equal(life_begin(&life), STATUS_OK);
    }
}

/* ---- following, as a standby does ---- */

static void a_follower_is_never_ahead_and_ends_where_the_primary_did(void **state)
{
    (void)state;
    static struct recovery follower;
    struct journal_writer in, out;
    struct random random = {4};
    _Atomic uint32_t bell = 0;
    unsigned stepped;
    life_run(&life, 30);
    assert_int_equal(recovery_begin(&follower, &life.instance, life.control), STATUS_OK);
    while (life.next < life.stream->count - 50) {
        life_run(&life, random_below(&random, 20));
        seq_t last = life.in.next_seq - 1;
        seq_t up_to = last - random_below(&random, 3);
        if (up_to < follower.mark.in_seq) continue;
        unsigned max = random_between(&random, 1, 40);
        assert_int_equal(recovery_follow(&follower, up_to, max, &stepped), STATUS_OK);
        assert_true(stepped <= max && follower.mark.in_seq <= up_to);
        if (!follower.engine) continue;
        assert_int_equal(engine_state_hash(follower.engine), life.hash_then[follower.mark.in_seq]);
        assert_int_equal(follower.mark.out_seq, life.out_then[follower.mark.in_seq]);
    }
    life_run(&life, 10);
    seq_t last = life.in.next_seq - 1;
    /* the primary is gone; its segments stay mapped here until the end, and are not written to */
    assert_int_equal(recovery_finish(&follower, &engine_default_limits, &in, &out, &bell),
                     STATUS_OK);
    assert_int_equal(in.next_seq, last + 1);
    assert_int_equal(out.next_seq, life.out_then[last] + 1);
    assert_int_equal(engine_state_hash(follower.engine), life.hash_then[last]);
    journal_writer_close(&in);
    journal_writer_close(&out);
    arena_unmap(follower.engine, follower.engine_bytes);
}

/* ---- at any point ---- */

/* Stops, loses memory or not, and goes on, again and again, with snapshots here and there: the day
 * is that of an engine that never stopped. */
static void restarts_at_random_points_change_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random random = {seed};
        life_make(&life, 100 + seed);
        assert_int_equal(life_begin(&life), STATUS_OK);
        while (life.next < life.stream->count) {
            life_run(&life, random_below(&random, 150));
            bool loses_memory = random_chance(&random, 50);
            if (life.in.next_seq > 1 && random_chance(&random, 60)) (void)life_snapshot(&life);
            if (random_chance(&random, 50)) life_run(&life, random_below(&random, 60));
            if (loses_memory) life_archive(&life);
            seq_t last = life.in.next_seq - 1;
            life_end(&life);
            if (loses_memory) life_lose_memory(&life);
            assert_int_equal(life_begin(&life), STATUS_OK);
            if (last) life_expect_at(&life, last);
        }
        expect_same_day_as_one_that_never_stopped(100 + seed);
        life_end(&life);
        life_remove(&life);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_directory_is_a_new_exchange),
        TEST(from_the_beginning),
        TEST(from_a_snapshot),
        TEST(a_snapshot_of_the_end_replays_nothing),
        TEST(from_the_second_newest_when_the_newest_is_damaged),
        TEST(a_snapshot_ahead_of_the_journal_is_passed_over),
        TEST(a_snapshot_of_another_history_is_passed_over),
        TEST(what_only_another_program_can_start_says_so),
        TEST(missing_events_are_made_again),
        TEST(events_without_their_command_are_cut),
        TEST(memory_is_further_than_the_archive),
        TEST(torn_ends_are_cut),
        TEST(damage_within_is_refused_and_named),
        TEST(a_follower_is_never_ahead_and_ends_where_the_primary_did),
        cmocka_unit_test(restarts_at_random_points_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
