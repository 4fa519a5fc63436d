import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { CHROMIUM_ARGS, findChromium } from "../browser/chromium.ts";
import type { Device } from "./page.ts";
import { servePage, type PageServer } from "./serve.ts";

/** Pages of real browsers, each with an open `Device`. A context is a device: it has storage of its own. */
export class Devices {
  readonly server: PageServer;
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];

  private constructor(server: PageServer, browser: Browser) {
    this.server = server;
    this.#browser = browser;
  }

  static async start(): Promise<Devices> {
    const server = await servePage("./page.ts");
    const executablePath = findChromium();
    const browser = await chromium.launch({ ...(executablePath ? { executablePath } : {}), args: [...CHROMIUM_ARGS] });
    return new Devices(server, browser);
  }

  async newDevice(): Promise<BrowserContext> {
    const context = await this.#browser.newContext();
    this.#contexts.push(context);
    return context;
  }

  /** A page of a device, on a new one if none is given. */
  async newTab(context?: BrowserContext): Promise<Tab> {
    const page = await (context ?? (await this.newDevice())).newPage();
    await page.goto(this.server.url);
    return new Tab(page);
  }

  async closeAll(): Promise<void> {
    for (const context of this.#contexts.splice(0)) await context.close();
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.server.close();
  }
}

/** One page. */
export class Tab {
  readonly page: Page;
  /** What went wrong in it unseen. */
  readonly errors: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.errors.push(error.message));
  }

  /** Calls a method of the page's `Device`. */
  async call<M extends keyof Device>(method: M, ...args: Parameters<Device[M]>): Promise<Awaited<ReturnType<Device[M]>>> {
    const result: unknown = await this.page.evaluate(
      ([name, values]) => (window.device[name] as (...each: unknown[]) => unknown)(...values),
      [method, args] as const,
    );
    return result as Awaited<ReturnType<Device[M]>>;
  }

  /** Loads the page anew, which ends everything in it without warning. */
  async reload(): Promise<void> {
    await this.page.reload();
  }
}

/** Carries the folders' files between devices, as a sync service does; files only ever grow, each by one writer. */
export async function syncFolders(...tabs: readonly Tab[]): Promise<void> {
  const folders = await Promise.all(tabs.map(async (tab) => await tab.call("readFolder")));
  const newest: Record<string, string> = {};
  for (const [path, text] of folders.flatMap((folder) => Object.entries(folder)))
    if ((newest[path]?.length ?? -1) < text.length) newest[path] = text;
  for (const [index, tab] of tabs.entries()) {
    const lacking = Object.entries(newest).filter(([path, text]) => folders[index]![path] !== text);
    await tab.call("writeFolder", Object.fromEntries(lacking));
  }
}
