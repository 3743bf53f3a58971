#include "web/stream/disconnect.h"

#include <stdlib.h>

#include "engine/bus/clock.h"
#include "web/admission/gateway.h"
#include "web/stream/stream.h"

struct disconnect {
    struct disconnect *next;
    account_id_t account;
    user_id_t user;
};

bool disconnect_arm(struct client *client)
{
    struct disconnect *armed = client->disconnects;
    while (armed && armed->account != client->who.account) armed = armed->next;
    if (armed) return true;
    armed = malloc(sizeof *armed);
    if (!armed) return false;
    *armed = (struct disconnect){client->disconnects, client->who.account, client->who.user};
    client->disconnects = armed;
    return true;
}

void disconnect_client_gone(struct client *client)
{
    struct stream *stream = client->stream;
    while (client->disconnects) {
        struct disconnect *gone = client->disconnects;
        client->disconnects = gone->next;
        gone->next = stream->disconnects;
        stream->disconnects = gone;
    }
    disconnect_send(stream);
}

void disconnect_send(struct stream *stream)
{
    while (stream->disconnects) {
        struct disconnect *gone = stream->disconnects;
        uint64_t handle;
        const struct command_mass_cancel command = {
            .header = COMMAND_HEADER(COMMAND_MASS_CANCEL, struct command_mass_cancel),
            .account = gone->account,
            .user = gone->user,
            .on_disconnect = 1,
        };
        if (gateway_send(stream->front->gateway, &command, sizeof command,
                         clock_wall_ns() / 1000000, NULL, NULL, &handle) != REJECT_NONE)
            return;
        stream->disconnects = gone->next;
        free(gone);
        counter_add(stream->counters.disconnects, 1);
    }
}

void disconnect_free_all(struct disconnect *list)
{
    while (list) {
        struct disconnect *next = list->next;
        free(list);
        list = next;
    }
}
