/* archive.h - one journal's way from memory to disk: which bytes are in the archive, and which of
 * them are safe there.
 *
 *   segment in memory --archive_copy--> file --archive_sync--> safe
 *
 * A disk may be slow, full or lying, and nothing here gives up: every call that fails says why,
 * leaves what is safe as it was, and may be repeated; it goes on where it failed. What was copied
 * when a sync failed counts as lost, whatever a later sync says: the kernel may have dropped those
 * pages. It is copied again, out of memory, into a new file that then takes the old one's place.
 *
 * The memory segments from the first one that is not wholly safe stay until they are.
 *
 * Going on into the next segment costs a commit no more than a second sync: its file has been made
 * ahead of use (archive_prepare), and gets its name without the directory's being synced. A file
 * that was written to before its name was on disk is known by its header: archive_adopt() gives it
 * the name at the next start. What the full segment leaves behind, archive_tidy() puts away.
 *
 * Owned by one thread of the archiver's, but for archive_tidy().
 */
#ifndef HOGA_BUS_ARCHIVE_H
#define HOGA_BUS_ARCHIVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal.h"
#include "engine/bus/pace.h"

enum { ARCHIVE_MEMORY_SEGMENTS_KEPT = 3 }; /* full ones, for readers that are a little behind */

/* What a full segment leaves behind that is safe. */
struct archive_left {
    const uint8_t *map;
    size_t map_bytes;
    int fd;
    uint32_t segment;
};

struct archive {
    const struct instance *instance;
    enum journal_kind kind;
    struct journal_cursors *cursors;
    const uint8_t *map; /* the segment in memory; NULL before the first */
    size_t map_bytes;
    int fd; /* the same in the archive; -1: to be opened */
    uint32_t segment;
    uint64_t offset; /* copied up to here */
    uint64_t unsynced_bytes;
    uint64_t pushed;       /* the disk has been given everything before it */
    uint64_t watermark;    /* offset in the segment that the file itself says is safe */
    bool is_old;           /* the file was there before this life */
    bool is_after_trouble; /* the life before ended while its disk failed: its file may have been
                              replaced without the directory being told */
    bool is_doubtful;      /* a sync of it failed: a new file must take its place */
    const char *what;      /* after a failure: what could not be done */
    int error;             /* and why: errno */
    struct archive_left left;
    _Atomic bool has_left; /* archive_copy stores (release) once `left` is whole, archive_tidy takes
                              it (acquire) */
};

/* Where an archive begins: at what the cursors say is safe, or at the first segment in memory.
 * Opens nothing yet. The writer must be open. */
void archive_init(struct archive *self, const struct instance *instance, enum journal_kind kind,
                  struct journal_cursors *cursors);

/* Copies up to `position` (segment number << 32 | offset), through all segments before it, each of
 * which is synced when it is full, and noted in the durable cursors. Adds to `copied` what it has
 * copied, also when it fails. STATUS_IO: self->what and self->error say why. */
MUST_CHECK enum status archive_copy(struct archive *self, uint64_t position, uint64_t *copied);

/* The same, but at most some `max` bytes of it, and not over a segment's end: for what nobody waits
 * for, while commits of the other journal want the disk. Stores whether that was all. */
MUST_CHECK enum status archive_copy_some(struct archive *self, uint64_t position, uint64_t max,
                                         uint64_t *copied, bool *is_all);

/* Puts away what a full segment has left: its mapping, its descriptor, and the memory of the oldest
 * that readers are given no longer. It takes milliseconds and waits for nobody, so a thread does it
 * that nobody waits for. One thread at a time; it may be another than archive_copy()'s. */
void archive_tidy(struct archive *self);

/* Makes all that is copied safe. STATUS_IO. */
MUST_CHECK enum status archive_sync(struct archive *self);

/* Notes in the file itself how far it is safe, if all of it is, so that later damage is known for
 * what it is. STATUS_IO. */
MUST_CHECK enum status archive_mark(struct archive *self);

/* Shortens the last file to what it holds, has its name on disk and closes it. All must be copied
 * and synced. STATUS_IO: it is closed nevertheless. */
MUST_CHECK enum status archive_finish(struct archive *self);

/* Closes it where it stands. */
void archive_close(struct archive *self);

/* A start, where the end of a journal had to be read from the archive: nothing stays there behind
 * `offset` of segment `number` (0: the whole segment goes), on disk, before anything new is
 * written. What is left of records that were never safe, or of events whose commands were not,
 * could otherwise be taken for what follows, after another loss of power. STATUS_IO, errno; it may
 * be repeated. */
MUST_CHECK enum status archive_cut(const struct instance *instance, enum journal_kind kind,
                                   uint32_t number, uint64_t offset);

/* A start, before anything is read, when no core runs: a file made ahead of use that has been
 * written to gets its segment's name, on disk; others are removed, since a loss of power may have
 * left bytes in them. STATUS_IO, errno; it may be repeated. */
MUST_CHECK enum status archive_adopt(const struct instance *instance);

/* Keeper: makes the archive file of a coming segment, if it is not there, so that a disk that is
 * full by then has room for it. That of `in` is filled with zeros, on disk: a commit then changes
 * data alone, which costs fdatasync about a third less than bytes that were only reserved. `out`
 * is synced once a segment or so, and writing all of it twice would cost more. STATUS_IO, errno. */
MUST_CHECK enum status archive_prepare(const struct instance *instance, enum journal_kind kind,
                                       uint32_t number, uint32_t bytes, const struct pace *pace);

#endif
