/* store_status.h - what hoga status tells of the event store: when answers leave, what the disk
 * allows, what waits for it, the newest snapshot. */
#ifndef HOGA_OPS_STORE_STATUS_H
#define HOGA_OPS_STORE_STATUS_H

#include <jansson.h>

#include "engine/bus/control.h"
#include "engine/bus/instance.h"

/* "memory", "disk", "replicated": enum durability. */
const char *durability_text(uint32_t durability);

/* "No space left on device": the last failure of the disk. Static storage, until the next call. */
const char *disk_error_text(const struct control *control);

/* Adds durability, takeovers, disk, unreleased and snapshot to `root`. */
void store_status_add(json_t *root, const struct instance *instance, const struct control *control);

/* The same for people, a line each; nothing of what `root` does not have. */
void store_status_print(const json_t *root);

#endif
