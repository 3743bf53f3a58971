#define _GNU_SOURCE
#include "server/ops/up.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "engine/bus/journal.h"
#include "server/ops/exchange.h"
#include "server/ops/master_key.h"
#include "server/ops/options.h"

enum { SEGMENT_MAX_BYTES = 1 << 30 }; /* as hoga-core's */

/* ---- what must be right before anything is started ---- */

static bool check_port(const char *option, const char *address, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, address, &to.sin_addr) != 1) {
        fprintf(stderr, "hoga up: --address %s: must be an IPv4 address of this machine\n",
                address);
        return false;
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd >= 0) (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool good = fd >= 0 && bind(fd, (struct sockaddr *)&to, sizeof to) == 0 && listen(fd, 1) == 0;
    int reason = errno;
    if (fd >= 0) (void)close(fd);
    if (good) return true;
    if (reason == EADDRINUSE)
        fprintf(stderr, "hoga up: %s:%u is in use by another program; choose another with --%s\n",
                address, port, option);
    else
        fprintf(stderr, "hoga up: cannot listen on %s:%u: %s\n", address, port, strerror(reason));
    return false;
}

static bool check_number(const char *option, const char *text, uint64_t max)
{
    uint64_t number;
    if (!text || options_number(text, max, &number)) return true;
    fprintf(stderr, "hoga up: --%s must be a whole number, not %s\n", option, text);
    return false;
}

static bool check_segment_bytes(const char *text)
{
    uint64_t bytes;
    if (!text || (options_number(text, SEGMENT_MAX_BYTES, &bytes) && bytes % 4096 == 0 &&
                  bytes >= JOURNAL_SEGMENT_MIN_BYTES))
        return true;
    fprintf(stderr, "hoga up: --segment-bytes must be %d to %d, in pages of 4096\n",
            JOURNAL_SEGMENT_MIN_BYTES, SEGMENT_MAX_BYTES);
    return false;
}

static bool check_options(const struct exchange_options *options)
{
    if (strcmp(options->durability, "disk") != 0 && strcmp(options->durability, "memory") != 0 &&
        strcmp(options->durability, "replicated") != 0) {
        fprintf(stderr, "hoga up: --durability must be memory, disk or replicated, not %s\n",
                options->durability);
        return false;
    }
    if (!check_number("snapshot-every", options->snapshot_every, UINT64_MAX) ||
        !check_number("keep-segments", options->keep_segments, UINT32_MAX) ||
        !check_segment_bytes(options->segment_bytes))
        return false;
    if (options->rate_per_s > RATE_MAX_PER_S) {
        fprintf(stderr, "hoga up: --rate may be at most %d\n", RATE_MAX_PER_S);
        return false;
    }
    if (options->rest_port == options->ws_port && options->rest_port != 0) {
        fprintf(stderr, "hoga up: --rest-port and --ws-port must differ\n");
        return false;
    }
    return true;
}

static bool check_program(const char *name)
{
    char path[LAYOUT_PATH_BYTES];
    layout_program(path, name);
    if (access(path, X_OK) == 0) return true;
    fprintf(stderr, "hoga up: %s is missing; build it first (server/up does)\n", path);
    return false;
}

/* Makes or opens the data directory and takes its lock. */
static bool prepare(struct exchange *self)
{
    const char *data = self->options->data_dir;
    if (!check_program("hoga-core") || !check_program("hoga-front") ||
        !check_program("hoga-reporter"))
        return false;
    enum status status = instance_create(&self->instance, data);
    if (status == STATUS_OK) status = layout_prepare(&self->instance);
    if (status != STATUS_OK) {
        fprintf(stderr, "hoga up: %s: %s\n", data,
                status == STATUS_IO ? strerror(errno) : status_text(status));
        return false;
    }
    pid_t owner;
    status = layout_lock(&self->instance, &owner);
    if (status == STATUS_BUSY) {
        fprintf(stderr,
                "hoga up: an exchange is already running in %s (pid %d); hoga down --data %s "
                "stops it\n",
                self->instance.data_dir, (int)owner, data);
        return false;
    }
    if (status != STATUS_OK) {
        fprintf(stderr, "hoga up: %s/lock: %s\n", self->instance.data_dir, strerror(errno));
        return false;
    }
    uint8_t key[MASTER_KEY_BYTES];
    status = master_key_load(&self->instance, key);
    explicit_bzero(key, sizeof key);
    if (status != STATUS_OK) {
        fprintf(stderr, "hoga up: %s/secrets/master.key: %s\n", self->instance.data_dir,
                status == STATUS_IO ? strerror(errno) : "must be 32 bytes, readable by you alone");
        return false;
    }
    return check_port("rest-port", self->options->address, self->options->rest_port) &&
           check_port("ws-port", self->options->address, self->options->ws_port);
}

static int start(struct exchange *self)
{
    if (!prepare(self)) return EXIT_FAILURE;
    printf("Hoga, exchange %s in %s\n", self->instance.id, self->instance.data_dir);
    (void)fflush(stdout);
    enum status status = self->options->pg
                             ? postgres_name_external(&self->postgres, self->options->pg)
                             : postgres_locate(&self->postgres, &self->instance);
    self->has_postgres = status == STATUS_OK;
    if (!self->has_postgres)
        printf("  postgresql cannot be started here (see above): orders are taken all the same, "
               "reports\n             wait for a start that has it\n");
    exchange_add_children(self);
    return exchange_run(self);
}

/* ---- --detach ---- */

static volatile sig_atomic_t daemon_pid;

static void pass_on(int signal_number)
{
    if (daemon_pid > 0) (void)kill((pid_t)daemon_pid, signal_number);
}

/* The terminal's side: waits until orders are accepted or the daemon gave up. */
static int await_ready(pid_t pid, int fd)
{
    daemon_pid = pid;
    (void)signal(SIGINT, pass_on); /* Ctrl-C while it starts stops it */
    (void)signal(SIGTERM, pass_on);
    char told;
    ssize_t got;
    while ((got = read(fd, &told, 1)) < 0 && errno == EINTR) continue;
    if (got == 1) return EXIT_SUCCESS;
    int wait_status = 0;
    while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) continue;
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) != 0) return WEXITSTATUS(wait_status);
    return EXIT_FAILURE;
}

static int start_detached(struct exchange *self)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        perror("pipe");
        return EXIT_FAILURE;
    }
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        return EXIT_FAILURE;
    }
    if (pid > 0) {
        (void)close(ends[1]);
        return await_ready(pid, ends[0]);
    }
    (void)close(ends[0]);
    (void)setsid();
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0) (void)dup2(null, STDIN_FILENO);
    self->ready_fd = ends[1];
    return start(self);
}

int up_main(int argc, char **argv)
{
    static struct exchange self; /* larger than a stack should carry */
    struct exchange_options options = {.data_dir = "var",
                                       .address = "127.0.0.1",
                                       .durability = "disk",
                                       .rest_port = 8080,
                                       .ws_port = 8081};
    bool detach = false;
    const struct option_rule rules[] = {
        {"data", OPTION_TEXT, &options.data_dir, "DIR", "data directory, made if missing (var)"},
        {"detach", OPTION_FLAG, &detach, NULL, "return when orders are accepted, run on"},
        {"no-demo", OPTION_FLAG, &options.no_demo, NULL, "an empty exchange"},
        {"quiet-market", OPTION_FLAG, &options.quiet_market, NULL,
         "demonstration brokers, but no simulated market"},
        {"rest-port", OPTION_PORT, &options.rest_port, "PORT", "REST and the page (8080; 0: any)"},
        {"ws-port", OPTION_PORT, &options.ws_port, "PORT", "WebSocket (8081; 0: any)"},
        {"address", OPTION_TEXT, &options.address, "IPV4", "to listen on (127.0.0.1)"},
        {"durability", OPTION_TEXT, &options.durability, "WHEN",
         "an answer may be told: memory (at once), disk (after fdatasync, the default) or "
         "replicated (when the cluster has it, too)"},
        {"no-standby", OPTION_FLAG, &options.no_standby, NULL,
         "one core alone: when it dies, trading waits for its restart"},
        {"snapshot-every", OPTION_TEXT, &options.snapshot_every, "N",
         "commands between two snapshots (1000000; 0: only when asked for)"},
        {"keep-segments", OPTION_TEXT, &options.keep_segments, "N",
         "full journal segments that stay in the archive, when no reader needs more (0: all)"},
        {"segment-bytes", OPTION_TEXT, &options.segment_bytes, "N",
         "journal segment size of a new exchange (8388608)"},
        {"spin", OPTION_FLAG, &options.spin, NULL,
         "the core never sleeps: only where it has a processor of its own"},
        {"cpu", OPTION_TEXT, &options.cpu, "N", "pin the core's loop to processor N"},
        {"rate", OPTION_COUNT, &options.rate_per_s, "N",
         "requests a second that each key may send (2000; demonstration 20000)"},
        {"static", OPTION_TEXT, &options.static_dir, "DIR", "the page's files (static/)"},
        {"pg", OPTION_TEXT, &options.pg, "CONNINFO",
         "a PostgreSQL of yours instead of a private one (see sql/cluster.sql)"},
        {"rebuild-reports", OPTION_FLAG, &options.rebuild_reports, NULL,
         "empty the reports and write them anew from the journals"},
    };
    const struct option_table table = {"hoga up [options]",
                                       "Starts the exchange and keeps it running until Ctrl-C.",
                                       rules, sizeof rules / sizeof rules[0]};
    enum options_outcome outcome = options_parse(&table, argc, argv);
    if (outcome != OPTIONS_OK) return options_exit(outcome);
    if (!check_options(&options)) return EX_USAGE;
    self.options = &options;
    self.ready_fd = -1;
    return detach ? start_detached(&self) : start(&self);
}
