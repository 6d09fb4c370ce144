import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { prometheusText, Server } from "teleportal";
import { createMemoryDocumentStorage } from "teleportal/storage";
import { describe, expect, it } from "vitest";
import { ownPages } from "../.vitepress/site-pages.ts";

const SITE = fileURLToPath(new URL("..", import.meta.url));
const NAME = /\bteleportal_[a-z_]+/g;

const server = new Server({
  getStorage: () => createMemoryDocumentStorage(),
  checkPermission: () => true,
});

/** What a scrape gives; a histogram under its own name, and under those of its series. */
const scraped = prometheusText(server.snapshot());
const families = [...scraped.matchAll(/^# TYPE (\S+) /gm)].map(([, name = ""]) => name);

describe("the metrics of the pages", () => {
  it("are those that an instance has", () => {
    const real = new Set([...families, ...(scraped.match(NAME) ?? [])]);
    const invented = ownPages(SITE).flatMap((page) =>
      (readFileSync(page, "utf8").match(NAME) ?? [])
        .filter((name) => !real.has(name))
        .map((name) => `${relative(SITE, page)}: ${name}`),
    );
    expect(invented).toEqual([]);
  });

  it("are all told to the operator", () => {
    expect(families.length).toBeGreaterThan(20);
    const page = readFileSync(new URL("../operating.md", import.meta.url), "utf8");
    const told = [...page.matchAll(/^\| `(teleportal_\w+)`/gm)].map(([, name = ""]) => name);
    expect(told.toSorted()).toEqual(families.toSorted());
  });
});
