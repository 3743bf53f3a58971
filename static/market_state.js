/* market_state.js - the session that the instrument on the screen is in: open, halted, in an auction
 * with what it would give, or closed; and when that is over, where the exchange knows.
 *
 *   instrument (REST) --> show      status, auction (channels) --> status, auction --> draw
 */

import { element, oncePerFrame, setText, timeOfDay } from "./dom.js";
import { groupDigits, showPx } from "./px.js";

const WORDS = {
    closed: "Closed",
    pre_open: "Pre-open",
    opening_auction: "Opening auction",
    continuous: "Open",
    halt: "Halted",
    reopening_auction: "Reopening auction",
    closing_auction: "Closing auction",
};

export class MarketState {
    constructor(root) {
        this.root = root;
        this.words = element("span", "market-state-words");
        this.detail = element("span", "market-state-detail");
        root.append(this.words, this.detail);
        this.draw = oncePerFrame(() => this.#draw());
    }

    /** Starts over with another instrument, as it is listed. */
    show(instrument) {
        this.decimals = instrument.decimals;
        this.state = instrument.state;
        this.given = null;
        this.draw();
    }

    /** A push of the `status` channel. */
    status(push) {
        this.state = push;
        this.draw();
    }

    /** A push of the `auction` channel. */
    auction(push) {
        this.given = push.final ? null : push;
        this.draw();
    }

    #draw() {
        const { session, market_blocked: blocked, limit_state: limited } = this.state;
        const stopped = session === "continuous" && (blocked || limited);
        this.root.dataset.session = session;
        this.root.dataset.state = session === "continuous" && !stopped ? "open" : "other";
        const detail = this.#detail();
        const why = blocked ? "Stopped" : "At its price band";
        const words = stopped ? why : (WORDS[session] ?? session);
        const short = detail && session.endsWith("_auction"); // there is little room
        setText(this.words, short ? "Auction" : words);
        setText(this.detail, detail);
        this.root.title = `${words} ${detail}`.trim();
    }

    #detail() {
        const { session, ends_at: endsAt, next_change_at: nextAt } = this.state;
        if (session.endsWith("_auction") && this.given?.price) {
            const { paired_qty: qty, price } = this.given;
            return `${groupDigits(qty)} at ${showPx(price, this.decimals)}`;
        }
        if (session === "continuous") return "";
        const at = endsAt ?? nextAt;
        return at ? `until ${timeOfDay(at)}` : "";
    }
}
