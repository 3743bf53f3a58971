/* quiet_exchange.mjs - an exchange at rest with two brokers' orders in its book, to hold that wrong
 * requests change nothing of it. */
import assert from "node:assert/strict";

import { Exchange } from "./exchange.mjs";
import { GOOD } from "./wrong_orders.mjs";

/* Processes that clients' requests reach. */
const SERVING = ["core", "standby", "front", "reporter"];

export class QuietExchange extends Exchange {
    /** One order of each of two brokers; `mine` is the first one's, as it was answered. */
    static async open() {
        const self = new QuietExchange(["--quiet-market"]);
        await self.start();
        await self.reported();
        self.alpha = self.rest(0);
        self.beta = self.rest(1);
        const order = { ...GOOD, client_order_id: "mine" };
        self.mine = (await self.alpha.call("POST", "/v1/orders", order)).json;
        const other = { ...GOOD, side: "sell", limit_price: "250.00" };
        await self.beta.call("POST", "/v1/orders", other);
        return self;
    }

    async remove() {
        this.alpha?.close();
        this.beta?.close();
        await super.remove();
    }

    /* Everything about the state that a client can see. */
    async #look() {
        const seen = {};
        for (const client of [this.alpha, this.beta]) {
            for (const target of ["/v1/account", "/v1/positions", "/v1/orders?status=open"]) {
                seen[`${client.broker.name} ${target}`] = (await client.call("GET", target)).json;
            }
        }
        seen.depth = (await this.alpha.get("/v1/depth/AAPL?limit=1000")).json;
        seen.trades = (await this.alpha.get("/v1/trades/AAPL?limit=1000")).json;
        return seen;
    }

    async #commands() {
        return (await this.inJournal()).written_seq;
    }

    /** Runs `act` and holds that nobody's state and no log changed. `sequenced`: whether commands
     *  may have reached the journal. */
    async changesNothing(act, sequenced = false) {
        const [seen, count] = [await this.#look(), await this.#commands()];
        const logs = this.logs(SERVING);
        await act();
        assert.deepEqual(await this.#look(), seen, "the state a client can see");
        if (!sequenced) assert.equal(await this.#commands(), count, "commands in the journal");
        assert.equal(this.logs(SERVING), logs, "the logs");
    }

    /** The first order is as it was, and its broker can still cancel it. */
    async holdsMine() {
        const target = `/v1/orders/${this.mine.order_id}`;
        assert.deepEqual((await this.alpha.call("GET", target)).json, this.mine);
        assert.equal((await this.alpha.call("DELETE", target)).status, 200);
    }
}
