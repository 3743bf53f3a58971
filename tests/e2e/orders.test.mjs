/* orders.test.mjs - a broker's order from end to end: placed, matched, reduced, cancelled; told to
 * its owner, to nobody else, and to the public only as it should be. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ClientBook } from "./client_book.mjs";
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

const order = (side, qty, price, more = {}) => ({
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

async function cancelAll(client) {
    const { orders } = (await client.call("GET", "/v1/orders?limit=1000")).json;
    for (const { order_id: id } of orders) await client.call("DELETE", `/v1/orders/${id}`);
}

/* Money in 1/10000 as a BigInt, from "123.4500". */
const units = (text) => BigInt(text.replace(".", ""));

async function balances(client) {
    const account = (await client.call("GET", "/v1/account")).json;
    const { positions } = (await client.call("GET", "/v1/positions")).json;
    const aapl = positions.find(({ symbol }) => symbol === "AAPL");
    assert.equal(units(account.cash), units(account.available_cash) + units(account.held_cash));
    assert.equal(aapl.qty, aapl.available_qty + aapl.held_qty);
    return {
        cash: units(account.cash),
        heldCash: units(account.held_cash),
        qty: aapl.qty,
        heldQty: aapl.held_qty,
    };
}

describe("an order", () => {
    after(async () => {
        await cancelAll(alpha);
        await cancelAll(beta);
    });

    test("rests, trades in part, is reduced and cancelled, and the balances follow", async () => {
        const [alphaBefore, betaBefore] = [await balances(alpha), await balances(beta)];
        const sell = await place(alpha, order("sell", 10, "300.10", { client_order_id: "life-1" }));
        assert.equal(sell.status, "new");
        assert.equal(sell.client_order_id, "life-1");
        assert.deepEqual([sell.qty, sell.cum_qty, sell.leaves_qty], [10, 0, 10]);
        assert.equal(sell.limit_price, "300.1000");
        assert.equal(sell.avg_price, null);
        assert.equal(sell.time_in_force, "day");
        assert.match(sell.created_at, TIME);
        assert.equal((await balances(alpha)).heldQty, alphaBefore.heldQty + 10);

        const buy = await place(beta, order("buy", 4, "300.5", { client_order_id: "life-2" }));
        assert.equal(buy.status, "filled");
        assert.equal(buy.avg_price, "300.1000", "at the price of the one that rested");
        assert.equal(buy.fills.length, 1);
        assert.equal(buy.fills[0].liquidity, "taker");

        const target = `/v1/orders/${sell.order_id}`;
        const met = (await alpha.call("GET", target)).json;
        assert.deepEqual([met.status, met.cum_qty, met.leaves_qty], ["partially_filled", 4, 6]);
        assert.equal(met.fills[0].liquidity, "maker");
        assert.equal(met.fills[0].trade_id, buy.fills[0].trade_id, "both sides name one trade");
        assert.notEqual(met.fills[0].exec_id, buy.fills[0].exec_id, "each side has its execution");

        const reduced = await alpha.call("PATCH", target, { qty: 7 });
        assert.equal(reduced.status, 200);
        assert.deepEqual([reduced.json.qty, reduced.json.leaves_qty], [7, 3]);
        const depth = (await alpha.get("/v1/depth/AAPL")).json;
        assert.deepEqual(depth.asks, [["300.1000", 3]]);

        const canceled = await alpha.call("DELETE", "/v1/orders/client_order_id:life-1");
        assert.equal(canceled.status, 200);
        assert.deepEqual(
            [canceled.json.status, canceled.json.cum_qty, canceled.json.leaves_qty],
            ["canceled", 4, 0],
        );
        const again = await alpha.call("DELETE", target);
        assert.deepEqual([again.status, again.json.code], [404, "unknown_order"]);

        const value = 4n * 3001000n;
        const [maker, taker] = [units(met.fills[0].fee), units(buy.fills[0].fee)];
        assert.deepEqual([maker, taker], [value * 5n / 1000000n, value * 30n / 1000000n]);
        const [alphaAfter, betaAfter] = [await balances(alpha), await balances(beta)];
        assert.deepEqual(alphaAfter, {
            ...alphaBefore,
            cash: alphaBefore.cash + value - maker,
            qty: alphaBefore.qty - 4,
        });
        assert.deepEqual(betaAfter, {
            ...betaBefore,
            cash: betaBefore.cash - value - taker,
            qty: betaBefore.qty + 4,
        });
    });

    test("is matched by price, then by time", async () => {
        const first = await place(alpha, order("sell", 5, "301.00"));
        const second = await place(alpha, order("sell", 5, "301.00"));
        const better = await place(alpha, order("sell", 5, "300.90"));
        const buy = await place(beta, order("buy", 12, "301.00"));
        assert.deepEqual(
            buy.fills.map(({ qty, price }) => [qty, price]),
            [
                [5, "300.9000"],
                [5, "301.0000"],
                [2, "301.0000"],
            ],
        );
        assert.equal(buy.avg_price, "300.9583", "the average, rounded");
        const at = async ({ order_id: id }) =>
            (await alpha.call("GET", `/v1/orders/${id}`)).json.cum_qty;
        assert.deepEqual([await at(better), await at(first), await at(second)], [5, 5, 2]);
    });

    test("keeps its priority when reduced", async () => {
        const first = await place(alpha, order("sell", 5, "302.00"));
        const second = await place(alpha, order("sell", 5, "302.00"));
        await alpha.call("PATCH", `/v1/orders/${first.order_id}`, { qty: 3 });
        await cancelIfOpen("301.00");
        const buy = await place(beta, order("buy", 4, "302.00"));
        assert.equal(buy.cum_qty, 4);
        const one = (await alpha.call("GET", `/v1/orders/${first.order_id}`)).json;
        const two = (await alpha.call("GET", `/v1/orders/${second.order_id}`)).json;
        assert.deepEqual([one.cum_qty, two.cum_qty], [3, 1]);
    });

    async function cancelIfOpen(below) {
        const { orders } = (await alpha.call("GET", "/v1/orders?limit=1000")).json;
        for (const one of orders.filter(
            (o) => o.side === "sell" && Number(o.limit_price) <= Number(below),
        )) {
            await alpha.call("DELETE", `/v1/orders/${one.order_id}`);
        }
    }

    test("immediate or cancel leaves nothing in the book", async () => {
        await cancelAll(alpha);
        await place(alpha, order("sell", 3, "303.00"));
        const buy = await place(beta, order("buy", 5, "303.00", { time_in_force: "ioc" }));
        assert.equal(buy.cum_qty, 3);
        assert.equal(buy.leaves_qty, 0);
        assert.ok(["canceled", "expired"].includes(buy.status), buy.status);
        const depth = (await alpha.get("/v1/depth/AAPL")).json;
        assert.deepEqual([depth.bids, depth.asks], [[], []]);
    });

    test("is refused when the account cannot pay for it", async () => {
        await cancelAll(alpha);
        let answer;
        const placed = [];
        for (let i = 0; i < 400; i += 1) {
            answer = await alpha.call("POST", "/v1/orders", order("buy", 6000, "16000.00"));
            if (answer.status !== 201) break;
            placed.push(answer.json.order_id);
        }
        assert.equal(answer.status, 422);
        assert.equal(answer.json.code, "insufficient_cash");
        assert.equal(answer.json.order.status, "rejected");
        for (const id of placed) await alpha.call("DELETE", `/v1/orders/${id}`);
        assert.equal((await balances(alpha)).heldCash, 0n);
    });
});

describe("a client order id", () => {
    after(() => cancelAll(alpha));

    test("makes a repeated order the same order", async () => {
        const body = order("buy", 10, "100.00", { client_order_id: "same-1" });
        const first = await place(alpha, body);
        const again = await alpha.call("POST", "/v1/orders", body);
        assert.equal(again.status, 200);
        assert.equal(again.headers["idempotent-replayed"], "true");
        assert.deepEqual(again.json, first);
        const spelled = await alpha.call("POST", "/v1/orders", {
            ...body,
            limit_price: "100",
            time_in_force: "day",
        });
        assert.equal(spelled.status, 200, "the same order in other words");

        for (const other of [
            { qty: 11 },
            { side: "sell" },
            { limit_price: "100.01" },
            { time_in_force: "gtc" },
            { symbol: "MSFT" },
        ]) {
            const answer = await alpha.call("POST", "/v1/orders", { ...body, ...other });
            assert.equal(answer.status, 409, JSON.stringify(other));
            assert.equal(answer.json.code, "duplicate_client_order_id");
        }
        const socket = await exchange.socket(0);
        const result = await socket.request("order.place", body);
        assert.equal(result.replayed, true);
        assert.equal(result.order.order_id, first.order_id);
        await socket.close();

        const theirs = await place(beta, { ...body, limit_price: "99.00" });
        assert.notEqual(theirs.order_id, first.order_id, "ids are the account's own");
        await beta.call("DELETE", `/v1/orders/${theirs.order_id}`);
    });

    test("makes ten orders sent at once one order", async () => {
        const body = order("buy", 3, "101.00", { client_order_id: "race-1" });
        const answers = await Promise.all(
            Array.from({ length: 10 }, () => alpha.call("POST", "/v1/orders", body)),
        );
        const statuses = answers.map(({ status }) => status).sort();
        assert.deepEqual(statuses, [...Array(9).fill(200), 201]);
        assert.equal(new Set(answers.map(({ json }) => json.order_id)).size, 1);
        const { orders } = (await alpha.call("GET", "/v1/orders")).json;
        assert.equal(orders.filter((one) => one.client_order_id === "race-1").length, 1);
    });

    test("answers for an order that is done", async () => {
        const body = order("buy", 10, "100.00", { client_order_id: "done-1" });
        await place(alpha, body);
        await alpha.call("DELETE", "/v1/orders/client_order_id:done-1");
        const again = await alpha.call("POST", "/v1/orders", body);
        assert.equal(again.status, 200);
        assert.equal(again.json.status, "canceled");
    });
});

describe("the list of orders", () => {
    const ids = [];

    before(async () => {
        await cancelAll(alpha);
        for (let i = 0; i < 25; i += 1) {
            const symbol = i % 5 === 0 ? "MSFT" : "AAPL";
            const more = { symbol, client_order_id: `page-${i}` };
            ids.unshift((await place(alpha, order("buy", 1 + i, "90.00", more))).order_id);
        }
    });
    after(() => cancelAll(alpha));

    async function pages(query) {
        const all = [];
        let cursor = null;
        do {
            const more = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
            const answer = await alpha.call("GET", `/v1/orders?${query}${more}`);
            assert.equal(answer.status, 200, answer.text);
            all.push(answer.json.orders.map((one) => one.order_id));
            cursor = answer.json.next_cursor;
        } while (cursor !== null);
        return all;
    }

    test("comes in pages, newest first", async () => {
        const got = await pages("status=open&limit=10");
        assert.deepEqual(
            got.map((page) => page.length),
            [10, 10, 5],
        );
        assert.deepEqual(got.flat(), ids);
        assert.deepEqual((await pages("status=open&limit=25")).flat(), ids);
    });

    test("keeps its place when orders come and go between pages", async () => {
        const first = (await alpha.call("GET", "/v1/orders?limit=10")).json;
        const newer = await place(alpha, order("buy", 1, "91.00"));
        const rest = await alpha.call(
            "GET",
            `/v1/orders?limit=100&cursor=${encodeURIComponent(first.next_cursor)}`,
        );
        assert.deepEqual(
            rest.json.orders.map((one) => one.order_id),
            ids.slice(10),
        );
        await alpha.call("DELETE", `/v1/orders/${newer.order_id}`);
    });

    test("can be of one symbol, or of what is closed", async () => {
        const msft = (await pages("symbol=MSFT&limit=2")).flat();
        assert.equal(msft.length, 5);
        const closed = (await alpha.call("GET", "/v1/orders?status=closed&limit=1000")).json.orders;
        assert.ok(closed.length > 0);
        assert.ok(closed.every((one) => one.leaves_qty === 0));
        const all = (await alpha.call("GET", "/v1/orders?status=all&limit=1000")).json.orders;
        assert.equal(all.length, closed.length + 25);
        const seen = all.map((one) => BigInt(one.order_id));
        assert.ok(
            seen.every((id, i) => i === 0 || id < seen[i - 1]),
            "newest first",
        );
    });
});

describe("the `orders` channel", () => {
    test("tells every execution once, also those that a broken connection missed", async () => {
        await cancelAll(alpha);
        const socket = await exchange.socket(0);
        await socket.request("subscribe", { channel: "orders" });
        const { order: rest } = await socket.request(
            "order.place",
            order("sell", 10, "310.00", { client_order_id: "resume-1" }),
        );
        const isMine = (push) =>
            push.channel === "orders" && push.execution.order_id === rest.order_id;
        const first = await socket.push(
            (push) => isMine(push) && push.execution.exec_type === "new",
        );
        await socket.close();

        await place(beta, order("buy", 4, "310.00"));
        await place(beta, order("buy", 1, "310.00"));
        await alpha.call("PATCH", `/v1/orders/${rest.order_id}`, { qty: 8 });
        await alpha.call("DELETE", `/v1/orders/${rest.order_id}`);

        const back = await exchange.socket(0);
        await back.request("subscribe", { channel: "orders", resume_from: first.seq + 1 });
        await back.push((push) => isMine(push) && push.execution.exec_type === "canceled");
        const missed = back.pushes.filter((push) => push.channel === "orders");
        assert.deepEqual(
            missed.map(({ execution: e }) => [
                e.exec_type,
                e.last_qty,
                e.cum_qty,
                e.leaves_qty,
                e.status,
            ]),
            [
                ["trade", 4, 4, 6, "partially_filled"],
                ["trade", 1, 5, 5, "partially_filled"],
                ["replaced", 0, 5, 3, "partially_filled"],
                ["canceled", 0, 5, 0, "canceled"],
            ],
        );
        missed.forEach(({ seq, execution }, i) => {
            assert.equal(seq, first.seq + 1 + i);
            assert.equal(execution.seq, seq);
            assert.equal(execution.client_order_id, "resume-1");
            assert.match(execution.time, TIME);
        });
        const execIds = missed.map(({ execution }) => BigInt(execution.exec_id));
        assert.ok(execIds.every((id, i) => i === 0 || id > execIds[i - 1]));
        await back.close();
    });

    test("goes on where it was over a restart of everything", async () => {
        const socket = await exchange.socket(0);
        await socket.request("subscribe", { channel: "orders" });
        const { order: rest } = await socket.request("order.place", order("sell", 2, "311.00"));
        const { seq } = await socket.push((push) => push.execution?.order_id === rest.order_id);
        alpha.close();
        beta.close();
        await exchange.stop();
        assert.deepEqual(exchange.ending, { code: 0, signal: null });
        await exchange.start();
        alpha = exchange.rest(0);
        beta = exchange.rest(1);
        assert.equal((await alpha.call("GET", `/v1/orders/${rest.order_id}`)).json.status, "new");
        await place(beta, order("buy", 2, "311.00"));
        const back = await exchange.socket(0);
        await back.request("subscribe", { channel: "orders", resume_from: seq });
        await back.push((push) => push.execution?.exec_type === "trade");
        const got = back.pushes.filter(({ channel }) => channel === "orders");
        assert.deepEqual(
            got.map((push) => push.seq),
            [seq, seq + 1],
        );
        assert.deepEqual(
            got.map((push) => push.execution.exec_type),
            ["new", "trade"],
        );
        await back.close();
    });
});

describe("public data", () => {
    const DEPTHS = [3, 20, 1000];

    test("books as streamed are the book as asked for", async () => {
        await cancelAll(alpha);
        await cancelAll(beta);
        const readers = [];
        for (const depth of DEPTHS) readers.push(await bookReader(depth));
        await trade(400);
        const late = await bookReader(20);
        await trade(200);
        const { update_id: last } = (await alpha.get("/v1/depth/AAPL")).json;
        for (const reader of [...readers, late]) {
            await until("the book's last update", () => {
                if (reader.failure) throw reader.failure;
                return reader.book.updateId >= last;
            }).catch((error) => {
                throw reader.failure ?? error;
            });
            const { depth } = reader.book;
            const asked = (await alpha.get(`/v1/depth/AAPL?limit=${depth}`)).json;
            assert.deepEqual(reader.book.levels(), { bids: asked.bids, asks: asked.asks });
            assert.ok(reader.book.seq > 10, "updates came");
            await reader.socket.close();
        }
    });

    /* A connection that keeps a book; the first thing wrong with it is kept as `failure`. */
    async function bookReader(depth) {
        const socket = await exchange.socket();
        const reader = { socket, book: new ClientBook(depth), failure: null };
        socket.onPush((push) => {
            if (push.channel !== "book" || reader.failure) return;
            try {
                reader.book.apply(push);
            } catch (error) {
                reader.failure = error;
            }
        });
        await socket.request("subscribe", { channel: "book", symbols: ["AAPL"], depth });
        return reader;
    }

    /* Orders, cancels and reductions of both brokers, without pattern but the same in each run. */
    async function trade(count) {
        let state = 12345;
        const random = (below) => {
            state = (Math.imul(state, 1103515245) + 12345) >>> 0;
            return (state >>> 8) % below;
        };
        const sockets = [await exchange.socket(0), await exchange.socket(1)];
        const open = [[], []];
        for (let i = 0; i < count; i += 1) {
            const who = random(2);
            const kind = random(10);
            if (kind < 7 || open[who].length === 0) {
                const cents = 20000 + random(60) - 30;
                const price = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
                const side = random(2) ? "buy" : "sell";
                const body = order(side, 1 + random(50), price);
                const result = await sockets[who].request("order.place", body);
                if (result.order.leaves_qty > 0) open[who].push(result.order);
                continue;
            }
            const [chosen] = open[who].splice(random(open[who].length), 1);
            const params = { order_id: chosen.order_id };
            const request =
                kind < 9 || chosen.qty < 2
                    ? sockets[who].request("order.cancel", params)
                    : sockets[who].request("order.replace", { ...params, qty: chosen.qty - 1 });
            await request.catch((error) => assert.equal(error.code, "unknown_order"));
        }
        for (const socket of sockets) await socket.close();
    }

    test("trades and candles as streamed are those as asked for", async () => {
        const socket = await exchange.socket();
        await socket.request("subscribe", { channel: "trades", symbols: ["AAPL"] });
        await socket.request("subscribe", {
            channel: "candles",
            symbols: ["AAPL"],
            interval: "1d",
        });
        const snapshot = await socket.push((push) => push.channel === "trades");
        assert.equal(snapshot.type, "snapshot");
        assert.ok(snapshot.trades.length > 0 && snapshot.trades.length <= 50);
        await cancelAll(alpha);
        await cancelAll(beta);
        await place(alpha, order("sell", 6, "210.00"));
        const buy = await place(beta, order("buy", 6, "210.00"));
        const id = buy.fills[0].trade_id;
        const update = await socket.push(
            (push) => push.channel === "trades" && push.trades.some((one) => one.trade_id === id),
        );
        const told = update.trades.find((one) => one.trade_id === id);
        assert.deepEqual([told.qty, told.price, told.taker_side], [6, "210.0000", "buy"]);

        const asked = (await alpha.get(`/v1/trades/AAPL?from_id=${id}`)).json.trades;
        const { time_ns: timeNs, ...rest } = told;
        assert.ok(timeNs !== undefined);
        assert.deepEqual(asked, [rest]);

        const candle = await socket.push(
            (push) => push.channel === "candles" && push.candles.at(-1)?.last_trade_id === id,
        );
        const day = (await alpha.get("/v1/candles/AAPL?interval=1d&limit=1")).json.candles[0];
        assert.equal(day.volume, candle.candles.at(-1).volume);
        const trades = (await alpha.get("/v1/trades/AAPL?from_id=1&limit=1000")).json.trades;
        assert.ok(trades.length < 1000);
        assert.equal(day.trades, trades.length);
        assert.equal(
            day.volume,
            trades.reduce((sum, one) => sum + one.qty, 0),
        );
        await socket.close();
    });

    test("heartbeats name the last message of each subscription", async () => {
        const socket = await exchange.socket(0);
        await socket.request("subscribe", { channel: "heartbeat" });
        await socket.request("subscribe", { channel: "book", symbols: ["AAPL"] });
        await socket.request("subscribe", { channel: "orders" });
        await socket.push((push) => push.channel === "book");
        const beat = await socket.push(
            (push) => push.channel === "heartbeat" && push.last_seq["book:AAPL"] === 1,
        );
        assert.ok(Math.abs(beat.time_ms - Date.now()) < 5000);
        assert.equal(typeof beat.last_seq.orders, "number");
        await socket.close();
    });
});

describe("limits", () => {
    test("every answer says where the key stands, and has an id of its own", async () => {
        const [one, two] = [
            await alpha.call("GET", "/v1/account"),
            await alpha.call("GET", "/v1/account"),
        ];
        assert.match(one.headers["ratelimit-policy"], /^"key";q=\d+;w=1$/);
        assert.match(one.headers.ratelimit, /^"key";r=\d+;t=\d+$/);
        assert.notEqual(one.headers["request-id"], two.headers["request-id"]);
    });

    test("a key that asks too often is told to wait, alone, and then goes on", async (t) => {
        const WINDOW = 2000; // requests in flight: a client that does not read is closed
        const strict = new Exchange(["--quiet-market", "--rate", "300"]);
        await strict.start();
        t.after(() => strict.remove());
        const strictAlpha = strict.rest(0);
        const strictBeta = strict.rest(1);
        const socket = await strict.socket(0);
        const codes = new Map();
        let [sent, answered, flooding] = [0, 0, true];
        socket.socket.on("message", (bytes) => {
            const { code } = JSON.parse(bytes.toString()).error;
            codes.set(code, (codes.get(code) ?? 0) + 1);
            answered += 1;
        });
        const params = { order_id: "999999999999" };
        const flood = (async () => {
            for (; flooding; await new Promise(setImmediate)) {
                for (; sent < answered + WINDOW; sent += 1) {
                    socket.socket.send(
                        JSON.stringify({ id: sent, method: "order.cancel", params }),
                    );
                }
            }
        })();
        await until("a refusal", () => codes.has("rate_limited"), 120000);
        const refused = await until(
            "a refusal over REST",
            async () => {
                const answer = await strictAlpha.call("GET", "/v1/account");
                return answer.status === 429 && answer;
            },
            120000,
        );
        const other = await strictBeta.call("GET", "/v1/account");
        flooding = false;
        await flood;
        await until("all answers", () => answered === sent);
        assert.deepEqual([...codes.keys()].sort(), ["rate_limited", "unknown_order"]);
        const limit = Number(/q=(\d+)/.exec(other.headers["ratelimit-policy"])[1]);
        assert.ok(codes.get("unknown_order") >= limit, "a full bucket was served");
        assert.equal(refused.json.code, "rate_limited");
        assert.ok(Number(refused.headers["retry-after"]) >= 1);
        assert.equal(other.status, 200, "others are not held up");
        await socket.close();
        const later = await until("the bucket to fill", async () => {
            const answer = await strictAlpha.call("GET", "/v1/account");
            return answer.status === 200 && answer;
        });
        assert.equal(later.json.account, strict.broker(0).account);
        strictAlpha.close();
        strictBeta.close();
    });
});
