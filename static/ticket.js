/* ticket.js - the order ticket: what to trade, checked field by field before it is sent.
 *
 * Every order carries a client order id made here, so that an answer lost with the connection can
 * be asked for later; an order is never sent twice.
 */

import { setShown, setText } from "./dom.js";
import { tickAt } from "./instruments.js";
import { explain, fieldOf, reasonText } from "./problem.js";
import { formatCash, formatPx, groupDigits, parsePx, plainPx, showPx } from "./px.js";

/* The prices that each type of order has. */
const TYPES = {
    limit: ["limit_price"],
    market: [],
    stop: ["stop_price"],
    stop_limit: ["stop_price", "limit_price"],
};
const QTY_TEXT = /^\d{1,13}$/;

export class Ticket {
    /** `act.place(order)` resolves to the order as it stands, or rejects with a Problem;
     *  `act.find(clientOrderId)` asks what became of one. */
    constructor(form, balances, act) {
        this.form = form;
        this.balances = balances;
        this.act = act;
        this.instrument = null;
        this.ready = false;
        this.sending = false;
        this.fields = {};
        this.rows = new Map(
            [...form.querySelectorAll("[data-price]")].map((row) => [row.dataset.price, row]),
        );
        for (const name of ["limit_price", "stop_price", "qty", "type", "time_in_force"]) {
            this.fields[name] = {
                input: form.elements[name],
                error: form.querySelector(`#${form.elements[name].id}-error`),
            };
        }
        this.submit = form.querySelector(".ticket-submit");
        this.value = form.querySelector(".ticket-value");
        this.available = form.querySelector(".ticket-available");
        this.message = form.querySelector(".ticket-message");
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            this.#send();
        });
        form.addEventListener("input", () => this.#edited());
        form.addEventListener("change", () => this.#edited());
        for (const step of form.querySelectorAll("[data-step]")) {
            step.addEventListener("click", () => this.#step(step.dataset.step, step.value));
        }
        for (const name of ["limit_price", "stop_price", "qty"]) {
            this.fields[name].input.addEventListener("keydown", (e) => this.#arrow(e, name));
        }
        balances.addEventListener("change", () => this.#draw());
        this.#draw();
    }

    setInstrument(instrument, px) {
        this.instrument = instrument;
        const { limit_price: price, stop_price: stop, qty } = this.fields;
        price.input.value = px === null ? "" : plainPx(px, instrument.decimals);
        stop.input.value = price.input.value;
        if (!qty.input.value) qty.input.value = String(instrument.lotQty);
        this.#clearErrors();
        this.#say("");
        this.#draw();
    }

    /** Whether orders can be sent at the moment: signed in, and connected. */
    setReady(ready) {
        this.ready = ready;
        this.#draw();
    }

    /** A price of the book was picked; a level of the asks is there to be bought. */
    pick(px, bookSide) {
        this.fields.limit_price.input.value = plainPx(px, this.instrument.decimals);
        this.form.elements.side.value = bookSide === "sell" ? "buy" : "sell";
        if (!this.#has("limit_price")) this.form.elements.type.value = "limit";
        this.#edited();
    }

    /** A price to start from when the field is empty. */
    suggest(px) {
        const { input } = this.fields.limit_price;
        if (input.value || document.activeElement === input) return;
        input.value = plainPx(px, this.instrument.decimals);
        this.#draw();
    }

    get #side() {
        return this.form.elements.side.value;
    }

    /* Whether an order of the type that is chosen has this price. */
    #has(name) {
        return TYPES[this.form.elements.type.value].includes(name);
    }

    #px(name = "limit_price") {
        return parsePx(this.fields[name].input.value.replaceAll(",", ""));
    }

    #qty() {
        const text = this.fields.qty.input.value.replaceAll(",", "").trim();
        return QTY_TEXT.test(text) ? Number(text) : NaN;
    }

    #edited() {
        this.#clearErrors();
        this.#draw();
    }

    #arrow(event, name) {
        if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
        event.preventDefault();
        this.#step(name, event.key === "ArrowUp" ? "1" : "-1");
    }

    #step(name, direction) {
        if (!this.instrument) return;
        const isPx = name !== "qty";
        const now = isPx ? this.#px(name) : this.#qty();
        const unit = isPx ? tickAt(this.instrument, now) : this.instrument.lotQty;
        const next = Math.max(unit, (Number.isFinite(now) ? now : 0) + unit * Number(direction));
        const { input } = this.fields[name];
        input.value = isPx ? plainPx(next, this.instrument.decimals) : String(next);
        this.#edited();
    }

    /* What the exchange would refuse for sure, found before it is asked: field to words. */
    #findErrors() {
        const errors = new Map();
        const { lotQty, maxOrderQty, maxOrderNotional } = this.instrument;
        const [px, qty] = [this.#px(), this.#qty()];
        for (const name of ["stop_price", "limit_price"]) {
            const wrong = this.#has(name) ? this.#pxError(this.#px(name)) : null;
            if (wrong) errors.set(name, wrong);
        }
        if (!(qty > 0)) errors.set("qty", "Enter a whole number of shares.");
        else if (qty % lotQty !== 0) errors.set("qty", `Shares trade in lots of ${lotQty}.`);
        else if (qty > maxOrderQty) {
            errors.set("qty", `One order may have ${groupDigits(maxOrderQty)} shares at most.`);
        } else if (this.#has("limit_price") && px * qty > maxOrderNotional) {
            errors.set("qty", `One order may be worth ${formatCash(maxOrderNotional)} at most.`);
        }
        return errors;
    }

    #pxError(px) {
        const { maxPx, decimals } = this.instrument;
        const tickPx = tickAt(this.instrument, px);
        if (!(px > 0)) return "Enter a price above zero.";
        if (px % tickPx !== 0) return `Prices go in steps of ${formatPx(tickPx, decimals)}.`;
        return px > maxPx ? `The highest price is ${formatPx(maxPx, decimals)}.` : null;
    }

    async #send() {
        if (!this.ready || this.sending || !this.instrument) return;
        this.#clearErrors();
        const errors = this.#findErrors();
        if (errors.size > 0) {
            for (const [field, words] of errors) this.#complain(field, words);
            this.fields[errors.keys().next().value].input.focus();
            this.#say("");
            return;
        }
        const order = {
            symbol: this.instrument.symbol,
            side: this.#side,
            type: this.form.elements.type.value,
            qty: this.#qty(),
            time_in_force: this.form.elements.time_in_force.value,
            client_order_id: `web-${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}`,
        };
        for (const name of ["stop_price", "limit_price"]) {
            if (this.#has(name)) order[name] = plainPx(this.#px(name), 4);
        }
        this.sending = true;
        this.#draw();
        this.#say("Sending…");
        try {
            this.#placed(await this.act.place(order));
        } catch (problem) {
            await this.#refused(problem, order);
        } finally {
            this.sending = false;
            this.#draw();
        }
    }

    #placed(order) {
        const price = order.avg_price ?? order.limit_price;
        const at = formatPx(parsePx(price), this.instrument.decimals);
        const of = `${groupDigits(order.cum_qty)} of ${groupDigits(order.qty)} ${order.symbol}`;
        const why = order.cancel_reason ? ` ${reasonText(order.cancel_reason)}` : "";
        const waits = order.stop_price && !order.triggered_at;
        const words = {
            new: waits
                ? `Waiting for ${showPx(order.stop_price, this.instrument.decimals)}: ${groupDigits(order.qty)} ${order.symbol}.`
                : `Resting in the book: ${groupDigits(order.qty)} ${order.symbol} at ${at}.`,
            filled: `Filled: ${of} at ${at}.`,
            partially_filled: `Filled ${of} at ${at}; the rest is in the book.`,
            canceled:
                order.cum_qty > 0
                    ? `Filled ${of} at ${at}; the rest was cancelled.${why}`
                    : order.cancel_reason
                      ? `The order was cancelled.${why}`
                      : "Nothing to trade with at this price; the order was cancelled.",
            expired:
                order.cum_qty > 0
                    ? `Filled ${of} at ${at}; the rest expired.`
                    : "Nothing to trade with at this price; the order expired.",
            rejected: `Rejected: ${reasonText(order.reject_reason ?? "rejected")}`,
        }[order.status];
        this.#say(words ?? order.status, order.status === "rejected" ? "bad" : "good");
    }

    async #refused(problem, order) {
        if (problem.code !== "disconnected" && problem.code !== "answer_unknown") {
            const field = fieldOf(problem);
            if (this.fields[field]) {
                this.#complain(field, explain(problem));
                this.#say("The order was not accepted.", "bad");
            } else {
                this.#say(explain(problem), "bad");
            }
            return;
        }
        this.#say("The connection broke. Finding out whether the order arrived…", "bad");
        const found = await this.act.find(order.client_order_id);
        if (found) this.#placed(found);
        else this.#say("The order did not arrive at the exchange. Nothing was traded.", "bad");
    }

    #complain(field, words) {
        const { input, error } = this.fields[field];
        input.setAttribute("aria-invalid", "true");
        setText(error, words);
        setShown(error, true);
    }

    #clearErrors() {
        for (const { input, error } of Object.values(this.fields)) {
            input.removeAttribute("aria-invalid");
            setShown(error, false);
        }
    }

    #say(words, mood = "") {
        this.message.dataset.mood = mood;
        setText(this.message, words);
    }

    #draw() {
        const [px, qty, side] = [this.#px(), this.#qty(), this.#side];
        const symbol = this.instrument?.symbol ?? "";
        this.form.dataset.side = side;
        setText(this.submit, `${side === "buy" ? "Buy" : "Sell"} ${symbol}`);
        this.submit.disabled = !this.ready || this.sending || !this.instrument;
        for (const [name, row] of this.rows) setShown(row, this.#has(name));
        const priced = this.#has("limit_price") && px > 0 && qty > 0;
        setText(this.value, priced ? formatCash(px * qty) : "–");
        const cash = this.balances.availableCash;
        const shares = this.balances.availableQty(symbol);
        const available =
            side === "buy"
                ? cash === null
                    ? "–"
                    : formatCash(cash)
                : shares === null
                  ? "–"
                  : `${groupDigits(shares)} shares`;
        setText(this.available, available);
    }
}
