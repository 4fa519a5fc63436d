import { afterEach, expect, test, vi } from "vitest";
import { newId } from "./tree/index.ts";

afterEach(() => vi.unstubAllGlobals());

test("ids are random and have 32 hexadecimal digits, also where only random bytes are to be had", () => {
  const { crypto } = globalThis;
  for (const given of [crypto, { getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes) }]) {
    vi.stubGlobal("crypto", given);
    const ids = Array.from({ length: 100 }, newId);
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    // all of it is random
    for (let at = 0; at < 32; at++) if (at !== 12 && at !== 16) expect(new Set(ids.map((id) => id[at])).size).toBeGreaterThan(3);
  }
});
