/* core_options.h - what hoga-core is told on its command line. */
#ifndef HOGA_CORE_OPTIONS_H
#define HOGA_CORE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/bus/control.h"
#include "engine/message/command.h"

struct core_options {
    const char *data_dir;
    enum durability durability;
    uint32_t segment_bytes;
    bool spin;               /* never sleep: only where the core has a processor of its own */
    int cpu;                 /* to pin the loop to; -1: none */
    bool standby;            /* waits, warm, where there is a primary already */
    uint64_t snapshot_every; /* commands; 0: only when asked for */
    uint32_t segments_kept;  /* full ones of each journal in the archive; 0: all */
    struct limits limits;    /* of a new exchange */
};

/* Fills the options. Returns -1 to go on, else the exit status after help or a message. */
int core_options_parse(struct core_options *self, int argc, char **argv);

#endif
