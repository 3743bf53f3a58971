#include "web/json/encode.h"

#include <stdlib.h>
#include <string.h>

enum { BUFFER_FIRST_BYTES = 512 };

void json_buffer_free(struct json_buffer *self)
{
    free(self->text);
    *self = (struct json_buffer){0};
}

/* Room for `more` bytes at the end, or NULL once memory has run out. */
static char *reserve(struct json_buffer *self, size_t more)
{
    if (self->failed) return NULL;
    if (more > self->capacity - self->length) {
        size_t capacity = self->capacity ? self->capacity : BUFFER_FIRST_BYTES;
        while (capacity - self->length < more) {
            if (capacity > SIZE_MAX / 2) {
                self->failed = true;
                return NULL;
            }
            capacity *= 2;
        }
        char *text = realloc(self->text, capacity);
        if (!text) {
            self->failed = true;
            return NULL;
        }
        self->text = text;
        self->capacity = capacity;
    }
    return self->text + self->length;
}

void json_bytes(struct json_buffer *self, const char *bytes, size_t length)
{
    if (length == 0) return;
    char *at = reserve(self, length);
    if (!at) return;
    memcpy(at, bytes, length);
    self->length += length;
}

void json_text(struct json_buffer *self, const char *text)
{
    json_bytes(self, text, strlen(text));
}

void json_word(struct json_buffer *self, const char *word)
{
    if (!word) {
        json_bytes(self, "null", 4);
        return;
    }
    json_bytes(self, "\"", 1);
    json_text(self, word);
    json_bytes(self, "\"", 1);
}

/* Bytes of the well-formed UTF-8 sequence at `text`, 0 when there is none (RFC 3629 section 4). */
static size_t utf8_sequence(const unsigned char *text, size_t length)
{
    unsigned char first = text[0];
    if (first < 0x80) return 1;
    size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || bytes > length) return 0;
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (text[1] < low || text[1] > high) return 0;
    for (size_t i = 2; i < bytes; i++)
        if ((text[i] & 0xc0) != 0x80) return 0;
    return bytes;
}

static void escape(struct json_buffer *self, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    switch (c) {
    case '"': json_bytes(self, "\\\"", 2); return;
    case '\\': json_bytes(self, "\\\\", 2); return;
    case '\n': json_bytes(self, "\\n", 2); return;
    case '\r': json_bytes(self, "\\r", 2); return;
    case '\t': json_bytes(self, "\\t", 2); return;
    default: break;
    }
    char code[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    json_bytes(self, code, sizeof code);
}

void json_quoted(struct json_buffer *self, const char *text, size_t max)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = strnlen(text, max);
    json_bytes(self, "\"", 1);
    size_t plain = 0; /* where the run of bytes that need no change began */
    for (size_t i = 0; i < length;) {
        size_t sequence = utf8_sequence(bytes + i, length - i);
        bool special = bytes[i] < 0x20 || bytes[i] == '"' || bytes[i] == '\\' || bytes[i] == 0x7f;
        if (sequence > 0 && !special) {
            i += sequence;
            continue;
        }
        json_bytes(self, text + plain, i - plain);
        if (sequence == 0)
            json_text(self, "\xef\xbf\xbd"); /* U+FFFD: the text must stay valid UTF-8 */
        else
            escape(self, bytes[i]);
        plain = ++i;
    }
    json_bytes(self, text + plain, length - plain);
    json_bytes(self, "\"", 1);
}

/* Writes the digits so that they end before `end`, at least `width` of them; returns the first. */
static char *digits_before(char *end, uint64_t value, int width)
{
    char *at = end;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
        width--;
    } while (value > 0 || width > 0);
    return at;
}

void json_uint(struct json_buffer *self, uint64_t value)
{
    char text[24];
    char *end = text + sizeof text, *at = digits_before(end, value, 1);
    json_bytes(self, at, (size_t)(end - at));
}

/* |value|, also of INT64_MIN. */
static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

void json_bool(struct json_buffer *self, bool value)
{
    if (value)
        json_bytes(self, "true", 4);
    else
        json_bytes(self, "false", 5);
}

void json_int(struct json_buffer *self, int64_t value)
{
    char text[24];
    char *end = text + sizeof text, *at = digits_before(end, magnitude(value), 1);
    if (value < 0) *--at = '-';
    json_bytes(self, at, (size_t)(end - at));
}

void json_px(struct json_buffer *self, px_t px)
{
    char text[32];
    uint64_t units = magnitude(px);
    char *end = text + sizeof text, *at = end;
    *--at = '"';
    at = digits_before(at, units % PX_SCALE, 4);
    *--at = '.';
    at = digits_before(at, units / PX_SCALE, 1);
    if (px < 0) *--at = '-';
    *--at = '"';
    json_bytes(self, at, (size_t)(end - at));
}

void json_px_or_null(struct json_buffer *self, px_t px)
{
    if (px)
        json_px(self, px);
    else
        json_bytes(self, "null", 4);
}

void json_qty_or_null(struct json_buffer *self, qty_t qty)
{
    if (qty)
        json_int(self, qty);
    else
        json_bytes(self, "null", 4);
}

void json_id(struct json_buffer *self, uint64_t id)
{
    char text[24];
    char *end = text + sizeof text, *at = end;
    *--at = '"';
    at = digits_before(at, id, 1);
    *--at = '"';
    json_bytes(self, at, (size_t)(end - at));
}

/* Days since the epoch to a date of the proleptic Gregorian calendar: Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", civil_from_days. */
static void date_of_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468; /* from 0000-03-01 */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned day_of_era = (unsigned)(days - era * 146097);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted = (5 * day_of_year + 2) / 153; /* month from March */
    *day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = (int64_t)year_of_era + era * 400 + (*month <= 2);
}

void json_time(struct json_buffer *self, int64_t ns)
{
    const int64_t ns_per_s = 1000000000, s_per_day = 86400;
    int64_t fraction = ns % ns_per_s;
    int64_t seconds = ns / ns_per_s - (fraction < 0);
    if (fraction < 0) fraction += ns_per_s;
    int64_t second_of_day = seconds % s_per_day;
    int64_t days = seconds / s_per_day - (second_of_day < 0);
    if (second_of_day < 0) second_of_day += s_per_day;

    int64_t year;
    unsigned month, day;
    date_of_days(days, &year, &month, &day);
    char text[] = "\"0000-00-00T00:00:00.000000000Z\"";
    digits_before(text + 5, (uint64_t)year, 4); /* int64 nanoseconds reach from 1677 to 2262 */
    digits_before(text + 8, month, 2);
    digits_before(text + 11, day, 2);
    digits_before(text + 14, (uint64_t)second_of_day / 3600, 2);
    digits_before(text + 17, (uint64_t)second_of_day / 60 % 60, 2);
    digits_before(text + 20, (uint64_t)second_of_day % 60, 2);
    digits_before(text + 30, (uint64_t)fraction, 9);
    json_bytes(self, text, sizeof text - 1);
}

void json_time_or_null(struct json_buffer *self, int64_t ns)
{
    if (ns)
        json_time(self, ns);
    else
        json_bytes(self, "null", 4);
}
