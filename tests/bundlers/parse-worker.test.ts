import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build as buildWithEsbuild } from "esbuild";
import { chromium, type Browser } from "playwright-core";
import { build as buildWithVite, createServer as createViteServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import webpack from "webpack";
import type * as parsingModule from "../../src/worker/parsing.ts";
import { CHROMIUM_ARGS, findChromium } from "../browser/chromium.ts";
import { installPackage } from "./installed-package.ts";
import { serveFolder } from "./static-server.ts";

/** Loads a tree from a log big enough for the worker, and says how many operations came. */
const PAGE = `
import { FileSystemPersistenceLayer, MemoryFileSystem } from "foldspace";

const id = "a".repeat(32);
const peer = "b".repeat(32);
const lines = ['["m",1,"0",null]', \`["m",2,"\${id}",null]\`];
while (lines.length < 20_000) lines.push(\`["p",\${lines.length + 1},"\${id}","key \${lines.length % 7}","value \${lines.length}"]\`);
const fs = new MemoryFileSystem({
  "/s/space-v1/space.json": JSON.stringify({ id }),
  [\`/s/space-v1/ops/aa/\${id.slice(2)}/2026/01/01/\${peer}.jsonl\`]: lines.join("\\n") + "\\n",
});
const layer = new FileSystemPersistenceLayer("/s", id, { fs });
await layer.connect();
const ops = await layer.loadTreeOps(id);
const last = ops.at(-1);
globalThis.loaded = { count: ops.length, last: last.id.counter + " " + last.value };
`;
const LOADED = { count: 20_000, last: "20000 value 19999" };
const HTML = '<!doctype html><meta charset="utf-8"><script type="module" src="./main.js"></script>';

const executablePath = findChromium();

describe.skipIf(executablePath === undefined)("the parsing worker starts in a page", () => {
  const app = installPackage();
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args: [...CHROMIUM_ARGS] });
    writeFileSync(join(app.path, "package.json"), '{"type":"module","private":true}');
  });
  afterAll(async () => {
    await browser.close();
    app.remove();
  });

  /** @returns what the page loaded, and how many workers it has started */
  async function open(url: string): Promise<{ loaded: unknown; workers: number }> {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(url);
    await page.waitForFunction("globalThis.loaded !== undefined", undefined, { timeout: 20_000 }).catch((error: unknown) => {
      throw new Error(`The page did not load its tree. ${errors.join("; ")}`, { cause: error });
    });
    const loaded: unknown = await page.evaluate("globalThis.loaded");
    const workers = page.workers().length;
    await page.close();
    return { loaded, workers };
  }

  function appFolder(name: string, html: string = HTML): string {
    const folder = join(app.path, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "index.html"), html);
    writeFileSync(join(folder, "main.js"), PAGE);
    return folder;
  }

  async function openFolder(folder: string, path = ""): Promise<{ loaded: unknown; workers: number }> {
    const server = await serveFolder(folder);
    try {
      return await open(server.url + path);
    } finally {
      server.close();
    }
  }

  test("without a bundler, by an import map", async () => {
    const dist = "/node_modules/foldspace/dist";
    const imports = {
      foldspace: `${dist}/index.js`,
      "#platform-fs": `${dist}/fs/platform/platform-none.js`,
      "#platform-peers": `${dist}/peers/platform/platform-none.js`,
      "#platform-worker": `${dist}/worker/start-web.js`,
    };
    appFolder("plain", `<script type="importmap">${JSON.stringify({ imports })}</script>${HTML}`);
    expect(await openFolder(app.path, "plain/")).toEqual({ loaded: LOADED, workers: 1 });
  });

  test("in Vite's development server", async () => {
    const server = await createViteServer({
      root: appFolder("vite-dev"),
      logLevel: "error",
      server: { host: "127.0.0.1", port: 0 },
    });
    try {
      await server.listen();
      expect(await open(server.resolvedUrls!.local[0]!)).toEqual({ loaded: LOADED, workers: 1 });
    } finally {
      await server.close();
    }
  });

  test("built by Vite", async () => {
    const folder = appFolder("vite-build");
    await buildWithVite({ root: folder, logLevel: "error", base: "./", build: { target: "esnext" } });
    expect(await openFolder(join(folder, "dist"))).toEqual({ loaded: LOADED, workers: 1 });
  });

  test("built by webpack", async () => {
    const folder = appFolder("webpack");
    const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
      const config: webpack.Configuration = {
        mode: "production",
        context: folder,
        entry: "./main.js",
        output: { path: join(folder, "dist"), filename: "main.js" },
      };
      webpack(config, (error, result) => (error ? reject(error) : resolve(result)));
    });
    expect(stats?.toJson({ errors: true }).errors).toEqual([]);
    writeFileSync(join(folder, "dist", "index.html"), HTML);
    expect(await openFolder(join(folder, "dist"))).toEqual({ loaded: LOADED, workers: 1 });
  });

  test("built by esbuild, with the worker as an entry of its own", async () => {
    const folder = appFolder("esbuild");
    const outdir = join(folder, "dist");
    const options = { bundle: true, format: "esm", outdir, logLevel: "error", absWorkingDir: folder, target: "esnext" } as const;
    await buildWithEsbuild({ ...options, entryPoints: { main: "main.js", "parse-worker": "foldspace/worker" } });
    writeFileSync(join(outdir, "index.html"), HTML);
    expect(await openFolder(outdir)).toEqual({ loaded: LOADED, workers: 1 });
  });

  test("not where the page forbids workers, and everything is parsed in the page", async () => {
    const folder = appFolder("forbidden");
    const outdir = join(folder, "dist");
    await buildWithEsbuild({
      bundle: true,
      format: "esm",
      outdir,
      absWorkingDir: folder,
      entryPoints: ["main.js"],
      target: "esnext",
    });
    writeFileSync(join(outdir, "index.html"), `<meta http-equiv="content-security-policy" content="worker-src 'none'">${HTML}`);
    expect(await openFolder(outdir)).toEqual({ loaded: LOADED, workers: 0 });
  });

  test("in Node, as a worker thread, where it is asked for", async () => {
    const entry = pathToFileURL(join(app.path, "node_modules", "foldspace", "dist", "worker", "parsing.js")).href;
    const { Parsing } = (await import(entry)) as typeof parsingModule;
    const parsing = new Parsing({ worker: true });
    const bytes = new TextEncoder().encode('["p",1,"a","key","value"]\n'.repeat(40_000));
    const job = await parsing.open({ peerId: "peer" }, bytes.length);
    await job.push(bytes);
    const { columns, problems, position } = await job.end();
    parsing.close();
    expect([job.constructor.name, columns.length, problems, position]).toEqual([
      "Object",
      40_000,
      [],
      { offset: bytes.length, line: 40_000 },
    ]);
    expect(columns.opAt(40_000)).toEqual({
      id: { counter: 1, peerId: "peer" },
      targetId: "a",
      key: "key",
      value: "value",
      transient: false,
    });
  });
});
