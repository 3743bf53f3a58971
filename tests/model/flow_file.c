#include "tests/model/flow_file.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLOW_RECORDS_MAX UINT64_C(100000000)

static bool header_ok(const struct flow_header *header)
{
    return memcmp(header->magic, "FLOW0001", sizeof header->magic) == 0 && header->version == 1 &&
           header->record_bytes == sizeof(struct flow_record) &&
           header->prefill_count <= FLOW_RECORDS_MAX && header->command_count <= FLOW_RECORDS_MAX;
}

/* New orders count up; others name one of them. That it is open shows when it is played. */
static bool records_ok(const struct flow *self)
{
    uint64_t orders = 0;
    for (uint64_t i = 0; i < self->count; i++) {
        const struct flow_record *r = &self->records[i];
        bool comes = r->type == FLOW_GTC || r->type == FLOW_IOC;
        if (comes && r->id != ++orders) return false;
        if (r->id == 0 || r->id > orders) return false;
        if (r->type < FLOW_GTC || r->type > FLOW_MOVE || r->side > FLOW_ASK) return false;
        if (r->price == 0 || r->price >= UINT32_C(1) << 24 || r->qty == 0 || r->uid == 0)
            return false;
    }
    return true;
}

enum status flow_read(struct flow *self, const char *path)
{
    enum status result = STATUS_CORRUPT;
    *self = (struct flow){0};
    FILE *file = fopen(path, "rb");
    if (!file) return STATUS_IO;
    if (fread(&self->header, sizeof self->header, 1, file) != 1 || !header_ok(&self->header))
        goto cleanup;
    self->count = self->header.prefill_count + self->header.command_count;
    self->records = calloc(self->count ? self->count : 1, sizeof *self->records);
    if (!self->records) abort();
    if (fread(self->records, sizeof *self->records, self->count, file) == self->count &&
        fgetc(file) == EOF && records_ok(self))
        result = STATUS_OK;
cleanup:
    if (result != STATUS_OK) flow_free(self);
    fclose(file);
    return result;
}

void flow_free(struct flow *self)
{
    free(self->records);
    *self = (struct flow){0};
}
