import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { outsideHands } from "../../../tests/external-writer.ts";
import { FakeTauri } from "../../../tests/tauri/fake-tauri.ts";
import { FileSystemPersistenceLayer } from "../../layers/folder/file-system-layer.ts";
import { testFileSystem } from "../../testing/file-system-suite.ts";
import { testPersistenceLayer } from "../../testing/layer-suite.ts";
import { newId } from "../../tree/index.ts";
import { TauriFileSystem } from "./tauri-file-system.ts";

// Tauri's stand-in reports and watches files as Linux does
describe.skipIf(process.platform !== "linux").each([
  ["without the crate tauri-plugin-foldspace", false],
  ["with the crate tauri-plugin-foldspace", true],
] as const)("%s", (_, hasCommands) => {
  const makeFolder = (): Promise<string> => mkdtemp(join(tmpdir(), "foldspace-tauri-"));
  const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true });

  testFileSystem("TauriFileSystem", async () => {
    FakeTauri.install({ hasCommands });
    const root = await makeFolder();
    return { fs: new TauriFileSystem(), root, outside: outsideHands, teardown: () => remove(root) };
  });

  testPersistenceLayer("FileSystemPersistenceLayer on TauriFileSystem", async () => {
    FakeTauri.install({ hasCommands });
    const folder = await makeFolder();
    const fs = new TauriFileSystem();
    const path = `${folder}/space`;
    const spaceId = newId();
    return {
      spaceId,
      createLayer: (id = spaceId) => new FileSystemPersistenceLayer(path, id, { fs, flushIntervalMs: 10, gatherMs: 5 }),
      wipe: () => fs.remove(path),
      teardown: () => remove(folder),
    };
  });
});
