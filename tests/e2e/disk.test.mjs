/* disk.test.mjs - the journal's disk is full, slow, broken, or loses a sync: what clients are told,
 * what an operator sees, and that trading goes on by itself with nothing lost that was acknowledged.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import { describe, test } from "node:test";

import { holdBooks, totals } from "./account_books.mjs";
import { EIO, SmallDisk, TroubledDisk } from "./disk_trouble.mjs";
import { sleep, until } from "./exchange.mjs";
import { runAdmin } from "./operator.mjs";
import { Crowd } from "./traders.mjs";

const SMALL_SEGMENTS = ["--quiet-market", "--segment-bytes", "65536"];
const ORDERS_MAX = 20000; // more than two segments of either journal hold

const seed = Number(process.env.HOGA_SEED ?? Date.now() % 1000000);

async function started(t, disk, args) {
    const exchange = disk.exchange(args);
    t.after(async () => {
        await exchange.remove();
        disk.remove();
    });
    await exchange.start();
    return exchange;
}

const order = (id, more = {}) => ({
    symbol: "AAPL",
    side: "buy",
    type: "limit",
    qty: 2,
    limit_price: "10.00",
    time_in_force: "gtc",
    client_order_id: id,
    ...more,
});

const diskOf = async (exchange) => (await exchange.status()).disk;

/* Sends one after the other until one is answered with `code`; the ids of those that were taken. */
async function placeUntil(rest, name, code) {
    const taken = [];
    for (let i = 0; i < ORDERS_MAX; i += 1) {
        const id = `${name}-${i}`;
        const answer = await rest.call("POST", "/v1/orders", order(id));
        if (answer.status === 201) {
            taken.push(id);
            continue;
        }
        assert.deepEqual([answer.status, answer.json.code], [503, code], answer.text);
        assert.ok(Number(answer.headers["retry-after"]) >= 1);
        return taken;
    }
    throw new Error(`${ORDERS_MAX} orders were taken and none was answered ${code}`);
}

/* The same order until it is taken, as a client would. */
const placeAtLast = (rest, id) =>
    until("trading to go on", async () => {
        const { status } = await rest.call("POST", "/v1/orders", order(id));
        return status === 200 || status === 201;
    });

async function holdOrders(exchange, rest, ids) {
    for (const id of ids) {
        const answer = await rest.call("GET", `/v1/orders/client_order_id:${id}`);
        assert.equal(answer.status, 200, `${id} was acknowledged: ${answer.text}`);
    }
    await exchange.reported();
    const rows = await exchange.sql("select cl_ord_id from orders");
    const reported = new Set(rows.map(([id]) => id));
    assert.equal(reported.size, rows.length, "none is there twice");
    for (const id of ids) assert.ok(reported.has(id), `${id} is in SQL`);
}

/* ---- a disk that is full ---- */

/* New orders are refused, what takes orders away is not. */
async function holdReserve(exchange, rest, taken) {
    const [changed, canceled] = taken;
    const path = `/v1/orders/client_order_id:${changed}`;
    const replaced = await rest.call("PATCH", path, { qty: 1 });
    assert.deepEqual([replaced.status, replaced.json.code], [503, "disk_full"]);
    const socket = await exchange.socket(0);
    await assert.rejects(socket.request("order.place", order("by-socket")), (error) => {
        assert.deepEqual([error.code, error.status], ["disk_full", 503]);
        return true;
    });
    const one = await socket.request("order.cancel", { client_order_id: canceled });
    assert.equal(one.order.status, "canceled");
    await socket.close();
    const off = await rest.call("POST", "/v1/cancel-after", { seconds: 0 });
    assert.equal(off.status, 200, off.text);
    const many = await rest.call("DELETE", "/v1/orders?symbol=AAPL");
    assert.equal(many.status, 200, many.text);
    assert.ok(many.json.canceled_count >= taken.length - 1);
    assert.equal((await rest.call("GET", path)).json.status, "canceled");

    const { state, error } = await diskOf(exchange);
    assert.deepEqual([state, error], ["reserve", "No space left on device"]);
    const { stdout } = await exchange.run("status");
    assert.match(stdout, /^state +accepting cancels alone/m);
    assert.match(stdout, /^disk +IN RESERVE \(No space left on device\)/m);
}

async function fullDisk(t, disk) {
    const exchange = await started(t, disk, SMALL_SEGMENTS);
    const rest = exchange.rest(0);
    t.after(() => rest.close());
    const taken = [];
    for (let round = 1; round <= 2; round += 1) {
        disk.fill();
        const now = await placeUntil(rest, `full-${round}`, "disk_full");
        taken.push(...now);
        await holdReserve(exchange, rest, now);
        const admin = await runAdmin([
            "deposit",
            "--data",
            exchange.dataDir,
            "--account",
            "1001",
            "--cash",
            "1.00",
        ]);
        assert.equal(admin.code, 0, admin.stderr);
        disk.empty();
        await placeAtLast(rest, `again-${round}`);
        taken.push(`again-${round}`);
        await until("the disk to be good", async () => (await diskOf(exchange)).state === "good");
    }
    await holdOrders(exchange, rest, taken);
    await exchange.stop();
    assert.match(exchange.output, /everything is on disk/);
}

test("a full disk takes cancels alone until there is room", (t) => fullDisk(t, new TroubledDisk()));

test(
    "so does a real file system that is full",
    { skip: SmallDisk.isPossible() ? false : "no file system may be mounted here" },
    (t) => fullDisk(t, new SmallDisk()),
);

test("when the reserve is used up nothing is taken, and what waited is answered for", async (t) => {
    const disk = new TroubledDisk();
    const exchange = await started(t, disk, SMALL_SEGMENTS);
    const rest = exchange.rest(0);
    t.after(() => rest.close());
    disk.fill();
    const taken = await placeUntil(rest, "before", "disk_full");
    const unanswered = [];
    await until(
        "the reserve to be used up",
        async () => {
            const asked = [];
            for (let i = 0; i < 200; i += 1) asked.push(rest.call("DELETE", "/v1/orders/4711"));
            for (const { json } of await Promise.all(asked)) {
                if (json.code === "disk_stopped") return true;
                assert.ok(["unknown_order", "answer_unknown", "disk_full"].includes(json.code));
                if (json.code === "answer_unknown") unanswered.push(json);
            }
            return false;
        },
        120000,
    );
    const status = await exchange.status();
    assert.deepEqual(status.disk, { state: "stopped", error: "No space left on device" });
    assert.ok(status.unreleased.commands > 0, "commands wait for the disk");
    assert.match((await exchange.run("status")).stdout, /^state +accepting nothing, see disk$/m);
    for (const [method, path, body] of [
        ["POST", "/v1/orders", order("refused")],
        ["DELETE", "/v1/orders", undefined],
        ["POST", "/v1/cancel-after", { seconds: 60 }],
    ]) {
        const answer = await rest.call(method, path, body);
        assert.deepEqual([answer.status, answer.json.code], [503, "disk_stopped"], method);
    }
    const admin = await runAdmin(["kill", "--data", exchange.dataDir, "--account", "1002"]);
    assert.notEqual(admin.code, 0);
    assert.match(admin.stderr, /No space left on device.*was not sent/);
    assert.equal((await rest.call("GET", "/v1/account")).status, 200, "reading goes on");

    disk.empty();
    await placeAtLast(rest, "after");
    assert.equal((await diskOf(exchange)).state, "good");
    await holdOrders(exchange, rest, [...taken, "after"]);
    const refused = await rest.call("GET", "/v1/orders/client_order_id:refused");
    assert.equal(refused.status, 404, "what was refused did not happen");
});

/* ---- a disk that fails ---- */

describe("a disk that fails", () => {
    test("stops what waits for it; a sync that failed is not believed", async (t) => {
        const disk = new TroubledDisk();
        const exchange = await started(t, disk, ["--quiet-market"]);
        const rest = exchange.rest(0);
        t.after(() => rest.close());
        await placeAtLast(rest, "before");
        const segment = exchange.path("journal", "in-0000000001.seg");
        const { ino } = fs.statSync(segment);
        disk.set({ sync_error: EIO, sync_failures: 1 });
        await placeAtLast(rest, "during");
        assert.equal(disk.failed, 1);
        const { counters } = await exchange.process("core");
        assert.equal(counters.disk_errors, 1);
        assert.notEqual(fs.statSync(segment).ino, ino, "all of it was written anew");
        assert.match(exchange.logs(["core"]), /cannot sync .*in-0000000001.seg: Input\/output error/);
        assert.match(exchange.logs(["core"]), /the disk works again/);

        disk.set({ write_error: EIO });
        const pending = rest.call("POST", "/v1/orders", order("waits"));
        await until("the failure", async () => (await diskOf(exchange)).state === "stopped");
        const refused = await rest.call("DELETE", "/v1/orders");
        assert.deepEqual([refused.status, refused.json.code], [503, "disk_stopped"]);
        disk.set({ write_error: 0 });
        const answer = await pending;
        // late, not known in time, or refused: the archiver may have met the failure before it
        assert.ok([201, 503, 504].includes(answer.status), answer.text);
        await placeAtLast(rest, "waits");
        await holdOrders(exchange, rest, ["before", "during", "waits"]);
        await exchange.stop();
        assert.equal(exchange.ending.code, 0);
        const verified = await exchange.run("verify");
        assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    });

    test("takes cancels where answers do not wait for it, and loses nothing", async (t) => {
        const disk = new TroubledDisk();
        const exchange = await started(t, disk, ["--quiet-market", "--durability", "memory"]);
        const rest = exchange.rest(0);
        t.after(() => rest.close());
        await placeAtLast(rest, "first");
        await placeAtLast(rest, "second");
        disk.set({ write_error: EIO });
        await rest.call("DELETE", "/v1/orders/client_order_id:first"); // something to write
        await until("the failure", async () => (await diskOf(exchange)).state === "stopped");
        const refused = await rest.call("POST", "/v1/orders", order("third"));
        assert.deepEqual([refused.status, refused.json.code], [503, "disk_full"]);
        const canceled = await rest.call("DELETE", "/v1/orders/client_order_id:second");
        assert.equal(canceled.json.status, "canceled");

        // Stopped like this, the memory has what the disk has not.
        await exchange.stop();
        assert.match(exchange.output, /its memory is kept/);
        disk.set({ write_error: 0 });
        await exchange.start();
        const again = exchange.rest(0);
        t.after(() => again.close());
        const kept = await again.call("GET", "/v1/orders/client_order_id:second");
        assert.deepEqual(kept.json, canceled.json);
        await placeAtLast(again, "third");
    });
});

/* ---- a disk that is slow ---- */

test("a slow disk delays answers, which shows", async (t) => {
    const disk = new TroubledDisk();
    const exchange = await started(t, disk, ["--quiet-market"]);
    const rest = exchange.rest(0);
    t.after(() => rest.close());
    disk.set({ sync_delay_ms: 600 });
    let answered = false;
    const pending = rest.call("POST", "/v1/orders", order("slow")).finally(() => {
        answered = true;
    });
    const { unreleased } = await until("a command that waits", async () => {
        const status = await exchange.status();
        return status.unreleased.age_ms > 100 ? status : null;
    });
    assert.ok(unreleased.commands >= 1);
    assert.equal(answered, false, "nobody is told before it is safe");
    assert.equal((await pending).status, 201);
    const { counters } = await exchange.process("core");
    assert.ok(counters.slow_syncs > 0);
    assert.ok(counters.sync_max_us > 500000);
    assert.equal((await diskOf(exchange)).state, "good", "slow is not broken");
    disk.set({ sync_delay_ms: 0 });
});

/* ---- all of it, under load ---- */

const TROUBLES = [
    ["full", { full: 1 }, { full: 0 }],
    ["no sync", { sync_error: EIO, sync_failures: -1 }, { sync_failures: 0 }],
    ["a lost sync", { sync_error: EIO, sync_failures: 1 }, {}],
    ["no write", { write_error: EIO }, { write_error: 0 }],
    ["slow", { sync_delay_ms: 300 }, { sync_delay_ms: 0 }],
];

test("under load nothing is lost or doubled, whatever the disk does", async (t) => {
    t.diagnostic(`HOGA_SEED=${seed}`);
    const disk = new TroubledDisk();
    const exchange = await started(t, disk, SMALL_SEGMENTS);
    const start = await totals(exchange);
    const crowd = new Crowd(exchange, seed);
    t.after(() => crowd.abandon());
    crowd.start();
    for (const killed of [false, true]) {
        for (const [what, trouble, relief] of TROUBLES) {
            const { sent } = crowd;
            await until("load", () => crowd.failed || crowd.sent > sent + 200, 60000);
            await until("a standby", () => exchange.pid("standby"));
            disk.set(trouble);
            await sleep(800);
            if (killed) process.kill(await exchange.pid("core"), "SIGKILL"); // in the midst of it
            await sleep(800);
            disk.set(relief);
            t.diagnostic(`${what}: ${crowd.sent} orders so far`);
            await until("the disk to be good", async () => {
                const { disk: now, accepting } = await exchange.status();
                return accepting && now.state === "good";
            });
        }
    }
    assert.ok((await exchange.status()).takeovers >= TROUBLES.length);
    await crowd.stop();
    assert.ok(disk.failed > 0);
    t.diagnostic(`${disk.failed} calls failed, ${crowd.fills} fills told`);
    await holdBooks(exchange, crowd.ledgers, start);
    await exchange.stop();
    assert.match(exchange.output, /everything is on disk/);
    const verified = await exchange.run("verify");
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
});
