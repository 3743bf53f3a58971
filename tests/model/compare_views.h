/* compare_views.h - whether an engine shows the same state as the model, by every question that
 * engine.h answers.
 */
#ifndef HOGA_TESTS_COMPARE_VIEWS_H
#define HOGA_TESTS_COMPARE_VIEWS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"
#include "tests/model/model.h"

/* False with what differs written to `why`. */
bool compare_views(const struct model *model, const struct engine *engine, char *why,
                   size_t why_bytes);

#endif
