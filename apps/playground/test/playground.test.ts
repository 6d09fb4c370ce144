import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser, Locator, Page } from "playwright-core";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { openStage } from "../src/stage/index.ts";
import type { RunningInstance, Stage } from "../src/stage/index.ts";
import { testedBackends } from "./backends.ts";
import type { Backend } from "./backends.ts";
import { browserRequirement, launchBrowser, visit } from "./browser.ts";
import type { Visit } from "./browser.ts";
import { build, PAGE } from "./built.ts";

/** How long anything may take on a busy machine, in milliseconds. */
const PATIENCE = 40_000;

/** Restarting a page's instance, or cutting it off, is no news to a browser: it says that a socket has failed. */
const EXPECTED_COMPLAINT = /WebSocket connection to .* failed/;

interface Play extends AsyncDisposable {
  readonly stage: Stage;
  /** The instances in the order they were started. */
  readonly instances: readonly RunningInstance[];
  /** Visits the playground; `query` as in `?pane=A`. */
  enter(query?: string): Promise<Page>;
}

function content(page: Page, place: string): Locator {
  return page.locator(`[data-testid=pane-${place}] .cm-content`);
}

/** Types at the end of the text, as a person would. */
async function type(page: Page, place: string, text: string): Promise<void> {
  await content(page, place).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(text, { delay: 5 });
}

/** What is written, without the names at the others' cursors. */
function textOf(page: Page, place: string): Promise<string> {
  return content(page, place).evaluate((shown) => {
    const written = shown.cloneNode(true) as HTMLElement;
    for (const caret of written.querySelectorAll(".cm-ySelectionCaret")) caret.remove();
    return [...written.querySelectorAll(".cm-line")].map((line) => line.textContent).join("\n");
  });
}

async function shows(locator: Locator, text: string | RegExp): Promise<void> {
  await locator.filter({ hasText: text }).first().waitFor({ timeout: PATIENCE });
}

async function press(page: Page, button: string): Promise<void> {
  await page.locator(`[data-testid=${button}]`).click({ timeout: PATIENCE });
}

/** The name at another's cursor. */
function cursorOf(page: Page, place: string, name: string): Locator {
  return page.locator(`[data-testid=pane-${place}] .cm-ySelectionInfo`, { hasText: name });
}

describe.skipIf(browserRequirement.skip)(`in a ${browserRequirement.title}`, () => {
  let browser: Browser;

  beforeAll(async () => {
    build();
    browser = await launchBrowser();
  }, 240_000);
  afterAll(() => browser?.close());

  describe.each(testedBackends)("the playground over $name", (backend: Backend) => {
    async function play(): Promise<Play> {
      const broker = await backend.startBroker?.();
      const instances: RunningInstance[] = [];
      const visits: Visit[] = [];
      const stage = await openStage({
        backend: backend.name,
        async start(port, address) {
          const instance = await backend.start(port, address);
          instances.push(instance);
          return instance;
        },
        ...(broker && { broker }),
        port: 0,
        page: PAGE,
      });
      return {
        stage,
        instances,
        async enter(query = "") {
          const entered = await visit(browser, `${stage.url}/${query}`);
          visits.push(entered);
          const places = new URLSearchParams(query).get("pane") ?? "AB";
          for (const place of places) {
            await shows(entered.page.locator(`[data-testid=status-${place}]`), /^connected$/);
          }
          return entered.page;
        },
        async [Symbol.asyncDispose]() {
          await Promise.all(visits.map((entered) => entered[Symbol.asyncDispose]()));
          await stage.close();
          await broker?.stop();
          const complaints = visits.flatMap((entered) => entered.complaints);
          expect(complaints.filter((text) => !EXPECTED_COMPLAINT.test(text))).toEqual([]);
        },
      };
    }

    describe.skipIf(backend.requirement.skip)(
      backend.requirement.title,
      { timeout: 120_000 },
      () => {
        it("shows two people who type at once the same text, and each other's cursors", async () => {
          await using played = await play();
          const left = await played.enter("?pane=A");
          const right = await played.enter("?pane=B");
          await Promise.all([
            type(left, "A", "all that Ada wrote"),
            type(right, "B", "all that Ben wrote"),
          ]);
          await Promise.all([
            cursorOf(left, "A", "Ben").waitFor(),
            cursorOf(right, "B", "Ada").waitFor(),
          ]);
          // A word behind everything else, from each side, and both have arrived.
          await type(left, "A", "[Ada is done]");
          await shows(content(right, "B"), "[Ada is done]");
          await type(right, "B", "[Ben is done]");
          await shows(content(left, "A"), "[Ben is done]");
          const text = await textOf(left, "A");
          expect(await textOf(right, "B")).toBe(text);
          const letters = (of: string): string => of.split("").sort().join("");
          expect(letters(text)).toBe(
            letters("all that Ada wrote[Ada is done]all that Ben wrote[Ben is done]"),
          );
        });

        it("lets the cursor of a tab that is closed disappear", async () => {
          await using played = await play();
          const left = await played.enter("?pane=A");
          const right = await played.enter("?pane=B");
          await type(right, "B", "I am Ben");
          await cursorOf(left, "A", "Ben").waitFor({ timeout: PATIENCE });
          await right.close();
          await cursorOf(left, "A", "Ben").waitFor({ state: "detached", timeout: PATIENCE });
          expect(await textOf(left, "A")).toBe("I am Ben");
        });

        it("keeps the text when a page is loaded again", async () => {
          await using played = await play();
          const page = await played.enter();
          await type(page, "A", "written before");
          await shows(content(page, "B"), "written before");
          await page.reload();
          await shows(content(page, "A"), "written before");
          await shows(content(page, "B"), "written before");
        });

        it("shows rich text with its marks on the other side", async () => {
          await using played = await play();
          const page = await played.enter();
          for (const place of ["A", "B"]) {
            await page.locator(`[data-testid=pane-${place}] [data-testid=tab-rich]`).click();
          }
          await page.locator("[data-testid=pane-A] .tiptap").click();
          await page.keyboard.press("Control+b");
          await page.keyboard.type("bold words");
          await shows(page.locator("[data-testid=pane-B] .tiptap strong"), "bold words");
        });

        it("brings an instance that was restarted up to date from the other", async () => {
          await using played = await play();
          const page = await played.enter();
          await type(page, "A", "before, ");
          await shows(content(page, "B"), "before, ");
          await press(page, "restart-B");
          await shows(page.locator("[data-testid=log]"), "B: killed, and started again");
          await type(page, "A", "after");
          await shows(content(page, "B"), "before, after");
          await shows(page.locator("[data-testid=equal]"), "equal");
        });

        it("shows who may only read, and refuses what he writes all the same", async () => {
          await using played = await play();
          const reader = await played.enter("?pane=A&readonly");
          await shows(reader.locator("[data-testid=readonly]"), "Read only");
          expect(await content(reader, "A").getAttribute("contenteditable")).toBe("false");
          const writer = await played.enter("?pane=B");
          const intruder = new Y.Doc();
          const provider = new WebsocketProvider(
            played.stage.description.places[0]?.url ?? "",
            "welcome",
            intruder,
            {
              disableBc: true,
              params: { readonly: "1" },
              WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
            },
          );
          try {
            const refused = new Promise<void>((resolve) => {
              provider.messageHandlers[2] = () => resolve();
            });
            await new Promise<void>((resolve) => provider.once("sync", () => resolve()));
            intruder.getText("text").insert(0, "not allowed");
            await refused;
          } finally {
            provider.destroy();
          }
          await type(writer, "B", "allowed");
          await shows(content(reader, "A"), "allowed");
          expect(await textOf(reader, "A")).toBe("allowed");
        });

        it("can be used by keyboard alone, and on a phone", async () => {
          await using played = await play();
          const page = await played.enter();
          await page.setViewportSize({ width: 360, height: 740 });
          const [scrolled, seen] = await page.evaluate(() => [
            document.documentElement.scrollWidth,
            innerWidth,
          ]);
          expect(scrolled).toBeLessThanOrEqual(seen ?? 0);
          const focused = (): Promise<string | undefined> =>
            page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset["testid"]);
          const reached = new Set<string | undefined>();
          for (let i = 0; i < 30; i++) {
            await page.keyboard.press("Tab");
            const test = await focused();
            reached.add(test);
            if (test !== "tab-text") continue;
            await page.keyboard.press("ArrowRight");
            expect(await focused()).toBe("tab-rich");
            await page.keyboard.press("ArrowLeft");
            expect(await focused()).toBe("tab-text");
          }
          expect(reached).toContain("restart-A");
          expect(reached).toContain("restart-B");
        });

        if (!backend.apart) {
          it("says that there is no link to cut", async () => {
            await using played = await play();
            const page = await played.enter();
            expect(await page.locator("[data-testid=cut-A]").count()).toBe(0);
            await shows(page.locator(".hint"), "there is no link to cut");
          });
          return;
        }

        it("lets the cursor of an instance that dies disappear", async () => {
          await using played = await play();
          const left = await played.enter("?pane=A");
          const right = await played.enter("?pane=B");
          await type(right, "B", "I am Ben");
          await cursorOf(left, "A", "Ben").waitFor({ timeout: PATIENCE });
          await played.instances[1]?.kill();
          await cursorOf(left, "A", "Ben").waitFor({ state: "detached", timeout: PATIENCE });
        });

        it.each(["cut", "darken"])(
          "%s, typed on both sides, healed: the texts are equal",
          async (fault) => {
            await using played = await play();
            const page = await played.enter();
            await type(page, "A", "together, ");
            await shows(content(page, "B"), "together, ");
            await press(page, `${fault}-A`);
            await shows(page.locator("[data-testid=link-A]"), fault === "cut" ? "cut" : "dark");
            await type(page, "A", "alone on A, ");
            await type(page, "B", "alone on B, ");
            await shows(page.locator("[data-testid=sync-A]"), "degraded");
            await shows(page.locator("[data-testid=equal]"), "different");
            await press(page, "heal-A");
            await shows(page.locator("[data-testid=sync-A]"), "connected");
            await shows(content(page, "B"), "alone on A, ");
            await shows(content(page, "A"), "alone on B, ");
            await shows(page.locator("[data-testid=equal]"), "equal");
            expect(await textOf(page, "A")).toBe(await textOf(page, "B"));
          },
        );
      },
    );
  });
});
