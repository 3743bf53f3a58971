/* fuzz_engine_step - any bytes as a day's commands, against an engine and the model of it
 * (tests/model): both must say the same, and the engine's books must be right afterwards.
 *
 * The first byte says whether there is a market already (fuzz_market.h) or nothing at all, not even
 * limits. Then come commands, each after a byte that says how far the clock moves and a byte of its
 * kind: below 128 one made to fit the market, with its fields from the bytes behind; from 128 on
 * raw bytes after their length in two bytes, little-endian. Whatever is cut off reads as zeros.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/engine.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_market.h"
#include "tests/model/compare_views.h"
#include "tests/model/model.h"

enum { EVENT_BYTES_MAX = 256 * 1024, COMMANDS_MAX = 600 };

struct told {
    uint8_t bytes[EVENT_BYTES_MAX];
    size_t length;
};

static void keep(void *context, const void *message, size_t length)
{
    struct told *told = context;
    CHECK(length <= SBE_MESSAGE_MAX_BYTES && told->length + length <= sizeof told->bytes);
    memcpy(told->bytes + told->length, message, length);
    told->length += length;
}

struct pair {
    struct engine *engine;
    struct model *model;
    struct fuzz_market *market;
    seq_t seq;
};

static void step_both(void *context, const void *bytes, size_t length)
{
    static struct told told;
    struct pair *pair = context;
    const struct event_sink sink = {keep, &told};
    uint8_t *message = malloc(length ? length : 1); /* aligned, and not a byte more */
    CHECK(message);
    memcpy(message, bytes, length);
    told.length = 0;
    pair->seq++;
    struct engine_ahead ahead = {.message = message, .length = length};
    engine_prefetch(pair->engine, message, length);
    for (unsigned look = 0; look < ENGINE_LOOKS; look++) engine_look(pair->engine, look, &ahead);
    engine_step(pair->engine, pair->seq, pair->market->time_ns, message, length, &sink);
    model_step(pair->model, pair->market->time_ns, message, length);
    free(message);
    CHECK(told.length > 0 && told.length == pair->model->events.length);
    CHECK(memcmp(told.bytes, pair->model->events.bytes, told.length) == 0);
    fuzz_market_note(pair->market, told.bytes, told.length);
}

static void step_raw(struct pair *pair, struct fuzz_input *input)
{
    size_t length = fuzz_u8(input);
    length |= (size_t)fuzz_u8(input) << 8;
    if (length > input->length) length = input->length;
    step_both(pair, input->bytes, length);
    input->bytes += length;
    input->length -= length;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char why[480];
    struct fuzz_input input = {bytes, length};
    struct fuzz_market market = {.time_ns = 1};
    size_t memory_bytes = engine_bytes(&fuzz_market_limits);
    void *memory = NULL;
    CHECK(posix_memalign(&memory, 64, memory_bytes) == 0);
    memset(memory, 0, memory_bytes);
    struct pair pair = {.engine = engine_init(memory, &fuzz_market_limits),
                        .model = model_create(&fuzz_market_limits),
                        .market = &market};
    const struct fuzz_sender sender = {step_both, &pair};
    if (fuzz_u8(&input)) fuzz_market_open(&market, &sender);
    for (unsigned i = 0; input.length > 0 && i < COMMANDS_MAX; i++) {
        fuzz_market_advance(&market, fuzz_u8(&input));
        uint8_t kind = fuzz_u8(&input);
        if (kind < 128)
            fuzz_market_command(&market, kind, &input, &sender);
        else
            step_raw(&pair, &input);
    }
    engine_validate(pair.engine);
    CHECK(compare_views(pair.model, pair.engine, why, sizeof why));
    model_destroy(pair.model);
    free(memory);
    return 0;
}
