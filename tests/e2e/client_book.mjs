/* client_book.mjs - a book as a client keeps it from the `book` channel, written plainly and apart
 * from the page's own, to hold the stream against. */
import assert from "node:assert/strict";

import { bookChecksum } from "./crc32.mjs";

export class ClientBook {
    constructor(depth) {
        this.depth = depth;
        this.seq = 0;
        this.updateId = null;
        this.bids = new Map();
        this.asks = new Map();
    }

    /** Applies one push and holds everything that must be true of it. */
    apply(push) {
        this.seq += 1;
        assert.equal(push.seq, this.seq, "the subscription's sequence has no gap");
        if (push.type === "snapshot") {
            this.bids.clear();
            this.asks.clear();
        } else {
            assert.equal(push.type, "update");
            assert.ok(push.U <= push.u, "U is not after u");
            assert.equal(push.U, this.updateId + 1, "updates follow each other");
        }
        this.updateId = push.u;
        for (const [side, levels] of [
            [this.bids, push.bids],
            [this.asks, push.asks],
        ]) {
            for (const [price, qty] of levels) {
                assert.match(price, /^\d+\.\d{4}$/);
                if (qty === 0) assert.ok(side.delete(price), `${price} was there to be removed`);
                else side.set(price, qty);
            }
            assert.ok(side.size <= this.depth, "no deeper than was asked for");
        }
        const { bids, asks } = this.levels();
        assert.equal(bookChecksum(asks, bids), push.checksum, "the checksum");
    }

    /** Both sides as GET /v1/depth has them. */
    levels() {
        const sorted = (side, sign) => [...side].sort(([a], [b]) => sign * (Number(a) - Number(b)));
        return { bids: sorted(this.bids, -1), asks: sorted(this.asks, 1) };
    }
}
