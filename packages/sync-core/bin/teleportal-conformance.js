#!/usr/bin/env node
import process from "node:process";
import { main } from "../dist/conformance/command/main.js";

// Set rather than `process.exit`: what a target has left open should be seen, not cut off.
process.exitCode = await main(process.argv.slice(2));
