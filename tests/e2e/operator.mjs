/* operator.mjs - an administrator at the command line: `hoga admin` against a running exchange. */
import { execFile } from "node:child_process";

import { hoga } from "./exchange.mjs";
import { RestClient } from "./rest.mjs";

/** Runs the tool; {code, stdout, stderr}, whatever comes of it. */
export function runAdmin(args) {
    return new Promise((resolve) => {
        execFile(hoga, ["admin", ...args], (error, stdout, stderr) => {
            resolve({ code: error ? error.code : 0, stdout, stderr });
        });
    });
}

/* {maxOrderQty: 5, market: true} to --max-order-qty 5 --market. */
function optionsOf(options) {
    return Object.entries(options).flatMap(([name, value]) => {
        const dashed = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
        if (value === true) return [dashed];
        return [dashed, String(value)];
    });
}

export class Operator {
    constructor(exchange) {
        this.exchange = exchange;
    }

    /** A command that is carried out; its answer. */
    async does(command, options = {}) {
        const args = [command, "--data", this.exchange.dataDir, ...optionsOf(options)];
        const { code, stdout, stderr } = await runAdmin(args);
        if (code !== 0) throw new Error(`${command} ended with ${code}: ${stdout}${stderr}`);
        return JSON.parse(stdout);
    }

    /** A command that the exchange refuses; the code why. */
    async isRefused(command, options = {}) {
        const args = [command, "--data", this.exchange.dataDir, ...optionsOf(options)];
        const { code, stdout, stderr } = await runAdmin(args);
        if (code !== 1) throw new Error(`${command} ended with ${code}: ${stdout}${stderr}`);
        return JSON.parse(stdout).error.code;
    }

    /** An account with a user and a key of the same number; a client that trades for it. */
    async opens(account, name) {
        await this.does("open-account", { account, name });
        await this.does("add-user", { user: account, account, name: `${name}'s trader` });
        const key = await this.does("add-key", { user: account, scopes: "read,trade" });
        return new RestClient(this.exchange.demo.rest, key);
    }
}
