import { errorCode, errorMessage } from "../../src/errors.ts";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { folderAccess } from "../../src/fs/web/index.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { IndexedDBPersistenceLayer } from "../../src/layers/indexeddb/index.ts";
import { sealPlainFile } from "../../src/secrets/plain-file.ts";
import { WEAKEST_ARGON2 } from "../../src/secrets/argon2.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import type { Space } from "../../src/space/space.ts";
import { newId } from "../../src/tree/index.ts";

/** What happened, as plain data: `undefined` if it worked. */
export type Outcome = { readonly code: string | undefined; readonly message: string } | undefined;

/** What a page offers to the test that drives it. */
export const restricted = {
  isSecureContext: (): boolean => globalThis.isSecureContext,
  access: (): string => folderAccess().kind,

  /** Makes a space in the browser and a folder, edits it, opens it again. @returns names of what it has then, and its problems */
  async keep(): Promise<{ readonly names: readonly (string | undefined)[]; readonly problems: readonly string[] }> {
    const id = newId();
    const fs = new MemoryFileSystem();
    const layers = (): [IndexedDBPersistenceLayer, FileSystemPersistenceLayer] => [
      new IndexedDBPersistenceLayer(id),
      new FileSystemPersistenceLayer("", id, { fs }),
    ];
    const manager = new SpaceManager();
    const space = await manager.createSpace({ id, persistenceLayers: layers() });
    space.tree.root!.newNamedChild("kept");
    space.newAppTree("notes", "Tree");
    await space.flush();
    await manager.closeSpace(id);
    const again = await manager.loadSpace({ id }, layers());
    const names = again.tree.root!.children.map(({ name }) => name);
    const problems = again.problems.map(({ code }) => code);
    await manager.closeSpace(id);
    return { names, problems };
  },

  setSecret: async (): Promise<Outcome> => await withSpace(async ({ secrets }) => secrets.set("key", "value")),
  protect: async (): Promise<Outcome> =>
    await withSpace(async ({ secrets }) => {
      secrets.set("key", "value");
      await secrets.protect("passphrase");
    }),
  seal: async (): Promise<Outcome> => await outcomeOf(async () => await sealPlainFile(newId(), new Map([["key", "value"]]))),
};

async function withSpace(use: (space: Space) => Promise<unknown>): Promise<Outcome> {
  const id = newId();
  const manager = new SpaceManager({ secrets: { argon2: WEAKEST_ARGON2 } });
  const space = await manager.createSpace({ id, persistenceLayers: [new IndexedDBPersistenceLayer(id)] });
  const outcome = await outcomeOf(async () => await use(space));
  // what is not a secret is saved all the same
  await manager.closeSpace(id);
  return outcome;
}

async function outcomeOf(task: () => Promise<unknown>): Promise<Outcome> {
  try {
    await task();
    return undefined;
  } catch (error) {
    return { code: errorCode(error), message: errorMessage(error) };
  }
}

Object.assign(globalThis, { restricted });
