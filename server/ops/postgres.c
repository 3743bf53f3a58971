#define _GNU_SOURCE
#include "server/ops/postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    VERSION_WANTED = 15,
    VERSION_MIN = 13,
    VERSION_MAX = 99,
    LEFTOVER_WAIT_MS = 30000,
    STEP_MS = 50,
};

/* ---- where and who ---- */

/* Whether the user may pass through every directory on the way to `path`. */
static bool reachable(const char *path, uid_t uid, gid_t gid)
{
    char part[LAYOUT_PATH_BYTES];
    for (size_t i = 1; i <= strlen(path); i++) {
        if (path[i] != '/' && path[i] != 0) continue;
        (void)snprintf(part, sizeof part, "%.*s", (int)i, path);
        struct stat st;
        if (stat(part, &st) != 0) return false;
        mode_t needed = st.st_uid == uid ? S_IXUSR : st.st_gid == gid ? S_IXGRP : S_IXOTH;
        if (!(st.st_mode & needed)) return false;
    }
    return true;
}

/* The directory of version `version`'s programs, as Debian lays them out. */
static bool programs_of(struct postgres *self, unsigned version)
{
    char initdb[LAYOUT_PATH_BYTES];
    (void)snprintf(self->bin_dir, sizeof self->bin_dir, "/usr/lib/postgresql/%u/bin", version);
    (void)snprintf(initdb, sizeof initdb, "/usr/lib/postgresql/%u/bin/initdb", version);
    return access(initdb, X_OK) == 0;
}

/* The version that made the data; for new data the one we know, else the newest there is. */
static enum status find_programs(struct postgres *self)
{
    char path[LAYOUT_PATH_BYTES + 16];
    (void)snprintf(path, sizeof path, "%s/PG_VERSION", self->data_dir);
    FILE *file = fopen(path, "re");
    if (file) {
        unsigned version = 0;
        if (fscanf(file, "%u", &version) != 1) version = 0;
        (void)fclose(file);
        if (programs_of(self, version)) return STATUS_OK;
        fprintf(stderr, "postgresql: %s was made by version %u, which is not installed\n",
                self->data_dir, version);
        return STATUS_NOT_FOUND;
    }
    if (programs_of(self, VERSION_WANTED)) return STATUS_OK;
    for (unsigned version = VERSION_MAX; version >= VERSION_MIN; version--)
        if (programs_of(self, version)) return STATUS_OK;
    fprintf(stderr, "postgresql: not installed (no /usr/lib/postgresql/%d)\n", VERSION_WANTED);
    return STATUS_NOT_FOUND;
}

static enum status find_user(struct postgres *self)
{
    struct passwd *me = getpwuid(geteuid());
    if (!me || strlen(me->pw_name) >= sizeof self->starter) {
        fprintf(stderr, "postgresql: user %ld has no name\n", (long)geteuid());
        return STATUS_NOT_FOUND;
    }
    (void)snprintf(self->starter, sizeof self->starter, "%s", me->pw_name);
    /* the server refuses to run as root */
    struct passwd *owner = geteuid() == 0 ? getpwnam("postgres") : me;
    if (!owner) {
        fprintf(stderr, "postgresql: there is no user postgres; install postgresql-15\n");
        return STATUS_NOT_FOUND;
    }
    (void)snprintf(self->user, sizeof self->user, "%s", owner->pw_name);
    self->uid = owner->pw_uid;
    self->gid = owner->pw_gid;
    return STATUS_OK;
}

/* DIR/pg, or what DIR/pg.path says, or, when the user cannot reach DIR, a place of its own. */
static enum status choose_base(struct postgres *self, const struct instance *instance)
{
    char *recorded = layout_read(instance, "pg.path", LAYOUT_PATH_BYTES - 1);
    if (recorded) {
        recorded[strcspn(recorded, "\n")] = 0;
        (void)snprintf(self->base_dir, sizeof self->base_dir, "%s", recorded);
        free(recorded);
        if (self->base_dir[0] == '/') return STATUS_OK;
        fprintf(stderr, "postgresql: %s/pg.path holds no path\n", instance->data_dir);
        return STATUS_INVALID;
    }
    layout_path(self->base_dir, instance, "pg");
    if (reachable(instance->data_dir, self->uid, self->gid)) return STATUS_OK;
    int length = snprintf(self->base_dir, sizeof self->base_dir, "/var/lib/postgresql/hoga-%s\n",
                          instance->id);
    enum status status = layout_write(instance, "pg.path", self->base_dir, (size_t)length, 0644);
    self->base_dir[length - 1] = 0;
    if (status != STATUS_OK) fprintf(stderr, "postgresql: pg.path: %s\n", strerror(errno));
    return status;
}

/* A directory of that user which nobody else may enter; whoever else made it, it is refused. */
static enum status own_directory(const char *path, uid_t uid, gid_t gid)
{
    if (mkdir(path, 0700) == 0) {
        if (geteuid() != 0 || lchown(path, uid, gid) == 0) return STATUS_OK;
    } else if (errno == EEXIST) {
        struct stat st;
        if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid) return STATUS_OK;
        errno = EPERM;
    }
    fprintf(stderr, "postgresql: %s: %s\n", path, strerror(errno));
    return STATUS_IO;
}

/* A Unix socket's path is short (108 bytes), and PostgreSQL takes commas and quotes in it for its
 * own: a data directory that is too deep or so named gets its socket under /tmp. */
static void choose_socket_dir(struct postgres *self, const struct instance *instance)
{
    static const char socket_name[] = "/.s.PGSQL.5432.lock";
    (void)snprintf(self->socket_dir, sizeof self->socket_dir, "%.*s/run", LAYOUT_PATH_BYTES - 8,
                   self->base_dir);
    struct sockaddr_un address;
    if (strlen(self->socket_dir) + sizeof socket_name > sizeof address.sun_path ||
        strpbrk(self->socket_dir, ",'\"\\"))
        (void)snprintf(self->socket_dir, sizeof self->socket_dir, "/tmp/hoga-pg-%s", instance->id);
}

enum status postgres_locate(struct postgres *self, const struct instance *instance)
{
    *self = (struct postgres){0};
    enum status status = find_user(self);
    if (status == STATUS_OK) status = choose_base(self, instance);
    if (status != STATUS_OK) return status;
    (void)snprintf(self->data_dir, sizeof self->data_dir, "%.*s/data", LAYOUT_PATH_BYTES - 8,
                   self->base_dir);
    choose_socket_dir(self, instance);
    (void)snprintf(self->conninfo, sizeof self->conninfo,
                   "host='%.300s' port=5432 dbname=hoga user=hoga", self->socket_dir);
    status = find_programs(self);
    if (status == STATUS_OK) status = own_directory(self->base_dir, self->uid, self->gid);
    if (status == STATUS_OK) status = own_directory(self->socket_dir, self->uid, self->gid);
    return status;
}

enum status postgres_name_external(struct postgres *self, const char *conninfo)
{
    *self = (struct postgres){.external = true};
    if ((size_t)snprintf(self->conninfo, sizeof self->conninfo, "%s", conninfo) <
        sizeof self->conninfo)
        return STATUS_OK;
    fprintf(stderr, "--pg: too long\n");
    return STATUS_INVALID;
}

/* ---- before the server starts: in a process of its user ---- */

/* The server of an earlier supervisor, if it still runs on this data; else 0. */
static pid_t leftover(const struct postgres *self)
{
    char path[LAYOUT_PATH_BYTES + 32], text[32] = {0};
    (void)snprintf(path, sizeof path, "%s/postmaster.pid", self->data_dir);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    long pid = fgets(text, sizeof text, file) ? strtol(text, NULL, 10) : 0;
    (void)fclose(file);
    if (pid <= 1 || kill((pid_t)pid, 0) != 0) return 0;
    /* the number may be somebody else's by now */
    (void)snprintf(path, sizeof path, "/proc/%ld/comm", pid);
    file = fopen(path, "re");
    if (!file) return 0;
    bool is_server = fgets(text, sizeof text, file) && strcmp(text, "postgres\n") == 0;
    (void)fclose(file);
    return is_server ? (pid_t)pid : 0;
}

static bool end_leftover(const struct postgres *self)
{
    pid_t pid = leftover(self);
    if (pid == 0) return true;
    printf("waiting for the server that an earlier start left (pid %d)\n", (int)pid);
    (void)kill(pid, SIGINT); /* fast shutdown */
    for (int waited = 0; leftover(self) == pid; waited += STEP_MS) {
        if (waited == LEFTOVER_WAIT_MS) (void)kill(pid, SIGQUIT); /* as after a crash */
        if (waited > LEFTOVER_WAIT_MS + 5000) {
            fprintf(stderr, "the server with pid %d does not end\n", (int)pid);
            return false;
        }
        (void)usleep(STEP_MS * 1000);
    }
    return true;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

static bool run_initdb(const struct postgres *self, const char *fresh)
{
    char program[LAYOUT_PATH_BYTES + 16];
    (void)snprintf(program, sizeof program, "%s/initdb", self->bin_dir);
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        execl(program, program, "-D", fresh, "-U", "postgres", "--auth=peer", "--encoding=UTF8",
              "--locale=C.UTF-8", "--data-checksums", "--no-instructions", (char *)NULL);
        perror(program);
        _exit(EXIT_FAILURE);
    }
    int wait_status = -1;
    while (pid > 0 && waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) continue;
    return pid > 0 && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
}

/* initdb works beside and is renamed into place, so that an interrupted one leaves no half. */
static bool make_data(const struct postgres *self)
{
    char version[LAYOUT_PATH_BYTES + 16], fresh[LAYOUT_PATH_BYTES + 16];
    (void)snprintf(version, sizeof version, "%s/PG_VERSION", self->data_dir);
    if (access(version, F_OK) == 0) return true;
    (void)snprintf(fresh, sizeof fresh, "%s.new", self->data_dir);
    if (access(fresh, F_OK) == 0 && nftw(fresh, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        perror(fresh);
        return false;
    }
    if (!run_initdb(self, fresh)) return false;
    if (rename(fresh, self->data_dir) == 0) return true;
    perror(self->data_dir);
    return false;
}

static bool write_file(const struct postgres *self, const char *name, const char *text)
{
    char path[LAYOUT_PATH_BYTES + 32];
    (void)snprintf(path, sizeof path, "%s/%s", self->data_dir, name);
    FILE *file = fopen(path, "we");
    bool good = file && fputs(text, file) >= 0;
    good = file && fclose(file) == 0 && good;
    if (!good) perror(path);
    return good;
}

/* Peer authentication with a map: the kernel says who connects, no password exists. */
static bool write_access(const struct postgres *self)
{
    char map[1024];
    (void)snprintf(map, sizeof map,
                   "# written at each start\n"
                   "hoga %s postgres\n"
                   "hoga root hoga\nhoga root compliance\n"
                   "hoga %s hoga\nhoga %s compliance\n",
                   self->user, self->starter, self->starter);
    return write_file(self, "pg_ident.conf", map) &&
           write_file(self, "pg_hba.conf",
                      "# written at each start\nlocal all all peer map=hoga\n");
}

int postgres_prepare(const void *context)
{
    const struct postgres *self = context;
    (void)umask(077);
    bool good = end_leftover(self) && make_data(self) && write_access(self);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void remove_if_empty(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != 0) return;
    if (unlink(path) == 0)
        fprintf(stderr, "%s is empty, left by a server that was killed: removed\n", path);
    else
        perror(path);
}

void postgres_remove_empty_locks(const void *context)
{
    const struct postgres *self = context;
    char path[LAYOUT_PATH_BYTES + 32];
    (void)snprintf(path, sizeof path, "%s/postmaster.pid", self->data_dir);
    remove_if_empty(path);
    (void)snprintf(path, sizeof path, "%s/.s.PGSQL.5432.lock", self->socket_dir);
    remove_if_empty(path);
}
