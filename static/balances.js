/* balances.js - the account's cash and shares: available, and held behind open orders.
 *
 * Read again after executions, at most once a period, however many come.
 * Events: "change".
 */

import { element, setShown, setText } from "./dom.js";
import { formatCash, groupDigits, parsePx } from "./px.js";
import { getSigned } from "./rest.js";

const PERIOD_MS = 400;

export class Balances extends EventTarget {
    constructor(root) {
        super();
        this.body = root.querySelector("tbody");
        this.content = root.querySelector(".balances-content");
        this.empty = root.querySelector(".empty");
        const part = (name) => root.querySelector(`[data-cash="${name}"]`);
        this.cash = part("total");
        this.available = part("available");
        this.held = part("held");
        this.signer = null;
        this.clear();
    }

    clear() {
        this.account = null;
        this.positions = new Map();
        clearTimeout(this.timer);
        this.timer = null;
        this.#draw();
    }

    /** Whose balances to read; null for nobody's. */
    setSigner(signer) {
        this.signer = signer;
        this.clear();
        if (signer) this.refreshSoon();
    }

    refreshSoon() {
        if (this.timer !== null || !this.signer) return;
        this.timer = setTimeout(() => this.#refresh(), PERIOD_MS);
    }

    /** Cash that may be spent, in 1/10000; null while it is not known. */
    get availableCash() {
        return this.account ? parsePx(this.account.available_cash) : null;
    }

    /** Shares of a symbol that may be sold; null while that is not known. */
    availableQty(symbol) {
        if (!this.account) return null;
        return this.positions.get(symbol)?.available_qty ?? 0;
    }

    async #refresh() {
        const signer = this.signer;
        this.timer = null;
        try {
            const account = await getSigned(signer, "/v1/account");
            const { positions } = await getSigned(signer, "/v1/positions");
            if (signer !== this.signer) return;
            this.account = account;
            this.positions = new Map(positions.map((position) => [position.symbol, position]));
            this.#draw();
        } catch {
            // Read again with the next execution or connection; the banner tells of the latter.
        }
    }

    #draw() {
        setShown(this.content, this.account !== null);
        setShown(this.empty, this.account === null);
        if (this.account) {
            setText(this.cash, formatCash(parsePx(this.account.cash)));
            setText(this.available, formatCash(parsePx(this.account.available_cash)));
            setText(this.held, formatCash(parsePx(this.account.held_cash)));
            this.body.replaceChildren(...[...this.positions.values()].map(positionRow));
        }
        this.dispatchEvent(new Event("change"));
    }
}

function positionRow(position) {
    return element(
        "tr",
        "",
        element("td", "cell-symbol", position.symbol),
        element("td", "number", groupDigits(position.qty)),
        element("td", "number", groupDigits(position.available_qty)),
        element("td", "number", groupDigits(position.held_qty)),
    );
}
