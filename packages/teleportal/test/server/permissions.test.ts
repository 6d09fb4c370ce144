import { encodeUpdateFrame } from "@teleportal/sync-core";
import { CloseCode, listen, Server } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { updateOf } from "./update-of.ts";
import { connectEditor, untilSyncedAgain } from "./connect-editor.ts";
import { connectRaw, deniedReason } from "./raw-client.ts";
import { startInstance } from "./start-instance.ts";

/** A server whose clients say who they are, and a list of what each may. */
async function startWithRights() {
  const rights = new Map<string, { read: boolean; write: boolean }>();
  const storage = createMemoryDocumentStorage();
  const server = new Server<{ readonly user: string }>({
    getStorage: () => storage,
    checkPermission: ({ type, context }) => rights.get(context.user)?.[type] ?? true,
  });
  const listener = await listen(server, {
    port: 0,
    context: (request) => ({
      user: new URL(request.url ?? "", "ws://x").searchParams.get("user") ?? "",
    }),
  });
  onTestFinished(async () => {
    await server.close();
    await listener.close();
  });
  return { rights, server, url: listener.url, as: (user: string) => `doc?user=${user}` };
}

describe("a right that is taken away", () => {
  it("to read closes that user's connections with 4403, and no other", async () => {
    const { rights, server, url, as } = await startWithRights();
    const [alice, bob] = [await connectRaw(url, as("alice")), await connectRaw(url, as("bob"))];
    await Promise.all([alice.fence(), bob.fence()]);
    rights.set("bob", { read: false, write: false });
    expect(await server.recheckPermissions()).toBe(1);
    expect((await bob.closed).code).toBe(CloseCode.permissionDenied);
    expect(deniedReason(await bob.first("auth"))).toBe("no permission to read doc");
    await alice.fence();
  });

  it("to write refuses the next edit, and what was written before stays", async () => {
    const { rights, server, url, as } = await startWithRights();
    const bob = await connectRaw(url, as("bob"));
    const witness = connectEditor(url, as("alice"));
    await Promise.all([bob.fence(), witness.synced]);
    bob.send(encodeUpdateFrame(updateOf("before")));
    await witness.until((text) => text === "before");
    rights.set("bob", { read: true, write: false });
    expect(await server.recheckPermissions(({ context }) => context.user === "bob")).toBe(0);
    bob.send(encodeUpdateFrame(updateOf("after")));
    expect(deniedReason(await bob.first("auth"))).toBe("no permission to write doc");
    await bob.fence();
    expect(witness.text.toString()).toBe("before");
    rights.delete("bob");
    await server.recheckPermissions();
    bob.send(encodeUpdateFrame(updateOf("again")));
    await witness.until((text) => text.includes("again"));
  });

  it("while it is being asked for counts, whatever the answer to the earlier question", async () => {
    let answer!: (granted: boolean) => void;
    let asked = 0;
    const { server, url } = await startInstance({
      checkPermission({ type }) {
        if (type === "read") return true;
        asked += 1;
        if (asked > 1) return false;
        return new Promise((resolve) => (answer = resolve));
      },
    });
    const [bob, witness] = [await connectRaw(url, "doc"), connectEditor(url, "doc")];
    await Promise.all([bob.fence(), witness.synced]);
    bob.send(encodeUpdateFrame(updateOf("too late")));
    await vi.waitFor(() => expect(asked).toBe(1));
    await server.recheckPermissions();
    answer(true);
    expect(deniedReason(await bob.first("auth"))).toBe("no permission to write doc");
    await bob.fence();
    expect(witness.text.toString()).toBe("");
  });
});

describe("a client that is disconnected", () => {
  it("is closed with 4205, others stay, and a y-websocket client comes again with what it has typed", async () => {
    const { server, url, as } = await startWithRights();
    const [alice, bob] = [connectEditor(url, as("alice")), connectEditor(url, as("bob"))];
    await Promise.all([alice.synced, bob.synced]);
    const codes: number[] = [];
    bob.provider.ws?.addEventListener("close", ({ code }) => codes.push(code));
    alice.provider.on("connection-close", () => codes.push(0));
    const again = untilSyncedAgain(bob);
    expect(server.disconnect(({ context }) => context.user === "bob", "signed out")).toBe(1);
    bob.text.insert(0, "typed meanwhile");
    await again;
    await alice.until((text) => text === "typed meanwhile");
    expect(codes).toEqual([CloseCode.reset]);
  });

  it("stays away if it has no permission any more", async () => {
    const { rights, server, url, as } = await startWithRights();
    const bob = await connectRaw(url, as("bob"));
    await bob.fence();
    rights.set("bob", { read: false, write: false });
    expect(server.disconnect(({ documentId }) => documentId === "doc")).toBe(1);
    expect(await bob.closed).toEqual({
      code: CloseCode.reset,
      reason: "disconnected by the server",
    });
    const later = await connectRaw(url, as("bob"));
    expect((await later.closed).code).toBe(CloseCode.permissionDenied);
    expect(server.disconnect(() => true)).toBe(0);
  });
});
