import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryFileSystem } from "../../fs/memory/memory-file-system.ts";
import { NodeFileSystem } from "../../fs/node/node-file-system.ts";
import type { FileSystem } from "../../fs/file-system.ts";
import type { LayerSetup } from "../../testing/layer-bench.ts";
import { testPersistenceLayer } from "../../testing/layer-suite.ts";
import { newId } from "../../tree/index.ts";
import { FileSystemPersistenceLayer } from "./file-system-layer.ts";

function layersOn(fs: FileSystem, path: string): LayerSetup {
  const spaceId = newId();
  return {
    spaceId,
    createLayer: (id = spaceId) => new FileSystemPersistenceLayer(path, id, { fs, flushIntervalMs: 10, gatherMs: 5 }),
    wipe: async () => fs.remove(path),
  };
}

testPersistenceLayer("FileSystemPersistenceLayer on a memory file system", () =>
  layersOn(new MemoryFileSystem(), "/home/ann/space"),
);

for (const io of ["async", "sync"] as const) {
  testPersistenceLayer(`FileSystemPersistenceLayer on Node, ${io}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "foldspace-layer-"));
    return { ...layersOn(new NodeFileSystem({ io }), join(folder, "space")), teardown: () => rm(folder, { recursive: true }) };
  });
}
