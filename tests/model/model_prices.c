#include "tests/model/model_parts.h"

enum { TICKS_MAX = (1 << 24) - 1, DEFAULT_COLLAR_PPM = 50000 };

/* ---- ticks ---- */

/* Which row holds at a price. */
static unsigned row_at(const struct model_tick_row *ticks, px_t px)
{
    unsigned row = 0;
    while (row + 1 < TICK_TABLE_ROWS && ticks[row + 1].tick_px != 0 && ticks[row + 1].from_px <= px)
        row++;
    return row;
}

px_t model_max_px(const struct model_tick_row *ticks)
{
    __int128 ticks_left = TICKS_MAX, px = 0;
    for (unsigned row = 0; row < TICK_TABLE_ROWS && ticks[row].tick_px != 0; row++) {
        bool last = row + 1 == TICK_TABLE_ROWS || ticks[row + 1].tick_px == 0;
        __int128 fit =
            last ? TICKS_MAX : (ticks[row + 1].from_px - ticks[row].from_px) / ticks[row].tick_px;
        if (fit > ticks_left) fit = ticks_left;
        px += fit * ticks[row].tick_px;
        ticks_left -= fit;
    }
    if (px <= PX_MAX) return (px_t)px;
    return PX_MAX - PX_MAX % ticks[row_at(ticks, PX_MAX)].tick_px;
}

px_t model_tick_at(const struct model_instrument *instrument, px_t px)
{
    return instrument->ticks[row_at(instrument->ticks, px)].tick_px;
}

bool model_is_price(const struct model_instrument *instrument, px_t px)
{
    return px > 0 && px <= instrument->max_px && px % model_tick_at(instrument, px) == 0;
}

px_t model_round_down(const struct model_instrument *instrument, px_t px)
{
    return px - px % model_tick_at(instrument, px);
}

px_t model_round_up(const struct model_instrument *instrument, px_t px)
{
    px_t down = model_round_down(instrument, px);
    return down == px ? px : down + model_tick_at(instrument, down);
}

uint32_t model_tick_number(const struct model_instrument *instrument, px_t px)
{
    __int128 number = 0;
    unsigned at = row_at(instrument->ticks, px);
    for (unsigned row = 0; row <= at; row++) {
        const struct model_tick_row *ticks = &instrument->ticks[row];
        px_t to_px = row == at ? px : ticks[1].from_px;
        number += (to_px - ticks->from_px) / ticks->tick_px;
    }
    return (uint32_t)number;
}

/* ---- collars ---- */

static __int128 width_of(__int128 px, uint32_t ppm)
{
    return px * ppm / MODEL_MILLION;
}

uint32_t model_collar_ppm(const struct model *self, instrument_id_t instrument,
                          account_id_t account, user_id_t user)
{
    const uint32_t set[] = {self->instruments[instrument].bands.collar_ppm,
                            self->accounts[account].limits.collar_ppm,
                            self->users[user].limits.collar_ppm};
    uint32_t smallest = 0;
    for (unsigned i = 0; i < 3; i++)
        if (set[i] != 0 && (smallest == 0 || set[i] < smallest)) smallest = set[i];
    return smallest;
}

px_t model_collared(const struct model_instrument *instrument, uint8_t side, px_t reference,
                    uint32_t ppm)
{
    if (ppm == 0) ppm = DEFAULT_COLLAR_PPM;
    px_t width = (px_t)width_of(reference, ppm);
    if (side == SIDE_BUY) {
        px_t px = model_round_down(instrument, reference + width);
        return px > instrument->max_px ? instrument->max_px : px;
    }
    px_t px = model_round_up(instrument, reference - width);
    return px < instrument->ticks[0].tick_px ? instrument->ticks[0].tick_px : px;
}

/* ---- bands ---- */

static struct model_prices around(px_t px, uint32_t ppm)
{
    if (px == 0 || ppm == 0) return (struct model_prices){INT64_MIN, INT64_MAX};
    __int128 width = width_of(px, ppm);
    return (struct model_prices){px - width, px + width};
}

struct model_prices model_static_band(const struct model_instrument *instrument)
{
    return around(instrument->reference_px, instrument->bands.static_ppm);
}

struct model_prices model_bands(const struct model_instrument *instrument)
{
    struct model_prices a = model_static_band(instrument);
    struct model_prices b = around(instrument->last_px, instrument->bands.dynamic_ppm);
    return (struct model_prices){a.low > b.low ? a.low : b.low, a.high < b.high ? a.high : b.high};
}
