/* exchange.mjs - a private exchange for a test: real processes under a directory of its own, on
 * ports that the kernel chose, gone with the test.
 *
 * HOGA_BUILD names the build directory. The supervisor runs as a child of the test and is ended by
 * the kernel when the test dies, so even a test that is killed leaves nothing running.
 */
import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { RestClient } from "./rest.mjs";
import { SocketClient } from "./socket.mjs";

const run = promisify(execFile);
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const START_MS = 120000;
const STOP_MS = 60000;

export const buildDir = path.resolve(process.env.HOGA_BUILD ?? path.join(root, "build"));
export const hoga = path.join(buildDir, "hoga");

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Repeats `probe` until it gives something true, and gives that; an error of the probe counts as
 *  not yet. `what` is for the message when the time is over. */
export async function until(what, probe, withinMs = 30000) {
    const end = Date.now() + withinMs;
    let last = null;
    for (;;) {
        try {
            const value = await probe();
            if (value) return value;
            last = null;
        } catch (error) {
            last = error;
        }
        if (Date.now() > end) {
            throw new Error(`waited ${withinMs} ms in vain for ${what}`, { cause: last });
        }
        await sleep(25);
    }
}

export class Exchange {
    /** `args` go to `hoga up` besides the directory and the ports, `env` besides our environment;
     *  it runs behind the words of `under`. */
    constructor(args = ["--quiet-market"], { env = {}, under = [] } = {}) {
        this.args = args;
        this.env = env;
        this.under = under;
        this.dataDir = fs.mkdtempSync(path.join(os.tmpdir(), "hoga-e2e-"));
        fs.chmodSync(this.dataDir, 0o755); // PostgreSQL's own user must get through
        this.supervisor = null;
        this.output = "";
    }

    /** Starts one, and stops and removes it after the test `t`. */
    static async forTest(t, args) {
        const exchange = new Exchange(args);
        t.after(() => exchange.remove());
        await exchange.start();
        return exchange;
    }

    /** Starts `hoga up`; resolves when orders are accepted over both interfaces. */
    async start() {
        const startedMs = Date.now();
        const supervisor = this.spawn();
        await until(
            "the exchange to come up",
            async () => {
                if (supervisor.exitCode !== null || supervisor.signalCode !== null) return true;
                if (fs.statSync(this.path("demo.json")).mtimeMs < startedMs - 1000) return false;
                return this.accepts();
            },
            START_MS,
        ).catch((error) => {
            throw new Error(`${error.message}\n${this.output}`, { cause: error });
        });
        if (supervisor.exitCode !== null || supervisor.signalCode !== null) {
            throw new Error(`hoga up ended with ${supervisor.exitCode}:\n${this.output}`);
        }
    }

    /** Starts `hoga up` and waits for nothing. */
    spawn() {
        const args = [
            "up",
            "--data",
            this.dataDir,
            "--rest-port",
            "0",
            "--ws-port",
            "0",
            ...this.args,
        ];
        const words = ["--pdeathsig", "TERM", ...this.under, hoga, ...args];
        const supervisor = spawn("setpriv", words, {
            stdio: ["ignore", "pipe", "pipe"],
            env: { ...process.env, ...this.env },
        });
        this.output = "";
        const keep = (bytes) => {
            this.output = (this.output + bytes.toString()).slice(-65536);
        };
        supervisor.stdout.on("data", keep);
        supervisor.stderr.on("data", keep);
        supervisor.ended = new Promise((resolve) => {
            supervisor.once("exit", (code, signal) => resolve({ code, signal }));
        });
        this.supervisor = supervisor;
        return supervisor;
    }

    /** Whether both interfaces serve; reads where they are anew. */
    async accepts() {
        this.demo = JSON.parse(fs.readFileSync(this.path("demo.json"), "utf8"));
        const rest = this.rest(0);
        try {
            const account = await rest.call("GET", "/v1/account");
            if (account.status !== 200) return false;
            const socket = await this.socket();
            socket.close();
            return true;
        } finally {
            rest.close();
        }
    }

    path(...parts) {
        return path.join(this.dataDir, ...parts);
    }

    broker(index) {
        return this.demo.brokers[index];
    }

    /** A client of the broker of this index; null for a public one. */
    rest(index = null) {
        return new RestClient(this.demo.rest, index === null ? null : this.broker(index));
    }

    /** A connection, signed in as the broker of this index unless that is null. */
    async socket(index = null) {
        const socket = await SocketClient.open(this.demo.ws);
        if (index !== null) await socket.signIn(this.broker(index));
        return socket;
    }

    async status() {
        const { stdout } = await run(hoga, ["status", "--json", "--data", this.dataDir]);
        return JSON.parse(stdout);
    }

    /** A command of `hoga` on this exchange: {code, stdout, stderr}, however it ends. */
    run(command, ...args) {
        const words = [command, "--data", this.dataDir, ...args];
        return new Promise((resolve) => {
            execFile(hoga, words, { timeout: 120000 }, (error, stdout, stderr) => {
                resolve({ code: error ? error.code : 0, stdout, stderr });
            });
        });
    }

    /** A process of `hoga status` by its name. */
    async process(name) {
        const { processes } = await this.status();
        return processes.find((one) => one.name === name);
    }

    /** Files of snapshots that are being written, or that a killed writer left. */
    unfinishedSnapshots() {
        const names = fs.existsSync(this.path("snapshots"))
            ? fs.readdirSync(this.path("snapshots"))
            : [];
        return names.filter((name) => !name.endsWith(".snap"));
    }

    /** How far the journal of commands is: {written_seq, durable_seq, released_seq}. */
    async inJournal() {
        return (await this.status()).cursors.in;
    }

    /** Resolves when PostgreSQL has everything that is released now. */
    async reported() {
        const { released_seq: released } = await this.inJournal();
        await until(
            "the reporter to catch up",
            async () => {
                const { processes } = await this.status();
                return processes.find(({ name }) => name === "reporter").in_seq >= released;
            },
            120000,
        );
    }

    /** The pid of a process by its name in `hoga status`; null when it is not running. */
    async pid(name) {
        const { processes } = await this.status();
        return processes.find((one) => one.name === name && one.state === "running")?.pid ?? null;
    }

    /** Rows of an SQL query, each an array of strings. */
    sql(query) {
        return this.#query(query, []);
    }

    /** The same as the owner of the tables; `hoga.` names them. */
    owner(query) {
        return this.#query(query, ["--owner"]);
    }

    async #query(query, as) {
        const args = ["psql", "--data", this.dataDir, ...as, "-AtX", "-F", "\t", "-c", query];
        const { stdout } = await run(hoga, args, { maxBuffer: 1 << 28 });
        return stdout
            .split("\n")
            .filter(Boolean)
            .map((line) => line.split("\t"));
    }

    /** Ends it as Ctrl-C would. */
    async stop() {
        const { supervisor } = this;
        if (!supervisor || supervisor.exitCode !== null || supervisor.signalCode !== null) return;
        supervisor.kill("SIGTERM");
        const timer = setTimeout(() => supervisor.kill("SIGKILL"), STOP_MS);
        this.ending = await supervisor.ended;
        clearTimeout(timer);
    }

    /** What these processes wrote to their logs. */
    logs(names) {
        return names
            .map((name) => fs.readFileSync(this.path("log", `${name}.log`), "utf8"))
            .join("\n");
    }

    async remove() {
        await this.stop();
        if (process.env.HOGA_KEEP) {
            console.log(`kept: ${this.dataDir}`);
            return;
        }
        // A start that was refused leaves its shared memory for the next one.
        const id = this.path("instance");
        if (fs.existsSync(id)) {
            const shared = `/dev/shm/hoga-${fs.readFileSync(id, "utf8").trim()}`;
            fs.rmSync(shared, { recursive: true, force: true });
        }
        fs.rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
    }
}
