#!/usr/bin/env node
import process from "node:process";
import { main } from "../dist/conformance/command/main.js";

const GRACE = 5000;

const code = await main(process.argv.slice(2));
process.exitCode = code;

// An adapter or a target that leaves something open keeps the process: that is said, and not waited for.
setTimeout(() => {
  const open = process.getActiveResourcesInfo().join(", ");
  process.stderr.write(`teleportal-conformance: left open when all was closed: ${open}\n`);
  process.exit(code);
}, GRACE).unref();
