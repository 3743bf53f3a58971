/* layout.h - which file of a data directory is what, and how to write one safely.
 *
 *   DIR/lock                 held by the supervisor while it runs; contains its pid
 *   DIR/demo.json flow.json  credentials of the demonstration (0600)
 *   DIR/secrets/             master.key, keys.json (directory 0700)
 *   DIR/run/                 supervisor.json, front.json: what is running now
 *   DIR/log/                 one file a process
 *   DIR/pg/                  the private PostgreSQL, unless DIR/pg.path says where it is
 *   DIR/journal/             the archive (engine/bus/instance.h)
 */
#ifndef HOGA_OPS_LAYOUT_H
#define HOGA_OPS_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "engine/base/status.h"
#include "engine/bus/instance.h"

enum { LAYOUT_PATH_BYTES = INSTANCE_PATH_BYTES + 128 };

/* DIR/name */
void layout_path(char path[LAYOUT_PATH_BYTES], const struct instance *instance, const char *name);

/* A file beside this program: `name` in its directory ("hoga-core"), or in the directory above it,
 * which is the source tree ("sql"). */
void layout_program(char path[LAYOUT_PATH_BYTES], const char *name);
void layout_tree(char path[LAYOUT_PATH_BYTES], const char *name);

/* Makes the directories above. STATUS_IO and errno when it cannot. */
MUST_CHECK enum status layout_prepare(const struct instance *instance);

/* Takes DIR/lock for the life of this process and writes the pid into it. STATUS_BUSY when a
 * supervisor has it (its pid is stored, 0 if not known yet). */
MUST_CHECK enum status layout_lock(const struct instance *instance, pid_t *owner);

/* The pid of the supervisor that holds DIR/lock; 0 when nobody does. */
pid_t layout_lock_owner(const struct instance *instance);

/* Replaces DIR/name with `text` at once: a reader sees the old file or the new one, and so does a
 * machine that lost its power. */
MUST_CHECK enum status layout_write(const struct instance *instance, const char *name,
                                    const void *bytes, size_t length, mode_t mode);

/* DIR/name, NUL-terminated, to be freed; NULL when there is none or it is larger than `max`. */
char *layout_read(const struct instance *instance, const char *name, size_t max);

#endif
