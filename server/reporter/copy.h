/* copy.h - rows in PostgreSQL's binary COPY format, gathered in memory.
 *
 *   row: | field count i16 | (length i32 | bytes) per field |      all big-endian
 *
 * Values go in the order of the table's columns; the caller says how many each row has. A failed
 * allocation is remembered and makes the rest no-ops, so that only the end needs a check.
 * Owned by one thread.
 * Source: PostgreSQL manual, COPY, "Binary Format".
 */
#ifndef HOGA_REPORTER_COPY_H
#define HOGA_REPORTER_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct copy_rows {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
    uint64_t row_count;
    bool failed;
};

/* Empties it, keeping the memory. */
void copy_clear(struct copy_rows *self);
void copy_free(struct copy_rows *self);

/* Begins a row of so many fields; exactly as many copy_*() calls follow. */
void copy_row(struct copy_rows *self, unsigned field_count);

void copy_null(struct copy_rows *self);
void copy_int2(struct copy_rows *self, int16_t value);
void copy_int4(struct copy_rows *self, int32_t value);
void copy_int8(struct copy_rows *self, int64_t value);
void copy_id(struct copy_rows *self, uint64_t id); /* int8; CHECKs that it fits */
void copy_char(struct copy_rows *self, uint8_t c); /* type "char" */
void copy_bool(struct copy_rows *self, bool value);

/* type numeric, an integer of up to 128 bits */
void copy_numeric(struct copy_rows *self, __int128 value);

/* type timestamptz, which has microseconds: nanoseconds are cut off */
void copy_time(struct copy_rows *self, int64_t ns);

/* type text: at most `max` bytes up to a NUL. Bytes that are not printable ASCII come out as \xHH,
 * so that whatever somebody sent can be stored and read; `utf8` lets valid UTF-8 through. */
void copy_text(struct copy_rows *self, const char *text, size_t max, bool utf8);

/* type jsonb, from JSON text that is known to be well-formed */
void copy_jsonb(struct copy_rows *self, const char *json);

#endif
