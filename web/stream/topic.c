#include "web/stream/topic.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "web/stream/client.h"

bool topics_open(struct topics *self, uint32_t instruments)
{
    memset(self, 0, sizeof *self);
    self->of_instrument = calloc(instruments, sizeof self->of_instrument[0]);
    self->instruments = self->of_instrument ? instruments : 0;
    return self->of_instrument != NULL;
}

void topics_close(struct topics *self)
{
    CHECK(!self->all);
    free(self->of_instrument);
    memset(self, 0, sizeof *self);
}

static struct topic **bucket(struct topics *self, const struct topic_key *key)
{
    if (key->channel == CHANNEL_ORDERS || key->channel == CHANNEL_HEARTBEAT)
        return &self->of_account[key->of % TOPIC_ACCOUNT_BUCKETS];
    CHECK(key->of < self->instruments);
    return &self->of_instrument[key->of];
}

struct topic *topics_of_account(const struct topics *self, account_id_t account)
{
    struct topic *topic = self->of_account[account % TOPIC_ACCOUNT_BUCKETS];
    while (topic && (topic->key.of != account || topic->key.channel != CHANNEL_ORDERS))
        topic = topic->next;
    return topic;
}

static bool same_key(const struct topic_key *a, const struct topic_key *b)
{
    return a->channel == b->channel && a->of == b->of && a->option == b->option;
}

/* The symbol as JSON, for the head of every message. */
static bool set_symbol(struct topic *topic, const struct engine *engine)
{
    if (topic->key.channel == CHANNEL_ORDERS || topic->key.channel == CHANNEL_HEARTBEAT)
        return true;
    struct instrument_view view;
    CHECK(engine_instrument(engine, topic->key.of, &view));
    struct json_buffer text = {0};
    json_quoted(&text, view.symbol, sizeof view.symbol);
    bool ok = !text.failed && text.length < sizeof topic->symbol;
    if (ok) memcpy(topic->symbol, text.text, text.length);
    json_buffer_free(&text);
    return ok;
}

static void topic_free(struct topic *topic)
{
    book_feed_close(topic->book);
    json_buffer_free(&topic->trades);
    free(topic);
}

static struct topic *topic_create(struct topics *self, const struct front *front,
                                  const struct topic_key *key, int64_t now_ns)
{
    struct topic *topic = calloc(1, sizeof *topic);
    if (!topic) return NULL;
    topic->key = *key;
    bool ok = set_symbol(topic, front->replica.engine);
    if (ok && key->channel == CHANNEL_BOOK) {
        topic->book = book_feed_open(front->replica.engine, key->of, key->option);
        ok = topic->book != NULL;
    }
    if (ok && key->channel == CHANNEL_CANDLES)
        candle_feed_open(&topic->candles, front->market, key->of, (enum candle_interval)key->option,
                         now_ns);
    if (ok && key->channel == CHANNEL_AUCTION)
        auction_feed_open(&topic->auction, front->replica.engine, key->of);
    if (!ok) {
        topic_free(topic);
        return NULL;
    }
    struct topic **first = bucket(self, key);
    topic->next = *first;
    *first = topic;
    topic->all_next = self->all;
    if (self->all) self->all->all_prev = topic;
    self->all = topic;
    return topic;
}

static void topic_destroy(struct topics *self, struct topic *topic)
{
    struct topic **link = bucket(self, &topic->key);
    while (*link != topic) link = &(*link)->next;
    *link = topic->next;
    if (topic->all_next) topic->all_next->all_prev = topic->all_prev;
    if (topic->all_prev)
        topic->all_prev->all_next = topic->all_next;
    else
        self->all = topic->all_next;
    topic_free(topic);
}

struct subscription *topic_subscribe(struct topics *self, const struct front *front,
                                     const struct topic_key *key, struct client *client,
                                     int64_t now_ns)
{
    struct subscription *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    struct topic *topic = *bucket(self, key);
    while (topic && !same_key(&topic->key, key)) topic = topic->next;
    if (!topic) topic = topic_create(self, front, key, now_ns);
    if (!topic) {
        free(s);
        return NULL;
    }
    s->topic = topic;
    s->client = client;
    s->behind = true;
    s->topic_next = topic->subscriptions;
    if (topic->subscriptions) topic->subscriptions->topic_prev = s;
    topic->subscriptions = s;
    s->client_next = client->subscriptions;
    if (client->subscriptions) client->subscriptions->client_prev = s;
    client->subscriptions = s;
    client->subscription_count++;
    return s;
}

void topic_unsubscribe(struct topics *self, struct subscription *s)
{
    struct topic *topic = s->topic;
    struct client *client = s->client;
    if (s->topic_next) s->topic_next->topic_prev = s->topic_prev;
    if (s->topic_prev)
        s->topic_prev->topic_next = s->topic_next;
    else
        topic->subscriptions = s->topic_next;
    if (s->client_next) s->client_next->client_prev = s->client_prev;
    if (s->client_prev)
        s->client_prev->client_next = s->client_next;
    else
        client->subscriptions = s->client_next;
    client->subscription_count--;
    free(s);
    if (!topic->subscriptions) topic_destroy(self, topic);
}
