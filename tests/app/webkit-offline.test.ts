import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { findWebKit, WebKitWindow } from "../browser-contexts/webkit-driver.ts";
import { assertBuilt } from "../serve/served-process.ts";
import { temporaryFolder } from "../scenarios/cli-harness.ts";
import { SOON } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";

const [END, ENTER] = ["\uE010", "\uE007"];
const webKit = findWebKit();
const missing = typeof webKit === "string" ? `: LEFT OUT, ${webKit}` : "";

beforeAll(assertBuilt);

/** The shown rows of the outline. */
async function rowsOf(window: WebKitWindow): Promise<string[]> {
  return await window.run<string[]>(
    `return Array.from(document.querySelectorAll("[data-testid=row] [role=textbox]"), ({ textContent }) => textContent);`,
  );
}

async function statusOf(window: WebKitWindow): Promise<string> {
  return await window.run<string>(`return document.querySelector("[data-testid=status]")?.title ?? "";`);
}

async function untilFocused(window: WebKitWindow, label: string): Promise<void> {
  const focused = `return document.activeElement?.getAttribute("aria-label");`;
  await expect.poll(() => window.run<string>(focused), SOON).toBe(label);
}

async function untilShown(window: WebKitWindow, lines: readonly string[]): Promise<void> {
  await expect.poll(() => rowsOf(window), { timeout: 30_000, interval: 100 }).toEqual(lines);
}

test.skipIf(missing !== "" && process.env["CI"] !== "true")(
  `without its server, the page opens and takes edits in WebKitGTK, and the folder gets them later${missing}`,
  { timeout: 180_000 },
  async () => {
    if (typeof webKit === "string") throw new Error(webKit);
    const folder = await ServedFolder.serve();
    // a separate profile, which no other browser reads
    const home = temporaryFolder();
    const variables = { HOME: home, XDG_DATA_HOME: join(home, "data"), XDG_CACHE_HOME: join(home, "cache") };
    const window = await WebKitWindow.open({ ...webKit, binary: webKit.browser, args: ["--automation"], variables });
    try {
      await window.goTo(folder.url);
      await expect.poll(() => statusOf(window), SOON).toBe("Saved in browser and folder");
      await window.click("[title='New page']");
      await untilFocused(window, "Page title");
      await window.type("Page");
      await window.type(ENTER);
      await untilFocused(window, "Item");
      await window.type("with the server");
      await untilShown(window, ["with the server"]);
      await expect.poll(() => statusOf(window), SOON).toBe("Saved in browser and folder");
      await window.runAsync(30_000, "await navigator.serviceWorker.ready; return true;");
      await folder.kill();
      await window.goTo(new URL("/", folder.url).href);
      await untilShown(window, ["with the server"]);
      await window.click("[data-testid=row] [role=textbox]");
      await untilFocused(window, "Item");
      await window.type(END + ENTER);
      await untilShown(window, ["with the server", ""]);
      await window.type("without it");
      await untilShown(window, ["with the server", "without it"]);
      await expect.poll(() => statusOf(window), SOON).toBe("Folder unreachable – kept in the browser");
      // text that was typed until the page was closed is there after a reload, still without the server
      await window.goTo(new URL("/", folder.url).href);
      await untilShown(window, ["with the server", "without it"]);
      await folder.start();
      await expect.poll(() => statusOf(window), { timeout: 30_000, interval: 100 }).toBe("Saved in browser and folder");
      await expect.poll(() => folder.export(), SOON).toContain("without it");
    } finally {
      await window.close();
    }
  },
);
