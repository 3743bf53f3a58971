/* instruments.js - the instruments that are listed, and the picker to choose one.
 *
 * The picker is a combobox: a search field over a list box, moved through by arrow keys.
 */

import { element, setText } from "./dom.js";
import { formatPx, parsePx, tickDecimals } from "./px.js";
import { getPublic } from "./rest.js";

/** What the page keeps of an instrument; prices in 1/10000. */
function instrumentOf(listed) {
    const tickPx = parsePx(listed.tick_size);
    return {
        symbol: listed.symbol,
        name: listed.name,
        tickPx,
        decimals: tickDecimals(tickPx),
        lotQty: listed.lot_size,
        maxPx: parsePx(listed.max_price),
        maxOrderQty: listed.max_order_qty ?? Infinity,
        maxOrderNotional: listed.max_order_notional ? parsePx(listed.max_order_notional) : Infinity,
        lastPx: listed.last_price === null ? null : parsePx(listed.last_price),
        ticks: listed.tick_table.map(({ from_price: fromPx, tick_size: size }) => ({
            fromPx: parsePx(fromPx),
            tickPx: parsePx(size),
        })),
        state: listed,
    };
}

/** The tick that holds at a price. */
export function tickAt(instrument, px) {
    let { tickPx } = instrument;
    for (const row of instrument.ticks) if (px >= row.fromPx) tickPx = row.tickPx;
    return tickPx;
}

export async function loadInstruments() {
    const { instruments } = await getPublic("/v1/instruments");
    return instruments.map(instrumentOf);
}

export class InstrumentPicker {
    /** `onChoose(instrument)` is called when the viewer takes another one. */
    constructor(root, onChoose) {
        this.onChoose = onChoose;
        this.instruments = [];
        this.chosen = null;
        this.at = 0;
        this.opener = root.querySelector(".picker-opener");
        this.symbol = root.querySelector(".picker-symbol");
        this.name = root.querySelector(".picker-name");
        this.panel = root.querySelector(".picker-panel");
        this.search = root.querySelector(".picker-search");
        this.list = root.querySelector(".picker-list");
        this.opener.addEventListener("click", () => this.#toggle());
        this.search.addEventListener("input", () => this.#fill());
        this.search.addEventListener("keydown", (event) => this.#key(event));
        root.addEventListener("focusout", (event) => {
            if (!root.contains(event.relatedTarget)) this.#close();
        });
    }

    setInstruments(instruments) {
        this.instruments = instruments;
        if (!this.panel.hidden) this.#fill();
    }

    setChosen(instrument) {
        this.chosen = instrument;
        setText(this.symbol, instrument.symbol);
        setText(this.name, instrument.name);
    }

    async #toggle() {
        if (!this.panel.hidden) {
            this.#close();
            return;
        }
        this.panel.hidden = false;
        this.opener.setAttribute("aria-expanded", "true");
        this.search.value = "";
        this.#fill();
        this.search.focus();
        try {
            this.setInstruments(await loadInstruments());
        } catch {
            // The list that is known is still of use; the banner tells of the connection.
        }
    }

    #close() {
        this.panel.hidden = true;
        this.opener.setAttribute("aria-expanded", "false");
    }

    #choose(instrument) {
        this.#close();
        this.opener.focus();
        if (instrument && instrument.symbol !== this.chosen?.symbol) this.onChoose(instrument);
    }

    #fill() {
        const wanted = this.search.value.trim().toLowerCase();
        this.shown = this.instruments.filter(
            ({ symbol, name }) =>
                symbol.toLowerCase().includes(wanted) || name.toLowerCase().includes(wanted),
        );
        this.at = Math.max(
            0,
            this.shown.findIndex((i) => i.symbol === this.chosen?.symbol),
        );
        this.options = this.shown.map((instrument, i) => this.#option(instrument, i));
        this.list.replaceChildren(
            ...(this.options.length > 0
                ? this.options
                : [element("li", "picker-none", "No instrument matches.")]),
        );
        this.#mark();
    }

    #option(instrument, i) {
        const option = element(
            "li",
            "picker-option",
            element("span", "picker-option-symbol", instrument.symbol),
            element("span", "picker-option-name", instrument.name),
            element(
                "span",
                "picker-option-last",
                instrument.lastPx === null ? "–" : formatPx(instrument.lastPx, instrument.decimals),
            ),
        );
        option.id = `picker-option-${i}`;
        option.setAttribute("role", "option");
        option.addEventListener("mousedown", (event) => event.preventDefault());
        option.addEventListener("click", () => this.#choose(instrument));
        return option;
    }

    #mark() {
        this.options.forEach((option, i) =>
            option.setAttribute("aria-selected", String(i === this.at)),
        );
        const option = this.options[this.at];
        this.search.setAttribute("aria-activedescendant", option ? option.id : "");
        option?.scrollIntoView({ block: "nearest" });
    }

    #key(event) {
        if (event.key === "Escape") {
            this.#close();
            this.opener.focus();
        } else if (event.key === "Enter") {
            event.preventDefault();
            this.#choose(this.shown[this.at]);
        } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            const last = this.options.length - 1;
            this.at = Math.max(0, Math.min(last, this.at + (event.key === "ArrowDown" ? 1 : -1)));
            this.#mark();
        }
    }
}
