/*
 * A process to be killed, for file-document-storage.test.ts: appends and compacts until it is, and says on standard
 * output what was acknowledged. Arguments: the directory, and the number to begin with.
 */
import { writeSync } from "node:fs";
import * as Y from "yjs";
import { createFileDocumentStorage } from "../../src/storage/index.ts";

const [directory = "", begin = "0"] = process.argv.slice(2);
const storage = createFileDocumentStorage(directory);
try {
  await storage.load("doc");
} catch (error) {
  writeSync(1, `${String(error)}\n`);
  process.exit(1);
}
writeSync(1, "open\n");
for (let number = Number(begin); ; number++) {
  const document = new Y.Doc();
  document.getMap("numbers").set(String(number), "x".repeat(100));
  await storage.append("doc", [Y.encodeStateAsUpdate(document)]);
  writeSync(1, `${number}\n`);
  if (number % 20 === 0) {
    await storage.compact("doc", async (updates) => [Y.mergeUpdates([...updates])]);
  }
}
