/* verify.test.mjs - hoga verify as compliance runs it: on a copy of a data directory, with nothing
 * running and nothing written; a changed, missing or swapped segment is found, and a whole forged
 * history by a link that was kept elsewhere. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

import { until } from "./exchange.mjs";
import { flipByte, records, segmentFiles } from "./journal_file.mjs";
import {
    exchangeWithSmallSegments,
    placeOrders,
    run,
    startCore,
    stopCore,
} from "./small_segments.mjs";

const ORDERS = 3000;
const LATER_ORDERS = 1200;
let exchange;
let links; // of `in`, oldest first
let middle; // of the first life's end: {snapshot, mark}
let copyCount = 0;
let copies;

const sha256 = (bytes) => crypto.createHash("sha256").update(bytes).digest("hex");
const verify = (dataDir, ...args) => run("verify", "--data", dataDir, ...args);

before(async () => {
    copies = fs.mkdtempSync(path.join(os.tmpdir(), "hoga-verify-"));
    exchange = await exchangeWithSmallSegments();
    await exchange.start();
    await placeOrders(exchange, 1, ORDERS);
    await exchange.reported();
    await exchange.stop();
    middle = {
        snapshot: fs.readdirSync(exchange.path("snapshots")).sort().at(-1),
        mark: fs.readFileSync(exchange.path("journal", "readers", "reporter"), "utf8"),
    };
    await exchange.start();
    await placeOrders(exchange, ORDERS + 1, ORDERS + LATER_ORDERS);
    await exchange.reported();
    await until("the full segments to be sealed", () => chain("in").length >= 7);
    await exchange.stop();
    links = chain("in").map(({ link }) => link);
});

after(async () => {
    await exchange?.remove();
    fs.rmSync(copies, { recursive: true, force: true });
});

/* The lines of a chain: [{words, link}, ...]. */
function chain(kind, dataDir = exchange.dataDir) {
    const file = path.join(dataDir, "journal", `${kind}.chain`);
    if (!fs.existsSync(file)) return [];
    return fs
        .readFileSync(file, "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => {
            const words = line.split(" ");
            return { words: words.slice(0, -1), link: words.at(-1) };
        });
}

/* What an auditor is given. */
function copy() {
    const dir = path.join(copies, String((copyCount += 1)));
    for (const name of ["instance", "journal", "snapshots"]) {
        fs.cpSync(exchange.path(name), path.join(dir, name), {
            recursive: true,
            preserveTimestamps: true,
        });
    }
    return dir;
}

/* Every file below a directory with its hash and times. */
function contents(dir) {
    return fs
        .readdirSync(dir, { recursive: true })
        .sort()
        .map((name) => {
            const file = path.join(dir, name);
            const { mtimeMs, size } = fs.statSync(file);
            const isFile = fs.statSync(file).isFile();
            return { name, mtimeMs, size, hash: isFile ? sha256(fs.readFileSync(file)) : null };
        });
}

async function refusal(dir, ...args) {
    const { code, stdout, stderr } = await verify(dir, ...args);
    assert.equal(code, 1, stdout + stderr);
    assert.match(stdout, /the archive is not good/);
    return stderr;
}

/* A chain over the segments as they are, by nothing but what chain.h says. */
function forgeChain(dir, kind) {
    let link = sha256(fs.readFileSync(path.join(dir, "instance"), "utf8").trim() + kind);
    const lines = chain(kind, dir).map(({ words }) => {
        const [, number] = words;
        const file = path.join(dir, "journal", `${kind}-${number.padStart(10, "0")}.seg`);
        const text = [...words.slice(0, 4), sha256(fs.readFileSync(file))].join(" ");
        link = sha256(link + text);
        return `${text} ${link}\n`;
    });
    fs.writeFileSync(path.join(dir, "journal", `${kind}.chain`), lines.join(""));
}

/* CRC-32C, bit by bit (Castagnoli's polynomial, reflected), begun with `seed` as the records do. */
function crc32c(seed, bytes) {
    let crc = ~seed;
    for (const byte of bytes) {
        crc ^= byte;
        for (let i = 0; i < 8; i += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc >>> 0;
}

/* Changes one byte of a record and mends its checksum: a forger who knows the format. */
function forgeRecord(file, record, at) {
    const bytes = fs.readFileSync(file);
    const lag = bytes.readUInt16LE(record.offset + 2);
    const body = bytes.subarray(record.offset + 8, record.offset + record.length);
    assert.equal(bytes.readUInt32LE(record.offset + 4), crc32c(lag, body), "the checksum's rule");
    body[at - 8] ^= 1;
    bytes.writeUInt32LE(crc32c(lag, body), record.offset + 4);
    fs.writeFileSync(file, bytes);
}

describe("a good archive", () => {
    test("is good, by the exchange itself and by a copy, and nothing is written", async () => {
        for (const dir of [exchange.dataDir, copy()]) {
            const was = contents(path.join(dir, "journal"));
            const names = fs.readdirSync(dir).sort();
            const { code, stdout, stderr } = await verify(dir);
            assert.equal(code, 0, stderr);
            assert.match(stdout, /the archive is good\n$/);
            const said = new RegExp(`^in: segments as they were sealed ${links.length}, `, "m");
            assert.match(stdout, said);
            assert.ok(stdout.includes(`newest link ${links.at(-1)}`), stdout);
            assert.ok(stdout.includes(`newest link ${chain("out").at(-1).link}`), stdout);
            const commands = Number(stdout.match(/commands (\d+), events compared/)[1]);
            assert.ok(commands > ORDERS, stdout);
            assert.deepEqual(contents(path.join(dir, "journal")), was);
            assert.deepEqual(fs.readdirSync(dir).sort(), names);
        }
    });

    test("contains every link that anybody has kept, and no other", async () => {
        const dir = copy();
        for (const link of [links[0], links.at(-1), chain("out")[1].link.toUpperCase()]) {
            const { code, stdout } = await verify(dir, "--link", link);
            assert.equal(code, 0, stdout);
            assert.match(stdout, /lies on this chain/);
        }
        assert.match(await refusal(dir, "--link", sha256("another")), /lies on neither chain/);
        assert.equal((await verify(dir, "--link", "abc")).code, 64);
    });
});

describe("an archive that was changed", () => {
    test("in a byte that no record covers: the segment is named", async () => {
        const dir = copy();
        flipByte(segmentFiles(dir, "out")[1], 1000);
        assert.match(await refusal(dir), /segment 2 of out is not what it was when it was sealed/);
    });

    test("by a segment that is gone", async () => {
        const dir = copy();
        fs.rmSync(segmentFiles(dir, "in")[2]);
        assert.match(await refusal(dir), /segment 3 of in is missing/);
    });

    test("by a segment in another's place", async () => {
        const dir = copy();
        const [first, second] = segmentFiles(dir, "in");
        fs.copyFileSync(first, second);
        assert.match(await refusal(dir), /segment 2 of in is not what it was/);
    });

    test("in its chain", async () => {
        const dir = copy();
        const file = path.join(dir, "journal", "in.chain");
        const text = fs.readFileSync(file, "utf8");
        fs.writeFileSync(file, text.replace("seal 2 ", "seal 2 1"));
        assert.match(await refusal(dir), /in\.chain: offset \d+: this line does not follow/);
    });

    test("in an event that is not sealed yet: replay finds it", async () => {
        const dir = copy();
        const file = segmentFiles(dir, "out")
            .filter((name) => name.endsWith(".seg") && records(name).length > 2)
            .at(-1);
        const record = records(file).at(-2);
        forgeRecord(file, record, 60); // within the message
        const said = await refusal(dir);
        assert.match(said, new RegExp(`event ${record.seq} is not what command \\d+ gives`));
    });

    test("as a whole, its chain written anew: only a link kept elsewhere tells", async () => {
        const dir = copy();
        const file = segmentFiles(dir, "in")[1];
        const [record] = records(file);
        forgeRecord(file, record, 48 + 32); // keep-N becomes jeep-N: replay makes the same events
        forgeChain(dir, "in");
        const { code, stdout, stderr } = await verify(dir);
        assert.equal(code, 0, stdout + stderr);
        const before = await verify(dir, "--link", links[0]);
        assert.equal(before.code, 0, "nothing was changed before");
        assert.match(await refusal(dir, "--link", links.at(-1)), /lies on neither chain/);
    });
});

describe("an archive that ends early", () => {
    const lastFile = (dir, kind) =>
        segmentFiles(dir, kind)
            .filter((name) => name.endsWith(".seg") && records(name).length > 30)
            .at(-1);

    /* Without its last records, as if they had never reached the disk; the last one torn. */
    function cut(file, isSafe) {
        const record = records(file).at(-20);
        fs.truncateSync(file, record.offset + 40);
        if (isSafe) return;
        const handle = fs.openSync(file, "r+"); // nor had anything said that they were safe
        fs.writeSync(handle, Buffer.alloc(16), 0, 16, 64);
        fs.closeSync(handle);
    }

    test("by a loss of power is good: what was not safe was told to nobody", async () => {
        for (const [kind, said] of [
            ["in", /events whose commands the last crash kept from disk, to be cut: \d\d/],
            ["out", /events that the last crash kept from disk 20,/],
        ]) {
            const dir = copy();
            fs.rmSync(path.join(dir, "snapshots"), { recursive: true });
            cut(lastFile(dir, kind), false);
            const { code, stdout, stderr } = await verify(dir);
            assert.equal(code, 0, stdout + stderr);
            assert.match(stdout, said);
            assert.match(stderr, /torn end cut/);
        }
    });

    test("before what had been safe is not", async () => {
        for (const kind of ["in", "out"]) {
            const dir = copy();
            cut(lastFile(dir, kind), true);
            assert.match(await refusal(dir), /THE FILE IS SHORTER THAN WHAT HAD BEEN SAFE/);
        }
    });
});

describe("an archive whose beginning the rule of retention has removed", () => {
    let dir;
    const names = (kind) => segmentFiles(dir, kind).map((file) => path.basename(file));

    before(async () => {
        dir = copy();
        const readers = path.join(dir, "journal", "readers");
        assert.deepEqual(fs.readdirSync(readers), ["reporter"], "it has told what it needs");
        const needed = fs.readFileSync(path.join(readers, "reporter"), "utf8");
        assert.ok(parseInt(needed) > parseInt(middle.mark), "and went on");
        // the snapshot of the end is lost, and a standby would note what the one before it needs
        const newest = fs.readdirSync(path.join(dir, "snapshots")).sort().at(-1);
        assert.notEqual(newest, middle.snapshot);
        fs.rmSync(path.join(dir, "snapshots", newest));
        fs.writeFileSync(path.join(readers, "snapshots"), middle.mark);
        const first = parseInt(middle.mark);
        assert.ok(first > 3, middle.mark);
        const core = startCore(dir, "--keep-segments", "1");
        for (const kind of ["in", "out"]) {
            const oldest = `${kind}-${String(first).padStart(10, "0")}.seg`;
            await until(`${oldest} to be the oldest`, () => names(kind)[0] === oldest);
        }
        await stopCore(core);
        assert.match(core.said(), /replayed [1-9]\d* commands behind snapshot/);
    });

    test("is checked, and replayed from its oldest snapshot", async () => {
        const { code, stdout, stderr } = await verify(dir);
        assert.equal(code, 0, stdout + stderr);
        assert.match(stdout, /^in: segments as they were sealed \d+, removed by rule [1-9]/m);
        const seq = parseInt(middle.snapshot, 10);
        assert.ok(stdout.includes(`replay begins at snapshot ${seq}: what was before`), stdout);
        assert.match(stderr, /snapshot 2 is passed over: the journals do not go on from it/);
        const commands = Number(stdout.match(/commands (\d+), events compared/)[1]);
        assert.ok(commands >= LATER_ORDERS, stdout);
        assert.match(stdout, /records checked up to the snapshot: \d+ of in, \d+ of out/);
        assert.match(stdout, /the archive is good\n$/);
    });

    test("still has the links from before", async () => {
        assert.equal((await verify(dir, "--link", links[0])).code, 0);
    });

    test("is journalled from where it begins", async () => {
        const { code, stdout } = await run("journal", "stat", "--data", dir, "--journal", "in");
        assert.equal(code, 0);
        assert.ok(JSON.parse(stdout).first_seq > 1);
        const gone = await run("journal", "cat", "--data", dir, "--from", "1");
        assert.equal(gone.code, 1);
        assert.match(gone.stderr, /what was before was removed, sequence 1 with it/);
    });

    test("is named where it was changed, also before the snapshot", async () => {
        const file = segmentFiles(dir, "in")[0];
        const [record] = records(file);
        flipByte(file, record.offset + 50);
        assert.match(await refusal(dir), /segment \d+ of in is not what it was/);
        flipByte(file, record.offset + 50);
        assert.equal((await verify(dir)).code, 0);
    });

    test("passes over a damaged snapshot, and does without any", async () => {
        const snapshots = path.join(dir, "snapshots");
        for (const name of fs.readdirSync(snapshots)) {
            const file = path.join(snapshots, name);
            flipByte(file, fs.statSync(file).size - 20);
        }
        const damaged = await verify(dir);
        assert.match(damaged.stderr, /snapshot \d+ is passed over: it is damaged/);
        assert.equal(damaged.code, 0, damaged.stderr);
        assert.match(damaged.stdout, /good as far as it goes; nothing was replayed/);
        fs.rmSync(snapshots, { recursive: true });
        const none = await verify(dir);
        assert.equal(none.code, 0, none.stderr);
        assert.match(none.stdout, /records checked: \d+ of in, \d+ of out/);
    });
});

test("an exchange that runs is verified by a copy, taken in README's order", async () => {
    await exchange.start();
    const { code, stderr } = await verify(exchange.dataDir);
    assert.equal(code, 1);
    assert.match(stderr, /is running; hoga down stops it, or verify a copy/);
    const from = ORDERS + LATER_ORDERS + 1;
    const placed = placeOrders(exchange, from, from + 2999);
    const sealed = chain("in").length;
    for (let i = 0; i < 5; i += 1) {
        const dir = path.join(copies, `running-${i}`);
        fs.mkdirSync(path.join(dir, "journal"), { recursive: true });
        const script = `
            cp journal/*.chain ${dir}/journal/
            sleep 0.2
            cp journal/*.seg ${dir}/journal/
            cp -r instance snapshots ${dir}/`;
        await promisify(execFile)("sh", ["-ec", script], { cwd: exchange.dataDir });
        const copied = await verify(dir);
        assert.equal(copied.code, 0, copied.stdout + copied.stderr);
    }
    await placed;
    await until("more to be sealed", () => chain("in").length > sealed + 2);
    await exchange.stop();
    assert.equal((await verify(exchange.dataDir, "--link", links.at(-1))).code, 0);
});
