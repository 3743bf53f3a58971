#include "web/stream_client/stream_dialer.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECEIVE_BYTES = 64 * 1024 };

struct stream_dialer {
    struct lws_context *context; /* set to NULL by libwebsockets at the end of its destruction */
    uv_timer_t stopping;
};

static const struct lws_protocols protocols[] = {
    {.name = STREAM_DIALER_PROTOCOL,
     .callback = stream_client_callback,
     .rx_buffer_size = RECEIVE_BYTES},
    {.name = NULL},
};

struct stream_dialer *stream_dialer_create(uv_loop_t *loop)
{
    struct stream_dialer *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    void *loops[] = {loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV,
        .foreign_loops = loops,
        .pcontext = &self->context,
        .pt_serv_buf_size = RECEIVE_BYTES,
        .gid = -1,
        .uid = -1,
    };
    lws_set_log_level(0, NULL); /* what goes wrong is told to each connection's owner */
    self->context = lws_create_context(&info);
    if (!self->context) {
        fprintf(stderr, "cannot start libwebsockets: is libwebsockets-evlib-uv installed?\n");
        free(self);
        return NULL;
    }
    uv_timer_init(loop, &self->stopping);
    self->stopping.data = self;
    return self;
}

struct lws_context *stream_dialer_context(struct stream_dialer *self)
{
    return self->context;
}

/* From the loop itself, since a connection's own callback may be what calls us to an end. */
static void on_stopping(uv_timer_t *timer)
{
    struct stream_dialer *self = timer->data;
    lws_context_destroy(self->context);
    uv_close((uv_handle_t *)timer, NULL);
}

void stream_dialer_stop(struct stream_dialer *self)
{
    if (self) uv_timer_start(&self->stopping, on_stopping, 0, 0);
}

/* The second call of lws_context_destroy() unloads the library's libuv part, so none of its
 * callbacks may be left in the loop. */
void stream_dialer_free(struct stream_dialer *self)
{
    if (!self) return;
    if (self->context) lws_context_destroy(self->context);
    free(self);
}
