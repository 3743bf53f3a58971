/* fuzz_engine_step - any bytes as commands, against an engine and the model of it (tests/model):
 * both must say the same, and the engine's books must be right afterwards.
 *
 * The input is commands one behind the other, each after its length in two bytes, little-endian; a
 * last one may be cut short. Nothing is configured beforehand: that is the first command's task.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/engine.h"
#include "tests/fuzz/fuzz.h"
#include "tests/model/compare_views.h"
#include "tests/model/model.h"

enum { EVENT_BYTES_MAX = 64 * 1024 };

/* Small enough that an input can fill every table; the corpus configures exactly these. */
static const struct limits limits = {4, 5, 5, 4, 12, 10, 8, 12};

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

static void step_both(struct engine *engine, struct model *model, seq_t seq, const uint8_t *bytes,
                      size_t length)
{
    static struct told told;
    const struct event_sink sink = {keep, &told};
    uint8_t *message = malloc(length ? length : 1); /* aligned, and not a byte more */
    CHECK(message);
    memcpy(message, bytes, length);
    told.length = 0;
    engine_step(engine, seq, (int64_t)seq, message, length, &sink);
    model_step(model, message, length);
    free(message);
    CHECK(told.length > 0 && told.length == model->events.length);
    CHECK(memcmp(told.bytes, model->events.bytes, told.length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char why[200];
    size_t memory_bytes = engine_bytes(&limits);
    void *memory = NULL;
    CHECK(posix_memalign(&memory, 64, memory_bytes) == 0);
    memset(memory, 0, memory_bytes);
    struct engine *engine = engine_init(memory, &limits);
    struct model *model = model_create(&limits);
    for (seq_t seq = 1; length >= 2; seq++) {
        size_t told = (size_t)bytes[0] | (size_t)bytes[1] << 8;
        size_t there = told <= length - 2 ? told : length - 2;
        step_both(engine, model, seq, bytes + 2, there);
        bytes += 2 + there;
        length -= 2 + there;
    }
    engine_validate(engine);
    CHECK(compare_views(model, engine, why, sizeof why));
    model_destroy(model);
    free(memory);
    return 0;
}
