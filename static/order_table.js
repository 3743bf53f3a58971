/* order_table.js - the open orders, each with cancel and reduce. */

import { button, element, oncePerFrame, setShown, setText, timeOfDay } from "./dom.js";
import { explain } from "./problem.js";
import { formatPx, groupDigits } from "./px.js";

const SHOWN_MAX = 200;
const REST_MS = 150; // a busy account must not keep the page from drawing its book

export class OrderTable {
    /** `act.cancel(order)` and `act.reduce(order, qty)` return promises that reject with a Problem;
     *  `decimalsOf(symbol)` says how prices are shown. */
    constructor(root, orders, act, decimalsOf) {
        this.orders = orders;
        this.act = act;
        this.decimalsOf = decimalsOf;
        this.rows = new Map();
        this.body = root.querySelector("tbody");
        this.table = root.querySelector("table");
        this.empty = root.querySelector(".empty");
        this.more = root.querySelector(".more");
        this.cancelAll = root.querySelector(".cancel-all");
        this.note = root.querySelector(".panel-note");
        this.cancelAll.addEventListener("click", () => this.#cancelAll());
        this.onCount = () => {};
        this.draw = oncePerFrame(() => this.#draw(), REST_MS);
        orders.addEventListener("change", this.draw);
    }

    #draw() {
        const open = this.orders.open();
        this.onCount(open.length);
        const shown = open.slice(0, SHOWN_MAX);
        const kept = new Set(shown.map((order) => order.orderId));
        for (const [orderId, row] of this.rows) {
            if (kept.has(orderId)) continue;
            row.node.remove();
            this.rows.delete(orderId);
        }
        let before = this.body.firstElementChild;
        for (const order of shown) {
            let row = this.rows.get(order.orderId);
            if (!row) {
                row = this.#makeRow(order);
                this.rows.set(order.orderId, row);
            }
            this.#fillRow(row, order);
            if (row.node === before) before = before.nextElementSibling;
            else this.body.insertBefore(row.node, before);
        }
        setShown(this.table, open.length > 0);
        setShown(this.empty, open.length === 0);
        setShown(this.more, open.length > SHOWN_MAX);
        setShown(this.cancelAll, open.length > 0);
        setText(this.more, `and ${groupDigits(open.length - SHOWN_MAX)} older ones`);
    }

    #makeRow(order) {
        const cell = (className) => element("td", className);
        const row = {
            order,
            time: cell("cell-time"),
            symbol: cell("cell-symbol"),
            side: cell("cell-side"),
            px: cell("number"),
            qty: cell("number cell-qty"),
            filled: cell("number cell-filled"),
            left: cell("number"),
            tif: cell("cell-tif"),
            actions: cell("cell-actions"),
        };
        row.node = element(
            "tr",
            "",
            row.time,
            row.symbol,
            row.side,
            row.px,
            row.qty,
            row.filled,
            row.left,
            row.tif,
            row.actions,
        );
        row.node.dataset.orderId = order.orderId;
        row.reduce = button("small-button", "Reduce", () => this.#askReduce(row));
        row.cancel = button("small-button small-button-danger", "Cancel", () => this.#cancel(row));
        row.actions.append(row.reduce, row.cancel);
        return row;
    }

    #fillRow(row, order) {
        row.order = order;
        row.node.dataset.clientOrderId = order.clientOrderId ?? "";
        setText(row.time, timeOfDay(order.createdAt));
        setText(row.symbol, order.symbol);
        setText(row.side, order.side === "buy" ? "Buy" : "Sell");
        row.side.classList.toggle("rose", order.side === "buy");
        row.side.classList.toggle("fell", order.side === "sell");
        setText(row.px, this.#px(order));
        setText(row.qty, groupDigits(order.qty));
        setText(row.filled, groupDigits(order.cumQty));
        setText(row.left, groupDigits(order.leavesQty));
        setText(row.tif, order.timeInForce?.toUpperCase() ?? "");
        const what = `${order.side} order of ${order.qty} ${order.symbol}`;
        row.cancel.setAttribute("aria-label", `Cancel ${what}`);
        row.reduce.setAttribute("aria-label", `Reduce ${what}`);
        row.reduce.disabled = order.leavesQty < 2;
    }

    /* What it waits for, or what it trades at. */
    #px(order) {
        const decimals = this.decimalsOf(order.symbol);
        if (order.waits) return `stop ${formatPx(order.stopPx, decimals)}`;
        return order.limitPx === null ? "market" : formatPx(order.limitPx, decimals);
    }

    #askReduce(row) {
        const input = element("input", "reduce-input");
        input.type = "text";
        input.inputMode = "numeric";
        input.value = String(row.order.qty);
        input.setAttribute("aria-label", "New total quantity");
        const form = element("form", "reduce-form", input);
        const submit = element("button", "small-button", "Set");
        const close = () => row.actions.replaceChildren(row.reduce, row.cancel);
        form.append(
            submit,
            button("small-button", "Back", () => {
                close();
                row.reduce.focus();
            }),
        );
        form.addEventListener("keydown", (event) => {
            if (event.key !== "Escape") return;
            close();
            row.reduce.focus();
        });
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            const qty = /^\d{1,13}$/.test(input.value.trim()) ? Number(input.value) : NaN;
            if (!(qty > row.order.cumQty && qty < row.order.qty)) {
                this.#say(
                    `Enter a total between ${row.order.cumQty + 1} and ${row.order.qty - 1}.`,
                );
                input.focus();
                return;
            }
            close();
            this.#run(row, this.act.reduce(row.order, qty));
        });
        row.actions.replaceChildren(form);
        input.focus();
        input.select();
    }

    #cancel(row) {
        return this.#run(row, this.act.cancel(row.order));
    }

    async #run(row, request) {
        this.#say("");
        row.cancel.disabled = true;
        row.reduce.disabled = true;
        try {
            await request;
        } catch (problem) {
            this.#say(explain(problem));
        } finally {
            row.cancel.disabled = false;
            this.draw();
        }
    }

    async #cancelAll() {
        this.cancelAll.disabled = true;
        const rows = [...this.rows.values()];
        await Promise.all(rows.map((row) => this.#cancel(row)));
        this.cancelAll.disabled = false;
    }

    #say(text) {
        setText(this.note, text);
        setShown(this.note, text !== "");
    }
}
