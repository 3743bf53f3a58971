/* small_segments.mjs - an exchange whose journals are in segments of 64 KiB, so that a few thousand
 * orders fill several. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

import { buildDir, Exchange, hoga, until } from "./exchange.mjs";

/** Runs `hoga`; resolves to {code, stdout, stderr} however it ends. */
export function run(...args) {
    return new Promise((resolve) => {
        const options = { timeout: 120000, maxBuffer: 1 << 28 };
        execFile(hoga, args, options, (error, stdout, stderr) => {
            resolve({ code: error ? error.code : 0, stdout, stderr });
        });
    });
}

/** A core by itself on a data directory; `said()` is what it wrote. It ends with the test. */
export function startCore(dataDir, ...args) {
    const core = spawn(
        "setpriv",
        ["--pdeathsig", "TERM", path.join(buildDir, "hoga-core"), "--data", dataDir, ...args],
        { stdio: ["ignore", "ignore", "pipe"] },
    );
    let said = "";
    core.stderr.on("data", (bytes) => {
        said += bytes.toString();
    });
    core.said = () => said;
    core.ended = new Promise((resolve) => {
        core.once("exit", (code, signal) => resolve({ code, signal }));
    });
    return core;
}

export async function stopCore(core) {
    core.kill("SIGTERM");
    const { code } = await core.ended;
    assert.equal(code, 0, core.said());
}

/** Not started; its journal exists, and keeps the size that it was made with. */
export async function exchangeWithSmallSegments(args = ["--quiet-market"]) {
    const exchange = new Exchange(args);
    const core = startCore(exchange.dataDir, "--segment-bytes", "65536");
    const archive = exchange.path("journal", "in-0000000001.seg");
    await until("the first segment", () => fs.existsSync(archive) && fs.statSync(archive).size);
    await stopCore(core);
    return exchange;
}

/** Resting orders of the first broker, `keep-FROM` to `keep-TO`. */
export async function placeOrders(exchange, from, to) {
    const socket = await exchange.socket(0);
    const IN_FLIGHT = 50;
    for (let i = from; i <= to; i += IN_FLIGHT) {
        const batch = [];
        for (let n = i; n <= Math.min(to, i + IN_FLIGHT - 1); n += 1) {
            batch.push(
                socket.request("order.place", {
                    symbol: n % 2 ? "AAPL" : "MSFT",
                    side: "buy",
                    type: "limit",
                    qty: n,
                    limit_price: "50.00",
                    time_in_force: "gtc",
                    client_order_id: `keep-${n}`,
                }),
            );
        }
        await Promise.all(batch);
    }
    await socket.close();
}
