import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { MalformedUpdateError } from "../../src/yjs-v1/malformed-update-error.ts";
import { readUpdate } from "../../src/yjs-v1/run.ts";
import { createRichHistory, richDocumentOf } from "../document/rich-history.ts";
import { joinedBytes, nestedAny, nestedJson, stringBytes } from "../server/struct-bytes.ts";

/** One struct in the root type `t`, as the first of client 5. */
function structOf(content: number, ...bytes: readonly (number | Uint8Array)[]): Uint8Array {
  const body = bytes.map((part) => (typeof part === "number" ? Uint8Array.of(part) : part));
  return joinedBytes(
    Uint8Array.of(1, 1, 5, 0, content, 1),
    stringBytes("t"),
    ...body,
    Uint8Array.of(0),
  );
}

/** An object in lib0's encoding, with a single key. */
function objectOf(key: string, ...value: readonly number[]): Uint8Array {
  return joinedBytes(Uint8Array.of(118, 1), stringBytes(key), Uint8Array.from(value));
}

const [JSON_LIST, STRING, EMBED, FORMAT, TYPE, ANY, SUBDOCUMENT] = [2, 4, 5, 6, 7, 8, 9] as const;
const [NULL, UNDEFINED, BYTES] = [126, 127, 116] as const;

const ACCEPTED: readonly (readonly [name: string, update: Uint8Array])[] = [
  ["text", structOf(STRING, stringBytes("x"))],
  [
    "JSON, and what is no value",
    structOf(JSON_LIST, 2, stringBytes("[1]"), stringBytes("undefined")),
  ],
  ["JSON nested 1000 levels deep", structOf(EMBED, stringBytes(nestedJson(1000)))],
  ["brackets in a string", structOf(EMBED, stringBytes(JSON.stringify("[".repeat(3000) + '"]')))],
  ["a value nested 1000 levels deep", structOf(ANY, 1, nestedAny(1000))],
  ["the last shared type", structOf(TYPE, 6)],
  ["an element, which has a name", structOf(TYPE, 3, stringBytes("p"))],
  [
    "a subdocument with options",
    structOf(SUBDOCUMENT, stringBytes("guid"), objectOf("autoLoad", 120)),
  ],
  ["a hole", Uint8Array.of(1, 1, 5, 0, 10, 3, 0)],
  ["a client without a struct", Uint8Array.of(1, 0, 5, 0, 0)],
  ["no deletions of a client", Uint8Array.of(0, 1, 5, 0)],
];

const REFUSED: readonly (readonly [name: string, update: Uint8Array])[] = [
  ["no bytes at all", Uint8Array.of()],
  ["a byte behind the end", Uint8Array.of(0, 0, 0)],
  ["an empty V2 update", Y.encodeStateAsUpdateV2(new Y.Doc())],
  ["a V2 update", v2Update()],
  ["content of an unknown kind", structOf(11, 0)],
  ["content of the last kind there can be", structOf(31, 0)],
  ["a shared type of an unknown kind", structOf(TYPE, 7)],
  ["text that is no UTF-8", structOf(STRING, 2, 0xc3, 0x28)],
  ["half a surrogate pair in text", structOf(STRING, 3, 0xed, 0xa0, 0xbd)],
  ["a root type's name that is no UTF-8", Uint8Array.of(1, 1, 5, 0, 4, 1, 1, 0xff, 1, 0x78, 0)],
  ["a key that is no UTF-8", structOf(STRING | 0x20, 1, 0xff, stringBytes("x"))],
  ["text without a letter", structOf(STRING, 0)],
  ["a list without a value", structOf(ANY, 0)],
  ["a list without JSON", structOf(JSON_LIST, 0)],
  ["a deleted struct of no length", structOf(1, 0)],
  ["a collected struct of no length", Uint8Array.of(1, 1, 5, 0, 0, 0, 0)],
  ["a hole of no length", Uint8Array.of(1, 1, 5, 0, 10, 0, 0)],
  ["a deletion of nothing", Uint8Array.of(0, 1, 1, 1, 6, 0)],
  ["an embed that is no JSON", structOf(EMBED, stringBytes("{"))],
  ["an embed that is not there", structOf(EMBED, stringBytes("undefined"))],
  ["an embed that is JSON of another kind", structOf(EMBED, stringBytes("NaN"))],
  ["a string that is no JSON", structOf(EMBED, stringBytes('"\n"'))],
  ["a quote in a string", structOf(EMBED, stringBytes('"a"b"'))],
  ["a format that is no JSON", structOf(FORMAT, stringBytes("bold"), stringBytes("tru"))],
  ["a list of what is no JSON", structOf(JSON_LIST, 1, stringBytes(""))],
  ["JSON nested 1001 levels deep", structOf(EMBED, stringBytes(nestedJson(1001)))],
  [
    "objects nested 1001 levels deep",
    structOf(EMBED, stringBytes('{"a":'.repeat(1001) + "1" + "}".repeat(1001))),
  ],
  ["JSON nested without an end", structOf(EMBED, stringBytes("[".repeat(100_000)))],
  ["a value nested 1001 levels deep", structOf(ANY, 1, nestedAny(1001))],
  ["a value nested 100 000 levels deep", structOf(ANY, 1, nestedAny(100_000))],
  ["a value of an unknown type", structOf(ANY, 1, 115)],
  ["a value's text that is no UTF-8", structOf(ANY, 1, 119, 1, 0xff)],
  ["a subdocument without options", structOf(SUBDOCUMENT, stringBytes("guid"), UNDEFINED)],
  ["a subdocument whose options are null", structOf(SUBDOCUMENT, stringBytes("guid"), NULL)],
  [
    "a subdocument whose options take its name away",
    structOf(SUBDOCUMENT, stringBytes("guid"), objectOf("guid", NULL)),
  ],
  ["an object that pretends to be bytes", structOf(ANY, 1, objectOf("__proto__", BYTES, 0))],
  [
    "such an object whose key's length takes two bytes",
    structOf(ANY, 1, 118, 1, 0x89, 0, new TextEncoder().encode("__proto__"), BYTES, 0),
  ],
  ["a client twice, one behind the other", clients(5, 5)],
  ["a client twice, with another between", clients(5, 4, 5)],
  ["a client twice, once without a struct", Uint8Array.of(2, 1, 5, 0, 0, 1, 0, 5, 1, 0)],
  ["more clients than there are bytes", Uint8Array.of(255, 255, 3, 0)],
  ["an operation in itself", Uint8Array.of(1, 1, 9, 0, 4, 0, 9, 0, 1, 120, 0)],
  ["an operation in a later one", Uint8Array.of(1, 1, 9, 0, 4, 0, 9, 3, 1, 120, 0)],
  ["an operation right of itself", Uint8Array.of(1, 1, 9, 0, 0x84, 9, 0, 1, 120, 0)],
  ["an operation left of its successor", Uint8Array.of(1, 1, 9, 0, 0x44, 9, 1, 1, 120, 0)],
];

function v2Update(): Uint8Array {
  const doc = new Y.Doc();
  doc.getText("text").insert(0, "from a newer client");
  return Y.encodeStateAsUpdateV2(doc);
}

/** One collected operation of each client, each a section. */
function clients(...ids: readonly number[]): Uint8Array {
  return Uint8Array.from([ids.length, ...ids.flatMap((id, i) => [1, id, i, 0, 1]), 0]);
}

describe("reading an update", () => {
  it.each(ACCEPTED)("takes %s, which Yjs can apply", (_, update) => {
    expect(() => readUpdate(update)).not.toThrow();
    const doc = new Y.Doc();
    Y.applyUpdate(doc, update);
    Y.applyUpdate(new Y.Doc(), Y.encodeStateAsUpdate(doc));
  });

  it.each(REFUSED)("refuses %s", (_, update) => {
    expect(() => readUpdate(update)).toThrow(MalformedUpdateError);
  });

  it("refuses whatever is cut off, at each byte", () => {
    for (const seed of [1, 2, 3]) {
      const state = Y.encodeStateAsUpdate(richDocumentOf(createRichHistory(seed).updates));
      expect(() => readUpdate(state)).not.toThrow();
      for (let length = 0; length < state.length; length++) {
        expect(() => readUpdate(state.slice(0, length)), `${length} bytes`).toThrow(
          MalformedUpdateError,
        );
      }
    }
  });

  it("refuses whatever stands behind the end", () => {
    for (const update of createRichHistory(4).updates) {
      for (const more of [Uint8Array.of(0), Uint8Array.of(0, 0), update]) {
        expect(() => readUpdate(joinedBytes(update, more))).toThrow(MalformedUpdateError);
      }
    }
  });

  it("refuses nothing that Yjs writes, old editors' JSON included", () => {
    for (let seed = 0; seed < 30; seed++) {
      const { updates } = createRichHistory(seed, { tornPairs: true, pastServer: true });
      for (const update of [...updates, Y.mergeUpdates([...updates])]) readUpdate(update);
    }
  });
});
