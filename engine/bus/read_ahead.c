#define _GNU_SOURCE
#include "engine/bus/read_ahead.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/bus/futex.h"
#include "engine/bus/segment.h"

enum {
    PIECE_BYTES = 1024 * 1024,
    AHEAD_MAX = 64 * 1024 * 1024,
    WAIT_NS = 1000 * 1000, /* far enough ahead */
};

/* What was asked for of one journal. */
struct asked {
    enum journal_kind kind;
    uint32_t segment;
    int64_t offset; /* the next piece's */
    int fd;         /* -1: the segment is not open */
    int64_t bytes;  /* its file's */
    bool ended;     /* there is no further segment */
};

static void leave_segment(struct asked *self, uint32_t next)
{
    if (self->fd >= 0) (void)close(self->fd);
    self->fd = -1;
    self->segment = next;
    self->offset = 0;
}

static void enter_segment(struct asked *self, const struct instance *instance)
{
    char path[SEGMENT_PATH_BYTES];
    struct stat file;
    segment_archive_path(path, instance, self->kind, self->segment);
    self->fd = open(path, O_RDONLY | O_CLOEXEC);
    self->ended = self->fd < 0 || fstat(self->fd, &file) != 0;
    self->bytes = self->ended ? 0 : file.st_size;
}

/* Bytes between the reader and what was asked for; where that is in another segment, as if all had
 * the size of this one. A reader that has come by itself is followed. */
static int64_t distance(struct asked *self, uint64_t position)
{
    uint32_t segment = position ? (uint32_t)(position >> 32) : 1;
    int64_t offset = (int64_t)(position & UINT32_MAX);
    if (segment > self->segment) leave_segment(self, segment);
    if (segment == self->segment && offset > self->offset) self->offset = offset;
    return ((int64_t)self->segment - segment) * self->bytes + self->offset - offset;
}

static void ask(struct asked *self, const struct instance *instance)
{
    if (self->fd < 0) enter_segment(self, instance);
    if (self->ended) return;
    (void)posix_fadvise(self->fd, self->offset, PIECE_BYTES, POSIX_FADV_WILLNEED);
    self->offset += PIECE_BYTES;
    if (self->offset >= self->bytes) leave_segment(self, self->segment + 1);
}

/* Asks for one piece of the journal that has the least. Returns whether there is more to do. */
static bool turn(struct read_ahead *self, struct asked asked[2])
{
    struct asked *next = NULL;
    int64_t least = AHEAD_MAX;
    for (unsigned kind = 0; kind < 2; kind++) {
        struct asked *a = &asked[kind];
        int64_t ahead =
            distance(a, atomic_load_explicit(&self->position[kind], memory_order_relaxed));
        if (a->ended || ahead >= least) continue;
        next = a;
        least = ahead;
    }
    if (next)
        ask(next, self->instance);
    else
        futex_wait(&self->stopping, 0, WAIT_NS);
    return !asked[JOURNAL_IN].ended || !asked[JOURNAL_OUT].ended;
}

static void *run(void *argument)
{
    struct read_ahead *self = argument;
    struct asked asked[2];
    for (unsigned kind = 0; kind < 2; kind++)
        asked[kind] = (struct asked){.kind = (enum journal_kind)kind, .segment = 1, .fd = -1};
    while (!atomic_load_explicit(&self->stopping, memory_order_relaxed) && turn(self, asked))
        continue;
    for (unsigned kind = 0; kind < 2; kind++) leave_segment(&asked[kind], 0);
    return NULL;
}

void read_ahead_start(struct read_ahead *self, const struct instance *instance,
                      const uint64_t position[2])
{
    self->instance = instance;
    read_ahead_at(self, position[JOURNAL_IN], position[JOURNAL_OUT]);
    atomic_store_explicit(&self->stopping, 0, memory_order_relaxed);
    self->runs = pthread_create(&self->thread, NULL, run, self) == 0;
}

void read_ahead_stop(struct read_ahead *self)
{
    if (!self->runs) return;
    atomic_store_explicit(&self->stopping, 1, memory_order_relaxed);
    futex_ring(&self->stopping);
    (void)pthread_join(self->thread, NULL);
    self->runs = false;
}
