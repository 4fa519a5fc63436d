import { RepTree, type VertexOperation } from "reptree";
import { expect, test } from "vitest";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { SpaceFolder } from "../../src/layers/folder/space-folder.ts";
import { encodeLine, logFilePath } from "../../src/log/index.ts";
import { packFolder } from "../../src/maintenance/pack/pack.ts";
import { Random } from "../../src/testing/random.ts";
import { makeHistory } from "./histories.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const TREE_ID = "0123456789abcdef0123456789abcdef";

/**
 * Reads all logs as the apps with which foldspace shares the format do: of whatever folder, in the order of their paths, with the
 * peer that the name has before its first dot.
 */
function readAsExistingApps(memory: MemoryFileSystem): VertexOperation[] {
  const logs = Object.entries(memory.dump()).filter(([path]) => path.includes("/ops/") && path.endsWith(".jsonl"));
  return logs.flatMap(([path, text]) => {
    const peerId = path.slice(path.lastIndexOf("/") + 1).split(".")[0]!;
    return text
      .trim()
      .split("\n")
      .map((line) => toOperation(JSON.parse(line) as unknown[], peerId));
  });
}

function toOperation([kind, counter, targetId, ...rest]: readonly unknown[], peerId: string): VertexOperation {
  const op = { id: { counter, peerId }, targetId };
  if (kind === "m") return { ...op, parentId: rest[0] } as VertexOperation;
  const isRemoved = JSON.stringify(rest[1]) === "{}";
  return { ...op, key: rest[0], value: isRemoved ? undefined : rest[1], transient: false } as VertexOperation;
}

function shownBy(ops: readonly VertexOperation[]): unknown {
  const tree = new RepTree("f".repeat(32), ops);
  const shown = tree.getAllVertices().map(({ id }) => [
    id,
    tree.getVertex(id)?.parentId,
    tree
      .getVertexProperties(id)
      .map(({ key, value }) => `${key}=${JSON.stringify(value)}`)
      .toSorted(),
  ]);
  // it starts a timer, which would keep the process alive
  (tree as unknown as { state: { dispose(): void } }).state.dispose();
  return shown.toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}

test("existing apps show a packed folder as they show the folder before", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed);
    const memory = new MemoryFileSystem({ "home/space-v1/space.json": JSON.stringify({ id: TREE_ID }) });
    const { ops } = makeHistory(seed, "hex");
    for (const op of ops) {
      const day = new Date(Date.UTC(2024, 0, 1) + random.integer(0, 800) * DAY_MS);
      const { peerId } = op.id;
      // also in relay files, and more than once
      for (const writer of random.chance(0.2) ? [peerId, random.hex(32)] : [peerId])
        await memory.append(
          `/home/${logFilePath(TREE_ID, peerId, writer, day)}`,
          new TextEncoder().encode(`${encodeLine(op)}\n`),
        );
    }
    const before = readAsExistingApps(memory);
    const { files, left } = await packFolder(new SpaceFolder(memory, "/home"), { now: new Date("2026-11-23"), deletes: true });
    expect(left).toEqual([]);
    expect(files.after).toBeLessThan(files.before / 3);
    const after = readAsExistingApps(memory);
    const sorted = (all: readonly VertexOperation[]): VertexOperation[] =>
      all.toSorted((a, b) => a.id.counter - b.id.counter || (a.id.peerId < b.id.peerId ? -1 : 1));
    expect(shownBy(sorted(after)), `seed ${seed}`).toEqual(shownBy(sorted(before)));
  }
});
