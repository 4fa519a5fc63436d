import * as fsp from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { BridgeFileSystem } from "../../src/fs/bridge/index.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { expectFailure } from "../../src/testing/file-system-fixture.ts";
import { TestPeer } from "../../src/testing/layer-bench.ts";
import { newId } from "../../src/tree/index.ts";
import { connect, serve, type Serving } from "./serving.ts";

const MIB = 1024 * 1024;

async function start(): Promise<{ serving: Serving; fs: BridgeFileSystem }> {
  const serving = await serve();
  const fs = connect(serving);
  onTestFinished(async () => {
    fs.close();
    await serving.stop();
  });
  return { serving, fs };
}

test("a layer saves 100 MB at once over a bridge, and loads them", async () => {
  const { serving, fs } = await start();
  const [spaceId, peer] = [newId(), new TestPeer()];
  const layer = (): FileSystemPersistenceLayer => new FileSystemPersistenceLayer("", spaceId, { fs, flushIntervalMs: 60_000 });
  const ops = Array.from({ length: 100 }, (_, index) => peer.set(String(index % 10).repeat(1_000_000)));
  const writer = layer();
  await writer.connect({ peerId: peer.id, create: true });
  const saved = writer.saveTreeOps(spaceId, ops);
  await writer.flush();
  await saved;
  await writer.disconnect();

  const names = await fsp.readdir(join(serving.folder, "space-v1"), { recursive: true });
  const log = names.find((name) => name.endsWith(".jsonl"))!;
  expect((await fsp.stat(join(serving.folder, "space-v1", log))).size).toBeGreaterThan(100_000_000);

  const reader = layer();
  await reader.connect();
  const loaded = await reader.loadSpaceTreeOps();
  await reader.disconnect();
  expect(reader.problems).toEqual([]);
  expect(loaded.map(({ id }) => id.counter)).toEqual(ops.map(({ id }) => id.counter));
  expect(loaded.every((op, index) => "value" in op && op.value === String(index % 10).repeat(1_000_000))).toBe(true);
});

test("appends to one file at once do not mix, however long they are", async () => {
  const { serving, fs } = await start();
  const lengths = [9 * MIB, 1, 5 * MIB, 0, 4 * MIB];
  await Promise.all(lengths.map((length, index) => fs.append("file", new Uint8Array(length).fill(index + 1), { sync: true })));
  const bytes = await fsp.readFile(join(serving.folder, "file"));
  let at = 0;
  for (const [index, length] of lengths.entries()) {
    expect(bytes.subarray(at, at + length).every((byte) => byte === index + 1)).toBe(true);
    at += length;
  }
  expect(bytes).toHaveLength(at);
});

test("what is too much for one message is refused before anything is done, and can be read in ranges", async () => {
  const { serving, fs } = await start();
  await fs.write("largest", new Uint8Array(15 * MIB).fill(7));
  expect(await fs.read("largest")).toHaveLength(15 * MIB);
  await expectFailure(fs.write("larger", new Uint8Array(15 * MIB + 1)), "FOLD_IO");
  expect(await fs.stat("larger")).toBeUndefined();
  await fsp.appendFile(join(serving.folder, "largest"), "8");
  await expectFailure(fs.read("largest"), "FOLD_IO");
  await expectFailure(fs.read("largest", { offset: 0, length: 1000 * MIB }), "FOLD_IO");
  expect(await fs.read("largest", { offset: 15 * MIB - 1, length: 1000 * MIB })).toEqual(Uint8Array.of(7, 56));
  expect(await fs.read("largest", { offset: 1 })).toHaveLength(15 * MIB);
});
