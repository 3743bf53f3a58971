/* replicated.test.mjs - durability `replicated`: nothing is told before the cluster has it, whoever of
 * the cores trades. The cluster is a stand-in (replicate.c) that can be stopped.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import path from "node:path";
import { test } from "node:test";

import { Exchange, buildDir, sleep, until } from "./exchange.mjs";

const order = (id) => ({
    symbol: "AAPL",
    side: "buy",
    type: "limit",
    qty: 2,
    limit_price: "10.00",
    time_in_force: "gtc",
    client_order_id: id,
});

test("answers wait for the cluster", async (t) => {
    const exchange = new Exchange(["--quiet-market", "--durability", "replicated"]);
    const cluster = spawn(path.join(buildDir, "tests/e2e/replicate"), [exchange.dataDir]);
    t.after(async () => {
        cluster.kill("SIGKILL");
        await exchange.remove();
    });
    cluster.kill("SIGSTOP");
    const starting = exchange.start();
    await until("the core", async () => (await exchange.status()).accepting);
    await sleep(500);
    const alone = await exchange.status();
    assert.equal(alone.durability, "replicated");
    assert.equal(alone.cursors.in.released_seq, 0, "the disk alone does not release");
    assert.equal(alone.processes.find(({ name }) => name === "front").pid, 0, "nothing to serve");
    cluster.kill("SIGCONT");
    await starting;

    const rest = exchange.rest(0);
    t.after(() => rest.close());
    assert.equal((await rest.call("POST", "/v1/orders", order("one"))).status, 201);
    for (const victim of [null, "core"]) {
        cluster.kill("SIGSTOP");
        let answered = false;
        const pending = rest.call("POST", "/v1/orders", order(`held-${victim}`)).finally(() => {
            answered = true;
        });
        await until("it to be safe here", async () => {
            const { durable_seq: durable, released_seq: released } = await exchange.inJournal();
            return durable > released;
        });
        if (victim) {
            process.kill(await exchange.pid(victim), "SIGKILL");
            await until("a takeover", async () => (await exchange.status()).takeovers === 1);
        }
        await sleep(300);
        assert.equal(answered, false, "nobody is told");
        assert.ok((await exchange.status()).unreleased.age_ms > 100);
        cluster.kill("SIGCONT");
        assert.equal((await pending).status, 201);
    }
    cluster.kill("SIGCONT");
    await exchange.stop();
    assert.match(exchange.output, /everything is on disk/);
});
