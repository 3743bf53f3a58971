#include "engine/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

_Thread_local uint64_t check_seq;

_Noreturn void check_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "hoga: %s:%d: broken invariant \"%s\" at sequence %" PRIu64 "; stopping\n",
            file, line, condition, check_seq);
    abort();
}
