/* tape.js - the trades as they happen, newest above, coloured by the side that took. */

import { element, oncePerFrame, timeOfDay } from "./dom.js";
import { groupDigits, showPx } from "./px.js";

const KEPT = 80;

export class Tape {
    constructor(root) {
        this.list = element("ol", "tape-rows");
        this.empty = element("p", "empty", "No trades yet.");
        root.append(this.list, this.empty);
        this.waiting = [];
        this.decimals = 2;
        this.draw = oncePerFrame(() => this.#draw());
    }

    /** Starts over with another instrument or a new connection. */
    clear(decimals) {
        this.decimals = decimals;
        this.waiting = [];
        this.list.replaceChildren();
        this.empty.hidden = false;
    }

    /** Trades in ascending order. */
    add(trades) {
        this.waiting.push(...trades);
        if (this.waiting.length > KEPT) this.waiting = this.waiting.slice(-KEPT);
        this.draw();
    }

    /** A trade was taken back. */
    bust(tradeId) {
        for (const trade of this.waiting) if (trade.trade_id === tradeId) trade.busted = true;
        this.list.querySelector(`[data-trade-id="${tradeId}"]`)?.classList.add("busted");
    }

    #draw() {
        if (this.waiting.length === 0) return;
        this.empty.hidden = true;
        this.list.prepend(...this.waiting.reverse().map((trade) => this.#row(trade)));
        this.waiting = [];
        while (this.list.childElementCount > KEPT) this.list.lastElementChild.remove();
    }

    #row(trade) {
        const side = trade.taker_side ? `tape-${trade.taker_side}` : "tape-auction";
        const row = element(
            "li",
            `tape-row ${side}${trade.busted ? " busted" : ""}`,
            element("span", "tape-price", showPx(trade.price, this.decimals)),
            element("span", "tape-qty", groupDigits(trade.qty)),
            element("time", "tape-time", timeOfDay(trade.time)),
        );
        row.dataset.tradeId = trade.trade_id;
        return row;
    }
}
