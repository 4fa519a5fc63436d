import { FoldspaceError } from "foldspace";
import { SPACE_DIR } from "foldspace/log";
import {
  folderAccess,
  forgetFolder,
  pickFolder,
  queryAccess,
  recallFolder,
  rememberFolder,
  requestAccess,
  WebFileSystem,
} from "foldspace/web";
import type { FolderSource, OpenFolder } from "./folder-source.ts";

interface PickedFolder extends OpenFolder {
  readonly handle: FileSystemDirectoryHandle;
}

/** Folders that the user opens in the browser. */
export const pickedFolder: FolderSource = {
  get obstacle() {
    const { kind, reason } = folderAccess();
    return kind === "folder" ? undefined : reason;
  },

  async choose(purpose) {
    const handle = await pickFolder(purpose === "copy" ? "foldspace-copy" : undefined);
    return handle && open(handle);
  },

  async remember(key, folder) {
    await rememberFolder(key, (folder as PickedFolder).handle);
  },

  async recall(key) {
    const handle = await recallFolder(key);
    if (!handle) return undefined;
    if ((await queryAccess(handle)) === "granted") return open(handle);
    return {
      label: handle.name,
      unlock: async () => ((await requestAccess(handle)) === "granted" ? open(handle) : undefined),
    };
  },

  async forget(key) {
    await forgetFolder(key);
  },

  async placeForCopy({ fs, path, ...folder }, notes) {
    if (notes && (await mixes((folder as PickedFolder).handle, (notes as PickedFolder).handle))) {
      const message = `${folder.label} contains the notes or is among their files: the copy needs a folder of its own`;
      throw new FoldspaceError("FOLD_BAD_VALUE", message);
    }
    return { fs, path };
  },
};

/** Whether a copy would be among the files of the space in a folder, or around them. */
async function mixes(copy: FileSystemDirectoryHandle, notes: FileSystemDirectoryHandle): Promise<boolean> {
  const inside = await notes.resolve(copy);
  return inside?.length === 0 || inside?.[0] === SPACE_DIR || (await copy.resolve(notes)) !== null;
}

function open(handle: FileSystemDirectoryHandle): PickedFolder {
  return { label: handle.name, fs: new WebFileSystem(handle), path: "", place: handle, handle };
}
