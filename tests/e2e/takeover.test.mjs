/* takeover.test.mjs - one core dies or hangs and the other goes on: what clients, their streams, the
 * page and an operator see of it, and that it is a pause and nothing else.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";

import { chromium } from "playwright-core";

import { ClientBook } from "./client_book.mjs";
import { Exchange, sleep, until } from "./exchange.mjs";
import { runAdmin } from "./operator.mjs";

const executablePath = process.env.HOGA_CHROMIUM ?? "/usr/bin/chromium";

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

const bothCores = (exchange) =>
    until("a primary and a standby", async () => {
        const { processes } = await exchange.status();
        const named = (name) => processes.find((one) => one.name === name);
        const [core, standby] = [named("core"), named("standby")];
        const good = [core, standby].every(({ state, pid }) => state === "running" && pid > 0);
        return good ? { core, standby } : null;
    });

function isGone(pid) {
    try {
        return fs.readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
    } catch {
        return true;
    }
}

/* Kills or stops the primary; the former standby, once it is the primary. */
async function takeOver(exchange, signal = "SIGKILL") {
    const { core, standby } = await bothCores(exchange);
    const { takeovers } = await exchange.status();
    process.kill(core.pid, signal);
    await until("the standby to take over", async () => {
        const status = await exchange.status();
        return status.takeovers === takeovers + 1 && status.accepting;
    }).catch(async (error) => {
        const { stdout } = await exchange.run("status");
        throw new Error(`${error.message}\n${stdout}\n${exchange.output}`, { cause: error });
    });
    assert.equal((await exchange.process("core")).pid, standby.pid);
    await until("the former primary to be gone", () => isGone(core.pid));
    return standby.pid;
}

test("who is primary and who stands by is shown, and changes", async (t) => {
    const exchange = await Exchange.forTest(t);
    const { core, standby } = await bothCores(exchange);
    assert.deepEqual([core.role, standby.role], ["primary", "standby"]);
    const rest = exchange.rest(0);
    t.after(() => rest.close());
    assert.equal((await rest.call("POST", "/v1/orders", order("before"))).status, 201);
    await until("the standby to follow", async () => (await exchange.process("standby")).lag === 0);
    assert.equal((await exchange.status()).takeovers, 0);

    process.kill(standby.pid, "SIGKILL");
    assert.equal((await rest.call("POST", "/v1/orders", order("without"))).status, 201);
    const { standby: second } = await bothCores(exchange);
    assert.notEqual(second.pid, standby.pid);
    assert.equal((await exchange.status()).takeovers, 0, "that was none");

    for (let i = 1; i <= 3; i += 1) {
        await takeOver(exchange);
        const placed = await rest.call("POST", "/v1/orders", order(`after-${i}`));
        assert.equal(placed.status, 201, placed.text);
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
    }
    const { stdout } = await exchange.run("status");
    assert.match(stdout, /^takeovers +3$/m);
    assert.match(stdout, /^core +\d+ +running.* primary$/m);
    assert.match(exchange.output, /the standby has taken over/);

    await bothCores(exchange);
    await exchange.stop();
    assert.equal(exchange.ending.code, 0);
    assert.match(exchange.output, /everything is on disk/);
    const verified = await exchange.run("verify");
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    await exchange.start();
    const back = exchange.rest(0);
    t.after(() => back.close());
    for (const id of ["before", "without", "after-1", "after-2", "after-3"]) {
        const found = await back.call("GET", `/v1/orders/client_order_id:${id}`);
        assert.equal(found.status, 200, id);
    }
});

test("a primary that hangs is replaced, and never wakes", async (t) => {
    const exchange = await Exchange.forTest(t);
    const rest = exchange.rest(0);
    t.after(() => rest.close());
    const { core } = await bothCores(exchange);
    const pending = [];
    process.kill(core.pid, "SIGSTOP");
    for (let i = 0; i < 10; i += 1) pending.push(rest.call("POST", "/v1/orders", order(`h-${i}`)));
    for (const answer of await Promise.all(pending)) {
        assert.equal(answer.status, 201, "late, and once");
    }
    assert.ok(isGone(core.pid), "it was killed, not left to wake up");
    assert.equal((await exchange.status()).takeovers, 1);
    assert.match(exchange.logs(["core", "standby"]), /has not moved for .* it is killed/);
});

test("both at once: whoever is started first recovers", async (t) => {
    const exchange = await Exchange.forTest(t);
    const rest = exchange.rest(0);
    t.after(() => rest.close());
    const { core, standby } = await bothCores(exchange);
    assert.equal((await rest.call("POST", "/v1/orders", order("before"))).status, 201);
    process.kill(standby.pid, "SIGKILL");
    process.kill(core.pid, "SIGKILL");
    const during = await rest.call("POST", "/v1/orders", order("during"));
    assert.equal(during.status, 201, "it waited in the ring");
    const { json } = await rest.call("GET", "/v1/orders/client_order_id:before");
    assert.equal(json.status, "new");
    await bothCores(exchange);
});

test("a standby that hangs takes nothing with it", async (t) => {
    const exchange = await Exchange.forTest(t);
    const rest = exchange.rest(0);
    t.after(() => rest.close());
    const { core, standby } = await bothCores(exchange);
    process.kill(standby.pid, "SIGSTOP");
    try {
        assert.equal((await rest.call("POST", "/v1/orders", order("one"))).status, 201);
        process.kill(core.pid, "SIGKILL");
        const waited = await rest.call("POST", "/v1/orders", order("two"));
        assert.equal(waited.status, 201, "the core was started again instead");
        const again = await exchange.process("core");
        assert.ok(again.pid !== core.pid && again.pid !== standby.pid);
        assert.equal((await exchange.status()).takeovers, 0);
    } finally {
        process.kill(standby.pid, "SIGCONT");
    }
    await until("the standby to follow", async () => (await exchange.process("standby")).lag === 0);
    assert.equal((await bothCores(exchange)).standby.pid, standby.pid);
    await takeOver(exchange);
    assert.equal((await rest.call("GET", "/v1/orders/client_order_id:two")).status, 200);
});

test("without a standby the core is started again, and says who makes no snapshots", async (t) => {
    const exchange = await Exchange.forTest(t, ["--quiet-market", "--no-standby"]);
    const rest = exchange.rest(0);
    t.after(() => rest.close());
    const { pid } = await exchange.process("core");
    assert.equal(await exchange.process("standby"), undefined);
    process.kill(pid, "SIGKILL");
    assert.equal((await rest.call("POST", "/v1/orders", order("after"))).status, 201);
    assert.equal((await exchange.status()).takeovers, 0);
});

test("snapshots are asked for, kept, shown and started from", async (t) => {
    const exchange = await Exchange.forTest(t, ["--quiet-market", "--snapshot-every", "0"]);
    const rest = exchange.rest(0);
    t.after(() => rest.close());
    await bothCores(exchange);
    assert.equal((await exchange.status()).snapshot, null);
    const seqs = [];
    for (let i = 1; i <= 5; i += 1) {
        assert.equal((await rest.call("POST", "/v1/orders", order(`s-${i}`))).status, 201);
        const { released_seq: released } = await exchange.inJournal();
        const { code, stdout, stderr } = await exchange.run("snapshot");
        assert.equal(code, 0, stderr);
        const seq = Number(stdout.match(/^snapshot of command (\d+) is kept$/m)[1]);
        assert.ok(seq >= released, "all that was released is in it");
        seqs.push(seq);
        const { snapshot } = await exchange.status();
        assert.equal(snapshot.in_seq, seq);
        assert.ok(snapshot.age_s >= 0 && snapshot.age_s < 60);
    }
    const files = fs.readdirSync(exchange.path("snapshots")).sort();
    const kept = seqs.slice(-3).map((seq) => `${String(seq).padStart(20, "0")}.snap`);
    assert.deepEqual(files, kept, "the newest three, and nothing half written");
    const again = await exchange.run("snapshot");
    assert.equal(again.code, 0, "nothing has happened since: the newest is it");
    assert.match(again.stdout, new RegExp(` ${seqs.at(-1)} `));

    const { core, standby } = await bothCores(exchange);
    process.kill(standby.pid, "SIGKILL");
    process.kill(core.pid, "SIGKILL");
    assert.equal((await rest.call("POST", "/v1/orders", order("after"))).status, 201);
    assert.match(exchange.logs(["core", "standby"]), new RegExp(`behind snapshot ${seqs.at(-1)},`));
});

/* ---- streams ---- */

test("a stream goes on over takeovers without a gap or a new connection", async (t) => {
    const exchange = await Exchange.forTest(t);
    const [stream, sender] = [await exchange.socket(0), await exchange.socket(1)];
    let closed = false;
    stream.closed.then(() => {
        closed = true;
    });
    await stream.request("subscribe", { channel: "book", symbols: ["AAPL"], depth: 50 });
    await stream.request("subscribe", { channel: "trades", symbols: ["AAPL"] });
    await stream.request("subscribe", { channel: "orders" });
    const placed = [];
    let stopped = false;
    const trade = async (name) => {
        for (let i = 0; !stopped; i += 1) {
            const side = i % 2 ? "sell" : "buy";
            const body = order(`${name}-${i}`, { side, limit_price: `${100 + (i % 3)}.00` });
            const socket = i % 3 ? stream : sender;
            placed.push((await socket.request("order.place", body)).order);
        }
    };
    const running = Promise.all([trade("a"), trade("b"), trade("c")]);
    running.catch(() => {});
    for (let i = 0; i < 3; i += 1) {
        const before = placed.length;
        await until("trading", () => placed.length > before + 100);
        await takeOver(exchange);
    }
    const before = placed.length;
    await until("trading again", () => placed.length > before + 100);
    stopped = true;
    await running;
    assert.equal(closed, false, "the connection stayed");

    const rest = exchange.rest(0);
    t.after(() => rest.close());
    const pushes = (channel) => stream.pushes.filter((push) => push.channel === channel);
    await sleep(500); // what is on its way arrives
    const book = new ClientBook(50);
    for (const push of pushes("book")) book.apply(push); // holds the numbers and checksums
    const { bids, asks } = (await rest.get("/v1/depth/AAPL?limit=50")).json;
    assert.deepEqual(book.levels(), { bids, asks });
    pushes("trades").forEach(({ seq }, i) => assert.equal(seq, i + 1, "trades"));
    const told = pushes("orders");
    told.forEach(({ seq }, i) => assert.equal(seq, told[0].seq + i, "orders"));
    const ids = new Set(placed.map(({ order_id: id }) => id));
    assert.equal(ids.size, placed.length, "no order is there twice");
    await stream.close();
    await sender.close();
});

test("the page pauses, and stays connected", async (t) => {
    const exchange = await Exchange.forTest(t, []);
    const browser = await chromium.launch({
        executablePath,
        args: ["--no-sandbox", "--disable-gpu", "--no-first-run"],
    });
    t.after(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`${exchange.demo.rest}/?symbol=AAPL`);
    await page.waitForSelector('body[data-connection="open"]');
    await page.evaluate(() => {
        globalThis.connections = [];
        new MutationObserver(() =>
            globalThis.connections.push(document.body.dataset.connection),
        ).observe(document.body, { attributes: true, attributeFilter: ["data-connection"] });
    });
    const tape = () => page.locator(".tape-row").first().getAttribute("data-trade-id");
    await until("trades", tape);
    for (let i = 0; i < 2; i += 1) {
        await takeOver(exchange);
        const newest = await tape();
        await until("another trade", async () => (await tape()) !== newest);
    }
    await sleep(500);
    const changes = await page.evaluate(() => globalThis.connections);
    assert.deepEqual(
        changes.filter((state) => state !== "open"),
        [],
        "it was connected all the time",
    );
});
