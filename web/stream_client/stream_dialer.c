#include "web/stream_client/stream_dialer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { RECEIVE_BYTES = 64 * 1024, RANDOM_BYTES = 256 /* getrandom() gives as many at once */ };

struct stream_dialer {
    struct lws_context *context; /* set to NULL by libwebsockets at the end of its destruction */
    uv_timer_t stopping;
    uv_prepare_t turn_end;
    struct stream_client *unflushed;
    uint8_t random[RANDOM_BYTES];
    size_t random_left;
};

static const struct lws_protocols protocols[] = {
    {.name = STREAM_DIALER_PROTOCOL,
     .callback = stream_client_callback,
     .rx_buffer_size = RECEIVE_BYTES},
    {.name = NULL},
};

/* Runs before the loop waits: all requests of this turn go out together. */
static void on_turn_end(uv_prepare_t *prepare)
{
    struct stream_dialer *self = prepare->data;
    while (self->unflushed) {
        struct stream_client *client = self->unflushed;
        stream_dialer_forget(self, client);
        stream_client_flush(client);
    }
}

void stream_dialer_wake(struct stream_dialer *self, struct stream_client *client)
{
    stream_dialer_forget(self, client);
    *stream_client_link(client) = self->unflushed;
    self->unflushed = client;
}

void stream_dialer_forget(struct stream_dialer *self, struct stream_client *client)
{
    struct stream_client **link = &self->unflushed;
    while (*link && *link != client) link = stream_client_link(*link);
    if (*link) *link = *stream_client_link(client);
}

bool stream_dialer_mask(struct stream_dialer *self, uint8_t mask[4])
{
    if (self->random_left == 0) {
        if (getrandom(self->random, sizeof self->random, 0) != sizeof self->random) return false;
        self->random_left = sizeof self->random;
    }
    self->random_left -= 4;
    memcpy(mask, self->random + self->random_left, 4);
    return true;
}

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
    uv_prepare_init(loop, &self->turn_end);
    self->stopping.data = self->turn_end.data = self;
    uv_prepare_start(&self->turn_end, on_turn_end);
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
    uv_close((uv_handle_t *)&self->turn_end, NULL);
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
