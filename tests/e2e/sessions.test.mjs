/* sessions.test.mjs - an instrument through its sessions as an operator changes them and as a broker
 * sees them: auctions, halts, price bands, kill switches, a trade that is taken back. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, afterEach, before, describe, test } from "node:test";
import { promisify } from "node:util";

import { ClientBook } from "./client_book.mjs";
import { Exchange, hoga, until } from "./exchange.mjs";

const run = promisify(execFile);

let exchange;
let alpha;
let beta;

async function admin(...args) {
    await run(hoga, ["admin", ...args, "--data", exchange.dataDir]);
}

const enter = (session) => admin("session", "--symbol", "AAPL", "--session", session);

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

/* Each test finds a continuous market with an empty book. */
afterEach(async () => {
    for (const client of [alpha, beta]) await client.call("DELETE", "/v1/orders");
    await enter("continuous");
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

const session = async () => (await alpha.get("/v1/session?symbol=AAPL")).json.sessions[0];

/* A public connection that reads a channel of AAPL. */
async function reader(channel) {
    const socket = await exchange.socket();
    await socket.request("subscribe", { channel, symbols: ["AAPL"] });
    await socket.push((push) => push.channel === channel && push.type === "snapshot");
    return socket;
}

/* Pushes of a subscription have numbers without gaps. */
function holdSequence(socket, channel) {
    const pushes = socket.pushes.filter((push) => push.channel === channel);
    assert.deepEqual(
        pushes.map(({ seq }) => seq),
        pushes.map((_, i) => i + 1),
    );
    return pushes;
}

describe("a halt", () => {
    test("is told, refuses orders, takes cancels, and ends", async () => {
        const status = await reader("status");
        const order = await place(alpha, limit("buy", 1, "190.00"));
        await enter("halt");
        const told = await status.push((push) => push.event === "session_changed");
        assert.deepEqual(
            [told.before, told.session, told.cause, told.limit_state],
            ["continuous", "halt", "command", false],
        );
        assert.equal((await session()).session, "halt");
        const refused = await place(alpha, limit("buy", 1, "190.00"), 422);
        assert.equal(refused.code, "halted");
        const replaced = await alpha.call("PATCH", `/v1/orders/${order.order_id}`, { qty: 2 });
        assert.equal(replaced.json.code, "halted");
        const canceled = await alpha.call("DELETE", `/v1/orders/${order.order_id}`);
        assert.equal(canceled.json.status, "canceled");
        await enter("continuous");
        await status.push((push) => push.session === "continuous" && push.before === "halt");
        holdSequence(status, "status");
        assert.equal((await place(alpha, limit("buy", 1, "190.00"))).status, "new");
        await status.close();
    });
});

describe("an opening auction", () => {
    test("collects, says what it would give, and trades at one price", async () => {
        const auction = await reader("auction");
        const trades = await reader("trades");
        const [books, book] = [await exchange.socket(), new ClientBook(20)];
        books.onPush((push) => push.channel === "book" && book.apply(push));
        await books.request("subscribe", { channel: "book", symbols: ["AAPL"] });
        await enter("opening_auction");
        const notNow = await place(alpha, limit("buy", 1, "200.00", { time_in_force: "ioc" }), 422);
        assert.equal(notNow.code, "not_in_session");

        const bids = [
            await place(alpha, limit("buy", 300, "200.40")),
            await place(alpha, limit("buy", 200, "200.20", { time_in_force: "opg" })),
        ];
        const ask = await place(beta, limit("sell", 400, "200.10"));
        assert.equal(ask.status, "new"); // crossed, and waiting
        const would = (await alpha.get("/v1/auction/AAPL")).json;
        assert.deepEqual(
            [would.price, would.paired_qty, would.imbalance_qty, would.imbalance_side],
            ["200.2000", 400, 100, "buy"],
        );
        assert.equal(would.session, "opening_auction");
        const same = (push) =>
            !push.final && push.price === "200.2000" && push.imbalance_qty === 100;
        await auction.push((push) => push.channel === "auction" && same(push));

        await enter("continuous");
        const given = await auction.push((push) => push.final);
        assert.deepEqual([given.price, given.paired_qty], ["200.2000", 400]);
        const sold = await look(beta, ask);
        assert.equal(sold.status, "filled");
        assert.deepEqual(
            sold.fills.map(({ qty, price, liquidity }) => [qty, price, liquidity]),
            [
                [300, "200.2000", "auction"],
                [100, "200.2000", "auction"],
            ],
        );
        assert.equal((await look(alpha, bids[0])).status, "filled");
        const rest = await look(alpha, bids[1]); // at the opening or not at all
        assert.deepEqual([rest.status, rest.cum_qty], ["expired", 100]);
        const print = await trades.push((push) => push.type === "update");
        assert.deepEqual(
            print.trades.map(({ qty, price, taker_side: side }) => [qty, price, side]),
            [
                [300, "200.2000", null],
                [100, "200.2000", null],
            ],
        );
        holdSequence(auction, "auction");
        const depth = (await alpha.get("/v1/depth/AAPL")).json;
        await until("the book to follow", () => book.updateId === depth.update_id);
        assert.deepEqual(book.levels(), { bids: depth.bids, asks: depth.asks });
        for (const socket of [auction, trades, books]) await socket.close();
    });

    test("at-close orders wait outside the book and trade at the close", async () => {
        const [books, book] = [await exchange.socket(), new ClientBook(20)];
        books.onPush((push) => push.channel === "book" && book.apply(push));
        await books.request("subscribe", { channel: "book", symbols: ["AAPL"] });
        const atClose = await place(alpha, limit("buy", 5, "201.00", { time_in_force: "cls" }));
        assert.deepEqual((await alpha.get("/v1/depth/AAPL")).json.bids, []);
        const day = await place(beta, limit("sell", 3, "201.00"));
        await enter("closing_auction");
        await until("the order to come into the book", () => book.bids.get("201.0000") === 5);
        await enter("closed");
        assert.equal((await look(beta, day)).status, "filled");
        const rest = await look(alpha, atClose);
        assert.deepEqual([rest.status, rest.cum_qty], ["expired", 3]);
        const late = await place(alpha, limit("buy", 1, "190.00"), 422);
        assert.equal(late.code, "market_closed");
        await until("the book to be empty", () => book.bids.size + book.asks.size === 0);
        await books.close();
    });
});

describe("a price band", () => {
    test("stops an order, becomes a halt, and trading opens again by auction", async () => {
        const status = await reader("status");
        await place(beta, limit("sell", 1, "200.00"));
        await place(alpha, limit("buy", 1, "200.00"));
        await admin(
            ...["bands", "--symbol", "AAPL", "--dynamic-ppm", "10000"],
            ...["--limit-state-ms", "300", "--halt-ms", "300", "--auction-ms", "300"],
        );
        await place(beta, limit("sell", 1, "203.00"));
        const stopped = await place(alpha, limit("buy", 1, "203.00"));
        assert.deepEqual([stopped.status, stopped.cancel_reason], ["canceled", "price_band"]);
        await status.push((push) => push.event === "limit_state" && push.limit_state);
        await status.push((push) => push.before === "reopening_auction");
        const updates = holdSequence(status, "status").filter(({ type }) => type === "update");
        assert.deepEqual(
            updates.map(({ event, session: now, cause, side, price }) =>
                event === "limit_state" ? [side, price] : [now, cause],
            ),
            [
                ["buy", "202.0000"],
                [null, null],
                ["halt", "band"],
                ["reopening_auction", "timer"],
                ["continuous", "timer"],
            ],
        );
        const halt = updates.find(({ session: now }) => now === "halt");
        assert.ok(halt.ends_at > halt.time, "it says when it is over");
        const { bands } = (await alpha.get("/v1/instruments/AAPL")).json;
        assert.deepEqual(bands, { static_ppm: null, dynamic_ppm: 10000, collar_ppm: null });
        await admin("bands", "--symbol", "AAPL");
        await status.close();
    });
});

describe("kill switches", () => {
    test("of the market: told to all, cancels all, refuses all", async () => {
        const status = await reader("status");
        const order = await place(alpha, limit("buy", 1, "190.00"));
        await admin("kill", "--market");
        const told = await status.push((push) => push.event === "kill_switch");
        assert.deepEqual([told.engaged, told.market_blocked], [true, true]);
        assert.equal((await look(alpha, order)).cancel_reason, "kill_switch");
        assert.equal((await place(alpha, limit("buy", 1, "190.00"), 422)).code, "market_blocked");
        assert.equal((await alpha.get("/v1/session")).json.market_blocked, true);
        await admin("unkill", "--market");
        await status.push((push) => push.event === "kill_switch" && !push.market_blocked);
        assert.equal((await place(alpha, limit("buy", 1, "190.00"))).status, "new");
        await status.close();
    });

    test("of an account: its own orders alone", async () => {
        const { account } = (await alpha.call("GET", "/v1/account")).json;
        await admin("kill", "--account", String(account));
        assert.equal((await alpha.call("GET", "/v1/account")).json.blocked, true);
        assert.equal((await place(alpha, limit("buy", 1, "190.00"), 422)).code, "account_blocked");
        assert.equal((await place(beta, limit("buy", 1, "190.00"))).status, "new");
        await admin("unkill", "--account", String(account));
        assert.equal((await alpha.call("GET", "/v1/account")).json.blocked, false);
    });
});

describe("a trade that is taken back", () => {
    test("is marked wherever it is shown, and told to both sides and to all", async () => {
        const trades = await reader("trades");
        const mine = await exchange.socket(0);
        const theirs = await exchange.socket(1);
        for (const socket of [mine, theirs]) await socket.request("subscribe", { channel: "orders" });
        const cash = async (client) => (await client.call("GET", "/v1/account")).json.cash;
        const before = [await cash(alpha), await cash(beta)];
        const sell = await place(beta, limit("sell", 2, "200.00"));
        const buy = await place(alpha, limit("buy", 2, "200.00"));
        const [{ trade_id: tradeId, busted }] = buy.fills;
        assert.equal(busted, false);
        await admin("bust", "--trade", tradeId);
        const told = await trades.push((push) => push.type === "bust");
        assert.equal(told.trade_id, tradeId);
        holdSequence(trades, "trades");
        for (const [socket, order] of [
            [mine, buy],
            [theirs, sell],
        ]) {
            const { execution } = await socket.push(
                (push) => push.execution?.exec_type === "trade_busted",
            );
            assert.equal(execution.order_id, order.order_id);
            assert.equal(execution.trade_id, tradeId);
            assert.equal(execution.last_qty, 0);
            assert.equal(execution.cum_qty, 2);
            const seqs = socket.pushes
                .filter(({ channel }) => channel === "orders")
                .map(({ seq }) => seq);
            assert.deepEqual(
                seqs,
                seqs.map((_, i) => seqs[0] + i),
            );
        }
        const shown = await look(alpha, buy);
        assert.equal(shown.fills[0].busted, true);
        assert.equal(shown.fees, "0.0000");
        assert.deepEqual([await cash(alpha), await cash(beta)], before);
        const { trades: public_ } = (await alpha.get(`/v1/trades/AAPL?from_id=${tradeId}`)).json;
        assert.deepEqual([public_[0].trade_id, public_[0].busted], [tradeId, true]);
        for (const socket of [trades, mine, theirs]) await socket.close();
    });
});
