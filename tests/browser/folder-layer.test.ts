import { WebFileSystem } from "../../src/fs/web/index.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import type { LayerSetup } from "../../src/testing/layer-bench.ts";
import { testPersistenceLayer } from "../../src/testing/layer-suite.ts";
import { newId } from "../../src/tree/index.ts";
import { makeOpfsFolder } from "./opfs.ts";

/** @param path of the space in the folder that was opened; empty for that folder itself */
async function layersAt(path: string): Promise<LayerSetup> {
  const { folder, teardown } = await makeOpfsFolder();
  const spaceId = newId();
  return {
    spaceId,
    // as another page would: with a file system of its own
    createLayer: (id = spaceId) =>
      new FileSystemPersistenceLayer(path, id, { fs: new WebFileSystem(folder), flushIntervalMs: 10, gatherMs: 5 }),
    async wipe() {
      for await (const name of folder.keys()) await folder.removeEntry(name, { recursive: true });
    },
    teardown,
  };
}

testPersistenceLayer("FileSystemPersistenceLayer in the folder that was opened", () => layersAt(""));
testPersistenceLayer("FileSystemPersistenceLayer in a folder below it", () => layersAt("notes/space"));
