/** With more names than that, a listing of the folder is cheaper. */
const MAX_NAMES = 64;

/** Gathers folders in which something has changed, each with the names of the changed entries as long as they are known and few. */
export class ChangedFolders<Folder> {
  readonly #folders = new Map<Folder, Set<string> | undefined>();

  get size(): number {
    return this.#folders.size;
  }

  /** @param names of the changed entries; absent if any may have changed */
  add(folder: Folder, names?: readonly string[]): void {
    const known = this.#folders.get(folder);
    if (this.#folders.has(folder) && !known) return;
    const all = names && new Set([...(known ?? []), ...names]);
    this.#folders.set(folder, all && all.size <= MAX_NAMES ? all : undefined);
  }

  /** Returns what was gathered, and forgets it. */
  take(): (readonly [folder: Folder, names: readonly string[] | undefined])[] {
    const taken = Array.from(this.#folders, ([folder, names]) => [folder, names && [...names]] as const);
    this.#folders.clear();
    return taken;
  }
}
