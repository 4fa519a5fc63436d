import { build } from "esbuild";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHROMIUM_ARGS, findChromium } from "./chromium.ts";
import type { restricted as Restricted } from "./restricted-page.ts";

declare const restricted: typeof Restricted;

/** A name of another machine, as the browser sees it. */
const OTHER_MACHINE = "other-machine.test";
const STRICT = "default-src 'none'; script-src 'self'; connect-src 'self'";

let browser: Browser;
let server: Server;

beforeAll(async () => {
  const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [path("restricted-page.ts")],
    bundle: true,
    write: false,
    format: "iife",
    define: { "import.meta.url": "location.href" },
    alias: {
      "#platform-fs": path("../../src/fs/platform/platform-none.ts"),
      "#platform-peers": path("../../src/peers/platform/platform-none.ts"),
      "#platform-worker": path("../../src/worker/start-web.ts"),
    },
  });
  server = createServer((request, response) => {
    if (request.url === "/page.js") response.setHeader("content-type", "text/javascript").end(outputFiles[0]!.text);
    else {
      if (request.url === "/strict") response.setHeader("content-security-policy", STRICT);
      response.setHeader("content-type", "text/html").end(`<!doctype html><title>page</title><script src="/page.js"></script>`);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const args = CHROMIUM_ARGS.filter((arg) => !arg.startsWith("--host-resolver-rules"));
  const rules = `--host-resolver-rules=MAP ${OTHER_MACHINE} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`;
  browser = await chromium.launch({ executablePath: findChromium()!, args: [...args, rules] });
});

afterAll(async () => {
  await browser.close();
  server.close();
});

async function open(host: string, path: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`http://${host}:${(server.address() as AddressInfo).port}${path}`);
  return page;
}

test("a page over plain http from another machine keeps a space, and says why it has no secrets", async () => {
  const page = await open(OTHER_MACHINE, "/");
  expect(await page.evaluate(() => [restricted.isSecureContext(), restricted.access()])).toEqual([false, "none"]);
  expect(await page.evaluate(() => restricted.keep())).toMatchObject({ names: ["app-forest", "kept"], problems: [] });
  const refused: unknown = { code: "FOLD_UNAVAILABLE", message: expect.stringContaining("plain http") };
  expect(await page.evaluate(() => restricted.setSecret())).toEqual(refused);
  expect(await page.evaluate(() => restricted.seal())).toEqual(refused);
});

test("under a policy without WebAssembly all works but passphrases, whose refusal names the directive", async () => {
  const page = await open("127.0.0.1", "/strict");
  expect(await page.evaluate(() => restricted.keep())).toMatchObject({ names: ["app-forest", "kept"], problems: [] });
  expect(await page.evaluate(() => restricted.setSecret())).toBeUndefined();
  const refused: unknown = {
    code: "FOLD_UNAVAILABLE",
    message: expect.stringMatching(/Content-Security-Policy.*'wasm-unsafe-eval'/),
  };
  expect(await page.evaluate(() => restricted.protect())).toEqual(refused);
});

test("a page of this machine without a policy has all of it", async () => {
  const page = await open("127.0.0.1", "/");
  expect(await page.evaluate(() => restricted.protect())).toBeUndefined();
});
