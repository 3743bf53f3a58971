/* dom.js - making elements. Text is always set as text, never parsed as markup. */

/** An element with a class and content: strings become text nodes, null is left out. */
export function element(tag, className = "", ...content) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...content.filter((item) => item !== null && item !== undefined));
    return node;
}

/** A button that does not submit a form. */
export function button(className, label, onClick) {
    const node = element("button", className, label);
    node.type = "button";
    node.addEventListener("click", onClick);
    return node;
}

/** Sets an element's text only when it differs, so that screen readers and layout stay quiet. */
export function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
}

/** Shows or hides. */
export function setShown(node, shown) {
    if (node.hidden === shown) node.hidden = !shown;
}

/** Draws at most once a frame, and not sooner than `restMs` after the last time, however often it
 *  is asked. */
export function oncePerFrame(draw, restMs = 0) {
    let asked = false;
    let restsUntil = 0;
    const drawNow = () => {
        asked = false;
        restsUntil = performance.now() + restMs;
        draw();
    };
    return () => {
        if (asked) return;
        asked = true;
        const waitMs = restsUntil - performance.now();
        if (waitMs > 0) setTimeout(() => requestAnimationFrame(drawNow), waitMs);
        else requestAnimationFrame(drawNow);
    };
}

const timeFormat = new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
});

/** The local time of day of an RFC 3339 time. */
export function timeOfDay(time) {
    return timeFormat.format(new Date(time));
}
