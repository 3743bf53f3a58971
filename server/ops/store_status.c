#include "server/ops/store_status.h"

#include <stdio.h>
#include <string.h>

#include "engine/bus/clock.h"
#include "engine/bus/journal.h"
#include "engine/snapshot.h"

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static uint64_t load(const _Atomic uint64_t *from)
{
    return atomic_load_explicit(from, memory_order_acquire);
}

/* ---- gathering ---- */

const char *durability_text(uint32_t durability)
{
    switch (durability) {
    case DURABILITY_MEMORY: return "memory";
    case DURABILITY_DISK: return "disk";
    case DURABILITY_REPLICATED: return "replicated";
    default: return "unknown";
    }
}

const char *disk_error_text(const struct control *control)
{
    int error = atomic_load_explicit(&control->disk_error, memory_order_relaxed);
    return error ? strerror(error) : "unknown";
}

static const char *disk_state_text(enum disk_state state)
{
    switch (state) {
    case DISK_GOOD: return "good";
    case DISK_RESERVE: return "reserve";
    case DISK_STOPPED: return "stopped";
    }
    return "unknown";
}

/* The error stays to be read while the trouble lasts, and no longer. */
static json_t *disk(const struct control *control)
{
    enum disk_state state = control_disk(control);
    return json_pack("{s:s, s:s?}", "state", disk_state_text(state), "error",
                     state == DISK_GOOD ? NULL : disk_error_text(control));
}

/* How long the first command that is not released has waited. It may be released meanwhile: then
 * it was the first a moment ago, which is as true. */
static int64_t first_waits_ms(const struct instance *instance, const struct control *control,
                              seq_t first)
{
    const struct journal_record *record;
    struct journal_reader reader;
    int64_t waits_ms = 0;
    enum status status =
        journal_reader_open_following(&reader, instance, control, JOURNAL_IN, first, 0);
    if (status == STATUS_OK) status = journal_next(&reader, &record);
    if (status == STATUS_OK) waits_ms = (clock_wall_ns() - record->time_ns) / 1000000;
    journal_reader_close(&reader);
    return waits_ms > 0 ? waits_ms : 0;
}

static json_t *unreleased(const struct instance *instance, const struct control *control)
{
    uint64_t released = load(&control->released_seq), written = load(&control->in.written_seq);
    uint64_t commands = written > released ? written - released : 0;
    int64_t age_ms = commands ? first_waits_ms(instance, control, released + 1) : 0;
    return json_pack("{s:o, s:I}", "commands", number(commands), "age_ms", (json_int_t)age_ms);
}

/* By the files: also of an exchange that has no standby now. */
static json_t *snapshot(const struct instance *instance)
{
    seq_t seq = snapshot_newest(instance, UINT64_MAX);
    int64_t made_ns = seq ? snapshot_made_ns(instance, seq) : 0;
    if (!made_ns) return json_null();
    return json_pack("{s:o, s:I, s:I}", "in_seq", number(seq), "made_ns", (json_int_t)made_ns,
                     "age_s", (json_int_t)((clock_wall_ns() - made_ns) / 1000000000));
}

void store_status_add(json_t *root, const struct instance *instance, const struct control *control)
{
    (void)json_object_set_new(root, "durability",
                              json_string(durability_text(control->durability)));
    (void)json_object_set_new(
        root, "takeovers",
        json_integer(atomic_load_explicit(&control->takeovers, memory_order_relaxed)));
    (void)json_object_set_new(root, "disk", disk(control));
    (void)json_object_set_new(root, "unreleased", unreleased(instance, control));
    (void)json_object_set_new(root, "snapshot", snapshot(instance));
}

/* ---- for people ---- */

static json_int_t number_of(const json_t *object, const char *member)
{
    return json_integer_value(json_object_get(object, member));
}

static void print_disk(const json_t *disk, const char *durability)
{
    const char *state = json_string_value(json_object_get(disk, "state"));
    const char *error = json_string_value(json_object_get(disk, "error"));
    if (!state) return;
    if (strcmp(state, "good") == 0)
        printf("disk        good\n");
    else if (strcmp(state, "reserve") == 0)
        printf("disk        IN RESERVE (%s): only cancels are taken until there is room\n", error);
    else if (strcmp(durability, "memory") == 0)
        printf("disk        STOPPED (%s): only cancels are taken, and nothing becomes safe\n",
               error);
    else
        printf("disk        STOPPED (%s): nothing is acknowledged until it works again\n", error);
}

static void print_age(json_int_t age_s)
{
    if (age_s < 120)
        printf("%" JSON_INTEGER_FORMAT " s", age_s);
    else if (age_s < 7200)
        printf("%" JSON_INTEGER_FORMAT " min", age_s / 60);
    else
        printf("%" JSON_INTEGER_FORMAT " h", age_s / 3600);
}

void store_status_print(const json_t *root)
{
    const char *durability = json_string_value(json_object_get(root, "durability"));
    const json_t *waiting = json_object_get(root, "unreleased");
    const json_t *newest = json_object_get(root, "snapshot");
    if (!durability) return;
    printf("durability  %s\n", durability);
    print_disk(json_object_get(root, "disk"), durability);
    if (number_of(waiting, "commands") > 0)
        printf("waiting     %" JSON_INTEGER_FORMAT " commands are not released, the first for "
               "%" JSON_INTEGER_FORMAT " ms\n",
               number_of(waiting, "commands"), number_of(waiting, "age_ms"));
    if (json_is_object(newest)) {
        printf("snapshot    of command %" JSON_INTEGER_FORMAT ", ", number_of(newest, "in_seq"));
        print_age(number_of(newest, "age_s"));
        printf(" old\n");
    } else {
        printf("snapshot    none yet\n");
    }
    printf("takeovers   %" JSON_INTEGER_FORMAT "\n", number_of(root, "takeovers"));
}
