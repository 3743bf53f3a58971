#include "server/ops/admin_rows.h"

#include <stdio.h>
#include <string.h>

#include "server/ops/admin_request.h"
#include "server/ops/options.h"
#include "web/admission/admission.h"

#define LIST_ROWS_MAX 8 /* of any list */

enum { PART_BYTES = 64, ALL_DAYS = 0x7f };

/* One row of a list: what stands before its '=' and behind it. */
struct row {
    char left[PART_BYTES];
    char right[PART_BYTES];
};

static bool copy_part(char to[PART_BYTES], const char *from, size_t length)
{
    if (length == 0 || length >= PART_BYTES) return false;
    memcpy(to, from, length);
    to[length] = 0;
    return true;
}

/* "a=b,c=d" to rows. Returns how many, -1 when it is no such list or longer. */
static int split(const char *text, struct row rows[LIST_ROWS_MAX], int max)
{
    int count = 0;
    for (const char *at = text; at && *at; count++) {
        size_t length = strcspn(at, ",");
        const char *equals = memchr(at, '=', length);
        if (count == max || !equals || !copy_part(rows[count].left, at, (size_t)(equals - at)) ||
            !copy_part(rows[count].right, equals + 1, length - (size_t)(equals - at) - 1))
            return -1;
        at += length;
        if (*at == ',' && *++at == 0) return -1; /* nothing behind the comma */
    }
    return count;
}

/* "09:30" or "09:30:15". */
static bool take_second_of_day(const char *text, uint32_t *second)
{
    unsigned h, m, s = 0;
    int end = 0;
    if (strspn(text, "0123456789:") != strlen(text)) return false;
    if ((sscanf(text, "%2u:%2u:%2u%n", &h, &m, &s, &end) != 3 || text[end]) &&
        (s = 0, sscanf(text, "%2u:%2u%n", &h, &m, &end) != 2 || text[end]))
        return false;
    if (h > 23 || m > 59 || s > 59) return false;
    *second = h * 3600 + m * 60 + s;
    return true;
}

static int day_number(const char *text, size_t length)
{
    static const char days[7][4] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    for (int i = 0; i < 7; i++)
        if (length == 3 && strncmp(text, days[i], 3) == 0) return i;
    return -1;
}

/* "mon-fri+sun" to bits, bit 0 is Monday. */
static bool take_weekdays(const char *text, uint8_t *weekdays)
{
    *weekdays = 0;
    for (const char *at = text;;) {
        size_t length = strcspn(at, "+");
        const char *dash = memchr(at, '-', length);
        int first = day_number(at, dash ? (size_t)(dash - at) : length);
        int last = dash ? day_number(dash + 1, length - (size_t)(dash - at) - 1) : first;
        if (first < 0 || last < first) return false;
        for (int day = first; day <= last; day++) *weekdays |= (uint8_t)(1 << day);
        at += length;
        if (!*at) return true;
        at++;
    }
}

bool admin_take_schedule_rows(const char *text, struct command_set_schedule *to)
{
    struct row rows[LIST_ROWS_MAX];
    _Static_assert(SCHEDULE_ROWS <= LIST_ROWS_MAX, "a schedule's rows fit");
    if (!text) return admin_complain("rows", "is required");
    int count = split(text, rows, SCHEDULE_ROWS);
    bool good = count > 0;
    for (int i = 0; good && i < count; i++) {
        char *at_sign = strchr(rows[i].right, '@');
        to->weekdays[i] = ALL_DAYS;
        if (at_sign) {
            *at_sign = 0;
            good = take_weekdays(at_sign + 1, &to->weekdays[i]);
        }
        good = good && take_second_of_day(rows[i].left, &to->second_of_day[i]);
        if (good && !admin_take_session("rows", rows[i].right, &to->session[i])) return false;
    }
    return good ? true
                : admin_complain("rows", "must be up to eight of HH:MM[:SS]=SESSION[@DAYS], joined "
                                         "by commas, as in 09:00=continuous@mon-fri");
}

bool admin_take_tick_rows(const char *text, struct command_set_tick_table *to)
{
    struct row rows[LIST_ROWS_MAX];
    _Static_assert(TICK_TABLE_ROWS <= LIST_ROWS_MAX, "a tick table's rows fit");
    if (!text) return admin_complain("rows", "is required");
    int count = split(text, rows, TICK_TABLE_ROWS);
    bool good = count > 0;
    for (int i = 0; good && i < count; i++)
        good = admission_parse_px(rows[i].left, &to->from_px[i]) &&
               admission_parse_px(rows[i].right, &to->tick_px[i]);
    return good ? true
                : admin_complain("rows", "must be up to eight of FROM=TICK, joined by commas, as "
                                         "in 0=0.01,100=0.05");
}

bool admin_take_breaker_levels(const char *text, struct command_set_breakers *to)
{
    struct row rows[LIST_ROWS_MAX];
    if (!text) return admin_complain("levels", "is required");
    if (strcmp(text, "none") == 0) return true;
    int count = split(text, rows, BREAKER_LEVELS);
    bool good = count > 0;
    for (int i = 0; good && i < count; i++) {
        uint64_t decline, halt;
        good = options_number(rows[i].left, UINT32_MAX, &decline) &&
               options_number(rows[i].right, UINT32_MAX, &halt);
        if (!good) break;
        to->decline_ppm[i] = (uint32_t)decline;
        to->halt_ms[i] = (uint32_t)halt;
    }
    return good ? true
                : admin_complain("levels", "must be none, or up to three of DECLINE_PPM=HALT_MS, "
                                           "joined by commas, as in 70000=900000");
}
