/* topic.h - who reads what: topics, each with what its readers share, and their subscriptions.
 *
 * A topic is what several clients may read alike: a book to one depth, an instrument's trades, its
 * candles of one interval, its sessions or auctions, an account's executions, the heartbeat. It
 * exists while it has readers. A message is encoded once a topic; only its first fields, with the
 * subscription's own `seq`, differ.
 *
 *   instrument 1 -> topic (book, 20) -> subscription -> subscription
 *                   topic (trades)   -> subscription
 *   account 7    -> topic (orders)   -> subscription
 *
 * Owned by the front's one thread.
 */
#ifndef HOGA_WEB_STREAM_TOPIC_H
#define HOGA_WEB_STREAM_TOPIC_H

#include "web/front.h"
#include "web/json/encode.h"
#include "web/stream/auction_feed.h"
#include "web/stream/book_feed.h"
#include "web/stream/candle_feed.h"
#include "web/stream/request.h"

struct client;

/* What names a topic. */
struct topic_key {
    enum channel channel;
    uint32_t of;     /* instrument, or account of `orders`; 0 for the heartbeat */
    uint32_t option; /* depth of a book, interval of candles; else 0 */
};

struct topic {
    struct topic_key key;
    char symbol[8 + 6 * SYMBOL_BYTES]; /* as JSON; "" for channels without symbols */
    struct topic *next;                /* of the same bucket */
    struct topic *all_next, *all_prev;
    struct subscription *subscriptions;
    struct book_feed *book;      /* book */
    struct candle_feed candles;  /* candles */
    struct auction_feed auction; /* auction */
    struct json_buffer trades;   /* trades: those of the batch in work, comma-separated */
};

struct subscription {
    struct topic *topic;
    struct client *client;
    struct subscription *topic_next, *topic_prev;
    struct subscription *client_next, *client_prev;
    uint64_t seq; /* last sent; for `orders` the account's own number */
    bool behind;  /* is to get a snapshot, or older executions, before anything new */
};

enum { TOPIC_ACCOUNT_BUCKETS = 4096 };

struct topics {
    uint32_t instruments;
    struct topic **of_instrument;
    struct topic *of_account[TOPIC_ACCOUNT_BUCKETS]; /* the heartbeat is account 0's */
    struct topic *all;
};

/* `instruments` bounds instrument ids. False without memory. */
bool topics_open(struct topics *self, uint32_t instruments);
/* Everybody must have unsubscribed. */
void topics_close(struct topics *self);

/* First of a chain in which `of` and the channel must still be compared. */
static inline struct topic *topics_of_instrument(const struct topics *self, instrument_id_t of)
{
    return of < self->instruments ? self->of_instrument[of] : NULL;
}
struct topic *topics_of_account(const struct topics *self, account_id_t account);

/* Subscribes a client, making the topic if it is new; NULL without memory. The subscription is
 * behind and has seq 0. */
struct subscription *topic_subscribe(struct topics *self, const struct front *front,
                                     const struct topic_key *key, struct client *client,
                                     int64_t now_ns);

/* Ends a subscription, and its topic with the last one. */
void topic_unsubscribe(struct topics *self, struct subscription *subscription);

#endif
