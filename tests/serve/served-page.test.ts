import { realpath, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { startServer, type RunningServer } from "../../src/serve/server.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import type { Space } from "../../src/space/space.ts";
import { until } from "../../src/testing/layer-bench.ts";
import { newId } from "../../src/tree/index.ts";
import { CHROMIUM_ARGS, findChromium } from "../browser/chromium.ts";
import type { ServedPage } from "./page.ts";
import { folderAndApp } from "./served-process.ts";

const ROOT = new URL("../../", import.meta.url);
const path = (relative: string): string => fileURLToPath(new URL(relative, ROOT));
const HTML = '<!doctype html><meta charset="utf-8"><title>Served</title><script type="module" src="./main.js"></script>';

describe.skipIf(!findChromium())("a page that foldspace serves (needs Chromium)", { timeout: 60_000 }, () => {
  let browser: Browser;
  let scripts: { name: string; text: string }[];

  beforeAll(async () => {
    const executablePath = findChromium();
    browser = await chromium.launch({ ...(executablePath ? { executablePath } : {}), args: [...CHROMIUM_ARGS] });
    const { outputFiles } = await build({
      entryPoints: { main: path("tests/serve/page.ts"), "parse-worker": path("src/worker/parse-worker.ts") },
      bundle: true,
      write: false,
      format: "esm",
      outdir: "/",
      target: "es2023",
      alias: {
        "#platform-fs": path("src/fs/platform/platform-none.ts"),
        "#platform-peers": path("src/peers/platform/platform-none.ts"),
        "#platform-worker": path("src/worker/start-web.ts"),
      },
    });
    scripts = outputFiles.map((file) => ({ name: file.path.split(/[\\/]/).at(-1)!, text: file.text }));
  });
  afterAll(async () => await browser.close());

  interface Served {
    readonly folder: string;
    /** What a program on this machine does in the folder, without the server. */
    readonly space: Space;
    readonly server: RunningServer;
    readonly page: Page;
    readonly start: (port: number) => Promise<RunningServer>;
  }

  async function serveSpace(notes = 0): Promise<Served> {
    const { folder, app } = folderAndApp();
    for (const { name, text } of scripts) await writeFile(join(app, name), text);
    await writeFile(join(app, "index.html"), HTML);
    const [spaceId, token] = [newId(), newId()];
    const layer = new FileSystemPersistenceLayer(folder, spaceId, { flushIntervalMs: 20 });
    const space = await new SpaceManager().createSpace({ id: spaceId, persistenceLayers: [layer], name: "Space" });
    onTestFinished(() => space.close());
    for (let index = 0; index < notes; index += 1) space.tree.root!.newNamedChild(`note ${index}`, { text: "x".repeat(500) });
    await space.flush();
    const start = async (port: number): Promise<RunningServer> => {
      const server = await startServer({ path: folder, app, writable: ["space-v1"], spaceId, token, port });
      onTestFinished(() => server.close());
      return server;
    };
    const server = await start(0);
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(server.url);
    return { folder, space, server, page, start };
  }

  /** Calls a method of the page. */
  async function call<M extends "add" | "names" | "state" | "flush">(
    page: Page,
    method: M,
    ...args: Parameters<ServedPage[M]>
  ): Promise<Awaited<ReturnType<ServedPage[M]>>> {
    const result: unknown = await page.evaluate(
      async ([name, values]) => {
        const opened = await window.opened;
        if (typeof opened === "string") throw new Error(opened);
        return await (opened[name] as (...each: unknown[]) => unknown).apply(opened, values);
      },
      [method, args] as const,
    );
    return result as Awaited<ReturnType<ServedPage[M]>>;
  }

  const namesOf = (space: Space): string[] => space.tree.root!.children.map(({ name }) => name ?? "");

  test("works on the folder, hears of what others write into it, and is heard", async () => {
    const { folder, space, page } = await serveSpace();
    expect(await page.evaluate(async () => ((await window.opened) as ServedPage).served)).toEqual({
      spaceId: space.id,
      path: folder,
      realPath: await realpath(folder),
      name: "folder",
    });
    for (let round = 0; round < 5; round += 1) {
      space.tree.root!.newNamedChild(`from the machine ${round}`);
      await until("it is in the page", async () => (await call(page, "names")).includes(`from the machine ${round}`));
      await call(page, "add", `from the page ${round}`);
      await until("it is on the machine", () => namesOf(space).includes(`from the page ${round}`));
    }
    expect(await call(page, "flush")).toBe("saved");
    expect((await call(page, "names")).sort()).toEqual(namesOf(space).sort());
  });

  test("is told apart from others by the token, which leaves the address, and outlasts loading it anew", async () => {
    const { page, server } = await serveSpace();
    await call(page, "names");
    expect(page.url()).toBe(`http://127.0.0.1:${server.port}/`);
    await page.reload();
    expect(await call(page, "state")).toBe("idle");
    const foreignOp = await browser.newContext();
    onTestFinished(() => foreignOp.close());
    const strange = await foreignOp.newPage();
    await strange.goto(`http://127.0.0.1:${server.port}/#token=${"x".repeat(43)}`);
    expect(await strange.evaluate(() => window.opened)).toBe("FOLD_UNTRUSTED_SERVER");
    await strange.goto("about:blank");
    // a page of another server of this machine
    await strange.route("http://127.0.0.1:1/", (route) => route.fulfill({ contentType: "text/html", body: "other" }));
    await strange.goto("http://127.0.0.1:1/");
    const connects = await strange.evaluate(
      (url) =>
        new Promise((resolve) => {
          const socket = new WebSocket(url, ["foldspace.v2"]);
          socket.onopen = () => resolve(true);
          socket.onerror = () => resolve(false);
        }),
      `ws://127.0.0.1:${server.port}/bridge`,
    );
    expect(connects).toBe(false);
  });

  test("may do what it needs, workers too, and nothing else", async () => {
    const { page, space } = await serveSpace(2_000);
    await until("all is there", async () => (await call(page, "names")).length === namesOf(space).length);
    expect(page.workers()).toHaveLength(1);
    expect(await page.evaluate(() => [window.violations, crossOriginIsolated])).toEqual([[], true]);
    await page.evaluate(async () => {
      const script = document.createElement("script");
      script.textContent = "window.injected = true";
      document.body.append(script);
      await fetch("https://evil.example/").catch(() => undefined);
    });
    expect(await page.evaluate(() => "injected" in window)).toBe(false);
    expect(await page.evaluate(() => window.violations)).toEqual(["script-src-elem", "connect-src"]);
  });

  test("keeps what is written while the server is gone, and goes on by itself when it is back", async () => {
    const { space, page, server, start } = await serveSpace();
    await call(page, "names");
    await server.close();
    await call(page, "add", "while it was gone");
    await until("the loss shows", async () => (await call(page, "state")) === "degraded FOLD_FOLDER_LOST");
    expect(await call(page, "flush")).toBe("FOLD_NOT_DURABLE");
    space.tree.root!.newNamedChild("meanwhile");
    await start(server.port);
    await until("it has arrived", () => namesOf(space).includes("while it was gone"));
    await until("the page has the rest", async () => (await call(page, "names")).includes("meanwhile"));
    await until("it is at rest", async () => (await call(page, "state")) === "idle");
  });
});
