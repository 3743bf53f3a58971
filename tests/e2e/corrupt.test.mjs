/* corrupt.test.mjs - what the exchange makes of a damaged archive: a record that was good once and
 * is not any more stops the start and is named; a torn tail is cut, everything before it kept. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { Exchange } from "./exchange.mjs";
import { flipByte, records, segmentFiles } from "./journal_file.mjs";

const ORDERS = 200;
let exchange;

before(async () => {
    exchange = new Exchange(["--quiet-market"]);
    await exchange.start();
    const socket = await exchange.socket(0);
    for (let i = 1; i <= ORDERS; i += 1) {
        await socket.request("order.place", {
            symbol: "AAPL",
            side: "buy",
            type: "limit",
            qty: i,
            limit_price: "50.00",
            time_in_force: "gtc",
            client_order_id: `keep-${i}`,
        });
    }
    await socket.close();
    await exchange.stop();
});

after(() => exchange?.remove());

async function openOrders() {
    const rest = exchange.rest(0);
    const { orders } = (await rest.call("GET", "/v1/orders?status=open&limit=1000")).json;
    rest.close();
    return orders.map((order) => order.client_order_id).reverse();
}

/* The segment of `in` that was written last; those made ahead of use are still empty. */
function lastSegment() {
    const files = segmentFiles(exchange.dataDir, "in").filter((file) => records(file).length > 0);
    return files.at(-1);
}

const kept = (count) => Array.from({ length: count }, (_, i) => `keep-${i + 1}`);

/* `hoga up` must end by itself, with a failure; what it and the core said. */
async function refusal() {
    const supervisor = exchange.spawn();
    const timer = setTimeout(() => supervisor.kill("SIGKILL"), 60000);
    const { code, signal } = await supervisor.ended;
    clearTimeout(timer);
    assert.equal(signal, null, `it should end by itself:\n${exchange.output}`);
    assert.notEqual(code, 0, exchange.output);
    return exchange.output;
}

describe("a byte that changed in the middle", () => {
    // a start reads what the newest snapshot does not have: here, all; hoga verify reads all anyway
    before(() => fs.rmSync(exchange.path("snapshots"), { recursive: true }));

    for (const kind of ["in", "out"]) {
        test(`of \`${kind}\` stops the start and is named`, async () => {
            const [file] = segmentFiles(exchange.dataDir, kind);
            const all = records(file);
            const record = all[Math.floor(all.length / 2)];
            flipByte(file, record.offset + record.length - 12);
            const said = await refusal();
            flipByte(file, record.offset + record.length - 12);
            assert.ok(said.includes(path.basename(file)), `the file is named:\n${said}`);
            assert.match(said, new RegExp(`\\b${record.offset}\\b`), "the offset is named");
            assert.match(said, new RegExp(`\\b${record.seq}\\b`), "the sequence number is named");
        });
    }

    test("once restored, starts with everything", async () => {
        await exchange.start();
        assert.deepEqual(await openOrders(), kept(ORDERS));
        await exchange.stop();
    });
});

describe("a torn tail", () => {
    test("of a record that was never complete costs nothing", async () => {
        const file = lastSegment();
        const last = records(file).at(-1);
        const bytes = fs.readFileSync(file);
        const torn = Buffer.from(bytes.subarray(last.offset, last.offset + last.length));
        torn.writeBigUInt64LE(BigInt(last.seq + 1), 8);
        torn.fill(0, Math.floor(last.length / 2));
        const handle = fs.openSync(file, "r+");
        fs.writeSync(handle, torn, 0, torn.length, last.offset + last.length);
        fs.closeSync(handle);
        await exchange.start();
        assert.deepEqual(await openOrders(), kept(ORDERS));
        const rest = exchange.rest(0);
        const answer = await rest.call("DELETE", `/v1/orders/client_order_id:keep-${ORDERS}`);
        assert.equal(answer.status, 200, "and goes on");
        rest.close();
        await exchange.stop();
    });

    test("is cut where the file ends in the middle of a record", async () => {
        const file = lastSegment();
        const all = records(file);
        const cancel = all.at(-1);
        fs.truncateSync(file, cancel.offset + Math.floor(cancel.length / 2));
        await exchange.start();
        assert.deepEqual(await openOrders(), kept(ORDERS), "the cancel is gone, all else is there");
        const rest = exchange.rest(0);
        const answer = await rest.call("DELETE", "/v1/orders/client_order_id:keep-1");
        assert.equal(answer.status, 200, "and goes on");
        rest.close();
        await exchange.stop();
        await exchange.start();
        assert.deepEqual(await openOrders(), kept(ORDERS).slice(1), "also over another start");
        await exchange.stop();
    });
});
