/* flow.test.mjs - the simulated market: it fills books, leaves the one that somebody has to himself,
 * comes back, and takes its orders along when it goes.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";

import { Exchange, hoga, sleep, until } from "./exchange.mjs";
import { Operator } from "./operator.mjs";

let exchange;
let rest;

before(async () => {
    exchange = new Exchange(["--quiet-market"]);
    await exchange.start();
    rest = exchange.rest();
});
after(async () => {
    rest.close();
    await exchange.remove();
});

const levels = async (symbol) => {
    const { bids, asks } = (await rest.get(`/v1/depth/${symbol}?limit=1000`)).json;
    return bids.length + asks.length;
};

const symbols = async () =>
    (await rest.get("/v1/instruments")).json.instruments.map(({ symbol }) => symbol);

function startFlow() {
    const flow = spawn(hoga, ["flow", "--data", exchange.dataDir, "--rate", "1000"], {
        stdio: ["ignore", "inherit", "inherit"],
    });
    flow.ended = new Promise((resolve) =>
        flow.once("exit", (code, signal) => resolve(code ?? signal)),
    );
    return flow;
}

const everywhere = async (holds) => {
    for (const symbol of await symbols()) if (!holds(await levels(symbol))) return false;
    return true;
};

test("every symbol has a market, and trades", async (t) => {
    const flow = startFlow();
    t.after(() => flow.kill("SIGKILL"));
    await until(
        "books on both sides and trades everywhere",
        async () => {
            for (const symbol of await symbols()) {
                const { bids, asks } = (await rest.get(`/v1/depth/${symbol}`)).json;
                const { trades } = (await rest.get(`/v1/trades/${symbol}`)).json;
                if (!bids.length || !asks.length || !trades.length) return false;
            }
            return true;
        },
        60000,
    );

    const another = startFlow();
    assert.notEqual(await another.ended, 0, "there is one flow");

    flow.kill("SIGTERM");
    assert.equal(await flow.ended, 0);
    assert.ok(await everywhere((count) => count === 0), "its orders went with it");
});

test("a book that is somebody's alone is left, and only that one", async (t) => {
    const flow = startFlow();
    t.after(() => flow.kill("SIGKILL"));
    await until("books", () => everywhere((count) => count > 4), 60000);
    const lock = exchange.path("run", "replay-MSFT.lock");
    const holder = spawn("flock", [lock, "cat"], { stdio: ["pipe", "ignore", "inherit"] });
    t.after(() => holder.kill("SIGKILL"));
    await until("an empty book", async () => (await levels("MSFT")) === 0);
    assert.ok((await levels("AAPL")) > 0);
    for (let i = 0; i < 5; i += 1) assert.equal(await levels("MSFT"), 0, "and it stays empty");
    holder.stdin.end();
    await until("the market's return", async () => (await levels("MSFT")) > 4);
    flow.kill("SIGTERM");
    assert.equal(await flow.ended, 0);
});

test("what a flow that was killed has left goes when the next one comes", async (t) => {
    const killed = startFlow();
    await until("books", () => everywhere((count) => count > 4), 60000);
    killed.kill("SIGKILL");
    await killed.ended;
    assert.ok((await levels("AAPL")) > 0);
    const flow = startFlow();
    t.after(() => flow.kill("SIGKILL"));
    const { update_id: left } = (await rest.get("/v1/depth/AAPL")).json;
    await until(
        "the next one to quote",
        async () => (await rest.get("/v1/depth/AAPL")).json.update_id > left + 100,
        60000,
    );
    flow.kill("SIGTERM");
    assert.equal(await flow.ended, 0);
    assert.ok(await everywhere((count) => count === 0), "also what the first one had left");
});

test("an instrument that is not trading is waited for", async (t) => {
    const operator = new Operator(exchange);
    const flow = startFlow();
    t.after(() => flow.kill("SIGKILL"));
    await until("books", () => everywhere((count) => count > 4), 60000);
    await operator.does("session", { symbol: "NVDA", session: "halt" });
    await exchange.reported();
    const counts = async () => {
        await exchange.reported();
        const rows = await exchange.sql(
            "select symbol, count(*) filter (where reject_reason = 'halted'), count(*) " +
                "from orders where symbol in ('AAPL', 'NVDA') group by 1 order by 1",
        );
        return rows.map(([, halted, all]) => ({ halted: Number(halted), all: Number(all) }));
    };
    const [apple] = await counts();
    await until("others to go on", async () => (await counts())[0].all > apple.all + 200, 60000);
    const [, nvidia] = await counts();
    assert.ok(nvidia.halted < 50, `${nvidia.halted} orders were refused`);
    await sleep(1500); // it asks each second
    assert.equal((await counts())[1].all, nvidia.all, "it does not send on");
    await operator.does("session", { symbol: "NVDA", session: "continuous" });
    await until("its return", async () => (await counts())[1].all > nvidia.all + 20, 60000);
    flow.kill("SIGTERM");
    assert.equal(await flow.ended, 0);
});

test("a front that dies does not end it", async (t) => {
    const flow = startFlow();
    t.after(() => flow.kill("SIGKILL"));
    await until("books", () => everywhere((count) => count > 4), 60000);
    process.kill(await exchange.pid("front"), "SIGKILL");
    await until("the front to come back", () => exchange.accepts(), 60000);
    rest.close();
    rest = exchange.rest();
    const before = (await rest.get("/v1/depth/AAPL")).json.update_id;
    await until(
        "a market that moves",
        async () => (await rest.get("/v1/depth/AAPL")).json.update_id > before + 50,
        60000,
    );
    assert.equal(flow.exitCode, null);
    flow.kill("SIGTERM");
    assert.equal(await flow.ended, 0);
});
