import { isDeepStrictEqual } from "node:util";
import * as Y from "yjs";

/** What a document holds of its operations, one after the other of each client. */
type Struct = Y.Item | Y.GC | Y.Skip;

/**
 * What the first difference of two documents is; `undefined` if they are the same: who has done what and what of it is
 * deleted, every operation with its neighbours, its place and its content, and what the root types show. What one of the
 * two no longer holds because it is deleted is not compared.
 */
export function differenceBetween(a: Y.Doc, b: Y.Doc): string | undefined {
  return (
    differenceOf("state", stateOf(a), stateOf(b)) ??
    differenceOf("deletions", deletionsOf(a), deletionsOf(b)) ??
    differenceOf("waiting", waitingOf(a), waitingOf(b)) ??
    structDifference(a, b) ??
    differenceOf("order", orderOf(a), orderOf(b)) ??
    shownDifference(a, b)
  );
}

function differenceOf(what: string, one: unknown, other: unknown): string | undefined {
  if (isDeepStrictEqual(one, other)) return undefined;
  return `${what}: ${brief(one)} and ${brief(other)}`;
}

function brief(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === "bigint") return `${part}n`;
    return part instanceof Map ? [...part] : part;
  });
  return (text ?? "nothing").slice(0, 1000);
}

function stateOf(doc: Y.Doc): Map<number, number> {
  return new Map([...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(([x], [y]) => x - y));
}

/** By client, the deleted ranges, those that touch as one. */
function deletionsOf(doc: Y.Doc): Map<number, (readonly [from: number, to: number])[]> {
  const deleted = new Map<number, [number, number][]>();
  const { clients } = Y.createDeleteSetFromStructStore(doc.store);
  for (const client of [...clients.keys()].sort((x, y) => x - y)) {
    const ranges: [number, number][] = [];
    for (const { clock, len } of clients.get(client) ?? []) {
      const last = ranges.at(-1);
      if (last !== undefined && last[1] === clock) last[1] += len;
      else ranges.push([clock, clock + len]);
    }
    deleted.set(client, ranges);
  }
  return deleted;
}

/** What has come before what it builds on. */
function waitingOf(doc: Y.Doc): unknown {
  const missing = doc.store.pendingStructs?.missing;
  return {
    structs: missing && [...missing].sort(([x], [y]) => x - y),
    deletions: doc.store.pendingDs !== null,
  };
}

function structDifference(a: Y.Doc, b: Y.Doc): string | undefined {
  const [rootsOfA, rootsOfB] = [rootNames(a), rootNames(b)];
  for (const [client, structs] of a.store.clients) {
    const others = b.store.clients.get(client) ?? [];
    let [i, j] = [0, 0];
    for (;;) {
      const [one, other] = [structs[i], others[j]];
      if (one === undefined || other === undefined) break;
      const from = Math.max(one.id.clock, other.id.clock);
      const [endOfOne, endOfOther] = [one.id.clock + one.length, other.id.clock + other.length];
      const to = Math.min(endOfOne, endOfOther);
      const difference = differenceOf(
        `operation ${client}:${from}`,
        ...partsOf([one, rootsOfA], [other, rootsOfB], from, to),
      );
      if (difference !== undefined) return difference;
      if (endOfOne === to) i += 1;
      if (endOfOther === to) j += 1;
    }
  }
  return undefined;
}

type RootNames = ReadonlyMap<unknown, string>;

function rootNames(doc: Y.Doc): RootNames {
  return new Map([...doc.share].map(([name, type]) => [type, name]));
}

/** Of both structs what stands from `from` to `to`, as far as both still hold it. */
function partsOf(
  [one, rootsOfOne]: readonly [Struct, RootNames],
  [other, rootsOfOther]: readonly [Struct, RootNames],
  from: number,
  to: number,
): readonly [unknown, unknown] {
  if (!(one instanceof Y.Item) || !(other instanceof Y.Item)) {
    return [isGone(one), isGone(other)];
  }
  const places = [placeOf(one, from, rootsOfOne), placeOf(other, from, rootsOfOther)] as const;
  if (one.content instanceof Y.ContentDeleted || other.content instanceof Y.ContentDeleted) {
    return [
      [one.deleted, places[0]],
      [other.deleted, places[1]],
    ];
  }
  return [
    [one.deleted, places[0], contentOf(one, from, to)],
    [other.deleted, places[1], contentOf(other, from, to)],
  ];
}

/** Whether nothing of it can be seen any more. */
function isGone(struct: Struct): boolean {
  return !(struct instanceof Y.Item) || struct.deleted;
}

function placeOf(item: Y.Item, from: number, roots: RootNames): unknown {
  const origin =
    from > item.id.clock ? { client: item.id.client, clock: from - 1 } : plain(item.origin);
  return { origin, rightOrigin: plain(item.rightOrigin), parent: parentOf(item, roots) };
}

function plain(id: Y.ID | null): { client: number; clock: number } | null {
  return id && { client: id.client, clock: id.clock };
}

function parentOf({ parent, parentSub }: Y.Item, roots: RootNames): unknown {
  if (!(parent instanceof Y.AbstractType)) return { parent: String(parent), parentSub };
  return { parent: plain(parent._item?.id ?? null) ?? roots.get(parent), parentSub };
}

function contentOf({ id, content }: Y.Item, from: number, to: number): unknown {
  const [start, end] = [from - id.clock, to - id.clock];
  if (content instanceof Y.ContentString) return content.str.slice(start, end);
  if (content instanceof Y.ContentAny || content instanceof Y.ContentJSON) {
    return content.arr.slice(start, end);
  }
  if (content instanceof Y.ContentBinary) return new Uint8Array(content.content);
  if (content instanceof Y.ContentEmbed) return content.embed;
  if (content instanceof Y.ContentFormat) return [content.key, content.value];
  if (content instanceof Y.ContentDoc) return [content.doc.guid, content.opts];
  if (content instanceof Y.ContentType) return kindOf(content.type);
  return content.constructor.name;
}

function kindOf(type: unknown): readonly string[] {
  if (type instanceof Y.XmlElement) return ["XmlElement", type.nodeName];
  if (type instanceof Y.XmlHook) return ["XmlHook", type.hookName];
  if (type instanceof Y.XmlFragment) return ["XmlFragment"];
  if (type instanceof Y.XmlText) return ["XmlText"];
  if (type instanceof Y.Text) return ["Text"];
  if (type instanceof Y.Map) return ["Map"];
  return [type instanceof Y.Array ? "Array" : "unknown"];
}

/** What stands in each type that is not deleted, in which order. */
function orderOf(doc: Y.Doc): Map<string, unknown> {
  const orders = new Map<string, unknown>();
  for (const [name, type] of doc.share) {
    const order = entriesOf(type);
    if (order !== undefined) orders.set(`"${name}"`, order);
  }
  for (const [client, structs] of doc.store.clients) {
    for (const struct of structs) {
      if (!(struct instanceof Y.Item) || struct.deleted) continue;
      if (!(struct.content instanceof Y.ContentType)) continue;
      orders.set(`${client}:${struct.id.clock}`, entriesOf(struct.content.type));
    }
  }
  return new Map([...orders].sort(([x], [y]) => (x < y ? -1 : 1)));
}

function entriesOf(type: Pick<Y.AbstractType<unknown>, "_start" | "_map">): unknown {
  const listed: { client: number; from: number; to: number }[] = [];
  for (let item = type._start; item !== null; item = item.right) {
    if (item.deleted) continue;
    const { client, clock } = item.id;
    const last = listed.at(-1);
    if (last !== undefined && last.client === client && last.to === clock) last.to += item.length;
    else listed.push({ client, from: clock, to: clock + item.length });
  }
  const keyed = [...type._map]
    .filter(([, item]) => !item.deleted)
    .map(([key, item]) => [key, plain(item.lastId)] as const)
    .sort(([x], [y]) => (x < y ? -1 : 1));
  return listed.length === 0 && keyed.length === 0 ? undefined : { listed, keyed };
}

/** Of the root types that either of them has opened. */
function shownDifference(a: Y.Doc, b: Y.Doc): string | undefined {
  for (const doc of [a, b]) {
    for (const [name, type] of doc.share) {
      const opened = openedAs(type);
      if (opened !== undefined) (doc === a ? b : a).get(name, opened);
    }
  }
  return differenceOf("shown", shownBy(a), shownBy(b));
}

/** What the root types show that were opened, by their names, as plain data. */
export function shownBy(doc: Y.Doc): Record<string, unknown> {
  const opened = [...doc.share].filter(([, type]) => openedAs(type) !== undefined);
  return Object.fromEntries(
    opened.sort(([x], [y]) => (x < y ? -1 : 1)).map(([name, type]) => [name, shownIn(type)]),
  );
}

function openedAs(type: unknown) {
  for (const kind of [Y.XmlElement, Y.XmlFragment, Y.XmlText, Y.Text, Y.Map, Y.Array]) {
    if (type instanceof kind) return kind;
  }
  return undefined;
}

/** What a type or a value shows, as plain data. */
function shownIn(value: unknown): unknown {
  if (value instanceof Y.Text) {
    return { attributes: value.getAttributes(), text: joined(value.toDelta() as readonly Op[]) };
  }
  if (value instanceof Y.XmlElement) {
    const { nodeName } = value;
    return {
      nodeName,
      attributes: shownIn(value.getAttributes()),
      in: value.toArray().map(shownIn),
    };
  }
  if (value instanceof Y.XmlFragment || value instanceof Y.Array) {
    return Array.from<unknown>(value.toArray()).map(shownIn);
  }
  if (value instanceof Y.Map) {
    return Object.fromEntries(
      [...value.keys()].sort().map((key) => [key, shownIn(value.get(key))]),
    );
  }
  return value instanceof Y.Doc ? { guid: value.guid } : value;
}

interface Op {
  readonly insert: unknown;
  readonly attributes?: Record<string, unknown>;
}

/** Text of the same format as one: where it is divided depends on format marks that nobody sees. */
function joined(delta: readonly Op[]): readonly Op[] {
  const ops: { insert: unknown; attributes: Record<string, unknown> }[] = [];
  for (const { insert, attributes = {} } of delta) {
    const last = ops.at(-1);
    if (
      typeof insert === "string" &&
      typeof last?.insert === "string" &&
      isDeepStrictEqual(last.attributes, attributes)
    ) {
      last.insert += insert;
    } else ops.push({ insert: shownIn(insert), attributes });
  }
  return ops;
}
