/* fill_table.js - the account's newest fills. */

import { element, oncePerFrame, setShown, timeOfDay } from "./dom.js";
import { formatPx, groupDigits } from "./px.js";

const REST_MS = 150; // a busy account must not keep the page from drawing its book

export class FillTable {
    /** `decimalsOf(symbol)` says how prices are shown. */
    constructor(root, orders, decimalsOf) {
        this.orders = orders;
        this.decimalsOf = decimalsOf;
        this.body = root.querySelector("tbody");
        this.table = root.querySelector("table");
        this.empty = root.querySelector(".empty");
        this.rows = new Map();
        this.draw = oncePerFrame(() => this.#draw(), REST_MS);
        orders.addEventListener("change", this.draw);
    }

    #draw() {
        const { fills } = this.orders;
        const rows = new Map();
        for (const fill of fills) {
            const row = this.rows.get(fill.execId) ?? this.#row(fill);
            row.classList.toggle("busted", fill.busted);
            rows.set(fill.execId, row);
        }
        for (const [execId, row] of this.rows) if (!rows.has(execId)) row.remove();
        let before = this.body.firstElementChild;
        for (const row of rows.values()) {
            if (row === before) before = before.nextElementSibling;
            else this.body.insertBefore(row, before);
        }
        this.rows = rows;
        setShown(this.table, fills.length > 0);
        setShown(this.empty, fills.length === 0);
    }

    #row(fill) {
        const bought = fill.side === "buy";
        return element(
            "tr",
            "",
            element("td", "cell-time", timeOfDay(fill.time)),
            element("td", "cell-symbol", fill.symbol),
            element("td", `cell-side ${bought ? "rose" : "fell"}`, bought ? "Buy" : "Sell"),
            element("td", "number", formatPx(fill.px, this.decimalsOf(fill.symbol))),
            element("td", "number", groupDigits(fill.qty)),
            element("td", "number cell-value", formatPx(fill.px * fill.qty, 2)),
            element("td", "cell-liquidity", fill.liquidity ?? ""),
        );
    }
}
