import * as fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { FoldspaceError } from "../../src/errors.ts";
import { parseRecord } from "../../src/maintenance/repair/record.ts";
import { isPathSafeId, parseSpaceFile } from "../../src/log/index.ts";
import { DEFAULT_ARGON2 } from "../../src/secrets/argon2.ts";
import { parseContent } from "../../src/secrets/entries.ts";
import { IV_BYTES } from "../../src/secrets/encoding.ts";
import { SALT_BYTES, WRAPPED_KEY_BYTES } from "../../src/secrets/key-wraps.ts";
import { openPlainFile } from "../../src/secrets/plain-file.ts";
import { parseRecoveryCode } from "../../src/secrets/recovery-code.ts";
import { openFile, parseSealedFile, sealFile } from "../../src/secrets/sealed-file.ts";
import { parseSecrets } from "../../src/secrets/secret-map.ts";
import { newSpaceKey, type SpaceKey } from "../../src/secrets/space-key.ts";
import { fuzzing, Watchdog } from "./fuzzing.ts";
import { fixtures, mutated } from "./mutations.ts";

const SPACE_ID = "0123456789abcdef0123456789abcdef";
const watchdog = new Watchdog();
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** @returns what came of it; one of our own errors is as good as a result */
function attempt<T>(text: string, read: (text: string) => T): T | undefined {
  try {
    return watchdog.watch(encode(text), () => read(text));
  } catch (error) {
    if (error instanceof FoldspaceError) return undefined;
    throw error;
  }
}

async function attemptAsync<T>(text: string, read: (text: string) => Promise<T>): Promise<T | undefined> {
  try {
    return await watchdog.watch(encode(text), () => read(text));
  } catch (error) {
    if (error instanceof FoldspaceError) return undefined;
    throw error;
  }
}

test("whatever space.json is, it names a safe id or is refused", () => {
  let good = 0;
  fc.assert(
    fc.property(
      mutated(
        fixtures((name) => name === "space.json"),
        1_000,
      ),
      (bytes) => {
        const file = attempt(decode(bytes), parseSpaceFile);
        if (file === undefined) return;
        expect(isPathSafeId(file.id)).toBe(true);
        good++;
      },
    ),
    fuzzing({ runs: 50_000, seconds: 5 }),
  );
  expect(good).toBeGreaterThan(0);
});

test("whatever the record of a repair is, no path of it leads out of the space", () => {
  const id = "repair-2026-11-23T10-15-30-000Z-0123abcd";
  const kept = `space-v1/lost+found/${id}/ops/01/${SPACE_ID.slice(2)}/2026/11/22/a.jsonl`;
  const log = `space-v1/ops/01/${SPACE_ID.slice(2)}/2026/11/22/a.jsonl`;
  const sha256 = "0".repeat(64);
  const record = {
    format: "foldspace-repair",
    version: 2,
    id,
    time: "2026-11-23T10:15:30.000Z",
    spaceId: SPACE_ID,
    finished: true,
    moved: [{ from: log, to: kept, sha256 }],
    made: [{ file: log, sha256 }],
    rewritten: [{ file: log, kept, before: sha256, after: sha256 }],
    returned: [log],
  };
  let good = 0;
  fc.assert(
    fc.property(mutated([encode(JSON.stringify(record))], 2_000), (bytes) => {
      const parsed = attempt(decode(bytes), (text) => parseRecord(text, id));
      if (!parsed) return;
      good++;
      const inOps = [...parsed.made, ...parsed.rewritten].map(({ file }) => file);
      inOps.push(...parsed.moved.map(({ from }) => from), ...(parsed.returned ?? []));
      const inLost = [...parsed.moved.map(({ to }) => to), ...parsed.rewritten.map((each) => each.kept)];
      for (const path of inOps) expect(path).toMatch(/^space-v1\/ops\/./);
      for (const path of inLost) expect(path.startsWith(`space-v1/lost+found/${id}/`)).toBe(true);
      for (const path of [...inOps, ...inLost]) expect(path.split(/[/\\]/)).not.toContain("..");
    }),
    fuzzing({ runs: 50_000, seconds: 5 }),
  );
  expect(good).toBeGreaterThan(0);
});

test("whatever the file of secrets without a passphrase is, it opens or is refused", async () => {
  const ids = fixtures((name) => name === "space.json").map((bytes) => parseSpaceFile(decode(bytes)).id);
  await fc.assert(
    fc.asyncProperty(
      mutated(
        fixtures((name) => name === "secrets"),
        4_000,
      ),
      fc.constantFrom(...ids),
      async (bytes, id) => {
        const secrets = await attemptAsync(decode(bytes), (text) => openPlainFile(id, text));
        for (const [name, value] of secrets ?? []) expect([typeof name, typeof value]).toEqual(["string", "string"]);
      },
    ),
    fuzzing({ runs: 20_000, seconds: 5 }),
  );
});

test("whatever stands in opened secrets, strings come of it or a refusal", () => {
  const texts = [
    ...fixtures((name) => name === "secrets.json"),
    encode('{"entries":{"name":["value",7,"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],"gone":[null,8,"b"]},"keys":{"k":"AAAA"}}'),
  ];
  fc.assert(
    fc.property(mutated(texts, 2_000), (bytes) => {
      for (const [name, value] of attempt(decode(bytes), parseSecrets) ?? []) {
        expect([typeof name, typeof value]).toEqual(["string", "string"]);
      }
      attempt(decode(bytes), parseContent);
    }),
    fuzzing({ runs: 50_000, seconds: 5 }),
  );
});

test("whatever a recovery code is, it is one or none", async () => {
  await fc.assert(
    fc.asyncProperty(mutated([encode("ABCD-EFGH-JKMN-PQRS-TVWX-YZ01-2345-6789")], 100), async (bytes) => {
      await attemptAsync(decode(bytes), parseRecoveryCode);
    }),
    fuzzing({ runs: 20_000, seconds: 3 }),
  );
});

let key: SpaceKey;
let sealed: string;
beforeAll(async () => {
  key = await newSpaceKey();
  const wrap = { salt: new Uint8Array(SALT_BYTES), iv: new Uint8Array(IV_BYTES), key: new Uint8Array(WRAPPED_KEY_BYTES) };
  const wraps = { version: 1, peerId: "a".repeat(32), passphrase: { ...DEFAULT_ARGON2, ...wrap }, recovery: wrap };
  const header = { spaceId: SPACE_ID, peerId: "a".repeat(32), keyId: "k".repeat(32), sequence: 1, isEnded: false, wraps };
  sealed = await sealFile(header, { entries: new Map(), keys: new Map() }, key);
  await openFile(await parseSealedFile(sealed, SPACE_ID), key);
});

test("whatever a file of secrets under a passphrase is, it is read or refused, and opens only as it was sealed", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat().chain(() => mutated([encode(sealed)], 4_000)),
      async (bytes) => {
        const file = await attemptAsync(decode(bytes), (text) => parseSealedFile(text, SPACE_ID));
        if (!file) return;
        expect([file.spaceId, file.peerId]).toEqual([SPACE_ID, "a".repeat(32)]);
        await attemptAsync("", () => openFile(file, key));
      },
    ),
    fuzzing({ runs: 20_000, seconds: 5 }),
  );
});
