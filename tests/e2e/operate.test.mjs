/* operate.test.mjs - the exchange as its operator meets it: up, status, down, a second start, an
 * empty exchange filled by hand, SQL that only reads, and mistakes that are told plainly. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import { describe, test } from "node:test";

import { Exchange, hoga } from "./exchange.mjs";
import { RestClient } from "./rest.mjs";

/* Runs `hoga`; resolves to {code, stdout, stderr} however it ends. */
function run(...args) {
    return new Promise((resolve) => {
        execFile(hoga, args, { timeout: 120000 }, (error, stdout, stderr) => {
            resolve({ code: error ? error.code : 0, stdout, stderr });
        });
    });
}

/* A data directory for `hoga up --detach`, stopped and removed after the test. */
function detachedFor(t) {
    const exchange = new Exchange();
    t.after(async () => {
        await run("down", "--data", exchange.dataDir);
        await exchange.remove();
    });
    const up = (...args) =>
        run(
            "up",
            "--data",
            exchange.dataDir,
            "--detach",
            "--rest-port",
            "0",
            "--ws-port",
            "0",
            ...args,
        );
    return { exchange, dataDir: exchange.dataDir, up };
}

const readDemo = (dataDir) => JSON.parse(fs.readFileSync(`${dataDir}/demo.json`, "utf8"));

describe("up, down and up again", () => {
    test("detached: returns when orders are accepted, finds everything again", async (t) => {
        const { dataDir, up } = detachedFor(t);
        const first = await up("--quiet-market");
        assert.equal(first.code, 0, first.stderr);
        const demo = readDemo(dataDir);
        assert.equal(fs.statSync(`${dataDir}/demo.json`).mode & 0o777, 0o600);
        assert.ok(first.stdout.includes(demo.rest) && first.stdout.includes(demo.ws));
        assert.ok(first.stdout.includes(demo.brokers[0].key));
        for (const broker of [...demo.brokers, demo.admin]) {
            assert.match(broker.key, /^[A-Z0-9]{20}$/);
            assert.match(broker.secret, /^[0-9a-f]{64}$/);
        }
        const rest = new RestClient(demo.rest, demo.brokers[0]);
        const placed = await rest.call("POST", "/v1/orders", {
            symbol: "AAPL",
            side: "buy",
            type: "limit",
            qty: 3,
            limit_price: "10.00",
            time_in_force: "gtc",
            client_order_id: "kept",
        });
        assert.equal(placed.status, 201, "at once, without waiting");
        rest.close();

        const twice = await up("--quiet-market");
        assert.notEqual(twice.code, 0);
        assert.match(twice.stderr + twice.stdout, /already running/);

        const down = await run("down", "--data", dataDir);
        assert.equal(down.code, 0, down.stderr);
        const again = await run("down", "--data", dataDir);
        assert.equal(again.code, 0);
        assert.match(again.stdout, /not running/);

        const second = await up("--quiet-market");
        assert.equal(second.code, 0, second.stderr);
        const later = readDemo(dataDir);
        assert.deepEqual(later.brokers, demo.brokers, "the same credentials");
        assert.deepEqual(later.admin, demo.admin);
        const back = new RestClient(later.rest, later.brokers[0]);
        const found = await back.call("GET", "/v1/orders/client_order_id:kept");
        assert.deepEqual(found.json, placed.json, "the same order");
        back.close();
    });

    test("status tells what runs, and that nothing does", async (t) => {
        const { exchange, dataDir, up } = detachedFor(t);
        const none = JSON.parse((await run("status", "--json", "--data", dataDir)).stdout);
        assert.equal(none.running, false);
        assert.equal((await up("--quiet-market")).code, 0);
        await exchange.reported(); // orders are accepted before PostgreSQL is there
        const status = await exchange.status();
        assert.equal(status.running, true);
        assert.equal(status.accepting, true);
        assert.equal(status.durability, "disk");
        const demo = readDemo(dataDir);
        assert.deepEqual([status.rest, status.ws], [demo.rest, demo.ws]);
        assert.deepEqual(status.disk, { state: "good", error: null });
        assert.equal(status.takeovers, 0);
        assert.equal(status.snapshot, null);
        assert.ok(status.unreleased.commands >= 0);
        assert.ok(status.postgresql.conninfo);
        for (const name of ["core", "standby", "front", "reporter", "supervisor"]) {
            const one = status.processes.find((process) => process.name === name);
            assert.ok(one?.pid > 0, name);
            process.kill(one.pid, 0);
        }
        const { written_seq: written, released_seq: released } = status.cursors.in;
        assert.ok(written > 0 && released <= written);
        assert.deepEqual(status.market, { blocked: false, sessions: { continuous: 9 } });
        const people = await run("status", "--data", dataDir);
        assert.match(people.stdout, /^core .*running.*primary$/m);
        assert.match(people.stdout, /^standby .*running.*standby$/m);
        assert.match(people.stdout, /^durability {2}disk\ndisk {8}good\nsnapshot {4}none yet$/m);
        assert.match(people.stdout, /^market {6}9 continuous$/m);
        assert.equal((await run("down", "--data", dataDir)).code, 0);
        const after = JSON.parse((await run("status", "--json", "--data", dataDir)).stdout);
        assert.equal(after.running, false);
        const left = fs.readdirSync(`${dataDir}/snapshots`);
        assert.equal(left.length, 1, "a clean stop keeps its state");
        const ask = await run("snapshot", "--data", dataDir);
        assert.notEqual(ask.code, 0);
        assert.match(ask.stderr, /no exchange runs/);
    });

    test("a port that is taken is named", async (t) => {
        const taken = net.createServer().listen(0, "127.0.0.1");
        t.after(() => taken.close());
        await new Promise((resolve) => taken.once("listening", resolve));
        const port = String(taken.address().port);
        const exchange = new Exchange();
        t.after(() => exchange.remove());
        const { code, stderr } = await run(
            "up",
            "--data",
            exchange.dataDir,
            "--rest-port",
            port,
            "--ws-port",
            "0",
        );
        assert.notEqual(code, 0);
        assert.ok(stderr.includes(port), stderr);
        assert.match(stderr, /in use/);
    });

    test("what it cannot read is refused, with help at hand", async () => {
        for (const args of [
            ["fly"],
            ["up", "--wings"],
            ["up", "--rest-port", "99999"],
            ["up", "--durability", "paper"],
            ["up", "--snapshot-every", "often"],
            ["up", "--keep-segments", "-1"],
            ["up", "--segment-bytes", "5000"],
            ["snapshot", "--timeout", "soon"],
        ]) {
            const { code, stderr } = await run(...args);
            assert.notEqual(code, 0, args.join(" "));
            assert.ok(stderr.length > 0, args.join(" "));
        }
        const help = await run("up", "--help");
        assert.equal(help.code, 0);
        assert.match(help.stdout, /--quiet-market/);
    });
});

describe("an empty exchange", () => {
    test("is filled by hand, trades, and verifies", async (t) => {
        const { exchange, dataDir, up } = detachedFor(t);
        const started = await up("--no-demo");
        assert.equal(started.code, 0, started.stderr);
        const demo = readDemo(dataDir);
        assert.deepEqual(demo.brokers, []);
        const admin = async (...args) => {
            const { code, stdout, stderr } = await run(
                "admin",
                args[0],
                "--data",
                dataDir,
                ...args.slice(1),
            );
            assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
            return JSON.parse(stdout);
        };
        await admin(
            "list-instrument",
            "--instrument",
            "1",
            "--symbol",
            "ACME",
            "--name",
            "Acme Corp.",
            "--tick",
            "0.05",
        );
        const brokers = [];
        for (const [account, name] of [
            ["7", "First"],
            ["8", "Second"],
        ]) {
            await admin("open-account", "--account", account, "--name", name);
            await admin("deposit", "--account", account, "--cash", "1000.00");
            await admin("deposit", "--account", account, "--symbol", "ACME", "--qty", "100");
            await admin(
                "add-user",
                "--user",
                account,
                "--account",
                account,
                "--name",
                `${name} trader`,
            );
            brokers.push(await admin("add-key", "--user", account, "--scopes", "read,trade"));
        }
        const readOnly = await admin("add-key", "--user", "7", "--scopes", "read");
        const twice = await run(
            "admin",
            "open-account",
            "--data",
            dataDir,
            "--account",
            "7",
            "--name",
            "X",
        );
        assert.notEqual(twice.code, 0, "an account opens once");

        const clients = brokers.map((broker) => new RestClient(demo.rest, broker));
        const order = (side, qty, price) => ({
            symbol: "ACME",
            side,
            type: "limit",
            qty,
            limit_price: price,
        });
        await clients[0].call("POST", "/v1/orders", order("sell", 10, "20.05"));
        const bought = await clients[1].call("POST", "/v1/orders", order("buy", 10, "20.05"));
        assert.equal(bought.json?.status, "filled", bought.text);
        const short = await clients[1].call("POST", "/v1/orders", order("buy", 1000, "20.00"));
        assert.deepEqual([short.status, short.json.code], [422, "insufficient_cash"]);
        const empty = await clients[1].call("POST", "/v1/orders", order("sell", 111, "20.00"));
        assert.deepEqual([empty.status, empty.json.code], [422, "insufficient_shares"]);
        const reader = new RestClient(demo.rest, readOnly);
        assert.equal((await reader.call("GET", "/v1/account")).status, 200);
        const forbidden = await reader.call("POST", "/v1/orders", order("buy", 1, "1.00"));
        assert.deepEqual([forbidden.status, forbidden.json.code], [403, "forbidden"]);
        const page = await clients[0].get("/config.json");
        assert.equal(page.json.demo, false);
        assert.equal((await clients[0].get("/v1/demo/session")).status, 404);
        for (const client of [...clients, reader]) client.close();

        await exchange.reported();
        assert.deepEqual(
            await exchange.sql(
                "select symbol, last_qty, last_px, buy_account, sell_account from trades",
            ),
            [["ACME", "10", "200500", "8", "7"]],
        );
        for (const attempt of [
            "delete from trades",
            "create table t (x int)",
            "select * from hoga.order_row",
            "set default_transaction_read_only = off; drop view trades",
        ]) {
            await assert.rejects(exchange.sql(attempt), attempt);
        }
        assert.equal((await run("down", "--data", dataDir)).code, 0);
        const verified = await run("verify", "--data", dataDir);
        assert.equal(verified.code, 0, verified.stderr);
    });
});
