import { errorCode, FoldspaceError } from "foldspace";
import { openServedFolder, type ServedFolder } from "foldspace/bridge";
import type { OpenFolder } from "./folder-source.ts";

/** A space that whoever serves this page has chosen. */
export interface ServedSpace {
  readonly id: string;
  readonly folder: OpenFolder;
}

/**
 * The space that `foldspace serve` serves to this page.
 * @returns `undefined` where the page comes from another server
 * @throws FoldspaceError `FOLD_UNAVAILABLE` where the server is another than the page's address is for, `FOLD_FOLDER_LOST`
 */
export async function findServedSpace(): Promise<ServedSpace | undefined> {
  const served = await open();
  return served && { id: served.spaceId, folder: { label: served.path, fs: served.fs, path: "" } };
}

async function open(): Promise<ServedFolder | undefined> {
  try {
    return await openServedFolder();
  } catch (error) {
    // it is the server that refuses, and no folder
    if (error instanceof FoldspaceError && errorCode(error) === "FOLD_PERMISSION")
      throw new FoldspaceError("FOLD_UNAVAILABLE", error.message, { cause: error });
    throw error;
  }
}
