#include "flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS_MAX = 1 << 28 };

_Noreturn static void refuse(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s\n", path, what);
    exit(2);
}

static int is_sane(const struct flow *self)
{
    uint64_t orders = 0;
    for (uint64_t i = 0; i < self->count; i++) {
        const struct flow_record *r = &self->records[i];
        int is_new = r->type == FLOW_GTC || r->type == FLOW_IOC;
        if (is_new && r->id != ++orders) return 0;
        if (!is_new && r->type != FLOW_CANCEL && r->type != FLOW_MOVE) return 0;
        if (r->id == 0 || r->id > orders || r->side > 1 || r->qty == 0) return 0;
        if (r->price == 0 || r->price >= FLOW_PRICE_MAX) return 0;
        if (r->owner == 0 || r->owner > FLOW_OWNERS) return 0;
    }
    return 1;
}

void flow_read(struct flow *self, const char *path)
{
    FILE *file = fopen(path, "rbe");
    if (!file) refuse(path, "cannot be read");
    if (fread(&self->header, sizeof self->header, 1, file) != 1 ||
        memcmp(self->header.magic, "FLOW0001", 8) != 0 ||
        self->header.record_bytes != sizeof *self->records)
        refuse(path, "is no FLOW0001 file");
    if (self->header.prefill_count > RECORDS_MAX || self->header.timed_count > RECORDS_MAX)
        refuse(path, "has too many records");
    self->count = self->header.prefill_count + self->header.timed_count;
    self->records = malloc((self->count + 1) * sizeof *self->records);
    if (!self->records) refuse(path, "does not fit into memory");
    if (fread(self->records, sizeof *self->records, self->count, file) != self->count)
        refuse(path, "is shorter than its header says");
    (void)fclose(file);
    if (!is_sane(self)) refuse(path, "has a record that makes no sense");
}

void flow_free(struct flow *self)
{
    free(self->records);
    self->records = NULL;
}
