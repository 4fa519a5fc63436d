import { expect, test } from "vitest";
import { MemoryFileSystem } from "../../fs/memory/memory-file-system.ts";
import { SECRETS_FILE } from "../../log/secrets-paths.ts";
import { sealPlainFile } from "../../secrets/plain-file.ts";
import type { SecretChanges } from "../../secrets/secret-map.ts";
import { SpaceManager } from "../../space/space-manager.ts";
import { FaultyFileSystem, type FileSystemCall } from "../../testing/faulty-file-system.ts";
import { FileSystemPersistenceLayer } from "./file-system-layer.ts";
import { PlainSecretsFile } from "./plain-secrets-file.ts";
import { SpaceFolder } from "./space-folder.ts";

const SPACE = "5".repeat(32);
const MAIN = `/space/${SECRETS_FILE}`;
const COPY = `${MAIN} (conflicted copy)`;
const NO_CHANGES = new Map<string, never>();
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Rig {
  readonly memory: MemoryFileSystem;
  readonly fs: FaultyFileSystem;
  readonly file: PlainSecretsFile;
  /** Lets time pass. */
  readonly pass: (ms: number) => void;
}

async function rig(files: Record<string, Record<string, string>>): Promise<Rig> {
  const memory = new MemoryFileSystem({ "/space/space-v1/space.json": `{"id":"${SPACE}"}` });
  for (const [path, secrets] of Object.entries(files)) await memory.write(path, await seal(secrets));
  const fs = new FaultyFileSystem(memory);
  let now = Date.UTC(2026, 10, 22);
  // what waits for others to write ends at once
  const clock = { now: () => now, schedule: (_delayMs: number, run: () => void) => (run(), () => undefined) };
  const file = new PlainSecretsFile(new SpaceFolder(fs, "/space"), SPACE, clock);
  return { memory, fs, file, pass: (ms) => void (now += ms) };
}

async function seal(secrets: Record<string, string>): Promise<Uint8Array> {
  return utf8(await sealPlainFile(SPACE, new Map(Object.entries(secrets))));
}

test("a file that vanishes is reported, and the next save writes it again", async () => {
  const { memory, file } = await rig({ [MAIN]: { api: "1" } });
  expect((await file.read()).isGone).toBe(false);
  const before = await memory.read(MAIN);
  await memory.remove(MAIN);
  expect(await file.read()).toMatchObject({ values: new Map([["api", "1"]]), isUntidy: false, isGone: true });
  await file.save(NO_CHANGES, false);
  expect(await memory.read(MAIN)).toEqual(before);
  expect((await file.read()).isGone).toBe(false);
});

test("without any secret, a missing file is not written", async () => {
  const { memory, file } = await rig({});
  expect((await file.read()).isGone).toBe(false);
  await file.save(NO_CHANGES, false);
  expect(await memory.read(MAIN)).toBeUndefined();
});

test.each([
  ["when it is flushed", true],
  ["after a while", false],
])("a space whose only layer loses its secrets has them again %s", { timeout: 30_000 }, async (_, isFlushed) => {
  const fs = new MemoryFileSystem();
  const layer = (): FileSystemPersistenceLayer => new FileSystemPersistenceLayer("/space", SPACE, { fs });
  const space = await new SpaceManager().createSpace({ id: SPACE, persistenceLayers: [layer()] });
  space.secrets.set("api", "1");
  await space.flush();
  await fs.remove(MAIN);
  await space.rescan();
  const find = async (): Promise<unknown> => {
    if (isFlushed) await space.flush();
    return await fs.stat(MAIN);
  };
  // it may be a sync service that has taken it away, to bring two versions back
  await expect.poll(find, { timeout: isFlushed ? 5_000 : 20_000, interval: 50 }).toBeDefined();
  await space.close();
  const later = await new SpaceManager().loadSpace({ id: SPACE }, [layer()]);
  await later.whenSynced();
  expect(later.secrets.get("api")).toBe("1");
  await later.close();
});

test.each([false, true])("a copy that has changed since it was read stays (removal of remains: %s)", async (removeRemains) => {
  const { memory, fs, file } = await rig({ [MAIN]: { api: "1" }, [COPY]: { copy: "1" } });
  const changed = await seal({ later: "1" });
  // replaced when it is about to be put away, which no listing comes before
  let isListed = false;
  fs.fault = async ({ action, path }: FileSystemCall) => {
    if (action === "list") isListed = true;
    if (path !== COPY) return undefined;
    if (!isListed) await memory.write(COPY, changed);
    isListed = action !== "read";
    return undefined;
  };
  await file.save(NO_CHANGES, removeRemains);
  expect(await memory.read(COPY)).toEqual(changed);
  expect((await file.read()).values).toEqual(new Map(Object.entries({ api: "1", copy: "1", later: "1" })));
});

test("a secret that was set again after it was deleted stays, although a copy of the contents in between arrives", async () => {
  const { memory, file } = await rig({ [MAIN]: { api: "1", other: "1" } });
  const change = (from: string | undefined, to: string | undefined): SecretChanges => new Map([["api", { from, to }]]);
  await file.save(change("1", undefined), false);
  await file.save(change(undefined, "1"), false);
  await memory.write(COPY, await seal({ other: "1" }));
  expect((await file.read()).values).toEqual(
    new Map([
      ["api", "1"],
      ["other", "1"],
    ]),
  );
});

test("a deletion holds if a sync service puts the contents with it into a copy", async () => {
  const { memory, file } = await rig({ [MAIN]: { api: "1", other: "1" } });
  await file.save(new Map([["api", { from: "1", to: undefined }]]), false);
  await memory.write(COPY, (await memory.read(MAIN))!);
  await memory.write(MAIN, await seal({ api: "1", other: "2" }));
  expect((await file.read()).values).toEqual(new Map([["other", "2"]]));
});

test("a secret that was put under a protection and is here again stays, although a copy of the contents in between arrives", async () => {
  const { memory, file, pass } = await rig({ [MAIN]: { api: "1" } });
  await file.save(new Map([["api", { from: "1", to: undefined }]]), true);
  pass(60_000);
  await memory.write(COPY, (await memory.read(MAIN))!);
  await memory.write(MAIN, await seal({ api: "1", other: "2" }));
  expect(Object.fromEntries((await file.read()).values)).toEqual({ api: "1", other: "2" });
});
