/** Who types in a pane: what the others see at the cursor. */
export interface Person {
  readonly name: string;
  readonly color: string;
  /** The same, lighter, behind a selection. */
  readonly colorLight: string;
}

const COLORS: Readonly<Record<string, string>> = { A: "#2f6fdb", B: "#b4530a" };
const NAMES: Readonly<Record<string, string>> = { A: "Ada", B: "Ben" };
const OTHER_COLOR = "#6d4bc4";

const key = (place: string): string => `teleportal-playground/name/${place}`;

/** The name that was given here before, if this browser remembers any. */
export function rememberedPerson(place: string): Person {
  return person(place, read(key(place)) ?? NAMES[place] ?? place);
}

export function renamedPerson(place: string, name: string): Person {
  const shown = name.trim() || (NAMES[place] ?? place);
  try {
    localStorage.setItem(key(place), shown);
  } catch {
    // Private windows may refuse; the name holds for this visit.
  }
  return person(place, shown);
}

function person(place: string, name: string): Person {
  const color = COLORS[place] ?? OTHER_COLOR;
  return { name, color, colorLight: `${color}33` };
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
