/* store.h - an event store of a test's own: both journals with small segments under a directory
 * that is removed with the test, and records whose bytes follow from their numbers.
 *
 * Message n is record n of either journal, has time n * 100, and its event is caused by command n.
 * Include behind cmocka.h.
 */
#ifndef HOGA_TESTS_UNIT_ENGINE_BUS_STORE_H
#define HOGA_TESTS_UNIT_ENGINE_BUS_STORE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal.h"
#include "engine/bus/journal_writer.h"
#include "engine/bus/segment.h"

enum { SEGMENT_BYTES = JOURNAL_SEGMENT_MIN_BYTES };

struct store {
    char dir[64];
    struct instance instance;
    struct control *control;
    struct station *station;
    struct journal_writer in;
    struct journal_writer out;
    _Atomic uint32_t bell;
};

struct message {
    struct sbe_header header;
    uint64_t number;
    uint8_t rest[80];
};

static inline struct message message_of(uint64_t number)
{
    struct message m = {.number = number};
    m.header = sbe_header_of(77, 8 + number % 80);
    memset(m.rest, (int)(number & 0xff), sizeof m.rest);
    return m;
}

static inline void store_open_writer(struct store *store, struct journal_writer *writer,
                                     enum journal_kind kind)
{
    struct journal_reader tail;
    const struct journal_record *record;
    enum status status;
    assert_int_equal(journal_reader_open_recovery(&tail, &store->instance, store->control, kind),
                     STATUS_OK);
    while ((status = journal_next(&tail, &record)) == STATUS_OK) continue;
    assert_int_equal(status, STATUS_EMPTY);
    assert_int_equal(
        journal_writer_open(writer, &store->instance, store->control, &tail, &store->bell),
        STATUS_OK);
    journal_reader_close(&tail);
}

/* Opens both writers where the journals end. */
static inline void store_open(struct store *store, enum durability durability)
{
    assert_int_equal(instance_create(&store->instance, store->dir), STATUS_OK);
    assert_int_equal(
        control_create(&store->control, &store->instance, durability, SEGMENT_BYTES, 1, 4096),
        STATUS_OK);
    assert_int_equal(
        control_claim_station(store->control, &store->instance, "core", &store->station),
        STATUS_OK);
    store_open_writer(store, &store->in, JOURNAL_IN);
    store_open_writer(store, &store->out, JOURNAL_OUT);
}

/* A new directory and an empty store in it. */
static inline void store_create(struct store *store, enum durability durability)
{
    memset(store, 0, sizeof *store);
    (void)snprintf(store->dir, sizeof store->dir, "/tmp/hoga_store_test.XXXXXX");
    assert_non_null(mkdtemp(store->dir));
    store_open(store, durability);
}

/* Ends the life of the writers; memory stays as after a crash. */
static inline void store_close(struct store *store)
{
    journal_writer_close(&store->in);
    journal_writer_close(&store->out);
    control_close(store->control);
    store->control = NULL;
}

/* Removes all there is of it. */
static inline void store_remove(struct store *store)
{
    char command[128];
    instance_remove_shm(&store->instance);
    (void)snprintf(command, sizeof command, "rm -rf %s", store->dir);
    assert_int_equal(system(command), 0);
}

/* The two ways to put a record, in turn. */
static inline const struct journal_record *store_append_one(struct journal_writer *writer,
                                                            uint64_t n)
{
    struct message m = message_of(n);
    uint64_t ref = writer->kind == JOURNAL_OUT ? n : n * 8;
    size_t length = sizeof m.header + m.header.block_length;
    if (n % 2) return journal_append(writer, ref, origin_of(3, n), (int64_t)n * 100, &m, length);
    const struct journal_record *r =
        journal_put_received(writer, ref, origin_of(3, n), (int64_t)n * 100, &m, length);
    assert_non_null(r);
    journal_publish(writer);
    return r;
}

static inline void store_append(struct store *store, enum journal_kind kind, uint64_t from,
                                uint64_t to)
{
    struct journal_writer *writer = kind == JOURNAL_IN ? &store->in : &store->out;
    for (uint64_t n = from; n <= to; n++) {
        assert_int_equal(store_append_one(writer, n)->seq, n);
        assert_int_equal(journal_writer_keep(writer, NULL), STATUS_OK);
    }
}

/* Appends until the writer is in this segment; returns the last number. */
static inline uint64_t store_append_to_segment(struct store *store, enum journal_kind kind,
                                               uint32_t segment)
{
    struct journal_writer *writer = kind == JOURNAL_IN ? &store->in : &store->out;
    while (writer->segment < segment) store_append(store, kind, writer->next_seq, writer->next_seq);
    return writer->next_seq - 1;
}

static inline void expect_record(const struct journal_record *r, uint64_t n)
{
    struct message m = message_of(n);
    assert_int_equal(r->seq, n);
    assert_int_equal(r->time_ns, n * 100);
    assert_int_equal(origin_source(r->origin), 3);
    assert_int_equal(origin_request(r->origin), n);
    assert_int_equal(record_message_length(r), sizeof m.header + m.header.block_length);
    assert_memory_equal(record_message(r), &m, record_message_length(r));
}

static inline void expect_records(struct journal_reader *reader, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n <= to; n++) {
        const struct journal_record *r;
        assert_int_equal(journal_next(reader, &r), STATUS_OK);
        expect_record(r, n);
    }
}

/* Exactly these records from `from` on; with `control` NULL, in the archive alone. */
static inline void expect_journal(const struct store *store, const struct control *control,
                                  enum journal_kind kind, uint64_t from, uint64_t to)
{
    struct journal_reader reader;
    const struct journal_record *r;
    assert_int_equal(journal_reader_open(&reader, &store->instance, control, kind, from),
                     STATUS_OK);
    expect_records(&reader, from, to);
    assert_int_equal(journal_next(&reader, &r), STATUS_EMPTY);
    journal_reader_close(&reader);
}

static inline bool store_has_archive(const struct store *store, enum journal_kind kind,
                                     uint32_t segment)
{
    char path[SEGMENT_PATH_BYTES];
    segment_archive_path(path, &store->instance, kind, segment);
    return access(path, F_OK) == 0;
}

static inline bool store_has_memory(const struct store *store, enum journal_kind kind,
                                    uint32_t segment)
{
    char path[SEGMENT_PATH_BYTES];
    segment_memory_path(path, &store->instance, kind, segment);
    return access(path, F_OK) == 0;
}

static inline uint64_t store_counter(const struct store *store, const char *name)
{
    return atomic_load(control_counter(store->station, name));
}

#endif
