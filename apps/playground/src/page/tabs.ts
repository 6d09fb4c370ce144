import { element } from "./element.ts";

export interface Tab {
  readonly id: string;
  readonly title: string;
  readonly panel: HTMLElement;
}

/**
 * A tablist by the book (w3.org/WAI/ARIA/apg/patterns/tabs): arrow keys, Home and End move, the chosen one alone is in the
 * tab order. Makes the panels its own: their ids begin with `prefix`.
 */
export function createTabs(
  label: string,
  prefix: string,
  tabs: readonly Tab[],
  choose: (id: string) => void = () => {},
): HTMLElement {
  const buttons = tabs.map(({ id, title, panel }) => {
    panel.id = `${prefix}-${id}`;
    panel.role = "tabpanel";
    panel.ariaLabel = title;
    return element(
      "button",
      { type: "button", role: "tab", "aria-controls": panel.id, "data-testid": `tab-${id}` },
      title,
    );
  });

  function select(index: number): void {
    for (const [at, { panel }] of tabs.entries()) panel.hidden = at !== index;
    for (const [at, button] of buttons.entries()) {
      button.ariaSelected = String(at === index);
      button.tabIndex = at === index ? 0 : -1;
    }
    const chosen = tabs[index];
    if (chosen !== undefined) choose(chosen.id);
  }

  for (const [index, button] of buttons.entries()) {
    button.addEventListener("click", () => select(index));
    button.addEventListener("keydown", (event) => {
      const next = target(event.key, index, tabs.length);
      if (next === undefined) return;
      event.preventDefault();
      select(next);
      buttons[next]?.focus();
    });
  }
  select(0);
  return element("div", { role: "tablist", "aria-label": label, class: "tabs" }, ...buttons);
}

function target(key: string, index: number, count: number): number | undefined {
  switch (key) {
    case "ArrowRight":
      return (index + 1) % count;
    case "ArrowLeft":
      return (index - 1 + count) % count;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return undefined;
  }
}
