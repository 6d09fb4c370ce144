import type { PlaceDescription } from "../stage-contract.ts";
import { element } from "./element.ts";
import { GhostWriter } from "./ghost-writer.ts";
import { rememberedPerson, renamedPerson } from "./person.ts";
import { openRichTextEditor } from "./rich-text-editor.ts";
import { SharedDocument } from "./shared-document.ts";
import { createTabs } from "./tabs.ts";
import { openTextEditor } from "./text-editor.ts";

const STATUS = {
  connected: "connected",
  connecting: "connecting …",
  disconnected: "offline: what you type is kept here and sent when it is back",
} as const;

export interface PaneOptions {
  readonly document: string;
  readonly readOnly: boolean;
  say(what: string): void;
}

/** One instance's editor: as a user of that instance has it. */
export interface Pane {
  readonly element: HTMLElement;
  readonly shared: SharedDocument;
}

export function createPane({ name, url }: PlaceDescription, options: PaneOptions): Pane {
  const { readOnly } = options;
  const shared = new SharedDocument(url, options.document, { readOnly });
  let person = rememberedPerson(name);
  shared.introduce(person);

  const status = element("span", { "data-testid": `status-${name}`, "aria-live": "polite" });
  const people = element("span", { "data-testid": `people-${name}` });
  const notice = element("p", { "data-testid": "readonly", class: "notice", hidden: !readOnly });
  notice.textContent = "Read only: the server refuses what you type.";
  const nameField = element("input", {
    value: person.name,
    "aria-label": `Your name on ${name}`,
    maxlength: "24",
    autocomplete: "off",
  });
  const ghost = new GhostWriter(shared.text);
  const ghostButton = element("button", { type: "button", "aria-pressed": "false" }, "Type for me");
  const textPanel = element("div", {
    role: "tabpanel",
    class: "editor",
    "aria-label": "Plain text",
  });
  const richPanel = element("div", {
    role: "tabpanel",
    class: "editor",
    "aria-label": "Rich text",
  });

  openTextEditor(textPanel, shared, { label: `Text on ${name}`, readOnly });
  const rich = openRichTextEditor(richPanel, shared, {
    label: `Rich text on ${name}`,
    readOnly,
    person,
  });

  function showPeople(): void {
    const others = shared.provider.awareness.getStates().size - 1;
    people.textContent =
      others <= 0 ? "nobody else here" : `${others} other${others === 1 ? "" : "s"} here`;
  }

  shared.provider.on("status", (event: { status: keyof typeof STATUS }) => {
    status.textContent = STATUS[event.status];
    status.dataset["state"] = event.status;
  });
  status.textContent = STATUS.connecting;
  shared.provider.awareness.on("change", showPeople);
  showPeople();
  shared.onRefusal((reason) => {
    notice.hidden = false;
    notice.textContent = `The server refuses what you type: ${reason}.`;
    options.say(`${name} refuses an edit: ${reason}`);
  });
  nameField.addEventListener("change", () => {
    person = renamedPerson(name, nameField.value);
    nameField.value = person.name;
    shared.introduce(person);
    rich.commands.updateUser({ ...person });
  });
  ghostButton.addEventListener("click", () => {
    ghost.toggle();
    ghostButton.setAttribute("aria-pressed", String(ghost.writing));
    ghostButton.textContent = ghost.writing ? "Stop typing" : "Type for me";
  });

  const tabs = createTabs(
    `Kind of text on ${name}`,
    [
      { id: "text", title: "Text" },
      { id: "rich", title: "Rich text" },
    ],
    (id) => {
      textPanel.hidden = id !== "text";
      richPanel.hidden = id !== "rich";
    },
  );
  ghostButton.hidden = readOnly;
  const pane = element(
    "section",
    {
      class: "pane",
      "data-place": name,
      "data-testid": `pane-${name}`,
      "aria-label": `Instance ${name}`,
    },
    element("div", { class: "pane-head" }, element("h2", {}, `Instance ${name}`), status, people),
    element(
      "div",
      { class: "pane-tools" },
      tabs,
      element("label", {}, "You are ", nameField),
      ghostButton,
    ),
    notice,
    textPanel,
    richPanel,
  );
  return { element: pane, shared };
}
