#include "tests/sim/follower.h"

#include "engine/bus/reader_marks.h"
#include "tests/sim/machine.h"

enum { MS = 1000000, RECORDS_A_TURN = 32 };

/* Returns whether there may be more. */
static bool read_some(struct follower *self, struct journal_reader *reader)
{
    for (unsigned i = 0; i < RECORDS_A_TURN; i++) {
        const struct journal_record *record;
        enum status status = journal_next(reader, &record);
        if (status == STATUS_EMPTY) return false;
        if (status != STATUS_OK) {
            self->failed(reader->where);
            current_exit(1);
        }
        self->read(reader->kind, record);
        self->next[reader->kind] = record->seq + 1;
    }
    return true;
}

static void open_all(struct follower *self, struct instance *instance, struct control **control,
                     struct journal_reader readers[2])
{
    enum status status = instance_open(instance, "/data");
    if (status == STATUS_OK) status = control_open(control, instance);
    for (unsigned kind = 0; kind < 2 && status == STATUS_OK; kind++) {
        if (!self->next[kind]) self->next[kind] = 1;
        status = journal_reader_open(&readers[kind], instance, *control, (enum journal_kind)kind,
                                     self->next[kind]);
    }
    if (status != STATUS_OK) current_exit(1); /* started again a little later */
}

int follower_main(void *argument)
{
    struct follower *self = argument;
    struct instance instance;
    struct control *control;
    struct journal_reader readers[2];
    uint32_t noted[2] = {0, 0};
    open_all(self, &instance, &control, readers);
    while (!self->stop_asked) {
        bool more = read_some(self, &readers[JOURNAL_IN]);
        more = read_some(self, &readers[JOURNAL_OUT]) || more;
        if (readers[0].segment != noted[0] || readers[1].segment != noted[1]) {
            noted[0] = readers[0].segment;
            noted[1] = readers[1].segment;
            (void)!reader_mark_write(&instance, "follower", noted[0], noted[1]);
        }
        if (!more) current_sleep(random_ns(0, chance(100) ? 300 : 10) * MS);
    }
    return 0;
}
