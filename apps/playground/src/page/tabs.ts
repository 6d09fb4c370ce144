import { element } from "./element.ts";

export interface Tab {
  readonly id: string;
  readonly title: string;
}

/** A tablist by the book (w3.org/WAI/ARIA/apg/patterns/tabs): arrow keys move, the chosen one alone is in the tab order. */
export function createTabs(
  label: string,
  tabs: readonly Tab[],
  choose: (id: string) => void,
): HTMLElement {
  const buttons = tabs.map(({ id, title }) =>
    element("button", { type: "button", role: "tab", "data-testid": `tab-${id}` }, title),
  );

  function select(index: number): void {
    for (const [at, button] of buttons.entries()) {
      button.setAttribute("aria-selected", String(at === index));
      button.tabIndex = at === index ? 0 : -1;
    }
    const chosen = tabs[index];
    if (chosen !== undefined) choose(chosen.id);
  }

  for (const [index, button] of buttons.entries()) {
    button.addEventListener("click", () => select(index));
    button.addEventListener("keydown", ({ key }) => {
      const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
      if (step === 0) return;
      const next = (index + step + tabs.length) % tabs.length;
      select(next);
      buttons[next]?.focus();
    });
  }
  select(0);
  return element("div", { role: "tablist", "aria-label": label, class: "tabs" }, ...buttons);
}
