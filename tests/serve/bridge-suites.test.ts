import * as fsp from "node:fs/promises";
import { join } from "node:path";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { testFileSystem } from "../../src/testing/file-system-suite.ts";
import { testPersistenceLayer } from "../../src/testing/layer-suite.ts";
import { newId } from "../../src/tree/index.ts";
import { handsIn } from "../external-writer.ts";
import { connect, serve } from "./serving.ts";

testFileSystem("BridgeFileSystem over a WebSocket", async () => {
  const serving = await serve();
  await fsp.mkdir(join(serving.folder, "root"));
  const fs = connect(serving);
  const teardown = async (): Promise<void> => {
    fs.close();
    await serving.stop();
  };
  return { fs, root: "root", outside: handsIn(serving.folder), teardown };
});

testPersistenceLayer("FileSystemPersistenceLayer over a WebSocket", async () => {
  const serving = await serve();
  const spaceId = newId();
  // every layer is a client of its own, as every tab is
  const clients: ReturnType<typeof connect>[] = [];
  const createLayer = (id = spaceId): FileSystemPersistenceLayer => {
    const fs = connect(serving);
    clients.push(fs);
    return new FileSystemPersistenceLayer("space", id, { fs, flushIntervalMs: 10, gatherMs: 5 });
  };
  return {
    spaceId,
    createLayer,
    wipe: () => fsp.rm(join(serving.folder, "space"), { recursive: true, force: true }),
    teardown: async () => {
      for (const fs of clients) fs.close();
      await serving.stop();
    },
  };
});
