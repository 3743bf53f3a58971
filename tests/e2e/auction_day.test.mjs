/* auction_day.test.mjs - a trading day in half a minute, by schedule: orders are collected, the
 * opening auction finds its price as engine/MATCHING.md works it out, trading is halted by hand and
 * goes on, the closing auction takes the at-close orders, and the day's orders expire. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Exchange, sleep, until } from "./exchange.mjs";
import { Operator } from "./operator.mjs";

const DAY_S = 86400;
// Seconds from now: pre-open, opening auction, continuous, closing auction, closed.
const BEGINS_S = [4, 12, 18, 28, 34];

const secondOfDay = () => Math.floor(Date.now() / 1000) % DAY_S;

const clock = (second) =>
    [second / 3600, (second / 60) % 60, second % 60]
        .map((part) => String(Math.floor(part)).padStart(2, "0"))
        .join(":");

/* A day that begins and ends today. */
async function plan() {
    if (secondOfDay() + 60 >= DAY_S) await sleep(61000);
    const start = secondOfDay();
    const sessions = ["pre_open", "opening_auction", "continuous", "closing_auction", "closed"];
    return sessions.map((session, i) => `${clock(start + BEGINS_S[i])}=${session}`).join(",");
}

const order = (side, qty, price, more = {}) => ({
    symbol: "DAYS",
    side,
    type: "limit",
    qty,
    limit_price: price,
    ...more,
});

async function place(client, request) {
    const answer = await client.call("POST", "/v1/orders", request);
    assert.equal(answer.status, 201, answer.text);
    return answer.json;
}

test("a day of sessions and auctions", async (t) => {
    const exchange = await Exchange.forTest(t);
    const operator = new Operator(exchange);
    const buyer = await operator.opens(7, "Buyer");
    const seller = await operator.opens(8, "Seller");
    t.after(() => buyer.close());
    t.after(() => seller.close());
    for (const account of [7, 8]) await operator.does("deposit", { account, cash: "1000000.00" });

    await operator.does("schedule", { schedule: 1, rows: await plan() });
    await operator.does("list-instrument", {
        instrument: 50,
        symbol: "DAYS",
        name: "A Day",
        tick: "0.01",
        schedule: 1,
        maxFeePpm: 100,
    });
    await operator.does("deposit", { account: 8, symbol: "DAYS", qty: 10000 });
    await operator.does("fees", { symbol: "DAYS", makerPpm: 10, takerPpm: 50 });
    await operator.does("bands", { symbol: "DAYS", reference: "10.05" });

    const sessionNow = async () => {
        const { json } = await buyer.get("/v1/session?symbol=DAYS");
        return json.sessions[0];
    };
    const comes = (session) =>
        until(session, async () => (await sessionNow()).session === session, 30000);
    const refusal = async (client, request) => {
        const answer = await client.call("POST", "/v1/orders", request);
        assert.notEqual(answer.status, 201, answer.text);
        return answer.json.code;
    };
    const now = async (client, { order_id: id }) =>
        (await client.call("GET", `/v1/orders/${id}`)).json;

    // Before the day: closed, as its schedule has not begun.
    assert.equal((await sessionNow()).session, "closed");
    assert.equal(await refusal(buyer, order("buy", 1, "10.00")), "market_closed");

    // The example of MATCHING.md, in another order, and orders for later.
    await comes("pre_open");
    const bid1004 = await place(buyer, order("buy", 300, "10.04", { client_order_id: "b1" }));
    await place(buyer, order("buy", 400, "10.00", { client_order_id: "b3" }));
    const bid1002 = await place(buyer, order("buy", 200, "10.02", { client_order_id: "b2" }));
    const ask998 = await place(seller, order("sell", 100, "9.98", { client_order_id: "s1" }));
    const ask1001 = await place(seller, order("sell", 300, "10.01", { client_order_id: "s2" }));
    await place(seller, order("sell", 500, "10.03", { client_order_id: "s3" }));
    const atOpen = await place(buyer, order("buy", 50, "9.90", { time_in_force: "opg" }));
    const atClose = await place(buyer, order("buy", 60, "10.03", { time_in_force: "cls" }));
    const gtc = await place(buyer, order("buy", 10, "9.00", { time_in_force: "gtc" }));
    const now1004 = await now(buyer, bid1004);
    assert.deepEqual([now1004.status, now1004.cum_qty], ["new", 0], "nothing trades yet");
    assert.equal(
        await refusal(buyer, order("buy", 1, "10.00", { time_in_force: "ioc" })),
        "not_in_session",
    );

    // What the opening auction would give is published each second, and asked for.
    await comes("opening_auction");
    const indicative = (await buyer.get("/v1/auction/DAYS")).json;
    assert.equal(indicative.price, "10.0200");
    assert.equal(indicative.paired_qty, 400);
    assert.equal(indicative.imbalance_qty, 100);
    assert.equal(indicative.imbalance_side, "buy");

    // It opens at 10.02: 400 trade, at one price, and nobody takes.
    await comes("continuous");
    const filled = await now(buyer, bid1004);
    assert.deepEqual([filled.status, filled.avg_price], ["filled", "10.0200"]);
    assert.ok(filled.fills.every(({ liquidity }) => liquidity === "auction"));
    const part = await now(buyer, bid1002);
    assert.deepEqual([part.status, part.cum_qty, part.leaves_qty], ["partially_filled", 100, 100]);
    assert.equal((await now(seller, ask998)).status, "filled");
    assert.equal((await now(seller, ask1001)).status, "filled");
    assert.equal((await now(buyer, atOpen)).status, "expired");
    const tape = (await buyer.get("/v1/trades/DAYS")).json.trades;
    assert.equal(
        tape.reduce((sum, { qty }) => sum + qty, 0),
        400,
        "each trade once",
    );
    assert.ok(tape.every(({ price }) => price === "10.0200"));

    // A halt by hand takes cancels alone; trading goes on by hand, too.
    await operator.does("session", { symbol: "DAYS", session: "halt" });
    assert.equal(await refusal(buyer, order("buy", 1, "10.00")), "halted");
    const canceled = await buyer.call("DELETE", `/v1/orders/${bid1002.order_id}`);
    assert.equal(canceled.json.status, "canceled");
    await operator.does("session", { symbol: "DAYS", session: "continuous" });
    const taken = await place(buyer, order("buy", 20, "10.03"));
    assert.deepEqual([taken.status, taken.fills[0].liquidity], ["filled", "taker"]);
    const day = await place(buyer, order("buy", 30, "9.50"));

    // Closing: the at-close order comes in and trades with what offers at 10.03.
    await comes("closing_auction");
    assert.equal((await now(buyer, atClose)).status, "new");
    await comes("closed");
    const closing = await now(buyer, atClose);
    assert.deepEqual([closing.status, closing.avg_price], ["filled", "10.0300"]);
    assert.equal((await now(buyer, day)).status, "expired");
    assert.equal((await now(buyer, gtc)).status, "new", "good till canceled");

    await exchange.reported();
    assert.deepEqual(
        await exchange.sql(
            "select before, session, cause from sessions where symbol = 'DAYS' order by session_id",
        ),
        [
            ["closed", "pre_open", "schedule"],
            ["pre_open", "opening_auction", "schedule"],
            ["opening_auction", "continuous", "schedule"],
            ["continuous", "halt", "command"],
            ["halt", "continuous", "command"],
            ["continuous", "closing_auction", "schedule"],
            ["closing_auction", "closed", "schedule"],
        ],
    );
    assert.deepEqual(
        await exchange.sql(
            "select price, paired_qty, imbalance_qty, imbalance_side from auctions " +
                "where final and paired_qty > 0 order by auction_id",
        ),
        [
            ["10.0200", "400", "100", "buy"],
            ["10.0300", "60", "420", "sell"],
        ],
    );
    const [[published]] = await exchange.sql("select count(*) from auctions where not final");
    assert.ok(Number(published) >= 2, "indicative prices, once in each auction at least");
    assert.deepEqual(
        await exchange.sql(
            "select auction, taker_side, sum(last_qty), sum(buy_fee), sum(sell_fee) from trades " +
                "group by 1, 2 order by 1",
        ),
        [
            ["f", "buy", "20", "0.0100", "0.0020"],
            ["t", "", "460", "0.0460", "0.0460"],
        ],
    );
    assert.deepEqual(
        await exchange.sql(
            "select ord_status, time_in_force, count(*) from orders where symbol = 'DAYS' " +
                "and ord_status in ('expired', 'new') group by 1, 2 order by 1, 2",
        ),
        [
            ["expired", "day", "3"],
            ["expired", "opg", "1"],
            ["new", "gtc", "1"],
        ],
    );
});
