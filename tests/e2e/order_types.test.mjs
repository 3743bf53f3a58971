/* order_types.test.mjs - every kind of order as a broker sends it: what it does in the book, what its
 * owner is told, and what becomes of it when its owner is gone. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import { Exchange, until } from "./exchange.mjs";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/;

let exchange;
let alpha;
let beta;

before(async () => {
    exchange = new Exchange(["--quiet-market"]);
    await exchange.start();
    alpha = exchange.rest(0);
    beta = exchange.rest(1);
});

after(async () => {
    alpha?.close();
    beta?.close();
    await exchange?.remove();
});

/* Each test finds an empty book. */
afterEach(async () => {
    for (const client of [alpha, beta]) await client.call("DELETE", "/v1/orders");
});

const limit = (side, qty, price, more = {}) => ({
    symbol: "AAPL",
    side,
    type: "limit",
    qty,
    limit_price: price,
    ...more,
});

async function place(client, body, status = 201) {
    const answer = await client.call("POST", "/v1/orders", body);
    assert.equal(answer.status, status, answer.text);
    return answer.json;
}

const look = async (client, order) =>
    (await client.call("GET", `/v1/orders/${order.order_id}`)).json;

async function depth() {
    const { bids, asks } = (await alpha.get("/v1/depth/AAPL")).json;
    return { bids, asks };
}

/* A trade at this price, so that the market has one. */
async function tradeAt(price, qty = 1) {
    await place(beta, limit("sell", qty, price));
    const order = await place(alpha, limit("buy", qty, price));
    assert.equal(order.status, "filled");
}

describe("a market order", () => {
    test("takes what is there and never rests", async () => {
        await tradeAt("200.00");
        await place(beta, limit("sell", 10, "200.00"));
        await place(beta, limit("sell", 10, "201.00"));
        const order = await place(alpha, { symbol: "AAPL", side: "buy", type: "market", qty: 15 });
        assert.equal(order.status, "filled");
        assert.deepEqual(
            order.fills.map(({ qty, price, liquidity }) => [qty, price, liquidity]),
            [
                [10, "200.0000", "taker"],
                [5, "201.0000", "taker"],
            ],
        );
        assert.equal(order.avg_price, "200.3333");
        const large = await place(alpha, { symbol: "AAPL", side: "buy", type: "market", qty: 50 });
        assert.equal(large.status, "canceled");
        assert.equal(large.cum_qty, 5);
        assert.deepEqual(await depth(), { bids: [], asks: [] });
    });

    test("stops at its collar", async () => {
        await tradeAt("200.00");
        await place(beta, limit("sell", 10, "300.00"));
        const order = await place(alpha, { symbol: "AAPL", side: "buy", type: "market", qty: 5 });
        assert.equal(order.status, "canceled");
        assert.equal(order.cancel_reason, "collar_reached");
        assert.equal(order.reject_reason, null);
        assert.equal(order.limit_price, "210.0000"); // five percent
    });
});

describe("a stop", () => {
    test("waits, is triggered by a trade, and tells each step", async () => {
        const socket = await exchange.socket(0);
        await socket.request("subscribe", { channel: "orders" });
        await tradeAt("200.00");
        const stop = await place(alpha, {
            symbol: "AAPL",
            side: "sell",
            type: "stop",
            qty: 3,
            stop_price: "199.00",
        });
        assert.equal(stop.status, "new");
        assert.equal(stop.stop_price, "199.0000");
        assert.equal(stop.triggered_at, null);
        assert.deepEqual(await depth(), { bids: [], asks: [] }); // nobody sees it
        await place(beta, limit("buy", 10, "198.50"));
        await place(beta, limit("buy", 1, "199.00"));
        await place(alpha, limit("sell", 1, "199.00"));
        const done = await look(alpha, stop);
        assert.equal(done.status, "filled");
        assert.match(done.triggered_at, TIME);
        assert.equal(done.avg_price, "198.5000");
        const mine = (push) => push.execution?.order_id === stop.order_id;
        await socket.push((push) => mine(push) && push.execution.status === "filled");
        assert.deepEqual(
            socket.pushes.filter(mine).map(({ execution }) => execution.exec_type),
            ["new", "triggered", "trade"],
        );
        await socket.close();
    });

    test("with a limit rests at it; its stop price can be moved while it waits", async () => {
        await tradeAt("200.00");
        const order = await place(alpha, {
            symbol: "AAPL",
            side: "buy",
            type: "stop_limit",
            qty: 3,
            stop_price: "205.00",
            limit_price: "201.00",
        });
        const target = `/v1/orders/${order.order_id}`;
        const moved = await alpha.call("PATCH", target, { stop_price: "200.00" });
        assert.equal(moved.status, 200, moved.text);
        assert.match(moved.json.triggered_at, TIME); // the last trade was there
        assert.equal(moved.json.status, "new");
        assert.deepEqual((await depth()).bids, [["201.0000", 3]]);
        const late = await alpha.call("PATCH", target, { stop_price: "202.00" });
        assert.equal(late.json.code, "invalid_stop_price");
    });
});

describe("orders with conditions", () => {
    test("an iceberg shows its tip and queues again with each", async () => {
        const iceberg = await place(beta, limit("sell", 25, "200.00", { display_qty: 10 }));
        await place(beta, limit("sell", 5, "200.00"));
        assert.deepEqual((await depth()).asks, [["200.0000", 15]]);
        await place(alpha, limit("buy", 12, "200.00"));
        assert.equal((await look(beta, iceberg)).cum_qty, 10);
        assert.deepEqual((await depth()).asks, [["200.0000", 13]]);
        await place(alpha, limit("buy", 4, "200.00"));
        assert.equal((await look(beta, iceberg)).cum_qty, 11);
    });

    test("post_only does not take; fok and min_qty take it or leave it", async () => {
        await place(beta, limit("sell", 10, "200.00"));
        const refused = await place(alpha, limit("buy", 1, "200.00", { post_only: true }), 422);
        assert.equal(refused.code, "would_take");
        assert.equal(refused.order.status, "rejected");
        assert.equal(refused.order.reject_reason, "would_take");
        const rests = await place(alpha, limit("buy", 1, "199.99", { post_only: true }));
        assert.equal(rests.status, "new");
        assert.equal(rests.post_only, true);
        const fok = await place(alpha, limit("buy", 11, "200.00", { time_in_force: "fok" }));
        assert.deepEqual([fok.status, fok.cancel_reason], ["canceled", "min_qty_unmet"]);
        const some = await place(alpha, limit("buy", 20, "200.00", { min_qty: 11 }));
        assert.deepEqual([some.status, some.cum_qty], ["canceled", 0]);
        const enough = await place(alpha, limit("buy", 20, "200.00", { min_qty: 10 }));
        assert.deepEqual([enough.status, enough.cum_qty], ["partially_filled", 10]);
    });

    test("an account does not trade with itself unless it says so", async () => {
        const resting = await place(alpha, limit("sell", 10, "200.00"));
        const newest = await place(alpha, limit("buy", 4, "200.00", { stp: "cancel_newest" }));
        assert.deepEqual([newest.status, newest.cancel_reason], ["canceled", "self_trade"]);
        const less = await place(alpha, limit("buy", 4, "200.00", { stp: "decrement" }));
        assert.equal(less.status, "canceled");
        const reduced = await look(alpha, resting);
        assert.deepEqual([reduced.qty, reduced.leaves_qty, reduced.status], [6, 6, "new"]);
        const allowed = await place(alpha, limit("buy", 1, "200.00", { stp: "allow" }));
        assert.equal(allowed.status, "filled");
        const oldest = await place(alpha, limit("buy", 1, "200.00", { stp: "cancel_oldest" }));
        assert.equal(oldest.status, "new");
        assert.equal((await look(alpha, resting)).cancel_reason, "self_trade");
    });

    test("good till date ends then", async () => {
        const at = new Date(Date.now() + 1500).toISOString();
        const order = await place(
            alpha,
            limit("buy", 1, "100.00", { time_in_force: "gtd", expire_at: at }),
        );
        assert.equal(order.status, "new");
        assert.equal(order.expire_at.slice(0, 23), at.slice(0, 23));
        const expired = await until("the order to expire", async () => {
            const now = await look(alpha, order);
            return now.status === "expired" && now;
        });
        assert.ok(expired.updated_at >= order.expire_at);
    });
});

describe("a replace", () => {
    test("of the price trades if it crosses, and the order keeps its id", async () => {
        await place(beta, limit("sell", 5, "200.00"));
        const order = await place(alpha, limit("buy", 8, "199.00", { client_order_id: "r1" }));
        const answer = await alpha.call("PATCH", "/v1/orders/client_order_id:r1", {
            limit_price: "200.00",
            new_client_order_id: "r2",
        });
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.json.order_id, order.order_id);
        assert.equal(answer.json.client_order_id, "r2");
        assert.equal(answer.json.cum_qty, 5);
        assert.deepEqual(await depth(), { bids: [["200.0000", 3]], asks: [] });
        const found = await alpha.call("GET", "/v1/orders/client_order_id:r2");
        assert.equal(found.json.order_id, order.order_id);
    });

    test("that raises the quantity goes to the end of the queue", async () => {
        const first = await place(alpha, limit("buy", 5, "199.00"));
        const second = await place(beta, limit("buy", 5, "199.00"));
        await alpha.call("PATCH", `/v1/orders/${first.order_id}`, { qty: 6 });
        await place(alpha, limit("sell", 5, "199.00", { stp: "allow" }));
        assert.equal((await look(beta, second)).status, "filled");
        assert.equal((await look(alpha, first)).cum_qty, 0);
    });
});

describe("many orders at once", () => {
    test("are canceled by symbol and side, over both interfaces", async () => {
        for (const price of ["190.00", "191.00"]) await place(alpha, limit("buy", 1, price));
        await place(alpha, limit("sell", 1, "290.00"));
        const others = await place(beta, limit("buy", 1, "189.00"));
        const buys = await alpha.call("DELETE", "/v1/orders?symbol=AAPL&side=buy");
        assert.deepEqual(buys.json, { canceled_count: 2 });
        const socket = await exchange.socket(0);
        assert.deepEqual(await socket.request("order.cancel_all"), { canceled_count: 1 });
        assert.deepEqual(await socket.request("order.cancel_all", { symbol: "AAPL" }), {
            canceled_count: 0,
        });
        await socket.close();
        assert.equal((await look(beta, others)).status, "new");
    });

    test("are canceled when their owner is not heard of in time", async () => {
        const order = await place(alpha, limit("buy", 1, "190.00"));
        const far = await alpha.call("POST", "/v1/cancel-after", { seconds: 3600 });
        assert.match(far.json.cancel_at, TIME);
        const off = await alpha.call("POST", "/v1/cancel-after", { seconds: 0 });
        assert.deepEqual(off.json, { cancel_at: null });
        await alpha.call("POST", "/v1/cancel-after", { seconds: 1 });
        const done = await until("the dead man's switch", async () => {
            const now = await look(alpha, order);
            return now.status === "canceled" && now;
        });
        assert.equal(done.cancel_reason, "cancel_after");
        const account = (await alpha.call("GET", "/v1/account")).json;
        assert.deepEqual([account.cancel_at, account.open_order_count], [null, 0]);
    });
});

describe("an order that is only looked at", () => {
    test("is answered like one that is sent, and never sequenced", async () => {
        const before = (await exchange.inJournal()).written_seq;
        const good = await alpha.call("POST", "/v1/orders/test", limit("buy", 1, "200.00"));
        assert.deepEqual([good.status, good.json], [200, { valid: true }]);
        const tick = await alpha.call("POST", "/v1/orders/test", limit("buy", 1, "200.001"));
        assert.deepEqual([tick.status, tick.json.code], [422, "invalid_tick"]);
        const large = limit("buy", 1000000000, "200.00");
        const refused = await alpha.call("POST", "/v1/orders/test", large);
        assert.equal((await exchange.inJournal()).written_seq, before);
        const sent = await place(alpha, large, 422);
        assert.deepEqual([refused.status, refused.json.code], [422, sent.code]);
    });
});

describe("cancel on disconnect", () => {
    const flagged = (price) => limit("buy", 1, price, { cancel_on_disconnect: true });

    test("cancels what the lost connection was to take with it, and nothing else", async () => {
        const socket = await exchange.socket(0);
        const { order } = await socket.request("order.place", flagged("190.00"));
        assert.equal(order.cancel_on_disconnect, true);
        const kept = (await socket.request("order.place", limit("buy", 1, "190.00"))).order;
        const others = await place(beta, flagged("189.00"));
        socket.socket.terminate(); // without a word
        const gone = await until("the order to be canceled", async () => {
            const now = await look(alpha, order);
            return now.status === "canceled" && now;
        });
        assert.equal(gone.cancel_reason, "disconnected");
        assert.equal((await look(alpha, kept)).status, "new");
        assert.equal((await look(beta, others)).status, "new");
    });

    test("also when it is the server that is lost", async () => {
        const socket = await exchange.socket(0);
        const { order } = await socket.request("order.place", flagged("190.00"));
        const kept = await place(alpha, limit("buy", 1, "190.00"));
        const pid = await exchange.pid("front");
        process.kill(pid, "SIGKILL");
        await until("another front", async () => {
            const now = await exchange.pid("front");
            return now && now !== pid;
        });
        alpha.close();
        beta.close();
        const front = await until("the front to serve", async () => {
            exchange.demo = null;
            return (await exchange.accepts()) && exchange.rest(0);
        });
        alpha = front;
        beta = exchange.rest(1);
        const gone = await look(alpha, order); // before the first client was let in
        assert.deepEqual([gone.status, gone.cancel_reason], ["canceled", "disconnected"]);
        assert.equal((await look(alpha, kept)).status, "new");
        await socket.closed;
    });
});
