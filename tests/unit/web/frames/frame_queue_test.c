/* frame_queue_test.c - whatever is put comes out, in order and in whole frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/frames/frame_queue.h"

static uint64_t random_state = 42;

static size_t random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % limit);
}

/* RFC 6455 §5.2, read independently: the payload of the frame at `at`. */
static const uint8_t *read_frame(const uint8_t *at, size_t *length, const uint8_t **next)
{
    assert_int_equal(at[0], 0x81);     /* final, text */
    assert_int_equal(at[1] & 0x80, 0); /* a server does not mask */
    size_t short_length = at[1] & 0x7f;
    if (short_length < 126) {
        *length = short_length;
        at += 2;
    } else if (short_length == 126) {
        *length = (size_t)at[2] << 8 | at[3];
        assert_true(*length > 125);
        at += 4;
    } else {
        *length = 0;
        for (int i = 2; i < 10; i++) *length = *length << 8 | at[i];
        assert_true(*length > 65535);
        at += 10;
    }
    *next = at + *length;
    return at;
}

static void test_lengths_around_the_forms_of_a_header(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 124, 125, 126, 127, 65534, 65535, 65536, 65537, 200000};
    char *text = malloc(200000);
    memset(text, 'x', 200000);
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct frame_queue queue = {0};
        uint8_t *frames;
        size_t half = lengths[i] / 2, length;
        const uint8_t *next;
        assert_true(frame_queue_put(&queue, text, half, text, lengths[i] - half));
        size_t bytes = frame_queue_next(&queue, 10, &frames);
        assert_int_equal(bytes, frame_queue_bytes(&queue));
        const uint8_t *payload = read_frame(frames, &length, &next);
        assert_int_equal(length, lengths[i]);
        assert_ptr_equal(next, frames + bytes);
        assert_memory_equal(payload, text, length);
        frame_queue_sent(&queue, bytes);
        assert_int_equal(frame_queue_next(&queue, 10, &frames), 0);
        frame_queue_free(&queue);
    }
    free(text);
}

/* Messages carry their number; chunks are taken at random and must be whole frames in order. */
static void test_chunks_are_whole_frames_in_order(void **state)
{
    (void)state;
    struct frame_queue queue = {0};
    uint32_t put = 0, got = 0;
    char body[3000];
    memset(body, 'b', sizeof body);
    while (got < 20000) {
        for (size_t n = random_below(20); n > 0; n--) {
            assert_true(
                frame_queue_put(&queue, (char *)&put, sizeof put, body, random_below(sizeof body)));
            put++;
        }
        uint8_t *frames;
        size_t max = 1 + random_below(9000);
        size_t bytes = frame_queue_next(&queue, max, &frames);
        const uint8_t *at = frames;
        unsigned count = 0;
        while (at < frames + bytes) {
            size_t length;
            uint32_t number;
            const uint8_t *payload = read_frame(at, &length, &at);
            memcpy(&number, payload, sizeof number);
            assert_int_equal(number, got);
            got++;
            count++;
        }
        assert_ptr_equal(at, frames + bytes);
        assert_true(bytes <= max || count == 1);
        assert_true(put == got || count > 0);
        frame_queue_sent(&queue, bytes);
    }
    frame_queue_free(&queue);
}

static void test_a_clients_frames_are_masked(void **state)
{
    (void)state;
    /* "Hello" under this mask is RFC 6455's own example, §5.7 */
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    static const uint8_t wanted[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d,
                                     0x7f, 0x9f, 0x4d, 0x51, 0x58};
    struct frame_queue queue = {0};
    uint8_t *frames;
    assert_true(frame_queue_put_masked(&queue, "Hello", 5, mask));
    assert_int_equal(frame_queue_next(&queue, 100, &frames), sizeof wanted);
    assert_memory_equal(frames, wanted, sizeof wanted);
    frame_queue_sent(&queue, sizeof wanted);
    /* and chunks keep to whole ones of every length */
    char *text = calloc(1, 70000);
    static const size_t lengths[] = {0, 125, 126, 65535, 65536};
    for (unsigned i = 0; i < 5; i++) {
        assert_true(frame_queue_put_masked(&queue, text, lengths[i], mask));
        assert_true(frame_queue_put_masked(&queue, text, 1, mask));
        size_t header = lengths[i] < 126 ? 2 : lengths[i] < 65536 ? 4 : 10;
        assert_int_equal(frame_queue_next(&queue, 1, &frames), header + 4 + lengths[i]);
        frame_queue_sent(&queue, header + 4 + lengths[i]);
        assert_int_equal(frame_queue_next(&queue, 1, &frames), 7);
        frame_queue_sent(&queue, 7);
    }
    frame_queue_free(&queue);
    free(text);
}

static void test_a_close_frame_ends_the_queue(void **state)
{
    (void)state;
    static const uint8_t wanted[] = {0x88, 6, 0x0f, 0xa8, 's', 'l', 'o', 'w'}; /* 4008 */
    struct frame_queue queue = {0};
    uint8_t *frames;
    assert_true(frame_queue_put(&queue, "{}", 2, NULL, 0));
    assert_true(frame_queue_put_close(&queue, 4008, "slow"));
    assert_int_equal(frame_queue_next(&queue, 1, &frames), 4);
    frame_queue_sent(&queue, 4);
    assert_int_equal(frame_queue_next(&queue, 100, &frames), sizeof wanted);
    assert_memory_equal(frames, wanted, sizeof wanted);
    frame_queue_free(&queue);
}

static void test_an_empty_queue_gives_large_memory_back(void **state)
{
    (void)state;
    struct frame_queue queue = {0};
    char *text = calloc(1, 100000);
    uint8_t *frames;
    assert_true(frame_queue_put(&queue, text, 100000, NULL, 0));
    frame_queue_sent(&queue, frame_queue_next(&queue, 1, &frames));
    assert_int_equal(queue.capacity, 0);
    assert_true(frame_queue_put(&queue, text, 10, NULL, 0));
    frame_queue_sent(&queue, frame_queue_next(&queue, 1, &frames));
    assert_true(queue.capacity > 0);
    frame_queue_free(&queue);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths_around_the_forms_of_a_header),
        cmocka_unit_test(test_chunks_are_whole_frames_in_order),
        cmocka_unit_test(test_a_clients_frames_are_masked),
        cmocka_unit_test(test_a_close_frame_ends_the_queue),
        cmocka_unit_test(test_an_empty_queue_gives_large_memory_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
