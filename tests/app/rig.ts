import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { CHROMIUM_ARGS, findChromium } from "../browser/chromium.ts";
import { assertBuilt } from "../serve/served-process.ts";
import { AppPage } from "./app-page.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** The built app. */
export const APP: string = join(ROOT, "dist/app");

/** Timeout of these tests, with another program on every core. */
export const PATIENT: { readonly timeout: number } = { timeout: 60_000 };

export interface Rig {
  /** Opens the app on a device of its own: a new browser profile. @param expected errors of the browser to ignore */
  openApp(url: string, options?: BrowserContextOptions, expected?: RegExp): Promise<AppPage>;
  newDevice(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** Opens the app in another tab of a device. @param expected errors of the browser to ignore */
  openTab(device: BrowserContext, url: string, expected?: RegExp): Promise<AppPage>;
}

/** The browser of a file's tests. Any error or warning in a page, even if only in the console, fails the test. */
export function useBrowser(): Rig {
  let browser: Browser | undefined;
  const devices: BrowserContext[] = [];
  const pages: AppPage[] = [];

  beforeAll(async () => {
    assertBuilt();
    assertAppBuilt();
    const executablePath = findChromium();
    browser = await chromium.launch({ ...(executablePath ? { executablePath } : {}), args: [...CHROMIUM_ARGS] });
  });
  afterEach(async () => {
    for (const device of devices.splice(0)) await device.close();
    expect(pages.splice(0).flatMap(({ complaints }) => complaints)).toEqual([]);
  });
  afterAll(async () => await browser?.close());

  const newDevice = async (options?: BrowserContextOptions): Promise<BrowserContext> => {
    const device = await browser!.newContext({ viewport: { width: 1_200, height: 800 }, ...options });
    devices.push(device);
    return device;
  };
  const openTab = async (device: BrowserContext, url: string, expected?: RegExp): Promise<AppPage> => {
    const page = new AppPage(await device.newPage(), expected);
    pages.push(page);
    await page.goto(url);
    return page;
  };
  return {
    newDevice,
    openTab,
    openApp: async (url, options, expected) => await openTab(await newDevice(options), url, expected),
  };
}

/** @throws Error if the app is not built, or not from the current sources in `app` */
function assertAppBuilt(): void {
  const sources = readdirSync(join(ROOT, "app/src"), { recursive: true, encoding: "utf8" })
    .filter((file) => /(?<!\.test)\.(ts|svelte|css)$/.test(file))
    .map((file) => join(ROOT, "app/src", file));
  const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs));
  const built = join(APP, "index.html");
  if (!existsSync(built) || statSync(built).mtimeMs < newest)
    throw new Error("dist/app is missing or older than app/src: run `npm run build --workspace app` first");
}
