import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FileSystem } from "../../fs/file-system.ts";
import { NodeFileSystem } from "../../fs/node/node-file-system.ts";
import { newId, type VertexOperation } from "../../tree/index.ts";
import { FileSystemPersistenceLayer } from "./file-system-layer.ts";

/** The file system, and the calls that were made since they were last taken, sorted. */
function counting(fs: FileSystem): { readonly fs: FileSystem; readonly takeCalls: () => string[] } {
  const calls: string[] = [];
  const counted = new Proxy(fs, {
    get(target, name: keyof FileSystem) {
      const member = target[name];
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        calls.push(name);
        return (member as (...given: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return { fs: counted, takeCalls: () => calls.splice(0).sort() };
}

test("a save after another one proves the place and the file before and after its append, with one call for each", async () => {
  const folder = await mkdtemp(join(tmpdir(), "foldspace-calls-"));
  const { fs, takeCalls } = counting(new NodeFileSystem());
  const [spaceId, peerId] = [newId(), newId()];
  const layer = new FileSystemPersistenceLayer(folder, spaceId, { fs, flushIntervalMs: Infinity });
  const save = async (counter: number): Promise<void> => {
    const op: VertexOperation = { id: { counter, peerId }, targetId: spaceId, parentId: null };
    const saved = layer.saveTreeOps(spaceId, [op]);
    await layer.flush();
    await saved;
  };
  try {
    await layer.connect({ peerId, create: true });
    await save(1);
    takeCalls();
    await save(2);
    // besides both, the real path of the folder itself
    const proof = ["inspect", "realPath", "stat"];
    expect(takeCalls()).toEqual([...proof, ...proof, "append", "realPath"].sort());
  } finally {
    await layer.disconnect();
    await rm(folder, { recursive: true });
  }
});
