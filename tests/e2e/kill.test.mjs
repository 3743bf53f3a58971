/* kill.test.mjs - kill -9 of every process at any moment under load, and a primary that is stopped
 * rather than dead: nothing that was acknowledged is missing or doubled, in the engine, over the API
 * and in PostgreSQL.
 *
 * HOGA_KILLS says how many times (14), HOGA_SEED who and when, HOGA_DURABILITY when answers leave
 * (disk): shared memory survives processes, so at `memory` nothing may be lost either.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";

import { holdBooks, totals } from "./account_books.mjs";
import { Exchange, sleep, until } from "./exchange.mjs";
import { Crowd, randomOf } from "./traders.mjs";

const kills = Number(process.env.HOGA_KILLS ?? 14);
const seed = Number(process.env.HOGA_SEED ?? Date.now() % 1000000);

const running = (exchange, name) =>
    until(`${name} to run`, () => exchange.pid(name), 60000).then(Number);

async function kill(exchange, name) {
    process.kill(await running(exchange, name), "SIGKILL");
}

/* The two at once: nobody is there to take over, and whoever is started first recovers. */
async function killBoth(exchange) {
    const pids = [await running(exchange, "standby"), await running(exchange, "core")];
    for (const pid of pids) process.kill(pid, "SIGKILL");
}

/* Only looks alive: the standby must notice, and make sure that it never writes again. */
async function hang(exchange) {
    const pid = await running(exchange, "core");
    await running(exchange, "standby");
    process.kill(pid, "SIGSTOP");
    await until("the primary that hangs to be gone", () => isGone(pid), 60000);
}

function isGone(pid) {
    try {
        return fs.readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
    } catch {
        return true;
    }
}

/* While the standby's child writes one; it is the standby or the primary that dies. */
function killInSnapshot(victim) {
    return async (exchange) => {
        await running(exchange, "standby");
        const pid = await running(exchange, victim);
        const left = new Set(exchange.unfinishedSnapshots());
        const asked = exchange.run("snapshot", "--timeout", "10");
        const begun = () => exchange.unfinishedSnapshots().some((name) => !left.has(name));
        await until("a snapshot to be begun", begun, 3000).catch(() => {}); // it was too quick
        process.kill(pid, "SIGKILL");
        await asked;
    };
}

async function killSupervisor(exchange) {
    exchange.supervisor.kill("SIGKILL");
    await exchange.supervisor.ended;
    await exchange.start();
}

const VICTIMS = {
    core: (exchange) => kill(exchange, "core"),
    "core that hangs": hang,
    standby: (exchange) => kill(exchange, "standby"),
    "both cores": killBoth,
    "core in a snapshot": killInSnapshot("core"),
    "standby in a snapshot": killInSnapshot("standby"),
    front: (exchange) => kill(exchange, "front"),
    reporter: (exchange) => kill(exchange, "reporter"),
    supervisor: killSupervisor,
    postgresql: (exchange) => kill(exchange, "postgresql"),
};

test(`${kills} kills under load lose and double nothing`, { timeout: 7000000 }, async (t) => {
    t.diagnostic(`HOGA_SEED=${seed}`);
    const durability = process.env.HOGA_DURABILITY ?? "disk";
    const exchange = await Exchange.forTest(t, [
        "--quiet-market",
        "--snapshot-every",
        "2000",
        "--durability",
        durability,
    ]);
    const start = await totals(exchange);
    const crowd = new Crowd(exchange, seed);
    t.after(() => crowd.abandon());
    crowd.start();
    const times = await killThem(t, exchange, crowd);
    await crowd.stop();
    t.diagnostic(`${crowd.sent} orders, ${crowd.fills} fills told`);
    t.diagnostic(
        Object.entries(times)
            .map(([victim, count]) => `${victim} ${count}`)
            .join(", "),
    );
    assert.ok(crowd.sent > 20 * kills, "there was load");
    await holdBooks(exchange, crowd.ledgers, start);
});

async function killThem(t, exchange, crowd) {
    const random = randomOf(seed);
    const times = {};
    let bag = [];
    for (let done = 0; done < kills;) {
        await sleep(200 + random(1500));
        if (crowd.failed) {
            t.diagnostic(exchange.output);
            throw crowd.failed;
        }
        if (bag.length === 0) bag = Object.keys(VICTIMS);
        const [victim] = bag.splice(random(bag.length), 1);
        await VICTIMS[victim](exchange);
        times[victim] = (times[victim] ?? 0) + 1;
        done += 1;
        t.diagnostic(`kill ${done}: ${victim}`);
    }
    await until("the exchange to serve again", () => exchange.accepts(), 120000);
    await sleep(500);
    return times;
}
