/* snapshot_test - the engine's state in a file: what is loaded is what was written, and nothing
 * that is not whole is ever loaded. */
#include "life.h"

#include "tests/model/random.h"

enum { HEADER_PAGE_BYTES = 4096, HEADER_CRC_AT = 256, LAYOUT_AT = 16, SAMPLES = 400 };

static struct life life;

static int set_up(void **state)
{
    (void)state;
    life_make(&life, 7);
    assert_int_equal(life_begin(&life), STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    life_end(&life);
    life_remove(&life);
    return 0;
}

struct file {
    char path[256];
    uint8_t *bytes;
    size_t length;
};

static struct file read_file(seq_t seq)
{
    struct file file;
    life_snapshot_path(file.path, &life, seq);
    FILE *from = fopen(file.path, "r");
    assert_non_null(from);
    assert_int_equal(fseek(from, 0, SEEK_END), 0);
    file.length = (size_t)ftell(from);
    rewind(from);
    file.bytes = malloc(file.length);
    assert_non_null(file.bytes);
    assert_int_equal(fread(file.bytes, 1, file.length, from), file.length);
    (void)fclose(from);
    return file;
}

static void write_file(const struct file *file, size_t length)
{
    FILE *to = fopen(file->path, "w");
    assert_non_null(to);
    assert_int_equal(fwrite(file->bytes, 1, length, to), length);
    assert_int_equal(fclose(to), 0);
}

/* Loads and lets go; hands out the hash. */
static enum status load(seq_t seq, uint32_t *hash, struct snapshot_mark *mark)
{
    struct engine *engine;
    size_t bytes;
    enum status status = snapshot_load(&life.instance, seq, 0, &engine, &bytes, mark);
    if (status != STATUS_OK) return status;
    *hash = engine_state_hash(engine);
    engine_validate(engine);
    arena_unmap(engine, bytes);
    return STATUS_OK;
}

static void what_is_loaded_is_what_was_written(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        uint32_t hash;
        struct snapshot_mark mark, loaded;
        life_run(&life, 60);
        life_archive(&life);
        mark = life_mark(&life);
        mark.ring_position[3] = 12345;
        assert_int_equal(snapshot_write(&life.instance, life.engine, &mark, NULL), STATUS_OK);
        assert_int_not_equal(snapshot_newest(&life.instance, UINT64_MAX), mark.in_seq);
        assert_int_equal(snapshot_publish(&life.instance, mark.in_seq), STATUS_OK);
        assert_int_equal(snapshot_newest(&life.instance, UINT64_MAX), mark.in_seq);
        assert_int_equal(load(mark.in_seq, &hash, &loaded), STATUS_OK);
        assert_int_equal(hash, engine_state_hash(life.engine));
        assert_memory_equal(&loaded, &mark, sizeof mark);
    }
}

/* Zeros are left out of the file; a table that was full and is empty again must be so. */
static void a_small_state_makes_a_small_file(void **state)
{
    (void)state;
    size_t bytes;
    (void)engine_state_block(life.engine, &bytes);
    life_run(&life, 3);
    struct file file = read_file(life_snapshot(&life));
    assert_true(file.length < bytes);
    free(file.bytes);
}

static void the_newest_three_are_kept(void **state)
{
    (void)state;
    seq_t seqs[5];
    assert_int_equal(snapshot_newest(&life.instance, UINT64_MAX), 0);
    assert_int_equal(snapshot_oldest(&life.instance), 0);
    for (unsigned i = 0; i < 5; i++) {
        life_run(&life, 20);
        seqs[i] = life_snapshot(&life);
    }
    seq_t seq = UINT64_MAX;
    for (unsigned i = 5; i-- > 2;) {
        seq = snapshot_newest(&life.instance, seq);
        assert_int_equal(seq, seqs[i]);
    }
    assert_int_equal(snapshot_newest(&life.instance, seq), 0);
    assert_int_equal(snapshot_oldest(&life.instance), seqs[2]);
}

static void count_rest(void *context)
{
    ++*(unsigned *)context;
}

static bool has_unfinished(void)
{
    char command[INSTANCE_PATH_BYTES + 64];
    (void)snprintf(command, sizeof command, "ls %s/snapshots/*.new >/dev/null 2>&1",
                   life.instance.data_dir);
    return system(command) == 0;
}

/* As a child writes it: the same file, and what it removes goes a piece at a time. */
static void with_a_pace_it_rests_and_writes_the_same(void **state)
{
    (void)state;
    unsigned rests = 0;
    const struct pace pace = {count_rest, &rests};
    struct snapshot_mark mark, loaded;
    uint32_t hash;
    char left[INSTANCE_PATH_BYTES + 96];
    for (unsigned i = 0; i < SNAPSHOTS_KEPT; i++) {
        life_run(&life, 20);
        (void)life_snapshot(&life);
    }
    (void)snprintf(left, sizeof left, "truncate -s 5M %s/snapshots/00000000000000000001.new",
                   life.instance.data_dir);
    assert_int_equal(system(left), 0);
    life_run(&life, 20);
    life_archive(&life);
    mark = life_mark(&life);
    seq_t oldest = snapshot_oldest(&life.instance);
    assert_int_equal(snapshot_write(&life.instance, life.engine, &mark, &pace), STATUS_OK);
    assert_true(rests >= 5);
    assert_true(snapshot_oldest(&life.instance) > oldest); /* room was made for it */
    assert_int_equal(snapshot_publish(&life.instance, mark.in_seq), STATUS_OK);
    assert_false(has_unfinished());
    assert_int_equal(load(mark.in_seq, &hash, &loaded), STATUS_OK);
    assert_int_equal(hash, engine_state_hash(life.engine));
}

static void a_changed_byte_anywhere_is_seen(void **state)
{
    (void)state;
    struct random random = {1};
    struct snapshot_mark mark;
    uint32_t hash;
    life_run(&life, 300);
    seq_t seq = life_snapshot(&life);
    struct file file = read_file(seq);
    for (unsigned i = 0; i < SAMPLES; i++) {
        /* every byte of the header, and some of the rest */
        size_t at = i < HEADER_CRC_AT + 4
                        ? i
                        : HEADER_PAGE_BYTES +
                              random_below(&random, (uint32_t)(file.length - HEADER_PAGE_BYTES));
        uint8_t bit = (uint8_t)(1u << random_below(&random, 8));
        file.bytes[at] ^= bit;
        write_file(&file, file.length);
        assert_int_equal(load(seq, &hash, &mark), STATUS_CORRUPT);
        file.bytes[at] ^= bit;
    }
    write_file(&file, file.length);
    assert_int_equal(load(seq, &hash, &mark), STATUS_OK);
    free(file.bytes);
}

static void a_torn_file_is_seen(void **state)
{
    (void)state;
    struct random random = {2};
    struct snapshot_mark mark;
    uint32_t hash;
    life_run(&life, 300);
    seq_t seq = life_snapshot(&life);
    struct file file = read_file(seq);
    for (unsigned i = 0; i < 100; i++) {
        write_file(&file,
                   i < 3 ? i : file.length - 1 - random_below(&random, (uint32_t)file.length - 4));
        assert_int_equal(load(seq, &hash, &mark), STATUS_CORRUPT);
    }
    write_file(&file, file.length - 1);
    assert_int_equal(load(seq, &hash, &mark), STATUS_CORRUPT);
    free(file.bytes);
}

/* Header as changed, with the right checksum. */
static void seal(struct file *file)
{
    uint32_t crc = crc32c(0, file->bytes, HEADER_CRC_AT);
    memcpy(file->bytes + HEADER_CRC_AT, &crc, sizeof crc);
    write_file(file, file->length);
}

static void another_programs_is_not_loaded(void **state)
{
    (void)state;
    struct snapshot_mark mark;
    uint32_t hash;
    life_run(&life, 50);
    seq_t seq = life_snapshot(&life);
    struct file file = read_file(seq);
    seal(&file); /* or the next would prove nothing */
    assert_int_equal(load(seq, &hash, &mark), STATUS_OK);
    file.bytes[LAYOUT_AT] ^= 1;
    seal(&file);
    assert_int_equal(load(seq, &hash, &mark), STATUS_INVALID);
    assert_int_equal(snapshot_read_mark(&life.instance, seq, &mark), STATUS_INVALID);
    free(file.bytes);
}

static void another_exchanges_is_not_loaded(void **state)
{
    (void)state;
    struct snapshot_mark mark;
    uint32_t hash;
    life_run(&life, 50);
    seq_t seq = life_snapshot(&life);
    life.instance.id[0] = life.instance.id[0] == '0' ? '1' : '0';
    assert_int_equal(load(seq, &hash, &mark), STATUS_CORRUPT);
    assert_int_equal(load(seq + 1, &hash, &mark), STATUS_NOT_FOUND);
}

static void other_files_are_not_looked_at(void **state)
{
    (void)state;
    life_run(&life, 50);
    seq_t seq = life_snapshot(&life);
    life_shell("cd %s/snapshots && touch 99.snap 00000000000000000099.new x.snap "
               "00000000000000000099.snap.old",
               life.dir);
    assert_int_equal(snapshot_newest(&life.instance, UINT64_MAX), seq);
    assert_int_equal(snapshot_oldest(&life.instance), seq);
}

static void a_directory_that_cannot_be_written_is_said(void **state)
{
    (void)state;
    life_run(&life, 50);
    life_archive(&life);
    struct snapshot_mark mark = life_mark(&life);
    life_shell("touch %s/snapshots", life.dir);
    assert_int_equal(snapshot_write(&life.instance, life.engine, &mark, NULL), STATUS_IO);
    assert_int_equal(snapshot_publish(&life.instance, mark.in_seq), STATUS_IO);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    /* clang-format off */
    const struct CMUnitTest tests[] = {
        TEST(what_is_loaded_is_what_was_written),
        TEST(a_small_state_makes_a_small_file),
        TEST(the_newest_three_are_kept),
        TEST(with_a_pace_it_rests_and_writes_the_same),
        TEST(a_changed_byte_anywhere_is_seen),
        TEST(a_torn_file_is_seen),
        TEST(another_programs_is_not_loaded),
        TEST(another_exchanges_is_not_loaded),
        TEST(other_files_are_not_looked_at),
        TEST(a_directory_that_cannot_be_written_is_said),
    };
    /* clang-format on */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
