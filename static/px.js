/* px.js - prices and money as whole numbers of 1/10000, exact in a double.
 *
 * The protocol writes them as decimal strings with four decimals. Arithmetic is done on the
 * integers; only formatting makes a decimal point again.
 */

const SCALE = 10000;
const PX_TEXT = /^(\d{1,12})(?:\.(\d{1,4}))?$/;

/** "189.35" to 1893500; NaN when the text is not a price. */
export function parsePx(text) {
    const match = PX_TEXT.exec(String(text).trim());
    if (!match) return NaN;
    return Number(match[1]) * SCALE + Number((match[2] ?? "").padEnd(4, "0"));
}

/** How many decimals a price needs that is a multiple of `tick`: 2 for 0.0100. */
export function tickDecimals(tick) {
    let decimals = 4;
    while (decimals > 0 && tick % 10 === 0) {
        tick /= 10;
        decimals -= 1;
    }
    return decimals;
}

/** 1893500 to "189.35": `decimals` of them, further ones are cut off. */
export function formatPx(px, decimals = 2) {
    if (!Number.isFinite(px)) return "–";
    const negative = px < 0;
    const whole = Math.floor(Math.abs(px) / SCALE);
    const fraction = String(Math.abs(px) % SCALE)
        .padStart(4, "0")
        .slice(0, decimals);
    return (negative ? "−" : "") + groupDigits(whole) + (decimals > 0 ? `.${fraction}` : "");
}

/** As formatPx, without the separators between thousands: what an input field takes. */
export function plainPx(px, decimals = 2) {
    return formatPx(px, decimals).replaceAll(",", "").replace("−", "-");
}

/** Money, to the cent. */
export function formatCash(cash) {
    return formatPx(cash, 2);
}

/** Whole numbers with separators between thousands. */
export function groupDigits(n) {
    return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A price that arrives as a string, for display next to others of its instrument. */
export function showPx(text, decimals) {
    return text === null || text === undefined ? "–" : formatPx(parsePx(text), decimals);
}
