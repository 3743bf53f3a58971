#include "web/stream_client/stream_dialer.h"

#include <stdio.h>
#include <stdlib.h>

enum { DESTROY_POLL_MS = 2, RECEIVE_BYTES = 64 * 1024 };

struct stream_dialer {
    struct lws_context *context; /* set to NULL by libwebsockets at the end of its destruction */
    uv_timer_t destroying;
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
    uv_timer_init(loop, &self->destroying);
    self->destroying.data = self;
    return self;
}

struct lws_context *stream_dialer_context(struct stream_dialer *self)
{
    return self->context;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* libwebsockets takes its handles off the loop over some turns: the first call begins, a later one
 * finds them gone and sets our pointer to NULL. */
static void on_destroying(uv_timer_t *timer)
{
    struct stream_dialer *self = timer->data;
    if (self->context) lws_context_destroy(self->context);
    if (!self->context) uv_close((uv_handle_t *)timer, on_closed);
}

void stream_dialer_destroy(struct stream_dialer *self)
{
    if (self) uv_timer_start(&self->destroying, on_destroying, 0, DESTROY_POLL_MS);
}
