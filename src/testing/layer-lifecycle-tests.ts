import { expect } from "vitest";
import { errorCode } from "../errors.ts";
import type { PersistenceLayer } from "../layers/persistence-layer.ts";
import { newId } from "../tree/index.ts";
import { asSet, TestPeer } from "./layer-bench.ts";
import type { LayerTest } from "./layer-suite.ts";

export function lifecycleTests(test: LayerTest): void {
  test("a layer is offline until it is connected, and describes itself", async (bench) => {
    const layer = bench.layer();
    expect(layer.isConnected(), "isConnected() of a layer that is not connected").toBe(false);
    expect(layer.status, "the status of a layer that is not connected").toMatchObject({ state: "offline", pendingOps: 0 });
    expect(layer.spaceId, "spaceId is the one that the layer was made with").toBe(bench.spaceId);
    expect(layer.id, "id is a text").toEqual(expect.any(String));
    expect(["local", "remote"], "type is one of these").toContain(layer.type);
    expect(layer.supportsIncomingSync, "supportsIncomingSync: whether it has startListening and stopListening").toBe(
      layer.startListening !== undefined && layer.stopListening !== undefined,
    );
    await layer.connect({ peerId: newId(), create: true });
    expect(layer.isConnected(), "isConnected() of a connected layer").toBe(true);
    expect(layer.status, "the status of a connected layer that has saved everything").toMatchObject({
      state: "idle",
      pendingOps: 0,
    });
    expect(layer.problems, "a new storage has no problems").toEqual([]);
  });

  test("connected layers on one storage have the same place id", async (bench) => {
    expect(bench.layer().placeId, "placeId of a layer that is not connected").toBeUndefined();
    const [one, other] = [await bench.connected(), await bench.connected()];
    expect(one.placeId, "placeId of two layers on one storage is the same, or both have none").toBe(other.placeId);
    await one.disconnect();
    expect(one.placeId).toBeUndefined();
  });

  test("connecting creates the storage on request, and later finds it without", async (bench) => {
    const layer = await bench.connected();
    expect(await layer.loadSpaceTreeOps(), "the result of loadSpaceTreeOps").toEqual([]);
    await layer.disconnect();
    const later = bench.layer();
    await later.connect({ peerId: newId() });
    expect(await later.loadSpaceTreeOps(), "the result of loadSpaceTreeOps").toEqual([]);
  });

  test("connecting again while connected changes nothing", async (bench) => {
    const peer = new TestPeer();
    const layer = await bench.connected({ peerId: peer.id });
    const saving = layer.saveTreeOps(bench.spaceId, peer.setMany(3));
    await layer.connect({ peerId: newId() });
    await layer.connect();
    await saving;
    expect(await layer.loadSpaceTreeOps(), "the result of loadSpaceTreeOps").toHaveLength(3);
  });

  test("missing storage is an error unless the caller asks to create it, and nothing is written", async (bench) => {
    if (bench.isAlwaysThere) bench.skip("missing storage counts as empty (`isAlwaysThere` of the setup)");
    for (let attempt = 0; attempt < 3; attempt++) {
      const layer = bench.layer();
      await expectAbsent(layer);
      expect(layer.isConnected(), "isConnected() of a layer that is not connected").toBe(false);
      expect(layer.status.state, "the state of a layer that is not connected").toBe("offline");
    }
    const layer = bench.layer();
    await expectAbsent(layer);
    await layer.connect({ peerId: newId(), create: true });
    expect(layer.status.error).toBeUndefined();
  });

  test("storage that always exists is empty at first, and stays empty until something is saved", async (bench) => {
    if (!bench.isAlwaysThere) bench.skip("missing storage is an error (the setup has no `isAlwaysThere`)");
    for (let attempt = 0; attempt < 2; attempt++) {
      const layer = bench.layer();
      await layer.connect({ peerId: newId() });
      expect(await layer.listTrees(), "the result of listTrees").toEqual([]);
      expect(await layer.loadSpaceTreeOps(), "the result of loadSpaceTreeOps").toEqual([]);
      await layer.disconnect();
    }
  });

  test("storage that was emptied is missing", async (bench) => {
    if (!bench.wipe) return bench.skip("the storage cannot be emptied from outside (the setup has no `wipe`)");
    const layer = await bench.connected();
    await layer.saveTreeOps(bench.spaceId, new TestPeer().setMany(1));
    await layer.disconnect();
    await bench.wipe();
    if (bench.isAlwaysThere)
      expect(await bench.stored(bench.spaceId), "the operations that a new layer loads from the storage").toEqual([]);
    else await expectAbsent(bench.layer());
  });

  test("storage of another space is refused, even with `create`, and is not changed", async (bench) => {
    if (bench.isAlwaysThere) bench.skip("missing storage counts as empty (`isAlwaysThere` of the setup)");
    const peer = new TestPeer();
    const ops = peer.setMany(2);
    const layer = await bench.connected({ peerId: peer.id });
    await layer.saveTreeOps(bench.spaceId, ops);
    for (const create of [false, true]) {
      const other = bench.layer(newId());
      const connecting = other.connect({ peerId: newId(), create });
      await expect(connecting, "connecting to the storage of another space rejects").rejects.toMatchObject({
        code: "FOLD_SPACE_MISMATCH",
      });
      expect(other.isConnected(), "isConnected() of a layer that is not connected").toBe(false);
    }
    expect(await bench.stored(bench.spaceId), "the operations that a new layer loads from the storage").toEqual(asSet(ops));
  });

  test("spaces that lie side by side do not mix", async (bench) => {
    if (!bench.isAlwaysThere) bench.skip("missing storage is an error (the setup has no `isAlwaysThere`)");
    const ops = new TestPeer().setMany(2);
    const layer = await bench.connected();
    await layer.saveTreeOps(bench.spaceId, ops);
    const other = bench.layer(newId());
    await other.connect({ peerId: newId(), create: true });
    expect(await other.listTrees(), "the result of listTrees").toEqual([]);
    expect(await other.loadTreeOps(bench.spaceId), "the result of loadTreeOps").toEqual([]);
    await other.saveTreeOps(bench.spaceId, new TestPeer().setMany(1));
    expect(await bench.stored(bench.spaceId), "the operations that a new layer loads from the storage").toEqual(asSet(ops));
  });

  test("a layer that is not connected refuses every call", async (bench) => {
    const layer = bench.layer();
    await expectClosed(layer, bench.spaceId);
    await layer.connect({ peerId: newId(), create: true });
    await layer.disconnect();
    expect(layer.isConnected(), "isConnected() of a layer that is not connected").toBe(false);
    expect(layer.status.state, "the state of a layer that is not connected").toBe("offline");
    await expectClosed(layer, bench.spaceId);
    await layer.stopListening?.();
    await layer.rescan?.();
  });

  test("disconnecting twice, or without having connected, is fine", async (bench) => {
    await bench.layer().disconnect();
    const layer = await bench.connected();
    await Promise.all([layer.disconnect(), layer.disconnect()]);
    await layer.disconnect();
    expect(layer.status.state, "the state of a layer that is not connected").toBe("offline");
  });

  test("a layer can be connected again", async (bench) => {
    const peer = new TestPeer();
    const layer = await bench.connected({ peerId: peer.id });
    const [first, second] = [peer.set(1), peer.set(2)];
    await layer.saveTreeOps(bench.spaceId, [first]);
    await layer.disconnect();
    await layer.connect({ peerId: peer.id });
    await layer.saveTreeOps(bench.spaceId, [second]);
    expect(asSet(await layer.loadSpaceTreeOps()), "the operations that loadSpaceTreeOps gives").toEqual(asSet([first, second]));
  });

  test("two concurrent connects make one connection", async (bench) => {
    const peer = new TestPeer();
    const session = { peerId: peer.id, create: true };
    const layer = bench.layer();
    const ops = peer.setMany(2);
    let isSaved = false;
    const save = async (): Promise<void> => layer.saveTreeOps(bench.spaceId, ops).then(() => void (isSaved = true));
    const first = layer.connect(session).then(() => void save());
    await Promise.all([first, layer.connect(session)]);
    await layer.flush();
    expect(isSaved).toBe(true);
    expect(await bench.stored(bench.spaceId), "the operations that a new layer loads from the storage").toEqual(asSet(ops));
  });

  test("a layer that is disconnected while it connects is not connected afterwards", async (bench) => {
    const layer = bench.layer();
    const connecting = layer.connect({ peerId: newId(), create: true }).then(() => "connected", errorCode);
    await layer.disconnect();
    expect(layer.isConnected(), "isConnected() of a layer that is not connected").toBe(false);
    expect(["connected", "FOLD_CLOSED"]).toContain(await connecting);
    expect(layer.isConnected(), "isConnected() of a layer that is not connected").toBe(false);
  });

  test("the last of several concurrent calls to connect and disconnect wins", async (bench) => {
    const peer = new TestPeer();
    const session = { peerId: peer.id, create: true };
    const layer = bench.layer();
    const first = layer.connect(session).catch(errorCode);
    void layer.disconnect();
    await layer.connect(session);
    await expectToSave(layer);

    const saving = layer.saveTreeOps(bench.spaceId, [peer.set("waits")]);
    const disconnecting = layer.disconnect();
    await layer.connect(session);
    await Promise.all([first, saving, disconnecting]);
    await expectToSave(layer);

    async function expectToSave(connected: PersistenceLayer): Promise<void> {
      expect(connected.isConnected(), "isConnected() of a connected layer").toBe(true);
      const op = peer.set("saved");
      const saved = connected.saveTreeOps(bench.spaceId, [op]);
      await connected.flush();
      await saved;
      expect(connected.status, "the status of a connected layer that has saved everything").toMatchObject({
        state: "idle",
        pendingOps: 0,
        error: undefined,
      });
      expect(await connected.loadSpaceTreeOps(), "the result of loadSpaceTreeOps").toContainEqual(op);
    }
  });
}

async function expectAbsent(layer: PersistenceLayer): Promise<void> {
  const code = await layer.connect({ peerId: newId() }).then(() => "connected", errorCode);
  expect(
    ["FOLD_NOT_FOUND", "FOLD_NOT_A_SPACE"],
    "connecting to missing storage without `create` rejects with one of these",
  ).toContain(code);
}

async function expectClosed(layer: PersistenceLayer, treeId: string): Promise<void> {
  const closed: unknown = expect.objectContaining({ name: "FoldspaceError", code: "FOLD_CLOSED" });
  const refused = "a call of a layer that is not connected rejects with FOLD_CLOSED";
  await expect(layer.listTrees(), `listTrees: ${refused}`).rejects.toEqual(closed);
  await expect(layer.loadSpaceTreeOps(), `loadSpaceTreeOps: ${refused}`).rejects.toEqual(closed);
  await expect(layer.loadTreeOps(treeId), `loadTreeOps: ${refused}`).rejects.toEqual(closed);
  await expect(layer.saveTreeOps(treeId, new TestPeer().setMany(1)), `saveTreeOps: ${refused}`).rejects.toEqual(closed);
  if (layer.startListening)
    await expect(
      layer.startListening(() => undefined),
      `startListening: ${refused}`,
    ).rejects.toEqual(closed);
}
