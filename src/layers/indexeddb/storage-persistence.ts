/** The questions of a page about the storage of its origin. Workers cannot ask, and WebKitGTK has none of it. */
type StorageQueries = Partial<Pick<StorageManager, "persist" | "persisted">>;

/**
 * Whether the browser keeps the storage of this origin until the user deletes it. Otherwise it may clear the storage, for example
 * when the disk is full.
 * @returns `undefined` if the browser does not say
 */
export async function isStoragePersistent(): Promise<boolean | undefined> {
  return await ask((storage) => storage.persisted?.());
}

/**
 * Asks the browser to keep the storage. Some browsers ask the user.
 * @returns whether it does; `undefined` if the browser cannot be asked
 */
export async function requestPersistentStorage(): Promise<boolean | undefined> {
  return (await isStoragePersistent()) || (await ask((storage) => storage.persist?.()));
}

async function ask(question: (storage: StorageQueries) => Promise<boolean> | undefined): Promise<boolean | undefined> {
  const storage = (globalThis.navigator as Partial<Navigator> | undefined)?.storage as StorageQueries | undefined;
  try {
    return storage && (await question(storage));
  } catch {
    // for example in a private window or a frame of another origin: it promises nothing
    return false;
  }
}
