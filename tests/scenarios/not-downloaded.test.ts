import { afterEach, describe, expect, test, vi } from "vitest";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { SpaceFolder } from "../../src/layers/folder/space-folder.ts";
import { MemoryStore } from "../../src/layers/memory-layer.ts";
import { repairFolder } from "../../src/maintenance/repair/repair.ts";
import { verifyFolder } from "../../src/maintenance/verify.ts";
import type { Space } from "../../src/space/space.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { layerOn, makeSpace } from "../../src/testing/space-rig.ts";
import { newId } from "../../src/tree/index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let open: Space[] = [];
afterEach(async () => {
  for (const space of open.splice(0))
    await space.close().catch((error: unknown) => expect(error).toMatchObject({ code: "FOLD_NOT_DURABLE" }));
  open = [];
});

interface Device {
  readonly id: string;
  /** What the device keeps for itself, as in IndexedDB. */
  readonly store: MemoryStore;
  readonly fs: MemoryFileSystem;
  /** Path of the log with a note of another device. */
  readonly log: string;
  readonly clock: ManualClock;
}

/** A device that knows a note of another device, whose log is in the folder. */
async function setUp(): Promise<Device> {
  const [id, store, fs, clock] = [newId(), new MemoryStore(), new MemoryFileSystem(), new ManualClock()];
  await makeSpace(id, store);
  const folder = (): FileSystemPersistenceLayer => new FileSystemPersistenceLayer("/space", id, { fs });
  const manager = new SpaceManager();
  const first = await manager.loadSpace({ id }, [layerOn(store, id)]);
  await first.addLayer(folder(), { create: true });
  await first.close();
  const before = new Set(await logsIn(fs));
  const other = await new SpaceManager().loadSpace({ id }, [folder()]);
  other.tree.root!.newNamedChild("from the other device");
  await other.close();
  const log = (await logsIn(fs)).find((path) => !before.has(path))!;
  const here = await new SpaceManager({ clock }).loadSpace({ id }, [
    layerOn(store, id, { clock }),
    new FileSystemPersistenceLayer("/space", id, { fs, clock }),
  ]);
  // so that the other layer gets it, too
  await clock.advance(60_000);
  await here.close();
  return { id, store, fs, log, clock };
}

async function logsIn(fs: MemoryFileSystem): Promise<string[]> {
  return ((await fs.scan("/space/space-v1/ops"))?.files ?? []).map(({ path }) => `/space/space-v1/ops/${path}`);
}

async function evict(fs: MemoryFileSystem, path: string, suffix: string): Promise<void> {
  await fs.remove(path);
  await fs.write(path + suffix, bytes(" "));
}

describe.each([".nextcloud", ".owncloud", ".cloud", ".SomeBrand"])("with %s behind the name of a file", (suffix) => {
  test("its operations are neither lost nor written again, and repair leaves the placeholder", async () => {
    const { id, store, fs, log, clock } = await setUp();
    await evict(fs, log, suffix);
    const before = await logsIn(fs);
    const layers = [layerOn(store, id, { clock }), new FileSystemPersistenceLayer("/space", id, { fs, clock })];
    const space = await new SpaceManager({ clock }).loadSpace({ id }, layers);
    open.push(space);
    await clock.advance(300_000);
    expect(await logsIn(fs)).toEqual(before);
    expect(space.tree.root!.children.map(({ name }) => name)).toContain("from the other device");
    expect(layers[1]!.problems).toMatchObject([{ code: "FOLD_NOT_DOWNLOADED" }]);
    const folder = new SpaceFolder(fs, "/space");
    const codes: string[] = [];
    for await (const { code } of verifyFolder(folder)) codes.push(code);
    expect(codes).toEqual(["FOLD_NOT_DOWNLOADED"]);
    await repairFolder(folder);
    expect(await logsIn(fs)).toEqual(before);
    // once it is really gone, it is written again
    await fs.remove(log + suffix);
    await clock.advance(600_000);
    await space.flush();
    expect(await logsIn(fs)).toHaveLength(before.length);
    expect(await logsIn(fs)).not.toContain(log + suffix);
  });

  test("a space.json that is not downloaded is waited for", async () => {
    const { id, fs } = await setUp();
    await evict(fs, "/space/space-v1/space.json", suffix);
    const layer = new FileSystemPersistenceLayer("/space", id, { fs });
    await expect(layer.connect({ peerId: newId() })).rejects.toMatchObject({ code: "FOLD_NOT_DOWNLOADED" });
  });

  test("secrets that are not downloaded are not replaced", async () => {
    const { id, fs } = await setUp();
    const load = async (): Promise<Space> => {
      const space = await new SpaceManager().loadSpace({ id }, [new FileSystemPersistenceLayer("/space", id, { fs })]);
      open.push(space);
      return space;
    };
    const first = await load();
    first.secrets.set("key", "value");
    await first.close();
    const path = "/space/space-v1/secrets";
    const content = (await fs.read(path))!;
    await evict(fs, path, suffix);
    const space = await load();
    expect(space.secrets.get("key")).toBeUndefined();
    space.secrets.set("other", "value");
    await expect(space.flush()).rejects.toMatchObject({ code: "FOLD_NOT_DURABLE" });
    expect(await fs.read(path)).toBeUndefined();
    await fs.remove(path + suffix);
    await fs.write(path, content);
    await space.rescan();
    await space.flush();
    expect(space.secrets.get("key")).toBe("value");
    expect(space.secrets.get("other")).toBe("value");
  });
});

test("operations are relayed after a day, with few rescans until then, if the files are never downloaded", async () => {
  const { id, store, fs, log, clock } = await setUp();
  await evict(fs, log, ".cloud");
  const before = (await logsIn(fs)).length;
  const folder = new FileSystemPersistenceLayer("/space", id, { fs, clock });
  const rescan = vi.spyOn(folder, "rescanTree");
  open.push(await new SpaceManager({ clock }).loadSpace({ id }, [layerOn(store, id, { clock }), folder]));
  await clock.advance(23 * 3_600_000);
  expect(await logsIn(fs)).toHaveLength(before);
  expect(rescan.mock.calls.length).toBeLessThan(120);
  await clock.advance(2 * 3_600_000);
  expect(await logsIn(fs)).toHaveLength(before + 1);
});

test("whenSynced names the files that are not downloaded, and resolves when they are", async () => {
  const { id, store, fs, log, clock } = await setUp();
  const content = (await fs.read(log))!;
  await evict(fs, log, ".cloud");
  const layers = [layerOn(store, id, { clock }), new FileSystemPersistenceLayer("/space", id, { fs, clock })];
  const space = await new SpaceManager({ clock }).loadSpace({ id }, layers);
  open.push(space);
  const outcome = space.whenSynced().catch((error: unknown) => error);
  await clock.advance(120_000);
  const file = `${log.slice("/space/".length)}.cloud`;
  expect(await outcome).toMatchObject({
    code: "FOLD_NOT_DURABLE",
    message: expect.stringContaining(file),
    data: { layers: [{ code: "FOLD_NOT_DOWNLOADED" }] },
  });
  await fs.remove(`${log}.cloud`);
  await fs.write(log, content);
  await space.rescan();
  const synced = space.whenSynced();
  await clock.advance(120_000);
  await synced;
});

test("a placeholder beside the file itself is a leftover", async () => {
  const { fs, log } = await setUp();
  await fs.write(`${log}.cloud`, bytes(" "));
  for await (const problem of verifyFolder(new SpaceFolder(fs, "/space"))) expect(problem).toBeUndefined();
});
