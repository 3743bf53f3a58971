#include "server/ops/lobster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/message/command.h"

enum {
    LINE_BYTES = 256,
    MESSAGES_MAX = 1 << 28,
    FIRST_CAPACITY = 1024, /* a power of two, also of the index */
};

#define ID_MAX UINT64_C(9999999999999999999) /* 19 digits */

/* One line's fields. */
struct line {
    uint64_t type, id, qty, px;
    bool buy;
};

void lobster_free(struct lobster *self)
{
    free(self->messages);
    free(self->orders);
    free(self->resting);
    free(self->index);
    memset(self, 0, sizeof *self);
}

/* ---- one line ---- */

/* Digits up to a comma, at most `max`; moves behind the comma. */
static bool read_number(const char **at, uint64_t max, uint64_t *number)
{
    const char *digit = *at;
    *number = 0;
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        uint64_t add = (uint64_t)(*digit - '0');
        if (add > max || *number > (max - add) / 10) return false;
        *number = *number * 10 + add;
    }
    if (digit == *at || *digit != ',') return false;
    *at = digit + 1;
    return true;
}

static bool read_line(const char *text, struct line *line)
{
    size_t time_length = strspn(text, "0123456789.");
    if (time_length == 0 || text[time_length] != ',') return false;
    const char *at = text + time_length + 1;
    if (!read_number(&at, 7, &line->type) || line->type == 0) return false;
    if (line->type > LOBSTER_EXECUTE)
        return true; /* crosses and halts carry -1 for what they lack */
    if (!read_number(&at, ID_MAX, &line->id)) return false;
    if (!read_number(&at, QTY_MAX, &line->qty) || line->qty == 0) return false;
    if (!read_number(&at, PX_MAX, &line->px) || line->px == 0) return false;
    size_t end = strcspn(at, "\r\n");
    line->buy = end == 1 && at[0] == '1';
    return line->buy || (end == 2 && at[0] == '-' && at[1] == '1');
}

/* ---- orders by id ---- */

static uint32_t slot_of(const struct lobster *self, uint64_t id)
{
    uint32_t slot = (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
    for (slot &= self->index_size - 1; self->index[slot];
         slot = (slot + 1) & (self->index_size - 1))
        if (self->orders[self->index[slot] - 1].id == id) break;
    return slot;
}

bool lobster_find(const struct lobster *self, uint64_t id, uint32_t *order)
{
    if (self->index_size == 0) return false;
    uint32_t found = self->index[slot_of(self, id)];
    if (found) *order = found - 1;
    return found != 0;
}

/* Keeps the index at most half full. */
static bool grow_orders(struct lobster *self)
{
    if (self->index_size && self->order_count < self->index_size / 2) return true;
    uint32_t size = self->index_size ? self->index_size * 2 : FIRST_CAPACITY;
    uint32_t *index = calloc(size, sizeof *index);
    struct lobster_order *orders = realloc(self->orders, size / 2 * sizeof *orders);
    if (orders) self->orders = orders;
    if (!index || !orders) {
        free(index);
        return false;
    }
    free(self->index);
    self->index = index;
    self->index_size = size;
    for (uint32_t i = 0; i < self->order_count; i++)
        self->index[slot_of(self, self->orders[i].id)] = i + 1;
    return true;
}

static bool add_order(struct lobster *self, const struct line *line, uint32_t *order)
{
    if (!grow_orders(self)) return false;
    *order = self->order_count++;
    self->orders[*order] = (struct lobster_order){
        .id = line->id, .side = line->buy ? SIDE_BUY : SIDE_SELL, .px = (px_t)line->px};
    self->index[slot_of(self, line->id)] = *order + 1;
    return true;
}

/* ---- the file ---- */

static bool add_message(struct lobster *self, const struct lobster_message *message)
{
    uint32_t count = self->message_count;
    if (count >= FIRST_CAPACITY ? (count & (count - 1)) == 0 : count == 0) {
        size_t capacity = count ? (size_t)count * 2 : FIRST_CAPACITY;
        if (capacity > MESSAGES_MAX) return false;
        struct lobster_message *grown = realloc(self->messages, capacity * sizeof *grown);
        if (!grown) return false;
        self->messages = grown;
    }
    self->messages[self->message_count++] = *message;
    return true;
}

/* Takes a line over; NULL, or what is wrong with it. */
static const char *take_line(struct lobster *self, const char *text)
{
    struct line line;
    struct lobster_message message = {0};
    if (!read_line(text, &line)) return "not a LOBSTER message";
    message.type = (uint8_t)line.type;
    if (line.type <= LOBSTER_EXECUTE) {
        bool known = lobster_find(self, line.id, &message.order);
        if (known && line.type == LOBSTER_NEW) return "an order that was placed or resting already";
        if (!known && !add_order(self, &line, &message.order)) return "out of memory";
        struct lobster_order *order = &self->orders[message.order];
        bool was_resting = !known && line.type != LOBSTER_NEW;
        if (was_resting || order->resting_qty > 0) {
            if (order->resting_qty > QTY_MAX - (qty_t)line.qty) return "too many shares";
            order->resting_qty += (qty_t)line.qty;
        }
        message.qty = (qty_t)line.qty;
        message.px = (px_t)line.px;
    }
    return add_message(self, &message) ? NULL : "out of memory";
}

static bool read_lines(struct lobster *self, FILE *file, uint64_t limit, char *why)
{
    char text[LINE_BYTES];
    uint64_t number = 0;
    while ((limit == 0 || number < limit) && fgets(text, sizeof text, file)) {
        number++;
        const char *complaint =
            strchr(text, '\n') || feof(file) ? take_line(self, text) : "the line is too long";
        if (!complaint) continue;
        snprintf(why, LOBSTER_WHY_BYTES, "line %llu: %s", (unsigned long long)number, complaint);
        return false;
    }
    if (ferror(file)) {
        snprintf(why, LOBSTER_WHY_BYTES, "%s", strerror(errno));
        return false;
    }
    if (number == 0) snprintf(why, LOBSTER_WHY_BYTES, "there are no messages in it");
    return number > 0;
}

static const struct lobster_order *sorted_orders; /* what compare_ids() looks at, during qsort */

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = sorted_orders[*(const uint32_t *)a].id, y = sorted_orders[*(const uint32_t *)b].id;
    return (x > y) - (x < y);
}

static bool list_resting(struct lobster *self)
{
    self->resting = malloc((self->order_count + 1) * sizeof self->resting[0]);
    if (!self->resting) return false;
    for (uint32_t i = 0; i < self->order_count; i++)
        if (self->orders[i].resting_qty > 0) self->resting[self->resting_count++] = i;
    sorted_orders = self->orders;
    qsort(self->resting, self->resting_count, sizeof self->resting[0], compare_ids);
    return true;
}

bool lobster_read_from(struct lobster *self, FILE *file, uint64_t limit,
                       char why[LOBSTER_WHY_BYTES])
{
    memset(self, 0, sizeof *self);
    bool ok = read_lines(self, file, limit, why);
    if (ok && !list_resting(self)) {
        snprintf(why, LOBSTER_WHY_BYTES, "out of memory");
        ok = false;
    }
    if (!ok) lobster_free(self);
    return ok;
}

bool lobster_read(struct lobster *self, const char *path, uint64_t limit,
                  char why[LOBSTER_WHY_BYTES])
{
    memset(self, 0, sizeof *self);
    FILE *file = fopen(path, "re");
    if (!file) {
        snprintf(why, LOBSTER_WHY_BYTES, "%s", strerror(errno));
        return false;
    }
    bool ok = lobster_read_from(self, file, limit, why);
    fclose(file);
    return ok;
}
