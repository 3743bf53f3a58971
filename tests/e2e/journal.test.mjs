/* journal.test.mjs - hoga journal: every record of a running or stopped exchange as a line of JSON,
 * the ones that were asked for, and no secret. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { hoga, until } from "./exchange.mjs";
import { segmentFiles } from "./journal_file.mjs";
import { exchangeWithSmallSegments, placeOrders, run } from "./small_segments.mjs";

const ORDERS = 1500;
let exchange;

const parse = (text) =>
    text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line));

async function cat(dataDir, ...args) {
    const { code, stdout, stderr } = await run("journal", "cat", "--data", dataDir, ...args);
    assert.equal(code, 0, stderr);
    return parse(stdout);
}

const commands = (...args) => cat(exchange.dataDir, "--journal", "in", ...args);
const events = (...args) => cat(exchange.dataDir, "--journal", "out", ...args);

before(async () => {
    exchange = await exchangeWithSmallSegments();
    await exchange.start();
    await placeOrders(exchange, 1, ORDERS);
});

after(() => exchange?.remove());

describe("cat", () => {
    test("has every record in order, over all segments", async () => {
        assert.ok(segmentFiles(exchange.dataDir, "in").length > 3);
        for (const all of [await commands(), await events()]) {
            assert.deepEqual(
                all.map(({ seq }) => seq),
                all.map((_, i) => i + 1),
            );
            for (let i = 1; i < all.length; i += 1) assert.ok(all[i].time >= all[i - 1].time);
        }
        const [first] = await commands("--to", "1");
        assert.equal(first.type, "configure");
        assert.equal(first.limits.instruments, 1024);
        const { released_seq: released } = await exchange.inJournal();
        assert.ok((await commands()).length >= released - 5);
        const causes = await events();
        for (const { seq, cause_seq: cause } of causes) assert.ok(cause >= 1 && cause <= seq);
    });

    test("has the orders as they were sent, and what became of them", async () => {
        const orders = await commands("--type", "new_order");
        assert.deepEqual(
            orders.map((order) => order.cl_ord_id).filter((id) => id?.startsWith("keep-")).length,
            ORDERS,
        );
        const order = orders.find(({ cl_ord_id: id }) => id === "keep-77");
        const [{ id: aapl }] = await instrument("AAPL");
        for (const [name, value] of Object.entries({
            type: "new_order",
            account: exchange.broker(0).account,
            instrument: aapl,
            side: "buy",
            ord_type: "limit",
            time_in_force: "gtc",
            exec_inst: [],
            order_qty: 77,
            limit_px: "50.0000",
            stp: null,
        })) {
            assert.deepEqual(order[name], value, name);
        }
        assert.ok(!("stop_px" in order), "a record of version 1 has no fields of version 2");
        const rest = exchange.rest(0);
        const known = (await rest.call("GET", "/v1/orders/client_order_id:keep-77")).json;
        rest.close();
        const executions = await events("--order", known.order_id);
        assert.equal(executions.length, 1);
        assert.deepEqual(await commands("--order", known.order_id), [order]);
        assert.equal(executions[0].cause_seq, order.seq);
        assert.equal(executions[0].request_id, order.request_id);
        assert.equal(executions[0].time, known.created_at);
        assert.equal(executions[0].exec_type, "new");
        assert.equal(executions[0].reject_reason, null);
        assert.equal(executions[0].leaves_qty, 77);
    });

    test("shows no secret, sealed or not", async () => {
        const keys = await commands("--type", "add_key");
        assert.ok(keys.length >= 3);
        for (const key of keys) assert.equal(key.sealed_secret, "hidden");
        assert.ok(keys.some(({ key_id: id }) => id === exchange.broker(0).key));
        const everything =
            (await run("journal", "cat", "--data", exchange.dataDir)).stdout +
            (await run("journal", "cat", "--data", exchange.dataDir, "--journal", "out")).stdout;
        for (const { secret } of [exchange.demo.admin, ...exchange.demo.brokers]) {
            assert.ok(!everything.includes(secret));
        }
    });
});

/* The listing of a symbol: [{id, seq}]. */
async function instrument(symbol) {
    const listed = await commands("--type", "list_instrument");
    return listed
        .filter((record) => record.symbol === symbol)
        .map((record) => ({ id: record.instrument, seq: record.seq }));
}

describe("filters", () => {
    let all;
    before(async () => {
        all = { in: await commands(), out: await events() };
    });

    test("by number and by time have both ends", async () => {
        assert.deepEqual(await commands("--from", "600", "--to", "1300"), all.in.slice(599, 1300));
        assert.deepEqual(await events("--from", "1400"), all.out.slice(1399));
        for (const i of [1, 700, 1234]) {
            const { time } = all.in[i];
            const ms = String(Math.floor(Date.parse(`${time.slice(0, 23)}Z`)));
            assert.deepEqual(
                await commands("--since", time),
                all.in.filter((record) => record.time >= time),
            );
            assert.deepEqual(
                await commands("--until", time),
                all.in.filter((record) => record.time <= time),
            );
            assert.deepEqual(
                await events("--since", ms),
                all.out.filter((record) => record.time >= `${time.slice(0, 23)}000000Z`),
            );
        }
        assert.deepEqual(await commands("--since", "2100-01-01T00:00:00Z"), []);
        assert.deepEqual(await commands("--from", "900", "--until", "2000-01-01T00:00:00Z"), []);
    });

    test("by account, instrument and type", async () => {
        const { account } = exchange.broker(0);
        const mine = (record) => record.account === account;
        assert.deepEqual(await events("--account", String(account)), all.out.filter(mine));
        const [{ id }] = await instrument("MSFT");
        const ours = (record) =>
            record.instrument === id ||
            record.asset === id ||
            (record.type === "setting_changed" &&
                record.command === "set_fees" &&
                record.id === id);
        assert.deepEqual(await commands("--symbol", "MSFT"), all.in.filter(ours));
        assert.deepEqual(await events("--symbol", "MSFT"), all.out.filter(ours));
        const both = all.out.filter((r) => r.type === "execution" && mine(r) && ours(r));
        assert.ok(both.length >= ORDERS / 2);
        assert.deepEqual(
            await cat(
                exchange.dataDir,
                ...["--account", String(account), "--symbol", "MSFT", "--type", "event_execution"],
            ),
            both,
        );
    });

    test("that make no sense are refused, each with its reason", async () => {
        const wrong = [
            [["cat", "--type", "no_such"], 64, /no such type/],
            [["cat", "--type", "execution", "--journal", "in"], 64, /is an event/],
            [["cat", "--journal", "both"], 64, /must be in or out/],
            [["cat", "--since", "yesterday"], 64, /must be a time/],
            [["cat", "--account", "x"], 64, /must be a number/],
            [["cat", "--symbol", "NONE"], 1, /was never listed/],
            [["dog"], 64, /usage/],
            [[], 64, /usage/],
        ];
        for (const [args, expected, said] of wrong) {
            const rest = args.length ? ["--data", exchange.dataDir] : [];
            const { code, stderr } = await run("journal", ...args, ...rest);
            assert.equal(code, expected, `${args.join(" ")}: ${stderr}`);
            assert.match(stderr, said);
        }
    });

    test("a symbol whose first listing was refused is the one that was listed", async () => {
        const admin = (...args) => run("admin", ...args, "--data", exchange.dataDir);
        const listing = ["list-instrument", "--symbol", "LATE", "--name", "Late", "--tick", "0.01"];
        const refused = await admin(...listing, "--instrument", "1"); // is another's
        assert.notEqual(refused.code, 0);
        const listed = await admin(...listing, "--instrument", "900");
        assert.equal(listed.code, 0, listed.stderr);
        const found = await commands("--symbol", "LATE");
        assert.deepEqual(
            found.map(({ type, instrument: id }) => [type, id]),
            [["list_instrument", 900]],
        );
    });
});

test("stat counts what cat prints", async () => {
    const { code, stdout, stderr } = await run("journal", "stat", "--data", exchange.dataDir);
    assert.equal(code, 0, stderr);
    const totals = parse(stdout);
    assert.deepEqual(
        totals.map(({ journal }) => journal),
        ["in", "out"],
    );
    for (const total of totals) {
        const to = String(total.last_seq);
        const all = await (total.journal === "in" ? commands : events)("--to", to);
        const types = {};
        for (const { type } of all) types[type] = (types[type] ?? 0) + 1;
        assert.deepEqual(total.types, types);
        assert.equal(total.records, all.length);
        assert.equal(total.first_seq, 1);
        assert.equal(total.first_time, all[0].time);
        assert.equal(total.last_time, all.at(-1).time);
        const files = segmentFiles(exchange.dataDir, total.journal);
        assert.equal(total.segments, files.filter((file) => file.endsWith(".seg")).length);
        assert.ok(total.record_bytes <= total.archive_bytes && total.record_bytes > 65536);
    }
    const mine = await run(
        ...["journal", "stat", "--data", exchange.dataDir, "--type", "new_order"],
        ...["--symbol", "AAPL"],
    );
    const [aapl, ...others] = parse(mine.stdout);
    assert.equal(others.length, 0);
    assert.deepEqual(aapl.types, { new_order: ORDERS / 2 });
});

/* A running `hoga journal tail`; its lines so far. */
function tail(...args) {
    const child = spawn(hoga, ["journal", "tail", "--data", exchange.dataDir, ...args], {
        stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    child.stdout.on("data", (bytes) => {
        text += bytes.toString();
    });
    const ended = new Promise((resolve) => {
        child.once("exit", (code, signal) => resolve({ code, signal }));
    });
    return { lines: () => parse(text.slice(0, text.lastIndexOf("\n") + 1)), ended, child };
}

test("tail prints what is released as it comes, and ends with the exchange", async (t) => {
    const { released_seq: before } = await exchange.inJournal();
    const tails = [
        tail("--journal", "in", "--type", "new_order"),
        tail("--journal", "out", "--symbol", "AAPL"),
        tail("--journal", "in", "--from", String(before - 9)),
    ];
    t.after(() => tails.forEach(({ child }) => child.kill()));
    await until("the third to print what was before", () => tails[2].lines().length >= 10);
    const [commandsSeen, eventsSeen, fromSeen] = tails.map(({ lines }) => lines);
    // tails that began before these orders see them; when they began nobody can tell from outside
    const firstOrder = ORDERS + 1;
    let placed = ORDERS;
    await until("both to have begun", async () => {
        await placeOrders(exchange, placed + 1, placed + 2);
        placed += 2;
        return commandsSeen().length > 0 && eventsSeen().length > 0;
    });
    const began = placed + 1;
    await placeOrders(exchange, began, began + 1199); // over the ends of segments
    const last = `keep-${began + 1199}`;
    const of = (seen) => seen().filter(({ cl_ord_id: id }) => parseInt(id?.slice(5)) >= began);
    await until("the commands", () => commandsSeen().at(-1)?.cl_ord_id === last);
    assert.deepEqual(
        of(commandsSeen).map(({ cl_ord_id: id }) => id).length,
        1200,
        `from keep-${firstOrder}`,
    );
    await until("the events", () => eventsSeen().length >= 600);
    assert.ok(eventsSeen().every(({ cause_seq: cause }) => cause > before));
    await until("the third", () => fromSeen().at(-1)?.cl_ord_id === last);
    assert.equal(fromSeen()[0].seq, before - 9);
    fromSeen().forEach(({ seq }, i) => assert.equal(seq, before - 9 + i));

    const running = { in: await commands(), out: await events() };
    await exchange.stop();
    for (const { ended } of tails) assert.deepEqual(await ended, { code: 0, signal: null });
    const stopped = { in: await commands(), out: await events() };
    assert.deepEqual(stopped.in.slice(0, running.in.length), running.in);
    assert.deepEqual(stopped.out.slice(0, running.out.length), running.out);
    assert.deepEqual(fromSeen(), stopped.in.slice(before - 10));
    const refused = await run("journal", "tail", "--data", exchange.dataDir);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /is not running/);
});

test("a copy is read by itself, whatever the exchange that it was taken from does", async (t) => {
    const copy = fs.mkdtempSync(path.join(os.tmpdir(), "hoga-journal-"));
    t.after(() => fs.rmSync(copy, { recursive: true, force: true }));
    const was = await commands();
    for (const name of ["instance", "journal", "lock"]) {
        fs.cpSync(exchange.path(name), path.join(copy, name), { recursive: true });
    }
    await exchange.start();
    await placeOrders(exchange, 100001, 100100);
    assert.deepEqual(await cat(copy), was);
    assert.ok((await commands()).length >= was.length + 100);
    await exchange.stop();
});

test("a damaged record ends it, with all that was before and its place", async () => {
    const file = segmentFiles(exchange.dataDir, "in")[1];
    const bytes = fs.readFileSync(file);
    const changed = Buffer.from(bytes);
    changed[20000] ^= 1;
    fs.writeFileSync(file, changed);
    const { code, stdout, stderr } = await run("journal", "cat", "--data", exchange.dataDir);
    fs.writeFileSync(file, bytes);
    assert.equal(code, 1);
    const printed = parse(stdout);
    assert.ok(printed.length > 300);
    assert.match(stderr, new RegExp(`${path.basename(file)}.*sequence ${printed.length + 1}:`));
});
