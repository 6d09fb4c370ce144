import type { PlaceDescription } from "../stage-contract.ts";
import { createConnectionStatus } from "./connection-status.ts";
import { element } from "./element.ts";
import { GhostWriter, penForRichText, penForText } from "./ghost-writer.ts";
import { rememberedPerson, renamedPerson } from "./person.ts";
import { openRichTextEditor } from "./rich-text-editor.ts";
import { SharedDocument } from "./shared-document.ts";
import { createTabs } from "./tabs.ts";
import { openTextEditor } from "./text-editor.ts";

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

  const people = element("span", { "data-testid": `people-${name}` });
  const notice = element("p", { "data-testid": "readonly", class: "notice", hidden: !readOnly });
  notice.textContent = "Read only: the server refuses what you type.";
  const nameField = element("input", {
    value: person.name,
    "aria-label": `You are: your name on ${name}`,
    maxlength: "24",
    autocomplete: "off",
  });
  const pens = { text: penForText(shared.text), rich: penForRichText(shared.richText) };
  let pen = pens.text;
  const ghost = new GhostWriter(() => pen);
  const ghostButton = element("button", { type: "button", "aria-pressed": "false" }, "Type for me");
  const textPanel = element("div", { class: "editor" });
  const richPanel = element("div", { class: "editor" });
  const richHint = element("p", { class: "hint" }, "Markdown works: # heading, **bold**, - list");

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
    `panel-${name}`,
    [
      { id: "text", title: "Text", panel: textPanel },
      { id: "rich", title: "Rich text", panel: richPanel },
    ],
    (id) => {
      pen = id === "rich" ? pens.rich : pens.text;
      richHint.hidden = readOnly || id !== "rich";
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
    element(
      "div",
      { class: "pane-head" },
      element("h2", {}, `Instance ${name}`),
      createConnectionStatus(name, shared.provider),
      people,
    ),
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
    richHint,
  );
  return { element: pane, shared };
}
