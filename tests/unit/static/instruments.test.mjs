import assert from "node:assert/strict";
import { test } from "node:test";

import { loadInstruments, tickAt } from "../../../static/instruments.js";

const listed = {
    symbol: "TABL",
    name: "Tables",
    tick_size: "0.0050",
    tick_table: [
        { from_price: "0.0000", tick_size: "0.0050" },
        { from_price: "10.0000", tick_size: "0.1000" },
    ],
    lot_size: 5,
    max_price: "1000.0000",
    max_order_qty: null,
    max_order_notional: null,
    last_price: null,
    session: "continuous",
};

test("a tick holds from its row's price on; what has no limit has none", async (t) => {
    t.mock.method(globalThis, "fetch", async () => ({
        ok: true,
        status: 200,
        json: async () => ({ instruments: [listed] }),
    }));
    const [instrument] = await loadInstruments();
    assert.equal(tickAt(instrument, 0), 50);
    assert.equal(tickAt(instrument, 99950), 50);
    assert.equal(tickAt(instrument, 100000), 1000);
    assert.equal(tickAt(instrument, NaN), 50, "a price that is not typed yet");
    assert.equal(instrument.maxOrderQty, Infinity);
    assert.equal(instrument.maxOrderNotional, Infinity);
    assert.equal(instrument.state.session, "continuous");
});
