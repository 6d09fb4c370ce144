import { createServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { silentLogger } from "@teleportal/sync-core";
import { attach, listen, Server } from "teleportal";
import type { AttachOptions } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { answerToUpgrade } from "./answer-to-upgrade.ts";
import { connectEditor } from "./connect-editor.ts";
import { connectRaw } from "./raw-client.ts";
import { startInstance } from "./start-instance.ts";

describe("an http server of the application's own", () => {
  async function startHttp(options: AttachOptions<unknown> = {}) {
    const http = createServer((request, response) => response.end(`route ${request.url}`));
    const server = new Server<unknown>({
      getStorage: () => createMemoryDocumentStorage(),
      checkPermission: () => true,
      logger: silentLogger,
    });
    const attached = attach(server, http, options);
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const { port } = http.address() as AddressInfo;
    onTestFinished(async () => {
      await server.close();
      await attached.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    });
    return { http, server, attached, port, url: `ws://127.0.0.1:${port}` };
  }

  function addOther(http: HttpServer): void {
    const other = new WebSocketServer({ noServer: true });
    http.on("upgrade", (request, stream, head) => {
      if (!request.url?.startsWith("/other")) return;
      other.handleUpgrade(request, stream, head, (socket) => socket.send("other"));
    });
  }

  it("keeps its routes and its other upgrades beside the documents", async () => {
    const { http, port, url } = await startHttp({ path: "/collab" });
    addOther(http);
    expect(await (await fetch(`http://127.0.0.1:${port}/page`)).text()).toBe("route /page");
    const other = new WebSocket(`${url}/other`);
    onTestFinished(() => other.terminate());
    const said = await new Promise((resolve) => {
      other.once("message", (data: Buffer) => resolve(data.toString()));
    });
    expect(said).toBe("other");
    const alice = connectEditor(`${url}/collab`, "room/doc");
    const bob = connectEditor(`${url}/collab`, "room/doc");
    await Promise.all([alice.synced, bob.synced]);
    alice.text.insert(0, "hi");
    await bob.until((text) => text === "hi");
  });

  it("goes on after the documents are detached from it", async () => {
    const { http, attached, port, url } = await startHttp({ path: "/collab" });
    const client = await connectRaw(`${url}/collab`, "doc");
    await client.fence();
    await attached.close();
    expect((await client.closed).code).toBe(1001);
    expect(await (await fetch(`http://127.0.0.1:${port}/page`)).text()).toBe("route /page");
    expect(http.listenerCount("upgrade")).toBe(0);
  });

  /** Sends an upgrade request as it stands and reads the answer to its end. */
  async function upgrade(port: number, path: string): Promise<string> {
    const socket = rawUpgrade(port, path);
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  }

  function rawUpgrade(port: number, path: string): Socket {
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write(
      `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
        "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    return socket;
  }

  it.each([
    ["/collab/", "the path names no document"],
    ["/collab/?token=1", "the path names no document"],
    ["/collab/%E0%A4%A", "the path is not percent-encoded UTF-8"],
    ["/collab/%ED%A0%80", "the path is not percent-encoded UTF-8"],
    ["/collab/a%00b", "the path contains NUL"],
    [`/collab/${"x".repeat(4097)}`, "the path has more than 4096 characters"],
  ])("refuses the upgrade path %s with 400", async (path, reason) => {
    const { port } = await startHttp({ path: "/collab" });
    const answer = await upgrade(port, path);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer.endsWith(`\r\n\r\n${reason}`)).toBe(true);
  });

  it("refuses an upgrade that nobody takes with 404, and leaves one that another may take", async () => {
    const { http, port } = await startHttp({ path: "/collab" });
    expect(await upgrade(port, "/elsewhere")).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    addOther(http);
    const socket = rawUpgrade(port, "/other");
    const [answer] = await new Promise<[Buffer]>((resolve) => {
      socket.once("data", (data) => resolve([data]));
    });
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 101 /);
  });

  it("refuses a client whose context is rejected with 401 and the reason", async () => {
    const { port } = await startHttp({
      context: async ({ url }) => {
        if (url?.includes("token=good")) return { user: "good" };
        throw new Error("the token has expired");
      },
    });
    const answer = await upgrade(port, "/doc?token=bad");
    expect(answer).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
    expect(answer.endsWith("\r\n\r\nthe token has expired")).toBe(true);
    const client = await connectRaw(`ws://127.0.0.1:${port}`, "doc?token=good");
    await client.fence();
  });

  it("survives a client that breaks off while its context is being made, or refused", async () => {
    let reject!: (cause: Error) => void;
    const context = vi.fn(
      () =>
        new Promise((_resolve, refuse) => {
          reject = refuse;
        }),
    );
    const { port } = await startHttp({ context });
    for (const round of [1, 2]) {
      const socket = rawUpgrade(port, "/doc");
      await vi.waitFor(() => expect(context).toHaveBeenCalledTimes(round));
      socket.resetAndDestroy();
      // Until the server has read the reset.
      if (round === 1) await fetch(`http://127.0.0.1:${port}/fence`);
      reject(new Error("too late"));
    }
    expect(await (await fetch(`http://127.0.0.1:${port}/page`)).text()).toBe("route /page");
  });

  it("can be detached while a context is being made: that client is refused", async () => {
    let resolve!: (context: unknown) => void;
    const context = vi.fn(
      () =>
        new Promise((made) => {
          resolve = made;
        }),
    );
    const { port, attached, server } = await startHttp({ context });
    const answer = upgrade(port, "/doc");
    onTestFinished(() => resolve({}));
    await vi.waitFor(() => expect(context).toHaveBeenCalledTimes(1));
    await attached.close();
    expect(await answer).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    resolve({});
    // What was resolved has been handled by the time a request is answered.
    await fetch(`http://127.0.0.1:${port}/fence`);
    expect(server.size.connections).toBe(0);
  });
});

describe("listening", () => {
  it("on a port in use is one clear error", async () => {
    const { listener } = await startInstance();
    const server = new Server({
      getStorage: () => createMemoryDocumentStorage(),
      checkPermission: () => true,
    });
    await expect(listen(server, { port: listener.port })).rejects.toThrow(
      `[teleportal] cannot listen on 127.0.0.1:${listener.port}: ` +
        "stop what uses it, or choose another port",
    );
  });

  it("answers a browser that is sent there by mistake, and ends with `close`", async () => {
    const { listener } = await startInstance();
    const page = `http://127.0.0.1:${listener.port}/doc`;
    const response = await fetch(page);
    expect(response.status).toBe(426);
    expect(await response.text()).toContain("WebSocket");
    await Promise.all([listener.close(), listener.close()]);
    await expect(fetch(page)).rejects.toThrow("fetch failed");
  });

  it("ends though a client does not answer the closing handshake", async () => {
    const { listener, url } = await startInstance();
    const client = await connectRaw(url, "doc");
    await client.fence();
    client.socket.pause();
    await listener.close();
    expect(listener.port).toBeGreaterThan(0);
  });
});

describe("an origin that is not allowed", () => {
  async function startFor(allowedOrigins: readonly string[]) {
    const { server } = await startInstance();
    const listener = await listen(server, { port: 0, allowedOrigins });
    onTestFinished(() => listener.close());
    return (origin?: string) => answerToUpgrade(`${listener.url}/doc`, origin);
  }

  it("is refused with 403; those that are, and clients that are no browsers, come in", async () => {
    const answerTo = await startFor(["https://app.example", "http://localhost:5173/"]);
    expect(await answerTo("https://app.example")).toBe(101);
    expect(await answerTo("http://localhost:5173")).toBe(101);
    expect(await answerTo()).toBe(101);
    for (const origin of [
      "https://evil.example",
      "https://app.example.evil.example",
      "http://app.example",
      "https://app.example:8443",
      "null",
    ]) {
      expect(await answerTo(origin), origin).toBe(403);
    }
  });

  it.each(["app.example", "https://app.example/editor", "*", ""])(
    "that is none, %j, is an error, and no port stays open",
    async (origin) => {
      const { server } = await startInstance();
      await expect(listen(server, { port: 0, allowedOrigins: [origin] })).rejects.toThrow(
        `[teleportal] the allowed origin ${JSON.stringify(origin)} is none: write it as https://app.example`,
      );
    },
  );
});
