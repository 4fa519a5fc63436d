import { FoldspaceError } from "foldspace";
import { DATABASE_NAME } from "foldspace/indexeddb";
import { forgetAll } from "./browser-settings.ts";
import { APP_CACHES } from "./offline-files.ts";

/** How long to wait for other tabs to close a database before its deletion fails. */
const DELETE_MS = 5_000;

/** Whether this browser has notes at this page's address. Does not create a database, as opening one would. */
export async function hasNotes(): Promise<boolean> {
  return (await databaseNames()).includes(DATABASE_NAME);
}

/** Whether this browser stores anything that {@link deleteAll} deletes, even if only the app's files. */
export async function keepsAnything(): Promise<boolean> {
  return (await databaseNames()).length > 0 || (await cacheNames()).length > 0 || (await serviceWorkers()).length > 0;
}

/**
 * Deletes everything that this browser stores at this page's address: notes, settings of folders and visits, and the app's own
 * files.
 * @throws FoldspaceError `FOLD_BUSY` if another tab keeps it open
 */
export async function deleteAll(): Promise<void> {
  forgetAll();
  if ("serviceWorker" in navigator)
    for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister();
  if ("caches" in globalThis) for (const name of await caches.keys()) if (name.startsWith(APP_CACHES)) await caches.delete(name);
  await Promise.all((await databaseNames()).map(deleteDatabase));
}

async function serviceWorkers(): Promise<readonly ServiceWorkerRegistration[]> {
  return "serviceWorker" in navigator ? await navigator.serviceWorker.getRegistrations() : [];
}

async function cacheNames(): Promise<string[]> {
  return "caches" in globalThis ? (await caches.keys()).filter((name) => name.startsWith(APP_CACHES)) : [];
}

async function databaseNames(): Promise<string[]> {
  // null in some browsers that allow no storage
  const factory = globalThis.indexedDB as IDBFactory | null;
  const databases = (await factory?.databases()) ?? [];
  return databases.map(({ name = "" }) => name).filter((name) => name.startsWith(DATABASE_NAME));
}

function deleteDatabase(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () =>
      reject(new FoldspaceError("FOLD_IO", `The database ${name} cannot be deleted`, { cause: request.error }));
    setTimeout(
      () =>
        reject(
          new FoldspaceError("FOLD_BUSY", `Another tab keeps the database ${name} open: it is deleted when that tab is closed`),
        ),
      DELETE_MS,
    );
  });
}
