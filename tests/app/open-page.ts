import type { BrowserContextOptions } from "playwright-core";
import type { AppPage } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";
import type { Rig } from "./rig.ts";

/** Opens the app on a new folder, with a page of these lines. */
export async function openPage(rig: Rig, lines: readonly string[], options?: BrowserContextOptions): Promise<AppPage> {
  const { url } = await ServedFolder.serve();
  const app = await rig.openApp(url, options);
  await app.newPage("Page", lines);
  return app;
}

/** The same on two devices, with one folder. */
export async function openPageTwice(rig: Rig, lines: readonly string[]): Promise<readonly [AppPage, AppPage]> {
  const { url } = await ServedFolder.serve();
  const a = await rig.openApp(url);
  await a.newPage("Page", lines);
  const b = await rig.openApp(url);
  await b.shows(lines);
  return [a, b];
}
