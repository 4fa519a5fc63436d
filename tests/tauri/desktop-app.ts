import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { findWebKit, WebKitWindow } from "../browser-contexts/webkit-driver.ts";

const READY_MS = 30_000;
const ENTER = "\uE007";
const END = "\uE010";
const FIRST_ITEM = "[data-testid=row] .text";

export interface DesktopStart {
  /** Stands for the user's. What the application keeps is below it. */
  readonly home: string;
  readonly profile?: string;
  readonly folder?: string;
  /** Whether it gets a screen of its own, and with it the keyboard. */
  readonly isAlone?: boolean;
}

/** Programs that `npm run test:tauri` has built. */
export type Program = "app" | "suites" | "suites-without-commands";

/** Makes a folder that is gone after the test. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "foldspace-desktop-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function programPath(name: Program): string {
  const programs = process.env["TAURI_PROGRAMS"];
  if (programs === undefined) throw new Error("These tests are run by `npm run test:tauri`, which builds what they need");
  return join(programs, name);
}

/** What the application finds when it is started for a home. */
export function variablesOf(home: string): Record<string, string> {
  return {
    HOME: home,
    XDG_DATA_HOME: join(home, "data"),
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_CACHE_HOME: join(home, "cache"),
    TAURI_WEBVIEW_AUTOMATION: "true",
  };
}

export function argumentsOf({ profile, folder }: DesktopStart): string[] {
  return [...(profile === undefined ? [] : ["--profile", profile]), ...(folder === undefined ? [] : ["--folder", folder])];
}

/** Starts a program in a window that ends with the test at the latest. */
export async function openWindow(program: Program, start: DesktopStart): Promise<WebKitWindow> {
  const webKit = findWebKit();
  if (typeof webKit === "string") throw new Error(webKit);
  const window = await WebKitWindow.open({
    driver: webKit.driver,
    binary: programPath(program),
    args: argumentsOf(start),
    variables: variablesOf(start.home),
    ...(start.isAlone ? { screen: webKit.screen } : {}),
  });
  onTestFinished(() => window.kill());
  const isLoaded = (): Promise<boolean> =>
    window.run(`return location.protocol === "tauri:" && document.readyState === "complete";`);
  await expect.poll(isLoaded, { timeout: READY_MS }).toBe(true);
  return window;
}

/** An instance of the desktop app, with the window that its start opened. */
export class DesktopApp {
  readonly window: WebKitWindow;

  private constructor(window: WebKitWindow) {
    this.window = window;
  }

  /** Starts it, and waits until there is an outline. */
  static async start(start: DesktopStart): Promise<DesktopApp> {
    const app = new DesktopApp(await openWindow("app", start));
    await expect.poll(() => app.items(), { timeout: READY_MS }).not.toEqual([]);
    return app;
  }

  /** Whether it still runs. */
  async isThere(): Promise<boolean> {
    try {
      return (await this.window.windows()).length > 0;
    } catch {
      // its driver says in many ways that there is no window any more
      return false;
    }
  }

  /** Texts of the items that are shown. */
  async items(): Promise<string[]> {
    return await this.window.run(
      `return [...document.querySelectorAll("[data-testid=row] .text")].map((item) => item.textContent);`,
    );
  }

  async spaceName(): Promise<string> {
    return await this.window.run(`return document.querySelector(".space-button .name").textContent;`);
  }

  /** Id of the first item. */
  async firstId(): Promise<string> {
    return await this.window.run(`return document.querySelector("[data-testid=row]").dataset.id;`);
  }

  /** Types an item below the first one, and goes on while it is not saved yet. */
  async typeItem(text: string): Promise<void> {
    await this.window.click(FIRST_ITEM);
    await this.window.type(END + ENTER);
    await this.window.type(text);
  }

  /** Waits until the page says that everything is kept. */
  async untilSaved(): Promise<void> {
    const status = (): Promise<string> => this.window.run(`return document.querySelector("[data-testid=status]").textContent;`);
    await expect.poll(status, { timeout: READY_MS }).toContain("Saved in app and folder");
  }

  async untilShown(text: string): Promise<void> {
    await expect.poll(() => this.items(), { timeout: READY_MS }).toContain(text);
  }

  /** Keeps a picture for people, where they want some. */
  async photograph(name: string): Promise<void> {
    const folder = process.env["TAURI_SCREENSHOTS"];
    if (folder !== undefined) writeFileSync(join(folder, `${name}.png`), await this.window.screenshot());
  }
}
