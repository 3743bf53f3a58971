/* tabs.js - a list of tabs, of which one shows its panel; arrow keys move between them. */

export function makeTabs(root) {
    const tabs = [...root.querySelectorAll('[role="tab"]')];
    const select = (chosen) => {
        for (const tab of tabs) {
            const selected = tab === chosen;
            tab.setAttribute("aria-selected", String(selected));
            tab.tabIndex = selected ? 0 : -1;
            document.getElementById(tab.getAttribute("aria-controls")).hidden = !selected;
        }
    };
    tabs.forEach((tab, i) => {
        tab.addEventListener("click", () => select(tab));
        tab.addEventListener("keydown", (event) => {
            const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
            if (!step) return;
            const next = tabs[(i + step + tabs.length) % tabs.length];
            select(next);
            next.focus();
        });
    });
    select(tabs[0]);
}
