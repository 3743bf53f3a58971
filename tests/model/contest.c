#include "tests/model/contest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/compare_views.h"

/* More than any command of a stream has to say: an engine that says more has lost its way, and
 * would take all memory. */
enum { TOLD_BYTES_MAX = 64 << 20 };

static void collect(void *context, const void *message, size_t length)
{
    struct event_list *list = context;
    if (list->length + length > TOLD_BYTES_MAX) abort();
    if (list->length + length > list->capacity) {
        list->capacity = (list->length + length) * 2;
        list->bytes = realloc(list->bytes, list->capacity);
        if (!list->bytes) abort();
    }
    memcpy(list->bytes + list->length, message, length);
    list->length += length;
    list->count++;
}

void contest_open(struct contest *self, const struct stream *stream)
{
    size_t bytes = engine_bytes(&stream->limits);
    *self = (struct contest){.stream = stream};
    if (bytes == 0 || posix_memalign(&self->memory, 64, bytes) != 0) abort();
    memset(self->memory, 0, bytes);
    self->engine = engine_init(self->memory, &stream->limits);
    self->model = model_create(&stream->limits);
    stream_answers_open(&self->answers, stream);
}

void contest_close(struct contest *self)
{
    model_destroy(self->model);
    stream_answers_close(&self->answers);
    free(self->memory);
    free(self->told.bytes);
}

/* ---- what differs ---- */

/* The event at `at`; its length is 0 when the list ends there or is cut short. */
static size_t event_at(const struct event_list *list, size_t at, struct sbe_header *header)
{
    if (at + sizeof *header > list->length) return 0;
    memcpy(header, list->bytes + at, sizeof *header);
    size_t length = sizeof *header + header->block_length;
    return at + length <= list->length ? length : 0;
}

static const char *reason_of(const uint8_t *event, uint16_t template_id)
{
    uint16_t reason = 0;
    if (template_id == EVENT_EXECUTION)
        reason = ((const struct event_execution *)(const void *)event)->reject_reason;
    if (template_id == EVENT_REQUEST_REJECTED)
        reason = ((const struct event_request_rejected *)(const void *)event)->reject_reason;
    if (template_id == EVENT_COMMAND_REJECTED)
        reason = ((const struct event_command_rejected *)(const void *)event)->reject_reason;
    return reject_row(reason)->code;
}

static int print_event(char *text, size_t text_bytes, const uint8_t *event,
                       struct sbe_header header)
{
    if (header.template_id != EVENT_EXECUTION)
        return snprintf(text, text_bytes, "event %u %s", header.template_id,
                        reason_of(event, header.template_id));
    const struct event_execution *e = (const void *)event;
    return snprintf(text, text_bytes,
                    "execution %c/%c of %" PRIx64 " qty %" PRId64 " cum %" PRId64 " leaves %" PRId64
                    " px %" PRId64 " last %" PRId64 "@%" PRId64 " %s",
                    e->exec_type, e->ord_status, e->order_id, e->order_qty, e->cum_qty,
                    e->leaves_qty, e->limit_px, e->last_qty, e->last_px,
                    reason_of(event, header.template_id));
}

/* Which event differs first, and in which byte. */
static void describe(const struct event_list *expected, const struct event_list *told,
                     struct difference *difference)
{
    char *text = difference->text;
    size_t room = sizeof difference->text;
    struct sbe_header wanted = {0}, got = {0};
    size_t at = 0;
    unsigned event = 0;
    for (;; event++) {
        size_t length = event_at(expected, at, &wanted), other = event_at(told, at, &got);
        if (length == 0 || length != other ||
            memcmp(expected->bytes + at, told->bytes + at, length) != 0)
            break;
        at += length;
    }
    size_t byte = at;
    while (byte < expected->length && byte < told->length &&
           expected->bytes[byte] == told->bytes[byte])
        byte++;
    int used = snprintf(text, room, "event %u of %u (told %u), offset %zu: expected ", event,
                        expected->count, told->count, byte - at);
    if (event_at(expected, at, &wanted))
        used += print_event(text + used, room - (size_t)used, expected->bytes + at, wanted);
    else
        used += snprintf(text + used, room - (size_t)used, "no more");
    if ((size_t)used + 10 >= room) return;
    used += snprintf(text + used, room - (size_t)used, ", told ");
    if (event_at(told, at, &got))
        print_event(text + used, room - (size_t)used, told->bytes + at, got);
    else
        snprintf(text + used, room - (size_t)used, "no more");
}

/* ---- steps ---- */

bool contest_step(struct contest *self, uint32_t index, struct difference *difference)
{
    const struct stream_command *command = &self->stream->commands[index];
    const struct event_sink sink = {collect, &self->told};
    const struct event_list *expected = &self->model->events;
    uint8_t *message = stream_message(self->stream, index, &self->answers);
    self->told.length = self->told.count = 0;
    struct engine_ahead ahead = {.message = message, .length = command->length};
    engine_prefetch(self->engine, message, command->length);
    for (unsigned look = 0; look < ENGINE_LOOKS; look++) engine_look(self->engine, look, &ahead);
    engine_step(self->engine, index + 1, command->time_ns, message, command->length, &sink);
    model_step(self->model, command->time_ns, message, command->length);
    free(message);
    struct sbe_header header;
    size_t length;
    for (size_t at = 0; (length = event_at(expected, at, &header)) > 0; at += length)
        stream_answers_note(&self->answers, index, expected->bytes + at);
    if (expected->length == self->told.length && expected->count == self->told.count &&
        expected->count > 0 && memcmp(expected->bytes, self->told.bytes, expected->length) == 0)
        return true;
    describe(expected, &self->told, difference);
    return false;
}

bool contest_look(struct contest *self, struct difference *difference)
{
    engine_validate(self->engine);
    return compare_views(self->model, self->engine, difference->text, sizeof difference->text);
}

void contest_cover(const struct contest *self, struct coverage *coverage)
{
    const struct event_list *list = &self->model->events;
    struct sbe_header header;
    size_t length;
    coverage_begin_command(coverage);
    for (size_t at = 0; (length = event_at(list, at, &header)) > 0; at += length)
        coverage_note(coverage, list->bytes + at);
}
