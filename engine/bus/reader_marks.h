/* reader_marks.h - what must stay in the archive: how far each reader is whose cursor outlives it.
 *
 * DATA/journal/readers/NAME holds one line, "IN_SEGMENT OUT_SEGMENT": the first segment of each
 * journal that this reader still needs. The reporter writes one when it has committed, the standby
 * one for the oldest snapshot that it keeps. An operator who gives a reader up removes its file.
 */
#ifndef HOGA_BUS_READER_MARKS_H
#define HOGA_BUS_READER_MARKS_H

#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal.h"

/* Whose mark says what a start needs: the oldest snapshot's. */
#define READER_MARK_SNAPSHOTS "snapshots"

/* Replaces the mark of `name` at once; a reader sees the old one or the new one. STATUS_IO. */
MUST_CHECK enum status reader_mark_write(const struct instance *instance, const char *name,
                                         uint32_t in_segment, uint32_t out_segment);

/* The first segment that anybody needs; 0 when that is not known: no marks at all, none of
 * a snapshot, one that cannot be read, or one that needs everything. Then nothing may be removed.
 */
uint32_t reader_marks_first_needed(const struct instance *instance, enum journal_kind kind);

#endif
