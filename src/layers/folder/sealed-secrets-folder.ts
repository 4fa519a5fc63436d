import type { Clock } from "../../clock.ts";
import { errorCode, FoldspaceError, type Problem } from "../../errors.ts";
import type { FileStat } from "../../fs/file-system.ts";
import { classifySealedFile, SEALED_SECRETS_DIR, sealedSecretsPath } from "../../log/secrets-paths.ts";
import { utf8 } from "../../secrets/encoding.ts";
import { assertFileSize, MAX_SEALED_FILES } from "../../secrets/limits.ts";
import type { StoredSealedFile } from "../../secrets/vault-file.ts";
import { toFoldspaceError } from "../batcher.ts";
import type { SpaceFolder } from "./space-folder.ts";

/** A file changed so recently may change again without its time showing it (FAT counts in 2 s). */
const TIME_RESOLUTION_MS = 2_500;

interface KnownFile {
  readonly stored: StoredSealedFile;
  readonly stat: FileStat;
  /** Whether its size and time cannot be trusted to show the next change. */
  readonly isYoung: boolean;
}

/** The folder `secrets-v2`, in which every peer has a file that it alone writes. */
export class SealedSecretsFolder {
  readonly #folder: SpaceFolder;
  readonly #clock: Clock;
  #files = new Map<string, KnownFile>();
  #problems: readonly Problem[] = [];

  constructor(folder: SpaceFolder, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** As of the last reading. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** What was found, to be compared. */
  get fingerprint(): string {
    return JSON.stringify(Array.from(this.#files, ([path, { stat }]) => [path, stat.size, stat.modifiedMs]));
  }

  /** Reads the latest files. @throws FoldspaceError where the folder cannot be read */
  async read(): Promise<StoredSealedFile[]> {
    const found = await this.#list();
    const files = new Map<string, KnownFile>();
    for (const [path, stat] of found.slice(0, MAX_SEALED_FILES)) files.set(path, await this.#readFile(path, stat));
    this.#files = files;
    this.#problems = found.slice(MAX_SEALED_FILES).map(([file]) => ({
      code: "FOLD_SECRETS_TOO_LARGE",
      reason: "there are too many files of secrets, and this is one of the oldest: it was not read",
      file,
    }));
    return Array.from(files.values(), ({ stored }) => stored);
  }

  async write(peerId: string, text: string): Promise<void> {
    await this.#folder.assertPresent();
    await this.#folder.fs.write(this.#folder.at(sealedSecretsPath(peerId)), utf8(text));
  }

  /** Removes the file of a peer, unless it has changed since it was read. */
  async retire(peerId: string): Promise<void> {
    const path = sealedSecretsPath(peerId);
    const stat = await this.#folder.fs.stat(this.#folder.at(path));
    if (stat && isSame(this.#files.get(path)?.stat, stat)) await this.#folder.fs.remove(this.#folder.at(path));
  }

  /** The latest first. */
  async #list(): Promise<[path: string, stat: FileStat][]> {
    const { fs } = this.#folder;
    const found: [path: string, stat: FileStat][] = [];
    for (const { name, kind } of (await fs.list(this.#folder.at(SEALED_SECRETS_DIR))) ?? []) {
      if (kind !== "file" || !classifySealedFile(name)) continue;
      const path = `${SEALED_SECRETS_DIR}/${name}`;
      const stat = await fs.stat(this.#folder.at(path));
      if (stat) found.push([path, stat]);
    }
    return found.sort(([a, { modifiedMs: aMs }], [b, { modifiedMs: bMs }]) => bMs - aMs || (a < b ? -1 : 1));
  }

  async #readFile(file: string, stat: FileStat): Promise<KnownFile> {
    const known = this.#files.get(file);
    if (known && !known.isYoung && isSame(known.stat, stat)) return known;
    const { modifiedMs } = stat;
    const isYoung = Math.abs(this.#clock.now() - modifiedMs) < TIME_RESOLUTION_MS;
    const stored = { ...classifySealedFile(file.slice(SEALED_SECRETS_DIR.length + 1))!, file, modifiedMs };
    return { stored: { ...stored, content: await this.#readText(file, stat) }, stat, isYoung };
  }

  async #readText(file: string, { size }: FileStat): Promise<string | FoldspaceError> {
    try {
      assertFileSize(size);
      const bytes = await this.#folder.fs.read(this.#folder.at(file));
      return bytes ? new TextDecoder().decode(bytes) : new FoldspaceError("FOLD_BUSY", `${file} was just removed`);
    } catch (error) {
      return errorCode(error) === undefined ? toFoldspaceError(error) : (error as FoldspaceError);
    }
  }
}

function isSame(a: FileStat | undefined, b: FileStat): boolean {
  return a?.size === b.size && a.modifiedMs === b.modifiedMs;
}
