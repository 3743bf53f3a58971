/* slow_readers.test.mjs - what happens to a client that does not read: books come anew, orders and
 * trades end the connection with a reason, a resumed past comes at the reader's own pace; and how
 * the server says goodbye.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ClientBook } from "./client_book.mjs";
import { Exchange, sleep, until } from "./exchange.mjs";
import { SocketClient } from "./socket.mjs";

const MANY = 12000; // executions of about 400 bytes: more than queue and sockets hold
const TOO_SLOW = 4008;
const REQUESTS_PER_S = 12000; // the demonstration's keys may send 20,000

let exchange;
let mute; // connected from the beginning; it does not answer pings
let idle; // so is this one, which does, and sends nothing else
let pings = 0;

before(async () => {
    exchange = new Exchange(["--quiet-market"]);
    await exchange.start();
    mute = await SocketClient.open(exchange.demo.ws, { autoPong: false });
    idle = await exchange.socket();
    idle.socket.on("ping", () => {
        pings += 1;
    });
});
after(() => exchange.remove());

/* Waits until `requests` more are within the key's limit: a fast machine sends more than it may. */
const paced = { since: performance.now(), sent: 0 };
async function pace(requests) {
    if (performance.now() - paced.since > (paced.sent / REQUESTS_PER_S) * 1000 + 100)
        Object.assign(paced, { since: performance.now(), sent: 0 }); // nothing is saved up
    paced.sent += requests;
    const early = (paced.sent / REQUESTS_PER_S) * 1000 - (performance.now() - paced.since);
    if (early > 5) await sleep(early);
}

/* Places and cancels, many in flight, until the account has `count` more executions. */
async function makeExecutions(socket, count) {
    const window = 200;
    const waiting = [];
    for (let i = 0; i < count / 2; i += 1) {
        const id = `slow-${process.hrtime.bigint()}`;
        const price = `${100 + (i % 40)}.00`;
        const order = {
            symbol: "AAPL",
            side: "buy",
            type: "limit",
            qty: 1,
            limit_price: price,
            client_order_id: id,
        };
        waiting.push(socket.request("order.place", order));
        waiting.push(socket.request("order.cancel", { client_order_id: id }));
        if (waiting.length < window) continue;
        await Promise.all(waiting.splice(0, window / 2));
        await pace(window / 2);
    }
    await Promise.all(waiting);
}

/* Stops reading: nothing is taken from the kernel any more. */
const stall = (client) => client.socket.pause();
const goOn = (client) => client.socket.resume();

describe("a reader that stalls", () => {
    test("is closed with a reason from orders", async () => {
        const trader = await exchange.socket(0);
        const reader = await exchange.socket(0);
        const other = await exchange.socket(0);
        await reader.request("subscribe", { channel: "orders" });
        await other.request("subscribe", { channel: "orders" });
        stall(reader);
        await makeExecutions(trader, MANY);
        goOn(reader);
        const { code, reason } = await reader.closed;
        assert.equal(code, TOO_SLOW);
        assert.match(reason, /orders/);
        const seqs = reader.pushes.map(({ seq }) => seq);
        assert.ok(seqs.length > 0 && seqs.length < MANY, `${seqs.length} came before`);
        seqs.forEach((seq, i) => assert.equal(seq, seqs[0] + i, "and they have no gap"));

        // one that does read is not disturbed
        const last = other.pushes.at(-1).seq;
        assert.ok(other.pushes.length >= MANY);
        other.pushes.forEach(({ seq }, i) => assert.equal(seq, other.pushes[0].seq + i));

        // and what was missed is there for the asking
        const back = await exchange.socket(0);
        await back.request("subscribe", { channel: "orders", resume_from: seqs.at(-1) + 1 });
        await back.push(({ seq }) => seq === last);
        back.pushes.forEach(({ seq }, i) => assert.equal(seq, seqs.at(-1) + 1 + i));
        for (const client of [trader, other, back]) await client.close();
    });

    test("gets the book anew in place of updates", async () => {
        const trader = await exchange.socket(0);
        const reader = await exchange.socket();
        const book = new ClientBook(1000);
        let snapshots = 0;
        let failure = null;
        reader.onPush((push) => {
            if (push.channel !== "book" || failure) return;
            snapshots += push.type === "snapshot";
            try {
                book.apply(push);
            } catch (error) {
                failure = error;
            }
        });
        await reader.request("subscribe", { channel: "book", symbols: ["AAPL"], depth: 1000 });
        stall(reader);
        // Deep updates are small: read on only when the server says that it had to conflate.
        await until(
            "a conflated book",
            async () => {
                await makeExecutions(trader, 4000);
                const { processes } = await exchange.status();
                const { counters } = processes.find(({ name }) => name === "front");
                return counters.ws_conflated > 0;
            },
            240000,
        );
        const rest = exchange.rest(0);
        const resting = {
            symbol: "AAPL",
            side: "buy",
            type: "limit",
            qty: 3,
            limit_price: "99.00",
        };
        assert.equal((await rest.call("POST", "/v1/orders", resting)).status, 201);
        const { update_id: last } = (await rest.get("/v1/depth/AAPL")).json;
        goOn(reader);
        await until("the book's last update", () => {
            if (failure) throw failure;
            return book.updateId >= last;
        });
        assert.equal(failure, null);
        assert.ok(snapshots >= 2, "a snapshot came in place of updates");
        const depth = (await rest.get("/v1/depth/AAPL?limit=1000")).json;
        assert.deepEqual(book.levels(), { bids: depth.bids, asks: depth.asks });
        rest.close();
        await trader.close();
        await reader.close();
    });

    test("is sent a long past at its own pace", async () => {
        const reader = await exchange.socket(0);
        await reader.request("subscribe", { channel: "orders", resume_from: 1 });
        for (let i = 0; i < 5; i += 1) {
            stall(reader);
            await sleep(100);
            goOn(reader);
            await sleep(20);
        }
        const heard = await exchange.socket(0);
        await heard.request("subscribe", { channel: "orders" });
        await heard.request("subscribe", { channel: "heartbeat" });
        const {
            last_seq: { orders: last },
        } = await heard.push(({ channel }) => channel === "heartbeat");
        assert.ok(last >= MANY);
        await reader.push(({ seq }) => seq === last);
        reader.pushes.forEach(({ seq }, i) => assert.equal(seq, i + 1));
        await reader.close();
        await heard.close();
    });
});

describe("the end of a connection has a code", () => {
    test("frames that are not text", async () => {
        const client = await exchange.socket();
        client.socket.send(Buffer.from([1, 2, 3]));
        assert.equal((await client.closed).code, 1003);
    });

    test("a message of more than 16 KiB, also in pieces", async () => {
        const longest = await exchange.socket();
        const whole = JSON.stringify({ id: 1, method: "ping" }).padEnd(16384);
        longest.socket.send(whole);
        assert.ok((await longest.request("ping")).time_ms > 0);
        await longest.close();

        const client = await exchange.socket();
        for (let i = 0; i < 17; i += 1) client.socket.send("x".repeat(1000), { fin: i === 16 });
        assert.equal((await client.closed).code, 1009);
    });

    test("the client's own close is answered", async () => {
        const client = await exchange.socket();
        client.socket.close(4321, "enough");
        assert.equal((await client.closed).code, 4321);
    });

    test("silence for a minute, though the server pings", async () => {
        const { code, reason } = await mute.closed;
        assert.equal(code, 4000);
        assert.match(reason, /60 s/);
        assert.ok(pings >= 2, `${pings} pings in a minute`);
        await sleep(2000); // for the other one's minute to be over, too
        assert.ok((await idle.request("ping")).time_ms > 0, "who answers pings stays");
    });

    test("a shutdown is said first", async () => {
        const client = await exchange.socket(0);
        const stalled = await exchange.socket();
        stall(stalled);
        await exchange.stop();
        const { code, reason } = await client.closed;
        assert.equal(code, 1001);
        assert.equal(reason, "server_shutdown");
        assert.deepEqual(client.pushes.at(-1), { channel: "status", event: "server_shutdown" });
        assert.equal(exchange.ending.code, 0, exchange.output);
        stalled.socket.terminate();
    });
});
