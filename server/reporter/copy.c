#include "server/reporter/copy.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"

/* 2000-01-01 00:00:00 UTC, PostgreSQL's epoch, in microseconds of ours. */
#define POSTGRES_EPOCH_US INT64_C(946684800000000)

void copy_clear(struct copy_rows *self)
{
    self->length = 0;
    self->row_count = 0;
    self->failed = false;
}

void copy_free(struct copy_rows *self)
{
    free(self->bytes);
    *self = (struct copy_rows){0};
}

static uint8_t *reserve(struct copy_rows *self, size_t bytes)
{
    if (self->failed) return NULL;
    if (self->capacity - self->length < bytes) {
        size_t capacity = self->capacity ? self->capacity : 65536;
        while (capacity - self->length < bytes) capacity *= 2;
        uint8_t *grown = realloc(self->bytes, capacity);
        if (!grown) {
            self->failed = true;
            return NULL;
        }
        self->bytes = grown;
        self->capacity = capacity;
    }
    uint8_t *at = self->bytes + self->length;
    self->length += bytes;
    return at;
}

static void big_endian(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

void copy_row(struct copy_rows *self, unsigned field_count)
{
    uint8_t *at = reserve(self, 2);
    if (!at) return;
    big_endian(at, field_count, 2);
    self->row_count++;
}

void copy_null(struct copy_rows *self)
{
    uint8_t *at = reserve(self, 4);
    if (at) memset(at, 0xff, 4);
}

static void fixed(struct copy_rows *self, uint64_t value, unsigned bytes)
{
    uint8_t *at = reserve(self, 4 + bytes);
    if (!at) return;
    big_endian(at, bytes, 4);
    big_endian(at + 4, value, bytes);
}

void copy_int2(struct copy_rows *self, int16_t value)
{
    fixed(self, (uint64_t)value, 2);
}
void copy_int4(struct copy_rows *self, int32_t value)
{
    fixed(self, (uint64_t)value, 4);
}
void copy_int8(struct copy_rows *self, int64_t value)
{
    fixed(self, (uint64_t)value, 8);
}
void copy_char(struct copy_rows *self, uint8_t c)
{
    fixed(self, c, 1);
}

void copy_bool(struct copy_rows *self, bool value)
{
    fixed(self, value, 1);
}

void copy_id(struct copy_rows *self, uint64_t id)
{
    CHECK(id <= INT64_MAX);
    fixed(self, id, 8);
}

void copy_time(struct copy_rows *self, int64_t ns)
{
    fixed(self, (uint64_t)(ns / 1000 - POSTGRES_EPOCH_US), 8);
}

/* numeric: | digit count i16 | weight i16 | sign i16 | scale i16 | base-10000 digits i16 ... | */
void copy_numeric(struct copy_rows *self, __int128 value)
{
    enum { DIGIT_MAX = 10 }; /* 2^127 has 39 decimal digits */
    unsigned __int128 rest = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    uint16_t digits[DIGIT_MAX];
    unsigned count = 0;
    for (; rest > 0; rest /= 10000) digits[count++] = (uint16_t)(rest % 10000);
    uint8_t *at = reserve(self, 4 + 8 + 2 * count);
    if (!at) return;
    big_endian(at, 8 + 2 * count, 4);
    big_endian(at + 4, count, 2);
    big_endian(at + 6, count ? count - 1 : 0, 2);
    big_endian(at + 8, value < 0 ? 0x4000 : 0, 2);
    big_endian(at + 10, 0, 2);
    for (unsigned i = 0; i < count; i++) big_endian(at + 12 + 2 * i, digits[count - 1 - i], 2);
}

/* Bytes of the UTF-8 character at `text`, 0 when it is none (RFC 3629). */
static size_t utf8_length(const uint8_t *text, size_t left)
{
    static const struct {
        uint8_t first, last, low, high; /* of the first byte; of the second */
        uint8_t length;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
        if (text[0] < forms[f].first || text[0] > forms[f].last) continue;
        if (left < forms[f].length) return 0;
        if (text[1] < forms[f].low || text[1] > forms[f].high) return 0;
        for (size_t i = 2; i < forms[f].length; i++)
            if (text[i] < 0x80 || text[i] > 0xbf) return 0;
        return forms[f].length;
    }
    return 0;
}

void copy_text(struct copy_rows *self, const char *text, size_t max, bool utf8)
{
    static const char hex[] = "0123456789abcdef";
    size_t length = strnlen(text, max);
    uint8_t *size = reserve(self, 4);
    if (!size) return;
    size_t begin = self->length;
    const uint8_t *bytes = (const uint8_t *)text;
    for (size_t i = 0; i < length;) {
        size_t whole = bytes[i] >= 0x20 && bytes[i] < 0x7f ? 1 : 0;
        if (!whole && utf8) whole = utf8_length(bytes + i, length - i);
        uint8_t *at = reserve(self, whole ? whole : 4);
        if (!at) return;
        if (whole) {
            memcpy(at, bytes + i, whole);
            i += whole;
        } else {
            at[0] = '\\', at[1] = 'x';
            at[2] = (uint8_t)hex[bytes[i] >> 4], at[3] = (uint8_t)hex[bytes[i] & 15];
            i++;
        }
    }
    big_endian(self->bytes + begin - 4, self->length - begin, 4);
}

/* jsonb: | version 1 | text | */
void copy_jsonb(struct copy_rows *self, const char *json)
{
    size_t length = strlen(json);
    uint8_t *at = reserve(self, 4 + 1 + length);
    if (!at) return;
    big_endian(at, 1 + length, 4);
    at[4] = 1;
    memcpy(at + 5, json, length);
}
