/* exchange.h - a whole exchange under one supervisor: which processes, what each waits for, and in
 * which order they end.
 *
 *   postgres-init -> postgresql -> postgres-setup --+
 *                                                   +--> reporter
 *   core --+----------------------------------------+
 *          +--> front --+
 *          +--> seed ---+--> flow
 *          +--> standby
 *
 * core and standby are the same program: whichever has the lock is the primary, the other follows
 * and takes over when it dies. Either may be the one or the other later on; who is which, the
 * control page says, and what is told to users goes by that.
 *
 * Trading needs the upper path for nothing: when PostgreSQL cannot start it is tried again and
 * again while orders are taken, and the reporter catches up afterwards.
 * They end the other way round: flow, front, reporter (once it has caught up), the standby, the
 * primary, postgresql.
 */
#ifndef HOGA_OPS_EXCHANGE_H
#define HOGA_OPS_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "server/ops/credentials.h"
#include "server/ops/layout.h"
#include "server/ops/postgres.h"
#include "server/ops/supervisor.h"

struct exchange_options {
    const char *data_dir;
    const char *static_dir; /* NULL: static/ of the source tree */
    const char *address;
    const char *durability; /* "memory", "disk" or "replicated" */
    const char *pg;         /* conninfo of a PostgreSQL of the operator's; NULL: a private one */
    const char *cpu;        /* to pin the core to; NULL: none */
    const char *snapshot_every; /* the three below as the core takes them; NULL: its own way */
    const char *keep_segments;
    const char *segment_bytes;
    uint64_t rate_per_s; /* what each key may send; 0: not said */
    uint16_t rest_port;  /* 0: any that is free */
    uint16_t ws_port;
    bool no_demo;
    bool quiet_market;
    bool rebuild_reports;
    bool spin;       /* the core never sleeps */
    bool no_standby; /* one core alone */
};

enum { RATE_MAX_PER_S = 1000000 };

enum { EXCHANGE_TEXT_BYTES = 128, EXCHANGE_URL_BYTES = 96 };

struct exchange {
    const struct exchange_options *options;
    struct instance instance;
    struct control *control; /* NULL until the core has made it */
    struct postgres postgres;
    bool has_postgres; /* located; else reports wait for the next start */
    struct supervisor supervisor;
    struct credentials credentials;

    uint16_t rest_port, ws_port; /* as got; 0 until the front says */
    char rest_url[EXCHANGE_URL_BYTES];
    char ws_url[EXCHANGE_URL_BYTES];
    int64_t started_ms;
    bool announced;              /* told the user that it is up */
    const struct child *primary; /* core or standby, as last seen; NULL: neither has been yet */
    bool core_told, front_told, seed_told, postgres_told, trouble_told;
    bool has_demo_json;
    bool changed; /* run/supervisor.json is to be written */
    int64_t rotated_ms;
    int ready_fd; /* --detach: where to say that orders are accepted; -1 */

    /* what the children's arguments point to */
    char programs[SUPERVISOR_CHILD_MAX][LAYOUT_PATH_BYTES];
    char logs[SUPERVISOR_CHILD_MAX][LAYOUT_PATH_BYTES];
    char socket_argument[LAYOUT_PATH_BYTES];
    char cluster_sql[LAYOUT_PATH_BYTES];
    char sql_dir[LAYOUT_PATH_BYTES];
    char static_dir[LAYOUT_PATH_BYTES];
    char reporter_conninfo[POSTGRES_CONNINFO_BYTES + 64];
    char rest_port_text[8], ws_port_text[8];
};

/* exchange_children.c: the table of processes. Needs instance, postgres and options. */
void exchange_add_children(struct exchange *self);
/* The front keeps the ports it got once, also when it is started again. */
void exchange_pin_ports(struct exchange *self);

/* exchange.c: runs it until asked to stop, then stops it. An exit status. */
int exchange_run(struct exchange *self);

/* exchange_files.c */
/* Which of the cores the control page names as the primary; NULL: none that runs. */
struct child *exchange_primary(struct exchange *self);
/* Whether there is a primary and it takes commands. */
bool exchange_core_ready(struct exchange *self);
bool exchange_front_ready(struct exchange *self);
bool exchange_reporter_ready(struct exchange *self);
/* run/supervisor.json, for hoga status and down. */
void exchange_write_state(struct exchange *self);
/* demo.json, with the URLs as they are now; false after a message. */
bool exchange_write_demo(struct exchange *self);
/* Where to look and how to sign in, on stdout. */
void exchange_announce(const struct exchange *self);

#endif
