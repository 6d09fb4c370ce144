import { ByteWriter } from "@teleportal/sync-core";
import fc from "fast-check";
import { Content } from "../../src/yjs-v1/struct-reader.ts";

/** Updates made by hand, of which each field is valid or nearly so: no editor makes them, and every client may send them. */
export const oddUpdates: fc.Arbitrary<Uint8Array> = fc.gen().map((gen) => {
  const writer = new ByteWriter();
  const few = <Value>(...values: readonly Value[]): Value =>
    gen(fc.constantFrom<Value[]>, ...values);
  const text = (value: string): void => writer.varBytes(new TextEncoder().encode(value));
  const id = (): void => {
    writer.varUint(few(1, 2, 3, 3));
    writer.varUint(few(0, 0, 1, 2, 3, 5, 9));
  };

  function writeAny(depth: number): void {
    const type = few(
      127,
      126,
      125,
      124,
      123,
      122,
      121,
      120,
      119,
      118,
      117,
      116,
      depth > 0 ? 115 : 120,
    );
    writer.uint8(type);
    if (type === 125) for (const byte of few([0x3f], [0xbf, 0x7f], [0x41])) writer.uint8(byte);
    else if (type === 124) for (let i = 0; i < 4; i++) writer.uint8(few(0, 1, 255));
    else if (type === 123 || type === 122) for (let i = 0; i < 8; i++) writer.uint8(few(0, 1, 255));
    else if (type === 119) text(few("", "é", "value", "\u{1f600}"));
    else if (type === 116) writer.varBytes(few(new Uint8Array(), Uint8Array.of(0, 255)));
    else if (type === 118 || type === 117) {
      const count = depth > 2 ? 0 : few(0, 1, 2);
      writer.varUint(count);
      for (let i = 0; i < count; i++) {
        if (type === 118) text(few("", "key", "__proto__", "constructor", "guid", "autoLoad"));
        writeAny(depth + 1);
      }
    }
  }

  function writeContent(content: number): void {
    switch (content) {
      case Content.gc:
      case Content.deleted:
      case Content.skip:
        writer.varUint(few(1, 2, 5, 0));
        return;
      case Content.json: {
        const count = few(1, 2, 0);
        writer.varUint(count);
        for (let i = 0; i < count; i++) text(few("1", "undefined", "null", '{"a":[]}', "", "oh"));
        return;
      }
      case Content.binary:
        writer.varBytes(few(new Uint8Array(), Uint8Array.of(1, 2, 3)));
        return;
      case Content.string:
        text(few("a", "abc", "é\u{1f600}", "", "\u{1f600}\u{1f600}"));
        return;
      case Content.embed:
        text(few("1", '{"image":"x"}', "null", "undefined", "[", "true", "{}"));
        return;
      case Content.format:
        text(few("bold", "", "ychange"));
        text(few("true", "null", '"red"', '{"a":1}', "nul"));
        return;
      case Content.type: {
        const type = few(0, 1, 2, 3, 4, 5, 6, 7);
        writer.varUint(type);
        if (type === 3 || type === 5) text(few("p", ""));
        return;
      }
      case Content.any: {
        const count = few(1, 2, 3, 0);
        writer.varUint(count);
        for (let i = 0; i < count; i++) writeAny(0);
        return;
      }
      case Content.doc:
        text(few("guid", ""));
        writeAny(0);
    }
  }

  function writeStruct(): void {
    const content = few(0, 1, 2, 3, 4, 4, 4, 5, 6, 7, 7, 7, 8, 8, 9, 10, 11);
    const names =
      content === Content.gc || content === Content.skip ? 0 : few(0, 0, 1, 1, 2, 4, 4, 5, 6, 7);
    writer.uint8((names << 5) | content);
    if (content !== Content.gc && content !== Content.skip) {
      if ((names & 4) !== 0) id();
      if ((names & 2) !== 0) id();
      if ((names & 6) === 0) {
        const inRoot = few(1, 1, 0, 2);
        writer.varUint(inRoot);
        if (inRoot === 1) text(few("text", "map", "list", "xml", "nothing else"));
        else id();
        if ((names & 1) !== 0) text(few("key", "other"));
      }
    }
    writeContent(content);
  }

  const sections = few([3, 2, 1], [2, 1], [3], [1, 2], [1, 3, 2], [], [3, 3], [2, 1, 2]);
  writer.varUint(sections.length);
  for (const client of sections) {
    const structs = few(1, 2, 3, 4, 0);
    writer.varUint(structs);
    writer.varUint(client);
    writer.varUint(few(0, 0, 0, 1, 3));
    for (let i = 0; i < structs; i++) writeStruct();
  }
  const deletions = few(0, 0, 1, 2);
  writer.varUint(deletions);
  for (let i = 0; i < deletions; i++) {
    writer.varUint(few(1, 2, 3));
    const count = few(1, 2, 0);
    writer.varUint(count);
    for (let j = 0; j < count; j++) {
      writer.varUint(few(0, 1, 2, 5));
      writer.varUint(few(1, 1, 2, 7, 0));
    }
  }
  return writer.finish();
});
