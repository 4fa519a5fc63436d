import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { webCrypto } from "./web-crypto.ts";

afterEach(() => vi.unstubAllGlobals());

test("a page over plain http is told why it has no WebCrypto, and another platform that it has none", () => {
  expect(webCrypto()).toBe(crypto.subtle);
  vi.stubGlobal("crypto", { getRandomValues: () => undefined });
  const refused = (message: RegExp): unknown =>
    expect.objectContaining({ code: "FOLD_UNAVAILABLE", message: expect.stringMatching(message) });
  expect(() => webCrypto()).toThrow(refused(/this platform/));
  vi.stubGlobal("isSecureContext", false);
  expect(() => webCrypto()).toThrow(refused(/plain http/));
});

test("no other file takes for granted what browsers give to secure contexts only", () => {
  const root = fileURLToPath(new URL(".", import.meta.url));
  const sources = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => /(?<!\.test)\.ts$/.test(name));
  const using = sources.filter((name) => /\bcrypto\??\.(?:subtle|randomUUID)/.test(readFileSync(join(root, name), "utf8")));
  expect(using.sort()).toEqual(["random-id.ts", "web-crypto.ts"]);
});
