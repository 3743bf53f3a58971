/* quote.js - the head of the screen: last price, its change, and the day's range and volume.
 *
 * The change is from the close of the last day that traded before today, or from today's first
 * price when there was none. Daily candles give the day so far; every trade moves it on.
 */

import { oncePerFrame, setText } from "./dom.js";
import { formatPx, groupDigits, parsePx } from "./px.js";
import { getPublic } from "./rest.js";

const REFRESH_MS = 30000;
const SOON_MS = 500;

export class Quote {
    constructor(root) {
        const part = (name) => root.querySelector(`[data-quote="${name}"]`);
        this.root = root;
        this.last = part("last");
        this.change = part("change");
        this.open = part("open");
        this.high = part("high");
        this.low = part("low");
        this.volume = part("volume");
        this.draw = oncePerFrame(() => this.#draw());
        this.soon = null;
        setInterval(() => this.#refresh(), REFRESH_MS);
    }

    /** Starts over with another instrument. */
    show(instrument) {
        this.instrument = instrument;
        this.lastPx = instrument.lastPx;
        this.previousPx = null;
        this.direction = 0;
        this.day = null;
        this.lastTradeId = 0n;
        this.draw();
        this.#refresh();
    }

    /** Trades in ascending order; those seen already (a snapshot after a reconnect) are ignored. */
    add(trades) {
        for (const trade of trades) {
            const id = BigInt(trade.trade_id);
            if (id <= this.lastTradeId) continue;
            this.lastTradeId = id;
            const px = parsePx(trade.price);
            if (this.lastPx !== null && px !== this.lastPx)
                this.direction = px > this.lastPx ? 1 : -1;
            this.lastPx = px;
            this.#extendDay(id, px, trade.qty);
        }
        this.draw();
    }

    #extendDay(id, px, qty) {
        if (!this.day) this.#refreshSoon(); // the day's first trade
        if (!this.day || id <= this.day.lastTradeId) return;
        this.day.high = Math.max(this.day.high, px);
        this.day.low = Math.min(this.day.low, px);
        this.day.volume += qty;
        this.day.lastTradeId = id;
    }

    #refreshSoon() {
        this.soon ??= setTimeout(() => this.#refresh(), SOON_MS);
    }

    async #refresh() {
        clearTimeout(this.soon);
        this.soon = null;
        const instrument = this.instrument;
        if (!instrument) return;
        const target = `/v1/candles/${encodeURIComponent(instrument.symbol)}?interval=1d&limit=2`;
        try {
            const { candles } = await getPublic(target);
            if (instrument === this.instrument) this.#takeDays(candles);
        } catch {
            // The connection banner says what is wrong; the figures stay as they were.
        }
    }

    #takeDays(candles) {
        const today = candles.at(-1);
        if (!today) return;
        const before = candles.at(-2);
        this.previousPx = parsePx(before ? before.close : today.open);
        this.day = {
            open: parsePx(today.open),
            high: parsePx(today.high),
            low: parsePx(today.low),
            volume: today.volume,
            lastTradeId: BigInt(today.last_trade_id ?? 0),
        };
        this.lastPx ??= parsePx(today.close);
        this.draw();
    }

    #draw() {
        const { decimals, symbol } = this.instrument;
        const known = this.lastPx !== null;
        setText(this.last, known ? formatPx(this.lastPx, decimals) : "–");
        this.last.classList.toggle("rose", this.direction > 0);
        this.last.classList.toggle("fell", this.direction < 0);
        const change = known && this.previousPx ? this.lastPx - this.previousPx : null;
        const percent = change === null ? 0 : (change / this.previousPx) * 100;
        const sign = change > 0 ? "+" : change < 0 ? "−" : "";
        const much = formatPx(Math.abs(change ?? 0), decimals);
        const words = `${sign}${much} (${sign}${Math.abs(percent).toFixed(2)}%)`;
        setText(this.change, change === null ? "–" : words);
        this.change.classList.toggle("rose", change > 0);
        this.change.classList.toggle("fell", change < 0);
        const px = (name) => (this.day ? formatPx(this.day[name], decimals) : "–");
        setText(this.open, px("open"));
        setText(this.high, px("high"));
        setText(this.low, px("low"));
        setText(this.volume, this.day ? groupDigits(this.day.volume) : "–");
        document.title = known
            ? `${formatPx(this.lastPx, decimals)} ${symbol} · Hoga`
            : `${symbol} · Hoga`;
    }
}
