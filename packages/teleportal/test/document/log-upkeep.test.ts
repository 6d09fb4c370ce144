import { afterTurn } from "@teleportal/sync-core";
import { expect, onTestFinished, test, vi } from "vitest";
import * as Y from "yjs";
import { BackgroundWork } from "../../src/document/background-work.ts";
import { LogUpkeep } from "../../src/document/log-upkeep.ts";
import type { Upkeep } from "../../src/document/log-upkeep.ts";
import { UpdateLog } from "../../src/document/update-log.ts";
import { occupy } from "./occupy.ts";

/** One operation is gone according to the first, and a letter according to the second: decodes, and cannot be applied. */
const CONTRADICTION = [
  new Uint8Array([1, 1, 1, 0, 0, 1, 0]),
  new Uint8Array([1, 1, 1, 0, 4, 1, 4, 116, 101, 120, 116, 2, 97, 98, 0]),
];

function keep(log: UpdateLog) {
  const background = new BackgroundWork();
  const compacted = vi.fn();
  const failures: Upkeep[] = [];
  const upkeep = new LogUpkeep(log, background, {
    compacted,
    upkeepFailed: (what) => void failures.push(what),
  });
  onTestFinished(() => upkeep.end());
  return { background, compacted, failures, upkeep };
}

function type(log: UpdateLog, text: string): void {
  const doc = new Y.Doc();
  doc.on("update", (update: Uint8Array) => void log.append(new Uint8Array(update)));
  for (const letter of text) doc.getText("text").insert(0, letter);
}

function paste(log: UpdateLog, length: number): void {
  const doc = new Y.Doc();
  doc.getText("text").insert(0, "x".repeat(length));
  log.append(new Uint8Array(Y.encodeStateAsUpdate(doc)));
}

const turn = (): Promise<void> => new Promise((resolve) => afterTurn(() => resolve()));

test("gathers what is scattered after the turn, each time", async () => {
  const log = new UpdateLog();
  const { upkeep } = keep(log);
  for (const letter of "abc") {
    type(log, letter.repeat(600));
    upkeep.soon();
    expect(log.scattered).toBe(true);
    await turn();
    expect(log.scattered).toBe(false);
  }
});

test("gathers on while compacting waits for other documents", async () => {
  const log = new UpdateLog();
  const { background, compacted, upkeep } = keep(log);
  onTestFinished(occupy(background));
  paste(log, 200_000);
  upkeep.soon();
  type(log, "b".repeat(600));
  upkeep.soon();
  await turn();
  expect(log.scattered).toBe(false);
  expect(compacted).not.toHaveBeenCalled();
});

test("gathers on after a compaction that Yjs has refused, which is told once and not tried again", async () => {
  const log = new UpdateLog();
  const { failures, upkeep } = keep(log);
  // Large, so that the two are not gathered into one.
  for (const update of CONTRADICTION) {
    log.append(update);
    paste(log, 40_000);
    log.gather();
  }
  upkeep.soon();
  await vi.waitFor(() => expect(failures).toEqual(["compacting"]));
  type(log, "c".repeat(600));
  upkeep.soon();
  await turn();
  expect(log.scattered).toBe(false);
  paste(log, 400_000);
  upkeep.soon();
  await turn();
  expect(failures).toEqual(["compacting"]);
});

test("compacts what has grown meanwhile as well", async () => {
  const log = new UpdateLog();
  const { compacted, upkeep } = keep(log);
  const compactInSteps = log.compactInSteps.bind(log);
  vi.spyOn(log, "compactInSteps").mockImplementationOnce(function* () {
    const steps = compactInSteps();
    steps.next();
    paste(log, 800_000);
    upkeep.soon();
    yield* steps;
  });
  paste(log, 200_000);
  upkeep.soon();
  await vi.waitFor(() => expect(log.bloated).toBe(false));
  expect(compacted).toHaveBeenCalled();
});

test("gives up a compaction when the document closes", async () => {
  const log = new UpdateLog();
  const { background, compacted, upkeep } = keep(log);
  paste(log, 200_000);
  upkeep.soon();
  upkeep.end();
  await occupy(background)();
  expect(compacted).not.toHaveBeenCalled();
  expect(log.bloated).toBe(true);
});
