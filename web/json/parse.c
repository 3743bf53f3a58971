#include "web/json/parse.h"

#include <string.h>

json_t *json_parse_object(const char *text, size_t length)
{
    json_error_t error;
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (!value && json_error_code(&error) == json_error_numeric_overflow)
        value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    if (value && !json_is_object(value)) {
        json_decref(value);
        return NULL;
    }
    return value;
}

bool json_parse_uint(const char *text, uint64_t max, uint64_t *value)
{
    if (!text || !*text) return false;
    uint64_t sum = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        uint64_t digit = (uint64_t)(*text - '0');
        if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit, &sum))
            return false;
    }
    if (sum > max) return false;
    *value = sum;
    return true;
}

/* Exactly `count` digits at *text, within [min, max]; moves past them. */
static bool take_digits(const char **text, int count, int min, int max, int *value)
{
    int sum = 0;
    for (int i = 0; i < count; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9') return false;
        sum = sum * 10 + (c - '0');
    }
    *text += count;
    *value = sum;
    return sum >= min && sum <= max;
}

static bool take(const char **text, char c)
{
    if (**text != c) return false;
    (*text)++;
    return true;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static int64_t days_since_epoch(int year, int month, int day)
{
    int64_t days = day - 1;
    for (int y = 1970; y < year; y++) days += 337 + days_of_month(y, 2);
    for (int m = 1; m < month; m++) days += days_of_month(year, m);
    return days;
}

/* The fraction of a second behind the point, in nanoseconds. */
static bool take_fraction(const char **text, int64_t *ns)
{
    int64_t unit = 100000000;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9'; at++) {
        *ns += (*at - '0') * unit;
        unit /= 10;
    }
    bool any = at > *text;
    *text = at;
    return any;
}

static bool take_offset(const char **text, int *minutes)
{
    if (take(text, 'Z') || take(text, 'z')) return true;
    int hour, minute, sign = **text == '-' ? -1 : 1;
    if (!take(text, '+') && !take(text, '-')) return false;
    if (!take_digits(text, 2, 0, 23, &hour) || !take(text, ':') ||
        !take_digits(text, 2, 0, 59, &minute))
        return false;
    *minutes = sign * (hour * 60 + minute);
    return true;
}

bool json_parse_time(const char *text, int64_t *ns)
{
    const int64_t day_max = 106651; /* 2262-01-01: the last whole year of int64 nanoseconds */
    uint64_t ms;
    if (!text) return false;
    if (json_parse_uint(text, (uint64_t)day_max * 86400000 - 1, &ms)) {
        *ns = (int64_t)ms * 1000000;
        return true;
    }
    int year, month, day, hour, minute, second, offset = 0;
    int64_t fraction = 0;
    if (!take_digits(&text, 4, 1969, 2262, &year) || !take(&text, '-') ||
        !take_digits(&text, 2, 1, 12, &month) || !take(&text, '-') ||
        !take_digits(&text, 2, 1, days_of_month(year, month), &day))
        return false;
    if (!take(&text, 'T') && !take(&text, 't')) return false;
    if (!take_digits(&text, 2, 0, 23, &hour) || !take(&text, ':') ||
        !take_digits(&text, 2, 0, 59, &minute) || !take(&text, ':') ||
        !take_digits(&text, 2, 0, 60, &second)) /* 60: a leap second */
        return false;
    if (take(&text, '.') && !take_fraction(&text, &fraction)) return false;
    if (!take_offset(&text, &offset) || *text) return false;

    int64_t days = year >= 1970 ? days_since_epoch(year, month, day)
                                : days_since_epoch(1970, month, day) - 365;
    int64_t seconds =
        days * 86400 + (int64_t)hour * 3600 + ((int64_t)minute - offset) * 60 + second;
    if (seconds < 0 || seconds >= day_max * 86400) return false;
    *ns = seconds * 1000000000 + fraction;
    return true;
}
