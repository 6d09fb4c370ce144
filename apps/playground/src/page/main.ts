import { element } from "./element.ts";
import { watchEquality } from "./equality.ts";
import { createPane } from "./pane.ts";
import { loadStage } from "./stage-client.ts";
import { Strip } from "./strip.ts";
import { TypingLag } from "./typing-lag.ts";

const DEFAULT_DOCUMENT = "welcome";

async function open(stage: HTMLElement): Promise<void> {
  const description = await loadStage();
  const parameters = new URLSearchParams(location.search);
  const asked = parameters.get("pane");
  const only = description.places.find(({ name }) => name === asked)?.name;
  const readOnly = parameters.has("readonly");
  const document = decoded(location.hash.slice(1)) || DEFAULT_DOCUMENT;
  const strip = new Strip(description, { verdict: only === undefined });
  const panes = description.places
    .filter(({ name }) => only === undefined || name === only)
    .map((place) => createPane(place, { document, readOnly, say: (what) => strip.log.say(what) }));
  const [left, right] = panes;
  const elements = panes.map((pane) => pane.element);
  stage.replaceChildren(...elements.slice(0, 1), strip.element, ...elements.slice(1));
  stage.classList.toggle("single", panes.length === 1);
  if (left === undefined || right === undefined) return;
  watchEquality([left.shared, right.shared], (equal) => strip.showEqual(equal));
  const lag = new TypingLag([left.shared.doc, right.shared.doc], () => strip.showLag(lag));
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

// A document is named by the address: another name is another document.
addEventListener("hashchange", () => location.reload());

const stage = document.querySelector<HTMLElement>("#stage");
if (stage !== null) {
  open(stage)
    .catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      stage.replaceChildren(
        element(
          "p",
          { class: "notice" },
          `There is no stage to play on (${reason}): start it with npm start.`,
        ),
      );
    })
    .finally(() => stage.removeAttribute("aria-busy"));
}
