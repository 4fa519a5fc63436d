import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { errorMessage, FoldspaceError } from "../../errors.ts";

/** A database apart from the spaces' own: losing it costs the user a click. */
const DATABASE = "foldspace-folders";

interface Schema extends DBSchema {
  folders: { key: string; value: FileSystemDirectoryHandle };
}

/**
 * Keeps a folder for the next visit. Browsers ask the user again before it can be used; see `requestAccess`.
 * @param key of the application's choice, such as the id of the space in the folder
 * @throws FoldspaceError `FOLD_UNAVAILABLE`
 */
export async function rememberFolder(key: string, folder: FileSystemDirectoryHandle): Promise<void> {
  await withDatabase("remember", (database) => database.put("folders", folder, key));
}

/** @throws FoldspaceError `FOLD_UNAVAILABLE` */
export async function recallFolder(key: string): Promise<FileSystemDirectoryHandle | undefined> {
  return await withDatabase("recall", (database) => database.get("folders", key));
}

/** The folder itself stays as it is. @throws FoldspaceError `FOLD_UNAVAILABLE` */
export async function forgetFolder(key: string): Promise<void> {
  await withDatabase("forget", (database) => database.delete("folders", key));
}

/** Opens the database for each call: calls are rare, and a connection left open would hinder others. */
async function withDatabase<T>(action: string, call: (database: IDBPDatabase<Schema>) => Promise<T>): Promise<T> {
  try {
    const database = await openDB<Schema>(DATABASE, 1, {
      upgrade(upgrading) {
        upgrading.createObjectStore("folders");
      },
    });
    try {
      return await call(database);
    } finally {
      database.close();
    }
  } catch (cause) {
    const message = `This browser cannot ${action} the folder: ${errorMessage(cause)}`;
    throw new FoldspaceError("FOLD_UNAVAILABLE", message, { cause });
  }
}
