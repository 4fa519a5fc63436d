import { FoldspaceError } from "../errors.ts";
import { FileSystemPersistenceLayer } from "../layers/folder/file-system-layer.ts";
import type { SpaceFolder } from "../layers/folder/space-folder.ts";
import { SpaceManager } from "../space/space-manager.ts";
import { newId } from "../tree/index.ts";
import type { Context } from "./context.ts";
import { sessionOptions } from "./open.ts";

/**
 * Makes a folder into a new space.
 * @returns id of the space
 * @throws FoldspaceError `FOLD_ALREADY_A_SPACE`, `FOLD_OLD_FORMAT`, or the error of writing
 */
export async function createSpace(folder: SpaceFolder, name: string | undefined, context: Context): Promise<string> {
  await assertNoSpace(folder);
  const id = newId();
  const manager = new SpaceManager(sessionOptions(context));
  const layer = new FileSystemPersistenceLayer(folder.path, id, { fs: folder.fs });
  await manager.createSpace({ id, persistenceLayers: [layer], ...(name === undefined ? {} : { name }) });
  await manager.closeSpace(id);
  return id;
}

async function assertNoSpace(folder: SpaceFolder): Promise<void> {
  const state = await folder.inspect();
  const { path } = folder;
  if (state.kind === "space")
    throw new FoldspaceError("FOLD_ALREADY_A_SPACE", `${path} already contains the space ${state.spaceFile.id}`, {
      data: { path },
    });
  if (state.kind === "old-format") throw folder.errorFor("old-format");
  if (state.kind === "empty" && (await folder.fs.stat(folder.at("space.json")))) {
    throw new FoldspaceError("FOLD_ALREADY_A_SPACE", `${path} is the inside of a space: a new one needs a folder of its own`, {
      data: { path },
    });
  }
}
