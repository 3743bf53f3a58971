/* power.test.mjs - the machine goes off: every process dies at once, shared memory is gone, and of
 * the journals only what fdatasync was waited for is sure to be on the disk. What was acknowledged
 * is there afterwards; what was not may be half there.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";

import { Exchange, sleep, until } from "./exchange.mjs";
import { records, segmentFiles } from "./journal_file.mjs";

const ROUNDS = 3;
const WINDOW = 100; // orders under way

let exchange;
const acknowledged = new Map(); // client order id -> the order as it was answered

before(async () => {
    exchange = new Exchange(["--quiet-market"]);
    await exchange.start();
});
after(() => exchange.remove());

/* Places orders without end; those that are answered are written down. */
async function trade(round) {
    const socket = await exchange.socket(0);
    let open = true;
    socket.closed.then(() => {
        open = false;
    });
    const waiting = new Set();
    for (let i = 0; open; i += 1) {
        const params = {
            symbol: "AAPL",
            side: i % 2 ? "sell" : "buy",
            type: "limit",
            qty: 1 + (i % 9),
            limit_price: `${100 + (i % 2)}.${10 + (i % 80)}`,
            time_in_force: "gtc",
            client_order_id: `power-${round}-${i}`,
        };
        const answer = socket
            .request("order.place", params)
            .then(({ order }) => acknowledged.set(params.client_order_id, order))
            .catch(() => {}) // never answered: it may be there or not
            .then(() => waiting.delete(answer));
        waiting.add(answer);
        if (waiting.size >= WINDOW) await Promise.race([...waiting, socket.closed]);
    }
}

function killAll(status) {
    const running = (name) => status.processes.find((one) => one.name === name)?.pid;
    for (const name of ["standby", "core", "front", "supervisor", "reporter", "postgresql"]) {
        const pid = running(name);
        if (pid) process.kill(pid, "SIGKILL");
    }
}

/* What the disk may lack: everything behind the last record that was safe, but for half of the
 * next one. */
function tear(durableSeq) {
    for (const file of segmentFiles(exchange.dataDir, "in")) {
        const unsafe = records(file).find(({ seq }) => seq > durableSeq);
        if (!unsafe) continue;
        fs.truncateSync(file, unsafe.offset + Math.floor(unsafe.length / 2));
    }
    /* `out` is synced now and then: replay makes again what is missing */
    const out = segmentFiles(exchange.dataDir, "out").findLast((file) => records(file).length > 4);
    const events = records(out);
    fs.truncateSync(out, events[events.length - 3].offset + 20);
}

/* By pages: one signed request an order would run ahead of the clock that signatures carry. */
async function allOrders(rest) {
    const orders = new Map();
    for (let cursor = ""; cursor !== null;) {
        const answer = await rest.call("GET", `/v1/orders?status=all&limit=1000${cursor}`);
        assert.equal(answer.status, 200, answer.text);
        for (const order of answer.json.orders) orders.set(order.client_order_id, order);
        const next = answer.json.next_cursor;
        cursor = next === null ? null : `&cursor=${encodeURIComponent(next)}`;
    }
    return orders;
}

test("nothing that was acknowledged is lost with the power", async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
        const before_ = acknowledged.size;
        const trading = trade(round);
        await until("answers", () => acknowledged.size > before_ + 200 * round);
        await sleep(50 * round);
        const status = await exchange.status();
        killAll(status);
        await exchange.supervisor.ended;
        await trading;
        const { durable_seq: durable } = await exchange.inJournal();
        const id = fs.readFileSync(exchange.path("instance"), "utf8").trim();
        fs.rmSync(`/dev/shm/hoga-${id}`, { recursive: true, force: true });
        tear(durable);
        await exchange.start();

        const rest = exchange.rest(0);
        const orders = await allOrders(rest);
        for (const [clientOrderId, order] of acknowledged) {
            const now = orders.get(clientOrderId);
            assert.ok(now, `${clientOrderId} is there`);
            assert.equal(now.order_id, order.order_id, clientOrderId);
            assert.equal(now.qty, order.qty);
            assert.ok(now.cum_qty >= order.cum_qty, clientOrderId);
        }
        rest.close();
    }
    await exchange.reported();
    const rows = await exchange.sql("SELECT cl_ord_id, order_id FROM orders");
    const reported = new Map(rows);
    assert.equal(reported.size, rows.length, "none is there twice");
    for (const [clientOrderId, order] of acknowledged)
        assert.equal(reported.get(clientOrderId), order.order_id);
});
