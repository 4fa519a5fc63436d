import { dayDir, endOfPeriod, OPS_DIR, classifyLogFile, treeDir } from "../../log/paths.ts";
import { isWriterOf } from "../../log/own-writers.ts";
import { earlierFolders } from "./earlier-folders.ts";
import type { SpaceFolder } from "./space-folder.ts";

/** How long after its day a file of an earlier instance is continued, in milliseconds. The folders of these days are rescanned often. */
const CONTINUED_MS = 7 * 24 * 60 * 60 * 1000;
/** Services without deltas transfer a file as a whole whenever it has changed. */
const MAX_CONTINUED_BYTES = 256 * 1024;

/** A file of a tree that an earlier instance of this peer began. */
export interface FormerFile {
  readonly folder: string;
  readonly writerId: string;
}

/**
 * Finds the files that an instance continues for the peer that it has taken over: in each tree those in the latest folder that
 * has any.
 */
export class FormerFiles {
  readonly #folder: SpaceFolder;
  readonly #peerId: string;
  readonly #files = new Map<string, readonly FormerFile[]>();

  constructor(folder: SpaceFolder, peerId: string) {
    this.#folder = folder;
    this.#peerId = peerId;
  }

  /** The file to continue, as far as it is known without a look; `undefined` if no file fits, or before {@link find}. */
  get(treeId: string, now: number): FormerFile | undefined {
    const file = this.#files.get(treeId)?.[0];
    return file && (endOfPeriod(file.folder.slice(OPS_DIR.length + 1)) ?? 0) > now - CONTINUED_MS ? file : undefined;
  }

  /** Searches the files of a tree once. @throws FoldspaceError as `FileSystem.list` */
  async find(treeId: string, now: number): Promise<FormerFile | undefined> {
    if (!this.#files.has(treeId)) this.#files.set(treeId, await this.#search(treeId, now));
    return this.get(treeId, now);
  }

  /** Continues a file no more. */
  leave(treeId: string, { folder, writerId }: FormerFile): void {
    const others = this.#files.get(treeId)?.filter((file) => file.folder !== folder || file.writerId !== writerId) ?? [];
    this.#files.set(treeId, others);
  }

  /** Whether a file of this size is continued. */
  static fits(size: number): boolean {
    return size > 0 && size <= MAX_CONTINUED_BYTES;
  }

  async #search(treeId: string, now: number): Promise<FormerFile[]> {
    const first = dayDir(treeId, new Date(now - CONTINUED_MS));
    const behindToday = `${dayDir(treeId, new Date(now))}0`;
    for await (const folder of earlierFolders(this.#folder, treeDir(treeId), first, behindToday)) {
      const entries = (await this.#folder.fs.list(this.#folder.at(folder))) ?? [];
      const writers = entries.flatMap(({ name, kind }) => (kind === "file" ? (this.#writerOf(folder, name) ?? []) : []));
      if (writers.length > 0) return writers.toSorted().map((writerId) => ({ folder, writerId }));
    }
    return [];
  }

  #writerOf(folder: string, name: string): string | undefined {
    const file = classifyLogFile(`${folder}/${name}`.slice(OPS_DIR.length + 1));
    if (file.kind !== "log" || file.isCopy || file.peerId !== this.#peerId) return undefined;
    return isWriterOf(this.#peerId, file.writerId) ? file.writerId : undefined;
  }
}
