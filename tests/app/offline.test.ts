import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContext } from "playwright-core";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { temporaryFolder } from "../scenarios/cli-harness.ts";
import { serveAs } from "../serve/impostor.ts";
import { SOON, type AppPage } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";
import { APP, PATIENT, useBrowser } from "./rig.ts";

/** The browser's errors about a server that is gone. */
const LOST = /net::ERR_|An unknown error occurred when fetching the script|\b426\b/;

describe.skipIf(!findChromium())("without the server (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  /** Opens the app on the user's own computer, and waits until it opens without the server. */
  async function openOwn(folder: ServedFolder): Promise<{ device: BrowserContext; app: AppPage }> {
    const device = await rig.newDevice();
    const app = await rig.openTab(device, folder.url, LOST);
    await app.page.evaluate(() => navigator.serviceWorker.ready);
    return { device, app };
  }

  const bare = ({ port }: ServedFolder): string => `http://127.0.0.1:${port}/`;

  test("the page opens, takes edits, and brings them to the folder when the server is back", async () => {
    const folder = await ServedFolder.serve();
    const { app } = await openOwn(folder);
    await app.newPage("Page", ["before"]);
    await app.untilSaved();
    await folder.kill();
    await app.page.reload();
    await app.shows(["before"]);
    await app.page.getByText("The folder of this address is not available").waitFor();
    await app.press("Escape");
    await app.edit("before");
    await app.press("Enter");
    await app.type("without the server");
    await app.untilStatus("Folder unreachable – kept in the browser");
    await app.page.reload();
    await app.shows(["before", "without the server"]);
    await folder.start();
    await app.untilSaved();
    await expect.poll(() => folder.export(), SOON).toContain("without the server");
  });

  test("a new tab opens, also by the bare address", async () => {
    const folder = await ServedFolder.serve();
    const { device, app } = await openOwn(folder);
    await app.newPage("Page", ["a line"]);
    await app.untilSaved();
    await app.page.close();
    await folder.kill();
    for (const url of [bare(folder), folder.url]) {
      const again = await rig.openTab(device, url, LOST);
      await again.shows(["a line"]);
      await again.page.close();
    }
  });

  test("nothing is stored that contains a token, nor any message of the server to the page", async () => {
    const folder = await ServedFolder.serve();
    const { app } = await openOwn(folder);
    await app.page.reload();
    await app.untilSaved();
    const found = await app.page.evaluate(async (token) => {
      const urls: string[] = [];
      let hasToken = false;
      for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys()) {
          const response = (await cache.match(request))!;
          urls.push(request.url);
          hasToken ||=
            `${request.url} ${response.url} ${JSON.stringify([...response.headers])} ${await response.text()}`.includes(token);
        }
      }
      return { urls, hasToken, stored: JSON.stringify(localStorage).includes(token) };
    }, folder.token);
    expect([found.hasToken, found.stored]).toEqual([false, false]);
    expect(found.urls).toContain(bare(folder));
    expect(found.urls.filter((url) => /served\.json|bridge|\?|#/.test(url))).toEqual([]);
  });

  test("a new version of the app replaces the old one, with the server and without", async () => {
    const app = join(temporaryFolder(), "app");
    cpSync(APP, app, { recursive: true });
    const folder = await ServedFolder.serve(undefined, { app });
    const { app: page } = await openOwn(folder);
    await page.newPage("Page", ["a line"]);
    await page.untilSaved();
    replaceVersion(app, "two");
    await page.page.reload();
    await page.shows(["a line"]);
    expect(await version(page)).toBe("two");
    // it opens without the server as soon as its service worker is active
    await expect.poll(() => keptVersions(page), SOON).toContain("two");
    await folder.kill();
    await page.page.reload();
    await page.shows(["a line"]);
    expect(await version(page)).toBe("two");
    await folder.start();
    replaceVersion(app, "three");
    await page.page.reload();
    await page.shows(["a line"]);
    expect(await version(page)).toBe("three");
    await expect.poll(() => keptVersions(page), SOON).toEqual(["two", "three"]);
  });

  /** Makes a version of the built app whose page shows the version. */
  function replaceVersion(app: string, name: string): void {
    const page = join(app, "index.html");
    writeFileSync(page, readFileSync(page, "utf8").replace(/<html lang="en"[^>]*>/, `<html lang="en" data-version="${name}">`));
    const worker = join(app, "sw.js");
    writeFileSync(worker, readFileSync(worker, "utf8").replace(/APP_VERSION="[^"]*"/, `APP_VERSION="${name}"`));
  }

  const version = async (app: AppPage): Promise<string | undefined> =>
    await app.page.evaluate(() => document.documentElement.dataset["version"]);

  /** The versions with an active service worker, now or before; none during an installation, which fills its cache first. */
  async function keptVersions(app: AppPage): Promise<string[]> {
    const names = await app.page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration();
      const isSettled = !registration?.installing && !registration?.waiting && registration?.active?.state === "activated";
      return isSettled ? await caches.keys() : [];
    });
    return names.map((name) => name.replace("foldspace-app-", "")).filter((name) => /^[a-z]+$/.test(name));
  }
});

describe.skipIf(!findChromium())("addresses (need Chromium)", PATIENT, () => {
  const rig = useBrowser();
  const at = (folder: ServedFolder, token: string): string => `http://127.0.0.1:${folder.port}/#token=${token}`;

  /** Opens an address in the tab, as if it were pasted. */
  async function paste(app: AppPage, url: string): Promise<void> {
    await app.page.evaluate((to) => void (location.href = to), url);
  }

  test.each(["own", "shared"] as const)(
    "of a server that was started anew, pasted into the tab, connect it again, with all that was written meanwhile (%s)",
    async (machine) => {
      const saved = machine === "own" ? "Saved in browser and folder" : "Saved in the folder";
      const folder = await ServedFolder.serve(undefined, { machine });
      const app = await rig.openApp(folder.url, {}, LOST);
      await app.newPage("Page", ["before"]);
      await app.untilStatus(saved);
      await folder.kill();
      await app.press("Enter");
      await app.type("meanwhile");
      await folder.startWithNewToken();
      await app.untilStatus(
        machine === "own" ? "Another server answers – kept in the browser" : "Another server answers – not saved",
      );
      await app.type(" and later");
      const stale = at(folder, "x".repeat(43));
      await paste(app, stale);
      await expect.poll(() => app.page.url(), SOON).not.toContain("token");
      await app.shows(["before", "meanwhile and later"]);
      await paste(app, folder.url);
      await app.untilStatus(saved);
      await app.shows(["before", "meanwhile and later"]);
      expect(await folder.export()).toContain("meanwhile and later");
      // a stale token has no effect any more
      await paste(app, stale);
      await app.page.reload();
      await app.untilStatus(saved);
    },
  );

  test("of another folder at the same port, entered in the tab, open that folder", async () => {
    const folder = await ServedFolder.serve();
    const app = await rig.openApp(folder.url, {}, LOST);
    await app.newPage("Page", ["a line"]);
    await app.untilSaved();
    await folder.kill();
    const other = await ServedFolder.serve(undefined, { port: folder.port });
    await app.untilStatus("Another server answers – kept in the browser");
    await paste(app, other.url);
    await expect.poll(() => app.pages(), SOON).toEqual([]);
    await app.newPage("Other page", ["another line"]);
    await app.untilSaved();
    expect(await other.export()).toContain("another line");
    expect(await other.export()).not.toContain('a line"');
  });

  test("without a token explain themselves in a browser without notes, and create nothing", async () => {
    const folder = await ServedFolder.serve();
    const device = await rig.newDevice();
    const page = await device.newPage();
    await page.goto(`http://127.0.0.1:${folder.port}/`);
    await page.getByText("the key to them is missing").waitFor();
    expect(await page.evaluate(async () => (await indexedDB.databases()).length)).toBe(0);
    await page.evaluate((to) => void (location.href = to), folder.url);
    await page.getByTestId("status").waitFor();
    await expect.poll(() => page.getByTestId("status").getAttribute("title"), SOON).toBe("Saved in browser and folder");
  });

  test("open the browser's copy, if the token is not valid any more", async () => {
    const folder = await ServedFolder.serve();
    const device = await rig.newDevice();
    const app = await rig.openTab(device, folder.url, LOST);
    await app.newPage("Page", ["a line"]);
    await app.untilSaved();
    const old = folder.url;
    await app.page.close();
    await folder.kill();
    await folder.startWithNewToken();
    const again = await rig.openTab(device, old, LOST);
    await again.shows(["a line"]);
    await again.untilStatus("Another server answers – kept in the browser");
    await paste(again, folder.url);
    await again.untilSaved();
  });
});

describe.skipIf(!findChromium())("the status, while nobody types (needs Chromium)", { timeout: 90_000 }, () => {
  const rig = useBrowser();
  const KEPT = "Folder unreachable – kept in the browser";

  test("is true when the server ends, hangs or is replaced, when the folder is gone, and after each recovery", async () => {
    const folder = await ServedFolder.serve();
    const app = await rig.openApp(folder.url, {}, LOST);
    await app.newPage("Page", ["a line"]);
    await app.untilSaved();
    await folder.kill();
    await app.untilStatus(KEPT);
    const other = await serveAs(({ socket }) => socket.on("message", () => socket.send(Buffer.alloc(64))), folder.port);
    await app.untilStatus("Another server answers – kept in the browser");
    for (const message of other.heard) expect(message.includes(folder.token)).toBe(false);
    await other.close();
    await folder.start();
    await app.untilSaved();
    folder.freeze();
    await app.untilStatus(KEPT);
    await folder.kill();
    await folder.start();
    await app.untilSaved();
    const away = folder.hide();
    await app.untilStatus(KEPT);
    away.restore();
    await app.untilSaved();
    await app.shows(["a line"]);
  });
});
