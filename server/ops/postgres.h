/* postgres.h - the exchange's private PostgreSQL: where it is, who owns it, how it is started.
 *
 *   BASE/            0700, of the system user that runs it ("postgres" when we are root)
 *     data/          made by initdb at first start
 *     run/           its Unix socket; it listens on no network address
 *
 * BASE is DIR/pg; where that user cannot reach DIR (a home directory, say) it is
 * /var/lib/postgresql/hoga-INSTANCE, and DIR/pg.path says so. Sign-in is by peer: the system users
 * root and the one who started the exchange may be `hoga` (owner) and `compliance` (reads views).
 */
#ifndef HOGA_OPS_POSTGRES_H
#define HOGA_OPS_POSTGRES_H

#include <stdbool.h>
#include <sys/types.h>

#include "engine/base/status.h"
#include "engine/bus/instance.h"
#include "server/ops/layout.h"

enum { POSTGRES_USER_BYTES = 64, POSTGRES_CONNINFO_BYTES = 512 };

struct postgres {
    bool external; /* the operator named a server: nothing of it is ours */
    char bin_dir[LAYOUT_PATH_BYTES];
    char base_dir[LAYOUT_PATH_BYTES];
    char data_dir[LAYOUT_PATH_BYTES];
    char socket_dir[LAYOUT_PATH_BYTES];
    char user[POSTGRES_USER_BYTES];    /* runs the server */
    char starter[POSTGRES_USER_BYTES]; /* runs the exchange */
    uid_t uid;
    gid_t gid;
    char conninfo[POSTGRES_CONNINFO_BYTES]; /* as owner */
};

/* Finds out all of it; makes BASE. Explained on stderr when it cannot be. */
MUST_CHECK enum status postgres_locate(struct postgres *self, const struct instance *instance);

/* Another server instead, as libpq names it. */
MUST_CHECK enum status postgres_name_external(struct postgres *self, const char *conninfo);

/* Before the server is started, in a process of its user: waits for one that a dead supervisor
 * left, runs initdb if there is no data yet, writes who may sign in. An exit status. `context` is
 * a struct postgres. */
int postgres_prepare(const void *context);

/* Each time before the server is started, in its process: removes lock files that are empty. Who is
 * killed between making one and writing its pid leaves one, and no server starts beside that; one
 * of ours has ended when the next is started. `context` is a struct postgres. */
void postgres_remove_empty_locks(const void *context);

#endif
