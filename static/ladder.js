/* ladder.js - draws the book: asks above, the spread, bids below, bars as long as the quantity
 * that a trade must go through to reach the level.
 *
 * Rows are made once and refilled. One of them is a tab stop; arrow keys move along the levels and
 * Enter takes the price, as a click does.
 */

import { element, oncePerFrame, setText } from "./dom.js";
import { formatPx, groupDigits } from "./px.js";

const ROW_HEIGHT_PX = 21;
const LEVELS_MIN = 5;
const LEVELS_MAX = 20;

export class Ladder {
    /** `onPick(px, side)` gets the price and which side of the book it stands on. */
    constructor(root, onPick) {
        this.root = root;
        this.onPick = onPick;
        this.book = null;
        this.decimals = 2;
        this.ownPxs = new Map();
        this.asks = element("div", "ladder-side ladder-asks");
        this.bids = element("div", "ladder-side ladder-bids");
        this.spreadValue = element("span", "ladder-spread-value", "–");
        this.spreadBps = element("span", "ladder-spread-bps");
        this.mid = element("span", "ladder-mid", "–");
        const spread = element(
            "div",
            "ladder-spread",
            this.mid,
            element("span", "ladder-spread-label", "Spread "),
            this.spreadValue,
            this.spreadBps,
        );
        const body = element("div", "ladder-body", this.asks, spread, this.bids);
        root.append(body);
        this.levels = 0;
        this.draw = oncePerFrame(() => this.#draw());
        new ResizeObserver(() => this.#fit(body)).observe(body);
        root.addEventListener("keydown", (event) => this.#move(event));
    }

    show(book, decimals) {
        this.book = book;
        this.decimals = decimals;
        this.draw();
    }

    /** Prices at which the account has open orders: a Map of "buy:px" to quantity. */
    setOwn(ownPxs) {
        this.ownPxs = ownPxs;
        this.draw();
    }

    #fit(body) {
        const spread = body.querySelector(".ladder-spread").offsetHeight;
        const room = Math.floor((body.clientHeight - spread) / 2 / ROW_HEIGHT_PX);
        const levels = Math.max(LEVELS_MIN, Math.min(LEVELS_MAX, room));
        if (levels === this.levels) return;
        this.levels = levels;
        this.askRows = this.#makeRows(this.asks, "sell");
        this.bidRows = this.#makeRows(this.bids, "buy");
        this.draw();
    }

    #makeRows(container, side) {
        const rows = Array.from({ length: this.levels }, () => {
            const row = {
                px: null,
                bar: element("span", "ladder-bar"),
                own: element("span", "ladder-own"),
                price: element("span", "ladder-price"),
                qty: element("span", "ladder-qty"),
                total: element("span", "ladder-total"),
            };
            row.node = element(
                "button",
                "ladder-row",
                row.bar,
                row.own,
                row.price,
                row.qty,
                row.total,
            );
            row.node.type = "button";
            row.node.tabIndex = -1;
            row.node.addEventListener("click", () => {
                if (row.px !== null) this.onPick(row.px, side);
            });
            return row;
        });
        const nodes = rows.map((row) => row.node);
        container.replaceChildren(...(side === "sell" ? nodes.reverse() : nodes));
        return rows;
    }

    #draw() {
        if (!this.book || this.levels === 0) return;
        const asks = withTotals(this.book.asks.slice(0, this.levels));
        const bids = withTotals(this.book.bids.slice(0, this.levels));
        const most = Math.max(asks.at(-1)?.total ?? 0, bids.at(-1)?.total ?? 0, 1);
        this.askRows.forEach((row, i) => this.#fill(row, asks[i], most, "sell"));
        this.bidRows.forEach((row, i) => this.#fill(row, bids[i], most, "buy"));
        this.#drawSpread();
        this.#keepTabStop();
    }

    #fill(row, level, most, side) {
        row.px = level?.px ?? null;
        row.node.disabled = !level;
        row.node.classList.toggle("ladder-row-empty", !level);
        const own = level ? this.ownPxs.get(`${side}:${level.px}`) : undefined;
        row.own.classList.toggle("ladder-own-shown", own !== undefined);
        setText(row.price, level ? formatPx(level.px, this.decimals) : "");
        setText(row.qty, level ? groupDigits(level.qty) : "");
        setText(row.total, level ? groupDigits(level.total) : "");
        row.bar.style.transform = `scaleX(${level ? level.total / most : 0})`;
        if (!level) return;
        const label =
            `${side === "sell" ? "Ask" : "Bid"} ${formatPx(level.px, this.decimals)}, ` +
            `${level.qty} shares${own !== undefined ? `, ${own} of them yours` : ""}`;
        row.node.setAttribute("aria-label", label);
    }

    #drawSpread() {
        const { bestBid, bestAsk } = this.book;
        const both = bestBid && bestAsk;
        const middle = both ? (bestBid.px + bestAsk.px) / 2 : NaN;
        setText(
            this.mid,
            both ? formatPx(Math.round(middle), Math.min(4, this.decimals + 1)) : "–",
        );
        setText(this.spreadValue, both ? formatPx(bestAsk.px - bestBid.px, this.decimals) : "–");
        const bps = both ? ((bestAsk.px - bestBid.px) / middle) * 10000 : NaN;
        setText(this.spreadBps, both ? `${bps.toFixed(1)} bp` : "");
    }

    #keepTabStop() {
        const rows = [...this.askRows, ...this.bidRows];
        const focused = rows.find((row) => row.node === document.activeElement);
        const stop = focused ?? this.bidRows[0];
        for (const row of rows) row.node.tabIndex = row === stop ? 0 : -1;
    }

    #move(event) {
        const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
        if (!step) return;
        const nodes = [...this.asks.children, ...this.bids.children].filter((n) => !n.disabled);
        const at = nodes.indexOf(document.activeElement);
        const next = nodes[at + step];
        if (at < 0 || !next) return;
        event.preventDefault();
        next.focus();
        this.#keepTabStop();
    }
}

function withTotals(levels) {
    let total = 0;
    return levels.map(({ px, qty }) => {
        total += qty;
        return { px, qty, total };
    });
}
