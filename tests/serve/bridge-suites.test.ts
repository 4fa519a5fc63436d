import * as fsp from "node:fs/promises";
import { join } from "node:path";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import type { ExternalWriter } from "../../src/testing/file-system-fixture.ts";
import { testFileSystem } from "../../src/testing/file-system-suite.ts";
import { testPersistenceLayer } from "../../src/testing/layer-suite.ts";
import { newId } from "../../src/tree/index.ts";
import { outsideHands } from "../external-writer.ts";
import { connect, serve } from "./serving.ts";

/** Another program in a folder, told of paths as the client knows them. */
function handsIn(folder: string): ExternalWriter {
  const at = (path: string): string => join(folder, path);
  return {
    append: (path, text) => outsideHands.append(at(path), text),
    write: (path, text) => outsideHands.write(at(path), text),
    replace: (path, text) => outsideHands.replace(at(path), text),
    remove: (path) => outsideHands.remove(at(path)),
    makeDirectory: (path) => outsideHands.makeDirectory(at(path)),
    ...(outsideHands.makeLink && { makeLink: (target, path) => outsideHands.makeLink!(at(target), at(path)) }),
  };
}

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
