import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DirectoryEntry, ScanResult } from "../../fs/file-system.ts";
import { NodeFileSystem } from "../../fs/node/node-file-system.ts";
import { dayOf, FOLDER_DAY, FOLDER_SPACE, lines } from "../../testing/folder-bench.ts";
import { TestPeer } from "../../testing/layer-bench.ts";
import type { IncomingChange } from "../persistence-layer.ts";
import { FileSystemPersistenceLayer } from "./file-system-layer.ts";

/** Runs an action just after a folder was checked, as a hostile program would. */
class WatchedFileSystem extends NodeFileSystem {
  afterLooking: (path: string) => Promise<void> = async () => undefined;

  override async list(path: string): Promise<DirectoryEntry[] | undefined> {
    const entries = await super.list(path);
    await this.afterLooking(path);
    return entries;
  }

  override async scan(path: string): Promise<ScanResult | undefined> {
    const found = await super.scan(path);
    await this.afterLooking(path);
    return found;
  }
}

/** As it is for a platform that cannot resolve links. */
class ListingFileSystem extends WatchedFileSystem {
  override readonly realPath = undefined as never;
}

let base: string;
let space: string;
let outside: string;
let layer: FileSystemPersistenceLayer;
let changes: IncomingChange[];

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "foldspace-links-"));
  [space, outside] = [join(base, "space"), join(base, "outside")];
  await put(join(space, "space-v1/space.json"), `{"id":"${FOLDER_SPACE}"}`);
  await put(join(space, FOLDER_DAY, "good.jsonl"), lines(1));
  await put(join(outside, "secret.jsonl"), lines(99));
  changes = [];
});

afterEach(async () => {
  await layer.disconnect();
  await rm(base, { recursive: true });
});

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function open(fs: NodeFileSystem): Promise<void> {
  layer = new FileSystemPersistenceLayer(space, FOLDER_SPACE, { fs, rescanIntervalMs: Infinity });
  await layer.connect({ peerId: "writer" });
  await layer.loadSpaceTreeOps();
  await layer.startListening((change) => changes.push(change));
}

/** Puts a link to a folder outside in the place of a folder of the space. */
async function replaceByLink(folder: string): Promise<void> {
  await rename(join(space, folder), join(base, "moved"));
  await symlink(outside, join(space, folder));
}

const heard = (): number[] => changes.flatMap(({ ops = [] }) => ops.map((op) => op.id.counter));

describe.skipIf(process.platform === "win32").each([
  ["resolves links", WatchedFileSystem],
  ["lists", ListingFileSystem],
])("on a file system that %s,", (_name, Kind) => {
  test("a folder that becomes a link after it was listed is not read through", async () => {
    const fs = new Kind();
    await open(fs);
    let isReplaced = false;
    fs.afterLooking = async (path) => {
      if (isReplaced || !path.endsWith("space-v1/ops")) return;
      isReplaced = true;
      await put(join(space, FOLDER_DAY, "secret.jsonl"), lines(98));
      await replaceByLink(FOLDER_DAY);
    };
    await layer.rescan();
    await layer.rescan();
    await layer.rescanTree(FOLDER_SPACE);
    expect(isReplaced).toBe(true);
    expect(heard()).not.toContain(99);
  });

  test("a tree's folder that becomes a link while the tree is loaded gives none of what is there", async () => {
    const tree = "7".repeat(32);
    await put(join(space, dayOf(tree), "secret.jsonl"), lines(5));
    const fs = new Kind();
    await open(fs);
    let isReplaced = false;
    fs.afterLooking = async (path) => {
      if (isReplaced || !path.endsWith(tree.slice(2))) return;
      isReplaced = true;
      await replaceByLink(dayOf(tree));
    };
    await expect(layer.loadTreeOps(tree)).rejects.toMatchObject({ code: "FOLD_IO", message: expect.stringContaining("link") });
    expect(isReplaced).toBe(true);
  });

  test("a hint about a folder behind a link is not followed", async () => {
    const fs = new Kind();
    const hints: ((directory: string) => void)[] = [];
    fs.watch = async (_path, onHint) => {
      hints.push((directory) => onHint({ kind: "dirty", directory }));
      return async () => undefined;
    };
    await open(fs);
    await symlink(outside, join(space, FOLDER_DAY, "../02"));
    const folder = join(space, FOLDER_DAY, "../02");
    for (const hint of hints) hint(folder);
    await expect
      .poll(() => layer.problems.map(({ code, file }) => `${code} ${file}`), { timeout: 10_000 })
      .toContain(`FOLD_IO ${folder.slice(space.length + 1)}`);
    expect(heard()).toEqual([]);
  });

  test("nothing is appended through a folder that has become a link since the last append", async () => {
    await open(new Kind());
    const peer = new TestPeer("writer");
    await Promise.all([layer.saveTreeOps(FOLDER_SPACE, [peer.set(1)]), layer.flush()]);
    await replaceByLink(`space-v1/ops/55/${"5".repeat(30)}`);
    void layer.saveTreeOps(FOLDER_SPACE, [peer.set(2)]).catch(() => undefined);
    await expect(layer.flush()).rejects.toMatchObject({ code: "FOLD_IO", message: expect.stringContaining("link") });
    expect((await new NodeFileSystem().scan(outside))?.files.map(({ path }) => path)).toEqual(["secret.jsonl"]);
    expect(layer.status).toMatchObject({ state: "degraded", pendingOps: 1 });
  });
});

test.skipIf(process.platform === "win32")("a folder reached by two spellings is one place, another one is not", async () => {
  const id = async (path: string): Promise<string | undefined> => {
    layer = new FileSystemPersistenceLayer(path, FOLDER_SPACE);
    await layer.connect({ peerId: "writer" });
    const { placeId } = layer;
    await layer.disconnect();
    return placeId;
  };
  await symlink(space, join(base, "link"));
  await put(join(base, "copy/space-v1/space.json"), `{"id":"${FOLDER_SPACE}"}`);
  const place = await id(space);
  expect(place).toBeDefined();
  for (const spelling of [`${space}/`, join(base, "link"), `${base}/outside/../space`]) expect(await id(spelling)).toBe(place);
  expect(await id(join(base, "copy"))).not.toBe(place);
});
