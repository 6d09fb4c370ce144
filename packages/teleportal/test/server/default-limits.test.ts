import { expect, it } from "vitest";
import { Server } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";

function serverWith(
  limits: NonNullable<ConstructorParameters<typeof Server>[0]["limits"]>,
): Server {
  const storage = createMemoryDocumentStorage();
  return new Server({ getStorage: () => storage, checkPermission: () => true, limits });
}

it("a limit that is undefined has its default, as one that is left out; one that is none is refused", () => {
  const { limits } = serverWith({});
  const names = Object.keys(limits);
  expect(names.length).toBeGreaterThan(5);
  const undefinedOnes = Object.fromEntries(names.map((name) => [name, undefined]));
  expect(serverWith(undefinedOnes).limits).toEqual(limits);
  expect(() => serverWith({ documentBytes: Number.NaN })).toThrow(/limits\.documentBytes is NaN/);
  expect(() => serverWith({ documents: 0 })).toThrow(/limits\.documents is 0/);
  expect(serverWith({ documents: 5 }).limits).toEqual({ ...limits, documents: 5 });
});
