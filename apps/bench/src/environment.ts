import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, totalmem, type } from "node:os";
import process from "node:process";

/** What the numbers depend on. */
export interface Environment {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly system: string;
  /** Of the clients. */
  readonly node: string;
  /** Of all servers. */
  readonly serverNode: string;
  readonly brokers: readonly string[];
  readonly packages: readonly string[];
}

const PACKAGES = [
  "@hocuspocus/server",
  "@hocuspocus/extension-redis",
  "teleportal",
  "yjs",
  "ws",
  "ioredis",
];

function versionOf(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
  return `${name} ${version}`;
}

export function environmentOf(serverNode: string, brokers: readonly string[]): Environment {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? "unknown",
    cores: processors.length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${process.arch}`,
    node: process.version,
    serverNode: execFileSync(serverNode, ["--version"], { encoding: "utf8" }).trim(),
    brokers: [...new Set(brokers)],
    packages: PACKAGES.map(versionOf),
  };
}
