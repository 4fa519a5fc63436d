import { afterEach, expect, test } from "vitest";
import type { WatchHint } from "../../fs/file-system.ts";
import { MemoryFileSystem } from "../../fs/memory/memory-file-system.ts";
import { SpaceManager } from "../../space/space-manager.ts";
import { FaultyFileSystem } from "../../testing/faulty-file-system.ts";
import { Inbox, TestPeer } from "../../testing/layer-bench.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { newId } from "../../tree/index.ts";
import { MemoryPersistenceLayer, MemoryStore } from "../memory-layer.ts";
import { FileSystemPersistenceLayer } from "./file-system-layer.ts";

const SPACE = "5".repeat(32);
const DAY = `/space/space-v1/ops/55/${"5".repeat(30)}/2026/01/15`;

/** Counts the watches that are on. */
class WatchedFileSystem extends MemoryFileSystem {
  watches = 0;

  override async watch(path: string, onHint: (hint: WatchHint) => void): Promise<() => Promise<void>> {
    const end = await super.watch(path, onHint);
    this.watches++;
    return async () => {
      this.watches--;
      await end();
    };
  }
}

let open: FileSystemPersistenceLayer[] = [];

afterEach(async () => {
  for (const layer of open) await layer.disconnect();
  open = [];
});

interface Rig {
  readonly memory: WatchedFileSystem;
  readonly fs: FaultyFileSystem;
  readonly clock: ManualClock;
  readonly layer: FileSystemPersistenceLayer;
}

function rig(): Rig {
  const memory = new WatchedFileSystem();
  const fs = new FaultyFileSystem(memory);
  const clock = new ManualClock();
  const layer = new FileSystemPersistenceLayer("/space", SPACE, { fs, clock });
  open.push(layer);
  return { memory, fs, clock, layer };
}

/** Has calls of one kind hang. @returns lets go of them */
function hang(fs: FaultyFileSystem, action: "stat" | "watch" | "read"): () => void {
  let release: (() => void) | undefined;
  const released = new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
  fs.fault = (call) => (call.action === action ? released : undefined);
  return () => release?.();
}

test.each(["stopListening", "disconnect"] as const)("a watch that begins only after %s is ended", async (end) => {
  const { memory, fs, layer } = rig();
  await layer.connect({ peerId: newId(), create: true });
  const release = hang(fs, "watch");
  const starting = layer.startListening(() => undefined);
  await layer[end]();
  release();
  await starting;
  expect(memory.watches).toBe(0);
});

test("a drive that answers only after the layer was disconnected is not written to, nor listened to", async () => {
  const { memory, fs, layer } = rig();
  await memory.makeDirectory("/space");
  const release = hang(fs, "stat");
  const connecting = expect(layer.connect({ peerId: newId(), create: true })).rejects.toMatchObject({ code: "FOLD_CLOSED" });
  const disconnecting = layer.disconnect();
  release();
  await Promise.all([connecting, disconnecting]);
  expect(layer.isConnected()).toBe(false);
  expect(memory.dump()).toEqual({});
});

test("a loss that is found without a listener is reported to the next listener", async () => {
  const { memory, clock, layer } = rig();
  const peer = new TestPeer("writer");
  await layer.connect({ peerId: peer.id, create: true });
  await layer.loadSpaceTreeOps();
  await Promise.all([layer.saveTreeOps(SPACE, peer.setMany(3)), layer.flush()]);
  await memory.remove(`${DAY}/writer.jsonl`);
  await Promise.all([layer.saveTreeOps(SPACE, peer.setMany(1)), layer.flush()]);
  await clock.advance(3_000);
  const inbox = new Inbox();
  await layer.startListening(inbox.listener);
  await clock.advance(3_000);
  expect(inbox.changes).toContainEqual({ treeId: SPACE, ops: undefined, isLossy: true });
});

test.each([
  ["space", `space-${SPACE}`, newId()],
  ["space", SPACE.replaceAll("5", "A"), newId()],
  ["peer", SPACE, "alice@example.com"],
  ["peer", SPACE, "../ann"],
  ["peer", SPACE, "ann_conflict-1"],
  ["peer", SPACE, "conflict1"],
])("a %s with an id that cannot name its files is refused, and nothing is written: %s, %s", async (_what, spaceId, peerId) => {
  const fs = new MemoryFileSystem();
  const layer = new FileSystemPersistenceLayer("/space", spaceId, { fs });
  await expect(layer.connect({ peerId, create: true })).rejects.toMatchObject({ code: "FOLD_BAD_ID" });
  expect(fs.dump()).toEqual({});
});

test("a peer that cannot name a file does not keep the edits of others from the folder", async () => {
  const { memory, layer } = rig();
  const alice = new TestPeer("alice@example.com", 50);
  const store = new MemoryStore();
  const [here, hers] = [new MemoryPersistenceLayer(SPACE, { store }), new MemoryPersistenceLayer(SPACE, { store })];
  const space = await new SpaceManager().createSpace({ id: SPACE, persistenceLayers: [layer, here] });
  await space.flush();
  await hers.connect({ peerId: alice.id });
  await Promise.all([hers.saveTreeOps(SPACE, [alice.set("hers", "text", SPACE)]), hers.flush()]);
  expect(space.tree.root!.getProperty("text")).toBe("hers");
  space.tree.root!.newNamedChild("mine");
  await space.whenSynced();
  expect(Object.values(memory.dump()).join()).toContain('"mine"');
  expect(space.problems).toEqual([expect.objectContaining({ code: "FOLD_BAD_ID", reason: expect.stringContaining("alice@") })]);
  await space.close();
  await hers.disconnect();
});
