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

  async choose() {
    const handle = await pickFolder();
    return handle && open(handle);
  },

  async remember(spaceId, folder) {
    await rememberFolder(spaceId, (folder as PickedFolder).handle);
  },

  async recall(spaceId) {
    const handle = await recallFolder(spaceId);
    if (!handle) return undefined;
    if ((await queryAccess(handle)) === "granted") return open(handle);
    return {
      label: handle.name,
      unlock: async () => ((await requestAccess(handle)) === "granted" ? open(handle) : undefined),
    };
  },

  async forget(spaceId) {
    await forgetFolder(spaceId);
  },
};

function open(handle: FileSystemDirectoryHandle): PickedFolder {
  return { label: handle.name, fs: new WebFileSystem(handle), path: "", place: handle, handle };
}
