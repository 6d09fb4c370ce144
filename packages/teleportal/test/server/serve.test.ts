import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, test } from "vitest";
import * as Y from "yjs";
import { findRedis, requireBroker, startRedis } from "@teleportal/test-brokers";
import { redactUrl } from "../../src/command/open-sync.ts";
import { serve as serveHere } from "../../src/command/serve.ts";
import { createStderrLogger } from "../../src/command/stderr-logger.ts";
import { CloseCode } from "../../src/server/close-code.ts";
import { createFileDocumentStorage } from "../../src/storage/index.ts";
import { answerToUpgrade } from "./answer-to-upgrade.ts";
import { connectProvider } from "./connect-provider.ts";
import { runCommand, serve } from "./serve-process.ts";

const redis = requireBroker("Redis", findRedis());
const BIN = fileURLToPath(new URL("../../bin/teleportal.js", import.meta.url));
const BUILT = existsSync(new URL("../../dist/command/main.js", import.meta.url));

describe("teleportal serve", () => {
  it("says where it listens, what it syncs over and where it stores", async () => {
    await using server = await serve();
    expect(server.stdout).toMatch(
      /^storage +memory\nsync +none: a single instance\nlistening +ws:/,
    );
    const client = connectProvider(server.url, "doc");
    await client.synced;
    client.destroy();
  });

  it("keeps documents in a directory over a restart", async () => {
    const directory = await mkdtemp(join(tmpdir(), "teleportal-serve-"));
    const first = await serve("--storage", `file:${directory}`);
    const alice = connectProvider(first.url, "room1/doc456");
    await alice.synced;
    alice.text.insert(0, "kept");
    // Another client has it from the server, so the server has it.
    const anna = connectProvider(first.url, "room1/doc456");
    await anna.until((text) => text === "kept");
    first.child.kill("SIGTERM");
    expect(await first.exited).toBe(0);
    for (const client of [alice, anna]) client.destroy();

    await using second = await serve("--storage", `file:${directory}`);
    const bob = connectProvider(second.url, "room1/doc456");
    await bob.synced;
    expect(bob.text.toString()).toBe("kept");
    bob.destroy();
    await rm(directory, { recursive: true, force: true });
  });

  it("does not start on a directory that it cannot use, and says why", async () => {
    const directory = await mkdtemp(join(tmpdir(), "teleportal-serve-"));
    const file = join(directory, "file");
    await writeFile(file, "");
    const onFile = runCommand("serve", "--port", "0", "--storage", `file:${file}`);
    expect(await onFile.exited).toBe(1);
    expect(onFile.stderr).toMatch(
      /^teleportal: \[teleportal\] opening the storage directory ".*" failed \(EEXIST.*\): check that it is a directory this process may write to\n$/,
    );
    expect(onFile.stdout).toBe("");

    await using first = await serve("--storage", `file:${directory}`);
    const second = runCommand("serve", "--port", "0", "--storage", `file:${directory}`);
    expect(await second.exited).toBe(1);
    expect(second.stderr).toMatch(/it is in use by another process/);
    expect(second.stdout).toBe("");
    // The one that has it is not disturbed.
    const client = connectProvider(first.url, "doc");
    await client.synced;
    client.destroy();
    await first[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it("sets its directory free when it does not start for another reason", async () => {
    const directory = await mkdtemp(join(tmpdir(), "teleportal-serve-"));
    const options = {
      port: 0,
      host: "127.0.0.1",
      sync: "kafka://localhost",
      allowedOrigins: undefined,
      keyPrefix: undefined,
      storage: `file:${directory}`,
      documentBytes: undefined,
      keepDeletedContent: false,
      operationsPort: undefined,
    };
    await expect(serveHere(options, createStderrLogger("error"), () => undefined)).rejects.toThrow(
      /unknown scheme "kafka:"/,
    );
    const storage = createFileDocumentStorage(directory);
    await storage.open();
    await storage.close();
    await rm(directory, { recursive: true, force: true });
  });

  it("takes the limit of a document, and keeps deleted content, when told to", async () => {
    const directory = await mkdtemp(join(tmpdir(), "teleportal-serve-"));
    const flags = ["--document-bytes", "1000", "--keep-deleted-content"];
    const server = await serve("--storage", `file:${directory}`, ...flags);
    const writer = connectProvider(server.url, "doc");
    await writer.synced;
    // Enough to be made compact when the document is closed.
    for (let i = 0; i < 100; i++) {
      writer.text.insert(0, "kept after all");
      writer.text.delete(0, writer.text.length);
    }
    writer.text.insert(0, "the end");
    const reader = connectProvider(server.url, "doc");
    await reader.until((text) => text === "the end");
    const doc = new Y.Doc();
    doc.getText("text").insert(0, "x".repeat(2000));
    const large = connectProvider(server.url, "another", doc);
    const code = await new Promise<number | undefined>((resolve) => {
      large.provider.on("connection-close", (event) => resolve(event?.code));
    });
    expect(code).toBe(CloseCode.documentTooLarge);
    for (const client of [writer, reader, large]) client.destroy();
    server.child.kill("SIGTERM");
    await server.exited;
    const storage = createFileDocumentStorage(directory);
    const stored = Buffer.concat(await storage.load("doc")).toString("latin1");
    expect(stored.split("kept after all").length).toBe(101);
    await storage.close();
    await rm(directory, { recursive: true, force: true });
  });

  it("drains on SIGTERM: clients are told to go, and the process ends well within 5 s", async () => {
    const server = await serve();
    const client = connectProvider(server.url, "doc");
    await client.synced;
    const closed = new Promise<number>((resolve) => {
      client.provider.on("connection-close", (event) => resolve(event?.code ?? 0));
    });
    server.child.kill("SIGTERM");
    expect(await closed).toBe(1001);
    expect(await server.exited).toBe(0);
    client.destroy();
  });

  it.each([
    [["serve", "--prot", "1"], /Unknown option '--prot'/],
    [["serve", "--port", "http"], /--port: "http" is no port/],
    [["serve", "--port", "70000"], /--port: "70000" is no port/],
    [["serve", "--document-bytes", "1e9"], /--document-bytes: "1e9" is no number of bytes/],
    [["serve", "--document-bytes", "0"], /--document-bytes: "0" is no number of bytes/],
    [
      ["serve", "--sync", "kafka://:hun/ter2@localhost"],
      /^(?!.*ter2).*--sync: unknown scheme "kafka:"/,
    ],
    [["serve", "--sync", "redis"], /--sync: no URL; use one of memory:, redis:/],
    [["serve", "--storage", "s3:bucket"], /--storage: unknown storage "s3:bucket"/],
    [["serve", "--log-level", "loud"], /--log-level: unknown level "loud"/],
    [["server"], /unknown command "server"/],
    [[], /no command/],
  ])("called as %j ends with 2 and one clear line", async (args, message) => {
    const command = runCommand(...args);
    expect(await command.exited).toBe(2);
    expect(command.stderr).toMatch(message);
    expect(command.stderr.trim().split("\n")).toHaveLength(1);
  });

  it("on a port in use ends with 1 and one clear line", async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
    const { port } = blocker.address() as AddressInfo;
    const command = runCommand("serve", "--port", String(port));
    expect(await command.exited).toBe(1);
    expect(command.stderr).toBe(
      `teleportal: [teleportal] cannot listen on 127.0.0.1:${port}: stop what uses it, or choose another port\n`,
    );
    blocker.close();
  });

  it("lets pages of the allowed origins connect, and no others", async () => {
    const allow = ["--allow-origin", "https://app.example", "--allow-origin", "https://b.example"];
    await using command = runCommand("serve", "--port", "0", "--log-level", "error", ...allow);
    const [, url] = await command.printed(/^listening +(\S+)$/m);
    const origins = ["https://app.example", "https://b.example", "https://evil.example"];
    expect(
      await Promise.all(origins.map((origin) => answerToUpgrade(`${url}/doc`, origin))),
    ).toEqual([101, 101, 403]);
  });

  it("ends with 2 for an allowed origin that is none", async () => {
    const command = runCommand("serve", "--port", "0", "--allow-origin", "app.example");
    expect(await command.exited).toBe(2);
    expect(command.stderr).toContain('--allow-origin: the allowed origin "app.example" is none');
  });

  it("tells its version and its usage", async () => {
    const [help, version] = [runCommand("--help"), runCommand("--version")];
    expect(await help.exited).toBe(0);
    expect(help.stdout).toContain("--sync URL");
    expect(await version.exited).toBe(0);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+/);
  });

  it.skipIf(!BUILT)("is what the installed command runs", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [BIN, "--version"]);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

test.each([
  ["redis://user:hunter2@host:6379/0", "redis://user:***@host:6379/0"],
  ["redis://:hun/ter2@host", "redis://:***@host"],
  ["nats://a:hunter2@one,nats://b:hunter2@two", "nats://a:***@two"],
  ["redis://host:6379/0", "redis://host:6379/0"],
  [
    "google-pubsub://project?endpoint=127.0.0.1:8085",
    "google-pubsub://project?endpoint=127.0.0.1:8085",
  ],
])("of %s is printed %s", (url, printed) => {
  expect(redactUrl(url)).toBe(printed);
});

describe.skipIf(redis.skip)(`a teleportal serve process on a ${redis.title}`, () => {
  it("hides the password of the broker in what it prints", async () => {
    await using broker = await startRedis({ password: "topsecret" });
    await using server = await serve("--sync", broker.url, "--log-level", "trace");
    expect(server.stdout).toMatch(/sync +redis:\/\/:\*\*\*@127\.0\.0\.1:\d+ \(connected\)/);
    server.child.kill("SIGTERM");
    await server.exited;
    expect(server.stdout + server.stderr).not.toContain("topsecret");
  });
});
