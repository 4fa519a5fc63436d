import { errorMessage, errorName, FoldspaceError } from "../../errors.ts";
import { browserGlobals, type PermissionAnswer, type PermissionHandle } from "./browser-types.ts";

/** The files that a page can have in this browser. */
export interface FolderAccess {
  /**
   * - `folder`: the user can choose a folder of the computer
   * - `private`: only the browser's own storage has files, which no sync service sees
   * - `none`: a space can be kept in IndexedDB only
   */
  readonly kind: "folder" | "private" | "none";
  /** Why, in words for the user. */
  readonly reason: string;
}

export type { PermissionAnswer } from "./browser-types.ts";

/** Reports how far this browser gives a page access to files. */
export function folderAccess(): FolderAccess {
  if (!globalThis.isSecureContext) {
    return {
      kind: "none",
      reason: "Browsers give access to files only to pages that were loaded over https or from this computer.",
    };
  }
  if (browserGlobals().showDirectoryPicker) {
    return { kind: "folder", reason: "The space can be kept in a folder of your choice, which any sync service can carry." };
  }
  const elsewhere = "Chrome, Edge and other browsers of that family can open folders on a computer.";
  // WebKitGTK has no `navigator.storage`, although the types declare it
  const storage = navigator.storage as Partial<StorageManager> | undefined;
  if (storage?.getDirectory && "createWritable" in FileSystemFileHandle.prototype) {
    return {
      kind: "private",
      reason: `This browser cannot open folders. It can only keep files in its own storage. ${elsewhere}`,
    };
  }
  return { kind: "none", reason: `This browser cannot open folders. ${elsewhere}` };
}

/**
 * Lets the user choose a folder to read and write. Call it while handling a click.
 * @param id the browser starts at the folder that the user last chose for the same id
 * @returns `undefined` if the user chose no folder
 * @throws FoldspaceError `FOLD_UNAVAILABLE`, `FOLD_PERMISSION`
 */
export async function pickFolder(id: string = "foldspace"): Promise<FileSystemDirectoryHandle | undefined> {
  const { showDirectoryPicker } = browserGlobals();
  if (!showDirectoryPicker) throw new FoldspaceError("FOLD_UNAVAILABLE", folderAccess().reason);
  try {
    return await showDirectoryPicker({ id, mode: "readwrite" });
  } catch (cause) {
    if (errorName(cause) === "AbortError") return undefined;
    throw notPermitted("choose a folder", cause);
  }
}

/**
 * Opens a folder of the browser's own storage, which only pages of this origin see.
 * @throws FoldspaceError `FOLD_UNAVAILABLE`
 */
export async function openPrivateFolder(name: string = "foldspace"): Promise<FileSystemDirectoryHandle> {
  const { kind, reason } = folderAccess();
  if (kind === "none") throw new FoldspaceError("FOLD_UNAVAILABLE", reason);
  try {
    const root = await navigator.storage.getDirectory();
    return await root.getDirectoryHandle(name, { create: true });
  } catch (cause) {
    const message = `This browser does not give access to its own storage, perhaps because the window is private: ${errorMessage(cause)}`;
    throw new FoldspaceError("FOLD_UNAVAILABLE", message, { cause });
  }
}

/** Whether a folder may be read and written now. Does not prompt the user. */
export async function queryAccess(folder: FileSystemDirectoryHandle): Promise<PermissionAnswer> {
  // if the method is missing, folders come from the browser's own storage
  return (await (folder as PermissionHandle).queryPermission?.({ mode: "readwrite" })) ?? "granted";
}

/**
 * Asks the user for permission to read and write a folder, if needed. Call it while handling a click.
 * @throws FoldspaceError `FOLD_PERMISSION` if the browser does not let the page ask
 */
export async function requestAccess(folder: FileSystemDirectoryHandle): Promise<PermissionAnswer> {
  try {
    return (await (folder as PermissionHandle).requestPermission?.({ mode: "readwrite" })) ?? "granted";
  } catch (cause) {
    throw notPermitted(`ask for access to ${folder.name}`, cause);
  }
}

function notPermitted(action: string, cause: unknown): FoldspaceError {
  return new FoldspaceError("FOLD_PERMISSION", `The browser does not let the page ${action}: ${errorMessage(cause)}`, { cause });
}
