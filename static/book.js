/* book.js - one instrument's book as the `book` channel tells it: a snapshot, then absolute
 * changes, each with a checksum over the best ten levels of both sides.
 *
 * Both sides are arrays of {px, qty}, best first, so that the ladder reads them as they are.
 */

import { crc32 } from "./crc32.js";
import { parsePx } from "./px.js";

const CHECKSUM_LEVELS = 10;

export class Book {
    constructor() {
        this.clear();
    }

    clear() {
        this.bids = [];
        this.asks = [];
        this.updateId = null;
    }

    /** Applies one message of the channel. False when the book is not what the exchange has:
     *  an update before the snapshot, or a checksum that differs. */
    apply(message) {
        if (message.type === "snapshot") {
            this.clear();
        } else if (this.updateId === null) {
            return false;
        }
        for (const [price, qty] of message.bids) place(this.bids, parsePx(price), qty, -1);
        for (const [price, qty] of message.asks) place(this.asks, parsePx(price), qty, 1);
        this.updateId = message.u;
        return this.checksum() === message.checksum;
    }

    checksum() {
        const side = (levels) =>
            levels
                .slice(0, CHECKSUM_LEVELS)
                .map((level) => `${level.px}${level.qty}`)
                .join("");
        return crc32(side(this.asks) + side(this.bids));
    }

    get bestBid() {
        return this.bids[0] ?? null;
    }

    get bestAsk() {
        return this.asks[0] ?? null;
    }
}

/* Sets one level of a side sorted by px times direction; a quantity of 0 removes it. */
function place(levels, px, qty, direction) {
    let low = 0;
    let high = levels.length;
    while (low < high) {
        const middle = (low + high) >>> 1;
        if ((levels[middle].px - px) * direction < 0) low = middle + 1;
        else high = middle;
    }
    const found = low < levels.length && levels[low].px === px;
    if (qty === 0) {
        if (found) levels.splice(low, 1);
    } else if (found) {
        levels[low].qty = qty;
    } else {
        levels.splice(low, 0, { px, qty });
    }
}
