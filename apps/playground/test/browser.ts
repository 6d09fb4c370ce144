import { findExecutable, requireBroker } from "@teleportal/test-brokers";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";

const found = findExecutable({
  variable: "TELEPORTAL_CHROMIUM",
  names: ["chromium", "chromium-browser", "google-chrome"],
  debianPackage: "chromium",
});

/** Whether there is a browser; in CI there has to be. */
export const browserRequirement = requireBroker("Chromium", found);

export function launchBrowser(): Promise<Browser> {
  if (!found.available || found.launcher.type !== "program") {
    throw new Error("there is no browser: the suite should have been skipped");
  }
  return chromium.launch({
    executablePath: found.launcher.program,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A page of a visitor of its own, and what it has complained about. */
export interface Visit extends AsyncDisposable {
  readonly page: Page;
  readonly complaints: readonly string[];
}

export async function visit(browser: Browser, url: string): Promise<Visit> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(url);
  return {
    page,
    complaints,
    [Symbol.asyncDispose]: () => context.close(),
  };
}
