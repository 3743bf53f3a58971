/* libmicrohttpd nested in the front's loop.
 *
 *   MHD's epoll descriptor --uv_poll--> MHD_run --+--> access handler --> route
 *   MHD_get_timeout        --uv_timer-> MHD_run --+
 *   an answer from the core: MHD_resume_connection, then MHD_run at the end of the batch
 *
 * External epoll, since the library's own epoll thread stalls with many kept connections, and a
 * second thread would cost a quarter of the throughput. */
#include "web/rest/rest.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "engine/bus/clock.h"
#include "web/rest/respond.h"
#include "web/rest/route.h"

enum {
    CONNECTION_MAX = 8192,
    CONNECTION_MEMORY_BYTES = 16 * 1024, /* request line and headers */
    CONNECTION_TIMEOUT_S = 75,
    LISTEN_BACKLOG = 1024,
};

struct rest {
    struct front *front;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer;
    unsigned open_handles;   /* of the two above, until their close callbacks */
    struct request *waiting; /* suspended ones */
    bool resumed;            /* some connection has been, since the last run */
    _Atomic uint64_t *request_count, *order_count;
};

/* ---- the daemon's turn ---- */

static void run(struct rest *self);

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    run(poll->data);
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void run(struct rest *self)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    self->resumed = false;
    MHD_run(self->daemon);
    if (MHD_get_timeout(self->daemon, &timeout_ms) == MHD_YES)
        uv_timer_start(&self->timer, on_timer, timeout_ms, 0);
    else
        uv_timer_stop(&self->timer);
}

void rest_batch_end(struct rest *self)
{
    if (self->resumed) run(self);
}

/* ---- requests ---- */

static enum method method_of(const char *text)
{
    if (strcmp(text, MHD_HTTP_METHOD_GET) == 0) return METHOD_GET;
    if (strcmp(text, MHD_HTTP_METHOD_HEAD) == 0) return METHOD_GET;
    if (strcmp(text, MHD_HTTP_METHOD_POST) == 0) return METHOD_POST;
    if (strcmp(text, MHD_HTTP_METHOD_PATCH) == 0) return METHOD_PATCH;
    if (strcmp(text, MHD_HTTP_METHOD_DELETE) == 0) return METHOD_DELETE;
    return 0;
}

static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct rest *self = context;
    return request_create(self, self->front, connection, target);
}

static enum MHD_Result queue_answer(struct request *request)
{
    if (!request->response) return MHD_NO; /* no memory for it: the connection is closed */
    return MHD_queue_response(request->connection, request->http, request->response);
}

/* The headers have come. A body that is announced to be far too large is refused unread; the
 * connection ends with that, where a slightly too large one is read so that it can go on. */
static enum MHD_Result begin(struct request *request, const char *method)
{
    request->headers_seen = true;
    request->method_text = method;
    request->method = method_of(method);
    const char *length = request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (!length || strtoull(length, NULL, 10) <= REQUEST_DRAIN_MAX_BYTES) return MHD_YES;
    respond_problem(request, REJECT_BODY_TOO_LARGE, "");
    respond_header(request, MHD_HTTP_HEADER_CONNECTION, "close");
    return queue_answer(request);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *piece,
                                  size_t *piece_bytes, void **request_context)
{
    struct rest *self = context;
    struct request *request = *request_context;
    (void)url, (void)version, (void)connection;
    if (!request) return MHD_NO; /* on_target() had no memory */
    if (!request->headers_seen) return begin(request, method);
    if (*piece_bytes > 0) {
        bool taken = request_add_body(request, piece, *piece_bytes);
        *piece_bytes = 0;
        return taken ? MHD_YES : MHD_NO;
    }
    if (!request->response && !request->waiting) {
        counter_add(self->request_count, 1);
        route_request(request);
    }
    if (!request->waiting) return queue_answer(request);
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

static void unlink_waiting(struct request *request)
{
    struct rest *self = request->rest;
    if (!request->waiting) return;
    if (request->waiting_prev)
        request->waiting_prev->waiting_next = request->waiting_next;
    else
        self->waiting = request->waiting_next;
    if (request->waiting_next) request->waiting_next->waiting_prev = request->waiting_prev;
    request->waiting = false;
    request->waiting_prev = request->waiting_next = NULL;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request_context,
                         enum MHD_RequestTerminationCode code)
{
    struct rest *self = context;
    struct request *request = *request_context;
    (void)connection, (void)code;
    if (!request) return;
    if (request->waiting) gateway_forget(self->front->gateway, request->handle);
    unlink_waiting(request);
    request_destroy(request);
    *request_context = NULL;
}

void rest_send(struct request *request, const struct sbe_header *command, gateway_done done)
{
    struct rest *self = request->rest;
    enum reject reason = gateway_send(self->front->gateway, command, admission_bytes(command),
                                      clock_wall_ns() / 1000000, done, request, &request->handle);
    if (reason != REJECT_NONE) {
        respond_problem(request, reason, "");
        return;
    }
    counter_add(self->order_count, 1);
    request->waiting = true;
    request->waiting_next = self->waiting;
    if (self->waiting) self->waiting->waiting_prev = request;
    self->waiting = request;
}

void rest_answered(struct request *request)
{
    unlink_waiting(request);
    request->rest->resumed = true;
    MHD_resume_connection(request->connection);
}

/* ---- start and stop ---- */

/* Connections are capped well below the descriptors that the process may have. */
static unsigned connection_max(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur / 4 >= CONNECTION_MAX)
        return CONNECTION_MAX;
    return (unsigned)files.rlim_cur / 4;
}

static struct MHD_Daemon *start_daemon(struct rest *self, const char *address, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    const struct sockaddr *bind_to = (const struct sockaddr *)&v4;
    if (inet_pton(AF_INET, address, &v4.sin_addr) != 1) {
        if (inet_pton(AF_INET6, address, &v6.sin6_addr) != 1) return NULL;
        bind_to = (const struct sockaddr *)&v6;
        flags |= MHD_USE_IPv6;
    }
    return MHD_start_daemon(
        flags, port, NULL, NULL, on_request, self, MHD_OPTION_SOCK_ADDR, bind_to,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, self, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        self, MHD_OPTION_CONNECTION_LIMIT, connection_max(), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)LISTEN_BACKLOG,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

struct rest *rest_start(struct front *front)
{
    const struct front_options *options = front->options;
    struct rest *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->front = front;
    self->request_count = control_counter(front->station, "rest_requests");
    self->order_count = control_counter(front->station, "rest_orders");
    self->daemon = start_daemon(self, options->address, options->rest_port);
    if (!self->daemon) {
        fprintf(stderr, "hoga-front: cannot listen for REST on %s port %u\n", options->address,
                options->rest_port);
        free(self);
        return NULL;
    }
    const union MHD_DaemonInfo *epoll = MHD_get_daemon_info(self->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!epoll || uv_poll_init(front->loop, &self->poll, epoll->epoll_fd) != 0) {
        fprintf(stderr, "hoga-front: libmicrohttpd gives no epoll descriptor\n");
        MHD_stop_daemon(self->daemon);
        free(self);
        return NULL;
    }
    self->poll.data = self;
    self->timer.data = self;
    uv_timer_init(front->loop, &self->timer);
    uv_poll_start(&self->poll, UV_READABLE, on_poll);
    self->open_handles = 2;
    return self;
}

uint16_t rest_port(const struct rest *self)
{
    const union MHD_DaemonInfo *port = MHD_get_daemon_info(self->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return port ? port->port : 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct rest *self = handle->data;
    if (--self->open_handles == 0) free(self);
}

void rest_stop(struct rest *self)
{
    if (!self) return;
    while (self->waiting) {
        struct request *request = self->waiting;
        gateway_forget(self->front->gateway, request->handle);
        respond_problem(request, REJECT_ANSWER_UNKNOWN, "");
        rest_answered(request);
    }
    MHD_run(self->daemon);
    uv_poll_stop(&self->poll); /* before its descriptor goes */
    MHD_stop_daemon(self->daemon);
    uv_close((uv_handle_t *)&self->poll, on_closed);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}
