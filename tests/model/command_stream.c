#include "tests/model/command_stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/random.h"

/* Prices lie close together, or anywhere a ladder reaches, or both. */
enum price_habit { CLOSE, SCATTERED, MIXED, PRICE_HABITS };

enum { PLACES = 64, RECENT = 48, CL_ORD_ID_CHOICES = 150 };

struct generator {
    struct random random;
    struct stream *stream;
    uint32_t at; /* command in work */
    enum price_habit price_habit;
    uint32_t middle_ticks;
    px_t tick_px[PLACES];  /* by instrument, as first asked for */
    qty_t lot_qty[PLACES]; /* by instrument */
    uint32_t recent[RECENT];
    uint32_t new_order_count;
};

/* ---- numbers ---- */

static int64_t edge(struct random *r)
{
    static const int64_t edges[] = {0,
                                    1,
                                    -1,
                                    2,
                                    INT64_MAX,
                                    INT64_MIN,
                                    INT64_MAX - 1,
                                    PX_MAX,
                                    PX_MAX + 1,
                                    PX_MAX - 1,
                                    QTY_MAX,
                                    QTY_MAX + 1,
                                    QTY_MAX - 1,
                                    16777215,
                                    16777216,
                                    INT64_C(1) << 32,
                                    INT32_MAX,
                                    INT64_C(3037000500)};
    if (random_chance(r, 10)) return (int64_t)random_next(r);
    return edges[random_below(r, sizeof edges / sizeof edges[0])];
}

/* The number, rarely its neighbour. */
static int64_t one_off(struct random *r, int64_t number)
{
    int64_t other;
    if (!random_chance(r, 3)) return number;
    if (__builtin_add_overflow(number, random_chance(r, 50) ? 1 : -1, &other)) return number;
    return other;
}

/* An id that exists if all went well; now and then one at or beyond the edge of the table. */
static uint32_t some_id(struct random *r, uint32_t limit)
{
    if (random_chance(r, 99)) return random_between(r, 1, limit - 1 < PLACES ? limit - 1 : PLACES);
    const uint32_t edges[] = {0, limit - 1, limit, limit + 1, 65536, 1 << 24, UINT32_MAX};
    return edges[random_below(r, sizeof edges / sizeof edges[0])];
}

static uint32_t user_of(const struct generator *g, account_id_t account)
{
    return account % g->stream->limits.users;
}

static void fill_text(struct random *r, char *text, size_t bytes, const char *stem, uint32_t number)
{
    memset(text, 0, bytes);
    switch (random_below(r, 250)) {
    case 0: return;
    case 1: memset(text, 'x', bytes); return; /* no NUL */
    case 2: memset(text, 'Y', bytes - 1); return;
    case 3: text[0] = (char)random_next(r); return;
    case 4: memcpy(text, "a\0b", 3); return;
    default: snprintf(text, bytes, "%s%" PRIu32, stem, number); return;
    }
}

static void fill_cl_ord_id(struct random *r, char *text)
{
    memset(text, 0, CL_ORD_ID_BYTES);
    uint32_t kind = random_below(r, 100), number = random_below(r, CL_ORD_ID_CHOICES);
    if (kind < 40) return;
    if (kind < 85) {
        snprintf(text, CL_ORD_ID_BYTES, "c%" PRIu32, number);
    } else if (kind < 96) {
        memset(text, '~', CL_ORD_ID_BYTES);
        text[CL_ORD_ID_BYTES - 1] = (char)('a' + number % 20);
    } else {
        static const char bad[6][4] = {" x", "x y", "\x7f", "a\0b", "\t", "\xc3\xa9"};
        memcpy(text, bad[number % 6], sizeof bad[0]);
    }
}

/* ---- one command each ---- */

#define BEGIN(g, type, template)                                                                   \
    ((struct type *)begin_command((g), sizeof(struct type),                                        \
                                  COMMAND_HEADER((template), struct type)))

static void *begin_command(struct generator *g, size_t bytes, struct sbe_header header)
{
    struct stream_command *command = &g->stream->commands[g->at];
    memset(command->bytes, 0, sizeof command->bytes);
    memcpy(command->bytes, &header, sizeof header);
    command->length = (uint32_t)bytes;
    return command->bytes;
}

static void make_configure(struct generator *g)
{
    struct command_configure *c = BEGIN(g, command_configure, COMMAND_CONFIGURE);
    c->limits = g->stream->limits;
    if (g->at && random_chance(&g->random, 50)) c->limits.orders++;
}

static void make_open_account(struct generator *g, account_id_t account)
{
    struct command_open_account *c = BEGIN(g, command_open_account, COMMAND_OPEN_ACCOUNT);
    c->account = account;
    fill_text(&g->random, c->name, NAME_BYTES, "account ", account);
}

static void make_deposit(struct generator *g, account_id_t account, instrument_id_t instrument)
{
    struct random *r = &g->random;
    struct command_deposit *c = BEGIN(g, command_deposit, COMMAND_DEPOSIT);
    c->account = account;
    c->instrument = instrument;
    qty_t lot_qty = instrument < PLACES && g->lot_qty[instrument] ? g->lot_qty[instrument] : 1;
    if (random_chance(r, 4))
        c->qty = edge(r);
    else if (instrument)
        c->qty = lot_qty % QTY_MAX * random_between(r, 1, random_chance(r, 70) ? 1000 : 3);
    else
        c->qty =
            (int64_t)random_between(r, 1, 1000000) * (random_chance(r, 70) ? INT64_C(10000000) : 1);
}

static void make_list_instrument(struct generator *g, instrument_id_t instrument)
{
    static const px_t ticks[] = {1, 1, 7, 100, 100, 100, 10000};
    static const px_t far_ticks[] = {549755813888, 549755813889, PX_MAX, PX_MAX / 3};
    static const qty_t lots[] = {1, 1, 1, 10, 100, 3};
    struct random *r = &g->random;
    struct command_list_instrument *c = BEGIN(g, command_list_instrument, COMMAND_LIST_INSTRUMENT);
    c->instrument = instrument;
    uint32_t number = random_chance(r, 95) ? instrument : random_below(r, 4);
    fill_text(r, c->symbol, SYMBOL_BYTES, random_chance(r, 98) ? "SYM." : "sym", number);
    fill_text(r, c->name, NAME_BYTES, "Instrument ", instrument);
    c->tick_px = ticks[random_below(r, 7)];
    if (random_chance(r, 3)) c->tick_px = far_ticks[random_below(r, 4)];
    if (random_chance(r, 2)) c->tick_px = edge(r);
    c->lot_qty = random_chance(r, 98) ? lots[random_below(r, 6)] : edge(r);
    c->max_order_qty = random_chance(r, 95) ? random_between(r, 500, 100000) : edge(r);
    c->max_order_notional = random_chance(r, 90) ? INT64_MAX : edge(r);
    if (random_chance(r, 5)) c->max_order_notional = random_between(r, 1, 1000000000);
    if (instrument >= PLACES || g->tick_px[instrument]) return;
    g->tick_px[instrument] = c->tick_px;
    g->lot_qty[instrument] = c->lot_qty;
}

static void make_add_user(struct generator *g, user_id_t user, account_id_t account)
{
    struct command_add_user *c = BEGIN(g, command_add_user, COMMAND_ADD_USER);
    c->user = user;
    c->account = account;
    fill_text(&g->random, c->name, NAME_BYTES, "user ", user);
}

static void make_add_key(struct generator *g)
{
    struct random *r = &g->random;
    struct command_add_key *c = BEGIN(g, command_add_key, COMMAND_ADD_KEY);
    c->user = some_id(r, g->stream->limits.users);
    c->scopes = random_chance(r, 95) ? random_below(r, SCOPE_ALL + 1) : (uint32_t)edge(r);
    fill_text(r, c->key_id, KEY_ID_BYTES, "KEY", random_below(r, g->stream->limits.keys * 2));
    memset(c->sealed_secret, (int)random_below(r, 256), SEALED_SECRET_BYTES);
}

/* ---- orders ---- */

static px_t some_px(struct generator *g, instrument_id_t instrument)
{
    static const uint32_t far[] = {
        1,      2,    62,      63,       64,       65,       4095,
        4096,   4097, 1 << 18, 16777214, 16777215, 16777216, (1 << 18) - 1,
        1 << 23};
    struct random *r = &g->random;
    if (random_chance(r, 3)) return edge(r);
    px_t tick_px = instrument < PLACES && g->tick_px[instrument] ? g->tick_px[instrument] : 1;
    bool close = g->price_habit == CLOSE || (g->price_habit == MIXED && random_chance(r, 80));
    int64_t ticks = g->middle_ticks + random_below(r, 9);
    if (!close && random_chance(r, 40)) ticks = far[random_below(r, 15)];
    if (!close && random_chance(r, 40)) ticks = random_between(r, 1, 16777215);
    px_t px;
    if (__builtin_mul_overflow(ticks, tick_px, &px)) return tick_px;
    return one_off(r, px);
}

static qty_t some_qty(struct generator *g, instrument_id_t instrument)
{
    struct random *r = &g->random;
    if (random_chance(r, 3)) return edge(r);
    qty_t lot_qty = instrument < PLACES && g->lot_qty[instrument] ? g->lot_qty[instrument] : 1;
    qty_t qty;
    if (__builtin_mul_overflow(lot_qty, random_between(r, 1, random_chance(r, 90) ? 8 : 300), &qty))
        return lot_qty;
    return one_off(r, qty);
}

static void make_new_order(struct generator *g)
{
    struct random *r = &g->random;
    struct command_new_order *c = BEGIN(g, command_new_order, COMMAND_NEW_ORDER);
    c->account = some_id(r, g->stream->limits.accounts);
    c->user = random_chance(r, 97) ? user_of(g, c->account) : some_id(r, g->stream->limits.users);
    c->instrument = some_id(r, g->stream->limits.instruments);
    c->side = random_chance(r, 50) ? SIDE_BUY : SIDE_SELL;
    c->ord_type = ORD_TYPE_LIMIT;
    c->time_in_force =
        (const uint8_t[]){TIF_DAY, TIF_DAY, TIF_GTC, TIF_GTC, TIF_IOC}[random_below(r, 5)];
    uint8_t *const odd[] = {&c->side, &c->ord_type, &c->time_in_force};
    if (random_chance(r, 3)) *odd[random_below(r, 3)] = (uint8_t)random_next(r);
    c->order_qty = some_qty(g, c->instrument);
    c->limit_px = some_px(g, c->instrument);
    fill_cl_ord_id(r, c->cl_ord_id);
    c->pad2 = (uint32_t)random_next(r);
    g->recent[g->new_order_count++ % RECENT] = g->at;
}

/* Who sends a cancel or replace, and about which order: returns that, NULL when it is made up. */
static const struct command_new_order *choose_order(struct generator *g, account_id_t *account,
                                                    user_id_t *user, order_id_t *order_id,
                                                    char *orig_cl_ord_id)
{
    struct random *r = &g->random;
    struct stream_command *command = &g->stream->commands[g->at];
    const struct command_new_order *meant = NULL;
    *account = some_id(r, g->stream->limits.accounts);
    if (g->new_order_count && random_chance(r, 92)) {
        uint32_t window = random_chance(r, 50) ? RECENT : RECENT / 8;
        uint32_t known = g->new_order_count < window ? g->new_order_count : window;
        uint32_t back = 1 + random_below(r, known);
        uint32_t index = g->recent[(g->new_order_count - back) % RECENT];
        meant = (const void *)g->stream->commands[index].bytes;
        if (random_chance(r, 90)) *account = meant->account;
        if (meant->cl_ord_id[0] && random_chance(r, 50))
            memcpy(orig_cl_ord_id, meant->cl_ord_id, CL_ORD_ID_BYTES);
        else
            command->target = (int32_t)index;
    } else if (random_chance(r, 50)) {
        *order_id = random_chance(r, 50) ? random_next(r) : (order_id_t)edge(r);
    } else {
        fill_cl_ord_id(r, orig_cl_ord_id);
    }
    *user = random_chance(r, 96) ? user_of(g, *account) : some_id(r, g->stream->limits.users);
    return meant;
}

static void make_cancel_order(struct generator *g)
{
    struct command_cancel_order *c = BEGIN(g, command_cancel_order, COMMAND_CANCEL_ORDER);
    choose_order(g, &c->account, &c->user, &c->order_id, c->orig_cl_ord_id);
}

static void make_replace_order(struct generator *g)
{
    struct command_replace_order *c = BEGIN(g, command_replace_order, COMMAND_REPLACE_ORDER);
    const struct command_new_order *meant =
        choose_order(g, &c->account, &c->user, &c->order_id, c->orig_cl_ord_id);
    qty_t lot_qty = meant && meant->instrument < PLACES ? g->lot_qty[meant->instrument] : 0;
    c->order_qty = some_qty(g, meant ? meant->instrument : 1);
    if (lot_qty > 0 && meant->order_qty > lot_qty && random_chance(&g->random, 70))
        c->order_qty = meant->order_qty - lot_qty;
}

static void make_end_day(struct generator *g)
{
    struct command_end_day *c = BEGIN(g, command_end_day, COMMAND_END_DAY);
    c->day = random_chance(&g->random, 90) ? g->at : random_next(&g->random);
}

/* ---- the mix ---- */

static void make_any(struct generator *g)
{
    struct random *r = &g->random;
    const struct limits *limits = &g->stream->limits;
    uint32_t kind = random_below(r, 1000);
    if (kind < 600) {
        make_new_order(g);
    } else if (kind < 730) {
        make_cancel_order(g);
    } else if (kind < 860) {
        make_replace_order(g);
    } else if (kind < 910) {
        instrument_id_t instrument = random_chance(r, 50) ? 0 : some_id(r, limits->instruments);
        make_deposit(g, some_id(r, limits->accounts), instrument);
    } else if (kind < 930) {
        make_open_account(g, some_id(r, limits->accounts));
    } else if (kind < 950) {
        make_list_instrument(g, some_id(r, limits->instruments));
    } else if (kind < 965) {
        make_add_user(g, some_id(r, limits->users),
                      random_chance(r, 80) ? some_id(r, limits->accounts) : 0);
    } else if (kind < 985) {
        make_add_key(g);
    } else if (kind < 995) {
        make_end_day(g);
    } else {
        make_configure(g);
    }
}

/* Spoils a whole command: lengths, header fields, single bytes. Some remain valid: a later
 * version's longer block is. */
static void spoil(struct generator *g)
{
    struct random *r = &g->random;
    struct stream_command *command = &g->stream->commands[g->at];
    struct sbe_header header;
    memcpy(&header, command->bytes, sizeof header);
    switch (random_below(r, 8)) {
    case 0: command->length = random_below(r, command->length + 1); break;
    case 1: header.block_length = (uint16_t)(header.block_length + random_below(r, 3) - 1); break;
    case 2: header.template_id = (uint16_t)random_below(r, 128); break;
    case 3: header.schema_id ^= (uint16_t)(1u << random_below(r, 16)); break;
    case 4: header.version = (uint16_t)random_below(r, 3); break;
    case 5: header.version = UINT16_MAX; break;
    case 6:
        header.version = 2;
        header.block_length = (uint16_t)(header.block_length + 8);
        command->length += 8;
        break;
    default: command->bytes[random_below(r, command->length)] ^= (uint8_t)random_next(r); return;
    }
    memcpy(command->bytes, &header, sizeof header);
}

/* ---- the stream ---- */

static uint32_t some_limit(struct random *r)
{
    return random_chance(r, 20) ? random_between(r, 2, 5) : random_between(r, 20, 60);
}

static struct limits some_limits(struct random *r)
{
    uint32_t accounts = random_between(r, 2, 9);
    return (struct limits){.instruments = random_between(r, 2, 6),
                           .accounts = accounts,
                           .users = random_chance(r, 90) ? accounts : random_between(r, 2, 12),
                           .keys = some_limit(r),
                           .orders = some_limit(r),
                           .levels = some_limit(r),
                           .positions = some_limit(r),
                           .cl_ord_ids = random_chance(r, 30) ? some_limit(r) : 2000};
}

/* The command that stands at a place of a stream's beginning, so that there is something to trade;
 * false once that is done. */
static bool make_opening(struct generator *g)
{
    const struct limits *limits = &g->stream->limits;
    uint32_t at = g->at;
    if (at == 0) return make_configure(g), true;
    at--;
    if (at < limits->accounts - 1) return make_open_account(g, at + 1), true;
    at -= limits->accounts - 1;
    if (at < limits->instruments - 1) return make_list_instrument(g, at + 1), true;
    at -= limits->instruments - 1;
    if (at < limits->users - 1) return make_add_user(g, at + 1, (at + 1) % limits->accounts), true;
    at -= limits->users - 1;
    if (at < (limits->accounts - 1) * limits->instruments)
        return make_deposit(g, at / limits->instruments + 1, at % limits->instruments), true;
    return false;
}

struct stream *stream_create(uint64_t seed, uint32_t count)
{
    struct stream *self = calloc(1, sizeof *self);
    struct stream_command *commands = calloc(count, sizeof *commands);
    if (!self || !commands) abort();
    struct generator g = {.random = {seed}, .stream = self};
    self->seed = seed;
    self->commands = commands;
    self->count = count;
    self->limits = some_limits(&g.random);
    g.price_habit = (enum price_habit)random_below(&g.random, PRICE_HABITS);
    g.middle_ticks = random_chance(&g.random, 90) ? random_between(&g.random, 1, 5000) : 16777210;
    bool unconfigured = random_chance(&g.random, 5); /* the first record is missing at first */
    int64_t time_ns = 1;
    for (g.at = 0; g.at < count; g.at++) {
        struct stream_command *command = &commands[g.at];
        command->target = STREAM_NO_TARGET;
        time_ns += random_below(&g.random, 1000);
        command->time_ns = time_ns;
        if (unconfigured && g.at < 5)
            make_any(&g);
        else if (unconfigured && g.at == 5)
            make_configure(&g);
        else if (!make_opening(&g))
            make_any(&g);
        if (g.at && random_chance(&g.random, 3)) spoil(&g);
    }
    return self;
}

void stream_destroy(struct stream *self)
{
    free(self->commands);
    free(self);
}

/* ---- for people ---- */

static void print_bytes(FILE *file, const struct stream_command *command)
{
    for (uint32_t i = 0; i < command->length; i++) fprintf(file, "%02x", command->bytes[i]);
}

void stream_print_command(FILE *file, uint32_t index, const struct stream_command *command)
{
    struct sbe_header header = {0};
    memcpy(&header, command->bytes, command->length < sizeof header ? 0 : sizeof header);
    fprintf(file, "  #%-5" PRIu32 " ", index);
    if (header.template_id == COMMAND_NEW_ORDER && command->length >= 80) {
        const struct command_new_order *c = (const void *)command->bytes;
        fprintf(file,
                "new_order account %" PRIu32 " user %" PRIu32 " instrument %" PRIu32
                " side %u type %u tif %u qty %" PRId64 " px %" PRId64 " cl_ord_id %.36s",
                c->account, c->user, c->instrument, c->side, c->ord_type, c->time_in_force,
                c->order_qty, c->limit_px, c->cl_ord_id);
    } else if (header.template_id == COMMAND_CANCEL_ORDER && command->length >= 64) {
        const struct command_cancel_order *c = (const void *)command->bytes;
        fprintf(file, "cancel account %" PRIu32 " user %" PRIu32 " order %" PRIu64 " / %.36s",
                c->account, c->user, c->order_id, c->orig_cl_ord_id);
    } else if (header.template_id == COMMAND_REPLACE_ORDER && command->length >= 72) {
        const struct command_replace_order *c = (const void *)command->bytes;
        fprintf(file,
                "replace account %" PRIu32 " user %" PRIu32 " order %" PRIu64
                " / %.36s qty %" PRId64,
                c->account, c->user, c->order_id, c->orig_cl_ord_id, c->order_qty);
    } else {
        fprintf(file, "template %u: ", header.template_id);
        print_bytes(file, command);
    }
    if (command->target != STREAM_NO_TARGET)
        fprintf(file, " (order of #%" PRId32 ")", command->target);
    fputc('\n', file);
}
