import assert from "node:assert/strict";
import { test } from "node:test";

import { Orders } from "../../../static/orders.js";

const at = (n) => `2026-01-01T00:00:00.${String(n).padStart(9, "0")}Z`;

const order = (more) => ({
    order_id: "16",
    client_order_id: "a",
    symbol: "AAPL",
    side: "buy",
    type: "limit",
    time_in_force: "gtc",
    status: "new",
    reject_reason: null,
    qty: 10,
    limit_price: "1.0000",
    cum_qty: 0,
    leaves_qty: 10,
    avg_price: null,
    created_at: at(1),
    updated_at: at(1),
    fills: [],
    ...more,
});

const execution = (more) => ({
    exec_id: "17",
    seq: 1,
    order_id: "16",
    client_order_id: "a",
    symbol: "AAPL",
    side: "buy",
    type: "limit",
    time_in_force: "gtc",
    exec_type: "new",
    status: "new",
    reject_reason: null,
    qty: 10,
    limit_price: "1.0000",
    last_qty: 0,
    last_price: null,
    cum_qty: 0,
    leaves_qty: 10,
    trade_id: null,
    liquidity: null,
    time: at(1),
    time_ns: 1,
    ...more,
});

const trade = (execId, qty, cum, n) =>
    execution({
        exec_id: execId,
        exec_type: "trade",
        last_qty: qty,
        last_price: "1.0000",
        cum_qty: cum,
        leaves_qty: 10 - cum,
        trade_id: "3",
        liquidity: "maker",
        time: at(n),
        status: cum === 10 ? "filled" : "partially_filled",
    });

test("executions move an order through its life", () => {
    const orders = new Orders();
    orders.execution(execution({}));
    assert.equal(orders.open().length, 1);
    orders.execution(trade("18", 4, 4, 2));
    assert.deepEqual(orders.openPxs("AAPL"), new Map([["buy:10000", 6]]));
    assert.deepEqual(orders.openPxs("MSFT"), new Map());
    orders.execution(trade("19", 6, 10, 3));
    assert.equal(orders.open().length, 0);
    assert.deepEqual(
        orders.fills.map(({ execId, qty }) => [execId, qty]),
        [
            ["19", 6],
            ["18", 4],
        ],
    );
});

test("an answer that is older than an execution changes nothing but what it alone knows", () => {
    const orders = new Orders();
    orders.execution(trade("18", 4, 4, 5));
    orders.take(order({ updated_at: at(1) }));
    const [known] = orders.open();
    assert.equal(known.leavesQty, 6);
    assert.equal(known.timeInForce, "gtc");
});

test("the same execution twice is one, and an older one does not undo a newer", () => {
    const orders = new Orders();
    orders.execution(trade("19", 6, 10, 3));
    orders.execution(trade("19", 6, 10, 3));
    orders.execution(trade("18", 4, 4, 2));
    assert.equal(orders.open().length, 0);
    assert.equal(orders.fills.length, 2);
});

test("what comes while the lists are read is applied after them", async (t) => {
    const orders = new Orders();
    const signer = { headers: async () => ({}) };
    let release;
    const gate = new Promise((resolve) => {
        release = resolve;
    });
    t.mock.method(globalThis, "fetch", async (target) => {
        await gate;
        const list = target.includes("status=open") ? [order({})] : [order({})];
        return { ok: true, status: 200, json: async () => ({ orders: list, next_cursor: null }) };
    });
    const loading = orders.load(signer);
    orders.execution(trade("18", 4, 4, 2));
    assert.equal(orders.open().length, 0, "it waits");
    release();
    await loading;
    assert.equal(orders.open()[0].leavesQty, 6);
});

test("a stop is in no book until it is triggered", () => {
    const orders = new Orders();
    const stop = { type: "stop_limit", stop_price: "2.0000", triggered_at: null };
    orders.take(order({ ...stop }));
    assert.equal(orders.open()[0].waits, true);
    assert.equal(orders.open()[0].stopPx, 20000);
    assert.deepEqual(orders.openPxs("AAPL"), new Map());
    orders.execution(execution({ ...stop, exec_type: "triggered", time: at(2) }));
    assert.equal(orders.open()[0].waits, false);
    assert.deepEqual(orders.openPxs("AAPL"), new Map([["buy:10000", 10]]));

    orders.clear();
    orders.execution(execution({ ...stop }));
    orders.execution(execution({ ...stop, exec_type: "replaced", qty: 9, time: at(2) }));
    assert.equal(orders.open()[0].waits, true, "a replace does not trigger it");
});

test("an order without a limit is at no price", () => {
    const orders = new Orders();
    orders.take(order({ type: "market", limit_price: null }));
    assert.equal(orders.open()[0].limitPx, null);
    assert.deepEqual(orders.openPxs("AAPL"), new Map());
});

test("a busted trade marks its fill, whichever way it is heard of", () => {
    const orders = new Orders();
    orders.execution(trade("18", 4, 4, 2));
    orders.execution(trade("19", 4, 8, 3));
    orders.fills[0].tradeId = "4";
    orders.execution(execution({ exec_type: "trade_busted", trade_id: "3", time: at(4) }));
    const busted = () => orders.fills.map(({ execId, busted: is }) => [execId, is]);
    assert.deepEqual(busted(), [
        ["19", false],
        ["18", true],
    ]);
    const fill = { exec_id: "19", trade_id: "4", qty: 4, price: "1.0000", liquidity: "maker" };
    orders.take(order({ updated_at: at(5), fills: [{ ...fill, busted: true, time: at(3) }] }));
    assert.deepEqual(busted(), [
        ["19", true],
        ["18", true],
    ]);
});
