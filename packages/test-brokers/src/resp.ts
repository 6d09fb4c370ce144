import { connect } from "node:net";
import type { Socket } from "node:net";
import { BrokerError } from "./broker-error.ts";

/** A reply in Redis's protocol, RESP2 (redis.io/docs/latest/develop/reference/protocol-spec). */
export type RespReply = string | number | null | Error | RespReply[];

/** A raw connection to a Redis, without a client library in between. */
export interface RespConnection {
  /** Sends one command; resolves with its reply, rejects if it is an error. */
  command(...args: readonly string[]): Promise<RespReply>;
  /** Called for replies that no command waits for, such as MONITOR's lines. */
  onPush(listener: (reply: RespReply) => void): void;
  close(): void;
}

export async function openResp(port: number): Promise<RespConnection> {
  const socket = await open(port);
  const waiting: { resolve(reply: RespReply): void; reject(error: Error): void }[] = [];
  let push: (reply: RespReply) => void = () => {};
  let buffer = Buffer.alloc(0);

  socket.on("data", (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const parsed = parse(buffer, 0);
      if (parsed === undefined) return;
      buffer = buffer.subarray(parsed.next);
      const waiter = waiting.shift();
      if (waiter === undefined) push(parsed.reply);
      else if (parsed.reply instanceof Error) waiter.reject(parsed.reply);
      else waiter.resolve(parsed.reply);
    }
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    const error = new BrokerError("the connection was closed", "see whether the server still runs");
    for (const { reject } of waiting.splice(0)) reject(error);
  });

  return {
    command(...args) {
      return new Promise((resolve, reject) => {
        if (socket.destroyed) {
          reject(new BrokerError("the connection is closed", "open a new one"));
          return;
        }
        waiting.push({ resolve, reject });
        const parts = args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`);
        socket.write(`*${args.length}\r\n${parts.join("")}`);
      });
    },
    onPush(listener) {
      push = listener;
    },
    close: () => void socket.destroy(),
  };
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

function parse(buffer: Buffer, at: number): { reply: RespReply; next: number } | undefined {
  const end = buffer.indexOf("\r\n", at);
  if (end === -1) return undefined;
  const type = String.fromCharCode(buffer[at] ?? 0);
  const line = buffer.toString("latin1", at + 1, end);
  const next = end + 2;
  switch (type) {
    case "+":
      return { reply: line, next };
    case "-":
      return { reply: new Error(line), next };
    case ":":
      return { reply: Number(line), next };
    case "$": {
      const length = Number(line);
      if (length < 0) return { reply: null, next };
      if (buffer.length < next + length + 2) return undefined;
      return { reply: buffer.toString("utf8", next, next + length), next: next + length + 2 };
    }
    case "*": {
      const items: RespReply[] = [];
      let position = next;
      for (let i = 0; i < Number(line); i++) {
        const item = parse(buffer, position);
        if (item === undefined) return undefined;
        items.push(item.reply);
        position = item.next;
      }
      return { reply: Number(line) < 0 ? null : items, next: position };
    }
    default:
      throw new BrokerError(`"${type}" is no RESP2 type`, "speak to a Redis");
  }
}
